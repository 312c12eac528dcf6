package bgp

import (
	"context"
	"log/slog"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"ribglass/collector"
	"ribglass/collector/wire"
	"ribglass/ribstore/route"
)

// neighbor is a router the collector peers with, over all its sessions. Its
// methods may be called concurrently.
type neighbor struct {
	name         string
	alias        netip.Addr // inside the speaker
	log          *slog.Logger
	now          func() time.Time // Deps.Now
	changed      *collector.Bell  // rung when the session changed
	turn         chan struct{}    // holds a token while a session runs
	connect      *rate.Limiter    // of connections
	malformedLog *rate.Limiter    // of log lines about what the peer sent

	counters  counters
	malformed malformed
	lastSeen  atomic.Int64 // of the last UPDATE, Unix nanoseconds

	mu             sync.Mutex // guards what follows
	conf           Neighbor
	peer           *route.Peer
	state          route.State
	since          time.Time
	history        history
	lastErr        string
	notices        notices
	current        *session         // running, or ending
	connected      time.Time        // when a connection arrived last
	greeted        int              // connections of a dynamic neighbor whose OPEN is awaited
	waiting        int              // connections that wait for their turn
	removed        bool             // no session may begin
	rule           *DynamicNeighbor // nil for a configured neighbor; changed under the collector's lock too
	idle           bool             // after max_prefixes
	idleUntil      time.Time
	endOfRIB       [route.NumFamilies]time.Time
	caps           []route.Capability
	families       []route.Family // negotiated
	holdTime       time.Duration
	dials          dials
	wasEstablished bool                    // the store may hold routes of it
	graceful       [route.NumFamilies]bool // families with graceful restart in the last session

	keptUntil time.Time // when the store has forgotten the routes of past sessions
}

// newNeighbor returns a neighbor that waits for its first connection.
func newNeighbor(conf Neighbor, local Config, deps Deps) *neighbor {
	n := &neighbor{
		name:         conf.name(),
		log:          deps.Logger.With("peer", conf.name()),
		now:          deps.Now,
		changed:      deps.changed,
		turn:         make(chan struct{}, 1),
		connect:      rate.NewLimiter(5, 20),
		malformedLog: rate.NewLimiter(1, 10),
	}
	n.configure(conf, local, n.now())
	return n
}

// configure takes over the settings, from the next session on.
func (n *neighbor) configure(conf Neighbor, local Config, now time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.conf.runsOn(conf) {
		n.abandonDial()
	}
	n.conf = conf
	router := conf.Router
	if router == "" {
		router = n.name
	}
	peer := &route.Peer{
		Name: n.name, Router: router, Group: conf.Group, Description: conf.Description,
		Address: conf.Address.Unmap(), ASN: conf.ASN,
		LocalASN: conf.localASN(local.ASN), Confederation: conf.Confederation,
	}
	if n.peer != nil {
		peer.RouterID, peer.AddPath = n.peer.RouterID, n.peer.AddPath
		if conf.ASN == 0 { // any may connect, and this one did
			peer.ASN = n.peer.ASN
		}
	}
	n.peer = peer
	n.idle, n.idleUntil = false, time.Time{}
	if n.current == nil {
		n.awaitConnection(now, "")
	}
}

// awaitConnection moves a neighbor without a session to the state in which it waits
// for a connection. The caller holds n.mu.
func (n *neighbor) awaitConnection(now time.Time, reason string) {
	switch {
	case n.conf.Shutdown != "":
		if reason == "" {
			reason = "administratively down: " + n.conf.Shutdown
		}
		n.transition(route.StateIdle, reason, now)
	case n.idle:
		n.transition(route.StateIdle, reason, now)
	case n.state == "" && reason == "":
		n.state, n.since = route.StateActive, now
	default:
		n.transition(route.StateActive, reason, now)
	}
}

// endIdleTime ends the idle time after max_prefixes when it has passed.
func (n *neighbor) endIdleTime(now time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.idle || n.idleUntil.IsZero() || now.Before(n.idleUntil) {
		return
	}
	n.idle = false
	n.awaitConnection(now, "the idle time after reaching max_prefixes has passed")
}

// stop ends the running session, if any, and waits for its end.
func (n *neighbor) stop(ctx context.Context, e *ending) {
	s := n.session()
	if s == nil {
		return
	}
	s.cancel(e)
	select {
	case <-s.done:
	case <-ctx.Done():
	}
}

// session returns the session that runs or ends, nil when there is none.
func (n *neighbor) session() *session {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.current
}

// remove keeps the neighbor from beginning new sessions.
func (n *neighbor) remove() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.abandonDial()
	n.removed = true
}

func (n *neighbor) snapshot() route.Session {
	n.mu.Lock()
	defer n.mu.Unlock()
	s := route.Session{
		Peer:         n.peer,
		Dynamic:      n.rule != nil,
		State:        n.state,
		Since:        n.since,
		AdminDown:    n.conf.Shutdown != "",
		Role:         string(n.conf.Role),
		Families:     n.conf.Families,
		Capabilities: n.caps,
		HoldTime:     n.holdTime,
		LastError:    n.lastErr,
		EndOfRIB:     n.endOfRIB,
		MaxPrefixes:  n.conf.MaxPrefixes,
		Counters:     n.counters.snapshot(),
		History:      n.history.list(),
		Notices:      n.notices.list(),

		MaxAttributeBytes: uint64(n.conf.MaxAttributeBytes),
	}
	if n.conf.Connect {
		s.ConnectTo = target(n.conf).String()
	}
	if n.state == route.StateEstablished {
		s.Families = n.families
	}
	if seen := n.lastSeen.Load(); seen != 0 {
		s.LastUpdate = time.Unix(0, seen)
	}
	s.Notices = append(s.Notices, n.malformed.notices(n.now())...)
	return s
}

// peerAddress returns the address the peer connects from.
func (n *neighbor) peerAddress() netip.Addr {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.conf.Address
}

// learnCapabilities notes the capabilities of the peer's OPEN.
func (n *neighbor) learnCapabilities(theirs, ours *wire.Open) {
	caps := theirs.Describe()
	for i := range caps {
		caps[i].Ours = slices.ContainsFunc(ours.Capabilities, func(c wire.Capability) bool { return c.Code == caps[i].Code })
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.caps = caps
}

// markEstablished notes that a session is Established. It returns the Peer of its
// batches, and the families that had graceful restart in the session before.
func (n *neighbor) markEstablished(theirs *wire.Open, agreed *wire.Session, now time.Time) (_ *route.Peer, before [route.NumFamilies]bool) {
	n.counters.established.Add(1)
	n.mu.Lock()
	defer n.mu.Unlock()
	before, n.graceful = n.graceful, agreed.GracefulRestart.Families
	peer := *n.peer
	peer.ASN, peer.RouterID, peer.AddPath = theirs.ASN, theirs.RouterID, agreed.AddPath
	n.peer = &peer
	n.families = nil
	for _, f := range route.Families() {
		if agreed.Families[f] {
			n.families = append(n.families, f)
		}
	}
	n.holdTime = agreed.HoldTime
	n.endOfRIB = [route.NumFamilies]time.Time{}
	n.wasEstablished = true
	delete(n.notices, noticeMaxPrefixes) // the limits of the session before
	delete(n.notices, noticeAttributeBytes)
	delete(n.notices, noticeMaxPaths)
	n.forgetFailedDials()
	n.transition(route.StateEstablished, "received KEEPALIVE", now)
	return n.peer, before
}

// markEndOfRIB notes the first End-of-RIB of the session.
func (n *neighbor) markEndOfRIB(f route.Family, now time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.endOfRIB[f].IsZero() {
		n.endOfRIB[f] = now
		n.changed.Ring()
	}
}
