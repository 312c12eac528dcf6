// Package replay plays recorded tables and updates into a running collector over
// real BGP sessions, one for each peer of the files.
//
// A [Replay] sends in one goroutine, in the order of the records, paced by their
// times. Which peer comes from which address depends on the files alone, so two
// replays of the same files are the same.
package replay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"ribglass/cmd/ribglass/intake"
	"ribglass/collector/player"
	"ribglass/collector/wire"
	"ribglass/collector/wire/mrt"
	"ribglass/ribstore/route"
)

// Replay says what is played, and to whom.
type Replay struct {
	Files  []string
	To     string       // host:port of the collector
	From   netip.Prefix // addresses of this machine: peer n comes from the n-th of them
	Speed  float64      // recorded seconds in a second; zero: as fast as it goes
	Peers  []string     // names, addresses or AS numbers; none: all
	Stay   bool         // keep the sessions up at the end, until the context ends
	Logger *slog.Logger

	// Progress, when set, is called now and then.
	Progress func(Progress)
}

// Progress tells how far a replay is.
type Progress struct {
	At                   time.Time // of the records
	Done, Total          int64     // octets of the files
	Sessions             int       // up
	Opened, Ended        int       // sessions: opened, and ended as recorded
	Announced, Withdrawn int
	Omitted              int // routes of families, or with next hops, that the collector does not take
}

// Run plays. It returns when everything was sent and the sessions are closed, or
// with the first error.
func (r *Replay) Run(ctx context.Context) (p Progress, err error) {
	stream, err := intake.Open(ctx, r.Files, mrt.SourceOptions{ReplacesTable: true})
	if err != nil {
		return p, err
	}
	defer func() { err = errors.Join(err, stream.Close()) }()
	run := &run{Replay: r, stream: stream, seats: seats{from: r.From, wanted: r.Peers}, sessions: make(map[string]*session)}
	defer run.close()
	err = run.play(ctx)
	if err == nil && r.Stay {
		run.tell(true)
		err = run.stay(ctx)
	}
	return run.progress(), err
}

// run is one replay under way.
type run struct {
	*Replay

	stream   *intake.Stream
	seats    seats
	sessions map[string]*session // by name of the peer
	pace     pacer
	batches  int
	sum      Progress
}

// session is that of one peer.
type session struct {
	*player.Session

	opened   time.Time
	agreed   wire.Session
	complete [route.NumFamilies]bool // End-of-RIB was sent
}

func (r *run) play(ctx context.Context) error {
	r.pace = pacer{speed: r.Speed}
	for {
		b, err := r.stream.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = r.pace.wait(ctx, b.At)
		}
		if err != nil {
			return err
		}
		r.sum.At = b.At
		err = r.batch(ctx, b)
		b.Release()
		if err != nil {
			return err
		}
		r.tell(false)
	}
}

// batch plays what one peer said.
func (r *run) batch(ctx context.Context, b *mrt.Batch) error {
	seat, err := r.seats.of(b.Peer)
	if err != nil || !seat.wanted {
		return err
	}
	s := r.sessions[b.Peer.Name]
	if b.Event == route.PeerDown || b.Event == route.PeerRemoved {
		if s == nil {
			return nil
		}
		r.sum.Ended++
		delete(r.sessions, b.Peer.Name)
		return s.leave(ctx)
	}
	if s == nil {
		if s, err = r.open(ctx, b.Peer, seat.source); err != nil {
			return err
		}
	}
	select {
	case <-s.Done():
		return fmt.Errorf("the session of %s ended: %w", b.Peer.Name, s.Err())
	default:
	}
	return r.say(s, b)
}

// open opens the session of a peer.
func (r *run) open(ctx context.Context, p *route.Peer, source netip.Addr) (*session, error) {
	cfg := r.configOf(p, source)
	opened, err := dial(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("open a session for %s as AS%v from %s: %w", p.Name, p.ASN, source, err)
	}
	s := &session{Session: opened, opened: time.Now(), agreed: opened.Agreed()}
	if len(cfg.AddPath) > 0 && !s.agreed.AddPathSend[route.IPv4Unicast] && !s.agreed.AddPathSend[route.IPv6Unicast] {
		r.Logger.WarnContext(ctx, "the collector takes one path a prefix of a peer that has several: the last one counts", "peer", p.Name)
	}
	r.sessions[p.Name] = s
	r.sum.Opened++
	return s, nil
}

// configOf returns how a peer is played.
func (r *run) configOf(p *route.Peer, source netip.Addr) player.Config {
	cfg := player.DefaultConfig()
	cfg.Address, cfg.LocalAddress = r.To, source.String()
	cfg.ASN, cfg.RouterID = p.ASN, routerID(p, source)
	families := route.Families()
	cfg.Families = families[:]
	// Not for multicast, which RFC 8950 has too: FRR logs an error for it.
	cfg.ExtendedNextHop = []route.Family{route.IPv4Unicast}
	cfg.ExtendedMessages, cfg.EnhancedRefresh = true, true
	cfg.KeepReceived = 0
	if p.AddPath != [route.NumFamilies]bool{} {
		cfg.AddPath = families[:]
	}
	return cfg
}

// dialTime is how long a collector may take that has not seen the end of the
// session before yet.
const dialTime = 5 * time.Second

// dial opens a session, and tries again while the collector is there but does not
// take it.
func dial(ctx context.Context, cfg player.Config) (*player.Session, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTime)
	defer cancel()
	for {
		s, err := player.Dial(ctx, cfg)
		if err == nil || !worthAnother(err) {
			return s, err
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// worthAnother reports whether another try can help: the connection was taken and
// then closed.
func worthAnother(err error) bool {
	_, notified := errors.AsType[*wire.Notification](err)
	return notified || errors.Is(err, io.EOF) || isReset(err)
}

// say sends what one peer said.
func (r *run) say(s *session, b *mrt.Batch) error {
	switch b.Event {
	case route.Routes:
		return r.routes(s, b.Updates)
	case route.EndOfRIB:
		return s.end(b.Family)
	case route.RefreshBegin:
		// The first table of a session is what the session begins with.
		if s.complete[b.Family] && s.agreed.EnhancedRefresh {
			return s.refresh(b.Family, wire.RefreshBegin)
		}
	case route.RefreshEnd:
		if s.complete[b.Family] && s.agreed.EnhancedRefresh {
			return s.refresh(b.Family, wire.RefreshEnd)
		}
		return s.end(b.Family)
	case route.PeerUp, route.PeerDown, route.PeerRemoved, route.PeerChanged:
	}
	return nil
}

func (r *run) routes(s *session, updates []route.Update) error {
	for _, u := range updates {
		switch {
		case !s.takes(&u):
			r.sum.Omitted += len(u.NLRI)
			continue
		case u.Withdraw():
			r.sum.Withdrawn += len(u.NLRI)
		default:
			r.sum.Announced += len(u.NLRI)
			u.Attrs = s.audible(u.Attrs)
		}
		if err := s.Send(u); err != nil {
			return err
		}
	}
	return nil
}

// takes reports whether the collector takes routes of the family, with the next hop that
// an update has.
func (s *session) takes(u *route.Update) bool {
	f := u.Family
	return s.agreed.Families[f] && (f.IsIPv6() || s.agreed.ExtendedNextHop[f] || u.Withdraw() || !u.Attrs.NextHop().Is6())
}

// audible returns the attributes as the session carries them: an external one does
// without those of the inside of an AS.
func (s *session) audible(attrs route.Attrs) route.Attrs {
	if s.agreed.IBGP {
		return attrs
	}
	var kept route.Attrs
	for code, value := range attrs.All() {
		switch code {
		case route.AttrLocalPref, route.AttrOriginatorID, route.AttrClusterList:
		default:
			kept = kept.AppendAttr(code, value)
		}
	}
	return kept
}

// leastLife is how long a session lives at least: one that ends in the moment it
// begins may not have begun for the collector, and what it said is lost.
const leastLife = 250 * time.Millisecond

// leave closes a session that was recorded as lost.
func (s *session) leave(ctx context.Context) error {
	select {
	case <-time.After(time.Until(s.opened.Add(leastLife))):
	case <-s.Done():
	case <-ctx.Done():
	}
	return s.Close()
}

func (s *session) end(f route.Family) error {
	if !s.agreed.Families[f] {
		return nil
	}
	s.complete[f] = true
	return s.EndOfRIB(f)
}

func (s *session) refresh(f route.Family, subtype wire.RefreshSubtype) error {
	return s.SendRaw(wire.RouteRefresh{Family: f, Subtype: subtype}.Append(nil))
}

// stay keeps the sessions up until the context ends or one of them does.
func (r *run) stay(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	for name, s := range r.sessions {
		group.Go(func() error {
			select {
			case <-s.Done():
				return fmt.Errorf("the session of %s ended: %w", name, s.Err())
			case <-ctx.Done():
				return nil
			}
		})
	}
	return group.Wait()
}

// close closes the sessions, in the order of their names.
func (r *run) close() {
	names := make([]string, 0, len(r.sessions))
	for name := range r.sessions {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		_ = r.sessions[name].Close() // it is over in any case
	}
}

func (r *run) progress() Progress {
	p := r.sum
	p.Sessions = len(r.sessions)
	p.Done, p.Total = r.stream.Consumed()
	return p
}

// tellEvery is after how many batches progress is told.
const tellEvery = 64

func (r *run) tell(always bool) {
	if r.batches++; r.Progress != nil && (always || r.batches%tellEvery == 0) {
		r.Progress(r.progress())
	}
}

// routerID returns the BGP identifier that a peer had, or one that no other has.
func routerID(p *route.Peer, source netip.Addr) netip.Addr {
	if p.RouterID.Is4() && !p.RouterID.IsUnspecified() {
		return p.RouterID
	}
	b := source.As16()
	return netip.AddrFrom4([4]byte{198, b[13], b[14], b[15]})
}

// matches reports whether a peer is one of those wanted.
func matches(p *route.Peer, wanted []string) bool {
	return len(wanted) == 0 || slices.Contains(wanted, p.Name) || slices.Contains(wanted, p.Address.String()) ||
		slices.Contains(wanted, "AS"+p.ASN.String()) || slices.Contains(wanted, strconv.FormatUint(uint64(p.ASN), 10))
}
