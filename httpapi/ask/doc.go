// Package ask is the question behind every face of the server, and the way it is
// answered: a [Reader] belongs to one audience and knows peers, totals, rates,
// names and history; a [Request] is one question read from parameters, which it
// asks of the table of now, of the past, or of a collection. Every URL of a page
// is made here too (links.go), so that faces agree on them.
//
// There is no other way from a face to the store. What the store refuses comes
// back as a [web.Problem] that says what to do.
//
// A Reader and a Request are made for one HTTP request and used by its goroutine;
// neither starts another.
package ask
