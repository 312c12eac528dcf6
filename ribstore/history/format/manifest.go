package format

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"

	"ribglass/ribstore/table"
)

// Manifest says what a snapshot is made of: the state of every peer, the chunks
// that have the routes, and what was recorded while the chunks were collected.
//
// The chunks were read from the table while it changed: each of their routes was
// so at some moment between Begun and End. The tail has the records from Begun to
// End. A table of the chunks is as the table was at End once these records are
// replayed. It does no harm to replay a record whose route is in a chunk already:
// the last record of a route decides.
type Manifest struct {
	Snapshot
	States  []table.PeerState
	Numbers []uint32 // of the peers of states in the file
	Ranges  []Range
	Tail    []byte // a group
}

// Range is a part of a snapshot: the prefixes from a sort key up to the next range.
// Most ranges change a little from one snapshot to the next. So a snapshot has the
// chunks of the snapshot before, and a difference.
type Range struct {
	First   SortKey
	Base    Hash   // a chunk of all routes
	Changes []Hash // differences, each from what is before it
	Routes  uint32
}

// Hash is the address of a chunk: half of the SHA-256 of its stored octets.
type Hash [16]byte

// HashOf returns the address of the stored octets of a chunk.
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

// Encode returns the octets of a manifest, not compressed.
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
		b = appendSortKey(b, r.First)
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
	for range r.bounded(maxPeers, "a count of peers") {
		m.Numbers = append(m.Numbers, uint32(r.below(1<<32, "a peer")))
		m.States = append(m.States, r.state())
		if r.err != nil {
			return nil, r.err
		}
	}
	for range r.bounded(maxRanges, "a count of ranges") {
		c := Range{First: r.sortKey()}
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

// Find returns the index of the range that begins at a sort key, and true. When no
// range begins there, it returns the index of the first range behind it, and false.
func (m *Manifest) Find(at SortKey) (int, bool) {
	return slices.BinarySearchFunc(m.Ranges, at, func(r Range, p SortKey) int { return r.First.Compare(p) })
}

// Chunks returns the addresses of the chunks of a range.
func (r *Range) Chunks() []Hash {
	return append([]Hash{r.Base}, r.Changes...)
}
