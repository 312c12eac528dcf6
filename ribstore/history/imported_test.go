package history

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"path/filepath"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"ribglass/ribstore/route"
)

// Imported batches keep their time to the microsecond, and their order, through groups,
// merges, snapshots, and a new start: many of one moment and of one microsecond, times
// that go back a little, and events of sessions between them.
func TestImportedTimesAndOrderComeBack(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		random := rand.New(rand.NewPCG(seed, 9))
		path := filepath.Join(memoryDir(t), "h.db")
		clock := clockAt(scenarioStart)
		open := func() *History {
			h, err := Open(path, DefaultConfig(), clock.deps(slog.DiscardHandler))
			if err != nil {
				t.Fatal(err)
			}
			h.limits = tinyLimits()
			return h
		}
		h := open()
		live, _, err := h.Continue(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		h.Begin(scenarioStart, false)
		var want []string
		now := scenarioStart
		for n := range 600 {
			if random.IntN(3) == 0 {
				now = now.Add(time.Duration(random.IntN(3)*random.IntN(900)) * time.Microsecond)
			}
			b := importedBatch(random, n)
			b.At = now.Add(-time.Duration(random.IntN(2)*random.IntN(100_000)) * time.Microsecond)
			want = append(want, linesOf(b.At, &b)...)
			h.RecordAt(&b, now)
			live.Apply(&b)
			switch random.IntN(40) {
			case 0:
				if err := h.Flush(); err != nil {
					t.Fatal(err)
				}
			case 1:
				if err := h.Merge(t.Context()); err != nil {
					t.Fatal(err)
				}
			case 2:
				if _, err := h.Snapshot(t.Context(), directly(live)); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := h.Merge(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := h.Flush(); err != nil {
			t.Fatal(err)
		}
		if err := h.Close(); err != nil {
			t.Fatal(err)
		}
		h = open()
		past := mustAt(t, h, scenarioStart.Add(-time.Millisecond))
		var got []string
		last := scenarioStart
		if _, err := h.Replay(t.Context(), past, now.Add(time.Hour), func(e *Event) error {
			if e.Moment.Before(last) {
				t.Errorf("an event of %v comes behind %v", e.Moment, last)
			}
			last = e.Moment
			got = append(got, linesOf(e.At, e.Batch)...)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Fatalf("seed %d (-recorded +history):\n%s", seed, diff)
		}
		h.Close()
	}
}

// importedBatch returns some updates of a peer, or an event of its session.
func importedBatch(random *rand.Rand, n int) route.Batch {
	b := route.Batch{Peer: &route.Peer{Name: fmt.Sprint("peer", random.IntN(3)), Address: netip.MustParseAddr("192.0.2.1")}}
	if random.IntN(8) == 0 {
		b.Event = []route.Event{route.PeerUp, route.PeerDown, route.EndOfRIB}[random.IntN(3)]
		b.Reason = map[bool]string{true: fmt.Sprint(n)}[b.Event == route.PeerDown]
		return b
	}
	for i := range 1 + random.IntN(3) {
		u := route.Update{NLRI: []route.NLRI{{Prefix: lawPrefixes[random.IntN(12)]}}}
		if random.IntN(4) > 0 {
			u.Attrs = route.Attrs(nil).AppendAttr(route.AttrOrigin, []byte{0}).AppendAttr(route.AttrMED, []byte{0, byte(n >> 8), byte(n), byte(i)})
		}
		b.Updates = append(b.Updates, u)
	}
	return b
}

// linesOf returns a line for each prefix of a batch, or for the event.
func linesOf(at time.Time, b *route.Batch) (list []string) {
	stamp := at.Format(time.RFC3339Nano)
	if b.Event != route.Routes {
		return []string{fmt.Sprint(stamp, " ", b.Peer.Name, " ", b.Event, " ", b.Reason)}
	}
	for i := range b.Updates {
		for _, n := range b.Updates[i].NLRI {
			list = append(list, fmt.Sprintf("%s %s %v %x", stamp, b.Peer.Name, n, []byte(b.Updates[i].Attrs)))
		}
	}
	return slices.Clip(list)
}
