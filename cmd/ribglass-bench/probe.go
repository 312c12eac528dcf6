package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"time"
)

// latencies sums up how long lookups took.
type latencies struct {
	Lookups int           `json:"lookups"`
	P50     time.Duration `json:"p50_ns"`
	P99     time.Duration `json:"p99_ns"`
	Max     time.Duration `json:"max_ns"`
	// LateP99 counts from when the lookup was due instead of from when it was
	// sent: it includes what the benchmark's own process was late.
	LateP99 time.Duration `json:"late_p99_ns"`
}

// sample is one lookup.
type sample struct{ due, sent, done time.Time }

func summarize(samples []sample) latencies {
	l := latencies{Lookups: len(samples)}
	if len(samples) == 0 {
		return l
	}
	took, late := make([]time.Duration, len(samples)), make([]time.Duration, len(samples))
	for i, s := range samples {
		took[i], late[i] = s.done.Sub(s.sent), s.done.Sub(s.due)
	}
	slices.Sort(took)
	slices.Sort(late)
	l.P50, l.P99, l.Max = percentile(took, 50), percentile(took, 99), took[len(took)-1]
	l.LateP99 = percentile(late, 99)
	return l
}

// percentile returns the value that p percent of the sorted ones do not exceed.
func percentile(sorted []time.Duration, p int) time.Duration {
	return sorted[(len(sorted)*p+99)/100-1]
}

func (l latencies) String() string {
	return fmt.Sprintf("p50 %v, p99 %v, max %v (%d lookups)",
		l.P50.Round(time.Microsecond), l.P99.Round(time.Microsecond), l.Max.Round(time.Microsecond), l.Lookups)
}

// prober looks addresses up at a steady rate over a few connections that are
// kept, as people and programs do.
type prober struct {
	receiver  *receiver
	asker     ribglass
	addresses []netip.Addr
	rate      int // lookups a second
	workers   int
}

func newProber(r *receiver, t table) prober {
	const rate, connections, addresses = 500, 4, 5000
	return prober{r, r.asker.(ribglass), t.sample(addresses), rate, connections}
}

// during looks up until work has returned.
func (p prober) during(ctx context.Context, work func(context.Context) error) ([]sample, error) {
	// A collection of our own garbage would count as the receiver's.
	runtime.GC()
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	probing, stop := context.WithCancel(ctx)
	defer stop()
	var samples []sample
	var failure error
	var probe sync.WaitGroup
	probe.Go(func() { samples, failure = p.run(probing) })
	err := work(ctx)
	stop()
	probe.Wait()
	return samples, errors.Join(err, failure)
}

// run looks up until ctx ends and returns the samples in no order.
func (p prober) run(ctx context.Context) ([]sample, error) {
	start := time.Now()
	all := make([][]sample, p.workers)
	errs := make([]error, p.workers)
	var workers sync.WaitGroup
	for w := range p.workers {
		workers.Go(func() { all[w], errs[w] = p.work(ctx, start, w) })
	}
	workers.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return slices.Concat(all...), nil
}

// work sends every p.workers-th lookup.
func (p prober) work(ctx context.Context, start time.Time, w int) ([]sample, error) {
	var samples []sample
	for n := w; ; n += p.workers {
		s := sample{due: start.Add(time.Duration(n) * time.Second / time.Duration(p.rate))}
		select {
		case <-ctx.Done():
			return samples, nil
		case <-time.After(time.Until(s.due)):
		}
		s.sent = time.Now()
		// The lookup itself is not cut off: it counts, however long it takes.
		if err := p.asker.lookup(context.WithoutCancel(ctx), p.addresses[n%len(p.addresses)]); err != nil {
			return nil, err
		}
		s.done = time.Now()
		samples = append(samples, s)
	}
}

// lookup asks for the routes of an address and throws the answer away.
func (r ribglass) lookup(ctx context.Context, a netip.Addr) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, r.base+lookupPath(a), http.NoBody)
	if err != nil {
		return err
	}
	answer, err := r.client.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("lookup of %v: %s", a, answer.Status)
	}
	return drain(answer.Body)
}

func lookupPath(a netip.Addr) string { return "/api/v1/routes?q=" + a.String() }
