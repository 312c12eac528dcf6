package main

import (
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"ribglass/cmd/ribglass/config"
	"ribglass/ribstore/history"
)

// historyPath returns the file of the history in a data directory.
func historyPath(dataDir string) string { return filepath.Join(dataDir, "history.db") }

// openHistory opens the history of a server; it is nil when none is configured.
//
// A file that is in use or is something else is an error: the operator meant
// another one, and may have an answer at once. With a disk that cannot be written
// the server starts all the same, because lookups do not need it; the log and
// the metric of a history that does not record tell. What is in the file can
// still be asked, when it can be read.
func openHistory(cfg *config.Config, log *slog.Logger, registry prometheus.Registerer) (*history.History, error) {
	if cfg.DataDir == "" {
		return nil, nil //nolint:nilnil // documented
	}
	path := historyPath(cfg.DataDir)
	deps := history.Deps{Logger: log, Registerer: registry, Now: time.Now}
	h, err := history.Open(path, cfg.History.Settings(), deps)
	switch {
	case err == nil:
		return h, nil
	case errors.Is(err, history.ErrLocked), errors.Is(err, history.ErrForeign):
		return nil, explainHistory(err)
	}
	readable, readErr := history.OpenReadOnly(path, deps)
	if readErr == nil {
		log.Error("the history can only be read: nothing is recorded", "error", err)
		return readable, nil
	}
	log.Error("the history cannot be opened: nothing is recorded, and the past cannot be asked", "error", err)
	return nil, registry.Register(prometheus.NewGauge(prometheus.GaugeOpts{
		// As the history itself says it, were there one.
		Name: "ribglass_history_recording", Help: "Whether changes are being written: 0 is an alarm.",
	}))
}

// explainHistory adds the way out to an error of opening a history.
func explainHistory(err error) error {
	switch {
	case errors.Is(err, history.ErrLocked):
		return fmt.Errorf("history: %w: stop that process, or choose another data_dir", err)
	case errors.Is(err, history.ErrForeign):
		return fmt.Errorf("history: %w: move the file away to begin a new history, and export what it has with the version that wrote it", err)
	}
	return fmt.Errorf("history: %w", err)
}

// closeHistory closes the history and the collections, as far as there are any,
// when nothing uses them any more.
func (s *server) closeHistory() error {
	var errs []error
	if s.history != nil {
		errs = append(errs, s.history.Close())
	}
	if s.collections != nil {
		errs = append(errs, s.collections.Close())
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("history: close: %w", err)
	}
	return nil
}
