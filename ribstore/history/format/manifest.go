package format

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"

	"ribglass/ribstore/table"
)

// Manifest is what a snapshot is made of: the state of every peer, the chunks
// that have the routes, and what was recorded while they were collected.
//
// The chunks were read off the table while it changed: what is in them was so at
// some moment between begun and end. The tail has the records from begun to end,
// and with them replayed the table is as it was at end. That a record is replayed
// on what has it already does no harm: the last record of a route decides.
type Manifest struct {
	Snapshot
	States  []table.PeerState
	Numbers []uint32 // of the peers of states in the file
	Ranges  []Range
	Tail    []byte // a group
}

// Range is the part of a snapshot from a place up to the next range. At
// ordinary churn most ranges change a little from one snapshot to the next, so
// that a snapshot adds a difference to the chunks that the one before has.
type Range struct {
	First   SortKey
	Base    Hash   // a chunk of all routes
	Changes []Hash // differences, each from what is before it
	Routes  uint32
}

// Hash is the address of a chunk: half of the SHA-256 of its stored octets.
type Hash [16]byte

func HashOf(stored []byte) Hash {
	sum := sha256.Sum256(stored)
	return Hash(sum[:16])
}

// ParseHash returns the address that the key of a chunk is.
func ParseHash(key []byte) (at Hash, ok bool) {
	if len(key) != len(at) {
		return Hash{}, false
	}
	return Hash(key), true
}

func (m *Manifest) Encode() []byte {
	b := appendPart(nil, m.Key())
	b = binary.AppendUvarint(b, uint64(len(m.States)))
	for i := range m.States {
		b = binary.AppendUvarint(b, uint64(m.Numbers[i]))
		b = appendState(b, &m.States[i])
	}
	b = binary.AppendUvarint(b, uint64(len(m.Ranges)))
	for i := range m.Ranges {
		r := &m.Ranges[i]
		b = appendPlace(b, r.First)
		b = append(b, r.Base[:]...)
		b = append(b, byte(len(r.Changes)))
		for _, change := range r.Changes {
			b = append(b, change[:]...)
		}
		b = binary.AppendUvarint(b, uint64(r.Routes))
	}
	return appendPart(b, m.Tail)
}

func decodeManifest(key, b []byte) (*Manifest, error) {
	r := reader{b: b}
	if filed := r.take(r.count()); r.err == nil && string(filed) != string(key) {
		return nil, Damagedf("a snapshot is filed as another one")
	}
	s, err := ParseSnapshot(key)
	if err != nil {
		return nil, err
	}
	m := &Manifest{Snapshot: s}
	for range r.count() {
		m.Numbers = append(m.Numbers, uint32(r.below(1<<32, "a peer")))
		m.States = append(m.States, r.state())
		if r.err != nil {
			return nil, r.err
		}
	}
	for range r.count() {
		c := Range{First: r.place()}
		copy(c.Base[:], r.take(len(c.Base)))
		for range r.octet() {
			var change Hash
			copy(change[:], r.take(len(change)))
			c.Changes = append(c.Changes, change)
		}
		c.Routes = uint32(r.uvarint())
		if n := len(m.Ranges); n > 0 && m.Ranges[n-1].First.Compare(c.First) >= 0 {
			r.fail("chunks are out of order")
		}
		if r.err != nil {
			return nil, r.err
		}
		m.Ranges = append(m.Ranges, c)
	}
	m.Tail = slices.Clone(r.take(r.count()))
	return m, r.end()
}

// Find returns the index of the range that begins at a place and whether there is
// one; else that of the first one behind it.
func (m *Manifest) Find(at SortKey) (int, bool) {
	return slices.BinarySearchFunc(m.Ranges, at, func(r Range, p SortKey) int { return r.First.Compare(p) })
}

// Chunks returns the addresses of what a range is made of.
func (r *Range) Chunks() []Hash {
	return append([]Hash{r.Base}, r.Changes...)
}
