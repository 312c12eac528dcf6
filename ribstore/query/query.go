// Package query is the language in which a table is asked: what can be asked
// ([Query], made of [Expr] values), how it is written ([Parse]), how it is
// answered ([Run], [Plan]), and what the answer holds ([Result], [Facets]).
//
// A question is asked of what is [Known] at a moment. Parsing is pure. Running a
// query pins a [table.View] and may use several processors; every goroutine it
// starts has ended when it returns.
package query

import (
	"fmt"
	"net/netip"
	"reflect"
	"strings"
	"time"

	"ribglass/ribstore/route"
)

// Query is one question. The zero value asks for every route.
type Query struct {
	Expr    Expr   // nil: every route
	Scope   Scope  // which views of routers are asked
	At      Moment // the past that is asked about; zero: the present
	Between Span   // changes in the span are asked for; zero: routes are. Not with At
	Notes   []Note // how words without a keyword were understood
}

// Note tells how a part of a query was understood that could be read otherwise.
type Note struct {
	Column     int    // of the part, in bytes from 1
	Understood string // the same in full words
	Other      string // another reading, a query of its own; "" when there is none
}

// Error is a query that cannot be understood.
type Error struct {
	Column  int    // where, in bytes from 1
	Message string // what is wrong there and what was wanted
}

// Error returns "column 7: message".
func (e *Error) Error() string { return fmt.Sprintf("column %d: %s", e.Column, e.Message) }

// Page says which part of an answer is wanted.
type Page struct {
	Limit  int    // routes; those of one prefix are not torn apart unless they alone are more
	Cursor string // Result.NextCursor of the page before; "" for the first
}

// Result is one page of an answer. It is the caller's to keep.
type Result struct {
	Query      Query
	Plan       Plan
	At         time.Time // the moment the answer is true for
	Requested  time.Time // the moment asked for, when that is another
	Notices    []string  // for people, such as why At is not the moment asked for
	Freshness  []Freshness
	Total      int // routes in the whole answer
	Routes     []route.Route
	Refused    []route.Refused // of an address or a prefix: announced last in a malformed UPDATE; on the first page
	NextCursor string          // "" on the last page
}

// Freshness says how current the routes of one peer are.
type Freshness struct {
	Peer       string
	Up         bool
	LastUpdate time.Time // zero: none yet, or not known
	EndOfRIB   [route.NumFamilies]time.Time
	StaleSince time.Time // zero: the session is up
}

// Parse reads a query. docs/query.md describes the language. An error is an
// *[Error].
func Parse(text string) (Query, error) { return new(Allowance).Parse(text) }

// Parse reads a query as the function does, within what is left of the allowance.
func (a *Allowance) Parse(text string) (Query, error) {
	question, isCommand := withoutCommand(text)
	if q, ok, err := pasted(text); ok && !isCommand && len(text) <= maxText {
		return q, err
	}
	p := parser{lexer: lexer{text: question}, allowed: a}
	e, err := p.query()
	if err == nil {
		err = checkLongest(e, true)
	}
	if err != nil {
		return Query{}, err
	}
	q := Query{Expr: e, Scope: p.scope, At: p.at, Between: p.between, Notes: p.notes}
	if isCommand && q.Expr == nil && q.Scope == FirstView && q.At.IsZero() && q.Between.IsZero() {
		return Query{}, &Error{Column: 1, Message: "this command of a router names no prefix, path or community: ask for an address or a prefix, or for nothing to see every route"}
	}
	if isCommand && len(q.Notes) == 0 {
		q.Notes = []Note{{Column: 1, Understood: q.String()}}
	}
	return q, nil
}

// checkLongest refuses an address where a longest match makes no sense.
func checkLongest(e Expr, outermost bool) error {
	var parts []Expr
	switch e := e.(type) {
	case And:
		parts = e
		found := 0
		for _, part := range e {
			if in, ok := part.(In); ok && in.Match == Longest {
				found++
			}
		}
		if found > 1 {
			return &Error{Column: 1, Message: "only one address in a query; for one of several write them with or-shorter"}
		}
	case Or:
		parts, outermost = e, false
	case Not:
		parts, outermost = []Expr{e.Of}, false
	case In:
		if e.Match == Longest && !outermost {
			return &Error{Column: 1, Message: fmt.Sprintf(
				"%s asks for the longest match, which cannot be a part of or and not; write %s or-shorter", e.Prefix.Addr(), e.Prefix.Addr())}
		}
	}
	for _, part := range parts {
		if err := checkLongest(part, outermost); err != nil {
			return err
		}
	}
	return nil
}

// String returns the canonical form: Parse(q.String()) gives an equal
// expression.
func (q Query) String() string {
	var b []byte
	if q.Expr != nil {
		_, loose := q.Expr.(Or)
		b = appendGroup(b, q.Expr, loose && (q.Scope != FirstView || !q.At.IsZero() || !q.Between.IsZero()))
	}
	if q.Scope != FirstView {
		b = append(append(b, " view "...), q.Scope.String()...)
	}
	switch {
	case !q.At.IsZero():
		b = append(append(b, " at "...), q.At.String()...)
	case !q.Between.IsZero():
		b = append(append(b, " between "...), q.Between.String()...)
	}
	return strings.TrimPrefix(string(b), " ")
}

// Prefix returns the prefix that confines the whole query and how, Any when none
// does.
func (q Query) Prefix() (Match, netip.Prefix) {
	in, _ := confinement(q.Expr)
	return in.Match, in.Prefix
}

// Peers returns the names of peers that the query confines itself to; none means
// all.
func (q Query) Peers() []string {
	for _, part := range conjuncts(q.Expr) {
		if names, ok := alternatives(part, Peer); ok {
			return names
		}
	}
	return nil
}

// Labels returns the conditions on what peers are called, wherever they stand in the
// query.
func (q Query) Labels() []Named { return labelsOf(nil, q.Expr) }

func labelsOf(list []Named, e Expr) []Named {
	var parts []Expr
	switch e := e.(type) {
	case Named:
		return append(list, e)
	case And:
		parts = e
	case Or:
		parts = e
	case Not:
		parts = []Expr{e.Of}
	}
	for _, part := range parts {
		list = labelsOf(list, part)
	}
	return list
}

// With returns the query with one more condition, and the query itself when it
// has the condition already.
func (q Query) With(e Expr) Query {
	parts := append(And(nil), conjuncts(q.Expr)...)
	for _, part := range parts {
		if reflect.DeepEqual(part, e) {
			return q
		}
	}
	q.Expr = join(append(parts, e))
	return q
}

// conjuncts returns the conditions that all must be met.
func conjuncts(e Expr) []Expr {
	switch e := e.(type) {
	case nil:
		return nil
	case And:
		return e
	}
	return []Expr{e}
}

// confinement returns the In among the conjuncts that tells how the query is answered,
// and where it is: an address, whose longest match asks all other conditions too, else
// the narrowest.
func confinement(e Expr) (In, int) {
	best, at := In{}, -1
	for i, part := range conjuncts(e) {
		in, ok := part.(In)
		if ok && (at < 0 || narrowness(in) > narrowness(best)) {
			best, at = in, i
		}
	}
	return best, at
}

func narrowness(in In) int {
	const most = 128 // bits of a prefix
	switch in.Match {
	case Longest:
		return most + 3
	case Exact:
		return most + 2
	case OrShorter:
		return most + 1
	case OrLonger, Any:
	}
	return in.Prefix.Bits()
}

// alternatives returns the names when e is one label or an or of them.
func alternatives(e Expr, l Label) ([]string, bool) {
	var names []string
	parts, ok := e.(Or)
	if !ok {
		parts = Or{e}
	}
	for _, part := range parts {
		named, ok := part.(Named)
		if !ok || named.Label != l {
			return nil, false
		}
		names = append(names, named.Name)
	}
	return names, true
}
