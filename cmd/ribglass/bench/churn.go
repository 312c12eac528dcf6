package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"ribglass/collector/player"
	"ribglass/ribstore/route"
)

// churned is how lookups fare while routes change.
type churned struct {
	Rate    int       `json:"updates_per_second"`
	Quiet   latencies `json:"quiet"`   // before anything changes
	Loading latencies `json:"loading"` // until the second feed is in
	Flood   latencies `json:"flood"`   // while the second feed sends its table again and again
	Wall    int64     `json:"second_feed_wall_ns"`
	Sent    int       `json:"flood_routes_sent"`
}

const (
	churnRate = 200 // prefix updates a second
	floodTime = 20 * time.Second
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
	return withReceiver(ctx, setup.start, func(r *receiver) error {
		first, _, err := loadOne(ctx, r, t)
		if err != nil {
			return err
		}
		defer first.Abort() //nolint:errcheck // the receiver stops anyway
		p := newProber(r, t)
		c := churned{Rate: churnRate}
		if c.Quiet, err = p.during(ctx, func(ctx context.Context) error { return quiet(ctx, 5*time.Second) }); err != nil {
			return err
		}
		fmt.Fprintln(progress, "  quiet:", c.Quiet)
		if err := c.measure(ctx, t, p, first); err != nil {
			return err
		}
		fmt.Fprintln(progress, "  loading:", c.Loading)
		fmt.Fprintln(progress, "  flood:", c.Flood)
		result.Churn = &c
		return nil
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

func (c *churned) measure(ctx context.Context, t table, p prober, first *player.Session) error {
	s, err := t.stream(1)
	if err != nil {
		return err
	}
	second, err := dialFeed(ctx, p.receiver, t.feeds()[1])
	if err != nil {
		return err
	}
	defer second.Abort() //nolint:errcheck // the receiver stops anyway
	churning, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- churn(churning, t, first) }()
	defer func() {
		stop()
		<-ended
	}()
	c.Loading, err = p.during(ctx, func(ctx context.Context) error {
		start := time.Now()
		if err := second.SendRaw(s.bytes); err != nil {
			return err
		}
		err := poll(ctx, 10*time.Millisecond, p.receiver.process, func() (bool, error) { return p.receiver.answers(ctx, t.feeds()[1], s.last) })
		c.Wall = time.Since(start).Nanoseconds()
		return err
	})
	if err != nil {
		return err
	}
	c.Flood, err = p.during(ctx, func(context.Context) error {
		for until := time.Now().Add(floodTime); time.Now().Before(until); c.Sent += s.total() {
			if err := second.SendRaw(s.bytes); err != nil {
				return err
			}
		}
		return nil
	})
	return err
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
