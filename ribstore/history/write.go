package history

import (
	"context"
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
			if now := h.deps.Now(); !h.journal.due(now) {
				h.beat(now)
				continue
			}
		case <-h.journal.ready:
		case <-ctx.Done():
			return h.writeLast()
		}
		now := h.deps.Now() // what is recorded from now on may not be written when this is noted
		h.writeOrAlarm()
		h.beat(now)
	}
}

// writeLast writes the rest when the program ends.
func (h *History) writeLast() error {
	h.journal.catchUpAll(h.live)
	if err := h.Flush(); err != nil {
		return fmt.Errorf("history: what was recorded last could not be written: %w", err)
	}
	h.beat(h.deps.Now())
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
		h.troubled()
		if before == "" {
			h.deps.Logger.Error("the history cannot be written; lookups go on", "error", err)
		}
	case before != "":
		h.trouble.Store(nil)
		h.untroubled()
		h.deps.Logger.Info("the history is written again")
	}
	h.tellThinned()
	lost, track := h.journal.takeLost()
	if track {
		h.untracked.Store(true)
	}
	if lost {
		now := h.deps.Now()
		h.lastGap.Store(&now)
		h.hurry.Store(true)
		h.deps.Logger.Error("a part of the history is lost: too much waited to be written")
	}
}

// troubled notes since when something is wrong, and untroubled that nothing is.
func (h *History) troubled() {
	now := h.deps.Now()
	h.troubleSince.CompareAndSwap(nil, &now)
}

func (h *History) untroubled() {
	if h.trouble.Load() == nil && h.untidy.Load() == nil {
		h.troubleSince.Store(nil)
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
func (h *History) Flush() error { return h.flush(h.forJournal()) }

// loadOver is after how many times that no group of a load was written the memory for
// such groups is given back.
const loadOver = 4

// flush is Flush that may make the data so large.
func (h *History) flush(limit int64) error {
	h.flushing.Lock()
	defer h.flushing.Unlock()
	rest := h.journal.take()
	h.sinceLoad++
	if slices.ContainsFunc(rest.groups, func(g pendingGroup) bool { return g.piece.Level == format.LevelLoad }) {
		h.sinceLoad = 0
	}
	if h.sinceLoad == loadOver {
		h.scratch, h.loads = nil, format.LoadWriter{}
		h.journal.letGo()
	}
	for !rest.empty() {
		p, values, octets := h.portion(&rest)
		if err := h.room(octets, limit); err != nil {
			return err
		}
		started := h.deps.Now()
		if err := h.update(func(tx *bbolt.Tx) error { return h.put(tx, &p, values) }); err != nil {
			return err
		}
		h.metrics.wrote(p.groups, h.deps.Now().Sub(started))
		h.stored.Add(int64(octets))
		h.journal.written(p, func() {
			x := *h.index.Load()
			x.Runs = slices.Concat(x.Runs, p.runs)
			x.Marks = withMarks(x.Marks, p.marks)
			x.Pieces = slices.Clone(x.Pieces)
			for i := range p.groups {
				x.Pieces = append(x.Pieces, p.groups[i].piece)
				x.Next = p.groups[i].piece.To + 1
				h.taken.Add(int64(p.groups[i].piece.Records))
			}
			h.index.Store(&x)
		})
	}
	return nil
}

// portion takes from what waits as much as one transaction writes, and returns it
// with the values of its groups and the octets of their pages. What waited long may be more than
// there is room for at one time.
func (h *History) portion(rest *pending) (p pending, values [][]byte, octets int) {
	p = *rest
	h.scratch = h.scratch[:0]
	for len(values) < len(rest.groups) && octets < h.limits.writeAhead {
		stored := h.seal(&rest.groups[len(values)])
		values = append(values, stored)
		octets += h.paged(len(stored))
	}
	p.groups = rest.groups[:len(values)]
	rest.groups, rest.runs, rest.names, rest.marks = rest.groups[len(values):], nil, nil, nil
	if len(rest.groups) > 0 {
		p.end.Next = rest.groups[0].piece.From
	}
	return p, values, octets
}

// seal returns the stored value of a group. Those of one transaction share their
// memory.
func (h *History) seal(g *pendingGroup) []byte {
	start := len(h.scratch)
	if g.piece.Level == format.LevelLoad {
		h.scratch = h.loads.Append(h.scratch, g.piece.Key(), g.buffer.octets, g.buffer.places, g.events)
	} else {
		h.scratch = h.codec.AppendFast(h.scratch, g.piece.Key(), g.buffer.octets)
	}
	return h.scratch[start:len(h.scratch):len(h.scratch)]
}

func (h *History) put(tx *bbolt.Tx, p *pending, values [][]byte) error {
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
	for i := range p.marks {
		if err := tx.Bucket(format.BucketMarks).Put(p.marks[i].Key(), p.marks[i].Encode(h.codec)); err != nil {
			return err
		}
	}
	for i := range p.groups {
		if err := tx.Bucket(p.groups[i].piece.Bucket()).Put(p.groups[i].piece.Key(), values[i]); err != nil {
			return err
		}
	}
	return tx.Bucket(format.BucketMeta).Put(format.KeyEnd, p.end.Encode())
}
