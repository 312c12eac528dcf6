package bgp

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"ribglass/collector/wire"
	"ribglass/ribstore/route"
)

func mustAddrPort(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }

// passive listens where a neighbor that only waits listens, and returns it as the
// configuration has it.
func passive(t *testing.T, name, address string, asn route.ASN) (*net.TCPListener, Neighbor) {
	t.Helper()
	l, err := net.ListenTCP("tcp", net.TCPAddrFromAddrPort(netip.AddrPortFrom(addr(address), 0)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	n := testNeighbor(name, address, asn)
	n.Dialing = Dialing{Connect: true, Port: l.Addr().(*net.TCPAddr).Port, LocalAddress: addr("127.0.0.1")}
	return l, n
}

// accepted returns the router at the end of the connection that the collector opened.
func (b *bench) accepted(l *net.TCPListener, open *wire.Open) *router {
	b.t.Helper()
	_ = l.SetDeadline(time.Now().Add(patience))
	conn, err := l.AcceptTCP()
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = conn.Close() })
	return &router{t: b.t, conn: conn, open: open}
}

// The collector connects from the address that is configured, takes the routes, and
// connects again when the session has ended.
func TestTheCollectorConnects(t *testing.T) {
	t.Parallel()
	l, n := passive(t, "quiet", "127.0.0.2", 64501)
	n.LocalAddress = addr("127.0.0.7")
	clock := newClock()
	b := start(t, testConfig(n), clock.use)
	r := b.accepted(l, testOpen(64501, "192.0.2.1"))
	if from := r.conn.RemoteAddr().(*net.TCPAddr).IP.String(); from != "127.0.0.7" {
		t.Errorf("it connects from %s", from)
	}
	r.establish()
	b.alive(r, "quiet", 1)
	if to := b.session("quiet").ConnectTo; to != fmt.Sprintf("127.0.0.2:%d", n.Port) {
		t.Errorf("it says that it connects to %q", to)
	}
	if h := b.session("quiet").History; !strings.HasPrefix(h[len(h)-1].Reason, "connecting to 127.0.0.2:") {
		t.Errorf("history %+v", h)
	}
	_ = r.conn.Close()
	b.waitState("quiet", route.StateActive)
	eventually(t, "the next attempt", func() bool {
		clock.advance(time.Second)
		return b.session("quiet").State != route.StateActive
	})
	b.accepted(l, testOpen(64501, "192.0.2.1")).establish()
	b.waitState("quiet", route.StateEstablished)
}

// An attempt that fails says why, once for as long as it stays so, and becomes a
// notice when it lasts. Attempts become rarer.
func TestAnAttemptThatFailsSaysWhy(t *testing.T) {
	t.Parallel()
	l, n := passive(t, "gone", "127.0.0.2", 64501)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	clock := newClock()
	b := start(t, testConfig(n), clock.use)
	want := fmt.Sprintf("127.0.0.2:%d refused the connection: no BGP speaker listens there for us", n.Port)
	seconds := 0
	eventually(t, "six attempts", func() bool {
		clock.advance(time.Second)
		seconds++
		s := b.session("gone")
		return len(s.Notices) == 1 && s.Notices[0].Count >= 6
	})
	b.waitState("gone", route.StateActive)
	s := b.session("gone")
	if notice := s.Notices[0]; s.LastError != want || notice.Text != want || notice.Kind != "connect_failed" || !notice.Last.After(notice.Since) {
		t.Errorf("last error %q, notice %+v, want %q", s.LastError, notice, want)
	}
	if len(s.History) != 2 {
		t.Errorf("history %+v, want an attempt and its end", s.History)
	}
	if got := strings.Count(b.logged(), want); got != 1 {
		t.Errorf("%d lines of the log, want 1", got)
	}
}

// Two BGP processes on one machine, in one AS, are told apart by the ports that they are
// dialed at. A connection from them fits both, and is refused with the way out.
func TestNeighborsOfOneAddressByPort(t *testing.T) {
	t.Parallel()
	first, one := passive(t, "one", "127.0.0.2", 64501)
	second, two := passive(t, "two", "127.0.0.2", 64501)
	b := start(t, testConfig(one, two))
	for _, tt := range []struct {
		l          *net.TCPListener
		name       string
		id, prefix string
	}{{first, "one", "192.0.2.1", "198.51.100.0/24"}, {second, "two", "192.0.2.2", "198.51.101.0/24"}} {
		r := b.accepted(tt.l, testOpen(64501, tt.id))
		r.establish()
		r.announce(tt.prefix)
		eventually(t, tt.name+" has its route", func() bool { return b.has(tt.name, tt.prefix) })
	}
	r := b.router("127.0.0.2", testOpen(64501, "192.0.2.1"))
	r.send(r.open.Append(nil))
	r.wantNotified(wire.CodeCease, wire.CeaseConnectionRejected)
	for _, name := range []string{"one", "two"} {
		eventually(t, name+" says why", func() bool {
			return strings.Contains(b.session(name).LastError, "fits one and two: give each a router_id")
		})
		if s := b.session(name); s.State != route.StateEstablished {
			t.Errorf("%s is %s", name, s.State)
		}
	}
}

// The interface of a link-local address may not be there, or not yet.
func TestAnAttemptOnAnInterfaceThatIsNotThere(t *testing.T) {
	t.Parallel()
	n := testNeighbor("lan", "fe80::2%nosuch0", 64501)
	n.Dialing = Dialing{Connect: true, Port: 179}
	_, err := connect(t.Context(), n)
	if got, want := dialReason(n, err), "connect to [fe80::2%nosuch0]:179: this machine has no such interface"; err == nil || got != want {
		t.Errorf("connect() = %v, %q, want %q", err, got, want)
	}
}

func TestAttemptsBecomeRarer(t *testing.T) {
	t.Parallel()
	for failed, want := range []time.Duration{2 * time.Second, 4 * time.Second, 8 * time.Second, 16 * time.Second, 30 * time.Second, 30 * time.Second} {
		for range 100 {
			if got := backoff(uint64(failed), 30*time.Second); got > want || got < want*3/4 {
				t.Fatalf("backoff(%d) = %s, want %s and up to a quarter less", failed, got, want)
			}
		}
	}
	if got := backoff(1<<40, time.Minute); got > time.Minute || got < 45*time.Second {
		t.Errorf("backoff of very many attempts = %s", got)
	}
}

// RFC 4271 section 6.8: each side opened a connection, and the connection of the side
// with the higher router id stays. Ours is 192.0.2.10.
func TestACollisionIsDecidedByTheRouterIDs(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, id  string
		ours      bool // the connection of this side stays
		saysFirst bool // the peer has said its OPEN on our connection before
	}{
		{"lower, known", "192.0.2.9", true, true},
		{"lower, not known yet", "192.0.2.9", true, false},
		{"higher, known", "192.0.2.11", false, true},
		{"higher, not known yet", "192.0.2.11", false, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l, n := passive(t, "edge1", "127.0.0.2", 64501)
			b := start(t, testConfig(n))
			open := testOpen(64501, tt.id)
			dialed := b.accepted(l, open)
			dialed.expect(wire.TypeOpen)
			if tt.saysFirst {
				dialed.send(open.Append(nil))
				dialed.expect(wire.TypeKeepalive)
			}
			incoming := b.router("127.0.0.2", open)
			incoming.send(open.Append(nil))
			stays, goes := incoming, dialed
			if tt.ours {
				stays, goes = dialed, incoming
			}
			goes.wantNotified(wire.CodeCease, wire.CeaseCollision)
			switch {
			case tt.ours && !tt.saysFirst:
				dialed.send(open.Append(nil))
				dialed.expect(wire.TypeKeepalive)
			case !tt.ours:
				incoming.expect(wire.TypeOpen)
				incoming.expect(wire.TypeKeepalive)
			}
			stays.send(wire.AppendKeepalive(nil))
			b.waitState("edge1", route.StateEstablished)
			stays.agreed = wire.Negotiate(open, testOpen(64500, "192.0.2.10"))
			b.alive(stays, "edge1", 1)
		})
	}
}

// The same holds when the connection of this side is the newer one, and for equal
// router ids the AS numbers decide (RFC 6286 section 2.3). Ours is 64500.
func TestACollisionWithANewerConnection(t *testing.T) {
	t.Parallel()
	c := newBench(t, testConfig(testNeighbor("edge1", "127.0.0.2", 64501))).Collector
	for _, tt := range []struct {
		id   string
		asn  route.ASN
		ours bool // the connection of this side stays
	}{
		{"192.0.2.9", 64501, true},
		{"192.0.2.11", 64501, false},
		{"192.0.2.10", 64499, true},
		{"192.0.2.10", 64501, false},
		{"9.255.255.255", 64501, true},
		{"200.0.0.0", 64499, false},
	} {
		for _, oursIsNewer := range []bool{false, true} {
			older, newer := &session{c: c}, &session{c: c}
			older.agreed.Store(&wire.Session{PeerRouterID: addr(tt.id), PeerASN: tt.asn})
			if oursIsNewer {
				newer.dialed = new(attempt)
			} else {
				older.dialed = new(attempt)
			}
			if stays := older.collides(t.Context(), newer); stays != (tt.ours == oursIsNewer) {
				t.Errorf("router id %s in AS %s, ours is newer %v: the newer connection stays %v", tt.id, tt.asn, oursIsNewer, stays)
			}
		}
	}
}

// While a session is up, whoever began it, nothing is dialed; an incoming connection
// of a neighbor that is dialed is taken.
func TestANeighborThatIsDialedMayConnect(t *testing.T) {
	t.Parallel()
	l, n := passive(t, "edge1", "127.0.0.2", 64501)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	clock := newClock()
	b := start(t, testConfig(n), clock.use)
	eventually(t, "an attempt failed", func() bool { return b.session("edge1").LastError != "" })
	r := b.up("127.0.0.2", testOpen(64501, "192.0.2.1"))
	b.waitState("edge1", route.StateEstablished)
	clock.advance(time.Hour)
	b.alive(r, "edge1", 1)
	if s := b.session("edge1"); s.State != route.StateEstablished || len(s.Notices) > 0 {
		t.Errorf("%s, notices %+v", s.State, s.Notices)
	}
}

// A reload that changes the port ends the session and connects to the new port. A
// reload that changes how often to try keeps the session.
func TestReloadOfWhereToConnect(t *testing.T) {
	t.Parallel()
	l, n := passive(t, "edge1", "127.0.0.2", 64501)
	other, moved := passive(t, "edge1", "127.0.0.2", 64501)
	b := start(t, testConfig(n))
	r := b.accepted(l, testOpen(64501, "192.0.2.1"))
	r.establish()
	b.waitState("edge1", route.StateEstablished)
	n.ConnectRetry, moved.ConnectRetry = time.Hour, time.Hour
	if err := b.Reload(testConfig(n)); err != nil {
		t.Fatal(err)
	}
	b.alive(r, "edge1", 1)
	done := make(chan error, 1)
	go func() { done <- b.Reload(testConfig(moved)) }()
	r.wantNotified(wire.CodeCease, wire.CeaseConfigChange)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	b.accepted(other, testOpen(64501, "192.0.2.1")).establish()
	b.waitState("edge1", route.StateEstablished)
	moved.Shutdown = "maintenance"
	go func() { done <- b.Reload(testConfig(moved)) }()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	b.waitState("edge1", route.StateIdle)
}
