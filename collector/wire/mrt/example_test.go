package mrt_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"time"

	"ribglass/collector/wire/mrt"
	"ribglass/ribstore/route"
)

// What Writer writes, a Source reads as what a collector would have heard.
func ExampleSource() {
	var file bytes.Buffer
	at := time.Date(2026, 12, 1, 12, 0, 0, 0, time.UTC)
	session := mrt.Session{
		PeerASN: 64501, PeerAddress: netip.MustParseAddr("192.0.2.1"),
		LocalASN: 64500, LocalAddress: netip.MustParseAddr("192.0.2.10"),
	}
	err := mrt.NewWriter(&file).Update(at, session, route.Update{
		Family: route.IPv4Unicast,
		Attrs: route.Attrs(nil).
			AppendAttr(route.AttrOrigin, []byte{0}).
			AppendAttr(route.AttrASPath, []byte{2, 1, 0, 0, 0xfb, 0xf5}).
			AppendAttr(route.AttrNextHop, []byte{192, 0, 2, 1}),
		NLRI: []route.NLRI{{Prefix: netip.MustParsePrefix("198.51.100.0/24")}},
	}, false)
	if err != nil {
		fmt.Println(err)
		return
	}
	source, err := mrt.NewSource(&file, mrt.SourceOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer source.Close()
	for {
		b, err := source.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(b.At.UTC().Format(time.TimeOnly), b.Peer.Name, b.Event == route.PeerUp, len(b.Updates))
	}
	// Output:
	// 12:00:00 AS64501-192.0.2.1 true 0
	// 12:00:00 AS64501-192.0.2.1 false 1
}
