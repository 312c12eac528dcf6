package format

import (
	"cmp"
	"encoding/binary"
	"math/bits"
	"slices"
)

// valueColumn collects the values of one attribute code, each once.
type valueColumn struct {
	values numbering
	refs   []byte // of the sets
	writer refWriter
	last   uint32
}

func (c *valueColumn) reset() {
	if len(c.values.values) > 0 {
		c.values.reset()
		*c = valueColumn{values: c.values, refs: c.refs[:0]}
	}
}

func (c *valueColumn) put(value []byte) {
	id, fresh := c.values.number(value)
	c.refs = binary.AppendUvarint(c.refs, c.writer.ref(&c.last, id, fresh))
}

// Most octets of a table are AS paths and communities: lists of few different words
// of four octets. Such values are written as numbers of words, so that a word that
// is often used takes one octet instead of four. That also leaves less to
// decompress.
const (
	formOctets = 0 // lengths and octets
	formWords  = 1 // lists of words
	formPaths  = 2 // segments of words, as those of AS_PATH
)

// appendValues appends values in the smallest form that fits all of them.
func (w *wordWriter) appendValues(b []byte, values [][]byte) []byte {
	w.lengths = w.lengths[:0]
	switch {
	case w.collect(values, eachWord):
		b = w.number(append(b, formWords))
		for _, v := range values {
			w.lengths = binary.AppendUvarint(w.lengths, uint64(len(v)/wordSize))
		}
	case w.collect(values, eachOfPath):
		b = w.number(append(b, formPaths))
		for _, v := range values {
			w.lengths = appendShape(w.lengths, v)
		}
	default:
		octets := w.octets[:0]
		for _, v := range values {
			w.lengths = binary.AppendUvarint(w.lengths, uint64(len(v)))
			octets = append(octets, v...)
		}
		w.octets = octets
		return appendPart(appendPart(append(b, formOctets), w.lengths), octets)
	}
	octets := w.octets[:0]
	for _, i := range w.said {
		octets = binary.AppendUvarint(octets, uint64(w.numbers[i]))
	}
	w.octets = octets
	return appendPart(appendPart(b, w.lengths), octets)
}

const wordSize = 4

// eachWord calls found with the words of a value, and reports whether the value is
// a list of words.
func eachWord(v []byte, found func(uint32)) bool {
	if len(v)%wordSize != 0 {
		return false
	}
	for ; len(v) > 0; v = v[wordSize:] {
		found(binary.BigEndian.Uint32(v))
	}
	return true
}

// eachOfPath calls found with the words of segments, each a type and a count before
// them, and reports whether a value has that form.
func eachOfPath(v []byte, found func(uint32)) bool {
	for len(v) > 0 {
		if len(v) < 2 || len(v) < 2+int(v[1])*wordSize {
			return false
		}
		end := 2 + int(v[1])*wordSize
		eachWord(v[2:end], found)
		v = v[end:]
	}
	return true
}

// asSequence is the type of the one segment that most AS paths have.
const asSequence = 2

// appendShape appends everything of a path but its words: for a single AS_SEQUENCE
// twice its count of words, else twice the count of segments plus one, and then
// the type and the count of words of each segment.
func appendShape(b, v []byte) []byte {
	if len(v) > 2 && v[0] == asSequence && len(v) == 2+int(v[1])*wordSize {
		return binary.AppendUvarint(b, uint64(v[1])<<1)
	}
	var segments []byte
	for len(v) > 0 {
		segments = append(segments, v[0], v[1])
		v = v[2+int(v[1])*wordSize:]
	}
	return append(binary.AppendUvarint(b, uint64(len(segments)/2)<<1|1), segments...)
}

// wordWriter numbers the words of values, the most used first. The zero wordWriter
// is ready.
type wordWriter struct {
	words   []uint32 // each once
	used    []uint32 // how often
	said    []uint32 // indexes in words, in the order of the values
	cells   []uint32 // an index in words plus one, in the cell that a word leads to or a few behind; 0 in a free cell
	shift   int
	order   []uint64 // scratch: words with their indexes, ascending
	sorting []uint64 // scratch
	numbers []uint32
	lengths []byte // scratch
	octets  []byte // scratch
}

// collect takes the words of values. It reports whether all values have the form,
// and whether the words recur so often that a list of them saves octets.
func (w *wordWriter) collect(values [][]byte, each func([]byte, func(uint32)) bool) bool {
	clear(w.cells)
	w.words, w.used, w.said = w.words[:0], w.used[:0], w.said[:0]
	for _, v := range values {
		if !each(v, w.say) {
			return false
		}
	}
	return len(w.said) >= 2*len(w.words) && len(w.said) > 0
}

func (w *wordWriter) say(word uint32) {
	if 2*len(w.words) >= len(w.cells) {
		w.grow()
	}
	at := w.cell(word)
	if w.cells[at] == 0 {
		w.words, w.used = append(w.words, word), append(w.used, 0)
		w.cells[at] = uint32(len(w.words))
	}
	i := w.cells[at] - 1
	w.used[i]++
	w.said = append(w.said, i)
}

// cell returns the cell that a word has, or the free cell that it gets.
func (w *wordWriter) cell(word uint32) uint32 {
	mask := uint32(len(w.cells) - 1)
	at := word * 0x9E3779B1 >> w.shift // 2³² by the golden ratio: near words are far apart
	for w.cells[at] != 0 && w.words[w.cells[at]-1] != word {
		at = (at + 1) & mask
	}
	return at
}

func (w *wordWriter) grow() {
	w.cells = make([]uint32, max(1<<8, 4*len(w.cells)))
	w.shift = 33 - bits.Len(uint(len(w.cells)))
	for i, word := range w.words {
		w.cells[w.cell(word)] = uint32(i) + 1
	}
}

// number gives the words their numbers and appends the list of words. Words whose
// numbers take the same count of octets are in ascending order, so that the list
// takes few octets.
func (w *wordWriter) number(b []byte) []byte {
	w.sort()
	w.numbers = append(w.numbers[:0], w.used...)
	n := len(w.order)
	b = binary.AppendUvarint(b, uint64(n))
	list, rest := w.octets[:0], w.order
	for start := range wordRanges(n) {
		least, ties := w.leastUsed(rest, min(nextRange(start), n)-start)
		before, number, later := uint32(0), uint32(start), rest[:0]
		for _, key := range rest {
			word, at := uint32(key>>32), uint32(key)
			switch used := w.used[at]; {
			case used > least:
			case used == least && ties > 0:
				ties--
			default:
				later = append(later, key)
				continue
			}
			list = binary.AppendUvarint(list, uint64(word-before))
			before = word
			w.numbers[at] = number
			number++
		}
		rest = later
	}
	w.octets = list
	return appendPart(b, list)
}

// sort puts the words in order: by radix, since there are ten thousands of them for each
// chunk and a comparison of two takes longer.
func (w *wordWriter) sort() {
	const digit, digits = 11, 3 // bits; of a word
	w.order = w.order[:0]
	for i, word := range w.words {
		w.order = append(w.order, uint64(word)<<32|uint64(i))
	}
	if len(w.order) < 1<<(digit-2) {
		slices.Sort(w.order)
		return
	}
	w.sorting = append(w.sorting[:0], w.order...)
	for d := range digits {
		shift := 32 + d*digit
		var starts [1<<digit + 1]uint32
		for _, key := range w.order {
			starts[key>>shift&(1<<digit-1)+1]++
		}
		for i := 1; i < len(starts); i++ {
			starts[i] += starts[i-1]
		}
		for _, key := range w.order {
			at := &starts[key>>shift&(1<<digit-1)]
			w.sorting[*at] = key
			*at++
		}
		w.order, w.sorting = w.sorting, w.order
	}
}

// leastUsed finds the n most used of words: those used more often than least, and so
// many more, the first, of those used as often.
func (w *wordWriter) leastUsed(words []uint64, n int) (least uint32, ties int) {
	if n == len(words) {
		return 0, 0 // each is used
	}
	const most = 1 << 12 // uses that are counted one by one
	var counts [most]int
	var often []uint32
	for _, key := range words {
		if used := w.used[uint32(key)]; used < most {
			counts[used]++
		} else {
			often = append(often, used)
		}
	}
	if len(often) >= n {
		slices.SortFunc(often, func(a, b uint32) int { return cmp.Compare(b, a) })
		least = often[n-1]
		return least, n - slices.Index(often, least)
	}
	n -= len(often)
	least = most - 1
	for ; counts[least] < n; least-- {
		n -= counts[least]
	}
	return least, n
}

// nextRange returns the first number that takes an octet more than start does.
func nextRange(start int) int {
	if start == 0 {
		return 1 << 7
	}
	return start << 7
}

// wordRanges yields where numbers begin to take an octet more, below n.
func wordRanges(n int) func(yield func(int) bool) {
	return func(yield func(int) bool) {
		for start := 0; start < n && yield(start); start = nextRange(start) {
		}
	}
}

// valueReader reads what a valueColumn wrote.
type valueReader struct {
	refs   reader
	values [][]byte
	octets []byte // of the values that had to be put together
	words  []uint32
	reader refReader
	last   uint32
}

// read reads n values. Errors are those of r.
func (c *valueReader) read(r *reader, n int) {
	c.values = c.values[:0]
	form := r.octet()
	switch form {
	case formOctets:
		c.readOctets(r, n)
		return
	case formWords, formPaths:
	default:
		r.fail("the form of values is unknown")
		return
	}
	c.readWords(r)
	lengths, ids := r.part(), r.part()
	// A number of a word has an octet or more.
	if n > len(lengths.b) || r.err != nil {
		r.fail("values of an attribute are cut off")
		return
	}
	if wordSize*len(ids.b) > maxSets {
		r.fail("values of an attribute are too large")
		return
	}
	out := slices.Grow(c.octets[:0], wordSize*len(ids.b)+2*len(lengths.b))
	for range n {
		start := len(out)
		if form == formWords {
			out = c.list(out, &ids, lengths.below(1<<16/wordSize, "the length of an attribute"))
		} else {
			out = c.path(out, &lengths, &ids)
		}
		if err := firstError(&lengths, &ids); err != nil {
			r.err = err
			return
		}
		c.values = append(c.values, out[start:len(out):len(out)])
	}
	c.octets = out
}

func (c *valueReader) readOctets(r *reader, n int) {
	lengths, values := r.part(), r.part()
	if r.err != nil || n > len(lengths.b) {
		r.fail("values of an attribute are cut off")
		return
	}
	for range n {
		c.values = append(c.values, values.take(int(lengths.below(1<<16, "the length of an attribute"))))
	}
	if err := firstError(&lengths, &values); err != nil {
		r.err = err
	}
}

// readWords reads the list of words.
func (c *valueReader) readWords(r *reader) {
	n := r.bounded(maxWords, "a count of words")
	list := r.part()
	c.words = c.words[:0]
	for start := range wordRanges(n) {
		word := uint32(0)
		for range min(nextRange(start), n) - start {
			word += uint32(list.uvarint())
			c.words = append(c.words, word)
		}
	}
	if list.err != nil {
		r.err = list.err
	}
}

// list appends as many words.
func (c *valueReader) list(out []byte, ids *reader, n uint64) []byte {
	for range n {
		id := ids.uvarint()
		if id >= uint64(len(c.words)) || ids.err != nil {
			ids.fail("a word is out of range")
			return out
		}
		out = binary.BigEndian.AppendUint32(out, c.words[id])
	}
	return out
}

// path appends a path.
func (c *valueReader) path(out []byte, shape, ids *reader) []byte {
	n := shape.below(1<<16, "the length of a path")
	if n&1 == 0 {
		if n > 2*0xFF {
			shape.fail("a segment is too long")
			return out
		}
		return c.list(append(out, asSequence, byte(n>>1)), ids, n>>1)
	}
	for range n >> 1 {
		kind, count := shape.octet(), shape.octet()
		if shape.err != nil {
			return out
		}
		out = c.list(append(out, kind, count), ids, uint64(count))
	}
	return out
}

// next returns which value the next set has, and how many octets it takes there.
func (c *valueReader) next(r *reader) (id uint32, length int) {
	id = c.reader.set(&c.refs, &c.last, c.refs.uvarint())
	if c.refs.err != nil {
		r.fail("a value of an attribute is missing")
		return 0, 0
	}
	return id, len(c.values[id]) + maxAttrHead
}

// maxAttrHead is how many octets an attribute of a set has at most beside its
// value.
const maxAttrHead = 4
