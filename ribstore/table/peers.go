package table

import (
	"math"
	"sync/atomic"
	"time"

	"ribglass/ribstore/route"
)

// peer is one peer of the table. The writer changes it; what readers use is
// atomic.
type peer struct {
	name       string
	index      uint16 // in rows and in peerSet
	info       atomic.Pointer[route.Peer]
	up         atomic.Bool
	staleSince atomic.Int64 // seconds; 0 while up
	lastUpdate atomic.Int64
	families   [route.NumFamilies]peerFamily
	attrOctets atomic.Uint64 // of the attribute sets that it is charged for
	notKept    atomic.Uint64 // routes that were refused
	removed    atomic.Bool   // it only waits for the sweep of its routes
	refused    *peerRefusals // nil: none; see refusals
}

// peerFamily is what a peer has in one family: a column once it has many
// routes, else routes in rows.
//
// Generations tell which session confirmed a route. A new session takes the
// next generation; a route of an older one is stale until it is sent again,
// which gives it the current one, or swept. So a session that drops marks
// nothing but the peer.
type peerFamily struct {
	column *column // nil: in rows
	strip  *strip  // what is still to be done since it got its column
	sweep  *sweep  // of its routes, nil: none is under way
	gen    uint8
	counts [generations]int // routes by generation
	more   int              // paths beyond the first of each prefix: ADD-PATH

	routes, stale, prefixes atomic.Int64 // published after each batch
	endOfRIB                atomic.Int64
	phase                   atomic.Pointer[phase]

	deadline  time.Time     // unconfirmed routes are removed, see dueAt; zero: none
	longLived time.Duration // more time after the deadline, for routes that allow it
}

// phase is what readers need to tell whether a route is stale.
type phase struct {
	gen       uint8              // the current generation
	advances  uint64             // generations taken so far
	since     [generations]int64 // seconds since when a generation is stale; 0: it is not
	gone      uint16             // generations that are being swept: no routes any more
	longLived bool               // stale routes are in the long-lived phase (RFC 9494)
	asFresh   bool               // stale routes are compared as if they were fresh
}

// isGone reports whether routes of the generation only wait for their sweep.
func (ph *phase) isGone(gen uint8) bool { return ph.gone>>gen&1 != 0 }

// indexes are the numbers that peers go by. An index is used again only when no
// reader can take it for the index of the peer that had it before.
type indexes struct {
	next uint32
	free []uint16
}

func (x *indexes) take() (uint16, bool) {
	if n := len(x.free); n > 0 {
		index := x.free[n-1]
		x.free = x.free[:n-1]
		return index, true
	}
	if x.next > math.MaxUint16 {
		return 0, false
	}
	x.next++
	return uint16(x.next - 1), true
}

func (x *indexes) release(index uint32, _ int) { x.free = append(x.free, uint16(index)) }

// peer returns the peer that goes by the name, a new one when there is none,
// nil when there are too many.
func (t *Table) peer(info *route.Peer) *peer {
	if p := t.peers.named(info.Name); p != nil {
		if p.removed.Load() {
			t.revive(p, info)
		}
		return p
	}
	index, ok := t.indexes.take()
	if !ok {
		t.refuse(1)
		return nil
	}
	p := &peer{name: info.Name, index: index}
	t.describe(p, info)
	for i := range p.families {
		p.families[i].phase.Store(new(phase))
	}
	t.peers.add(p)
	t.peerChanged()
	return p
}

// load returns the route of a slot, zero for none.
func (pf *peerFamily) load(f *family, index uint16, slot, pathID uint32) word {
	if pf.column != nil {
		return pf.column.load(slot)
	}
	r := f.rows.load(f.slots.row(slot))
	if at := r.find(owner(index, pathID)); at >= 0 {
		return r.at(at).word
	}
	return 0
}

// store sets the route of a slot and reports whether there was room.
func (pf *peerFamily) store(f *family, index uint16, slot, pathID uint32, w word) bool {
	if pf.column != nil {
		pf.column.store(slot, w)
		return true
	}
	return f.rows.set(f.slots.row(slot), owner(index, pathID), w)
}

func (pf *peerFamily) total() int {
	n := 0
	for _, count := range pf.counts {
		n += count
	}
	return n
}

// publishCounts lets readers see how many routes there are.
func (p *peer) publishCounts() {
	for i := range p.families {
		pf := &p.families[i]
		ph := pf.phase.Load()
		routes, stale := 0, 0
		for gen, count := range pf.counts {
			if ph.isGone(uint8(gen)) {
				continue
			}
			routes += count
			if ph.since[gen] != 0 {
				stale += count
			}
		}
		pf.routes.Store(int64(routes))
		pf.stale.Store(int64(stale))
		// What waits for its sweep may have prefixes of its own, but never more than routes.
		pf.prefixes.Store(int64(min(routes, pf.total()-pf.more)))
	}
}

// A peer gets a column when it has a sixteenth of all prefixes and more than a
// few: from there on eight bytes a slot cost less time than sixteen and a copy
// of the row a route, and at an eighth less memory too.
const (
	columnMinRoutes = 16384
	columnFraction  = 16
)

// considerColumn gives the peer a column when so many routes deserve one.
func (t *Table) considerColumn(f *family, p *peer, routes int) {
	pf := &p.families[f.id]
	if pf.column != nil || routes < t.columnMin || p.info.Load().AddPath[f.id] ||
		int64(routes)*columnFraction < f.slots.used.Load() {
		return
	}
	column := newColumn()
	for slot := range f.slots.count.Load() {
		r := f.rows.load(f.slots.row(slot))
		if at := r.find(owner(p.index, 0)); at >= 0 {
			column.store(slot, r.at(at).word)
		}
	}
	pf.column = column
	pf.strip = &strip{t, f, p}
	t.publishColumn(p, f.id)
	// Readers of older sets of columns still look into the rows.
	t.grace.retire(retired{pf.strip, 0, 0})
}

// dropColumn makes the peer, which has no route left, begin in the rows again.
func (t *Table) dropColumn(p *peer, f route.Family) {
	pf := &p.families[f]
	if pf.column == nil {
		return
	}
	if pf.strip != nil {
		pf.strip.release(0, 0)
	}
	pf.column = nil
	t.publishColumn(p, f)
}

// strip takes the routes of a peer out of the rows once all readers know its
// column.
type strip struct {
	table  *Table
	family *family
	peer   *peer
}

func (s *strip) release(uint32, int) {
	f, pf := s.family, &s.peer.families[s.family.id]
	if pf.strip != s {
		return // done early
	}
	pf.strip = nil
	for slot := range f.slots.count.Load() {
		ref := f.slots.row(slot)
		if atomic.LoadUint32(ref) == 0 {
			continue
		}
		f.rows.remove(ref, func(e rowEntry) bool { return e.peer() == s.peer.index }, nil)
		s.table.vacate(f, slot)
	}
}
