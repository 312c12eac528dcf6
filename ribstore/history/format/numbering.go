package format

import (
	"bytes"
	"hash/maphash"
)

// numbering gives strings of octets numbers in the order in which they are first
// met. A snapshot looks up ten million of them, for which a map of strings takes
// twice the time: it cannot take octets that stand elsewhere as they are. The zero
// numbering is empty; it is for one goroutine.
type numbering struct {
	values [][]byte // by number; not ours, and not to be changed until reset
	hashes []uint64
	places []uint32 // a number plus one, or 0, where its hash leads or a few behind
	seed   maphash.Seed
}

// reset forgets everything.
func (n *numbering) reset() {
	clear(n.values)
	clear(n.places)
	n.values, n.hashes = n.values[:0], n.hashes[:0]
}

// number returns the number of a value, and whether it is new.
func (n *numbering) number(value []byte) (id uint32, fresh bool) {
	if 2*len(n.values) >= len(n.places) {
		n.grow()
	}
	hash := maphash.Bytes(n.seed, value)
	mask := uint64(len(n.places) - 1)
	at := hash & mask
	for ; n.places[at] != 0; at = (at + 1) & mask {
		if id = n.places[at] - 1; n.hashes[id] == hash && bytes.Equal(n.values[id], value) {
			return id, false
		}
	}
	id = uint32(len(n.values))
	n.values, n.hashes = append(n.values, value), append(n.hashes, hash)
	n.places[at] = id + 1
	return id, true
}

func (n *numbering) grow() {
	if n.places == nil {
		n.seed = maphash.MakeSeed()
	}
	n.places = make([]uint32, max(16, 4*len(n.places)))
	mask := uint64(len(n.places) - 1)
	for id, hash := range n.hashes {
		at := hash & mask
		for n.places[at] != 0 {
			at = (at + 1) & mask
		}
		n.places[at] = uint32(id) + 1
	}
}
