package interop

import (
	"fmt"
	"testing"
	"time"
)

// bestPeer returns whose route of a prefix is the best.
func (g *glass) bestPeer(prefix string) (string, error) {
	list, err := g.tryRoutes(prefix + " best")
	if err != nil {
		return "", err
	}
	if len(list) != 1 {
		return "", fmt.Errorf("%d best routes of %s", len(list), prefix)
	}
	return list[0].Peer, nil
}

func (g *glass) waitBest(prefix, peer string) {
	g.t.Helper()
	waitFor(g.t, 30*time.Second, fmt.Sprintf("the best route of %s comes from %s", prefix, peer), func() error {
		best, err := g.bestPeer(prefix)
		if err == nil && best != peer {
			err = fmt.Errorf("it comes from %s", best)
		}
		return err
	})
}

// A daemon is killed. Its routes stay, stale, and lose to the route of a peer whose session
// is up, though they would win otherwise; when it is back they win again, twice.
func TestRoutesOfAKilledDaemonLose(t *testing.T) {
	feed := loadFeed(t)[800:1300]
	for i, d := range daemons(feed) {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			n := 86 + i
			other := fmt.Sprintf("127.0.1.%d", n+10)
			g := newGlass(t, neighbor("daemon", fmt.Sprintf("127.0.1.%d", n), uint32(65100+n), "demote_restarting: true"),
				neighbor("other", other, uint32(65110+n)))
			r := d.make(t, newEndpoints(t, n, g.bgp))
			r.start(t)
			feedRouter(t, r, feed)
			sameRoutes(t, g, r, "daemon", 400)
			var prefix string
			for _, one := range g.routes("peer daemon family ipv4-unicast") {
				prefix = one.Prefix
				break
			}
			s := dial(t, speakerConfig{local: other, asn: uint32(65110 + n)}, g.bgp)
			defer s.close()
			s.send(updateMessage(nil, longAttributes(uint32(65110+n)), nlri(prefix)), endOfRIB(1))
			g.waitRoutes("other", 1)
			g.waitBest(prefix, "daemon")

			for range 2 { // it flaps
				r.process().kill()
				g.waitPeer("daemon", "has only stale routes", func(p shownPeer) bool {
					return p.State != "established" && p.Routes.Accepted > 0 && p.Routes.Stale == p.Routes.Accepted
				})
				g.waitBest(prefix, "other")
				r.start(t)
				feedRouter(t, r, feed)
				g.waitBest(prefix, "daemon")
			}
			sameRoutes(t, g, r, "daemon", 400)
		})
	}
}

// longAttributes are the attributes of a route whose path is longer than any of a feed.
func longAttributes(asn uint32) []byte {
	path := []byte{2, 40}
	for range 40 {
		path = append(path, byte(asn>>24), byte(asn>>16), byte(asn>>8), byte(asn))
	}
	return concat(attribute(0x40, 1, 0), attribute(0x50, 2, append([]byte{}, path...)...), attribute(0x40, 3, 192, 0, 2, 99))
}

// While BIRD restarts gracefully its routes are compared as if fresh, and after its
// restart time they are gone.
func TestRoutesOfAGracefulRestartStayBest(t *testing.T) {
	t.Parallel()
	g := newGlass(t, neighbor("daemon", "127.0.1.84", 65184), neighbor("other", "127.0.1.85", 65185))
	b := staticBird(t, g, 84, " graceful restart on; graceful restart time 8;")
	b.announce(staticRoutes)
	b.start(t)
	g.waitRoutes("daemon", staticRoutes)
	s := dial(t, speakerConfig{local: "127.0.1.85", asn: 65185}, g.bgp)
	defer s.close()
	s.send(updateMessage(nil, longAttributes(65185), nlri("20.0.1.0/24")), endOfRIB(1))
	g.waitRoutes("other", 1)
	b.running.kill()
	g.waitPeer("daemon", "has only stale routes", func(p shownPeer) bool {
		return p.State != "established" && p.Routes.Stale == staticRoutes
	})
	if best, err := g.bestPeer("20.0.1.0/24"); err != nil || best != "daemon" {
		t.Errorf("within the restart time the best route comes from %q, %v", best, err)
	}
	g.waitBest("20.0.1.0/24", "other")
	if p := g.peer("daemon"); p.Routes.Accepted != 0 {
		t.Errorf("after the restart time there are %d routes", p.Routes.Accepted)
	}
}

// A peer comes and goes and never sends its route again: the route ages out.
func TestRoutesOfAFlappingPeerAgeOut(t *testing.T) {
	t.Parallel()
	g := newGlass(t, neighbor("flapper", "127.0.1.98", 65198, "stale_time: 3s"))
	cfg := speakerConfig{local: "127.0.1.98", asn: 65198}
	s := dial(t, cfg, g.bgp)
	s.send(plainRoute("198.51.100.0/24", 65198))
	g.waitRoutes("flapper", 1)
	s.close()
	waitFor(t, 30*time.Second, "the route is gone though the peer never stays away", func() error {
		s := dial(t, cfg, g.bgp)
		time.Sleep(300 * time.Millisecond) // up and down take turns, and neither is longer than stale_time
		s.close()
		p := g.peer("flapper")
		if p.Routes.Accepted != 0 {
			return fmt.Errorf("%d routes, %d stale, after %d sessions", p.Routes.Accepted, p.Routes.Stale, p.Counters.SessionsEstablished)
		}
		return nil
	})
}
