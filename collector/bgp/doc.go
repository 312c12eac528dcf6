// Package bgp takes BGP sessions in and hands route batches out.
//
// Data meets the types in this order. A [Collector] listens; the admission of a
// connection (who may connect, before a byte is read) finds the neighbour it
// belongs to; a session splits the connection. UPDATEs are decoded here, by
// package wire, into [route.Batch] values on Deps.Out. Everything else of the
// protocol — the state machine, its timers, the checks of an OPEN — is the work
// of the speaker, an embedded GoBGP on a loopback port, which each session
// reaches over an inner connection of its own.
//
//	router ── outer connection ── session ── inner connection ── speaker
//	                                 └── wire.Decoder ── route.Batch ── Deps.Out
//
// # What passes
//
// Inward goes only what was parsed and encoded anew: OPEN with the capabilities
// the speaker needs, KEEPALIVE, NOTIFICATION, plain ROUTE-REFRESH and one
// End-of-RIB a family. The speaker never reads a byte that a router wrote.
// Outward goes what the speaker says, but for its OPEN, which carries the
// capabilities that the session implements instead of GoBGP's own. An UPDATE
// that would announce or withdraw a prefix never passes. The session itself adds
// the NOTIFICATIONs of its own errors, End-of-RIB towards a peer that knows
// graceful restart, and the two messages that enclose the (empty) answer to a
// route refresh (RFC 7313).
//
// # Goroutines
//
// [Collector.Run] owns one for each listener, one that minds the clock for all
// sessions and, while a session lives, two for it: one reads the router, one
// reads the speaker. The first of them that ends a session gives the reason, and
// the other follows. Only the one that reads the router sends batches, so they
// leave in the order of the bytes.
//
// # How stale routes age
//
// A session that ends leaves its routes stale for stale_time, whatever ended it,
// unless graceful restart was negotiated and covers the end: then for the
// restart time the peer announced, and after it for the long-lived time it
// announced, neither longer than max_stale_time. Reaching max_prefixes and being
// removed from the configuration drop the routes at once. When the session is
// back, stale routes wait for End-of-RIB, at most stale_sweep; those of a family
// that is no longer negotiated, or whose forwarding state a restarted peer says
// it lost (RFC 4724 section 4.2), go at once.
package bgp
