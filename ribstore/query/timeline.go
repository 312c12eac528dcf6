package query

import (
	"net/netip"
	"time"

	"ribglass/ribstore/route"
)

// Timeline is what became of one prefix in a span of time. It is the caller's to
// keep.
type Timeline struct {
	Family   route.Family
	Prefix   netip.Prefix
	From, To time.Time
	Rows     []TimelineRow // by name of peer and path identifier

	// FirstSeen is when the prefix had a route first: for one that is there at
	// From, when the oldest route was received. LastSeen is when it had one last;
	// To when it has one still. Both are zero for a prefix without any route.
	FirstSeen, LastSeen time.Time
	States              int            // of all rows, absences included, also where not all are kept
	Flaps               int            // of all rows
	Announcements       int            // of all rows
	OriginChanges       []OriginChange // the newest, as many as states are kept
	OriginChangeCount   int
	Notices             []string // for people, such as that not all states are kept
}

// TimelineRow is one route of the prefix through time.
type TimelineRow struct {
	Peer          *route.Peer // as it was last
	PathID        uint32
	States        []TimelineState // in order, without gaps, up to the end of the span
	Total         int             // states, also where not all are kept
	Flaps         int             // how often the route was gone and came back
	Announcements int             // how often it came, or came again
	Withdrawals   int             // how often it went
}

// TimelineState is how a route was from From until To.
type TimelineState struct {
	From, To time.Time
	Route    *route.Route // nil: absent; undecided
	Stale    bool
}

// OriginChange is a change of the set of origin ASes of the prefix. A time
// without any route is none.
type OriginChange struct {
	At       time.Time
	From, To []route.ASN // sorted
}

// DefaultStates is how many states a timeline keeps when nothing is said.
const DefaultStates = 10_000

// TimelineBuilder makes a timeline of successive observations. It is for one
// goroutine.
type TimelineBuilder struct {
	timeline Timeline
}

// NewTimelineBuilder begins the timeline of a prefix. It keeps at most so many
// states, the newest; 0 means [DefaultStates].
func NewTimelineBuilder(f route.Family, p netip.Prefix, from time.Time, states int) *TimelineBuilder {
	return &TimelineBuilder{}
}

// Observe tells all routes of the prefix as they are from at on. Times do not
// decrease; one before the beginning counts as the beginning. The routes are only read.
func (b *TimelineBuilder) Observe(at time.Time, routes []route.Route) {}

// Timeline ends the timeline. The builder is of no use afterwards.
func (b *TimelineBuilder) Timeline(to time.Time) *Timeline { return &b.timeline }
