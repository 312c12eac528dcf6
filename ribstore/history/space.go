package history

import (
	"context"
	"errors"
	"slices"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"ribglass/ribstore/history/format"
)

// The file is never larger than max_size: bbolt is told so and refuses to make it
// larger. Below that everything has a part, so that nothing is ever without room
// for long:
//
//	seven eighths data; the rest is for what bbolt copies when it changes something
//	  of these    the reserve, which only a snapshot may use
//	  the rest    the journal, and snapshots of before
//
// When the journal's part is full, what is oldest goes. What is newer than the last
// snapshot goes last, and after a new snapshot was tried: its end is then marked by
// the numbers that are missing.

// ErrFull is returned when the file is as large as it may be. The history then
// drops what is oldest and tries again.
var ErrFull = errors.New("the history is as large as it may be")

// slack is the part of max_size that is left to transactions that only remove. They
// copy pages too: a page of bbolt has two values at least, however large they are.
func (c Config) slack() int64 { return c.MaxSize / 16 }

// capacity is how many octets of pages the data may have.
func (c Config) capacity() int64 { return c.MaxSize / 8 * 7 }

// reserve is the part of the capacity that only a snapshot may use: what the last
// one took and a bit more. Where the table itself takes most of the file there is
// less.
func (h *History) reserve() int64 {
	c := h.config
	r := min(max(c.MaxSize/8, h.snapshotOctets.Load()/4*5), c.MaxSize/5*2)
	if kept := h.kept.Load(); kept > 0 {
		r = min(r, max(c.MaxSize/32, (c.capacity()-kept)/2))
	}
	return r
}

// forJournal is how many octets of pages the data may have after the journal was
// written.
func (h *History) forJournal() int64 { return h.config.capacity() - h.reserve() }

// excess is how many octets have to go for the journal to have room for a while.
func (h *History) excess() int64 {
	return h.used() - (h.forJournal() - h.config.MaxSize/16) + h.cramped.Load()
}

// used is how many octets of pages the data has.
func (h *History) used() int64 {
	h.swap.RLock()
	defer h.swap.RUnlock()
	return h.file.Load().used()
}

// paged is about how many octets of pages a value takes.
func (h *History) paged(octets int) int {
	page := h.file.Load().pageSize
	if octets < page/4 {
		return 2 * (octets + 64) // pages of small values are half full at least
	}
	return octets + page
}

// room returns ErrFull when so many octets of pages would not fit a limit.
func (h *History) room(octets int, limit int64) error {
	if h.used()+int64(octets) <= limit {
		return nil
	}
	h.full.Store(true)
	return ErrFull
}

// bounded bounds the file that a transaction may make.
func bounded(tx *bbolt.Tx, most int64) {
	db := tx.DB()
	db.MaxSize = int(most)
	db.AllocSize = int(min(max(most/256, 16<<10), 16<<20))
}

// update changes the file that is in force, which it may not make larger than it may
// be.
func (h *History) update(write func(*bbolt.Tx) error) error {
	return h.updateWithin(h.config.MaxSize-h.config.slack(), write)
}

// remove is like update. It may use the slack too: what makes room must not be
// without room itself.
func (h *History) remove(write func(*bbolt.Tx) error) error {
	most := h.config.MaxSize
	if total, _ := h.file.Load().size(); total > most { // max_size was larger before
		most = total + h.config.slack()
	}
	return h.updateWithin(most, write)
}

func (h *History) updateWithin(most int64, write func(*bbolt.Tx) error) error {
	h.swap.RLock()
	defer h.swap.RUnlock()
	err := h.file.Load().update(func(tx *bbolt.Tx) error {
		bounded(tx, most)
		return write(tx)
	})
	if errors.Is(err, bolterrors.ErrMaxSizeReached) {
		h.full.Store(true)
		h.cramped.Store(min(h.cramped.Load()+most/32, most/2))
		return ErrFull
	}
	return err
}

// makeRoom drops what is oldest until the journal has room. What is newer than the
// last snapshot is dropped only when that is asked for.
func (h *History) makeRoom(ctx context.Context, newer bool) error {
	h.kept.Store(0)
	for excess := h.excess(); excess > 0 && ctx.Err() == nil; excess = h.excess() {
		snapshots, pieces := h.oldest(excess, newer)
		if len(snapshots)+len(pieces) == 0 {
			if newer { // the last snapshot alone is too much
				h.kept.Store(h.used())
			}
			break
		}
		err := h.drop(ctx, snapshots, pieces)
		if errors.Is(err, ErrFull) { // not even for what removes them: free pages do not stand together
			if err = h.compact(ctx); err == nil {
				err = h.drop(ctx, snapshots, pieces)
			}
		}
		if err != nil {
			return err
		}
		h.dropped(snapshots, pieces)
	}
	return ctx.Err()
}

// oldest returns what is dropped first when the file is too large: pieces of the
// journal, or the oldest snapshot, but never the last one.
func (h *History) oldest(excess int64, newer bool) ([]format.Snapshot, []format.Piece) {
	x := h.index.Load()
	var snapshots []format.Snapshot
	if len(x.Snapshots) > 1 {
		snapshots = x.Snapshots[:1]
	}
	var pieces []format.Piece
	stored := int64(0)
	for i := range x.Pieces {
		p := &x.Pieces[i]
		if stored >= excess || !x.spare(p) && (!newer || len(snapshots) > 0) || snapshots != nil && p.First > snapshots[0].End {
			break
		}
		stored += int64(h.weigh(p).stored)
		pieces = append(pieces, *p)
	}
	if len(pieces) > 0 {
		return nil, pieces
	}
	return snapshots, nil
}

// dropped notes what was dropped for want of room.
func (h *History) dropped(snapshots []format.Snapshot, pieces []format.Piece) {
	now := h.deps.Now()
	h.lastDropped.Store(&now)
	h.metrics.dropped.Add(float64(len(snapshots) + len(pieces)))
	x := h.index.Load()
	gap := slices.ContainsFunc(pieces, func(p format.Piece) bool { return !x.spare(&p) })
	if !gap {
		return
	}
	h.lastGap.Store(&now)
	h.hurry.Store(true)
	h.deps.Logger.Error("a part of the history is lost: there was no room for a snapshot and what is newer",
		"from", format.Stamp(pieces[0].First), "to", format.Stamp(pieces[len(pieces)-1].Last))
}
