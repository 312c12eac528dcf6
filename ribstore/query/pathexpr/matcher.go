package pathexpr

import (
	"encoding/binary"

	"ribglass/ribstore/route"
)

// memoBits sets the size of the memo: 2^14 entries of 8 bytes fit a core's
// second-level cache and hold the AS numbers that are met often.
const memoBits = 14

// Matcher matches paths against one [Pattern]. [Pattern.Matcher] makes one. It
// remembers where AS numbers led, so it is for one goroutine at a time and
// not to be copied; its memory does not grow.
type Matcher struct {
	next  []uint16
	final []bool
	// memo is a direct-mapped cache: an entry is AS number, state and the state
	// after " 64500" from there, in 32, 16 and 16 bits. The zero entry says
	// that dead stays dead, which is true.
	memo *[1 << memoBits]uint64
}

// Matcher returns a new matcher of the pattern.
func (p *Pattern) Matcher() *Matcher {
	return &Matcher{next: p.dfa.next, final: p.dfa.final, memo: new([1 << memoBits]uint64)}
}

// Match reports whether the path matches. It does not allocate.
func (m *Matcher) Match(path route.ASPath) bool {
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

// sequence follows AS numbers, each with a space in front.
func (m *Matcher) sequence(state uint64, asns []byte) uint64 {
	for ; len(asns) >= 4 && state > accept; asns = asns[4:] {
		asn := binary.BigEndian.Uint32(asns)
		key := uint64(asn)<<16 | state
		entry := &m.memo[key*0x9e3779b97f4a7c15>>(64-memoBits)]
		if *entry>>16 != key {
			*entry = key<<16 | m.number(m.symbol(state, space), asn)
		}
		state = *entry & 0xffff
	}
	return state
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
