package format

import (
	"encoding/binary"
	"slices"
)

// A segment is a part of the journal in another order. Its blocks have the changes
// by prefix, so that the past of one prefix is read without the past of all
// others. Its header has the events of sessions. It takes the place of the groups,
// or of the smaller segments, that it was made of.

// Segment is the header of a segment.
type Segment struct {
	Events []byte // a group of the events
	Blocks []BlockInfo
}

// BlockInfo describes a block. Its index in the list is its number.
type BlockInfo struct {
	First   SortKey // of its first change
	Changes uint32
}

// Encode returns the octets of the header, not compressed.
func (s *Segment) Encode(key []byte) []byte {
	b := appendPart(nil, key)
	b = appendPart(b, s.Events)
	b = binary.AppendUvarint(b, uint64(len(s.Blocks)))
	for i := range s.Blocks {
		b = appendSortKey(b, s.Blocks[i].First)
		b = binary.AppendUvarint(b, uint64(s.Blocks[i].Changes))
	}
	return b
}

func decodeSegment(key, b []byte) (*Segment, error) {
	r := reader{b: b}
	if filed := r.take(r.count()); r.err == nil && string(filed) != string(key) {
		return nil, Damagedf("a segment is filed as another one")
	}
	s := &Segment{Events: slices.Clone(r.take(r.count()))}
	for range r.bounded(maxBlockCount, "a count of blocks") {
		s.Blocks = append(s.Blocks, BlockInfo{r.sortKey(), uint32(r.uvarint())})
		if n := len(s.Blocks); r.err == nil && n > 1 && s.Blocks[n-2].First.Compare(s.Blocks[n-1].First) > 0 {
			r.fail("blocks are out of order")
		}
		if r.err != nil {
			return nil, r.err
		}
	}
	return s, r.end()
}

// Wanted reports whether block i may have changes of a scope.
func (s *Segment) Wanted(i int, within Scope) bool {
	next := SortKey{}
	if i+1 < len(s.Blocks) && s.Blocks[i+1].First.Family == s.Blocks[i].First.Family && s.Blocks[i+1].First.Long == s.Blocks[i].First.Long {
		next = s.Blocks[i+1].First
	}
	return within.Touches(s.Blocks[i].First, next)
}
