package v1

import (
	"net/netip"

	"ribglass/httpapi/web"
	"ribglass/ribstore/route"
)

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
	b = web.AppendPrefix(web.AppendKey(b, "prefix"), r.Prefix)
	b = web.AppendString(web.AppendKey(b, "family"), r.Family.String())
	b = web.AppendString(web.AppendKey(b, "peer"), r.Peer.Name)
	if r.Peer.Router != "" {
		b = web.AppendString(web.AppendKey(b, "router"), r.Peer.Router)
	}
	b = appendView(b, r.Peer)
	if r.Peer.AddPath[r.Family] {
		b = web.AppendUint(web.AppendKey(b, "path_id"), uint64(r.PathID))
	}
	b = web.AppendTime(web.AppendKey(b, "received_at"), r.ReceivedAt)
	if !r.StaleSince.IsZero() {
		b = web.AppendTime(web.AppendKey(b, "stale_since"), r.StaleSince)
	}
	if r.LongLived {
		b = web.AppendBool(web.AppendKey(b, "long_lived_stale"), true)
	}
	b = web.AppendBool(web.AppendKey(b, "best"), r.Best)
	if r.Decision != "" {
		b = web.AppendString(web.AppendKey(b, "decision"), r.Decision)
	}
	return appendPeerASN(b, r.Peer)
}

// appendPeerASN appends the AS of a peer, when it is known.
func appendPeerASN(b []byte, p *route.Peer) []byte {
	if p.ASN == 0 {
		return b
	}
	return web.AppendUint(web.AppendKey(b, "peer_asn"), uint64(p.ASN))
}

// appendView appends which of a router's tables the routes of a peer come from;
// what routers send to the collector over BGP has no view.
func appendView(b []byte, p *route.Peer) []byte {
	if p.View == route.AdjRIBIn {
		return b
	}
	return web.AppendString(web.AppendKey(b, "view"), p.View.String())
}

// appendSome is appendOwn for the wanted members.
func appendSome(b []byte, r *route.Route, want fields) []byte {
	if want.has(fPrefix) {
		b = web.AppendPrefix(web.AppendKey(b, "prefix"), r.Prefix)
	}
	if want.has(fFamily) {
		b = web.AppendString(web.AppendKey(b, "family"), r.Family.String())
	}
	if want.has(fPeer) {
		b = web.AppendString(web.AppendKey(b, "peer"), r.Peer.Name)
	}
	if want.has(fRouter) && r.Peer.Router != "" {
		b = web.AppendString(web.AppendKey(b, "router"), r.Peer.Router)
	}
	if want.has(fRouter | fView) { // a view is one of the tables of the router
		b = appendView(b, r.Peer)
	}
	if want.has(fPathID) && r.Peer.AddPath[r.Family] {
		b = web.AppendUint(web.AppendKey(b, "path_id"), uint64(r.PathID))
	}
	return appendSomeState(b, r, want)
}

// appendSomeState appends the wanted members from received_at to decision.
func appendSomeState(b []byte, r *route.Route, want fields) []byte {
	if want.has(fReceivedAt) {
		b = web.AppendTime(web.AppendKey(b, "received_at"), r.ReceivedAt)
	}
	if want.has(fStaleSince) && !r.StaleSince.IsZero() {
		b = web.AppendTime(web.AppendKey(b, "stale_since"), r.StaleSince)
	}
	if want.has(fLongLivedStale) && r.LongLived {
		b = web.AppendBool(web.AppendKey(b, "long_lived_stale"), true)
	}
	if want.has(fBest) {
		b = web.AppendBool(web.AppendKey(b, "best"), r.Best)
	}
	if want.has(fDecision) && r.Decision != "" {
		b = web.AppendString(web.AppendKey(b, "decision"), r.Decision)
	}
	if want.has(fPeerASN) {
		b = appendPeerASN(b, r.Peer)
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
			b = web.AppendString(web.AppendKey(b, "origin"), attrs.Origin().String())
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
		b = appendPath(web.AppendKey(b, "as_path"), path)
	}
	if want.has(fASPathText) {
		b = web.AppendText(web.AppendKey(b, "as_path_text"), path)
	}
	if as, ok := path.Origin(); ok && want.has(fOriginAS) {
		b = web.AppendUint(web.AppendKey(b, "origin_as"), uint64(as))
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
			b = append(appendASNs(append(web.AppendComma(b), '['), s), ']')
		case route.ASConfedSequence:
			b = append(appendASNs(append(web.AppendComma(b), `{"confed_sequence":[`...), s), `]}`...)
		case route.ASConfedSet:
			b = append(appendASNs(append(web.AppendComma(b), `{"confed_set":[`...), s), `]}`...)
		case route.ASSequence:
			b = appendASNs(b, s)
		}
	}
	return append(b, ']')
}

func appendASNs(b []byte, s route.Segment) []byte {
	for i := range s.Len() {
		b = web.AppendUint(web.AppendComma(b), uint64(s.At(i)))
	}
	return b
}

func appendNextHop(b []byte, attrs route.Attrs, want fields) []byte {
	if a := attrs.NextHop(); want.has(fNextHop) && a.IsValid() {
		b = web.AppendAddr(web.AppendKey(b, "next_hop"), a)
	}
	if a := attrs.LinkLocalNextHop(); want.has(fNextHopLinkLocal) && a.IsValid() {
		b = web.AppendAddr(web.AppendKey(b, "next_hop_link_local"), a)
	}
	return b
}

func appendNumber(b []byte, attrs route.Attrs, c route.AttrCode) []byte {
	switch c {
	case route.AttrMED:
		if n, ok := attrs.MED(); ok {
			b = web.AppendUint(web.AppendKey(b, "med"), uint64(n))
		}
	case route.AttrLocalPref:
		if n, ok := attrs.LocalPref(); ok {
			b = web.AppendUint(web.AppendKey(b, "local_pref"), uint64(n))
		}
	case route.AttrOTC:
		if n, ok := attrs.OTC(); ok {
			b = web.AppendUint(web.AppendKey(b, "otc"), uint64(n))
		}
	case route.AttrAIGP:
		if n, ok := attrs.AIGP(); ok {
			b = web.AppendUint(web.AppendKey(b, "aigp"), n)
		}
	default:
		b = web.AppendBool(web.AppendKey(b, "atomic_aggregate"), true)
	}
	return b
}

func appendCommunities(b []byte, attrs route.Attrs, c route.AttrCode) []byte {
	if c == route.AttrLargeCommunities {
		list := attrs.LargeCommunities()
		if list.Len() == 0 {
			return b
		}
		b = append(web.AppendKey(b, "large_communities"), '[')
		for i := range list.Len() {
			b = web.AppendText(web.AppendComma(b), list.At(i))
		}
		return append(b, ']')
	}
	list := attrs.Communities()
	if list.Len() == 0 {
		return b
	}
	b = append(web.AppendKey(b, "communities"), '[')
	for i := range list.Len() {
		b = web.AppendText(web.AppendComma(b), list.At(i))
	}
	return append(b, ']')
}

func appendExtCommunities(b []byte, attrs route.Attrs) []byte {
	b = append(web.AppendKey(b, "ext_communities"), '[')
	for c := range attrs.ExtCommunities() {
		b = web.AppendText(web.AppendComma(b), c)
	}
	return append(b, ']')
}

// appendOrigins appends who aggregated or reflected the route.
func appendOrigins(b []byte, attrs route.Attrs, c route.AttrCode) []byte {
	switch c {
	case route.AttrAggregator:
		if asn, id, ok := attrs.Aggregator(); ok {
			b = append(web.AppendKey(b, "aggregator"), '{')
			b = web.AppendUint(web.AppendKey(b, "asn"), uint64(asn))
			b = append(web.AppendAddr(web.AppendKey(b, "address"), id), '}')
		}
	case route.AttrOriginatorID:
		if id := attrs.OriginatorID(); id.IsValid() {
			b = web.AppendAddr(web.AppendKey(b, "originator_id"), id)
		}
	default:
		b = append(web.AppendKey(b, "cluster_list"), '[')
		for list := attrs.ClusterList(); len(list) >= 4; list = list[4:] {
			b = web.AppendAddr(web.AppendComma(b), netip.AddrFrom4([4]byte(list)))
		}
		b = append(b, ']')
	}
	return b
}

func appendUnknown(b []byte, attrs route.Attrs) []byte {
	b = append(web.AppendKey(b, "unknown_attributes"), '[')
	for u := range attrs.Unknown() {
		b = append(web.AppendComma(b), '{')
		b = web.AppendUint(web.AppendKey(b, "code"), uint64(u.Code))
		b = web.AppendUint(web.AppendKey(b, "flags"), uint64(u.Flags))
		if u.Value == nil {
			b = web.AppendUint(web.AppendKey(b, "length"), uint64(u.Length))
			b = web.AppendHex(web.AppendKey(b, "sha256_prefix"), u.Hash[:])
		} else {
			b = web.AppendHex(web.AppendKey(b, "value"), u.Value)
		}
		if name := u.Code.Name(); name != "" {
			b = web.AppendString(web.AppendKey(b, "name"), name)
		}
		if text := u.Text(); text != "" {
			b = web.AppendString(web.AppendKey(b, "text"), text)
		}
		b = append(b, '}')
	}
	return append(b, ']')
}
