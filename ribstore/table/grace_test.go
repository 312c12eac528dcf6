package table

import "testing"

// released notes what a grace gives back.
type released []uint32

func (r *released) release(index uint32, _ int) { *r = append(*r, index) }

// counts has a reader counted by hand, as one is that read the phase before a flip and
// counts itself after it.
func (g *grace) counts(phase uint32, n int64) { g.readers[phase&1][0].count.Add(n) }

// TestOneFlipReleasesNothing: what is retired waits for two phases to drain, in the order
// in which they are flipped, whoever reads meanwhile.
func TestOneFlipReleasesNothing(t *testing.T) {
	var g grace
	var back released
	want := func(when string, n int) {
		t.Helper()
		g.poll()
		if len(back) != n || g.pending() != (n == 0) {
			t.Fatalf("%s: %d released, pending %v, want %d", when, len(back), g.pending(), n)
		}
	}
	inside := g.enter()
	g.retire(retired{&back, 7, 1})
	want("a reader is inside", 0)
	// A reader that read the phase before the flip counts itself under the old phase
	// now, and may see what was unlinked.
	old := g.phase.Load() - 1
	g.counts(old, 1)
	inside.exit()
	want("another one counts under the old phase", 0)
	g.counts(old, -1)
	g.counts(old+1, 1) // and one more under the new phase, which the second flip covers
	want("the first phase is drained, and one reads under the second", 0)
	later := g.enter() // came after both flips: nobody waits for it
	want("a reader came after the second flip", 0)
	g.counts(old+1, -1)
	want("both phases are drained", 1)
	if back[0] != 7 {
		t.Errorf("%d is released, want 7", back[0])
	}
	later.exit()
}

// TestReadersOfEveryStripeAreWaitedFor: a reader may be counted in any stripe, and leave
// in another order than it came.
func TestReadersOfEveryStripeAreWaitedFor(t *testing.T) {
	for i := range graceStripes {
		var g grace
		var back released
		g.readers[0][i].count.Add(1)
		g.retire(retired{&back, 1, 1})
		for range 3 {
			g.poll()
		}
		if len(back) != 0 {
			t.Errorf("released while a reader is counted in stripe %d", i)
		}
		g.readers[0][i].count.Add(-1)
		for range 3 {
			g.poll()
		}
		if len(back) != 1 || g.pending() {
			t.Errorf("%d released when the reader of stripe %d left, pending %v", len(back), i, g.pending())
		}
	}
}

// TestWhatIsRetiredLaterWaitsForItself: it does not go with what was retired before.
func TestWhatIsRetiredLaterWaitsForItself(t *testing.T) {
	var g grace
	var back released
	first := g.enter()
	g.retire(retired{&back, 1, 1})
	g.poll()
	second := g.enter()
	g.retire(retired{&back, 2, 1})
	first.exit()
	g.poll()
	if len(back) > 1 || len(back) == 1 && back[0] != 1 {
		t.Fatalf("released %v while a reader is inside that came before 2 was retired", back)
	}
	second.exit()
	g.poll()
	if len(back) != 2 || g.pending() {
		t.Errorf("released %v, pending %v, want both", back, g.pending())
	}
}
