package history

import (
	"context"
	"errors"
	"net/netip"
	"testing"
	"time"

	"ribglass/ribstore/route"
)

// TestReplayEndsSoonAfterItsContext has the context end in the midst of a group and
// of a segment that have many records.
func TestReplayEndsSoonAfterItsContext(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		merged bool
	}{{"of groups", false}, {"of a segment", true}} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 1)
			begun := w.now
			for i := range 6 {
				if i%2 == 0 {
					w.now = w.now.Add(time.Second)
				}
				b := route.Batch{Peer: w.peer(0), Updates: []route.Update{{Attrs: route.Attrs(nil).AppendAttr(99, []byte{byte(i)})}}}
				for n := range 5000 {
					prefix := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(n >> 8), byte(n), 0}), 24)
					b.Updates[0].NLRI = []route.NLRI{{Prefix: prefix}}
					w.history.Record(&b)
					w.table.Apply(&b)
				}
				if err := w.history.Flush(); err != nil {
					t.Fatal(err)
				}
			}
			if row.merged {
				if err := w.history.Merge(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			past, err := w.history.At(t.Context(), begun, noPrefix)
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			seen, after := 0, 0
			_, err = w.history.Replay(ctx, past, w.now, func(e *Event) error {
				if seen >= 2000 {
					cancel()
					after += changesOf(e)
				}
				seen += changesOf(e)
				return nil
			})
			if !errors.Is(err, context.Canceled) || after > 3*1024 {
				t.Errorf("Replay = %v, %d changes after the context had ended", err, after)
			}
		})
	}
}

func changesOf(e *Event) (n int) {
	if e.Batch == nil {
		return 0
	}
	for _, u := range e.Batch.Updates {
		n += len(u.NLRI)
	}
	return n
}
