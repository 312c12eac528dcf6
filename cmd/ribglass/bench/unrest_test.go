package bench

import (
	"fmt"
	"math"
	"net/netip"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ribglass/ribstore/route"
)

// shapeOf is what a stretch of churn looks like, as the recordings that the model
// follows were looked at.
type shapeOf struct {
	changes, prefixes                            int
	withdrawn, repeated, path, communities, both float64 // shares of the changes, of those to known routes
	topTenth, topFifty                           float64 // shares of the changes
	most                                         int
	together, sets                               float64
	updates                                      int
	count                                        map[netip.Prefix]int
	last                                         map[netip.Prefix]route.Attrs
	seen                                         map[netip.Prefix]map[string]bool
	nW, nR, nP, nC, nB, nKnown                   int
}

func (s *shapeOf) add(moves []move) {
	if s.count == nil {
		s.count, s.last, s.seen = map[netip.Prefix]int{}, map[netip.Prefix]route.Attrs{}, map[netip.Prefix]map[string]bool{}
	}
	for _, m := range moves {
		s.updates++
		for _, n := range m.update.NLRI {
			s.changes++
			s.count[n.Prefix]++
			a, b := s.last[n.Prefix], m.update.Attrs
			s.last[n.Prefix] = b
			if len(b) == 0 {
				s.nW++
				continue
			}
			if s.seen[n.Prefix] == nil {
				s.seen[n.Prefix] = map[string]bool{}
			}
			s.seen[n.Prefix][string(b)] = true
			if len(a) == 0 {
				continue
			}
			s.nKnown++
			path := string(a.ASPath()) != string(b.ASPath())
			communities := string(a.Communities()) != string(b.Communities())
			switch {
			case path && communities:
				s.nB++
			case path:
				s.nP++
			case communities:
				s.nC++
			case string(a) == string(b):
				s.nR++
			}
		}
	}
}

func (s *shapeOf) finish() {
	counts := make([]int, 0, len(s.count))
	for _, n := range s.count {
		counts = append(counts, n)
	}
	slices.Sort(counts)
	slices.Reverse(counts)
	total := func(n int) (sum int) {
		for _, c := range counts[:min(n, len(counts))] {
			sum += c
		}
		return sum
	}
	share := func(n int) float64 { return float64(n) / float64(s.changes) }
	s.prefixes, s.most = len(counts), counts[0]
	s.topTenth, s.topFifty = share(total(len(counts)/10)), share(total(50))
	s.withdrawn, s.repeated, s.path, s.communities, s.both = share(s.nW), share(s.nR), share(s.nP), share(s.nC), share(s.nB)
	s.together = share(s.changes) * float64(s.changes) / float64(s.updates)
	sets := 0
	for _, seen := range s.seen {
		sets += len(seen)
	}
	s.sets = float64(sets) / float64(max(1, len(s.seen)))
}

func (s *shapeOf) String() string {
	return fmt.Sprintf("changes %d prefixes %d W %.3f dup %.3f p %.3f c %.3f pc %.3f top10%% %.2f top50 %.2f most %d pfx/upd %.2f sets %.2f",
		s.changes, s.prefixes, s.withdrawn, s.repeated, s.path, s.communities, s.both, s.topTenth, s.topFifty, s.most, s.together, s.sets)
}

func TestCalibrate(t *testing.T) {
	g := generate(shape{feeds: 1, ipv4: 1_000_000, ipv6: 230_000, seed: 1})
	k, err := newAnnounced(g, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, rate := range []float64{12, 60} {
		u := newUnrest(k, 1, 0, rate)
		t.Log("units", len(u.units))
		for range 1800 {
			u.next()
		}
		var five, day shapeOf
		for i := range 86400 {
			m := u.next()
			day.add(m)
			if i < 300 {
				five.add(m)
			}
		}
		five.finish()
		day.finish()
		t.Log(rate, five.String())
		t.Log(rate, day.String())
	}
	_ = math.Abs
	_ = cmp.Diff
}
