package mrt

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ribglass/ribstore/route"
)

// heardFrom reads a file and returns the routes that it announces, a line each, and
// the report.
func heardFrom(t *testing.T, name string) (routes []string, r Report) {
	t.Helper()
	f, err := os.Open("testdata/reports/" + name + ".mrt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	s, err := NewSource(f, SourceOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for {
		b, err := s.Next()
		if errors.Is(err, io.EOF) {
			return routes, s.Report()
		}
		if err != nil {
			t.Fatal(err)
		}
		for i := range b.Updates {
			for _, n := range b.Updates[i].NLRI {
				if !b.Updates[i].Withdraw() {
					routes = append(routes, fmt.Sprintf("%v %d %s %s", n.Prefix, n.PathID, b.Peer.Name, b.Updates[i].Attrs.NextHop()))
				}
			}
		}
		b.Release()
	}
}

// TestFilesThatOtherProgramsWroteWrongly reads files made after reports of such
// files, see testdata/README.md.
func TestFilesThatOtherProgramsWroteWrongly(t *testing.T) {
	tests := []struct {
		name     string
		routes   int
		route    string
		pathIDs  int
		longer   int
		skipped  map[Skipped]int
		mentions string
	}{
		{name: "mrt-addpath-in-plain-message", routes: 10, route: "203.0.4.0/24 4 AS64501-192.0.2.1 192.0.2.1", pathIDs: 5},
		{name: "mrt-addpath-in-plain-message-id0", routes: 10, route: "203.0.4.0/24 0 AS64501-192.0.2.1 192.0.2.1", pathIDs: 5},
		{
			name: "mrt-orphan-bytes", routes: 40, route: "198.51.39.0/24 0 AS64501-192.0.2.1 192.0.2.1", skipped: map[Skipped]int{SkippedOrphans: 1},
			mentions: "record 21 at offset 1660 (0/0): 14 octets that belong to no record",
		},
		{
			name: "mrt-rib-peer-index-out", routes: 1, route: "198.51.100.0/24 0 AS64502-192.0.2.2 192.0.2.1", skipped: map[Skipped]int{SkippedSeat: 1},
			mentions: "record 2 at offset 71: 198.51.100.0/24: a peer index beyond the 3 peers",
		},
		{name: "mrt-tabledump-length-4-short", routes: 20, route: "198.51.19.0/24 0 AS64501-192.0.2.1 192.0.2.1", longer: 20},
		{name: "mrt-unknown-types", routes: 1, skipped: map[Skipped]int{SkippedType: 3}, mentions: "record 2 at offset 32: 48/0 is not read"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			routes, r := heardFrom(t, tt.name)
			if all := strings.Join(routes, "\n"); len(routes) != tt.routes || !strings.Contains(all, tt.route) {
				t.Errorf("%d routes, want %d with %q:\n%s", len(routes), tt.routes, tt.route, all)
			}
			if r.PathIDs != tt.pathIDs || r.Lengthened != tt.longer || fmt.Sprint(r.Skipped) != fmt.Sprint(tt.skipped) {
				t.Errorf("%d with path identifiers, %d longer, skipped %v, want %d, %d, %v", r.PathIDs, r.Lengthened, r.Skipped, tt.pathIDs, tt.longer, tt.skipped)
			}
			if errs := errors.Join(r.Errors...); tt.mentions != "" && !strings.Contains(fmt.Sprint(errs), tt.mentions) {
				t.Errorf("the errors do not mention %q: %v", tt.mentions, errs)
			}
		})
	}
}

func TestMalformedUpdatesOfAFileAreFound(t *testing.T) {
	_, r := heardFrom(t, "mrt-as4path-in-as2-message")
	if r.TreatedAsWithdraw != 1 || r.Malformed["treat-as-withdraw AS_PATH"] != 1 || len(r.MalformedFirst) != 1 {
		t.Fatalf("report %+v", r)
	}
	m := &r.MalformedFirst[0]
	if want := "record 1 at offset 0: AS64501-192.0.2.1: treat-as-withdraw: attribute 2 (AS_PATH): AS 0; prefixes 198.51.100.0/24"; m.String() != want {
		t.Errorf("String() = %q, want %q", m, want)
	}
	if m.Kind != route.TreatedAsWithdraw || m.Total != 1 || m.RFC != "RFC 7606 section 7.2" {
		t.Errorf("kept %+v", m)
	}
}

// TestANextHopThatIsNoneIsKept reads tables and messages with the next hops :: and
// 0.0.0.0, which archives have and no router announces.
func TestANextHopThatIsNoneIsKept(t *testing.T) {
	at, hop := moment(), make([]byte, 16)
	attrs := func(hop []byte) route.Attrs {
		return route.Attrs(nil).AppendAttr(route.AttrOrigin, []byte{0}).
			AppendAttr(route.AttrASPath, route.ASPath(nil).AppendSegment(route.ASSequence, 64500)).AppendAttr(route.AttrNextHop, hop)
	}
	p := netip.MustParsePrefix("2001:db8::/32")
	stream := written(t, func(w *Writer) error {
		return errors.Join(
			w.PeerIndex(netip.Addr{}, "", indexOf("192.0.2.1"), at),
			w.RIB(&Row{Time: at, Family: route.IPv6Unicast, Prefix: p, Routes: []Route{{Originated: at, Attrs: attrs(hop)}}}),
			w.Update(at, session(64500, "192.0.2.9"), route.Update{Family: route.IPv6Unicast, Attrs: attrs(hop), NLRI: []route.NLRI{{Prefix: p}}}, false),
			w.Update(at, session(64500, "192.0.2.9"), route.Update{Attrs: attrs(hop[:4]), NLRI: []route.NLRI{{Prefix: netip.MustParsePrefix("10.0.0.0/8")}}}, false),
		)
	})
	s, err := NewSource(bytes.NewReader(stream), SourceOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var hops []string
	for b, err := s.Next(); err == nil; b, err = s.Next() {
		for i := range b.Updates {
			hops = append(hops, b.Updates[i].Attrs.NextHop().String())
		}
	}
	if diff := cmp.Diff([]string{"::", "::", "0.0.0.0"}, hops); diff != "" {
		t.Errorf("next hops (-want +got):\n%s", diff)
	}
	if r := s.Report(); r.UnspecifiedNextHops != 3 || r.TreatedAsWithdraw != 0 || len(r.Skipped) > 0 {
		t.Errorf("report %+v, want 3 unspecified next hops and nothing else", r)
	}
}
