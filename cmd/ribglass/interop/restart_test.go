package interop

import (
	"errors"
	"fmt"
	"net/http"
	"syscall"
	"testing"
	"time"
)

// A session comes back after either side was restarted, and the routes are those
// the daemon sends then.
func TestASessionSurvivesARestartOfEitherSide(t *testing.T) {
	routes := loadFeed(t)[800:1300]
	for i, d := range daemons(routes) {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			n := 31 + i
			g := newGlass(t, neighbor("daemon", fmt.Sprintf("127.0.1.%d", n), uint32(65100+n)))
			r := d.make(t, newEndpoints(t, n, g.bgp))
			r.start(t)
			feedRouter(t, r, routes)
			sameRoutes(t, g, r, "daemon", 400)

			r.process().stop(t)
			g.waitPeer("daemon", "has only stale routes", func(p shownPeer) bool {
				return p.State != "established" && p.Routes.Accepted > 0 && p.Routes.Stale == p.Routes.Accepted &&
					!p.StaleSince.IsZero()
			})
			r.start(t)
			feedRouter(t, r, routes)
			sameRoutes(t, g, r, "daemon", 400)

			g.stop(t)
			g.start()
			sameRoutes(t, g, r, "daemon", 400)
		})
	}
}

// staticBird is a BIRD that announces n static routes of 20/8, the last of them
// with the community NO_LLGR, over a session with the settings.
func staticBird(t testing.TB, g *glass, n int, settings string) *bird {
	t.Helper()
	b := newBird(t, newEndpoints(t, n, g.bgp))
	b.options = settings + birdChannels("")
	return b
}

const staticRoutes = 100

func (b *bird) announce(n int) {
	var prefixes []string
	for i := range n - 1 {
		prefixes = append(prefixes, fmt.Sprintf("20.0.%d.0/24", i))
	}
	b.more = birdStatic("most", "ipv4", "bgp_next_hop = 192.0.2.26;", prefixes...) +
		birdStatic("unkept", "ipv4", "bgp_next_hop = 192.0.2.26; bgp_community.add((65535,7));", "20.1.0.0/24")
}

func TestGracefulRestartKeepsAndThenSweeps(t *testing.T) {
	t.Parallel()
	g := newGlass(t, neighbor("daemon", "127.0.1.41", 65141))
	b := staticBird(t, g, 41, " graceful restart on; graceful restart time 60;")
	b.announce(staticRoutes)
	b.start(t)
	p := g.waitRoutes("daemon", staticRoutes)
	if !p.capable(capGracefulRestart) {
		t.Errorf("graceful restart was not negotiated: %+v", p.Capabilities)
	}

	b.running.kill()
	g.waitPeer("daemon", "keeps its routes as stale", func(p shownPeer) bool {
		return p.State != "established" && p.Routes.Accepted == staticRoutes && p.Routes.Stale == staticRoutes
	})
	for _, r := range g.routes("peer daemon") {
		if r.StaleSince.IsZero() {
			t.Fatalf("route %s has no stale_since", r.Prefix)
		}
	}

	// It comes back in recovery (-R) with ten routes fewer.
	b.announce(staticRoutes - 10)
	b.startWith(t, "-R")
	g.waitRoutes("daemon", staticRoutes-10)
	if left := g.routes("20.0.95.0/24"); len(left) != 0 {
		t.Errorf("route %+v was not sent again and is still there", left[0])
	}
}

func TestStaleRoutesGoWhenTheRestartTimeHasPassed(t *testing.T) {
	t.Parallel()
	g := newGlass(t, neighbor("daemon", "127.0.1.42", 65142))
	b := staticBird(t, g, 42, " graceful restart on; graceful restart time 2;")
	b.announce(staticRoutes)
	b.start(t)
	g.waitRoutes("daemon", staticRoutes)
	b.running.kill()
	down := time.Now()
	g.waitPeer("daemon", "has lost its routes", func(p shownPeer) bool { return p.Routes.Accepted == 0 })
	if after := time.Since(down); after < time.Second {
		t.Errorf("routes were gone after %v, want two seconds", after)
	}
}

// With long-lived graceful restart (RFC 9494) routes stay beyond the restart
// time, but for those with NO_LLGR.
func TestLongLivedGracefulRestartWithBIRD(t *testing.T) {
	t.Parallel()
	g := newGlass(t, neighbor("daemon", "127.0.1.43", 65143))
	b := staticBird(t, g, 43, ` graceful restart on; graceful restart time 1;
 long lived graceful restart on; long lived stale time 6;`)
	b.announce(staticRoutes)
	b.start(t)
	p := g.waitRoutes("daemon", staticRoutes)
	if !p.capable(capLongLived) {
		t.Errorf("long-lived graceful restart was not negotiated: %+v", p.Capabilities)
	}
	b.running.kill()
	down := time.Now()
	g.waitPeer("daemon", "keeps all but the route with NO_LLGR", func(p shownPeer) bool {
		return p.Routes.Accepted == staticRoutes-1 && p.Routes.Stale == staticRoutes-1
	})
	g.waitPeer("daemon", "has lost its routes", func(p shownPeer) bool { return p.Routes.Accepted == 0 })
	if after := time.Since(down); after < 5*time.Second {
		t.Errorf("the last routes were gone after %v, want six seconds and more", after)
	}
}

// A peer may ask that its routes stay for 194 days. max_stale_time decides.
func TestALieAboutLongLivedStaleTimeAgesOut(t *testing.T) {
	t.Parallel()
	g := newGlass(t, neighbor("liar", "127.0.1.44", 65144, "max_stale_time: 2s"))
	s := dial(t, speakerConfig{
		local: "127.0.1.44", asn: 65144,
		capabilities: append(usualCapabilities(65144),
			capability(64, 0x0f, 0xff, 0, 1, 1, 0x80),        // restart time 4095 s, forwarding kept
			capability(71, 0, 1, 1, 0x80, 0xff, 0xff, 0xff)), // 16,777,215 s
	}, g.bgp)
	s.send(plainRoute("198.51.100.0/24", 65144), endOfRIB(1))
	g.waitRoutes("liar", 1)
	s.close()
	g.waitPeer("liar", "is down with a stale route", func(p shownPeer) bool {
		return p.State != "established" && p.Routes.Stale == 1
	})
	g.waitPeer("liar", "has lost its route", func(p shownPeer) bool { return p.Routes.Accepted == 0 })
}

// plainRoute is an ordinary UPDATE for an IPv4 prefix.
func plainRoute(prefix string, asn uint32) []byte {
	return updateMessage(nil, plainAttributes(asn), nlri(prefix))
}

func plainAttributes(asn uint32) []byte {
	return concat(
		attribute(0x40, 1, 0),
		attribute(0x40, 2, 2, 1, byte(asn>>24), byte(asn>>16), byte(asn>>8), byte(asn)),
		attribute(0x40, 3, 192, 0, 2, 99),
	)
}

func TestReloadKeepsTheSessionsThatDidNotChange(t *testing.T) {
	t.Parallel()
	stays := neighbor("stays", "127.0.1.45", 65145)
	g := newGlass(t, stays, neighbor("goes", "127.0.1.46", 65146))
	one := dial(t, speakerConfig{local: "127.0.1.45", asn: 65145}, g.bgp)
	two := dial(t, speakerConfig{local: "127.0.1.46", asn: 65146}, g.bgp)
	one.send(plainRoute("198.51.100.0/24", 65145), endOfRIB(1), endOfRIB(2))
	two.send(plainRoute("203.0.113.0/24", 65146), endOfRIB(1), endOfRIB(2))
	before := g.waitRoutes("stays", 1)
	g.waitRoutes("goes", 1)

	g.reload(stays, neighbor("comes", "127.0.1.47", 65147))
	two.wantNotification(6, 3) // peer de-configured
	dial(t, speakerConfig{local: "127.0.1.47", asn: 65147}, g.bgp)
	g.waitEstablished("comes")
	waitFor(t, 10*time.Second, "the removed neighbour is forgotten", func() error {
		if status, body, err := g.get("/api/v1/peers/goes"); err != nil {
			return err
		} else if status != http.StatusNotFound {
			return fmt.Errorf("status %d: %s", status, body)
		}
		if left := g.routes("203.0.113.0/24"); len(left) > 0 {
			return errors.New("its route is still there")
		}
		return nil
	})

	after := g.peer("stays")
	if one.ended() || after.State != "established" || !after.Since.Equal(before.Since) || after.Routes.Accepted != 1 {
		t.Errorf("the unchanged session: ended %v, before %+v, after %+v", one.ended(), before, after)
	}

	t.Run("a configuration with an error changes nothing", func(t *testing.T) {
		g.neighbors = "neighbors: [ { name: x, address: nonsense } ]\n"
		writeFile(t, g.configFile(), g.config())
		g.signal(t, syscall.SIGHUP)
		waitFor(t, 5*time.Second, "the refusal is logged", func() error {
			if !g.logged("nonsense") {
				return errors.New("not yet")
			}
			return nil
		})
		if p := g.peer("stays"); p.State != "established" || !p.Since.Equal(before.Since) {
			t.Errorf("the session after a refused reload: %+v", p)
		}
	})
}

func TestSIGTERMStopsWithCease(t *testing.T) {
	t.Parallel()
	g := newGlass(t, neighbor("peer", "127.0.1.48", 65148))
	s := dial(t, speakerConfig{local: "127.0.1.48", asn: 65148}, g.bgp)
	g.waitEstablished("peer")
	g.signal(t, syscall.SIGTERM)
	if !g.wait(5 * time.Second) {
		t.Fatal("ribglass runs on five seconds after SIGTERM")
	}
	if code := g.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("exit status %d, want 0:\n%s", code, g.tail())
	}
	s.wantNotification(6, 2) // administrative shutdown
}

// FRR announces graceful restart too. It is killed, its routes stay, and when it
// is back they are what it sends then.
func TestGracefulRestartWithFRR(t *testing.T) {
	t.Parallel()
	routes := loadFeed(t)[:300]
	g := newGlass(t, neighbor("daemon", "127.0.1.49", 65149))
	f := newFRR(t, newEndpoints(t, 49, g.bgp))
	f.options = " bgp graceful-restart\n bgp graceful-restart restart-time 60"
	f.start(t)
	feedRouter(t, f, routes)
	sameRoutes(t, g, f, "daemon", 300)
	if p := g.peer("daemon"); !p.capable(capGracefulRestart) {
		t.Errorf("graceful restart was not negotiated: %+v", p.Capabilities)
	}
	f.running.kill()
	g.waitPeer("daemon", "keeps its routes as stale", func(p shownPeer) bool {
		return p.State != "established" && p.Routes.Stale == 300
	})
	f.start(t)
	feedRouter(t, f, routes[:250])
	g.waitRoutes("daemon", 250)
}
