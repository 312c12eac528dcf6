package route

import (
	"encoding/binary"
	"fmt"
	"iter"
	"strconv"
	"strings"
)

// ASN is a four-octet autonomous system number (RFC 6793).
type ASN uint32

// ASTrans stands in for a four-octet AS number towards a speaker that knows
// only two octets (RFC 6793 section 4.2.2).
const ASTrans ASN = 23456

// String returns n in asplain (RFC 5396).
func (n ASN) String() string { return strconv.FormatUint(uint64(n), 10) }

// ParseASN reads asplain ("64500") or asdot ("1.10") with an optional "AS" in
// front, in any case.
func ParseASN(s string) (ASN, error) {
	digits := s
	if len(s) > 2 && strings.EqualFold(s[:2], "as") {
		digits = s[2:]
	}
	if high, low, dotted := strings.Cut(digits, "."); dotted {
		h, errHigh := strconv.ParseUint(high, 10, 16)
		l, errLow := strconv.ParseUint(low, 10, 16)
		if errHigh != nil || errLow != nil {
			return 0, fmt.Errorf("AS number %q: each half of asdot is 0 to 65535", s)
		}
		return ASN(h<<16 | l), nil
	}
	n, err := strconv.ParseUint(digits, 10, 32)
	if err != nil {
		return 0, fmt.Errorf("AS number %q: not a number from 0 to 4294967295", s)
	}
	return ASN(n), nil
}

// SegmentType is the type of an AS_PATH segment (RFC 4271 section 4.3, RFC 5065).
type SegmentType uint8

// The segment types.
const (
	ASSet            SegmentType = 1
	ASSequence       SegmentType = 2
	ASConfedSequence SegmentType = 3
	ASConfedSet      SegmentType = 4
)

// ASPath is an AS_PATH with four-octet AS numbers in wire format: segments of
// type, count and AS numbers. The decoder has checked it, so its methods trust
// it. An empty path is a route of the peer's own AS (iBGP). It aliases the
// [Attrs] it came from; it is never modified.
type ASPath []byte

// Segment is one segment of an ASPath. Its AS numbers alias the path.
type Segment struct {
	Type SegmentType
	asns []byte
}

// Len returns the count of AS numbers in the segment.
func (s Segment) Len() int { return len(s.asns) / 4 }

// At returns AS number i of the segment.
func (s Segment) At(i int) ASN { return ASN(binary.BigEndian.Uint32(s.asns[4*i:])) }

// Slice returns the AS numbers from i up to j as a segment of the same type.
func (s Segment) Slice(i, j int) Segment { return Segment{s.Type, s.asns[4*i : 4*j]} }

// Segments yields the segments in order.
func (p ASPath) Segments() iter.Seq[Segment] {
	return func(yield func(Segment) bool) {
		for rest := p; len(rest) >= 2; {
			end := 2 + 4*int(rest[1])
			if end > len(rest) || !yield(Segment{SegmentType(rest[0]), rest[2:end]}) {
				return
			}
			rest = rest[end:]
		}
	}
}

// All yields every AS number in order, members of sets included.
func (p ASPath) All() iter.Seq[ASN] {
	return func(yield func(ASN) bool) {
		for s := range p.Segments() {
			for i := range s.Len() {
				if !yield(s.At(i)) {
					return
				}
			}
		}
	}
}

// Has reports whether the AS number is in the path, in a segment of any type.
func (p ASPath) Has(n ASN) bool { return p.HasWithin(n, n) }

// HasWithin reports whether an AS number from first to last is in the path, in a segment
// of any type. Searches ask it of every attribute set.
func (p ASPath) HasWithin(first, last ASN) bool {
	span := uint32(last - first)
	for rest := p; len(rest) >= 2; {
		end := 2 + 4*int(rest[1])
		if end > len(rest) {
			return false
		}
		for i := 2; i < end; i += 4 {
			if binary.BigEndian.Uint32(rest[i:])-uint32(first) <= span {
				return true
			}
		}
		rest = rest[end:]
	}
	return false
}

// Sequence returns the only segment of a path that is one AS_SEQUENCE, as
// nearly all are.
func (p ASPath) Sequence() (Segment, bool) {
	if len(p) < 2 || SegmentType(p[0]) != ASSequence || len(p) != 2+4*int(p[1]) {
		return Segment{}, false
	}
	return Segment{ASSequence, p[2:]}, true
}

// Len returns the length that the decision process compares: an AS_SET counts
// one, confederation segments nothing (RFC 4271 section 9.1.2.2, RFC 5065
// section 5.3).
func (p ASPath) Len() int {
	n := 0
	for s := range p.Segments() {
		switch s.Type {
		case ASSequence:
			n += s.Len()
		case ASSet:
			n++
		case ASConfedSequence, ASConfedSet:
		}
	}
	return n
}

// First returns the leftmost AS number outside confederation segments, the
// neighbour AS, and false for a path without one or led by an AS_SET.
func (p ASPath) First() (ASN, bool) {
	for s := range p.Segments() {
		switch s.Type {
		case ASSequence:
			if s.Len() > 0 {
				return s.At(0), true
			}
		case ASSet:
			return 0, false
		case ASConfedSequence, ASConfedSet:
		}
	}
	return 0, false
}

// Origins returns the AS numbers that the path ends in: one, or the members of an AS_SET.
// Segments of a confederation are passed over. It is empty for a path without an AS, as a
// network's own routes have over iBGP.
func (p ASPath) Origins() Segment {
	last, plain := p.Sequence()
	if !plain {
		for s := range p.Segments() {
			if s.isPublic() {
				last = s
			}
		}
	}
	if n := last.Len(); n > 0 && last.Type == ASSequence {
		return last.Slice(n-1, n)
	}
	return last
}

// Neighbors returns the AS numbers that the path begins with, as Origins does.
func (p ASPath) Neighbors() Segment {
	for s := range p.Segments() {
		switch {
		case !s.isPublic():
		case s.Type == ASSet:
			return s
		default:
			return s.Slice(0, 1)
		}
	}
	return Segment{}
}

// isPublic reports whether the segment says something about the way outside of a
// confederation.
func (s Segment) isPublic() bool { return s.Len() > 0 && (s.Type == ASSequence || s.Type == ASSet) }

// Origin returns the AS number of Origins, and false when there is none or are several.
func (p ASPath) Origin() (ASN, bool) {
	if s := p.Origins(); s.Len() == 1 {
		return s.At(0), true
	}
	return 0, false
}

// SameOrigins reports whether both paths end in the same ASes, in whatever order the
// members of sets stand.
func SameOrigins(p, q ASPath) bool {
	a, b := p.Origins(), q.Origins()
	return a.within(b) && b.within(a)
}

// within reports whether every AS number of the segment is in the other one.
func (s Segment) within(other Segment) bool {
	for i := range s.Len() {
		if !other.has(s.At(i)) {
			return false
		}
	}
	return true
}

func (s Segment) has(n ASN) bool {
	for i := range s.Len() {
		if s.At(i) == n {
			return true
		}
	}
	return false
}

// AppendText appends the path as routers print it: a sequence plain, an AS_SET
// in braces, a confederation sequence in parentheses, a confederation set in
// brackets.
func (p ASPath) AppendText(b []byte) ([]byte, error) {
	start := len(b)
	for s := range p.Segments() {
		if len(b) > start {
			b = append(b, ' ')
		}
		b = s.append(b)
	}
	return b, nil
}

func (s Segment) append(b []byte) []byte {
	separator := byte(' ')
	var closing byte
	switch s.Type {
	case ASSet:
		b, separator, closing = append(b, '{'), ',', '}'
	case ASConfedSequence:
		b, closing = append(b, '('), ')'
	case ASConfedSet:
		b, separator, closing = append(b, '['), ',', ']'
	case ASSequence:
	}
	for i := range s.Len() {
		if i > 0 {
			b = append(b, separator)
		}
		b = strconv.AppendUint(b, uint64(s.At(i)), 10)
	}
	if closing != 0 {
		b = append(b, closing)
	}
	return b
}

// String returns the text of AppendText.
func (p ASPath) String() string {
	b, _ := p.AppendText(nil)
	return string(b)
}

// AppendSegment appends a segment to a path under construction. It panics when
// there are more than 255 AS numbers, which no segment can hold.
func (p ASPath) AppendSegment(t SegmentType, asns ...ASN) ASPath {
	if len(asns) > 255 {
		panic("route: AS_PATH segment of more than 255 AS numbers")
	}
	p = append(p, byte(t), byte(len(asns)))
	for _, n := range asns {
		p = binary.BigEndian.AppendUint32(p, uint32(n))
	}
	return p
}
