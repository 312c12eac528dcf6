package history

import (
	"context"
	"errors"
	"time"

	"ribglass/ribstore/history/format"
	"ribglass/ribstore/route"
	"ribglass/ribstore/table"
)

// Resume begins to record, and returns the table that recording goes on with: the
// table of the last recorded moment, with every session down since then, or an
// empty table when nothing is recorded. A file that cannot be written is no error,
// since writing is tried again. Nothing may be recorded before Resume.
func (h *History) Resume(ctx context.Context) (*table.Table, error) {
	now := h.deps.Now()
	x := h.index.Load()
	if h.file.Load().readOnly {
		return h.resumeReadOnly(ctx)
	}
	if len(x.Runs) == 0 {
		h.journal.begin(format.OriginEmpty, now, now, "the first")
		h.writeFirst(ctx)
		return h.record(table.New()), nil
	}
	last := x.lastRecord()
	end := format.FromMillis(h.endedAt(last).at)
	h.checkClock(ctx, format.FromMillis(last.at), now)
	past, err := h.resumed(ctx, last)
	var before *RangeError
	switch {
	case errors.As(err, &before):
		h.deps.Logger.WarnContext(ctx, "nothing of the history can be read; the table begins empty")
		h.journal.begin(format.OriginEmpty, now, now, "what was before could not be read")
		h.writeFirst(ctx)
		return h.record(table.New()), nil
	case err != nil:
		return nil, err
	}
	from := format.OriginContinued
	if !past.At.Equal(format.FromMillis(last.at)) {
		from = format.OriginUnknown
		h.hurry.Store(true)
		h.deps.Logger.WarnContext(ctx, "the table begins with an older state than the last recorded", "at", past.At, "notices", past.Notices)
	}
	h.resumeAt(past.Table, from, end, now)
	h.writeFirst(ctx)
	return h.record(past.Table), nil
}

// lastRecord returns the last moment of the newest run.
func (x *index) lastRecord() position {
	id := x.Runs[len(x.Runs)-1].ID
	return position{id, x.LastOf(id)}
}

// resumed returns the table of the last record. The run of the record tells it, also
// when the clock was set and another run recorded the same time.
func (h *History) resumed(ctx context.Context, last position) (*Past, error) {
	return h.planned(ctx, format.Scope{}, func(x *index) (*plan, error) {
		p, err := x.planOf(last)
		if err == nil {
			p.read = loadingOf(p)
			h.loading.Store(p.read)
		}
		return p, err
	})
}

// record has a table recorded from now on.
func (h *History) record(t *table.Table) *table.Table {
	h.live = t
	return t
}

// writeFirst writes the begin of a run, and drops what is oldest when there is no
// room for it.
func (h *History) writeFirst(ctx context.Context) {
	if err := h.Flush(); errors.Is(err, ErrFull) {
		if err := h.Prune(ctx); err != nil {
			h.deps.Logger.WarnContext(ctx, "nothing could be dropped of a history that is full", "error", err)
		}
	}
	h.writeOrAlarm()
}

func (h *History) resumeReadOnly(ctx context.Context) (*table.Table, error) {
	x := h.index.Load()
	if len(x.Runs) == 0 {
		return table.New(), nil
	}
	last := x.lastRecord()
	end := format.FromMillis(last.at)
	past, err := h.resumed(ctx, last)
	if err != nil {
		return table.New(), nil //nolint:nilerr // passed over and logged
	}
	for _, b := range h.ended(past.Table) {
		b.At = end
		past.Table.Apply(&b)
	}
	past.Table.Postpone(h.deps.Now().Add(h.config.Restart))
	return past.Table, nil
}

// ended returns the batches that end the sessions of a table whose recording ended.
func (h *History) ended(t *table.Table) []route.Batch {
	var list []route.Batch
	for _, s := range t.State() {
		if !s.Up {
			continue
		}
		b := route.Batch{Peer: s.Peer, Event: route.PeerDown, Reason: "Ribglass did not run"}
		for f := range b.Retention {
			b.Retention[f].Stale = h.config.Restart
		}
		list = append(list, b)
	}
	return list
}

// resumeAt begins a run at the moment at which recording ended, since the sessions
// ended then too. Their routes wait from now on for the peers to return.
func (h *History) resumeAt(t *table.Table, from format.Origin, end, now time.Time) {
	start := end.Add(time.Millisecond)
	if now.Before(start) {
		start = now // the clock was set back while nothing ran
	}
	h.journal.begin(from, start, now, "Ribglass did not run")
	for _, b := range h.ended(t) {
		h.RecordAt(&b, start)
		t.Apply(&b)
	}
	at := h.journal.wait(now, h.config.Restart)
	t.Postpone(at.Add(h.config.Restart))
}

// Continue begins to record where recording ended, with the sessions as they were,
// and returns the table. It is for importing one file after another. When nothing
// is recorded yet, the table is empty, fresh is true, and Begin must follow.
func (h *History) Continue(ctx context.Context) (t *table.Table, fresh bool, err error) {
	x := h.index.Load()
	if len(x.Runs) == 0 {
		return table.New(), true, nil
	}
	last := x.lastRecord()
	end := format.FromMillis(last.at)
	past, err := h.resumed(ctx, last)
	if err != nil {
		return nil, false, err
	}
	if !past.At.Equal(end) {
		return nil, false, format.Damagedf("the last state recorded is lost: %v", past.Notices)
	}
	start := end.Add(time.Millisecond)
	h.journal.begin(format.OriginContinued, start, start, "more was imported")
	return past.Table, false, h.Flush()
}

// BeginsWithTable reports whether recording began with a table that was there already,
// as [History.Begin] is told, and not with an empty one.
func (h *History) BeginsWithTable() bool {
	x := h.index.Load()
	return len(x.Runs) > 0 && x.Runs[0].Origin == format.OriginUnknown
}

// Begin begins to record at a time. When the table already has routes, which were
// not recorded, a snapshot must follow: until then the past is not known.
func (h *History) Begin(at time.Time, filled bool) {
	from, reason := format.OriginEmpty, "the first"
	if filled {
		from, reason = format.OriginUnknown, "what was before is not recorded"
	}
	h.journal.begin(from, at, at, reason)
}
