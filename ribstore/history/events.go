package history

import (
	"context"
	"fmt"
	"time"

	"ribglass/ribstore/history/format"
	"ribglass/ribstore/route"
	"ribglass/ribstore/table"
)

// Event is one thing recorded: a batch of a peer, or something that became due
// in the table. It is valid during the call that gives it.
type Event struct {
	At     time.Time    // to the microsecond; the events of one moment keep the order of the import, whatever their times
	Moment time.Time    // the whole millisecond that the event counts for, never earlier than the moment of the last event
	Batch  *route.Batch // nil: routes expired, or have longer until they do
	rec    *format.Record
	by     *applier
}

// Apply does to a table what was done.
func (e *Event) Apply(t *table.Table) { e.by.apply(t, e.rec) }

// Steps calls visit with parts of the event, in order, that change no route twice.
// Together they do what the event does. A peer may announce and withdraw a prefix
// many times in one moment, and each time is a change of its own.
func (e *Event) Steps(visit func(*Event) error) error {
	if e.Batch == nil || e.Batch.Event != route.Routes || !repeats(e.Batch) {
		return visit(e)
	}
	whole := *e.rec
	part := *e
	part.rec, part.Batch = &whole, &whole.Batch
	var updates []route.Update
	seen := make(map[place]bool)
	flush := func() error {
		if len(updates) == 0 {
			return nil
		}
		whole.Batch.Updates = updates
		err := visit(&part)
		updates = updates[:0]
		clear(seen)
		return err
	}
	for _, u := range e.Batch.Updates {
		nlri, start := u.NLRI, 0
		for i := range nlri {
			if at := placeOf(u.Family, nlri[i]); !seen[at] {
				seen[at] = true
				continue
			}
			if u.NLRI = nlri[start:i]; start < i {
				updates = append(updates, u)
			}
			if err := flush(); err != nil {
				return err
			}
			start, seen[placeOf(u.Family, nlri[i])] = i, true
		}
		if u.NLRI = nlri[start:]; start < len(nlri) {
			updates = append(updates, u)
		}
	}
	return flush()
}

// repeats reports whether a batch may change a route more than once.
func repeats(b *route.Batch) bool {
	n := 0
	for i := range b.Updates {
		n += len(b.Updates[i].NLRI)
	}
	if n < 2 {
		return false
	}
	seen := make(map[place]bool, n)
	for i := range b.Updates {
		for _, one := range b.Updates[i].NLRI {
			at := placeOf(b.Updates[i].Family, one)
			if seen[at] {
				return true
			}
			seen[at] = true
		}
	}
	return false
}

// Replay calls visit with the events from a past up to a time, in order: all
// events of sessions, and the changes of the prefixes that the past was asked for. It
// returns notices, for people, about parts that are not known. Errors are the errors of
// visit and of the context.
func (h *History) Replay(ctx context.Context, from *Past, to time.Time, visit func(*Event) error) (notices []string, err error) {
	x, _ := h.look()
	p, err := x.plan(to.UnixMilli())
	if err != nil {
		return nil, err
	}
	pieces, notices := x.known(from.end, p.upTo)
	notices = append(notices, h.noticesOf(x, from.end, p.upTo)...)
	replay := replayer{history: h, after: from.end, upTo: p.upTo, within: from.within, peers: h.newPeers()}
	for _, info := range from.Table.Peers() {
		for n, name := range replay.peers.names {
			if name == info.Peer.Name {
				replay.peers.known[uint32(n)] = info.Peer
			}
		}
	}
	by := new(applier)
	replay.found = func(rec *format.Record) error {
		e := Event{At: rec.Exact(), Moment: time.UnixMilli(rec.At).UTC(), rec: rec, by: by}
		if rec.OfPeer() {
			e.Batch = &rec.Batch
		}
		return visit(&e)
	}
	err = replay.pieces(ctx, pieces)
	if l, ok := err.(*loss); ok { //nolint:errorlint // pieces returns it bare
		h.passOver(l)
		return append(notices, fmt.Sprintf("the journal from %s on is damaged", format.Stamp(l.piece.First))), nil
	}
	return notices, err
}

// known returns the pieces between two moments up to the first break, and a
// notice when there is one.
func (x *index) known(from, upTo position) ([]format.Piece, []string) {
	var list []format.Piece
	until := func(at int64) ([]format.Piece, []string) {
		return list, []string{"a part of what was recorded is lost: nothing is known from " + format.Stamp(at) + " on"}
	}
	for i := range x.Pieces {
		p := &x.Pieces[i]
		after := (position{p.Run, p.Last}).compare(from) > 0
		before := (position{p.Run, p.First}).compare(upTo) <= 0
		if i == 0 && after && !x.follows(from, p) {
			return until(from.at)
		}
		if i > 0 && after && p.From != x.Pieces[i-1].To+1 {
			if last := (position{x.Pieces[i-1].Run, x.Pieces[i-1].Last}); last.compare(upTo) <= 0 {
				return until(max(last.at, from.at))
			}
		}
		if !after || !before {
			continue
		}
		if p.Lost || x.unknown(from, i, len(list) == 0) {
			return until(p.First)
		}
		list = append(list, *p)
	}
	return list, nil
}

// unknown reports whether the run of piece i began after a moment, and with a table
// that was not recorded.
func (x *index) unknown(from position, i int, first bool) bool {
	p := &x.Pieces[i]
	r := x.run(p.Run)
	return r != nil && p.Run > from.run && r.Origin != format.OriginContinued && p.From >= r.First && (first || x.Pieces[i-1].Run != p.Run)
}

// follows reports whether nothing is missing between a moment and the first piece
// of the journal. Older pieces may not be kept any more.
func (x *index) follows(from position, p *format.Piece) bool {
	if r := x.run(from.run); r != nil && r.First >= p.From {
		return true // the journal has all of the run, from its begin
	}
	for i := range x.Snapshots {
		s := &x.Snapshots[i]
		if s.Next >= p.From && (position{s.Run, s.End}).compare(from) <= 0 {
			return true
		}
	}
	return (position{p.Run, p.First}).compare(from) <= 0
}
