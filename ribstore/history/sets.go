package history

import (
	"encoding/binary"

	"ribglass/ribstore/route"
)

// setWriter collects the attribute sets of a chunk or block. They are written
// by columns: which attributes a set has, how long they are, then the values of
// each attribute code together, where like stands next to like.
type setWriter struct {
	ids     map[string]uint32
	sets    []route.Attrs
	kinds   map[string]int
	columns [256][]byte
}

func newSetWriter() *setWriter {
	return &setWriter{ids: make(map[string]uint32), kinds: make(map[string]int)}
}

func (w *setWriter) reset() {
	clear(w.ids)
	clear(w.kinds)
	w.sets = w.sets[:0]
}

// add returns the number of a set, and whether it is new: then it is the next.
// The set is kept until reset.
func (w *setWriter) add(a route.Attrs) (id uint32, fresh bool) {
	if known, ok := w.ids[string(a)]; ok {
		return known, false
	}
	id = uint32(len(w.sets))
	w.ids[string(a)] = id
	w.sets = append(w.sets, a)
	return id, true
}

// appendTo appends all sets.
func (w *setWriter) appendTo(b []byte) []byte {
	var kinds, kindColumn, lengths, codes []byte
	for i := range w.columns {
		w.columns[i] = w.columns[i][:0]
	}
	for _, set := range w.sets {
		codes = codes[:0]
		for code, value := range set.All() {
			codes = append(codes, byte(code))
			lengths = binary.AppendUvarint(lengths, uint64(len(value)))
			w.columns[code] = append(w.columns[code], value...)
		}
		kind, ok := w.kinds[string(codes)]
		if !ok {
			kind = len(w.kinds)
			w.kinds[string(codes)] = kind
			kinds = appendPart(kinds, codes)
		}
		kindColumn = binary.AppendUvarint(kindColumn, uint64(kind))
	}
	b = binary.AppendUvarint(b, uint64(len(w.sets)))
	b = appendPart(b, kinds)
	b = appendPart(b, kindColumn)
	b = appendPart(b, lengths)
	for _, column := range w.columns {
		b = appendPart(b, column)
	}
	return b
}

// setReader is what setWriter wrote. Sets that nobody asks for are not put
// together.
type setReader struct {
	sets   []route.Attrs
	octets []byte
}

// read reads all sets. They alias the reader's memory until the next read.
func (s *setReader) read(r *reader) {
	n := int(r.below(uint64(len(r.b))+1, "a count of sets"))
	kindPart, kindColumn, lengths := r.part(), r.part(), r.part()
	kinds := readKinds(&kindPart)
	var columns [256]reader
	total := len(lengths.b) * 4 // what frames a value at most
	for i := range columns {
		columns[i] = r.part()
		total += len(columns[i].b)
	}
	s.sets = s.sets[:0]
	if cap(s.octets) < total {
		s.octets = make([]byte, 0, total)
	}
	out := s.octets[:0]
	for range n {
		if r.err != nil {
			return
		}
		kind := kindColumn.below(uint64(len(kinds)), "a kind of set")
		if kindColumn.err != nil {
			r.err = kindColumn.err
			return
		}
		start := len(out)
		for _, code := range kinds[kind] {
			length := lengths.below(1<<16, "the length of an attribute")
			value := columns[code].take(int(length))
			if lengths.err != nil || columns[code].err != nil {
				r.fail("an attribute is cut off")
				return
			}
			out = route.Attrs(out).AppendAttr(route.AttrCode(code), value)
		}
		s.sets = append(s.sets, route.Attrs(out[start:len(out):len(out)]))
	}
	s.octets = out
}

func readKinds(r *reader) [][]byte {
	var kinds [][]byte
	for len(r.b) > 0 {
		codes := r.take(r.count())
		for i := range codes {
			if i > 0 && codes[i] <= codes[i-1] {
				r.fail("attributes are out of order")
				return nil
			}
		}
		kinds = append(kinds, codes)
	}
	return kinds
}

// A reference to a set is a number such that a run of the same and a new one,
// which most are, have numbers that are always the same.
const (
	refLast  = 0 // the set of the one before
	refNext  = 1 // the next set that was not referred to yet
	refOlder = 2 // and how many sets before the newest
)

// refWriter makes references. Sets must be numbered in the order in which they
// are first referred to.
type refWriter struct{ newest uint32 }

func (w *refWriter) ref(last *uint32, id uint32, fresh bool) uint64 {
	defer func() { *last = id }()
	switch {
	case fresh:
		w.newest = id
		return refNext
	case id == *last:
		return refLast
	}
	return refOlder + uint64(w.newest-id)
}

// refReader resolves references to sets.
type refReader struct{ next, sets uint32 }

func (x *refReader) set(r *reader, last *uint32, ref uint64) uint32 {
	switch back := ref - refOlder; {
	case ref == refLast:
	case ref == refNext:
		*last = x.next
		x.next++
	case back < uint64(x.next):
		*last = x.next - 1 - uint32(back)
	default:
		*last = x.sets
	}
	if *last >= x.sets {
		r.fail("a reference to a set is out of range")
		return 0
	}
	return *last
}
