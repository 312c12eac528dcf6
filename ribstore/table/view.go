package table

import (
	"iter"
	"net/netip"
	"time"

	"ribglass/ribstore/route"
)

// View is the table as a reader sees it, valid inside [Table.View] only. What
// it returns as [route.Route] is the caller's to keep. Its methods may be called
// by one goroutine at a time.
//
// A view shows the routes of all peers until [View.Confine] hides some.
type View struct {
	table    *Table
	peers    peerPlaces // by index
	columns  *columnSets
	visible  Select  // the peers that the view shows; nil: all
	views    viewSet // once Hide was called: the views of those it left
	changes  uint64  // Table.peerChanges before peers was read
	families [route.NumFamilies]*family
	slots    []uint32 // scratch
}

// Dest is a destination: one prefix of the table. It is valid inside the view
// that gave it.
type Dest struct {
	Family route.Family
	Prefix netip.Prefix
	slot   uint32
}

// View calls read with a view of the table. Anyone may call it, at any time: it
// takes no lock and nobody waits for it. Memory freed meanwhile is not reused
// until read returns, so read should not wait for anything itself.
func (t *Table) View(read func(*View) error) error {
	in := t.grace.enter()
	defer in.exit()
	v := t.views.Get().(*View)
	v.changes = t.peerChanges.Load()
	v.table, v.columns, v.peers, v.visible, v.views = t, t.columns.Load(), t.peers.byIndex(), nil, 0
	for i := range v.families {
		v.families[i] = t.families[i].Load()
	}
	defer t.views.Put(v)
	return read(v)
}

func (v *View) dest(f *family, slot uint32) Dest {
	return Dest{f.id, f.slots.key(slot).prefix(f.slots.ipv6), slot}
}

// fits reports whether a prefix is of the address length of the family.
func fits(f route.Family, p netip.Prefix) bool { return p.IsValid() && p.Addr().BitLen() == f.Bits() }

// Longest returns the most specific prefix that covers the address.
func (v *View) Longest(id route.Family, addr netip.Addr) (Dest, bool) {
	if addr.BitLen() != id.Bits() {
		return Dest{}, false
	}
	if v.visible != nil {
		dests := v.Covering(id, netip.PrefixFrom(addr, addr.BitLen()))
		if len(dests) == 0 {
			return Dest{}, false
		}
		return dests[len(dests)-1], true
	}
	f := v.families[id]
	slot, ok := f.trie.longest(keyOfAddr(addr))
	if !ok {
		return Dest{}, false
	}
	return v.dest(f, slot), true
}

// Exact returns the prefix, which must be masked.
func (v *View) Exact(id route.Family, p netip.Prefix) (Dest, bool) {
	if !fits(id, p) {
		return Dest{}, false
	}
	f := v.families[id]
	slot, ok := f.trie.exact(keyOf(p))
	if !ok || !v.shows(f, slot) {
		return Dest{}, false
	}
	return v.dest(f, slot), true
}

// Covering returns the prefixes that cover p, p included, the shortest first.
func (v *View) Covering(id route.Family, p netip.Prefix) []Dest {
	if !fits(id, p) {
		return nil
	}
	f := v.families[id]
	v.slots = f.trie.covering(v.slots[:0], keyOf(p.Masked()))
	dests := make([]Dest, 0, len(v.slots))
	for _, slot := range v.slots {
		if v.shows(f, slot) {
			dests = append(dests, v.dest(f, slot))
		}
	}
	return dests
}

// Within yields the prefixes that p covers, p included, ordered by address and
// then length; when after is valid, only those behind it. An invalid p means
// the whole family.
func (v *View) Within(id route.Family, p, after netip.Prefix) iter.Seq[Dest] {
	f := v.families[id]
	var within, behind key
	if p.IsValid() {
		within = keyOf(p.Masked())
	}
	if after.IsValid() {
		behind = keyOf(after)
	}
	return func(yield func(Dest) bool) {
		if p.IsValid() && !fits(id, p) || after.IsValid() && !fits(id, after) {
			return
		}
		f.trie.ascend(within, behind, after.IsValid(), func(slot uint32) bool { return !v.shows(f, slot) || yield(v.dest(f, slot)) })
	}
}

// routesOf calls found with each route of the slot, and the phase of the peer in
// which it had that route.
func (v *View) routesOf(d Dest, chosen Select, found func(p *peer, pathID uint32, w word, ph *phase)) {
	columns := v.columns[d.Family].list
	for i := range columns {
		p := columns[i].peer
		if !chosen.Has(p.index) || !v.visible.Has(p.index) {
			continue
		}
		if w, ph := p.inColumn(d.Family, columns[i].column, d.slot); w != 0 {
			found(p, 0, w, ph)
		}
	}
	f := v.families[d.Family]
	ref := f.slots.row(d.slot)
	r := f.rows.load(ref)
	for i := range r.len() {
		e := r.at(i)
		p := v.inRow(d.Family, e)
		if p == nil || !chosen.Has(p.index) || !v.visible.Has(p.index) {
			continue
		}
		if w, ph := p.settled(f, ref, r, e); w != 0 {
			found(p, e.pathID(), w, ph)
		}
	}
}

// inColumn returns the route of a slot and the phase that it was read in, and
// zero when there is none or its generation is gone. A generation's number comes
// round again, so that a word means something only together with its phase.
func (p *peer) inColumn(f route.Family, c *column, slot uint32) (word, *phase) {
	for ph := p.families[f].phase.Load(); ; {
		w := c.load(slot)
		now := p.families[f].phase.Load()
		if w == 0 || now == ph {
			if ph.isGone(w.gen()) {
				w = 0
			}
			return w, ph
		}
		ph = now
	}
}

// settled does for an entry of a row what inColumn does for a column: when the
// row was replaced before the phase was read, it takes the entry of the row as
// it is now.
func (p *peer) settled(f *family, ref *uint32, r row, e rowEntry) (word, *phase) {
	for {
		ph := p.families[f.id].phase.Load()
		now := f.rows.load(ref)
		if len(now) > 0 && &now[0] == &r[0] {
			if ph.isGone(e.word.gen()) {
				return 0, nil
			}
			return e.word, ph
		}
		at := now.find(e.owner)
		if at < 0 {
			return 0, nil
		}
		r, e = now, now.at(at)
	}
}

// inRow returns the peer of a row's route, nil when the view has it elsewhere or
// not at all.
func (v *View) inRow(f route.Family, e rowEntry) *peer {
	index := e.peer()
	if v.columns[f].has(index) {
		return nil
	}
	return v.peers.at(index)
}

// Count returns how many routes the destination has of the chosen peers.
func (v *View) Count(d Dest, chosen Select) int {
	n := 0
	v.routesOf(d, chosen, func(*peer, uint32, word, *phase) { n++ })
	return n
}

// Routes appends the routes of the destination as [Decide] orders all that the
// view shows, of which those of the chosen peers are kept.
func (v *View) Routes(dst []route.Route, d Dest, chosen Select) []route.Route {
	start := len(dst)
	v.routesOf(d, nil, func(p *peer, pathID uint32, w word, ph *phase) {
		dst = append(dst, v.route(d, p, pathID, w, ph))
	})
	Decide(dst[start:])
	if chosen == nil {
		return dst
	}
	kept := dst[:start]
	for _, r := range dst[start:] {
		if p := v.table.peers.named(r.Peer.Name); p != nil && chosen.Has(p.index) {
			kept = append(kept, r)
		}
	}
	return kept
}

func (v *View) route(d Dest, p *peer, pathID uint32, w word, ph *phase) route.Route {
	r := route.Route{
		Prefix:     d.Prefix,
		Family:     d.Family,
		Peer:       p.info.Load(),
		PathID:     pathID,
		Attrs:      v.table.attrs.get(w.id()),
		ReceivedAt: time.Unix(int64(w.received()), 0).UTC(),
	}
	if ph.since[w.gen()] != 0 {
		r.StaleSince = time.Unix(ph.since[w.gen()], 0).UTC()
		r.LongLived, r.AsFresh = ph.longLived, ph.asFresh
	}
	return r
}

// Totals returns how many routes each family has of the chosen peers, and how many
// of them are stale.
func (v *View) Totals(chosen Select) (routes, stale [route.NumFamilies]int) {
	for p := range v.peers.all() {
		if p.removed.Load() || !chosen.Has(p.index) || !v.visible.Has(p.index) {
			continue
		}
		for f := range routes {
			routes[f] += int(p.families[f].routes.Load())
			stale[f] += int(p.families[f].stale.Load())
		}
	}
	return routes, stale
}

// Total returns how many routes the family has of the chosen peers.
func (v *View) Total(id route.Family, chosen Select) int {
	n := 0
	for p := range v.peers.all() {
		if chosen.Has(p.index) && v.visible.Has(p.index) {
			n += int(p.families[id].routes.Load())
		}
	}
	return n
}
