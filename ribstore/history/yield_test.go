package history

import (
	"context"
	"testing"
	"time"

	"ribglass/ribstore/route"
)

// TestASnapshotYieldsToATable has a peer send its table whenever a snapshot is taken:
// the snapshot is given up for it, nothing of the peer is left out, and at last the
// peer is thinned, so that snapshots cannot be put off for ever.
func TestASnapshotYieldsToATable(t *testing.T) {
	t.Parallel()
	w := newThinnedWorld(t, 1, 1<<20)
	w.history.limits.maxTail = 4000
	w.happens(0, route.PeerUp)
	for i := range 100 {
		w.say(0, i, 0, nil)
	}
	attempts, version := 0, 0
	sends := func(happen bool) TableWriter {
		begun := false
		return TableWriter{Table: w.table, Do: func(_ context.Context, f func()) error {
			f()
			if begun {
				return nil // the snapshot ends
			}
			begun = true
			attempts++
			for i := 0; happen && i < 100; i++ {
				version++
				w.say(0, i, version, nil)
			}
			return nil
		}}
	}
	k := keeper{history: w.history, next: w.now}
	step := func(happen bool) {
		k.live = sends(happen)
		w.now = w.now.Add(loadedFor + snapshotAgain)
		w.history.writeOrAlarm()
		k.step(t.Context(), w.now)
		if err := k.snapping.err; err != nil {
			t.Fatal(err)
		}
	}
	for n := range mostYields {
		step(true)
		if attempts != n+1 || len(w.history.Snapshots()) != 0 || len(w.history.Thinned()) != 0 {
			t.Fatalf("attempt %d: %d snapshots, thinned: %+v", attempts, len(w.history.Snapshots()), w.history.Thinned())
		}
		w.wantPresent()
	}
	step(true)
	if len(w.history.Snapshots()) != 1 || len(w.history.Thinned()) != 1 {
		t.Fatalf("a snapshot that insists: %d snapshots, thinned: %+v", len(w.history.Snapshots()), w.history.Thinned())
	}
	w.wantPresent("peer0")

	// The next one may yield again.
	k.next = w.now
	step(true)
	if k.yielded != 1 || len(w.history.Snapshots()) != 1 {
		t.Errorf("the next snapshot yielded %d times; %d are there", k.yielded, len(w.history.Snapshots()))
	}
	step(false)
	if len(w.history.Snapshots()) != 2 {
		t.Errorf("%d snapshots at the end", len(w.history.Snapshots()))
	}
	w.wantPresent("peer0")
}

// TestNoSnapshotBetweenTables has tables loaded with pauses of a few seconds: a
// snapshot of all that was loaded waits until no other follows.
func TestNoSnapshotBetweenTables(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	k := keeper{history: w.history, live: TableWriter{Table: w.table, Do: doNow}, next: w.now.Add(time.Hour)}
	w.history.hurry.Store(true) // a snapshot is wanted
	w.happens(0, route.PeerUp)
	second := func(loads bool) int {
		w.now = w.now.Add(keepEvery)
		if loads {
			w.history.taken.Add(quietRecords)
		}
		k.step(t.Context(), w.now)
		return len(w.history.Snapshots())
	}
	for n := range 10 {
		if second(true) != 0 {
			t.Fatalf("a snapshot was taken while table %d is loaded", n)
		}
		for range 5 {
			if second(false) != 0 {
				t.Fatalf("a snapshot was taken right after table %d", n)
			}
		}
	}
	waited := 5
	for second(false) == 0 {
		if waited++; waited > 60 {
			t.Fatal("no snapshot is ever taken")
		}
	}
	if want := int(loadedFor/keepEvery) - 1; waited != want {
		t.Errorf("the snapshot was taken %d s after the last table, want %d", waited, want)
	}
}
