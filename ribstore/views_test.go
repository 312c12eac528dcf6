package ribstore

import (
	"testing"
	"testing/synctest"
	"time"

	"ribglass/ribstore/route"
)

func TestRouteOfSeveralViewsIsCountedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := record(t)
		for _, p := range []*route.Peer{
			{Name: "edge1"},
			{Name: "rs1-pre", Router: "rs1", View: route.PrePolicy},
			{Name: "rs1-post", Router: "rs1", View: route.PostPolicy},
		} {
			r.up(p, time.Hour)
			r.send(announce(p, "10.0.0.0/24"))
			if p.View == route.PrePolicy {
				r.send(announce(p, "10.0.1.0/24")) // which the policy filters
			}
		}
		r.wait(time.Second)
		n := r.Stats()
		if n.Routes[route.IPv4Unicast] != 2 || n.Prefixes[route.IPv4Unicast] != 2 || n.Peers != 3 {
			t.Errorf("Stats() = %+v, want 2 routes (edge1 and rs1-post), 2 prefixes and 3 peers", n)
		}
	})
}
