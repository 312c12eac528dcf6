package ribstore

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"ribglass/ribstore/changes"
	"ribglass/ribstore/compare"
	"ribglass/ribstore/history"
	"ribglass/ribstore/query"
	"ribglass/ribstore/route"
	"ribglass/ribstore/table"
)

// Changes lists what happened in the span of a query to the routes that meet it
// before or after, and to their sessions. Errors are those of Search.
func (a *asker) Changes(ctx context.Context, q query.Query, page changes.Page) (*changes.List, error) {
	if a.past == nil {
		return nil, ErrNoHistory
	}
	from, to := a.span(q)
	pager, err := changes.NewPager(changes.Filter{Query: q, Known: a.known(nil, to), Sessions: true}, page)
	if err != nil {
		return nil, err
	}
	var notices []string
	if !to.Before(from) {
		err = a.inTurn(ctx, q, func(ctx context.Context) error {
			notices, err = a.follow(ctx, q, from, to, func(o changes.Occurrence) error {
				pager.Observe(o)
				return nil
			})
			return err
		})
	}
	if err != nil {
		return nil, err
	}
	list := pager.List()
	list.From, list.To, list.Notices = from, to, notices
	return list, nil
}

// span returns the span of a query within what is recorded.
func (a *asker) span(q query.Query) (from, to time.Time) {
	now := a.clock()
	from, to = q.Between.In(now)
	if begins := a.past.Begins(); from.Before(begins) {
		from = begins
	}
	if to.After(now) {
		to = now
	}
	return from.UTC().Truncate(time.Millisecond), to.UTC().Truncate(time.Millisecond)
}

// before returns the table just before a moment: what happens at the begin of a
// span is in it. Where history begins with a snapshot, nothing is known of before.
func (a *asker) before(ctx context.Context, t time.Time, within netip.Prefix) (*history.Past, error) {
	past, err := a.past.At(ctx, t.Add(-time.Millisecond), within)
	if _, ok := errors.AsType[*history.RangeError](err); ok {
		return a.past.At(ctx, t, within)
	}
	return past, err
}

// streamedChanges is how many changes are given at a time.
const streamedChanges = 512

// StreamChanges calls yield with all that Changes would list, the oldest first, a
// slice at a time that is valid during the call: of the kinds, or of all when
// there are none. It takes as long as yield does. Errors are those of Changes and
// of yield.
func (a *asker) StreamChanges(ctx context.Context, q query.Query, kinds []changes.Kind, yield func([]changes.Change) error) error {
	if a.past == nil {
		return ErrNoHistory
	}
	from, to := a.span(q)
	if to.Before(from) {
		return nil
	}
	filter := changes.Filter{Query: q, Known: a.known(nil, to), Sessions: true}
	var list []changes.Change
	_, err := a.follow(ctx, q, from, to, func(o changes.Occurrence) error {
		for _, c := range filter.Changes(o) {
			if len(kinds) == 0 || slices.Contains(kinds, c.Kind) {
				list = append(list, c)
			}
		}
		if len(list) < streamedChanges {
			return nil
		}
		defer func() { list = list[:0] }()
		return yield(list)
	})
	if err == nil && len(list) > 0 {
		err = yield(list)
	}
	return err
}

// inTurn runs what reads the past: at once when it reads a small part, else as a
// search.
func (a *asker) inTurn(ctx context.Context, q query.Query, read func(context.Context) error) error {
	if !isNarrow(q) {
		return a.inPlace(ctx, read)
	}
	leave, err := a.budget.Enter(ctx, NarrowPast)
	if err != nil {
		return err
	}
	defer leave()
	return read(ctx)
}

// follow tells observe what happened in a span, on a small table of the prefixes
// in question, or on a whole one.
func (a *asker) follow(ctx context.Context, q query.Query, from, to time.Time, observe func(changes.Occurrence) error) ([]string, error) {
	within := netip.Prefix{}
	if isNarrow(q) {
		_, within = q.Prefix()
	}
	past, err := a.before(ctx, from, within)
	if err != nil {
		return nil, err
	}
	f := follower{Known: a.known(past.Table, from), query: q, observe: observe, from: from}
	notices, err := a.past.Replay(ctx, past, to, within, f.event)
	if f.passed > 0 {
		notices = append(notices, "sessions came or went: what that did to each of their routes is listed only when one prefix is asked about")
	}
	return slices.Concat(past.Notices, notices), err
}

// follower watches a table of its own while events are replayed on it.
type follower struct {
	query.Known

	query   query.Query
	observe func(changes.Occurrence) error
	from    time.Time // what was before is not told
	passed  int       // events of sessions whose routes were not looked at
}

// fewPrefixes is up to how many prefixes each is looked at when something
// happens to a session, which may change all routes of a peer.
const fewPrefixes = 4096

func (f *follower) event(e *history.Event) error {
	if e.At.Before(f.from) || nothing(f.Table, e) {
		e.Apply(f.Table)
		return nil
	}
	if f.unseen(e) {
		e.Apply(f.Table)
		return nil
	}
	if e.Batch != nil && e.Batch.Event == route.Routes {
		touched := placesOf(e.Batch)
		before := routesAt(f.Known, f.query, touched)
		refused := refusedBy(e.Batch)
		e.Apply(f.Table)
		return f.tell(changes.Occurrence{At: e.At, Peer: e.Batch.Peer}, touched, before, refused)
	}
	return f.sessionEvent(e)
}

// unseen reports whether an event is of a peer that may not be seen, and could not
// before: it changes nothing that is told.
func (f *follower) unseen(e *history.Event) bool {
	if f.Sees == nil || e.Batch == nil || f.Sees(e.Batch.Peer) {
		return false
	}
	known, ok := f.Table.Peer(e.Batch.Peer.Name) // as it was described until now
	return !ok || !f.Sees(known.Peer)
}

// sessionEvent applies what may change all routes of a peer: what happened to its
// session, or that stale routes expired. Of a peer that is not asked about, nothing
// is told.
func (f *follower) sessionEvent(e *history.Event) error {
	o := changes.Occurrence{At: e.At, Expired: e.Batch == nil}
	if e.Batch != nil {
		o.Event, o.Peer, o.Family, o.Reason = e.Batch.Event, e.Batch.Peer, e.Batch.Family, e.Batch.Reason
	}
	var touched []place
	few := f.few()
	if few {
		touched = everyPlace(f.Known)
	}
	before := routesAt(f.Known, f.query, touched)
	asked := o.Expired || f.asks(o.Peer)
	e.Apply(f.Table)
	for f.Table.Work() {
	}
	asked = asked || f.asks(o.Peer)
	if !few && asked && (f.Sees == nil || !o.Expired) { // whose routes expired may not be for everybody to know
		f.passed++
	}
	if asked && !o.Expired {
		if err := f.observe(o); err != nil {
			return err
		}
	}
	return f.tell(o, touched, before, nil)
}

// few reports whether the table has few prefixes. Where peers are hidden the routes
// of the others are counted instead: how many prefixes the hidden ones have decides
// nothing, and to count those of the others would take a walk at each event.
func (f *follower) few() bool {
	total := 0
	_ = f.View(func(v *table.View) error {
		counts := f.Table.Counts().Prefixes
		for _, id := range route.Families() {
			if v.Confined() {
				total += v.Total(id, nil)
			} else {
				total += counts[id]
			}
		}
		return nil
	})
	return total <= fewPrefixes
}

// asks reports whether the query asks the view of a router that the peer is of.
func (f *follower) asks(p *route.Peer) (asked bool) {
	_ = f.ViewFor(f.query, func(v *table.View) error {
		if _, asked = v.Peer(p.Name); !v.Confined() {
			asked = f.query.Scope.Has(p.View)
		}
		return nil
	})
	return asked
}

// tell tells what became of prefixes by an occurrence.
func (f *follower) tell(o changes.Occurrence, touched []place, before [][]route.Route, refused map[place][]route.Refused) error {
	after := routesAt(f.Known, f.query, touched)
	if len(refused) > 0 && !f.asks(o.Peer) {
		refused = nil
	}
	for i := range touched {
		o.Before, o.After, o.Refused = before[i], after[i], refused[touched[i]]
		if len(o.Before)+len(o.After)+len(o.Refused) == 0 {
			continue
		}
		if err := f.observe(o); err != nil {
			return err
		}
	}
	return nil
}

// nothing reports whether an event changes no route: it tells that time passed.
func nothing(t *table.Table, e *history.Event) bool { return e.Batch == nil && !t.Due(e.At) }

// place is a prefix of a family.
type place struct {
	family route.Family
	prefix netip.Prefix
}

// placesOf returns the prefixes that a batch changes, each once.
func placesOf(b *route.Batch) []place {
	var list []place
	for i := range b.Updates {
		for _, n := range b.Updates[i].NLRI {
			list = append(list, place{b.Updates[i].Family, n.Prefix})
		}
	}
	if len(list) < 2 {
		return list
	}
	slices.SortFunc(list, func(p, q place) int {
		if p.family != q.family {
			return int(p.family) - int(q.family)
		}
		return p.prefix.Compare(q.prefix)
	})
	return slices.Compact(list)
}

// refusedBy returns the routes that a batch announces last in a malformed UPDATE, nil
// for none.
func refusedBy(b *route.Batch) map[place][]route.Refused {
	var found map[place][]route.Refused
	for i := range b.Updates {
		u := &b.Updates[i]
		fault, malformed := u.Fault()
		if malformed && found == nil {
			found = map[place][]route.Refused{}
		}
		for _, n := range u.NLRI {
			if found == nil {
				break
			}
			at := place{u.Family, n.Prefix}
			list := slices.DeleteFunc(found[at], func(r route.Refused) bool { return r.PathID == n.PathID })
			if malformed {
				list = append(list, route.Refused{Family: u.Family, NLRI: n, Peer: b.Peer, At: b.At, Fault: fault})
			}
			found[at] = list
		}
	}
	return found
}

// everyPlace returns the prefixes that may be seen.
func everyPlace(k query.Known) []place {
	var list []place
	_ = k.View(func(v *table.View) error {
		for _, f := range route.Families() {
			for d := range v.Within(f, netip.Prefix{}, netip.Prefix{}) {
				list = append(list, place{f, d.Prefix})
			}
		}
		return nil
	})
	return list
}

// routesAt returns the routes of each place in the views that the query asks.
func routesAt(k query.Known, q query.Query, places []place) [][]route.Route {
	list := make([][]route.Route, len(places))
	_ = k.ViewFor(q, func(v *table.View) error {
		for i, p := range places {
			if d, ok := v.Exact(p.family, p.prefix); ok {
				list[i] = v.Routes(nil, d, nil)
			}
		}
		return nil
	})
	return list
}

// ErrNoPrefix is returned for a timeline of something that is not one prefix.
var ErrNoPrefix = errors.New("a timeline is of one prefix, or of an address, without further conditions")

// timelineSpan is how far back a timeline goes when nothing is said.
const timelineSpan = 30 * 24 * time.Hour

// Timeline tells what became of the prefix that confines a query in its span, or
// in the last thirty days. An address means the most specific prefix that covers
// it at the end of the span, else at its begin. At most so many states are kept;
// zero means changes.DefaultStates. Errors are [ErrNoPrefix] and those of Search.
func (a *asker) Timeline(ctx context.Context, q query.Query, states int) (*changes.Timeline, error) {
	if a.past == nil {
		return nil, ErrNoHistory
	}
	match, p := q.Prefix()
	if _, alone := q.Expr.(query.In); !alone || match != query.Exact && match != query.Longest {
		return nil, ErrNoPrefix
	}
	if q.Between.IsZero() {
		q.Between.From.Ago = timelineSpan
	}
	from, to := a.span(q)
	leave, err := a.budget.Enter(ctx, NarrowPast)
	if err != nil {
		return nil, err
	}
	defer leave()
	if match == query.Longest {
		if p, err = a.longest(ctx, q, p, from, to); err != nil {
			return nil, err
		}
	}
	return a.timeline(ctx, q, p, from, to, states)
}

// longest finds the most specific prefix that covers an address.
func (a *asker) longest(ctx context.Context, q query.Query, p netip.Prefix, moments ...time.Time) (netip.Prefix, error) {
	slices.Reverse(moments)
	for _, t := range moments {
		past, err := a.past.At(ctx, t, p)
		if err != nil {
			return p, err
		}
		found := netip.Prefix{}
		_ = a.known(past.Table, t).ViewFor(q, func(v *table.View) error {
			if d, ok := v.Longest(unicast(p), p.Addr()); ok {
				found = d.Prefix
			}
			return nil
		})
		if found.IsValid() {
			return found, nil
		}
	}
	return p, nil
}

func unicast(p netip.Prefix) route.Family {
	if p.Addr().Is6() {
		return route.IPv6Unicast
	}
	return route.IPv4Unicast
}

func (a *asker) timeline(ctx context.Context, q query.Query, p netip.Prefix, from, to time.Time, states int) (*changes.Timeline, error) {
	past, err := a.past.At(ctx, from, p)
	if err != nil {
		return nil, err
	}
	if states <= 0 {
		states = changes.DefaultStates
	}
	at := []place{{unicast(p), p}}
	builder := changes.NewTimelineBuilder(at[0].family, p, from, states)
	known := a.known(past.Table, from)
	builder.Observe(from, routesAt(known, q, at)[0])
	notices, err := a.past.Replay(ctx, past, to, p, func(e *history.Event) error {
		switch {
		case e.Batch != nil && e.Batch.Event == route.Routes && !slices.Contains(placesOf(e.Batch), at[0]):
			return nil
		case nothing(past.Table, e):
			e.Apply(past.Table)
			return nil
		}
		var refused []route.Refused
		if e.Batch != nil {
			refused = refusedBy(e.Batch)[at[0]]
		}
		e.Apply(past.Table)
		for past.Table.Work() {
		}
		builder.Observe(e.At, routesAt(known, q, at)[0], refused...)
		return nil
	})
	if err != nil {
		return nil, err
	}
	timeline := builder.Timeline(to)
	timeline.Notices = slices.Concat(past.Notices, notices, timeline.Notices)
	return timeline, nil
}

// Compare returns the comparison of two moments or peers, ready to be counted and
// paged, and what is to be said about the moments. Errors are those of Search.
func (a *asker) Compare(ctx context.Context, c compare.Request) (*compare.Comparison, []string, error) {
	sides := [2]*moment{}
	load := func(ctx context.Context) error {
		group, ctx := errgroup.WithContext(ctx)
		for i, at := range []query.Moment{c.From, c.To} {
			group.Go(func() error {
				q := c.Query
				q.At, q.Between = at, query.Span{}
				m, err := a.momentOf(ctx, q)
				sides[i] = m
				return err
			})
		}
		return group.Wait()
	}
	run := a.inPlace
	if isNarrow(c.Query) {
		run = func(ctx context.Context, f func(context.Context) error) error { return f(ctx) }
	}
	if err := run(ctx, load); err != nil {
		return nil, nil, err
	}
	was, is := compare.Side{Known: sides[0].Known, Peer: c.FromPeer}, compare.Side{Known: sides[1].Known, Peer: c.ToPeer}
	return compare.New(was, is, c.Query, c.Stale), slices.Concat(sides[0].notices, sides[1].notices), nil
}
