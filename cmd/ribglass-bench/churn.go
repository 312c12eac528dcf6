package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"ribglass/collector/player"
	"ribglass/ribstore/route"
)

// churned is how lookups fare while routes change.
type churned struct {
	Rate    int             `json:"updates_per_second"`
	Quiet   latencies       `json:"quiet"`   // before anything changes
	Loading latencies       `json:"loading"` // while the second feed loads, over all rounds
	Walls   []time.Duration `json:"second_feed_wall_ns"`
	Flood   latencies       `json:"flood"` // while the second feed sends its table again and again
	Sent    int             `json:"flood_routes_sent"`
}

const (
	churnRate   = 200 // prefix updates a second
	churnRounds = 10  // a feed loads in less than a second: too few lookups for a percentile
	floodTime   = 20 * time.Second
)

// measureChurn loads one full feed, then changes 200 of its prefixes a second
// while a second feed loads at full speed, and looks up all the while.
func (o *options) measureChurn(ctx context.Context, t table, result *report, progress io.Writer) error {
	if len(t.feeds()) < 2 {
		return errors.New("--churn needs two feeds")
	}
	fmt.Fprintln(progress, "churn")
	setup, err := o.setup(t)
	if err != nil {
		return err
	}
	setup.stale = time.Second
	return withReceiver(ctx, setup.start, func(r *receiver) error {
		first, expect, err := loadOne(ctx, r, t)
		if err != nil {
			return err
		}
		defer first.Abort() //nolint:errcheck // the receiver stops anyway
		m := churning{prober: newProber(r, t), table: t, one: expect}
		if m.stream, err = t.stream(1); err != nil {
			return err
		}
		c, err := m.measure(ctx, first)
		result.Churn = &c
		return err
	})
}

// loadOne loads the first feed.
func loadOne(ctx context.Context, r *receiver, t table) (*player.Session, [route.NumFamilies]int, error) {
	var expect [route.NumFamilies]int
	s, err := t.stream(0)
	if err != nil {
		return nil, expect, err
	}
	_, session, err := loadFeed(ctx, r, t.feeds()[0], s, &expect)
	return session, expect, err
}

// churning is the measurement under way.
type churning struct {
	prober
	table  table
	stream *stream                // of the second feed
	one    [route.NumFamilies]int // routes of the first feed
}

func (m churning) measure(ctx context.Context, first *player.Session) (churned, error) {
	c := churned{Rate: churnRate}
	samples, err := m.during(ctx, func(ctx context.Context) error { return quiet(ctx, 5*time.Second) })
	if err != nil {
		return c, err
	}
	c.Quiet = summarize(samples)
	changing, stop := context.WithCancel(ctx)
	var changes sync.WaitGroup
	var failure error
	changes.Go(func() { failure = churn(changing, m.table, first) })
	err = m.rounds(ctx, &c)
	stop()
	changes.Wait()
	return c, errors.Join(err, failure)
}

// rounds loads the second feed again and again, from nothing, and at last
// floods.
func (m churning) rounds(ctx context.Context, c *churned) error {
	var samples []sample
	for range churnRounds {
		more, wall, failure := m.round(ctx)
		if failure != nil {
			return failure
		}
		samples, c.Walls = append(samples, more...), append(c.Walls, wall)
	}
	c.Loading = summarize(samples)
	second, err := dialFeed(ctx, m.receiver, m.table.feeds()[1])
	if err != nil {
		return err
	}
	defer second.Abort() //nolint:errcheck // the receiver stops anyway
	samples, err = m.during(ctx, func(context.Context) error {
		for until := time.Now().Add(floodTime); time.Now().Before(until); c.Sent += m.stream.total() {
			if failure := second.SendRaw(m.stream.bytes); failure != nil {
				return failure
			}
		}
		return nil
	})
	c.Flood = summarize(samples)
	return err
}

// round loads the second feed, and waits until its routes are gone again.
func (m churning) round(ctx context.Context) ([]sample, time.Duration, error) {
	f := m.table.feeds()[1]
	second, err := dialFeed(ctx, m.receiver, f)
	if err != nil {
		return nil, 0, err
	}
	defer second.Abort() //nolint:errcheck // ended below, if all went well
	var wall time.Duration
	samples, err := m.during(ctx, func(ctx context.Context) error {
		start := time.Now()
		defer func() { wall = time.Since(start) }()
		return m.load(ctx, second, f)
	})
	if err == nil {
		err = second.Abort()
	}
	if err != nil {
		return nil, 0, err
	}
	return samples, wall, m.forgotten(ctx)
}

// load plays the stream and waits until its last route answers.
func (m churning) load(ctx context.Context, session *player.Session, f feed) error {
	if err := session.SendRaw(m.stream.bytes); err != nil {
		return err
	}
	return poll(ctx, 10*time.Millisecond, m.receiver.process, func() (bool, error) {
		return m.receiver.answers(ctx, f, m.stream.last)
	})
}

// forgotten waits until only the first feed's routes are left.
func (m churning) forgotten(ctx context.Context) error {
	return poll(ctx, 100*time.Millisecond, m.receiver.process, func() (bool, error) {
		got, err := m.receiver.counts(ctx)
		return got[route.IPv4Unicast] <= m.one[route.IPv4Unicast] && got[route.IPv6Unicast] <= m.one[route.IPv6Unicast], err
	})
}

// churn changes prefixes of the first feed until ctx ends: of four one is
// withdrawn, the others get other attributes.
func churn(ctx context.Context, t table, session *player.Session) error {
	random := newRandom(1)
	ticker := time.NewTicker(time.Second / churnRate)
	defer ticker.Stop()
	for {
		u := t.change(0, random)
		if random.IntN(4) == 0 {
			u.Attrs = nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		if err := session.Send(u); err != nil {
			return err
		}
	}
}
