package table

import (
	"cmp"
	"encoding/binary"
	"net/netip"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"ribglass/ribstore/route"
)

func TestDecide(t *testing.T) {
	rows := []struct {
		name, winner, step string
		a, b               func(*candidateAttrs)
	}{
		{"the higher LOCAL_PREF wins", "b", "local-pref", nil, func(c *candidateAttrs) { c.localPref = 200 }},
		{"no LOCAL_PREF counts as 100", "b", "local-pref", func(c *candidateAttrs) { c.localPref = 99 }, nil},
		{"the shorter AS_PATH wins", "a", "as-path-length", nil, func(c *candidateAttrs) { c.path = []route.ASN{1, 2, 3} }},
		{"the lower origin wins", "b", "origin", func(c *candidateAttrs) { c.origin = 2 }, nil},
		{"the lower MED of the same neighbour AS wins", "b", "med", func(c *candidateAttrs) { c.med = 5 }, nil},
		{
			"MEDs of different neighbour ASes are not compared", "a", "router-id",
			func(c *candidateAttrs) { c.med = 5 }, func(c *candidateAttrs) { c.path = []route.ASN{9, 2}; c.routerID = 9 },
		},
		{"eBGP wins over iBGP", "b", "ebgp-over-ibgp", func(c *candidateAttrs) { c.ibgp = true }, nil},
		{"eBGP wins over another member AS", "b", "ebgp-over-ibgp", func(c *candidateAttrs) { c.confederation = true }, nil},
		{"the lower router id wins", "b", "router-id", func(c *candidateAttrs) { c.routerID = 7 }, nil},
		{"ORIGINATOR_ID stands for the router id (RFC 4456 section 9)", "b", "router-id", func(c *candidateAttrs) { c.originator = 9 }, func(c *candidateAttrs) { c.routerID = 5 }},
		{"also where it is the lower one", "b", "router-id", nil, func(c *candidateAttrs) { c.routerID, c.originator = 9, 0; c.originated = true }},
		{"the shorter CLUSTER_LIST wins", "b", "cluster-list-length", func(c *candidateAttrs) { c.originator, c.clusters = 1, 2 }, func(c *candidateAttrs) { c.originator, c.clusters = 1, 1 }},
		{"no CLUSTER_LIST is the shortest", "b", "cluster-list-length", func(c *candidateAttrs) { c.clusters = 1 }, nil},
		{"the lower peer address is last resort", "a", "peer-address", nil, nil},
		{
			"long-lived stale loses to everything", "b", "long-lived-stale",
			func(c *candidateAttrs) { c.localPref = 500; c.longLived = true }, nil,
		},
		{"LLGR_STALE loses to everything", "b", "long-lived-stale", func(c *candidateAttrs) { c.localPref = 500; c.llgrStale = true }, nil},
		{"a stale route loses to a fresh one", "b", "stale", func(c *candidateAttrs) { c.localPref = 500; c.stale = true }, nil},
		{"but not while its peer restarts gracefully", "a", "local-pref", func(c *candidateAttrs) { c.localPref, c.stale, c.asFresh = 500, true, true }, nil},
		{
			"of two stale routes the better one wins", "a", "local-pref",
			func(c *candidateAttrs) { c.localPref, c.stale = 500, true }, func(c *candidateAttrs) { c.stale = true },
		},
		{
			"stale is better than long-lived stale", "a", "long-lived-stale",
			func(c *candidateAttrs) { c.stale = true }, func(c *candidateAttrs) { c.stale, c.longLived = true, true },
		},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			routes := []route.Route{makeCandidate("a", 1, row.a), makeCandidate("b", 2, row.b)}
			slices.SortFunc(routes, func(x, y route.Route) int { return -cmp.Compare(x.Peer.Name, y.Peer.Name) })
			Decide(routes)
			if routes[0].Peer.Name != row.winner || !routes[0].Best || routes[1].Best {
				t.Fatalf("best is %s (%v, %v), want %s", routes[0].Peer.Name, routes[0].Best, routes[1].Best, row.winner)
			}
			if routes[0].Decision != row.step || routes[1].Decision != row.step {
				t.Errorf("decided by %q and %q, want %q", routes[0].Decision, routes[1].Decision, row.step)
			}
		})
	}
}

type candidateAttrs struct {
	localPref, med uint32
	path           []route.ASN
	origin         byte
	ibgp           bool
	confederation  bool
	routerID       byte
	longLived      bool
	llgrStale      bool
	stale, asFresh bool
	originator     byte // 0: none, unless originated
	originated     bool
	clusters       int
}

func makeCandidate(name string, address byte, change func(*candidateAttrs)) route.Route {
	c := candidateAttrs{path: []route.ASN{1, 2}, routerID: 1}
	if change != nil {
		change(&c)
	}
	attrs := route.Attrs(nil).AppendAttr(route.AttrOrigin, []byte{c.origin}).
		AppendAttr(route.AttrASPath, route.ASPath(nil).AppendSegment(route.ASSequence, c.path...))
	if c.med > 0 {
		attrs = attrs.AppendAttr(route.AttrMED, binary.BigEndian.AppendUint32(nil, c.med))
	}
	if c.localPref > 0 {
		attrs = attrs.AppendAttr(route.AttrLocalPref, binary.BigEndian.AppendUint32(nil, c.localPref))
	}
	if c.llgrStale {
		attrs = attrs.AppendAttr(route.AttrCommunities, binary.BigEndian.AppendUint32(nil, uint32(route.LLGRStale)))
	}
	if c.originator > 0 || c.originated {
		attrs = attrs.AppendAttr(route.AttrOriginatorID, []byte{0, 0, 0, c.originator})
	}
	if c.clusters > 0 {
		attrs = attrs.AppendAttr(route.AttrClusterList, make([]byte, 4*c.clusters))
	}
	peer := &route.Peer{
		Name: name, Address: netip.AddrFrom4([4]byte{192, 0, 2, address}),
		RouterID: netip.AddrFrom4([4]byte{0, 0, 0, c.routerID}), ASN: 1, LocalASN: 2,
	}
	peer.Confederation = c.confederation
	if c.ibgp {
		peer.LocalASN = 1
	}
	r := route.Route{Peer: peer, Attrs: attrs, LongLived: c.longLived, AsFresh: c.asFresh}
	if c.stale {
		r.StaleSince = time.Unix(1000, 0)
	}
	return r
}

// TestEachStepComesBeforeTheNext has one route be better at a step, and another at every
// step after it.
func TestEachStepComesBeforeTheNext(t *testing.T) {
	worse := []struct {
		step   string
		change func(*candidateAttrs)
	}{
		{"long-lived-stale", func(c *candidateAttrs) { c.longLived = true }},
		{"stale", func(c *candidateAttrs) { c.stale = true }},
		{"local-pref", func(c *candidateAttrs) { c.localPref = 99 }},
		{"as-path-length", func(c *candidateAttrs) { c.path = []route.ASN{1, 2, 3} }},
		{"origin", func(c *candidateAttrs) { c.origin = 1 }},
		{"med", func(c *candidateAttrs) { c.med = 1 }},
		{"ebgp-over-ibgp", func(c *candidateAttrs) { c.ibgp = true }},
		{"router-id", func(c *candidateAttrs) { c.routerID = 2 }},
		{"cluster-list-length", func(c *candidateAttrs) { c.clusters = 1 }},
		{"peer-address", nil}, // b has the higher one
	}
	for i, at := range worse[:len(worse)-1] {
		t.Run(at.step, func(t *testing.T) {
			routes := []route.Route{
				makeCandidate("b", 2, at.change),
				makeCandidate("a", 1, func(c *candidateAttrs) {
					for _, later := range worse[i+1 : len(worse)-1] {
						later.change(c)
					}
				}),
			}
			Decide(routes)
			if routes[0].Peer.Name != "a" || routes[0].Decision != at.step || routes[1].Decision != at.step {
				t.Errorf("best is %s by %q, want a by %q", routes[0].Peer.Name, routes[0].Decision, at.step)
			}
		})
	}
	if diff := gocmp.Diff(Decisions()[1:], stepNames(worse)); diff != "" {
		t.Errorf("steps (-decide.go +test): %s", diff)
	}
}

func stepNames[S ~[]struct {
	step   string
	change func(*candidateAttrs)
}](list S) (names []string) {
	for _, one := range list {
		names = append(names, one.step)
	}
	return names
}
