package history

import "sync/atomic"

// loading counts what Resume has read. A nil loading counts nothing.
type loading struct {
	of   int64
	done atomic.Int64
}

// loadingOf begins to count what a plan reads.
func loadingOf(p *plan) *loading {
	return &loading{of: p.effort()}
}

func (c *loading) add(n uint32) {
	if c != nil {
		c.done.Add(int64(n))
	}
}

// Loading returns how many of the routes and changes that Resume reads it has read. Both
// are zero when it reads nothing.
func (h *History) Loading() (done, of int64) {
	c := h.loading.Load()
	if c == nil {
		return 0, 0
	}
	return min(c.done.Load(), c.of), c.of
}
