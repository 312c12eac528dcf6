package history

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"ribglass/ribstore/history/format"
	"ribglass/ribstore/route"
	"ribglass/ribstore/table"
)

// A range gets another difference while all its differences together have fewer
// routes than the base divided by changeFraction; then it is stored whole again.
// Beyond maxChanges its differences are made into one.
const (
	changeFraction = 4
	maxChanges     = 12
)

// SnapshotInfo describes a snapshot.
type SnapshotInfo struct {
	At     time.Time     // the moment it is true for
	Routes int           //
	Took   time.Duration // zero for one that was read from the file
	Chunks int           // parts of it that were not stored before
	Bytes  int64         // of these parts and the manifest
}

// Snapshots tells which snapshots are kept, in order of time.
func (h *History) Snapshots() []SnapshotInfo {
	x := h.index.Load()
	list := make([]SnapshotInfo, len(x.Snapshots))
	for i := range x.Snapshots {
		list[i] = SnapshotInfo{At: format.FromMillis(x.Snapshots[i].End), Routes: int(x.Snapshots[i].Routes)}
	}
	return list
}

// ErrReadOnly is returned by methods that would change a file that is only open for
// reading.
var ErrReadOnly = errors.New("the history is open to be read only")

// errMuchChanged: the tail of a snapshot would be too large, or it yielded to a peer
// that sends its table.
var errMuchChanged = errors.New("too much changed while it was taken; it is taken again later")

// Snapshot takes a snapshot of the table now. Lookups and the table's writer go on
// meanwhile. The writer only runs two short functions: one that reads the state of
// the peers at the begin, and one that reads the end of the journal at the end.
func (h *History) Snapshot(ctx context.Context, live TableWriter) (SnapshotInfo, error) {
	return h.takeSnapshot(ctx, live, false)
}

// takeSnapshot is Snapshot. It may yield to a peer that says much meanwhile, which
// would be thinned else: then it returns errMuchChanged as soon as that happens.
func (h *History) takeSnapshot(ctx context.Context, live TableWriter, yields bool) (SnapshotInfo, error) {
	if h.file.Load().readOnly {
		return SnapshotInfo{}, ErrReadOnly
	}
	h.keeping.Lock()
	defer h.keeping.Unlock()
	info, err := h.snapshot(ctx, live, yields)
	for tries := range snapshotTries {
		if !errors.Is(err, ErrFull) {
			break
		}
		// What is newer than the last snapshot goes last.
		if err = h.makeRoom(ctx, tries == snapshotTries-1); err == nil {
			info, err = h.snapshot(ctx, live, yields)
		}
	}
	if err != nil {
		return SnapshotInfo{}, fmt.Errorf("snapshot: %w", err)
	}
	return info, nil
}

// snapshotTries is how often more room is made for a snapshot.
const snapshotTries = 4

// snapshot takes a snapshot, or leaves nothing of it.
func (h *History) snapshot(ctx context.Context, live TableWriter, yields bool) (SnapshotInfo, error) {
	started := h.deps.Now()
	s := snapshotter{history: h, writer: format.NewChunkWriter(), chunks: make(map[format.Hash][]byte), yields: yields}
	if err := s.take(ctx, live); err != nil {
		if errors.Is(err, ErrFull) { // the next one gets more room
			h.snapshotOctets.Store(max(h.snapshotOctets.Load(), 2*(s.took+int64(s.paged))))
		}
		return SnapshotInfo{}, errors.Join(err, h.sweepChunks(context.WithoutCancel(ctx)))
	}
	s.info.Took = h.deps.Now().Sub(started)
	h.metrics.snapshot(&s.info)
	h.snapshotOctets.Store(s.took)
	return s.info, nil
}

// snapshotter takes one snapshot. One goroutine walks over the table and gathers chunks,
// and another stores them.
type snapshotter struct {
	history  *History
	manifest format.Manifest
	previous *format.Manifest // nil: there is none
	byIndex  []int            // of the states, by index of the peer in the table; -1 for none
	yields   bool
	tail     *tail
	end      ending
	info     SnapshotInfo

	long, short gathering
	full        chan *format.Chunk // to be stored
	free        chan *format.Chunk

	writer      *format.ChunkWriter
	chunks      map[format.Hash][]byte // to be written
	octets      int                    // of chunks,
	paged       int                    // and of the pages that they take
	took        int64                  // octets of pages of all chunks
	base        format.RangeReader
	was, change format.Chunk
}

// gathering is a chunk under way.
type gathering struct {
	chunk  *format.Chunk
	octets int            // of its sets
	sets   format.Numbers // of the table, one more than those of the chunk
}

// chunksAtOnce is how many chunks are in memory: two under way, the chunk that is being
// stored, and one that waits for that.
const chunksAtOnce = 4

func (s *snapshotter) take(ctx context.Context, live TableWriter) error {
	h := s.history
	s.previous = h.latest()
	var begun position
	err := live.Do(ctx, func() {
		s.manifest.States = live.Table.State()
		s.tail, begun = h.journal.beginTail(s.yields)
		h.journal.remember(&s.tail.group, live.Table.AllRefused())
	})
	if err != nil {
		return err
	}
	s.number()
	walked := s.walk(ctx, live.Table)
	err = live.Do(context.WithoutCancel(ctx), func() {
		h.journal.pass(h.deps.Now())
		s.end = h.journal.endTail(s.tail, live.Table)
		s.manifest.Next, s.manifest.Run, s.manifest.Begun, s.manifest.End = s.end.next, s.end.at.run, begun.at, s.end.at.at
	})
	switch {
	case err != nil:
		h.journal.endTail(s.tail, nil)
		return err
	case walked != nil:
		return walked
	case !s.end.on:
		return ErrReadOnly
	case s.tail.over || len(s.tail.group.Octets) > h.limits.maxTail:
		return errMuchChanged
	}
	s.manifest.Tail = s.tail.group.Octets
	return s.finish()
}

// latest returns the manifest of the newest snapshot that can be read.
func (h *History) latest() *format.Manifest {
	list := h.index.Load().Snapshots
	for i := len(list) - 1; i >= 0; i-- {
		if m, err := h.manifest(&list[i]); err == nil {
			return m
		}
	}
	return nil
}

// number finds the numbers of the peers in the file.
func (s *snapshotter) number() {
	j := s.history.journal
	j.mu.Lock()
	defer j.mu.Unlock()
	s.byIndex = make([]int, math.MaxUint16+1)
	for i := range s.byIndex {
		s.byIndex[i] = -1
	}
	for i := range s.manifest.States {
		p := &s.manifest.States[i]
		s.manifest.Numbers = append(s.manifest.Numbers, j.number(p.Peer.Name))
		s.byIndex[p.Index()] = i
	}
}

// walk reads the table and stores it.
func (s *snapshotter) walk(ctx context.Context, t *table.Table) error {
	group, both := errgroup.WithContext(ctx)
	s.full, s.free = make(chan *format.Chunk, 1), make(chan *format.Chunk, chunksAtOnce)
	for range chunksAtOnce {
		s.free <- new(format.Chunk)
	}
	group.Go(func() error {
		defer close(s.full)
		return s.gather(ctx, both, t)
	})
	group.Go(func() error {
		for c := range s.full {
			if err := s.storeRange(c); err != nil {
				return err
			}
			s.free <- c // has room for all
		}
		return nil
	})
	if err := group.Wait(); err != nil {
		return err
	}
	slices.SortFunc(s.manifest.Ranges, func(a, b format.Range) int { return a.First.Compare(b.First) })
	return nil
}

// gather cuts the table into chunks. Both ends when storing a chunk failed.
func (s *snapshotter) gather(ctx, both context.Context, t *table.Table) error {
	s.long.chunk, s.short.chunk = <-s.free, <-s.free
	for _, f := range route.Families() {
		s.long.reset(f)
		s.short.reset(f)
		var after netip.Prefix
		for more := true; more; {
			if err := ctx.Err(); err != nil {
				return err
			}
			if s.history.journal.isOver(s.tail) {
				return errMuchChanged
			}
			var full *gathering
			err := t.View(func(v *table.View) error {
				more, full = s.slice(v, f, &after)
				return nil
			})
			if err == nil && full != nil {
				err = s.cut(both, full) // outside of the view, which should not last
			}
			if err != nil {
				return err
			}
		}
		for _, g := range []*gathering{&s.long, &s.short} {
			if err := s.cut(both, g); err != nil {
				return err
			}
		}
	}
	return nil
}

// reset begins a chunk of a family.
func (g *gathering) reset(f route.Family) {
	g.chunk.Reset(f)
	g.octets = 0
	g.sets.Reset()
}

// slice reads some prefixes. It returns whether there may be more, and the chunk
// that has to be cut before they are read, nil for none.
func (s *snapshotter) slice(v *table.View, f route.Family, after *netip.Prefix) (more bool, full *gathering) {
	n := 0
	// The table may use the number of a set for another one in the next view.
	s.long.sets.Reset()
	s.short.sets.Reset()
	for d := range v.Within(f, netip.Prefix{}, *after) {
		at := format.SortKeyOf(f, d.Prefix)
		switch {
		case at.Long && s.ends(at):
			return true, &s.long
		case !at.Long && s.heavy(&s.short):
			return true, &s.short
		case at.Long:
			s.collect(v, d, &s.long)
		default:
			s.collect(v, d, &s.short)
		}
		*after = d.Prefix
		if n++; n == s.history.limits.walkSlice {
			return true, nil
		}
	}
	return false, nil
}

// heavy reports whether a chunk has so many routes or octets that it must end here.
func (s *snapshotter) heavy(g *gathering) bool {
	return len(g.chunk.Routes) >= s.history.limits.maxChunkRoutes || g.octets >= s.history.limits.maxOctets
}

// ends reports whether the chunk under way ends before a sort key. It does where a
// chunk of the snapshot before begins, so that the two can be compared.
func (s *snapshotter) ends(at format.SortKey) bool {
	n := len(s.long.chunk.Prefixes)
	switch {
	case n == 0:
		return false
	case n >= s.history.limits.maxChunkPrefixes || s.heavy(&s.long):
		return true
	}
	last := s.long.chunk.Prefixes[n-1]
	if s.previous != nil {
		i, found := s.previous.Find(at)
		if found || i > 0 && s.previous.Ranges[i-1].First.Compare(format.SortKeyOf(at.Family, last)) > 0 {
			return true
		}
		if i > 0 && s.previous.Ranges[i-1].First.Family == at.Family && s.previous.Ranges[i-1].First.Long {
			return false
		}
	}
	if n < s.history.limits.chunkPrefixes {
		return false
	}
	region := netip.PrefixFrom(last.Addr(), format.RegionBits(at.Family)).Masked()
	return !region.Contains(at.Prefix.Addr())
}

// collect adds the routes of a destination to a chunk.
func (s *snapshotter) collect(v *table.View, d table.Dest, g *gathering) {
	into := g.chunk
	start := len(into.Routes)
	v.Each(d, nil, func(f table.Found) {
		i := s.byIndex[f.Index()]
		if i < 0 {
			return
		}
		class, kept := s.manifest.States[i].Class(f)
		if !kept {
			return
		}
		number := g.sets.Of(f.Set)
		if *number == 0 {
			set := v.Set(f.Set)
			into.Sets = append(into.Sets, set)
			*number = uint32(len(into.Sets))
			g.octets += len(set)
		}
		into.Routes = append(into.Routes, format.Entry{
			Peer: s.manifest.Numbers[i], PathID: f.PathID, Set: *number - 1, Received: uint32(f.Received()), Class: class,
		})
	})
	if len(into.Routes)-start > 1 {
		slices.SortFunc(into.Routes[start:], format.CompareEntries)
	}
	into.Finish(d.Prefix)
}

// cut ends a chunk and has it stored.
func (s *snapshotter) cut(ctx context.Context, g *gathering) error {
	if len(g.chunk.Prefixes) == 0 {
		return nil
	}
	f := g.chunk.Family
	select {
	case s.full <- g.chunk:
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case g.chunk = <-s.free:
	case <-ctx.Done():
		return ctx.Err()
	}
	g.reset(f)
	return nil
}

// publish puts a changed copy of the index in the place of the index.
func (h *History) publish(change func(*index)) {
	h.journal.mu.Lock()
	defer h.journal.mu.Unlock()
	x := *h.index.Load()
	change(&x)
	h.index.Store(&x)
}
