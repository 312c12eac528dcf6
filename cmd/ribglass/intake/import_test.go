package intake

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ribglass/collector/wire/mrt"
	"ribglass/ribstore"
	"ribglass/ribstore/history"
	"ribglass/ribstore/route"
	"ribglass/ribstore/table"
)

// begin is when what the tests record begins.
var begin = time.Date(2024, 10, 1, 0, 0, 0, 0, time.UTC)

// session is that of the one peer of a test's file.
func session() mrt.Session {
	return mrt.Session{
		PeerASN: 64501, LocalASN: 64500,
		PeerAddress: netip.MustParseAddr("192.0.2.1"), LocalAddress: netip.MustParseAddr("192.0.2.10"),
	}
}

// path returns attributes with an AS path and a next hop.
func path(asns ...route.ASN) route.Attrs {
	return route.Attrs(nil).AppendAttr(route.AttrOrigin, []byte{0}).
		AppendAttr(route.AttrASPath, route.ASPath(nil).AppendSegment(route.ASSequence, asns...)).
		AppendAttr(route.AttrNextHop, []byte{192, 0, 2, 1})
}

// writeFile makes an MRT file.
func writeFile(t *testing.T, name string, write func(w *mrt.Writer) error) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(write(mrt.NewWriter(f)), f.Close()); err != nil {
		t.Fatal(err)
	}
	return file
}

// tableFile makes a file with a table of prefixes.
func tableFile(t *testing.T, at time.Time, prefixes ...string) string {
	t.Helper()
	return writeFile(t, "table.mrt", func(w *mrt.Writer) error {
		peer := mrt.Peer{RouterID: netip.MustParseAddr("192.0.2.1"), Address: session().PeerAddress, ASN: session().PeerASN}
		err := w.PeerIndex(netip.MustParseAddr("192.0.2.10"), "", []mrt.Peer{peer}, at)
		for _, p := range prefixes {
			err = errors.Join(err, w.RIB(&mrt.Row{
				Time: at, Family: route.IPv4Unicast, Prefix: netip.MustParsePrefix(p),
				Routes: []mrt.Route{{Originated: at, Attrs: path(64501, 64510)}},
			}))
		}
		return err
	})
}

// change is an update of a test's file; without a path it withdraws.
type change struct {
	after  time.Duration
	prefix string
	path   []route.ASN
}

func updateFile(t *testing.T, from time.Time, changes ...change) string {
	t.Helper()
	return writeFile(t, "updates.mrt", func(w *mrt.Writer) error {
		var err error
		for _, c := range changes {
			u := route.Update{Family: route.IPv4Unicast, NLRI: []route.NLRI{{Prefix: netip.MustParsePrefix(c.prefix)}}}
			if c.path != nil {
				u.Attrs = path(c.path...)
			}
			err = errors.Join(err, w.Update(from.Add(c.after), session(), u, false))
		}
		return err
	})
}

func runImport(t *testing.T, dir string, files ...string) (*Summary, error) {
	t.Helper()
	i := Import{DataDir: dir, Collection: "test", Files: files, Logger: slog.New(slog.DiscardHandler)}
	return i.Run(t.Context())
}

// state returns the routes of a collection at a time, one a line.
func state(t *testing.T, dir string, at time.Time) string {
	t.Helper()
	return dump(tableAt(t, dir, at))
}

// routesAt returns the IPv4 routes of a collection at a time.
func routesAt(t *testing.T, dir string, at time.Time) (routes []route.Route) {
	t.Helper()
	_ = tableAt(t, dir, at).View(func(v *table.View) error {
		for d := range v.Within(route.IPv4Unicast, netip.Prefix{}, netip.Prefix{}) {
			routes = v.Routes(routes, d, nil)
		}
		return nil
	})
	return routes
}

// tableAt returns the table of a collection at a time; zero: at its end.
func tableAt(t *testing.T, dir string, at time.Time) *table.Table {
	t.Helper()
	file, err := ribstore.CollectionPath(dir, "test")
	if err != nil {
		t.Fatal(err)
	}
	h, err := history.OpenReadOnly(file, history.Deps{Logger: slog.New(slog.DiscardHandler), Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	if at.IsZero() {
		at = h.Stats().Ends
	}
	past, err := h.At(t.Context(), at, netip.Prefix{})
	if err != nil {
		t.Fatalf("At(%v) = %v", at, err)
	}
	if len(past.Notices) > 0 {
		t.Errorf("At(%v) has notices: %q", at, past.Notices)
	}
	return past.Table
}

// dump returns the routes of a table, one a line.
func dump(t *table.Table) string {
	var b strings.Builder
	_ = t.View(func(v *table.View) error {
		for _, f := range route.Families() {
			for d := range v.Within(f, netip.Prefix{}, netip.Prefix{}) {
				routes := v.Routes(nil, d, nil)
				slices.SortFunc(routes, func(a, b route.Route) int {
					if a.Peer != b.Peer {
						return strings.Compare(a.Peer.Name, b.Peer.Name)
					}
					return int(a.PathID) - int(b.PathID)
				})
				for _, r := range routes {
					stale := ""
					if !r.StaleSince.IsZero() {
						stale = " stale"
					}
					fmt.Fprintf(&b, "%v %s %d %s%s\n", r.Prefix, r.Peer.Name, r.PathID, hex.EncodeToString(r.Attrs), stale)
				}
			}
		}
		return nil
	})
	return b.String()
}

func TestACollectionIsTheTableWithItsUpdates(t *testing.T) {
	dir := t.TempDir()
	sum, err := runImport(t, dir,
		// The order of files does not count, that of time does.
		updateFile(t, begin.Add(time.Minute),
			change{0, "203.0.113.0/24", []route.ASN{64501, 64511}},
			change{time.Second, "198.51.100.0/24", nil},
			change{2 * time.Second, "192.0.2.0/24", []route.ASN{64501, 64512, 64510}}),
		tableFile(t, begin, "192.0.2.0/24", "198.51.100.0/24"))
	if err != nil {
		t.Fatal(err)
	}
	if sum.Changes != 5 || sum.Routes != 2 || sum.Peers != 1 || sum.Late != 0 {
		t.Errorf("summary = %+v, want 5 changes, 2 routes, 1 peer", sum)
	}
	line := func(prefix string, asns ...route.ASN) string {
		return fmt.Sprintf("%s AS64501-192.0.2.1 0 %s\n", prefix, hex.EncodeToString(path(asns...)))
	}
	for _, row := range []struct {
		name  string
		after time.Duration
		want  string
	}{
		{"the table", 0, line("192.0.2.0/24", 64501, 64510) + line("198.51.100.0/24", 64501, 64510)},
		{"a prefix was added", time.Minute, line("192.0.2.0/24", 64501, 64510) + line("198.51.100.0/24", 64501, 64510) + line("203.0.113.0/24", 64501, 64511)},
		{"one was withdrawn", time.Minute + time.Second, line("192.0.2.0/24", 64501, 64510) + line("203.0.113.0/24", 64501, 64511)},
		{"one changed", time.Minute + 2*time.Second, line("192.0.2.0/24", 64501, 64512, 64510) + line("203.0.113.0/24", 64501, 64511)},
	} {
		if diff := cmp.Diff(row.want, state(t, dir, begin.Add(row.after))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", row.name, diff)
		}
	}
}

func TestMoreIsAddedBehindTheEndAndSessionsGoOn(t *testing.T) {
	dir := t.TempDir()
	if _, err := runImport(t, dir, tableFile(t, begin, "192.0.2.0/24", "198.51.100.0/24")); err != nil {
		t.Fatal(err)
	}
	later := begin.Add(time.Hour)
	if _, err := runImport(t, dir, updateFile(t, later, change{0, "198.51.100.0/24", nil})); err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf("192.0.2.0/24 AS64501-192.0.2.1 0 %s\n", hex.EncodeToString(path(64501, 64510)))
	if diff := cmp.Diff(want, state(t, dir, time.Time{})); diff != "" {
		t.Errorf("after the second import (-want +got):\n%s", diff)
	}
	if got := state(t, dir, begin); strings.Count(got, "\n") != 2 {
		t.Errorf("at the begin there is\n%s, want two routes", got)
	}
	// A table takes the place of what was there.
	if _, err := runImport(t, dir, tableFile(t, later.Add(time.Hour), "203.0.113.0/24")); err != nil {
		t.Fatal(err)
	}
	want = fmt.Sprintf("203.0.113.0/24 AS64501-192.0.2.1 0 %s\n", hex.EncodeToString(path(64501, 64510)))
	if diff := cmp.Diff(want, state(t, dir, time.Time{})); diff != "" {
		t.Errorf("after the second table (-want +got):\n%s", diff)
	}
}

func TestWhatCannotBeImportedChangesNothing(t *testing.T) {
	dir := t.TempDir()
	if _, err := runImport(t, dir, tableFile(t, begin, "192.0.2.0/24")); err != nil {
		t.Fatal(err)
	}
	before := state(t, dir, time.Time{})
	text := filepath.Join(t.TempDir(), "README")
	if err := os.WriteFile(text, []byte("this is not a file of routes, but a long enough text"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name, want string
		files      []string
	}{
		{"no MRT file", "no MRT file", []string{updateFile(t, begin.Add(time.Hour), change{0, "192.0.2.0/24", nil}), text}},
		{"no file", "no such file", []string{filepath.Join(dir, "none")}},
		{"nothing in it", "no routes", []string{writeFile(t, "empty", func(*mrt.Writer) error { return nil })}},
	} {
		_, err := runImport(t, dir, row.files...)
		if err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: Run = %v, want %q", row.name, err, row.want)
		}
		if after := state(t, dir, time.Time{}); after != before {
			t.Errorf("%s: the collection is now\n%s", row.name, after)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	i := Import{DataDir: dir, Collection: "test", Files: []string{updateFile(t, begin.Add(time.Hour), change{0, "192.0.2.0/24", nil})}, Logger: slog.New(slog.DiscardHandler)}
	if _, err := i.Run(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Run of a context that ended = %v", err)
	}
	if after := state(t, dir, time.Time{}); after != before {
		t.Errorf("after an interruption the collection is\n%s", after)
	}
	entries, err := os.ReadDir(filepath.Join(dir, "collections"))
	if err != nil || len(entries) != 2 {
		t.Errorf("the directory has %v, %v; want the collection and the list of its files only", entries, err)
	}
}

func TestOneImportAtATime(t *testing.T) {
	dir := t.TempDir()
	unlock, err := lock(filepath.Join(dir, "collections"))
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	if _, err := runImport(t, dir, tableFile(t, begin, "192.0.2.0/24")); err == nil || !strings.Contains(err.Error(), "another import is under way") {
		t.Errorf("Run = %v, want that another one is under way", err)
	}
}

func TestATimeInTheFutureMovesNothing(t *testing.T) {
	dir := t.TempDir()
	sum, err := runImport(t, dir, updateFile(t, begin,
		change{0, "192.0.2.0/24", []route.ASN{64501}},
		change{80 * 365 * 24 * time.Hour, "198.51.100.0/24", []route.ASN{64501}},
		change{time.Second, "203.0.113.0/24", []route.ASN{64501}},
		change{-time.Hour, "203.0.113.128/25", []route.ASN{64501}}))
	if err != nil {
		t.Fatal(err)
	}
	if sum.Late != 2 || sum.Routes != 4 || sum.Ends.After(begin.Add(time.Minute)) {
		t.Errorf("summary = %+v, want 2 late records, 4 routes, and an end within the minute", sum)
	}
}

// TestFilesOfOthersAreTheFoldOfTheirBatches compares collections of real files with
// a table to which their batches are applied one after the other.
func TestFilesOfOthersAreTheFoldOfTheirBatches(t *testing.T) {
	files, err := filepath.Glob("../../../collector/wire/mrt/testdata/*")
	if err != nil {
		t.Fatal(err)
	}
	compared := 0
	for _, file := range files {
		info, err := os.Stat(file)
		if err != nil || info.IsDir() {
			continue
		}
		dir := t.TempDir()
		if _, err := runImport(t, dir, file); err != nil {
			t.Logf("%s: %v", file, err)
			continue
		}
		compared++
		if diff := cmp.Diff(fold(t, file), state(t, dir, time.Time{})); diff != "" {
			t.Errorf("%s (-fold +collection):\n%s", file, diff)
		}
	}
	if compared == 0 {
		t.Error("there is no file to compare")
	}
}

func fold(t *testing.T, file string) string {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	source, err := mrt.NewSource(f, mrt.SourceOptions{ReplacesTable: true})
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	into := table.New()
	for {
		b, err := source.Next()
		if err != nil {
			if damage := (*mrt.Error)(nil); !errors.Is(err, io.EOF) && !errors.As(err, &damage) {
				t.Fatal(err)
			}
			return dump(into)
		}
		into.Apply(&b.Batch)
		b.Release()
		for into.Work() {
		}
	}
}

// originated makes a table of prefixes, each with when its route originated.
func originated(t *testing.T, at time.Time, prefixes map[string]time.Time) string {
	t.Helper()
	return writeFile(t, "originated.mrt", func(w *mrt.Writer) error {
		peer := mrt.Peer{RouterID: netip.MustParseAddr("192.0.2.1"), Address: session().PeerAddress, ASN: session().PeerASN}
		err := w.PeerIndex(netip.MustParseAddr("192.0.2.10"), "", []mrt.Peer{peer}, at)
		for p, since := range prefixes {
			routes := []mrt.Route{{Originated: since, Attrs: path(64501, 64510)}}
			err = errors.Join(err, w.RIB(&mrt.Row{Time: at, Family: route.IPv4Unicast, Prefix: netip.MustParsePrefix(p), Routes: routes}))
		}
		return err
	})
}

func TestRoutesOfATableAreAsOldAsItSays(t *testing.T) {
	const kept, flapped, unknown, fresh = "10.0.0.0/8", "11.0.0.0/8", "12.0.0.0/8", "13.0.0.0/8"
	later := begin.Add(time.Hour)
	first := map[string]time.Time{kept: begin.Add(-100 * 24 * time.Hour), flapped: begin.Add(-time.Hour), unknown: {}}
	second := map[string]time.Time{kept: first[kept], flapped: begin.Add(30 * time.Minute), fresh: begin.Add(50 * time.Minute)}
	dir := t.TempDir()
	if _, err := runImport(t, dir, originated(t, begin, first)); err != nil {
		t.Fatal(err)
	}
	if _, err := runImport(t, dir, originated(t, later, second)); err != nil {
		t.Fatal(err)
	}
	first[unknown] = begin
	for at, want := range map[time.Time]map[string]time.Time{begin.Add(time.Minute): first, {}: second} {
		got := make(map[string]time.Time)
		for _, r := range routesAt(t, dir, at) {
			got[r.Prefix.String()] = r.ReceivedAt
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("since when the routes are there, at %v (-want +got):\n%s", at, diff)
		}
	}
}
