package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

// httpLoad is how fast lookups are answered over HTTP when nothing else happens.
type httpLoad struct {
	Client    string        `json:"client"` // "wrk", or "go" where it is not installed
	One       time.Duration `json:"one_connection_p50_ns"`
	PerSecond float64       `json:"sixteen_connections_per_second"`
	P99       time.Duration `json:"sixteen_connections_p99_ns,omitempty"`
}

const (
	httpTime        = 10 * time.Second
	httpConnections = 16
)

// measureHTTP loads all feeds and asks as fast as it can.
func (o *options) measureHTTP(ctx context.Context, t table, result *report, progress io.Writer) error {
	fmt.Fprintln(progress, "http")
	setup, err := o.setup(t)
	if err != nil {
		return err
	}
	return withReceiver(ctx, setup.start, func(r *receiver) error {
		sessions, err := loadAll(ctx, r, t)
		defer func() {
			for _, s := range sessions {
				_ = s.Abort()
			}
		}()
		if err != nil {
			return err
		}
		h, err := askFast(ctx, r.asker.(ribglass), t.sample(5000))
		if err != nil {
			return err
		}
		fmt.Fprintf(progress, "  p50 %v at 1 connection, %.0f answers/s at %d\n", h.One, h.PerSecond, httpConnections)
		result.HTTP = &h
		return nil
	})
}

func askFast(ctx context.Context, asker ribglass, addresses []netip.Addr) (httpLoad, error) {
	one, _, err := askLoop(ctx, asker, addresses, 1)
	if err != nil {
		return httpLoad{}, err
	}
	h := httpLoad{Client: "go", One: one.P50}
	wrk, err := exec.LookPath("wrk")
	if err != nil {
		var many latencies
		many, h.PerSecond, err = askLoop(ctx, asker, addresses, httpConnections)
		h.P99 = many.P99
		return h, err
	}
	h.Client = "wrk"
	single, err := runWrk(ctx, wrk, asker, addresses, 1)
	if err != nil {
		return h, err
	}
	many, err := runWrk(ctx, wrk, asker, addresses, httpConnections)
	h.One, h.PerSecond, h.P99 = single.p50, many.perSecond, many.p99
	return h, err
}

// askLoop asks over some connections, each as soon as it was answered.
func askLoop(ctx context.Context, asker ribglass, addresses []netip.Addr, connections int) (latencies, float64, error) {
	until := time.Now().Add(httpTime)
	all := make([][]sample, connections)
	errs := make([]error, connections)
	var loops sync.WaitGroup
	for c := range connections {
		loops.Go(func() {
			for n := c; time.Now().Before(until) && errs[c] == nil; n += connections {
				sent := time.Now()
				errs[c] = asker.lookup(ctx, addresses[n%len(addresses)])
				all[c] = append(all[c], sample{sent, sent, time.Now()})
			}
		})
	}
	loops.Wait()
	var samples []sample
	for _, s := range all {
		samples = append(samples, s...)
	}
	return summarize(samples), float64(len(samples)) / httpTime.Seconds(), errors.Join(errs...)
}

// wrkResult is what wrk printed.
type wrkResult struct {
	p50, p99  time.Duration
	perSecond float64
}

// runWrk has wrk ask for the addresses in turn.
func runWrk(ctx context.Context, path string, asker ribglass, addresses []netip.Addr, connections int) (wrkResult, error) {
	dir, err := os.MkdirTemp("", "ribglass-bench-")
	if err != nil {
		return wrkResult{}, err
	}
	defer os.RemoveAll(dir)
	script := filepath.Join(dir, "addresses.lua")
	if err = os.WriteFile(script, []byte(wrkScript(addresses)), 0o600); err != nil {
		return wrkResult{}, err
	}
	threads := strconv.Itoa(min(connections, 2))
	//nolint:gosec // the wrk of the user's own PATH, with arguments made here
	wrk := exec.CommandContext(ctx, path, "-t", threads, "-c", strconv.Itoa(connections),
		"-d", fmt.Sprintf("%ds", int(httpTime.Seconds())), "--latency", "-s", script, asker.base)
	out, err := wrk.CombinedOutput()
	if err != nil {
		return wrkResult{}, fmt.Errorf("wrk: %w\n%s", err, out)
	}
	return parseWrk(string(out))
}

func wrkScript(addresses []netip.Addr) string {
	var b strings.Builder
	b.WriteString("local paths = {\n")
	for _, a := range addresses {
		fmt.Fprintf(&b, "%q,\n", lookupPath(a))
	}
	b.WriteString("}\nlocal at = 0\nrequest = function()\n  at = at % #paths + 1\n  return wrk.format(\"GET\", paths[at])\nend\n")
	return b.String()
}

// parseWrk reads the output of `wrk --latency`. An answer that was not a
// success is an error: it would be fast for the wrong reason.
func parseWrk(out string) (wrkResult, error) {
	var r wrkResult
	for line := range strings.Lines(out) {
		fields := strings.Fields(line)
		if len(fields) < 2 {
			continue
		}
		var err error
		switch fields[0] {
		case "50%":
			r.p50, err = time.ParseDuration(fields[1])
		case "99%":
			r.p99, err = time.ParseDuration(fields[1])
		case "Requests/sec:":
			r.perSecond, err = strconv.ParseFloat(fields[1], 64)
		case "Non-2xx", "Socket":
			err = errors.New("not every answer was a success")
		}
		if err != nil {
			return r, fmt.Errorf("wrk: %q: %w", strings.TrimSpace(line), err)
		}
	}
	if r.perSecond == 0 || r.p50 == 0 {
		return r, fmt.Errorf("wrk printed no result:\n%s", out)
	}
	return r, nil
}
