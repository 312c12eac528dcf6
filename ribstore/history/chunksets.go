package history

import "math/bits"

// chunkSets says which number an attribute set of the table has in a chunk. It is asked
// for every route of a snapshot: a map takes three times as long, most of it for being
// cleared. The zero chunkSets is empty.
type chunkSets struct {
	cells []chunkSet // a set is in the cell that it leads to, or a few behind
	used  int
}

// chunkSet is a cell. It is free when set is zero.
type chunkSet struct{ set, number uint32 } // set is one more than the id of the table

func (x *chunkSets) clear() {
	if x.used > 0 {
		clear(x.cells)
		x.used = 0
	}
}

// number returns where the number of a set is. It is zero for a set that is new, which
// gets the number that is then written there, one more than the number in the chunk.
// What it returns is valid until the next call.
func (x *chunkSets) number(id uint32) *uint32 {
	if 2*x.used >= len(x.cells) {
		x.grow()
	}
	c := x.cell(id)
	if c.set == 0 {
		c.set = id + 1
		x.used++
	}
	return &c.number
}

// cell returns the cell of a set, or the free cell that it gets.
func (x *chunkSets) cell(id uint32) *chunkSet {
	mask := uint32(len(x.cells) - 1)
	at := id * 0x9E3779B1 >> (33 - bits.Len(uint(len(x.cells)))) // 2³² by the golden ratio: near ids are far apart
	for x.cells[at].set != 0 && x.cells[at].set != id+1 {
		at = (at + 1) & mask
	}
	return &x.cells[at]
}

func (x *chunkSets) grow() {
	old := x.cells
	x.cells = make([]chunkSet, max(1<<10, 4*len(old)))
	for _, c := range old {
		if c.set != 0 {
			*x.cell(c.set - 1) = c
		}
	}
}
