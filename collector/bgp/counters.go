package bgp

import (
	"sync/atomic"

	"ribglass/ribstore/route"
)

// counters count what happened to a neighbor since the collector started.
type counters struct {
	messagesIn, messagesOut           atomic.Uint64
	bytesIn, bytesOut                 atomic.Uint64
	updatesIn                         atomic.Uint64
	announced, withdrawn              atomic.Uint64
	discarded, treatedAsWithdraw      atomic.Uint64
	notificationsIn, notificationsOut atomic.Uint64
	refused                           atomic.Uint64
	established                       atomic.Uint64
	droppedOut                        atomic.Uint64 // outgoing UPDATEs with prefixes
	panics                            atomic.Uint64
}

func (c *counters) snapshot() route.SessionCounters {
	return route.SessionCounters{
		MessagesIn:          c.messagesIn.Load(),
		MessagesOut:         c.messagesOut.Load(),
		BytesIn:             c.bytesIn.Load(),
		BytesOut:            c.bytesOut.Load(),
		UpdatesIn:           c.updatesIn.Load(),
		PrefixesAnnounced:   c.announced.Load(),
		PrefixesWithdrawn:   c.withdrawn.Load(),
		AttributesDiscarded: c.discarded.Load(),
		TreatedAsWithdraw:   c.treatedAsWithdraw.Load(),
		NotificationsIn:     c.notificationsIn.Load(),
		NotificationsOut:    c.notificationsOut.Load(),
		RefusedConnections:  c.refused.Load(),
		SessionsEstablished: c.established.Load(),
	}
}
