package ribstore

import (
	"context"
	"errors"
	"slices"
	"time"

	"ribglass/ribstore/changes"
	"ribglass/ribstore/query"
	"ribglass/ribstore/route"
)

// A page of the changes of all prefixes costs what it shows and not what its span has:
// the journal is read from the end at which the page is, stretch after stretch, each
// longer than the one before, until the page is full. Of each stretch only the prefixes
// that change in it are loaded. Where the session of a peer came or went, which may
// change all its routes, the whole table is, unless that takes long: then a page lists
// that the session did, and not what became of each route.

const (
	littleEffort  = 1 << 15 // routes and records that make a whole table in a few hundredths of a second
	mostInStretch = 1 << 17 // records of a stretch, about
	growth        = 4       // how much longer a stretch is than the one before
	mostPlaces    = 1 << 17 // prefixes that are loaded one by one
)

// stretches tells a pager stretch after stretch until its page is full, and returns the
// page. Errors are those of Changes.
func (a *asker) stretches(ctx context.Context, q query.Query, from, to time.Time, oldest bool, pager *changes.Pager) (*changes.List, error) {
	narrow, first, last := isNarrow(q), from, to
	if !narrow {
		from, to = pager.Narrow(from, to)
	}
	whole := first.Equal(from) && last.Equal(to)
	records, full := 2*pager.Limit()+64, false
	var notices []string
	for !full && !to.Before(from) {
		begin, end := from, to
		switch {
		case narrow: // sessions count by what was before, and a small table costs the same for any part
		case oldest:
			end = a.past.StretchFrom(from, to, records)
		default:
			begin = a.past.StretchBefore(from, to, records)
		}
		said, err := a.stretch(ctx, q, begin, end, pager, a.past.Effort(begin.Add(-time.Millisecond)) > littleEffort)
		if err != nil {
			return nil, err
		}
		notices = append(notices, said...)
		full = pager.EndStretch()
		from, to = beyond(from, to, begin, end, oldest)
		records = min(records*growth, mostInStretch)
	}
	list := pager.List()
	list.Exact = whole && to.Before(from)
	slices.Sort(notices)
	list.Notices = slices.Compact(notices)
	return list, nil
}

// beyond returns what is left of a span without a stretch at one end of it.
func beyond(from, to, begin, end time.Time, oldest bool) (restFrom, restTo time.Time) {
	if oldest {
		return end.Add(time.Millisecond), to
	}
	return from, begin.Add(-time.Millisecond)
}

// listener is told stretches of time, in each of which time goes on.
type listener interface {
	// BeginStretch returns a function that forgets what was told of the stretch since.
	BeginStretch() (again func())
	Begin(routes []route.Route) // see changes.Filter
	Observe(o changes.Occurrence) (more bool)
}

// stretch tells one stretch, and returns notices for people. With rows, what happened to
// the session of a peer is told, and not what that did to each of its routes.
func (a *asker) stretch(ctx context.Context, q query.Query, from, to time.Time, l listener, rows bool) ([]string, error) {
	again := l.BeginStretch()
	observe := func(o changes.Occurrence) error {
		l.Observe(o)
		return nil
	}
	if isNarrow(q) {
		return a.follow(ctx, q, from, to, l.Begin, observe)
	}
	conditions := query.Compile(q, to)
	touched, err := a.past.Touched(ctx, from, to, mostPlaces, conditions.MayHavePrefix)
	if err != nil {
		return nil, err
	}
	if touched != nil && (rows || !touched.Events) {
		past, err := a.past.AtTouched(ctx, from.Add(-time.Millisecond), touched)
		if err != nil {
			return nil, err
		}
		f := follower{Known: a.known(past.Table, from), query: q, conditions: conditions, observe: observe, from: from, part: true, rows: rows}
		notices, err := a.past.Replay(ctx, past, to, f.event)
		if !errors.Is(err, errWholeTable) {
			return slices.Concat(past.Notices, notices, f.notices()), err
		}
		again()
	}
	return a.follow(ctx, q, from, to, nil, observe)
}

// newest collects the changes of a stretch.
type newest struct {
	filter changes.Filter
	kinds  []changes.Kind
	list   []changes.Change
}

// BeginStretch implements listener.
func (n *newest) BeginStretch() (again func()) {
	n.list = nil
	return func() { n.list = nil }
}

// Begin implements listener.
func (n *newest) Begin(routes []route.Route) { n.filter.Begin(routes) }

// Observe implements listener.
func (n *newest) Observe(o changes.Occurrence) (more bool) {
	for _, c := range n.filter.Changes(o) {
		if len(n.kinds) == 0 || slices.Contains(n.kinds, c.Kind) {
			n.list = append(n.list, c)
		}
	}
	return true
}

// StreamNewestChanges is like StreamChanges, the newest first. It holds the changes of
// about a hundred thousand records, and has the table made for each so many.
func (a *asker) StreamNewestChanges(ctx context.Context, q query.Query, kinds []changes.Kind, yield func([]changes.Change) error) error {
	if a.past == nil {
		return ErrNoHistory
	}
	from, to := a.span(q)
	if a.now == nil && to.Before(from) {
		return a.future()
	}
	n := newest{filter: a.filter(q, to), kinds: kinds}
	for records := streamedChanges; !to.Before(from); records = mostInStretch {
		begin := a.past.StretchBefore(from, to, records)
		if isNarrow(q) {
			begin = from
		}
		if _, err := a.stretch(ctx, q, begin, to, &n, false); err != nil {
			return err
		}
		slices.Reverse(n.list)
		for some := range slices.Chunk(n.list, streamedChanges) {
			if err := yield(some); err != nil {
				return err
			}
		}
		from, to = beyond(from, to, begin, to, false)
	}
	return nil
}
