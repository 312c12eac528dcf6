package main

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"ribglass/collector/player"
	"ribglass/ribstore/route"
)

// dialFeed opens the session of a feed, and tries again while the receiver does
// not take it yet.
func dialFeed(ctx context.Context, r *receiver, f feed) (*player.Session, error) {
	cfg := player.DefaultConfig()
	cfg.Address, cfg.LocalAddress = r.address, f.source.String()
	cfg.ASN = f.asn
	cfg.RouterID = routerID(f.source)
	cfg.HoldTime = 240 * time.Second
	var s *player.Session
	err := poll(ctx, 100*time.Millisecond, r.process, func() (bool, error) {
		var err error
		s, err = player.Dial(ctx, cfg)
		return err == nil, err
	})
	return s, err
}

// routerID makes a BGP identifier of a loopback source that is none itself.
func routerID(source netip.Addr) netip.Addr {
	b := source.As4()
	b[0] = 198
	return netip.AddrFrom4(b)
}

// load is what it took a receiver to take in one feed.
type load struct {
	Feed    string        `json:"feed"`
	Routes  int           `json:"routes"`
	Runs    int           `json:"attribute_runs"`
	Sets    int           `json:"attribute_sets"`
	Wall    time.Duration `json:"wall_ns"`            // first UPDATE written to last route found
	CPU     time.Duration `json:"cpu_ns"`             // of the receiver, until settled
	Settled uint64        `json:"settled_bytes"`      // resident, after
	Grown   int64         `json:"settled_more_bytes"` // than before this feed
	Peak    uint64        `json:"peak_bytes"`         // so far
}

// settleTime is how long nothing is sent before memory is called settled.
const settleTime = 3 * time.Second

// loadFeed plays one stream and measures. expect is what all feeds so far add
// up to, and grows by this one.
func loadFeed(ctx context.Context, r *receiver, f feed, s *stream, expect *[route.NumFamilies]int) (load, *player.Session, error) {
	l := load{Feed: f.name, Routes: s.total(), Runs: s.updates, Sets: s.sets}
	session, err := dialFeed(ctx, r, f)
	if err != nil {
		return l, nil, fmt.Errorf("%s to %s: %w", f.name, r.name, err)
	}
	before, err := r.usage()
	if err != nil {
		return l, session, err
	}
	start := time.Now()
	if err = session.SendRaw(s.bytes); err != nil {
		return l, session, fmt.Errorf("%s to %s: %w", f.name, r.name, err)
	}
	err = poll(ctx, 10*time.Millisecond, r.process, func() (bool, error) { return r.answers(ctx, f, s.last) })
	l.Wall = time.Since(start)
	if err != nil {
		return l, session, fmt.Errorf("%s: wait for %v of %s: %w", r.name, s.last, f.name, err)
	}
	if err = quiet(ctx, settleTime); err != nil {
		return l, session, err
	}
	after, err := r.usage()
	if err != nil {
		return l, session, err
	}
	l.CPU, l.Settled, l.Peak = after.cpu-before.cpu, after.resident, after.peak
	l.Grown = int64(after.resident) - int64(before.resident)
	for i, n := range s.routes {
		expect[i] += n
	}
	return l, session, verify(ctx, r, *expect)
}

// verify asks the receiver whether it has as many routes as were sent.
func verify(ctx context.Context, r *receiver, want [route.NumFamilies]int) error {
	got, err := r.counts(ctx)
	if err != nil {
		return err
	}
	if got != want {
		return fmt.Errorf("%s has %v routes by family, was sent %v", r.name, got, want)
	}
	return nil
}

// quiet waits.
func quiet(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
