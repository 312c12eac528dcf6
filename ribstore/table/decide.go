package table

import (
	"bytes"
	"slices"

	"ribglass/ribstore/route"
)

// step is one step of the decision process. rank tells how good a route is at
// it, lower is better; only routes of the same group are compared.
type step struct {
	name  string
	rank  func(*route.Route) uint64
	group func(*route.Route) uint64
}

// defaultLocalPref is what a route without LOCAL_PREF counts as, as in every
// router's configuration.
const defaultLocalPref = 100

// steps returns the decision process: RFC 4271 section 9.1.2.2 with the usual
// additions. There is no step of interior cost, which a collector does not
// know.
func steps() []step {
	return []step{
		{"long-lived-stale", rankLongLived, everyone},
		{"local-pref", rankLocalPref, everyone},
		{"as-path-length", func(r *route.Route) uint64 { return uint64(r.Attrs.ASPath().Len()) }, everyone},
		{"origin", func(r *route.Route) uint64 { return uint64(r.Attrs.Origin()) }, everyone},
		{"med", rankMED, neighborAS},
		{"ebgp-over-ibgp", rankIBGP, everyone},
		{"router-id", rankRouterID, everyone},
		{"cluster-list-length", func(r *route.Route) uint64 { return uint64(len(r.Attrs.ClusterList())) }, everyone},
	}
}

// rankLongLived puts routes in the long-lived stale phase last (RFC 9494
// section 4.2).
func rankLongLived(r *route.Route) uint64 {
	if r.LongLived || r.Attrs.Communities().Has(route.LLGRStale) {
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

func everyone(*route.Route) uint64 { return 0 }

// neighborAS groups routes whose MEDs are comparable.
func neighborAS(r *route.Route) uint64 {
	asn, ok := r.Attrs.ASPath().First()
	if !ok {
		return 1 << 32
	}
	return uint64(asn)
}

func rankIBGP(r *route.Route) uint64 {
	if r.Peer.IBGP() {
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
func Decide(routes []route.Route) {
	if len(routes) == 0 {
		return
	}
	if len(routes) == 1 {
		routes[0].Best, routes[0].Decision = true, "only-route"
		return
	}
	left, last := routes, ""
	for _, s := range steps() {
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
		last = "peer-address"
		slices.SortFunc(left, compareEnds)
		for i := range left[1:] {
			left[i+1].Decision = last
		}
	}
	routes[0].Best, routes[0].Decision = true, last
}

// eliminate moves the routes that lose at the step behind the others, notes the
// step, and returns how many are left.
func (s step) eliminate(routes []route.Route) int {
	best := make(map[uint64]uint64, 1)
	for i := range routes {
		group, rank := s.group(&routes[i]), s.rank(&routes[i])
		if lowest, ok := best[group]; !ok || rank < lowest {
			best[group] = rank
		}
	}
	kept, losers := 0, []route.Route(nil)
	for i := range routes {
		r := routes[i]
		if s.rank(&r) > best[s.group(&r)] {
			r.Decision = s.name
			losers = append(losers, r)
			continue
		}
		routes[kept] = r
		kept++
	}
	copy(routes[kept:], losers)
	return kept
}

// compareEnds orders by peer address, then path identifier.
func compareEnds(a, b route.Route) int {
	if c := a.Peer.Address.Compare(b.Peer.Address); c != 0 {
		return c
	}
	if a.PathID != b.PathID {
		if a.PathID < b.PathID {
			return -1
		}
		return 1
	}
	return bytes.Compare(a.Attrs, b.Attrs)
}
