package table

import (
	"slices"
	"sync/atomic"

	"ribglass/ribstore/route"
)

// sweep removes routes of one peer and family a piece at a time.
type sweep struct {
	peer      *peer
	family    route.Family
	mask      uint16 // generations to remove
	only      Bits   // attribute sets to remove; nil: all
	limit     uint32 // slots there were at the beginning; later ones have later generations
	remaining uint32 // of them not yet visited
}

func newSweep(p *peer, f route.Family, mask uint16, slots uint32) *sweep {
	return &sweep{peer: p, family: f, mask: mask, limit: slots, remaining: slots}
}

// visited counts the slots from first up to last as done.
func (s *sweep) visited(first, last uint32) {
	s.remaining -= min(s.remaining, min(last, s.limit)-min(first, s.limit))
}

const allGenerations = 1<<generations - 1

func (t *Table) sweepOthers(p *peer, f route.Family) {
	t.addSweep(p, f, allGenerations&^(1<<p.families[f].gen))
}

// addSweep makes the generations gone for readers at once, and has the routes
// removed by and by. Those without a route are gone too, so that what becomes
// of a peer never depends on how far the sweeps before have come.
func (t *Table) addSweep(p *peer, f route.Family, mask uint16) {
	pf := &p.families[f]
	ph := *pf.phase.Load()
	ph.gone |= mask
	for gen := range ph.since {
		if mask>>gen&1 != 0 {
			ph.since[gen] = 0
		}
	}
	pf.phase.Store(&ph)
	if pf.has(mask) {
		t.beginSweep(p, f, mask)
	}
}

// beginSweep has the routes of the generations removed by and by. A sweep of the
// peer and family that is under way takes them along and goes round once more.
func (t *Table) beginSweep(p *peer, f route.Family, mask uint16) {
	pf, slots := &p.families[f], t.families[f].Load().slots.count.Load()
	if s := pf.sweep; s != nil {
		s.mask |= mask
		s.limit, s.remaining = slots, slots
		return
	}
	pf.sweep = newSweep(p, f, mask, slots)
	t.sweeps = append(t.sweeps, pf.sweep)
}

// endSweep ends the sweep of a peer and family, if there is one. It stays in the
// list until the next dropDoneSweeps.
func (t *Table) endSweep(p *peer, f route.Family) {
	pf := &p.families[f]
	if pf.sweep != nil {
		pf.sweep.remaining = 0
		pf.sweep = nil
	}
}

// has reports whether there are routes of the generations.
func (pf *peerFamily) has(mask uint16) bool {
	for gen, count := range pf.counts {
		if count > 0 && mask>>gen&1 != 0 {
			return true
		}
	}
	return false
}

// sweepNow removes the generations before it returns.
func (t *Table) sweepNow(p *peer, f route.Family, mask uint16) {
	if !p.families[f].has(mask) {
		return
	}
	fam := t.families[f].Load()
	count := fam.slots.count.Load()
	sweeps := []*sweep{newSweep(p, f, mask, count)}
	t.sweepRange(fam, sweeps, byPeer(sweeps), 0, count)
	p.publishCounts()
}

// sweepSlots is how many slots one step of background work visits: about a
// millisecond's worth when all of them have a route to remove.
const sweepSlots = 4096

// sweepEntries is about how many entries of rows one step visits. Where many peers have the
// same prefixes, the slots of a step have all their routes: what the session of one of them
// costs must not grow with the others.
const sweepEntries = 2 * sweepSlots

// sweepStep moves all sweeps of a family on by one step. They share the
// position: each is done when it has been round once.
func (t *Table) sweepStep(f *family) {
	active := t.active[:0]
	for _, s := range t.sweeps {
		if s.family == f.id && s.remaining > 0 {
			active = append(active, s)
		}
	}
	t.active = active
	if len(active) == 0 {
		return
	}
	count := f.slots.count.Load()
	if f.sweepAt >= count {
		f.sweepAt = 0
	}
	end := f.sweepEnd(min(f.sweepAt+sweepSlots, count))
	peers := t.peers.byIndex()
	t.swept = grownTo(t.swept, len(peers))
	for _, s := range active {
		t.swept.Add(uint32(s.peer.index))
	}
	t.sweepRange(f, active, func(index uint16) *sweep {
		if !t.swept.Has(uint32(index)) { // of most entries, whose peers are far apart in memory
			return nil
		}
		if p := peers.at(index); p != nil {
			return p.families[f.id].sweep
		}
		return nil
	}, f.sweepAt, end)
	for _, s := range active {
		t.swept[s.peer.index/64] = 0
		s.visited(f.sweepAt, end)
		if !s.peer.families[f.id].has(s.mask) {
			s.remaining = 0
		}
	}
	f.sweepAt = end
}

// grownTo returns a set that holds numbers below n.
func grownTo(b Bits, n int) Bits {
	if (n+63)/64 > len(b) {
		return append(b, make(Bits, (n+63)/64-len(b))...)
	}
	return b
}

// sweepEnd returns where a step ends that visits the slots up to last at most.
func (f *family) sweepEnd(last uint32) uint32 {
	entries := 0
	for slot := f.sweepAt; slot < last; slot++ {
		if entries += f.rows.load(f.slots.row(slot)).len(); entries >= sweepEntries {
			return slot + 1
		}
	}
	return last
}

// dropDoneSweeps takes the sweeps that are done off the list, and the removed
// peers of which no route is left.
func (t *Table) dropDoneSweeps() {
	kept := t.sweeps[:0]
	done := t.active[:0]
	for _, s := range t.sweeps {
		if s.remaining > 0 {
			kept = append(kept, s)
		} else {
			done = append(done, s)
		}
	}
	clear(t.sweeps[len(kept):])
	t.sweeps = kept
	for _, s := range done {
		if pf := &s.peer.families[s.family]; pf.sweep == s {
			pf.sweep = nil
		}
		s.peer.publishCounts()
		t.forgetIfGone(s.peer)
		if t.observer.Swept != nil {
			t.observer.Swept(s.peer.info.Load(), s.family)
		}
	}
	clear(done[:cap(done)])
	t.active = done[:0]
}

// sweepRange applies sweeps of one family to the slots from first up to last;
// sweepOf returns the sweep of the peer with an index, nil for none.
func (t *Table) sweepRange(f *family, sweeps []*sweep, sweepOf func(uint16) *sweep, first, last uint32) {
	rows := false
	for _, s := range sweeps {
		if column := s.peer.families[f.id].column; column != nil {
			t.sweepColumn(f, s, column, first, last)
		} else {
			rows = true
		}
	}
	if rows {
		t.sweepRows(f, sweepOf, first, last)
	}
}

// byPeer returns what sweepRange needs to find the sweeps.
func byPeer(sweeps []*sweep) func(uint16) *sweep {
	indexed := make(map[uint16]*sweep, len(sweeps))
	for _, s := range sweeps {
		indexed[s.peer.index] = s
	}
	return func(index uint16) *sweep { return indexed[index] }
}

func (t *Table) sweepColumn(f *family, s *sweep, column *column, first, last uint32) {
	pf := &s.peer.families[f.id]
	for slot := first; slot < last; slot++ {
		if w := column.load(slot); w != 0 && s.sweeps(w) {
			column.store(slot, 0)
			t.forgetRoute(pf, w)
			t.vacate(f, slot)
		}
	}
}

func (t *Table) sweepRows(f *family, sweepOf func(uint16) *sweep, first, last uint32) {
	match := func(e rowEntry) bool {
		s := sweepOf(e.peer())
		// What the rows still hold of a peer with a column is no route any more.
		return s != nil && s.peer.families[f.id].column == nil && s.sweeps(e.word)
	}
	var fewer []*peer // peers with several paths of a prefix, for each path of the row that goes
	removed := func(e rowEntry) {
		p := sweepOf(e.peer()).peer
		pf := &p.families[f.id]
		t.forgetRoute(pf, e.word)
		if pf.more > 0 {
			fewer = append(fewer, p)
		}
	}
	for slot := first; slot < last; slot++ {
		ref := f.slots.row(slot)
		if atomic.LoadUint32(ref) == 0 || !f.rows.load(ref).anyOf(match) {
			continue
		}
		fewer = fewer[:0]
		f.rows.remove(ref, match, removed)
		for i, p := range fewer {
			if !slices.Contains(fewer[:i], p) {
				f.fewerPaths(p, slot, occurrences(fewer, p))
			}
		}
		t.vacate(f, slot)
	}
}

// sweeps reports whether the route is one to remove.
func (s *sweep) sweeps(w word) bool {
	return s.mask>>w.gen()&1 != 0 && (s.only == nil || s.only.Has(w.id()))
}

// dropBound removes the routes with NO_LLGR of peers whose long-lived phase
// begins. It does not leave that for later: nothing marks those routes as gone.
func (t *Table) dropBound(f *family, peers []*peer) {
	bound := t.attrs.matching(func(set route.Attrs) bool { return set.Communities().Has(route.NoLLGR) })
	if bound == nil {
		return
	}
	count := f.slots.count.Load()
	var sweeps []*sweep
	for _, p := range peers {
		s := newSweep(p, f.id, allGenerations, count)
		s.only = bound
		sweeps = append(sweeps, s)
	}
	t.sweepRange(f, sweeps, byPeer(sweeps), 0, count)
	for _, p := range peers {
		p.publishCounts()
	}
}
