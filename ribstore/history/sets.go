package history

import (
	"encoding/binary"
	"maps"
	"slices"

	"ribglass/ribstore/route"
)

// setWriter collects the attribute sets of a chunk or block. They are written
// by columns: which attributes a set has, and for each attribute code which of its
// values; then the values, each once, where like stands next to like.
type setWriter struct {
	ids     map[string]uint32
	sets    []route.Attrs
	kinds   map[string]int
	columns map[byte]*valueColumn
}

// valueColumn is the values of one attribute code.
type valueColumn struct {
	ids             map[string]uint32
	refs            []byte
	lengths, values []byte
	writer          refWriter
	last            uint32
}

func newSetWriter() *setWriter {
	return &setWriter{ids: make(map[string]uint32), kinds: make(map[string]int), columns: make(map[byte]*valueColumn)}
}

func (w *setWriter) reset() {
	clear(w.ids)
	clear(w.kinds)
	clear(w.columns)
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
	var kinds, kindColumn, codes []byte
	for _, set := range w.sets {
		codes = codes[:0]
		for code, value := range set.All() {
			codes = append(codes, byte(code))
			w.column(byte(code)).put(value)
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
	b = appendPart(appendPart(b, kinds), kindColumn)
	b = binary.AppendUvarint(b, uint64(len(w.columns)))
	for _, code := range slices.Sorted(maps.Keys(w.columns)) {
		c := w.columns[code]
		b = binary.AppendUvarint(append(b, code), uint64(len(c.ids)))
		b = appendPart(appendPart(appendPart(b, c.refs), c.lengths), c.values)
	}
	return b
}

func (w *setWriter) column(code byte) *valueColumn {
	c := w.columns[code]
	if c == nil {
		c = &valueColumn{ids: make(map[string]uint32)}
		w.columns[code] = c
	}
	return c
}

func (c *valueColumn) put(value []byte) {
	id, known := c.ids[string(value)]
	if !known {
		id = uint32(len(c.ids))
		c.ids[string(value)] = id
		c.lengths = binary.AppendUvarint(c.lengths, uint64(len(value)))
		c.values = append(c.values, value...)
	}
	c.refs = binary.AppendUvarint(c.refs, c.writer.ref(&c.last, id, !known))
}

// setReader is what setWriter wrote.
type setReader struct {
	sets    []route.Attrs
	octets  []byte
	columns [256]valueReader
}

type valueReader struct {
	refs   reader
	values [][]byte
	reader refReader
	last   uint32
}

// maxSets bounds the octets of all sets of a chunk or block: a value that is
// written once may be referred to often.
const maxSets = maxValue

// read reads all sets. They alias the reader's memory until the next read.
func (s *setReader) read(r *reader) {
	n := int(r.below(uint64(len(r.b))+1, "a count of sets"))
	kindPart, kindColumn := r.part(), r.part()
	kinds := readKinds(&kindPart)
	s.readColumns(r)
	if kindPart.err != nil && r.err == nil {
		r.err = kindPart.err
	}
	s.sets = s.sets[:0]
	out, total := s.octets[:0], 0
	for range n {
		kind := kindColumn.below(uint64(len(kinds)), "a kind of set")
		if kindColumn.err != nil || r.err != nil || total > maxSets {
			r.fail("sets are cut off or too large")
			return
		}
		start := len(out)
		for _, code := range kinds[kind] {
			out = route.Attrs(out).AppendAttr(route.AttrCode(code), s.columns[code].next(r))
		}
		total += len(out) - start
		s.sets = append(s.sets, route.Attrs(out[start:len(out):len(out)]))
	}
	s.octets = out
}

func (s *setReader) readColumns(r *reader) {
	for i := range s.columns {
		c := &s.columns[i]
		c.refs, c.values, c.reader, c.last = reader{}, c.values[:0], refReader{}, 0
	}
	for range r.below(uint64(len(s.columns))+1, "a count of attributes") {
		c := &s.columns[r.octet()]
		n := r.uvarint()
		refs, lengths, values := r.part(), r.part(), r.part()
		if r.err != nil || n > uint64(len(lengths.b)) {
			r.fail("values of an attribute are cut off")
			return
		}
		c.refs, c.values = refs, c.values[:0]
		for range n {
			c.values = append(c.values, values.take(int(lengths.below(1<<16, "the length of an attribute"))))
		}
		if err := firstError(&lengths, &values); err != nil {
			r.err = err
			return
		}
		c.reader = refReader{sets: uint32(n)}
	}
}

// next returns the value that the next set has.
func (c *valueReader) next(r *reader) []byte {
	id := c.reader.set(&c.refs, &c.last, c.refs.uvarint())
	if c.refs.err != nil {
		r.fail("a value of an attribute is missing")
		return nil
	}
	return c.values[id]
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
