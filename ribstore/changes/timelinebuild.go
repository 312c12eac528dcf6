package changes

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"ribglass/ribstore/route"
)

// TimelineBuilder makes a timeline of successive observations. It is for one
// goroutine.
type TimelineBuilder struct {
	timeline Timeline
	most     int // states to keep
	full     int // states from which on some are let go of
	last     time.Time
	begun    bool
	previous []route.Route // of the last observation
	rows     map[rowKey]*rowBuilder
	kept     int // states
	round    int // observations that were not like the one before
	origins  []route.ASN
	forgot   bool      // states were let go of,
	cut      time.Time // all those that began before
	lostRows bool      // whole rows were let go of too
}

type rowKey struct {
	peer   string
	pathID uint32
}

// rowBuilder is a row that grows. Its last state is open: it has no To.
type rowBuilder struct {
	TimelineRow
	attrs    route.Attrs // the newest, a copy
	was      bool        // there was a route before the state of absence
	round    int         // in which it was seen last
	received time.Time   // of the route seen last
}

// open returns the state that goes on.
func (r *rowBuilder) open() *TimelineState { return &r.States[len(r.States)-1] }

// NewTimelineBuilder begins the timeline of a prefix. It keeps at most so many
// states, the newest, and the last of each row; 0 means [DefaultStates].
func NewTimelineBuilder(f route.Family, p netip.Prefix, from time.Time, states int) *TimelineBuilder {
	if states <= 0 {
		states = DefaultStates
	}
	return &TimelineBuilder{
		timeline: Timeline{Family: f, Prefix: p, From: from},
		most:     states, full: 2 * states, last: from, rows: map[rowKey]*rowBuilder{},
	}
}

// Observe tells all routes of the prefix as they are from at on; the first time,
// as they are in the beginning. Times do not decrease: one that does counts as
// the last. The routes are as a view gives them, in any order; those of the last
// observation are held on to. Of routes that are gone, refused tells those whose
// announcement was malformed.
func (b *TimelineBuilder) Observe(at time.Time, routes []route.Route, refused ...route.Refused) {
	if at.Before(b.last) {
		at = b.last
	}
	b.last = at
	if b.begun && slices.EqualFunc(routes, b.previous, likeBefore) {
		return
	}
	initial := !b.begun && at.Equal(b.timeline.From)
	b.seen(at, routes, initial)
	b.begun = true
	b.round++
	for i := range routes {
		b.present(at, &routes[i], initial)
	}
	for i := range b.previous {
		b.absent(at, &b.previous[i], refused)
	}
	b.observeOrigins(at, routes)
	b.previous = append(b.previous[:0], routes...)
	if b.kept > b.full {
		b.trim()
		b.full = 2 * max(b.most, b.kept)
	}
}

// likeBefore reports whether a route is the same as before in all that a timeline
// shows.
func likeBefore(a, b route.Route) bool {
	return a.PathID == b.PathID && a.ReceivedAt.Equal(b.ReceivedAt) && a.Peer == b.Peer && sameState(&a, &b)
}

// sameState reports whether two routes of a row make one state.
func sameState(a, b *route.Route) bool {
	return a.StaleSince.IsZero() == b.StaleSince.IsZero() && a.LongLived == b.LongLived && string(a.Attrs) == string(b.Attrs)
}

// seen notes when the prefix has routes.
func (b *TimelineBuilder) seen(at time.Time, routes []route.Route, initial bool) {
	t := &b.timeline
	if len(routes) == 0 {
		if len(b.previous) > 0 {
			t.LastSeen = at
		}
		return
	}
	if !t.FirstSeen.IsZero() {
		return
	}
	t.FirstSeen = at
	for i := range routes {
		if r := &routes[i]; initial && !r.ReceivedAt.IsZero() && r.ReceivedAt.Before(t.FirstSeen) {
			t.FirstSeen = r.ReceivedAt
		}
	}
}

// present takes a route of the observation.
func (b *TimelineBuilder) present(at time.Time, r *route.Route, initial bool) {
	key := rowKey{r.Peer.Name, r.PathID}
	row := b.rows[key]
	if row == nil {
		row = b.newRow(key, at)
	}
	row.Peer, row.round = r.Peer, b.round
	var open *route.Route
	if len(row.States) > 0 {
		open = row.open().Route
	}
	switch {
	case open != nil: // going stale, or being so longer, is no announcement
		again := !row.received.Equal(r.ReceivedAt) || string(open.Attrs) != string(r.Attrs) || !open.StaleSince.IsZero() && r.StaleSince.IsZero()
		b.announced(row, again)
	case row.was:
		row.Flaps++
		b.timeline.Flaps++
		b.announced(row, true)
	default:
		b.announced(row, !initial)
	}
	row.was, row.received = true, r.ReceivedAt
	if open == nil || !sameState(open, r) {
		b.begin(row, at, r)
	}
}

func (b *TimelineBuilder) announced(row *rowBuilder, really bool) {
	if really {
		row.Announcements++
		b.timeline.Announcements++
	}
}

// newRow makes a row for a route that was absent so far.
func (b *TimelineBuilder) newRow(key rowKey, at time.Time) *rowBuilder {
	row := &rowBuilder{TimelineRow: TimelineRow{PathID: key.pathID}}
	b.rows[key] = row
	begin := b.timeline.From
	if b.lostRows { // it may have been among them
		begin = b.cut
	}
	if at.After(begin) {
		b.begin(row, begin, nil)
	}
	return row
}

// begin ends the open state of a row and begins another: with a route, or nil
// when there is none.
func (b *TimelineBuilder) begin(row *rowBuilder, at time.Time, r *route.Route) {
	if len(row.States) > 0 {
		row.open().To = at
	}
	s := TimelineState{From: at}
	if r != nil {
		if string(row.attrs) != string(r.Attrs) {
			row.attrs = slices.Clone(r.Attrs)
		}
		kept := *r
		kept.Attrs, kept.Best, kept.Decision = row.attrs, false, ""
		s.Route, s.Stale = &kept, !r.StaleSince.IsZero()
	}
	row.States = append(row.States, s)
	row.Total++
	b.timeline.States++
	b.kept++
}

// absent ends a route of the observation before that the last one does not have.
func (b *TimelineBuilder) absent(at time.Time, r *route.Route, refused []route.Refused) {
	row := b.rows[rowKey{r.Peer.Name, r.PathID}]
	if row.round == b.round || row.open().Route == nil {
		return
	}
	row.Withdrawals++
	b.timeline.Withdrawals++
	b.begin(row, at, nil)
	for i := range refused {
		if n := &refused[i]; n.Peer.Name == r.Peer.Name && n.PathID == r.PathID {
			row.open().Refused = n.Fault
		}
	}
}

// observeOrigins notes when the set of origin ASes changes. A path that ends in an AS_SET
// has each of its members; routes without an AS in their path have none.
func (b *TimelineBuilder) observeOrigins(at time.Time, routes []route.Route) {
	if len(routes) == 0 {
		return
	}
	set := []route.ASN{}
	for i := range routes {
		origins := routes[i].Attrs.ASPath().Origins()
		for j := range origins.Len() {
			set = append(set, origins.At(j))
		}
	}
	slices.Sort(set)
	set = slices.Compact(set)
	if b.origins != nil && !slices.Equal(set, b.origins) {
		t := &b.timeline
		t.OriginChangeCount++
		t.OriginChanges = append(t.OriginChanges, OriginChange{at, b.origins, set})
		if len(t.OriginChanges) > 2*b.most {
			t.OriginChanges = slices.Delete(t.OriginChanges, 0, len(t.OriginChanges)-b.most)
		}
	}
	b.origins = set
}

// trim lets go of the oldest states until about so many are left, and of rows
// that ended before those; the last state of every other row stays.
func (b *TimelineBuilder) trim() {
	var begins []time.Time
	for _, row := range b.rows {
		for i := range row.States {
			begins = append(begins, row.States[i].From)
		}
	}
	if len(begins) <= b.most {
		return
	}
	slices.SortFunc(begins, time.Time.Compare)
	b.forgot, b.cut = true, begins[len(begins)-b.most]
	for _, row := range b.rows {
		first := 0
		for first < len(row.States)-1 && row.States[first].From.Before(b.cut) {
			first++
		}
		row.States = slices.Clone(row.States[first:])
	}
	b.trimRows()
	b.kept = 0
	for _, row := range b.rows {
		b.kept += len(row.States)
	}
}

// trimRows lets go of rows while there are more of them than states to keep:
// those that ended longest ago.
func (b *TimelineBuilder) trimRows() {
	var ended []rowKey
	for key, row := range b.rows {
		if open := row.open(); open.Route == nil && open.From.Before(b.cut) {
			ended = append(ended, key)
		}
	}
	slices.SortFunc(ended, func(x, y rowKey) int {
		return cmp.Or(b.rows[x].open().From.Compare(b.rows[y].open().From), compareRows(x, y))
	})
	for _, key := range ended[:min(len(ended), max(0, len(b.rows)-b.most))] {
		delete(b.rows, key)
		b.lostRows = true
	}
}

func compareRows(x, y rowKey) int {
	return cmp.Or(strings.Compare(x.peer, y.peer), cmp.Compare(x.pathID, y.pathID))
}

// Timeline ends the timeline. The builder is of no use afterwards.
func (b *TimelineBuilder) Timeline(to time.Time) *Timeline {
	if to.Before(b.last) {
		to = b.last
	}
	b.trim()
	t := &b.timeline
	t.To = to
	if len(b.previous) > 0 {
		t.LastSeen = to
	}
	for _, row := range b.rows {
		row.open().To = to
		t.Rows = append(t.Rows, row.TimelineRow)
	}
	slices.SortFunc(t.Rows, func(a, b TimelineRow) int {
		return compareRows(rowKey{a.Peer.Name, a.PathID}, rowKey{b.Peer.Name, b.PathID})
	})
	t.OriginChanges = t.OriginChanges[max(0, len(t.OriginChanges)-b.most):]
	b.notice()
	return t
}

// notice tells people what the timeline does not hold.
func (b *TimelineBuilder) notice() {
	t := &b.timeline
	if b.forgot {
		t.Notices = append(t.Notices, fmt.Sprintf("of %d states those are listed that began at %s or later, and the last of each route; the counts are of all",
			t.States, b.cut.UTC().Format(time.RFC3339Nano)))
	}
	if b.lostRows {
		t.Notices = append(t.Notices, "the prefix had more routes than are listed; one that was gone and came back may count as another")
	}
	if n := len(t.OriginChanges); n < t.OriginChangeCount {
		t.Notices = append(t.Notices, fmt.Sprintf("the newest %d of %d changes of origin are listed", n, t.OriginChangeCount))
	}
}
