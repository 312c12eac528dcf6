package main

import (
	"context"
	"runtime/debug"
	"time"
)

const (
	// settled is how long the table must not change in size before memory that
	// is not needed any more goes back to the system.
	settled = time.Second
	// worthwhile is how many routes must have come or gone for that.
	worthwhile = 50_000
)

// giveBack returns memory to the system after the table grew or shrank by much:
// what a full load used for a moment, and what a lost feed used for long, would
// else stay with the process until the runtime's slow scavenger finds it.
func (s *server) giveBack(ctx context.Context) error {
	ticker := time.NewTicker(settled)
	defer ticker.Stop()
	previous, given := 0, 0
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		routes := 0
		for _, n := range s.store.Stats().Routes {
			routes += n
		}
		if change := max(routes-given, given-routes); routes == previous && change > worthwhile {
			debug.FreeOSMemory()
			given = routes
		}
		previous = routes
	}
}
