// Package table is the RIB in memory: every route heard, of every peer, in a
// form that is small, quick to change and free to read.
//
// Four structures hold it, each described where it is defined. The trie maps a
// prefix to a slot. Columns and rows hold, for a slot and a peer, one word a
// route: attribute set and time of receipt. Attribute sets are interned once
// for the whole table. A grace period ties them together: one writer unlinks
// and later reuses, readers announce themselves with two atomic additions and
// never wait, lock or allocate for it.
//
// The package has no goroutine, no clock and does no I/O. One goroutine at a
// time, the writer, calls the methods of [Table] that change it; any number
// call [Table.View] meanwhile and see each route whole, though a long walk may
// see one prefix before a change and the next one after.
//
// What the table is depends on the batches and the times of Expire alone, never
// on how far the work in the background has come. So a table can be made again
// of a record of those, or of [Table.State] and the routes that a view meets
// from then on, by [Restore], when what happened meanwhile is applied after.
package table

import (
	"sync"
	"sync/atomic"

	"ribglass/ribstore/route"
)

// Table holds routes. The zero value is not usable, see [New]; it must not be
// copied. What may be called concurrently is said at each method.
type Table struct {
	grace    grace
	attrs    *attrSets
	families [route.NumFamilies]atomic.Pointer[family]
	peers    peerSet
	columns  atomic.Pointer[columnSets]
	refused  atomic.Uint64
	refusals refusals
	observer Observer
	bytes    atomic.Uint64
	views    sync.Pool                          // of *View
	turns    func(work func() bool) (more bool) // nil: readers work as long as they like

	seenViews   atomic.Uint32 // views that peers ever had, a bit each
	peerChanges atomic.Uint64 // counts changes of peers
	firstViews  atomic.Pointer[firstViews]

	indexes   indexes
	sweeps    []*sweep
	active    []*sweep // scratch
	swept     Bits     // scratch: peers with an active sweep, by index
	columnMin int      // routes from which a peer gets a column
}

// family is the part of the table that belongs to one address family.
type family struct {
	id    route.Family
	trie  trie
	nodes arena[uint32]
	slots slots
	rows  rows

	sweepAt uint32 // slot the next sweep step begins at
}

// New returns an empty table.
func New() *Table {
	t := &Table{columnMin: columnMinRoutes}
	t.views.New = func() any { return new(View) }
	t.attrs = newAttrSets(&t.grace)
	t.columns.Store(new(columnSets))
	for _, f := range route.Families() {
		t.families[f].Store(t.newFamily(f))
	}
	return t
}

func (t *Table) newFamily(id route.Family) *family {
	f := &family{id: id, slots: slots{ipv6: id.IsIPv6()}, rows: rows{grace: &t.grace}}
	f.trie.arena, f.trie.slots, f.trie.grace = &f.nodes, &f.slots, &t.grace
	return f
}

// Apply changes the table by what a batch reports. It does not release the
// batch and keeps nothing of it but Peer. Only the writer calls it.
func (t *Table) Apply(b *route.Batch) {
	p := t.peer(b.Peer)
	if p == nil {
		return
	}
	switch b.Event {
	case route.Routes:
		refused := len(b.Updates) > 0
		received := b.Received
		for i := range b.Updates {
			u := &b.Updates[i]
			refused = refused && u.Attrs.IsFault()
			t.update(p, u, uint32(b.At.Unix()), received)
			t.refuseUpdate(p, u, b.At)
			received = received[min(len(u.NLRI), len(received)):]
		}
		// What was refused before a snapshot is told again when it is read.
		if at := b.At.Unix(); !refused || at > p.lastUpdate.Load() {
			p.lastUpdate.Store(at)
		}
		p.publishCounts()
		p.publishCharge(t)
	case route.PeerUp:
		t.up(p, b)
	case route.PeerDown:
		t.down(p, b)
	case route.PeerRemoved:
		t.removePeer(p)
	case route.EndOfRIB:
		p.families[b.Family].endOfRIB.Store(b.At.Unix())
		t.endOfRIB(p, b.Family)
	case route.RefreshBegin:
		t.advance(p, b.Family)
	case route.RefreshEnd:
		t.sweepOthers(p, b.Family)
		p.publishCounts()
	case route.PeerChanged:
		t.redescribe(p, b.Peer)
	}
	t.grace.poll()
}

// update does what an update says, at a time. The routes of a recorded table were
// received when they were; that is empty for others.
func (t *Table) update(p *peer, u *route.Update, at uint32, received []uint32) {
	f := t.families[u.Family].Load()
	if u.Withdraw() {
		for i := range u.NLRI {
			t.withdraw(f, p, &u.NLRI[i])
		}
		return
	}
	id, ok := t.attrs.intern(u.Attrs, 1, p.index)
	if !ok {
		t.refuse(len(u.NLRI))
		p.notKept.Add(uint64(len(u.NLRI)))
		return
	}
	w := newWord(id, p.families[u.Family].gen, at)
	stored := uint32(0)
	for i := range u.NLRI {
		told := i < len(received) && received[i] != 0
		if told {
			w = w.withReceived(received[i])
		} else {
			w = w.withReceived(at)
		}
		if t.announce(f, p, &u.NLRI[i], w, told) {
			stored++
		}
	}
	t.attrs.retain(id, stored)
	t.attrs.letGo(id, 1)
	t.considerColumn(f, p, p.families[f.id].counts[w.gen()])
}

// announce stores a route and reports whether it holds its attribute set anew.
// A route that says what was known already keeps its time of receipt, unless the time
// is told.
func (t *Table) announce(f *family, p *peer, n *route.NLRI, w word, told bool) bool {
	pf := &p.families[f.id]
	slot, _ := f.trie.insert(keyOf(n.Prefix))
	old := pf.load(f, p.index, slot, n.PathID)
	holds := true
	if old != 0 && old.id() == w.id() {
		if old.gen() == w.gen() && (!told || old == w) {
			return false
		}
		holds = false
		if !told && !pf.phase.Load().isGone(old.gen()) {
			w = old.withGen(w.gen())
		}
	}
	if !pf.store(f, p.index, slot, n.PathID, w) {
		t.refuse(1)
		p.notKept.Add(1)
		return false
	}
	if old != 0 {
		pf.counts[old.gen()]--
		if holds {
			t.attrs.letGo(old.id(), 1)
		}
	} else {
		f.onePathMore(p, slot)
	}
	pf.counts[w.gen()]++
	return holds
}

func (t *Table) withdraw(f *family, p *peer, n *route.NLRI) {
	slot, ok := f.trie.exact(keyOf(n.Prefix))
	if !ok {
		return
	}
	pf := &p.families[f.id]
	old := pf.load(f, p.index, slot, n.PathID)
	if old == 0 {
		return
	}
	if pf.column != nil {
		pf.column.store(slot, 0)
	} else {
		mine := owner(p.index, n.PathID)
		f.rows.remove(f.slots.row(slot), func(e rowEntry) bool { return e.owner == mine }, nil)
		f.fewerPaths(p, slot, 1)
	}
	t.forgetRoute(pf, old)
	t.vacate(f, slot)
}

// forgetRoute accounts for a route that is gone.
func (t *Table) forgetRoute(pf *peerFamily, w word) {
	pf.counts[w.gen()]--
	t.attrs.letGo(w.id(), 1)
}

// vacate removes the prefix of a slot when no route is left in it.
func (t *Table) vacate(f *family, slot uint32) {
	if atomic.LoadUint32(f.slots.row(slot)) != 0 {
		return
	}
	for _, c := range t.columns.Load()[f.id].list {
		if c.column.load(slot) != 0 {
			return
		}
	}
	if _, ok := f.trie.remove(f.slots.key(slot)); !ok {
		return
	}
	f.slots.used.Add(-1)
	t.grace.retire(retired{&f.slots, slot, 1})
}

// refuse counts routes that could not be kept.
func (t *Table) refuse(routes int) { t.refused.Add(uint64(routes)) }

// Refused returns how many routes were not kept since the start: more than
// 4,096 paths of one prefix from sessions with ADD-PATH, more than 2^28
// attribute sets, or more than 65,536 peers. Anyone may call it.
func (t *Table) Refused() uint64 { return t.refused.Load() }

// NotKept returns how many routes of the peer that goes by the name were not kept, as
// Refused counts them. Anyone may call it.
func (t *Table) NotKept(name string) uint64 {
	if p := t.peers.named(name); p != nil {
		return p.notKept.Load()
	}
	return 0
}

// Counts are totals of the table.
type Counts struct {
	Routes, Stale, Prefixes [route.NumFamilies]int
	AttributeSets           int
	Peers                   int
	Bytes                   uint64 // as of the last Measure
}

// Counts returns the totals. Anyone may call it.
func (t *Table) Counts() Counts {
	var c Counts
	for _, p := range t.peers.present() {
		c.Peers++
		for _, f := range route.Families() {
			c.Routes[f] += int(p.families[f].routes.Load())
			c.Stale[f] += int(p.families[f].stale.Load())
		}
	}
	for _, id := range route.Families() {
		c.Prefixes[id] = int(t.families[id].Load().slots.used.Load())
	}
	c.AttributeSets = int(t.attrs.used.Load())
	c.Bytes = t.bytes.Load()
	return c
}

// Measure sums up the memory held, and what of it each peer is charged for. Only
// the writer calls it.
func (t *Table) Measure() {
	for p := range t.peers.all() {
		p.publishCharge(t)
	}
	n := t.attrs.bytes()
	for i := range t.families {
		f := t.families[i].Load()
		n += f.nodes.bytes() + f.slots.bytes() + f.rows.arena.bytes()
		for _, c := range t.columns.Load()[i].list {
			n += c.column.bytes()
		}
	}
	t.bytes.Store(n)
}
