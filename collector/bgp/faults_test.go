package bgp

import (
	"strings"
	"testing"
	"time"

	"ribglass/collector/wire"
	"ribglass/ribstore/route"
)

func noticeOf(s route.Session, kind route.NoticeKind) (route.Notice, bool) {
	for _, n := range s.Notices {
		if n.Kind == kind {
			return n, true
		}
	}
	return route.Notice{}, false
}

// TestFloodOfKeepalivesEndsTheSession: the session ends with a reason that the neighbor
// shows, and a peer that sends many at once, but no flood, stays.
func TestFloodOfKeepalivesEndsTheSession(t *testing.T) {
	t.Parallel()
	for name, message := range map[string][]byte{
		"KEEPALIVE":     wire.AppendKeepalive(nil),
		"ROUTE-REFRESH": wire.RouteRefresh{Family: route.IPv4Unicast}.Append(nil),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			clock := newClock()
			b := start(t, testConfig(testNeighbor("edge1", "127.0.0.2", 64501)), clock.use)
			r := b.up("127.0.0.2", testOpen(64501, "192.0.2.1"))
			for range chatterBurst - 50 {
				r.send(message)
			}
			b.alive(r, "edge1", 1)
			for range 100 {
				_, _ = r.conn.Write(message)
			}
			r.wantNotified(wire.CodeCease, wire.CeaseOutOfResources)
			b.waitState("edge1", route.StateActive)
			s := b.session("edge1")
			want := "more than 100 KEEPALIVE and ROUTE-REFRESH messages a second"
			if n, ok := noticeOf(s, noticeChatter); !ok || !strings.Contains(n.Text, want) || !strings.Contains(s.LastError, want) {
				t.Errorf("notices %+v, last error %q", s.Notices, s.LastError)
			}
		})
	}
}

func TestSessionWithoutACommonFamilySaysSo(t *testing.T) {
	t.Parallel()
	n := testNeighbor("edge1", "127.0.0.2", 64501)
	n.Families = []route.Family{route.IPv6Unicast}
	b := start(t, testConfig(n))
	open := &wire.Open{ASN: 64501, HoldTime: 90, RouterID: addr("192.0.2.1"), Capabilities: []wire.Capability{
		wire.FourOctetASCapability(64501), wire.MultiprotocolCapability(route.IPv4Unicast),
	}}
	r := b.up("127.0.0.2", open)
	b.waitState("edge1", route.StateEstablished)
	eventually(t, "a notice", func() bool { _, ok := noticeOf(b.session("edge1"), noticeNoFamily); return ok })
	one, _ := noticeOf(b.session("edge1"), noticeNoFamily)
	if want := "the router offers ipv4-unicast, configured here is ipv6-unicast"; !strings.Contains(one.Text, want) {
		t.Errorf("notice %q, want %q", one.Text, want)
	}
	_ = r.conn.Close()
	b.waitState("edge1", route.StateActive)
	b.alive6(b.up("127.0.0.2", testOpen(64501, "192.0.2.1")), "edge1")
	if _, still := noticeOf(b.session("edge1"), noticeNoFamily); still {
		t.Error("the notice stays when a session has a family")
	}
}

// alive6 waits until the session is up.
func (b *bench) alive6(_ *router, peer string) {
	b.t.Helper()
	b.waitState(peer, route.StateEstablished)
}

func TestParseMD5(t *testing.T) {
	t.Parallel()
	const text = `TcpExt: SyncookiesSent TCPMD5NotFound TCPMD5Unexpected TCPMD5Failure TCPSackShifted
TcpExt: 1 20 300 4000 5
IpExt: InNoRoutes TCPMD5NotFound
IpExt: 0 9
`
	for _, row := range []struct {
		name, text string
		want       route.MD5Errors
		ok         bool
	}{
		{"a kernel with TCP-MD5", text, route.MD5Errors{Missing: 20, Unexpected: 300, Wrong: 4000}, true},
		{"a kernel without", "TcpExt: SyncookiesSent\nTcpExt: 1\n", route.MD5Errors{}, true},
		{"values cut short", "TcpExt: TCPMD5NotFound TCPMD5Failure\nTcpExt: 7\n", route.MD5Errors{Missing: 7}, true},
		{"nothing", "", route.MD5Errors{}, false},
	} {
		if got, ok := parseMD5([]byte(row.text)); got != row.want || ok != row.ok {
			t.Errorf("%s: %+v, %v, want %+v, %v", row.name, got, ok, row.want, row.ok)
		}
	}
}

// TestMD5IsHintedAt follows neighbors that wait for a connection while the counters of
// the kernel rise.
func TestMD5IsHintedAt(t *testing.T) {
	t.Parallel()
	clock := newClock()
	d := testDeps()
	clock.use(&d)
	with, without := testNeighbor("with", "127.0.0.2", 64501), testNeighbor("without", "127.0.0.3", 64502)
	with.Password = "a key of the two"
	c, err := New(testConfig(with, without), d)
	if err != nil {
		t.Fatal(err)
	}
	var errs route.MD5Errors
	c.readMD5 = func() (route.MD5Errors, bool) { return errs, true }
	hints := func() (texts [2]string) {
		clock.advance(time.Second)
		c.watchMD5(c.neighbors())
		for i, name := range []string{"with", "without"} {
			one, _ := noticeOf(c.neighbor(name).snapshot(), noticeMD5)
			texts[i] = one.Text
		}
		return texts
	}
	errs = route.MD5Errors{Missing: 5, Unexpected: 5, Wrong: 5} // of before
	if got := hints(); got != [2]string{} {
		t.Errorf("hints of what was counted before: %q", got)
	}
	errs.Wrong++
	if got := hints(); !strings.Contains(got[0], "No connection has arrived since 2026-01-01T00:00:00Z") ||
		!strings.Contains(got[0], "wrong TCP-MD5 key (TCPMD5Failure: 6)") || got[1] != "" {
		t.Errorf("a wrong key: %q", got)
	}
	errs.Unexpected++
	if got := hints(); !strings.Contains(got[1], "where no key is configured (TCPMD5Unexpected: 6)") {
		t.Errorf("an unexpected signature: %q", got)
	}
	c.neighbor("with").awaitForTest(route.StateEstablished)
	if got := hints(); got[0] != "" {
		t.Errorf("the hint stays with a session: %q", got[0])
	}
	clock.advance(time.Second)
	c.neighbor("with").awaitForTest(route.StateActive)
	if got := hints(); got[0] != "" {
		t.Errorf("a hint of before the session: %q", got[0])
	}
	errs.Missing++
	if got := hints(); !strings.Contains(got[0], "without TCP-MD5 where a key is configured (TCPMD5NotFound: 6)") {
		t.Errorf("a missing signature: %q", got[0])
	}
	if got := c.MD5Errors(); got != errs {
		t.Errorf("MD5Errors() = %+v, want %+v", got, errs)
	}
}

func (n *neighbor) awaitForTest(to route.State) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.transition(to, "", n.now())
}
