// Package web is the edge of the web servers: it listens, limits what a request
// may cost, reads parameters, negotiates the form of an answer, and writes
// answers, streams and problems. It knows nothing of routes; what is asked and
// answered is the matter of the faces (v1, page, admin and compat), which are
// mounted on an [Edge].
//
// A request passes, in this order: the limits of net/http (header size, time),
// the router, the guard (host name, length of the URL, security headers,
// metrics, recovery), the Before of its face, and its handler, which gets an
// [Exchange].
//
// # Errors
//
// Every failure is a [Problem] with a stable code; one table maps codes to
// status and title. Each face writes its own problems. An error that is no
// Problem is logged and shown as "internal" with nothing of its inside.
//
// # Goroutines
//
// [Edge.Serve] and [Serve] start one goroutine for the listener, and net/http
// one for each connection. Serve lets requests finish; after 2.5 seconds it
// closes their connections and ends their contexts, so that a handler ends at its
// next write or search.
package web
