package bgp

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"sync"

	"ribglass/collector/wire"
	"ribglass/ribstore/route"
)

// maxOfSource bounds the connections of one source that are not Established yet: of an
// IPv4 address, or of an IPv6 /64, which one host can have all addresses of.
const maxOfSource = 16

// slots are the places of connections of dynamic neighbors that are not Established
// yet, for each rule as many as it may have sessions. Configured neighbors need none:
// each has at most one such connection and maxWaiting more. The zero value is empty.
// Its methods may be called concurrently.
type slots struct {
	mu    sync.Mutex             // guards taken
	taken map[ruleKey][]*session // the oldest first
}

// take gives a connection a slot, and reports whether its source may have one more.
// When all slots of the rule are taken, the oldest connection yields: a router needs
// its slot for the time of two round trips, and who does not answer keeps nobody out.
func (s *slots) take(one *session, rule *DynamicNeighbor, remote netip.Addr) (displaced *session, ok bool) {
	one.slotOf, one.source = rule.key(), sourceOf(remote, rule.Prefix)
	s.mu.Lock()
	defer s.mu.Unlock()
	list, same := s.taken[rule.key()], 0
	for _, other := range list {
		if other.source == one.source {
			same++
		}
	}
	if same >= maxOfSource {
		return nil, false
	}
	if len(list) >= rule.limit() {
		displaced = list[0]
		list = slices.Delete(list, 0, 1)
	}
	if s.taken == nil {
		s.taken = make(map[ruleKey][]*session)
	}
	s.taken[rule.key()] = append(list, one)
	return displaced, true
}

// greet reads the OPEN of a dynamic neighbor before anything else is done for it: until
// then a connection costs a goroutine, and the speaker does not hear of it.
func (s *session) greet(ctx context.Context) (*ending, refusal) {
	if !s.slotOf.prefix.IsValid() {
		return nil, ""
	}
	var err error
	if s.hello, err = readGreeting(ctx, s.outer, handshakeTime); err == nil {
		return nil, ""
	}
	s.hello = nil
	return endingOf(err), refusedHandshake
}

// greeted ends the wait for an OPEN, for which the neighbor was kept.
func (s *session) greeted() {
	if s.slotOf.prefix.IsValid() {
		s.n.mu.Lock()
		defer s.n.mu.Unlock()
		s.n.greeted--
	}
}

// release gives the slot of a connection back, if it has one.
func (s *slots) release(one *session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := s.taken[one.slotOf]
	if at := slices.Index(list, one); at >= 0 {
		s.taken[one.slotOf] = slices.Delete(list, at, at+1)
	}
	if len(s.taken[one.slotOf]) == 0 {
		delete(s.taken, one.slotOf)
	}
}

// sourceOf returns what shares the slots of one source. In a rule for a LAN, whose
// prefix is a /64 or longer, every address is a source, and so it is among link-local
// addresses, which all are in one /64.
func sourceOf(remote netip.Addr, rule netip.Prefix) netip.Prefix {
	bits := remote.BitLen()
	if remote.Is6() && rule.Bits() < 64 && !scoped(remote) {
		bits = 64
	}
	return netip.PrefixFrom(remote, bits).Masked()
}

// takeSlot gives the connection of a dynamic neighbor a slot. It reports false when it
// must be refused.
func (c *Collector) takeSlot(ctx context.Context, s *session, remote netip.Addr) bool {
	s.n.mu.Lock()
	rule := s.n.rule
	s.n.mu.Unlock()
	if rule == nil {
		return true
	}
	displaced, ok := c.slots.take(s, rule, remote)
	if ok {
		s.n.mu.Lock()
		s.n.greeted++
		s.n.mu.Unlock()
	}
	if displaced != nil {
		text := fmt.Sprintf("a newer connection took its place: %d of %s are not established", rule.limit(), rule.Prefix)
		c.refuse(ctx, displaced.n, displaced.n.peerAddress(), refusedTooMany, text)
		displaced.cancel(rejected(text))
	}
	return ok
}

// makeRoom has the session of a dynamic neighbor count against max_sessions of its
// rule: the neighbor that is down for the longest time is forgotten when there are too
// many. It returns an ending when all others have sessions.
func (c *Collector) makeRoom(ctx context.Context, n *neighbor) error {
	n.mu.Lock()
	rule, counted := n.rule, n.wasEstablished
	n.mu.Unlock()
	if rule == nil || counted {
		return nil
	}
	known, dead := 0, (*neighbor)(nil)
	for _, other := range c.neighbors() {
		down, of := other.downOf(rule)
		if of {
			known++
		}
		if down && (dead == nil || other.downBefore(dead)) {
			dead = other
		}
	}
	if known < rule.limit() {
		return nil
	}
	if dead == nil {
		c.refuse(ctx, n, n.peerAddress(), refusedFull, "")
		return rejected(refusedFull.text())
	}
	dead.log.WarnContext(ctx, "forgot a dynamic neighbor that was down, to make room for another", "for", n.name, "rule", rule.Prefix, "max_sessions", rule.limit())
	c.metrics.yielded.Inc()
	c.forget(ctx, dead)
	return nil
}

// rejected is the end of a connection whose refusal is noted.
func rejected(why string) *ending {
	e := cease(wire.CeaseConnectionRejected, nil, why)
	e.refused = true
	return e
}

// downOf reports whether the neighbor is one of the rule's that had a session, and
// whether it has none now.
func (n *neighbor) downOf(rule *DynamicNeighbor) (down, of bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	of = n.rule != nil && n.rule.key() == rule.key() && n.wasEstablished && !n.removed
	return of && n.current == nil && n.waiting == 0 && n.greeted == 0, of
}

func (n *neighbor) downBefore(other *neighbor) bool {
	n.mu.Lock()
	since := n.since
	n.mu.Unlock()
	other.mu.Lock()
	defer other.mu.Unlock()
	return since.Before(other.since)
}

// sessionsOf returns how many neighbors of the rule are Established. The caller holds
// c.mu.
func (c *Collector) sessionsOf(rule *DynamicNeighbor) int {
	count := 0
	for _, n := range c.byName {
		if n.rule == rule {
			n.mu.Lock()
			if n.state == route.StateEstablished {
				count++
			}
			n.mu.Unlock()
		}
	}
	return count
}
