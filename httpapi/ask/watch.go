package ask

import (
	"ribglass/ribstore/query"
	"ribglass/ribstore/route"
	"ribglass/ribstore/tap"
)

// Watch tells when the answer to a request may have changed: to ask again is its
// reader's matter. It costs nothing while nothing happens, and a reader that is
// slow costs nobody anything: what it did not hear in time is one ring. Close it
// after use. One goroutine uses it.
type Watch struct {
	Routes   <-chan struct{} // nil: nobody tells
	Sessions <-chan struct{} // nil: nobody tells
	sub      *tap.Subscription
	stop     func()
}

// Watch begins to watch what the request is about: the prefix of a lookup, or
// without a query all sessions and the counts of their routes. Whoever watches
// first and asks then misses nothing.
func (r *Request) Watch() *Watch {
	w := &Watch{stop: func() {}}
	from := &r.reader.desk.sources
	if from.Subscribe != nil {
		w.sub = from.Subscribe(r.interest(), 0) // a bell: nothing is copied
		w.Routes = w.sub.Ready()
	}
	if r.Query.Expr == nil && from.SessionChanges != nil {
		w.Sessions, w.stop = from.SessionChanges()
	}
	return w
}

// interest returns what may change the answer.
func (r *Request) interest() tap.Interest {
	match, p := r.Query.Prefix()
	if match == query.Any {
		return tap.Interest{}
	}
	var i tap.Interest
	for _, f := range route.Families() {
		if f.Bits() == p.Addr().BitLen() {
			i.Overlap[f] = p
		}
	}
	return i
}

// Heard makes room for the next ring. It is called before the answer is asked for.
func (w *Watch) Heard() {
	if w.sub != nil {
		w.sub.Read()
	}
}

// Close ends the watch.
func (w *Watch) Close() {
	if w.sub != nil {
		w.sub.Close()
	}
	w.stop()
}
