package table

import (
	"net/netip"

	"ribglass/ribstore/route"
)

// Select is a choice of peers: a set of the small numbers that peers go by in a
// view. The nil Select is all of them. It is a value that nobody changes.
type Select []uint64

// Has reports whether the peer with the number is chosen.
func (s Select) Has(index uint16) bool {
	if s == nil {
		return true
	}
	i := int(index >> 6)
	return i < len(s) && s[i]>>(index&63)&1 != 0
}

// isEmpty reports whether no peer is chosen.
func (s Select) isEmpty() bool {
	for _, word := range s {
		if word != 0 {
			return false
		}
	}
	return s != nil
}

// And returns the peers that are chosen in both.
func (s Select) And(other Select) Select {
	switch {
	case s == nil:
		return other
	case other == nil:
		return s
	}
	both := make(Select, min(len(s), len(other)))
	for i := range both {
		both[i] = s[i] & other[i]
	}
	return both
}

// Select returns the choice of the peers that match, of those that the view shows.
func (v *View) Select(match func(*route.Peer) bool) Select {
	chosen := make(Select, (len(v.peers)+63)/64)
	for p := range v.peers.all() {
		if v.visible.Has(p.index) && match(p.info.Load()) {
			chosen[p.index>>6] |= 1 << (p.index & 63)
		}
	}
	return chosen
}

// WithStale returns the choice of the peers that may have routes which no session
// confirms.
func (v *View) WithStale() Select {
	chosen := make(Select, (len(v.peers)+63)/64)
	for p := range v.peers.all() {
		for f := range p.families {
			if p.families[f].phase.Load().since != [generations]int64{} {
				chosen[p.index>>6] |= 1 << (p.index & 63)
			}
		}
	}
	return chosen
}

// Of returns the choice of the peer that goes by the name, or of nobody when the view
// does not show it.
func (v *View) Of(name string) Select {
	p := v.table.peers.named(name)
	if p == nil || !v.visible.Has(p.index) {
		return Select{}
	}
	chosen := make(Select, p.index>>6+1)
	chosen[p.index>>6] = 1 << (p.index & 63)
	return chosen
}

// Confine hides all peers but the chosen ones from the view, for as long as the
// view lasts. A view that was confined before is confined to the peers chosen
// both times. The view then answers as if the table had never heard of the other
// peers: a prefix that only they have does not exist, and a route that loses
// against one of theirs is the best.
func (v *View) Confine(to Select) { v.visible = v.visible.And(to) }

// Hide confines the view to the peers that may be seen. Unlike Confine, which
// chooses among peers that are known, it has the view forget also of which views
// of routers the others were.
func (v *View) Hide(sees func(*route.Peer) bool) {
	views := hiding
	v.Confine(v.Select(func(p *route.Peer) bool {
		seen := sees(p)
		if seen {
			views |= 1 << p.View
		}
		return seen
	}))
	v.views = views
}

// Confined reports whether the view may hide peers.
func (v *View) Confined() bool { return v.visible != nil }

// shows reports whether the view has a route of the slot. In a view of all peers
// every slot of the trie counts, also one whose routes wait for their sweep.
func (v *View) shows(f *family, slot uint32) bool {
	return v.visible == nil || v.has(f, slot)
}

// has reports whether a visible peer has a route of the slot.
func (v *View) has(f *family, slot uint32) bool {
	for _, c := range v.columns[f.id].list {
		if !v.visible.Has(c.peer.index) {
			continue
		}
		if w, _ := c.peer.inColumn(f.id, c.column, slot); w != 0 {
			return true
		}
	}
	ref := f.slots.row(slot)
	r := f.rows.load(ref)
	for i := range r.len() {
		e := r.at(i)
		p := v.inRow(f.id, e)
		if p == nil || !v.visible.Has(p.index) {
			continue
		}
		if w, _ := p.settled(f, ref, r, e); w != 0 {
			return true
		}
	}
	return false
}

// Counts returns the totals of what the view shows. For a view that is confined
// they are counted route by route, and the memory held is not told.
func (v *View) Counts() Counts {
	if v.visible == nil {
		return v.table.Counts()
	}
	var c Counts
	for p := range v.peers.all() {
		if p.removed.Load() || !v.visible.Has(p.index) {
			continue
		}
		c.Peers++
		for f := range p.families {
			c.Routes[f] += int(p.families[f].routes.Load())
			c.Stale[f] += int(p.families[f].stale.Load())
		}
	}
	sets := make(Bits, 0)
	for _, id := range route.Families() {
		for range v.Within(id, netip.Prefix{}, netip.Prefix{}) {
			c.Prefixes[id]++
		}
		v.Scan(id, 0, uint32(v.Slots(id)), new(Wanted), func(f Found) {
			for int(f.Set>>6) >= len(sets) {
				sets = append(sets, 0)
			}
			sets.Add(f.Set)
		})
	}
	c.AttributeSets = sets.Count()
	return c
}
