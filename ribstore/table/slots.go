package table

import (
	"slices"
	"sync/atomic"
)

// slots are the numbers that prefixes of one family go by. Trie, columns and
// rows refer to a prefix by its slot. A slot that a prefix leaves is reused
// when no reader can hold it any more.
//
// One writer takes and releases; readers may resolve a slot that they found in
// the trie or in a column.
type slots struct {
	ipv6   bool
	chunks atomic.Pointer[[]*slotChunk]
	free   []uint32
	count  atomic.Uint32 // slots ever taken: all are below
	used   atomic.Int64  // slots that hold a prefix
}

const (
	chunkShift = 10
	chunkSlots = 1 << chunkShift
	chunkMask  = chunkSlots - 1
)

// slotChunk holds what belongs to 1,024 slots. Only the half of the address
// that the family needs is there.
type slotChunk struct {
	v4   *[chunkSlots]uint32
	v6   *[chunkSlots][2]uint64
	bits [chunkSlots]uint8
	rows [chunkSlots]uint32 // blocks of routes of sparse peers, see rows
}

func (s *slots) chunk(slot uint32) *slotChunk { return (*s.chunks.Load())[slot>>chunkShift] }

// key returns the prefix of a slot.
func (s *slots) key(slot uint32) key {
	c, i := s.chunk(slot), slot&chunkMask
	if s.ipv6 {
		return key{c.v6[i][0], c.v6[i][1], c.bits[i]}
	}
	return key{uint64(c.v4[i]) << 32, 0, c.bits[i]}
}

// row returns the word that refers to the routes of sparse peers.
func (s *slots) row(slot uint32) *uint32 { return &s.chunk(slot).rows[slot&chunkMask] }

// take gives the prefix a slot.
func (s *slots) take(k key) uint32 {
	var slot uint32
	if n := len(s.free); n > 0 {
		slot = s.free[n-1]
		s.free = s.free[:n-1]
	} else {
		slot = s.count.Load()
		if slot&chunkMask == 0 {
			s.grow()
		}
		s.count.Store(slot + 1)
	}
	s.used.Add(1)
	c, i := s.chunk(slot), slot&chunkMask
	c.bits[i] = k.bits
	if s.ipv6 {
		c.v6[i] = [2]uint64{k.hi, k.lo}
	} else {
		c.v4[i] = uint32(k.hi >> 32)
	}
	return slot
}

func (s *slots) grow() {
	var chunks []*slotChunk
	if p := s.chunks.Load(); p != nil {
		chunks = *p
	}
	c := new(slotChunk)
	if s.ipv6 {
		c.v6 = new([chunkSlots][2]uint64)
	} else {
		c.v4 = new([chunkSlots]uint32)
	}
	grown := append(slices.Clip(chunks), c)
	s.chunks.Store(&grown)
}

// release makes the slot available again. No reader may hold it.
func (s *slots) release(slot uint32, _ int) { s.free = append(s.free, slot) }

func (s *slots) bytes() uint64 {
	p := s.chunks.Load()
	if p == nil {
		return 0
	}
	size := uint64(chunkSlots * (4 + 1 + 4))
	if s.ipv6 {
		size = chunkSlots * (16 + 1 + 4)
	}
	return uint64(len(*p))*size + uint64(cap(s.free))*4
}
