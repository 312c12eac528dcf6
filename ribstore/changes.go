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
)

// Changes lists what happened in the span of a query to the routes that meet it
// before or after, and to their sessions. Errors are those of Search.
func (a *asker) Changes(ctx context.Context, q query.Query, page changes.Page) (*changes.List, error) {
	if a.past == nil {
		return nil, ErrNoHistory
	}
	from, to := a.span(q)
	if a.now == nil && to.Before(from) {
		return nil, a.future()
	}
	pager, err := changes.NewPager(a.filter(q, to), page)
	if err != nil {
		return nil, err
	}
	list := &changes.List{Query: q, Exact: true}
	if !to.Before(from) {
		err = a.inTurn(ctx, q, func(ctx context.Context) error {
			list, err = a.stretches(ctx, q, from, to, page.Oldest, pager)
			return err
		})
	}
	if err != nil {
		return nil, err
	}
	list.From, list.To = from, to
	return list, nil
}

// filter returns what makes changes that meet a query of what happened up to a moment.
// A query about prefixes is told of the sessions of peers that have them.
func (a *asker) filter(q query.Query, to time.Time) changes.Filter {
	return changes.Filter{Query: q, Known: a.known(nil, to), Sessions: true, Owners: isNarrow(q)}
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
	switch {
	case a.now == nil && to.Before(from):
		return a.future()
	case to.Before(from):
		return nil
	}
	filter := a.filter(q, to)
	var list []changes.Change
	_, err := a.follow(ctx, q, from, to, filter.Begin, func(o changes.Occurrence) error {
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
// in question, or on a whole one. Of a small one, begin is told the routes before.
func (a *asker) follow(ctx context.Context, q query.Query, from, to time.Time, begin func([]route.Route), observe func(changes.Occurrence) error) ([]string, error) {
	within := netip.Prefix{}
	if isNarrow(q) {
		_, within = q.Prefix()
	}
	if !within.IsValid() {
		if err := a.budget.memory.room(a.wholeBytes()); err != nil {
			return nil, err
		}
	}
	past, err := a.before(ctx, from, within)
	if err != nil {
		return nil, err
	}
	f := follower{Known: a.known(past.Table, from), query: q, conditions: query.Compile(q, to), observe: observe, from: from}
	if within.IsValid() {
		f.begin(begin)
	}
	notices, err := a.past.Replay(ctx, past, to, f.event)
	return slices.Concat(past.Notices, notices, f.notices()), err
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
