package bgp

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"ribglass/collector"
	"ribglass/collector/wire"
	"ribglass/ribstore/route"
)

// The peer is heard no more often than this.
const (
	keepaliveInterval = 100 * time.Millisecond // between KEEPALIVEs passed to the speaker
	refreshInterval   = time.Second            // between answers to route refreshes of a family
)

// receive reads the router until the session ends.
func (s *session) receive(ctx context.Context) error {
	f := newFramer(s.input())
	for {
		n, readErr := f.fill()
		now := s.n.now()
		s.n.counters.bytesIn.Add(uint64(n))
		if err := s.messages(ctx, f, now); err != nil {
			return errors.Join(s.flush(ctx), err)
		}
		if readErr != nil {
			return errors.Join(s.flush(ctx), s.readError(ctx, readErr))
		}
		// While the stream fills the buffer more messages are on their way, and a
		// batch may wait for them until it is full.
		if !f.full() {
			if err := s.flush(ctx); err != nil {
				return err
			}
		}
	}
}

func (s *session) readError(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if s.established.Load() {
		return err
	}
	var timeout interface{ Timeout() bool }
	if errors.As(err, &timeout) && timeout.Timeout() {
		return &wire.Notification{Code: wire.CodeHoldTimer, Reason: fmt.Sprintf("no session within %s", handshakeTime)}
	}
	return err
}

// messages handles the messages that are buffered whole.
func (s *session) messages(ctx context.Context, f *framer, now time.Time) error {
	count, updates := uint64(0), uint64(0)
	defer func() {
		s.n.counters.messagesIn.Add(count)
		if updates > 0 {
			s.n.counters.updatesIn.Add(updates)
			s.n.lastSeen.Store(now.UnixNano())
		}
	}()
	for {
		t, body, ok, err := f.next()
		if err != nil {
			s.reportReset(ctx, err, wire.Report{}, f.message, now)
		}
		if err != nil || !ok {
			return err
		}
		count++
		if t == wire.TypeUpdate {
			updates++
			err = s.update(ctx, f.message, now)
		} else {
			if err = s.other(ctx, f, t, body, now); err != nil {
				s.reportReset(ctx, err, wire.Report{}, f.message, now)
			}
		}
		if err != nil {
			return err
		}
	}
}

// other handles every message but UPDATE.
func (s *session) other(ctx context.Context, f *framer, t wire.Type, body []byte, now time.Time) error {
	if (t == wire.TypeKeepalive || t == wire.TypeRouteRefresh) && !s.chatter.AllowN(now, 1) {
		return s.chatters()
	}
	switch t {
	case wire.TypeOpen:
		return s.openFrom(f, body)
	case wire.TypeKeepalive:
		return s.keepalive(ctx, now)
	case wire.TypeNotification:
		return s.notified(body)
	case wire.TypeRouteRefresh:
		return s.routeRefresh(ctx, body, now)
	case wire.TypeUpdate:
	}
	return nil
}

// unexpected returns the error of RFC 6608 for a message that the state does not
// allow.
func (s *session) unexpected(t wire.Type) error {
	subcode := uint8(2)
	switch {
	case s.established.Load():
		subcode = 3
	case s.theirs == nil:
		subcode = 1
	}
	return &wire.Notification{Code: wire.CodeFSM, Subcode: subcode, Data: []byte{byte(t)}, Reason: t.String() + " out of turn"}
}

// openFrom handles the peer's OPEN and passes on the part that the speaker needs.
func (s *session) openFrom(f *framer, body []byte) error {
	if s.theirs != nil {
		return s.unexpected(wire.TypeOpen)
	}
	open, err := wire.ParseOpen(body)
	if err != nil {
		return err
	}
	s.theirs = open
	hold := time.Duration(open.HoldTime) * time.Second
	switch rule := s.rule; {
	case rule != nil && len(rule.ASNs) > 0 && !slices.Contains(rule.ASNs, open.ASN):
		return &wire.Notification{
			Code: wire.CodeOpen, Subcode: wire.OpenBadPeerAS,
			Reason: fmt.Sprintf("AS %s is not among those of %s", open.ASN, rule.Prefix),
		}
	case rule != nil && reservedASN(open.ASN) != "":
		return &wire.Notification{Code: wire.CodeOpen, Subcode: wire.OpenBadPeerAS, Reason: "AS " + reservedASN(open.ASN)}
	case s.conf.MinHoldTime > 0 && hold < s.conf.MinHoldTime:
		return &wire.Notification{
			Code: wire.CodeOpen, Subcode: wire.OpenUnacceptableHoldTime,
			Reason: fmt.Sprintf("hold time %s, want at least %s", hold, s.conf.MinHoldTime),
		}
	}
	if err := s.conf.checkRouterID(open); err != nil {
		return err
	}
	if err := checkRole(s.conf.Settings, s.ours, open); err != nil {
		return err
	}
	agreed := wire.Negotiate(s.ours, open)
	agreed.Confederation = s.conf.Confederation && !agreed.IBGP
	agreed.MaxAttribute = int(s.conf.MaxAttributeLength)
	agreed.LoopbackNextHop = s.n.peerAddress().IsLoopback()
	s.agreed.Store(&agreed)
	s.decoder = wire.NewDecoder(agreed)
	f.limit = agreed.MaxReceive
	s.n.learnCapabilities(open, s.ours)
	return s.toSpeaker(forSpeaker(open).Append(nil))
}

// forSpeaker returns the part of a peer's OPEN that the speaker acts on.
func forSpeaker(open *wire.Open) *wire.Open {
	reduced := &wire.Open{ASN: open.ASN, HoldTime: open.HoldTime, RouterID: open.RouterID}
	for _, f := range open.Families() {
		reduced.Capabilities = append(reduced.Capabilities, wire.MultiprotocolCapability(f))
	}
	if open.RouteRefresh() {
		reduced.Capabilities = append(reduced.Capabilities, wire.RouteRefreshCapability())
	}
	if n, ok := open.FourOctetAS(); ok {
		reduced.Capabilities = append(reduced.Capabilities, wire.FourOctetASCapability(n))
	}
	return reduced
}

// keepalive passes a KEEPALIVE to the speaker. The speaker need not see a flood of
// them.
func (s *session) keepalive(ctx context.Context, now time.Time) error {
	if s.theirs == nil {
		return s.unexpected(wire.TypeKeepalive)
	}
	if s.established.Load() && now.Sub(s.lastKeepalive) < keepaliveInterval {
		return nil
	}
	s.lastKeepalive = now
	if err := s.toSpeaker(wire.AppendKeepalive(nil)); err != nil {
		return err
	}
	if s.established.Load() {
		return nil
	}
	// A peer may confirm before the speaker has accepted its OPEN.
	select {
	case <-s.accepted:
		return s.establish(ctx, now)
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// settle makes the neighbor Established, when its rule has room for one more. It
// returns the families that had graceful restart in the session before.
func (s *session) settle(ctx context.Context, agreed *wire.Session, now time.Time) (before [route.NumFamilies]bool, err error) {
	s.c.room.Lock()
	defer s.c.room.Unlock()
	if err := s.c.makeRoom(ctx, s.n); err != nil {
		return before, err
	}
	s.peer, before = s.n.markEstablished(s.theirs, agreed, now)
	if s.c.deps.NotKept != nil {
		s.notKept = s.c.deps.NotKept(s.n.name)
	}
	return before, nil
}

// establish makes the session Established and reports it to the store.
func (s *session) establish(ctx context.Context, now time.Time) error {
	if err := s.outer.SetReadDeadline(time.Time{}); err != nil {
		return err
	}
	if ctx.Err() != nil { // interrupt set the deadline that was just removed
		return context.Cause(ctx)
	}
	agreed := s.agreed.Load()
	s.limitSilence(agreed.HoldTime)
	before, err := s.settle(ctx, agreed, now)
	if err != nil {
		return err
	}
	if s.c.deps.NotKept != nil {
		s.notKept = s.c.deps.NotKept(s.n.name)
	}
	s.batches = collector.NewBatcher(s.c.deps.Out, &s.c.builders, s.count)
	s.established.Store(true)
	s.c.handshakes.Add(-1)
	s.c.slots.release(s)
	s.noteFamilies(ctx, agreed)
	s.log.InfoContext(ctx, "session established", "families", familyNames(agreed.Families), "router_id", agreed.PeerRouterID, "hold_time", agreed.HoldTime)
	err = s.batches.Send(ctx, route.Batch{
		Peer: s.peer, At: now, Event: route.PeerUp, Retention: upRetention(s.n.settings(), *agreed, before),
	})
	if err != nil {
		return err
	}
	if _, aware := s.theirs.GracefulRestart(); !aware {
		return nil
	}
	var b []byte
	for _, f := range route.Families() {
		if agreed.Families[f] {
			b = wire.AppendEndOfRIB(b, f)
		}
	}
	return s.toRouter(b)
}

// familyNames returns names for a log line; a slice of families would print as
// bytes.
func familyNames(set [route.NumFamilies]bool) []string {
	var names []string
	for _, f := range route.Families() {
		if set[f] {
			names = append(names, f.String())
		}
	}
	return names
}

// limitSilence makes the kernel end the connection when sent data stays
// unacknowledged for the hold time, so that a dead peer is found even without a hold
// timer. When there is no hold time the limit is four minutes.
func (s *session) limitSilence(hold time.Duration) {
	if hold == 0 {
		hold = 4 * time.Minute
	}
	if raw, err := s.outer.SyscallConn(); err == nil {
		_ = setUserTimeout(raw, int(hold/time.Millisecond))
	}
}

// notified handles the peer's NOTIFICATION, which ends the session.
func (s *session) notified(body []byte) error {
	n, err := wire.ParseNotification(body)
	if err != nil {
		return err
	}
	s.n.counters.notificationsIn.Add(1)
	e := &ending{reason: "received " + n.Error() + s.explainRole(n), notified: true}
	s.notificationReceived.Store(e) // first: the speaker closes when it reads it
	// The speaker gets nothing that the peer wrote. The session ends either way.
	_ = s.toSpeaker((&wire.Notification{Code: n.Code, Subcode: n.Subcode}).Append(nil))
	return e
}

// routeRefresh handles ROUTE-REFRESH, and the messages that begin and end an
// enhanced route refresh (RFC 7313).
func (s *session) routeRefresh(ctx context.Context, body []byte, now time.Time) error {
	if !s.established.Load() {
		return s.unexpected(wire.TypeRouteRefresh)
	}
	r, err := wire.ParseRouteRefresh(body)
	if err != nil {
		return err
	}
	agreed := s.agreed.Load()
	if !r.Known || !agreed.Families[r.Family] {
		return nil
	}
	switch r.Subtype {
	case wire.RefreshNormal:
		return s.answerRefresh(r.Family, now)
	case wire.RefreshBegin:
		// What a restarted peer sends until its End-of-RIB is no refresh (RFC 7313
		// section 4).
		_, restarts := s.theirs.GracefulRestart()
		if agreed.EnhancedRefresh && (!restarts || s.sawEndOfRIB[r.Family]) {
			s.refreshing[r.Family] = true
			return s.event(ctx, route.RefreshBegin, r.Family, now)
		}
	case wire.RefreshEnd:
		if s.refreshing[r.Family] {
			s.refreshing[r.Family] = false
			return s.event(ctx, route.RefreshEnd, r.Family, now)
		}
	}
	return nil
}

// answerRefresh answers a request for our routes, at most one in refreshInterval for
// each family. There are no routes to send.
func (s *session) answerRefresh(f route.Family, now time.Time) error {
	if now.Sub(s.lastRefresh[f]) < refreshInterval {
		return nil
	}
	s.lastRefresh[f] = now
	if err := s.toSpeaker(wire.RouteRefresh{Family: f}.Append(nil)); err != nil {
		return err
	}
	if !s.agreed.Load().EnhancedRefresh {
		return nil
	}
	b := wire.RouteRefresh{Family: f, Subtype: wire.RefreshBegin}.Append(nil)
	return s.toRouter(wire.RouteRefresh{Family: f, Subtype: wire.RefreshEnd}.Append(b))
}

// update decodes an UPDATE into the batch under construction.
func (s *session) update(ctx context.Context, message []byte, now time.Time) error {
	if !s.established.Load() {
		err := s.unexpected(wire.TypeUpdate)
		s.reportReset(ctx, err, wire.Report{}, message, now)
		return err
	}
	into, err := s.batches.Builder(ctx, s.peer, now)
	if err != nil {
		return err
	}
	before := len(into.Updates())
	report, err := s.decoder.Update(message[wire.HeaderLen:], into)
	if err != nil {
		s.reportReset(ctx, err, report, message, now)
		return err
	}
	if report.TooLong > 0 {
		s.attributesTooLong(ctx, report.TooLong, now)
	}
	if report.TreatedAsWithdraw != nil || len(report.Discarded) > 0 {
		s.reportMalformed(ctx, report, message, into.Updates()[before:], now)
	}
	if report.IsEndOfRIB {
		return s.endOfRIB(ctx, report.EndOfRIB, now)
	}
	if s.batches.Full() {
		return s.flush(ctx)
	}
	return nil
}

// endOfRIB passes End-of-RIB on to the store and, the first time, the speaker.
func (s *session) endOfRIB(ctx context.Context, f route.Family, now time.Time) error {
	if !s.agreed.Load().Families[f] {
		return nil
	}
	s.n.markEndOfRIB(f, now)
	if !s.sawEndOfRIB[f] {
		s.sawEndOfRIB[f] = true
		s.log.InfoContext(ctx, "initial routes are complete", "family", f)
		if err := s.toSpeaker(wire.AppendEndOfRIB(nil, f)); err != nil {
			return err
		}
	}
	return s.event(ctx, route.EndOfRIB, f, now)
}

// flush sends the updates collected, if there are any, and then compares what
// the store holds of the peer with its limits.
func (s *session) flush(ctx context.Context) error {
	if s.batches == nil {
		return nil
	}
	sent, err := s.batches.Flush(ctx)
	if err != nil || !sent {
		return err
	}
	return s.checkLimits(ctx)
}

// count adds the prefixes of a batch to the counters of the neighbor.
func (s *session) count(_ *route.Peer, announced, withdrawn int) {
	s.n.counters.announced.Add(uint64(announced))
	s.n.counters.withdrawn.Add(uint64(withdrawn))
}

// event sends the updates collected and then a batch that reports an event.
func (s *session) event(ctx context.Context, e route.Event, f route.Family, now time.Time) error {
	if err := s.flush(ctx); err != nil {
		return err
	}
	return s.batches.Send(ctx, route.Batch{Peer: s.peer, At: now, Event: e, Family: f})
}
