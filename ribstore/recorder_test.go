package ribstore

import (
	"errors"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"ribglass/ribstore/history"
	"ribglass/ribstore/table"
)

func TestARecorderFollowsTheClockOfItsCaller(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	h, err := history.Open(filepath.Join(t.TempDir(), "history.db"), history.DefaultConfig(),
		history.Deps{Logger: slog.New(slog.DiscardHandler), Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	h.Begin(now, true)
	rib := table.New()
	r := NewRecorder(rib, h)
	batch := announce(edge1, "192.0.2.0/24", "198.51.100.0/24")
	batch.At = now
	r.Apply(&batch)
	if p, _ := rib.Peer(edge1.Name); p.Routes[0] != 2 {
		t.Errorf("the table has %v routes of the peer, want 2", p.Routes)
	}
	now = now.Add(quiet)
	r.Expire(now)
	if err := h.Flush(); err != nil {
		t.Fatal(err)
	}
	if ends := h.Stats().Ends; ends.Before(now) {
		t.Errorf("the history ends %v, want %v: that nothing happened is recorded", ends, now)
	}
	info, err := r.Snapshot(t.Context())
	if err != nil || info.Routes != 2 {
		t.Errorf("Snapshot = %+v, %v, want 2 routes", info, err)
	}
}

func TestARecorderWithoutAHistoryChangesTheTableOnly(t *testing.T) {
	rib := table.New()
	r := NewRecorder(rib, nil)
	batch := announce(edge1, "192.0.2.0/24")
	batch.At = time.Now()
	r.Apply(&batch)
	r.Expire(time.Now())
	if p, _ := rib.Peer(edge1.Name); p.Routes[0] != 1 {
		t.Errorf("the table has %v routes of the peer, want 1", p.Routes)
	}
	if _, err := r.Snapshot(t.Context()); !errors.Is(err, ErrNoHistory) {
		t.Errorf("Snapshot = %v, want ErrNoHistory", err)
	}
}
