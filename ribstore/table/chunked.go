package table

import (
	"slices"
	"sync/atomic"
)

// chunked is an array that grows without moving what is in it, so that readers
// can hold on to an element. The zero value is empty.
//
// One writer makes it reach further; readers use elements that they know exist.
type chunked[T uint32] struct {
	chunks atomic.Pointer[[]*[chunkSlots]T]
}

// at returns the element i, which was reached before.
func (c *chunked[T]) at(i uint32) *T {
	return &(*c.chunks.Load())[i>>chunkShift][i&chunkMask]
}

// reach makes element i exist.
func (c *chunked[T]) reach(i uint32) {
	var chunks []*[chunkSlots]T
	if p := c.chunks.Load(); p != nil {
		chunks = *p
	}
	if int(i>>chunkShift) < len(chunks) {
		return
	}
	grown := append(slices.Clip(chunks), new([chunkSlots]T))
	c.chunks.Store(&grown)
}

func (c *chunked[T]) bytes() uint64 {
	p := c.chunks.Load()
	if p == nil {
		return 0
	}
	return uint64(len(*p)) * chunkSlots * 4
}
