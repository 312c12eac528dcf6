package config

import (
	"fmt"
	"strings"
)

// Error is one thing that is wrong in a configuration file.
type Error struct {
	File         string
	Line, Column int    // from 1
	Message      string // what is wrong and what was wanted
	Source       string // the line
}

// Error returns the problem with the line and a caret below the column:
//
//	ribglass.yaml:3:5: unknown key "adddress": did you mean "address"?
//	    3 |   - adddress: 192.0.2.1
//	      |     ^
func (p *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s:%d:%d: %s", p.File, p.Line, p.Column, p.Message)
	if strings.TrimSpace(p.Source) == "" {
		return b.String()
	}
	fmt.Fprintf(&b, "\n%5d | %s\n      | %s^", p.Line, p.Source, p.indent())
	return b.String()
}

// indent is what stands before the caret: blanks, but a tab where the line has
// one, so that both lines are equally wide on every terminal.
func (p *Error) indent() string {
	var b strings.Builder
	for i, r := range []rune(p.Source) {
		if i >= p.Column-1 {
			break
		}
		if r != '\t' {
			r = ' '
		}
		b.WriteRune(r)
	}
	return b.String()
}

// Errors is everything that is wrong in a file, in the order of its lines.
// It is never empty as an error.
type Errors []*Error

// Error returns the problems, one below the other.
func (ps Errors) Error() string {
	texts := make([]string, len(ps))
	for i, p := range ps {
		texts[i] = p.Error()
	}
	return strings.Join(texts, "\n")
}
