package table

import (
	"encoding/binary"
	"fmt"
	"net/netip"
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
