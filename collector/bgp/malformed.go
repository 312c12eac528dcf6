package bgp

import (
	"context"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"ribglass/collector/wire"
	"ribglass/ribstore/route"
)

// What is kept of a peer's malformed messages.
const (
	malformedMost     = 50        // messages
	malformedOctets   = 128 << 10 // memory of all of them
	malformedMessage  = 2048      // octets of one
	malformedPrefixes = 64        // of one
	malformedErrors   = 8         // of one, the first included
)

// What is logged of a malformed message.
const (
	loggedMessage  = 256 // octets
	loggedPrefixes = 5
)

// malformedLasts is how long after the last malformed message an operator should
// know of it.
const malformedLasts = time.Hour

// malformed is the last malformed messages of a neighbor. The zero value is empty,
// and its methods may be called concurrently.
type malformed struct {
	mu       sync.Mutex
	list     []malformedEntry // the oldest first
	octets   int              // of list
	unlogged uint64           // messages since the last that was logged

	first, last time.Time // of those that cost routes or the session, of late
	count       uint64    // idem
}

// malformedEntry is a message that is kept. Its errors are put into words when it is
// read, because a feed may have an attribute to discard in each of its messages.
type malformedEntry struct {
	at       time.Time
	kind     route.MalformedKind
	errs     []error
	prefixes []route.NLRI
	total    int
	message  []byte // with its header
	length   int
}

// size returns roughly how much memory the entry takes.
func (e *malformedEntry) size() int {
	const octetsOfNLRI, octetsOfError = 40, 256
	return cap(e.message) + cap(e.prefixes)*octetsOfNLRI + len(e.errs)*octetsOfError
}

// keep takes an entry, a copy, and reports whether it is to be logged, and how many
// were not since the last one that was.
func (m *malformed) keep(e malformedEntry, logged bool) (unlogged uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e.errs = slices.Clone(e.errs[:min(len(e.errs), malformedErrors)])
	e.prefixes = slices.Clone(e.prefixes[:min(len(e.prefixes), malformedPrefixes)])
	m.list = append(m.list, e)
	m.octets += e.size()
	for len(m.list) > malformedMost || m.octets > malformedOctets {
		i := m.expendable()
		m.octets -= m.list[i].size()
		m.list = slices.Delete(m.list, i, i+1)
	}
	if e.kind != route.AttributesDiscarded {
		if e.at.Sub(m.last) > malformedLasts {
			m.first, m.count = e.at, 0
		}
		m.last = e.at
		m.count++
	}
	unlogged = m.unlogged
	m.unlogged++
	if logged {
		m.unlogged = 0
	}
	return unlogged
}

// expendable returns the oldest entry of the kind that has most: a peer of whose
// every message an attribute is discarded does not drive out what cost its routes.
func (m *malformed) expendable() int {
	counts := map[route.MalformedKind]int{}
	for i := range m.list {
		counts[m.list[i].kind]++
	}
	most := slices.MaxFunc([]route.MalformedKind{route.AttributesDiscarded, route.TreatedAsWithdraw, route.SessionReset},
		func(a, b route.MalformedKind) int { return counts[a] - counts[b] })
	return slices.IndexFunc(m.list, func(e malformedEntry) bool { return e.kind == most })
}

// read returns copies, the newest first.
func (m *malformed) read() []route.Malformed {
	m.mu.Lock()
	defer m.mu.Unlock()
	list := make([]route.Malformed, 0, len(m.list))
	for i := len(m.list) - 1; i >= 0; i-- {
		e := &m.list[i]
		one := route.Malformed{
			At: e.at, Kind: e.kind, Prefixes: slices.Clone(e.prefixes), Total: e.total,
			Message: slices.Clone(e.message), Length: e.length,
		}
		for _, err := range e.errs {
			one.More = append(one.More, err.Error())
		}
		one.Error, one.More = one.More[0], one.More[1:]
		one.RFC = wire.RuleOf(e.errs[0])
		list = append(list, one)
	}
	return list
}

// notices returns that the peer sends what is malformed, when it did of late.
func (m *malformed) notices(now time.Time) []route.Notice {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.count == 0 || now.Sub(m.last) > malformedLasts {
		return nil
	}
	i := len(m.list) - 1
	for ; i > 0 && m.list[i].kind == route.AttributesDiscarded; i-- {
	}
	return []route.Notice{{
		Kind: "malformed", Since: m.first, Last: m.last, Count: m.count,
		Text: "It sends malformed messages. The last: " + m.list[i].errs[0].Error(),
	}}
}

// Malformed returns the last malformed messages of the neighbor with the name, the
// newest first.
func (c *Collector) Malformed(name string) []route.Malformed {
	n := c.neighbor(name)
	if n == nil {
		return nil
	}
	return n.malformed.read()
}

// reportMalformed counts, keeps and logs the errors of an UPDATE that do not end the
// session (RFC 7606). The updates are those that it became.
func (s *session) reportMalformed(ctx context.Context, r wire.Report, message []byte, updates []route.Update, now time.Time) {
	s.n.counters.discarded.Add(uint64(len(r.Discarded)))
	e := malformedEntry{at: now, kind: route.AttributesDiscarded, errs: r.Discarded}
	if r.TreatedAsWithdraw != nil {
		s.n.counters.treatedAsWithdraw.Add(1)
		e.kind, e.errs = route.TreatedAsWithdraw, append([]error{r.TreatedAsWithdraw}, r.Discarded...)
	}
	for i := range updates {
		if u := &updates[i]; u.Withdraw() == (r.TreatedAsWithdraw != nil) && (len(u.Attrs) > 0) {
			e.total += len(u.NLRI)
			room := max(0, malformedPrefixes-len(e.prefixes))
			e.prefixes = append(e.prefixes, u.NLRI[:min(len(u.NLRI), room)]...)
		}
	}
	s.noteMalformed(ctx, e, message)
}

// reportReset keeps and logs the message that ends the session, when its end is the
// fault of a message. The report is that of an UPDATE.
func (s *session) reportReset(ctx context.Context, err error, r wire.Report, message []byte, now time.Time) {
	var n *wire.Notification
	if !errors.As(err, &n) {
		return
	}
	e := malformedEntry{at: now, kind: route.SessionReset, errs: []error{n}}
	if r.TreatedAsWithdraw != nil {
		e.errs = append(e.errs, r.TreatedAsWithdraw)
	}
	e.errs = append(e.errs, r.Discarded...)
	s.noteMalformed(ctx, e, message)
}

// noteMalformed keeps a malformed message and logs some.
func (s *session) noteMalformed(ctx context.Context, e malformedEntry, message []byte) {
	e.length = len(message)
	e.message = slices.Clone(message[:min(len(message), malformedMessage)])
	logged := s.n.malformedLog.AllowN(e.at, 1)
	unlogged := s.n.malformed.keep(e, logged)
	if !logged {
		return
	}
	args := []any{"error", e.errs[0], "rfc", wire.RuleOf(e.errs[0])}
	if len(e.errs) > 1 {
		args = append(args, "more_errors", errors.Join(e.errs[1:min(len(e.errs), malformedErrors)]...))
	}
	if e.total > 0 {
		args = append(args, "prefixes", prefixText(e.prefixes[:min(len(e.prefixes), loggedPrefixes)]), "prefix_count", e.total)
	}
	args = append(args, "message", hex.EncodeToString(e.message[:min(len(e.message), loggedMessage)]), "message_length", e.length)
	if unlogged > 0 {
		args = append(args, "not_logged", unlogged)
	}
	switch e.kind {
	case route.TreatedAsWithdraw:
		s.log.WarnContext(ctx, "update treated as withdraw", args...)
	case route.AttributesDiscarded:
		s.log.WarnContext(ctx, "attributes discarded", args...)
	case route.SessionReset:
		s.log.WarnContext(ctx, "malformed message ends the session", args...)
	}
}

// prefixText lists prefixes for a log line.
func prefixText(list []route.NLRI) string {
	texts := make([]string, len(list))
	for i, n := range list {
		texts[i] = n.Prefix.String()
	}
	return strings.Join(texts, " ")
}
