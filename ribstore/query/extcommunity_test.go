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

// TestCommunitiesReadBack asks for communities as they are printed: each finds itself and
// no other.
func TestCommunitiesReadBack(t *testing.T) {
	communities := [][]byte{
		{0, 2, 0xfb, 0xf4, 0, 0, 0, 1},
		{0x40, 2, 0xfb, 0xf4, 0, 0, 0, 1},
		{1, 3, 192, 0, 2, 1, 0, 100},
		{0x41, 3, 192, 0, 2, 1, 0, 100},
		{2, 2, 0xfa, 0x56, 0xea, 0, 0, 100},
		{0x42, 2, 0xfa, 0x56, 0xea, 0, 0, 100},
		{0x40, 4, 0xfb, 0xf4, 0x47, 0xf4, 0x24, 0},
		{0x43, 0, 0, 0, 0, 0, 0, 2},
		{3, 0x0c, 0, 0, 0, 0, 0, 8},
		{0x80, 6, 0, 0, 0x3f, 0, 0, 0},
	}
	for i, want := range communities {
		text := route.ExtCommunity(want).String()
		q, err := Parse("ext-community " + text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		for j, c := range communities {
			set := route.Attrs(nil).AppendAttr(route.AttrExtCommunities, c)
			if got := q.Expr.(ExtCommunity).in(set); got != (i == j) {
				t.Errorf("%s finds %s: %v", q, route.ExtCommunity(c), got)
			}
		}
	}
}
