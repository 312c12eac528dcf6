package interop

import (
	"fmt"
	"testing"
	"time"
)

// daemons are the routers whose routes are compared in full. n makes their
// addresses differ.
func daemons(routes []feedRoute) []daemonMaker {
	return []daemonMaker{
		{"BIRD 2", func(tb testing.TB, e endpoints) router { tb.Helper(); return newBird(tb, e) }},
		{"FRR", func(tb testing.TB, e endpoints) router { tb.Helper(); return newFRR(tb, e) }},
		{"OpenBGPD", func(tb testing.TB, e endpoints) router { tb.Helper(); return newOpenBGPD(tb, e) }},
		{"GoBGP", func(tb testing.TB, e endpoints) router { tb.Helper(); return newGoBGP(tb, e) }},
		{"ExaBGP", func(tb testing.TB, e endpoints) router { tb.Helper(); return newExaBGP(tb, e, routes) }},
	}
}

// daemonMaker makes a router of a kind.
type daemonMaker struct {
	name string
	make func(tb testing.TB, e endpoints) router
}

// A daemon is fed routes of a real dump, announces them to Ribglass in its own
// way, and says which those were. Each is found with the same attributes, and
// none beside them.
func TestEveryRouteADaemonSaysItSentIsFound(t *testing.T) {
	routes := loadFeed(t)
	for i, d := range daemons(routes) {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			self := fmt.Sprintf("127.0.1.%d", i+1)
			g := newGlass(t, neighbor("daemon", self, uint32(65101+i)))
			r := d.make(t, newEndpoints(t, i+1, g.bgp))
			r.start(t)
			feedRouter(t, r, routes)
			sameRoutes(t, g, r, "daemon", 1500)
			g.unharmed()
		})
	}
}

// feedRouter plays routes to a router that can be fed.
func feedRouter(t testing.TB, r router, routes []feedRoute) {
	t.Helper()
	if at, from := r.feed(); at.IsValid() {
		playFeed(t, speakerConfig{local: from, asn: feedASN}, at, routes)
	}
}

// sameRoutes waits until Ribglass has as many routes of a peer as the router
// says it sent, at least some number, and compares them.
func sameRoutes(t testing.TB, g *glass, r router, peer string, atLeast int) {
	t.Helper()
	var want []said
	waitFor(t, 45*time.Second, "all routes are there", func() error {
		var err error
		if want, err = r.advertised(); err != nil {
			return err
		}
		have, err := g.tryPeer(peer)
		if err != nil {
			return err
		}
		if len(want) < atLeast || have.Routes.Accepted != len(want) || have.Routes.Stale != 0 {
			return fmt.Errorf("ribglass has %d routes (%d stale, %s, %q), the daemon says it sent %d",
				have.Routes.Accepted, have.Routes.Stale, have.State, have.LastError, len(want))
		}
		return nil
	})
	var got []said
	for _, route := range g.routes("peer " + peer) {
		s := route.said()
		r.silent(&s)
		got = append(got, s)
	}
	for i := range want {
		r.silent(&want[i])
	}
	if wrong := missing(want, got); len(wrong) > 0 {
		t.Errorf("%d of %d routes differ:\n%s", len(wrong), len(want), firstOf(wrong))
	}
	t.Logf("%d routes are the same", len(want))
}
