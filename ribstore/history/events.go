package history

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"ribglass/ribstore/route"
	"ribglass/ribstore/table"
)

// Event is one thing recorded: a batch of a peer, or something that became due
// in the table. It is valid during the call that gives it.
type Event struct {
	At    time.Time
	Batch *route.Batch // nil: routes expired, or have longer until they do
	rec   *record
}

// Apply does to a table what was done.
func (e *Event) Apply(t *table.Table) { e.rec.apply(t) }

// Replay calls visit with the events from a past up to a time, in order: all
// events of sessions, and the changes of prefixes that overlap within, or all
// when it is the zero Prefix. It returns what is to be said about parts that are
// not recorded. Errors are those of visit and that of the context.
func (h *History) Replay(ctx context.Context, from *Past, to time.Time, within netip.Prefix, visit func(*Event) error) (notices []string, err error) {
	x, _ := h.look()
	p, err := x.plan(to.UnixMilli())
	if err != nil {
		return nil, err
	}
	pieces, notices := x.known(from.end, p.upTo)
	who := h.newPeers()
	for _, info := range from.Table.Peers() {
		for n, name := range who.names {
			if name == info.Peer.Name {
				who.known[uint32(n)] = info.Peer
			}
		}
	}
	err = h.replay(ctx, pieces, from.end, p.upTo, scope{within}, who, func(rec *record) error {
		e := Event{At: time.UnixMilli(rec.at).UTC(), rec: rec}
		if rec.ofPeer() {
			e.Batch = &rec.batch
		}
		return visit(&e)
	})
	if l, ok := err.(*loss); ok { //nolint:errorlint // replay returns it bare
		h.passOver(l)
		return append(notices, fmt.Sprintf("the journal from %s on is damaged", stamp(l.piece.first))), nil
	}
	return notices, err
}

// known returns the pieces between two moments up to the first break, and a
// notice when there is one.
func (x *index) known(from, upTo position) ([]piece, []string) {
	var list []piece
	until := func(at int64) ([]piece, []string) {
		return list, []string{"a part of what was recorded is lost: nothing is known from " + stamp(at) + " on"}
	}
	for i := range x.pieces {
		p := &x.pieces[i]
		after := (position{p.run, p.last}).compare(from) > 0
		before := (position{p.run, p.first}).compare(upTo) <= 0
		if i == 0 && after && !x.follows(from, p) {
			return until(from.at)
		}
		if i > 0 && after && p.from != x.pieces[i-1].to+1 {
			if last := (position{x.pieces[i-1].run, x.pieces[i-1].last}); last.compare(upTo) <= 0 {
				return until(max(last.at, from.at))
			}
		}
		if !after || !before {
			continue
		}
		if p.lost || x.unknown(from, i, len(list) == 0) {
			return until(p.first)
		}
		list = append(list, *p)
	}
	return list, nil
}

// unknown reports whether the run of piece i began, since a moment, with what was
// not recorded.
func (x *index) unknown(from position, i int, first bool) bool {
	p := &x.pieces[i]
	r := x.run(p.run)
	return r != nil && p.run > from.run && r.origin != originContinued && p.from >= r.first && (first || x.pieces[i-1].run != p.run)
}

// follows reports whether nothing is missing between a moment and the first piece
// of the journal, of which what was before it may be kept no longer.
func (x *index) follows(from position, p *piece) bool {
	if r := x.run(from.run); r != nil && r.first >= p.from {
		return true // the journal has all of the run, from its begin
	}
	for i := range x.snapshots {
		s := &x.snapshots[i]
		if s.next >= p.from && (position{s.run, s.end}).compare(from) <= 0 {
			return true
		}
	}
	return (position{p.run, p.first}).compare(from) <= 0
}
