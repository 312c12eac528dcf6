package format

import (
	"encoding/binary"
	"slices"
)

// A segment is a part of the journal put in order: changes by prefix in blocks,
// so that the past of one prefix is read without all the others, and the events
// of sessions apart. It takes the place of the groups, or of the smaller
// segments, that it was made of.

// Segment is the header of one.
type Segment struct {
	Events []byte // a group of the events
	Blocks []BlockInfo
}

// BlockInfo describes a block. Its number is its place in the list.
type BlockInfo struct {
	First   SortKey // of its first change
	Changes uint32
}

func (s *Segment) Encode(key []byte) []byte {
	b := appendPart(nil, key)
	b = appendPart(b, s.Events)
	b = binary.AppendUvarint(b, uint64(len(s.Blocks)))
	for i := range s.Blocks {
		b = appendPlace(b, s.Blocks[i].First)
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
	for range r.count() {
		s.Blocks = append(s.Blocks, BlockInfo{r.place(), uint32(r.uvarint())})
		if n := len(s.Blocks); r.err == nil && n > 1 && s.Blocks[n-2].First.Compare(s.Blocks[n-1].First) > 0 {
			r.fail("blocks are out of order")
		}
		if r.err != nil {
			return nil, r.err
		}
	}
	return s, r.end()
}

// Wanted reports whether block i may have changes of the scope.
func (s *Segment) Wanted(i int, within Scope) bool {
	next := SortKey{}
	if i+1 < len(s.Blocks) && s.Blocks[i+1].First.Family == s.Blocks[i].First.Family && s.Blocks[i+1].First.Long == s.Blocks[i].First.Long {
		next = s.Blocks[i+1].First
	}
	return within.Touches(s.Blocks[i].First, next)
}
