package answer

import (
	"net/netip"
	"time"

	"ribglass/ribstore/route"
)

// Changes is a page of the answer of GET /api/v1/changes: what happened to routes
// and sessions in a span of time.
type Changes struct {
	Query      Asked     `json:"query"`
	From       time.Time `json:"from"` // the span begins; never before the history begins
	To         time.Time `json:"to"`
	Notices    []string  `json:"notices,omitempty"`
	Total      int       `json:"total"`       // changes of all pages, as far as they were counted
	TotalExact bool      `json:"total_exact"` // total and kinds are of the whole span; else there may be more
	Kinds      []Facet   `json:"kinds"`
	Changes    []Change  `json:"changes"`
	NextCursor string    `json:"next_cursor,omitempty"` // absent on the last page
}

// Change is what happened at one moment to a route, or to a session. A session
// has no prefix, and a family only where the change is about one family.
type Change struct {
	At         time.Time    `json:"at"`
	Kind       string       `json:"kind"` // such as "announce", "withdraw" or "peer-down"
	Prefix     netip.Prefix `json:"prefix,omitzero"`
	Family     string       `json:"family,omitempty"`
	Peer       string       `json:"peer"`
	PathID     *uint32      `json:"path_id,omitempty"`    // absent without ADD-PATH (RFC 7911)
	Cause      string       `json:"cause,omitempty"`      // the reason that matters most, such as "origin"
	Attributes []string     `json:"attributes,omitempty"` // that changed, in the words of the query language
	Reason     string       `json:"reason,omitempty"`     // why the session ended, or what was malformed
	Old        *Attributes  `json:"old,omitempty"`        // absent where there was no route
	New        *Attributes  `json:"new,omitempty"`        // absent where there is no route
}

// Timeline is the answer of GET /api/v1/timeline: the states of a prefix, peer by
// peer.
type Timeline struct {
	Prefix            netip.Prefix   `json:"prefix"`
	Family            string         `json:"family"`
	From              time.Time      `json:"from"`
	To                time.Time      `json:"to"`
	Notices           []string       `json:"notices,omitempty"`
	FirstSeen         time.Time      `json:"first_seen,omitzero"` // absent for a prefix without any route
	LastSeen          time.Time      `json:"last_seen,omitzero"`  // idem
	States            int            `json:"states"`              // of all rows, absences included
	Flaps             int            `json:"flaps"`
	Announcements     int            `json:"announcements"`
	Withdrawals       int            `json:"withdrawals"`
	OriginChangeCount int            `json:"origin_change_count"`
	OriginChanges     []OriginChange `json:"origin_changes"` // the newest of them
	Rows              []TimelineRow  `json:"rows"`
}

// OriginChange is a change of the set of ASes that originate a prefix.
type OriginChange struct {
	At   time.Time   `json:"at"`
	From []route.ASN `json:"from"`
	To   []route.ASN `json:"to"`
}

// TimelineRow is one route of a prefix through time.
type TimelineRow struct {
	Peer          string          `json:"peer"`
	PathID        *uint32         `json:"path_id,omitempty"` // absent without ADD-PATH (RFC 7911)
	Total         int             `json:"total"`             // of states, also where not all are given
	Flaps         int             `json:"flaps"`             // how often the route was gone and came back
	Announcements int             `json:"announcements"`
	Withdrawals   int             `json:"withdrawals"`
	States        []TimelineState `json:"states"` // in order, without gaps
}

// TimelineState is what a route was from one moment to another. Without a route
// the prefix was absent.
type TimelineState struct {
	From  time.Time   `json:"from"`
	To    time.Time   `json:"to"`
	Stale *bool       `json:"stale,omitempty"` // no session confirmed the route; absent without a route
	Route *Attributes `json:"route,omitempty"`

	Attributes []string `json:"attributes,omitempty"` // that changed since the state before, when that had a route

	// Reason is why there is no route: its announcement was malformed, and so it
	// was treated as a withdrawal (RFC 7606). Absent for another reason.
	Reason string `json:"reason,omitempty"`
}

// Diff is a page of the answer of GET /api/v1/diff: what differs between two
// sides.
type Diff struct {
	Query       Asked        `json:"query"`
	A           DiffSide     `json:"a"`
	B           DiffSide     `json:"b"`
	Notices     []string     `json:"notices,omitempty"`
	Counts      *DiffCounts  `json:"counts,omitempty"` // of all pages; absent on pages behind the first
	Differences []Difference `json:"differences"`
	NextCursor  string       `json:"next_cursor,omitempty"` // absent on the last page
}

// DiffSide is a side of a comparison.
type DiffSide struct {
	At         time.Time `json:"at,omitzero"`          // the server always says it
	Peer       string    `json:"peer,omitempty"`       // the only peer that counts; absent: all peers
	Collection string    `json:"collection,omitempty"` // absent: what the routers sent
}

// DiffCounts count the routes of a whole comparison.
type DiffCounts struct {
	Same       int          `json:"same"`
	Added      int          `json:"added"`     // on side b only
	Withdrawn  int          `json:"withdrawn"` // on side a only
	Changed    int          `json:"changed"`
	Causes     []CauseCount `json:"causes"`
	Peers      []PeerDiff   `json:"peers"`
	Attributes []Facet      `json:"attributes"` // how often each changed
}

// CauseCount counts the differences of one kind that have one cause.
type CauseCount struct {
	Kind  string `json:"kind"` // "added", "withdrawn" or "changed"
	Cause string `json:"cause"`
	Count int    `json:"count"`
}

// PeerDiff counts the routes of one peer in a comparison.
type PeerDiff struct {
	Peer      string `json:"peer"`
	Same      int    `json:"same"`
	Added     int    `json:"added"`
	Withdrawn int    `json:"withdrawn"`
	Changed   int    `json:"changed"`
}

// Difference is a route that is not the same on both sides.
type Difference struct {
	Prefix     netip.Prefix `json:"prefix"`
	Family     string       `json:"family"`
	Kind       string       `json:"kind"` // "added", "withdrawn" or "changed"
	Cause      string       `json:"cause"`
	Attributes []string     `json:"attributes,omitempty"` // that changed, in the words of the query language
	Old        *Route       `json:"old,omitempty"`        // absent for an added route
	New        *Route       `json:"new,omitempty"`        // absent for a withdrawn route
}

// Activity is the answer of GET /api/v1/activity: how many changes a query had,
// and when.
type Activity struct {
	From    time.Time   `json:"from"`
	To      time.Time   `json:"to"`
	Total   int         `json:"total"`
	Exact   bool        `json:"total_exact"` // total is of the whole span; else there may be more
	Counted int         `json:"counted"`     // how many of them, the newest, bins and moments stand for
	Bins    []*int      `json:"bins"`        // changes in parts of the span of equal length; null where they were not counted
	Moments []time.Time `json:"moments"`     // when something changed, the oldest first
	Notices []string    `json:"notices,omitempty"`
}

// Event is the data of an event of GET /api/v1/events.
type Event struct {
	Changes int       `json:"changes"` // since the event before
	At      time.Time `json:"at"`      // to the second
}
