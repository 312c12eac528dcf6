package ribstore

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"ribglass/ribstore/history"
	"ribglass/ribstore/query"
	"ribglass/ribstore/route"
	"ribglass/ribstore/table"
)

// CostError is returned for a search with which its request would touch more rows,
// attribute sets and routes, than one may.
type CostError struct{ Rows, Limit int }

// Error returns "the search would touch 5 rows, 4 are allowed".
func (e *CostError) Error() string {
	return fmt.Sprintf("the search would touch %d rows, %d are allowed", e.Rows, e.Limit)
}

// Errors of questions.
var (
	// ErrTooLong is returned for a search that took longer than it may.
	ErrTooLong = errors.New("the search takes too long")
	// ErrNoHistory is returned for a question about the past when it is not kept.
	ErrNoHistory = errors.New("this server keeps no history")
	// ErrFuture is returned for a question about a time that has not come.
	ErrFuture = errors.New("the moment is in the future")
)

// EndError is returned for a question about a time behind the end of a collection.
type EndError struct{ Ends time.Time }

// Error says when the collection ends.
func (e *EndError) Error() string { return "the collection ends at " + e.Ends.Format(time.RFC3339) }

// Unwrap returns ErrFuture: nothing is known of that time.
func (e *EndError) Unwrap() error { return ErrFuture }

// future returns what is wrong with a question about a time that has not come.
func (a *asker) future() error {
	if a.now == nil {
		return &EndError{a.clock().UTC()}
	}
	return ErrFuture
}

// asker answers the questions of an audience. Its methods are promoted to
// [Store], [Archive] and [Reader], and may be called by anyone at any time. They
// never wait for the writer of a table.
type asker struct {
	*source

	to route.Audience
}

// source is what questions are asked of, whoever asks: the table of now, which it
// is given, and tables of the past, which it has history make and keeps for a
// while.
type source struct {
	config Config
	clock  func() time.Time
	past   *history.History                 // nil: not kept
	now    func() (*table.Table, time.Time) // nil: the last moment of the past
	whole  tables
	budget *Budget
}

func newAsker(cfg Config, deps Deps, now func() (*table.Table, time.Time)) asker {
	return asker{source: &source{
		config: cfg, clock: deps.Now, past: deps.History, now: now, whole: tables{most: cfg.PastTables, memory: deps.Budget.Memory()},
		budget: deps.Budget,
	}}
}

// Reader answers the questions of one audience: as if what the audience may not
// see did not exist. It is a value of its [Store] or [Archive], and shares their
// budget and their tables of the past.
type Reader struct{ asker }

// For returns the reader of an audience.
func (a *asker) For(to route.Audience) *Reader { return &Reader{asker{a.source, to}} }

// known returns what the audience knows of a table at a moment.
func (a *asker) known(t *table.Table, at time.Time) query.Known {
	return query.Known{Table: t, At: at, Sees: a.to.Sees}
}

// moment is what is known at the moment that a question is about.
type moment struct {
	query.Known

	requested time.Time // zero: it is At
	notices   []string
	past      *history.Past // nil: now
	part      bool          // of the table only some prefixes are there
}

// Search answers one page of a query. Errors are [query.ErrCursor], [ErrBusy],
// [ErrTooLong], a [*CostError], those of the past ([ErrNoHistory], [ErrFuture], a
// [*history.RangeError]), and those of the context.
func (a *asker) Search(ctx context.Context, q query.Query, page query.Page) (*query.Result, error) {
	var result *query.Result
	err := a.ask(ctx, q, func(ctx context.Context, m *moment) error {
		var err error
		if result, err = query.Run(ctx, m.Known, q, page); err != nil {
			return err
		}
		result.At, result.Requested, result.Notices = m.At.UTC(), m.requested, m.notices
		if page.Cursor == "" {
			result.Refused = refusedOf(m, q, result)
		}
		return m.View(func(v *table.View) error {
			result.Freshness = freshnessOf(m, v, result)
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	return result, nil
}

// Facets counts the whole answer to a query, with the most values most of each
// kind. Errors are those of Search.
func (a *asker) Facets(ctx context.Context, q query.Query, most int) (*query.Facets, error) {
	var facets *query.Facets
	err := a.ask(ctx, q, func(ctx context.Context, m *moment) error {
		var err error
		facets, err = query.Count(ctx, m.Known, q, most)
		return err
	})
	return facets, err
}

// ASNeighbors tells where an AS stands in the paths of the table at a moment, with
// the most values most of each kind. Errors are those of Search.
func (a *asker) ASNeighbors(ctx context.Context, asn route.ASN, at query.Moment, most int) (*query.Neighbors, error) {
	var neighbors *query.Neighbors
	q := query.Query{Expr: query.ViaAS(asn), At: at}
	err := a.ask(ctx, q, func(ctx context.Context, m *moment) error {
		var err error
		neighbors, err = query.ASNeighbors(ctx, m.Known, asn, most)
		return err
	})
	return neighbors, err
}

// Explain tells how a query would be answered, at the time that it is about.
func (a *asker) Explain(ctx context.Context, q query.Query) (query.Plan, error) {
	var plan query.Plan
	err := ctx.Err()
	if err != nil {
		return plan, err
	}
	m, err := a.momentFor(ctx, q)
	if err != nil {
		return plan, err
	}
	return query.Explain(m.Known, q), nil
}

// Stream calls yield with the routes of the whole answer in order, a slice at a
// time that is valid during the call. It takes as long as yield does and holds
// no more than a slice. Errors are those of Search and of yield.
func (a *asker) Stream(ctx context.Context, q query.Query, yield func([]route.Route) error) error {
	m, err := a.momentFor(ctx, q)
	if err != nil {
		return err
	}
	if err := a.affordable(ctx, m, q); err != nil {
		return err
	}
	return query.Stream(ctx, m.Known, q, yield)
}

// PeersAt returns what was known of every peer at a moment, ordered by name.
func (a *asker) PeersAt(ctx context.Context, at query.Moment) (peers []PeerStats, when time.Time, notices []string, err error) {
	m, err := a.momentFor(ctx, query.Query{At: at})
	if err != nil {
		return nil, time.Time{}, nil, err
	}
	err = m.View(func(v *table.View) error {
		for _, p := range v.Peers() {
			peers = append(peers, PeerStats{Peer: p.Peer, Routes: p.Routes, Stale: p.Stale, Freshness: freshness(&p)})
		}
		return nil
	})
	slices.SortFunc(peers, func(a, b PeerStats) int { return compareNames(a.Peer, b.Peer) })
	return peers, m.At, m.notices, err
}

// affordable charges a query to its request, and returns a *CostError when that is
// beyond the budget of rows.
func (a *asker) affordable(ctx context.Context, m *moment, q query.Query) error {
	if a.config.SearchRows == 0 {
		return nil
	}
	cost := query.Explain(m.Known, q).Cost
	if all, ok := spendingOf(ctx).touch(q.String(), cost, a.config.SearchRows); !ok {
		return &CostError{all, a.config.SearchRows}
	}
	return nil
}

// ask has a question answered: at once when it is a cheap one, else
// when one of the places for searches is free, and for no longer than a search
// may take.
func (a *asker) ask(ctx context.Context, q query.Query, answer func(context.Context, *moment) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if q.IsCheap() {
		m, err := a.momentOf(ctx, q)
		if err != nil {
			return err
		}
		return answer(ctx, m)
	}
	return a.inPlace(ctx, func(ctx context.Context) error {
		m, err := a.momentOf(ctx, q)
		if err != nil {
			return err
		}
		if err := a.affordable(ctx, m, q); err != nil {
			return err
		}
		return answer(ctx, m)
	})
}

// inPlace runs a search when there is a place for it, and ends it when its request has
// searched for too long.
func (a *asker) inPlace(ctx context.Context, search func(context.Context) error) error {
	leave, err := a.budget.Enter(ctx, Searches)
	if err != nil {
		return err
	}
	defer leave()
	spent, began := spendingOf(ctx), time.Now()
	defer func() { spent.searched(time.Since(began)) }()
	searching, cancel := context.WithTimeoutCause(ctx, spent.left(a.config.SearchTime), ErrTooLong)
	defer cancel()
	if searching.Err() != nil { // a short search would not look
		return context.Cause(searching)
	}
	err = search(searching)
	if err != nil && searching.Err() != nil {
		return context.Cause(searching)
	}
	return err
}

// momentFor is like momentOf, but takes a place for a search when it must load a
// whole table.
func (a *asker) momentFor(ctx context.Context, q query.Query) (m *moment, err error) {
	if q.At.IsZero() && a.now != nil || isNarrow(q) {
		return a.momentOf(ctx, q)
	}
	err = a.inPlace(ctx, func(ctx context.Context) error {
		m, err = a.momentOf(ctx, q)
		return err
	})
	return m, err
}

// momentOf returns the table that a query is about.
func (a *asker) momentOf(ctx context.Context, q query.Query) (*moment, error) {
	if q.At.IsZero() && a.now != nil {
		t, now := a.now()
		return &moment{Known: a.known(t, now)}, nil
	}
	within := netip.Prefix{}
	if isNarrow(q) {
		_, within = q.Prefix()
	}
	return a.at(ctx, q.At.In(a.clock()), within)
}

// at returns the table of a moment, with at least the prefixes that overlap
// within.
func (a *asker) at(ctx context.Context, t time.Time, within netip.Prefix) (*moment, error) {
	switch {
	case a.past == nil:
		return nil, ErrNoHistory
	case t.After(a.clock()):
		return nil, a.future()
	}
	t = t.UTC().Truncate(time.Millisecond)
	past, part, err := a.load(ctx, t, within)
	if err != nil {
		return nil, err
	}
	m := &moment{Known: a.known(past.Table, past.At), notices: past.Notices, past: past, part: part}
	if !past.At.Equal(t) {
		m.requested = t
	}
	return m, nil
}

// load returns what was at a moment, and whether it is a part of the table only.
// A whole table is kept, but not that of a moment that is not over.
func (a *asker) load(ctx context.Context, t time.Time, within netip.Prefix) (past *history.Past, part bool, err error) {
	whole := func(ctx context.Context) (*history.Past, error) {
		if err := a.budget.memory.room(a.wholeBytes()); err != nil {
			return nil, err
		}
		return a.tableAt(ctx, t, netip.Prefix{})
	}
	switch {
	case !within.IsValid() && a.now != nil && !t.Before(a.clock().Truncate(time.Millisecond)):
		past, err = whole(ctx)
		return past, false, err
	case !within.IsValid():
		past, err = a.whole.get(ctx, t, whole)
		return past, false, err
	}
	if past = a.whole.peek(t); past != nil {
		return past, false, nil
	}
	leave, err := a.budget.Enter(ctx, NarrowPast)
	if err != nil {
		return nil, false, err
	}
	defer leave()
	past, err = a.tableAt(ctx, t, within)
	return past, true, err
}

// wholeBytes estimates what a whole table of the past takes: what the table of now
// takes, or as much for each route as a full table does.
func (a *asker) wholeBytes() uint64 {
	const routeBytes = 64
	if a.now != nil {
		t, _ := a.now()
		return t.Counts().Bytes
	}
	n := 0
	if list := a.past.Snapshots(); len(list) > 0 {
		n = list[len(list)-1].Routes
	}
	return uint64(n) * routeBytes
}

// tableAt makes a table of the past, whose searches take turns with all others.
func (a *asker) tableAt(ctx context.Context, t time.Time, within netip.Prefix) (*history.Past, error) {
	past, err := a.past.At(ctx, t, within)
	if err == nil {
		past.Table.SetTurns(a.budget.Turn)
	}
	return past, err
}

// A query that is confined to a prefix as long as these reads a small part of the
// past only.
const (
	narrowIPv4 = 8
	narrowIPv6 = 24
)

func isNarrow(q query.Query) bool {
	match, p := q.Prefix()
	switch match {
	case query.Longest, query.Exact, query.OrShorter:
		return true
	case query.OrLonger:
		return p.Bits() >= narrowIPv4 && p.Addr().Is4() || p.Bits() >= narrowIPv6
	case query.Any:
	}
	return false
}

// freshnessOf tells how current the peers behind an answer are: those with a
// route in it, and those the query named.
func freshnessOf(m *moment, v *table.View, r *query.Result) []query.Freshness {
	names := r.Query.Peers()
	for i := range r.Routes {
		if name := r.Routes[i].Peer.Name; !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	var list []query.Freshness
	for _, name := range names {
		if p, ok := v.Peer(name); ok {
			if m.part {
				p.LastUpdate = time.Time{}
			}
			list = append(list, freshness(&p))
		}
	}
	return list
}

// refusedOf returns which peers announced the prefix of a lookup last in a malformed
// UPDATE. An address means all prefixes that cover it, as specific as the one that
// was found or more.
func refusedOf(m *moment, q query.Query, r *query.Result) (list []route.Refused) {
	l, plain := query.Query{Expr: q.Expr}.Lookup()
	if !plain || l.Match != query.Exact && l.Match != query.Longest {
		return nil
	}
	bits := 0
	for i := range r.Routes {
		bits = max(bits, r.Routes[i].Prefix.Bits())
	}
	_ = m.ViewFor(q, func(v *table.View) error {
		for _, f := range route.Families() {
			if f.IsIPv6() == l.Prefix.Addr().Is6() && (l.Families == nil || slices.Contains(l.Families, f)) {
				list = append(list, v.Refused(f, l.Prefix, l.Match == query.Longest, bits)...)
			}
		}
		return nil
	})
	return slices.DeleteFunc(list, func(r route.Refused) bool { return l.Peers != nil && !slices.Contains(l.Peers, r.Peer.Name) })
}

func freshness(p *table.PeerInfo) query.Freshness {
	return query.Freshness{
		Peer: p.Peer.Name, Up: p.Up, LastUpdate: p.LastUpdate, EndOfRIB: p.EndOfRIB, StaleSince: p.StaleSince,
	}
}
