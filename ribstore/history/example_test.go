package history_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"ribglass/ribstore/history"
	"ribglass/ribstore/route"
)

// What is recorded comes back as the table at any moment.
func ExampleHistory_At() {
	dir, err := os.MkdirTemp("", "ribglass-example-")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	noon := time.Date(2026, 12, 1, 12, 0, 0, 0, time.UTC)
	h, err := history.Open(filepath.Join(dir, "history.db"), history.DefaultConfig(), history.Deps{
		Logger: slog.New(slog.DiscardHandler), Now: func() time.Time { return noon },
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer h.Close()
	h.Begin(noon, false)
	edge1 := &route.Peer{Name: "edge1", ASN: 64501}
	announced := []route.Update{{
		Family: route.IPv4Unicast,
		Attrs:  route.Attrs(nil).AppendAttr(route.AttrOrigin, []byte{0}),
		NLRI:   []route.NLRI{{Prefix: netip.MustParsePrefix("192.0.2.0/24")}},
	}}
	h.RecordAt(&route.Batch{Peer: edge1, Event: route.PeerUp}, noon.Add(time.Minute))
	h.RecordAt(&route.Batch{Peer: edge1, Updates: announced}, noon.Add(2*time.Minute))
	if err := h.Flush(); err != nil {
		fmt.Println(err)
		return
	}
	for _, after := range []time.Duration{time.Minute, 2 * time.Minute} {
		past, err := h.At(context.Background(), noon.Add(after), netip.Prefix{})
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(past.At.Format(time.TimeOnly), past.Table.Counts().Routes[route.IPv4Unicast])
	}
	// Output:
	// 12:01:00 0
	// 12:02:00 1
}
