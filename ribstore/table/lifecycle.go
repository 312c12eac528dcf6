package table

import (
	"slices"
	"time"

	"ribglass/ribstore/route"
)

// up begins a session: what the sessions before it left is unconfirmed now.
func (t *Table) up(p *peer, b *route.Batch) {
	before := p.info.Load()
	t.forgetRefused(p)
	t.describe(p, b.Peer)
	p.up.Store(true)
	p.staleSince.Store(0)
	for _, f := range route.Families() {
		pf := &p.families[f]
		pf.endOfRIB.Store(0)
		if before.AddPath[f] != b.Peer.AddPath[f] {
			t.changeForm(p, f)
		}
		pf.markStale(b.At.Unix())
		t.advance(p, f)
		pf.deadline, pf.longLived = time.Time{}, 0
		if keep := b.Retention[f]; keep.Stale > 0 {
			pf.deadline = b.At.Add(keep.Stale)
		} else {
			t.sweepStale(p, f)
		}
	}
	p.publishCounts()
}

// redescribe takes over what the operator says of a peer.
func (t *Table) redescribe(p *peer, said *route.Peer) {
	info := *p.info.Load()
	info.Description, info.Group, info.Router = said.Description, said.Group, said.Router
	t.describe(p, &info)
	t.peerChanged()
}

// changeForm drops all routes when ADD-PATH came or went: path identifiers of
// before mean nothing now.
func (t *Table) changeForm(p *peer, f route.Family) {
	t.sweepNow(p, f, allGenerations)
	t.dropColumn(p, f)
}

// down ends a session: all its routes are stale. Those that sessions before it left
// are not kept longer because of it.
func (t *Table) down(p *peer, b *route.Batch) {
	p.up.Store(false)
	p.staleSince.Store(b.At.Unix())
	for _, f := range route.Families() {
		pf, keep := &p.families[f], b.Retention[f]
		if keep.Graceful {
			t.sweepStale(p, f)
		}
		pf.markStale(b.At.Unix())
		pf.compareAsFresh(keep.AsFresh)
		pf.deadline, pf.longLived = b.At.Add(keep.Stale), keep.LongLived
		if keep.Stale <= 0 && keep.LongLived <= 0 {
			pf.deadline = time.Time{}
			t.dropAll(p, f)
			continue
		}
		// A peer that comes and goes may never be away when Expire is called.
		t.addSweep(p, f, p.due(f, b.At))
	}
	p.publishCounts()
}

// compareAsFresh says how the decision process compares stale routes.
func (pf *peerFamily) compareAsFresh(asFresh bool) {
	ph := *pf.phase.Load()
	ph.asFresh = asFresh
	pf.phase.Store(&ph)
}

// newest returns since when the routes of the generation are stale that became so last.
func (ph *phase) newest() int64 { return slices.Max(ph.since[:]) }

// dueAt returns when the routes of a stale generation are removed. The deadline is the
// deadline of those that became stale last. While the peer is down, an older
// generation is due earlier, by as much as it became stale earlier: so routes that a
// peer does not send again age out, however often the peer comes and goes.
func (p *peer) dueAt(f route.Family, gen uint8) time.Time {
	pf, ph := &p.families[f], p.families[f].phase.Load()
	if p.up.Load() || pf.longLived > 0 || ph.longLived {
		return pf.deadline
	}
	return pf.deadline.Add(time.Duration(ph.since[gen]-ph.newest()) * time.Second)
}

// due returns the generations whose time has come, except the current one, which is
// due at the deadline. Those without a route count too: what becomes of a peer must
// not depend on which routes a snapshot met.
func (p *peer) due(f route.Family, now time.Time) (mask uint16) {
	pf := &p.families[f]
	if pf.deadline.IsZero() {
		return 0
	}
	for gen, since := range pf.phase.Load().since {
		if since != 0 && uint8(gen) != pf.gen && !now.Before(p.dueAt(f, uint8(gen))) {
			mask |= 1 << gen
		}
	}
	return mask
}

// markStale makes all routes stale since the time in seconds that are not yet.
func (pf *peerFamily) markStale(since int64) {
	ph := *pf.phase.Load()
	for gen := range ph.since {
		if ph.since[gen] == 0 {
			ph.since[gen] = since
		}
	}
	pf.phase.Store(&ph)
}

// dropAll sweeps every route. The next generation is taken first, so that the
// sweep does not meet routes that come meanwhile.
func (t *Table) dropAll(p *peer, f route.Family) {
	t.advance(p, f)
	t.sweepOthers(p, f)
}

func (t *Table) removePeer(p *peer) {
	p.removed.Store(true)
	t.forgetRefused(p)
	t.peerChanged()
	p.up.Store(false)
	for _, f := range route.Families() {
		p.families[f].deadline, p.families[f].longLived = time.Time{}, 0
		p.families[f].compareAsFresh(false)
		t.dropAll(p, f)
	}
	p.publishCounts()
	t.forgetIfGone(p)
}

// revive makes a peer of which routes still wait for their sweep a new one.
func (t *Table) revive(p *peer, info *route.Peer) {
	before := p.info.Load()
	for _, f := range route.Families() {
		p.families[f].endOfRIB.Store(0)
		if before.AddPath[f] != info.AddPath[f] {
			t.changeForm(p, f)
		}
	}
	t.describe(p, info)
	p.staleSince.Store(0)
	p.lastUpdate.Store(0)
	p.removed.Store(false)
	t.peerChanged()
}

// forgetIfGone takes a removed peer off the list once its routes are gone.
func (t *Table) forgetIfGone(p *peer) {
	if !p.removed.Load() || t.peers.named(p.name) != p {
		return
	}
	for i := range p.families {
		if p.families[i].total() > 0 {
			return
		}
	}
	for _, f := range route.Families() {
		t.endSweep(p, f)
		t.dropColumn(p, f)
	}
	if t.attrs.charges.of(p.index) > 0 {
		t.settle(p.index, nil) // others hold these sets; the index will be another peer's
	}
	t.peers.remove(p)
	t.peerChanged()
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
	t.addSweep(p, f, mask&^(1<<pf.gen))
}

// advance takes the next generation.
func (t *Table) advance(p *peer, f route.Family) {
	pf := &p.families[f]
	next := (pf.gen + 1) % generations
	if pf.phase.Load().isGone(next) {
		t.sweepNow(p, f, 1<<next)
	}
	t.mergeInto(p, f, next, (next+1)%generations)
	if pf.sweep != nil {
		pf.sweep.mask &^= 1 << next
	}
	ph := *pf.phase.Load()
	ph.gen, ph.longLived, ph.since[next] = next, false, 0
	ph.gone &^= 1 << next
	ph.advances++
	pf.gen = next
	pf.phase.Store(&ph)
}

// mergeInto makes room for a generation when a peer came back fifteen times and
// never completed: its routes of then join the generation after. Those are
// stale for as long as the older of the two from then on, whether or not a route
// joins them: how long a route is stale must not depend on other routes.
func (t *Table) mergeInto(p *peer, f route.Family, old, younger uint8) {
	pf := &p.families[f]
	if pf.counts[old] > 0 {
		t.moveInto(p, f, old, younger)
	}
	ph := *pf.phase.Load()
	if since := ph.since[old]; since != 0 && (ph.since[younger] == 0 || since < ph.since[younger]) {
		ph.since[younger] = since
		pf.phase.Store(&ph)
	}
}

// moveInto gives the routes of one generation another.
func (t *Table) moveInto(p *peer, f route.Family, from, to uint8) {
	pf, fam := &p.families[f], t.families[f].Load()
	for slot := range fam.slots.count.Load() {
		if pf.column != nil {
			if w := pf.column.load(slot); w != 0 && w.gen() == from {
				pf.column.store(slot, w.withGen(to))
			}
			continue
		}
		ref := fam.slots.row(slot)
		for r, i := fam.rows.load(ref), 0; i < r.len(); i++ {
			if e := r.at(i); e.peer() == p.index && e.word.gen() == from {
				fam.rows.set(ref, e.owner, e.word.withGen(to))
			}
		}
	}
	pf.counts[to] += pf.counts[from]
	pf.counts[from] = 0
}

// Observer is told by the writer what the table does by itself, not because of a
// batch: while it happens, so it should note that and act later. What is nil is
// not called.
type Observer struct {
	// Expired: unconfirmed routes of a peer and family waited until their
	// deadline. They are gone, or in their long-lived phase.
	Expired func(p *route.Peer, f route.Family)
	// Swept: the removal in the background of routes that readers do not meet any
	// more is done.
	Swept func(p *route.Peer, f route.Family)
}

// SetObserver has an observer told from now on. Only the writer calls it.
func (t *Table) SetObserver(o Observer) { t.observer = o }

// Expire sweeps what waited for its confirmation until now in vain, and reports
// whether there was a wait to end. Only the writer calls it.
func (t *Table) Expire(now time.Time) bool {
	expired := false
	var longLived [route.NumFamilies][]*peer // peers whose long-lived phase begins
	for p := range t.peers.all() {
		for _, f := range route.Families() {
			pf := &p.families[f]
			if !p.waitedOut(f, now) {
				continue
			}
			expired = true
			if pf.longLived > 0 {
				longLived[f] = append(longLived[f], p)
			}
			t.expire(p, f, now)
			if t.observer.Expired != nil {
				t.observer.Expired(p.info.Load(), f)
			}
		}
	}
	for f, peers := range longLived {
		if len(peers) > 0 {
			t.dropBound(t.families[f].Load(), peers)
		}
	}
	return expired
}

// waitedOut reports whether there are routes whose time has come.
func (p *peer) waitedOut(f route.Family, now time.Time) bool {
	pf := &p.families[f]
	return !pf.deadline.IsZero() && (!now.Before(pf.deadline) || p.due(f, now) != 0)
}

func (t *Table) expire(p *peer, f route.Family, now time.Time) {
	pf := &p.families[f]
	if now.Before(pf.deadline) {
		t.addSweep(p, f, p.due(f, now))
		p.publishCounts()
		return
	}
	if pf.longLived > 0 {
		pf.deadline, pf.longLived = pf.deadline.Add(pf.longLived), 0
		ph := *pf.phase.Load()
		ph.longLived, ph.asFresh = true, false
		pf.phase.Store(&ph)
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
	t.dropDoneSweeps()
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
	for _, c := range t.columns.Load()[f.id].list {
		t.dropColumn(c.peer, f.id)
	}
	t.families[f.id].Store(t.newFamily(f.id))
	for _, s := range t.sweeps {
		if s.family == f.id {
			s.remaining = 0
		}
	}
}

// Due reports whether Expire would do anything. Only the writer calls it.
func (t *Table) Due(now time.Time) bool {
	for p := range t.peers.all() {
		for _, f := range route.Families() {
			if p.waitedOut(f, now) {
				return true
			}
		}
	}
	return false
}

// Postpone has unconfirmed routes wait until a time, or longer where they do
// already. Routes that a session before the last left go earlier, as always. Families
// without a route wait too: what becomes of a peer must not depend on how far its sweeps
// have come. Only the writer calls it.
func (t *Table) Postpone(until time.Time) {
	for p := range t.peers.all() {
		for _, f := range route.Families() {
			pf := &p.families[f]
			if !pf.deadline.IsZero() && pf.deadline.Before(until) {
				pf.deadline = until
			}
		}
	}
}
