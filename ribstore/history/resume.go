package history

import (
	"context"
	"errors"
	"time"

	"ribglass/ribstore/route"
	"ribglass/ribstore/table"
)

// Resume begins to record, and returns the table that recording goes on with: the
// one of the last moment recorded, in which every session is down since then, or
// an empty one when nothing is recorded. Nothing may be recorded before.
func (h *History) Resume(ctx context.Context) (*table.Table, error) {
	now := h.deps.Now()
	x := h.index.Load()
	if h.file.Load().readOnly {
		return h.resumeReadOnly(ctx)
	}
	if len(x.runs) == 0 {
		h.journal.begin(originEmpty, now, now, "the first")
		return table.New(), h.Flush()
	}
	end := fromMillis(x.lastOf(x.runs[len(x.runs)-1].id))
	past, err := h.At(ctx, end, noPrefix)
	var before *RangeError
	switch {
	case errors.As(err, &before):
		h.deps.Logger.Warn("nothing of the history can be read; the table begins empty")
		h.journal.begin(originEmpty, now, now, "what was before could not be read")
		return table.New(), h.Flush()
	case err != nil:
		return nil, err
	}
	from := originContinued
	if !past.At.Equal(end) {
		from = originUnknown
		h.hurry.Store(true)
		h.deps.Logger.Warn("the table begins with an older state than the last recorded", "at", past.At, "notices", past.Notices)
	}
	h.resumeAt(past.Table, from, end, now)
	return past.Table, h.Flush()
}

func (h *History) resumeReadOnly(ctx context.Context) (*table.Table, error) {
	x := h.index.Load()
	if len(x.runs) == 0 {
		return table.New(), nil
	}
	past, err := h.At(ctx, fromMillis(x.lastOf(x.runs[len(x.runs)-1].id)), noPrefix)
	if err != nil {
		return table.New(), nil //nolint:nilerr // passed over and logged
	}
	return past.Table, nil
}

// resumeAt begins a run at the moment at which recording ended: there the
// sessions ended too. Their routes wait from now on for the peers to come back.
func (h *History) resumeAt(t *table.Table, from origin, end, now time.Time) {
	start := end.Add(time.Millisecond)
	if now.Before(start) {
		start = now // the clock was set back while nothing ran
	}
	h.journal.begin(from, start, now, "Ribglass did not run")
	for _, s := range t.State() {
		if !s.Up {
			continue
		}
		b := route.Batch{Peer: s.Peer, Event: route.PeerDown, Reason: "Ribglass did not run"}
		for f := range b.Retention {
			b.Retention[f].Stale = h.config.Restart
		}
		h.RecordAt(&b, start)
		t.Apply(&b)
	}
	at := h.journal.wait(now, h.config.Restart)
	t.Postpone(at.Add(h.config.Restart))
}
