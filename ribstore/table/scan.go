package table

import (
	"iter"
	"math/bits"
	"net/netip"
	"slices"
	"sync/atomic"

	"ribglass/ribstore/route"
)

// Bits is a set of small numbers: attribute sets or slots.
type Bits []uint64

// NewBits returns an empty set that can hold numbers below n.
func NewBits(n int) Bits { return make(Bits, (n+63)/64) }

// Add adds n, which must be below the size the set was made for.
func (b Bits) Add(n uint32) { b[n>>6] |= 1 << (n & 63) }

// Has reports whether n is in the set.
func (b Bits) Has(n uint32) bool { return int(n>>6) < len(b) && b[n>>6]>>(n&63)&1 != 0 }

// Count returns how many numbers are in the set.
func (b Bits) Count() int {
	n := 0
	for _, word := range b {
		n += bits.OnesCount64(word)
	}
	return n
}

// Or adds all of other, which has the same size.
func (b Bits) Or(other Bits) {
	for i, word := range other {
		b[i] |= word
	}
}

// Sets returns a number above the id of every attribute set in the view.
func (v *View) Sets() int { return int(v.table.attrs.count.Load()) }

// Set returns the attribute set with an id below Sets. An id that no route has
// gives some set of the past or nil.
func (v *View) Set(id uint32) route.Attrs {
	place := atomic.LoadUint32(v.table.attrs.where.at(id))
	slabs := *v.table.attrs.slabs.Load()
	if i := int(place >> slabShift); i < len(slabs) && slabs[i] != nil {
		return slabs[i].set(place)
	}
	return nil
}

// EachSet calls visit with the attribute sets whose ids are from first up to last, which is
// not above Sets. It is Set for many.
func (v *View) EachSet(first, last uint32, visit func(id uint32, set route.Attrs)) {
	slabs, chunks := *v.table.attrs.slabs.Load(), *v.table.attrs.where.chunks.Load()
	for id := first; id < last; id++ {
		place := atomic.LoadUint32(&chunks[id>>chunkShift][id&chunkMask])
		if i := int(place >> slabShift); i < len(slabs) && slabs[i] != nil {
			visit(id, slabs[i].set(place))
			continue
		}
		if set := v.Set(id); set != nil { // it was moved to a new slab meanwhile
			visit(id, set)
		}
	}
}

// Slots returns a number above every slot of the family.
func (v *View) Slots(f route.Family) int { return int(v.families[f].slots.count.Load()) }

// SetTurns has turns govern the long work of readers, see [View.Turn]. Nobody
// may read the table yet.
func (t *Table) SetTurns(turns func(work func() bool) (more bool)) { t.turns = turns }

// Turn calls work again and again until it returns false or the turn is over,
// and reports whether there is more to do. When a turn is over is for the owner
// of the table to say, with [Table.SetTurns], so that searches leave room for
// lookups; without an owner a turn has no end. A piece of work should take less
// than a millisecond.
func (v *View) Turn(work func() bool) (more bool) {
	if v.table.turns != nil {
		return v.table.turns(work)
	}
	for work() {
	}
	return false
}

// Found is a route as [View.Scan] meets it: cheaper than a [route.Route], which
// [View.Route] makes of it.
type Found struct {
	Family route.Family
	Best   bool // once [Contest.Decide] was asked
	Slot   uint32
	Set    uint32 // id of its attribute set
	PathID uint32
	peer   *peer
	word   word
	phase  *phase // of the peer when it had this route
}

// Peer returns the peer of a route.
func (f Found) Peer() *route.Peer { return f.peer.info.Load() }

// Index returns the small number that the peer goes by in this view.
func (f Found) Index() uint16 { return f.peer.index }

// Received returns the time of receipt in seconds.
func (f Found) Received() int64 { return int64(f.word.received()) }

// Stale reports whether no session confirms the route.
func (f Found) Stale() bool { return f.phase.since[f.word.gen()] != 0 }

// Slot returns the slot of a destination.
func (d Dest) Slot() uint32 { return d.slot }

// Each calls found with the routes of a destination, in no order.
func (v *View) Each(d Dest, chosen Select, found func(Found)) {
	v.routesOf(d, chosen, func(p *peer, pathID uint32, w word, ph *phase) {
		found(newFound(d.Family, d.slot, pathID, p, w, ph))
	})
}

// Meet appends the routes of a slot of all peers that the view shows, in no order.
func (v *View) Meet(dst []Found, f route.Family, slot uint32) []Found {
	v.routesOf(Dest{Family: f, slot: slot}, nil, func(p *peer, pathID uint32, w word, ph *phase) {
		dst = append(dst, newFound(f, slot, pathID, p, w, ph))
	})
	return dst
}

func newFound(f route.Family, slot, pathID uint32, p *peer, w word, ph *phase) Found {
	return Found{Family: f, Slot: slot, Set: w.id(), PathID: pathID, peer: p, word: w, phase: ph}
}

// Bits returns the length of the prefix of a slot.
func (v *View) Bits(f route.Family, slot uint32) int {
	return int(v.families[f].slots.chunk(slot).bits[slot&chunkMask])
}

// Dest returns the destination of a slot that a scan found.
func (v *View) Dest(f route.Family, slot uint32) Dest { return v.dest(v.families[f], slot) }

// Route returns the route, undecided.
func (v *View) Route(f Found) route.Route {
	return v.route(v.Dest(f.Family, f.Slot), f.peer, f.PathID, f.word, f.phase)
}

// Ordered yields the destinations of the slots in order, as [View.Within] does;
// nil slots mean all. A few are sorted, many are met on a walk.
func (v *View) Ordered(id route.Family, p, after netip.Prefix, slots Bits) iter.Seq[Dest] {
	const few = 1 << 14
	if slots == nil || slots.Count() > few {
		return func(yield func(Dest) bool) {
			for d := range v.Within(id, p, after) {
				if (slots == nil || slots.Has(d.slot)) && !yield(d) {
					return
				}
			}
		}
	}
	return v.sorted(id, after, slots)
}

func (v *View) sorted(id route.Family, after netip.Prefix, slots Bits) iter.Seq[Dest] {
	f := v.families[id]
	var behind key
	if after.IsValid() {
		behind = keyOf(after)
	}
	type place struct {
		key  key
		slot uint32
	}
	var places []place
	for i, word := range slots {
		for ; word != 0; word &= word - 1 {
			slot := uint32(i*64 + bits.TrailingZeros64(word))
			if k := f.slots.key(slot); (!after.IsValid() || behind.before(k)) && v.shows(f, slot) {
				places = append(places, place{k, slot})
			}
		}
	}
	slices.SortFunc(places, func(a, b place) int {
		switch {
		case a.key.before(b.key):
			return -1
		case b.key.before(a.key):
			return 1
		}
		return 0
	})
	return func(yield func(Dest) bool) {
		for _, p := range places {
			if !yield(v.dest(f, p.slot)) {
				return
			}
		}
	}
}

// Wanted confines a scan to routes that are known by their words alone. The zero Wanted
// is all routes.
type Wanted struct {
	Sets   Bits   // attribute sets; nil: all
	Peers  Select // nil: all
	From   uint32 // received at this second or later
	Before uint32 // received before this second; 0: whenever
	Stale  bool   // only routes that no session confirms
	Fresh  bool   // only routes that one does
	Older  bool   // only routes from before the last route refresh, or before the session
}

// IsAll reports whether all routes are wanted.
func (w *Wanted) IsAll() bool {
	return w.Sets == nil && w.Peers == nil && w.From == 0 && w.Before == 0 && !w.Stale && !w.Fresh && !w.Older
}

// generations returns those of whose routes the scan wants some.
func (w *Wanted) generations(ph *phase) uint16 {
	of := ^ph.gone
	for gen, since := range ph.since {
		if w.Stale && since == 0 || w.Fresh && since != 0 {
			of &^= 1 << gen
		}
	}
	if w.Older {
		of &^= 1 << ph.gen
	}
	return of
}

// received returns what must be below span when the first is taken from a time of receipt.
func (w *Wanted) received() (from uint32, span uint64) {
	if w.Before == 0 {
		return w.From, 1<<32 - uint64(w.From)
	}
	return w.From, uint64(max(w.From, w.Before) - w.From)
}

// Scan calls found with the wanted routes of the slots from first up to last, in no
// order. Several goroutines may scan one view at a time, each its own slots.
func (v *View) Scan(id route.Family, first, last uint32, wanted *Wanted, found func(Found)) {
	if wanted.Peers.isEmpty() {
		return
	}
	for _, c := range v.columns[id].list {
		if wanted.Peers.Has(c.peer.index) && v.visible.Has(c.peer.index) {
			scanColumn(id, c, first, last, wanted, found)
		}
	}
	f := v.families[id]
	last = min(last, f.slots.count.Load())
	from, span := wanted.received()
	for slot := first; slot < last; slot++ {
		ref := f.slots.row(slot)
		if atomic.LoadUint32(ref) == 0 {
			continue
		}
		r := f.rows.load(ref)
		for i := range r.len() {
			e := r.at(i)
			if wanted.Sets != nil && !wanted.Sets.Has(e.word.id()) || uint64(e.word.received()-from) >= span {
				continue
			}
			p := v.inRow(id, e)
			if p == nil || !wanted.Peers.Has(p.index) || !v.visible.Has(p.index) {
				continue
			}
			if ph := p.families[id].phase.Load(); wanted.generations(ph)>>e.word.gen()&1 != 0 {
				found(newFound(id, slot, e.pathID(), p, e.word, ph))
			}
		}
	}
}

func scanColumn(id route.Family, c peerColumn, first, last uint32, wanted *Wanted, found func(Found)) {
	ph := c.peer.families[id].phase.Load()
	generations := wanted.generations(ph)
	if generations == 0 {
		return
	}
	from, span := wanted.received()
	sets, chunks := wanted.Sets, *c.column.chunks.Load()
	for at := first; at < last; {
		i := at >> chunkShift
		if int(i) >= len(chunks) {
			return
		}
		end := min(last, (i+1)<<chunkShift)
		if chunks[i] == nil {
			at = end
			continue
		}
		words := chunks[i].words[at&chunkMask : (end-1)&chunkMask+1]
		for j := range words {
			w := word(words[j].Load())
			// Few sets are wanted, so that is asked first, of an empty word too.
			if sets != nil && !sets.Has(w.id()) {
				continue
			}
			if w == 0 || generations>>w.gen()&1 == 0 || uint64(w.received()-from) >= span {
				continue
			}
			found(newFound(id, at+uint32(j), 0, c.peer, w, ph))
		}
		at = end
	}
}
