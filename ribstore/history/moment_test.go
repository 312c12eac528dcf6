package history

import (
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"ribglass/ribstore/table"
)

// A snapshot is of the moment at which it was asked for, also when nothing happened
// for a while.
func TestASnapshotHasTheMomentAtWhichItWasAskedFor(t *testing.T) {
	c, s := clockAt(scenarioStart), newScenario(3)
	h, err := openSmall(filepath.Join(memoryDir(t), "h.db"), smallConfig(), c.deps(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	live, err := h.Resume(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	record := func(h *History, live *table.Table) {
		b := s.ups()[0]
		h.Record(&b)
		live.Apply(&b)
	}
	record(h, live)
	for range 3 {
		c.advance(23*time.Second + 456*time.Millisecond)
		info, err := h.Snapshot(t.Context(), directly(live))
		if list := h.Snapshots(); err != nil || !list[len(list)-1].At.Equal(c.now()) {
			t.Errorf("Snapshot at %v = %+v, %v; kept are %+v", c.now(), info, err, list)
		}
		record(h, live)
	}
	if past := mustAt(t, h, c.now()); !past.At.Equal(c.now()) || len(past.Notices) > 0 {
		t.Errorf("At(now) is of %v: %q", past.At, past.Notices)
	}
}

// What a compaction left that was killed is removed by the next start.
func TestAHalfCompactedFileIsRemovedAtTheStart(t *testing.T) {
	path := filepath.Join(memoryDir(t), "h.db")
	if err := os.WriteFile(temporary(path), make([]byte, 1<<16), 0o600); err != nil {
		t.Fatal(err)
	}
	h, err := openSmall(path, smallConfig(), clockAt(scenarioStart).deps(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	if _, err := os.Stat(temporary(path)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%s is there: %v", temporary(path), err)
	}
}
