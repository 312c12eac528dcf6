package history

import (
	"testing"
	"time"

	"ribglass/ribstore/history/format"
	"ribglass/ribstore/route"
)

// TestManyLoadsAreMergedOnce has a peer send more groups of loads than are left as they
// are: the oldest become pieces of the last level at once, and the past stays the same.
func TestManyLoadsAreMergedOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	limits := &w.history.limits
	w.happens(0, route.PeerUp)
	count := func() (loads, last, between int) {
		for _, p := range w.history.index.Load().Pieces {
			switch int(p.Level) {
			case format.LevelLoad:
				loads++
			case len(limits.levels):
				last++
			case 0:
			default:
				between++
			}
		}
		return loads, last, between
	}
	send := func(groups int) {
		for i := range groups * (limits.groupRecords + 1) / 2 { // a batch counts, and its change
			w.say(0, i%200, i, nil)
		}
		w.history.writeOrAlarm()
		w.now = w.now.Add(time.Second)
	}
	send(limits.maxLoads)
	if err := w.history.Merge(t.Context()); err != nil {
		t.Fatal(err)
	}
	if loads, last, between := count(); loads < limits.maxLoads-2 || last+between != 0 {
		t.Fatalf("few loads were merged: %d are left, %d and %d pieces of other levels", loads, last, between)
	}
	w.wantPresent()
	at := w.now
	send(40)
	if err := w.history.Merge(t.Context()); err != nil {
		t.Fatal(err)
	}
	loads, last, between := count()
	if loads > limits.maxLoads || last == 0 || between != 0 {
		t.Errorf("of many loads %d are left, want %d at most, and %d and %d pieces of the last and other levels, want some and none", loads, limits.maxLoads, last, between)
	}
	w.wantPresent()
	if past, err := w.history.At(t.Context(), at.Add(-time.Second), noPrefix); err != nil || len(past.Notices) > 0 {
		t.Errorf("the state of before the merge: %v, %v", err, past)
	}
}
