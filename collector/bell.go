package collector

import "sync"

// Bell wakes those who listen when something changed; what changed is theirs to
// look at. The zero Bell has no listeners, and ringing a nil one does nothing. It
// must not be copied. Anyone may call its methods at any time, also while holding
// a lock: none of them waits for a listener.
type Bell struct {
	mu        sync.Mutex // guards listeners
	listeners map[chan struct{}]struct{}
}

// Listen returns a channel that has something to receive after the bell rang,
// until stop is called. Rings that nobody has received yet are one.
func (b *Bell) Listen() (rung <-chan struct{}, stop func()) {
	listener := make(chan struct{}, 1)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.listeners == nil {
		b.listeners = make(map[chan struct{}]struct{})
	}
	b.listeners[listener] = struct{}{}
	return listener, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.listeners, listener)
	}
}

// Ring wakes all who listen.
func (b *Bell) Ring() {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for listener := range b.listeners {
		select {
		case listener <- struct{}{}:
		default: // it has not received the ring before
		}
	}
}
