package history

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"go.etcd.io/bbolt"

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

// snapshotter takes one snapshot.
type snapshotter struct {
	history  *History
	manifest format.Manifest
	previous *format.Manifest // nil: there is none
	byIndex  map[uint16]int
	writer   *format.ChunkWriter
	chunks   map[format.Hash][]byte // to be written
	octets   int                    // of chunks,
	paged    int                    // and of the pages that they take
	took     int64                  // octets of pages of all chunks
	end      ending
	info     SnapshotInfo
	yields   bool
	tail     *tail

	now, short      format.Chunk
	nowOctets       int // of the sets of now
	shortOctets     int
	sets, shortSets map[uint32]uint32 // set of the table to set of the chunk
	base            format.RangeReader
	was, change     format.Chunk
}

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
	s.byIndex = make(map[uint16]int, len(s.manifest.States))
	for i := range s.manifest.States {
		p := &s.manifest.States[i]
		s.manifest.Numbers = append(s.manifest.Numbers, j.number(p.Peer.Name))
		s.byIndex[p.Index()] = i
	}
}

func (s *snapshotter) walk(ctx context.Context, t *table.Table) error {
	for _, f := range route.Families() {
		s.now.Reset(f)
		s.short.Reset(f)
		s.sets, s.shortSets = make(map[uint32]uint32), make(map[uint32]uint32)
		at := len(s.manifest.Ranges)
		var after netip.Prefix
		for more := true; more; {
			if err := ctx.Err(); err != nil {
				return err
			}
			if s.history.journal.isOver(s.tail) {
				return errMuchChanged
			}
			var full *format.Chunk
			err := t.View(func(v *table.View) error {
				more, full = s.slice(v, f, &after)
				return nil
			})
			if err == nil && full != nil {
				err = s.cut(full) // outside of the view, which should not last
			}
			if err != nil {
				return err
			}
		}
		if err := s.cut(&s.now); err != nil {
			return err
		}
		if err := s.cut(&s.short); err != nil {
			return err
		}
		slices.SortFunc(s.manifest.Ranges[at:], func(a, b format.Range) int { return a.First.Compare(b.First) })
	}
	return nil
}

// slice reads some prefixes. It returns whether there may be more, and the chunk
// that has to be cut before they are read, nil for none.
func (s *snapshotter) slice(v *table.View, f route.Family, after *netip.Prefix) (more bool, full *format.Chunk) {
	n := 0
	// The table may use the number of a set for another one in the next view.
	clear(s.sets)
	clear(s.shortSets)
	for d := range v.Within(f, netip.Prefix{}, *after) {
		at := format.SortKeyOf(f, d.Prefix)
		switch {
		case at.Long && s.ends(at):
			return true, &s.now
		case !at.Long && s.heavy(&s.short, s.shortOctets):
			return true, &s.short
		case at.Long:
			s.nowOctets += s.collect(v, d, &s.now, s.sets)
		default:
			s.shortOctets += s.collect(v, d, &s.short, s.shortSets)
		}
		*after = d.Prefix
		if n++; n == s.history.limits.walkSlice {
			return true, nil
		}
	}
	return false, nil
}

// heavy reports whether a chunk has so many routes or octets that it must end here.
func (s *snapshotter) heavy(c *format.Chunk, octets int) bool {
	return len(c.Routes) >= s.history.limits.maxChunkRoutes || octets >= s.history.limits.maxOctets
}

// ends reports whether the chunk under way ends before a sort key. It does where a
// chunk of the snapshot before begins, so that the two can be compared.
func (s *snapshotter) ends(at format.SortKey) bool {
	n := len(s.now.Prefixes)
	switch {
	case n == 0:
		return false
	case n >= s.history.limits.maxChunkPrefixes || s.heavy(&s.now, s.nowOctets):
		return true
	}
	last := s.now.Prefixes[n-1]
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

// collect adds the routes of a destination to a chunk, and returns the octets of
// the sets that were added.
func (s *snapshotter) collect(v *table.View, d table.Dest, into *format.Chunk, sets map[uint32]uint32) (octets int) {
	start := len(into.Routes)
	v.Each(d, nil, func(f table.Found) {
		i, ok := s.byIndex[f.Index()]
		if !ok {
			return
		}
		class, kept := s.manifest.States[i].Class(f)
		if !kept {
			return
		}
		set, ok := sets[f.Set]
		if !ok {
			set = uint32(len(into.Sets))
			into.Sets = append(into.Sets, v.Set(f.Set))
			sets[f.Set] = set
			octets += len(into.Sets[set])
		}
		into.Routes = append(into.Routes, format.Entry{
			Peer: s.manifest.Numbers[i], PathID: f.PathID, Set: set, Received: uint32(f.Received()), Class: class,
		})
	})
	if len(into.Routes)-start > 1 {
		slices.SortFunc(into.Routes[start:], format.CompareEntries)
	}
	into.Finish(d.Prefix)
	return octets
}

// cut ends a chunk. It stores the difference from the snapshot before when that is
// small, and else the whole chunk.
func (s *snapshotter) cut(c *format.Chunk) error {
	if len(c.Prefixes) == 0 {
		return nil
	}
	r := format.Range{First: format.SortKeyOf(c.Family, c.Prefixes[0]), Routes: uint32(len(c.Routes))}
	s.manifest.Routes += r.Routes
	if before := s.before(r.First); before == nil || !s.differs(c, before, &r) {
		r.Base = s.store(c)
	}
	s.manifest.Ranges = append(s.manifest.Ranges, r)
	c.Reset(c.Family)
	if c == &s.now {
		s.nowOctets = 0
		clear(s.sets)
	} else {
		s.shortOctets = 0
		clear(s.shortSets)
	}
	return s.write(s.history.limits.writeAhead)
}

// before returns the range of the snapshot before that a chunk belongs to, nil for
// none.
func (s *snapshotter) before(first format.SortKey) *format.Range {
	if s.previous == nil {
		return nil
	}
	i, found := s.previous.Find(first)
	if !found {
		i--
	}
	if i < 0 || s.previous.Ranges[i].First.Family != first.Family || s.previous.Ranges[i].First.Long != first.Long {
		return nil
	}
	r := &s.previous.Ranges[i]
	for n := len(s.manifest.Ranges) - 1; n >= 0; n-- {
		last := &s.manifest.Ranges[n].First
		if last.Family != first.Family {
			break
		}
		if last.Long == first.Long {
			if last.Compare(r.First) >= 0 {
				return nil // the range was split, and its first part has it
			}
			break
		}
	}
	return r
}

// differs makes a range of the same range of the snapshot before and a difference.
// It reports false when the difference is too large for that.
func (s *snapshotter) differs(c *format.Chunk, before, r *format.Range) bool {
	if err := s.base.Read(&s.history.source, before); err != nil || s.base.Family() != c.Family {
		return false // stored whole, it is whole again
	}
	s.base.Flatten(&s.was)
	format.Difference(&s.change, &s.was, c)
	changed, most := len(s.change.Routes), len(s.base.BaseChunk().Routes)/changeFraction
	if s.base.Difference() != nil && changed+len(s.base.Difference().Routes) > most || changed > most {
		return false
	}
	// The range begins where it did, though its first prefix may be gone.
	r.First, r.Base, r.Changes = before.First, before.Base, before.Changes
	switch {
	case changed == 0:
	case len(before.Changes) < maxChanges:
		r.Changes = append(slices.Clone(before.Changes), s.store(&s.change))
	default:
		format.Difference(&s.change, s.base.BaseChunk(), c)
		r.Changes = []format.Hash{s.store(&s.change)}
	}
	return true
}

// store puts a chunk among those to be written, and returns its address.
func (s *snapshotter) store(c *format.Chunk) format.Hash {
	stored := s.history.codec.Compress(s.writer.Encode(c))
	at := format.HashOf(stored)
	s.chunks[at] = stored
	s.octets += len(stored)
	s.paged += s.history.paged(len(stored))
	return at
}

// write writes the chunks when they have more octets than least.
func (s *snapshotter) write(least int) error {
	if s.octets <= least {
		return nil
	}
	if err := s.history.room(s.paged, s.history.config.capacity()); err != nil {
		return err
	}
	err := s.history.update(func(tx *bbolt.Tx) error { return s.put(tx) })
	clear(s.chunks)
	s.octets, s.paged = 0, 0
	return err
}

func (s *snapshotter) put(tx *bbolt.Tx) error {
	b := tx.Bucket(format.BucketChunks)
	for at, stored := range s.chunks {
		if b.Get(at[:]) != nil {
			continue
		}
		if err := b.Put(at[:], stored); err != nil {
			return err
		}
		s.info.Chunks++
		s.took += int64(s.history.paged(len(stored)))
		s.info.Bytes += int64(len(stored))
	}
	return nil
}

// finish writes the manifest. From then on the snapshot exists.
func (s *snapshotter) finish() error {
	h := s.history
	if err := h.flush(h.config.capacity()); err != nil { // its peers, and what comes before it
		return err
	}
	stored := h.codec.Compress(s.manifest.Encode())
	if err := h.room(s.paged+h.paged(len(stored)), h.config.capacity()); err != nil {
		return err
	}
	err := h.update(func(tx *bbolt.Tx) error {
		if err := s.put(tx); err != nil {
			return err
		}
		return tx.Bucket(format.BucketSnapshots).Put(s.manifest.Key(), stored)
	})
	if err != nil {
		return err
	}
	s.took += int64(h.paged(len(stored)))
	s.info.At, s.info.Routes = format.FromMillis(s.manifest.End), int(s.manifest.Routes)
	s.info.Bytes += int64(len(stored))
	h.publish(func(x *index) {
		x.Snapshots = append(slices.Clone(x.Snapshots), s.manifest.Snapshot)
		slices.SortFunc(x.Snapshots, format.CompareSnapshots)
	})
	h.journal.knownAgain(s.end.found, s.manifest.End)
	h.taken.Store(0)
	h.stored.Store(0)
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
