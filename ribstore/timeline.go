package ribstore

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"time"

	"ribglass/ribstore/changes"
	"ribglass/ribstore/history"
	"ribglass/ribstore/query"
	"ribglass/ribstore/route"
	"ribglass/ribstore/table"
)

// ErrNoPrefix is returned for a timeline of something that is not one prefix.
var ErrNoPrefix = errors.New("a timeline is of one prefix, or of an address, and of all peers or of some that are named")

// timelineSpan is how far back a timeline goes when nothing is said.
const timelineSpan = 30 * 24 * time.Hour

// Timeline tells what became of the prefix that confines a query in its span, or
// in the last thirty days, at all peers or at those that the query names. An address means the most specific prefix that covers
// it at the end of the span, else at its begin. At most so many states are kept;
// zero means changes.DefaultStates. Errors are [ErrNoPrefix] and those of Search.
func (a *asker) Timeline(ctx context.Context, q query.Query, states int) (*changes.Timeline, error) {
	if a.past == nil {
		return nil, ErrNoHistory
	}
	l, plain := query.Query{Expr: q.Expr}.Lookup()
	if !plain || len(l.Families) > 0 || l.Match != query.Exact && l.Match != query.Longest {
		return nil, ErrNoPrefix
	}
	p := l.Prefix
	if q.Between.IsZero() {
		q.Between.From.Ago = timelineSpan
	}
	from, to := a.span(q)
	if to.Before(from) {
		return nil, a.future()
	}
	leave, err := a.budget.Enter(ctx, NarrowPast)
	if err != nil {
		return nil, err
	}
	defer leave()
	if l.Match == query.Longest {
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
			if names := q.Peers(); len(names) > 0 {
				v.Confine(v.Select(func(p *route.Peer) bool { return slices.Contains(names, p.Name) }))
			}
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
	known, names := a.known(past.Table, from), q.Peers()
	routes := func() []route.Route {
		return slices.DeleteFunc(routesAt(known, q, at)[0], func(r route.Route) bool { return len(names) > 0 && !slices.Contains(names, r.Peer.Name) })
	}
	builder.Observe(from, routes())
	step := func(e *history.Event) error { //nolint:unparam // as Steps calls it
		var refused []route.Refused
		if e.Batch != nil {
			refused = refusedBy(e.Batch)[at[0]]
		}
		e.Apply(past.Table)
		for past.Table.Work() {
		}
		builder.Observe(e.At, routes(), refused...)
		return nil
	}
	notices, err := a.past.Replay(ctx, past, to, func(e *history.Event) error {
		switch {
		case e.Batch != nil && e.Batch.Event == route.Routes && !slices.Contains(placesOf(e.Batch), at[0]):
			return nil
		case nothing(past.Table, e):
			e.Apply(past.Table)
			return nil
		}
		return e.Steps(step)
	})
	if err != nil {
		return nil, err
	}
	timeline := builder.Timeline(to)
	timeline.Notices = slices.Concat(past.Notices, notices, timeline.Notices)
	return timeline, nil
}
