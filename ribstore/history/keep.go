package history

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"ribglass/ribstore/history/format"
)

const (
	keepEvery     = time.Second      // how often the keeper looks for work
	pruneEvery    = time.Minute      // how often the keeper looks for what may be dropped
	keepBackoff   = time.Minute      // the longest time that the keeper leaves alone what failed
	manyRecords   = 10_000_000       // since a snapshot, which a restart replays; then the next is taken at once
	quietRecords  = 200_000          // a second; while more come, a table is being loaded,
	loadedFor     = 10 * time.Second // and so long after it, since the next table may follow
	mostYields    = 3                // times in a row that a snapshot is given up for a table that is loaded meanwhile
	mergeTime     = 15 * time.Second // before a snapshot in which no merge begins
	snapshotAgain = 15 * time.Second // after a snapshot during which too much changed
	trackEvery    = time.Minute      // how often a snapshot is taken only to know the state of a peer again
	stuckAfter    = 3                // times without room, before what is newer than the last snapshot goes
)

// keep takes snapshots, merges the journal and drops what is too old, one after
// the other.
func (h *History) keep(ctx context.Context, live TableWriter) error {
	if h.file.Load().readOnly {
		<-ctx.Done()
		return nil
	}
	tick := time.NewTicker(keepEvery)
	defer tick.Stop()
	k := keeper{history: h, live: live, next: h.nextSnapshot(h.deps.Now()), aging: aging{seen: h.started.last, until: h.started.last}}
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		for k.step(ctx, h.deps.Now()) && ctx.Err() == nil {
		}
	}
}

// task is something that the keeper does. What failed is left alone for a while,
// the longer the more often it failed.
type task struct {
	err   error
	wait  time.Duration
	until time.Time
}

func (k *keeper) try(ctx context.Context, t *task, now time.Time, do func(context.Context, time.Time) error) {
	h := k.history
	if now.Before(t.until) {
		return
	}
	err := do(ctx, now)
	if ctx.Err() != nil {
		return
	}
	if err == nil {
		*t = task{}
		return
	}
	wait := min(max(2*t.wait, keepEvery), keepBackoff)
	*t = task{err, wait, now.Add(wait)}
	h.metrics.failures.Inc()
	h.deps.Logger.ErrorContext(ctx, "the history could not be kept in order; it is tried again", "error", err, "in", wait)
}

// nextSnapshot returns when the next snapshot is due: at whole multiples of the
// interval, so that snapshots of many days fall on the same times.
func (h *History) nextSnapshot(now time.Time) time.Time {
	return now.Truncate(h.config.SnapshotEvery).Add(h.config.SnapshotEvery)
}

type keeper struct {
	history *History
	live    TableWriter
	next    time.Time // snapshot
	pruned  time.Time
	took    time.Time // the last snapshot
	before  int64     // records since the last snapshot, when last looked
	stuck   int       // times in a row that there was no room
	loaded  time.Time // when a table was being loaded last
	yielded int       // times in a row that a snapshot was given up since much was said meanwhile
	more    bool      // there is more to merge

	aging aging

	pruning, snapping, merging task
}

// step does what is due, and merges once. It reports whether there is more to merge,
// before which it looks again for what is due: a merge takes up to ten seconds.
func (k *keeper) step(ctx context.Context, now time.Time) (more bool) {
	k.more = false
	k.try(ctx, &k.pruning, now, k.prune)
	k.try(ctx, &k.snapping, now, k.snapshot)
	k.try(ctx, &k.merging, now, k.merge)
	for _, t := range []*task{&k.pruning, &k.snapping, &k.merging} {
		if t.err != nil {
			text := t.err.Error()
			k.history.untidy.Store(&text)
			k.history.troubled()
			return k.more
		}
	}
	k.history.untidy.Store(nil)
	k.history.untroubled()
	return k.more
}

// calm reports whether no table is being loaded.
func (k *keeper) calm(now time.Time) bool { return now.Sub(k.loaded) >= loadedFor }

// merge merges once, but nothing while a table is being loaded, and nothing right before
// a snapshot, which would have to wait.
func (k *keeper) merge(ctx context.Context, now time.Time) (err error) {
	if !k.calm(now) || !now.Before(k.next.Add(-mergeTime)) && now.Before(k.next) {
		return nil
	}
	k.more, err = k.history.mergeNext(ctx)
	return err
}

// prune drops what is too old every minute, and what is oldest when there is no room.
func (k *keeper) prune(ctx context.Context, now time.Time) error {
	h := k.history
	full := h.full.Load()
	if !full {
		k.stuck = 0
	} else if k.stuck++; k.stuck > stuckAfter {
		h.keeping.Lock()
		err := h.makeRoom(ctx, true)
		h.keeping.Unlock()
		if err != nil {
			return err
		}
	}
	if now.Sub(k.pruned) < pruneEvery && !full && h.excess() <= 0 {
		return nil
	}
	if k.pruned.IsZero() {
		if err := h.tidy(ctx); err != nil {
			return err
		}
	}
	k.pruned = now
	return h.prune(ctx, k.aging.at(now))
}

// snapshot takes a snapshot when one is due, when the last one is of no use any
// more, and when much was recorded since: after a table was loaded, but not while
// it is being loaded. It takes one too when the journal needs room: what is older
// than a snapshot may go.
func (k *keeper) snapshot(ctx context.Context, now time.Time) error {
	h := k.history
	taken, stored := h.taken.Load(), h.stored.Load()
	if taken-k.before >= quietRecords {
		k.loaded = now
	}
	k.before = taken
	much := taken > manyRecords || stored > max(h.config.MaxSize/8, h.snapshotOctets.Load())
	pressed := h.excess() > 0 && stored > h.config.MaxSize/32
	track := h.untracked.Load() && now.Sub(k.took) >= trackEvery
	// While a table is loaded the tail would be as large as the table, and peers would
	// be thinned for it.
	due := !now.Before(k.next) && (k.calm(now) || now.Sub(k.next) >= h.config.SnapshotEvery)
	if !due && !pressed && !track && (!k.calm(now) || !h.hurry.Load() && !much) {
		return nil
	}
	k.next = h.nextSnapshot(now)
	k.took = now
	h.hurry.Store(true) // until it is taken
	h.untracked.Store(false)
	info, err := h.takeSnapshot(ctx, k.live, k.yielded < mostYields)
	if errors.Is(err, errMuchChanged) {
		k.yielded++
		k.loaded = now
		h.deps.Logger.InfoContext(ctx, "no snapshot: too much changed while it was taken; it is taken again", "in", snapshotAgain)
		k.next = now.Add(snapshotAgain)
		return nil
	}
	if err != nil {
		return err
	}
	h.hurry.Store(false)
	k.before, k.yielded = 0, 0
	h.deps.Logger.InfoContext(ctx, "took a snapshot", "routes", info.Routes, "took", info.Took.Round(time.Millisecond),
		"new_chunks", info.Chunks, "bytes", info.Bytes)
	return nil
}

// Merge makes segments of pieces of the journal where there are enough of them, and
// room for their copy.
func (h *History) Merge(ctx context.Context) error {
	for ctx.Err() == nil {
		if more, err := h.mergeNext(ctx); err != nil || !more {
			return err
		}
	}
	return ctx.Err()
}

// mergeNext makes one segment, and reports whether there may be more to merge.
func (h *History) mergeNext(ctx context.Context) (more bool, err error) {
	h.keeping.Lock()
	defer h.keeping.Unlock()
	if h.deps.Now().Before(h.mergeAgain) {
		return false, nil
	}
	stretch, level := h.index.Load().mergeable(h.limits.levels, h.limits.maxLoads, h.largest())
	if stretch == nil || !h.mayCopy(stretch) {
		return false, nil
	}
	err = h.merge(ctx, stretch, level)
	var l *loss
	switch {
	case err == nil:
		return true, nil
	case errors.As(err, &l) && errors.Is(err, format.ErrDamaged):
		h.passOver(l) // the others are merged without it
		return true, nil
	}
	swept := h.sweepBlocks(context.WithoutCancel(ctx))
	if errors.Is(err, ErrFull) { // the pieces are as good as a segment of them
		h.mergeAgain = h.deps.Now().Add(keepBackoff)
		return false, swept
	}
	return false, errors.Join(fmt.Errorf("merge the journal of %s: %w", format.Stamp(stretch[0].First), err), swept)
}

// mayCopy reports whether pieces may be in the file twice for a while.
func (h *History) mayCopy(pieces []format.Piece) bool {
	octets := 0
	for i := range pieces {
		octets += h.weigh(&pieces[i]).stored
	}
	return h.used()+int64(octets) <= h.forJournal()
}

// Prune drops what is not kept any longer, and compacts the file when that is worth
// it.
func (h *History) Prune(ctx context.Context) error { return h.prune(ctx, h.deps.Now()) }

// prune is Prune at a time.
func (h *History) prune(ctx context.Context, now time.Time) error {
	h.keeping.Lock()
	defer h.keeping.Unlock()
	x := h.index.Load()
	snapshots, pieces := h.expired(x, now)
	if err := h.drop(ctx, snapshots, pieces); err != nil {
		return err
	}
	if err := h.dropMarks(); err != nil {
		return err
	}
	if !h.full.Swap(false) {
		h.cramped.Store(h.cramped.Load() / 2)
	}
	if err := h.makeRoom(ctx, false); err != nil {
		return err
	}
	return h.compactIfWorth(ctx)
}

// dropMarks removes the marks of before the history begins, and the oldest when there
// are too many.
func (h *History) dropMarks() error {
	x := h.index.Load()
	begins := x.begins().UnixMilli()
	gone := slices.DeleteFunc(slices.Clone(x.Marks), func(m format.Mark) bool { return m.To >= begins })
	if rest := len(x.Marks) - len(gone); rest > maxMarks {
		gone = append(gone, x.Marks[:rest-maxMarks]...)
	}
	if len(gone) == 0 {
		return nil
	}
	h.publish(func(x *index) {
		x.Marks = slices.DeleteFunc(slices.Clone(x.Marks), func(m format.Mark) bool { return slices.Contains(gone, m) })
	})
	return h.remove(func(tx *bbolt.Tx) error {
		for i := range gone {
			if err := tx.Bucket(format.BucketMarks).Delete(gone[i].Key()); err != nil {
				return err
			}
		}
		return nil
	})
}

// expired returns what the tiers and the age of the journal do not keep.
func (h *History) expired(x *index, now time.Time) (snapshots []format.Snapshot, pieces []format.Piece) {
	taken := make(map[[2]int64]bool) // by tier and stretch of time
	for i := range x.Snapshots {
		s := &x.Snapshots[i]
		age := now.Sub(format.FromMillis(s.End))
		wanted := i == len(x.Snapshots)-1
		for k, tier := range h.config.Keep {
			stretch := [2]int64{int64(k), s.End / max(1, tier.Every.Milliseconds())}
			if age <= tier.For && !taken[stretch] {
				taken[stretch] = true
				wanted = true
			}
		}
		if !wanted {
			snapshots = append(snapshots, *s)
		}
	}
	if h.config.Journal == 0 {
		return snapshots, nil
	}
	for i := range x.Pieces {
		if p := &x.Pieces[i]; now.Sub(format.FromMillis(p.Last)) > h.config.Journal && x.spare(p) {
			pieces = append(pieces, *p)
		}
	}
	return snapshots, pieces
}

// spare reports whether a restart does not need a piece.
func (x *index) spare(p *format.Piece) bool {
	n := len(x.Snapshots)
	return n > 0 && p.To < x.Snapshots[n-1].Next
}

// drop removes snapshots and pieces, and the chunks that no snapshot has then.
func (h *History) drop(ctx context.Context, snapshots []format.Snapshot, pieces []format.Piece) error {
	if len(snapshots)+len(pieces) == 0 {
		return nil
	}
	// Out of the index first: nobody may look for what is not in the file.
	h.publish(func(x *index) {
		x.Snapshots = slices.DeleteFunc(slices.Clone(x.Snapshots), func(s format.Snapshot) bool { return slices.Contains(snapshots, s) })
		x.Pieces = slices.DeleteFunc(slices.Clone(x.Pieces), func(p format.Piece) bool {
			return slices.ContainsFunc(pieces, func(q format.Piece) bool { return q.From == p.From })
		})
	})
	err := h.remove(func(tx *bbolt.Tx) error {
		for i := range snapshots {
			if err := tx.Bucket(format.BucketSnapshots).Delete(snapshots[i].Key()); err != nil {
				return err
			}
		}
		for i := range pieces {
			if err := deletePiece(tx, &pieces[i]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil || len(snapshots) == 0 {
		return err
	}
	return h.sweepChunks(ctx)
}
