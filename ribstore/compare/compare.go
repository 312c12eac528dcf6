// Package compare tells what differs between two tables, or between two peers of
// one: [New] makes a [Comparison], which counts the differences, gives a page of
// them or all of them. Both tables are walked in step, prefix by prefix, so that a
// comparison takes no memory for what is equal.
//
// [ChangedAttributes] and [CauseOf] tell the same of two attribute sets.
package compare

import (
	"context"
	"net/netip"
	"time"

	"ribglass/ribstore/query"
	"ribglass/ribstore/route"
	"ribglass/ribstore/table"
)

// Request says what is compared: two moments, or two peers at one of them.
type Request struct {
	From, To         query.Moment
	FromPeer, ToPeer string      // "": all peers
	Query            query.Query // only routes that meet it on either side
	Stale            bool        // whether a route is stale counts too
}

// Comparison asks what differs between two sides: two moments (two tables), two
// peers (one table), or a peer and a table that was read from a file.
//
// Routes are the same route when family, prefix, peer and path identifier are.
// When a side is confined to one peer, the names of peers do not count: of the
// routes of one prefix those with equal attributes are matched first, then those
// with the same path identifier, then what is left in the order of peers.
//
// When a route was received does not count. A Comparison is a value; its methods
// pin views of both tables and may be called by many goroutines.
type Comparison struct {
	a, b  Side        // what was, what is
	query query.Query // a difference is kept when either side of it meets the conditions
	stale bool        // a route that became stale, or is no longer, is a change too
}

// New returns the comparison of what was with what is. A difference is kept when
// either side of it meets the conditions of the query. With stale, a route that
// became stale, or is no longer, is a change too.
func New(a, b Side, q query.Query, stale bool) *Comparison { return &Comparison{a, b, q, stale} }

// Against returns the comparison of what was of c with what is of another.
func (c Comparison) Against(other *Comparison) *Comparison {
	c.b = other.b
	return &c
}

// Side is one side of a comparison.
type Side struct {
	query.Known

	Peer string // the name of the only peer that counts; "": all do
}

// Kind says what became of a route.
type Kind string

// The kinds of differences.
const (
	Added     Kind = "added"
	Withdrawn Kind = "withdrawn"
	Changed   Kind = "changed"
)

// The causes of an added and of a withdrawn route. The first that applies is
// given.
const (
	CauseNewPrefix  Cause = "new-prefix"  // the prefix had no route
	CauseNewPeer    Cause = "new-peer"    // the peer had no route of the family
	CauseNewRoute   Cause = "new-route"   // the prefix had other routes already
	CausePrefixGone Cause = "prefix-gone" // the prefix has no route any more
	CausePeerGone   Cause = "peer-gone"   // the peer has no route of the family any more
	CauseRouteGone  Cause = "route-gone"  // the prefix has other routes still
)

// Difference is one route that differs.
type Difference struct {
	Family     route.Family
	Prefix     netip.Prefix
	Kind       Kind
	Cause      Cause
	Attributes []string     // of a changed route: what changed, see [ChangedAttributes]; and "stale"
	Old, New   *route.Route // nil when added or withdrawn; undecided (see [route.Route.Best])
}

// Counts count routes of the whole comparison that meet its query.
type Counts struct {
	Same                      int // on both sides
	Added, Withdrawn, Changed int
	Causes                    []CauseCount  // the most frequent first
	Peers                     []PeerCounts  // by name; without peers that have no such route
	Attributes                []query.Facet // of changed routes: how often each changed
}

// CauseCount is how many differences of a kind have a cause.
type CauseCount struct {
	Kind  Kind
	Cause Cause
	Count int
}

// PeerCounts counts differences of one peer. In a comparison across peers a
// changed route counts for that of New.
type PeerCounts struct {
	Peer                            string
	Same, Added, Withdrawn, Changed int
}

// Result is one page of what differs. It is the caller's to keep.
type Result struct {
	Query       query.Query
	From, To    time.Time    // the moments of the sides
	Counts      *Counts      // of the whole; nil on all pages but the first, which would walk all again
	Differences []Difference // by family, prefix, peer and path identifier
	NextCursor  string       // "" on the last page
	Notices     []string     // for people; the caller's to fill in
}

// Differ reports whether anything differs.
func (c *Counts) Differ() bool { return c.Added+c.Withdrawn+c.Changed > 0 }

// Page returns one page of differences, all of one prefix on the same page, and
// with the first page the counts of all. Errors are [query.ErrCursor] for a foreign
// cursor and that of the context.
func (c Comparison) Page(ctx context.Context, page query.Page) (*Result, error) {
	after, err := query.ParseCursor(page.Cursor)
	if err != nil {
		return nil, err
	}
	p := pageOf{limit: page.Limit}
	if p.limit <= 0 {
		p.limit = query.DefaultLimit
	}
	var counts *Counts
	err = c.pin(func(a, b *table.View) error {
		z := c.newZipper(a, b, p.add)
		z.counting = z.counting || page.Cursor == ""
		err := z.run(ctx, after)
		counts = z.tally.counts(z.names)
		return err
	})
	if err != nil {
		return nil, err
	}
	d := &Result{Query: c.query, From: c.a.At, To: c.b.At, Differences: p.list, NextCursor: p.next}
	if page.Cursor == "" {
		d.Counts = counts
	}
	return d, nil
}

// pageOf collects the differences of one page.
type pageOf struct {
	list  []Difference
	limit int
	next  string
}

// add takes the differences of one prefix and reports whether more are wanted. A
// page holds at least one prefix whole.
func (p *pageOf) add(list []Difference) bool {
	if len(p.list) > 0 && len(p.list)+len(list) > p.limit {
		last := p.list[len(p.list)-1]
		p.next = query.Cursor{Family: last.Family, Prefix: last.Prefix}.String()
		return false
	}
	p.list = append(p.list, list...)
	return true
}

// Count counts the differences.
func (c Comparison) Count(ctx context.Context) (*Counts, error) {
	var counts *Counts
	err := c.pin(func(a, b *table.View) error {
		z := c.newZipper(a, b, nil)
		z.counting = true
		err := z.run(ctx, query.Cursor{})
		counts = z.tally.counts(z.names)
		return err
	})
	return counts, err
}

// pin calls compare with views of both tables.
func (c Comparison) pin(compare func(a, b *table.View) error) error {
	return c.a.pin(c.query, func(a *table.View) error {
		return c.b.pin(c.query, func(b *table.View) error { return compare(a, b) })
	})
}

// pin calls read with a view of the side. The peer of a side is named as if the
// query named it: its router is asked by the view of the peer.
func (s Side) pin(q query.Query, read func(*table.View) error) error {
	if s.Peer != "" {
		q.Expr = query.AnyPeer(append(q.Peers(), s.Peer)...)
	}
	return s.ViewFor(q, read)
}

// Stream calls yield with all differences in order, a slice at a time that is
// valid during the call. It holds views for a slice only, so that it can last
// long; routes that change meanwhile are compared as they are then.
func (c Comparison) Stream(ctx context.Context, yield func([]Difference) error) error {
	var after query.Cursor
	var slice []Difference
	for more := true; more; {
		slice = slice[:0]
		err := c.pin(func(a, b *table.View) error {
			z := c.newZipper(a, b, func(list []Difference) bool {
				slice = append(slice, list...)
				return len(slice) < sliceRoutes
			})
			z.most = slicePrefixes
			err := z.run(ctx, after)
			after, more = z.last, z.more
			return err
		})
		if err != nil {
			return err
		}
		if len(slice) > 0 {
			if err := yield(slice); err != nil {
				return err
			}
		}
	}
	return nil
}

// sliceRoutes is about how many differences are given at a time.
const sliceRoutes = 4096

// slicePrefixes is how many prefixes a stream of differences walks with one pair
// of views.
const slicePrefixes = 1 << 16
