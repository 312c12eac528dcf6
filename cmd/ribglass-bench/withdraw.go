package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

// withdrawn is what a full feed's end costs the readers, and gives back.
type withdrawn struct {
	Stale     time.Duration `json:"stale_time_ns"`
	Sweep     latencies     `json:"sweep"`           // from the session's end until its routes are gone
	SweptIn   time.Duration `json:"swept_in_ns"`     // after the stale time
	OneFeed   uint64        `json:"one_feed_bytes"`  // settled
	TwoFeeds  uint64        `json:"two_feeds_bytes"` // settled
	After     uint64        `json:"after_bytes"`     // settled, the second feed gone
	GivenBack float64       `json:"given_back"`      // share of what the second feed had cost
	Waited    time.Duration `json:"waited_ns"`       // for the memory
}

// measureWithdraw loads two feeds, ends the session of the second, and watches
// its routes go stale and away.
func (o *options) measureWithdraw(ctx context.Context, t table, result *report, progress io.Writer) error {
	if len(t.feeds()) < 2 {
		return errors.New("--withdraw needs two feeds")
	}
	fmt.Fprintln(progress, "withdraw")
	setup, err := o.setup(t)
	if err != nil {
		return err
	}
	setup.stale = 5 * time.Second
	return withReceiver(ctx, setup.start, func(r *receiver) error {
		w := withdrawn{Stale: setup.stale}
		if err := w.measure(ctx, r, t); err != nil {
			return err
		}
		fmt.Fprintln(progress, "  sweep:", w.Sweep)
		result.Withdraw = &w
		return nil
	})
}

func (w *withdrawn) measure(ctx context.Context, r *receiver, t table) error {
	first, expect, err := loadOne(ctx, r, t)
	if err != nil {
		return err
	}
	defer first.Abort() //nolint:errcheck // the receiver stops anyway
	one := expect
	s, err := t.stream(1)
	if err != nil {
		return err
	}
	before, err := r.usage()
	if err != nil {
		return err
	}
	l, second, err := loadFeed(ctx, r, t.feeds()[1], s, &expect)
	if err != nil {
		return err
	}
	w.OneFeed, w.TwoFeeds = before.resident, l.Settled
	samples, err := newProber(r, t).during(ctx, func(ctx context.Context) error {
		start := time.Now()
		defer func() { w.SweptIn = time.Since(start) - w.Stale }()
		if failure := second.Abort(); failure != nil {
			return failure
		}
		return poll(ctx, 50*time.Millisecond, r.process, func() (bool, error) {
			got, failure := r.counts(ctx)
			return got == one, failure
		})
	})
	if err != nil {
		return err
	}
	w.Sweep = summarize(samples)
	return w.settle(ctx, r)
}

// settle waits for the memory. An idle Go program collects its garbage every
// two minutes, and gives back by and by what it then does not need.
func (w *withdrawn) settle(ctx context.Context, r *receiver) error {
	const patience = 150 * time.Second
	start := time.Now()
	for time.Since(start) < patience {
		if err := quiet(ctx, time.Second); err != nil {
			return err
		}
		u, err := r.usage()
		if err != nil {
			return err
		}
		if w.After == 0 || u.resident < w.After {
			w.After, w.Waited = u.resident, time.Since(start)
		}
		if w.After <= w.OneFeed {
			break
		}
	}
	cost := float64(int64(w.TwoFeeds) - int64(w.OneFeed))
	w.GivenBack = float64(int64(w.TwoFeeds)-int64(w.After)) / max(cost, 1)
	return nil
}
