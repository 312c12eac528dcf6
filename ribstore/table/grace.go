package table

import (
	"math/rand/v2"
	"sync/atomic"
)

// grace lets the writer reuse memory that readers may still be looking at, as
// SRCU of the Linux kernel does. A reader enters and leaves; it never waits and
// is never waited for. The writer unlinks something, retires it, and gets it
// back for reuse once every reader that might have seen it has left.
//
// Readers count themselves under one of two phases. The writer flips the phase
// and watches the old one drain; because a reader may read the phase just
// before a flip and count itself just after, only two drained flips in a row
// prove that everybody who was inside at the first one is gone.
//
// The zero value is ready. A grace must not be copied. enter and exit may be
// called by any goroutine, the rest by the writer only.
type grace struct {
	phase   atomic.Uint32
	readers [2][graceStripes]stripe

	waiting []retired // since the last period began
	current []retired // waiting for that many flips to drain
	flips   int
}

// retired is something unlinked that its owner wants back.
type retired struct {
	owner releaser
	index uint32
	size  int
}

type releaser interface {
	release(index uint32, size int)
}

const graceStripes = 16

// stripe is one counter on a cache line of its own, so that readers on
// different processors do not contend.
type stripe struct {
	count atomic.Int64
	_     [56]byte
}

// ticket is what a reader holds while inside.
type ticket struct{ counter *atomic.Int64 }

func (g *grace) enter() ticket {
	lane := rand.Uint32() % graceStripes //nolint:gosec // spreads readers over cache lines
	c := &g.readers[g.phase.Load()&1][lane].count
	c.Add(1)
	return ticket{c}
}

func (t ticket) exit() { t.counter.Add(-1) }

// retire gives r back to its owner at a later poll, when no reader can see it.
func (g *grace) retire(r retired) { g.waiting = append(g.waiting, r) }

// pending reports whether something still waits for readers.
func (g *grace) pending() bool { return len(g.waiting)+len(g.current) > 0 }

// poll moves the grace period on as far as it goes without waiting.
func (g *grace) poll() {
	for {
		if len(g.current) == 0 {
			if len(g.waiting) == 0 {
				return
			}
			g.current, g.waiting = g.waiting, g.current
			g.flips = 2
			g.phase.Add(1)
		}
		if !g.drained((g.phase.Load() + 1) & 1) {
			return
		}
		if g.flips--; g.flips > 0 {
			g.phase.Add(1)
			continue
		}
		for _, r := range g.current {
			r.owner.release(r.index, r.size)
		}
		g.reset()
	}
}

// drained reports whether no reader counts under the phase. The counters are
// read one by one: a reader that enters meanwhile counts under the other phase
// or is one the second flip covers.
func (g *grace) drained(phase uint32) bool {
	var sum int64
	for i := range g.readers[phase] {
		sum += g.readers[phase][i].count.Load()
	}
	return sum == 0
}

// reset forgets what was given back, and the memory of a long list with it.
func (g *grace) reset() {
	const keep = 1 << 14
	if cap(g.current) > keep {
		g.current = nil
		return
	}
	clear(g.current)
	g.current = g.current[:0]
}
