package query

import "ribglass/ribstore/query/pathexpr"

// cheapEffort is the effort up to which a question about one prefix is cheap: it is
// answered in about a hundred microseconds whatever the prefix has.
const cheapEffort = 64

// IsCheap reports whether one descent of the trie answers the query, and what is asked of
// the few routes found takes next to no time.
func (q Query) IsCheap() bool {
	switch match, _ := q.Prefix(); match {
	case Longest, Exact, OrShorter:
		return effortOf(q.Expr) <= cheapEffort
	case Any, OrLonger:
	}
	return false
}

// effortOf estimates what it takes to make the tests of an expression and to ask them
// of a few routes: one for a plain condition, more for a pattern.
func effortOf(e Expr) int {
	n := 1
	switch e := e.(type) {
	case And:
		for _, part := range e {
			n += effortOf(part)
		}
	case Or:
		for _, part := range e {
			n += effortOf(part)
		}
	case Not:
		n += effortOf(e.Of)
	case Path:
		n = patternEffort(e.Pattern)
	case Community, LargeCommunity, ExtCommunity:
		n = 2
	}
	return n
}

// patternEffort grows with a pattern, of which an automaton is made.
func patternEffort(p *pathexpr.Pattern) int { return 4 + len(p.String())/8 }
