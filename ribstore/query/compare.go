package query

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"ribglass/ribstore/route"
	"ribglass/ribstore/table"
)

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
	A, B  Side  // what was, what is
	Query Query // a difference is kept when either side of it meets the conditions
	Stale bool  // a route that became stale, or is no longer, is a change too
}

// Side is one side of a comparison.
type Side struct {
	Table *table.Table
	Peer  string    // the name of the only peer that counts; "": all do
	At    time.Time // the moment that the table is true for; ages in the query count from it
}

// DiffKind says what became of a route.
type DiffKind string

// The kinds of differences.
const (
	Added     DiffKind = "added"
	Withdrawn DiffKind = "withdrawn"
	Changed   DiffKind = "changed"
)

// Cause tells the reason of a difference that matters most to an operator.
type Cause string

// The causes of a changed route. The first that applies is given.
const (
	CauseOrigin    Cause = "origin"    // the path ends in another AS
	CausePath      Cause = "path"      // the AS path is another
	CauseNextHop   Cause = "next-hop"  // the next hop is another
	CauseCommunity Cause = "community" // communities of any kind differ
	CauseOther     Cause = "other"     // MED, LOCAL_PREF, …
	CauseStale     Cause = "stale"     // only whether a session confirms it differs
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
	Kind       DiffKind
	Cause      Cause
	Attributes []string     // of a changed route: what changed, see [ChangedAttributes]; and "stale"
	Old, New   *route.Route // nil when added or withdrawn; undecided (see [route.Route.Best])
}

// DiffCounts count routes of the whole comparison that meet its query.
type DiffCounts struct {
	Same                      int // on both sides
	Added, Withdrawn, Changed int
	Causes                    []CauseCount // the most frequent first
	Peers                     []PeerDiff   // by name; without peers that have no such route
	Attributes                []Facet      // of changed routes: how often each changed
}

// CauseCount is how many differences of a kind have a cause.
type CauseCount struct {
	Kind  DiffKind
	Cause Cause
	Count int
}

// PeerDiff counts differences of one peer. In a comparison across peers a
// changed route counts for that of New.
type PeerDiff struct {
	Peer                            string
	Same, Added, Withdrawn, Changed int
}

// Diff is one page of what differs. It is the caller's to keep.
type Diff struct {
	Query       Query
	From, To    time.Time    // the moments of the sides
	Counts      *DiffCounts  // of the whole; nil on all pages but the first, which would walk all again
	Differences []Difference // by family, prefix, peer and path identifier
	NextCursor  string       // "" on the last page
	Notices     []string     // for people; the caller's to fill in
}

// Differ reports whether anything differs.
func (c *DiffCounts) Differ() bool { return c.Added+c.Withdrawn+c.Changed > 0 }

// Page returns one page of differences, all of one prefix on the same page, and
// with the first page the counts of all. Errors are [ErrCursor] for a foreign
// cursor and that of the context.
func (c Comparison) Page(ctx context.Context, page Page) (*Diff, error) {
	return nil, errors.ErrUnsupported
}

// Count counts the differences.
func (c Comparison) Count(ctx context.Context) (*DiffCounts, error) {
	return nil, errors.ErrUnsupported
}

// Stream calls yield with all differences in order, a slice at a time that is
// valid during the call. It holds views for a slice only, so that it can last
// long; routes that change meanwhile are compared as they are then.
func (c Comparison) Stream(ctx context.Context, yield func([]Difference) error) error {
	return errors.ErrUnsupported
}

// ChangedAttributes names the attributes in which two sets differ, in the words
// of the query language where it has one: "origin-code", "path", "nexthop",
// "med", "local-pref", "atomic-aggregate", "aggregator", "community",
// "originator-id", "cluster-list", "ext-community", "aigp", "large-community",
// "otc", or "attribute-99"; in the order of type codes.
func ChangedAttributes(a, b route.Attrs) []string { return nil }

// CauseOf returns the cause of a change from one attribute set to another, ""
// when they are equal.
func CauseOf(a, b route.Attrs) Cause { return "" }
