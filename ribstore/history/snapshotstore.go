package history

import (
	"slices"

	"go.etcd.io/bbolt"

	"ribglass/ribstore/history/format"
)

// storeRange stores a chunk: its difference from the snapshot before when that is small,
// and else the whole chunk.
func (s *snapshotter) storeRange(c *format.Chunk) error {
	r := format.Range{First: format.SortKeyOf(c.Family, c.Prefixes[0]), Routes: uint32(len(c.Routes))}
	s.manifest.Routes += r.Routes
	if before := s.before(r.First); before == nil || !s.differs(c, before, &r) {
		r.Base = s.store(c)
	}
	s.manifest.Ranges = append(s.manifest.Ranges, r)
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
