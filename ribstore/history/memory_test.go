package history

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"os"
	"runtime"
	"runtime/debug"
	runtimemetrics "runtime/metrics"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"ribglass/ribstore/route"
	"ribglass/ribstore/table"
)

// few megabytes are recorded with small limits, more with the default ones.
const few = 48

var heavyMegabytes = flag.Int("heavy", few, "megabytes of journal that TestMemoryIsBounded records")

// heavyBudget is the memory that merges, replays, snapshots and checks may take in
// the test, with limits of a sixteenth of the default ones. The buffers of the
// compression, and the slabs of a table, are as large as ever.
const heavyBudget = workBudget/16 + 24<<20

func heavyLimits() limits {
	l := defaultLimits()
	for i := range l.levels {
		l.levels[i].octets /= 16
	}
	l.groupOctets /= 16
	l.maxOctets /= 16
	l.maxBlockOctets /= 4 // four sets
	l.wide /= 16
	l.window /= 16
	l.writeAhead /= 16
	return l
}

// TestMemoryIsBounded records one prefix that changes its attributes of 60 kB all
// the time. What is done with that afterwards takes a stated amount of memory,
// whatever was recorded.
func TestMemoryIsBounded(t *testing.T) {
	if testing.Short() {
		t.Skip("it writes much")
	}
	cmd := reexec(t, "heavy", memoryDir(t)+"/h.db", envStep+"="+strconv.Itoa(*heavyMegabytes))
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	t.Logf("\n%s", out)
	for line := range strings.Lines(string(out)) {
		var what string
		var took int
		if _, err := fmt.Sscan(line, &what, &took); err != nil {
			t.Fatal(err)
		}
		most := heavyBudget
		if *heavyMegabytes > few {
			most = workBudget
		}
		if took > most {
			t.Errorf("%s took %d octets of memory, %d are its budget", what, took, most)
		}
	}
}

const heavySet = 60_000

// heavy records so many megabytes, then does everything that reads them, and prints
// the memory that each took.
func heavy(path string, megabytes int) error {
	debug.SetGCPercent(5) // what is measured is what is held, not what waits to be collected
	c := clockAt(scenarioStart)
	open := func() (*History, *table.Table, error) {
		h, err := Open(path, heavyConfig(), c.deps(slog.DiscardHandler))
		if err != nil {
			return nil, nil, err
		}
		if megabytes <= few {
			h.limits = heavyLimits()
		}
		var t *table.Table
		err = measured("resume", func() error {
			var err error
			t, err = h.Resume(context.Background())
			return err
		})
		return h, t, err
	}
	h, t, err := open()
	if err != nil {
		return err
	}
	if err := recordHeavy(h, t, c, megabytes); err != nil {
		return err
	}
	if err := h.Close(); err != nil {
		return err
	}
	if h, t, err = open(); err != nil {
		return err
	}
	begun := scenarioStart
	if err := readHeavy(h, t, begun, c.now()); err != nil {
		return err
	}
	return h.Close()
}

func heavyConfig() Config {
	cfg := smallConfig()
	cfg.MaxSize = 20e9
	return cfg
}

func recordHeavy(h *History, t *table.Table, c *clock, megabytes int) error {
	noise := rand.NewChaCha8([32]byte{7})
	p := &route.Peer{Name: "heavy", ASN: 64501}
	write := func(b route.Batch) error {
		h.Record(&b)
		t.Apply(&b)
		if h.journal.pending.octets < h.limits.groupOctets {
			return nil
		}
		return h.Flush()
	}
	err := write(route.Batch{Peer: p, Event: route.PeerUp, Retention: keepLong()})
	value := make([]byte, heavySet)
	for n := 0; err == nil && n < megabytes*1_000_000; n += heavySet {
		c.advance(2 * time.Millisecond)
		_, _ = noise.Read(value)
		set := route.Attrs(nil).AppendAttr(route.AttrOrigin, []byte{0}).AppendAttr(99, value)
		err = write(route.Batch{Peer: p, Updates: []route.Update{{Attrs: set, NLRI: []route.NLRI{{Prefix: markerPrefix}}}}})
		for t.Work() {
		}
	}
	return errors.Join(err, h.Flush())
}

func readHeavy(h *History, t *table.Table, begun, end time.Time) error {
	ctx := context.Background()
	changes := 0
	for _, step := range []struct {
		name string
		do   func() error
	}{
		{"replay-of-groups", func() error { return replayHeavy(h, begun, end, &changes) }},
		{"merge", func() error { return h.Merge(ctx) }},
		{"replay-of-segments", func() error { return replayHeavy(h, begun, end, &changes) }},
		{"resume-of-segments", func() error {
			_, err := h.At(ctx, end, netip.Prefix{})
			return err
		}},
		{"snapshot", func() error { _, err := h.Snapshot(ctx, directly(t)); return err }},
		{"verify", func() error {
			r, err := h.Verify(ctx, nil)
			if err == nil && len(r.Problems) > 0 {
				err = fmt.Errorf("%+v", r.Problems)
			}
			return err
		}},
	} {
		if err := measured(step.name, step.do); err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
	}
	for i := range h.index.Load().Pieces {
		if p := &h.index.Load().Pieces[i]; p.Level > 0 {
			return nil
		}
	}
	return errors.New("nothing was merged")
}

// replayHeavy counts the changes of a stretch, of which there must be as many as
// when it was called before.
func replayHeavy(h *History, from, to time.Time, before *int) error {
	past, err := h.At(context.Background(), from, netip.Prefix{})
	if err != nil {
		return err
	}
	changes := 0
	notices, err := h.Replay(context.Background(), past, to, func(e *Event) error {
		if e.Batch != nil && e.Batch.Event == route.Routes {
			changes++
		}
		e.Apply(past.Table)
		return nil
	})
	if len(notices) > 0 || changes == 0 || *before != 0 && *before != changes {
		return fmt.Errorf("%d changes, %d before; notices %q", changes, *before, notices)
	}
	*before = changes
	return err
}

// measured prints how much more memory f held at one time than there was before.
func measured(what string, f func() error) error {
	runtime.GC()
	sample := []runtimemetrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	runtimemetrics.Read(sample)
	before, most := sample[0].Value.Uint64(), uint64(0)
	stop := make(chan struct{})
	var watching sync.WaitGroup
	watching.Go(func() {
		for {
			runtimemetrics.Read(sample)
			most = max(most, sample[0].Value.Uint64())
			select {
			case <-stop:
				return
			case <-time.After(time.Millisecond):
			}
		}
	})
	err := f()
	close(stop)
	watching.Wait()
	_, printed := fmt.Fprintln(os.Stdout, what, int(most)-int(before))
	return errors.Join(err, printed)
}
