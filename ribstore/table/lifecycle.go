package table

import (
	"slices"
	"sync/atomic"
	"time"

	"ribglass/ribstore/route"
)

// up begins a session: what the sessions before it left is unconfirmed now.
func (t *Table) up(p *peer, b *route.Batch) {
	before := p.info.Load()
	p.info.Store(b.Peer)
	p.removed = false
	p.up.Store(true)
	p.staleSince.Store(0)
	for _, f := range route.Families() {
		pf := &p.families[f]
		pf.endOfRIB.Store(0)
		if before.AddPath[f] != b.Peer.AddPath[f] {
			t.changeForm(p, f)
		}
		t.advance(p, f, b.At.Unix())
		pf.deadline, pf.longLived = time.Time{}, 0
		switch keep := b.Retention[f]; {
		case pf.total() == 0:
		case keep.Stale <= 0:
			t.sweepStale(p, f)
		default:
			pf.deadline = b.At.Add(keep.Stale)
		}
	}
	p.publishCounts()
}

// changeForm drops all routes when ADD-PATH came or went: path identifiers of
// before mean nothing now.
func (t *Table) changeForm(p *peer, f route.Family) {
	t.sweepNow(p, f, allGenerations)
	if pf := &p.families[f]; pf.column != nil {
		t.dropColumn(pf)
		t.publishColumns()
	}
}

// down ends a session: all its routes are stale.
func (t *Table) down(p *peer, b *route.Batch) {
	p.up.Store(false)
	p.staleSince.Store(b.At.Unix())
	for _, f := range route.Families() {
		pf := &p.families[f]
		ph := *pf.phase.Load()
		ph.up = false
		for gen := range ph.since {
			if ph.since[gen] == 0 {
				ph.since[gen] = b.At.Unix()
			}
		}
		pf.phase.Store(&ph)
		keep := b.Retention[f]
		pf.deadline, pf.longLived = b.At.Add(keep.Stale), keep.LongLived
		if keep.Stale <= 0 && keep.LongLived <= 0 {
			pf.deadline = time.Time{}
			t.dropAll(p, f)
		}
	}
	p.publishCounts()
}

// dropAll sweeps every route. The next generation is taken first, so that the
// sweep does not meet routes that come meanwhile.
func (t *Table) dropAll(p *peer, f route.Family) {
	t.advance(p, f, p.staleSince.Load())
	t.sweepOthers(p, f)
}

func (t *Table) removePeer(p *peer) {
	p.removed = true
	p.up.Store(false)
	for _, f := range route.Families() {
		p.families[f].deadline = time.Time{}
		t.dropAll(p, f)
	}
	p.publishCounts()
	t.forgetIfGone(p)
}

// forgetIfGone takes a removed peer off the list once its routes are gone.
func (t *Table) forgetIfGone(p *peer) {
	if !p.removed || t.byName[p.name] != p {
		return
	}
	for i := range p.families {
		if p.families[i].total() > 0 {
			return
		}
	}
	delete(t.byName, p.name)
	t.sweeps = slices.DeleteFunc(t.sweeps, func(s *sweep) bool { return s.peer == p })
	for i := range p.families {
		t.dropColumn(&p.families[i])
	}
	t.publishPeer(p.index, nil)
	t.grace.retire(retired{&t.indexes, uint32(p.index), 0})
}

// endOfRIB ends the wait for stale routes to be sent again: what was not is removed.
func (t *Table) endOfRIB(p *peer, f route.Family) {
	p.families[f].deadline = time.Time{}
	t.sweepStale(p, f)
	p.publishCounts()
}

// sweepStale sweeps what sessions before the current one left. What a route
// refresh under way has not confirmed yet is not stale.
func (t *Table) sweepStale(p *peer, f route.Family) {
	pf := &p.families[f]
	mask := uint16(0)
	for gen, since := range pf.phase.Load().since {
		if since != 0 {
			mask |= 1 << gen
		}
	}
	t.addSweep(p, f, mask&^(1<<pf.gen), false)
}

// advance takes the next generation; routes of the current one are stale since
// the time in seconds, unless they are already or it is 0.
func (t *Table) advance(p *peer, f route.Family, since int64) {
	pf := &p.families[f]
	next := (pf.gen + 1) % generations
	if pf.phase.Load().isGone(next) {
		t.sweepNow(p, f, 1<<next)
	}
	if pf.counts[next] > 0 {
		t.mergeInto(p, f, next, (next+1)%generations)
	}
	for _, s := range t.sweeps {
		if s.peer == p && s.family == f {
			s.mask &^= 1 << next
		}
	}
	ph := *pf.phase.Load()
	if ph.since[pf.gen] == 0 {
		ph.since[pf.gen] = since
	}
	ph.up, ph.gen, ph.longLived, ph.since[next] = p.up.Load(), next, false, 0
	ph.gone &^= 1 << next
	pf.gen = next
	pf.phase.Store(&ph)
}

// mergeInto makes room for a generation when a peer came back fifteen times and
// never completed: its routes of then join the generation after, stale for as
// long as the older of the two.
func (t *Table) mergeInto(p *peer, f route.Family, old, younger uint8) {
	pf, fam := &p.families[f], t.families[f].Load()
	if pf.phase.Load().isGone(younger) {
		t.sweepNow(p, f, 1<<younger)
	}
	for slot := range fam.slots.count.Load() {
		if pf.column != nil {
			if w := pf.column.load(slot); w != 0 && w.gen() == old {
				pf.column.store(slot, w.withGen(younger))
			}
			continue
		}
		ref := fam.slots.row(slot)
		for r, i := fam.rows.load(ref), 0; i < r.len(); i++ {
			if e := r.at(i); e.peer() == p.index && e.word.gen() == old {
				fam.rows.set(ref, e.owner, e.word.withGen(younger))
			}
		}
	}
	pf.counts[younger] += pf.counts[old]
	pf.counts[old] = 0
	ph := *pf.phase.Load()
	if ph.since[old] != 0 {
		ph.since[younger] = ph.since[old]
	}
	pf.phase.Store(&ph)
}

// sweep removes routes of one peer and family a piece at a time.
type sweep struct {
	peer      *peer
	family    route.Family
	mask      uint16 // generations to remove
	onlyBound bool   // only routes with NO_LLGR
	limit     uint32 // slots there were at the beginning; later ones have later generations
	remaining uint32 // of them not yet visited
}

func newSweep(p *peer, f route.Family, mask uint16, onlyBound bool, slots uint32) *sweep {
	return &sweep{peer: p, family: f, mask: mask, onlyBound: onlyBound, limit: slots, remaining: slots}
}

// visited counts the slots from first up to last as done.
func (s *sweep) visited(first, last uint32) {
	s.remaining -= min(last, s.limit) - min(first, s.limit)
}

const allGenerations = 1<<generations - 1

func (t *Table) sweepOthers(p *peer, f route.Family) {
	t.addSweep(p, f, allGenerations&^(1<<p.families[f].gen), false)
}

// addSweep makes the generations gone for readers at once, and has the routes
// removed by and by. With onlyBound only some go, when they are met.
func (t *Table) addSweep(p *peer, f route.Family, mask uint16, onlyBound bool) {
	if !p.families[f].has(mask) {
		return
	}
	if !onlyBound {
		ph := *p.families[f].phase.Load()
		ph.gone |= mask
		p.families[f].phase.Store(&ph)
	}
	t.sweeps = append(t.sweeps, newSweep(p, f, mask, onlyBound, t.families[f].Load().slots.count.Load()))
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
	t.sweepRange(fam, []*sweep{newSweep(p, f, mask, false, count)}, 0, count)
	p.publishCounts()
}

// sweepSlots is how many slots one step of background work visits: about a
// millisecond's worth when all of them have a route to remove.
const sweepSlots = 4096

// sweepStep moves all sweeps of a family on by one step. They share the
// position: each is done when it has been round once.
func (t *Table) sweepStep(f *family) {
	var active []*sweep
	for _, s := range t.sweeps {
		if s.family == f.id {
			active = append(active, s)
		}
	}
	if len(active) == 0 {
		return
	}
	count := f.slots.count.Load()
	if f.sweepAt >= count {
		f.sweepAt = 0
	}
	end := min(f.sweepAt+sweepSlots, count)
	t.sweepRange(f, active, f.sweepAt, end)
	for _, s := range active {
		s.visited(f.sweepAt, end)
		if !s.peer.families[f.id].has(s.mask) {
			s.remaining = 0
		}
		s.peer.publishCounts()
	}
	f.sweepAt = end
	t.dropDoneSweeps()
}

func (t *Table) dropDoneSweeps() {
	var done []*sweep
	t.sweeps = slices.DeleteFunc(t.sweeps, func(s *sweep) bool {
		if s.remaining == 0 {
			done = append(done, s)
		}
		return s.remaining == 0
	})
	for _, s := range done {
		t.forgetIfGone(s.peer)
	}
}

// sweepRange applies sweeps of one family to the slots from first up to last.
func (t *Table) sweepRange(f *family, sweeps []*sweep, first, last uint32) {
	inRows := make(map[uint16][]*sweep)
	for _, s := range sweeps {
		if column := s.peer.families[f.id].column; column != nil {
			t.sweepColumn(f, s, column, first, last)
		} else {
			inRows[s.peer.index] = append(inRows[s.peer.index], s)
		}
	}
	if len(inRows) > 0 {
		t.sweepRows(f, inRows, first, last)
	}
}

func (t *Table) sweepColumn(f *family, s *sweep, column *column, first, last uint32) {
	pf := &s.peer.families[f.id]
	for slot := first; slot < last; slot++ {
		if w := column.load(slot); w != 0 && t.swept(s, w) {
			column.store(slot, 0)
			t.forgetRoute(pf, w)
			t.vacate(f, slot)
		}
	}
}

func (t *Table) sweepRows(f *family, sweeps map[uint16][]*sweep, first, last uint32) {
	match := func(e rowEntry) bool {
		for _, s := range sweeps[e.peer()] {
			if t.swept(s, e.word) {
				return true
			}
		}
		return false
	}
	removed := func(e rowEntry) { t.forgetRoute(&sweeps[e.peer()][0].peer.families[f.id], e.word) }
	for slot := first; slot < last; slot++ {
		ref := f.slots.row(slot)
		if atomic.LoadUint32(ref) == 0 || !f.rows.load(ref).anyOf(match) {
			continue
		}
		f.rows.remove(ref, match, removed)
		t.vacate(f, slot)
	}
}

func (t *Table) swept(s *sweep, w word) bool {
	if s.mask>>w.gen()&1 == 0 {
		return false
	}
	return !s.onlyBound || t.attrs.get(w.id()).Communities().Has(route.NoLLGR)
}

// Expire sweeps what waited for its confirmation until now in vain. Only the
// writer calls it.
func (t *Table) Expire(now time.Time) {
	for _, p := range t.byName {
		for _, f := range route.Families() {
			if pf := &p.families[f]; !pf.deadline.IsZero() && !now.Before(pf.deadline) {
				t.expire(p, f)
			}
		}
	}
}

func (t *Table) expire(p *peer, f route.Family) {
	pf := &p.families[f]
	if pf.longLived > 0 {
		pf.deadline, pf.longLived = pf.deadline.Add(pf.longLived), 0
		ph := *pf.phase.Load()
		ph.longLived = true
		pf.phase.Store(&ph)
		t.addSweep(p, f, allGenerations, true)
		return
	}
	pf.deadline = time.Time{}
	if p.up.Load() {
		t.sweepStale(p, f)
	} else {
		t.dropAll(p, f)
	}
	p.publishCounts()
}

// Work does a piece of background work, about a millisecond at most, and
// reports whether there is more: sweeping, compacting, giving memory back. Only
// the writer calls it.
func (t *Table) Work() (more bool) {
	for i := range t.families {
		f := t.families[i].Load()
		t.sweepStep(f)
		t.resetIfEmpty(f)
	}
	compacting := t.attrs.compact()
	t.grace.poll()
	return len(t.sweeps) > 0 || compacting
}

// Pending reports whether memory waits for readers to leave, so that Work
// should be called again before long. Only the writer calls it.
func (t *Table) Pending() bool { return t.grace.pending() }

// resetIfEmpty gives back the memory of a family that has no route any more.
// Slots begin anew then, so the columns, which are empty, go too: a reader may
// still pair one with a slot of before.
func (t *Table) resetIfEmpty(f *family) {
	if f.slots.used.Load() > 0 || f.slots.count.Load() <= chunkSlots {
		return
	}
	for _, p := range t.byName {
		t.dropColumn(&p.families[f.id])
	}
	t.publishColumns()
	t.families[f.id].Store(t.newFamily(f.id))
	for _, s := range t.sweeps {
		if s.family == f.id {
			s.remaining = 0
		}
	}
	t.dropDoneSweeps()
}
