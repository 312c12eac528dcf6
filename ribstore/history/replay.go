package history

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"slices"
	"time"

	"ribglass/ribstore/history/format"
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
func (p *peers) resolve(rec *format.Record) error {
	if int(rec.Peer) >= len(p.names) || p.names[rec.Peer] == "" {
		return format.Damagedf("a record is of an unknown peer")
	}
	name := p.names[rec.Peer]
	switch known := p.known[rec.Peer]; {
	case rec.Batch.Event == route.PeerUp:
		if rec.Batch.Peer.Name != name {
			return format.Damagedf("a record is of another peer than it says")
		}
		p.known[rec.Peer] = rec.Batch.Peer
	case known != nil:
		rec.Batch.Peer = known
	default:
		rec.Batch.Peer = &route.Peer{Name: name}
		p.known[rec.Peer] = rec.Batch.Peer
	}
	return nil
}

// replay calls found with the records of pieces after from up to upTo, in order:
// all events, and the changes of the scope.
func (h *History) replay(ctx context.Context, pieces []format.Piece, from, upTo position, within format.Scope, who *peers, found func(*format.Record) error) error {
	found = interruptible(ctx, found)
	for i := range pieces {
		if err := ctx.Err(); err != nil {
			return err
		}
		p := &pieces[i]
		var err error
		if p.Level == 0 {
			err = h.source.Group(p, func(rec *format.Record) error {
				return deliver(rec, p.Run, from, upTo, within, who, found)
			})
		} else {
			err = h.replaySegment(ctx, p, from, upTo, within, who, found)
		}
		if errors.Is(err, format.ErrDamaged) {
			return &loss{piece: p, err: err}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// interruptible looks now and then whether the context has ended: a piece may have
// millions of changes, and what is done with each may take a while.
func interruptible(ctx context.Context, found func(*format.Record) error) func(*format.Record) error {
	const every = 1024
	n := 0
	return func(rec *format.Record) error {
		n++
		for i := range rec.Batch.Updates {
			n += len(rec.Batch.Updates[i].NLRI)
		}
		if n >= every {
			if n = 0; ctx.Err() != nil {
				return ctx.Err()
			}
		}
		return found(rec)
	}
}

// replayTail replays what was recorded while a snapshot was taken.
func (h *History) replayTail(m *format.Manifest, within format.Scope, who *peers, found func(*format.Record) error) error {
	always := position{math.MaxUint32, math.MaxInt64}
	return new(format.GroupReader).Decode(m.Tail, func(rec *format.Record) error {
		return deliver(rec, m.Run, position{}, always, within, who, found)
	})
}

// deliver gives a record on when it is of the time and scope.
func deliver(rec *format.Record, run uint32, from, upTo position, within format.Scope, who *peers, found func(*format.Record) error) error {
	at := position{run, rec.At}
	if at.compare(upTo) > 0 || from != (position{}) && at.compare(from) <= 0 {
		return nil
	}
	if !rec.OfPeer() {
		return found(rec)
	}
	if err := who.resolve(rec); err != nil {
		return err
	}
	if rec.Batch.Event == route.Routes && within.Prefix.IsValid() && !confine(&rec.Batch, within) {
		return nil
	}
	return found(rec)
}

// confine leaves in a batch what is of the scope, and reports whether anything
// is.
func confine(b *route.Batch, within format.Scope) bool {
	kept := b.Updates[:0]
	for _, u := range b.Updates {
		if !within.HasFamily(u.Family) {
			continue
		}
		nlri := u.NLRI[:0]
		for _, n := range u.NLRI {
			if within.Has(n.Prefix) {
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
func (h *History) replaySegment(ctx context.Context, p *format.Piece, from, upTo position, within format.Scope, who *peers, found func(*format.Record) error) error {
	s, err := h.source.Segment(p)
	if err != nil {
		return err
	}
	var events []format.Record
	err = new(format.GroupReader).Decode(s.Events, func(rec *format.Record) error {
		events = append(events, *rec)
		return nil
	})
	if err != nil {
		return fmt.Errorf("segment of %s: %w", format.Stamp(p.First), err)
	}
	changes, err := h.changes(ctx, p, s, from, upTo, within)
	if err != nil {
		return err
	}
	turns, batches := changes.turns(), new(joiner)
	for len(events) > 0 || len(turns) > 0 {
		if len(turns) == 0 || len(events) > 0 && events[0].At <= turns[0].at {
			err = deliver(&events[0], p.Run, from, upTo, format.Scope{}, who, found)
			events = events[1:]
		} else {
			var rec *format.Record
			rec, turns = batches.join(changes, turns)
			if err = who.resolve(rec); err == nil {
				err = found(rec)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// changeList is a list of changes, in parts, so that it grows without being copied: after
// a session was reset it has a million.
type changeList [][]format.Change

const changesOfPart = 1 << 12

func (l *changeList) add(c format.Change) {
	n := len(*l)
	switch {
	case n == 0:
		*l = append(*l, nil) // most lists are short
		n = 1
	case len((*l)[n-1]) == changesOfPart:
		*l = append(*l, make([]format.Change, 0, changesOfPart))
		n++
	}
	(*l)[n-1] = append((*l)[n-1], c)
}

func (l *changeList) at(t turn) *format.Change {
	return &(*l)[t.index/changesOfPart][t.index%changesOfPart]
}

// turn is when a change has its turn.
type turn struct {
	at    int64
	index uint32
}

// turns puts the changes in the order of time, those of the same time as they stand.
// The changes stay in their places, since they are six times as large.
func (l *changeList) turns() []turn {
	n := 0
	for _, part := range *l {
		n += len(part)
	}
	turns := make([]turn, 0, n)
	for _, part := range *l {
		for i := range part {
			turns = append(turns, turn{part[i].At, uint32(len(turns))})
		}
	}
	slices.SortFunc(turns, func(a, b turn) int {
		if a.at != b.at {
			return cmp.Compare(a.at, b.at)
		}
		return cmp.Compare(a.index, b.index)
	})
	return turns
}

// changes returns the changes of a segment in the order of prefixes.
func (h *History) changes(ctx context.Context, p *format.Piece, s *format.Segment, from, upTo position, within format.Scope) (changeList, error) {
	var list changeList
	wanted := func(prefix netip.Prefix, at int64) bool {
		when := position{p.Run, at}
		return when.compare(upTo) <= 0 && when.compare(from) > 0 && within.Has(prefix)
	}
	for number := range s.Blocks {
		if !s.Wanted(number, within) {
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		err := h.source.Block(&format.BlockReader{Wanted: wanted}, p, number, list.add)
		if err != nil {
			return nil, err
		}
	}
	return list, nil
}

// joiner makes batches of changes. What it gives out is valid until the next.
type joiner struct {
	record  format.Record
	updates []route.Update
	nlri    []route.NLRI
}

// join makes one batch of the changes of the first turns: those that came from one
// peer at one time. After a session was reset they are many, and a batch of them
// costs the table far less than a batch of each.
func (j *joiner) join(changes changeList, turns []turn) (*format.Record, []turn) {
	const most = 1000 // so that a replay can end between batches
	first := changes.at(turns[0])
	j.updates, j.nlri = j.updates[:0], j.nlri[:0]
	n := 0
	for ; n < min(len(turns), most); n++ {
		c := changes.at(turns[n])
		if c.At != first.At || c.Peer != first.Peer {
			break
		}
		j.nlri = append(j.nlri, route.NLRI{Prefix: c.Prefix, PathID: c.PathID})
		last := len(j.updates) - 1
		if last < 0 || j.updates[last].Family != c.Family || !bytes.Equal(j.updates[last].Attrs, c.Set) {
			j.updates = append(j.updates, route.Update{Family: c.Family, Attrs: c.Set})
			last++
		}
		u := &j.updates[last]
		u.NLRI = j.nlri[n-len(u.NLRI) : n+1 : n+1]
	}
	j.record = format.Record{Kind: format.KindRoutes, At: first.At, Peer: first.Peer, Batch: route.Batch{At: time.UnixMilli(first.At).UTC(), Updates: j.updates}}
	return &j.record, turns[n:]
}
