package bgp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"ribglass/collector"
	"ribglass/collector/wire"
	"ribglass/ribstore/route"
)

// Times of a session.
const (
	handshakeTime = 30 * time.Second       // from connection to Established
	writeTime     = 10 * time.Second       // for one write to a peer that does not read
	closingTime   = 700 * time.Millisecond // for a NOTIFICATION to leave
)

// session is one connection of a neighbor, from admission to its end. It is
// used once. Two goroutines run it: receive reads the router and sends all batches,
// transmit reads the speaker. A third, supervise, looks after all sessions. A field
// that only one of them uses has no lock.
type session struct {
	n      *neighbor
	conf   Neighbor
	peer   *route.Peer // of the batches; set when Established
	c      *Collector
	rule   *DynamicNeighbor // nil for a configured neighbor
	bgp    *speaker
	outer  *net.TCPConn
	dialed *attempt  // nil: the peer opened the connection
	hello  *greeting // what was read of the peer before the session began; nil: nothing
	inner  net.Conn
	log    *slog.Logger
	cancel context.CancelCauseFunc
	done   chan struct{} // closed after the end

	slotOf ruleKey      // the rule in whose slots the connection is; the slots guard it
	source netip.Prefix // of the connection, as slots count it

	outerMu sync.Mutex // guards writing to outer
	innerMu sync.Mutex // guards writing to inner

	accepted    chan struct{} // closed when the speaker has accepted the peer's OPEN
	established atomic.Bool
	agreed      atomic.Pointer[wire.Session]
	batches     *collector.Batcher // set when Established
	closing     atomic.Bool        // a write may take closingTime only

	notificationSent     atomic.Bool            // the speaker's NOTIFICATION was sent
	notificationReceived atomic.Pointer[ending] // the ending by the peer's NOTIFICATION

	// Only receive uses these.
	ours, theirs  *wire.Open
	decoder       *wire.Decoder
	chatter       *rate.Limiter // of KEEPALIVE and ROUTE-REFRESH messages
	lastKeepalive time.Time     // when a KEEPALIVE was passed to the speaker
	lastRefresh   [route.NumFamilies]time.Time
	sawEndOfRIB   [route.NumFamilies]bool
	refreshing    [route.NumFamilies]bool

	// Only supervise uses these.
	updatesSeen uint64 // UPDATEs counted at the last look

	limitMu          sync.Mutex              // guards what follows
	warned           [route.NumFamilies]bool // that the family nears max_prefixes
	warnedAttributes bool                    // that the peer nears max_attribute_bytes
	notKept          uint64                  // routes, as of the last look; routes of earlier sessions included
}

func newSession(c *Collector, n *neighbor, conn *net.TCPConn, cancel context.CancelCauseFunc) *session {
	return &session{
		n: n, c: c, outer: conn, cancel: cancel,
		log:      n.log.With("remote", conn.RemoteAddr().String()),
		done:     make(chan struct{}),
		accepted: make(chan struct{}),
		chatter:  rate.NewLimiter(maxChatter, chatterBurst),
	}
}

// run leads the session from its first byte to its last. The context ctx ends
// with the session; parent lives on until the end of the session is reported.
func (s *session) run(parent, ctx context.Context) {
	err := s.open(ctx)
	if err == nil {
		var wg sync.WaitGroup
		interrupted := make(chan struct{})
		context.AfterFunc(ctx, func() {
			s.interrupt()
			close(interrupted)
		})
		wg.Go(func() { s.cancel(endingOf(s.guarded(ctx, s.transmit))) })
		s.cancel(endingOf(s.guarded(ctx, s.receive)))
		wg.Wait()
		<-interrupted
	}
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	e := endingOf(err)
	s.close(e)
	if s.inner != nil {
		leave(s.inner)
		s.bgp.forget(parent, s.n.alias)
	}
	s.report(parent, e)
}

// guarded runs f and returns an ending when f panics, so that a mistake in handling
// the bytes of one peer does not end the program.
func (s *session) guarded(ctx context.Context, f func(context.Context) error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			s.n.counters.panics.Add(1)
			s.log.ErrorContext(ctx, "session panicked", "panic", r, "stack", string(debug.Stack()))
			err = cease(wire.CeaseOutOfResources, nil, "internal error")
		}
	}()
	return f(ctx)
}

// open connects to the speaker and sends our OPEN.
func (s *session) open(ctx context.Context) error {
	s.bgp = s.c.speaker()
	local := s.conf.localASN(s.c.localASN())
	conn, open, err := s.bgp.connect(ctx, speakerPeer{
		alias: s.n.alias, asn: s.conf.ASN, localASN: local, holdTime: s.conf.HoldTime, families: s.conf.Families,
	})
	switch {
	case err == nil:
		s.inner = conn
	case ctx.Err() != nil:
		return context.Cause(ctx)
	default:
		s.log.ErrorContext(ctx, "speaker refused a session", "error", err)
		return cease(wire.CeaseOutOfResources, nil, "the embedded speaker did not answer")
	}
	open.Capabilities = capabilities(s.conf, local)
	s.ours = open
	if err := s.outer.SetReadDeadline(deadline(handshakeTime)); err != nil {
		return err
	}
	if err := s.toRouter(open.Append(nil)); err != nil {
		return err
	}
	s.move(route.StateOpenSent, "sent OPEN")
	return nil
}

// capabilities returns the capabilities of our OPEN: those that the session
// implements.
func capabilities(conf Neighbor, local route.ASN) []wire.Capability {
	var paths [route.NumFamilies]wire.AddPathMode
	var hops [route.NumFamilies]bool
	var caps []wire.Capability
	for _, f := range conf.Families {
		caps = append(caps, wire.MultiprotocolCapability(f))
		paths[f] = wire.AddPathReceive
		hops[f] = !f.IsIPv6()
	}
	caps = append(caps,
		wire.RouteRefreshCapability(),
		wire.EnhancedRefreshCapability(),
		wire.FourOctetASCapability(local),
		wire.ExtendedMessageCapability(),
		// Without families both say that we help a restarting peer and never
		// restart gracefully ourselves (RFC 4724 section 3).
		wire.GracefulRestartCapability(wire.GracefulRestart{Notification: true}),
		wire.LongLivedCapability(wire.LongLived{}),
	)
	if hops != [route.NumFamilies]bool{} {
		caps = append(caps, wire.ExtendedNextHopCapability(hops))
	}
	if conf.Role != "" {
		caps = append(caps, wire.RoleCapability(conf.Role))
	}
	if conf.AddPath {
		caps = append(caps, wire.AddPathCapability(paths))
	}
	return caps
}

// deadline returns the time after which an operation of a connection fails. It
// follows the clock of the machine, as connections do.
func deadline(after time.Duration) time.Time { return time.Now().Add(after) }

// interrupt makes all reads return, and limits the time of writes.
func (s *session) interrupt() {
	s.closing.Store(true)
	_ = s.outer.SetReadDeadline(time.Unix(1, 0))
	_ = s.outer.SetWriteDeadline(deadline(closingTime))
	_ = s.inner.SetDeadline(time.Unix(1, 0))
}

// close sends the last NOTIFICATION and closes the connection so that the peer can
// still read it: a close with unread bytes would reset the connection.
func (s *session) close(e *ending) {
	defer s.outer.Close()
	if e.notification != nil && !s.notificationSent.Load() {
		s.outerMu.Lock()
		defer s.outerMu.Unlock()
		_ = s.outer.SetWriteDeadline(deadline(closingTime))
		if _, err := s.outer.Write(e.notification.Append(nil)); err != nil {
			return
		}
		s.n.counters.notificationsOut.Add(1)
		s.n.counters.messagesOut.Add(1)
	}
	if e.notification != nil || s.notificationSent.Load() {
		linger(s.outer)
	}
}

// linger closes our half of the connection and waits a moment for the other.
func linger(conn *net.TCPConn) {
	if conn.CloseWrite() != nil || conn.SetReadDeadline(deadline(closingTime/2)) != nil {
		return
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(conn, 16<<20))
}

// report tells the end of the session to the history, the log and, when the session
// was Established, the store.
func (s *session) report(ctx context.Context, e *ending) {
	now := s.n.now()
	level := slog.LevelInfo
	up := s.established.Load()
	if !up {
		level = slog.LevelWarn
	}
	s.log.Log(ctx, level, "session ended", "reason", e.reason, "was_established", up)
	var keep [route.NumFamilies]route.Retention
	switch {
	case !up && !e.refused && s.dialed == nil:
		s.failed(e)
	case up:
		keep = downRetention(s.n.settings(), *s.agreed.Load(), e)
		s.c.sendLast(ctx, route.Batch{Peer: s.peer, At: now, Event: route.PeerDown, Reason: e.reason, Retention: keep})
	}
	s.n.mu.Lock()
	defer s.n.mu.Unlock()
	s.n.lastErr = e.reason
	for _, r := range keep {
		if until := now.Add(r.Stale + r.LongLived); until.After(s.n.keptUntil) {
			s.n.keptUntil = until
		}
	}
	s.n.holdTime = 0
	if e.idle {
		s.n.idle, s.n.idleUntil = true, time.Time{}
		if e.idleFor > 0 {
			s.n.idleUntil = now.Add(e.idleFor)
		}
	}
	s.n.awaitConnection(now, e.reason)
}

func (s *session) move(to route.State, reason string) {
	s.n.mu.Lock()
	defer s.n.mu.Unlock()
	s.n.transition(to, reason, s.n.now())
}

// toRouter writes whole messages to the router.
func (s *session) toRouter(b []byte) error {
	s.outerMu.Lock()
	defer s.outerMu.Unlock()
	if err := s.outer.SetWriteDeadline(deadline(writeTime)); err != nil {
		return err
	}
	if s.closing.Load() { // interrupt may have run before
		_ = s.outer.SetWriteDeadline(deadline(closingTime))
	}
	n, err := s.outer.Write(b)
	s.n.counters.bytesOut.Add(uint64(n))
	s.n.counters.messagesOut.Add(1)
	if err != nil {
		return fmt.Errorf("write to the peer: %w", err)
	}
	return nil
}

// toSpeaker writes whole messages to the speaker.
func (s *session) toSpeaker(b []byte) error {
	s.innerMu.Lock()
	defer s.innerMu.Unlock()
	if err := s.inner.SetWriteDeadline(deadline(writeTime)); err != nil {
		return err
	}
	if _, err := s.inner.Write(b); err != nil && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("write to the speaker: %w", err)
	}
	return nil
}
