package query

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
	"time"

	"ribglass/ribstore/route"
)

// ChangeKind says what happened to a route or a session.
type ChangeKind string

// What happens to routes.
const (
	Announced    ChangeKind = "announce"   // there was none
	Replaced     ChangeKind = "replace"    // by one with other attributes
	WentStale    ChangeKind = "stale"      // no session confirms it any more
	WentLong     ChangeKind = "long-lived" // stale, in the long-lived phase now (RFC 9494)
	Confirmed    ChangeKind = "confirm"    // stale before, sent again with the same attributes
	WithdrawnBy  ChangeKind = "withdraw"   // by its peer
	Swept        ChangeKind = "sweep"      // not sent again until End-of-RIB or the end of a refresh
	ExpiredStale ChangeKind = "expire"     // stale for too long
	Dropped      ChangeKind = "drop"       // with its session, or with its peer's configuration
)

// What happens to sessions.
const (
	SessionUp      ChangeKind = "peer-up"
	SessionDown    ChangeKind = "peer-down"
	SessionRemoved ChangeKind = "peer-removed"
	SessionEnd     ChangeKind = "end-of-rib"
	RefreshBegun   ChangeKind = "refresh-begin"
	RefreshEnded   ChangeKind = "refresh-end"
)

// Session reports whether it happens to a session and not to a route.
func (k ChangeKind) Session() bool {
	switch k {
	case SessionUp, SessionDown, SessionRemoved, SessionEnd, RefreshBegun, RefreshEnded:
		return true
	default:
		return false
	}
}

// Change is one thing that happened. It is the caller's to keep.
type Change struct {
	At         time.Time
	Number     int // among those of the same time that meet the query, from 0
	Kind       ChangeKind
	Family     route.Family // of a session: of end-of-rib and refresh only
	Prefix     netip.Prefix // invalid for a session
	Peer       *route.Peer
	PathID     uint32
	Cause      Cause       // of replace
	Attributes []string    // of replace: what changed, see [ChangedAttributes]
	Old, New   route.Attrs // nil when there was or is none
	Reason     string      // of peer-down, and of what happened to routes because of it
}

// Occurrence is what happened at one time as the journal tells it: a batch, or
// stale routes that expired; and what became of one prefix by it.
type Occurrence struct {
	At      time.Time
	Expired bool         // stale routes expired: there is no batch
	Event   route.Event  // of the batch
	Peer    *route.Peer  // of the batch
	Family  route.Family // of the batch, for events that have one
	Reason  string       // of the batch

	// All routes of a prefix before and after it, as a view's Routes gives them.
	// Both empty: the occurrence itself is meant, a session event.
	Before, After []route.Route
}

// ChangeFilter turns occurrences into changes that meet a query: the route before
// or after does. Of what happens to sessions, conditions on peers and families
// decide; an address means all prefixes that cover it. It is for one goroutine.
type ChangeFilter struct {
	Query    Query
	Known    Known // the table that what happens is true for; ages in the query count from Known.At
	Sessions bool  // keep what happens to sessions

	ready    bool
	meets    test
	labels   test
	families []route.Family
	last     time.Time
	number   int
}

// prepare compiles the query once.
func (f *ChangeFilter) prepare() {
	if f.ready {
		return
	}
	f.ready = true
	f.meets = compile(f.Query.Expr, f.Known.At)
	var labels And
	for _, part := range conjuncts(f.Query.Expr) {
		if isLabels(part) {
			labels = append(labels, part)
		}
	}
	f.labels = compile(labels, f.Known.At)
	x := execution{query: f.Query}
	x.in, _ = confinement(f.Query.Expr)
	x.chooseFamilies(conjuncts(f.Query.Expr))
	f.families = x.families
}

// Changes returns the changes that the occurrence makes to the prefix, or to the
// session, and that meet the query, by peer and path identifier. Occurrences come
// in order of time.
func (f *ChangeFilter) Changes(o Occurrence) []Change {
	f.prepare()
	var list []Change
	if len(o.Before)+len(o.After) > 0 {
		list = f.ofRoutes(&o)
	} else if c, ok := f.ofSession(&o); ok {
		list = []Change{c}
	}
	if !o.At.Equal(f.last) {
		f.last, f.number = o.At, 0
	}
	for i := range list {
		list[i].At, list[i].Number = o.At, f.number
		f.number++
	}
	return list
}

// ofSession returns what happened to a session, if it did and concerns the query.
func (f *ChangeFilter) ofSession(o *Occurrence) (Change, bool) {
	if !f.Sessions || o.Expired || o.Peer == nil || !f.concerns(o.Peer) {
		return Change{}, false
	}
	c := Change{Peer: o.Peer, Reason: o.Reason}
	switch o.Event {
	case route.PeerUp:
		c.Kind = SessionUp
	case route.PeerDown:
		c.Kind = SessionDown
	case route.PeerRemoved:
		c.Kind = SessionRemoved
	case route.EndOfRIB:
		c.Kind, c.Family = SessionEnd, o.Family
	case route.RefreshBegin:
		c.Kind, c.Family = RefreshBegun, o.Family
	case route.RefreshEnd:
		c.Kind, c.Family = RefreshEnded, o.Family
	case route.Routes:
		return c, false
	}
	ofFamily := c.Kind == SessionEnd || c.Kind == RefreshBegun || c.Kind == RefreshEnded
	return c, !ofFamily || slices.Contains(f.families, o.Family)
}

// concerns reports whether what happens to sessions of the peer is asked about.
func (f *ChangeFilter) concerns(p *route.Peer) bool {
	return f.Known.MaySee(p) && f.labels(&subject{route: &route.Route{Peer: p}})
}

// ofRoutes returns what happened to the routes of a prefix.
func (f *ChangeFilter) ofRoutes(o *Occurrence) (list []Change) {
	before, after := byPeer(o.Before), byPeer(o.After)
	was, is := subject{moas: severalOrigins(o.Before)}, subject{moas: severalOrigins(o.After)}
	for len(before) > 0 || len(after) > 0 {
		was.route, is.route = nil, nil
		order := compareHeads(before, after)
		if order <= 0 {
			was.route, before = before[0], before[1:]
		}
		if order >= 0 {
			is.route, after = after[0], after[1:]
		}
		c, changed := o.change(was.route, is.route)
		if changed && (was.route != nil && f.meets(&was) || is.route != nil && f.meets(&is)) {
			list = append(list, c)
		}
	}
	return list
}

// byPeer returns the routes by name of peer and path identifier.
func byPeer(routes []route.Route) []*route.Route {
	list := make([]*route.Route, len(routes))
	for i := range routes {
		list[i] = &routes[i]
	}
	slices.SortFunc(list, compareRoutes)
	return list
}

// compareRoutes orders routes of one prefix by name of peer and path identifier.
func compareRoutes(a, b *route.Route) int {
	return cmp.Or(strings.Compare(a.Peer.Name, b.Peer.Name), cmp.Compare(a.PathID, b.PathID))
}

// compareHeads compares the first of two lists, of which one may be empty: that
// comes last.
func compareHeads(a, b []*route.Route) int {
	switch {
	case len(b) == 0:
		return -1
	case len(a) == 0:
		return 1
	}
	return compareRoutes(a[0], b[0])
}

// change returns what became of a route; nil stands for none.
func (o *Occurrence) change(was, is *route.Route) (Change, bool) {
	known := cmp.Or(is, was)
	c := Change{Family: known.Family, Prefix: known.Prefix, Peer: known.Peer, PathID: known.PathID}
	if o.Peer != nil && o.Peer.Name == known.Peer.Name {
		c.Reason = o.Reason
	}
	if was != nil {
		c.Old = was.Attrs
	}
	if is != nil {
		c.New = is.Attrs
	}
	switch {
	case was == nil:
		c.Kind = Announced
	case is == nil:
		c.Kind = o.gone()
	case string(was.Attrs) != string(is.Attrs):
		changed := differing(was.Attrs, is.Attrs)
		c.Kind, c.Cause, c.Attributes = Replaced, changed.cause(was.Attrs, is.Attrs), changed.names()
	default:
		c.Kind = confirmation(was, is)
	}
	return c, c.Kind != ""
}

// confirmation tells what happened to a route that is the same, "" when nothing
// did.
func confirmation(was, is *route.Route) ChangeKind {
	stale, now := !was.StaleSince.IsZero(), !is.StaleSince.IsZero()
	switch {
	case now && !stale:
		return WentStale
	case stale && !now:
		return Confirmed
	case is.LongLived && !was.LongLived:
		return WentLong
	}
	return ""
}

// gone tells how a route went.
func (o *Occurrence) gone() ChangeKind {
	if o.Expired {
		return ExpiredStale
	}
	switch o.Event {
	case route.PeerUp, route.PeerDown, route.PeerRemoved:
		return Dropped
	case route.EndOfRIB, route.RefreshBegin, route.RefreshEnd:
		return Swept
	case route.Routes:
	}
	return WithdrawnBy
}
