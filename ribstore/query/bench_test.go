package query

import (
	"context"
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"sync"
	"testing"

	"ribglass/ribstore/route"
	"ribglass/ribstore/table"
)

// benchRoutes is how many routes the benchmarks' table has of each of its three
// peers: as many in all as a third of three full feeds. Five routes share a set.
const benchRoutes = 350_000

// benchTable makes the table of the benchmarks, once.
var benchTable = sync.OnceValue(func() *table.Table {
	random := rand.New(rand.NewPCG(1, 2))
	tab := table.New()
	for i, transit := range []route.ASN{3257, 3356, 174} {
		peer := &route.Peer{Name: string(rune('a' + i)), ASN: transit}
		tab.Apply(&route.Batch{Peer: peer, At: now, Event: route.PeerUp})
		var attrs route.Attrs
		for n := range benchRoutes {
			if n%5 == 0 {
				attrs = benchAttrs(random, transit)
			}
			p := netip.PrefixFrom(netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, uint32(n+1<<16)<<8))), 24)
			tab.Apply(&route.Batch{Peer: peer, At: now, Updates: []route.Update{{Attrs: attrs, NLRI: []route.NLRI{{Prefix: p}}}}})
		}
	}
	return tab
})

func benchAttrs(random *rand.Rand, transit route.ASN) route.Attrs {
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

func benchmark(b *testing.B, text string, cursor string) {
	b.Helper()
	q, err := Parse(text)
	if err != nil {
		b.Fatal(err)
	}
	tab := benchTable()
	b.ReportAllocs()
	for b.Loop() {
		r, err := Run(context.Background(), Known{Table: tab, At: now}, q, Page{Cursor: cursor})
		if err != nil || r.Total == 0 {
			b.Fatalf("%q finds nothing, %v", text, err)
		}
	}
}

func BenchmarkPath(b *testing.B)      { benchmark(b, "_3257_.*13335$", "") }
func BenchmarkVia(b *testing.B)       { benchmark(b, "via 3257", "") }
func BenchmarkOrigin(b *testing.B)    { benchmark(b, "origin 13335", "") }
func BenchmarkCommunity(b *testing.B) { benchmark(b, "community 3257:1*0", "") }
func BenchmarkBoolean(b *testing.B) {
	benchmark(b, "via 3257 community 3257:1* not origin 13335", "")
}
func BenchmarkPeerAndLength(b *testing.B) { benchmark(b, "peer a length = 24 via 3257", "") }
func BenchmarkMOAS(b *testing.B)          { benchmark(b, "moas", "") }
func BenchmarkFirstPage(b *testing.B)     { benchmark(b, "0.0.0.0/0 or-longer", "") }
func BenchmarkLatePage(b *testing.B) {
	benchmark(b, "0.0.0.0/0 or-longer", cursor{route.IPv4Unicast, netip.MustParsePrefix("5.0.0.0/24")}.String())
}

func BenchmarkFacets(b *testing.B) {
	tab := benchTable()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Count(context.Background(), Known{Table: tab, At: now}, Query{}, 20); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkStream(b *testing.B) {
	tab := benchTable()
	routes := 0
	for b.Loop() {
		if err := Stream(context.Background(), Known{Table: tab, At: now}, Query{}, func(r []route.Route) error { routes += len(r); return nil }); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(routes)/b.Elapsed().Seconds(), "routes/s")
}
