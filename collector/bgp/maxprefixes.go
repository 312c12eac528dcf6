package bgp

import (
	"context"
	"encoding/binary"
	"fmt"

	"ribglass/collector/wire"
	"ribglass/ribstore/route"
)

// checkMaxPrefixes compares the number of prefixes that the store holds with
// max_prefixes. The caller holds s.limitMu.
func (s *session) checkMaxPrefixes(ctx context.Context) error {
	conf := s.n.settings()
	limit := conf.MaxPrefixes
	if limit == 0 || s.c.deps.Prefixes == nil {
		return nil
	}
	for _, f := range route.Families() {
		if !s.agreed.Load().Families[f] {
			continue
		}
		have := s.c.deps.Prefixes(s.n.name, f)
		switch threshold := limit * conf.MaxPrefixesWarning / 100; {
		case have > limit:
			return s.tooManyPrefixes(conf, f, have)
		case have < threshold:
			if s.warned[f] {
				s.warned[f] = false
				s.n.withdrawNotice(noticeMaxPrefixes)
			}
		case !s.warned[f]:
			s.warned[f] = true
			s.log.WarnContext(ctx, "peer nears its max_prefixes", "family", f, "prefixes", have, "max_prefixes", limit)
			s.n.notice(noticeMaxPrefixes, fmt.Sprintf("It has %d %s prefixes, and max_prefixes is %d.", have, f, limit), 1, s.n.now())
		}
	}
	return nil
}

// tooManyPrefixes is the end of a session that reached max_prefixes; its data
// are AFI, SAFI and limit (RFC 4486 section 4).
func (s *session) tooManyPrefixes(conf Settings, f route.Family, have int) *ending {
	data := binary.BigEndian.AppendUint16(nil, f.AFI())
	data = append(data, f.SAFI())
	data = binary.BigEndian.AppendUint32(data, uint32(min(conf.MaxPrefixes, 1<<32-1)))
	what := fmt.Sprintf("%d %s prefixes, max_prefixes %d", have, f, conf.MaxPrefixes)
	s.n.notice(noticeMaxPrefixes, "The session was ended: "+what+".", 1, s.n.now())
	return overLimit(wire.CeaseMaxPrefixes, data, what, conf.MaxPrefixesRestart)
}
