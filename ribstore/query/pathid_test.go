package query

import (
	"context"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ribglass/ribstore/route"
	"ribglass/ribstore/table"
)

func TestPathIDIsOfSessionsWithAddPathOnly(t *testing.T) {
	tab := table.New()
	prefix := netip.MustParsePrefix("192.0.2.0/24")
	attrs := route.Attrs(nil).AppendAttr(route.AttrOrigin, []byte{0}).AppendAttr(route.AttrNextHop, []byte{192, 0, 2, 1})
	for _, p := range []struct {
		name string
		ids  []uint32
	}{{"rs1", []uint32{1, 2, 7}}, {"edge1", []uint32{0}}} {
		peer := &route.Peer{Name: p.name, Address: netip.MustParseAddr("192.0.2.1")}
		peer.AddPath[route.IPv4Unicast] = len(p.ids) > 1
		for _, id := range p.ids {
			tab.Apply(&route.Batch{Peer: peer, At: documentedAt, Updates: []route.Update{
				{Family: route.IPv4Unicast, Attrs: attrs, NLRI: []route.NLRI{{Prefix: prefix, PathID: id}}},
			}})
		}
	}
	for text, want := range map[string][]uint32{
		"path-id 7":                         {7},
		"path-id < 7":                       {1, 2},
		"192.0.2.0/24 peer rs1 path-id 2":   {2},
		"192.0.2.0/24 peer edge1 path-id 0": nil,
		"not path-id >= 0":                  {0},
	} {
		q, err := Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		var got []uint32
		r, err := Run(context.Background(), Known{Table: tab, At: documentedAt}, q, Page{})
		if err != nil {
			t.Fatal(err)
		}
		for i := range r.Routes {
			got = append(got, r.Routes[i].PathID)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
}
