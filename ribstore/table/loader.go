package table

import (
	"math"
	"net/netip"
	"sync/atomic"
	"time"

	"ribglass/ribstore/route"
)

// Loader fills a new table that nobody reads yet, see [Restore]. It takes routes
// in any order and is fastest when those of a prefix come together and the
// prefixes in order.
//
// What it is given may be damaged: it takes nothing that a table could not hold,
// says so, and goes on. Memory grows with what it took. The zero value is not
// usable; it must not be copied, and one goroutine at a time uses it.
type Loader struct {
	table *Table
	sets  setLoader
	peers []*peer // by index of the state; nil: the state was not taken
	live  []loaded
}

// loaded is what Route needs of a family of a peer.
type loaded struct{ classes uint8 }

// Restore begins a new table with the peers of the states. Of states without a
// peer and of further ones with a name that is taken, no routes are taken.
func Restore(states []PeerState) *Loader {
	l := &Loader{
		table: New(),
		peers: make([]*peer, len(states)),
		live:  make([]loaded, len(states)*route.NumFamilies),
	}
	l.sets.sets = l.table.attrs
	for i := range states {
		p := l.table.restorePeer(&states[i])
		if p == nil {
			continue
		}
		l.peers[i] = p
		for f := range states[i].Families {
			classes := min(max(1, len(states[i].Families[f].Since)), generations)
			l.live[i*route.NumFamilies+f].classes = uint8(classes)
		}
	}
	return l
}

// restorePeer adds the peer of a state.
func (t *Table) restorePeer(s *PeerState) *peer {
	if s.Peer == nil || t.peers.named(s.Peer.Name) != nil {
		return nil
	}
	index, ok := t.indexes.take()
	if !ok {
		return nil
	}
	p := &peer{name: s.Peer.Name, index: index}
	t.describe(p, s.Peer)
	p.up.Store(s.Up)
	p.staleSince.Store(seconds(s.StaleSince))
	p.lastUpdate.Store(seconds(s.LastUpdate))
	for i := range p.families {
		p.families[i].restore(&s.Families[i])
	}
	t.peers.add(p)
	return p
}

func (pf *peerFamily) restore(s *FamilyState) {
	pf.endOfRIB.Store(seconds(s.EndOfRIB))
	pf.deadline, pf.longLived = s.Deadline, s.LongLived
	ph := &phase{longLived: s.InLongLived, asFresh: s.AsFresh}
	for class, since := range s.Since[:min(len(s.Since), generations)] {
		ph.since[back(0, uint8(class))] = seconds(since)
	}
	pf.phase.Store(ph)
}

// seconds is the inverse of instant.
func seconds(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}

// maxSet bounds the octets of an attribute set; the largest message has 65,535.
const maxSet = 1 << 18

// Set returns an id for the attribute set, which it copies. The id is good for
// Route of this loader. Set returns false when the set is empty or too large,
// or there are too many.
func (l *Loader) Set(a route.Attrs) (id uint32, ok bool) { return l.set(a, l.sets.hash(a)) }

// set is Set for a set with a hash.
func (l *Loader) set(a route.Attrs, hash uint64) (id uint32, ok bool) {
	if len(a) == 0 || len(a) > maxSet {
		return 0, false
	}
	return l.sets.intern(a, hash)
}

// Hash returns the hash of an attribute set, for Sets. Any goroutine may call it.
func (l *Loader) Hash(a route.Attrs) uint64 { return l.sets.hash(a) }

// Sets is Set for many sets, of which hashes are known. It writes ids that are one
// greater than those of Set, and zero for a set that Set does not take.
func (l *Loader) Sets(ids []uint32, sets []route.Attrs, hashes []uint64) {
	const ahead = 8
	for i, a := range sets {
		if i+ahead < len(hashes) {
			l.sets.meet(hashes[i+ahead])
		}
		ids[i] = 0
		if id, ok := l.set(a, hashes[i]); ok {
			ids[i] = id + 1
		}
	}
}

// Prefix returns a number for the prefix, good for Route of this loader and
// family. It returns false when the prefix is none of the family or not masked.
func (l *Loader) Prefix(id route.Family, p netip.Prefix) (slot uint32, ok bool) {
	if id >= route.NumFamilies || !fits(id, p) {
		return 0, false
	}
	k := keyOf(p)
	if !k.masked() {
		return 0, false
	}
	f := l.table.families[id].Load()
	slot, _ = f.trie.insert(k)
	l.reuse()
	return slot, true
}

// reuse gives back what has been retired, which nobody reads, once it is much.
func (l *Loader) reuse() {
	const much = 64
	if g := &l.table.grace; len(g.waiting) >= much {
		g.poll()
	}
}

// Route adds a route of the peer with the index among the states, received at a
// time in seconds. A route that is there already, of the same prefix, peer and
// path identifier, is replaced. It returns false when one of the arguments does
// not exist, a path identifier comes without ADD-PATH, or the prefix has too many
// paths.
func (l *Loader) Route(peer int, id route.Family, slot, pathID, set uint32, received int64, class uint8) bool {
	if uint(peer) >= uint(len(l.peers)) || id >= route.NumFamilies || l.peers[peer] == nil ||
		class >= l.live[peer*route.NumFamilies+int(id)].classes || received < 0 || received > math.MaxUint32 {
		return false
	}
	t, p := l.table, l.peers[peer]
	f := t.families[id].Load()
	if slot >= f.slots.count.Load() || set >= t.attrs.count.Load() || pathID != 0 && !p.info.Load().AddPath[id] {
		return false
	}
	pf := &p.families[id]
	w := newWord(set, back(0, class), uint32(received))
	old := pf.load(f, p.index, slot, pathID)
	if !pf.store(f, p.index, slot, pathID, w) {
		return false
	}
	l.reuse()
	if old != 0 {
		pf.counts[old.gen()]--
		*t.attrs.refs.at(old.id())--
	} else {
		f.onePathMore(p, slot)
	}
	*t.attrs.refs.at(set)++
	t.attrs.chargeFirst(set, p.index)
	pf.counts[w.gen()]++
	if n := pf.counts[w.gen()]; pf.column == nil && n%considerEvery == 0 {
		t.considerColumn(f, p, n)
	}
	return true
}

// considerEvery is how many routes go by between two thoughts of a column.
const considerEvery = 1024

// Finish returns the table. The loader is used up.
func (l *Loader) Finish() *Table {
	t := l.table
	for p := range t.peers.all() {
		p.publishCounts()
		for _, f := range route.Families() {
			t.considerColumn(t.families[f].Load(), p, p.families[f].total())
		}
	}
	t.grace.poll()
	for _, id := range route.Families() {
		f := t.families[id].Load()
		for slot := range f.slots.count.Load() {
			if atomic.LoadUint32(f.slots.row(slot)) == 0 {
				t.vacate(f, slot)
			}
		}
	}
	l.sets.finish()
	t.grace.poll()
	t.Measure()
	return t
}
