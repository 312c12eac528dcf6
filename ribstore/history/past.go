package history

import (
	"context"
	"errors"
	"net/netip"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"ribglass/ribstore/history/format"
	"ribglass/ribstore/route"
	"ribglass/ribstore/table"
)

// Past is the table as it was at a moment. It belongs to the caller.
type Past struct {
	Table   *table.Table
	At      time.Time // the moment that it is true for: the one asked for, or the last before it that is known
	Notices []string  // for people: what is not as they asked

	end    position
	within format.Scope
}

// At returns the table as it was at t, rounded down to a millisecond. The table has
// the prefixes that overlap within, or all prefixes when within is the zero Prefix.
// At passes over what is damaged. Errors are a [*RangeError] and the error of the
// context.
func (h *History) At(ctx context.Context, t time.Time, within netip.Prefix) (*Past, error) {
	return h.at(ctx, t, format.Scope{Prefix: within})
}

func (h *History) at(ctx context.Context, t time.Time, within format.Scope) (*Past, error) {
	return h.planned(ctx, within, func(x *index) (*plan, error) { return x.plan(t.UnixMilli()) })
}

// planned makes the table that a plan leads to.
func (h *History) planned(ctx context.Context, within format.Scope, plan func(*index) (*plan, error)) (*Past, error) {
	var past *Past
	err := h.retry(ctx, func(x *index) error {
		p, err := plan(x)
		if err != nil {
			return err
		}
		if past, err = h.build(ctx, p, within); err == nil {
			past.Notices = append(past.Notices, h.noticesOf(x, p.upTo, p.upTo)...)
		}
		return err
	})
	return past, err
}

// loss is an error of reading a part of the file.
type loss struct {
	snapshot *format.Snapshot
	piece    *format.Piece
	err      error
}

func (l *loss) Error() string { return l.err.Error() }
func (l *loss) Unwrap() error { return l.err }

// retry calls attempt until no damaged part of the file stops it. A part may also be
// missing because it was merged or dropped meanwhile; then retry only looks again.
func (h *History) retry(ctx context.Context, attempt func(*index) error) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		before := h.index.Load()
		x, _ := h.look()
		err := attempt(x)
		var l *loss
		switch {
		case !errors.As(err, &l):
			return err
		case h.index.Load() != before:
		default:
			h.passOver(l)
		}
	}
}

// passOver notes that a part of the file is damaged, so that it is not used
// again.
func (h *History) passOver(l *loss) {
	h.metrics.damaged.Inc()
	h.deps.Logger.Error("a part of the history is damaged and passed over", "error", l.err)
	h.publish(func(x *index) {
		if l.snapshot != nil {
			x.Snapshots = slices.DeleteFunc(slices.Clone(x.Snapshots), func(s format.Snapshot) bool { return s == *l.snapshot })
			return
		}
		x.Pieces = slices.Clone(x.Pieces)
		for i := range x.Pieces {
			if x.Pieces[i].From == l.piece.From {
				x.Pieces[i].Lost = true
			}
		}
	})
}

// build makes the table that a plan leads to.
func (h *History) build(ctx context.Context, p *plan, within format.Scope) (*Past, error) {
	replay := replayer{history: h, upTo: p.upTo, within: within, peers: h.newPeers(), read: p.read}
	t := table.New()
	if p.base != nil {
		var err error
		if t, err = h.load(ctx, p.base, replay); err != nil {
			return nil, err
		}
		replay.after = position{p.base.Run, p.base.End}
	}
	replay.found = apply(t)
	if err := replay.pieces(ctx, p.pieces); err != nil {
		return nil, err
	}
	for t.Work() {
	}
	t.Measure()
	return &Past{Table: t, At: p.at, Notices: p.notices, end: p.upTo, within: within}, nil
}

// load makes the table of a snapshot. The peers of replay then know the peers of
// the snapshot. Damage is a *loss.
func (h *History) load(ctx context.Context, s *format.Snapshot, replay replayer) (*table.Table, error) {
	var t *table.Table
	m, err := h.manifest(s)
	if err == nil {
		t, err = h.restore(ctx, m, replay.within, replay.read)
	}
	if err == nil {
		for i := range m.States {
			replay.peers.known[m.Numbers[i]] = m.States[i].Peer
		}
		replay.found = apply(t)
		err = replay.tail(m)
	}
	switch {
	case err == nil:
		return t, nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	}
	return nil, &loss{snapshot: s, err: err}
}

// applier applies records to tables. A table lets go of attribute sets while it
// works, so it works whenever it got many octets of them.
type applier struct{ octets int }

func (a *applier) apply(t *table.Table, rec *format.Record) {
	const many = 4 << 20
	rec.Apply(t)
	for i := range rec.Batch.Updates {
		a.octets += len(rec.Batch.Updates[i].Attrs)
	}
	if a.octets < many {
		return
	}
	a.octets = 0
	for t.Work() {
	}
}

// apply returns a function that applies records to a table.
func apply(t *table.Table) func(*format.Record) error {
	a := new(applier)
	return func(rec *format.Record) error {
		a.apply(t, rec)
		return nil
	}
}

// restore makes a table of the chunks of a snapshot.
func (h *History) restore(ctx context.Context, m *format.Manifest, within format.Scope, read *loading) (*table.Table, error) {
	r := restorer{loader: table.Restore(m.States), within: within, read: read}
	for i, n := range m.Numbers {
		*r.states.Of(n) = uint32(i) + 1
	}
	if err := h.eachRange(ctx, m, within, r.loader.Hash, r.load); err != nil {
		return nil, err
	}
	return r.loader.Finish(), nil
}

// restorer gives the routes of ranges to a loader.
type restorer struct {
	loader *table.Loader
	within format.Scope
	states format.Numbers // of the peers of the file, one more than the index of a state
	read   *loading
}

// load loads a range.
func (r *restorer) load(from *format.RangeReader) error {
	f, difference := from.Family(), from.Difference()
	// Ids of attribute sets in the table plus one: of the base, and of the difference.
	ids := [2][]uint32{make([]uint32, len(from.BaseChunk().Sets)), nil}
	if hashes := from.Hashes(); len(hashes) > 0 {
		r.loader.Sets(ids[0], from.BaseChunk().Sets, hashes)
	}
	if difference != nil {
		ids[1] = make([]uint32, len(difference.Sets))
	}
	ok, routes := true, uint32(0)
	var slot uint32
	var known netip.Prefix
	from.Each(func(prefix netip.Prefix, of *format.Chunk, e format.Entry) {
		routes++
		if !r.within.Has(prefix) {
			return
		}
		if prefix != known {
			var taken bool
			if slot, taken = r.loader.Prefix(f, prefix); !taken {
				ok = false
				return
			}
			known = prefix
		}
		sets := ids[0]
		if of == difference {
			sets = ids[1]
		}
		if sets[e.Set] == 0 {
			id, taken := r.loader.Set(of.Set(e.Set))
			if !taken {
				ok = false
				return
			}
			sets[e.Set] = id + 1
		}
		i := int(r.states.Find(e.Peer)) - 1 // no peer has -1
		ok = r.loader.Route(i, f, slot, e.PathID, sets[e.Set]-1, int64(e.Received), e.Class) && ok
	})
	if !ok {
		return format.Damagedf("a chunk has routes that cannot be")
	}
	r.read.add(routes)
	return nil
}

// eachRange calls load with the ranges of a snapshot that the scope touches, in
// order. While load runs, other goroutines read the ranges that follow.
func (h *History) eachRange(ctx context.Context, m *format.Manifest, within format.Scope, hash func(route.Attrs) uint64, load func(*format.RangeReader) error) error {
	var wanted []*format.Range
	for i := range m.Ranges {
		next := format.SortKey{}
		if i+1 < len(m.Ranges) && m.Ranges[i+1].First.Long == m.Ranges[i].First.Long {
			next = m.Ranges[i+1].First
		}
		if within.Touches(m.Ranges[i].First, next) {
			wanted = append(wanted, &m.Ranges[i])
		}
	}
	ctx, cancel := context.WithCancel(ctx)
	var group sync.WaitGroup
	workers := max(1, runtime.GOMAXPROCS(0)/2) // the other half makes the table
	if !within.Whole() {
		workers = runtime.GOMAXPROCS(0) // a few ranges, of which little is taken
	}
	readers := make([]*format.RangeReader, min(workers, len(wanted))+1)
	for i := range readers {
		readers[i] = h.readers.Get().(*format.RangeReader)
	}
	defer func() {
		cancel()
		group.Wait()
		for _, s := range readers {
			h.readers.Put(s)
		}
	}()
	results := h.readAhead(ctx, &group, readers, wanted, hash, within.Whole())
	for i := range wanted {
		select {
		case got := <-results[i]:
			err := got.err
			if err == nil {
				err = load(got.reader)
			}
			if err != nil {
				return err
			}
			got.release()
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

type readResult struct {
	reader  *format.RangeReader
	err     error
	release func() // gives the reader back to be filled again
}

// readAhead reads ranges in several goroutines, which end with the context. It
// sends each to the channel with its index, a few ranges ahead of the receiver.
// There is one goroutine fewer than there are readers. When ranges are wanted
// whole, the goroutines also make their attribute sets and the hashes of these.
func (h *History) readAhead(ctx context.Context, group *sync.WaitGroup, readers []*format.RangeReader, wanted []*format.Range, hash func(route.Attrs) uint64, whole bool) []chan readResult {
	free := make(chan *format.RangeReader, len(readers))
	for _, s := range readers {
		free <- s
	}
	results := make([]chan readResult, len(wanted))
	for i := range results {
		results[i] = make(chan readResult, 1)
	}
	var next atomic.Int64
	for range len(readers) - 1 {
		group.Go(func() {
			for {
				var p *format.RangeReader
				select {
				case p = <-free: // first, so that the range wanted next never waits for one
				case <-ctx.Done():
					return
				}
				i := int(next.Add(1)) - 1
				if i >= len(wanted) {
					return
				}
				err := p.Read(&h.source, wanted[i])
				if err == nil && whole {
					p.MakeSets(hash)
				}
				results[i] <- readResult{p, err, func() { free <- p }}
			}
		})
	}
	return results
}
