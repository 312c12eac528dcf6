package v1

import (
	"slices"
	"strings"

	"ribglass/httpapi/web"
	"ribglass/ribstore/route"
)

// fields is a set of members of a route: those that an answer shows.
type fields uint32

// The members, in the order of the columns of CSV.
const (
	fPrefix fields = 1 << iota
	fFamily
	fPeer
	fRouter
	fPathID
	fReceivedAt
	fStaleSince
	fLongLivedStale
	fBest
	fDecision
	fNextHop
	fNextHopLinkLocal
	fOrigin
	fASPath
	fASPathText
	fMED
	fLocalPref
	fCommunities
	fLargeCommunities
	fExtCommunities
	fAggregator
	fAtomicAggregate
	fOriginatorID
	fClusterList
	fAIGP
	fOTC
	fUnknownAttributes
	fView
	fPeerASN
	fOriginAS
)

const (
	allFields = ^fields(0)
	// attrFields are the members that come from path attributes.
	attrFields = allFields &^ (fNextHop - 1) &^ (fView | fPeerASN)
)

// fieldNames returns the names of the members in the order of the constants.
func fieldNames() []string {
	return []string{
		"prefix", "family", "peer", "router", "path_id", "received_at",
		"stale_since", "long_lived_stale", "best", "decision", "next_hop", "next_hop_link_local",
		"origin", "as_path", "as_path_text", "med", "local_pref", "communities",
		"large_communities", "ext_communities", "aggregator", "atomic_aggregate", "originator_id", "cluster_list",
		"aigp", "otc", "unknown_attributes", "view", "peer_asn", "origin_as",
	}
}

func (f fields) has(one fields) bool { return f&one != 0 }

// parseFields reads the value of the parameter fields: names with commas
// between them.
func parseFields(text string) (fields, error) {
	var set fields
	names := fieldNames()
	for name := range strings.SplitSeq(text, ",") {
		i := slices.Index(names, strings.TrimSpace(name))
		if i < 0 {
			return 0, unknownField(name, names)
		}
		set |= 1 << i
	}
	return set, nil
}

func unknownField(name string, names []string) error {
	if near := web.Nearest(name, names); near != "" {
		return web.Problemf(web.CodeInvalidParameter, "A route has no field %q; did you mean %q?", web.Clip(name), near)
	}
	return web.Problemf(web.CodeInvalidParameter, "A route has no field %q; there are %s.", web.Clip(name), strings.Join(names, ", "))
}

// fieldsOf returns the members that come from a path attribute.
func fieldsOf(c route.AttrCode) fields {
	switch c {
	case route.AttrOrigin:
		return fOrigin
	case route.AttrASPath:
		return fASPath | fASPathText | fOriginAS
	case route.AttrNextHop:
		return fNextHop | fNextHopLinkLocal
	case route.AttrMED:
		return fMED
	case route.AttrLocalPref:
		return fLocalPref
	case route.AttrAtomicAggregate:
		return fAtomicAggregate
	case route.AttrAggregator:
		return fAggregator
	case route.AttrCommunities:
		return fCommunities
	case route.AttrOriginatorID:
		return fOriginatorID
	case route.AttrClusterList:
		return fClusterList
	case route.AttrExtCommunities, route.AttrIPv6ExtCommunity:
		return fExtCommunities
	case route.AttrAIGP:
		return fAIGP
	case route.AttrLargeCommunities:
		return fLargeCommunities
	case route.AttrOTC:
		return fOTC
	default:
		return fUnknownAttributes
	}
}
