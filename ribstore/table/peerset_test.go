package table

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ribglass/ribstore/route"
)

// TestPeersEqualMap has peers come, go and come again, with a route each, while
// readers look on, and compares the table with a map of what should be there.
func TestPeersEqualMap(t *testing.T) {
	for _, columnMin := range []int{1, columnMinRoutes} {
		t.Run(fmt.Sprintf("column from %d routes", columnMin), func(t *testing.T) {
			table := New()
			table.columnMin = columnMin
			var done atomic.Bool
			var readers sync.WaitGroup
			for range 2 {
				readers.Go(func() {
					for !done.Load() {
						if err := lookAround(table); err != nil {
							t.Error(err)
							return
						}
					}
				})
			}
			defer func() { done.Store(true); readers.Wait() }()
			comeAndGo(t, table)
		})
	}
}

// manyPeers is how many names there are in the tests of peers.
const manyPeers = 200

func comeAndGo(t *testing.T, table *Table) {
	t.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	want := map[string]int{} // routes by peer
	for step := range 4000 {
		n := random.IntN(manyPeers)
		info := &route.Peer{Name: strconv.Itoa(n), ASN: route.ASN(n)}
		b := &route.Batch{Peer: info, At: time.Unix(1000, 0), Event: route.PeerUp}
		_, up := want[info.Name]
		switch {
		case !up:
			want[info.Name] = 0
		case random.IntN(3) == 0:
			b.Event = route.PeerRemoved
			delete(want, info.Name)
		default:
			b.Event = route.Routes
			want[info.Name] = 1
			b.Updates = []route.Update{{Attrs: attrsOf(n), NLRI: []route.NLRI{{Prefix: netip.MustParsePrefix("192.0.2.0/24")}}}}
		}
		table.Apply(b)
		if random.IntN(4) == 0 {
			table.Work()
		}
		if step%100 == 0 {
			settlePeers(table)
			comparePeers(t, table, want)
		}
	}
	for name := range want {
		table.Apply(&route.Batch{Peer: &route.Peer{Name: name}, Event: route.PeerRemoved})
	}
	settlePeers(table)
	comparePeers(t, table, nil)
}

// settlePeers lets the sweeps finish. Memory may go on waiting for readers.
func settlePeers(t *Table) {
	for t.Work() {
	}
}

func comparePeers(t *testing.T, table *Table, want map[string]int) {
	t.Helper()
	got := map[string]int{}
	for _, p := range table.Peers() {
		if _, twice := got[p.Peer.Name]; twice {
			t.Fatalf("%s is there twice", p.Peer.Name)
		}
		got[p.Peer.Name] = p.Routes[route.IPv4Unicast]
	}
	if diff := cmp.Diff(want, got); len(want)+len(got) > 0 && diff != "" {
		t.Fatalf("peers differ from their twin (-twin +table):\n%s", diff)
	}
	for n := range manyPeers {
		name := strconv.Itoa(n)
		_, known := want[name]
		if p, ok := table.Peer(name); ok != known || ok && p.Peer.Name != name {
			t.Fatalf("Peer(%s) = %v, %v, want %v", name, p.Peer, ok, known)
		}
	}
	if c := table.Counts(); c.Peers != len(want) {
		t.Fatalf("%d peers are counted, want %d", c.Peers, len(want))
	}
}

// lookAround looks at the table in one view for a while: each route is of the
// peer that sent it, no index means two peers, and no peer is listed twice.
func lookAround(table *Table) error {
	err := table.View(func(v *View) error {
		known := map[uint16]string{}
		for range 20 {
			for d := range v.Within(route.IPv4Unicast, netip.Prefix{}, netip.Prefix{}) {
				var wrong error
				v.Each(d, nil, func(f Found) {
					name := f.Peer().Name
					if before, ok := known[f.Index()]; ok && before != name {
						wrong = fmt.Errorf("the index %d means %s and %s in one view", f.Index(), before, name)
					}
					known[f.Index()] = name
					if n, _ := strconv.Atoi(name); string(v.Route(f).Attrs) != string(attrsOf(n)) {
						wrong = fmt.Errorf("%s has the route of another peer", name)
					}
				})
				if wrong != nil {
					return wrong
				}
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	names := map[string]bool{}
	for _, p := range table.Peers() {
		if names[p.Peer.Name] {
			return fmt.Errorf("%s is listed twice", p.Peer.Name)
		}
		names[p.Peer.Name] = true
	}
	for n := range manyPeers {
		name := strconv.Itoa(n)
		if p, ok := table.Peer(name); ok && p.Peer.Name != name {
			return fmt.Errorf("Peer(%s) is %s", name, p.Peer.Name)
		}
	}
	return nil
}

// TestColumnSetEqualsMap compares sets of columns with a map of them.
func TestColumnSetEqualsMap(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var set columnSet
	want := map[uint16]*column{}
	for range 2000 {
		p := &peer{index: uint16(random.IntN(300))}
		for _, c := range set.list {
			if c.peer.index == p.index {
				p = c.peer
			}
		}
		var c *column
		if random.IntN(2) == 0 {
			c = newColumn()
			want[p.index] = c
		} else {
			delete(want, p.index)
		}
		set = set.with(p, c)
		got := map[uint16]*column{}
		for _, c := range set.list {
			got[c.peer.index] = c.column
		}
		sorted := slices.IsSortedFunc(set.list, func(a, b peerColumn) int { return int(a.peer.index) - int(b.peer.index) })
		if !maps.Equal(got, want) || !sorted || len(got) != len(set.list) {
			t.Fatalf("the set has %d columns, want %d, in order: %v", len(set.list), len(want), sorted)
		}
		for index := range uint16(400) {
			if set.has(index) != (want[index] != nil) {
				t.Fatalf("has(%d) = %v, want %v", index, set.has(index), want[index] != nil)
			}
		}
	}
}

// BenchmarkManyPeers has 16,000 peers come up, send ten routes each, go down and
// be removed, and tells how long the writer took for each.
func BenchmarkManyPeers(b *testing.B) {
	const peers, routes = 16_000, 10
	infos := make([]*route.Peer, peers)
	for i := range infos {
		infos[i] = &route.Peer{Name: fmt.Sprintf("rs1-client%d", i), ASN: route.ASN(64500 + i)}
	}
	var took [4]time.Duration
	for b.Loop() {
		t := New()
		phase := func(n int, batch func(i int) *route.Batch) {
			began := time.Now()
			for i := range peers {
				t.Apply(batch(i))
				if n > 1 {
					t.Work()
				}
			}
			settle(t)
			took[n] += time.Since(began)
		}
		at := time.Unix(1000, 0)
		phase(0, func(i int) *route.Batch { return &route.Batch{Peer: infos[i], At: at, Event: route.PeerUp} })
		phase(1, func(i int) *route.Batch {
			list := make([]route.NLRI, routes)
			for j := range list {
				n := uint32(i*routes + j)
				list[j].Prefix = netip.PrefixFrom(netip.AddrFrom4([4]byte{byte(1 + n>>16), byte(n >> 8), byte(n)}), 24)
			}
			return &route.Batch{Peer: infos[i], At: at, Updates: []route.Update{{Attrs: attrsOf(i), NLRI: list}}}
		})
		phase(2, func(i int) *route.Batch { return &route.Batch{Peer: infos[i], At: at, Event: route.PeerDown} })
		phase(3, func(i int) *route.Batch { return &route.Batch{Peer: infos[i], At: at, Event: route.PeerRemoved} })
		if c := t.Counts(); c.Peers != 0 || c.Prefixes != [route.NumFamilies]int{} {
			b.Fatalf("%+v is left", c)
		}
	}
	for i, name := range []string{"up", "routes", "down", "removed"} {
		b.ReportMetric(float64(took[i].Milliseconds())/float64(b.N), name+"-ms")
	}
	b.ReportMetric(0, "ns/op")
}
