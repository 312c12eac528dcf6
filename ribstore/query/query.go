// Package query is the language in which a table is asked: what can be asked
// ([Query]), how it is written ([Parse]), and what the answer holds ([Result]).
// Parsing is pure; running a query pins a [table.View] and starts no goroutine.
package query

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"ribglass/ribstore/route"
)

// Match is how the prefix of a query selects prefixes of the table.
type Match uint8

// The matches.
const (
	Any       Match = iota // every prefix; Query.Prefix is not used
	Longest                // the most specific prefix that covers Query.Prefix
	Exact                  // Query.Prefix itself
	OrLonger               // Query.Prefix and its more specifics
	OrShorter              // Query.Prefix and the prefixes that cover it
)

// Query is one question. The zero value asks for every route. Empty Peers or
// Families mean all.
type Query struct { //nolint:recvcheck // a value; only the parser, which makes it, changes it
	Match    Match
	Prefix   netip.Prefix // masked
	Peers    []string
	Families []route.Family
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
	Limit  int    // routes; at least all routes of one prefix are given
	Cursor string // Result.NextCursor of the page before; "" for the first
}

// Result is one page of an answer. It is the caller's to keep.
type Result struct {
	Query      Query
	At         time.Time // the moment the answer is true for
	Freshness  []Freshness
	Total      int // routes in the whole answer
	Routes     []route.Route
	NextCursor string // "" on the last page
}

// Freshness says how current the routes of one peer are.
type Freshness struct {
	Peer       string
	Up         bool
	LastUpdate time.Time // zero: none yet
	EndOfRIB   [route.NumFamilies]time.Time
	StaleSince time.Time // zero: the session is up
}

// String returns the canonical form: Parse(q.String()) gives q back.
func (q Query) String() string {
	var words []string
	switch q.Match {
	case Any:
	case Longest:
		words = append(words, q.Prefix.Addr().String())
	case Exact:
		words = append(words, q.Prefix.String())
	case OrLonger:
		words = append(words, q.Prefix.String()+" or-longer")
	case OrShorter:
		words = append(words, q.Prefix.String()+" or-shorter")
	}
	for _, p := range q.Peers {
		words = append(words, "peer "+p)
	}
	for _, f := range q.Families {
		words = append(words, "family "+f.String())
	}
	return strings.Join(words, " ")
}

// Parse reads a query of whitespace-separated words:
//
//	192.0.2.1                    longest match
//	192.0.2.0/24                 exact
//	192.0.2.0/24 or-longer       the prefix and its more specifics
//	192.0.2.0/24 or-shorter      the prefix and what covers it
//	peer NAME                    only routes of the peer; several mean any of them
//	family ipv4-unicast          only the family; several mean any of them
//
// An error is an *[Error].
func Parse(text string) (Query, error) {
	p := parser{text: text}
	return p.parse()
}
