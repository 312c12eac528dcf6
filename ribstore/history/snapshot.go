package history

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"ribglass/ribstore/route"
	"ribglass/ribstore/table"
)

// Differences are added to a base while all of them have fewer routes than one in
// so many of its; then the chunk is stored whole again. When there are too many
// of them they are made into one.
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
	list := make([]SnapshotInfo, len(x.snapshots))
	for i := range x.snapshots {
		list[i] = SnapshotInfo{At: fromMillis(x.snapshots[i].end), Routes: int(x.snapshots[i].routes)}
	}
	return list
}

// ErrReadOnly is returned by what would change a file that is open to be read.
var ErrReadOnly = errors.New("the history is open to be read only")

// Snapshot takes a snapshot of the table now. Lookups and the table's writer go
// on meanwhile: the writer is asked for the state of the peers at the begin, and
// for the end of the journal at the end.
func (h *History) Snapshot(ctx context.Context, live Live) (SnapshotInfo, error) {
	if h.file.Load().readOnly {
		return SnapshotInfo{}, ErrReadOnly
	}
	h.keeping.Lock()
	defer h.keeping.Unlock()
	started := h.deps.Now()
	s := snapshotter{history: h, writer: newChunkWriter(), chunks: make(map[hash][]byte)}
	if err := s.take(ctx, live); err != nil {
		return SnapshotInfo{}, fmt.Errorf("snapshot: %w", err)
	}
	s.info.Took = h.deps.Now().Sub(started)
	h.metrics.snapshot(&s.info)
	return s.info, nil
}

// snapshotter takes one snapshot.
type snapshotter struct {
	history  *History
	manifest manifest
	previous *manifest // nil: there is none
	byIndex  map[uint16]int
	writer   *chunkWriter
	chunks   map[hash][]byte // to be written
	octets   int             // of chunks
	info     SnapshotInfo

	now, short      chunk
	nowOctets       int // of the sets of now
	shortOctets     int
	sets, shortSets map[uint32]uint32 // set of the table to set of the chunk
	base            stack
	was, change     chunk
}

func (s *snapshotter) take(ctx context.Context, live Live) error {
	h := s.history
	s.previous = h.latest()
	var tail *groupWriter
	var begun position
	err := live.Do(ctx, func() {
		s.manifest.states = live.Table.State()
		tail, begun = h.journal.beginTail()
	})
	if err != nil {
		return err
	}
	s.number()
	walked := s.walk(ctx, live.Table)
	recorded := false
	err = live.Do(context.WithoutCancel(ctx), func() {
		var end position
		end, s.manifest.next, recorded = h.journal.endTail(tail)
		s.manifest.run, s.manifest.begun, s.manifest.end = end.run, begun.at, end.at
	})
	switch {
	case err != nil:
		h.journal.endTail(tail)
		return err
	case walked != nil:
		return walked
	case !recorded:
		return ErrReadOnly
	case len(tail.octets) > maxValue/2:
		return errors.New("too much changed while it was taken; it is taken again later")
	}
	s.manifest.tail = tail.octets
	return s.finish()
}

// latest returns the manifest of the newest snapshot that can be read.
func (h *History) latest() *manifest {
	list := h.index.Load().snapshots
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
	s.byIndex = make(map[uint16]int, len(s.manifest.states))
	for i := range s.manifest.states {
		p := &s.manifest.states[i]
		s.manifest.numbers = append(s.manifest.numbers, j.number(p.Peer.Name))
		s.byIndex[p.Index()] = i
	}
}

func (s *snapshotter) walk(ctx context.Context, t *table.Table) error {
	for _, f := range route.Families() {
		s.now.reset(f)
		s.short.reset(f)
		s.sets, s.shortSets = make(map[uint32]uint32), make(map[uint32]uint32)
		at := len(s.manifest.ranges)
		var after netip.Prefix
		for more := true; more; {
			if err := ctx.Err(); err != nil {
				return err
			}
			var full *chunk
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
		slices.SortFunc(s.manifest.ranges[at:], func(a, b chunkRange) int { return a.first.compare(b.first) })
	}
	return nil
}

// slice reads some prefixes, and returns whether there may be more and the chunk
// that is to be cut first, nil for none.
func (s *snapshotter) slice(v *table.View, f route.Family, after *netip.Prefix) (more bool, full *chunk) {
	n := 0
	// The table may use the number of a set for another one in the next view.
	clear(s.sets)
	clear(s.shortSets)
	for d := range v.Within(f, netip.Prefix{}, *after) {
		at := placeOf(f, d.Prefix)
		switch {
		case at.long && s.ends(at):
			return true, &s.now
		case !at.long && s.heavy(&s.short, s.shortOctets):
			return true, &s.short
		case at.long:
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

// heavy reports whether a chunk has so much that it must end, wherever that is.
func (s *snapshotter) heavy(c *chunk, octets int) bool {
	return len(c.routes) >= s.history.limits.maxChunkRoutes || octets >= s.history.limits.maxOctets
}

// ends reports whether the chunk under way ends before a place: where one of the
// snapshot before began, so that it can be compared with that.
func (s *snapshotter) ends(at place) bool {
	n := len(s.now.prefixes)
	switch {
	case n == 0:
		return false
	case n >= s.history.limits.maxChunkPrefixes || s.heavy(&s.now, s.nowOctets):
		return true
	}
	last := s.now.prefixes[n-1]
	if s.previous != nil {
		i, found := s.previous.find(at)
		if found || i > 0 && s.previous.ranges[i-1].first.compare(placeOf(at.family, last)) > 0 {
			return true
		}
		if i > 0 && s.previous.ranges[i-1].first.family == at.family && s.previous.ranges[i-1].first.long {
			return false
		}
	}
	if n < s.history.limits.chunkPrefixes {
		return false
	}
	region := netip.PrefixFrom(last.Addr(), regionBits(at.family)).Masked()
	return !region.Contains(at.prefix.Addr())
}

// find returns the index of the range that begins at a place and whether there is
// one; else that of the first one behind it.
func (m *manifest) find(at place) (int, bool) {
	return slices.BinarySearchFunc(m.ranges, at, func(r chunkRange, p place) int { return r.first.compare(p) })
}

// collect adds the routes of a destination to a chunk, and returns the octets of
// the sets that were added.
func (s *snapshotter) collect(v *table.View, d table.Dest, into *chunk, sets map[uint32]uint32) (octets int) {
	start := len(into.routes)
	v.Each(d, nil, func(f table.Found) {
		i, ok := s.byIndex[f.Index()]
		if !ok {
			return
		}
		class, kept := s.manifest.states[i].Class(f)
		if !kept {
			return
		}
		set, ok := sets[f.Set]
		if !ok {
			set = uint32(len(into.sets))
			into.sets = append(into.sets, v.Set(f.Set))
			sets[f.Set] = set
			octets += len(into.sets[set])
		}
		into.routes = append(into.routes, entry{
			peer: s.manifest.numbers[i], pathID: f.PathID, set: set, received: uint32(f.Received()), class: class,
		})
	})
	if len(into.routes)-start > 1 {
		slices.SortFunc(into.routes[start:], compareEntries)
	}
	into.finish(d.Prefix)
	return octets
}

// cut ends a chunk: it is stored as the difference from its base where there is
// one, else whole.
func (s *snapshotter) cut(c *chunk) error {
	if len(c.prefixes) == 0 {
		return nil
	}
	r := chunkRange{first: placeOf(c.family, c.prefixes[0]), routes: uint32(len(c.routes))}
	s.manifest.routes += r.routes
	if before := s.before(r.first); before == nil || !s.differs(c, before, &r) {
		r.base = s.store(c)
	}
	s.manifest.ranges = append(s.manifest.ranges, r)
	c.reset(c.family)
	if c == &s.now {
		s.nowOctets = 0
		clear(s.sets)
	} else {
		s.shortOctets = 0
		clear(s.shortSets)
	}
	return s.write(s.history.limits.writeAhead)
}

// before returns the range of the snapshot before that a chunk continues.
func (s *snapshotter) before(first place) *chunkRange {
	if s.previous == nil {
		return nil
	}
	i, found := s.previous.find(first)
	if !found {
		i--
	}
	if i < 0 || s.previous.ranges[i].first.family != first.family || s.previous.ranges[i].first.long != first.long {
		return nil
	}
	r := &s.previous.ranges[i]
	for n := len(s.manifest.ranges) - 1; n >= 0; n-- {
		last := &s.manifest.ranges[n].first
		if last.family != first.family {
			break
		}
		if last.long == first.long {
			if last.compare(r.first) >= 0 {
				return nil // the range was split, and its first part has it
			}
			break
		}
	}
	return r
}

// differs makes a range out of the one of the snapshot before and what is
// different, and reports whether that is little enough.
func (s *snapshotter) differs(c *chunk, before, r *chunkRange) bool {
	if err := s.base.read(s.history, before); err != nil || s.base.family() != c.family {
		return false // stored whole, it is whole again
	}
	s.base.flatten(&s.was)
	difference(&s.change, &s.was, c)
	changed, most := len(s.change.routes), len(s.base.base.chunk.routes)/changeFraction
	if s.base.change != nil && changed+len(s.base.change.routes) > most || changed > most {
		return false
	}
	// The range begins where it did, though its first prefix may be gone.
	r.first, r.base, r.changes = before.first, before.base, before.changes
	switch {
	case changed == 0:
	case len(before.changes) < maxChanges:
		r.changes = append(slices.Clone(before.changes), s.store(&s.change))
	default:
		difference(&s.change, &s.base.base.chunk, c)
		r.changes = []hash{s.store(&s.change)}
	}
	return true
}

// store has a chunk written unless it is in the file, and returns its address.
func (s *snapshotter) store(c *chunk) hash {
	stored := s.history.codec.small.EncodeAll(s.writer.encode(c), nil)
	at := hashOf(stored)
	s.chunks[at] = stored
	s.octets += len(stored)
	return at
}

// write writes the chunks when they are more than some octets.
func (s *snapshotter) write(least int) error {
	if s.octets <= least {
		return nil
	}
	if err := s.history.room(s.octets); err != nil {
		return err
	}
	err := s.history.update(func(tx *bbolt.Tx) error { return s.put(tx) })
	clear(s.chunks)
	s.octets = 0
	return err
}

func (s *snapshotter) put(tx *bbolt.Tx) error {
	b := tx.Bucket(bucketChunks)
	for at, stored := range s.chunks {
		if b.Get(at[:]) != nil {
			continue
		}
		if err := b.Put(at[:], stored); err != nil {
			return err
		}
		s.info.Chunks++
		s.info.Bytes += int64(len(stored))
	}
	return nil
}

// finish writes the manifest: with it the snapshot is there.
func (s *snapshotter) finish() error {
	h := s.history
	if err := h.Flush(); err != nil { // its peers, and what comes before it
		return err
	}
	stored := h.codec.small.EncodeAll(s.manifest.encode(), nil)
	err := h.update(func(tx *bbolt.Tx) error {
		if err := s.put(tx); err != nil {
			return err
		}
		return tx.Bucket(bucketSnapshots).Put(s.manifest.key(), stored)
	})
	if err != nil {
		return err
	}
	s.info.At, s.info.Routes = fromMillis(s.manifest.end), int(s.manifest.routes)
	s.info.Bytes += int64(len(stored))
	h.publish(func(x *index) {
		x.snapshots = append(slices.Clone(x.snapshots), s.manifest.snapshot)
		slices.SortFunc(x.snapshots, func(a, b snapshot) int { return position{a.run, a.end}.compare(position{b.run, b.end}) })
	})
	h.taken.Store(0)
	return nil
}

// publish changes the index.
func (h *History) publish(change func(*index)) {
	h.journal.mu.Lock()
	defer h.journal.mu.Unlock()
	x := *h.index.Load()
	change(&x)
	h.index.Store(&x)
}
