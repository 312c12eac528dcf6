package main

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"ribglass/cmd/ribglass/config"
	"ribglass/ribstore"
)

// defaultGCPercent is how much garbage may pile up. The table is memory without
// pointers, which costs the collector nothing to keep: it can afford to run
// often, and a full table does not double.
const defaultGCPercent = 25

// applyMemory puts the settings of memory in force. What the environment says
// (GOGC, GOMEMLIMIT) yields to the configuration only. Without either the limit is
// nine tenths of what the machine or its control group has. It returns the limit in
// bytes; 0 is none.
func applyMemory(m config.Memory) (octets uint64) {
	limit, inherited := int64(m.Limit), debug.SetMemoryLimit(-1)
	switch {
	case limit > 0:
	case os.Getenv("GOMEMLIMIT") != "":
		limit = inherited
	default:
		limit = int64(availableMemory() / 10 * 9)
	}
	if limit > 0 && limit < math.MaxInt64 {
		debug.SetMemoryLimit(limit)
		octets = uint64(limit)
	}
	switch {
	case m.GCPercent > 0:
		debug.SetGCPercent(m.GCPercent)
	case os.Getenv("GOGC") == "":
		debug.SetGCPercent(defaultGCPercent)
	}
	return octets
}

// availableMemory returns how many bytes of memory the program may use: what the
// machine has, or less when a control group of Linux bounds it. 0: not known.
func availableMemory() uint64 {
	least := uint64(0)
	consider := func(n uint64) {
		if n > 0 && (least == 0 || n < least) {
			least = n
		}
	}
	if text, err := os.ReadFile("/proc/meminfo"); err == nil {
		var kib uint64
		if _, err := fmt.Sscanf(string(text), "MemTotal: %d kB", &kib); err == nil {
			consider(kib << 10)
		}
	}
	group := ""
	if text, err := os.ReadFile("/proc/self/cgroup"); err == nil {
		for line := range strings.Lines(string(text)) {
			if path, unified := strings.CutPrefix(strings.TrimSpace(line), "0::"); unified {
				group = path
			}
		}
	}
	const mount = "/sys/fs/cgroup"
	for dir := filepath.Join(mount, group); strings.HasPrefix(dir, mount); dir = filepath.Dir(dir) {
		if text, err := os.ReadFile(filepath.Join(dir, "memory.max")); err == nil {
			n, _ := strconv.ParseUint(string(bytes.TrimSpace(text)), 10, 64) // "max" is none
			consider(n)
		}
	}
	return least
}

// obey does what the store wants of the collector near the memory limit.
func (s *server) obey(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case o := <-s.store.Orders():
			var err error
			switch o.Kind {
			case ribstore.EndSession:
				err = s.bgp.GiveUp(o.Peer, o.Reason)
			case ribstore.SendAgain:
				err = s.bgp.Refresh(o.Peer)
			}
			if err != nil {
				s.log.WarnContext(ctx, "near the memory limit: a measure failed", "peer", o.Peer, "reason", o.Reason, "error", err)
			}
		}
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
	select {
	case <-s.resumed:
	case <-ctx.Done():
		return nil
	}
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
