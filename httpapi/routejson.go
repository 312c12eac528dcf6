package httpapi

import (
	"net/netip"
	"time"

	"ribglass/ribstore/query"
	"ribglass/ribstore/route"
)

// appendRoute appends one route. What the route does not have is left out.
func appendRoute(b []byte, r *route.Route) []byte { return appendFields(b, r, allFields) }

// appendFields appends the wanted members of a route.
func appendFields(b []byte, r *route.Route, want fields) []byte {
	if want == allFields {
		b = appendOwn(append(b, '{'), r)
	} else {
		b = appendSome(append(b, '{'), r, want)
	}
	return append(appendAttrs(b, r.Attrs, want), '}')
}

// appendOwn appends the members that do not come from path attributes.
func appendOwn(b []byte, r *route.Route) []byte {
	b = appendPrefix(appendKey(b, "prefix"), r.Prefix)
	b = appendString(appendKey(b, "family"), r.Family.String())
	b = appendString(appendKey(b, "peer"), r.Peer.Name)
	if r.Peer.Router != "" {
		b = appendString(appendKey(b, "router"), r.Peer.Router)
	}
	if r.Peer.AddPath[r.Family] {
		b = appendUint(appendKey(b, "path_id"), uint64(r.PathID))
	}
	b = appendTime(appendKey(b, "received_at"), r.ReceivedAt)
	if !r.StaleSince.IsZero() {
		b = appendTime(appendKey(b, "stale_since"), r.StaleSince)
	}
	if r.LongLived {
		b = appendBool(appendKey(b, "long_lived_stale"), true)
	}
	b = appendBool(appendKey(b, "best"), r.Best)
	if r.Decision != "" {
		b = appendString(appendKey(b, "decision"), r.Decision)
	}
	return b
}

// appendSome is appendOwn for the wanted members.
func appendSome(b []byte, r *route.Route, want fields) []byte {
	if want.has(fPrefix) {
		b = appendPrefix(appendKey(b, "prefix"), r.Prefix)
	}
	if want.has(fFamily) {
		b = appendString(appendKey(b, "family"), r.Family.String())
	}
	if want.has(fPeer) {
		b = appendString(appendKey(b, "peer"), r.Peer.Name)
	}
	if want.has(fRouter) && r.Peer.Router != "" {
		b = appendString(appendKey(b, "router"), r.Peer.Router)
	}
	if want.has(fPathID) && r.Peer.AddPath[r.Family] {
		b = appendUint(appendKey(b, "path_id"), uint64(r.PathID))
	}
	return appendSomeState(b, r, want)
}

// appendSomeState appends the wanted members from received_at to decision.
func appendSomeState(b []byte, r *route.Route, want fields) []byte {
	if want.has(fReceivedAt) {
		b = appendTime(appendKey(b, "received_at"), r.ReceivedAt)
	}
	if want.has(fStaleSince) && !r.StaleSince.IsZero() {
		b = appendTime(appendKey(b, "stale_since"), r.StaleSince)
	}
	if want.has(fLongLivedStale) && r.LongLived {
		b = appendBool(appendKey(b, "long_lived_stale"), true)
	}
	if want.has(fBest) {
		b = appendBool(appendKey(b, "best"), r.Best)
	}
	if want.has(fDecision) && r.Decision != "" {
		b = appendString(appendKey(b, "decision"), r.Decision)
	}
	return b
}

// appendAttrs appends the wanted members that come from path attributes.
func appendAttrs(b []byte, attrs route.Attrs, want fields) []byte {
	unknown := false
	for c := range attrs.All() {
		if !want.has(fieldsOf(c)) {
			continue
		}
		switch c {
		case route.AttrOrigin:
			b = appendString(appendKey(b, "origin"), attrs.Origin().String())
		case route.AttrASPath:
			b = appendPaths(b, attrs.ASPath(), want)
		case route.AttrNextHop:
			b = appendNextHop(b, attrs, want)
		case route.AttrMED, route.AttrLocalPref, route.AttrOTC, route.AttrAIGP, route.AttrAtomicAggregate:
			b = appendNumber(b, attrs, c)
		case route.AttrCommunities, route.AttrLargeCommunities:
			b = appendCommunities(b, attrs, c)
		case route.AttrAggregator, route.AttrOriginatorID, route.AttrClusterList:
			b = appendOrigins(b, attrs, c)
		case route.AttrExtCommunities:
			b = appendExtCommunities(b, attrs)
		case route.AttrIPv6ExtCommunity:
			if _, both := attrs.Get(route.AttrExtCommunities); !both {
				b = appendExtCommunities(b, attrs)
			}
		default:
			unknown = true
		}
	}
	if unknown {
		b = appendUnknown(b, attrs)
	}
	return b
}

// appendPaths appends the wanted forms of an AS path.
func appendPaths(b []byte, path route.ASPath, want fields) []byte {
	if want.has(fASPath) {
		b = appendPath(appendKey(b, "as_path"), path)
	}
	if want.has(fASPathText) {
		b = appendText(appendKey(b, "as_path_text"), path)
	}
	return b
}

// appendPath appends an AS path: the AS numbers of a sequence as numbers, an
// AS_SET as an array of them, a confederation segment as an object.
func appendPath(b []byte, path route.ASPath) []byte {
	b = append(b, '[')
	for s := range path.Segments() {
		switch s.Type {
		case route.ASSet:
			b = append(appendASNs(append(appendComma(b), '['), s), ']')
		case route.ASConfedSequence:
			b = append(appendASNs(append(appendComma(b), `{"confed_sequence":[`...), s), `]}`...)
		case route.ASConfedSet:
			b = append(appendASNs(append(appendComma(b), `{"confed_set":[`...), s), `]}`...)
		case route.ASSequence:
			b = appendASNs(b, s)
		}
	}
	return append(b, ']')
}

func appendASNs(b []byte, s route.Segment) []byte {
	for i := range s.Len() {
		b = appendUint(appendComma(b), uint64(s.At(i)))
	}
	return b
}

func appendNextHop(b []byte, attrs route.Attrs, want fields) []byte {
	if a := attrs.NextHop(); want.has(fNextHop) && a.IsValid() {
		b = appendAddr(appendKey(b, "next_hop"), a)
	}
	if a := attrs.LinkLocalNextHop(); want.has(fNextHopLinkLocal) && a.IsValid() {
		b = appendAddr(appendKey(b, "next_hop_link_local"), a)
	}
	return b
}

func appendNumber(b []byte, attrs route.Attrs, c route.AttrCode) []byte {
	switch c {
	case route.AttrMED:
		if n, ok := attrs.MED(); ok {
			b = appendUint(appendKey(b, "med"), uint64(n))
		}
	case route.AttrLocalPref:
		if n, ok := attrs.LocalPref(); ok {
			b = appendUint(appendKey(b, "local_pref"), uint64(n))
		}
	case route.AttrOTC:
		if n, ok := attrs.OTC(); ok {
			b = appendUint(appendKey(b, "otc"), uint64(n))
		}
	case route.AttrAIGP:
		if n, ok := attrs.AIGP(); ok {
			b = appendUint(appendKey(b, "aigp"), n)
		}
	default:
		b = appendBool(appendKey(b, "atomic_aggregate"), true)
	}
	return b
}

func appendCommunities(b []byte, attrs route.Attrs, c route.AttrCode) []byte {
	if c == route.AttrLargeCommunities {
		list := attrs.LargeCommunities()
		if list.Len() == 0 {
			return b
		}
		b = append(appendKey(b, "large_communities"), '[')
		for i := range list.Len() {
			b = appendText(appendComma(b), list.At(i))
		}
		return append(b, ']')
	}
	list := attrs.Communities()
	if list.Len() == 0 {
		return b
	}
	b = append(appendKey(b, "communities"), '[')
	for i := range list.Len() {
		b = appendText(appendComma(b), list.At(i))
	}
	return append(b, ']')
}

func appendExtCommunities(b []byte, attrs route.Attrs) []byte {
	b = append(appendKey(b, "ext_communities"), '[')
	for c := range attrs.ExtCommunities() {
		b = appendText(appendComma(b), c)
	}
	return append(b, ']')
}

// appendOrigins appends who aggregated or reflected the route.
func appendOrigins(b []byte, attrs route.Attrs, c route.AttrCode) []byte {
	switch c {
	case route.AttrAggregator:
		if asn, id, ok := attrs.Aggregator(); ok {
			b = append(appendKey(b, "aggregator"), '{')
			b = appendUint(appendKey(b, "asn"), uint64(asn))
			b = append(appendAddr(appendKey(b, "address"), id), '}')
		}
	case route.AttrOriginatorID:
		if id := attrs.OriginatorID(); id.IsValid() {
			b = appendAddr(appendKey(b, "originator_id"), id)
		}
	default:
		b = append(appendKey(b, "cluster_list"), '[')
		for list := attrs.ClusterList(); len(list) >= 4; list = list[4:] {
			b = appendAddr(appendComma(b), netip.AddrFrom4([4]byte(list)))
		}
		b = append(b, ']')
	}
	return b
}

func appendUnknown(b []byte, attrs route.Attrs) []byte {
	b = append(appendKey(b, "unknown_attributes"), '[')
	for u := range attrs.Unknown() {
		b = append(appendComma(b), '{')
		b = appendUint(appendKey(b, "code"), uint64(u.Code))
		b = appendUint(appendKey(b, "flags"), uint64(u.Flags))
		b = append(appendHex(appendKey(b, "value"), u.Value), '}')
	}
	return append(b, ']')
}

// appendQuery appends how a query was understood and is answered.
func appendQuery(b []byte, q query.Query, plan query.Plan) []byte {
	b = append(appendKey(b, "query"), '{')
	b = appendString(appendKey(b, "canonical"), q.String())
	b = append(appendKey(b, "plan"), '{')
	b = appendString(appendKey(b, "method"), string(plan.Method))
	if plan.Sets != "" {
		b = appendString(appendKey(b, "by_attribute_set"), plan.Sets)
	}
	if plan.Routes != "" {
		b = appendString(appendKey(b, "by_route"), plan.Routes)
	}
	b = append(appendInt(appendKey(b, "cost"), int64(plan.Cost)), '}')
	if len(q.Notes) > 0 {
		b = append(appendKey(b, "notes"), '[')
		for _, n := range q.Notes {
			b = appendNote(appendComma(b), n)
		}
		b = append(b, ']')
	}
	return append(b, '}')
}

func appendNote(b []byte, n query.Note) []byte {
	b = append(b, '{')
	b = appendInt(appendKey(b, "column"), int64(n.Column))
	b = appendString(appendKey(b, "understood"), n.Understood)
	if n.Other != "" {
		b = appendString(appendKey(b, "other"), n.Other)
	}
	return append(b, '}')
}

// appendFacets appends the counts of an answer.
func appendFacets(b []byte, f *query.Facets) []byte {
	b = append(appendKey(b, "facets"), '{')
	for _, kind := range []struct {
		name string
		list []query.Facet
	}{
		{"origins", f.Origins},
		{"neighbor_ases", f.NeighborASs},
		{"peers", f.Peers},
		{"communities", f.Communities},
		{"lengths", f.Lengths},
		{"next_hops", f.NextHops},
	} {
		b = appendCounts(b, kind.name, kind.list)
	}
	b = appendInt(appendKey(b, "origin_count"), int64(f.OriginCount))
	b = appendInt(appendKey(b, "neighbor_as_count"), int64(f.NeighborASCount))
	b = appendInt(appendKey(b, "community_count"), int64(f.CommunityCount))
	return append(b, '}')
}

// resultForm says what a page of an answer has beside the answer.
type resultForm struct {
	want   fields        // members of routes
	facets *query.Facets // nil: not wanted
	names  Names         // nil: not wanted
}

// appendResult appends a page of an answer.
func appendResult(b []byte, res *query.Result, form resultForm) []byte {
	b = appendQuery(append(b, '{'), res.Query, res.Plan)
	b = appendMoment(b, res.At, res.Requested, res.Notices)
	b = append(appendKey(b, "freshness"), '[')
	for i := range res.Freshness {
		b = appendFreshness(appendComma(b), &res.Freshness[i])
	}
	b = append(b, ']')
	b = appendInt(appendKey(b, "total"), int64(res.Total))
	b = append(appendKey(b, "routes"), '[')
	for i := range res.Routes {
		b = appendFields(appendComma(b), &res.Routes[i], form.want)
	}
	b = append(b, ']')
	if form.facets != nil {
		b = appendFacets(b, form.facets)
	}
	if form.names != nil {
		b = appendMeanings(b, form.names, res.Routes)
	}
	if res.NextCursor != "" {
		b = appendString(appendKey(b, "next_cursor"), res.NextCursor)
	}
	return append(b, '}', '\n')
}

// appendMoment appends the moment that an answer is true for, the one asked for
// when that is another, and what is to be said about it.
func appendMoment(b []byte, at, requested time.Time, notices []string) []byte {
	b = appendTime(appendKey(b, "at"), at)
	if !requested.IsZero() && !requested.Equal(at) {
		b = appendTime(appendKey(b, "requested_at"), requested)
	}
	return appendNotices(b, notices)
}

func appendNotices(b []byte, notices []string) []byte {
	if len(notices) == 0 {
		return b
	}
	b = append(appendKey(b, "notices"), '[')
	for _, n := range notices {
		b = appendString(appendComma(b), n)
	}
	return append(b, ']')
}

func appendFreshness(b []byte, f *query.Freshness) []byte {
	b = append(b, '{')
	b = appendString(appendKey(b, "peer"), f.Peer)
	b = appendBool(appendKey(b, "up"), f.Up)
	if !f.LastUpdate.IsZero() {
		b = appendTime(appendKey(b, "last_update"), f.LastUpdate)
	}
	if !f.StaleSince.IsZero() {
		b = appendTime(appendKey(b, "stale_since"), f.StaleSince)
	}
	b = append(appendKey(b, "end_of_rib"), '{')
	for _, family := range route.Families() {
		if at := f.EndOfRIB[family]; !at.IsZero() {
			b = appendTime(appendKey(b, member(family)), at)
		}
	}
	return append(b, '}', '}')
}

// member returns the name of a family as the name of a JSON member.
func member(f route.Family) string {
	switch f {
	case route.IPv4Unicast:
		return "ipv4_unicast"
	case route.IPv6Unicast:
		return "ipv6_unicast"
	case route.IPv4Multicast:
		return "ipv4_multicast"
	case route.IPv6Multicast:
	}
	return "ipv6_multicast"
}
