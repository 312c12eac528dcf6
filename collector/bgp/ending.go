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

// ending is why a session ends, and what follows from it. It is the cause of the
// end of the session's context, so the first ending counts. It is never modified
// after that.
type ending struct {
	reason string

	// notification is what the session still has to send. nil: no NOTIFICATION,
	// or it has been sent.
	notification *wire.Notification

	// notified says that one side ends the session with a NOTIFICATION, so that
	// graceful restart covers the end only with the N bit (RFC 8538).
	notified bool

	refused bool          // it is noted as a refusal already
	drop    bool          // the routes are removed at once
	idle    bool          // connections are refused for idleFor
	idleFor time.Duration // zero: until a reload
}

// Error returns the reason.
func (e *ending) Error() string { return e.reason }

// endWith returns the ending of a session by a NOTIFICATION that we send.
func endWith(n *wire.Notification) *ending {
	return &ending{reason: "sent " + n.Error(), notification: n, notified: true}
}

func cease(subcode uint8, data []byte, why string) *ending {
	n := &wire.Notification{Code: wire.CodeCease, Subcode: subcode, Data: data, Reason: why}
	return endWith(n)
}

// overLimit is the end of a session by a Cease because the peer has too much of
// something. Its routes are removed, and the neighbor is idle for so long.
func overLimit(subcode uint8, data []byte, why string, idleFor time.Duration) *ending {
	e := cease(subcode, data, why)
	e.drop, e.idle, e.idleFor = true, true, idleFor
	return e
}

// endingOf returns the ending for an error that stopped a goroutine of a session.
func endingOf(err error) *ending {
	var e *ending
	var n *wire.Notification
	var timeout net.Error
	switch {
	case errors.As(err, &e):
		return e
	case errors.As(err, &n):
		return endWith(n)
	case errors.Is(err, context.Canceled), err == nil:
		return cease(wire.CeaseAdminShutdown, wire.ShutdownCommunication("looking glass stops"), "")
	case errors.Is(err, io.EOF):
		return &ending{reason: "the peer closed the connection"}
	case errors.As(err, &timeout) && timeout.Timeout():
		return &ending{reason: "the peer did not answer in time"}
	}
	return &ending{reason: fmt.Sprintf("connection lost: %v", err)}
}
