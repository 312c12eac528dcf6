package history

import (
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"ribglass/ribstore/route"
)

// TestSizeIsBounded records without end in a file that may have two megabytes.
func TestSizeIsBounded(t *testing.T) {
	t.Parallel()
	const most = 2 << 20
	w := newWorld(t, 1)
	w.history.config.MaxSize = most
	w.history.config.Keep = []Tier{{time.Minute, 24 * time.Hour}}
	w.history.limits.groupRecords = 1000
	live := TableWriter{Table: w.table, Do: doNow}
	random := rand.NewChaCha8([32]byte{})
	begun, refused, largest := w.now, 0, int64(0)
	for round := range 120 {
		for i := range 300 {
			w.now = w.now.Add(200 * time.Millisecond)
			noise := make([]byte, 64)
			_, _ = random.Read(noise)
			b := route.Batch{Peer: w.peer(0), Updates: []route.Update{{
				Attrs: route.Attrs(nil).AppendAttr(99, noise),
				NLRI:  []route.NLRI{{Prefix: netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i), byte(round % 4), 0}), 24)}},
			}}}
			w.history.Record(&b)
			w.table.Apply(&b)
		}
		if err := w.history.Flush(); err != nil {
			refused++
		}
		if _, err := w.history.Snapshot(t.Context(), live); err != nil {
			refused++
		}
		if err := w.history.Merge(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := w.history.Prune(t.Context()); err != nil {
			t.Fatal(err)
		}
		largest = max(largest, w.history.Stats().FileBytes)
	}
	st := w.history.Stats()
	if st.FileBytes > most || largest > most*5/4 {
		t.Errorf("the file has %d bytes and had %d, it may have %d", st.FileBytes, largest, most)
	}
	if refused > 60 {
		t.Errorf("%d of 240 writes found no room", refused)
	}
	if !st.Begins.After(begun) {
		t.Errorf("nothing was dropped: the history begins at %v", st.Begins)
	}
	past, err := w.history.At(t.Context(), w.now, noPrefix)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := len(describeTable(past.Table, noPrefix)), len(describeTable(w.table, noPrefix)); got != want {
		t.Errorf("the present has %d lines, the history %d", want, got)
	}
}
