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

// write writes groups to the file as they become full or old enough.
func (h *History) write(ctx context.Context) error {
	tick := time.NewTicker(groupEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-h.journal.ready:
		case <-ctx.Done():
			return h.writeLast()
		}
		h.writeOrAlarm()
	}
}

// writeLast writes the rest when the program ends.
func (h *History) writeLast() error {
	if err := h.Flush(); err != nil {
		return fmt.Errorf("history: what was recorded last could not be written: %w", err)
	}
	return nil
}

// writeOrAlarm writes what is pending. What cannot be written stays pending, until
// there is too much of it.
func (h *History) writeOrAlarm() {
	err := h.Flush()
	before := h.Trouble()
	switch {
	case err != nil:
		h.metrics.failures.Inc()
		text := err.Error()
		h.trouble.Store(&text)
		if before == "" {
			h.deps.Logger.Error("the history cannot be written; lookups go on", "error", err)
		}
	case before != "":
		h.trouble.Store(nil)
		h.deps.Logger.Info("the history is written again")
	}
	if h.journal.takeLost() {
		h.hurry.Store(true)
		h.deps.Logger.Error("a part of the history is lost: too much waited to be written")
	}
}

// Trouble says why the history is not written at the moment, "" when it is.
func (h *History) Trouble() string {
	if t := h.trouble.Load(); t != nil {
		return *t
	}
	return ""
}

// Flush writes all that was recorded up to now.
func (h *History) Flush() error {
	h.flushing.Lock()
	defer h.flushing.Unlock()
	p := h.journal.take()
	if len(p.groups)+len(p.runs)+len(p.names) == 0 {
		return nil
	}
	if err := h.room(p.octets); err != nil {
		return err
	}
	started := h.deps.Now()
	if err := h.update(func(tx *bbolt.Tx) error { return h.put(tx, p) }); err != nil {
		return err
	}
	h.metrics.wrote(p.groups, h.deps.Now().Sub(started))
	h.journal.written(p, func() {
		x := *h.index.Load()
		x.Runs = slices.Concat(x.Runs, p.runs)
		x.Pieces = slices.Clone(x.Pieces)
		for i := range p.groups {
			x.Pieces = append(x.Pieces, p.groups[i].piece)
			x.Next = p.groups[i].piece.To + 1
			h.taken.Add(int64(p.groups[i].piece.Records))
		}
		h.index.Store(&x)
	})
	return nil
}

// ErrFull is returned when the file is as large as it may be. The history then
// drops what is oldest and tries again.
var ErrFull = errors.New("the history is as large as it may be")

// room returns ErrFull when the file has no room for so many octets.
func (h *History) room(octets int) error {
	h.swap.RLock()
	total, free := h.file.Load().size()
	h.swap.RUnlock()
	if total-free+int64(octets) <= h.config.MaxSize {
		return nil
	}
	h.full.Store(true)
	return ErrFull
}

func (h *History) put(tx *bbolt.Tx, p pending) error {
	for i := range p.runs {
		if err := tx.Bucket(format.BucketRuns).Put(p.runs[i].Key(), p.runs[i].Encode(h.codec)); err != nil {
			return err
		}
	}
	for i, name := range p.names {
		number := p.firstName + uint32(i)
		if err := tx.Bucket(format.BucketPeers).Put(format.PeerKey(number), format.EncodePeerName(h.codec, number, name)); err != nil {
			return err
		}
	}
	for i := range p.groups {
		g := &p.groups[i]
		key := g.piece.Key()
		if err := tx.Bucket(format.BucketJournal).Put(key, h.codec.SealFast(key, g.octets)); err != nil {
			return err
		}
	}
	return tx.Bucket(format.BucketMeta).Put(format.KeyEnd, p.end.Encode())
}
