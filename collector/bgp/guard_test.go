package bgp

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ribglass/collector"
	"ribglass/collector/wire"
	"ribglass/ribstore/route"
)

func testDeps() Deps { return Deps{Logger: slog.New(slog.DiscardHandler), Now: time.Now} }

func prefix(s string) netip.Prefix { return netip.MustParsePrefix(s) }

func TestConnectionsOfOnePeerAreLimited(t *testing.T) {
	t.Parallel()
	clock := newClock()
	b := start(t, testConfig(testNeighbor("edge1", "127.0.0.2", 64501)), clock.use)
	try := func(connections int, refused float64) {
		t.Helper()
		for range connections {
			conn, err := b.dial("127.0.0.2")
			if err == nil {
				_ = conn.Close()
			}
		}
		eventually(t, fmt.Sprintf("the rate limit refuses %v", refused), func() bool {
			return b.metric("ribglass_collector_connections_refused_total", "rate_limit") == refused
		})
	}
	try(60, 40)
	eventually(t, "it is said at the session", func() bool {
		n := b.session("edge1").Notices
		return len(n) == 1 && n[0].Kind == route.NoticeKind(refusedRate) && n[0].Count == 40
	})
	clock.advance(time.Second)
	try(10, 45)
}

// update returns an UPDATE with attributes and one prefix, as bytes.
func update(attrs []byte, nlri ...byte) []byte {
	body := []byte{0, 0, byte(len(attrs) >> 8), byte(len(attrs))}
	body = append(append(body, attrs...), nlri...)
	return frame(wire.TypeUpdate, body...)
}

func frame(t wire.Type, body ...byte) []byte {
	b := make([]byte, 16, wire.HeaderLen+len(body))
	for i := range b {
		b[i] = 0xff
	}
	length := wire.HeaderLen + len(body)
	b = append(b, byte(length>>8), byte(length), byte(t))
	return append(b, body...)
}

// TestMalformedMessagesHarmNobodyElse sends what has crashed BGP speakers, and
// what never may be, and then looks whether another session noticed.
func TestMalformedMessagesHarmNobodyElse(t *testing.T) { //nolint:tparallel // the rows share a neighbor
	t.Parallel()
	good := []byte{0x40, 1, 1, 0, 0x40, 2, 6, 2, 1, 0, 0, 0xfb, 0xf5, 0x40, 3, 4, 192, 0, 2, 1}
	with := func(more ...byte) []byte { return append(append([]byte(nil), good...), more...) }
	const withdraw, discard = "withdraw", "discard" // else the NOTIFICATION
	net24 := []byte{24, 203, 0, 113}
	tests := map[string]struct {
		send []byte
		want string
	}{
		"AS_PATH whose segment has no AS number":       {update([]byte{0x40, 1, 1, 0, 0x40, 2, 2, 2, 0, 0x40, 3, 4, 192, 0, 2, 1}, net24...), withdraw},
		"AS_PATH longer than its attribute":            {update([]byte{0x40, 1, 1, 0, 0x40, 2, 6, 2, 9, 0, 0, 0xfb, 0xf5, 0x40, 3, 4, 192, 0, 2, 1}, net24...), withdraw},
		"ORIGIN 99":                                    {update([]byte{0x40, 1, 1, 99, 0x40, 2, 6, 2, 1, 0, 0, 0xfb, 0xf5, 0x40, 3, 4, 192, 0, 2, 1}, net24...), withdraw},
		"ORIGIN without the transitive flag":           {update([]byte{0, 1, 1, 0, 0x40, 2, 6, 2, 1, 0, 0, 0xfb, 0xf5, 0x40, 3, 4, 192, 0, 2, 1}, net24...), withdraw},
		"communities of 3 octets":                      {update(with(0xc0, 8, 3, 1, 2, 3), net24...), withdraw},
		"AGGREGATOR of 1 octet":                        {update(with(0xc0, 7, 1, 1), net24...), discard},
		"MP_REACH_NLRI of 1 octet":                     {update(with(0x80, 14, 1, 0)), "3/9"},
		"MP_REACH_NLRI with a next hop beyond the end": {update(with(0x80, 14, 5, 0, 2, 1, 200, 0)), "3/1"},
		"MP_UNREACH_NLRI with a prefix of 200 bits":    {update(with(0x80, 15, 5, 0, 2, 1, 200, 0)), "3/9"},
		"attribute length beyond the message":          {frame(wire.TypeUpdate, 0, 0, 0xff, 0xff, 0x40, 1), "3/1"},
		"withdrawn length beyond the message":          {frame(wire.TypeUpdate, 0xff, 0xff, 0, 0), "3/1"},
		"prefix of 33 bits":                            {update(good, 33, 10, 0, 0, 0, 0), "3/10"},
		"prefix cut off":                               {update(good, 24, 203), "3/10"},
		"prefix SID with a desynchronised length":      {update(with(0xc0, 40, 4, 1, 0, 50, 0), net24...), ""},
		"tunnel encapsulation with a wild length":      {update(with(0xc0, 23, 4, 0, 1, 0xff, 0xff), net24...), withdraw},
		"marker that is not all ones":                  {make([]byte, 19), "1/1"},
		"length of 18":                                 {append(frame(wire.TypeKeepalive)[:16], 0, 18, 4), "1/2"},
		"length of 65535":                              {append(frame(wire.TypeKeepalive)[:16], 0xff, 0xff, 4), "1/2"},
		"message type 9":                               {frame(9), "1/3"},
		"ROUTE-REFRESH of 1 octet":                     {frame(wire.TypeRouteRefresh, 0), "1/2"},
		"NOTIFICATION without code":                    {frame(wire.TypeNotification), "1/2"},
	}
	b := start(t, testConfig(testNeighbor("bad", "127.0.0.2", 64501), testNeighbor("good", "127.0.0.3", 64502)))
	bystander := b.up("127.0.0.3", testOpen(64502, "192.0.2.2"))
	b.alive(bystander, "good", 0)
	b.neighbor("bad").connect.SetLimit(1000)
	b.neighbor("bad").connect.SetBurst(1000)
	serial := 1
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			before := b.session("bad").Counters
			r := b.router("127.0.0.2", testOpen(64501, "192.0.2.1"))
			r.t = t
			r.establish()
			b.waitState("bad", route.StateEstablished)
			r.send(tt.send)
			if strings.Contains(tt.want, "/") {
				n := r.notified()
				if got := fmt.Sprintf("%d/%d", n.Code, n.Subcode); got != tt.want {
					t.Errorf("NOTIFICATION %s (%v), want %s", got, n, tt.want)
				}
			} else {
				serial++
				b.alive(r, "bad", serial)
				after := b.session("bad").Counters
				if got := after.TreatedAsWithdraw - before.TreatedAsWithdraw; (got == 1) != (tt.want == withdraw) {
					t.Errorf("%d treated as withdraw, want %q", got, tt.want)
				}
				if got := after.AttributesDiscarded - before.AttributesDiscarded; tt.want == discard && got != 1 {
					t.Errorf("%d attributes discarded, want 1", got)
				}
				_ = r.conn.Close()
			}
			b.waitState("bad", route.StateActive)
			serial++
			b.alive(bystander, "good", serial)
		})
	}
	if s := b.session("good"); s.Counters.SessionsEstablished != 1 {
		t.Errorf("the other session was established %d times", s.Counters.SessionsEstablished)
	}
}

func TestHalfAMessageIsNotLife(t *testing.T) {
	t.Parallel()
	b := start(t, testConfig(testNeighbor("edge1", "127.0.0.2", 64501)))
	open := testOpen(64501, "192.0.2.1", graceful(false, false))
	open.HoldTime = 3
	r := b.up("127.0.0.2", open)
	b.waitState("edge1", route.StateEstablished)
	began := time.Now()
	trickled := make(chan struct{})
	go func() {
		defer close(trickled)
		b.trickle(r, frame(wire.TypeUpdate, make([]byte, 4000)...))
	}()
	r.wantNotified(wire.CodeHoldTimer, 0)
	if took := time.Since(began); took < 2*time.Second {
		t.Errorf("expired after %s, hold time 3s", took)
	}
	<-trickled
	b.waitState("edge1", route.StateActive)
	if s := b.session("edge1"); !strings.Contains(s.LastError, "Hold Timer Expired") {
		t.Errorf("LastError = %q", s.LastError)
	}
	// A peer without the N bit may be restarting: its restart time counts.
	eventually(t, "the end arrives", func() bool { return len(b.of("edge1", route.PeerDown)) == 1 })
	want := route.Retention{Stale: 2 * time.Minute, Graceful: true, AsFresh: true}
	if got := b.of("edge1", route.PeerDown)[0].Retention[route.IPv4Unicast]; got != want {
		t.Errorf("Retention = %+v, want %+v", got, want)
	}
}

// trickle writes all octets of a message but the last, one at a time, each when the
// collector has read the one before. It ends when the connection does.
func (b *bench) trickle(r *router, message []byte) {
	received := func() uint64 {
		s, _ := b.Session("edge1")
		return s.Counters.BytesIn
	}
	for _, octet := range message[:len(message)-1] {
		before := received()
		if _, err := r.conn.Write([]byte{octet}); err != nil {
			return
		}
		for received() == before {
			if s, _ := b.Session("edge1"); s.State != route.StateEstablished || b.t.Context().Err() != nil {
				return
			}
			time.Sleep(5 * time.Millisecond)
		}
	}
}

// TestSpeakerHearsOfALivingPeer checks what keeps the hold timer of a session from
// expiring although the speaker sees no UPDATE.
func TestSpeakerHearsOfALivingPeer(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		updates uint64 // received since the last look
		blocked bool
		want    int // KEEPALIVEs
	}{
		"a peer that sent an UPDATE is alive":                 {updates: 1, want: 1},
		"a peer that sent none may be dead":                   {want: 0},
		"a peer that is not read may be alive":                {blocked: true, want: 1},
		"a peer that sent an UPDATE and is not read is alive": {updates: 1, blocked: true, want: 1},
		"a peer that sent many UPDATEs is told of once":       {updates: 1000, want: 1},
	}
	for name, tt := range tests {
		synctest.Test(t, func(t *testing.T) {
			inner, speaker := net.Pipe()
			n := newNeighbor(testNeighbor("edge1", "127.0.0.2", 64501), testConfig(), testDeps())
			s := &session{c: new(Collector), n: n, log: n.log, inner: inner}
			s.batches = collector.NewBatcher(make(chan route.Batch), new(collector.Builders), s.count)
			ctx, cancel := context.WithCancel(t.Context())
			if tt.blocked {
				go func() { _ = s.batches.Send(ctx, route.Batch{}) }()
			}
			got := 0
			go func() {
				for {
					kind, _, err := readMessage(speaker, nil)
					if err != nil {
						return
					}
					if kind != wire.TypeKeepalive {
						t.Errorf("%s: the speaker hears %s", name, kind)
					}
					got++
				}
			}()
			n.counters.updatesIn.Add(tt.updates)
			synctest.Wait()
			if err := s.supervise(ctx); err != nil {
				t.Errorf("%s: supervise() = %v", name, err)
			}
			synctest.Wait()
			if got != tt.want {
				t.Errorf("%s: %d KEEPALIVEs, want %d", name, got, tt.want)
			}
			cancel()
			_ = inner.Close()
		})
	}
}

func TestUpdatesWithoutKeepalivesReachTheHoldTimer(t *testing.T) {
	t.Parallel()
	b := start(t, testConfig(testNeighbor("edge1", "127.0.0.2", 64501)))
	r := b.up("127.0.0.2", testOpen(64501, "192.0.2.1"))
	for i := range 3 {
		b.waitState("edge1", route.StateEstablished)
		before := b.keepalives("edge1")
		b.alive(r, "edge1", i)
		eventually(t, "the speaker hears a KEEPALIVE", func() bool { return b.keepalives("edge1") > before })
	}
}

func TestSlowStoreDoesNotEndTheSession(t *testing.T) {
	t.Parallel()
	b := start(t, testConfig(testNeighbor("edge1", "127.0.0.2", 64501)))
	r := b.up("127.0.0.2", testOpen(64501, "192.0.2.1"))
	b.alive(r, "edge1", 1)
	hold := make(chan struct{})
	b.mu.Lock()
	b.hold = hold
	b.mu.Unlock()
	blocked := func() bool {
		n := b.neighbor("edge1")
		n.mu.Lock()
		defer n.mu.Unlock()
		return n.current != nil && n.current.batches.Blocked()
	}
	for !blocked() {
		before := b.session("edge1").Counters.UpdatesIn
		r.announce("10.9.0.0/24")
		eventually(t, "the announcement is read", func() bool {
			return b.session("edge1").Counters.UpdatesIn > before || blocked()
		})
	}
	// One KEEPALIVE may be for the UPDATEs; more are for a session that waits.
	before := b.keepalives("edge1")
	eventually(t, "the speaker hears KEEPALIVEs", func() bool { return b.keepalives("edge1") >= before+3 })
	if s := b.session("edge1"); s.State != route.StateEstablished || !blocked() {
		t.Errorf("session: %s, %s", s.State, s.LastError)
	}
	b.mu.Lock()
	b.hold = nil
	b.mu.Unlock()
	close(hold)
	b.alive(r, "edge1", 2)
}

func TestPanicEndsOnlyTheSession(t *testing.T) {
	t.Parallel()
	n := newNeighbor(testNeighbor("edge1", "127.0.0.2", 64501), testConfig(), testDeps())
	s := &session{n: n, log: n.log}
	err := s.guarded(t.Context(), func(context.Context) error { panic("oops") })
	var e *ending
	if !errors.As(err, &e) || e.notification == nil || e.notification.Code != wire.CodeCease {
		t.Errorf("guarded() = %v, want a Cease", err)
	}
	if n.counters.panics.Load() != 1 {
		t.Error("not counted")
	}
}
