package intake

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"ribglass/collector/wire/mrt"
	"ribglass/ribstore/route"
)

// feed makes a named pipe and writes a file into it.
func feed(t *testing.T, file string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(name, 0o600); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		content, err := os.ReadFile(file)
		if err == nil {
			var w *os.File
			if w, err = os.OpenFile(name, os.O_WRONLY, 0); err == nil {
				_, err = w.Write(content)
				err = errors.Join(err, w.Close())
			}
		}
		done <- err
	}()
	t.Cleanup(func() {
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return name
}

func TestPipesAreReadAsTheyCome(t *testing.T) {
	table := tableFile(t, begin, "198.51.100.0/24", "203.0.113.0/24")
	var changes []change
	for i := range 2000 { // more than a pipe holds
		changes = append(changes, change{time.Duration(i+1) * time.Second, "198.51.100.0/24", path1(i)})
	}
	updates := updateFile(t, begin, changes...)
	want, got := t.TempDir(), t.TempDir()
	if _, err := runImport(t, want, table, updates); err != nil {
		t.Fatal(err)
	}
	// In the wrong order: what begins first is read first all the same.
	sum, err := runImport(t, got, feed(t, updates), feed(t, table))
	if err != nil {
		t.Fatal(err)
	}
	if sum.Changes != 2002 {
		t.Errorf("%d changes, want 2002", sum.Changes)
	}
	for _, at := range []time.Time{begin, begin.Add(1000 * time.Second), {}} {
		if a, b := state(t, want, at), state(t, got, at); a != b || a == "" {
			t.Errorf("at %v through pipes:\n%s\nof files:\n%s", at, b, a)
		}
	}
}

func path1(i int) []route.ASN { return []route.ASN{64501, route.ASN(64510 + i%5)} }

func TestWaitingForAPipeEndsWithTheContext(t *testing.T) {
	name := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(name, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Run("that nobody writes to", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { _, err := Open(ctx, []string{name}, mrt.SourceOptions{}); ended <- err }()
		time.AfterFunc(10*time.Millisecond, cancel)
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("Open = %v, want %v", err, context.Canceled)
		}
	})
	t.Run("whose writer says nothing more", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { _, err := Open(ctx, []string{name}, mrt.SourceOptions{}); ended <- err }()
		w, err := os.OpenFile(name, os.O_WRONLY, 0) // returns when the reader is there
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("Open = %v, want %v", err, context.Canceled)
		}
	})
}

func TestADirectoryIsAllFilesInIt(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "a", ".hidden"), 0o700); err != nil {
		t.Fatal(err)
	}
	move := func(file string, to ...string) {
		t.Helper()
		if err := os.Rename(file, filepath.Join(append([]string{dir}, to...)...)); err != nil {
			t.Fatal(err)
		}
	}
	move(tableFile(t, begin, "198.51.100.0/24"), "a", "z-table")
	move(updateFile(t, begin, change{time.Second, "203.0.113.0/24", path1(0)}), "updates")
	move(updateFile(t, begin, change{time.Second, "192.0.2.0/24", path1(0)}), "a", ".hidden", "no")
	if err := os.WriteFile(filepath.Join(dir, "README"), []byte("These are tables of October. And updates."), 0o600); err != nil {
		t.Fatal(err)
	}
	data := t.TempDir()
	sum, err := runImport(t, data, dir)
	if err != nil {
		t.Fatal(err)
	}
	if got := state(t, data, time.Time{}); strings.Count(got, "\n") != 2 || strings.Contains(got, "192.0.2.0/24") {
		t.Errorf("imported:\n%s", got)
	}
	foreign := 0
	for i := range sum.Reports {
		if sum.Reports[i].Foreign != nil {
			foreign++
		}
	}
	if len(sum.Reports) != 3 || foreign != 1 || sum.Lost() != 0 {
		t.Errorf("%d files, %d of them no MRT, %d things lost; want 3, 1, 0", len(sum.Reports), foreign, sum.Lost())
	}
	if _, err := runImport(t, t.TempDir(), t.TempDir()); err == nil || !strings.Contains(err.Error(), "there is no file in it") {
		t.Errorf("an empty directory: %v", err)
	}
}

// broken returns a file of 40 updates, the third with a length that lies.
func broken(t *testing.T) string {
	t.Helper()
	var changes []change
	for i := range 40 {
		changes = append(changes, change{time.Duration(i) * time.Second, "10.0." + string(rune('0'+i%10)) + ".0/24", path1(i)})
	}
	file := updateFile(t, begin, changes...)
	f, err := os.OpenFile(file, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.WriteAt([]byte{0xff, 0xff, 0xff, 0xff}, 2*info.Size()/40+8)
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestWhatIsBehindABrokenFrameIsImported(t *testing.T) {
	file, dir := broken(t), t.TempDir()
	sum, err := runImport(t, dir, file)
	if err != nil {
		t.Fatal(err)
	}
	if sum.Changes != 39 || sum.Lost() != 1 || sum.Reports[0].SkippedOctets == 0 {
		t.Errorf("%d changes, %d lost, %d octets passed over; want 39, 1, some", sum.Changes, sum.Lost(), sum.Reports[0].SkippedOctets)
	}
}

func TestAStrictImportTakesAllOrNothing(t *testing.T) {
	dir := t.TempDir()
	i := Import{DataDir: dir, Collection: "test", Files: []string{broken(t)}, Logger: slog.New(slog.DiscardHandler), Strict: true}
	_, err := i.Run(t.Context())
	var strict *StrictError
	if !errors.As(err, &strict) || strict.Summary.PassedOver() != 1 || len(strict.Summary.Reports[0].Errors) != 1 {
		t.Errorf("Run = %v", err)
	}
	if left, err := os.ReadDir(filepath.Join(dir, "collections")); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestWhyNothingCouldBeReadIsSaid(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	keepalives := writeFile(t, "keepalives", func(w *mrt.Writer) error {
		return w.StateChange(&mrt.StateChange{Header: mrt.Header{Time: begin}, Session: session(), Old: 1, New: 2})
	})
	var whole bytes.Buffer
	w := mrt.NewWriter(&whole)
	peers := []mrt.Peer{{Address: session().PeerAddress, ASN: 64501}}
	if err := w.PeerIndex(session().PeerAddress, "", peers, begin); err != nil {
		t.Fatal(err)
	}
	header := whole.Len()
	row := mrt.Row{Time: begin, Prefix: netip.MustParsePrefix("10.0.0.0/8"), Routes: []mrt.Route{{Attrs: path(64501)}}}
	noIndex := filepath.Join(t.TempDir(), "no-index")
	if err := errors.Join(w.RIB(&row), os.WriteFile(noIndex, whole.Bytes()[header:], 0o600)); err != nil {
		t.Fatal(err)
	}
	_, err := runImport(t, t.TempDir(), empty, keepalives, noIndex)
	if err == nil {
		t.Fatal("nothing is no error")
	}
	for _, want := range []string{"the files have no routes", "empty: it is empty", "keepalives: 1 records, none of which", "RIB record before any PEER_INDEX_TABLE"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error %q lacks %q", err, want)
		}
	}
}

// TestFilesAreAddedInAnyOrder imports a table, updates and a later table one by one, in
// every order: the collection becomes what it is when all are imported together.
func TestFilesAreAddedInAnyOrder(t *testing.T) {
	files := []string{
		tableFile(t, begin, "198.51.100.0/24", "203.0.113.0/24", "192.0.2.0/24"),
		updateFile(t, begin.Add(time.Minute),
			change{0, "203.0.113.0/24", []route.ASN{64501, 64511}}, change{2 * time.Minute, "192.0.2.0/24", nil},
			change{3 * time.Minute, "10.0.0.0/8", []route.ASN{64501, 64512}}),
		tableFile(t, begin.Add(10*time.Minute), "198.51.100.0/24", "10.0.0.0/8"),
		updateFile(t, begin.Add(11*time.Minute), change{0, "11.0.0.0/8", []route.ASN{64501}}, change{time.Minute, "10.0.0.0/8", nil}),
	}
	moments := []time.Time{begin.Add(30 * time.Second), begin.Add(90 * time.Second), begin.Add(5 * time.Minute), begin.Add(10*time.Minute + 30*time.Second), {}}
	together := t.TempDir()
	if _, err := runImport(t, together, files...); err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, at := range moments {
		want = append(want, state(t, together, at))
	}
	for _, order := range [][]int{{0, 1, 2, 3}, {3, 2, 1, 0}, {1, 0, 3, 2}, {2, 3, 0, 1}, {1, 3, 0, 2}, {3, 0, 2, 1}} {
		dir := t.TempDir()
		for _, i := range order {
			if _, err := runImport(t, dir, files[i]); err != nil {
				t.Fatalf("order %v: %v", order, err)
			}
		}
		for i, at := range moments {
			if got := state(t, dir, at); got != want[i] {
				t.Errorf("order %v, at %v:\n%swant\n%s", order, at, got, want[i])
			}
		}
	}
}

func TestFilesTakeThePlaceOfACollection(t *testing.T) {
	dir := t.TempDir()
	if _, err := runImport(t, dir, tableFile(t, begin, "198.51.100.0/24")); err != nil {
		t.Fatal(err)
	}
	i := Import{DataDir: dir, Collection: "test", Files: []string{tableFile(t, begin.Add(-time.Hour), "203.0.113.0/24")}, Logger: slog.New(slog.DiscardHandler), Replace: true}
	if _, err := i.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := state(t, dir, time.Time{}); !strings.HasPrefix(got, "203.0.113.0/24 ") || strings.Count(got, "\n") != 1 {
		t.Errorf("the collection has:\n%s", got)
	}
}
