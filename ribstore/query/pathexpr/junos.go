package pathexpr

// parseJunos reads a Junos AS path expression.
func parseJunos(s *scanner) (*elements, error) {
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
	return n, nil
}

func junosAlternatives(s *scanner) (*elements, error) {
	var subs []*elements
	for {
		n, err := junosSequence(s)
		if err != nil {
			return nil, err
		}
		subs = append(subs, n)
		if !s.take("|") {
			return either(subs...), nil
		}
	}
}

func junosSequence(s *scanner) (*elements, error) {
	var subs []*elements
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
	return inOrder(subs...), nil
}

func junosItem(s *scanner) (*elements, error) {
	switch {
	case s.take(".*"):
		return repetitionsOf(s, anyElements(0))
	case s.take(".+"):
		return repetitionsOf(s, anyElements(1))
	case s.take("."):
		return repetitionsOf(s, anyOf())
	case s.peek() == '(':
		return junosGroup(s)
	}
	n, err := asRange(s, "-")
	if err != nil {
		return nil, err
	}
	return repetitionsOf(s, anyOf(n))
}

func junosGroup(s *scanner) (*elements, error) {
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
	return repetitionsOf(s, n)
}

// repetitionsOf reads the quantifiers after n.
func repetitionsOf(s *scanner, n *elements) (*elements, error) {
	for {
		lo, hi, found, err := s.quantifier()
		if err != nil {
			return nil, err
		}
		if !found {
			return n, nil
		}
		n = repeated(n, lo, hi)
	}
}

// asRange reads an AS number, or two with the separator between.
func asRange(s *scanner, separator string) (r asnRange, err error) {
	start := s.pos
	if r.first, err = s.asn(); err != nil {
		return r, err
	}
	r.last = r.first
	if !takeSpaced(s, separator) {
		return r, nil
	}
	if r.last, err = s.asn(); err != nil {
		return r, err
	}
	if r.last < r.first {
		return r, s.errorAt(start, "the range %d%s%d is the wrong way round", r.first, separator, r.last)
	}
	return r, nil
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
