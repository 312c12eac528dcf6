// Package changes tells what happened in a span of time. It is told
// [Occurrence] after occurrence what the journal holds and what became of a
// prefix by it. A [Filter] makes [Change] values of them that meet a query, a
// [Pager] a page of those, and a [TimelineBuilder] the [Timeline] of one prefix.
//
// The package does not read the journal and keeps no table: it is pure, and each
// of its values is for one goroutine.
package changes

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
	"time"

	"ribglass/ribstore/compare"
	"ribglass/ribstore/query"
	"ribglass/ribstore/route"
)

// Kind says what happened to a route or a session.
type Kind string

// What happens to routes.
const (
	Announced     Kind = "announce"          // there was none
	Replaced      Kind = "replace"           // by one with other attributes
	WentStale     Kind = "stale"             // no session confirms it any more
	WentLongLived Kind = "long-lived"        // stale, in the long-lived phase now (RFC 9494)
	Confirmed     Kind = "confirm"           // stale before, sent again with the same attributes
	Withdrawn     Kind = "withdraw"          // by its peer
	Refused       Kind = "treat-as-withdraw" // by us: it was announced in a malformed UPDATE (RFC 7606)
	Swept         Kind = "sweep"             // not sent again until End-of-RIB or the end of a refresh
	Expired       Kind = "expire"            // stale for too long
	Dropped       Kind = "drop"              // with its session, or with its peer's configuration
)

// What happens to sessions.
const (
	SessionUp    Kind = "peer-up"
	SessionDown  Kind = "peer-down"
	PeerRemoved  Kind = "peer-removed"
	EndOfRIB     Kind = "end-of-rib"
	RefreshBegun Kind = "refresh-begin"
	RefreshEnded Kind = "refresh-end"
)

// Session reports whether it happens to a session and not to a route.
func (k Kind) Session() bool {
	switch k {
	case SessionUp, SessionDown, PeerRemoved, EndOfRIB, RefreshBegun, RefreshEnded:
		return true
	default:
		return false
	}
}

// Change is one thing that happened. It is the caller's to keep.
type Change struct {
	At         time.Time // of imported changes to the microsecond
	Moment     time.Time // that it counts for, a whole millisecond
	Number     int       // the place of the change among the changes of its moment that meet the query, from 0
	Kind       Kind
	Family     route.Family // of a session: of end-of-rib and refresh only
	Prefix     netip.Prefix // invalid for a session
	Peer       *route.Peer
	PathID     uint32
	Cause      compare.Cause // of replace
	Attributes []string      // of replace: what changed, see [compare.ChangedAttributes]
	Old, New   route.Attrs   // nil when there was or is none
	Reason     string        // of peer-down, and of what happened to routes because of it; of treat-as-withdraw
}

// Occurrence is what happened at one time as the journal tells it: a batch, or
// stale routes that expired; and what became of one prefix by it.
type Occurrence struct {
	At      time.Time    // when it happened
	Moment  time.Time    // that it counts for, see history.Event; zero: At
	Expired bool         // stale routes expired: there is no batch
	Event   route.Event  // of the batch
	Peer    *route.Peer  // of the batch
	Family  route.Family // of the batch, for events that have one
	Reason  string       // of the batch

	// All routes of a prefix before and after it, as a view's Routes gives them, and
	// which of its announcements were refused. All empty: the occurrence itself is
	// meant, a session event.
	Before, After []route.Route
	Refused       []route.Refused // of Peer
}

// Filter turns occurrences into changes that meet a query: the route before
// or after does. Of what happens to sessions, conditions on peers and families
// decide; an address means all prefixes that cover it. It is for one goroutine.
type Filter struct {
	Query    query.Query
	Known    query.Known // the table that what happens is true for; ages in the query count from Known.At
	Sessions bool        // keep what happens to sessions
	Owners   bool        // of them only sessions of peers that have or had a route that meets the query, see Begin

	conditions *query.Conditions // nil before the first occurrence
	had        map[string]bool   // peers that have or had such a route, with Owners
	last       time.Time
	number     int
}

// Begin tells the routes of a prefix that are there before the first occurrence. With
// Owners it must be told all prefixes that the query may be about.
func (f *Filter) Begin(routes []route.Route) {
	f.compile()
	moas := query.SeveralOrigins(routes)
	for i := range routes {
		if f.conditions.Meets(&routes[i], moas) {
			f.had[routes[i].Peer.Name] = true
		}
	}
}

func (f *Filter) compile() {
	if f.conditions != nil {
		return
	}
	f.conditions, f.had = query.Compile(f.Query, f.Known.At), make(map[string]bool)
}

// Changes returns the changes that the occurrence makes to the prefix, or to the
// session, and that meet the query, by peer and path identifier. Occurrences come
// in the order of their moments.
func (f *Filter) Changes(o Occurrence) []Change {
	f.compile()
	var list []Change
	if len(o.Before)+len(o.After)+len(o.Refused) > 0 {
		list = f.ofRoutes(&o)
	} else if c, ok := f.ofSession(&o); ok {
		list = []Change{c}
	}
	if o.Moment.IsZero() {
		o.Moment = o.At
	}
	if !o.Moment.Equal(f.last) {
		f.last, f.number = o.Moment, 0
	}
	for i := range list {
		list[i].At, list[i].Moment, list[i].Number = o.At, o.Moment, f.number
		f.number++
		if f.Owners {
			f.had[list[i].Peer.Name] = true
		}
	}
	return list
}

// ofSession returns what happened to a session, if it did and concerns the query.
func (f *Filter) ofSession(o *Occurrence) (Change, bool) {
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
		c.Kind = PeerRemoved
	case route.EndOfRIB:
		c.Kind, c.Family = EndOfRIB, o.Family
	case route.RefreshBegin:
		c.Kind, c.Family = RefreshBegun, o.Family
	case route.RefreshEnd:
		c.Kind, c.Family = RefreshEnded, o.Family
	case route.Routes, route.PeerChanged:
		return c, false
	}
	ofFamily := c.Kind == EndOfRIB || c.Kind == RefreshBegun || c.Kind == RefreshEnded
	return c, !ofFamily || slices.Contains(f.conditions.Families(), o.Family)
}

// concerns reports whether what happens to sessions of the peer is asked about.
func (f *Filter) concerns(p *route.Peer) bool {
	return f.Known.MaySee(p) && f.conditions.MayHave(p) && (!f.Owners || f.had[p.Name])
}

// ofRoutes returns what happened to the routes of a prefix.
func (f *Filter) ofRoutes(o *Occurrence) (list []Change) {
	before, after := byPeer(o.Before), byPeer(o.After)
	moasBefore, moasAfter := query.SeveralOrigins(o.Before), query.SeveralOrigins(o.After)
	for len(before) > 0 || len(after) > 0 {
		var was, is *route.Route
		order := compareHeads(before, after)
		if order <= 0 {
			was, before = before[0], before[1:]
		}
		if order >= 0 {
			is, after = after[0], after[1:]
		}
		c, changed := o.change(was, is)
		if changed && (was != nil && f.conditions.Meets(was, moasBefore) || is != nil && f.conditions.Meets(is, moasAfter)) {
			list = append(list, c)
		}
	}
	return append(list, f.refused(o)...)
}

// refused returns the announcements that were refused and took no route away.
func (f *Filter) refused(o *Occurrence) (more []Change) {
	for i := range o.Refused {
		r := &o.Refused[i]
		none := route.Route{Family: r.Family, Prefix: r.Prefix, Peer: r.Peer, PathID: r.PathID, ReceivedAt: o.At}
		if hadRoute(o, r) || !f.conditions.Meets(&none, false) {
			continue
		}
		more = append(more, Change{
			Kind: Refused, Family: r.Family, Prefix: r.Prefix, Peer: r.Peer, PathID: r.PathID, Reason: r.Fault.String(),
		})
	}
	return more
}

// hadRoute reports whether there was a route in the place of a refused one.
func hadRoute(o *Occurrence, r *route.Refused) bool {
	return slices.ContainsFunc(o.Before, func(was route.Route) bool { return was.Peer.Name == r.Peer.Name && was.PathID == r.PathID })
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
		if fault, ok := o.fault(was); ok && c.Kind == Withdrawn {
			c.Kind, c.Reason = Refused, fault.String()
		}
	case string(was.Attrs) != string(is.Attrs):
		c.Kind = Replaced
		c.Cause, c.Attributes = compare.Attributes(was.Attrs, is.Attrs)
	default:
		c.Kind = confirmation(was, is)
	}
	return c, c.Kind != ""
}

// confirmation tells what happened to a route that is the same, "" when nothing
// did.
func confirmation(was, is *route.Route) Kind {
	stale, now := !was.StaleSince.IsZero(), !is.StaleSince.IsZero()
	switch {
	case now && !stale:
		return WentStale
	case stale && !now:
		return Confirmed
	case is.LongLived && !was.LongLived:
		return WentLongLived
	}
	return ""
}

// fault returns why a route was refused, when it was.
func (o *Occurrence) fault(was *route.Route) (route.Fault, bool) {
	for i := range o.Refused {
		if r := &o.Refused[i]; r.Peer.Name == was.Peer.Name && r.PathID == was.PathID {
			return r.Fault, true
		}
	}
	return route.Fault{}, false
}

// gone tells how a route went.
func (o *Occurrence) gone() Kind {
	if o.Expired {
		return Expired
	}
	switch o.Event {
	case route.PeerUp, route.PeerDown, route.PeerRemoved:
		return Dropped
	case route.EndOfRIB, route.RefreshBegin, route.RefreshEnd:
		return Swept
	case route.Routes, route.PeerChanged:
	}
	return Withdrawn
}
