package query

import (
	"net/netip"
	"time"

	"ribglass/ribstore/route"
	"ribglass/ribstore/table"
)

// subject is the route that a test decides about: a whole one, or one as a scan met it,
// of which only what a test wants is looked up.
type subject struct {
	route *route.Route // nil: it is found in view
	view  *table.View
	found table.Found
	moas  bool // set when the query has a condition of level ofAll
}

func (s *subject) prefix() netip.Prefix {
	if s.route != nil {
		return s.route.Prefix
	}
	return s.view.Dest(s.found.Family, s.found.Slot).Prefix
}

func (s *subject) bits() int {
	if s.route != nil {
		return s.route.Prefix.Bits()
	}
	return s.view.Bits(s.found.Family, s.found.Slot)
}

func (s *subject) family() route.Family {
	if s.route != nil {
		return s.route.Family
	}
	return s.found.Family
}

func (s *subject) peer() *route.Peer {
	if s.route != nil {
		return s.route.Peer
	}
	return s.found.Peer()
}

func (s *subject) pathID() uint32 {
	if s.route != nil {
		return s.route.PathID
	}
	return s.found.PathID
}

func (s *subject) attrs() route.Attrs {
	if s.route != nil {
		return s.route.Attrs
	}
	return s.view.Set(s.found.Set)
}

func (s *subject) receivedBefore(limit time.Time) bool {
	if s.route != nil {
		return s.route.ReceivedAt.Before(limit)
	}
	return time.Unix(s.found.Received(), 0).Before(limit)
}

func (s *subject) stale() bool {
	if s.route != nil {
		return !s.route.StaleSince.IsZero()
	}
	return s.found.Stale()
}

func (s *subject) best() bool {
	if s.route != nil {
		return s.route.Best
	}
	return s.found.Best
}
