package collector

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"ribglass/collector/wire"
	"ribglass/ribstore/route"
)

// Bounds of batches.
const (
	BatchesUnderWay = 4 // of one source: under construction, in the channel and being read

	batchPrefixes = 4096      // a batch is full when it has this many prefixes
	batchBytes    = 256 << 10 // or this much memory

	// batchesOfAll is how many batches all sources of a kind have under way, beside
	// the first of each: 64 MiB.
	batchesOfAll = 256
)

// Builders lends memory for batches to all sources of a kind, so that an idle
// source holds none. The zero value is ready. It must not be copied; its use is
// concurrent.
type Builders struct {
	pool sync.Pool
	lent atomic.Int64 // beside the first of each source
}

// lend reports whether a source may have one more batch under way.
func (b *Builders) lend() bool {
	if b.lent.Add(1) <= batchesOfAll {
		return true
	}
	b.lent.Add(-1)
	return false
}

func (b *Builders) get() *wire.Builder {
	if got, ok := b.pool.Get().(*wire.Builder); ok {
		return got
	}
	return new(wire.Builder)
}

func (b *Builders) put(used *wire.Builder) {
	used.Reset()
	b.pool.Put(used)
}

// Batcher collects the updates of one source and sends them as batches, in the
// order in which they came. A source is one connection: the BGP session of a peer,
// or the BMP session of a router, which carries the routes of many peers.
//
// A source that has BatchesUnderWay batches under way waits until the receiver
// releases one of them, and does not read its connection meanwhile. So a slow
// receiver slows the router down, and the memory of a source is bounded no matter
// how many peers it has. The first batch of a source is its own. The others are
// lent, so many to all sources together: a thousand sources that flood at once
// wait with one batch each.
//
// Make a Batcher with NewBatcher; it must not be copied. One goroutine uses it,
// except for Blocked, which any goroutine may call.
type Batcher struct {
	out      chan<- route.Batch
	builders *Builders
	count    func(peer *route.Peer, announced, withdrawn int)
	own      chan struct{} // holds a token while the first batch is under way
	more     chan struct{} // holds a token for each other batch under way
	blocked  atomic.Bool

	build *wire.Builder // of the batch under construction; nil: there is none
	back  func()        // gives back what the batch under construction takes
	peer  *route.Peer   // of the batch under construction
	at    time.Time     // of the batch under construction
}

// NewBatcher returns a Batcher that sends to out and borrows memory from builders.
// It calls count before it sends a batch of routes, with the number of prefixes
// announced and withdrawn in it.
func NewBatcher(out chan<- route.Batch, builders *Builders, count func(peer *route.Peer, announced, withdrawn int)) *Batcher {
	return &Batcher{
		out: out, builders: builders, count: count,
		own: make(chan struct{}, 1), more: make(chan struct{}, BatchesUnderWay-1),
	}
}

// Builder returns the builder of the batch under construction. When there is none
// it begins a batch of the peer, received at that time, and waits if too many
// are under way. A batch of another peer is sent first.
func (b *Batcher) Builder(ctx context.Context, peer *route.Peer, at time.Time) (*wire.Builder, error) {
	if b.build != nil && b.peer == peer {
		return b.build, nil
	}
	if _, err := b.Flush(ctx); err != nil {
		return nil, err
	}
	back := b.take()
	if back == nil {
		b.blocked.Store(true)
		defer b.blocked.Store(false)
		var err error
		if back, err = b.await(ctx); err != nil {
			return nil, err
		}
	}
	b.build, b.back, b.peer, b.at = b.builders.get(), back, peer, at
	return b.build, nil
}

// take returns what gives the place of one more batch back, or nil when there is no
// place.
func (b *Batcher) take() (back func()) {
	select {
	case b.own <- struct{}{}:
		return b.giveOwn
	default:
	}
	select {
	case b.more <- struct{}{}:
		return b.borrowed()
	default:
	}
	return nil
}

// await waits for the place of one more batch.
func (b *Batcher) await(ctx context.Context) (back func(), err error) {
	select {
	case b.own <- struct{}{}:
		return b.giveOwn, nil
	case b.more <- struct{}{}:
		if back := b.borrowed(); back != nil {
			return back, nil
		}
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	select {
	case b.own <- struct{}{}:
		return b.giveOwn, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// borrowed returns what gives a lent batch back. When too many are lent, it takes the
// token out of more again and returns nil.
func (b *Batcher) borrowed() (back func()) {
	if b.builders.lend() {
		return b.giveMore
	}
	<-b.more
	return nil
}

func (b *Batcher) giveOwn() { <-b.own }

func (b *Batcher) giveMore() {
	b.builders.lent.Add(-1)
	<-b.more
}

// Full reports whether the batch under construction has grown so large that it
// should be sent.
func (b *Batcher) Full() bool {
	return b.build != nil && (b.build.Len() >= batchPrefixes || b.build.Bytes() >= batchBytes)
}

// Flush sends the batch under construction and reports whether it held updates.
func (b *Batcher) Flush(ctx context.Context) (sent bool, err error) {
	if b.build == nil {
		return false, nil
	}
	build, back, builders := b.build, b.back, b.builders
	b.build, b.back = nil, nil
	recycle := func() {
		builders.put(build)
		back()
	}
	updates := build.Updates()
	if len(updates) == 0 {
		recycle()
		return false, nil
	}
	b.countPrefixes(updates)
	batch := route.Batch{Peer: b.peer, At: b.at, Event: route.Routes, Updates: updates, Recycle: recycle}
	return true, b.send(ctx, batch)
}

func (b *Batcher) countPrefixes(updates []route.Update) {
	announced, withdrawn := 0, 0
	for i := range updates {
		if updates[i].Withdraw() {
			withdrawn += len(updates[i].NLRI)
		} else {
			announced += len(updates[i].NLRI)
		}
	}
	b.count(b.peer, announced, withdrawn)
}

// Send sends the batch under construction and then a batch that reports an event.
func (b *Batcher) Send(ctx context.Context, event route.Batch) error {
	if _, err := b.Flush(ctx); err != nil {
		return err
	}
	return b.send(ctx, event)
}

// send gives the batch to the receiver and waits as long as it takes.
func (b *Batcher) send(ctx context.Context, batch route.Batch) error {
	select {
	case b.out <- batch:
		return nil
	default:
	}
	b.blocked.Store(true)
	defer b.blocked.Store(false)
	select {
	case b.out <- batch:
		return nil
	case <-ctx.Done():
		batch.Release()
		return context.Cause(ctx)
	}
}

// Blocked reports whether the source waits for the receiver, so that it cannot
// hear its router.
func (b *Batcher) Blocked() bool { return b.blocked.Load() }

// lastBatchTime is how long SendLast waits for the receiver after its context has
// ended.
const lastBatchTime = 700 * time.Millisecond

// SendLast sends a batch that must not be lost, such as the end of a session. When
// ctx has ended it waits a moment only, because the program is about to end, and
// reports whether the batch was sent.
func SendLast(ctx context.Context, out chan<- route.Batch, batch route.Batch) bool {
	select {
	case out <- batch:
		return true
	case <-ctx.Done():
	}
	timeout := time.NewTimer(lastBatchTime)
	defer timeout.Stop()
	select {
	case out <- batch:
		return true
	case <-timeout.C:
		return false
	}
}
