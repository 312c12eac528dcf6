package history

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"slices"
	"time"

	"ribglass/ribstore/route"
)

// peers knows who is meant by the numbers of peers while records are replayed.
type peers struct {
	names []string
	known map[uint32]*route.Peer
}

func (h *History) newPeers() *peers {
	return &peers{h.journal.peerNames(), make(map[uint32]*route.Peer)}
}

// resolve sets the peer of a record.
func (p *peers) resolve(rec *record) error {
	if int(rec.peer) >= len(p.names) || p.names[rec.peer] == "" {
		return damaged("a record is of an unknown peer")
	}
	name := p.names[rec.peer]
	switch known := p.known[rec.peer]; {
	case rec.batch.Event == route.PeerUp:
		if rec.batch.Peer.Name != name {
			return damaged("a record is of another peer than it says")
		}
		p.known[rec.peer] = rec.batch.Peer
	case known != nil:
		rec.batch.Peer = known
	default:
		rec.batch.Peer = &route.Peer{Name: name}
		p.known[rec.peer] = rec.batch.Peer
	}
	return nil
}

// replay calls found with the records of pieces after from up to upTo, in order:
// all events, and the changes of the scope.
func (h *History) replay(ctx context.Context, pieces []piece, from, upTo position, within scope, who *peers, found func(*record) error) error {
	found = interruptible(ctx, found)
	for i := range pieces {
		if err := ctx.Err(); err != nil {
			return err
		}
		p := &pieces[i]
		var err error
		if p.level == 0 {
			err = h.group(p, func(rec *record) error {
				return deliver(rec, p.run, from, upTo, within, who, found)
			})
		} else {
			err = h.replaySegment(ctx, p, from, upTo, within, who, found)
		}
		if errors.Is(err, ErrDamaged) {
			return &loss{piece: p, err: err}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// interruptible looks now and then whether the context has ended: a piece may have
// millions of records, and what is done with each may take a while.
func interruptible(ctx context.Context, found func(*record) error) func(*record) error {
	const every = 1024
	n := 0
	return func(rec *record) error {
		if n++; n%every == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		return found(rec)
	}
}

// replayTail replays what was recorded while a snapshot was taken.
func (h *History) replayTail(m *manifest, within scope, who *peers, found func(*record) error) error {
	always := position{math.MaxUint32, math.MaxInt64}
	return new(groupReader).decode(m.tail, func(rec *record) error {
		return deliver(rec, m.run, position{}, always, within, who, found)
	})
}

// deliver gives a record on when it is of the time and scope.
func deliver(rec *record, run uint32, from, upTo position, within scope, who *peers, found func(*record) error) error {
	at := position{run, rec.at}
	if at.compare(upTo) > 0 || from != (position{}) && at.compare(from) <= 0 {
		return nil
	}
	if !rec.ofPeer() {
		return found(rec)
	}
	if err := who.resolve(rec); err != nil {
		return err
	}
	if rec.batch.Event == route.Routes && within.prefix.IsValid() && !confine(&rec.batch, within) {
		return nil
	}
	return found(rec)
}

// confine leaves in a batch what is of the scope, and reports whether anything
// is.
func confine(b *route.Batch, within scope) bool {
	kept := b.Updates[:0]
	for _, u := range b.Updates {
		if !within.family(u.Family) {
			continue
		}
		nlri := u.NLRI[:0]
		for _, n := range u.NLRI {
			if within.has(n.Prefix) {
				nlri = append(nlri, n)
			}
		}
		if u.NLRI = nlri; len(nlri) > 0 {
			kept = append(kept, u)
		}
	}
	b.Updates = kept
	return len(kept) > 0
}

// replaySegment is replay for one segment: changes and events are put together
// again in the order of time.
func (h *History) replaySegment(ctx context.Context, p *piece, from, upTo position, within scope, who *peers, found func(*record) error) error {
	s, err := h.segmentOf(p)
	if err != nil {
		return err
	}
	var events []record
	err = new(groupReader).decode(s.events, func(rec *record) error {
		events = append(events, *rec)
		return nil
	})
	if err != nil {
		return fmt.Errorf("segment of %s: %w", stamp(p.first), err)
	}
	changes, err := h.changes(ctx, p, s, from, upTo, within)
	if err != nil {
		return err
	}
	for len(events) > 0 || len(changes) > 0 {
		if len(changes) == 0 || len(events) > 0 && events[0].at <= changes[0].at {
			err = deliver(&events[0], p.run, from, upTo, scope{}, who, found)
			events = events[1:]
		} else {
			err = deliverChange(&changes[0], who, found)
			changes = changes[1:]
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// maxPrepared is for how many changes room is made at once because a number in the
// file says so; as many are in the largest segments.
const maxPrepared = 4_000_000

// changes returns the changes of a segment in the order of time.
func (h *History) changes(ctx context.Context, p *piece, s *segment, from, upTo position, within scope) ([]placed, error) {
	var list []placed
	if whole := (position{p.run, p.first}).compare(from) > 0 && (position{p.run, p.last}).compare(upTo) <= 0; whole && !within.prefix.IsValid() {
		list = make([]placed, 0, min(p.records, maxPrepared))
	}
	wanted := func(prefix netip.Prefix, at int64) bool {
		when := position{p.run, at}
		return when.compare(upTo) <= 0 && when.compare(from) > 0 && within.has(prefix)
	}
	for number := range s.blocks {
		if !s.wanted(number, within) {
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		err := h.block(&blockReader{wanted: wanted}, p, number, func(f route.Family, c change) { list = append(list, placed{f, c}) })
		if err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(list, func(a, b placed) int { return cmp.Compare(a.at, b.at) })
	return list, nil
}

func deliverChange(c *placed, who *peers, found func(*record) error) error {
	nlri := [1]route.NLRI{{Prefix: c.prefix, PathID: c.pathID}}
	updates := [1]route.Update{{Family: c.family, Attrs: c.set, NLRI: nlri[:]}}
	rec := record{kind: kindRoutes, at: c.at, peer: c.peer, batch: route.Batch{At: time.UnixMilli(c.at).UTC(), Updates: updates[:]}}
	if err := who.resolve(&rec); err != nil {
		return err
	}
	return found(&rec)
}
