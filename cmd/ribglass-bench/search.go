package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"ribglass/collector/player"
)

// searches is how fast questions about the whole table are answered.
type searches struct {
	Routes    int           `json:"routes"`
	Questions []asked       `json:"questions"`
	Export    exported      `json:"export"`
	Parallel  parallelAsked `json:"parallel"`
}

// asked is one question, asked again and again over one connection.
type asked struct {
	Question string        `json:"question"` // as shown
	Total    int           `json:"total"`    // routes found
	P50      time.Duration `json:"p50_ns"`
	P99      time.Duration `json:"p99_ns"`
	Target   time.Duration `json:"target_ns,omitempty"`
	Missing  string        `json:"missing,omitempty"` // why there is no measurement

	BIRDQuestion string        `json:"bird_question,omitempty"`
	BIRDTotal    int           `json:"bird_total,omitempty"`
	BIRD         time.Duration `json:"bird_ns,omitempty"` // median
}

// exported is one export of everything as NDJSON.
type exported struct {
	Routes   int           `json:"routes"`
	Wall     time.Duration `json:"wall_ns"`
	Before   uint64        `json:"resident_before_bytes"`
	Most     uint64        `json:"resident_most_bytes"` // while and after
	Failure  string        `json:"failure,omitempty"`
	PerRoute int           `json:"bytes_per_route"`
}

// parallelAsked is what lookups take while searches run.
type parallelAsked struct {
	Searches int       `json:"searches"` // answered
	Refused  int       `json:"refused"`  // 429 or 503: beyond the budget
	Quiet    latencies `json:"quiet"`
	Lookups  latencies `json:"lookups"`
}

const (
	searchRuns     = 25
	birdRuns       = 3
	searchTime     = 8 * time.Second
	searchParallel = 20
	latePage       = 10_000
)

// question is what is measured.
type question struct {
	shown, query, filter string // filter is BIRD's; "" where it has no such question
	target               time.Duration
	facets               bool
	cursor               string
}

// questions are those of the measurement. community is one of the table.
func questions(community string) []question {
	const ms = time.Millisecond
	high, low, _ := strings.Cut(community, ":")
	wild := high + ":" + low[:1] + "*"
	return []question{
		{query: "path _3257_13335$", filter: "bgp_path ~ [= * 3257 13335 =]", target: 30 * ms},
		{query: "via 3257", filter: "bgp_path ~ [= * 3257 * =]", target: 15 * ms},
		{query: "origin 13335", filter: "bgp_path ~ [= * 13335 =]", target: 15 * ms},
		{query: "community " + wild, target: 30 * ms},
		{query: "community " + high + ":*", filter: "bgp_community ~ [(" + high + ",*)]", target: 30 * ms},
		{
			query: "via 3257 path-length <= 4 not origin 13335", target: 60 * ms,
			filter: "bgp_path ~ [= * 3257 * =] && bgp_path.len <= 4 && ! (bgp_path ~ [= * 13335 =])",
		},
		{query: "best", target: 150 * ms},
		{query: "moas", target: 150 * ms},
		{query: "best via 3257", target: 60 * ms},
		{query: "since 1h", target: 60 * ms},
		{query: "stale", target: 15 * ms},
		{query: "bogon", target: 15 * ms},
		{query: "0.0.0.0/0 or-longer", target: 5 * ms},
		{query: "", shown: "everything, facets", facets: true, target: 250 * ms},
	}
}

// measureSearch loads all feeds and searches; then it asks BIRD the same.
func (o *options) measureSearch(ctx context.Context, t table, result *report, progress io.Writer) error {
	fmt.Fprintln(progress, "search")
	setup, err := o.setup(t)
	if err != nil {
		return err
	}
	result.Search = &searches{}
	err = withLoaded(ctx, setup.start, t, func(r *receiver) error { return result.Search.measure(ctx, r, t, progress) })
	if err != nil {
		return err
	}
	path, err := o.birdPath()
	if path == "" || err != nil {
		return err
	}
	fmt.Fprintln(progress, "  BIRD")
	return withLoaded(ctx, func(ctx context.Context, dir string) (*receiver, error) {
		return startBird(ctx, path, dir, t.feeds())
	}, t, func(r *receiver) error { return result.Search.beside(ctx, r.asker.(bird)) })
}

// withLoaded runs work with a fresh receiver that has all feeds.
func withLoaded(ctx context.Context, start starter, t table, work func(*receiver) error) error {
	return withReceiver(ctx, start, func(r *receiver) error {
		sessions, err := loadAll(ctx, r, t)
		defer abort(sessions)
		if err != nil {
			return err
		}
		return work(r)
	})
}

func abort(sessions []*player.Session) {
	for _, s := range sessions {
		_ = s.Abort()
	}
}

func (s *searches) measure(ctx context.Context, r *receiver, t table, progress io.Writer) error {
	asker := r.asker.(ribglass)
	first, err := asker.search(ctx, question{})
	if err != nil {
		return err
	}
	s.Routes = first.Total
	list := questions(first.community())
	late, err := asker.seek(ctx, first.NextCursor)
	if err != nil {
		return err
	}
	list = append(list, question{query: "0.0.0.0/0 or-longer", shown: fmt.Sprintf("0.0.0.0/0 or-longer, page %d", latePage), cursor: late, target: 5 * time.Millisecond})
	for _, q := range list {
		a, err := asker.repeat(ctx, q)
		if err != nil {
			return err
		}
		fmt.Fprintf(progress, "  %s: %d routes, p50 %v, p99 %v %s\n", a.Question, a.Total, a.P50, a.P99, a.Missing)
		s.Questions = append(s.Questions, a)
	}
	if s.Export, err = asker.export(ctx, r.process); err != nil {
		return err
	}
	s.Parallel, err = searchAndLookup(ctx, r, t)
	return err
}

// searchResult is what is read of an answer.
type searchResult struct {
	Total  int             `json:"total"`
	Facets map[string]any  `json:"facets"`
	Routes []searchedRoute `json:"routes"`

	NextCursor string `json:"next_cursor"`
}

type searchedRoute struct {
	Prefix      netip.Prefix `json:"prefix"`
	Communities []string     `json:"communities"`
}

// community returns a plain community of a route of the answer.
func (r *searchResult) community() string {
	for _, one := range r.Routes {
		for _, c := range one.Communities {
			if high, low, ok := strings.Cut(c, ":"); ok && high != "" && low != "" {
				return c
			}
		}
	}
	return "3257:4000"
}

func (q question) path() string {
	values := url.Values{"q": {q.query}, "limit": {"100"}}
	if q.facets {
		values.Set("facets", "true")
	}
	if q.cursor != "" {
		values.Set("cursor", q.cursor)
	}
	return "/api/v1/routes?" + values.Encode()
}

func (r ribglass) search(ctx context.Context, q question) (searchResult, error) {
	var result searchResult
	err := r.get(ctx, q.path(), &result)
	return result, err
}

// seek follows cursors to a late page: in pages of 1000 routes up to the place
// where that page of 100 begins.
func (r ribglass) seek(ctx context.Context, cursor string) (string, error) {
	const step = 1000
	for range latePage * 100 / step {
		var result searchResult
		values := url.Values{"q": {"0.0.0.0/0 or-longer"}, "limit": {strconv.Itoa(step)}, "cursor": {cursor}}
		if err := r.get(ctx, "/api/v1/routes?"+values.Encode(), &result); err != nil {
			return "", err
		}
		if result.NextCursor == "" {
			break // a small table
		}
		cursor = result.NextCursor
	}
	return cursor, nil
}

// repeat asks one question again and again. The answer is read, not decoded.
func (r ribglass) repeat(ctx context.Context, q question) (asked, error) {
	a := asked{Question: q.shown, Target: q.target, BIRDQuestion: q.filter}
	if a.Question == "" {
		a.Question = q.query
	}
	first, err := r.search(ctx, q)
	if err != nil || q.facets && first.Facets == nil {
		a.Missing = "not available"
		if !q.facets {
			return a, err
		}
		return a, nil
	}
	a.Total = first.Total
	took := make([]time.Duration, searchRuns)
	for i := range took {
		sent := time.Now()
		if err := r.drained(ctx, q.path(), "application/json"); err != nil {
			return a, err
		}
		took[i] = time.Since(sent)
	}
	slices.Sort(took)
	a.P50, a.P99 = percentile(took, 50), percentile(took, 99)
	return a, nil
}

// errRefused is an answer that says to come again.
var errRefused = errors.New("refused")

// drained asks for a path and reads the answer to its end.
func (r ribglass) drained(ctx context.Context, path, accept string) error {
	answer, err := r.open(ctx, path, accept)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	return drain(answer.Body)
}

// open asks for a path.
func (r ribglass) open(ctx context.Context, path, accept string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, r.base+path, http.NoBody)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", accept)
	answer, err := r.client.Do(request)
	if err != nil {
		return nil, err
	}
	switch answer.StatusCode {
	case http.StatusOK:
		return answer, nil
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		return nil, errors.Join(errRefused, drain(answer.Body), answer.Body.Close())
	}
	return nil, errors.Join(fmt.Errorf("GET %s: %s", path, answer.Status), answer.Body.Close())
}

// export reads everything as NDJSON.
func (r ribglass) export(ctx context.Context, p *process) (exported, error) {
	before, err := p.usage()
	if err != nil {
		return exported{}, err
	}
	x := exported{Before: before.resident, Most: before.resident}
	start := time.Now()
	answer, err := r.open(ctx, "/api/v1/routes", "application/x-ndjson")
	if err != nil {
		return x, err
	}
	defer answer.Body.Close()
	buffer, size := make([]byte, 1<<20), 0
	for next := start; err == nil; {
		var n int
		n, err = answer.Body.Read(buffer)
		size += n
		x.Routes += countLines(buffer[:n])
		if time.Now().After(next) {
			if now, failure := p.usage(); failure == nil {
				x.Most = max(x.Most, now.resident)
			}
			next = time.Now().Add(50 * time.Millisecond)
		}
	}
	x.Wall = time.Since(start)
	x.PerRoute = size / max(x.Routes, 1)
	if !errors.Is(err, io.EOF) {
		x.Failure = err.Error()
	}
	return x, nil
}

func countLines(b []byte) (n int) {
	for _, c := range b {
		if c == '\n' {
			n++
		}
	}
	return n
}

// searchAndLookup looks up at a steady rate, first alone and then while many
// search as fast as they are answered.
func searchAndLookup(ctx context.Context, r *receiver, t table) (parallelAsked, error) {
	var result parallelAsked
	p := newProber(r, t)
	samples, err := p.during(ctx, func(ctx context.Context) error { return pause(ctx, searchTime/4) })
	if err != nil {
		return result, err
	}
	result.Quiet = summarize(samples)
	samples, err = p.during(ctx, func(ctx context.Context) error {
		var failure error
		result.Searches, result.Refused, failure = p.asker.searchLoop(ctx)
		return failure
	})
	result.Lookups = summarize(samples)
	return result, err
}

// pause waits unless ctx ends.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// searchLoop searches over many connections for a while.
func (r ribglass) searchLoop(ctx context.Context) (answered, refused int, err error) {
	until := time.Now().Add(searchTime)
	paths := []string{"path _3257_13335$", "via 3257", "origin 13335", "community *:1*0", "via 3257 not origin 13335 length = 24"}
	var mu sync.Mutex // guards the results
	var loops sync.WaitGroup
	for c := range searchParallel {
		loops.Go(func() {
			for n := c; time.Now().Before(until); n++ {
				failure := r.drained(ctx, question{query: paths[n%len(paths)]}.path(), "application/json")
				mu.Lock()
				switch {
				case failure == nil:
					answered++
				case errors.Is(failure, errRefused):
					refused++
				default:
					err = failure
				}
				stop := err != nil
				mu.Unlock()
				if stop {
					return
				}
			}
		})
	}
	loops.Wait()
	return answered, refused, err
}

// beside asks BIRD what Ribglass was asked.
func (s *searches) beside(ctx context.Context, b bird) error {
	for i := range s.Questions {
		q := &s.Questions[i]
		if q.BIRDQuestion == "" {
			continue
		}
		var took []time.Duration
		for range birdRuns {
			start := time.Now()
			q.BIRDTotal = 0
			for _, table := range []string{"master4", "master6"} {
				n, err := b.control.count(ctx, "show route table "+table+" where "+q.BIRDQuestion)
				if err != nil {
					return err
				}
				q.BIRDTotal += n
			}
			took = append(took, time.Since(start))
		}
		slices.Sort(took)
		q.BIRD = percentile(took, 50)
	}
	return nil
}

func (r *report) writeSearch(w io.Writer) {
	s := r.Search
	if s == nil {
		return
	}
	fmt.Fprintf(w, "search over %d routes (total and first page of 100, over HTTP; medians and p99 of %d runs):\n", s.Routes, searchRuns)
	fmt.Fprintln(w, "| question | routes | p50 | p99 | target | BIRD, lines | BIRD, p50 |\n|---|---|---|---|---|---|---|")
	for _, q := range s.Questions {
		if q.Missing != "" {
			fmt.Fprintf(w, "| `%s` | | %s | | %v | | |\n", q.Question, q.Missing, q.Target)
			continue
		}
		lines, took := "-", "-"
		if q.BIRD > 0 {
			lines, took = strconv.Itoa(q.BIRDTotal), q.BIRD.Round(time.Millisecond).String()
		}
		fmt.Fprintf(w, "| `%s` | %d | %v | %v | %v | %s | %s |\n", q.Question, q.Total,
			q.P50.Round(10*time.Microsecond), q.P99.Round(10*time.Microsecond), q.Target, lines, took)
	}
	x := s.Export
	fmt.Fprintf(w, "NDJSON export: %d routes in %.2f s, %.0f routes/s of %d bytes; resident %s before, at most %s %s\n",
		x.Routes, x.Wall.Seconds(), float64(x.Routes)/x.Wall.Seconds(), x.PerRoute, megabytes(x.Before), megabytes(x.Most), x.Failure)
	p := s.Parallel
	fmt.Fprintf(w, "lookups alone: %v\nlookups beside %d searchers (%.0f searches/s, %d refused): %v\n",
		p.Quiet, searchParallel, float64(p.Searches)/searchTime.Seconds(), p.Refused, p.Lookups)
}
