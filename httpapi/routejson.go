package httpapi

import (
	"net/netip"

	"ribglass/ribstore/query"
	"ribglass/ribstore/route"
)

// appendRoute appends one route. What the route does not have is left out.
func appendRoute(b []byte, r *route.Route) []byte {
	b = append(b, '{')
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
	return append(appendAttrs(b, r.Attrs), '}')
}

// appendAttrs appends the members that come from path attributes.
func appendAttrs(b []byte, attrs route.Attrs) []byte {
	unknown := false
	for c := range attrs.All() {
		switch c {
		case route.AttrOrigin:
			b = appendString(appendKey(b, "origin"), attrs.Origin().String())
		case route.AttrASPath:
			path := attrs.ASPath()
			b = appendPath(appendKey(b, "as_path"), path)
			b = appendText(appendKey(b, "as_path_text"), path)
		case route.AttrNextHop:
			b = appendNextHop(b, attrs)
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

func appendNextHop(b []byte, attrs route.Attrs) []byte {
	if a := attrs.NextHop(); a.IsValid() {
		b = appendAddr(appendKey(b, "next_hop"), a)
	}
	if a := attrs.LinkLocalNextHop(); a.IsValid() {
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

// appendResult appends a page of an answer.
func appendResult(b []byte, res *query.Result) []byte {
	b = append(b, `{"query":{`...)
	b = appendString(appendKey(b, "canonical"), res.Query.String())
	b = append(appendString(appendKey(b, "plan"), res.Plan.String()), '}')
	b = appendTime(appendKey(b, "at"), res.At)
	b = append(appendKey(b, "freshness"), '[')
	for i := range res.Freshness {
		b = appendFreshness(appendComma(b), &res.Freshness[i])
	}
	b = append(b, ']')
	b = appendInt(appendKey(b, "total"), int64(res.Total))
	b = append(appendKey(b, "routes"), '[')
	for i := range res.Routes {
		b = appendRoute(appendComma(b), &res.Routes[i])
	}
	b = append(b, ']')
	if res.NextCursor != "" {
		b = appendString(appendKey(b, "next_cursor"), res.NextCursor)
	}
	return append(b, '}', '\n')
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
