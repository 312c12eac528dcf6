package table

import "ribglass/ribstore/route"

// charges tell what the attribute sets of each peer take. A set is charged to one
// peer, the first that announced it, however many hold it: so the charges of all
// peers together are never more than what the sets take, and a peer that announces
// what others announce too pays nothing for it.
//
// The peer that is charged may withdraw its routes while others still hold the
// set. Then it is charged for more than it holds, until [Table.Recount].
//
// The writer alone uses it.
type charges struct {
	payers chunked[uint32] // index of the peer that is charged + 1, by id of the set; 0: nobody is
	octets []uint64        // by index of the peer
}

func (c *charges) charge(id uint32, size uint32, index uint16) {
	for int(index) >= len(c.octets) {
		c.octets = append(c.octets, 0)
	}
	*c.payers.at(id) = uint32(index) + 1
	c.octets[index] += uint64(size)
}

// chargeFirst charges a set that nobody is charged for yet.
func (s *attrSets) chargeFirst(id uint32, index uint16) {
	if *s.charges.payers.at(id) == 0 {
		s.charges.charge(id, framed(len(s.get(id))), index)
	}
}

// discharge takes the set off the account of its peer.
func (c *charges) discharge(id uint32, size uint32) {
	payer := c.payers.at(id)
	if *payer != 0 {
		c.octets[*payer-1] -= uint64(size)
		*payer = 0
	}
}

func (c *charges) of(index uint16) uint64 {
	if int(index) >= len(c.octets) {
		return 0
	}
	return c.octets[index]
}

// Recount charges a peer for the attribute sets that its routes hold and that
// nobody else is charged for, and for no other set. It visits every route of the
// peer. Only the writer calls it.
func (t *Table) Recount(name string) {
	p := t.peers.named(name)
	if p == nil || p.removed.Load() {
		return
	}
	held := NewBits(int(t.attrs.count.Load()))
	for _, f := range route.Families() {
		t.eachWord(p, t.families[f].Load(), func(w word) { held.Add(w.id()) })
	}
	t.settle(p.index, held)
	p.publishCharge(t)
}

// settle charges the peer with the index for the sets held, as far as nobody else
// is charged for them.
func (t *Table) settle(index uint16, held Bits) {
	for id := range t.attrs.count.Load() {
		if *t.attrs.refs.at(id) == 0 {
			continue
		}
		payer := *t.attrs.charges.payers.at(id)
		switch has := held != nil && held.Has(id); {
		case payer == uint32(index)+1 && !has:
			t.attrs.charges.discharge(id, framed(len(t.attrs.get(id))))
		case payer == 0 && has:
			t.attrs.charges.charge(id, framed(len(t.attrs.get(id))), index)
		}
	}
}

// eachWord calls found for every route of the peer in a family, those that wait
// for their sweep included.
func (t *Table) eachWord(p *peer, f *family, found func(word)) {
	pf := &p.families[f.id]
	if pf.total() == 0 {
		return
	}
	for slot := range f.slots.count.Load() {
		if pf.column != nil {
			if w := pf.column.load(slot); w != 0 {
				found(w)
			}
			continue
		}
		r := f.rows.load(f.slots.row(slot))
		for i := range r.len() {
			if e := r.at(i); e.peer() == p.index {
				found(e.word)
			}
		}
	}
}

// publishCharge lets readers see what the peer is charged for.
func (p *peer) publishCharge(t *Table) { p.attrOctets.Store(t.attrs.charges.of(p.index)) }

// AttributeBytes returns the memory of the attribute sets that the peer is charged
// for, as of its last batch. Anyone may call it.
func (t *Table) AttributeBytes(name string) uint64 {
	p := t.peers.named(name)
	if p == nil {
		return 0
	}
	return p.attrOctets.Load()
}

// Largest returns the name of the peer that takes most memory among those that
// wanted holds for, and that memory in bytes: attribute sets, and what a route
// takes beside them. It returns "" when no peer has anything. Only the writer
// calls it.
func (t *Table) Largest(wanted func(name string, up bool) bool) (name string, bytes uint64) {
	const routeBytes = 16 // a route in a row
	for p := range t.peers.all() {
		if p.removed.Load() {
			continue
		}
		n := t.attrs.charges.of(p.index)
		for i := range p.families {
			n += uint64(p.families[i].total()) * routeBytes
		}
		if n > bytes && wanted(p.name, p.up.Load()) {
			name, bytes = p.name, n
		}
	}
	return name, bytes
}
