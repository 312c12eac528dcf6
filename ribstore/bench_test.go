package ribstore

import (
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"ribglass/ribstore/route"
)

// benchSets returns attribute sets and prefixes to make batches of.
func benchSets() (sets []route.Attrs, prefixes []netip.Prefix) {
	for i := range 4096 {
		path := route.ASPath(nil).AppendSegment(route.ASSequence, 64501, 3356, route.ASN(65000+i))
		sets = append(sets, route.Attrs(nil).AppendAttr(route.AttrOrigin, []byte{0}).AppendAttr(route.AttrASPath, path))
	}
	for i := range 1 << 18 {
		prefixes = append(prefixes, netip.PrefixFrom(netip.AddrFrom4([4]byte{byte(1 + i>>16), byte(i >> 8), byte(i), 0}), 24))
	}
	return sets, prefixes
}

// BenchmarkApply measures the writer on a table that is there: batches of a few
// prefixes, most of them from a restless few, and each time another prefix.
func BenchmarkApply(b *testing.B) {
	sets, prefixes := benchSets()
	for _, row := range []struct {
		name     string
		restless int // of a hundred changes, those of a few prefixes
	}{{"churn", 80}, {"storm", 0}} {
		b.Run(row.name, func(b *testing.B) {
			s, err := New(DefaultConfig(), Deps{Logger: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry(), Now: time.Now})
			if err != nil {
				b.Fatal(err)
			}
			random := rand.New(rand.NewPCG(1, 2))
			edge := &route.Peer{Name: "edge1"}
			batch := func(nlri ...route.NLRI) *route.Batch {
				return &route.Batch{Peer: edge, At: time.Now(), Updates: []route.Update{{Attrs: sets[random.IntN(len(sets))], NLRI: nlri}}}
			}
			for _, p := range prefixes {
				s.table.Apply(batch(route.NLRI{Prefix: p}))
			}
			batches := make([]*route.Batch, 1<<15)
			for i := range batches {
				var list []route.NLRI
				for range 1 + random.IntN(4) {
					at := random.IntN(len(prefixes))
					if random.IntN(100) < row.restless {
						at = random.IntN(500)
					}
					list = append(list, route.NLRI{Prefix: prefixes[at]})
				}
				batches[i] = batch(list...)
			}
			b.ReportAllocs()
			b.ResetTimer()
			for i := range b.N {
				one := *batches[i%len(batches)] // released, a batch has nothing any more
				s.apply(&one)
			}
		})
	}
}
