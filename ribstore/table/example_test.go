package table_test

import (
	"fmt"
	"net/netip"
	"time"

	"ribglass/ribstore/route"
	"ribglass/ribstore/table"
)

// One goroutine writes; any number read, and wait for nobody.
func ExampleTable() {
	t := table.New()
	edge1 := &route.Peer{Name: "edge1", ASN: 64501}
	now := time.Date(2026, 12, 1, 12, 0, 0, 0, time.UTC)
	t.Apply(&route.Batch{Peer: edge1, At: now, Event: route.PeerUp})
	t.Apply(&route.Batch{Peer: edge1, At: now, Updates: []route.Update{{
		Family: route.IPv4Unicast,
		Attrs:  route.Attrs(nil).AppendAttr(route.AttrOrigin, []byte{0}),
		NLRI:   []route.NLRI{{Prefix: netip.MustParsePrefix("192.0.2.0/24")}, {Prefix: netip.MustParsePrefix("192.0.2.128/25")}},
	}}})
	_ = t.View(func(v *table.View) error {
		d, found := v.Longest(route.IPv4Unicast, netip.MustParseAddr("192.0.2.1"))
		fmt.Println(found)
		for _, r := range v.Routes(nil, d, nil) {
			fmt.Println(r.Prefix, r.Peer.Name, r.StaleSince.IsZero())
		}
		return nil // an error of the function is an error of View
	})
	t.Apply(&route.Batch{Peer: edge1, At: now.Add(time.Minute), Event: route.PeerDown})
	fmt.Println(t.Counts().Routes[route.IPv4Unicast])
	// Output:
	// true
	// 192.0.2.0/24 edge1 true
	// 0
}
