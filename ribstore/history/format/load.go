package format

import (
	"encoding/binary"
	"hash/crc32"
	"slices"

	"github.com/klauspost/compress/s2"
)

// A group that was full before its second was over is one of many: a table is being
// loaded. Such a group is stored for the time that it takes to be written: compressed
// by S2 instead of zstd, and never merged while they are few. It has an index, so that
// a question about one prefix opens only the groups that have something of it.
//
//	length of the index (uvarint), index, sum of the key and the index,
//	group compressed by S2, sum of the key and the compressed group
//
// The index is an octet, 1 when the group has events, and the places of its prefixes.

// LevelLoad is the level of the piece of such a group.
const LevelLoad = 16

// IsGroup reports whether a piece is a group, and not a segment.
func (p *Piece) IsGroup() bool { return p.Level == 0 || p.Level == LevelLoad }

// Bucket returns the bucket that has the piece.
func (p *Piece) Bucket() []byte {
	if p.Level == LevelLoad {
		return BucketLoads
	}
	return BucketJournal
}

// sumOf returns the sum of octets that are stored under a key.
func sumOf(key, octets []byte) uint32 {
	return crc32.Update(crc32.Checksum(key, castagnoli), castagnoli, octets)
}

// LoadWriter writes such groups. The zero LoadWriter is ready; it is for one goroutine.
type LoadWriter struct {
	sorter placeSorter
	index  []byte
}

// Append appends the stored value of the octets of a group. places are those of its
// prefixes.
func (w *LoadWriter) Append(b, key, octets []byte, places *Places, events bool) []byte {
	w.index = append(w.index[:0], 0)
	if events {
		w.index[0] = 1
	}
	w.index = w.sorter.append(w.index, places)
	index := w.index
	b = be32(appendPart(b, index), sumOf(key, index))
	start := len(b)
	b = slices.Grow(b, s2.MaxEncodedLen(len(octets))+sumSize)
	n := len(s2.Encode(b[start:cap(b)], octets))
	b = b[:start+n]
	return be32(b, sumOf(key, b[start:]))
}

// loadIndex returns the index of a load, and what follows it.
func loadIndex(key, stored []byte) (index, rest []byte, err error) {
	r := reader{b: stored}
	index = r.take(r.count())
	sum := r.take(sumSize)
	if r.err != nil || len(index) == 0 || binary.BigEndian.Uint32(sum) != sumOf(key, index) {
		return nil, nil, Damagedf("its index is not what was written")
	}
	return index, r.b, nil
}

// openLoad appends the octets of the group to dst.
func openLoad(dst, key, stored []byte) ([]byte, error) {
	_, packed, err := loadIndex(key, stored)
	if err != nil {
		return nil, err
	}
	n := len(packed) - sumSize
	if n < 0 || binary.BigEndian.Uint32(packed[n:]) != sumOf(key, packed[:n]) {
		return nil, Damagedf("its octets are not those that were written")
	}
	if size, err := s2.DecodedLen(packed[:n]); err != nil || size > MaxValue {
		return nil, Damagedf("it is too large")
	}
	octets, err := s2.Decode(dst[:cap(dst)], packed[:n])
	if err != nil {
		return nil, Damagedf("%v", err)
	}
	return octets, nil
}

// LoadSize is ContentSize of a load.
func LoadSize(stored []byte) int {
	r := reader{b: stored}
	r.take(r.count())
	r.take(sumSize)
	n, err := s2.DecodedLen(r.b)
	if r.err != nil || err != nil {
		return 0
	}
	return min(n, MaxValue)
}

// loadTouches reports whether a load may have something of a scope: an event, or a
// change of a prefix.
func loadTouches(key, stored []byte, within Scope) (bool, error) {
	index, _, err := loadIndex(key, stored)
	if err != nil {
		return false, err
	}
	if index[0] != 0 || !within.Prefix.IsValid() {
		return true, nil
	}
	return placesTouch(index[1:], within.Prefix)
}
