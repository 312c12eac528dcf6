package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"ribglass/collector/player"
	"ribglass/httpapi/answer"
)

// livePast is what the history costs a program at work, and how soon it answers
// after it was killed.
type livePast struct {
	Routes    int            `json:"routes"`
	Changes   int            `json:"changes_sent"`
	Quiet     latencies      `json:"quiet"` // churn, no snapshot
	Snapshots []liveSnapshot `json:"snapshots"`
	First     time.Duration  `json:"first_answer_ns"` // exec to an HTTP answer with routes
	FirstCPU  time.Duration  `json:"first_answer_cpu_ns"`
	Peak      uint64         `json:"peak_bytes"`
}

// liveSnapshot is one snapshot while people look up and routes change.
type liveSnapshot struct {
	Routes  int           `json:"routes"`
	Took    time.Duration `json:"took_ns"`
	Chunks  int           `json:"new_chunks"`
	Bytes   int64         `json:"bytes"`
	CPU     time.Duration `json:"cpu_ns"`  // of the program meanwhile, lookups and churn included
	Own     time.Duration `json:"own_ns"`  // without what it uses otherwise
	Lookups latencies     `json:"lookups"` // that were under way meanwhile

	from, to time.Time
}

const (
	liveSnapshotEvery = 24 * time.Hour // only when asked for
	liveSnapshots     = 3
	liveQuiet         = 20 * time.Second // between them
)

// measureLivePast loads all feeds into the program, lets routes change, and
// watches its snapshots.
func (o *options) measureLivePast(ctx context.Context, t table, known []*announced, h *pasts, progress io.Writer) error {
	fmt.Fprintln(progress, "history: live")
	setup, err := o.setup(t)
	if err != nil {
		return err
	}
	setup.snapshots = liveSnapshotEvery
	dir, err := os.MkdirTemp(o.past.dir, "ribglass-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	r, err := setup.start(ctx, dir)
	if err != nil {
		return err
	}
	live := livingPast{receiver: r, result: &livePast{}, progress: progress}
	h.Live = live.result
	err = live.measure(ctx, t, known, o.past.rate, o.shape.seed)
	_ = r.command.Process.Kill() // as a crash, not as a stop
	<-r.ended
	r.asker.close()
	if err != nil {
		return err
	}
	return live.restart(ctx, dir, setup.binary, t)
}

type livingPast struct {
	receiver *receiver
	result   *livePast
	progress io.Writer
}

func (l *livingPast) measure(ctx context.Context, t table, known []*announced, rate float64, seed uint64) error {
	sessions, err := loadAll(ctx, l.receiver, t)
	defer func() {
		for _, s := range sessions {
			_ = s.Abort()
		}
	}()
	if err != nil {
		return err
	}
	counts, err := l.receiver.counts(ctx)
	if err != nil {
		return err
	}
	l.result.Routes = total(counts)
	changing, stop := context.WithCancel(ctx)
	defer stop()
	var churning sync.WaitGroup
	sent, failures := make([]int, len(sessions)), make([]error, len(sessions))
	for i, s := range sessions {
		model := newUnrest(known[i], seed, i, rate)
		churning.Go(func() { sent[i], failures[i] = playUnrest(changing, model, s) })
	}
	var uses []used
	samples, err := newProber(l.receiver, t).during(ctx, func(ctx context.Context) error {
		var err error
		uses, err = l.watch(ctx)
		return err
	})
	stop()
	churning.Wait()
	for _, n := range sent {
		l.result.Changes += n
	}
	l.sumUp(samples, uses)
	if u, failure := l.receiver.usage(); failure == nil {
		l.result.Peak = u.peak
	}
	return errors.Join(append(failures, err)...)
}

// playUnrest plays the model in real time.
func playUnrest(ctx context.Context, model *unrest, s *player.Session) (sent int, err error) {
	for second := time.Now(); ; second = second.Add(time.Second) {
		for _, m := range model.next() {
			select {
			case <-ctx.Done():
				return sent, nil
			case <-time.After(time.Until(second.Add(time.Duration(m.at) * time.Millisecond))):
			}
			if err := s.Send(m.update); err != nil {
				return sent, err
			}
			sent += len(m.update.NLRI)
		}
		select {
		case <-ctx.Done():
			return sent, nil
		case <-time.After(time.Until(second.Add(time.Second))):
		}
	}
}

// used is the processor time of the program at a moment.
type used struct {
	at  time.Time
	cpu time.Duration
}

// watch has snapshots taken, and notes the processor time.
func (l *livingPast) watch(ctx context.Context) ([]used, error) {
	noting, stop := context.WithCancel(ctx)
	defer stop()
	var uses []used
	var failure error
	var notes sync.WaitGroup
	notes.Go(func() {
		failure = poll(noting, 10*time.Millisecond, l.receiver.process, func() (bool, error) {
			u, err := l.receiver.usage()
			uses = append(uses, used{time.Now(), u.cpu})
			return noting.Err() != nil, err
		})
	})
	err := quiet(ctx, liveQuiet)
	for range liveSnapshots {
		if err == nil {
			err = l.take(ctx)
		}
		if err == nil {
			err = quiet(ctx, liveQuiet)
		}
	}
	stop()
	notes.Wait()
	if failure != nil && !errors.Is(failure, context.Canceled) {
		err = errors.Join(err, failure)
	}
	return uses, err
}

// take has the program take a snapshot. One that it takes by itself, as it does
// soon after a table was loaded, is waited for.
func (l *livingPast) take(ctx context.Context) error {
	var taken answer.Snapshot
	s := liveSnapshot{}
	var failure error
	err := poll(ctx, time.Second, l.receiver.process, func() (bool, error) {
		s.from = time.Now()
		failure = l.receiver.asker.(ribglass).post(ctx, "/-/snapshot", &taken)
		s.to = time.Now()
		var refused *statusError
		busy := errors.As(failure, &refused) && refused.code == http.StatusConflict
		return !busy, failure
	})
	if err == nil {
		err = failure
	}
	s.Took, s.Routes, s.Chunks, s.Bytes = s.to.Sub(s.from), taken.Routes, taken.Chunks, taken.Bytes
	l.result.Snapshots = append(l.result.Snapshots, s)
	return err
}

// sumUp finds for each snapshot what happened meanwhile.
func (l *livingPast) sumUp(samples []sample, uses []used) {
	var quiet []sample
	during := make([][]sample, len(l.result.Snapshots))
	for _, s := range samples {
		inside := false
		for i := range l.result.Snapshots {
			if shot := &l.result.Snapshots[i]; s.done.After(shot.from) && s.sent.Before(shot.to) {
				during[i], inside = append(during[i], s), true
			}
		}
		if !inside {
			quiet = append(quiet, s)
		}
	}
	l.result.Quiet = summarize(quiet)
	rest, spent := time.Duration(0), time.Duration(0)
	for i := range l.result.Snapshots {
		s := &l.result.Snapshots[i]
		s.Lookups = summarize(during[i])
		s.CPU = cpuBetween(uses, s.from, s.to)
		rest += s.Took
		spent += s.CPU
	}
	if len(uses) < 2 {
		return
	}
	first, last := uses[0], uses[len(uses)-1]
	idle := last.at.Sub(first.at) - rest
	otherwise := float64(last.cpu-first.cpu-spent) / float64(max(1, idle))
	for i := range l.result.Snapshots {
		s := &l.result.Snapshots[i]
		s.Own = s.CPU - time.Duration(otherwise*float64(s.Took))
		fmt.Fprintf(l.progress, "  snapshot of %d routes: %v, %.2f s of processor time (%.2f its own), %d chunks, %s; lookups %v\n",
			s.Routes, s.Took, s.CPU.Seconds(), s.Own.Seconds(), s.Chunks, megabytes(uint64(s.Bytes)), s.Lookups)
	}
}

// cpuBetween returns the processor time spent between two moments.
func cpuBetween(uses []used, from, to time.Time) time.Duration {
	at := func(t time.Time) (last time.Duration) {
		for _, u := range uses {
			if u.at.After(t) {
				break
			}
			last = u.cpu
		}
		return last
	}
	return at(to) - at(from)
}

// restart starts the program anew with what it left, and waits for an answer.
func (l *livingPast) restart(ctx context.Context, dir, binary string, t table) error {
	config := filepath.Join(dir, "ribglass.yaml")
	address := t.sample(1)[0]
	begin := time.Now()
	p, err := start(dir, binary, "serve", "--config", config)
	if err != nil {
		return err
	}
	defer p.stop()
	err = poll(ctx, 2*time.Millisecond, p, func() (bool, error) {
		var found answer.Routes
		err := l.receiver.asker.(ribglass).get(ctx, lookupPath(address), &found)
		return err == nil && found.Total > 0, err
	})
	l.result.First = time.Since(begin)
	if u, failure := p.usage(); failure == nil {
		l.result.FirstCPU = u.cpu
	}
	fmt.Fprintf(l.progress, "  killed and started again: first answer after %v, %v of processor time\n",
		l.result.First.Round(time.Millisecond), l.result.FirstCPU)
	return err
}
