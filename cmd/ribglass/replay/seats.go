package replay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"syscall"

	"ribglass/cmd/ribglass/intake"
	"ribglass/collector/wire/mrt"
	"ribglass/ribstore/route"
)

// seats gives each peer an address to come from, in the order in which the peers
// appear: all of them, so that it does not depend on which are wanted.
type seats struct {
	from   netip.Prefix
	wanted []string
	next   netip.Addr
	taken  map[string]seat
}

type seat struct {
	source netip.Addr
	wanted bool
}

func (s *seats) of(p *route.Peer) (seat, error) {
	if known, ok := s.taken[p.Name]; ok {
		return known, nil
	}
	if s.taken == nil {
		s.taken, s.next = make(map[string]seat), s.from.Masked().Addr()
	}
	if s.next = s.next.Next(); !s.from.Contains(s.next) {
		return seat{}, fmt.Errorf("%s has too few addresses for so many peers", s.from)
	}
	one := seat{s.next, matches(p, s.wanted)}
	s.taken[p.Name] = one
	return one, nil
}

// Player is a peer of the files, as it is played.
type Player struct {
	Peer   *route.Peer
	Source netip.Addr
	Routes int // announcements
}

// Plan returns the peers that would be played, in the order in which they appear.
// It reads all files.
func (r *Replay) Plan(ctx context.Context) (list []Player, err error) {
	stream, err := intake.Open(ctx, r.Files, mrt.SourceOptions{ReplacesTable: true})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, stream.Close()) }()
	sources := seats{from: r.From, wanted: r.Peers}
	index := make(map[string]int)
	for {
		b, err := stream.Next()
		if errors.Is(err, io.EOF) {
			return list, nil
		}
		if err != nil {
			return nil, err
		}
		seat, err := sources.of(b.Peer)
		if err != nil {
			return nil, err
		}
		if seat.wanted {
			i, known := index[b.Peer.Name]
			if !known {
				i = len(list)
				index[b.Peer.Name] = i
				list = append(list, Player{Peer: b.Peer, Source: seat.source})
			}
			for j := range b.Updates {
				if !b.Updates[j].Withdraw() {
					list[i].Routes += len(b.Updates[j].NLRI)
				}
			}
		}
		b.Release()
	}
}

// isReset reports whether the other side closed a connection without a word.
func isReset(err error) bool {
	return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) || errors.Is(err, io.ErrUnexpectedEOF)
}
