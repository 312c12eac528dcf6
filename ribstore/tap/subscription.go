package tap

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"

	"ribglass/ribstore/route"
)

// ErrClosed is returned by [Subscription.Next] when there is nothing left and
// nothing will come.
var ErrClosed = errors.New("the subscription is closed")

// Lost counts events that did not find room. It stops counting at 16 million
// events and at a terabyte.
type Lost struct {
	Events int
	Bytes  int
}

// lostWord is a Lost in one word: events in the upper bits, bytes in the lower.
type lostWord uint64

const (
	lostByteBits  = 40
	maxLostBytes  = 1<<lostByteBits - 1
	maxLostEvents = 1<<(64-lostByteBits) - 1
)

func (w lostWord) plus(bytes int) lostWord {
	l := w.lost()
	l.Events, l.Bytes = min(l.Events+1, maxLostEvents), min(l.Bytes+bytes, maxLostBytes)
	return lostWord(l.Events)<<lostByteBits | lostWord(l.Bytes)
}

func (w lostWord) lost() Lost { return Lost{int(w >> lostByteBits), int(w & maxLostBytes)} }

// Delivery is what a subscriber reads at a time: events in their order, and how
// many were lost behind the last of them and before the first of the next
// delivery.
type Delivery struct {
	Events []*Event
	Lost   Lost
}

// Empty reports whether there is nothing in it.
func (d *Delivery) Empty() bool { return len(d.Events) == 0 && d.Lost.Events == 0 }

// Subscription holds events for one subscriber until it reads them. One
// goroutine at a time reads; anyone may close it at any time. Make it with
// [Tap.Subscribe]; it must not be copied.
//
// The events are a list: the writer links nodes to its end, the reader takes
// them off its front, and neither ever waits for the other. When something was
// lost, all that follows is lost until the reader was told.
type Subscription struct {
	tap      *Tap
	interest Interest
	size     int64
	ready    chan struct{} // has room for one
	done     chan struct{}
	end      func() // closes done

	queued atomic.Int64  // bytes in the list
	lost   atomic.Uint64 // a lostWord; zero: nothing
	front  *node         // the reader's; its event was read
	back   *node         // the writer's
}

type node struct {
	event *Event
	bytes int64
	next  atomic.Pointer[node]
}

func newSubscription(t *Tap, interest Interest, size int) *Subscription {
	s := &Subscription{tap: t, interest: interest, size: int64(size), front: new(node), ready: make(chan struct{}, 1), done: make(chan struct{})}
	s.interest.Peers = slices.Clone(interest.Peers)
	slices.Sort(s.interest.Peers)
	s.back = s.front
	s.end = sync.OnceFunc(func() { close(s.done) })
	return s
}

// of reports whether events of the peer are wanted.
func (s *Subscription) of(peer string) bool {
	if s.interest.Peers == nil {
		return true
	}
	_, found := slices.BinarySearch(s.interest.Peers, peer)
	return found
}

// take puts the event of a batch in the list and reports whether there was room.
// The writer calls it.
func (s *Subscription) take(b *route.Batch, l *letter) bool {
	size := int64(l.size(b))
	fits := s.lost.Load() == 0 && s.queued.Load()+size <= s.size
	if fits {
		n := &node{event: l.open(b), bytes: size}
		s.queued.Add(size)
		s.back.next.Store(n)
		s.back = n
	} else {
		s.lose(int(size))
	}
	select {
	case s.ready <- struct{}{}:
	default: // the reader was told already
	}
	return fits
}

func (s *Subscription) lose(bytes int) {
	for {
		old := s.lost.Load()
		if s.lost.CompareAndSwap(old, uint64(lostWord(old).plus(bytes))) {
			return
		}
	}
}

// Ready returns a channel that receives when there may be something to read. It
// is for those who wait for other things too; when to read is for them to say,
// so several changes can become one answer.
func (s *Subscription) Ready() <-chan struct{} { return s.ready }

// Done returns a channel that is closed when nothing will come any more.
func (s *Subscription) Done() <-chan struct{} { return s.done }

// Read returns what there is, which may be nothing. It does not wait.
func (s *Subscription) Read() Delivery {
	var d Delivery
	// After a loss nothing is put in the list until the loss is told here, so
	// what is in the list then came before it. A loss that comes from here on is
	// told by the next Read.
	lossy := s.lost.Load() != 0
	var bytes int64
	for n := s.front.next.Load(); n != nil; n = n.next.Load() {
		d.Events = append(d.Events, n.event)
		bytes += n.bytes
		n.event = nil // the list keeps its last node
		s.front = n
	}
	s.queued.Add(-bytes)
	if lossy {
		d.Lost = lostWord(s.lost.Swap(0)).lost()
	}
	return d
}

// Next waits until there is something and returns it. Errors are [ErrClosed] and
// the cause of the context's end.
func (s *Subscription) Next(ctx context.Context) (Delivery, error) {
	for {
		if d := s.Read(); !d.Empty() {
			return d, nil
		}
		select {
		case <-s.ready:
		case <-ctx.Done():
			return Delivery{}, context.Cause(ctx)
		case <-s.done:
			if d := s.Read(); !d.Empty() {
				return d, nil
			}
			return Delivery{}, ErrClosed
		}
	}
}

// Close ends the subscription. It may be called more than once.
func (s *Subscription) Close() {
	s.tap.remove(s)
	s.end()
}
