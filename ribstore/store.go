// Package ribstore is every route heard, now and later in the past. A [Store]
// owns the one goroutine that changes the table: it takes batches off a channel
// and applies them, and between them does the table's background work.
// Questions are answered by the goroutine that asks; they never wait for the
// writer, nor it for them.
//
// The store does not know where routes come from: the channel is all that
// connects it with a collector.
package ribstore

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"ribglass/ribstore/query"
	"ribglass/ribstore/route"
	"ribglass/ribstore/table"
)

// Config is what can be configured of a store: the budget of searches, that is
// of questions that more than one descent of the trie answers.
type Config struct {
	Searches   int           `yaml:"searches"`    // at a time, 1 or more
	SearchTime time.Duration `yaml:"search_time"` // for one
	SearchWait time.Duration `yaml:"search_wait"` // for a place, before ErrBusy
	SearchRows int           `yaml:"search_rows"` // attribute sets and routes one may touch; 0: any number
}

// DefaultConfig returns the defaults.
func DefaultConfig() Config {
	return Config{Searches: 1, SearchTime: 10 * time.Second, SearchWait: 5 * time.Second}
}

// Validate says what is wrong with c. The text begins with the key.
func (c Config) Validate() error {
	const most = 1000
	switch {
	case c.Searches < 1 || c.Searches > most:
		return fmt.Errorf("searches %d: must be from 1 to %d", c.Searches, most)
	case c.SearchTime <= 0:
		return fmt.Errorf("search_time %v: must be positive", c.SearchTime)
	case c.SearchRows < 0:
		return fmt.Errorf("search_rows %d: must not be negative", c.SearchRows)
	case c.SearchWait < 0:
		return fmt.Errorf("search_wait %v: must not be negative", c.SearchWait)
	}
	return nil
}

// Deps are what a store needs of its surroundings. All are required.
type Deps struct {
	Logger     *slog.Logger
	Registerer prometheus.Registerer
	Now        func() time.Time
}

// Store holds routes and answers questions about them. All methods but Run may
// be called by anyone at any time; before Run the store is empty.
type Store struct {
	config  Config
	deps    Deps
	table   *table.Table
	metrics *metrics
	places  chan struct{} // of searches under way
}

// New returns a store that waits to be run. It fails when a metric is
// registered already.
func New(cfg Config, deps Deps) (*Store, error) {
	s := &Store{config: cfg, deps: deps, table: table.New(), places: make(chan struct{}, cfg.Searches)}
	var err error
	s.metrics, err = newMetrics(s, deps.Registerer)
	return s, err
}

// housekeeping is how often deadlines are looked at and sizes are measured.
const housekeeping = time.Second

// reclaim is how soon the writer looks again after memory that readers held.
const reclaim = 10 * time.Millisecond

// Run applies what comes in until the context ends or the channel is closed,
// and releases every batch it took.
func (s *Store) Run(ctx context.Context, in <-chan route.Batch) error {
	tick := time.NewTicker(housekeeping)
	defer tick.Stop()
	more := false
	for {
		idle := s.idle(more)
		select {
		case b, open := <-in:
			if !open {
				return nil
			}
			s.apply(&b)
			if more {
				more = s.table.Work()
			} else {
				more = b.Event != route.Routes
			}
		case <-idle:
			more = s.table.Work()
		case now := <-tick.C:
			s.table.Expire(now)
			s.table.Measure()
			more = true
		case <-ctx.Done():
			return nil
		}
	}
}

// idle returns a channel that fires when the writer has something to do of its
// own: at once when there is more work, soon when memory waits for readers, and
// never otherwise.
func (s *Store) idle(more bool) <-chan time.Time {
	switch {
	case more:
		now := make(chan time.Time)
		close(now)
		return now
	case s.table.Pending():
		return time.After(reclaim)
	}
	return nil
}

func (s *Store) apply(b *route.Batch) {
	start := s.deps.Now()
	s.table.Apply(b)
	s.metrics.applied(b, s.deps.Now().Sub(start))
	if b.Event == route.PeerDown {
		s.deps.Logger.Info("routes are stale", "peer", b.Peer.Name, "reason", b.Reason)
	}
	b.Release()
}

// CostError is returned for a search that would touch more rows, attribute sets
// and routes, than one may.
type CostError struct{ Rows, Limit int }

// Error returns "the search would touch 5 rows, 4 are allowed".
func (e *CostError) Error() string {
	return fmt.Sprintf("the search would touch %d rows, %d are allowed", e.Rows, e.Limit)
}

// affordable returns a *CostError for a query beyond the budget of rows.
func (s *Store) affordable(v *table.View, q query.Query) error {
	if s.config.SearchRows == 0 {
		return nil
	}
	if cost := query.Explain(v, q, s.deps.Now()).Cost; cost > s.config.SearchRows {
		return &CostError{cost, s.config.SearchRows}
	}
	return nil
}

// ErrTooLong is returned for a search that took longer than it may.
var ErrTooLong = errors.New("the search takes too long")

// ErrBusy is returned when as many searches run as may, and stay so for as long
// as a question may wait. It says to come again.
var ErrBusy = errors.New("too many searches at a time")

// Search answers one page of a query. Errors are [query.ErrCursor], [ErrBusy],
// [ErrTooLong], a [*CostError], and those of the context.
func (s *Store) Search(ctx context.Context, q query.Query, page query.Page) (*query.Result, error) {
	var result *query.Result
	now := s.deps.Now()
	err := s.ask(ctx, q, func(ctx context.Context, v *table.View) error {
		var err error
		result, err = query.Run(ctx, v, q, page, now)
		return err
	})
	if err != nil {
		return nil, err
	}
	result.At = now.UTC()
	result.Freshness = s.freshness(result)
	return result, nil
}

// Facets counts the whole answer to a query, with the most values most of each
// kind. Errors are those of Search.
func (s *Store) Facets(ctx context.Context, q query.Query, most int) (*query.Facets, error) {
	var facets *query.Facets
	now := s.deps.Now()
	err := s.ask(ctx, q, func(ctx context.Context, v *table.View) error {
		var err error
		facets, err = query.Count(ctx, v, q, now, most)
		return err
	})
	return facets, err
}

// Around tells where an AS stands in the paths of the table, with the most
// values most of each kind. Errors are those of Search.
func (s *Store) Around(ctx context.Context, asn route.ASN, most int) (*query.Transit, error) {
	var transit *query.Transit
	now := s.deps.Now()
	err := s.ask(ctx, query.Query{Expr: query.Via{asn}}, func(ctx context.Context, v *table.View) error {
		var err error
		transit, err = query.Around(ctx, v, asn, now, most)
		return err
	})
	return transit, err
}

// Explain tells how a query would be answered.
func (s *Store) Explain(ctx context.Context, q query.Query) (query.Plan, error) {
	var plan query.Plan
	err := ctx.Err()
	if err == nil {
		err = s.table.View(func(v *table.View) error {
			plan = query.Explain(v, q, s.deps.Now())
			return nil
		})
	}
	return plan, err
}

// Stream calls yield with the routes of the whole answer in order, a slice at a
// time that is valid during the call. It takes as long as yield does and holds
// no more than a slice. Errors are those of Search and of yield.
func (s *Store) Stream(ctx context.Context, q query.Query, yield func([]route.Route) error) error {
	if err := s.table.View(func(v *table.View) error { return s.affordable(v, q) }); err != nil {
		return err
	}
	return query.Stream(ctx, s.table, q, s.deps.Now(), yield)
}

// ask has a question answered from a view: at once when it is a cheap one, else
// when one of the places for searches is free, and for no longer than a search
// may take.
func (s *Store) ask(ctx context.Context, q query.Query, answer func(context.Context, *table.View) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if m, _ := q.Prefix(); m == query.Longest || m == query.Exact || m == query.OrShorter {
		return s.table.View(func(v *table.View) error { return answer(ctx, v) })
	}
	waiting, cancel := context.WithTimeoutCause(ctx, s.config.SearchWait, ErrBusy)
	defer cancel()
	select {
	case s.places <- struct{}{}:
		defer func() { <-s.places }()
	case <-waiting.Done():
		return context.Cause(waiting)
	}
	searching, cancel := context.WithTimeoutCause(ctx, s.config.SearchTime, ErrTooLong)
	defer cancel()
	err := s.table.View(func(v *table.View) error {
		if err := s.affordable(v, q); err != nil {
			return err
		}
		return answer(searching, v)
	})
	if err != nil && searching.Err() != nil {
		return context.Cause(searching)
	}
	return err
}

// freshness tells how current the peers behind an answer are: those with a
// route in it, and those the query named.
func (s *Store) freshness(r *query.Result) []query.Freshness {
	names := r.Query.Peers()
	for i := range r.Routes {
		if name := r.Routes[i].Peer.Name; !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	var list []query.Freshness
	for _, name := range names {
		if p, ok := s.table.Peer(name); ok {
			list = append(list, freshness(&p))
		}
	}
	return list
}

func freshness(p *table.PeerInfo) query.Freshness {
	return query.Freshness{
		Peer: p.Peer.Name, Up: p.Up, LastUpdate: p.LastUpdate, EndOfRIB: p.EndOfRIB, StaleSince: p.StaleSince,
	}
}

// Stats returns what the store holds.
func (s *Store) Stats() Stats {
	c := s.table.Counts()
	return Stats{
		Routes: c.Routes, Stale: c.Stale, Prefixes: c.Prefixes,
		AttributeSets: c.AttributeSets, Peers: c.Peers, TableBytes: c.Bytes,
	}
}

// Peer returns what the store holds of a peer, and whether it has heard of it.
func (s *Store) Peer(name string) (PeerStats, bool) {
	p, ok := s.table.Peer(name)
	if !ok {
		return PeerStats{}, false
	}
	return PeerStats{Routes: p.Routes, Stale: p.Stale, Freshness: freshness(&p)}, true
}

// Prefixes returns how many routes of a family the store holds of a peer, stale
// ones included. It is cheap enough to be asked after every batch.
func (s *Store) Prefixes(peer string, f route.Family) int {
	p, _ := s.table.Peer(peer)
	return p.Routes[f]
}
