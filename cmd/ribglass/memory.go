package main

import (
	"context"
	"os"
	"runtime"
	"runtime/debug"
	"time"

	"ribglass/cmd/ribglass/config"
)

// defaultGCPercent is how much garbage may pile up. The table is memory without
// pointers, which costs the collector nothing to keep: it can afford to run
// often, and a full table does not double.
const defaultGCPercent = 25

// applyMemory puts the settings of memory in force. What the environment says
// (GOGC, GOMEMLIMIT) yields to the configuration only.
func applyMemory(m config.Memory) {
	if m.Limit > 0 {
		debug.SetMemoryLimit(int64(m.Limit))
	}
	switch {
	case m.GCPercent > 0:
		debug.SetGCPercent(m.GCPercent)
	case os.Getenv("GOGC") == "":
		debug.SetGCPercent(defaultGCPercent)
	}
}

// shareProcessors has the kernel share the processors between loading and
// answering. With a thread for each, a full load keeps all of them busy, and the
// runtime then looks for new requests every ten milliseconds only.
func shareProcessors() {
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(2 * runtime.GOMAXPROCS(0))
	}
}

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
			runtime.GC() // a sync.Pool lets go of what it holds at the second collection only
			debug.FreeOSMemory()
			given = routes
		}
		previous = routes
	}
}
