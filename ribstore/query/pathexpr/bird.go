package pathexpr

// parseBIRD reads a BIRD path mask.
func parseBIRD(s *scanner) (*elements, error) {
	s.skipSpace()
	if !s.take("[=") {
		return nil, s.errorAt(s.pos, "a BIRD path mask is written [= ... =]")
	}
	var subs []*elements
	for s.skipSpace(); !s.take("=]"); s.skipSpace() {
		if s.done() {
			return nil, s.errorAt(s.pos, `"[=" without "=]"`)
		}
		n, err := birdItem(s)
		if err != nil {
			return nil, err
		}
		for takeSpaced(s, "+") {
			n = repeated(n, 1, unlimited)
		}
		subs = append(subs, n)
	}
	if s.skipSpace(); !s.done() {
		return nil, s.errorAt(s.pos, `%s after "=]", where the mask ends`, s.character())
	}
	return inOrder(subs...), nil
}

func birdItem(s *scanner) (*elements, error) {
	c := s.peek()
	switch {
	case s.take("*"):
		return anyElements(0), nil
	case s.take("?"):
		return anyOf(), nil
	case c == '[':
		return birdSet(s)
	case c == '+':
		return nil, s.errorAt(s.pos, `"+" has nothing before it to repeat`)
	case !isDigit(c) && c|0x20 != 'a':
		return nil, s.errorAt(s.pos, "%s is not expected here in a BIRD path mask; want AS numbers, ranges 2..5, sets [1, 2..5], * ? and +", s.character())
	}
	n, err := asRange(s, "..")
	if err != nil {
		return nil, err
	}
	return anyOf(n), nil
}

// birdSet reads [1, 2..5]: one AS number out of several.
func birdSet(s *scanner) (*elements, error) {
	start := s.pos
	s.pos++
	var asns []asnRange
	for {
		s.skipSpace()
		if s.done() {
			return nil, s.errorAt(start, `"[" without "]"`)
		}
		n, err := asRange(s, "..")
		if err != nil {
			return nil, err
		}
		asns = append(asns, n)
		switch {
		case takeSpaced(s, ","):
		case takeSpaced(s, "]"):
			return anyOf(asns...), nil
		default:
			return nil, s.errorAt(s.pos, `want "," or "]" after an AS number of a set, not %s`, s.character())
		}
	}
}
