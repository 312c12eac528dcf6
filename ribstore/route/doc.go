// Package route is the vocabulary of Ribglass: peers, prefixes, path
// attributes, routes, and the batches in which they travel from the collector
// to the store. It depends on the standard library only and holds no state, no
// goroutine and no I/O; everything above it speaks in its types.
//
// Data meets the types in this order. A session of the collector describes
// itself once as a [Peer] and then sends [Batch] values: routes announced and
// withdrawn ([Update], each with the [Attrs] its prefixes share), or one event
// of the session's life ([Event]). The store interns the Attrs, and answers
// questions with [Route] values. [Session] is what the collector tells about a
// session to whoever shows it.
package route
