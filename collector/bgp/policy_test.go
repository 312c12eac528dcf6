package bgp

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ribglass/collector/wire"
	"ribglass/ribstore/route"
)

func graceful(restarting, notification bool) wire.Capability {
	both := [route.NumFamilies]bool{true, true}
	return wire.GracefulRestartCapability(wire.GracefulRestart{
		Restarting: restarting, Notification: notification, Time: 120 * time.Second, Families: both, Forwarding: both,
	})
}

func TestRetention(t *testing.T) {
	t.Parallel()
	conf := DefaultSettings()
	ours := testOpen(64500, "192.0.2.10")
	llgr := wire.LongLivedCapability(wire.LongLived{
		Families: [route.NumFamilies]bool{true}, Time: [route.NumFamilies]time.Duration{100 * time.Hour},
	})
	lost := wire.GracefulRestartCapability(wire.GracefulRestart{
		Restarting: true, Time: time.Minute, Families: [route.NumFamilies]bool{true, true}, Forwarding: [route.NumFamilies]bool{true, false},
	})
	closed := &ending{reason: "closed"}
	notified := endWith(&wire.Notification{Code: wire.CodeCease})
	plain := route.Retention{Stale: 30 * time.Minute}
	restart := func(stale time.Duration) route.Retention {
		return route.Retention{Stale: stale, Graceful: true, AsFresh: true}
	}
	longLived := restart(2 * time.Minute)
	longLived.LongLived = 24 * time.Hour
	gone := route.Retention{}
	tests := map[string]struct {
		theirs   *wire.Open
		end      *ending
		v4, v6   route.Retention // after the end
		up4, up6 time.Duration   // in the next session with the same OPEN
	}{
		"without graceful restart stale_time counts":         {testOpen(1, "192.0.2.1"), closed, plain, plain, 6 * time.Minute, 6 * time.Minute},
		"with graceful restart the peer's restart time":      {testOpen(1, "192.0.2.1", graceful(false, false)), closed, restart(2 * time.Minute), restart(2 * time.Minute), 6 * time.Minute, 6 * time.Minute},
		"a NOTIFICATION ends graceful restart":               {testOpen(1, "192.0.2.1", graceful(false, false)), notified, plain, plain, 6 * time.Minute, 6 * time.Minute},
		"but not with the N bit":                             {testOpen(1, "192.0.2.1", graceful(false, true)), notified, restart(2 * time.Minute), restart(2 * time.Minute), 6 * time.Minute, 6 * time.Minute},
		"long-lived time follows and is capped":              {testOpen(1, "192.0.2.1", graceful(false, false), llgr), closed, longLived, restart(2 * time.Minute), 6 * time.Minute, 6 * time.Minute},
		"max_prefixes drops at once":                         {testOpen(1, "192.0.2.1", graceful(false, true)), &ending{drop: true}, gone, gone, 6 * time.Minute, 6 * time.Minute},
		"a restarted peer that lost its state keeps nothing": {testOpen(1, "192.0.2.1", lost), closed, restart(time.Minute), restart(time.Minute), 6 * time.Minute, 0},
		"a family that is not negotiated keeps nothing":      {&wire.Open{ASN: 1, RouterID: addr("192.0.2.1")}, closed, plain, gone, 6 * time.Minute, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			agreed := wire.Negotiate(ours, tt.theirs)
			want := [route.NumFamilies]route.Retention{tt.v4, tt.v6}
			if d := cmp.Diff(want, downRetention(conf, agreed, tt.end)); d != "" {
				t.Errorf("down (-want +got):\n%s", d)
			}
			want = [route.NumFamilies]route.Retention{{Stale: tt.up4}, {Stale: tt.up6}}
			if d := cmp.Diff(want, upRetention(conf, agreed, agreed.GracefulRestart.Families)); d != "" {
				t.Errorf("up (-want +got):\n%s", d)
			}
		})
	}
}

func TestRestartingPeerIsDemotedWhenSet(t *testing.T) {
	t.Parallel()
	conf := DefaultSettings()
	conf.DemoteRestarting = true
	agreed := wire.Negotiate(testOpen(64500, "192.0.2.10"), testOpen(1, "192.0.2.1", graceful(false, false)))
	want := route.Retention{Stale: 2 * time.Minute, Graceful: true}
	if got := downRetention(conf, agreed, &ending{reason: "closed"})[route.IPv4Unicast]; got != want {
		t.Errorf("downRetention = %+v, want %+v", got, want)
	}
}

// TestReturnWithoutGracefulRestart: stale routes that were kept for a graceful restart
// go at once when the new OPEN has none for their family (RFC 4724 section 4.2).
func TestReturnWithoutGracefulRestart(t *testing.T) {
	t.Parallel()
	b := start(t, testConfig(testNeighbor("edge1", "127.0.0.2", 64501)))
	old := b.up("127.0.0.2", testOpen(64501, "192.0.2.1", graceful(false, false)))
	b.alive(old, "edge1", 1)
	_ = old.conn.Close()
	eventually(t, "the end arrives", func() bool { return len(b.of("edge1", route.PeerDown)) == 1 })
	b.up("127.0.0.2", testOpen(64501, "192.0.2.1"))
	eventually(t, "the second session arrives", func() bool { return len(b.of("edge1", route.PeerUp)) == 2 })
	ups := b.of("edge1", route.PeerUp)
	if got := ups[1].Retention[route.IPv4Unicast]; got != (route.Retention{}) {
		t.Errorf("stale routes stay for %+v, want gone", got)
	}
	if got := ups[0].Retention[route.IPv4Unicast]; got.Stale != 6*time.Minute {
		t.Errorf("stale routes of the first session stay for %+v, want 6m", got)
	}
}

func TestGracefulRestartReplacesTheSession(t *testing.T) {
	t.Parallel()
	b := start(t, testConfig(testNeighbor("edge1", "127.0.0.2", 64501)))
	old := b.up("127.0.0.2", testOpen(64501, "192.0.2.1", graceful(false, false)))
	b.alive(old, "edge1", 1)
	fresh := b.up("127.0.0.2", testOpen(64501, "192.0.2.1", graceful(true, false)))
	b.alive(fresh, "edge1", 2)
	if n, err := silence(old.conn); err != nil {
		t.Errorf("the old connection: %d octets, %v", n, err)
	}
	downs := b.of("edge1", route.PeerDown)
	if len(downs) != 1 || downs[0].Retention[route.IPv4Unicast].Stale != 2*time.Minute {
		t.Errorf("PeerDown = %+v, want one that keeps routes for 2m", downs)
	}
	ups := b.of("edge1", route.PeerUp)
	if len(ups) != 2 || ups[1].Retention[route.IPv4Unicast].Stale != 6*time.Minute {
		t.Errorf("PeerUp = %+v, want a second that keeps stale routes for 6m", ups)
	}
}

func TestSecondConnectionOfALivingSessionIsRefused(t *testing.T) {
	t.Parallel()
	b := start(t, testConfig(testNeighbor("edge1", "127.0.0.2", 64501)))
	first := b.up("127.0.0.2", testOpen(64501, "192.0.2.1"))
	b.alive(first, "edge1", 1)
	second := b.router("127.0.0.2", testOpen(64501, "192.0.2.1"))
	second.wantNotified(wire.CodeCease, wire.CeaseCollision)
	b.alive(first, "edge1", 2)
	if s := b.session("edge1"); s.Counters.RefusedConnections != 1 || s.Counters.SessionsEstablished != 1 {
		t.Errorf("counters: %+v", s.Counters)
	}
}

func TestSecondConnectionReplacesAnUnfinishedOne(t *testing.T) {
	t.Parallel()
	b := start(t, testConfig(testNeighbor("edge1", "127.0.0.2", 64501)))
	first := b.router("127.0.0.2", testOpen(64501, "192.0.2.1"))
	b.waitState("edge1", route.StateOpenSent)
	second := b.router("127.0.0.2", testOpen(64501, "192.0.2.1"))
	first.wantNotified(wire.CodeCease, wire.CeaseCollision)
	second.establish()
	b.alive(second, "edge1", 1)
}

func TestMaxPrefixes(t *testing.T) {
	t.Parallel()
	n := testNeighbor("edge1", "127.0.0.2", 64501)
	n.MaxPrefixes, n.MaxPrefixesRestart = 10, 0
	cfg := testConfig(n)
	b := start(t, cfg)
	r := b.up("127.0.0.2", testOpen(64501, "192.0.2.1"))
	for i := range 9 {
		r.announce(fmt.Sprintf("10.%d.0.0/16", i))
	}
	eventually(t, "a warning at 80 percent", func() bool { return strings.Contains(b.logged(), "peer nears its max_prefixes") })
	r.announce("10.20.0.0/16", "10.21.0.0/16")
	got := r.wantNotified(wire.CodeCease, wire.CeaseMaxPrefixes)
	if d := cmp.Diff([]byte{0, 1, 1, 0, 0, 0, 10}, got.Data); d != "" {
		t.Errorf("data (-want +got):\n%s", d)
	}
	b.waitState("edge1", route.StateIdle)
	eventually(t, "the end arrives", func() bool { return len(b.of("edge1", route.PeerDown)) > 0 })
	downs := b.of("edge1", route.PeerDown)
	if len(downs) != 1 || downs[0].Retention != [route.NumFamilies]route.Retention{} {
		t.Errorf("PeerDown = %+v, want one that keeps nothing", downs)
	}
	again := b.router("127.0.0.2", r.open)
	again.wantNotified(wire.CodeCease, wire.CeaseMaxPrefixes)
	if err := b.Reload(cfg); err != nil {
		t.Fatal(err)
	}
	b.up("127.0.0.2", r.open)
	b.waitState("edge1", route.StateEstablished)
}

func TestIdleTimeAfterMaxPrefixesPasses(t *testing.T) {
	t.Parallel()
	n := newNeighbor(testNeighbor("edge1", "127.0.0.2", 64501), testConfig(), testDeps())
	now := time.Now()
	n.idle, n.idleUntil = true, now.Add(time.Minute)
	n.awaitConnection(now, "reached max_prefixes")
	n.endIdleTime(now.Add(59 * time.Second))
	if s := n.snapshot(); s.State != route.StateIdle {
		t.Errorf("after 59s: %s", s.State)
	}
	n.endIdleTime(now.Add(61 * time.Second))
	if s := n.snapshot(); s.State != route.StateActive {
		t.Errorf("after 61s: %s", s.State)
	}
}

func TestReload(t *testing.T) {
	t.Parallel()
	stays, changes, goes := testNeighbor("stays", "127.0.0.2", 64501), testNeighbor("changes", "127.0.0.3", 64502), testNeighbor("goes", "127.0.0.4", 64503)
	b := start(t, testConfig(stays, changes, goes))
	r1 := b.up("127.0.0.2", testOpen(64501, "192.0.2.1"))
	r2 := b.up("127.0.0.3", testOpen(64502, "192.0.2.2"))
	r3 := b.up("127.0.0.4", testOpen(64503, "192.0.2.3"))
	for i, name := range []string{"stays", "changes", "goes"} {
		b.alive([]*router{r1, r2, r3}[i], name, i)
	}
	changes.HoldTime = 60 * time.Second
	if err := b.Reload(testConfig(stays, changes, testNeighbor("new", "127.0.0.5", 64504))); err != nil {
		t.Fatal(err)
	}
	r3.wantNotified(wire.CodeCease, wire.CeasePeerDeconfigured)
	r2.wantNotified(wire.CodeCease, wire.CeaseConfigChange)
	b.alive(r1, "stays", 10)
	if n := len(b.of("goes", route.PeerRemoved)); n != 1 {
		t.Errorf("%d PeerRemoved, want 1", n)
	}
	if _, ok := b.Session("goes"); ok {
		t.Error("the removed neighbor still has a session")
	}
	again := b.up("127.0.0.3", testOpen(64502, "192.0.2.2"))
	if again.theirs.HoldTime != 60 {
		t.Errorf("hold time after reload = %d, want 60", again.theirs.HoldTime)
	}
	b.alive(b.up("127.0.0.5", testOpen(64504, "192.0.2.5")), "new", 11)

	stays.Shutdown = "maintenance until noon"
	if err := b.Reload(testConfig(stays)); err != nil {
		t.Fatal(err)
	}
	got := r1.wantNotified(wire.CodeCease, wire.CeaseAdminShutdown)
	if got.Communication() != stays.Shutdown {
		t.Errorf("communication = %q", got.Communication())
	}
	b.waitState("stays", route.StateIdle)
	if s := b.session("stays"); !s.AdminDown {
		t.Error("AdminDown is false")
	}
	refused := b.router("127.0.0.2", r1.open)
	refused.wantNotified(wire.CodeCease, wire.CeaseAdminShutdown)
}

func TestReloadRefusesAWrongConfiguration(t *testing.T) {
	t.Parallel()
	cfg := testConfig(testNeighbor("edge1", "127.0.0.2", 64501))
	b := start(t, cfg)
	cfg.ASN = 0
	if err := b.Reload(cfg); err == nil {
		t.Error("Reload of a wrong configuration gives no error")
	}
	b.alive(b.up("127.0.0.2", testOpen(64501, "192.0.2.1")), "edge1", 1)
}

func TestReloadOfTheASNumberRestartsTheSpeaker(t *testing.T) {
	cfg := testConfig(testNeighbor("edge1", "127.0.0.2", 64501))
	b := startAlone(t, cfg)
	r := b.up("127.0.0.2", testOpen(64501, "192.0.2.1"))
	b.alive(r, "edge1", 1)
	cfg.ASN = 64510
	if err := b.Reload(cfg); err != nil {
		t.Fatal(err)
	}
	r.wantNotified(wire.CodeCease, wire.CeaseConfigChange)
	if got := b.up("127.0.0.2", testOpen(64501, "192.0.2.1")).theirs.ASN; got != 64510 {
		t.Errorf("AS number after reload = %s", got)
	}
}

func TestDynamicNeighbors(t *testing.T) {
	t.Parallel()
	cfg := testConfig()
	rule := DynamicNeighbor{Settings: DefaultSettings(), MaxSessions: 2, ASNs: []route.ASN{64501, 64502}}
	rule.Prefix, rule.Group = prefix("127.0.1.0/24"), "ixp"
	anyAS := DynamicNeighbor{Prefix: prefix("127.0.1.128/25"), Settings: DefaultSettings()}
	cfg.DynamicNeighbors = []DynamicNeighbor{rule, anyAS}
	b := start(t, cfg)
	if n := len(b.Sessions()); n != 0 {
		t.Errorf("%d sessions before the first connection", n)
	}
	r1 := b.up("127.0.1.1", testOpen(64501, "192.0.2.1"))
	b.alive(r1, "ixp-127.0.1.1", 1)
	wrong := b.router("127.0.1.2", testOpen(64999, "192.0.2.2"))
	wrong.send(wrong.open.Append(nil))
	wrong.wantNotified(wire.CodeOpen, wire.OpenBadPeerAS)
	for _, reserved := range []route.ASN{23456, 65535, 4294967295} {
		nobody := b.router("127.0.1.201", testOpen(reserved, "192.0.2.2"))
		nobody.send(nobody.open.Append(nil))
		nobody.wantNotified(wire.CodeOpen, wire.OpenBadPeerAS)
	}
	eventually(t, "the refused neighbor is forgotten", func() bool { return len(b.Sessions()) == 1 })
	r2 := b.up("127.0.1.3", testOpen(64502, "192.0.2.3"))
	b.alive(r2, "ixp-127.0.1.3", 2)
	full, err := b.dial("127.0.1.4") // beyond max_sessions
	refused(t, full, err)
	b.alive(b.up("127.0.1.200", testOpen(64999, "192.0.2.4")), "dynamic-127.0.1.200", 3)
	s := b.session("dynamic-127.0.1.200")
	if !s.Dynamic || s.Peer.ASN != 64999 {
		t.Errorf("session: %+v", s)
	}
	cfg.DynamicNeighbors = []DynamicNeighbor{anyAS}
	if err := b.Reload(cfg); err != nil {
		t.Fatal(err)
	}
	r1.wantNotified(wire.CodeCease, wire.CeasePeerDeconfigured)
	if n := len(b.Sessions()); n != 1 {
		t.Errorf("%d sessions after the rule went, want 1", n)
	}
}

func TestDynamicNeighborIsForgottenWhenItsRoutesAre(t *testing.T) {
	t.Parallel()
	cfg := testConfig()
	rule := DynamicNeighbor{Prefix: prefix("127.0.1.0/24"), Settings: DefaultSettings()}
	rule.StaleTime = time.Hour
	cfg.DynamicNeighbors = []DynamicNeighbor{rule}
	clock := newClock()
	b := start(t, cfg, clock.use)
	r := b.up("127.0.1.1", testOpen(64501, "192.0.2.1"))
	b.alive(r, "dynamic-127.0.1.1", 1)
	_ = r.conn.Close()
	b.waitState("dynamic-127.0.1.1", route.StateActive)
	clock.advance(time.Hour)
	b.expireNeighbors(t.Context(), clock.now())
	if n := len(b.Sessions()); n != 1 {
		t.Errorf("%d sessions while its routes are kept, want 1", n)
	}
	clock.advance(time.Nanosecond)
	eventually(t, "it is removed", func() bool { return len(b.of("dynamic-127.0.1.1", route.PeerRemoved)) == 1 })
	if n := len(b.Sessions()); n != 0 {
		t.Errorf("%d sessions", n)
	}
}

func TestReloadMovesTheListener(t *testing.T) {
	t.Parallel()
	cfg := testConfig(testNeighbor("edge1", "127.0.0.2", 64501))
	b := start(t, cfg)
	r := b.up("127.0.0.2", testOpen(64501, "192.0.2.1"))
	b.alive(r, "edge1", 1)
	before := b.Addresses()[0]
	cfg.Listen = []netip.AddrPort{netip.MustParseAddrPort("127.0.0.9:0")}
	if err := b.Reload(cfg); err != nil {
		t.Fatal(err)
	}
	after := b.Addresses()
	if len(after) != 1 || after[0] == before || after[0].Addr() != addr("127.0.0.9") {
		t.Errorf("addresses %v, before %v", after, before)
	}
	b.alive(r, "edge1", 2)
	cfg.Listen = append(cfg.Listen, netip.MustParseAddrPort("192.0.2.99:1790"))
	if err := b.Reload(cfg); err == nil {
		t.Error("an address that is not ours gives no error")
	}
	b.alive(r, "edge1", 3)
}
