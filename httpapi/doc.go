// Package httpapi is the web server of Ribglass: the JSON interface below
// /api/v1, the pages people read (as HTML, text and JSON), and the admin
// listener. It asks the store and the collector through the small interfaces
// it declares here ([Store], [Sessions]) and owns no data of its own.
//
// A request passes, in this order: the limits of net/http (header size, time),
// the router, the guard (host name, length of the URL, security headers,
// metrics, recovery), the reading of its parameters into typed values, one
// search, and an encoder. Nothing is remembered between requests.
//
// # The past
//
// A question is asked of a [Searcher]: the store, or a collection that it names.
// The moment that it is about is a word of the query or the parameter at, and a
// page hands it on to the pages that it links (scene). Answers about the past say
// what moment they are true for. A stream about the past may hold a whole table
// for as long as its client reads, so there are few of them at a time.
//
// # Errors
//
// Every failure is a [problem] with a stable code; one table maps codes to
// status and title. The interface answers them as RFC 9457 problem details, the
// pages as a page of the same frame. What the program did not expect is logged
// and shown as "internal" with nothing of its inside.
//
// # Goroutines
//
// [Server] and [Admin] start goroutines only in Serve (and in Run, which calls
// it): one for the listener, and net/http's one for each connection. Serve lets
// requests finish, and after 2.5 seconds closes their connections and ends their
// contexts; a handler that is cut off so ends at its next write or search.
package httpapi
