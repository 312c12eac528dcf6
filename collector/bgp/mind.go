package bgp

import (
	"context"
	"encoding/binary"
	"fmt"
	"time"

	"ribglass/collector/wire"
	"ribglass/ribstore/route"
)

// mind looks after all sessions once a second: it is one goroutine for all
// because an exchange has a thousand of them.
func (c *Collector) mind(ctx context.Context) {
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		for _, n := range c.neighbors() {
			n.mu.Lock()
			s := n.current
			n.mu.Unlock()
			if s == nil || !s.established.Load() {
				continue
			}
			if err := s.guarded(ctx, s.mind); err != nil {
				s.cancel(endingOf(err))
			}
		}
	}
}

// mind does what the clock demands of a session: it tells the speaker that a
// peer lives whose UPDATEs it does not see, and holds the peer to max_prefixes.
func (s *session) mind(ctx context.Context) error {
	// A session that waits for the store cannot hear its peer: that is not the
	// peer's silence.
	updates := s.n.counters.updatesIn.Load()
	if updates != s.minded || s.batches.Blocked() {
		s.minded = updates
		if err := s.toSpeaker(wire.AppendKeepalive(nil)); err != nil {
			return err
		}
	}
	return s.checkPrefixes(ctx)
}

// checkPrefixes compares what the store holds with max_prefixes. listen asks
// after each batch, so that a flood is noticed while it comes; mind asks because
// the store may then not have read the last batch.
func (s *session) checkPrefixes(ctx context.Context) error {
	limit := s.conf.MaxPrefixes
	if limit == 0 || s.c.deps.Prefixes == nil {
		return nil
	}
	s.limitMu.Lock()
	defer s.limitMu.Unlock()
	for _, f := range route.Families() {
		if !s.agreed.Load().Families[f] {
			continue
		}
		have := s.c.deps.Prefixes(s.n.name, f)
		switch threshold := limit * s.conf.MaxPrefixesWarning / 100; {
		case have > limit:
			return s.tooManyPrefixes(f, have)
		case have < threshold:
			s.warned[f] = false
		case !s.warned[f]:
			s.warned[f] = true
			s.log.WarnContext(ctx, "peer nears its max_prefixes", "family", f, "prefixes", have, "max_prefixes", limit)
		}
	}
	return nil
}

// tooManyPrefixes is the end of a session that reached max_prefixes; its data
// are AFI, SAFI and limit (RFC 4486 section 4).
func (s *session) tooManyPrefixes(f route.Family, have int) *ending {
	data := binary.BigEndian.AppendUint16(nil, f.AFI())
	data = append(data, f.SAFI())
	data = binary.BigEndian.AppendUint32(data, uint32(min(s.conf.MaxPrefixes, 1<<32-1)))
	e := cease(wire.CeaseMaxPrefixes, data, fmt.Sprintf("%d %s prefixes, max_prefixes %d", have, f, s.conf.MaxPrefixes))
	e.drop, e.idle, e.idleFor = true, true, s.conf.MaxPrefixesRestart
	return e
}
