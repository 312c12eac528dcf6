package main

import (
	"context"
	"fmt"
	"net/netip"
	"runtime"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"ribglass/ribstore"
	"ribglass/ribstore/compare"
	"ribglass/ribstore/history"
	"ribglass/ribstore/query"
	"ribglass/ribstore/route"
)

// pastAnswers is how fast the past answers, asked as the API asks it, without
// HTTP.
type pastAnswers struct {
	Open     time.Duration `json:"open_ns"`      // the file, and the newest table from it
	Lookup   spread        `json:"lookup"`       // of an address at a random second
	Timeline spread        `json:"timeline"`     // of a random prefix, over all days
	Restless spread        `json:"restless"`     // of the most active prefixes
	States   int           `json:"restless_max"` // most states of one of them
	Whole    spread        `json:"whole_first"`  // search in the whole table, the first time
	Again    spread        `json:"whole_again"`  // and then
	Live     spread        `json:"whole_live"`   // the same search in the table of now
	Diff     time.Duration `json:"diff_first_ns"`
	DiffLoad time.Duration `json:"diff_load_ns"` // of it, for the two tables
	DiffNext spread        `json:"diff_again"`
	Apart    time.Duration `json:"diff_apart_ns"`
	Differ   int           `json:"diff_differences"`
}

// spread sums up a few durations.
type spread struct {
	Runs int           `json:"runs"`
	P50  time.Duration `json:"p50_ns"`
	P99  time.Duration `json:"p99_ns"`
	Max  time.Duration `json:"max_ns"`
}

func spreadOf(took []time.Duration) spread {
	if len(took) == 0 {
		return spread{}
	}
	slices.Sort(took)
	return spread{len(took), percentile(took, 50), percentile(took, 99), took[len(took)-1]}
}

func (s spread) String() string {
	round := func(d time.Duration) time.Duration { return d.Round(10 * time.Microsecond) }
	return fmt.Sprintf("p50 %v, p99 %v, max %v (%d)", round(s.P50), round(s.P99), round(s.Max), s.Runs)
}

// asking is the measurement of the answers. What the questions are about is drawn
// before: the routes that were played are given up then, because the collector of
// garbage would look through them meanwhile, as it does in no server.
type asking struct {
	*days
	path      string
	store     *ribstore.Store
	addresses []netip.Addr
	prefixes  []netip.Prefix
	restless  []netip.Prefix
	origin    route.ASN
}

// How much is asked.
const (
	askedLookups   = 500
	askedTimelines = 200
	askedRestless  = 50
)

func (d *days) asking(t table, path string) *asking {
	a := &asking{days: d, path: path, addresses: t.sample(askedLookups)}
	a.prefixes, a.restless, a.origin = d.samplePrefixes(askedTimelines), d.restless(askedRestless), d.known[0].largest()
	clear(d.known)
	clear(d.models)
	d.rush = nil
	runtime.GC()
	return a
}

func (a *asking) measure(ctx context.Context) (*pastAnswers, error) {
	r := &pastAnswers{}
	if err := a.history.Close(); err != nil {
		return nil, err
	}
	deps := history.Deps{Logger: quietLogger(a.progress), Now: func() time.Time { return a.now }}
	start := time.Now()
	h, err := history.OpenReadOnly(a.path, deps)
	if err != nil {
		return nil, err
	}
	a.history = h
	if a.store, err = a.newStore(); err != nil {
		return nil, err
	}
	if err := a.store.Resume(ctx); err != nil {
		return nil, err
	}
	r.Open = time.Since(start)
	for _, ask := range []func(context.Context, *pastAnswers) error{a.lookups, a.timelines, a.searches, a.diffs} {
		if err := ask(ctx, r); err != nil {
			return nil, err
		}
	}
	return r, nil
}

func (a *asking) newStore() (*ribstore.Store, error) {
	config := ribstore.DefaultConfig()
	config.SearchTime = time.Minute // what takes too long is to be seen
	return ribstore.New(config, ribstore.Deps{
		Logger: quietLogger(a.progress), Registerer: prometheus.NewRegistry(),
		Now: func() time.Time { return a.now }, History: a.history,
	})
}

// moments draws seconds of the days.
func (a *asking) moments(n int) []time.Time {
	random := newRandom(3)
	length := int(a.end.Sub(a.begun()).Seconds())
	list := make([]time.Time, n)
	for i := range list {
		list[i] = a.begun().Add(time.Duration(random.IntN(max(1, length))) * time.Second)
	}
	return list
}

func (a *asking) begun() time.Time {
	return a.end.Add(-time.Duration(a.options.days * float64(24*time.Hour)))
}

// timedCall measures one call.
func timedCall(took *[]time.Duration, call func() error) error {
	start := time.Now()
	err := call()
	*took = append(*took, time.Since(start))
	return err
}

// lookups ask for an address at a second; every other one for one that is never
// quiet.
func (a *asking) lookups(ctx context.Context, r *pastAnswers) error {
	var took []time.Duration
	found := 0
	for i, at := range a.moments(len(a.addresses)) {
		address := a.addresses[i]
		if i%2 == 1 {
			address = a.restless[i/2%len(a.restless)].Addr()
		}
		q, err := query.Parse(address.String())
		if err != nil {
			return err
		}
		q.At = query.Moment{Time: at}
		err = timedCall(&took, func() error {
			result, err := a.store.Search(ctx, q, query.Page{Limit: query.DefaultLimit})
			if err == nil && result.Total > 0 {
				found++
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	r.Lookup = spreadOf(took)
	fmt.Fprintf(a.progress, "  lookups in the past: %v, %d of %d with routes\n", r.Lookup, found, len(a.addresses))
	return nil
}

func (a *asking) timelines(ctx context.Context, r *pastAnswers) error {
	one := func(took *[]time.Duration, p netip.Prefix) error {
		q, err := query.Parse(p.String())
		if err != nil {
			return err
		}
		q.Between = query.Span{From: query.Moment{Time: a.begun()}, To: query.Moment{Time: a.end}}
		return timedCall(took, func() error {
			t, err := a.store.Timeline(ctx, q, 0)
			if err == nil {
				n := 0
				for i := range t.Rows {
					n += len(t.Rows[i].States)
				}
				r.States = max(r.States, n)
			}
			return err
		})
	}
	var took, most []time.Duration
	for _, p := range a.prefixes {
		if err := one(&took, p); err != nil {
			return err
		}
	}
	for _, p := range a.restless {
		if err := one(&most, p); err != nil {
			return err
		}
	}
	r.Timeline, r.Restless = spreadOf(took), spreadOf(most)
	fmt.Fprintf(a.progress, "  timelines: %v; of restless prefixes %v, up to %d states\n", r.Timeline, r.Restless, r.States)
	return nil
}

func (a *asking) searches(ctx context.Context, r *pastAnswers) error {
	const tables, again = 5, 10
	q := query.Query{Expr: query.Origin{ASNs: query.ASNs{First: a.origin, Last: a.origin}}}
	ask := func(took *[]time.Duration) error {
		return timedCall(took, func() error {
			_, err := a.store.Search(ctx, q, query.Page{Limit: query.DefaultLimit})
			return err
		})
	}
	var first, then, live []time.Duration
	for _, at := range a.moments(tables) {
		q.At = query.Moment{Time: at}
		if err := ask(&first); err != nil {
			return err
		}
		for range again {
			if err := ask(&then); err != nil {
				return err
			}
		}
	}
	q.At = query.Moment{}
	for range again {
		if err := ask(&live); err != nil {
			return err
		}
	}
	r.Whole, r.Again, r.Live = spreadOf(first), spreadOf(then), spreadOf(live)
	fmt.Fprintf(a.progress, "  whole table: first %v, again %v, live %v\n", r.Whole, r.Again, r.Live)
	return nil
}

// largest returns the origin with the most runs.
func (k *announced) largest() route.ASN {
	var most route.ASN
	for asn, runs := range k.byOrigin {
		if len(runs) > len(k.byOrigin[most]) || len(runs) == len(k.byOrigin[most]) && asn < most {
			most = asn
		}
	}
	return most
}

// diffs compare two whole tables a day apart, or all days when they are fewer.
func (a *asking) diffs(ctx context.Context, r *pastAnswers) error {
	to := a.end.Add(-time.Minute)
	r.Apart = min(24*time.Hour, to.Sub(a.begun())-time.Minute)
	c := compare.Request{From: query.Moment{Time: to.Add(-r.Apart)}, To: query.Moment{Time: to}}
	var took []time.Duration
	for i := range 4 {
		start := time.Now()
		comparison, _, err := a.store.Compare(ctx, c)
		if err != nil {
			return err
		}
		loaded := time.Since(start)
		page, err := comparison.Page(ctx, query.Page{Limit: query.DefaultLimit})
		if err != nil {
			return err
		}
		if i == 0 {
			r.Diff, r.DiffLoad = time.Since(start), loaded
			r.Differ = page.Counts.Added + page.Counts.Withdrawn + page.Counts.Changed
			continue
		}
		took = append(took, time.Since(start))
	}
	r.DiffNext = spreadOf(took)
	fmt.Fprintf(a.progress, "  diff of %v: %v (%v for the tables), again %v; %d differences\n", r.Apart, r.Diff, r.DiffLoad, r.DiffNext, r.Differ)
	return nil
}
