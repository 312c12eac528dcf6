package query

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"net/netip"
	"slices"

	"ribglass/ribstore/route"
	"ribglass/ribstore/table"
)

// ErrCursor is returned for a cursor that no answer to a query gave.
var ErrCursor = errors.New("the cursor is not one of this query")

// Limits of a page, in routes.
const (
	DefaultLimit = 100
	MaxLimit     = 1000
)

// Cursor is the last prefix of a page. It stays meaningful while routes change.
// The zero Cursor, whose prefix is invalid, stands in front of all prefixes.
type Cursor struct {
	Family route.Family
	Prefix netip.Prefix

	// Given is how many routes of the prefix were given when it has more than a page
	// holds. Zero: all of them were.
	Given uint32
}

// String returns the cursor as [ParseCursor] reads it.
func (c Cursor) String() string {
	b, err := c.Prefix.MarshalBinary()
	if err != nil {
		return ""
	}
	b = append([]byte{byte(c.Family)}, b...)
	if c.Given > 0 {
		b = binary.BigEndian.AppendUint32(b, c.Given)
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

// ParseCursor reads a cursor; "" is the zero one. The error is [ErrCursor].
func ParseCursor(s string) (Cursor, error) {
	if s == "" {
		return Cursor{}, nil
	}
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil || len(b) < 2 || b[0] >= route.NumFamilies {
		return Cursor{}, ErrCursor
	}
	c := Cursor{Family: route.Family(b[0])}
	if rest := 1 + c.Family.Bits()/8 + 1; len(b) == rest+4 {
		c.Given = binary.BigEndian.Uint32(b[rest:])
		b = b[:rest]
		if c.Given == 0 {
			return Cursor{}, ErrCursor
		}
	}
	if err := c.Prefix.UnmarshalBinary(b[1:]); err != nil || !c.Prefix.IsValid() ||
		c.Prefix.Addr().BitLen() != c.Family.Bits() || c.Prefix != c.Prefix.Masked() {
		return Cursor{}, ErrCursor
	}
	return c, nil
}

// Run answers one page of the query from what is known. Result.At and Freshness
// are the caller's to fill in. Errors are [ErrCursor] for a foreign cursor and
// that of the context.
func Run(ctx context.Context, k Known, q Query, page Page) (*Result, error) {
	return run(ctx, k, q, page, false)
}

// run is Run; a test can have everything scanned that could be walked.
func run(ctx context.Context, k Known, q Query, page Page, scan bool) (result *Result, err error) {
	after, err := ParseCursor(page.Cursor)
	if err != nil {
		return nil, err
	}
	err = k.ViewFor(q, func(v *table.View) error {
		result, err = runView(ctx, prepare(v, q, k.At), page.Limit, after, scan)
		return err
	})
	return result, err
}

func runView(ctx context.Context, x *execution, limit int, after Cursor, scan bool) (result *Result, err error) {
	if scan && x.plan.Method == Walk && !x.simple() {
		x.plan.Method = Scan
	}
	r := pager{execution: x, tests: x.compile(), limit: limit, after: after, result: &Result{Query: x.query, Plan: x.plan}}
	if r.limit <= 0 {
		r.limit = DefaultLimit
	}
	switch x.plan.Method {
	case LongestMatch, ExactMatch, Covering:
		r.few()
	case Walk, Scan:
		err = r.many(ctx)
	}
	return r.result, err
}

// pager collects one page.
type pager struct {
	*execution
	tests  tests
	limit  int
	after  Cursor // its prefix is invalid on the first page
	result *Result
	met    []route.Route // of the prefix that is looked at
	full   bool
}

// few answers a query that one descent of the trie confines.
func (r *pager) few() {
	for _, f := range r.families {
		for _, d := range r.candidates(f) {
			r.met = r.tests.filter(r.met[:0], r.view, d)
			r.result.Total += len(r.met)
			if !r.full && !r.given(d) {
				r.give(d)
			}
			if len(r.met) > 0 && r.in.Match == Longest {
				break
			}
		}
	}
}

// given reports whether the cursor stands behind the destination.
func (r *pager) given(d table.Dest) bool {
	after := r.after.Prefix
	if !after.IsValid() || d.Family != r.after.Family {
		return after.IsValid() && d.Family < r.after.Family
	}
	order := cmp.Or(d.Prefix.Addr().Compare(after.Addr()), cmp.Compare(d.Prefix.Bits(), after.Bits()))
	return order < 0 || order == 0 && r.after.Given == 0
}

// candidates returns the destinations of a query that one descent of the trie
// confines, for the longest match the most specific first.
func (x *execution) candidates(f route.Family) []table.Dest {
	dests := x.view.Covering(f, x.in.Prefix)
	switch x.in.Match {
	case Longest:
		slices.Reverse(dests)
	case Exact:
		dests = slices.DeleteFunc(dests, func(d table.Dest) bool { return d.Prefix != x.in.Prefix })
	case Any, OrLonger, OrShorter:
	}
	return dests
}

// filter appends the routes of a destination that meet the query.
func (t *tests) filter(dst []route.Route, v *table.View, d table.Dest) []route.Route {
	start := len(dst)
	dst = v.Routes(dst, d, nil)
	s := subject{moas: SeveralOrigins(dst[start:])}
	kept := dst[:start]
	for i := range dst[start:] {
		s.route = &dst[start+i]
		if t.all(&s) {
			kept = append(kept, dst[start+i])
		}
	}
	return kept
}

// SeveralOrigins reports whether routes of one prefix end in different ASes. A path
// that ends in an AS_SET ends in each of its members.
func SeveralOrigins(routes []route.Route) bool {
	var first route.ASN
	known := false
	for i := range routes {
		origins := routes[i].Attrs.ASPath().Origins()
		for j := range origins.Len() {
			switch n := origins.At(j); {
			case !known:
				first, known = n, true
			case n != first:
				return true
			}
		}
	}
	return false
}

// many answers a query for a range of prefixes, or all.
func (r *pager) many(ctx context.Context) error {
	for _, f := range r.families {
		matched, total, err := r.match(ctx, f)
		if err != nil {
			return err
		}
		r.result.Total += total
		if !r.full && (!r.after.Prefix.IsValid() || f >= r.after.Family) {
			r.pageOf(f, matched)
		}
	}
	return nil
}

// match returns which slots of the family have a route that meets the query,
// nil for all of the range, and how many routes do.
func (x *execution) match(ctx context.Context, f route.Family) (table.Bits, int, error) {
	if x.simple() {
		return nil, x.view.Total(f, x.wanted.Peers), nil
	}
	all := newSink(x, f, false)
	if err := x.run(ctx, f, all); err != nil {
		return nil, 0, err
	}
	return all.slots, all.total, nil
}

// pageOf fills the page from the matched slots of a family, in order.
func (r *pager) pageOf(f route.Family, matched table.Bits) {
	var after netip.Prefix
	if r.after.Prefix.IsValid() && f == r.after.Family {
		after = r.after.Prefix
		if d, ok := r.view.Exact(f, after); ok && r.after.Given > 0 && (matched == nil || matched.Has(d.Slot())) {
			r.add(d)
		}
	}
	for d := range r.view.Ordered(f, r.in.Prefix, after, matched) {
		if r.full {
			return
		}
		r.add(d)
	}
}

// add adds the routes of a destination that meet the query.
func (r *pager) add(d table.Dest) {
	r.met = r.tests.filter(r.met[:0], r.view, d)
	r.give(d)
}

// give puts the routes that were met onto the page. It is full when they do not fit.
// A prefix is not torn apart, but when it alone has more routes than a page holds.
func (r *pager) give(d table.Dest) {
	routes, given := r.met, 0
	if r.after.Given > 0 && d.Family == r.after.Family && d.Prefix == r.after.Prefix {
		given = min(int(r.after.Given), len(routes))
		routes = routes[given:]
	}
	before := len(r.result.Routes)
	switch {
	case before+len(routes) <= r.limit:
	case before > 0:
		last := r.result.Routes[before-1]
		r.result.NextCursor = Cursor{Family: last.Family, Prefix: last.Prefix}.String()
		r.full = true
		return
	default:
		routes = routes[:r.limit]
		r.result.NextCursor = Cursor{Family: d.Family, Prefix: d.Prefix, Given: uint32(given + r.limit)}.String()
		r.full = true
	}
	r.result.Routes = append(r.result.Routes, routes...)
}
