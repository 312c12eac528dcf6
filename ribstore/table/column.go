package table

import "sync/atomic"

// column holds the routes of a peer that has one for a good part of all
// prefixes: a word a slot, in chunks that exist only where there is a route.
//
// One writer stores words; readers load them. A reader that finds no chunk
// finds no route.
type column struct {
	chunks atomic.Pointer[[]*columnChunk]
}

type columnChunk struct {
	words [chunkSlots]atomic.Uint64
	used  int // the writer's
}

// load returns the route of the slot, zero for none.
func (c *column) load(slot uint32) word {
	chunks := *c.chunks.Load()
	if i := int(slot >> chunkShift); i < len(chunks) && chunks[i] != nil {
		return word(chunks[i].words[slot&chunkMask].Load())
	}
	return 0
}

// store sets the route of the slot; zero removes it.
func (c *column) store(slot uint32, w word) {
	chunks := *c.chunks.Load()
	i := int(slot >> chunkShift)
	if i >= len(chunks) || chunks[i] == nil {
		if w == 0 {
			return
		}
		chunks = c.addChunk(i)
	}
	chunk := chunks[i]
	old := chunk.words[slot&chunkMask].Load()
	chunk.words[slot&chunkMask].Store(uint64(w))
	switch {
	case old == 0 && w != 0:
		chunk.used++
	case old != 0 && w == 0:
		if chunk.used--; chunk.used == 0 {
			c.setChunk(i, nil)
		}
	}
}

func (c *column) addChunk(i int) []*columnChunk {
	c.setChunk(i, new(columnChunk))
	return *c.chunks.Load()
}

// setChunk publishes the chunks with one changed. Chunks are garbage-collected:
// a reader may hold an old one.
func (c *column) setChunk(i int, chunk *columnChunk) {
	old := *c.chunks.Load()
	chunks := make([]*columnChunk, max(len(old), i+1))
	copy(chunks, old)
	chunks[i] = chunk
	c.chunks.Store(&chunks)
}

func newColumn() *column {
	c := new(column)
	c.chunks.Store(new([]*columnChunk))
	return c
}

func (c *column) bytes() uint64 {
	var n uint64
	for _, chunk := range *c.chunks.Load() {
		if chunk != nil {
			n += chunkSlots*8 + 8
		}
	}
	return n
}
