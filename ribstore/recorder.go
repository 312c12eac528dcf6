package ribstore

import (
	"context"
	"time"

	"ribglass/ribstore/history"
	"ribglass/ribstore/route"
	"ribglass/ribstore/table"
)

// Recorder changes a table and records every change in a history: it is how a
// [Store] writes. Alone it serves programs that have a clock of their own, which
// may run faster than time does; the history gives the batches their times. Its
// zero value is useless, and one goroutine uses it.
type Recorder struct {
	table    *table.Table
	history  *history.History // nil: nothing is recorded
	recorded time.Time        // when it recorded last
}

// NewRecorder returns a recorder that changes t and records in h; without h it
// records nothing.
func NewRecorder(t *table.Table, h *history.History) *Recorder {
	return &Recorder{table: t, history: h}
}

// Apply records a batch and applies it. The batch stays the caller's to release.
func (r *Recorder) Apply(b *route.Batch) {
	if r.history != nil {
		r.history.Record(b)
		r.recorded = b.At
	}
	r.table.Apply(b)
}

// quiet is how long nothing is recorded before the recorder records that nothing
// happened: after a crash the time up to the last record is known, and nothing of
// the time behind it.
const quiet = time.Minute

// Expire has the stale routes expire that are due. It returns the time at which
// they did, which the history may set forward.
func (r *Recorder) Expire(now time.Time) time.Time {
	if r.history != nil {
		r.history.CatchUp(now)
	}
	if r.history != nil && (r.table.Due(now) || now.Sub(r.recorded).Abs() >= quiet) {
		now = r.history.RecordExpiry(now)
		r.recorded = now
	}
	r.table.Expire(now)
	return now
}

// Snapshot takes a snapshot of the table, which nobody changes meanwhile. It fails
// with [ErrNoHistory] when nothing is recorded.
func (r *Recorder) Snapshot(ctx context.Context) (history.SnapshotInfo, error) {
	if r.history == nil {
		return history.SnapshotInfo{}, ErrNoHistory
	}
	return r.history.Snapshot(ctx, history.TableWriter{Table: r.table, Do: func(_ context.Context, f func()) error { f(); return nil }})
}
