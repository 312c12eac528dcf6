package wire_test

import (
	"fmt"
	"net/netip"

	"ribglass/collector/wire"
	"ribglass/ribstore/route"
)

// An UPDATE is decoded into a Builder, whose memory is the batch's.
func ExampleDecoder() {
	session := wire.Session{FourOctetAS: true, Families: [route.NumFamilies]bool{route.IPv4Unicast: true}, MaxReceive: wire.MaxLen}
	sent := wire.AppendUpdate(nil, session, route.Update{
		Family: route.IPv4Unicast,
		Attrs: route.Attrs(nil).
			AppendAttr(route.AttrOrigin, []byte{0}).
			AppendAttr(route.AttrASPath, []byte{2, 2, 0, 0, 0xfb, 0xf5, 0, 0, 0xfb, 0xf6}).
			AppendAttr(route.AttrNextHop, []byte{192, 0, 2, 1}),
		NLRI: []route.NLRI{{Prefix: netip.MustParsePrefix("198.51.100.0/24")}},
	}, wire.MaxLen)
	var b wire.Builder
	if _, err := wire.NewDecoder(session).Update(sent[wire.HeaderLen:], &b); err != nil {
		fmt.Println(err)
		return
	}
	for _, u := range b.Updates() {
		fmt.Println(u.Family, u.NLRI[0].Prefix, u.Attrs.ASPath())
	}
	// Output: ipv4-unicast 198.51.100.0/24 64501 64502
}
