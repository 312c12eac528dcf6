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
	list := x.between(from, upTo)
	for i := range list {
		p := &list[i]
		unknown := false
		if r := x.run(p.run); r != nil && p.run > from.run && r.origin != originContinued && p.from >= r.first && (i == 0 || list[i-1].run != p.run) {
			unknown = true
		}
		if p.lost || unknown || i > 0 && p.from != list[i-1].to+1 {
			return list[:i], []string{"a part of what was recorded is lost: nothing is known from " + stamp(p.first) + " on"}
		}
	}
	return list, nil
}
