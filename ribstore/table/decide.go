package table

import (
	"bytes"
	"cmp"
	"slices"

	"ribglass/ribstore/route"
)

// step is one step of the decision process. rank tells how good a route is at
// it, lower is better; only routes of the same group are compared.
type step struct {
	name  string
	rank  func(*route.Route) uint64
	group func(*route.Route) uint64 // nil: all are compared

	sorted bool // what loses is ordered, whatever order the routes came in
}

// defaultLocalPref is what a route without LOCAL_PREF counts as, as in every
// router's configuration.
const defaultLocalPref = 100

// steps is the decision process: RFC 4271 section 9.1.2.2 with the usual
// additions. There is no step of interior cost, which a collector does not
// know.
var steps = []step{ //nolint:gochecknoglobals // constant: a slice cannot be one
	{name: "long-lived-stale", rank: rankLongLived},
	{name: "stale", rank: rankStale, sorted: true},
	{name: "local-pref", rank: rankLocalPref},
	{name: "as-path-length", rank: func(r *route.Route) uint64 { return uint64(r.Attrs.ASPath().Len()) }},
	{name: "origin", rank: func(r *route.Route) uint64 { return uint64(r.Attrs.Origin()) }},
	{name: "med", rank: rankMED, group: neighborAS},
	{name: "ebgp-over-ibgp", rank: rankIBGP},
	{name: "router-id", rank: rankRouterID},
	{name: "cluster-list-length", rank: func(r *route.Route) uint64 { return uint64(len(r.Attrs.ClusterList())) }},
}

// The names of what decides beside the steps.
const (
	onlyRoute   = "only-route"
	peerAddress = "peer-address"
)

// Decisions lists what [route.Route.Decision] may be, in the order in which it is tried.
func Decisions() []string {
	names := []string{onlyRoute}
	for _, s := range steps {
		names = append(names, s.name)
	}
	return append(names, peerAddress)
}

// rankLongLived puts routes in the long-lived stale phase last (RFC 9494
// section 4.2).
func rankLongLived(r *route.Route) uint64 {
	if r.LongLived || r.Attrs.Communities().Has(route.LLGRStale) {
		return 1
	}
	return 0
}

// rankStale puts routes that no session confirms behind those that one does: their
// router may be gone. A router prefers a stale route only while its peer restarts
// gracefully (RFC 4724 section 4.2).
func rankStale(r *route.Route) uint64 {
	if !r.StaleSince.IsZero() && !r.AsFresh {
		return 1
	}
	return 0
}

func rankLocalPref(r *route.Route) uint64 {
	pref, ok := r.Attrs.LocalPref()
	if !ok {
		pref = defaultLocalPref
	}
	return uint64(^pref)
}

func rankMED(r *route.Route) uint64 {
	med, _ := r.Attrs.MED() // a missing one is the lowest (RFC 4271 section 9.1.2.2 c)
	return uint64(med)
}

// neighborAS groups routes whose MEDs are comparable.
func neighborAS(r *route.Route) uint64 {
	asn, ok := r.Attrs.ASPath().First()
	if !ok {
		return 1 << 32
	}
	return uint64(asn)
}

func rankIBGP(r *route.Route) uint64 {
	if r.Peer.Internal() { // RFC 5065 section 5.3
		return 1
	}
	return 0
}

// rankRouterID takes the ORIGINATOR_ID of a reflected route for the router id
// (RFC 4456 section 9).
func rankRouterID(r *route.Route) uint64 {
	id := r.Attrs.OriginatorID()
	if !id.IsValid() {
		id = r.Peer.RouterID
	}
	if !id.Is4() {
		return 1 << 32
	}
	return keyOfAddr(id).hi >> 32
}

// Decide runs the decision process over the routes of one prefix, marks the
// best, notes at each other the step that settled it, and orders them: the best
// first, then those that lost late, the rest after them.
//
// Routes of different views are two statements about one announcement and are not
// compared. So there are groups, each decided by itself: the routes of all
// sessions of the collector ([route.AdjRIBIn]), and for each other view those of
// each router. The groups follow each other in the order of views, then of
// routers.
func Decide(routes []route.Route) {
	for i := range routes {
		if routes[i].Peer.View != route.AdjRIBIn {
			decideGroups(routes)
			return
		}
	}
	decideGroup(routes)
}

// decideGroups is Decide for routes of several views.
func decideGroups(routes []route.Route) {
	slices.SortStableFunc(routes, compareGroups)
	for len(routes) > 0 {
		n := 1
		for n < len(routes) && compareGroups(routes[0], routes[n]) == 0 {
			n++
		}
		decideGroup(routes[:n])
		routes = routes[n:]
	}
}

// compareGroups orders routes by group; it returns 0 for routes of one group.
func compareGroups(a, b route.Route) int {
	if c := cmp.Compare(a.Peer.View, b.Peer.View); c != 0 || a.Peer.View == route.AdjRIBIn {
		return c
	}
	return cmp.Compare(a.Peer.RouterName(), b.Peer.RouterName())
}

// decideGroup decides routes that are all compared.
func decideGroup(routes []route.Route) {
	if len(routes) == 0 {
		return
	}
	if len(routes) == 1 {
		routes[0].Best, routes[0].Decision = true, onlyRoute
		return
	}
	left, last := routes, ""
	for _, s := range steps {
		kept := s.eliminate(left)
		if kept < len(left) {
			last = s.name
		}
		left = left[:kept]
		if kept == 1 {
			break
		}
	}
	if len(left) > 1 {
		last = peerAddress
		sortEnds(left)
		for i := range left[1:] {
			left[i+1].Decision = last
		}
	}
	routes[0].Best, routes[0].Decision = true, last
}

// eliminate moves the routes that lose at the step behind the others, notes the
// step, and returns how many are left.
func (s step) eliminate(routes []route.Route) int {
	best := s.best(routes)
	kept, losers := 0, []route.Route(nil)
	for i := range routes {
		if s.rank(&routes[i]) > best(&routes[i]) {
			routes[i].Decision = s.name
			losers = append(losers, routes[i])
			continue
		}
		if kept < i {
			routes[kept] = routes[i]
		}
		kept++
	}
	if s.sorted {
		sortEnds(losers)
	}
	copy(routes[kept:], losers)
	return kept
}

// best returns a function that tells the best rank in the group of a route.
func (s step) best(routes []route.Route) func(*route.Route) uint64 {
	if s.group == nil {
		lowest := s.rank(&routes[0])
		for i := range routes[1:] {
			lowest = min(lowest, s.rank(&routes[i+1]))
		}
		return func(*route.Route) uint64 { return lowest }
	}
	lowest := make(map[uint64]uint64, 4)
	for i := range routes {
		group, rank := s.group(&routes[i]), s.rank(&routes[i])
		if known, ok := lowest[group]; !ok || rank < known {
			lowest[group] = rank
		}
	}
	return func(r *route.Route) uint64 { return lowest[s.group(r)] }
}

// compareEnds orders by peer address, then path identifier. What follows is so that the
// order never depends on that in which routes were met.
func compareEnds(a, b *route.Route) int {
	return cmp.Or(a.Peer.Address.Compare(b.Peer.Address), cmp.Compare(a.PathID, b.PathID),
		bytes.Compare(a.Attrs, b.Attrs), cmp.Compare(a.Peer.Name, b.Peer.Name))
}

// sortEnds orders routes by compareEnds.
func sortEnds(routes []route.Route) {
	slices.SortFunc(routes, func(a, b route.Route) int { return compareEnds(&a, &b) })
}
