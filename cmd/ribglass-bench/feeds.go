package main

import (
	"context"
	"os"
	"time"

	"ribglass/collector/player"
	"ribglass/ribstore/route"
)

// loads is one receiver's part of the main measurement.
type loads struct {
	Receiver string        `json:"receiver"`
	Idle     uint64        `json:"idle_bytes"` // resident before any session
	Loads    []load        `json:"feeds"`
	Routes   int           `json:"routes"`
	CPU      time.Duration `json:"cpu_ns"`
	Peak     uint64        `json:"peak_bytes"`
	Settled  uint64        `json:"settled_bytes"`

	Restart *restarted `json:"restart,omitempty"`
}

// bytesPerRoute is what a route costs over the idle program.
func (l *loads) bytesPerRoute() float64 {
	return float64(int64(l.Settled)-int64(l.Idle)) / float64(max(l.Routes, 1))
}

// furtherFeed is what a feed costs after the first two: by then the table has
// all prefixes.
func (l *loads) furtherFeed() (int64, bool) {
	const from = 2
	if len(l.Loads) <= from {
		return 0, false
	}
	var sum int64
	for _, further := range l.Loads[from:] {
		sum += further.Grown
	}
	return sum / int64(len(l.Loads)-from), true
}

// starter starts a receiver in an empty directory.
type starter func(ctx context.Context, dir string) (*receiver, error)

// withReceiver runs work with a fresh receiver, and stops it.
func withReceiver(ctx context.Context, start starter, work func(*receiver) error) error {
	dir, err := os.MkdirTemp("", "ribglass-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	starting, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	r, err := start(starting, dir)
	if err != nil {
		return err
	}
	defer r.shutdown()
	return work(r)
}

// loadFeeds plays every feed of the table into a fresh receiver, one after
// another, and keeps all sessions up until the end.
// When all are in, it waits until the receiver has done what it does afterwards.
func loadFeeds(ctx context.Context, start starter, t table, say func(load), then func(*receiver) error) (loads, error) {
	var result loads
	err := withReceiver(ctx, start, func(r *receiver) error {
		result.Receiver = r.name
		idle, err := r.usage()
		if err != nil {
			return err
		}
		result.Idle = idle.resident
		sessions, err := loadEach(ctx, r, t, func(l load) {
			result.add(l)
			say(l)
		})
		if err == nil {
			err = result.settle(ctx, r, idle.cpu)
		}
		for _, s := range sessions {
			_ = s.Abort()
		}
		if err == nil && then != nil {
			err = then(r)
		}
		return err
	})
	return result, err
}

// A receiver is calm when it used no more than calmCPU within calmTime, and is no
// more waited for after calmMost.
const (
	calmTime = 3 * time.Second
	calmCPU  = 50 * time.Millisecond
	calmMost = 90 * time.Second
)

// settle waits until the receiver is calm. What it did since before counts then, not
// only what it did while feeds were played.
func (l *loads) settle(ctx context.Context, r *receiver, before time.Duration) error {
	last := before
	for began := time.Now(); ; {
		if err := quiet(ctx, calmTime); err != nil {
			return err
		}
		u, err := r.usage()
		if err != nil {
			return err
		}
		calm := u.cpu-last <= calmCPU
		last = u.cpu
		if calm || time.Since(began) > calmMost {
			l.CPU, l.Peak, l.Settled = u.cpu-before, u.peak, u.resident
			return nil
		}
	}
}

// loadAll plays every feed of the table. The sessions are the caller's to end,
// with an error too.
func loadAll(ctx context.Context, r *receiver, t table) ([]*player.Session, error) {
	return loadEach(ctx, r, t, func(load) {})
}

func loadEach(ctx context.Context, r *receiver, t table, say func(load)) ([]*player.Session, error) {
	var sessions []*player.Session
	var expect [route.NumFamilies]int
	for i, f := range t.feeds() {
		s, err := t.stream(i)
		if err != nil {
			return sessions, err
		}
		l, session, err := loadFeed(ctx, r, f, s, &expect)
		if session != nil {
			sessions = append(sessions, session)
		}
		if err != nil {
			return sessions, err
		}
		say(l)
	}
	return sessions, nil
}

func (l *loads) add(further load) {
	l.Loads = append(l.Loads, further)
	l.Routes += further.Routes
	l.CPU += further.CPU
	l.Peak, l.Settled = further.Peak, further.Settled
}
