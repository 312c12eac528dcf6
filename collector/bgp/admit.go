package bgp

import (
	"context"
	"net"
	"net/netip"
	"strconv"
	"time"

	"ribglass/collector/wire"
	"ribglass/ribstore/route"
)

// refusal is why a connection got no session, as the metric names it.
type refusal string

const (
	refusedUnknown  refusal = "unknown_peer"
	refusedTTL      refusal = "ttl_security"
	refusedAO       refusal = "tcp_ao"
	refusedRate     refusal = "rate_limit"
	refusedTooMany  refusal = "too_many_handshakes"
	refusedFull     refusal = "max_sessions"
	refusedShutdown refusal = "shutdown"
	refusedIdle     refusal = "max_prefixes"
	refusedSecond   refusal = "collision"

	refusedHandshake refusal = "handshake" // it was admitted, and no session came up
)

func refusals() []refusal {
	return []refusal{
		refusedUnknown, refusedTTL, refusedAO, refusedRate, refusedTooMany, refusedFull, refusedShutdown, refusedIdle, refusedSecond,
		refusedHandshake,
	}
}

// Bounds of connections.
const (
	maxWaiting = 2               // connections of one neighbor that wait for its session to end
	turnTime   = 5 * time.Second // how long such a connection waits
	probeTime  = time.Second     // how long a probe of an established session waits for a reset
)

// admit decides about a connection before it reads or writes a byte, so that a
// host that is not a neighbor learns nothing.
func (c *Collector) admit(ctx context.Context, conn *net.TCPConn) {
	remote := peerOf(conn.RemoteAddr().(*net.TCPAddr).AddrPort())
	n, why := c.neighborAt(remote)
	detail := ""
	if n != nil {
		why, detail = c.screen(n, conn)
	}
	if why != "" {
		c.reject(ctx, n, conn, why, detail)
		return
	}
	sessionCtx, cancel := context.WithCancelCause(ctx)
	s := newSession(c, n, conn, cancel)
	if !c.takeSlot(ctx, s, remote) {
		cancel(nil)
		c.reject(ctx, n, conn, refusedTooMany, "")
		c.discardUnused(n)
		return
	}
	c.handshakes.Add(1)
	c.wg.Go(func() { c.serve(ctx, sessionCtx, s) })
}

// reject refuses a connection without a word.
func (c *Collector) reject(ctx context.Context, n *neighbor, conn *net.TCPConn, why refusal, detail string) {
	c.refuse(ctx, n, peerOf(conn.RemoteAddr().(*net.TCPAddr).AddrPort()), why, detail)
	_ = conn.SetLinger(0) // a reset leaves no state in the kernel
	_ = conn.Close()
}

// screen checks what can be checked without a message to the peer or from it. It
// returns why the connection is refused, and more of it where there is more to say.
func (c *Collector) screen(n *neighbor, conn *net.TCPConn) (why refusal, detail string) {
	n.mu.Lock()
	n.connected = n.now()
	hops := n.conf.TTLSecurity
	n.mu.Unlock()
	switch {
	case !n.connect.AllowN(n.now(), 1):
		return refusedRate, ""
	case hops > 0:
		raw, err := conn.SyscallConn()
		if err == nil {
			err = demandTTL(raw, n.peerAddress(), 256-hops)
		}
		if err != nil {
			return refusedTTL, err.Error()
		}
	}
	return n.screenKeys(conn)
}

// neighborAt returns the neighbor with the address, of several the first. It makes a new
// neighbor when a dynamic rule allows it.
func (c *Collector) neighborAt(remote netip.Addr) (*neighbor, refusal) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if list := c.byAddress[remote]; len(list) > 0 {
		return list[0], ""
	}
	rule := c.ruleFor(remote)
	if rule == nil {
		return nil, refusedUnknown
	}
	if c.sessionsOf(rule) >= rule.limit() {
		return nil, refusedFull
	}
	n := newNeighbor(c.dynamicConf(rule, remote), c.cfg, c.deps)
	n.rule = rule
	c.add(n)
	return n, ""
}

func (d *DynamicNeighbor) limit() int {
	if d.MaxSessions == 0 {
		return defaultMaxSessions
	}
	return d.MaxSessions
}

// ruleFor returns the rule with the longest prefix that covers the address. The
// caller holds c.mu.
func (c *Collector) ruleFor(remote netip.Addr) *DynamicNeighbor {
	var best *DynamicNeighbor
	for _, rule := range c.rules {
		if rule.covers(remote) && (best == nil || rule.Prefix.Bits() > best.Prefix.Bits()) {
			best = rule
		}
	}
	return best
}

// dynamicConf returns the settings of a neighbor under a rule. The caller holds c.mu.
func (c *Collector) dynamicConf(rule *DynamicNeighbor, remote netip.Addr) Neighbor {
	base := rule.Group
	if base == "" {
		base = "dynamic"
	}
	base += "-" + addressName(remote)
	name := base
	for i := 2; c.byName[name] != nil; i++ {
		name = base + "-" + strconv.Itoa(i)
	}
	conf := Neighbor{Name: name, Address: remote, Settings: rule.Settings}
	if len(rule.ASNs) == 1 {
		conf.ASN = rule.ASNs[0]
	}
	return conf
}

// serve gives a connection a session, when the neighbor may have one.
func (c *Collector) serve(ctx, sessionCtx context.Context, s *session) {
	defer s.cancel(nil)
	defer func() {
		if !s.established.Load() {
			c.handshakes.Add(-1)
		}
		c.slots.release(s)
		c.discardUnused(s.n)
	}()
	e, why := c.choose(ctx, s)
	if e == nil {
		e, why = s.greet(sessionCtx)
	}
	if e == nil {
		e, why = s.n.claim(ctx, s)
	}
	s.greeted()
	if e != nil {
		if s.dialed == nil && !e.refused {
			c.refuse(ctx, s.n, s.n.peerAddress(), why, e.reason)
		}
		s.close(e)
		return
	}
	defer s.n.release(s)
	s.run(ctx, sessionCtx)
}

// claim waits until s is the neighbor's session. When s must be refused it returns
// the ending and the reason.
func (n *neighbor) claim(ctx context.Context, s *session) (*ending, refusal) {
	old, e, why := n.queue()
	if e != nil {
		return e, why
	}
	defer func() {
		n.mu.Lock()
		n.waiting--
		n.mu.Unlock()
	}()
	if old != nil && !old.makesWay(ctx, s) {
		return cease(wire.CeaseCollision, nil, "another connection of the neighbor stays"), refusedSecond
	}
	timeout := time.NewTimer(turnTime)
	defer timeout.Stop()
	select {
	case n.turn <- struct{}{}:
	case <-timeout.C:
		return cease(wire.CeaseCollision, nil, "the previous session is still ending"), refusedSecond
	case <-ctx.Done():
		return endingOf(context.Cause(ctx)), refusedShutdown
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	e, why = n.barred()
	if e == nil && s.dialed != nil && s.dialed != n.dials.current { // the settings changed meanwhile
		e, why = cease(wire.CeaseConfigChange, nil, ""), refusedSecond
	}
	if e != nil {
		<-n.turn
		return e, why
	}
	s.conf, s.rule = n.conf, n.rule
	n.current = s
	n.transition(route.StateConnect, s.origin(), n.now())
	return nil, ""
}

// queue notes that a connection waits, and returns the session that it waits for.
func (n *neighbor) queue() (*session, *ending, refusal) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if e, why := n.barred(); e != nil {
		return nil, e, why
	}
	if n.waiting >= maxWaiting {
		return nil, cease(wire.CeaseCollision, nil, "too many connections"), refusedSecond
	}
	n.waiting++
	return n.current, nil, ""
}

// barred returns the ending and the reason to refuse every connection of the
// neighbor with, or nil when the neighbor may have a session. The caller holds n.mu.
func (n *neighbor) barred() (*ending, refusal) {
	switch {
	case n.removed:
		return cease(wire.CeasePeerDeconfigured, nil, ""), refusedUnknown
	case n.conf.Shutdown != "":
		return cease(wire.CeaseAdminShutdown, wire.ShutdownCommunication(n.conf.Shutdown), ""), refusedShutdown
	case n.idle:
		return cease(wire.CeaseMaxPrefixes, nil, "idle after reaching max_prefixes"), refusedIdle
	}
	return nil, ""
}

func (n *neighbor) release(s *session) {
	n.mu.Lock()
	n.current = nil
	n.mu.Unlock()
	close(s.done)
	<-n.turn
}

// yields makes way for a new connection of the same peer and reports whether it
// did. A session that is not Established always does: both connections are the
// peer's own, and the peer means the newer connection. A session with graceful
// restart does too (RFC 4724 section 5). Every other session stays, unless its TCP
// connection is dead: a peer that has forgotten the connection answers a KEEPALIVE
// with a reset.
func (s *session) yields(ctx context.Context) bool {
	if !s.established.Load() {
		s.cancel(cease(wire.CeaseCollision, nil, "replaced by a newer connection"))
		return true
	}
	if agreed := s.agreed.Load(); agreed.GracefulRestart.Families != [route.NumFamilies]bool{} {
		s.cancel(&ending{reason: "replaced by a new connection of the peer, which restarted"})
		return true
	}
	if err := s.toRouter(wire.AppendKeepalive(nil)); err != nil {
		s.cancel(endingOf(err))
		return true
	}
	timeout := time.NewTimer(probeTime)
	defer timeout.Stop()
	select {
	case <-s.done:
		return true
	case <-timeout.C:
	case <-ctx.Done():
	}
	return false
}
