package table

import (
	"net/netip"
	"testing"
	"time"

	"ribglass/ribstore/route"
)

// TestRoutesOfAFlappingPeerAgeOut has a peer come and go every two seconds without
// ever sending its routes again: they go when stale_time has passed since the first end.
func TestRoutesOfAFlappingPeerAgeOut(t *testing.T) {
	for name, row := range map[string]struct {
		keep route.Retention
		kept int // rounds until the route is gone
	}{
		"without graceful restart when its time has passed":  {route.Retention{Stale: 5 * time.Second}, 3},
		"with graceful restart at the second end (RFC 4724)": {route.Retention{Stale: time.Hour, Graceful: true}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			table := New()
			peer := &route.Peer{Name: "a"}
			p := netip.MustParsePrefix("192.0.2.0/24")
			at := time.Unix(1000, 0)
			apply := func(b route.Batch, stale route.Retention) {
				b.Peer, b.At = peer, at
				b.Retention[route.IPv4Unicast] = stale
				table.Apply(&b) // and no Expire: it may never be called while the peer is down
			}
			waits := route.Retention{Stale: 6 * time.Minute}
			apply(route.Batch{Event: route.PeerUp}, waits)
			apply(route.Batch{Updates: []route.Update{{Attrs: attrsOf(1), NLRI: []route.NLRI{{Prefix: p}}}}}, route.Retention{})
			for round := 1; round <= 5; round++ {
				apply(route.Batch{Event: route.PeerDown}, row.keep)
				want := 1
				if round > row.kept {
					want = 0
				}
				if got := table.Counts().Routes[route.IPv4Unicast]; got != want {
					t.Errorf("end %d: %d routes, want %d", round, got, want)
				}
				at = at.Add(time.Second)
				apply(route.Batch{Event: route.PeerUp}, waits)
				at = at.Add(time.Second)
			}
		})
	}
}

// TestOlderRoutesAreDueEarlier: what the last session sent waits its time, and what the
// session before it left goes when its own time has passed.
func TestOlderRoutesAreDueEarlier(t *testing.T) {
	table := New()
	peer := &route.Peer{Name: "a"}
	start := time.Unix(1000, 0)
	apply := func(seconds int, b route.Batch, keep time.Duration) {
		b.Peer, b.At = peer, start.Add(time.Duration(seconds)*time.Second)
		b.Retention[route.IPv4Unicast].Stale = keep
		table.Apply(&b)
	}
	announce := func(p string) route.Batch {
		return route.Batch{Updates: []route.Update{{Attrs: attrsOf(1), NLRI: []route.NLRI{{Prefix: netip.MustParsePrefix(p)}}}}}
	}
	apply(0, route.Batch{Event: route.PeerUp}, time.Hour)
	apply(0, announce("192.0.2.0/24"), 0)
	apply(0, route.Batch{Event: route.EndOfRIB}, 0)
	apply(10, route.Batch{Event: route.PeerDown}, time.Minute)
	apply(20, route.Batch{Event: route.PeerUp}, time.Hour)
	apply(20, announce("198.51.100.0/24"), 0)
	apply(30, route.Batch{Event: route.PeerDown}, time.Minute)
	for _, row := range []struct {
		seconds, want int
		due           bool
	}{{69, 2, false}, {70, 1, true}, {89, 1, false}, {90, 0, true}, {91, 0, false}} {
		now := start.Add(time.Duration(row.seconds) * time.Second)
		if got := table.Due(now); got != row.due {
			t.Errorf("after %d seconds Due = %v, want %v", row.seconds, got, row.due)
		}
		table.Expire(now)
		if got := table.Counts().Routes[route.IPv4Unicast]; got != row.want {
			t.Errorf("after %d seconds: %d routes, want %d", row.seconds, got, row.want)
		}
	}
}

// TestStaleIsBestOnlyWhileItsPeerRestarts follows the best route of a prefix while the
// better peer restarts, in a view of all peers and in a confined one.
func TestStaleIsBestOnlyWhileItsPeerRestarts(t *testing.T) {
	for name, row := range map[string]struct {
		keep route.Retention
		want string
	}{
		"a session that is down":            {route.Retention{Stale: time.Minute}, "other"},
		"a graceful restart":                {route.Retention{Stale: time.Minute, Graceful: true, AsFresh: true}, "first"},
		"a graceful restart, set otherwise": {route.Retention{Stale: time.Minute, Graceful: true}, "other"},
	} {
		t.Run(name, func(t *testing.T) {
			table := New()
			p := netip.MustParsePrefix("192.0.2.0/24")
			first, other := &route.Peer{Name: "first"}, &route.Peer{Name: "other"}
			for i, peer := range []*route.Peer{first, other} {
				up := &route.Batch{Peer: peer, At: time.Unix(1000, 0), Event: route.PeerUp}
				table.Apply(up)
				path := route.ASPath(nil).AppendSegment(route.ASSequence, []route.ASN{1, 2, 3}[:i+1]...)
				attrs := route.Attrs(nil).AppendAttr(route.AttrOrigin, []byte{0}).AppendAttr(route.AttrASPath, path)
				table.Apply(&route.Batch{Peer: peer, At: time.Unix(1000, 0), Updates: []route.Update{{Attrs: attrs, NLRI: []route.NLRI{{Prefix: p}}}}})
			}
			down := &route.Batch{Peer: first, At: time.Unix(1010, 0), Event: route.PeerDown}
			down.Retention[route.IPv4Unicast] = row.keep
			table.Apply(down)
			for _, confined := range []bool{false, true} {
				if got := bestOf(t, table, p, confined); got != row.want {
					t.Errorf("best (confined %v) is the route of %s, want %s", confined, got, row.want)
				}
			}
		})
	}
}

// TestSinceWhenAPeerIsAway: while it is, and not when it is back.
func TestSinceWhenAPeerIsAway(t *testing.T) {
	table := New()
	peer := &route.Peer{Name: "a"}
	for i, row := range []struct {
		event route.Event
		since int64
	}{{route.PeerUp, 0}, {route.PeerDown, 1001}, {route.PeerUp, 0}, {route.PeerDown, 1003}} {
		b := &route.Batch{Peer: peer, At: time.Unix(1000+int64(i), 0), Event: row.event}
		b.Retention[route.IPv4Unicast].Stale = time.Hour
		table.Apply(b)
		got, _ := table.Peer("a")
		if want := instant(row.since); !got.StaleSince.Equal(want) || got.Up != (row.event == route.PeerUp) {
			t.Errorf("step %d: away since %v, up %v; want %v", i, got.StaleSince, got.Up, want)
		}
	}
}

// TestTheLargestPeerIsOneThatIsWanted: who takes most memory among some.
func TestTheLargestPeerIsOneThatIsWanted(t *testing.T) {
	table := New()
	for i, name := range []string{"small", "large", "middle"} {
		table.Apply(&route.Batch{Peer: &route.Peer{Name: name}, At: time.Unix(1000, 0), Event: route.PeerUp})
		var nlri []route.NLRI
		for k := range []int{1, 9, 5}[i] {
			nlri = append(nlri, route.NLRI{Prefix: netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(k)}), 16)})
		}
		table.Apply(&route.Batch{Peer: &route.Peer{Name: name}, At: time.Unix(1000, 0), Updates: []route.Update{{Attrs: attrsOf(1), NLRI: nlri}}})
	}
	table.Apply(&route.Batch{Peer: &route.Peer{Name: "middle"}, At: time.Unix(1001, 0), Event: route.PeerDown, Retention: [route.NumFamilies]route.Retention{{Stale: time.Hour}}})
	for want, wanted := range map[string]func(string, bool) bool{
		"large":  func(string, bool) bool { return true },
		"middle": func(_ string, up bool) bool { return !up },
		"small":  func(name string, _ bool) bool { return name == "small" },
		"":       func(string, bool) bool { return false },
	} {
		if got, octets := table.Largest(wanted); got != want || (octets > 0) != (want != "") {
			t.Errorf("Largest = %q, %d octets, want %q", got, octets, want)
		}
	}
}

// TestAPeerIsDescribedAnew: what the operator says of a peer changes, what the session
// says of it does not, and its routes stay.
func TestAPeerIsDescribedAnew(t *testing.T) {
	table := New()
	at := time.Unix(1000, 0)
	table.Apply(&route.Batch{Peer: &route.Peer{Name: "a", Group: "old", ASN: 1}, At: at, Event: route.PeerUp})
	table.Apply(&route.Batch{Peer: &route.Peer{Name: "a"}, At: at, Updates: []route.Update{{Attrs: attrsOf(1), NLRI: []route.NLRI{{Prefix: netip.MustParsePrefix("192.0.2.0/24")}}}}})
	table.Apply(&route.Batch{Peer: &route.Peer{Name: "a", Group: "new", Router: "r", Description: "d", ASN: 2}, At: at, Event: route.PeerChanged})
	got, _ := table.Peer("a")
	if p := got.Peer; p.Group != "new" || p.Router != "r" || p.Description != "d" || p.ASN != 1 || !got.Up || got.Routes[0] != 1 || got.Stale[0] != 0 {
		t.Errorf("peer %+v of %+v", p, got)
	}
}

func bestOf(t *testing.T, table *Table, p netip.Prefix, confined bool) (best string) {
	t.Helper()
	err := table.View(func(v *View) error {
		if confined {
			v.Confine(v.Select(func(*route.Peer) bool { return true }))
		}
		d, _ := v.Exact(route.IPv4Unicast, p)
		for _, r := range v.Routes(nil, d, nil) {
			if r.Best {
				best = r.Peer.Name
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return best
}

// TestLongLivedPhase follows two routes of a peer that is down, one with NO_LLGR, through
// the restart time and the long-lived phase (RFC 9494 section 4.2).
func TestLongLivedPhase(t *testing.T) {
	table := New()
	peer := &route.Peer{Name: "a"}
	start := time.Unix(1000, 0)
	bound := attrsOf(1).AppendAttr(route.AttrCommunities, []byte{0xff, 0xff, 0, 7})
	table.Apply(&route.Batch{Peer: peer, At: start, Event: route.PeerUp})
	for i, attrs := range []route.Attrs{attrsOf(2), bound} {
		p := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i)}), 16)
		table.Apply(&route.Batch{Peer: peer, At: start, Updates: []route.Update{{Attrs: attrs, NLRI: []route.NLRI{{Prefix: p}}}}})
	}
	down := &route.Batch{Peer: peer, At: start, Event: route.PeerDown}
	down.Retention[route.IPv4Unicast] = route.Retention{Stale: 10 * time.Second, LongLived: 30 * time.Second, Graceful: true, AsFresh: true}
	table.Apply(down)
	for _, row := range []struct {
		seconds, routes    int
		longLived, asFresh bool
	}{
		{9, 2, false, true},
		{12, 1, true, false}, // two seconds late, which the phase is not longer for
		{39, 1, true, false},
		{40, 0, false, false},
	} {
		table.Expire(start.Add(time.Duration(row.seconds) * time.Second))
		settle(table)
		seen, err := snapshot(table)
		if err != nil || len(seen) != row.routes {
			t.Fatalf("after %d seconds: %d routes, error %v, want %d", row.seconds, len(seen), err, row.routes)
		}
		for k, r := range seen {
			if r.longLived != row.longLived || r.asFresh != row.asFresh || r.staleSince != 1000 {
				t.Errorf("after %d seconds %v is long-lived %v, as fresh %v, stale since %d", row.seconds, k.prefix, r.longLived, r.asFresh, r.staleSince)
			}
		}
	}
}

// TestOlderRoutesStayInTheLongLivedPhase: what a session before the last left goes with
// what the last one left, once the long-lived phase has begun.
func TestOlderRoutesStayInTheLongLivedPhase(t *testing.T) {
	table := New()
	peer := &route.Peer{Name: "a"}
	start := time.Unix(1000, 0)
	apply := func(seconds int, b route.Batch, keep route.Retention) {
		b.Peer, b.At = peer, start.Add(time.Duration(seconds)*time.Second)
		b.Retention[route.IPv4Unicast] = keep
		table.Apply(&b)
	}
	longLived := route.Retention{Stale: 10 * time.Second, LongLived: 30 * time.Second}
	for i, second := range []int{0, 5} {
		apply(second, route.Batch{Event: route.PeerUp}, route.Retention{Stale: time.Hour})
		p := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i)}), 16)
		apply(second, route.Batch{Updates: []route.Update{{Attrs: attrsOf(1), NLRI: []route.NLRI{{Prefix: p}}}}}, route.Retention{})
		apply(second+1, route.Batch{Event: route.PeerDown}, longLived)
	}
	for _, row := range []struct{ seconds, want int }{{15, 2}, {16, 2}, {45, 2}, {46, 0}} {
		table.Expire(start.Add(time.Duration(row.seconds) * time.Second))
		if got := table.Counts().Routes[route.IPv4Unicast]; got != row.want {
			t.Errorf("after %d seconds: %d routes, want %d", row.seconds, got, row.want)
		}
	}
}
