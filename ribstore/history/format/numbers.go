package format

import "math/bits"

// Numbers gives ids numbers: the attribute sets of a table in a chunk, and the peers of a
// file in one. It is asked for every route of a snapshot, where a map takes three times as
// long, most of it for being cleared. The zero Numbers is empty; it is for one goroutine.
type Numbers struct {
	cells []numbered // an id is in the cell that it leads to, or a few behind
	used  int
}

// numbered is a cell. It is free when number is zero.
type numbered struct{ id, number uint32 }

// Reset forgets everything.
func (x *Numbers) Reset() {
	if x.used > 0 {
		clear(x.cells)
		x.used = 0
	}
}

// Of returns where the number of an id is. It is zero for a new id, and then has to be
// set to another value before the next call.
func (x *Numbers) Of(id uint32) *uint32 {
	if 2*x.used >= len(x.cells) {
		x.grow()
	}
	c := x.cell(id)
	if c.number == 0 {
		c.id = id
		x.used++
	}
	return &c.number
}

// Find returns the number of an id, zero for none.
func (x *Numbers) Find(id uint32) uint32 {
	if x.used == 0 {
		return 0
	}
	return x.cell(id).number
}

// cell returns the cell of an id, or the free cell that it gets.
func (x *Numbers) cell(id uint32) *numbered {
	mask := uint32(len(x.cells) - 1)
	at := id * 0x9E3779B1 >> (33 - bits.Len(uint(len(x.cells)))) // 2³² by the golden ratio: near ids are far apart
	for x.cells[at].number != 0 && x.cells[at].id != id {
		at = (at + 1) & mask
	}
	return &x.cells[at]
}

func (x *Numbers) grow() {
	old := x.cells
	x.cells = make([]numbered, max(16, 4*len(old)))
	for _, c := range old {
		if c.number != 0 {
			*x.cell(c.id) = c
		}
	}
}
