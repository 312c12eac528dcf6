package table

import (
	"math/rand/v2"
	"net/netip"
	"sync"
	"testing"
	"time"

	"ribglass/ribstore/route"
)

// fullTable returns a table of a million IPv4 prefixes, in lengths as in a real
// one, from three peers, and addresses to look up in it.
var fullTable = sync.OnceValues(func() (*Table, []netip.Addr) {
	random := rand.New(rand.NewPCG(1, 2))
	seen := make(map[netip.Prefix]bool)
	var list []route.NLRI
	for len(list) < 1_000_000 {
		p := realisticIPv4(random)
		if !seen[p] {
			seen[p] = true
			list = append(list, route.NLRI{Prefix: p})
		}
	}
	t := New()
	for peer := range 3 {
		info := &route.Peer{Name: string(rune('a' + peer)), ASN: route.ASN(64500 + peer)}
		for i := 0; i < len(list); i += 5 {
			t.Apply(&route.Batch{Peer: info, At: time.Unix(1, 0), Updates: []route.Update{
				{Attrs: attrsOf(i + peer), NLRI: list[i : i+5]},
			}})
		}
	}
	addrs := make([]netip.Addr, 1<<18)
	for i := range addrs {
		addrs[i] = list[random.IntN(len(list))].Prefix.Addr()
	}
	return t, addrs
})

// realisticIPv4 draws six prefixes of ten as /24, most others from /16 to /23.
func realisticIPv4(random *rand.Rand) netip.Prefix {
	length := 24
	if random.IntN(10) >= 6 {
		length = 16 + random.IntN(8)
	}
	v := uint32(1+random.IntN(222))<<24 | random.Uint32N(1<<24)
	addr := netip.AddrFrom4([4]byte{byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)})
	return netip.PrefixFrom(addr, length).Masked()
}

func BenchmarkLongestMatch(b *testing.B) {
	t, addrs := fullTable()
	f := t.families[route.IPv4Unicast].Load()
	b.ResetTimer()
	for i := range b.N {
		if _, ok := f.trie.longest(keyOfAddr(addrs[i%len(addrs)])); !ok {
			b.Fatal("no match")
		}
	}
}

func BenchmarkViewLongestMatch(b *testing.B) {
	t, addrs := fullTable()
	b.ResetTimer()
	for i := range b.N {
		_ = t.View(func(v *View) error {
			if _, ok := v.Longest(route.IPv4Unicast, addrs[i%len(addrs)]); !ok {
				b.Fatal("no match")
			}
			return nil
		})
	}
}

func BenchmarkViewRoutes(b *testing.B) {
	t, addrs := fullTable()
	var routes []route.Route
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		_ = t.View(func(v *View) error {
			d, _ := v.Longest(route.IPv4Unicast, addrs[i%len(addrs)])
			routes = v.Routes(routes[:0], d, nil)
			return nil
		})
	}
}

// BenchmarkRestoreSmall makes a table of ten prefixes, as a lookup in the past
// does for each question.
func BenchmarkRestoreSmall(b *testing.B) {
	states := make([]PeerState, 3)
	for i := range states {
		states[i] = PeerState{Peer: &route.Peer{Name: string(rune('a' + i))}, Up: true}
	}
	var prefixes []netip.Prefix
	for bits := 15; bits < 25; bits++ {
		prefixes = append(prefixes, netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 1, 2}), bits).Masked())
	}
	sets := []route.Attrs{attrsOf(1), attrsOf(2), attrsOf(3), attrsOf(4)}
	b.ReportAllocs()
	for b.Loop() {
		l := Restore(states)
		for i, p := range prefixes {
			slot, _ := l.Prefix(route.IPv4Unicast, p)
			for peer := range states {
				set, _ := l.Set(sets[(i+peer)%len(sets)])
				if !l.Route(peer, route.IPv4Unicast, slot, 0, set, 1, 0) {
					b.Fatal("a route is not taken")
				}
			}
		}
		l.Finish()
	}
}
