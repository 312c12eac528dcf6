package format

import (
	"bytes"
	"hash/maphash"
)

// numbering numbers strings of octets in the order in which it first meets them.
// A snapshot looks up ten million of them. A map of strings takes twice the time,
// because it has to copy the octets of every key. The zero numbering is empty; it
// is for one goroutine.
type numbering struct {
	values [][]byte // by number; not ours, and not to be changed until reset
	hashes []uint64
	cells  []uint32 // a number plus one, in the cell that its hash leads to or a few behind; 0 in a free cell
	seed   maphash.Seed
}

// reset forgets everything.
func (n *numbering) reset() {
	clear(n.values)
	clear(n.cells)
	n.values, n.hashes = n.values[:0], n.hashes[:0]
}

// number returns the number of a value, and whether it is new.
func (n *numbering) number(value []byte) (id uint32, fresh bool) {
	if 2*len(n.values) >= len(n.cells) {
		n.grow()
	}
	hash := maphash.Bytes(n.seed, value)
	mask := uint64(len(n.cells) - 1)
	at := hash & mask
	for ; n.cells[at] != 0; at = (at + 1) & mask {
		if id = n.cells[at] - 1; n.hashes[id] == hash && bytes.Equal(n.values[id], value) {
			return id, false
		}
	}
	id = uint32(len(n.values))
	n.values, n.hashes = append(n.values, value), append(n.hashes, hash)
	n.cells[at] = id + 1
	return id, true
}

func (n *numbering) grow() {
	if n.cells == nil {
		n.seed = maphash.MakeSeed()
	}
	n.cells = make([]uint32, max(16, 4*len(n.cells)))
	mask := uint64(len(n.cells) - 1)
	for id, hash := range n.hashes {
		at := hash & mask
		for n.cells[at] != 0 {
			at = (at + 1) & mask
		}
		n.cells[at] = uint32(id) + 1
	}
}
