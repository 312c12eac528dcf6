package query

import (
	"context"
	"net/netip"
	"testing"

	"ribglass/ribstore/query/querytest"
	"ribglass/ribstore/route"
)

func benchmark(b *testing.B, text string, cursor string) {
	b.Helper()
	q, err := Parse(text)
	if err != nil {
		b.Fatal(err)
	}
	tab := querytest.Full()
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
	benchmark(b, "0.0.0.0/0 or-longer", Cursor{Family: route.IPv4Unicast, Prefix: netip.MustParsePrefix("5.0.0.0/24")}.String())
}

func BenchmarkFacets(b *testing.B) {
	tab := querytest.Full()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Count(context.Background(), Known{Table: tab, At: now}, Query{}, 20); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkStream(b *testing.B) {
	tab := querytest.Full()
	routes := 0
	for b.Loop() {
		if err := Stream(context.Background(), Known{Table: tab, At: now}, Query{}, func(r []route.Route) error { routes += len(r); return nil }); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(routes)/b.Elapsed().Seconds(), "routes/s")
}

// The conditions that a look at the attribute sets does not decide.
func BenchmarkBest(b *testing.B)   { benchmark(b, "best", "") }
func BenchmarkSince(b *testing.B)  { benchmark(b, "since 300d", "") }
func BenchmarkBefore(b *testing.B) { benchmark(b, "older-than 1s", "") }
func BenchmarkFresh(b *testing.B)  { benchmark(b, "not stale", "") }
func BenchmarkBogon(b *testing.B)  { benchmark(b, "moas bogon or length = 24", "") }
func BenchmarkLength(b *testing.B) { benchmark(b, "length = 24", "") }
