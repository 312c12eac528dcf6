package compare

import (
	"bytes"
	"math/bits"
	"slices"
	"strconv"

	"ribglass/ribstore/route"
)

// Cause tells the reason of a difference that matters most to an operator.
type Cause string

// The causes of a changed route. The first that applies is given.
const (
	CauseOrigin    Cause = "origin"     // the path ends in another AS, or in other members of a set
	CausePath      Cause = "path"       // the AS path is another
	CauseNextHop   Cause = "next-hop"   // the next hop is another
	CauseLocalPref Cause = "local-pref" // LOCAL_PREF is another
	CauseMED       Cause = "med"        // MED is another
	CauseCommunity Cause = "community"  // communities of any kind differ
	CauseOther     Cause = "other"      // ORIGIN, AGGREGATOR, …
	CauseStale     Cause = "stale"      // only whether a session confirms it differs
)

// ChangedAttributes names the attributes in which two sets differ, in the words
// of the query language where it has one: "origin-code", "path", "nexthop",
// "med", "local-pref", "atomic-aggregate", "aggregator", "community",
// "originator-id", "cluster-list", "ext-community", "aigp", "large-community",
// "otc", or "attribute-99"; in the order of type codes.
func ChangedAttributes(a, b route.Attrs) []string { return differing(a, b).names() }

// CauseOf returns the cause of a change from one attribute set to another, ""
// when they are equal.
func CauseOf(a, b route.Attrs) Cause { return differing(a, b).cause(a, b) }

// Attributes returns both: the cause of a change and what changed.
func Attributes(a, b route.Attrs) (cause Cause, changed []string) {
	c := differing(a, b)
	return c.cause(a, b), c.names()
}

// codes is a set of attribute type codes.
type codes [4]uint64

func (c *codes) add(code route.AttrCode) { c[code>>6] |= 1 << (code & 63) }

func (c *codes) has(code route.AttrCode) bool { return c[code>>6]>>(code&63)&1 != 0 }

// all returns the codes in order.
func (c *codes) all() (list []route.AttrCode) {
	for i, word := range c {
		for ; word != 0; word &= word - 1 {
			list = append(list, route.AttrCode(i<<6+bits.TrailingZeros64(word)))
		}
	}
	return list
}

// differing returns the attributes that only one of two sets has, or that have
// another value in each.
func differing(a, b route.Attrs) *codes {
	c := new(codes)
	for code, value := range a.All() {
		if other, ok := b.Get(code); !ok || !bytes.Equal(value, other) {
			c.add(code)
		}
	}
	for code := range b.All() {
		if _, ok := a.Get(code); !ok {
			c.add(code)
		}
	}
	return c
}

// names returns the names of the attributes, each once.
func (c *codes) names() (list []string) {
	for _, code := range c.all() {
		if name := attributeName(code); !slices.Contains(list, name) {
			list = append(list, name)
		}
	}
	return list
}

func attributeName(code route.AttrCode) string {
	switch code {
	case route.AttrOrigin:
		return "origin-code"
	case route.AttrASPath:
		return "path"
	case route.AttrNextHop:
		return "nexthop"
	case route.AttrMED:
		return "med"
	case route.AttrLocalPref:
		return "local-pref"
	case route.AttrAtomicAggregate:
		return "atomic-aggregate"
	case route.AttrAggregator:
		return "aggregator"
	case route.AttrCommunities:
		return "community"
	case route.AttrOriginatorID:
		return "originator-id"
	case route.AttrClusterList:
		return "cluster-list"
	case route.AttrExtCommunities, route.AttrIPv6ExtCommunity:
		return "ext-community"
	case route.AttrAIGP:
		return "aigp"
	case route.AttrLargeCommunities:
		return "large-community"
	case route.AttrOTC:
		return "otc"
	default:
		return "attribute-" + strconv.Itoa(int(code))
	}
}

// cause returns the cause of a change of these attributes.
func (c *codes) cause(a, b route.Attrs) Cause {
	switch {
	case *c == codes{}:
		return ""
	case c.has(route.AttrASPath):
		if !route.SameOrigins(a.ASPath(), b.ASPath()) {
			return CauseOrigin
		}
		return CausePath
	case c.has(route.AttrNextHop):
		return CauseNextHop
	case c.has(route.AttrLocalPref):
		return CauseLocalPref
	case c.has(route.AttrMED):
		return CauseMED
	case c.has(route.AttrCommunities), c.has(route.AttrLargeCommunities), c.has(route.AttrExtCommunities), c.has(route.AttrIPv6ExtCommunity):
		return CauseCommunity
	}
	return CauseOther
}
