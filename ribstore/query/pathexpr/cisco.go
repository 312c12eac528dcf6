package pathexpr

// parseCisco reads our form.
func parseCisco(s *scanner) (*node, error) {
	if s.text == "" {
		return nil, s.errorAt(0, "the expression is empty; .* matches every path and ^$ the empty one")
	}
	n, err := ciscoAlternatives(s)
	if err != nil {
		return nil, err
	}
	if !s.done() {
		return nil, s.errorAt(s.pos, `")" without "("; the parenthesis of a confederation segment is written \)`)
	}
	return n, nil
}

func ciscoAlternatives(s *scanner) (*node, error) {
	var subs []*node
	for {
		n, err := ciscoSequence(s)
		if err != nil {
			return nil, err
		}
		subs = append(subs, n)
		if !s.take("|") {
			return alternate(subs...), nil
		}
	}
}

func ciscoSequence(s *scanner) (*node, error) {
	var subs []*node
	for !s.done() && s.peek() != '|' && s.peek() != ')' {
		n, err := ciscoAtom(s)
		if err != nil {
			return nil, err
		}
		if n, err = s.repetitions(n); err != nil {
			return nil, err
		}
		subs = append(subs, n)
	}
	return concat(subs...), nil
}

func ciscoAtom(s *scanner) (*node, error) {
	start := s.pos
	c := s.peek()
	switch c {
	case '^':
		s.pos++
		return leaf(opBegin), nil
	case '$':
		s.pos++
		return leaf(opEnd), nil
	case '_':
		s.pos++
		return leaf(opDelimiter), nil
	case '.':
		s.pos++
		return set(anySymbol), nil
	case '(':
		return ciscoGroup(s)
	case '[':
		return ciscoClass(s)
	case '\\':
		return ciscoEscape(s)
	case '*', '+', '?':
		return nil, s.errorAt(start, "%q has nothing before it to repeat", c)
	case '{', '}', ']':
		return nil, s.errorAt(start, `%q has no meaning here; as a character of the path it is written \%c`, c, c)
	}
	i, ok := symbolOf(c)
	if !ok {
		return nil, s.errorAt(start, "%s never occurs in an AS path; want digits, spaces and . _ ^ $ * + ? | ( ) [ ]", s.character())
	}
	s.pos++
	return set(1 << i), nil
}

func ciscoGroup(s *scanner) (*node, error) {
	start := s.pos
	s.pos++
	n, err := ciscoAlternatives(s)
	if err != nil {
		return nil, err
	}
	if !s.take(")") {
		return nil, s.errorAt(start, `"(" without ")"; the parenthesis of a confederation segment is written \(`)
	}
	return n, nil
}

func ciscoEscape(s *scanner) (*node, error) {
	start := s.pos
	s.pos++
	if s.peek() == '.' {
		return nil, s.errorAt(start, "no dot occurs in an AS path: AS numbers are matched in asplain, 65546 for 1.10")
	}
	i, ok := symbolOf(s.peek())
	if s.done() || !ok {
		return nil, s.errorAt(start, `a backslash stands before one of { } ( ) [ ], not before %s`, s.character())
	}
	s.pos++
	return set(1 << i), nil
}

// ciscoClass reads a bracket expression; as in POSIX, a closing bracket that
// comes first is a member.
func ciscoClass(s *scanner) (*node, error) {
	start := s.pos
	s.pos++
	negated := s.take("^")
	var members symbols
	for first := true; first || s.peek() != ']'; first = false {
		if s.done() {
			return nil, s.errorAt(start, `"[" without "]"`)
		}
		m, err := classMember(s)
		if err != nil {
			return nil, err
		}
		members |= m
	}
	s.pos++
	if negated {
		members = anySymbol &^ members
	}
	if members == 0 {
		return nil, s.errorAt(start, "this class leaves no character, so that nothing can match")
	}
	return set(members), nil
}

func classMember(s *scanner) (symbols, error) {
	start := s.pos
	from, ok := symbolOf(s.peek())
	if !ok {
		return 0, s.errorAt(start, "%s never occurs in an AS path", s.character())
	}
	s.pos++
	if s.peek() != '-' {
		return 1 << from, nil
	}
	s.pos++
	to, ok := symbolOf(s.peek())
	if !ok || from > 9 || to > 9 || from > to {
		return 0, s.errorAt(start, "a range in a class is of digits, the lower one first, such as [0-9]")
	}
	s.pos++
	return 1<<(to+1) - 1<<from, nil
}
