package history

import (
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"ribglass/ribstore/route"
)

// wantWhole verifies the file: every chunk that a manifest names is there, and nothing is
// damaged.
func (w *world) wantWhole() {
	w.t.Helper()
	if r, err := w.history.Verify(w.t.Context(), nil); err != nil || len(r.Problems) > 0 {
		w.t.Errorf("Verify = %+v, %v", r, err)
	}
}

// TestMoreDifferencesThanOneBaseHas takes a snapshot after each of many small changes, so
// that the differences of one base are made into one, and asks for each of them again.
func TestMoreDifferencesThanOneBaseHas(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	const prefixes = 400
	w.happens(0, route.PeerUp)
	for i := range prefixes {
		w.say(0, i, 1, nil)
	}
	type moment struct {
		at   time.Time
		want []string
	}
	var moments []moment
	for n := range 2*maxChanges + 3 {
		w.now = w.now.Add(time.Second)
		w.say(0, n%5, 2+n, nil)
		w.now = w.now.Add(time.Second)
		if _, err := w.history.Snapshot(t.Context(), TableWriter{Table: w.table, Do: doNow}); err != nil {
			t.Fatalf("snapshot %d: %v", n+1, err)
		}
		w.wantWhole()
		moments = append(moments, moment{w.now, describeTable(w.table, noPrefix)})
	}
	for i, m := range moments {
		got, err := w.history.At(t.Context(), m.at, noPrefix)
		if err != nil {
			t.Fatalf("snapshot %d: %v", i+1, err)
		}
		if diff := gocmp.Diff(m.want, describeTable(got.Table, noPrefix)); diff != "" {
			t.Fatalf("snapshot %d of %d (-table +history): %s", i+1, len(moments), diff)
		}
	}
}
