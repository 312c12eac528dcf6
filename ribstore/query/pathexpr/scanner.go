package pathexpr

import (
	"fmt"
	"strconv"
	"strings"

	"ribglass/ribstore/route"
)

// scanner is the text of an expression and a place in it.
type scanner struct {
	text string
	pos  int
}

// peek returns the next byte, or 0 at the end. A zero byte in the text is no
// part of any dialect, so that confusing the two does no harm.
func (s *scanner) peek() byte {
	if s.pos < len(s.text) {
		return s.text[s.pos]
	}
	return 0
}

func (s *scanner) done() bool { return s.pos >= len(s.text) }

// take moves over want if it is next.
func (s *scanner) take(want string) bool {
	if strings.HasPrefix(s.text[s.pos:], want) {
		s.pos += len(want)
		return true
	}
	return false
}

func (s *scanner) skipSpace() {
	for s.peek() == ' ' || s.peek() == '\t' {
		s.pos++
	}
}

// errorAt returns an error about byte pos of the text.
func (s *scanner) errorAt(pos int, format string, args ...any) error {
	return &Error{pos + 1, fmt.Sprintf(format, args...)}
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// number reads decimal digits; ok is false when there are none. Numbers beyond
// any use come back as a large one.
func (s *scanner) number() (n int, ok bool) {
	start := s.pos
	for isDigit(s.peek()) {
		s.pos++
	}
	if s.pos == start {
		return 0, false
	}
	v, err := strconv.ParseUint(s.text[start:s.pos], 10, 31)
	if err != nil {
		return 1 << 30, true
	}
	return int(v), true
}

// asn reads an AS number in asplain or asdot. A dot belongs to it only between
// two digits.
func (s *scanner) asn() (route.ASN, error) {
	start := s.pos
	if len(s.text)-s.pos > 2 && strings.EqualFold(s.text[s.pos:s.pos+2], "as") {
		s.pos += 2
	}
	for isDigit(s.peek()) {
		s.pos++
	}
	if s.peek() == '.' && s.pos > start && s.pos+1 < len(s.text) && isDigit(s.text[s.pos+1]) {
		s.pos++
		for isDigit(s.peek()) {
			s.pos++
		}
	}
	n, err := route.ParseASN(s.text[start:s.pos])
	if err != nil {
		return 0, s.errorAt(start, "%v", err)
	}
	return n, nil
}

// repetitions reads the quantifiers after n.
func (s *scanner) repetitions(n *node) (*node, error) {
	for {
		lo, hi, found, err := s.quantifier()
		if err != nil {
			return nil, err
		}
		if !found {
			return n, nil
		}
		n = repeat(n, lo, hi)
	}
}

func (s *scanner) quantifier() (lo, hi int, found bool, err error) {
	switch s.peek() {
	case '*':
		s.pos++
		return 0, unlimited, true, nil
	case '+':
		s.pos++
		return 1, unlimited, true, nil
	case '?':
		s.pos++
		return 0, 1, true, nil
	case '{':
		lo, hi, err = s.bounds()
		return lo, hi, err == nil, err
	}
	return 0, 0, false, nil
}

// bounds reads {m}, {m,n} or {m,}.
func (s *scanner) bounds() (lo, hi int, err error) {
	start := s.pos
	s.pos++
	lo, ok := s.number()
	hi = lo
	if ok && s.take(",") {
		if hi, ok = s.number(); !ok {
			hi, ok = unlimited, true
		}
	}
	switch {
	case !ok || !s.take("}"):
		return 0, 0, s.errorAt(start, `"{" begins a repetition such as {3}, {1,3} or {2,}; the brace of an AS_SET is written \{`)
	case max(lo, hi) > maxRepeat:
		return 0, 0, s.errorAt(start, `a repetition is at most %d; the braces of an AS_SET are written \{ and \}`, maxRepeat)
	case hi != unlimited && hi < lo:
		return 0, 0, s.errorAt(start, "the bounds of a repetition are the wrong way round: {%d,%d}", lo, hi)
	}
	return lo, hi, nil
}

// character describes the byte at pos for an error.
func (s *scanner) character() string {
	for _, r := range s.text[s.pos:] {
		return strconv.QuoteToASCII(string(r))
	}
	return "the end"
}
