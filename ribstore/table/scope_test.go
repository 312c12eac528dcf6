package table

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"ribglass/ribstore/route"
)

// genViewPeer draws a peer of one of three routers in one of the views.
func genViewPeer(t *rapid.T, n int) *route.Peer {
	return &route.Peer{
		Name: fmt.Sprint("p", n), Router: rapid.SampledFrom([]string{"", "r1", "r2", "p0"}).Draw(t, "router"),
		View:    rapid.SampledFrom(append(route.Views(), route.AdjRIBIn)).Draw(t, "view"),
		Address: netip.AddrFrom4([4]byte{192, 0, 2, byte(n)}), ASN: route.ASN(64500 + n%2), LocalASN: 64500,
	}
}

// TestDecideEqualsADecisionOfEachGroup draws routes of peers in several views and
// routers, and decides each group by itself.
func TestDecideEqualsADecisionOfEachGroup(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		groups := map[string][]route.Route{}
		var all []route.Route
		var names []string
		for n := range rapid.IntRange(0, 12).Draw(t, "peers") {
			r := makeCandidate(fmt.Sprint("p", n), byte(n), func(a *candidateAttrs) {
				a.localPref = rapid.SampledFrom([]uint32{100, 200}).Draw(t, "local-pref")
			})
			r.Peer = genViewPeer(t, n)
			group := ""
			if r.Peer.View != route.AdjRIBIn {
				group = fmt.Sprint(uint8(r.Peer.View), " ", cmp.Or(r.Peer.Router, r.Peer.Name))
			}
			if groups[group] == nil {
				names = append(names, group)
			}
			groups[group] = append(groups[group], r)
			all = append(all, r)
		}
		var want []route.Route
		slices.Sort(names) // those of the collector's own sessions have no name
		for _, name := range names {
			decideGroup(groups[name])
			want = append(want, groups[name]...)
		}
		Decide(all)
		text := func(routes []route.Route) (list []string) {
			for i := range routes {
				list = append(list, fmt.Sprint(routes[i].Peer.Name, " ", routes[i].Best, " ", routes[i].Decision))
			}
			return list
		}
		if diff := gocmp.Diff(text(want), text(all)); diff != "" {
			t.Fatalf("(-each group +all) %s", diff)
		}
	})
}

// TestFirstViewsEqualsSearchInOrder lets peers come, go and change their view,
// and compares the choice with a search for each router.
func TestFirstViewsEqualsSearchInOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		table := New()
		peers := map[string]*route.Peer{}
		for range rapid.IntRange(1, 15).Draw(t, "events") {
			p := genViewPeer(t, rapid.IntRange(0, 4).Draw(t, "peer"))
			b := route.Batch{Peer: p, At: time.Unix(1, 0), Event: rapid.SampledFrom([]route.Event{route.PeerUp, route.PeerUp, route.PeerRemoved}).Draw(t, "event")}
			table.Apply(&b)
			peers[p.Name] = p
			if b.Event == route.PeerRemoved {
				delete(peers, p.Name)
			}
			settle(table)
			named := rapid.SampledFrom([][]string{nil, nil, {"p0"}, {"p1", "p2"}, {"nobody"}}).Draw(t, "named")
			hidden := rapid.SampledFrom([]string{"", "", "p0"}).Draw(t, "hidden")
			want, got := map[string]bool{}, map[string]bool{}
			for name, p := range peers {
				if name != hidden {
					want[name] = firstViewTwin(p, peers, named, hidden)
				}
			}
			_ = table.View(func(v *View) error {
				if hidden != "" {
					v.Hide(func(p *route.Peer) bool { return p.Name != hidden })
				}
				chosen := v.FirstViews(named)
				v.Select(func(p *route.Peer) bool {
					got[p.Name] = chosen.Has(v.table.peers.named(p.Name).index)
					return false
				})
				return nil
			})
			if diff := gocmp.Diff(want, got); diff != "" {
				t.Fatalf("named %v, hidden %q (-search +choice): %s", named, hidden, diff)
			}
		}
	})
}

func firstViewTwin(p *route.Peer, peers map[string]*route.Peer, named []string, hidden string) bool {
	of := func(view route.View, names []string) bool {
		for _, name := range names {
			q := peers[name]
			if q != nil && name != hidden && cmp.Or(q.Router, q.Name) == cmp.Or(p.Router, p.Name) && (q.View == view || view == route.NumViews) {
				return true
			}
		}
		return false
	}
	if of(route.NumViews, named) {
		return of(p.View, named)
	}
	all := []string{"p0", "p1", "p2", "p3", "p4"}
	for _, view := range []route.View{route.AdjRIBIn, route.PostPolicy, route.PrePolicy, route.LocRIB, route.AdjRIBOut} {
		if of(view, all) {
			return p.View == view
		}
	}
	return false
}

func TestSessionsOfTheCollectorAloneNeedNoChoice(t *testing.T) {
	table := New()
	check := func(what string, want bool) {
		t.Helper()
		_ = table.View(func(v *View) error {
			if got := v.FirstViews(nil) == nil && v.OfView(route.AdjRIBIn) == nil; got != want {
				t.Errorf("%s: all peers are chosen: %v, want %v", what, got, want)
			}
			return nil
		})
	}
	check("an empty table", true)
	table.Apply(&route.Batch{Peer: &route.Peer{Name: "a"}, Event: route.PeerUp})
	check("one session", true)
	table.Apply(&route.Batch{Peer: &route.Peer{Name: "b", View: route.PrePolicy}, Event: route.PeerUp})
	check("a view of a router", false)
	_ = table.View(func(v *View) error {
		v.Hide(func(p *route.Peer) bool { return p.Name != "b" })
		if !v.Only(route.AdjRIBIn) {
			t.Error("a view that hides the peer of another view tells of it")
		}
		return nil
	})
	_ = table.View(func(v *View) error {
		v.Hide(func(p *route.Peer) bool { return p.Name != "a" })
		if v.Only(route.AdjRIBIn) {
			t.Error("a view that hides another peer does not tell of the views that it shows")
		}
		return nil
	})
	check("after a view that hides", false)
}
