package ui

import (
	"encoding/binary"
	"io"
	"net/netip"
	"testing"
	"time"

	"ribglass/ribstore/route"
)

// BenchmarkPageOfRoutes writes the largest page there is: a thousand routes, two a
// prefix.
func BenchmarkPageOfRoutes(b *testing.B) {
	r, err := New(nil, nil)
	if err != nil {
		b.Fatal(err)
	}
	now := time.Date(2026, 11, 22, 3, 12, 0, 0, time.UTC)
	page := &Lookup{Frame: Frame{Now: now}, Total: 1_000_000, Shown: 1000, Columns: Columns(DefaultColumns())}
	peer := &route.Peer{Name: "edge1", ASN: 3356, Address: netip.MustParseAddr("192.0.2.1")}
	for i := range 500 {
		prefix := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i >> 8), byte(i), 0}), 24)
		g := Group{Prefix: prefix, Family: route.IPv4Unicast, URL: "/" + prefix.String()}
		for j := range 2 {
			path := route.ASPath(nil).AppendSegment(route.ASSequence, 3356, route.ASN(1299+j), 174, route.ASN(64500+i))
			attrs := route.Attrs(nil).AppendAttr(route.AttrOrigin, []byte{0}).AppendAttr(route.AttrASPath, path).
				AppendAttr(route.AttrNextHop, []byte{192, 0, 2, byte(j)}).
				AppendAttr(route.AttrCommunities, binary.BigEndian.AppendUint64(nil, uint64(3356<<16+i)<<32|uint64(3356<<16+j)))
			g.Routes = append(g.Routes, Route{
				Route:   route.Route{Prefix: prefix, Peer: peer, Attrs: attrs, ReceivedAt: now.Add(-time.Hour), Best: j == 0, Decision: "as-path-length"},
				PeerURL: "/peers/edge1", Query: prefix.String() + " peer edge1",
			})
		}
		page.Groups = append(page.Groups, g)
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := r.HTML(io.Discard, page); err != nil {
			b.Fatal(err)
		}
	}
}
