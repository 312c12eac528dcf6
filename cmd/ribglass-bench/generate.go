package main

import (
	"cmp"
	"encoding/binary"
	"hash/fnv"
	"iter"
	"math"
	"math/bits"
	"math/rand/v2"
	"net/netip"
	"slices"

	"ribglass/ribstore/route"
)

// generated is a table made by rule from a seed: prefixes nested as holders of
// address space announce them, and for each run of prefixes with a common
// policy (a group) a path and communities that differ from feed to feed. Same
// shape, same bytes.
type generated struct {
	seed     uint64
	count    int
	groups   []group // IPv4 first, each family in order of its addresses
	prefixes []netip.Prefix
	transits []transit
}

// shape is what a generated table is asked to look like.
type shape struct {
	feeds      int
	ipv4, ipv6 int
	seed       uint64
}

// group is a run of prefixes that one origin announces alike.
type group struct {
	origin route.ASN
	family route.Family
	first  uint32 // index into prefixes
	count  uint16
	ways   [2]uint16 // the origin's transits
}

// transit is a network between the origins and the clique.
type transit struct {
	asn     route.ASN
	uplinks [3]route.ASN // in the clique
	above   int          // another transit on the way up; -1: none
}

const (
	cliqueSize   = 14
	transitCount = 1800
	meanGroup    = 8  // prefixes; gives 20 % distinct sets
	meanHolding  = 11 // prefixes of an origin
)

func generate(s shape) *generated {
	g := &generated{seed: s.seed, count: s.feeds}
	random := rand.New(rand.NewPCG(s.seed, 0x7269_6267_6c61_7373)) //nolint:gosec // a table from a seed, nothing secret
	g.makeTransits(random)
	g.prefixes = make([]netip.Prefix, 0, s.ipv4+s.ipv6)
	g.fill(random, route.IPv4Unicast, s.ipv4, newIPv4Space())
	g.fill(random, route.IPv6Unicast, s.ipv6, newIPv6Space())
	return g
}

func (g *generated) feeds() []feed {
	feeds := make([]feed, g.count)
	for i := range feeds {
		feeds[i] = newFeed(i, route.ASN(60001+i))
	}
	return feeds
}

func (g *generated) makeTransits(random *rand.Rand) {
	clique := make([]route.ASN, cliqueSize)
	for i := range clique {
		clique[i] = route.ASN(200 + random.IntN(6800))
	}
	for i := range transitCount {
		t := transit{asn: route.ASN(2000 + random.IntN(58000)), above: -1}
		for u := range t.uplinks {
			t.uplinks[u] = clique[random.IntN(len(clique))]
		}
		if i > 40 && random.IntN(3) > 0 {
			t.above = random.IntN(min(i, 400))
		}
		g.transits = append(g.transits, t)
	}
}

// fill draws origins with their address space until there are n prefixes.
func (g *generated) fill(random *rand.Rand, f route.Family, n int, space *space) {
	for want := n; want > 0; {
		count := min(want, holding(random))
		first := len(g.prefixes)
		g.prefixes = space.announce(random, count, g.prefixes)
		want -= len(g.prefixes) - first
		g.divide(random, f, first)
	}
}

// holding draws how many prefixes an origin has: most have few, few have many.
func holding(random *rand.Rand) int {
	const shape, most = 1.25, 3000
	n := meanHolding * (shape - 1) / shape * math.Pow(1-random.Float64(), -1/shape)
	return min(int(math.Ceil(n)), most)
}

// divide cuts the prefixes from first on, all of one origin, into groups.
func (g *generated) divide(random *rand.Rand, f route.Family, first int) {
	origin := route.ASN(3000 + random.IntN(60000))
	if random.IntN(3) == 0 {
		origin = route.ASN(131072 + random.IntN(90000))
	}
	// Squaring prefers the low numbers: large transits have many customers.
	near := func() uint16 { r := random.Float64(); return uint16(r * r * transitCount) }
	ways := [2]uint16{near(), near()}
	for first < len(g.prefixes) {
		size := 1 + int(random.ExpFloat64()*meanGroup)
		size = min(size, len(g.prefixes)-first, math.MaxUint16)
		g.groups = append(g.groups, group{origin, f, uint32(first), uint16(size), ways})
		first += size
	}
}

func (g *generated) runs(i int) iter.Seq[route.Update] {
	f := g.feeds()[i]
	return func(yield func(route.Update) bool) {
		for n, run := range g.groups {
			if !yield(g.run(f, n, int(run.count))) {
				return
			}
		}
	}
}

// run returns the first count prefixes of a group as feed f announces them.
func (g *generated) run(f feed, n, count int) route.Update {
	run := &g.groups[n]
	u := route.Update{Family: run.family, Attrs: g.attributes(nil, f, n), NLRI: make([]route.NLRI, 0, count)}
	for _, p := range g.prefixes[run.first : int(run.first)+count] {
		u.NLRI = append(u.NLRI, route.NLRI{Prefix: p})
	}
	return u
}

func (g *generated) stream(i int) (*stream, error) {
	session := encoding(g.feeds()[i])
	s := &stream{}
	sets := make(map[uint64]struct{}, len(g.groups))
	for u := range g.runs(i) {
		s.add(session, u)
		hash := fnv.New64a()
		_, _ = hash.Write(u.Attrs)
		sets[hash.Sum64()] = struct{}{}
	}
	s.sets = len(sets)
	s.finish()
	return s, nil
}

func (g *generated) change(i int, random *rand.Rand) route.Update {
	n := random.IntN(len(g.groups))
	run := g.groups[n]
	other := random.IntN(len(g.groups))
	for g.groups[other].family != run.family {
		other = random.IntN(len(g.groups))
	}
	p := g.prefixes[int(run.first)+random.IntN(int(run.count))]
	return route.Update{
		Family: run.family,
		Attrs:  g.attributes(nil, g.feeds()[i], other),
		NLRI:   []route.NLRI{{Prefix: p}},
	}
}

func (g *generated) sample(n int) []netip.Addr {
	random := newRandom(g.seed)
	addresses := make([]netip.Addr, n)
	for i := range addresses {
		addresses[i] = addressIn(random, g.prefixes[random.IntN(len(g.prefixes))])
	}
	return addresses
}

// newRandom returns the source of what is drawn beside the table itself.
func newRandom(seed uint64) *rand.Rand {
	return rand.New(rand.NewPCG(seed, 0x6c6f_6f6b)) //nolint:gosec // as in generate
}

// addressIn draws an address of p from its first 2^16.
func addressIn(random *rand.Rand, p netip.Prefix) netip.Addr {
	b := p.Addr().As16()
	host := uint16(random.IntN(1 << min(p.Addr().BitLen()-p.Bits(), 16)))
	b[14] |= byte(host >> 8)
	b[15] |= byte(host)
	return netip.AddrFrom16(b).Unmap()
}

// dice gives the same numbers for the same feed and group, in any order.
func (g *generated) dice(f feed, n int) *rand.Rand {
	return rand.New(rand.NewPCG(g.seed^uint64(f.asn)<<32, uint64(n))) //nolint:gosec // as in generate
}

// attributes appends what feed f announces group n with.
func (g *generated) attributes(a route.Attrs, f feed, n int) route.Attrs {
	run, random := &g.groups[n], g.dice(f, n)
	origin := [1]byte{byte(route.OriginIGP)}
	if random.IntN(10) == 0 {
		origin[0] = byte(route.OriginIncomplete)
	}
	a = a.AppendAttr(route.AttrOrigin, origin[:])
	path := g.path(random, f, run)
	a = a.AppendAttr(route.AttrASPath, path)
	hop := f.hopIPv4
	if run.family.IsIPv6() {
		hop = f.hopIPv6
	}
	a = a.AppendAttr(route.AttrNextHop, hop.AsSlice())
	if random.IntN(6) == 0 {
		a = a.AppendAttr(route.AttrMED, binary.BigEndian.AppendUint32(nil, uint32(random.IntN(200))))
	}
	if random.IntN(10) == 0 {
		a = a.AppendAttr(route.AttrAtomicAggregate, nil)
		aggregator := binary.BigEndian.AppendUint32(nil, uint32(run.origin))
		a = a.AppendAttr(route.AttrAggregator, append(aggregator, 10, byte(n>>16), byte(n>>8), byte(n)))
	}
	return appendCommunities(a, random, path, n)
}

// path goes from the feed over the clique and one or two transits to the
// origin, which prepends itself at times.
func (g *generated) path(random *rand.Rand, f feed, run *group) route.ASPath {
	t := g.transits[run.ways[random.IntN(2)]]
	asns := make([]route.ASN, 0, 12)
	asns = append(asns, f.asn, t.uplinks[random.IntN(len(t.uplinks))])
	if t.above >= 0 {
		asns = append(asns, g.transits[t.above].asn)
	}
	asns = append(asns, t.asn, run.origin)
	if random.IntN(7) == 0 {
		for range 1 + random.IntN(3) {
			asns = append(asns, run.origin)
		}
	}
	return route.ASPath(nil).AppendSegment(route.ASSequence, asns...)
}

// appendCommunities tags the route as the networks on its path do: where they
// learned it, and what the origin asked for.
func appendCommunities(a route.Attrs, random *rand.Rand, path route.ASPath, n int) route.Attrs {
	var values []uint32
	var origin route.ASN
	for asn := range path.All() {
		if asn <= math.MaxUint16 && random.IntN(3) > 0 {
			values = append(values, uint32(asn)<<16|uint32(random.IntN(40))*100)
		}
		origin = asn
	}
	slices.SortFunc(values, cmp.Compare)
	var standard []byte
	for _, v := range slices.Compact(values) {
		standard = binary.BigEndian.AppendUint32(standard, v)
	}
	if len(standard) > 0 {
		a = a.AppendAttr(route.AttrCommunities, standard)
	}
	if random.IntN(4) == 0 {
		large := binary.BigEndian.AppendUint32(nil, uint32(origin))
		large = binary.BigEndian.AppendUint32(large, 1)
		a = a.AppendAttr(route.AttrLargeCommunities, binary.BigEndian.AppendUint32(large, uint32(n%977)))
	}
	return a
}

// holdingBits returns how many bits of unit prefixes hold count announcements.
func holdingBits(random *rand.Rand, count int) int {
	return bits.Len(uint(count-1)) + random.IntN(2)
}
