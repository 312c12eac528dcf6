package query

import (
	"net/netip"
	"testing"

	"ribglass/ribstore/query/querytest"
	"ribglass/ribstore/route"
	"ribglass/ribstore/table"
)

// A plan may not tell that there are peers of other views when none of them may be
// seen: that is how one who may not see them would learn of a router under watch.
func TestPlanDoesNotTellOfViewsOfHiddenPeers(t *testing.T) {
	tab := table.New()
	for _, p := range []*route.Peer{{Name: "a"}, {Name: "b", Router: "r", View: route.PostPolicy}} {
		tab.Apply(&route.Batch{Peer: p, At: querytest.Now(), Event: route.PeerUp})
		tab.Apply(&route.Batch{Peer: p, At: querytest.Now(), Updates: []route.Update{
			{Attrs: route.Attrs(nil).AppendAttr(route.AttrOrigin, []byte{0}), NLRI: []route.NLRI{{Prefix: netip.MustParsePrefix("10.0.0.0/8")}}},
		}})
	}
	for hidden, want := range map[string]string{"": "the first of each router", "a": "the first of each router", "b": ""} {
		k := Known{Table: tab, At: querytest.Now(), Sees: func(p *route.Peer) bool { return p.Name != hidden }}
		if got := Explain(k, Query{}).View; got != want {
			t.Errorf("without %q the plan tells of views %q, want %q", hidden, got, want)
		}
	}
}
