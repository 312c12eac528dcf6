package changes

import (
	"cmp"
	"encoding/base64"
	"encoding/binary"
	"maps"
	"slices"
	"time"

	"ribglass/ribstore/query"
	"ribglass/ribstore/route"
)

// Page says which changes are wanted.
type Page struct {
	query.Page

	Oldest bool   // the oldest first, else the newest
	Kinds  []Kind // only changes of these kinds; none: all
}

// List is one page of changes. It is the caller's to keep.
type List struct {
	Query      query.Query
	From, To   time.Time // the span; the caller's to fill in
	Changes    []Change
	Total      int           // changes of the wanted kinds, as far as the pager was told of them
	Exact      bool          // Total and Kinds are of the whole span, and not only of what was read for the page; the caller's to fill in
	Kinds      []query.Facet // how many there are of each kind, wanted or not, the most frequent first
	NextCursor string        // "" on the last page
	Notices    []string      // for people; the caller's to fill in
}

// Pager collects one page of changes. It is for one goroutine.
type Pager struct {
	filter Filter
	page   Page
	resume bool     // there is a cursor
	cursor cursor   // the last change of the page before
	list   []Change // in order of time
	later  []Change // newest first: those of the stretches that were told before, which are later
	more   bool
	total  int
	kinds  map[string]int
}

// cursor is where a change stands in time.
type cursor struct {
	at     int64 // its moment, in nanoseconds since 1970
	number uint32
}

func cursorOf(c *Change) cursor { return cursor{c.Moment.UnixNano(), uint32(c.Number)} }

func (p cursor) before(o cursor) bool {
	return p.at < o.at || p.at == o.at && p.number < o.number
}

func (p cursor) String() string {
	b := binary.BigEndian.AppendUint64(nil, uint64(p.at))
	return base64.RawURLEncoding.EncodeToString(binary.BigEndian.AppendUint32(b, p.number))
}

func parseCursor(s string) (cursor, error) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil || len(b) != 12 {
		return cursor{}, query.ErrCursor
	}
	return cursor{int64(binary.BigEndian.Uint64(b)), binary.BigEndian.Uint32(b[8:])}, nil
}

// NewPager returns a pager. The error is [query.ErrCursor] for a foreign cursor.
func NewPager(filter Filter, page Page) (*Pager, error) {
	p := &Pager{filter: filter, page: page, resume: page.Cursor != "", kinds: map[string]int{}}
	if p.page.Limit <= 0 {
		p.page.Limit = query.DefaultLimit
	}
	if !p.resume {
		return p, nil
	}
	var err error
	p.cursor, err = parseCursor(page.Cursor)
	return p, err
}

// Begin tells the routes of a prefix that are there before the first occurrence, see
// [Filter.Begin].
func (p *Pager) Begin(routes []route.Route) { p.filter.Begin(routes) }

// Limit returns how many changes the page has at most.
func (p *Pager) Limit() int { return p.page.Limit }

// Narrow returns the part of a span that the page can be in: who tells the pager
// of no more than that gets the page, but not the total.
func (p *Pager) Narrow(from, to time.Time) (narrowedFrom, narrowedTo time.Time) {
	if !p.resume {
		return from, to
	}
	at := time.Unix(0, p.cursor.at).UTC()
	switch {
	case p.page.Oldest && at.After(from):
		from = at
	case !p.page.Oldest && at.Before(to):
		to = at
	}
	return from, to
}

// Observe takes occurrences in order of time, the oldest first in any case, and
// reports whether more can add to the page. A pager that is told on nevertheless
// counts on.
func (p *Pager) Observe(o Occurrence) (more bool) {
	for _, c := range p.filter.Changes(o) {
		p.kinds[string(c.Kind)]++
		if len(p.page.Kinds) > 0 && !slices.Contains(p.page.Kinds, c.Kind) {
			continue
		}
		p.total++
		if p.page.Oldest {
			p.addOldest(c)
		} else {
			p.addNewest(c)
		}
	}
	if p.page.Oldest {
		return !p.more
	}
	return !p.resume || cmp.Or(o.Moment, o.At).UnixNano() <= p.cursor.at
}

// addOldest takes a change behind the cursor until the page is full.
func (p *Pager) addOldest(c Change) {
	switch {
	case p.resume && !p.cursor.before(cursorOf(&c)):
	case len(p.list) == p.page.Limit:
		p.more = true
	default:
		p.list = append(p.list, c)
	}
}

// addNewest takes a change before the cursor and lets go of older ones that the
// page has no place for, many at a time.
func (p *Pager) addNewest(c Change) {
	if p.resume && !cursorOf(&c).before(p.cursor) {
		return
	}
	p.list = append(p.list, c)
	if len(p.list) >= 2*p.page.Limit {
		p.trim()
	}
}

// trim lets go of the oldest changes beyond the limit.
func (p *Pager) trim() {
	if beyond := len(p.list) + len(p.later) - p.page.Limit; beyond > 0 {
		p.list = slices.Delete(p.list, 0, min(beyond, len(p.list)))
		p.more = true
	}
}

// EndStretch ends a stretch of time: what is told next lies behind it or, the newest
// first, before it. It reports whether the page is full, and more there is.
func (p *Pager) EndStretch() (full bool) {
	p.filter.last, p.filter.number = time.Time{}, 0
	if !p.page.Oldest {
		p.trim()
		p.list, p.later = nil, append(p.list, p.later...)
	}
	return p.more
}

// BeginStretch returns a function that forgets what was told of the stretch since, so
// that it can be told anew.
func (p *Pager) BeginStretch() (again func()) {
	saved := *p
	saved.kinds = maps.Clone(p.kinds)
	return func() { *p = saved }
}

// List returns the page. The pager is of no use afterwards.
func (p *Pager) List() *List {
	if !p.page.Oldest {
		p.trim()
		p.list = append(p.list, p.later...)
		slices.Reverse(p.list)
	}
	l := &List{Query: p.filter.Query, Changes: p.list, Total: p.total}
	if p.more {
		l.NextCursor = cursorOf(&p.list[len(p.list)-1]).String()
	}
	for kind, n := range p.kinds {
		l.Kinds = append(l.Kinds, query.Facet{Value: kind, Count: n})
	}
	query.SortFacets(l.Kinds)
	return l
}
