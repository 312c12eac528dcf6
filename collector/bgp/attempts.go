package bgp

import (
	"context"
	"net/netip"
	"slices"
	"sync"

	"ribglass/ribstore/route"
)

// maxAttempts is how many attempts are remembered. Those of one address for one
// reason are one.
const maxAttempts = 200

// attempts are the connections that got no session, the last one last. The zero value
// is empty. Its methods may be called concurrently.
type attempts struct {
	mu   sync.Mutex // guards list
	list []route.Attempt
}

// add remembers an attempt that was made once, at its time Last.
func (a *attempts) add(one route.Attempt) {
	a.mu.Lock()
	defer a.mu.Unlock()
	one.First, one.Count = one.Last, 1
	at := slices.IndexFunc(a.list, func(old route.Attempt) bool {
		return old.Address == one.Address && old.Reason == one.Reason && old.Peer == one.Peer
	})
	switch {
	case at >= 0:
		one.First, one.Count = a.list[at].First, a.list[at].Count+1
		a.list = slices.Delete(a.list, at, at+1)
	case len(a.list) == maxAttempts:
		a.list = slices.Delete(a.list, 0, 1)
	}
	a.list = append(a.list, one)
}

// newestFirst returns a copy.
func (a *attempts) newestFirst() []route.Attempt {
	a.mu.Lock()
	defer a.mu.Unlock()
	list := slices.Clone(a.list)
	slices.Reverse(list)
	return list
}

// Attempts returns the last connections that got no session, the newest first.
func (c *Collector) Attempts() []route.Attempt { return c.attempts.newestFirst() }

// texts say to people why a connection was refused.
func (r refusal) text() string {
	switch r {
	case refusedUnknown:
		return "no neighbor has this address, and no rule for dynamic neighbors covers it"
	case refusedTTL:
		return "the kernel did not take the demand of ttl_security"
	case refusedAO:
		return "the keys of TCP-AO could not be set"
	case refusedRate:
		return "too many connections in a short time"
	case refusedTooMany:
		return "too many connections without a session from this source, or of this rule"
	case refusedFull:
		return "the rule has max_sessions sessions"
	case refusedShutdown:
		return "the neighbor is administratively down"
	case refusedIdle:
		return "idle after a limit was reached"
	case refusedSecond:
		return "a session of the neighbor is there already"
	case refusedHandshake:
		return "no session came up"
	}
	return string(r)
}

// refuse notes that a connection gets no session: in the metrics, the log, the list of
// attempts and, when its address is a neighbor's, the history of the neighbor. text
// says more than the reason does, "" when it does not.
func (c *Collector) refuse(ctx context.Context, n *neighbor, remote netip.Addr, why refusal, text string) {
	if text == "" {
		text = why.text()
	}
	c.metrics.refused.WithLabelValues(string(why)).Inc()
	one := route.Attempt{Last: c.deps.Now(), Address: remote, Reason: string(why), Text: text}
	log := c.log
	if n != nil {
		n.counters.refused.Add(1)
		n.recordEvent("connection refused: " + text)
		if why == refusedRate || why == refusedTooMany {
			n.notice(route.NoticeKind(why), "Connections were refused: "+text+".", 1, one.Last)
		}
		one.Peer, log = n.name, n.log
	}
	one.Rule = c.rulePrefix(remote)
	c.attempts.add(one)
	c.deps.changed.Ring()
	if !c.refusalLog.AllowN(one.Last, 1) {
		return
	}
	if why == refusedUnknown { // most are scanners, and some a router that is not configured yet
		log.InfoContext(ctx, "connection refused", "remote", remote, "reason", string(why), "detail", text,
			"hint", "add a neighbor with this address if it should peer")
		return
	}
	log.WarnContext(ctx, "connection refused", "remote", remote, "reason", string(why), "detail", text)
}

// failed notes that a connection was admitted and ended before its session came up.
// The log has that as the end of a session.
func (s *session) failed(e *ending) {
	one := route.Attempt{
		Last: s.n.now(), Address: s.n.peerAddress(), Peer: s.n.name, Reason: string(refusedHandshake), Text: e.reason,
	}
	if s.theirs != nil {
		one.ASN = s.theirs.ASN
	}
	one.Rule = s.c.rulePrefix(one.Address)
	s.c.metrics.refused.WithLabelValues(one.Reason).Inc()
	s.c.attempts.add(one)
}

// rulePrefix returns the prefix of the rule of dynamic neighbors for an address, unless
// a configured neighbor has it.
func (c *Collector) rulePrefix(remote netip.Addr) netip.Prefix {
	c.mu.Lock()
	defer c.mu.Unlock()
	if list := c.byAddress[remote]; len(list) > 0 && list[0].rule == nil {
		return netip.Prefix{}
	}
	if rule := c.ruleFor(remote); rule != nil {
		return rule.Prefix
	}
	return netip.Prefix{}
}

// recordEvent adds an event to the history that does not change the state. One that
// repeats the last takes its place.
func (n *neighbor) recordEvent(what string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.lastErr = what
	if last := n.history.last(); last != nil && last.Reason == what && last.From == last.To {
		last.At = n.now()
		n.changed.Ring()
		return
	}
	n.transition(n.state, what, n.now())
}
