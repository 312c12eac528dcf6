package format

import (
	"encoding/binary"

	"ribglass/ribstore/route"
)

// setWriter writes the attribute sets of a chunk or block. They are written as
// columns: which attributes every set has, then for each attribute code which of
// its values every set has, then these values, each once.
type setWriter struct {
	sets    numbering
	kinds   map[string]int
	columns [256]valueColumn // by attribute code
	words   wordWriter
}

func newSetWriter() *setWriter {
	return &setWriter{kinds: make(map[string]int)}
}

func (w *setWriter) reset() {
	w.sets.reset()
	clear(w.kinds)
	for i := range w.columns {
		w.columns[i].reset()
	}
}

// add returns the number of a set, and whether it is new. A new set has the next
// number. The set must not be changed until reset.
func (w *setWriter) add(a route.Attrs) (id uint32, fresh bool) { return w.sets.number(a) }

// appendTo appends all sets.
func (w *setWriter) appendTo(b []byte) []byte {
	var kinds, kindColumn, codes []byte
	for _, set := range w.sets.values {
		codes = codes[:0]
		for code, value := range route.Attrs(set).All() {
			codes = append(codes, byte(code))
			w.columns[code].put(value)
		}
		kind, ok := w.kinds[string(codes)]
		if !ok {
			kind = len(w.kinds)
			w.kinds[string(codes)] = kind
			kinds = appendPart(kinds, codes)
		}
		kindColumn = binary.AppendUvarint(kindColumn, uint64(kind))
	}
	b = binary.AppendUvarint(b, uint64(len(w.sets.values)))
	b = appendPart(appendPart(b, kinds), kindColumn)
	used := 0
	for i := range w.columns {
		if len(w.columns[i].values.values) > 0 {
			used++
		}
	}
	b = binary.AppendUvarint(b, uint64(used))
	for code := range w.columns {
		c := &w.columns[code]
		values := c.values.values
		if len(values) == 0 {
			continue
		}
		b = binary.AppendUvarint(append(b, byte(code)), uint64(len(values)))
		b = w.words.appendValues(appendPart(b, c.refs), values)
	}
	return b
}

// setReader reads what setWriter wrote. A question about one prefix needs few of
// the sets of a chunk or block, so a set is put together when it is asked for.
type setReader struct {
	kinds   [][]byte
	which   []setParts
	values  []uint32 // of all sets, by column
	made    []route.Attrs
	octets  []byte // of those made
	columns [256]valueReader
}

// setParts says what a set is made of.
type setParts struct {
	kind  uint32
	start uint32 // of its values
}

// maxSets bounds the octets of all sets of a chunk or block: a value that is
// written once may be referred to often.
const maxSets = MaxValue

// read finds all sets. They alias the reader's memory until the next read.
func (s *setReader) read(r *reader) {
	n := r.bounded(maxSetCount, "a count of sets")
	kindPart, kindColumn := r.part(), r.part()
	s.kinds = readKinds(&kindPart)
	s.readColumns(r)
	if kindPart.err != nil && r.err == nil {
		r.err = kindPart.err
	}
	s.which, s.values, s.octets = s.which[:0], s.values[:0], s.octets[:0]
	total := 0
	for range n {
		kind := kindColumn.below(uint64(len(s.kinds)), "a kind of set")
		if kindColumn.err != nil || r.err != nil || total > maxSets {
			r.fail("sets are cut off or too large")
			return
		}
		s.which = append(s.which, setParts{uint32(kind), uint32(len(s.values))})
		for _, code := range s.kinds[kind] {
			id, length := s.columns[code].next(r)
			s.values = append(s.values, id)
			total += length
		}
	}
	clear(s.made)
	s.made = append(s.made[:0], make([]route.Attrs, n)...)
}

// set returns a set.
func (s *setReader) set(i uint32) route.Attrs {
	if s.made[i] == nil {
		parts := s.which[i]
		start := len(s.octets)
		for k, code := range s.kinds[parts.kind] {
			value := s.columns[code].values[s.values[int(parts.start)+k]]
			s.octets = route.Attrs(s.octets).AppendAttr(route.AttrCode(code), value)
		}
		if s.octets == nil {
			s.octets = []byte{} // a set without attributes is not nil, which would be a withdrawal
		}
		s.made[i] = route.Attrs(s.octets[start:len(s.octets):len(s.octets)])
	}
	return s.made[i]
}

func (s *setReader) readColumns(r *reader) {
	for i := range s.columns {
		c := &s.columns[i]
		c.refs, c.values, c.reader, c.last = reader{}, c.values[:0], refReader{}, 0
	}
	for range r.below(uint64(len(s.columns))+1, "a count of attributes") {
		c := &s.columns[r.octet()]
		n := int(r.below(maxSetCount+1, "a count of values"))
		c.refs = r.part()
		if c.read(r, n); r.err != nil {
			return
		}
		c.reader = refReader{sets: uint32(n)}
	}
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

// References to sets are encoded so that the two commonest cases, the set before
// and a new set, always have the same number.
const (
	refLast  = 0 // the set of the entry before
	refNext  = 1 // the next set that nothing has referred to yet
	refOlder = 2 // plus how many sets before the newest
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
