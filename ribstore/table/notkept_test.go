package table

import (
	"net/netip"
	"testing"

	"ribglass/ribstore/route"
)

func TestRoutesThatAreNotKeptAreCountedForTheirPeer(t *testing.T) {
	const most, more = 4096, 5
	table := New()
	all := [route.NumFamilies]bool{true, true, true, true}
	greedy, honest := &route.Peer{Name: "greedy", AddPath: all}, &route.Peer{Name: "honest", AddPath: all}
	set := route.Attrs(nil).AppendAttr(route.AttrOrigin, []byte{0})
	u := route.Update{Attrs: set}
	for i := range most + more {
		u.NLRI = append(u.NLRI, route.NLRI{Prefix: netip.MustParsePrefix("192.0.2.0/24"), PathID: uint32(i)})
	}
	table.Apply(&route.Batch{Peer: honest, Updates: []route.Update{{Attrs: set, NLRI: []route.NLRI{{Prefix: netip.MustParsePrefix("198.51.100.0/24")}}}}})
	table.Apply(&route.Batch{Peer: greedy, Updates: []route.Update{u}})
	if n := table.NotKept("greedy"); n != more || table.Refused() != more {
		t.Errorf("%d routes of the peer, %d in all, want %d", n, table.Refused(), more)
	}
	if n := table.NotKept("honest") + table.NotKept("nobody"); n != 0 {
		t.Errorf("%d routes of others, want none", n)
	}
}
