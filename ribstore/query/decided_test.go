package query

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ribglass/ribstore/route"
	"ribglass/ribstore/table"
)

// TestWhatIsDecidedAmongAllRoutes asks for what needs all routes of a prefix, together
// with conditions that leave few of them: in a small table, which is walked, and among
// routes of a peer that meets none of them, so many that the table is scanned.
func TestWhatIsDecidedAmongAllRoutes(t *testing.T) {
	for _, others := range []int{0, 100_000} {
		t.Run(fmt.Sprint(others, " others"), func(t *testing.T) { askDecided(t, others) })
	}
}

func askDecided(t *testing.T, others int) {
	t.Helper()
	tab := table.New()
	at := time.Unix(1_000_000, 0)
	announce := func(peer, prefix string, after time.Duration, asns ...route.ASN) {
		p := netip.MustParsePrefix(prefix)
		a := route.Attrs(nil).AppendAttr(route.AttrOrigin, []byte{0}).AppendAttr(route.AttrASPath, route.ASPath(nil).AppendSegment(route.ASSequence, asns...))
		tab.Apply(&route.Batch{Peer: &route.Peer{Name: peer}, At: at.Add(after), Updates: []route.Update{{Attrs: a, NLRI: []route.NLRI{{Prefix: p}}}}})
	}
	announce("a", "10.0.0.0/16", 0, 1, 2, 9)
	announce("b", "10.0.0.0/16", time.Minute, 3, 9)
	announce("a", "10.1.0.0/16", 0, 4)
	announce("b", "10.1.0.0/16", time.Minute, 1, 2, 5)
	announce("b", "10.2.0.0/16", time.Minute, 1, 6)
	for i := range others {
		announce("z", netip.PrefixFrom(netip.AddrFrom4([4]byte{100, byte(i >> 12), byte(i >> 4), byte(i << 4)}), 28).String(), 0, 70, 71)
	}
	for text, want := range map[string][]string{
		"best":             {"10.0.0.0/16 b", "10.1.0.0/16 a", "10.2.0.0/16 b"},
		"best peer a":      {"10.1.0.0/16 a"},
		"best peer b":      {"10.0.0.0/16 b", "10.2.0.0/16 b"},
		"best via 1":       {"10.2.0.0/16 b"},
		"best since 90s":   {"10.0.0.0/16 b", "10.2.0.0/16 b"},
		"not best via 2":   {"10.0.0.0/16 a", "10.1.0.0/16 b"},
		"moas":             {"10.1.0.0/16 a", "10.1.0.0/16 b"},
		"moas origin 5":    {"10.1.0.0/16 b"},
		"moas peer a":      {"10.1.0.0/16 a"},
		"moas and best":    {"10.1.0.0/16 a"},
		"best origin 9":    {"10.0.0.0/16 b"},
		"best not peer b":  {"10.1.0.0/16 a"},
		"best origin 1234": nil,
	} {
		if others > 0 && (text == "best" || text == "best not peer b") {
			continue // all others meet it
		}
		q, err := Parse(text)
		if err != nil {
			t.Fatalf("Parse(%q): %v", text, err)
		}
		res, err := Run(context.Background(), Known{Table: tab, At: at.Add(2 * time.Minute)}, q, Page{Limit: 100})
		if err != nil {
			t.Fatalf("Run(%q): %v", text, err)
		}
		var got []string
		for _, r := range res.Routes {
			got = append(got, fmt.Sprint(r.Prefix, " ", r.Peer.Name))
		}
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" || res.Total != len(want) {
			t.Errorf("%q: total %d (-want +got): %s", text, res.Total, diff)
		}
	}
}

// TestAnAndNeedsAnother: after a written "and" something must follow.
func TestAnAndNeedsAnother(t *testing.T) {
	for _, text := range []string{"via 1 and", "via 1 &&", "(via 1 and) via 2", "via 1 and or via 2", "(via 1 &)"} {
		if q, err := Parse(text); err == nil {
			t.Errorf("Parse(%q) = %v, want an error", text, q)
		}
	}
	for _, text := range []string{"via 1", "via 1 and via 2", "via 1 via 2", "(via 1) (via 2)"} {
		if _, err := Parse(text); err != nil {
			t.Errorf("Parse(%q): %v", text, err)
		}
	}
}
