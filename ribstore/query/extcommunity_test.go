package query

import (
	"testing"

	"ribglass/ribstore/route"
)

func TestCommunitiesAsRoutersWriteThem(t *testing.T) {
	for text, want := range map[string]string{
		"(65535,666)": "community blackhole", "(200000,101,0)": "large-community 200000:101:0", "community 64500,1": "community 64500:1",
		"target:64500:1": "ext-community rt:64500:1", "origin:64500:1": "ext-community ro:64500:1", "large:200000:101:0": "large-community 200000:101:0",
		"generic:0x43000000:0x2": "ext-community generic:4300000000000002",
	} {
		q, err := Parse(text)
		if err != nil || q.String() != want {
			t.Errorf("Parse(%q) = %q, %v, want %q", text, q, err, want)
		}
	}
}

func TestActionsOfFlowSpecificationsAreFoundByNameAndByOctets(t *testing.T) {
	set := route.Attrs(nil).AppendAttr(route.AttrExtCommunities, []byte{0x80, 0x08, 0xfb, 0xf4, 0, 0, 0, 100})
	for text, want := range map[string]bool{
		"ext-community redirect:64500:100": true, "redirect:64500:*": true, "ext-community generic:8008fbf400000064": true,
		"ext-community redirect:64500:101": false, "ext-community traffic-rate:64500:100": false, "generic:8008fbf400000065": false,
	} {
		q, err := Parse(text)
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		e, ok := q.Expr.(ExtCommunity)
		if !ok || e.in(set) != want {
			t.Errorf("%q: %T meets it: %v, want %v", text, q.Expr, ok && e.in(set), want)
		}
		if again, err := Parse(q.String()); err != nil || again.Expr != q.Expr {
			t.Errorf("%q is printed as %q: %v", text, q, err)
		}
	}
}
