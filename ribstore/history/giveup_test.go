package history

import (
	"strings"
	"testing"
	"time"

	"ribglass/ribstore/history/format"
	"ribglass/ribstore/route"
)

// TestWhatIsGivenUpIsSaid has more recorded than may wait for the disk: what was not
// written is dropped once, the run after it is unknown until a snapshot, and both are said.
func TestWhatIsGivenUpIsSaid(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	w.happens(0, route.PeerUp)
	w.say(0, 0, 1, nil)
	w.now = w.now.Add(time.Second)
	w.history.writeOrAlarm()
	written := w.now
	w.history.limits.maxPending = 10_000
	set := make([]byte, 1000)
	for i := range 40 {
		w.now = w.now.Add(time.Millisecond)
		w.say(0, i, 2+i, set)
	}
	lost := w.now
	w.now = w.now.Add(time.Second)
	w.history.writeOrAlarm()
	runs := w.history.index.Load().Runs
	if n := len(runs); n != 2 || runs[n-1].Origin != format.OriginUnknown {
		t.Fatalf("runs %+v, want a second one whose state is unknown", runs)
	}
	past, err := w.history.At(t.Context(), written, noPrefix)
	if err != nil || past.Table.Counts().Routes[route.IPv4Unicast] != 1 {
		t.Errorf("before: %v, want one route", err)
	}
	if past, err = w.history.At(t.Context(), lost, noPrefix); err == nil && len(past.Notices) == 0 {
		t.Errorf("the state of a time that was given up has %d routes and no notice", past.Table.Counts().Routes[route.IPv4Unicast])
	}
	if _, err := w.history.Snapshot(t.Context(), TableWriter{Table: w.table, Do: doNow}); err != nil {
		t.Fatal(err)
	}
	w.now = w.now.Add(time.Second)
	w.say(0, 7, 99, nil)
	w.now = w.now.Add(time.Second)
	w.history.writeOrAlarm()
	w.wantPresent()
	r, err := w.history.Verify(t.Context(), nil)
	if err != nil || len(r.Problems) != 1 || !strings.HasPrefix(r.Problems[0].What, "the journal has a hole from 2026-11-22T03:00:00Z") {
		t.Errorf("Verify = %+v, %v, want the hole", r.Problems, err)
	}
}
