package pathexpr

import (
	"fmt"
	"slices"

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
	text      string
	dialect   Dialect
	required  []route.ASN
	dfa       *dfa
	thousands thousands
}

// Compile reads an expression. Its errors are of type [*Error].
func Compile(text string, d Dialect) (*Pattern, error) {
	if len(text) > maxText {
		return nil, &Error{maxText + 1, fmt.Sprintf("the expression has %d bytes; at most %d are read", len(text), maxText)}
	}
	if d == Auto {
		d = Recognize(text)
	}
	tree, err := parse(text, d)
	if err != nil {
		return nil, err
	}
	ours := tree.String()
	if len(ours) > maxText {
		return nil, &Error{1, fmt.Sprintf("the expression takes %d bytes in our form, at most %d are possible; "+
			"use fewer or simpler ranges and sets", len(ours), maxText)}
	}
	automaton, err := compile(tree)
	if err != nil {
		return nil, err
	}
	return &Pattern{
		text: ours, dialect: d, required: required(tree, automaton),
		dfa: automaton, thousands: newThousands(automaton),
	}, nil
}

func parse(text string, d Dialect) (*node, error) {
	s := &scanner{text: text}
	switch d {
	case Cisco:
		return parseCisco(s)
	case Junos:
		return parseJunos(s)
	case BIRD:
		return parseBIRD(s)
	case Auto:
	}
	return nil, &Error{1, fmt.Sprintf("%v is not a dialect to read", d)}
}

// String returns the expression in our form. Compiled again as [Cisco] it gives
// a pattern that matches the same paths and has the same text.
func (p *Pattern) String() string { return p.text }

// Dialect returns what the text was read as; it is never [Auto].
func (p *Pattern) Dialect() Dialect { return p.dialect }

// Required returns AS numbers, ascending, each of which every matching path contains. It
// may be empty, and need not be all there are. The slice is the caller's.
func (p *Pattern) Required() []route.ASN { return slices.Clone(p.required) }
