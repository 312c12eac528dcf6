// Package tap hands what happens to the table to whoever wants to know: live
// pages, streams of events, standing queries. The writer of the table tells a
// [Tap] what it did, and a [Subscription] gets copies of what its [Interest]
// lets through.
//
// The writer never waits for a subscriber. A subscription holds so many bytes of
// events that are not read yet; what comes beyond is lost, counted, and told to
// the subscriber, who can then ask its whole question again. One that subscribes
// first and asks then misses nothing, but may be told what its answer has already.
//
// When nobody subscribes, a batch costs the writer one atomic load. A batch that
// nobody wants is not copied; one that several want is copied once.
package tap

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"ribglass/ribstore/route"
)

// Tap knows the subscriptions. The zero value is ready; it must not be copied.
// The writer of the table calls Batch, Own and End; anyone may call the other
// methods at any time.
type Tap struct {
	roster          atomic.Pointer[roster] // nil: nobody
	delivered, lost atomic.Uint64

	mu            sync.Mutex
	subscriptions []*Subscription // never changed in place
	ended         bool

	hits []hit // the writer's scratch
}

// Subscribe returns a subscription to the events of an interest. It holds events
// of so many bytes until they are read; with a size of zero it holds none and
// only tells that something happened, as lost events. Close ends it.
func (t *Tap) Subscribe(interest Interest, size int) *Subscription {
	s := newSubscription(t, interest, size)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ended {
		s.end()
		return s
	}
	t.arrange(append(slices.Clip(t.subscriptions), s))
	return s
}

// arrange publishes the subscriptions. The caller holds mu.
func (t *Tap) arrange(list []*Subscription) {
	t.subscriptions = list
	if len(list) == 0 {
		t.roster.Store(nil)
		return
	}
	t.roster.Store(newRoster(list))
}

func (t *Tap) remove(s *Subscription) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if i := slices.Index(t.subscriptions, s); i >= 0 {
		t.arrange(slices.Concat(t.subscriptions[:i], t.subscriptions[i+1:]))
	}
}

// Batch tells of a batch that the table has, before it is released.
func (t *Tap) Batch(b *route.Batch) {
	a := t.roster.Load()
	if a == nil || !a.kinds.Has(Kind(b.Event)) {
		return
	}
	if b.Event != route.Routes {
		t.post(a.all, b, &letter{})
		return
	}
	if len(a.broad) > 0 {
		t.post(a.broad, b, &letter{})
	}
	if len(a.narrow) == 0 {
		return
	}
	if t.hits = a.hits(t.hits[:0], b); len(t.hits) > 0 {
		t.post(a.narrow, b, &letter{hits: t.hits})
	}
}

// Own tells of something that the table did by itself: Expired or Swept.
func (t *Tap) Own(kind Kind, at time.Time, p *route.Peer, f route.Family) {
	a := t.roster.Load()
	if a == nil || !a.kinds.Has(kind) {
		return
	}
	t.post(a.all, &route.Batch{Peer: p, At: at, Event: route.Event(kind), Family: f}, &letter{})
}

// post gives the letter of a batch to those who want it.
func (t *Tap) post(to []*Subscription, b *route.Batch, l *letter) {
	kind := Kind(b.Event)
	for _, s := range to {
		if !s.interest.Kinds.Has(kind) || !s.of(b.Peer.Name) || l.hits != nil && !s.interest.overlaps(b, l.hits) {
			continue
		}
		if s.take(b, l) {
			t.delivered.Add(1)
		} else {
			t.lost.Add(1)
		}
	}
}

// End ends all subscriptions, those to come too. What they hold can still be read.
func (t *Tap) End() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ended = true
	for _, s := range t.subscriptions {
		s.end()
	}
	t.arrange(nil)
}

// Stats tells how many subscriptions there are and how many events they got and
// lost since the start.
type Stats struct {
	Subscriptions   int
	Delivered, Lost uint64
}

// Stats returns the counts of now.
func (t *Tap) Stats() Stats {
	s := Stats{Delivered: t.delivered.Load(), Lost: t.lost.Load()}
	if a := t.roster.Load(); a != nil {
		s.Subscriptions = len(a.all)
	}
	return s
}
