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

// peers knows the peers that records name by their numbers.
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

// replayer gives the records of a stretch of the past to found, in order: all
// events of sessions, and the changes of prefixes within the scope. A record is
// valid until found returns.
type replayer struct {
	history *History
	after   position // the last moment before the stretch; zero: there is none
	upTo    position // the last moment of the stretch
	within  format.Scope
	peers   *peers
	found   func(*format.Record) error
}

// pieces replays the records of pieces of the journal that follow each other. It
// returns damage as a *loss, and else the errors of found and of the context.
func (r *replayer) pieces(ctx context.Context, pieces []format.Piece) error {
	checked := *r
	checked.found = interruptible(ctx, r.found)
	for i := range pieces {
		if err := ctx.Err(); err != nil {
			return err
		}
		p := &pieces[i]
		var err error
		if p.Level == 0 {
			err = checked.history.source.Group(p, func(rec *format.Record) error { return checked.deliver(rec, p.Run) })
		} else {
			err = checked.segment(ctx, p)
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

// interruptible returns found with a look at the context now and then. A piece may
// have millions of changes, and found may take a while for each.
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

// tail replays what was recorded while a snapshot was taken.
func (r *replayer) tail(m *format.Manifest) error {
	all := *r
	all.after, all.upTo = position{}, position{math.MaxUint32, math.MaxInt64}
	return new(format.GroupReader).Decode(m.Tail, func(rec *format.Record) error { return all.deliver(rec, m.Run) })
}

// covers reports whether a moment is in the stretch.
func (r *replayer) covers(at position) bool {
	return at.compare(r.upTo) <= 0 && (r.after == position{} || at.compare(r.after) > 0)
}

// deliver gives a record of a run to found when it is of the stretch and of the
// scope.
func (r *replayer) deliver(rec *format.Record, run uint32) error {
	if !r.covers(position{run, rec.At}) {
		return nil
	}
	if !rec.OfPeer() {
		return r.found(rec)
	}
	if err := r.peers.resolve(rec); err != nil {
		return err
	}
	if rec.Batch.Event == route.Routes && r.within.Prefix.IsValid() && !confine(&rec.Batch, r.within) {
		return nil
	}
	return r.found(rec)
}

// confine removes from a batch what is not of the scope, and reports whether
// anything is left.
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

// segment replays one segment. It puts changes and events together again in the
// order of time.
func (r *replayer) segment(ctx context.Context, p *format.Piece) error {
	s, err := r.history.source.Segment(p)
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
	changes, err := r.changes(ctx, p, s)
	if err != nil {
		return err
	}
	order, batches := changes.byTime(), new(joiner)
	for len(events) > 0 || len(order) > 0 {
		if len(order) == 0 || len(events) > 0 && events[0].At <= order[0].at {
			err = r.deliver(&events[0], p.Run)
			events = events[1:]
		} else {
			var rec *format.Record
			rec, order = batches.join(changes, order)
			if err = r.peers.resolve(rec); err == nil {
				err = r.found(rec)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// changes returns the changes of a segment that are of the stretch and of the
// scope, in the order of prefixes.
func (r *replayer) changes(ctx context.Context, p *format.Piece, s *format.Segment) (changeList, error) {
	var list changeList
	wanted := func(prefix netip.Prefix, at int64) bool {
		return r.covers(position{p.Run, at}) && r.within.Has(prefix)
	}
	for number := range s.Blocks {
		if !s.Wanted(number, r.within) {
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := r.history.source.Block(&format.BlockReader{Wanted: wanted}, p, number, list.add); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// changeList is a list of changes. It has parts, so that it grows without being
// copied: after a session was reset it has a million changes.
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

func (l *changeList) at(t timed) *format.Change {
	return &(*l)[t.index/changesOfPart][t.index%changesOfPart]
}

// timed is a change of a list and its time.
type timed struct {
	at    int64
	index uint32
}

// byTime returns the changes in the order of time, and changes of one time in the
// order of the list. The changes themselves, which are six times as large, stay
// where they are.
func (l *changeList) byTime() []timed {
	n := 0
	for _, part := range *l {
		n += len(part)
	}
	order := make([]timed, 0, n)
	for _, part := range *l {
		for i := range part {
			order = append(order, timed{part[i].At, uint32(len(order))})
		}
	}
	slices.SortFunc(order, func(a, b timed) int {
		if a.at != b.at {
			return cmp.Compare(a.at, b.at)
		}
		return cmp.Compare(a.index, b.index)
	})
	return order
}

// joiner makes batches of changes. What it gives out is valid until the next.
type joiner struct {
	record  format.Record
	updates []route.Update
	nlri    []route.NLRI
}

// join makes one batch of the first changes, as many as came from one peer at one
// time, and returns the order of the others. After a session was reset they are many, and a batch of them
// costs the table far less than a batch of each.
func (j *joiner) join(changes changeList, order []timed) (*format.Record, []timed) {
	const most = 1000 // so that a replay can end between batches
	first := changes.at(order[0])
	j.updates, j.nlri = j.updates[:0], j.nlri[:0]
	n := 0
	for ; n < min(len(order), most); n++ {
		c := changes.at(order[n])
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
	return &j.record, order[n:]
}
