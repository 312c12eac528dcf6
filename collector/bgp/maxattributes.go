package bgp

import (
	"context"
	"fmt"
	"time"

	"ribglass/collector/wire"
	"ribglass/ribstore/route"
	"ribglass/setting"
)

// The notices of the limits of a peer's routes.
const (
	noticeAttributeBytes route.NoticeKind = "max_attribute_bytes"
	noticeTooLong        route.NoticeKind = "max_attribute_length"
	noticeMaxPrefixes    route.NoticeKind = "max_prefixes"
	noticeMaxPaths       route.NoticeKind = "max_paths"
)

// checkLimits compares what the store holds of the peer with its limits. receive
// calls it after each batch, so that a flood is noticed while it comes. supervise
// calls it because the store may not have read the last batch at that time.
func (s *session) checkLimits(ctx context.Context) error {
	s.limitMu.Lock()
	defer s.limitMu.Unlock()
	if err := s.checkMaxPrefixes(ctx); err != nil {
		return err
	}
	s.checkPaths(ctx)
	return s.checkAttributeBytes(ctx)
}

// checkPaths notes that the store did not keep routes of the peer. The caller holds
// s.limitMu.
func (s *session) checkPaths(ctx context.Context) {
	if s.c.deps.NotKept == nil {
		return
	}
	n := s.c.deps.NotKept(s.n.name)
	more := n - s.notKept
	if s.notKept = n; more == 0 || more > n {
		return
	}
	now := s.n.now()
	s.n.notice(noticeMaxPaths, "Routes of it are not kept: a prefix has at most 4,096 paths.", more, now)
	if s.n.malformedLog.AllowN(now, 1) {
		s.log.WarnContext(ctx, "routes are not kept: too many paths of a prefix", "routes", more, "max_paths", 4096)
	}
}

// checkAttributeBytes compares the memory of the peer's attribute sets with
// max_attribute_bytes. A peer may be charged for sets that others hold too, so the
// store counts again before the session is ended. The caller holds s.limitMu.
func (s *session) checkAttributeBytes(ctx context.Context) error {
	conf := s.n.settings()
	limit := uint64(conf.MaxAttributeBytes)
	if limit == 0 || s.c.deps.AttributeBytes == nil {
		return nil
	}
	bytes := s.c.deps.AttributeBytes
	threshold := limit / 100 * uint64(conf.MaxPrefixesWarning)
	have := bytes(ctx, s.n.name, false)
	if have > limit {
		have = bytes(ctx, s.n.name, true)
	}
	switch {
	case have > limit:
		return s.tooManyAttributes(conf, have)
	case have >= threshold && !s.warnedAttributes:
		s.warnedAttributes = true
		text := fmt.Sprintf("Its attribute sets take %s, and max_attribute_bytes is %s.", setting.Size(have), conf.MaxAttributeBytes)
		s.n.notice(noticeAttributeBytes, text, 1, s.n.now())
		s.log.WarnContext(ctx, "peer nears its max_attribute_bytes", "bytes", have, "max_attribute_bytes", limit)
	case have < threshold && s.warnedAttributes:
		s.warnedAttributes = false
		s.n.withdrawNotice(noticeAttributeBytes)
	}
	return nil
}

// tooManyAttributes is the end of a session that reached max_attribute_bytes
// (RFC 4486 section 4: Out of Resources).
func (s *session) tooManyAttributes(conf Settings, have uint64) *ending {
	what := fmt.Sprintf("attribute sets of %s, max_attribute_bytes %s", setting.Size(have), conf.MaxAttributeBytes)
	s.n.notice(noticeAttributeBytes, "The session was ended: "+what+".", 1, s.n.now())
	return overLimit(wire.CeaseOutOfResources, nil, what, conf.MaxPrefixesRestart)
}

// attributesTooLong notes that the peer sent attributes that are longer than
// max_attribute_length.
func (s *session) attributesTooLong(ctx context.Context, n int, now time.Time) {
	text := fmt.Sprintf("It sends attributes longer than max_attribute_length, %s. Their length and a hash are kept.", s.conf.MaxAttributeLength)
	s.n.notice(noticeTooLong, text, uint64(n), now)
	if s.n.malformedLog.AllowN(now, 1) {
		s.log.WarnContext(ctx, "attributes are too long to be kept", "attributes", n, "max_attribute_length", int64(s.conf.MaxAttributeLength))
	}
}
