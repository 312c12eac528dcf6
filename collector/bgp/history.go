package bgp

import (
	"slices"
	"time"

	"ribglass/ribstore/route"
)

const historyLen = 50

// history is the last transitions of a neighbor. The zero value is empty. Its
// owner guards it.
type history struct {
	ring []route.Transition
	n    int // transitions ever
}

func (h *history) add(t route.Transition) {
	if len(h.ring) < historyLen {
		h.ring = append(h.ring, t)
	} else {
		h.ring[h.n%historyLen] = t
	}
	h.n++
}

// last returns the newest transition, nil when there is none.
func (h *history) last() *route.Transition {
	if h.n == 0 {
		return nil
	}
	return &h.ring[(h.n-1)%historyLen]
}

// list returns a copy, newest first.
func (h *history) list() []route.Transition {
	list := make([]route.Transition, 0, min(h.n, historyLen))
	for i := max(0, h.n-historyLen); i < h.n; i++ {
		list = append(list, h.ring[i%historyLen])
	}
	slices.Reverse(list)
	return list
}

// transition moves the neighbor to a state and remembers why. The caller holds n.mu.
func (n *neighbor) transition(to route.State, reason string, at time.Time) {
	from := n.state
	if from == to && reason == "" {
		return
	}
	n.history.add(route.Transition{At: at, From: from, To: to, Reason: reason})
	if from != to {
		n.state, n.since = to, at
	}
	n.changed.Ring()
}
