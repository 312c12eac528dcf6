package query

import (
	"context"
	"iter"
	"net/netip"
	"runtime"
	"sync"
	"sync/atomic"

	"ribglass/ribstore/route"
	"ribglass/ribstore/table"
)

// sink collects what a run meets.
type sink struct {
	total  int
	slots  table.Bits
	facets *tally // nil: not wanted
}

func newSink(x *execution, f route.Family, facets bool) *sink {
	s := &sink{slots: table.NewBits(x.view.Slots(f))}
	if facets {
		s.facets = newTally(x.view)
	}
	return s
}

func (s *sink) add(v *table.View, f *table.Found) {
	s.total++
	if int(f.Slot/64) >= len(s.slots) {
		s.slots = grow(s.slots, int(f.Slot/64)+1)
	}
	s.slots.Add(f.Slot)
	if s.facets != nil {
		s.facets.add(v, f)
	}
}

func (s *sink) join(other *sink) {
	s.total += other.total
	s.slots = grow(s.slots, len(other.slots))
	s.slots.Or(other.slots)
	if s.facets != nil {
		s.facets.join(other.facets)
	}
}

// grow makes a slice at least n long: a table that grows during a question has
// more slots and attribute sets at its end than at its beginning.
func grow[S ~[]E, E any](s S, n int) S {
	if n > len(s) {
		s = append(s, make(S, n-len(s))...)
	}
	return s
}

// run finds the routes of a family that meet the query.
func (x *execution) run(ctx context.Context, f route.Family, into *sink) error {
	if x.plan.Method == Scan || x.simple() {
		return x.scan(ctx, f, into)
	}
	t := x.compile()
	switch x.plan.Method {
	case LongestMatch, ExactMatch, Covering:
		for _, d := range x.candidates(f) {
			x.examine(d, &t, into)
			if x.in.Match == Longest && into.total > 0 {
				break
			}
		}
		return nil
	case Walk, Scan:
	}
	i := 0
	for d := range x.walk(f) {
		if i++; i%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		x.examine(d, &t, into)
	}
	return nil
}

// walk yields the destinations of the ranges that a walk visits.
func (x *execution) walk(f route.Family) iter.Seq[table.Dest] {
	if x.ranges == nil {
		return x.view.Within(f, x.in.Prefix, netip.Prefix{})
	}
	return func(yield func(table.Dest) bool) {
		for _, p := range x.ranges {
			if p.Bits() == 0 { // the default route, not all that it covers
				if d, ok := x.view.Exact(f, p); ok && !yield(d) {
					return
				}
				continue
			}
			for d := range x.view.Within(f, p, netip.Prefix{}) {
				if !yield(d) {
					return
				}
			}
		}
	}
}

// examine adds the routes of a destination that meet the query.
func (x *execution) examine(d table.Dest, t *tests, into *sink) {
	if x.level == ofAll {
		x.examineDecided(d.Family, d.Slot(), t.all, t, into)
		return
	}
	s := &t.subject
	x.view.Each(d, x.wanted.Peers, func(found table.Found) {
		if s.found = found; t.all(s) {
			into.add(x.view, &found)
		}
	})
}

// examineDecided adds the routes of a slot that meet a test which needs all routes of
// the prefix.
func (x *execution) examineDecided(f route.Family, slot uint32, of test, t *tests, into *sink) {
	t.met = x.view.Meet(t.met[:0], f, slot)
	if t.contest != nil {
		t.contest.Decide(t.met)
	}
	s := &t.subject
	s.moas = x.wants(MOAS) && x.severalOrigins(t.met)
	for i := range t.met {
		found := &t.met[i]
		if x.wanted.Sets != nil && !x.wanted.Sets.Has(found.Set) || !x.wanted.Peers.Has(found.Index()) {
			continue
		}
		if s.found = *found; of == nil || of(s) {
			into.add(x.view, found)
		}
	}
}

// severalOrigins is [SeveralOrigins] of routes as the view met them.
func (x *execution) severalOrigins(met []table.Found) bool {
	several := false
	for i := range met {
		origin := x.originOf(met[i].Set)
		if origin == unclearOrigin {
			return x.severalUnclear(met)
		}
		several = several || origin != x.originOf(met[0].Set)
	}
	return several
}

func (x *execution) severalUnclear(met []table.Found) bool {
	routes := make([]route.Route, len(met))
	for i := range met {
		routes[i].Attrs = x.view.Set(met[i].Set)
	}
	return SeveralOrigins(routes)
}

// unclearOrigin stands for a path that is not one sequence, whose origin takes a closer
// look.
const unclearOrigin = 1 << 32

// originOf returns the origin AS of an attribute set, or unclearOrigin.
func (x *execution) originOf(set uint32) uint64 {
	if int(set) < len(x.origins) {
		return x.origins[set]
	}
	return clearOrigin(x.view.Set(set))
}

func clearOrigin(a route.Attrs) uint64 {
	if s, ok := a.ASPath().Sequence(); ok && s.Len() > 0 {
		return uint64(s.At(s.Len() - 1))
	}
	return unclearOrigin
}

// stretch is how many slots a worker takes at a time: a multiple of 64, so that
// two never share a word of a sink's bits.
const stretch = 1 << 13

// scan looks at every attribute set, then at every route.
func (x *execution) scan(ctx context.Context, f route.Family, into *sink) error {
	if err := x.lookAtSets(ctx); err != nil || x.wanted.Sets != nil && x.wanted.Sets.Count() == 0 {
		return err
	}
	slots := uint32(x.view.Slots(f))
	var mu sync.Mutex
	return parallel(ctx, x.view, int(slots+stretch-1)/stretch, func() (func(int), func()) {
		t := x.compileRest(true)
		mine := newSink(x, f, into.facets != nil)
		work := func(i int) {
			first := uint32(i) * stretch
			x.stretch(f, first, min(first+stretch, slots), &t, mine)
		}
		return work, func() {
			mu.Lock()
			defer mu.Unlock()
			into.join(mine)
		}
	})
}

// stretch scans the slots from first up to last.
func (x *execution) stretch(f route.Family, first, last uint32, t *tests, into *sink) {
	if x.level == ofAll {
		x.stretchDecided(f, first, last, t, into)
		return
	}
	s := &t.subject
	x.view.Scan(f, first, last, &x.wanted, func(found table.Found) {
		if t.rest != nil {
			if s.found = found; !t.rest(s) {
				return
			}
		}
		into.add(x.view, &found)
	})
}

// stretchDecided is stretch for conditions that need all routes of a prefix: they are
// asked where a route meets the others.
func (x *execution) stretchDecided(f route.Family, first, last uint32, t *tests, into *sink) {
	if x.wanted.IsAll() {
		for slot := first; slot < last; slot++ {
			x.examineDecided(f, slot, t.rest, t, into)
		}
		return
	}
	candidates := table.NewBits(int(last - first))
	x.view.Scan(f, first, last, &x.wanted, func(found table.Found) { candidates.Add(found.Slot - first) })
	for slot := first; slot < last; slot++ {
		if candidates.Has(slot - first) {
			x.examineDecided(f, slot, t.rest, t, into)
		}
	}
}

// lookAtSets finds out what the query needs of each attribute set, once for all families:
// whether it meets the conditions on sets, its rank and its origin.
func (x *execution) lookAtSets(ctx context.Context) error {
	if x.looked || x.sets == nil && !x.wants(Best) && !x.wants(MOAS) {
		return nil
	}
	const step = 1 << 12 // sets a worker takes at a time, a multiple of 64
	n := x.view.Sets()
	var mask table.Bits
	if x.sets != nil {
		mask = table.NewBits(n)
	}
	if x.wants(Best) {
		x.ranks = make([]table.Rank, n)
	}
	if x.wants(MOAS) {
		x.origins = make([]uint64, n)
	}
	err := parallel(ctx, x.view, (n+step-1)/step, func() (func(int), func()) {
		meets := compileSets(x.sets)
		return func(i int) {
			x.view.EachSet(uint32(i*step), uint32(min((i+1)*step, n)), func(id uint32, a route.Attrs) {
				if meets != nil && meets(a) {
					mask.Add(id)
				}
				if x.ranks != nil {
					x.ranks[id] = table.RankOf(a)
				}
				if x.origins != nil {
					x.origins[id] = clearOrigin(a)
				}
			})
		}, func() {}
	})
	x.wanted.Sets, x.looked = mask, err == nil
	return err
}

// compileSets makes the test of conditions on sets; nil: there are none.
func compileSets(e Expr) setTest {
	if e == nil {
		return nil
	}
	return compileSet(e)
}

// parallel does n pieces of work on as many processors as there are, in turns. Each
// worker gets its own state from start, which returns what does a piece and
// what ends the worker.
func parallel(ctx context.Context, v *table.View, n int, start func() (work func(int), end func())) error {
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(runtime.NumCPU(), runtime.GOMAXPROCS(0), n) {
		workers.Go(func() {
			work, end := start()
			defer end()
			piece := func() bool {
				i := int(next.Add(1)) - 1
				if i >= n || ctx.Err() != nil {
					return false
				}
				work(i)
				return true
			}
			for v.Turn(piece) {
			}
		})
	}
	workers.Wait()
	return ctx.Err()
}
