package compare

import (
	"context"
	"slices"
	"sync"
	"testing"

	"ribglass/ribstore/query"
	"ribglass/ribstore/query/querytest"
	"ribglass/ribstore/route"
	"ribglass/ribstore/table"
)

// benchLater is the table of the benchmarks a while later: one route in a
// hundred has other attributes, one in a thousand is gone.
var benchLater = sync.OnceValue(func() *table.Table {
	tab := table.New()
	n := 0
	err := query.Stream(context.Background(), query.Known{Table: querytest.Full(), At: querytest.Now()}, query.Query{}, func(routes []route.Route) error {
		for i := range routes {
			r := &routes[i]
			if n++; n%1000 == 0 {
				continue
			}
			attrs := r.Attrs
			if n%100 == 0 {
				attrs = append(slices.Clip(attrs), byte(route.AttrOTC), 4, 0, 0, 0, 1)
			}
			tab.Apply(&route.Batch{Peer: r.Peer, At: querytest.Now(), Updates: []route.Update{{Attrs: attrs, NLRI: []route.NLRI{{Prefix: r.Prefix}}}}})
		}
		return nil
	})
	if err != nil {
		panic(err)
	}
	return tab
})

func benchCompare(b *testing.B, c Comparison) {
	b.Helper()
	b.ReportAllocs()
	for b.Loop() {
		counts, err := c.Count(context.Background())
		if err != nil || !counts.Differ() {
			b.Fatal(counts, err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/3/querytest.FullRoutes, "ns/route")
}

func BenchmarkCompareMoments(b *testing.B) {
	benchCompare(b, Comparison{a: Side{Known: query.Known{Table: querytest.Full(), At: querytest.Now()}}, b: Side{Known: query.Known{Table: benchLater(), At: querytest.Now()}}})
}

func BenchmarkCompareMomentsByCondition(b *testing.B) {
	benchCompare(b, Comparison{a: Side{Known: query.Known{Table: querytest.Full(), At: querytest.Now()}}, b: Side{Known: query.Known{Table: benchLater(), At: querytest.Now()}}, query: query.Query{Expr: query.ViaAS(3257)}})
}

func BenchmarkComparePeers(b *testing.B) {
	benchCompare(b, Comparison{a: Side{Known: query.Known{Table: querytest.Full(), At: querytest.Now()}, Peer: "a"}, b: Side{Known: query.Known{Table: querytest.Full(), At: querytest.Now()}, Peer: "b"}})
}
