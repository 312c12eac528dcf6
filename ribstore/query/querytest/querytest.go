// Package querytest draws routes and queries for the tests of the packages that
// ask or compare tables: few different values, so that conditions are often met
// and routes often agree. Only tests import it.
package querytest

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"pgregory.net/rapid"

	"ribglass/ribstore/route"
	"ribglass/ribstore/table"
)

// Now returns the moment of the drawn tables.
func Now() time.Time { return time.Unix(2_000_000, 0).UTC() }

// FamilyOf returns the unicast family of a prefix.
func FamilyOf(p netip.Prefix) route.Family {
	if p.Addr().Is6() {
		return route.IPv6Unicast
	}
	return route.IPv4Unicast
}

// ASN draws one of five AS numbers.
func ASN(t *rapid.T) route.ASN {
	return rapid.SampledFrom([]route.ASN{1, 2, 3, 12, 64512}).Draw(t, "asn")
}

// Prefix draws a prefix of either family.
func Prefix(t *rapid.T) netip.Prefix {
	b := rapid.SliceOfN(rapid.SampledFrom([]byte{0, 1, 10, 128}), 4, 4).Draw(t, "octets")
	addr := netip.AddrFrom4([4]byte(b))
	length := rapid.IntRange(0, 32).Draw(t, "length")
	if rapid.IntRange(0, 3).Draw(t, "ipv6") == 0 {
		var long [16]byte
		copy(long[:], b)
		if rapid.IntRange(0, 3).Draw(t, "mapped") == 0 { // IPv4 mapped into IPv6
			long = netip.AddrFrom4([4]byte(b)).As16()
			length += 96
		}
		addr = netip.AddrFrom16(long)
	}
	return netip.PrefixFrom(addr, length).Masked()
}

// Attrs draws an attribute set.
func Attrs(t *rapid.T) route.Attrs {
	path := ASPath(t)
	a := route.Attrs(nil).AppendAttr(route.AttrOrigin, []byte{byte(rapid.IntRange(0, 2).Draw(t, "origin"))}).
		AppendAttr(route.AttrASPath, path).
		AppendAttr(route.AttrNextHop, []byte{192, 0, 2, byte(rapid.IntRange(1, 2).Draw(t, "hop"))})
	if rapid.Bool().Draw(t, "med") {
		a = a.AppendAttr(route.AttrMED, binary.BigEndian.AppendUint32(nil, uint32(rapid.IntRange(0, 3).Draw(t, "med"))))
	}
	if rapid.Bool().Draw(t, "local-pref") {
		a = a.AppendAttr(route.AttrLocalPref, binary.BigEndian.AppendUint32(nil, uint32(rapid.IntRange(0, 3).Draw(t, "local-pref"))))
	}
	var communities []byte
	for range rapid.IntRange(0, 2).Draw(t, "communities") {
		communities = binary.BigEndian.AppendUint32(communities, rapid.SampledFrom([]uint32{1<<16 | 100, 1<<16 | 150, 2<<16 | 100, 0xffff029a}).Draw(t, "community"))
	}
	if communities != nil {
		a = a.AppendAttr(route.AttrCommunities, communities)
	}
	if rapid.IntRange(0, 3).Draw(t, "ext") == 0 { // rt:1:0 to rt:1:2
		a = a.AppendAttr(route.AttrExtCommunities, []byte{0, 2, 0, 1, 0, 0, 0, byte(rapid.IntRange(0, 2).Draw(t, "ext"))})
	}
	if rapid.IntRange(0, 3).Draw(t, "large") == 0 {
		a = a.AppendAttr(route.AttrLargeCommunities, []byte{0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, byte(rapid.IntRange(0, 3).Draw(t, "local"))})
	}
	if rapid.IntRange(0, 3).Draw(t, "otc") == 0 {
		a = a.AppendAttr(route.AttrOTC, binary.BigEndian.AppendUint32(nil, uint32(ASN(t))))
	}
	return a
}

// ASPath draws a path: empty, one sequence as most are, or of several segments with
// AS_SETs and segments of a confederation.
func ASPath(t *rapid.T) (path route.ASPath) {
	kinds := []route.SegmentType{route.ASSequence}
	segments := rapid.SampledFrom([]int{0, 1, 1, 1, 1, 3}).Draw(t, "segments")
	if segments > 1 {
		kinds = []route.SegmentType{route.ASSequence, route.ASSet, route.ASConfedSequence, route.ASConfedSet}
	}
	for range segments {
		kind := rapid.SampledFrom(kinds).Draw(t, "segment")
		path = path.AppendSegment(kind, rapid.SliceOfN(rapid.Custom(ASN), 1, 4).Draw(t, "asns")...)
	}
	return path
}

// Path returns an attribute set with no more than an AS path.
func Path(asns ...route.ASN) route.Attrs {
	return route.Attrs(nil).AppendAttr(route.AttrASPath, route.ASPath(nil).AppendSegment(route.ASSequence, asns...))
}

// Texts returns conditions on routes, one or more for each word of the language.
func Texts() []string {
	return []string{
		"origin 1-3", "neighbor-as 2", "via 1 2", "via 12", "path _1_", "path ^2", "path-length > 2", "path-hops <= 1", "prepended", "private-as",
		"community 1:1*0", "community blackhole", "large-community 1:2:*", "nexthop 192.0.2.1", "peer a", "peer b", "peer-as 1", "peer-address 192.0.2.2", "origin none", "neighbor-as none", "router r0", "group g1",
		"family ipv4-unicast", "length >= 9", "med 2", "local-pref > 100", "origin-code incomplete", "stale", "best", "moas", "bogon",
		"since 100s", "older-than 50s", "10.0.0.0/8 or-longer", "10.1.2.0/24 or-shorter", "10.0.0.0/8", "0.0.0.0/0 ge 9 le 16", "path-id 1",
		"ext-community rt:1:1", "otc", "otc 1-3",
	}
}

// Conditions draws the text of a query of up to four conditions on routes.
func Conditions(t *rapid.T) string {
	condition := rapid.SampledFrom(Texts())
	words := []string{}
	for i := range rapid.IntRange(1, 4).Draw(t, "conditions") {
		if i > 0 && rapid.Bool().Draw(t, "or") {
			words = append(words, "or")
		}
		if rapid.IntRange(0, 3).Draw(t, "not") == 0 {
			words = append(words, "not")
		}
		words = append(words, condition.Draw(t, "condition"))
	}
	return strings.Join(words, " ")
}

// Asks reports, the slow and obvious way, whether a query asks the view of a router
// that a peer is of: one with a scope as it is printed, that names some of the
// peers of the table.
func Asks(scope string, named []string, peers []*route.Peer, p *route.Peer) bool {
	if scope != "" {
		return scope == "any" || scope == p.View.String()
	}
	has := func(view route.View, one func(*route.Peer) bool) bool {
		return slices.ContainsFunc(peers, func(other *route.Peer) bool {
			return other.Router == p.Router && other.View == view && one(other)
		})
	}
	isNamed := func(other *route.Peer) bool { return slices.Contains(named, other.Name) }
	for _, view := range route.Views() {
		if has(view, isNamed) {
			return has(p.View, isNamed)
		}
	}
	for _, view := range []route.View{route.AdjRIBIn, route.PostPolicy, route.PrePolicy, route.LocRIB, route.AdjRIBOut} {
		if has(view, func(*route.Peer) bool { return true }) {
			return view == p.View
		}
	}
	return false
}

// FullRoutes is how many routes the full table has of each of its three peers: as
// many in all as a third of three full feeds. Five routes share a set.
const FullRoutes = 350_000

// Full returns the table of the benchmarks, which is made once: peers a, b and c.
var Full = sync.OnceValue(func() *table.Table { //nolint:gochecknoglobals // constant: made once, never changed
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the table is the same each time
	tab := table.New()
	for i, transit := range []route.ASN{3257, 3356, 174} {
		peer := &route.Peer{Name: string(rune('a' + i)), ASN: transit}
		tab.Apply(&route.Batch{Peer: peer, At: Now(), Event: route.PeerUp})
		var attrs route.Attrs
		for n := range FullRoutes {
			if n%5 == 0 {
				attrs = fullAttrs(random, transit)
			}
			p := netip.PrefixFrom(netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, uint32(n+1<<16)<<8))), 24)
			tab.Apply(&route.Batch{Peer: peer, At: Now(), Updates: []route.Update{{Attrs: attrs, NLRI: []route.NLRI{{Prefix: p}}}}})
		}
	}
	return tab
})

func fullAttrs(random *rand.Rand, transit route.ASN) route.Attrs {
	path := []route.ASN{transit}
	for range 1 + random.IntN(4) {
		path = append(path, route.ASN(1+random.IntN(1000)*random.IntN(70)))
	}
	if random.IntN(50) == 0 {
		path = append(path, 13335)
	}
	var communities []byte
	for range random.IntN(8) {
		communities = binary.BigEndian.AppendUint32(communities, uint32(transit)<<16|uint32(random.IntN(5000)))
	}
	a := route.Attrs(nil).AppendAttr(route.AttrOrigin, []byte{byte(random.IntN(3))}).
		AppendAttr(route.AttrASPath, route.ASPath(nil).AppendSegment(route.ASSequence, path...)).
		AppendAttr(route.AttrNextHop, []byte{192, 0, 2, byte(transit)}).
		AppendAttr(route.AttrMED, binary.BigEndian.AppendUint32(nil, uint32(random.IntN(3))))
	if communities != nil {
		a = a.AppendAttr(route.AttrCommunities, communities)
	}
	return a
}
