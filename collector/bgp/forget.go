package bgp

import (
	"context"
	"errors"
	"fmt"
	"time"

	"ribglass/ribstore/route"
)

// ErrHasSession is the error of Forget for a peer whose session is up, or coming up.
var ErrHasSession = errors.New("it has a session")

// Forget has the routes of a peer that is down removed at once, instead of when their
// time has passed. A dynamic neighbor is forgotten with them, a configured one goes on
// waiting for a connection.
func (c *Collector) Forget(ctx context.Context, name string) error {
	n := c.neighbor(name)
	if n == nil {
		return fmt.Errorf("forget %q: %w", name, ErrUnknownPeer)
	}
	select {
	case n.turn <- struct{}{}: // no session begins meanwhile
	default:
		return fmt.Errorf("forget %s: %w", name, ErrHasSession)
	}
	defer func() { <-n.turn }()
	n.mu.Lock()
	dynamic, peer := n.rule != nil, n.peer
	n.wasEstablished = n.wasEstablished && dynamic
	n.endOfRIB, n.graceful = [route.NumFamilies]time.Time{}, [route.NumFamilies]bool{}
	n.mu.Unlock()
	n.log.InfoContext(ctx, "peer forgotten", "dynamic", dynamic)
	if dynamic {
		c.forget(ctx, n)
		return nil
	}
	n.recordEvent("its routes were removed by command")
	c.sendLast(ctx, route.Batch{Peer: peer, At: c.deps.Now(), Event: route.PeerRemoved})
	return nil
}
