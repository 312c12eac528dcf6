package demo

import (
	"context"
	"encoding/binary"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"time"

	"ribglass/cmd/ribglass/config"
	"ribglass/collector/player"
	"ribglass/ribstore/route"
)

const (
	redialAfter = time.Second
	churnEvery  = 700 * time.Millisecond // of each speaker
)

// speaker plays one router.
type speaker struct {
	collector netip.AddrPort
	neighbor  config.Neighbor
	routerID  netip.Addr
	routes    []route.Update
	log       *slog.Logger
}

// run keeps a session up until ctx ends.
func (s *speaker) run(ctx context.Context) {
	for ctx.Err() == nil {
		if err := s.session(ctx); err != nil && ctx.Err() == nil {
			s.log.DebugContext(ctx, "session ended", "error", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(redialAfter):
		}
	}
}

// session announces the routes in one session and lives until it ends.
func (s *speaker) session(ctx context.Context) error {
	cfg := player.DefaultConfig()
	cfg.Address, cfg.LocalAddress = s.collector.String(), s.neighbor.Address.String()
	cfg.ASN, cfg.RouterID = s.neighbor.ASN, s.routerID
	cfg.Families, cfg.MD5 = s.neighbor.Families, string(s.neighbor.Password)
	cfg.EnhancedRefresh, cfg.ExtendedMessages = true, true
	if s.neighbor.AddPath {
		cfg.AddPath = s.neighbor.Families
	}
	session, err := player.Dial(ctx, cfg)
	if err != nil {
		return err
	}
	defer session.Close()
	if err := session.Send(s.routes...); err != nil {
		return err
	}
	for _, f := range s.neighbor.Families {
		if err := session.EndOfRIB(f); err != nil {
			return err
		}
	}
	return s.churn(ctx, session)
}

// churn changes a route now and then, as a living table does: the next one is
// withdrawn, or comes back, or gets another MED.
func (s *speaker) churn(ctx context.Context, session *player.Session) error {
	if len(s.routes) == 0 {
		return nil
	}
	ticker := time.NewTicker(churnEvery)
	defer ticker.Stop()
	random := rand.New(rand.NewPCG(uint64(s.neighbor.ASN), 1)) //nolint:gosec // a show, not a secret
	var withdrawn *route.Update
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-session.Done():
			return session.Err()
		case <-ticker.C:
		}
		u := s.pick(random)
		switch {
		case withdrawn != nil:
			u, withdrawn = *withdrawn, nil
		case random.IntN(4) == 0:
			back := u
			withdrawn, u.Attrs = &back, nil
		default:
			u.Attrs = replace(u.Attrs, route.AttrMED, binary.BigEndian.AppendUint32(nil, random.Uint32N(200)))
		}
		if err := session.Send(u); err != nil {
			return err
		}
	}
}

// pick returns the update of one route.
func (s *speaker) pick(random *rand.Rand) route.Update {
	u := s.routes[random.IntN(len(s.routes))]
	i := random.IntN(len(u.NLRI))
	u.NLRI = u.NLRI[i : i+1]
	return u
}
