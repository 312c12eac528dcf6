package query

import (
	"cmp"
	"context"
	"net/netip"
	"slices"
	"strconv"
	"sync"

	"ribglass/ribstore/route"
	"ribglass/ribstore/table"
)

// Facet is one value that routes of an answer have, and how many have it.
type Facet struct {
	Value string // as the language writes it
	Count int
	Expr  Expr // the condition that a route has the value; nil: there is none
}

// Facets count the routes of an answer by what they have. Each list has the
// most frequent values, the most frequent first.
type Facets struct {
	Total       int
	Origins     []Facet
	NeighborASs []Facet
	Peers       []Facet
	Communities []Facet
	Lengths     []Facet
	NextHops    []Facet

	// How many values there are of each kind, not only of the most frequent.
	OriginCount, NeighborASCount, PeerCount, CommunityCount, LengthCount, NextHopCount int
}

// Count counts the whole answer to a query, with the most values most of each
// kind.
func Count(ctx context.Context, k Known, q Query, most int) (facets *Facets, err error) {
	err = k.ViewFor(q, func(v *table.View) error {
		facets, err = count(ctx, prepare(v, q, k.At), most)
		return err
	})
	return facets, err
}

func count(ctx context.Context, x *execution, most int) (*Facets, error) {
	all := newTally(x.view)
	f := &Facets{}
	for _, family := range x.families {
		into := newSink(x, family, true)
		if err := x.run(ctx, family, into); err != nil {
			return nil, err
		}
		f.Total += into.total
		all.join(into.facets)
	}
	return f, all.describe(ctx, f, most)
}

// tally counts routes by attribute set, peer and length: what they have comes
// out of the sets in the end, once for each.
type tally struct {
	view    *table.View
	sets    []uint32
	peers   map[string]int
	byIndex []int // routes by the peer's index
	named   []string
	lengths [129]int
}

func newTally(v *table.View) *tally {
	return &tally{view: v, sets: make([]uint32, v.Sets()), peers: map[string]int{}}
}

func (t *tally) add(v *table.View, f *table.Found) {
	if int(f.Set) >= len(t.sets) {
		t.sets = grow(t.sets, int(f.Set)+1)
	}
	t.sets[f.Set]++
	t.lengths[v.Bits(f.Family, f.Slot)]++
	i := int(f.Index())
	for len(t.byIndex) <= i {
		t.byIndex, t.named = append(t.byIndex, 0), append(t.named, "")
	}
	if t.byIndex[i]++; t.named[i] == "" {
		t.named[i] = f.Peer().Name
	}
}

func (t *tally) join(other *tally) {
	t.sets = grow(t.sets, len(other.sets))
	for i, n := range other.sets {
		t.sets[i] += n
	}
	for i, n := range other.lengths {
		t.lengths[i] += n
	}
	for name, n := range other.peers {
		t.peers[name] += n
	}
	for i, n := range other.byIndex {
		if n > 0 {
			t.peers[other.named[i]] += n
		}
	}
}

// values counts routes by what their attribute sets have.
type values struct {
	origins, neighbors map[route.ASN]int
	communities        map[route.Community]int
	large              map[route.LargeCommunity]int
	hops               map[netip.Addr]int
	pathless           int // routes without an AS in their path
}

func newValues() *values {
	return &values{
		origins: map[route.ASN]int{}, neighbors: map[route.ASN]int{}, communities: map[route.Community]int{},
		large: map[route.LargeCommunity]int{}, hops: map[netip.Addr]int{},
	}
}

// add counts n routes with the set.
func (v *values) add(a route.Attrs, n int) {
	path := a.ASPath()
	origins, neighbors := path.Origins(), path.Neighbors()
	addEach(v.origins, origins.Len(), origins.At, n)
	addEach(v.neighbors, neighbors.Len(), neighbors.At, n)
	if path.Len() == 0 {
		v.pathless += n
	}
	communities, large := a.Communities(), a.LargeCommunities()
	addEach(v.communities, communities.Len(), communities.At, n)
	addEach(v.large, large.Len(), large.At, n)
	if hop := a.NextHop(); hop.IsValid() {
		v.hops[hop] += n
	}
}

// addEach counts n routes for each value of a list, once.
func addEach[V comparable](counts map[V]int, length int, at func(int) V, n int) {
	const short = 32 // values that are faster compared with each other
	var seen map[V]bool
	if length > short {
		seen = make(map[V]bool, length)
	}
	for i := range length {
		value, again := at(i), false
		if seen != nil {
			again, seen[value] = seen[value], true
		}
		for j := 0; seen == nil && j < i && !again; j++ {
			again = at(j) == value
		}
		if !again {
			counts[value] += n
		}
	}
}

func (v *values) join(other *values) {
	merge(v.origins, other.origins)
	merge(v.neighbors, other.neighbors)
	merge(v.communities, other.communities)
	merge(v.large, other.large)
	merge(v.hops, other.hops)
	v.pathless += other.pathless
}

func merge[K comparable](into, from map[K]int) {
	for k, n := range from {
		into[k] += n
	}
}

// values looks into every set that has routes.
func (t *tally) values(ctx context.Context) (*values, error) {
	const step = 1 << 12
	all := newValues()
	var mu sync.Mutex
	err := parallel(ctx, t.view, (len(t.sets)+step-1)/step, func() (func(int), func()) {
		mine := newValues()
		work := func(i int) {
			for id := i * step; id < min((i+1)*step, len(t.sets)); id++ {
				if n := t.sets[id]; n > 0 {
					mine.add(t.view.Set(uint32(id)), int(n))
				}
			}
		}
		return work, func() {
			mu.Lock()
			defer mu.Unlock()
			all.join(mine)
		}
	})
	return all, err
}

func (t *tally) describe(ctx context.Context, f *Facets, most int) error {
	v, err := t.values(ctx)
	if err != nil {
		return err
	}
	f.Origins = top(v.origins, most, route.ASN.String, func(n route.ASN) Expr { return Origin{ASNs{n, n}} })
	f.NeighborASs = top(v.neighbors, most, route.ASN.String, func(n route.ASN) Expr { return NeighborAS{ASNs{n, n}} })
	if v.pathless > 0 {
		f.Origins = withNone(f.Origins, v.pathless, NoOrigin, most)
		f.NeighborASs = withNone(f.NeighborASs, v.pathless, NoNeighbor, most)
	}
	f.Peers = top(t.peers, most, func(s string) string { return s }, facetPeer)
	f.Communities = append(top(v.communities, most, route.Community.String, facetCommunity),
		top(v.large, most, route.LargeCommunity.String, facetLargeCommunity)...)
	SortFacets(f.Communities)
	f.Communities = f.Communities[:min(len(f.Communities), most)]
	f.OriginCount, f.NeighborASCount, f.CommunityCount = len(v.origins), len(v.neighbors), len(v.communities)+len(v.large)
	if v.pathless > 0 {
		f.OriginCount, f.NeighborASCount = f.OriginCount+1, f.NeighborASCount+1 // none is a value too
	}
	f.NextHops = top(v.hops, most, netip.Addr.String, func(a netip.Addr) Expr { return NextHop{netip.PrefixFrom(a, a.BitLen())} })
	lengths := map[int]int{}
	for bits, n := range t.lengths {
		if n > 0 {
			lengths[bits] = n
		}
	}
	f.PeerCount, f.LengthCount, f.NextHopCount = len(t.peers), len(lengths), len(v.hops)
	f.Lengths = top(lengths, most, func(n int) string { return "/" + strconv.Itoa(n) },
		func(n int) Expr { return Compare{Length, Equal, uint64(n)} })
	return nil
}

// top returns the values with the highest counts.
func top[K comparable](counts map[K]int, most int, text func(K) string, condition func(K) Expr) []Facet {
	type entry struct {
		key   K
		count int
	}
	entries := make([]entry, 0, len(counts))
	for k, n := range counts {
		entries = append(entries, entry{k, n})
	}
	slices.SortFunc(entries, func(a, b entry) int { return cmp.Compare(b.count, a.count) })
	// Those with the count of the last one wanted may tie: all of them are
	// written out, so that the choice does not depend on the order of a map.
	end := min(most, len(entries))
	for end > 0 && end < len(entries) && entries[end].count == entries[end-1].count && end < 4*most {
		end++
	}
	facets := make([]Facet, end)
	for i, e := range entries[:end] {
		facets[i] = Facet{text(e.key), e.count, condition(e.key)}
	}
	SortFacets(facets)
	return facets[:min(len(facets), most)]
}

// none is the value of routes that have no AS in their path.
const none = "none"

func withNone(facets []Facet, count int, condition Expr, most int) []Facet {
	facets = append(facets, Facet{none, count, condition})
	SortFacets(facets)
	return facets[:min(len(facets), most)]
}

// SortFacets orders facets as answers do: the most frequent first, then by value.
func SortFacets(facets []Facet) {
	slices.SortFunc(facets, func(a, b Facet) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Value, b.Value))
	})
}
