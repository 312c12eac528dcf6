package bgp

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	api "github.com/osrg/gobgp/v3/api"
	"google.golang.org/protobuf/types/known/anypb"

	"ribglass/collector/wire"
	"ribglass/ribstore/route"
)

func TestRoutesOfASessionLeaveAsBatches(t *testing.T) {
	t.Parallel()
	b := start(t, testConfig(testNeighbor("edge1", "127.0.0.2", 64501)))
	r := b.up("127.0.0.2", testOpen(64501, "192.0.2.1"))
	r.announce("198.51.100.0/24", "2001:db8::/32")
	r.send(wire.AppendEndOfRIB(nil, route.IPv4Unicast))
	r.update(route.Update{Family: route.IPv4Unicast, NLRI: []route.NLRI{{Prefix: netip.MustParsePrefix("198.51.100.0/24")}}})
	eventually(t, "the withdrawal arrives", func() bool {
		return b.has("edge1", "2001:db8::/32") && !b.has("edge1", "198.51.100.0/24")
	})
	_ = r.conn.Close()
	eventually(t, "the end arrives", func() bool { return len(b.of("edge1", route.PeerDown)) == 1 })

	var got []string
	b.mu.Lock()
	for _, batch := range b.batches {
		switch batch.Event {
		case route.Routes:
			for _, u := range batch.Updates {
				verb := "announce "
				if u.Withdraw() {
					verb = "withdraw "
				}
				got = append(got, verb+u.NLRI[0].Prefix.String())
			}
		case route.PeerUp:
			got = append(got, "up "+batch.Peer.RouterID.String())
		case route.PeerDown:
			got = append(got, "down: "+batch.Reason)
		case route.EndOfRIB:
			got = append(got, "end-of-rib "+batch.Family.String())
		}
	}
	b.mu.Unlock()
	want := []string{
		"up 192.0.2.1", "announce 198.51.100.0/24", "announce 2001:db8::/32", "end-of-rib ipv4-unicast",
		"withdraw 198.51.100.0/24", "down: the peer closed the connection",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("batches (-want +got):\n%s", d)
	}
}

func TestOurOpenSaysWhatTheSessionImplements(t *testing.T) {
	t.Parallel()
	n := testNeighbor("edge1", "127.0.0.2", 64501)
	n.AddPath = true
	b := start(t, testConfig(n))
	r := b.up("127.0.0.2", testOpen(64501, "192.0.2.1"))
	var codes []uint8
	for _, c := range r.theirs.Capabilities {
		codes = append(codes, c.Code)
	}
	want := []uint8{1, 1, 2, 70, 65, 6, 64, 71, 5, 69}
	if d := cmp.Diff(want, codes); d != "" {
		t.Errorf("capabilities (-want +got):\n%s", d)
	}
	if r.theirs.ASN != 64500 || r.theirs.RouterID != addr("192.0.2.10") || r.theirs.HoldTime != 90 {
		t.Errorf("OPEN = %+v", r.theirs)
	}
}

func TestSessionTellsWhatItKnows(t *testing.T) {
	t.Parallel()
	b := start(t, testConfig(testNeighbor("edge1", "127.0.0.2", 64501)))
	if s := b.session("edge1"); s.State != route.StateActive || s.Peer.RouterID.IsValid() {
		t.Errorf("before the first session: %+v", s)
	}
	open := testOpen(64501, "192.0.2.1")
	open.HoldTime = 30
	r := b.up("127.0.0.2", open)
	r.announce("198.51.100.0/24")
	r.send(wire.AppendEndOfRIB(nil, route.IPv4Unicast))
	eventually(t, "two UPDATEs are counted", func() bool { return b.session("edge1").Counters.UpdatesIn == 2 })
	s := b.session("edge1")
	if s.State != route.StateEstablished || s.HoldTime != 30*time.Second || s.Peer.RouterID != addr("192.0.2.1") {
		t.Errorf("established session: %+v", s)
	}
	if s.EndOfRIB[route.IPv4Unicast].IsZero() || s.Counters.PrefixesAnnounced != 1 || s.Counters.SessionsEstablished != 1 || s.LastUpdate.IsZero() {
		t.Errorf("counters: %+v", s.Counters)
	}
	n := &wire.Notification{Code: wire.CodeCease, Subcode: wire.CeaseAdminShutdown, Data: wire.ShutdownCommunication("<b>maintenance</b>")}
	r.send(n.Append(nil))
	b.waitState("edge1", route.StateActive)
	s = b.session("edge1")
	if !strings.Contains(s.LastError, "<b>maintenance</b>") {
		t.Errorf("LastError = %q, want the communication", s.LastError)
	}
	var states []route.State
	for _, h := range s.History {
		states = append(states, h.To)
	}
	want := []route.State{"active", "established", "openconfirm", "opensent", "connect"}
	if d := cmp.Diff(want, states); d != "" {
		t.Errorf("history (-want +got):\n%s", d)
	}
}

func TestUnknownPeerGetsNotAByte(t *testing.T) {
	t.Parallel()
	b := start(t, testConfig(testNeighbor("edge1", "127.0.0.2", 64501)))
	conn, err := b.dial("127.0.0.99")
	refused(t, conn, err)
	if v := b.metric("ribglass_collector_connections_refused_total", "unknown_peer"); v != 1 {
		t.Errorf("refused = %v, want 1", v)
	}
}

func TestWrongOpenIsRefused(t *testing.T) { //nolint:tparallel // the rows share a neighbor
	t.Parallel()
	tests := map[string]struct {
		open          *wire.Open
		code, subcode uint8
	}{
		"another AS":             {testOpen(64999, "192.0.2.1"), 2, 2},
		"hold time of 1 s":       {&wire.Open{ASN: 64501, HoldTime: 1, RouterID: addr("192.0.2.1")}, 2, 6},
		"hold time below ours":   {&wire.Open{ASN: 64501, HoldTime: 5, RouterID: addr("192.0.2.1")}, 2, 6},
		"no hold time":           {&wire.Open{ASN: 64501, HoldTime: 0, RouterID: addr("192.0.2.1")}, 2, 6},
		"router id zero":         {&wire.Open{ASN: 64501, HoldTime: 90, RouterID: addr("0.0.0.0")}, 2, 3},
		"truncated capabilities": {&wire.Open{ASN: 64501, HoldTime: 90, RouterID: addr("192.0.2.1"), Capabilities: []wire.Capability{{Code: 65, Value: []byte{0}}}}, 2, 0},
	}
	n := testNeighbor("edge1", "127.0.0.2", 64501)
	n.MinHoldTime = 10 * time.Second
	b := start(t, testConfig(n))
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := b.router("127.0.0.2", tt.open)
			r.t = t
			r.send(tt.open.Append(nil))
			r.wantNotified(tt.code, tt.subcode)
			b.waitState("edge1", route.StateActive)
		})
	}
}

func TestPeerWithOurRouterIDIsRefused(t *testing.T) {
	t.Parallel()
	b := start(t, testConfig(testNeighbor("ibgp", "127.0.0.2", 64500)))
	r := b.router("127.0.0.2", testOpen(64500, "192.0.2.10"))
	r.send(r.open.Append(nil))
	r.wantNotified(wire.CodeOpen, wire.OpenBadRouterID)
	b.waitState("ibgp", route.StateActive)
	if s := b.session("ibgp"); !strings.Contains(s.LastError, "router id is 192.0.2.10") {
		t.Errorf("LastError = %q", s.LastError)
	}
}

func TestMessagesOutOfTurnEndTheSession(t *testing.T) { //nolint:tparallel // the rows share a neighbor
	t.Parallel()
	tests := map[string]struct {
		send    []byte
		after   bool // Established
		subcode uint8
	}{
		"update instead of open":    {wire.AppendEndOfRIB(nil, route.IPv4Unicast), false, 1},
		"keepalive instead of open": {wire.AppendKeepalive(nil), false, 1},
		"a second open":             {testOpen(64501, "192.0.2.1").Append(nil), true, 3},
	}
	b := start(t, testConfig(testNeighbor("edge1", "127.0.0.2", 64501)))
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := b.router("127.0.0.2", testOpen(64501, "192.0.2.1"))
			r.t = t
			if tt.after {
				r.establish()
				b.waitState("edge1", route.StateEstablished)
			}
			r.send(tt.send)
			r.wantNotified(wire.CodeFSM, tt.subcode)
			b.waitState("edge1", route.StateActive)
		})
	}
}

func TestAPeerMayConfirmBeforeItSeesOurOpen(t *testing.T) {
	t.Parallel()
	b := start(t, testConfig(testNeighbor("edge1", "127.0.0.2", 64501)))
	r := b.router("127.0.0.2", testOpen(64501, "192.0.2.1"))
	r.send(wire.AppendKeepalive(r.open.Append(nil)))
	b.waitState("edge1", route.StateEstablished)
}

// TestNothingIsAnnounced gives the speaker what it must never have, a route and
// policies that let it out, and listens to what two peers receive.
func TestNothingIsAnnounced(t *testing.T) {
	b := startAlone(t, testConfig(testNeighbor("edge1", "127.0.0.2", 64501), testNeighbor("ibgp", "127.0.0.3", 64500)))
	ctx := t.Context()
	bgp := b.speaker().bgp
	for _, d := range []api.PolicyDirection{api.PolicyDirection_IMPORT, api.PolicyDirection_EXPORT} {
		err := bgp.SetPolicyAssignment(ctx, &api.SetPolicyAssignmentRequest{Assignment: &api.PolicyAssignment{
			Name: "global", Direction: d, DefaultAction: api.RouteAction_ACCEPT,
		}})
		if err != nil {
			t.Fatal(err)
		}
	}
	nlri, _ := anypb.New(&api.IPAddressPrefix{Prefix: "203.0.113.0", PrefixLen: 24})
	origin, _ := anypb.New(&api.OriginAttribute{Origin: 0})
	hop, _ := anypb.New(&api.NextHopAttribute{NextHop: "192.0.2.10"})
	_, err := bgp.AddPath(ctx, &api.AddPathRequest{Path: &api.Path{
		Family: &api.Family{Afi: api.Family_AFI_IP, Safi: api.Family_SAFI_UNICAST}, Nlri: nlri, Pattrs: []*anypb.Any{origin, hop},
	}})
	if err != nil {
		t.Fatal(err)
	}
	aware := wire.GracefulRestartCapability(wire.GracefulRestart{Time: 120 * time.Second})
	edge := b.up("127.0.0.2", testOpen(64501, "192.0.2.1", aware, wire.EnhancedRefreshCapability()))
	ibgp := b.up("127.0.0.3", testOpen(64500, "192.0.2.2", aware))
	edge.announce("198.51.100.0/24")
	edge.send(wire.RouteRefresh{Family: route.IPv4Unicast}.Append(nil))
	for _, name := range []string{"edge1", "ibgp"} {
		eventually(t, "the speaker tries to announce to "+name, func() bool {
			return b.metric("ribglass_collector_outgoing_updates_dropped_total", name) > 0
		})
	}
	eventually(t, "the route refresh is answered", func() bool { // after OPEN, KEEPALIVE and UPDATE
		return b.session("edge1").Counters.MessagesIn == 4
	})
	go b.stop()
	for _, r := range []*router{edge, ibgp} {
		ends, refreshes := 0, 0
		for {
			typ, body, err := r.read()
			if err != nil {
				t.Fatalf("before the NOTIFICATION: %v", err)
			}
			if typ == wire.TypeNotification {
				break
			}
			switch typ {
			case wire.TypeUpdate:
				if !isEndOfRIB(body) {
					t.Errorf("received UPDATE % x", body)
				}
				ends++
			case wire.TypeRouteRefresh:
				refreshes++
			}
		}
		if ends != 2 {
			t.Errorf("%d End-of-RIB, want one a family", ends)
		}
		if r == edge && refreshes != 2 {
			t.Errorf("%d ROUTE-REFRESH, want BoRR and EoRR", refreshes)
		}
	}
	if !strings.Contains(b.logged(), "dropped an outgoing update") {
		t.Error("no log line")
	}
}

func TestIsEndOfRIB(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		body []byte
		want bool
	}{
		"IPv4":                      {[]byte{0, 0, 0, 0}, true},
		"IPv6":                      {wire.AppendEndOfRIB(nil, route.IPv6Unicast)[wire.HeaderLen:], true},
		"withdrawal":                {[]byte{0, 2, 8, 10, 0, 0}, false},
		"IPv6 withdrawal":           {[]byte{0, 0, 0, 8, 0x80, 15, 5, 0, 2, 1, 8, 0x20}, false},
		"attributes without prefix": {[]byte{0, 0, 0, 4, 0x40, 1, 1, 0}, false},
		"announcement":              {[]byte{0, 0, 0, 0, 8, 10}, false},
		"empty":                     {nil, false},
		"a family we do not keep":   {[]byte{0, 0, 0, 6, 0x80, 15, 3, 0, 25, 70}, true},
	}
	for name, tt := range tests {
		if got := isEndOfRIB(tt.body); got != tt.want {
			t.Errorf("%s: isEndOfRIB(% x) = %v", name, tt.body, got)
		}
	}
}

func TestGracefulStopTellsEveryPeer(t *testing.T) {
	t.Parallel()
	b := start(t, testConfig(testNeighbor("edge1", "127.0.0.2", 64501), testNeighbor("edge2", "127.0.0.3", 64502)))
	r1 := b.up("127.0.0.2", testOpen(64501, "192.0.2.1"))
	r2 := b.up("127.0.0.3", testOpen(64502, "192.0.2.2"))
	b.waitState("edge1", route.StateEstablished)
	b.waitState("edge2", route.StateEstablished)
	if took := b.stop(); took > 5*time.Second {
		t.Errorf("Run took %s to end", took)
	}
	for _, r := range []*router{r1, r2} {
		r.wantNotified(wire.CodeCease, wire.CeaseAdminShutdown)
	}
	if n := len(b.of("edge1", route.PeerDown)); n != 1 {
		t.Errorf("%d PeerDown, want 1", n)
	}
}

func TestRefreshIsAskedForAndEnclosed(t *testing.T) {
	t.Parallel()
	b := start(t, testConfig(testNeighbor("edge1", "127.0.0.2", 64501)))
	if err := b.Refresh("edge1"); err == nil {
		t.Error("Refresh of a session that is down gives no error")
	}
	if err := b.Refresh("nobody"); err == nil {
		t.Error("Refresh of nobody gives no error")
	}
	r := b.up("127.0.0.2", testOpen(64501, "192.0.2.1", wire.EnhancedRefreshCapability()))
	eventually(t, "the session is up", func() bool { return len(b.of("edge1", route.PeerUp)) == 1 })
	if err := b.Refresh("edge1"); err != nil {
		t.Fatal(err)
	}
	for _, want := range []route.Family{route.IPv4Unicast, route.IPv6Unicast} {
		got, err := wire.ParseRouteRefresh(r.expect(wire.TypeRouteRefresh))
		if err != nil || got.Family != want || got.Subtype != wire.RefreshNormal {
			t.Errorf("ROUTE-REFRESH = %+v, %v, want %s", got, err, want)
		}
	}
	r.send(wire.RouteRefresh{Family: route.IPv4Unicast, Subtype: wire.RefreshBegin}.Append(nil))
	r.announce("198.51.100.0/24")
	r.send(wire.RouteRefresh{Family: route.IPv4Unicast, Subtype: wire.RefreshEnd}.Append(nil))
	eventually(t, "the refresh ends", func() bool { return len(b.of("edge1", route.RefreshEnd)) == 1 })
	var events []route.Event
	for _, batch := range b.of("edge1", route.RefreshBegin, route.Routes, route.RefreshEnd) {
		events = append(events, batch.Event)
	}
	if want := []route.Event{route.RefreshBegin, route.Routes, route.RefreshEnd}; !slices.Equal(events, want) {
		t.Errorf("events = %v, want %v", events, want)
	}
}

// TestRefreshBeforeEndOfRIBIsIgnored: BoRR of a peer with graceful restart says nothing
// before its End-of-RIB (RFC 7313 section 4).
func TestRefreshBeforeEndOfRIBIsIgnored(t *testing.T) {
	t.Parallel()
	b := start(t, testConfig(testNeighbor("edge1", "127.0.0.2", 64501)))
	r := b.up("127.0.0.2", testOpen(64501, "192.0.2.1", wire.EnhancedRefreshCapability(), graceful(true, false)))
	refresh := func(subtype wire.RefreshSubtype) {
		r.send(wire.RouteRefresh{Family: route.IPv4Unicast, Subtype: subtype}.Append(nil))
	}
	refresh(wire.RefreshBegin)
	r.announce("198.51.100.0/24")
	refresh(wire.RefreshEnd)
	r.send(wire.AppendEndOfRIB(nil, route.IPv4Unicast))
	refresh(wire.RefreshBegin)
	refresh(wire.RefreshEnd)
	eventually(t, "the second refresh ends", func() bool { return len(b.of("edge1", route.RefreshEnd)) > 0 })
	var events []route.Event
	for _, batch := range b.of("edge1", route.RefreshBegin, route.Routes, route.RefreshEnd, route.EndOfRIB) {
		events = append(events, batch.Event)
	}
	if want := []route.Event{route.Routes, route.EndOfRIB, route.RefreshBegin, route.RefreshEnd}; !slices.Equal(events, want) {
		t.Errorf("events = %v, want %v", events, want)
	}
}

func TestOldPeersWithoutCapabilities(t *testing.T) {
	t.Parallel()
	b := start(t, testConfig(testNeighbor("old", "127.0.0.2", 64501)))
	r := b.up("127.0.0.2", &wire.Open{ASN: 64501, HoldTime: 90, RouterID: addr("192.0.2.1")})
	b.alive(r, "old", 1)
	s := b.session("old")
	if d := cmp.Diff([]route.Family{route.IPv4Unicast}, s.Families); d != "" {
		t.Errorf("families (-want +got):\n%s", d)
	}
	if path := b.of("old", route.Routes)[0].Updates[0].Attrs.ASPath().String(); path != "64501" {
		t.Errorf("AS path of a two-octet peer = %q", path)
	}
	if err := b.Refresh("old"); err == nil {
		t.Error("Refresh of a peer that cannot gives no error")
	}
}

func TestAddPathAndExtendedMessages(t *testing.T) {
	t.Parallel()
	n := testNeighbor("rs", "127.0.0.2", 64501)
	n.AddPath = true
	b := start(t, testConfig(n))
	paths := wire.AddPathCapability([route.NumFamilies]wire.AddPathMode{wire.AddPathSend})
	r := b.up("127.0.0.2", testOpen(64501, "192.0.2.1", paths, wire.ExtendedMessageCapability()))
	u := announcement(64501, "198.51.100.0/24")
	u.NLRI = nil
	for i := range uint32(2000) { // 8 octets each: one message of 16 kB
		u.NLRI = append(u.NLRI, route.NLRI{Prefix: prefix("198.51.100.0/24"), PathID: i + 1})
	}
	r.send(wire.AppendUpdate(nil, r.agreed, u, wire.MaxExtendedLen))
	eventually(t, "all paths arrive", func() bool { return len(b.of("rs", route.Routes)) == 1 })
	s := b.session("rs")
	if s.Counters.UpdatesIn != 1 || s.Counters.PrefixesAnnounced != 2000 || !s.Peer.AddPath[route.IPv4Unicast] || s.Peer.AddPath[route.IPv6Unicast] {
		t.Errorf("session: %+v, ADD-PATH %v", s.Counters, s.Peer.AddPath)
	}
	if got := b.of("rs", route.Routes)[0].Updates[0].NLRI[1999].PathID; got != 2000 {
		t.Errorf("path id = %d, want 2000", got)
	}
}
