package query

import (
	"errors"

	"ribglass/ribstore/query/pathexpr"
)

// Allowance bounds the expressions over AS paths of all queries that are read with it, as
// those of one request: reading is also done for a plan and for completion, which take no
// place in the budget. The zero value has all left; it must not be copied. One goroutine
// uses it.
type Allowance struct {
	// Turn, when not nil, calls work when it is its turn, so that many who have expressions
	// read at a time do not take all processors from others. It reports whether there is
	// more to do: a turn can be over before it began.
	Turn func(work func() bool) (more bool)

	spent int
}

// mostSpent is the cost of all expressions of an allowance, in states of their automata.
// It is some ten milliseconds.
const mostSpent = 4 * pathexpr.MaxCost

var errTooComplex = errors.New("the expressions over AS paths are too complex together: use fewer or simpler ones, or ask for them one after the other")

// compile compiles an expression while something is left. An expression that is refused may
// have cost as much as the largest one.
func (a *Allowance) compile(text string, d pathexpr.Dialect) (*pathexpr.Pattern, error) {
	if a.spent >= mostSpent {
		return nil, errTooComplex
	}
	var pattern *pathexpr.Pattern
	var err error
	work := func() bool {
		pattern, err = pathexpr.Compile(text, d)
		return false
	}
	if a.Turn == nil {
		work()
	}
	for a.Turn != nil && a.Turn(work) { // a turn was over before it began: another one
	}
	if err != nil {
		a.spent += pathexpr.MaxCost
		return nil, err
	}
	if a.spent += pattern.Cost(); a.spent > mostSpent {
		return nil, errTooComplex
	}
	return pattern, nil
}
