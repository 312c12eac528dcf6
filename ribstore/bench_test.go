package ribstore

import (
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"ribglass/ribstore/route"
	"ribglass/ribstore/tap"
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
				s.table().Apply(batch(route.NLRI{Prefix: p}))
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

// BenchmarkLoad measures the writer on a full table that comes, five prefixes a
// batch, with subscribers to it: a lookup page that wants one address, a page that
// only wants to be woken, and one that reads all there is.
func BenchmarkLoad(b *testing.B) {
	sets, prefixes := benchSets()
	edge := &route.Peer{Name: "edge1"}
	for _, row := range []struct {
		name      string
		subscribe func(s *Store) *tap.Subscription
	}{
		{"nobody", func(*Store) *tap.Subscription { return nil }},
		{"one address", func(s *Store) *tap.Subscription {
			return s.Subscribe(tap.Interest{Overlap: [route.NumFamilies]netip.Prefix{netip.MustParsePrefix("3.4.5.6/32")}}, 1<<16)
		}},
		{"woken", func(s *Store) *tap.Subscription { return s.Subscribe(tap.Interest{}, 0) }},
		{"everything", func(s *Store) *tap.Subscription { return s.Subscribe(tap.Interest{}, 1<<24) }},
	} {
		b.Run(row.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				s, err := New(DefaultConfig(), Deps{Logger: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry(), Now: time.Now})
				if err != nil {
					b.Fatal(err)
				}
				sub := row.subscribe(s)
				list := make([]route.NLRI, 5)
				for i := 0; i+len(list) <= len(prefixes); i += len(list) {
					for j := range list {
						list[j].Prefix = prefixes[i+j]
					}
					s.apply(&route.Batch{Peer: edge, At: time.Unix(1000, 0), Updates: []route.Update{{Attrs: sets[i%len(sets)], NLRI: list}}})
					if sub != nil && i%1000 == 0 {
						sub.Read()
					}
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(prefixes)), "ns/prefix")
		})
	}
}
