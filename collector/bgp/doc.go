// Package bgp keeps BGP sessions and turns what routers announce into batches of
// routes.
//
// Data meets the types in this order. A [Collector] listens, and connects to the
// neighbors that want it. The admission of a connection (who may connect, before a byte
// is read) finds the neighbor that the connection belongs to; of several with one
// address the peer's OPEN says which. A session splits the connection: it decodes
// UPDATEs with package wire into [route.Batch] values, which a [collector.Batcher]
// sends to Deps.Out. The rest of the protocol (the state machine, its timers, the
// checks of an OPEN) is the work of the speaker, an embedded GoBGP on a loopback port,
// which each session reaches over an inner connection of its own.
//
//	router ── outer connection ── session ── inner connection ── speaker
//	                                 └── wire.Decoder ── route.Batch ── Deps.Out
//
// # What passes
//
// The session passes to the speaker only messages that it has parsed and encoded
// anew: OPEN with the capabilities the speaker needs, KEEPALIVE, NOTIFICATION, plain
// ROUTE-REFRESH and one End-of-RIB for each family. The speaker never reads a byte
// that a router wrote. The session passes to the router what the speaker says, except
// for two kinds of messages: the OPEN carries the capabilities that the session
// implements instead of GoBGP's own, and an UPDATE that would announce or withdraw a
// prefix is dropped. The session itself adds the NOTIFICATIONs of its own errors,
// End-of-RIB towards a peer that knows graceful restart, and the two messages that
// enclose the (empty) answer to a route refresh (RFC 7313).
//
// # Goroutines
//
// [Collector.Run] owns a goroutine for each listener, one that supervises all
// sessions once a second and, while a session lives, two for the session: receive
// reads the router, transmit reads the speaker. The first of the two that ends gives
// the reason, and the other follows. Only receive sends batches, so batches leave in
// the order in which the router wrote them.
//
// # How stale routes age
//
// A session that ends leaves its routes stale for stale_time, whatever ended it,
// unless graceful restart was negotiated and covers the end. Then the routes stay for
// the restart time that the peer announced, and after that for the long-lived time
// that it announced, neither longer than max_stale_time. When a peer reaches
// max_prefixes or is removed from the configuration, its routes are removed at once.
// When the session is back, stale routes wait for End-of-RIB, at most stale_sweep.
// Stale routes of a family that is no longer negotiated, whose forwarding state a
// restarted peer says it lost, or that has no graceful restart any more (RFC 4724
// section 4.2), are removed at once.
//
// Routes that were stale already when a session ends are not kept longer because of
// it. When graceful restart covers the end they are removed at once (RFC 4724 section
// 4.2). Otherwise they go when stale_time has passed since they became stale.
//
// The decision process prefers fresh routes to stale ones, except within the restart
// time of a graceful restart, unless demote_restarting is set.
package bgp
