package changes

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

	// Counts of all rows, whether or not all of it is kept. States include
	// absences.
	States, Flaps, Announcements, Withdrawals int

	OriginChanges     []OriginChange // the newest, at most as many as states are kept
	OriginChangeCount int
	Notices           []string // for people, such as that not all states are kept
}

// TimelineRow is one route of the prefix through time.
type TimelineRow struct {
	Peer          *route.Peer // as it was last
	PathID        uint32
	States        []TimelineState // in order, without gaps, up to the end of the span
	Total         int             // states, also where not all are kept
	Flaps         int             // how often the route was gone and came back
	Announcements int             // how often it came, or came again, within the span
	Withdrawals   int             // how often it went
}

// TimelineState is how a route was from From until To.
type TimelineState struct {
	From, To time.Time
	Route    *route.Route // nil: absent; undecided
	Stale    bool
	Refused  route.Fault // why there is no route: its announcement was malformed; zero: for another reason
}

// OriginChange is a change of the set of origin ASes of the prefix. A time
// without any route is none.
type OriginChange struct {
	At       time.Time
	From, To []route.ASN // sorted; empty: the paths of all routes had no AS
}

// DefaultStates is how many states a timeline keeps when nothing is said.
const DefaultStates = 10_000
