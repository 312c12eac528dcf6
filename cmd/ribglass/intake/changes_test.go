package intake

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ribglass/collector/wire/mrt"
	"ribglass/ribstore"
	"ribglass/ribstore/changes"
	"ribglass/ribstore/query"
	"ribglass/ribstore/route"
)

// shared returns a file of the shared data, and skips the test where there is none, or
// fails it where RIBGLASS_SHARED names a directory.
func shared(t *testing.T, name string) string {
	t.Helper()
	dir := os.Getenv("RIBGLASS_SHARED")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "..", "shared")
	}
	path := filepath.Join(dir, "data", "mrt", name)
	if _, err := os.Stat(path); err != nil {
		if os.Getenv("RIBGLASS_SHARED") != "" {
			t.Fatalf("%v: it is not where RIBGLASS_SHARED says", err)
		}
		t.Skipf("no shared data: %v (set RIBGLASS_SHARED)", err)
	}
	return path
}

// place is a route of a peer.
type place struct {
	peer   string
	prefix netip.Prefix
	pathID uint32
}

// TestEveryChangeOfARealFileIsListed compares what is listed of an imported file with
// a plain log of its messages. A busy prefix changes many times within one second, of
// which such files tell no part.
func TestEveryChangeOfARealFileIsListed(t *testing.T) {
	file := shared(t, "dnas-rrc01.updates.20241001.0055.gz")
	want, total := plainLog(t, file)
	dir := t.TempDir()
	if _, err := runImport(t, dir, file); err != nil {
		t.Fatal(err)
	}
	all := ribstore.NewCollections(dir, ribstore.DefaultConfig(), ribstore.Deps{Logger: slog.New(slog.DiscardHandler), Now: time.Now})
	defer all.Close()
	a, err := all.Get("test")
	if err != nil {
		t.Fatal(err)
	}
	q, err := query.Parse("between 2024-10-01T00:00Z and 2024-10-01T02:00Z")
	if err != nil {
		t.Fatal(err)
	}
	got, listed := map[place][]changes.Kind{}, 0
	err = a.StreamChanges(t.Context(), q, nil, func(list []changes.Change) error {
		for _, c := range list {
			if !c.Kind.Session() && c.Kind != changes.WentStale {
				at := place{c.Peer.Name, c.Prefix, c.PathID}
				got[at] = append(got[at], c.Kind)
				listed++
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if listed != total {
		t.Errorf("%d changes are listed of %d", listed, total)
	}
	for at := range want {
		if !cmp.Equal(want[at], got[at]) {
			t.Fatalf("%v (-log +listed):\n%s", at, cmp.Diff(want[at], got[at]))
		}
	}
	timelineHas(t, a, want)
}

// timelineHas compares the timeline of the prefix that was withdrawn most with a log.
func timelineHas(t *testing.T, a *ribstore.Archive, log map[place][]changes.Kind) {
	t.Helper()
	withdrawals, most := map[netip.Prefix]int{}, netip.Prefix{}
	for at, list := range log {
		for _, k := range list {
			if k != changes.Announced && k != changes.Replaced {
				withdrawals[at.prefix]++
			}
		}
	}
	for p, n := range withdrawals {
		if n > withdrawals[most] {
			most = p
		}
	}
	q, err := query.Parse(fmt.Sprint(most, " between 2024-10-01T00:00Z and 2024-10-01T02:00Z"))
	if err != nil {
		t.Fatal(err)
	}
	line, err := a.Timeline(t.Context(), q, 0)
	if err != nil {
		t.Fatal(err)
	}
	if n := withdrawals[most]; n < 50 || line.Withdrawals != n {
		t.Errorf("the timeline of %v has %d withdrawals, the log %d", most, line.Withdrawals, n)
	}
}

// plainLog reads a file and returns what changed of each route in order, and how much
// changed at all.
func plainLog(t *testing.T, file string) (log map[place][]changes.Kind, total int) {
	t.Helper()
	s, err := Open(t.Context(), []string{file}, mrt.SourceOptions{})
	if err != nil {
		t.Fatal(err)
	}
	log = map[place][]changes.Kind{}
	now := map[place]string{}
	put := func(at place, attrs string, k changes.Kind) {
		log[at] = append(log[at], k)
		total++
		if now[at] = attrs; attrs == "" {
			delete(now, at)
		}
	}
	for {
		b, err := s.Next()
		if errors.Is(err, io.EOF) {
			return log, total
		}
		if err != nil {
			t.Fatal(err)
		}
		for i := range b.Updates {
			u := &b.Updates[i]
			for _, n := range u.NLRI {
				at := place{b.Peer.Name, n.Prefix, n.PathID}
				was, there := now[at]
				switch {
				case u.Attrs.IsFault():
					put(at, "", changes.Refused)
				case u.Attrs == nil && there:
					put(at, "", changes.Withdrawn)
				case u.Attrs == nil || was == string(u.Attrs):
				case there:
					put(at, string(u.Attrs), changes.Replaced)
				default:
					put(at, string(u.Attrs), changes.Announced)
				}
			}
		}
		if b.Event == route.PeerDown || b.Event == route.PeerRemoved {
			for at := range now {
				if at.peer == b.Peer.Name {
					put(at, "", changes.Dropped)
				}
			}
		}
		b.Release()
	}
}
