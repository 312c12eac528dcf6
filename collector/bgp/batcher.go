package bgp

import (
	"context"
	"sync"
	"time"

	"ribglass/collector/wire"
	"ribglass/ribstore/route"
)

// Bounds of batches.
const (
	batchesPerSession = 4         // under construction, under way and being read
	batchPrefixes     = 4096      // a batch leaves when it has so many
	batchBytes        = 256 << 10 // or so much memory
)

// builders lends memory for batches to all sessions, so that those of an idle
// session cost nothing.
type builders struct{ pool sync.Pool }

func (b *builders) get() *wire.Builder {
	if got, ok := b.pool.Get().(*wire.Builder); ok {
		return got
	}
	return new(wire.Builder)
}

func (b *builders) put(used *wire.Builder) {
	used.Reset()
	b.pool.Put(used)
}

// batcher collects the updates of one session and sends them as batches. One
// goroutine uses it. A session that has batchesPerSession of them under way
// waits until one is released: that is the back-pressure of the store.
type batcher struct {
	s      *session
	tokens chan struct{}
	build  *wire.Builder // nil: nothing collected
	at     time.Time
}

// builder returns the builder of the batch under construction.
func (b *batcher) builder(ctx context.Context, now time.Time) (*wire.Builder, error) {
	if b.build != nil {
		return b.build, nil
	}
	select {
	case b.tokens <- struct{}{}:
	default:
		b.s.blocked.Store(true)
		defer b.s.blocked.Store(false)
		select {
		case b.tokens <- struct{}{}:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	b.build, b.at = b.s.c.builders.get(), now
	return b.build, nil
}

// flushLarge sends the batch when it has grown large.
func (b *batcher) flushLarge(ctx context.Context) error {
	if b.build.Len() < batchPrefixes && b.build.Bytes() < batchBytes {
		return nil
	}
	return b.flush(ctx)
}

// flush sends the batch under construction, if any.
func (b *batcher) flush(ctx context.Context) error {
	if b.build == nil {
		return nil
	}
	build, tokens, pool := b.build, b.tokens, &b.s.c.builders
	b.build = nil
	recycle := func() {
		pool.put(build)
		<-tokens
	}
	updates := build.Updates()
	if len(updates) == 0 {
		recycle()
		return nil
	}
	b.count(updates)
	err := b.send(ctx, route.Batch{Peer: b.s.peer, At: b.at, Event: route.Routes, Updates: updates, Recycle: recycle})
	if err != nil {
		return err
	}
	return b.s.checkPrefixes(ctx)
}

func (b *batcher) count(updates []route.Update) {
	announced, withdrawn := 0, 0
	for i := range updates {
		if updates[i].Withdraw() {
			withdrawn += len(updates[i].NLRI)
		} else {
			announced += len(updates[i].NLRI)
		}
	}
	b.s.n.counters.announced.Add(uint64(announced))
	b.s.n.counters.withdrawn.Add(uint64(withdrawn))
}

// event sends what was collected and then a batch that reports an event.
func (b *batcher) event(ctx context.Context, e route.Event, f route.Family, now time.Time) error {
	if err := b.flush(ctx); err != nil {
		return err
	}
	return b.send(ctx, route.Batch{Peer: b.s.peer, At: now, Event: e, Family: f})
}

// send gives the batch to the store and waits as long as it takes.
func (b *batcher) send(ctx context.Context, batch route.Batch) error {
	select {
	case b.s.c.deps.Out <- batch:
		return nil
	default:
	}
	b.s.blocked.Store(true)
	defer b.s.blocked.Store(false)
	select {
	case b.s.c.deps.Out <- batch:
		return nil
	case <-ctx.Done():
		batch.Release()
		return context.Cause(ctx)
	}
}
