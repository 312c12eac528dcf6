package bgp

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"ribglass/collector/wire"
	"ribglass/ribstore/route"
)

// Notices of faults of a session.
const (
	noticeNoFamily route.NoticeKind = "no_common_family"
	noticeChatter  route.NoticeKind = "message_flood"
	noticeMD5      route.NoticeKind = "tcp_md5"
)

// KEEPALIVE and ROUTE-REFRESH messages cost more to handle than to send, and no peer
// needs many: this many a second, and for a moment chatterBurst.
const (
	maxChatter   = 100
	chatterBurst = 1000
)

// chatters is the end of a session whose peer floods it.
func (s *session) chatters() error {
	what := fmt.Sprintf("more than %d KEEPALIVE and ROUTE-REFRESH messages a second", maxChatter)
	s.n.notice(noticeChatter, "The session was ended: "+what+".", 1, s.n.now())
	return cease(wire.CeaseOutOfResources, nil, what)
}

// noteFamilies notes when a session has no address family: it is Established, and no
// route can come over it.
func (s *session) noteFamilies(ctx context.Context, agreed *wire.Session) {
	if slices.Contains(agreed.Families[:], true) {
		s.n.withdrawNotice(noticeNoFamily)
		return
	}
	offered := "ipv4-unicast" // of a peer without capabilities (RFC 4760 section 8)
	if list := s.theirs.Families(); len(list) > 0 {
		offered = joinFamilies(list)
	}
	text := fmt.Sprintf("The session has no address family in common, so no route can come: the router offers %s, configured here is %s.",
		offered, joinFamilies(s.conf.Families))
	s.n.notice(noticeNoFamily, text, 1, s.n.now())
	s.n.recordEvent("no address family in common")
	s.log.WarnContext(ctx, "no address family in common", "offered", offered, "configured", joinFamilies(s.conf.Families))
}

func joinFamilies(list []route.Family) string {
	names := make([]string, len(list))
	for i, f := range list {
		names[i] = f.String()
	}
	return strings.Join(names, ", ")
}
