package interop

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// newPassiveBird runs a BIRD that waits for Ribglass to dial it.
func newPassiveBird(t *testing.T, e endpoints, g *glass) *bird {
	t.Helper()
	e.glass = g.bgp
	e.options = " passive;" + birdChannels("")
	b := newBird(t, e)
	b.start(t)
	return b
}

// Ribglass dials a router that only waits: every route comes, none goes, and after a
// restart of the router it is dialed again.
func TestRibglassDialsAPassiveBIRD(t *testing.T) {
	t.Parallel()
	routes := loadFeed(t)[:400]
	e := newEndpoints(t, 142, netip.AddrPort{})
	g := newGlass(t, neighbor("daemon", e.self, e.asn, "connect: true", fmt.Sprintf("port: %d", e.port), "local_address: 127.0.0.1", "connect_retry: 2s"))
	p := g.waitPeer("daemon", "cannot be dialed", func(p shownPeer) bool { return strings.Contains(p.LastError, "refused the connection") })
	if p.State != "active" && p.State != "connect" {
		t.Errorf("state %s", p.State)
	}
	b := newPassiveBird(t, e, g)
	feedRouter(t, b, routes)
	sameRoutes(t, g, b, "daemon", 400)
	shown, err := b.do("show", "protocols", "all", "glass")
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(shown), "Routes:         0 imported"); n != 2 {
		t.Errorf("BIRD imported routes:\n%s", shown)
	}
	b.running.signal(t, syscall.SIGKILL)
	b.running.wait(5 * time.Second)
	g.waitPeer("daemon", "is down", func(p shownPeer) bool { return p.State != "established" })
	b.start(t)
	feedRouter(t, b, routes)
	sameRoutes(t, g, b, "daemon", 400)
	if p := g.peer("daemon"); p.Counters.SessionsEstablished != 2 {
		t.Errorf("%d sessions, want 2", p.Counters.SessionsEstablished)
	}
	g.unharmed()
}

// BIRD and Ribglass dial each other: whichever connections collide, one session comes
// up and stays.
func TestBIRDAndRibglassDialEachOther(t *testing.T) {
	t.Parallel()
	for i, id := range []string{"192.0.2.9", "192.0.2.11"} { // the router id of Ribglass is between them
		t.Run(id, func(t *testing.T) {
			t.Parallel()
			e := newEndpoints(t, 145+i, netip.AddrPort{})
			g := newGlass(t, neighbor("daemon", e.self, e.asn, "connect: true", fmt.Sprintf("port: %d", e.port), "connect_retry: 1s"))
			e.glass, e.options = g.bgp, " router id "+id+";"+birdChannels("")
			b := newBird(t, e)
			b.start(t)
			g.waitEstablished("daemon")
			since := g.peer("daemon").Since
			waitFor(t, 20*time.Second, "the session is five seconds old", func() error {
				p := g.peer("daemon")
				if p.State != "established" || !p.Since.Equal(since) {
					t.Fatalf("the session did not stay: %s, %s", p.State, p.LastError)
				}
				if time.Since(since) < 5*time.Second {
					return fmt.Errorf("%s", time.Since(since))
				}
				return nil
			})
			g.unharmed()
		})
	}
}

// BIRD and FRR behind one address, as behind a NAT, in one AS: told apart by their
// router ids.
func TestTwoRoutersBehindOneAddress(t *testing.T) {
	t.Parallel()
	const self, asn = "127.0.1.143", 65243
	g := newGlass(t, neighbor("bird", self, asn, "router_id: 10.9.0.1"), neighbor("frr", self, asn, "router_id: 10.9.0.2"))
	e := newEndpoints(t, 143, g.bgp)
	b := newBird(t, e)
	b.more = birdStatic("own", "ipv4", "bgp_med = 7;", "198.51.100.0/24", "203.0.113.0/24")
	b.start(t)
	e.port, e.options = freePort(t, self), ""
	f := newFRR(t, e)
	f.more = "  network 192.0.2.0/24\n"
	f.start(t)
	g.waitRoutes("bird", 2)
	g.waitRoutes("frr", 1)
	var got []string
	for _, r := range g.routes("0.0.0.0/0 or-longer") {
		got = append(got, r.Peer+" "+r.Prefix)
	}
	slices.Sort(got)
	if want := []string{"bird 198.51.100.0/24", "bird 203.0.113.0/24", "frr 192.0.2.0/24"}; !slices.Equal(got, want) {
		t.Errorf("routes %q, want %q", got, want)
	}

	g.reload(neighbor("bird", self, asn, "router_id: 10.9.0.1"), neighbor("frr", self, asn, "router_id: 10.9.0.3"))
	g.waitPeer("frr", "is refused with another router id", func(p shownPeer) bool {
		return p.State == "active" && strings.Contains(p.LastError, "router id 10.9.0.2; configured for its address are")
	})
	if p := g.peer("bird"); p.State != "established" || p.Counters.SessionsEstablished != 1 {
		t.Errorf("the other router was disturbed: %s, %d sessions", p.State, p.Counters.SessionsEstablished)
	}
	g.unharmed()
}
