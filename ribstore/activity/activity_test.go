package activity

import (
	"cmp"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"ribglass/ribstore/route"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// routesOf is a batch that announces prefixes.
func routesOf(p *route.Peer, at time.Time, prefixes ...netip.Prefix) *route.Batch {
	u := route.Update{Attrs: route.Attrs(nil).AppendAttr(route.AttrOrigin, []byte{0})}
	for _, one := range prefixes {
		u.NLRI = append(u.NLRI, route.NLRI{Prefix: one})
	}
	if len(prefixes) > 0 && prefixes[0].Addr().Is6() {
		u.Family = route.IPv6Unicast
	}
	return &route.Batch{Peer: p, At: at, Updates: []route.Update{u}}
}

// prefix returns the n-th of many prefixes.
func prefix(n int) netip.Prefix {
	return netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(n >> 16), byte(n >> 8), byte(n)}), 32)
}

func TestWhatCounts(t *testing.T) {
	edge1 := &route.Peer{Name: "edge1"}
	event := func(e route.Event, at time.Duration) *route.Batch {
		return &route.Batch{Peer: edge1, At: noon.Add(at), Event: e}
	}
	change := func(at time.Duration) *route.Batch { return routesOf(edge1, noon.Add(at), prefix(1)) }
	six := func(at time.Duration) *route.Batch {
		return routesOf(edge1, noon.Add(at), netip.MustParsePrefix("2001:db8::/32"))
	}
	ofSix := func(b *route.Batch) *route.Batch { b.Family = route.IPv6Unicast; return b }
	withdrawal := change(0)
	withdrawal.Updates[0].Attrs = nil
	for _, row := range []struct {
		name    string
		batches []*route.Batch
		want    int
	}{
		{"announcements", []*route.Batch{change(0), change(0)}, 2},
		{"withdrawals", []*route.Batch{withdrawal}, 1},
		{"not what a session sends first", []*route.Batch{event(route.PeerUp, 0), change(time.Second)}, 0},
		{"what comes after End-of-RIB", []*route.Batch{event(route.PeerUp, 0), change(0), event(route.EndOfRIB, 0), change(0)}, 1},
		{"not another family, whose End-of-RIB is missing", []*route.Batch{event(route.PeerUp, 0), event(route.EndOfRIB, 0), six(0)}, 0},
		{"each family by its own End-of-RIB", []*route.Batch{event(route.PeerUp, 0), ofSix(event(route.EndOfRIB, 0)), six(0), change(0)}, 1},
		{"what comes after five minutes without End-of-RIB", []*route.Batch{event(route.PeerUp, 0), change(299 * time.Second), change(300 * time.Second)}, 1},
		{"not a route refresh", []*route.Batch{event(route.RefreshBegin, 0), change(0), event(route.RefreshEnd, 0), change(0)}, 1},
		{"not what a session that came back sends", []*route.Batch{event(route.PeerDown, 0), event(route.PeerUp, 0), change(0)}, 0},
		{"nothing of a peer that was removed", []*route.Batch{change(0), event(route.PeerRemoved, 0)}, 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			m := New(noon)
			for _, b := range row.batches {
				m.Observe(b)
			}
			if got := m.Rate("edge1", noon.Add(5*time.Minute)).Total(); got != row.want {
				t.Errorf("%d changes, want %d", got, row.want)
			}
		})
	}
}

func TestRateTellsTheMinutesOfTheLastHour(t *testing.T) {
	m := New(noon)
	edge1, edge2 := &route.Peer{Name: "edge1"}, &route.Peer{Name: "edge2"}
	m.Observe(routesOf(edge1, noon.Add(30*time.Second), prefix(1), prefix(2)))
	m.Observe(routesOf(edge2, noon.Add(90*time.Second), prefix(1)))
	m.Observe(routesOf(edge1, noon.Add(119*time.Second), prefix(1)))
	at := noon.Add(130 * time.Second)
	if diff := gocmp.Diff(Rate{noon, []int{2, 1, 0}}, m.Rate("edge1", at)); diff != "" {
		t.Error(diff)
	}
	all := m.RateOfAll(at)
	if diff := gocmp.Diff(Rate{noon, []int{2, 2, 0}}, all); diff != "" {
		t.Error(diff)
	}
	if all.Last() != 2 || all.Peak() != 2 || all.Total() != 4 {
		t.Errorf("last %d, peak %d, total %d; want 2, 2, 4", all.Last(), all.Peak(), all.Total())
	}
	if diff := gocmp.Diff(Rate{noon, []int{0, 0, 0}}, m.Rate("nobody", at)); diff != "" {
		t.Error(diff)
	}
	hour := m.RateOfAll(noon.Add(60 * time.Minute))
	if len(hour.Changes) != Minutes || hour.Total() != 2 || !hour.From.Equal(noon.Add(time.Minute)) {
		t.Errorf("after an hour: %+v", hour)
	}
	if got := m.RateOfAll(noon.Add(-time.Hour)); got.Total() != 0 || got.Last() != 0 {
		t.Errorf("with the clock set back: %+v", got)
	}
	if got := (Rate{}); got.Last() != 0 || got.Peak() != 0 || got.Total() != 0 {
		t.Errorf("of nothing: %+v", got)
	}
}

// TestRateIsTheCountOfTheLog compares the ring with a list of all changes.
func TestRateIsTheCountOfTheLog(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	m := New(noon)
	edge1 := &route.Peer{Name: "edge1"}
	var log []time.Time
	at := noon
	for range 20000 {
		at = at.Add(time.Duration(random.IntN(2000)) * time.Millisecond)
		log = append(log, at)
		m.Observe(routesOf(edge1, at, prefix(random.IntN(5))))
		if random.IntN(100) > 0 {
			continue
		}
		got := m.Rate("edge1", at)
		want := make([]int, len(got.Changes))
		for _, one := range log {
			if i := int(one.Sub(got.From) / time.Minute); !one.Before(got.From) {
				want[i]++
			}
		}
		if diff := gocmp.Diff(want, got.Changes); diff != "" {
			t.Fatalf("at %v: %s", at, diff)
		}
	}
}

// TestBusiestIsWithinItsBoundOfExactCounts compares the tallies with exact
// counts of the same changes: calm ones, stormy ones, and those that the bound
// is reached with.
func TestBusiestIsWithinItsBoundOfExactCounts(t *testing.T) {
	for _, row := range []struct {
		name     string
		prefixes int // that change
		exact    bool
	}{
		{"few prefixes are counted exactly", 2000, true},
		{"many prefixes", 20000, false},
		{"nearly each change another prefix", 1 << 24, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			random := rand.New(rand.NewPCG(3, 4))
			m, exact := New(noon), map[netip.Prefix]int{}
			edge1 := &route.Peer{Name: "edge1"}
			at, changes := noon, 0
			for range 60 {
				for range 2000 {
					p := prefix(random.IntN(row.prefixes))
					if random.IntN(4) == 0 {
						p = prefix(int(random.ExpFloat64() * 4)) // the restless
					}
					exact[p]++
					changes++
					m.Observe(routesOf(edge1, at, p))
				}
				at = at.Add(time.Minute)
				m.Tick(at, func() Sample { return Sample{} })
			}
			got := m.Busiest()
			if got.Missed > changes/tallyKept || row.exact && got.Missed > 0 {
				t.Errorf("missed %d of %d changes, more than a share of 1/%d", got.Missed, changes, tallyKept)
			}
			if len(got.Prefixes) != busyMost || !got.From.Equal(noon) {
				t.Errorf("%d prefixes since %v", len(got.Prefixes), got.From)
			}
			for i, one := range got.Prefixes {
				if n := exact[one.Prefix]; one.Changes > n || one.Changes < n-got.Missed {
					t.Errorf("%v changed %d times, told are %d with at most %d missed", one.Prefix, n, one.Changes, got.Missed)
				}
				if i > 0 && one.Changes > got.Prefixes[i-1].Changes {
					t.Errorf("%v is out of order", one.Prefix)
				}
			}
			for _, one := range got.Prefixes[:5] {
				if !slices.Contains(busiestOf(exact, 10), one.Prefix) {
					t.Errorf("%v is not among the ten busiest", one.Prefix)
				}
			}
		})
	}
}

// busiestOf is the stupid twin: everything counted, sorted.
func busiestOf(exact map[netip.Prefix]int, most int) []netip.Prefix {
	list := make([]netip.Prefix, 0, len(exact))
	for p := range exact {
		list = append(list, p)
	}
	slices.SortFunc(list, func(a, b netip.Prefix) int { return cmp.Or(cmp.Compare(exact[b], exact[a]), a.Compare(b)) })
	return list[:min(most, len(list))]
}

func TestBusiestForgetsWhatIsLongerAgo(t *testing.T) {
	m := New(noon)
	edge1 := &route.Peer{Name: "edge1"}
	v6 := netip.MustParsePrefix("2001:db8::/32")
	m.Observe(routesOf(edge1, noon, v6))
	nothing := func() Sample { return Sample{} }
	at := noon
	for _, row := range []struct {
		name  string
		after time.Duration
		want  int
	}{
		{"it is told after ten seconds", 11 * time.Second, 1},
		{"and for an hour", time.Hour, 1},
		{"and not much longer", 66 * time.Minute, 0},
	} {
		for ; !at.After(noon.Add(row.after)); at = at.Add(time.Second) {
			m.Tick(at, nothing)
		}
		got := m.Busiest()
		if len(got.Prefixes) != row.want {
			t.Errorf("%s: %+v", row.name, got)
		}
		if row.want > 0 {
			if diff := gocmp.Diff(PrefixChanges{route.IPv6Unicast, v6, 1}, got.Prefixes[0], gocmp.Comparer(func(a, b netip.Prefix) bool { return a == b })); diff != "" {
				t.Errorf("%s: %s", row.name, diff)
			}
		}
		if tallies := len(*m.busy.published.Load()); tallies > 14 {
			t.Errorf("%s: %d tallies are kept", row.name, tallies)
		}
	}
	m.Tick(noon.Add(-time.Hour), nothing)
	if got := m.Busiest(); got.From.After(noon) {
		t.Errorf("with the clock set back: since %v", got.From)
	}
}

// A clock that is set back by less than a tally lasts leaves no tally of before; the one
// under way is there all the same.
func TestBusiestOutlivesAClockThatIsSetBack(t *testing.T) {
	m := New(noon)
	edge1 := &route.Peer{Name: "edge1"}
	for i, back := range []time.Duration{4 * time.Minute, 3 * time.Minute, 2 * time.Minute} {
		m.Observe(routesOf(edge1, noon, prefix(1)))
		m.Tick(noon.Add(-back), func() Sample { return Sample{} })
		if got := m.Busiest().Prefixes; len(got) != 1 || got[0].Changes != i+1 {
			t.Errorf("%v before: %+v", back, got)
		}
	}
}

func TestGrowthIsSampledWhenTablesAreComplete(t *testing.T) {
	m := New(noon)
	edge1 := &route.Peer{Name: "edge1"}
	routes := 0
	counts := func() Sample {
		var s Sample
		s.Routes[route.IPv4Unicast] = routes
		return s
	}
	times := func() (list []string) {
		for _, s := range m.Growth() {
			list = append(list, s.At.Format("15:04"))
		}
		return list
	}
	m.Tick(noon, counts) // there is nothing
	m.Observe(&route.Batch{Peer: edge1, At: noon, Event: route.PeerUp})
	routes = 5
	m.Observe(routesOf(edge1, noon.Add(50*time.Second), prefix(1)))
	m.Tick(noon.Add(time.Minute), counts) // the table may not be complete
	for _, f := range route.Families() {
		m.Observe(&route.Batch{Peer: edge1, At: noon, Event: route.EndOfRIB, Family: f})
	}
	for i := 1; i < 32; i++ {
		m.Tick(noon.Add(time.Duration(i)*time.Minute+5*time.Second), counts)
	}
	if diff := gocmp.Diff([]string{"12:01", "12:11", "12:21", "12:31"}, times()); diff != "" {
		t.Error(diff)
	}
	m.Tick(noon.Add(15*time.Minute), counts)
	if diff := gocmp.Diff([]string{"12:01", "12:11", "12:15"}, times()); diff != "" {
		t.Errorf("with the clock set back: %s", diff)
	}
	for i := range 2 * sampleMost {
		m.Tick(noon.Add(time.Duration(i+10)*sampleEvery), counts)
	}
	if got := len(m.Growth()); got != sampleMost {
		t.Errorf("%d samples, want %d", got, sampleMost)
	}
}

// TestReadersDoNotDisturb has everything read while it is written: the race
// detector looks on.
func TestReadersDoNotDisturb(t *testing.T) {
	m := New(noon)
	done := make(chan struct{})
	var readers sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				for _, n := range m.Rate("edge1", noon.Add(time.Minute)).Changes {
					if n < 0 {
						t.Error("a count below zero")
					}
				}
				_, _, _ = m.RateOfAll(noon), m.Busiest(), m.Growth()
			}
		})
	}
	peers := []*route.Peer{{Name: "edge1"}, {Name: "edge2"}}
	for i := range 5000 {
		at := noon.Add(time.Duration(i) * time.Second)
		m.Observe(routesOf(peers[i%2], at, prefix(i%3000)))
		m.Tick(at, func() Sample { return Sample{Routes: [route.NumFamilies]int{i}} })
	}
	close(done)
	readers.Wait()
}

func BenchmarkObserve(b *testing.B) {
	for _, row := range []struct {
		name     string
		prefixes int
	}{{"restless few", 500}, {"storm", 1 << 20}} {
		b.Run(row.name, func(b *testing.B) {
			m := New(noon)
			edge1 := &route.Peer{Name: "edge1"}
			batches := make([]*route.Batch, 1<<14)
			random := rand.New(rand.NewPCG(1, 2))
			for i := range batches {
				batches[i] = routesOf(edge1, noon, prefix(random.IntN(row.prefixes)))
			}
			b.ResetTimer()
			for i := range b.N {
				m.Observe(batches[i%len(batches)])
			}
		})
	}
}

func BenchmarkBusiest(b *testing.B) {
	m := New(noon)
	edge1 := &route.Peer{Name: "edge1"}
	random := rand.New(rand.NewPCG(1, 2))
	for i := range 60 {
		for range 3600 {
			m.Observe(routesOf(edge1, noon, prefix(random.IntN(1<<20))))
		}
		m.Tick(noon.Add(time.Duration(i)*time.Minute), func() Sample { return Sample{} })
	}
	for b.Loop() {
		addUp(*m.busy.published.Load())
	}
}
