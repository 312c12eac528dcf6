// Package ribstore is every route heard, now and later in the past. A [Store]
// owns the one goroutine that changes the table: it takes batches off a channel
// and applies them, and between them does the table's background work.
// Questions are answered by the goroutine that asks; they never wait for the
// writer, nor it for them.
//
// What happens to the routes is counted as it passes ([activity.Meter]); that too
// is asked without waiting. Whoever wants to know of changes as they come
// subscribes to them ([Store.Subscribe]).
//
// The store does not know where routes come from: the channel is all that
// connects it with a collector.
package ribstore

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"ribglass/ribstore/activity"
	"ribglass/ribstore/history"
	"ribglass/ribstore/route"
	"ribglass/ribstore/table"
	"ribglass/ribstore/tap"
	"ribglass/setting"
)

// Config is what can be configured of a store: the budget of searches, that is
// of questions that more than one descent of the trie answers.
type Config struct {
	Searches   int           `yaml:"searches"`    // at a time, 1 or more
	SearchTime time.Duration `yaml:"search_time"` // for those of one request
	SearchWait time.Duration `yaml:"search_wait"` // for a place, before ErrBusy
	SearchRows int           `yaml:"search_rows"` // attribute sets and routes that those of one request may touch; 0: any number
	PastTables int           `yaml:"past_tables"` // whole tables of the past kept for questions that may come; each takes what the live one takes
}

// DefaultConfig returns the defaults.
func DefaultConfig() Config {
	return Config{Searches: 1, SearchTime: 10 * time.Second, SearchWait: 5 * time.Second, PastTables: 2}
}

// Validate says what is wrong with c. The text begins with the key.
func (c Config) Validate() error {
	const most = 1000
	switch {
	case c.Searches < 1 || c.Searches > most:
		return setting.Errorf("searches", "%d: must be from 1 to %d", c.Searches, most)
	case c.SearchTime <= 0:
		return setting.Errorf("search_time", "%v: must be positive", c.SearchTime)
	case c.SearchRows < 0:
		return setting.Errorf("search_rows", "%d: must not be negative", c.SearchRows)
	case c.PastTables < 1 || c.PastTables > most:
		return setting.Errorf("past_tables", "%d: must be from 1 to %d", c.PastTables, most)
	case c.SearchWait < 0:
		return setting.Errorf("search_wait", "%v: must not be negative", c.SearchWait)
	}
	return nil
}

// Deps are what a store needs of its surroundings. All but History and Budget
// are required.
type Deps struct {
	Logger     *slog.Logger
	Registerer prometheus.Registerer
	Now        func() time.Time
	History    *history.History // nil: the past is not kept
	Budget     *Budget          // of work; nil: one of its own, with the limits of the Config
}

// Store holds routes and answers questions about them, as they are and as they
// were. All methods but Resume and Run may be called by anyone at any time;
// until Resume is done the store is empty, and Loading tells how far it is.
type Store struct {
	asker

	deps     Deps
	live     atomic.Pointer[table.Table]    // Resume replaces it, while others read
	counts   atomic.Pointer[activity.Meter] // as it does this
	metrics  *metrics
	tap      tap.Tap
	own      []own       // the writer's: what the table did by itself and nobody was told of yet
	requests chan func() // for the writer to run
	running  chan struct{}
	recorder *Recorder // the writer's
	relief   *relief
}

// New returns a store that waits to be run. It fails when a metric is
// registered already.
func New(cfg Config, deps Deps) (*Store, error) {
	var err error
	if deps.Budget == nil {
		if deps.Budget, err = NewBudget(cfg.Limits(), deps.Registerer); err != nil {
			return nil, err
		}
	}
	s := &Store{deps: deps, requests: make(chan func()), running: make(chan struct{})}
	s.relief = newRelief(s)
	s.keep(table.New())
	s.asker = newAsker(cfg, deps, s.now)
	deps.Budget.Memory().onStrain(s.whole.drop)
	s.counts.Store(activity.New(deps.Now()))
	s.metrics, err = newMetrics(s, deps.Registerer)
	return s, err
}

// keep takes a table for the table of now.
func (s *Store) keep(t *table.Table) {
	t.SetTurns(s.deps.Budget.Turn)
	t.SetObserver(table.Observer{Expired: s.note(tap.Expired), Swept: s.note(tap.Swept)})
	s.live.Store(t)
	s.recorder = NewRecorder(t, s.deps.History)
}

func (s *Store) table() *table.Table    { return s.live.Load() }
func (s *Store) meter() *activity.Meter { return s.counts.Load() }

// own is something that the table did by itself.
type own struct {
	kind   tap.Kind
	peer   *route.Peer
	family route.Family
}

// note returns what has the writer tell of a kind of changes, see tellOwn.
func (s *Store) note(kind tap.Kind) func(*route.Peer, route.Family) {
	return func(p *route.Peer, f route.Family) { s.own = append(s.own, own{kind, p, f}) }
}

// tellOwn tells subscribers what the table did by itself.
func (s *Store) tellOwn(at time.Time) {
	for _, o := range s.own {
		s.tap.Own(o.kind, at, o.peer, o.family)
	}
	clear(s.own)
	s.own = s.own[:0]
}

// Subscribe returns a subscription to what happens to the table from now on, see
// [tap.Tap.Subscribe]. The table has what an event tells, so an answer that is
// asked for when an event was read is an answer with it. Subscriptions end when
// Run returns.
func (s *Store) Subscribe(interest tap.Interest, size int) *tap.Subscription {
	return s.tap.Subscribe(interest, size)
}

// Budget returns the budget of work, which faces share with the store.
func (s *Store) Budget() *Budget { return s.deps.Budget }

// now returns the table of now.
func (s *Store) now() (*table.Table, time.Time) { return s.table(), s.deps.Now() }

// Resume loads what was recorded last, so that the store answers with it until
// the peers are back. It is called before anything else, or not at all.
func (s *Store) Resume(ctx context.Context) error {
	if s.deps.History == nil {
		return nil
	}
	started := s.deps.Now()
	t, err := s.deps.History.Resume(ctx)
	if err != nil {
		return fmt.Errorf("history: %w", err)
	}
	s.keep(t)
	if err := s.recall(ctx); err != nil {
		return fmt.Errorf("history: %w", err)
	}
	if n := s.Stats(); n.Peers > 0 {
		s.deps.Logger.InfoContext(ctx, "resumed from the history; all routes are stale until their peers are back",
			"routes", n.total(), "peers", n.Peers, "took", s.deps.Now().Sub(started).Round(time.Millisecond))
	}
	return nil
}

// Loading returns how many of the routes and changes that Resume reads it has read. Both
// are zero when it reads nothing.
func (s *Store) Loading() (done, of int64) {
	if s.deps.History == nil {
		return 0, 0
	}
	return s.deps.History.Loading()
}

// mostRecalled is about how many records of the last hour are read at the start.
const mostRecalled = 500_000

// recall counts what happened in the last hour, as far as it is recorded.
func (s *Store) recall(ctx context.Context) error {
	h, now := s.deps.History, s.deps.Now()
	from := now.Add(-activity.Minutes * time.Minute)
	if begins := h.Begins(); begins.After(from) {
		from = begins
	}
	from = h.StretchBefore(from, now, mostRecalled)
	meter := activity.New(from)
	if err := h.Batches(ctx, from, now, meter.Recall); err != nil {
		return err
	}
	s.counts.Store(meter)
	return nil
}

// housekeeping is how often deadlines are looked at and sizes are measured.
const housekeeping = time.Second

// reclaim is how soon the writer looks again after memory that readers held.
const reclaim = 10 * time.Millisecond

// Run applies what comes in until the context ends or the channel is closed,
// and releases every batch it took. With a history it is recorded too, and Run
// returns when the history has written everything.
func (s *Store) Run(ctx context.Context, in <-chan route.Batch) error {
	if s.deps.History == nil {
		s.write(ctx, in)
		return nil
	}
	var group errgroup.Group
	recording, stop := context.WithCancel(context.WithoutCancel(ctx))
	group.Go(func() error { return s.deps.History.Run(recording, history.TableWriter{Table: s.table(), Do: s.do}) })
	s.write(ctx, in)
	stop()
	return group.Wait()
}

// write is the writer.
func (s *Store) write(ctx context.Context, in <-chan route.Batch) {
	defer close(s.running)
	defer s.tap.End()
	tick := time.NewTicker(housekeeping)
	defer tick.Stop()
	more := false
	for {
		idle := s.idle(more)
		select {
		case b, open := <-in:
			if !open {
				return
			}
			s.apply(&b)
			if more {
				more = s.work()
			} else {
				more = b.Event != route.Routes
			}
		case f := <-s.requests:
			f()
		case <-idle:
			more = s.work()
		case now := <-tick.C:
			s.tellOwn(s.recorder.Expire(now))
			s.meter().Tick(now, s.sample)
			s.relief.look(now)
			more = true
		case <-ctx.Done():
			return
		}
	}
}

// work does a piece of the table's background work and reports whether there is
// more.
func (s *Store) work() (more bool) {
	more = s.table().Work()
	s.relief.working = more
	if len(s.own) > 0 {
		s.tellOwn(s.deps.Now())
	}
	return more
}

// errStopped is returned to who wants something of a writer that ended.
var errStopped = errors.New("the table is not written any more")

// do has the writer run f between two batches.
func (s *Store) do(ctx context.Context, f func()) error {
	done := make(chan struct{})
	select {
	case s.requests <- func() { defer close(done); f() }:
		<-done
		return nil
	case <-s.running:
		return errStopped
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Snapshot takes a snapshot of the table now. It fails with [ErrNoHistory] when
// the past is not kept.
func (s *Store) Snapshot(ctx context.Context) (history.SnapshotInfo, error) {
	if s.deps.History == nil {
		return history.SnapshotInfo{}, ErrNoHistory
	}
	return s.deps.History.Snapshot(ctx, history.TableWriter{Table: s.table(), Do: s.do})
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
	case s.table().Pending():
		return time.After(reclaim)
	}
	return nil
}

func (s *Store) apply(b *route.Batch) {
	start := s.deps.Now()
	s.relief.before(b)
	s.recorder.Apply(b)
	s.meter().Observe(b)
	s.metrics.applied(b, s.deps.Now().Sub(start))
	s.tap.Batch(b)
	if b.Event == route.PeerDown {
		if b.Retention == [route.NumFamilies]route.Retention{} {
			s.deps.Logger.Info("routes are removed", "peer", b.Peer.Name, "reason", b.Reason)
		} else {
			s.deps.Logger.Info("routes are stale", "peer", b.Peer.Name, "reason", b.Reason)
		}
	}
	s.relief.after(b)
	b.Release()
}

// Stats returns what the store holds. A route that a router tells of in several
// views counts once, as in the answer to a question that names no view; prefixes
// and attribute sets are those of all views.
func (s *Store) Stats() Stats {
	c := s.table().Counts()
	_ = s.table().View(func(v *table.View) error {
		if chosen := v.FirstViews(nil); chosen != nil {
			c.Routes, c.Stale = v.Totals(chosen)
		}
		return nil
	})
	return Stats{
		Routes: c.Routes, Stale: c.Stale, Prefixes: c.Prefixes,
		AttributeSets: c.AttributeSets, Peers: c.Peers, TableBytes: c.Bytes,
	}
}

// Peer returns what the store holds of a peer, and whether it has heard of it.
func (s *Store) Peer(name string) (PeerStats, bool) {
	p, ok := s.table().Peer(name)
	if !ok {
		return PeerStats{}, false
	}
	return PeerStats{Peer: p.Peer, Routes: p.Routes, Stale: p.Stale, Freshness: freshness(&p), AttributeBytes: s.table().AttributeBytes(name)}, true
}

// AttributeBytes returns the memory of the attribute sets that a peer is charged
// for: those that it announced first. Some of them may be other peers' alone by
// now. When exact is asked for, they are left out, which takes the writer some
// milliseconds.
func (s *Store) AttributeBytes(ctx context.Context, peer string, exact bool) uint64 {
	if exact {
		if err := s.do(ctx, func() { s.table().Recount(peer) }); err != nil {
			s.deps.Logger.DebugContext(ctx, "attribute sets were not counted again", "peer", peer, "error", err)
		}
	}
	return s.table().AttributeBytes(peer)
}

// NotKept returns how many routes of a peer were not kept because a limit of the
// table was reached, such as the paths of one prefix. It is cheap enough to be asked
// after every batch.
func (s *Store) NotKept(peer string) uint64 { return s.table().NotKept(peer) }

// Prefixes returns of how many prefixes of a family the store holds routes of a peer,
// stale ones included; the paths of one prefix, which ADD-PATH tells, count once. It is cheap enough to be asked after every batch.
func (s *Store) Prefixes(peer string, f route.Family) int {
	p, _ := s.table().Peer(peer)
	return p.Prefixes[f]
}
