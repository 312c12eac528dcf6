package history

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"time"

	"ribglass/ribstore/history/format"
	"ribglass/ribstore/route"
)

// A question for a few changes at one end of a long span reads the journal from that
// end: stretch after stretch, each of about so many records, with a table of only the
// prefixes that change in it.

// StretchBefore returns when the last stretch up to a moment begins that has about so
// many records, and from when that would be earlier.
func (h *History) StretchBefore(from, to time.Time, records int) time.Time {
	x, _ := h.look()
	p, err := x.plan(to.UnixMilli())
	if err != nil {
		return from
	}
	for i := len(x.Pieces) - 1; i >= 0; i-- {
		c := &x.Pieces[i]
		if (position{c.Run, c.First}).compare(p.upTo) > 0 {
			continue
		}
		last := c.Last
		if c.Run == p.upTo.run {
			last = min(last, p.upTo.at)
		}
		there := recordsIn(c, c.First, last)
		if there < records {
			records -= there
			continue
		}
		at := last - part(c, records)
		return latest(from, time.UnixMilli(max(at, c.First)).UTC())
	}
	return from
}

// StretchFrom returns when the first stretch from a moment on ends that has about so
// many records, and to when that would be later.
func (h *History) StretchFrom(from, to time.Time, records int) time.Time {
	x, _ := h.look()
	p, err := x.plan(from.UnixMilli())
	if err != nil {
		return to
	}
	for i := range x.Pieces {
		c := &x.Pieces[i]
		if (position{c.Run, c.Last}).compare(p.upTo) < 0 {
			continue
		}
		first := c.First
		if c.Run == p.upTo.run {
			first = max(first, p.upTo.at)
		}
		there := recordsIn(c, first, c.Last)
		if there < records {
			records -= there
			continue
		}
		at := first + part(c, records)
		if end := time.UnixMilli(min(at, c.Last)).UTC(); end.Before(to) {
			return latest(from, end)
		}
		return to
	}
	return to
}

// recordsIn returns about how many records of a piece are of a part of its time.
func recordsIn(p *format.Piece, first, last int64) int {
	if last < first {
		return 0
	}
	return int(float64(p.Records) * float64(last-first+1) / float64(p.Last-p.First+1))
}

// part returns in what part of its time a piece has so many records, about.
func part(p *format.Piece, records int) int64 {
	return int64(float64(p.Last-p.First+1) * float64(records) / float64(max(p.Records, 1)))
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// Touched is what changed in a stretch of time.
type Touched struct {
	set    *format.Set
	Events bool // of sessions, which may change all routes of a peer
}

// errTooMany ends a look at what changed.
var errTooMany = errors.New("too many prefixes change")

// Touched looks up which prefixes changed from a moment up to another. It returns nil
// when more than so many did, when something is missing of the time, and when nothing is
// known of the time before. The error is the error of the context.
func (h *History) Touched(ctx context.Context, from, to time.Time, most int, wanted func(route.Family, netip.Prefix) bool) (*Touched, error) {
	x, _ := h.look()
	before, err := x.plan(from.UnixMilli() - 1)
	if err != nil || len(before.notices) > 0 {
		return nil, nil //nolint:nilerr,nilnil // a whole table tells what is known
	}
	until, err := x.plan(to.UnixMilli())
	if err != nil {
		return nil, nil //nolint:nilerr,nilnil // idem
	}
	pieces, notices := x.known(before.upTo, until.upTo)
	if len(notices) > 0 {
		return nil, nil //nolint:nilnil // idem
	}
	look := toucher{most: most, wanted: wanted, seen: make(map[netip.Prefix]route.Family)}
	replay := replayer{history: h, after: before.upTo, upTo: until.upTo, peers: h.newPeers(), found: look.record}
	err = replay.pieces(ctx, pieces)
	var l *loss
	switch {
	case errors.Is(err, errTooMany), errors.As(err, &l):
		return nil, nil //nolint:nilnil // idem
	case err != nil:
		return nil, err
	}
	return &Touched{set: format.NewSet(look.keys), Events: look.events}, nil
}

// toucher gathers the prefixes of records.
type toucher struct {
	most   int
	wanted func(route.Family, netip.Prefix) bool
	seen   map[netip.Prefix]route.Family
	keys   []format.SortKey
	events bool
}

func (t *toucher) record(rec *format.Record) error {
	if rec.Kind != format.KindRoutes {
		t.events = t.events || rec.OfPeer() && rec.Batch.Event != route.PeerChanged
		return nil
	}
	for i := range rec.Batch.Updates {
		for _, n := range rec.Batch.Updates[i].NLRI {
			t.add(rec.Batch.Updates[i].Family, n.Prefix)
		}
	}
	if len(t.keys) > t.most {
		return errTooMany
	}
	return nil
}

func (t *toucher) add(f route.Family, p netip.Prefix) {
	if known, ok := t.seen[p]; ok && known == f || !t.wanted(f, p) {
		return
	}
	t.seen[p] = f
	t.keys = append(t.keys, format.SortKeyOf(f, p))
}

// AtTouched is like At for the prefixes that changed in a stretch.
func (h *History) AtTouched(ctx context.Context, at time.Time, touched *Touched) (*Past, error) {
	return h.at(ctx, at, format.Scope{Set: touched.set})
}

// Effort returns about how many routes and records are read to make the whole table of a
// moment.
func (h *History) Effort(at time.Time) int {
	x, _ := h.look()
	p, err := x.plan(at.UnixMilli())
	if err != nil {
		return 0
	}
	return int(p.effort())
}

// Batches calls visit with the batches from a moment up to another, as they were
// recorded: their peers have no more than a name when they came up before. It leaves out
// first tables, of which a restart has no use, and what cannot be read. The error is
// the error of the context.
func (h *History) Batches(ctx context.Context, from, to time.Time, visit func(*route.Batch)) error {
	x, _ := h.look()
	var after position
	if before, err := x.plan(from.UnixMilli() - 1); err == nil {
		after = before.upTo
	}
	until, err := x.plan(to.UnixMilli())
	if err != nil {
		return nil //nolint:nilerr // nothing is recorded
	}
	pieces, _ := x.known(after, until.upTo)
	pieces = slices.DeleteFunc(slices.Clone(pieces), func(p format.Piece) bool { return p.Level == format.LevelLoad })
	replay := replayer{history: h, after: after, upTo: until.upTo, peers: h.newPeers()}
	replay.found = func(rec *format.Record) error {
		if rec.OfPeer() && rec.At >= from.UnixMilli() {
			visit(&rec.Batch)
		}
		return nil
	}
	err = replay.pieces(ctx, pieces)
	if _, damaged := errors.AsType[*loss](err); damaged {
		return nil
	}
	return err
}
