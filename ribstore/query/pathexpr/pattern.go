package pathexpr

import (
	"fmt"
	"slices"
	"strings"

	"ribglass/ribstore/route"
)

// The limits of an expression.
const (
	maxText   = 1024 // bytes, also of the text in our form
	maxRepeat = 64   // the largest bound of a repetition
)

// Error is an expression that cannot be understood, or not be afforded.
type Error struct {
	Column  int    // where, in bytes from 1
	Message string // what is wrong there and what was wanted
}

// Error returns "column 7: message".
func (e *Error) Error() string { return fmt.Sprintf("column %d: %s", e.Column, e.Message) }

// Pattern is a compiled expression. Its zero value is of no use; [Compile]
// makes one. It is immutable, so it may be copied, kept and used by any number of
// goroutines, each with a [Matcher] of its own.
type Pattern struct {
	text      string // as String
	ours      string // as OurForm
	dialect   Dialect
	required  []route.ASN
	dfa       *dfa
	elements  *elementNFA // of Junos and BIRD, for paths that have more than sequences
	thousands *thousands
}

// Compile reads an expression. Its errors are of type [*Error].
func Compile(text string, d Dialect) (*Pattern, error) {
	if len(text) > maxText {
		return nil, &Error{maxText + 1, fmt.Sprintf("the expression has %d bytes; at most %d are read", len(text), maxText)}
	}
	if d == Auto {
		d = Recognize(text)
	}
	p := &Pattern{text: strings.Join(strings.Fields(text), " "), dialect: d}
	tree, err := p.parse(text)
	if err != nil {
		return nil, err
	}
	p.ours = tree.String()
	if len(p.ours) > maxText {
		return nil, &Error{1, fmt.Sprintf("the expression takes %d bytes in our form, at most %d are possible; "+
			"use fewer or simpler ranges and sets", len(p.ours), maxText)}
	}
	if d == Cisco {
		p.text = p.ours
	}
	if p.dfa, err = compile(tree); err != nil {
		return nil, err
	}
	if p.dfa.matchesNothing() {
		return nil, &Error{misplaced(text), `no AS path can match: nothing stands before its start (^) or behind its end ($)`}
	}
	p.required, p.thousands = required(tree, p.dfa), &thousands{}
	return p, nil
}

// misplaced returns the column of an anchor in the middle of a text that nothing matches.
func misplaced(text string) int {
	if i := strings.Index(text, "$"); i >= 0 && i < len(text)-1 {
		return i + 1
	}
	return max(1, strings.LastIndex(text, "^")+1)
}

// parse reads the text in the dialect of the pattern.
func (p *Pattern) parse(text string) (*node, error) {
	var e *elements
	var err error
	s := &scanner{text: text}
	switch p.dialect {
	case Cisco:
		return parseCisco(s)
	case Junos:
		e, err = parseJunos(s)
	case BIRD:
		e, err = parseBIRD(s)
	default:
		return nil, &Error{1, fmt.Sprintf("%v is not a dialect to read", p.dialect)}
	}
	if err != nil {
		return nil, err
	}
	p.elements, err = newElementNFA(e, p.dialect)
	return e.tree(), err
}

// String returns the expression in its dialect, our form for [Cisco]. Compiled again in
// the dialect it gives a pattern that matches the same paths and has the same text.
func (p *Pattern) String() string { return p.text }

// OurForm returns an expression of [Cisco] that matches the same paths, as long as they
// have neither sets nor confederations.
func (p *Pattern) OurForm() string { return p.ours }

// Cost returns what it took to make the automaton, from 1 to [MaxCost].
func (p *Pattern) Cost() int { return max(p.dfa.states(), p.dfa.steps/stepsOfState) }

// Dialect returns what the text was read as; it is never [Auto].
func (p *Pattern) Dialect() Dialect { return p.dialect }

// Required returns AS numbers, ascending, each of which every matching path contains. It
// may be empty, and need not be all there are. The slice is the caller's.
func (p *Pattern) Required() []route.ASN { return slices.Clone(p.required) }
