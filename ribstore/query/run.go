package query

import (
	"encoding/base64"
	"errors"
	"net/netip"
	"slices"

	"ribglass/ribstore/route"
	"ribglass/ribstore/table"
)

// ErrCursor is returned for a cursor that no answer to the query gave.
var ErrCursor = errors.New("the cursor is not one of this query")

// Limits of a page, in routes.
const (
	DefaultLimit = 100
	MaxLimit     = 1000
)

// cursor is the last prefix of a page. It stays meaningful while routes change.
type cursor struct {
	family route.Family
	prefix netip.Prefix
}

func (c cursor) String() string {
	b, err := c.prefix.MarshalBinary()
	if err != nil {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(append([]byte{byte(c.family)}, b...))
}

func parseCursor(s string) (cursor, error) {
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil || len(b) < 2 || b[0] >= route.NumFamilies {
		return cursor{}, ErrCursor
	}
	c := cursor{family: route.Family(b[0])}
	if err := c.prefix.UnmarshalBinary(b[1:]); err != nil || !c.prefix.IsValid() ||
		c.prefix.Addr().BitLen() != c.family.Bits() || c.prefix != c.prefix.Masked() {
		return cursor{}, ErrCursor
	}
	return c, nil
}

// Run answers one page of the query from the view. Result.At and Freshness are
// the caller's to fill in. It returns [ErrCursor] for a foreign cursor.
func Run(v *table.View, q Query, page Page) (*Result, error) {
	r := runner{view: v, query: q, limit: page.Limit, result: &Result{Query: q}}
	if r.limit <= 0 {
		r.limit = DefaultLimit
	}
	if len(q.Peers) > 0 {
		r.chosen = v.Select(func(p *route.Peer) bool { return slices.Contains(q.Peers, p.Name) })
	}
	if page.Cursor != "" {
		var err error
		if r.after, err = parseCursor(page.Cursor); err != nil {
			return nil, err
		}
	}
	for _, f := range q.families() {
		r.family(f)
	}
	return r.result, nil
}

// families returns the families that the query can have routes in, in order.
func (q Query) families() []route.Family {
	var families []route.Family
	for _, f := range route.Families() {
		if len(q.Families) > 0 && !slices.Contains(q.Families, f) {
			continue
		}
		if q.Match != Any && q.Prefix.Addr().BitLen() != f.Bits() {
			continue
		}
		families = append(families, f)
	}
	return families
}

// runner collects one page.
type runner struct {
	view   *table.View
	query  Query
	chosen table.Select
	limit  int
	after  cursor // its prefix is invalid on the first page
	result *Result
	full   bool // the page has what it can hold
}

func (r *runner) family(f route.Family) {
	switch r.query.Match {
	case Longest:
		r.longest(f)
	case Exact:
		if d, ok := r.view.Exact(f, r.query.Prefix); ok {
			r.add(d)
		}
	case OrShorter:
		for _, d := range r.view.Covering(f, r.query.Prefix) {
			r.add(d)
		}
	case OrLonger:
		r.within(f, r.query.Prefix)
	case Any:
		r.within(f, netip.Prefix{})
	}
}

// longest adds the most specific covering prefix that has a route of the
// chosen peers.
func (r *runner) longest(f route.Family) {
	if r.chosen == nil {
		if d, ok := r.view.Longest(f, r.query.Prefix.Addr()); ok && r.add(d) {
			return
		}
	}
	for _, d := range slices.Backward(r.view.Covering(f, r.query.Prefix)) {
		if r.add(d) {
			return
		}
	}
}

// within adds what the prefix covers. The total is counted, or known.
func (r *runner) within(f route.Family, p netip.Prefix) {
	var after netip.Prefix
	switch {
	case !r.after.prefix.IsValid() || f > r.after.family:
	case f < r.after.family:
		r.result.Total += r.count(f, p)
		return
	default:
		after = r.after.prefix
	}
	r.result.Total += r.count(f, p)
	if r.full {
		return
	}
	for d := range r.view.Within(f, p, after) {
		if r.page(d) {
			return
		}
	}
}

// count returns how many routes the prefix covers.
func (r *runner) count(f route.Family, p netip.Prefix) int {
	if !p.IsValid() || p.Bits() == 0 {
		return r.view.Total(f, r.chosen)
	}
	n := 0
	for d := range r.view.Within(f, p, netip.Prefix{}) {
		n += r.view.Count(d, r.chosen)
	}
	return n
}

// add adds the routes of a destination to an answer that has one page only,
// and reports whether there were any.
func (r *runner) add(d table.Dest) bool {
	before := len(r.result.Routes)
	r.result.Routes = r.view.Routes(r.result.Routes, d, r.chosen)
	added := len(r.result.Routes) - before
	r.result.Total += added
	return added > 0
}

// page adds the routes of a destination unless the page is full then, and
// reports whether to stop. A page holds at least one destination whole.
func (r *runner) page(d table.Dest) bool {
	before := len(r.result.Routes)
	routes := r.view.Routes(r.result.Routes, d, r.chosen)
	if before > 0 && len(routes) > r.limit && len(routes) > before {
		last := r.result.Routes[before-1]
		r.result.NextCursor = cursor{last.Family, last.Prefix}.String()
		r.full = true
		return true
	}
	r.result.Routes = routes
	return false
}
