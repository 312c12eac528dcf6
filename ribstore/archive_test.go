package ribstore

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"ribglass/ribstore/changes"
	"ribglass/ribstore/compare"
	"ribglass/ribstore/history"
	"ribglass/ribstore/query"
	"ribglass/ribstore/route"
)

// imported is when the things of a collection happened.
var imported = time.Date(2015, 3, 1, 8, 0, 0, 0, time.UTC)

// collect makes a collection in which a peer announces prefixes a minute apart.
func collect(t *testing.T, dataDir, name string, prefixes ...string) {
	t.Helper()
	path, err := CollectionPath(dataDir, name)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	h, err := history.Open(path+".new", history.DefaultConfig(), history.Deps{Logger: slog.New(slog.DiscardHandler), Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	table, _, err := h.Continue(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	h.Begin(imported, false)
	at := imported
	batches := []route.Batch{{Peer: edge1, Event: route.PeerUp}}
	for _, p := range prefixes {
		batches = append(batches, announce(edge1, p))
	}
	for i := range batches {
		h.RecordAt(&batches[i], at)
		table.Apply(&batches[i])
		at = at.Add(time.Minute)
	}
	if err := errors.Join(h.Flush(), h.Close(), os.Rename(path+".new", path)); err != nil {
		t.Fatal(err)
	}
}

func collections(t *testing.T, dataDir string) *Collections {
	t.Helper()
	c := NewCollections(dataDir, DefaultConfig(), Deps{Logger: slog.New(slog.DiscardHandler), Now: time.Now})
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

func TestACollectionIsAskedLikeTheTable(t *testing.T) {
	dir := t.TempDir()
	collect(t, dir, "ris-2015", "192.0.2.0/24", "198.51.100.0/24")
	a, err := collections(t, dir).Get("ris-2015")
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	end := imported.Add(2 * time.Minute)
	for _, row := range []struct {
		text string
		at   query.Moment
		want int
	}{
		{"", query.Moment{}, 2},
		{"192.0.2.1", query.Moment{}, 1},
		{"198.51.100.1", query.Moment{}, 1},
		{"198.51.100.1", at(imported.Add(time.Minute)), 0},
		{"peer edge1", at(imported.Add(time.Minute)), 1},
		{"", query.Moment{Ago: time.Minute}, 1}, // before the end of the collection
	} {
		q := parse(t, row.text)
		q.At = row.at
		got, err := a.Search(ctx, q, query.Page{})
		if err != nil {
			t.Fatalf("%q at %v: %v", row.text, row.at, err)
		}
		if want := row.at.In(end); got.Total != row.want || !got.At.Equal(want) || len(got.Notices) > 0 {
			t.Errorf("%q: %d routes of %v, want %d of %v; notices %q", q, got.Total, got.At, row.want, want, got.Notices)
		}
		n := 0
		err = a.Stream(ctx, q, func(routes []route.Route) error { n += len(routes); return nil })
		if err != nil || n != row.want {
			t.Errorf("Stream(%q): %d routes, %v", q, n, err)
		}
	}
	if _, err := a.Search(ctx, query.Query{At: at(end.Add(time.Second))}, query.Page{}); !errors.Is(err, ErrFuture) {
		t.Errorf("behind the end: %v", err)
	}
	var before *history.RangeError
	if _, err := a.Search(ctx, query.Query{At: at(imported.Add(-time.Second))}, query.Page{}); !errors.As(err, &before) {
		t.Errorf("before the begin: %v", err)
	}
	list, err := a.Changes(ctx, query.Query{Between: query.Span{From: at(imported), To: at(end)}}, changes.Page{})
	if err != nil || list.Total != 3 {
		t.Errorf("Changes: %+v, %v", list, err)
	}
	line, err := a.Timeline(ctx, parse(t, "198.51.100.1"), 0)
	if err != nil || line.Prefix.String() != "198.51.100.0/24" || !line.FirstSeen.Equal(end) || !line.LastSeen.Equal(end) {
		t.Errorf("Timeline: %+v, %v", line, err)
	}
	peers, _, _, err := a.PeersAt(ctx, query.Moment{})
	if err != nil || len(peers) != 1 || peers[0].Routes[route.IPv4Unicast] != 2 {
		t.Errorf("PeersAt: %+v, %v", peers, err)
	}
	c, _, err := a.Compare(ctx, compare.Request{From: at(imported)})
	if err != nil {
		t.Fatal(err)
	}
	if n, err := c.Count(ctx); err != nil || n.Added != 2 {
		t.Errorf("Compare: %+v, %v", n, err)
	}
}

func TestACollectionIsOpenedAgainWhenItWasImportedAgain(t *testing.T) {
	dir := t.TempDir()
	c := collections(t, dir)
	if _, err := c.Get("lab"); !errors.Is(err, ErrNoCollection) {
		t.Errorf("before it was imported: %v", err)
	}
	collect(t, dir, "lab", "192.0.2.0/24")
	first, err := c.Get("lab")
	if err != nil {
		t.Fatal(err)
	}
	if again, err := c.Get("lab"); err != nil || again != first {
		t.Errorf("asked for twice: %p and %p, %v", first, again, err)
	}
	collect(t, dir, "lab", "192.0.2.0/24", "198.51.100.0/24")
	second, err := c.Get("lab")
	if err != nil || second == first {
		t.Fatalf("imported again: %p and %p, %v", first, second, err)
	}
	for a, want := range map[*Archive]int{first: 1, second: 2} {
		if got, err := a.Search(t.Context(), query.Query{}, query.Page{}); err != nil || got.Total != want {
			t.Errorf("%+v, %v; want %d routes", got, err, want)
		}
	}
	if err := os.Remove(filepath.Join(dir, "collections", "lab.db")); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Get("lab"); !errors.Is(err, ErrNoCollection) {
		t.Errorf("after it was removed: %v", err)
	}
}

func TestNamesOfCollections(t *testing.T) {
	dir := t.TempDir()
	c := collections(t, dir)
	if names, err := c.List(); err != nil || len(names) > 0 {
		t.Errorf("List of a directory that is not there: %q, %v", names, err)
	}
	for _, name := range []string{"b", "a-b", "a", "a.b", "0"} {
		collect(t, dir, name, "192.0.2.0/24")
	}
	for _, name := range []string{"Upper.db", ".hidden.db", "notes.txt", "-.db"} {
		if err := os.WriteFile(filepath.Join(dir, "collections", name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "history.db"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	names, err := c.List()
	if want := []string{"0", "a", "a-b", "a.b", "b"}; err != nil || !slices.Equal(names, want) {
		t.Errorf("List = %q, %v; want %q", names, err, want)
	}
	for _, name := range []string{
		"", ".", "..", "../history", "a/../a", "/a", "a\x00", "a b", "A", "Upper", "-", ".hidden", "..%2fhistory", "a\n", strings.Repeat("a", 64), "ä",
	} {
		if _, err := c.Get(name); !errors.Is(err, ErrNoCollection) {
			t.Errorf("Get(%q) = %v, want ErrNoCollection", name, err)
		}
		if path, err := CollectionPath(dir, name); err == nil {
			t.Errorf("CollectionPath(%q) = %q", name, path)
		}
	}
}

// A file that is no collection, or is damaged, is an error that says so, and
// leaves the others alone.
func TestAFileThatIsNoCollectionIsRefused(t *testing.T) {
	dir := t.TempDir()
	collect(t, dir, "good", "192.0.2.0/24")
	files := filepath.Join(dir, "collections")
	good, err := os.ReadFile(filepath.Join(files, "good.db"))
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{
		"empty": nil, "text": []byte(strings.Repeat("no history ", 10_000)), "cut": good[:len(good)/2], "short": good[:100],
	} {
		if err := os.WriteFile(filepath.Join(files, name+".db"), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("/etc/passwd", filepath.Join(files, "link.db")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(files, "directory.db"), 0o700); err != nil {
		t.Fatal(err)
	}
	c := collections(t, dir)
	for _, name := range []string{"empty", "text", "cut", "short", "link", "directory"} {
		done := make(chan error, 1)
		go func() { _, err := c.Get(name); done <- err }()
		select {
		case err := <-done:
			if err == nil {
				t.Errorf("%s was opened", name)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("%s: no answer", name)
		}
	}
	if _, err := c.Get("good"); err != nil {
		t.Error(err)
	}
}

// TestADeletedCollectionIsGone deletes a collection and imports another anew while
// they are open: the files of before are closed, so that their room on the disk is free.
func TestADeletedCollectionIsGone(t *testing.T) {
	if _, err := os.ReadDir("/proc/self/fd"); err != nil {
		t.Skip("needs /proc to see which files are open")
	}
	dir := t.TempDir()
	collect(t, dir, "deleted", "192.0.2.0/24")
	collect(t, dir, "replaced", "192.0.2.0/24")
	all := collections(t, dir)
	all.linger = 0
	for _, name := range []string{"deleted", "replaced"} {
		if _, err := all.Get(name); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Remove(filepath.Join(dir, "collections", "deleted.db")); err != nil {
		t.Fatal(err)
	}
	collect(t, dir, "replaced", "198.51.100.0/24")
	if names, err := all.List(); err != nil || !slices.Equal(names, []string{"replaced"}) {
		t.Errorf("List = %v, %v, want what is left", names, err)
	}
	if _, err := all.Get("deleted"); !errors.Is(err, ErrNoCollection) {
		t.Errorf("Get = %v, want %v", err, ErrNoCollection)
	}
	if _, err := all.Get("replaced"); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(20 * time.Second); openWithoutName(dir) > 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d files of before are still open", openWithoutName(dir))
		}
		runtime.GC()
	}
}

// openWithoutName counts the files below a directory that are open and deleted.
func openWithoutName(dir string) (n int) {
	entries, _ := os.ReadDir("/proc/self/fd")
	for _, e := range entries {
		to, _ := os.Readlink("/proc/self/fd/" + e.Name())
		if strings.HasPrefix(to, dir) && strings.HasSuffix(to, " (deleted)") {
			n++
		}
	}
	return n
}
