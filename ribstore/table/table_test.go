package table

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"ribglass/ribstore/route"
)

// attrsOf makes an attribute set that differs by n.
func attrsOf(n int) route.Attrs {
	path := route.ASPath(nil).AppendSegment(route.ASSequence, route.ASN(64500+n), route.ASN(n))
	a := route.Attrs(nil).AppendAttr(route.AttrOrigin, []byte{0}).AppendAttr(route.AttrASPath, path)
	if n%5 == 0 { // some are long enough for a long length
		a = a.AppendAttr(route.AttrCommunities, binary.BigEndian.AppendUint32(make([]byte, 400), uint32(n)))
	}
	return a
}

// TestRoutesOutliveManySessions has a peer come back more often than there are
// generations, without completing: nothing it once said is lost.
func TestRoutesOutliveManySessions(t *testing.T) {
	for _, columnMin := range []int{1, columnMinRoutes} {
		table, w := New(), newTwin()
		table.columnMin = columnMin
		peer := &route.Peer{Name: "a"}
		at := time.Unix(1000, 0)
		apply := func(b *route.Batch) {
			b.Peer, b.At = peer, at
			for f := range b.Retention {
				b.Retention[f].Stale = time.Hour
			}
			table.Apply(b)
			w.apply(b)
		}
		for i := range 3 * generations {
			apply(&route.Batch{Event: route.PeerUp})
			p := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i), 0, 0}), 16)
			apply(&route.Batch{Updates: []route.Update{{Attrs: attrsOf(i), NLRI: []route.NLRI{{Prefix: p}}}}})
			apply(&route.Batch{Event: route.PeerDown})
		}
		settle(table)
		compare(t, table, w)
		apply(&route.Batch{Event: route.PeerUp})
		apply(&route.Batch{Event: route.EndOfRIB})
		settle(table)
		compare(t, table, w)
	}
}

// TestReadersSeeWholeRoutes lets readers check an invariant while a writer
// changes everything: the attributes of a route always name its prefix.
func TestReadersSeeWholeRoutes(t *testing.T) {
	table := New()
	table.columnMin = 64
	const prefixes = 700
	prefixOf := func(i int) netip.Prefix {
		return netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i >> 8), byte(i), 0}), 24)
	}
	attrs := func(i, version int) route.Attrs {
		value := binary.BigEndian.AppendUint32(nil, uint32(i))
		value = binary.BigEndian.AppendUint32(value, uint32(version))
		return route.Attrs(nil).AppendAttr(route.AttrCommunities, value)
	}
	done := make(chan struct{})
	var readers sync.WaitGroup
	for range 3 {
		readers.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				if err := checkNames(table); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	peers := []*route.Peer{{Name: "a"}, {Name: "b"}, {Name: "c", AddPath: [route.NumFamilies]bool{true}}}
	at := time.Unix(1, 0)
	for round := range 60 {
		for _, p := range peers {
			table.Apply(&route.Batch{Peer: p, At: at, Event: route.PeerUp, Retention: [route.NumFamilies]route.Retention{{Stale: time.Hour}}})
			for i := range prefixes {
				u := route.Update{NLRI: []route.NLRI{{Prefix: prefixOf(i), PathID: 0}}}
				if (i+round)%7 != 0 {
					u.Attrs = attrs(i, round%3)
				}
				table.Apply(&route.Batch{Peer: p, At: at, Updates: []route.Update{u}})
				if i%50 == 0 {
					table.Work()
				}
			}
			table.Apply(&route.Batch{Peer: p, At: at, Event: route.EndOfRIB})
			table.Work()
			if round%5 == 4 {
				table.Apply(&route.Batch{Peer: p, At: at, Event: route.PeerDown})
			}
		}
	}
	close(done)
	readers.Wait()
}

func checkNames(table *Table) error {
	return table.View(func(v *View) error {
		for d := range v.Within(route.IPv4Unicast, netip.Prefix{}, netip.Prefix{}) {
			for _, r := range v.Routes(nil, d, nil) {
				addr := d.Prefix.Addr().As4()
				want := uint32(addr[1])<<8 | uint32(addr[2])
				if c := r.Attrs.Communities(); c.Len() != 2 || uint32(c.At(0)) != want {
					return fmt.Errorf("%v has the attributes of %v", d.Prefix, c.At(0))
				}
			}
		}
		return nil
	})
}

func TestMemoryComesBack(t *testing.T) {
	table := New()
	table.columnMin = 1000
	for round := range 3 {
		for _, name := range []string{"a", "b"} {
			peer := &route.Peer{Name: name}
			table.Apply(&route.Batch{Peer: peer, Event: route.PeerUp, At: time.Unix(1, 0)})
			for i := range 20_000 {
				p := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i >> 8), byte(i), 0}), 24)
				table.Apply(&route.Batch{Peer: peer, At: time.Unix(2, 0), Updates: []route.Update{
					{Attrs: attrsOf(i + round), NLRI: []route.NLRI{{Prefix: p}}},
				}})
			}
			table.Work()
		}
		for _, name := range []string{"a", "b"} {
			table.Apply(&route.Batch{Peer: &route.Peer{Name: name}, Event: route.PeerRemoved})
		}
		settle(table)
		table.Measure()
		c := table.Counts()
		if c.Peers != 0 || c.AttributeSets != 0 || c.Prefixes[0] != 0 {
			t.Errorf("round %d: %+v is left of an empty table", round, c)
		}
		if c.Bytes > 6<<20 {
			t.Errorf("round %d: an empty table holds %d bytes", round, c.Bytes)
		}
	}
}

func TestDecide(t *testing.T) {
	rows := []struct {
		name, winner, step string
		a, b               func(*candidateAttrs)
	}{
		{"the higher LOCAL_PREF wins", "b", "local-pref", nil, func(c *candidateAttrs) { c.localPref = 200 }},
		{"no LOCAL_PREF counts as 100", "b", "local-pref", func(c *candidateAttrs) { c.localPref = 99 }, nil},
		{"the shorter AS_PATH wins", "a", "as-path-length", nil, func(c *candidateAttrs) { c.path = []route.ASN{1, 2, 3} }},
		{"the lower origin wins", "b", "origin", func(c *candidateAttrs) { c.origin = 2 }, nil},
		{"the lower MED of the same neighbour AS wins", "b", "med", func(c *candidateAttrs) { c.med = 5 }, nil},
		{
			"MEDs of different neighbour ASes are not compared", "a", "router-id",
			func(c *candidateAttrs) { c.med = 5 }, func(c *candidateAttrs) { c.path = []route.ASN{9, 2}; c.routerID = 9 },
		},
		{"eBGP wins over iBGP", "b", "ebgp-over-ibgp", func(c *candidateAttrs) { c.ibgp = true }, nil},
		{"eBGP wins over another member AS", "b", "ebgp-over-ibgp", func(c *candidateAttrs) { c.confederation = true }, nil},
		{"the lower router id wins", "b", "router-id", func(c *candidateAttrs) { c.routerID = 7 }, nil},
		{"the lower peer address is last resort", "a", "peer-address", nil, nil},
		{
			"long-lived stale loses to everything", "b", "long-lived-stale",
			func(c *candidateAttrs) { c.localPref = 500; c.longLived = true }, nil,
		},
		{"LLGR_STALE loses to everything", "b", "long-lived-stale", func(c *candidateAttrs) { c.localPref = 500; c.llgrStale = true }, nil},
		{"a stale route loses to a fresh one", "b", "stale", func(c *candidateAttrs) { c.localPref = 500; c.stale = true }, nil},
		{"but not while its peer restarts gracefully", "a", "local-pref", func(c *candidateAttrs) { c.localPref, c.stale, c.asFresh = 500, true, true }, nil},
		{
			"of two stale routes the better one wins", "a", "local-pref",
			func(c *candidateAttrs) { c.localPref, c.stale = 500, true }, func(c *candidateAttrs) { c.stale = true },
		},
		{
			"stale is better than long-lived stale", "a", "long-lived-stale",
			func(c *candidateAttrs) { c.stale = true }, func(c *candidateAttrs) { c.stale, c.longLived = true, true },
		},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			routes := []route.Route{makeCandidate("a", 1, row.a), makeCandidate("b", 2, row.b)}
			slices.SortFunc(routes, func(x, y route.Route) int { return -cmp.Compare(x.Peer.Name, y.Peer.Name) })
			Decide(routes)
			if routes[0].Peer.Name != row.winner || !routes[0].Best || routes[1].Best {
				t.Fatalf("best is %s (%v, %v), want %s", routes[0].Peer.Name, routes[0].Best, routes[1].Best, row.winner)
			}
			if routes[0].Decision != row.step || routes[1].Decision != row.step {
				t.Errorf("decided by %q and %q, want %q", routes[0].Decision, routes[1].Decision, row.step)
			}
		})
	}
}

type candidateAttrs struct {
	localPref, med uint32
	path           []route.ASN
	origin         byte
	ibgp           bool
	confederation  bool
	routerID       byte
	longLived      bool
	llgrStale      bool
	stale, asFresh bool
}

func makeCandidate(name string, address byte, change func(*candidateAttrs)) route.Route {
	c := candidateAttrs{path: []route.ASN{1, 2}, routerID: 1}
	if change != nil {
		change(&c)
	}
	attrs := route.Attrs(nil).AppendAttr(route.AttrOrigin, []byte{c.origin}).
		AppendAttr(route.AttrASPath, route.ASPath(nil).AppendSegment(route.ASSequence, c.path...))
	if c.med > 0 {
		attrs = attrs.AppendAttr(route.AttrMED, binary.BigEndian.AppendUint32(nil, c.med))
	}
	if c.localPref > 0 {
		attrs = attrs.AppendAttr(route.AttrLocalPref, binary.BigEndian.AppendUint32(nil, c.localPref))
	}
	if c.llgrStale {
		attrs = attrs.AppendAttr(route.AttrCommunities, binary.BigEndian.AppendUint32(nil, uint32(route.LLGRStale)))
	}
	peer := &route.Peer{
		Name: name, Address: netip.AddrFrom4([4]byte{192, 0, 2, address}),
		RouterID: netip.AddrFrom4([4]byte{0, 0, 0, c.routerID}), ASN: 1, LocalASN: 2,
	}
	peer.Confederation = c.confederation
	if c.ibgp {
		peer.LocalASN = 1
	}
	r := route.Route{Peer: peer, Attrs: attrs, LongLived: c.longLived, AsFresh: c.asFresh}
	if c.stale {
		r.StaleSince = time.Unix(1000, 0)
	}
	return r
}

// TestSessionThatReplacesOneConfirmsNothing: a session may come up while the one
// before it is not known to have ended, in the middle of a route refresh.
func TestSessionThatReplacesOneConfirmsNothing(t *testing.T) {
	table, w := New(), newTwin()
	peer := &route.Peer{Name: "a"}
	routes := func(i byte) []route.Update {
		p := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, i}), 16)
		return []route.Update{{Attrs: attrsOf(1), NLRI: []route.NLRI{{Prefix: p}}}}
	}
	for i, b := range []*route.Batch{
		{Event: route.PeerUp},
		{Updates: routes(1)},
		{Updates: routes(2)},
		{Event: route.RefreshBegin},
		{Updates: routes(2)},
		{Event: route.PeerUp},
		{Updates: routes(3)},
		{Event: route.EndOfRIB},
	} {
		b.Peer, b.At = peer, time.Unix(1000+int64(i), 0)
		for f := range b.Retention {
			b.Retention[f].Stale = time.Hour
		}
		table.Apply(b)
		w.apply(b)
		settle(table)
		compare(t, table, w)
	}
}
