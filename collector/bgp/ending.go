package bgp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"ribglass/collector/wire"
)

// ending is why a session ends, and what follows from it. It travels as the
// cause of the session's context: the first one counts. It is never modified.
type ending struct {
	reason string

	// say is the NOTIFICATION still to be sent, nil when there is none or it
	// has been sent.
	say *wire.Notification

	// notified: the end is or was told by a NOTIFICATION, so that graceful
	// restart covers it only with the N bit (RFC 8538).
	notified bool

	drop    bool          // the routes go at once
	idle    bool          // no connection is accepted for idleFor, zero: until a reload
	idleFor time.Duration // see idle
}

// Error returns the reason.
func (e *ending) Error() string { return e.reason }

// saying is the ending of a session by a NOTIFICATION of ours.
func saying(n *wire.Notification) *ending {
	return &ending{reason: "sent " + n.Error(), say: n, notified: true}
}

func cease(subcode uint8, data []byte, why string) *ending {
	n := &wire.Notification{Code: wire.CodeCease, Subcode: subcode, Data: data, Reason: why}
	return saying(n)
}

// endingOf makes an ending of what stopped a goroutine of a session.
func endingOf(err error) *ending {
	var e *ending
	var n *wire.Notification
	var timeout net.Error
	switch {
	case errors.As(err, &e):
		return e
	case errors.As(err, &n):
		return saying(n)
	case errors.Is(err, context.Canceled), err == nil:
		return cease(wire.CeaseAdminShutdown, wire.ShutdownCommunication("looking glass stops"), "")
	case errors.Is(err, io.EOF):
		return &ending{reason: "the peer closed the connection"}
	case errors.As(err, &timeout) && timeout.Timeout():
		return &ending{reason: "the peer did not answer in time"}
	}
	return &ending{reason: fmt.Sprintf("connection lost: %v", err)}
}
