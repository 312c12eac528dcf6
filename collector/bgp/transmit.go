package bgp

import (
	"context"
	"errors"
	"fmt"
	"io"

	"ribglass/collector/wire"
	"ribglass/ribstore/route"
)

// transmit passes on what the speaker says. All messages of the speaker go through
// it, and it drops announcements.
func (s *session) transmit(ctx context.Context) error {
	buf := make([]byte, 64) // of KEEPALIVEs; anything else is rare
	for {
		t, message, err := readMessage(s.inner, buf)
		if err != nil {
			if e := s.notificationReceived.Load(); e != nil {
				return e
			}
			if ctx.Err() == nil {
				// The speaker sends a NOTIFICATION before it closes, except
				// when it closes because of an unexpected message.
				return endWith(&wire.Notification{Code: wire.CodeFSM, Reason: "the speaker closed the session"})
			}
			return context.Cause(ctx)
		}
		if err := s.pass(ctx, t, message); err != nil {
			return err
		}
	}
}

func (s *session) pass(ctx context.Context, t wire.Type, message []byte) error {
	body := message[wire.HeaderLen:]
	switch t {
	case wire.TypeKeepalive:
		s.acceptOpen()
		return s.toRouter(message)
	case wire.TypeNotification:
		n, err := wire.ParseNotification(body)
		if err != nil {
			return err
		}
		s.explain(n)
		e := &ending{reason: "sent " + n.Error(), notified: n.Code != wire.CodeHoldTimer}
		s.cancel(e) // first: the peer closes when it reads it
		if err := s.toRouter(message); err != nil {
			return err
		}
		s.notificationSent.Store(true)
		s.n.counters.notificationsOut.Add(1)
		return e
	case wire.TypeUpdate:
		if isEndOfRIB(body) {
			return s.toRouter(message)
		}
		s.n.counters.droppedOut.Add(1)
		s.log.ErrorContext(ctx, "dropped an outgoing update: the collector never announces", "octets", len(message))
	case wire.TypeRouteRefresh:
		return s.toRouter(message)
	case wire.TypeOpen:
		return errors.New("the speaker sent a second OPEN")
	}
	return nil
}

// explain adds a reason to the speaker's NOTIFICATION about an OPEN.
func (s *session) explain(n *wire.Notification) {
	agreed := s.agreed.Load()
	if agreed == nil || n.Code != wire.CodeOpen {
		return
	}
	switch n.Subcode {
	case wire.OpenBadPeerAS:
		n.Reason = fmt.Sprintf("the peer is in AS %s, configured is AS %s", agreed.PeerASN, s.conf.ASN)
	case wire.OpenBadRouterID:
		n.Reason = fmt.Sprintf("the peer's router id is %s", agreed.PeerRouterID)
	}
}

// acceptOpen notes that the speaker has accepted the peer's OPEN, which it says with a
// KEEPALIVE. It is called before the KEEPALIVE is sent, so that receive knows before
// the peer can answer.
func (s *session) acceptOpen() {
	select {
	case <-s.accepted:
	default:
		s.move(route.StateOpenConfirm, "received OPEN")
		close(s.accepted)
	}
}

// isEndOfRIB reports whether the body of an UPDATE neither announces nor
// withdraws: it is empty, or holds nothing but an empty MP_UNREACH_NLRI
// (RFC 4724 section 2).
func isEndOfRIB(body []byte) bool {
	switch len(body) {
	case 4: // no withdrawn routes, no attributes
		return body[0]|body[1]|body[2]|body[3] == 0
	case 10: // flags, code 15, length 3, AFI, SAFI
		return body[0]|body[1] == 0 && body[2] == 0 && body[3] == 6 && body[5] == 15 && body[6] == 3
	case 11: // the same with a length of two octets
		return body[0]|body[1] == 0 && body[2] == 0 && body[3] == 7 && body[5] == 15 && body[6] == 0 && body[7] == 3
	}
	return false
}

// refresh asks the peer for all routes again.
func (s *session) refresh() error {
	agreed := s.agreed.Load()
	if !s.established.Load() || agreed == nil {
		return fmt.Errorf("refresh %s: the session is not established", s.n.name)
	}
	if !agreed.RouteRefresh {
		return fmt.Errorf("refresh %s: the peer cannot (RFC 2918)", s.n.name)
	}
	var b []byte
	for _, f := range route.Families() {
		if agreed.Families[f] {
			b = wire.RouteRefresh{Family: f}.Append(b)
		}
	}
	if err := s.toRouter(b); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("refresh %s: %w", s.n.name, err)
	}
	return nil
}
