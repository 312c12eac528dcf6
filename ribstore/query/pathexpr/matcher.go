package pathexpr

import (
	"encoding/binary"

	"ribglass/ribstore/route"
)

// Matcher matches paths against one [Pattern]. [Pattern.Matcher] makes one; its
// zero value is of no use. It is for one goroutine at a time, as it may come to
// remember what it met.
type Matcher struct {
	next     []uint16
	final    []bool
	lead     []uint16 // see thousands; nil when the automaton is too large
	full     []uint16
	required []route.ASN
	elements *elementNFA
	pattern  *Pattern
	matches  int // up to manyMatches
}

// manyMatches is how many paths are matched digit by digit before tables pay.
const manyMatches = 256

// Matcher returns a new matcher of the pattern. It costs next to nothing.
func (p *Pattern) Matcher() *Matcher {
	return &Matcher{
		next: p.dfa.next, final: p.dfa.final, required: p.required, elements: p.elements, pattern: p,
	}
}

// Match reports whether the path matches. It does not allocate.
func (m *Matcher) Match(path route.ASPath) bool {
	for _, n := range m.required {
		if !path.Has(n) {
			return false // most paths end here, for a few comparisons
		}
	}
	if m.elements != nil && len(path) > 0 {
		if _, plain := path.Sequence(); !plain {
			return m.elements.match(path)
		}
	}
	if m.matches < manyMatches {
		if m.matches++; m.matches == manyMatches {
			m.hasten()
		}
	}
	state := uint64(nothing)
	for len(path) >= 2 && state > accept {
		end := 2 + 4*int(path[1])
		if end > len(path) {
			break // as route.ASPath.Segments does
		}
		if route.SegmentType(path[0]) == route.ASSequence && end > 2 {
			state = m.sequence(state, path[2:end])
		} else {
			state = m.segment(state, route.SegmentType(path[0]), path[2:end])
		}
		path = path[end:]
	}
	return m.final[state]
}

// hasten takes the tables of the pattern, which the first matcher that wants them makes.
func (m *Matcher) hasten() {
	t := m.pattern.thousands
	t.once.Do(func() { t.make(m.pattern.dfa) })
	m.lead, m.full = t.lead, t.full
}

// sequence follows AS numbers, each with a space in front.
func (m *Matcher) sequence(state uint64, asns []byte) uint64 {
	if m.lead == nil {
		for ; len(asns) >= 4 && state > accept; asns = asns[4:] {
			state = m.number(m.symbol(state, space), binary.BigEndian.Uint32(asns))
		}
		return state
	}
	for ; len(asns) >= 4 && state > accept; asns = asns[4:] {
		state = m.spaced(state, binary.BigEndian.Uint32(asns))
	}
	return state
}

// spaced follows a space and an AS number by thousands.
func (m *Matcher) spaced(state uint64, asn uint32) uint64 {
	if asn < 1000 {
		return uint64(m.lead[state<<thousandBits|uint64(asn)])
	}
	high, low := asn/1000, asn%1000
	if high < 1000 {
		state = uint64(m.lead[state<<thousandBits|uint64(high)])
	} else {
		state = m.spaced(state, high)
	}
	return uint64(m.full[state<<thousandBits|uint64(low)])
}

// segment follows the segments that are rare, as [route.ASPath.AppendText]
// prints them.
func (m *Matcher) segment(state uint64, t route.SegmentType, asns []byte) uint64 {
	opening, separator, closing := -1, space, -1
	switch t {
	case route.ASSet:
		opening, separator, closing = symbolOpenBrace, symbolComma, symbolCloseBrace
	case route.ASConfedSequence:
		opening, closing = symbolOpenParenthesis, symbolCloseParenthesis
	case route.ASConfedSet:
		opening, separator, closing = symbolOpenBracket, symbolComma, symbolCloseBracket
	case route.ASSequence:
	}
	if opening < 0 && len(asns) == 0 && state == nothing {
		return nothing // printed as nothing, so no separator follows either
	}
	state = m.symbol(state, space)
	if opening >= 0 {
		state = m.symbol(state, opening)
	}
	for i := 0; i+4 <= len(asns); i += 4 {
		if i > 0 {
			state = m.symbol(state, separator)
		}
		state = m.number(state, binary.BigEndian.Uint32(asns[i:]))
	}
	if closing >= 0 {
		state = m.symbol(state, closing)
	}
	return state
}

// number follows the digits of an AS number.
func (m *Matcher) number(state uint64, asn uint32) uint64 {
	var digits [10]uint8
	i := len(digits)
	for {
		i--
		digits[i] = uint8(asn % 10)
		asn /= 10
		if asn == 0 {
			break
		}
	}
	for _, digit := range digits[i:] {
		state = m.symbol(state, int(digit))
	}
	return state
}

func (m *Matcher) symbol(state uint64, symbol int) uint64 {
	return uint64(m.next[state*stride+uint64(symbol)])
}
