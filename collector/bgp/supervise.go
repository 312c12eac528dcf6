package bgp

import (
	"context"
	"time"

	"ribglass/collector/wire"
)

// supervise looks after all sessions at every interval. One goroutine does it for all
// sessions, because an exchange has a thousand of them.
func (c *Collector) supervise(ctx context.Context) {
	ticker := time.NewTicker(c.interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		list := c.neighbors()
		c.watchMD5(list)
		for _, n := range list {
			s := n.session()
			if s == nil || !s.established.Load() {
				continue
			}
			if err := s.guarded(ctx, s.supervise); err != nil {
				s.cancel(endingOf(err))
			}
		}
	}
}

// supervise tells the speaker that a peer is alive when it has sent UPDATEs, which the
// speaker does not see, and compares what the store holds of it with its limits.
func (s *session) supervise(ctx context.Context) error {
	// A session that waits for the store does not read, so its peer may be alive.
	updates := s.n.counters.updatesIn.Load()
	if updates != s.updatesSeen || s.batches.Blocked() {
		s.updatesSeen = updates
		if err := s.toSpeaker(wire.AppendKeepalive(nil)); err != nil {
			return err
		}
	}
	return s.checkLimits(ctx)
}
