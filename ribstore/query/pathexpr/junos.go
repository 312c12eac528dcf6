package pathexpr

import "ribglass/ribstore/route"

// parseJunos reads a Junos AS path expression.
func parseJunos(s *scanner) (*node, error) {
	s.skipSpace()
	if s.done() {
		return nil, s.errorAt(s.pos, "the expression is empty; .* matches every path and () the empty one")
	}
	s.take("^")
	n, err := junosAlternatives(s)
	if err != nil {
		return nil, err
	}
	s.take("$")
	if s.skipSpace(); !s.done() {
		return nil, s.errorAt(s.pos, "%s is not expected here in a Junos expression", s.character())
	}
	return wholePath(n), nil
}

func junosAlternatives(s *scanner) (*node, error) {
	var subs []*node
	for {
		n, err := junosSequence(s)
		if err != nil {
			return nil, err
		}
		subs = append(subs, n)
		if !s.take("|") {
			return eitherTerm(subs...), nil
		}
	}
}

func junosSequence(s *scanner) (*node, error) {
	var subs []*node
	for {
		s.skipSpace()
		c := s.peek()
		if c != '.' && c != '(' && !isDigit(c) && c|0x20 != 'a' {
			break
		}
		n, err := junosItem(s)
		if err != nil {
			return nil, err
		}
		subs = append(subs, n)
	}
	if c := s.peek(); c == '*' || c == '+' || c == '?' || c == '{' {
		return nil, s.errorAt(s.pos, "%q stands directly after the AS number, dot or group that it repeats", c)
	}
	return concat(subs...), nil
}

func junosItem(s *scanner) (*node, error) {
	switch {
	case s.take(".*"):
		return s.repetitions(anySequence())
	case s.take(".+"):
		return s.repetitions(someSequence())
	case s.take("."):
		return s.repetitions(oneAS())
	case s.peek() == '(':
		return junosGroup(s)
	}
	n, err := asRange(s, "-")
	if err != nil {
		return nil, err
	}
	return s.repetitions(term(n))
}

func junosGroup(s *scanner) (*node, error) {
	start := s.pos
	s.pos++
	n, err := junosAlternatives(s)
	if err != nil {
		return nil, err
	}
	if !s.take(")") {
		if !s.done() {
			return nil, s.errorAt(s.pos, "%s is not expected here in a Junos expression", s.character())
		}
		return nil, s.errorAt(start, `"(" without ")"`)
	}
	return s.repetitions(n)
}

// asRange reads an AS number, or two with the separator between.
func asRange(s *scanner, separator string) (*node, error) {
	start := s.pos
	lo, err := s.asn()
	if err != nil {
		return nil, err
	}
	if !takeSpaced(s, separator) {
		return number(lo), nil
	}
	var hi route.ASN
	if hi, err = s.asn(); err != nil {
		return nil, err
	}
	if hi < lo {
		return nil, s.errorAt(start, "the range %d%s%d is the wrong way round", lo, separator, hi)
	}
	return numbers(lo, hi), nil
}

// takeSpaced is take with spaces allowed on both sides.
func takeSpaced(s *scanner, want string) bool {
	start := s.pos
	s.skipSpace()
	if !s.take(want) {
		s.pos = start
		return false
	}
	s.skipSpace()
	return true
}
