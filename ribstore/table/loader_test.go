package table

import (
	"net/netip"
	"testing"
	"time"

	"ribglass/ribstore/route"
)

func TestLoaderRefusesWhatNoTableHolds(t *testing.T) {
	peer := func(name string, addPath bool) *route.Peer {
		return &route.Peer{Name: name, AddPath: [route.NumFamilies]bool{addPath}}
	}
	stale := FamilyState{Since: []time.Time{{}, time.Unix(9, 0)}}
	states := []PeerState{
		{Peer: peer("plain", false), Families: [route.NumFamilies]FamilyState{stale}},
		{Peer: peer("paths", true)},
		{Peer: nil},
		{Peer: peer("plain", false)},
		{Peer: peer("long", false), Families: [route.NumFamilies]FamilyState{{Routes: -1, Since: make([]time.Time, 99)}}},
	}
	l := Restore(states)
	slot, _ := l.Prefix(route.IPv4Unicast, netip.MustParsePrefix("192.0.2.0/24"))
	set, _ := l.Set(attrsOf(1))

	for _, row := range []struct {
		name            string
		peer            int
		family          route.Family
		slot, path, set uint32
		received        int64
		class           uint8
		want            bool
	}{
		{"a route", 0, 0, slot, 0, set, 1, 0, true},
		{"the same again", 0, 0, slot, 0, set, 1, 0, true},
		{"a stale route instead", 0, 0, slot, 0, set, 1, 1, true},
		{"a path identifier", 1, 0, slot, 7, set, 1, 0, true},
		{"a time in 2105", 1, 0, slot, 8, set, 1<<32 - 1, 0, true},
		{"the oldest class", 4, 0, slot, 0, set, 1, 15, true},
		{"a class that no state has", 0, 0, slot, 0, set, 1, 2, false},
		{"a class of a peer without classes", 1, 0, slot, 0, set, 1, 1, false},
		{"a class that no table has", 4, 0, slot, 0, set, 1, 16, false},
		{"a path identifier without ADD-PATH", 0, 0, slot, 1, set, 1, 0, false},
		{"a family that is not", 0, 4, slot, 0, set, 1, 0, false},
		{"a prefix of another family", 0, 1, slot, 0, set, 1, 0, false},
		{"a prefix that is not", 0, 0, slot + 1, 0, set, 1, 0, false},
		{"a set that is not", 0, 0, slot, 0, set + 1, 1, 0, false},
		{"a peer that is not", 5, 0, slot, 0, set, 1, 0, false},
		{"a peer before the first", -1, 0, slot, 0, set, 1, 0, false},
		{"a state without a peer", 2, 0, slot, 0, set, 1, 0, false},
		{"a state with a name that is taken", 3, 0, slot, 0, set, 1, 0, false},
		{"a time before 1970", 0, 0, slot, 0, set, -1, 0, false},
		{"a time in 2107", 0, 0, slot, 0, set, 1 << 32, 0, false},
	} {
		if got := l.Route(row.peer, row.family, row.slot, row.path, row.set, row.received, row.class); got != row.want {
			t.Errorf("%s: Route() = %v, want %v", row.name, got, row.want)
		}
	}

	if id, ok := l.Set(nil); ok {
		t.Errorf("the empty set is taken as %d", id)
	}
	if id, ok := l.Set(make(route.Attrs, maxSet+1)); ok {
		t.Errorf("a set of %d octets is taken as %d", maxSet+1, id)
	}
	if _, ok := l.Set(make(route.Attrs, maxSet)); !ok {
		t.Errorf("a set of %d octets is not taken", maxSet)
	}
	for _, p := range []netip.Prefix{
		{},
		netip.MustParsePrefix("192.0.2.1/24"),
		netip.MustParsePrefix("2001:db8::/32"),
		netip.PrefixFrom(netip.MustParseAddr("192.0.2.0"), 33),
	} {
		if slot, ok := l.Prefix(route.IPv4Multicast, p); ok {
			t.Errorf("Prefix(ipv4-multicast, %v) = %d", p, slot)
		}
	}
	if slot, ok := l.Prefix(route.IPv6Unicast, netip.MustParsePrefix("2001:db8::1:0:0:0/64")); ok {
		t.Errorf("a prefix with a bit behind its length is taken as %d", slot)
	}
	if slot, ok := l.Prefix(route.NumFamilies, netip.MustParsePrefix("192.0.2.0/24")); ok {
		t.Errorf("a prefix of no family is taken as %d", slot)
	}
	if _, ok := l.Prefix(route.IPv6Multicast, netip.MustParsePrefix("2001:db8::/32")); !ok {
		t.Error("a prefix that gets no route is not taken")
	}

	table := l.Finish()
	got := table.Counts()
	want := Counts{
		Routes: [route.NumFamilies]int{4}, Stale: [route.NumFamilies]int{1},
		Prefixes: [route.NumFamilies]int{1}, AttributeSets: 1, Peers: 3, Bytes: got.Bytes,
	}
	if got != want {
		t.Errorf("the table counts %+v, want %+v", got, want)
	}
	for _, p := range table.Peers() {
		table.Apply(&route.Batch{Peer: p.Peer, Event: route.PeerRemoved})
	}
	settle(table)
	if c := table.Counts(); c.Routes != [route.NumFamilies]int{} || c.AttributeSets != 0 || c.Peers != 0 || c.Prefixes != [route.NumFamilies]int{} {
		t.Errorf("%+v is left when all peers are removed", c)
	}
}

// FuzzLoader holds: whatever a loader is given, it makes the table that its
// stupid twin, a map, says, and nothing is left when the peers are removed.
func FuzzLoader(f *testing.F) {
	f.Add([]byte{1, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5})
	f.Add([]byte{3, 1, 1, 2, 1, 1, 1, 1, 0, 2, 1, 2, 1, 1, 1, 1})
	f.Add([]byte{2, 0, 0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 1, 1, 2, 0, 0, 0, 1, 0, 1, 1})
	f.Add([]byte{0, 0, 0, 0, 0, 1, 1, 0, 0, 1}) // a stale route
	f.Fuzz(func(t *testing.T, input []byte) {
		next := func(n int) int {
			if len(input) == 0 {
				return 0
			}
			b := int(input[0])
			input = input[1:]
			return b % n
		}
		at := time.Unix(5, 0)
		states := []PeerState{
			{Peer: &route.Peer{Name: "a"}, Families: [route.NumFamilies]FamilyState{{Since: []time.Time{{}, at, at}}}},
			{Peer: &route.Peer{Name: "b", AddPath: [route.NumFamilies]bool{true, true}}},
			{Peer: &route.Peer{Name: "c"}},
		}
		l := Restore(states)
		l.table.columnMin = 1 + next(4)
		twin := newTwin()
		slots := map[netip.Prefix]uint32{}
		for len(input) > 0 {
			family := route.Family(next(2))
			addr := [16]byte{byte(next(2)) << 7, byte(next(3)), 15: byte(next(2))}
			p := netip.PrefixFrom(netip.AddrFrom16(addr), []int{0, 1, 9, 16, 128}[next(5)])
			if family == 0 {
				p = netip.PrefixFrom(netip.AddrFrom4([4]byte(addr[:4])), min(p.Bits(), 32))
			}
			slot, ok := l.Prefix(family, p)
			if known, twice := slots[p]; ok != (p == p.Masked()) || ok && twice && known != slot {
				t.Fatalf("Prefix(%v) = %d, %v, was %d", p, slot, ok, known)
			}
			attrs, peer, path, class := attrsOf(next(7)), next(4), uint32(next(3)), uint8(next(4))
			set, okSet := l.Set(attrs)
			if !okSet {
				t.Fatalf("%x is not taken", attrs)
			}
			if !ok {
				continue
			}
			slots[p] = slot
			want := peer < 3 && int(class) < max(1, len(states[min(peer, 2)].Families[family].Since)) && (path == 0 || peer == 1)
			if got := l.Route(peer, family, slot, path, set, int64(set), class); got != want {
				t.Fatalf("Route(%d, %v, %v, %d, class %d) = %v, want %v", peer, family, p, path, class, got, want)
			}
			if want {
				k := twinKey{family, p, states[peer].Peer.Name, path}
				twin.routes[k] = twinRoute{attrs: string(attrs), receivedAt: int64(set), staleSince: 5 * int64(min(class, 1))}
			}
		}
		table := l.Finish()
		compare(t, table, twin)
		for _, s := range states {
			table.Apply(&route.Batch{Peer: s.Peer, Event: route.PeerRemoved})
			twin.apply(&route.Batch{Peer: s.Peer, Event: route.PeerRemoved})
		}
		settle(table)
		compare(t, table, twin)
	})
}
