package mrt

import (
	"bytes"
	"hash/maphash"

	"ribglass/ribstore/route"
)

const (
	memoSlots    = 1 << 15
	memoLongest  = 4 << 10  // octets of attributes that are remembered
	memoCapacity = 32 << 20 // octets remembered before all are forgotten
)

// memo remembers the attributes of table entries decoded lately: neighbouring
// prefixes, and the peers behind one of them, often have the same. It is a table
// with one place for each hash, so that remembering costs nothing once it is warm.
type memo struct {
	seed   maphash.Seed
	slots  []memoSlot
	octets int
}

type memoSlot struct {
	hash  uint64
	form  form
	raw   []byte // empty: nothing
	attrs route.Attrs
}

func newMemo() *memo { return &memo{seed: maphash.MakeSeed()} }

// find returns the attributes decoded from raw, and the hash to remember them by.
func (m *memo) find(f form, raw []byte) (attrs route.Attrs, hash uint64, ok bool) {
	hash = maphash.Bytes(m.seed, raw)
	if m.slots == nil { // not before the first table: a file of messages has none
		m.slots = make([]memoSlot, memoSlots)
	}
	slot := &m.slots[hash%memoSlots]
	if slot.hash != hash || slot.form != f || len(raw) == 0 || !bytes.Equal(slot.raw, raw) {
		return nil, hash, false
	}
	return slot.attrs, hash, true
}

// remember keeps copies.
func (m *memo) remember(hash uint64, f form, raw []byte, attrs route.Attrs) {
	if len(raw) > memoLongest {
		return
	}
	slot := &m.slots[hash%memoSlots]
	before := cap(slot.raw) + cap(slot.attrs)
	slot.hash, slot.form = hash, f
	slot.raw, slot.attrs = append(slot.raw[:0], raw...), append(slot.attrs[:0], attrs...)
	if m.octets += cap(slot.raw) + cap(slot.attrs) - before; m.octets > memoCapacity {
		clear(m.slots)
		m.octets = 0
	}
}
