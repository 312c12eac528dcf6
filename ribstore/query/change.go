package query

import (
	"net/netip"
	"time"

	"ribglass/ribstore/route"
)

// ChangeKind says what happened to a route or a session.
type ChangeKind string

// What happens to routes.
const (
	Announced    ChangeKind = "announce"   // there was none
	Replaced     ChangeKind = "replace"    // by one with other attributes
	Repeated     ChangeKind = "repeat"     // the same was sent again
	WentStale    ChangeKind = "stale"      // no session confirms it any more
	WentLong     ChangeKind = "long-lived" // stale, in the long-lived phase (RFC 9494)
	Confirmed    ChangeKind = "confirm"    // stale before, sent again with the same attributes
	WithdrawnBy  ChangeKind = "withdraw"   // by its peer
	Swept        ChangeKind = "sweep"      // not sent again until End-of-RIB or the end of a refresh
	ExpiredStale ChangeKind = "expire"     // stale for too long
	Dropped      ChangeKind = "drop"       // with its session, or with its peer's configuration
)

// What happens to sessions.
const (
	SessionUp      ChangeKind = "peer-up"
	SessionDown    ChangeKind = "peer-down"
	SessionRemoved ChangeKind = "peer-removed"
	SessionEnd     ChangeKind = "end-of-rib"
	RefreshBegun   ChangeKind = "refresh-begin"
	RefreshEnded   ChangeKind = "refresh-end"
)

// Session reports whether it happens to a session and not to a route.
func (k ChangeKind) Session() bool {
	switch k {
	case SessionUp, SessionDown, SessionRemoved, SessionEnd, RefreshBegun, RefreshEnded:
		return true
	}
	return false
}

// Change is one thing that happened. It is the caller's to keep.
type Change struct {
	At         time.Time
	Number     int // among those of the same time, from 0
	Kind       ChangeKind
	Family     route.Family // of a session: of end-of-rib and refresh only
	Prefix     netip.Prefix // invalid for a session
	Peer       *route.Peer
	PathID     uint32
	Cause      Cause       // of replace
	Attributes []string    // of replace: what changed, see [ChangedAttributes]
	Old, New   route.Attrs // nil when there was or is none
	Reason     string      // of peer-down, and of what happened to routes because of it
}

// Occurrence is what happened at one time as the journal tells it: a batch, or
// stale routes that expired; and what became of one prefix by it.
type Occurrence struct {
	At      time.Time
	Expired bool         // stale routes expired: there is no batch
	Event   route.Event  // of the batch
	Peer    *route.Peer  // of the batch
	Family  route.Family // of the batch, for events that have one
	Reason  string       // of the batch

	// All routes of a prefix before and after it, as [table.View.Routes] gives
	// them. Both empty: the occurrence itself is meant, a session event.
	Before, After []route.Route
}

// ChangeFilter turns occurrences into changes that meet a query: the route before
// or after does. Of what happens to sessions, conditions on peers and families
// decide. It is for one goroutine.
type ChangeFilter struct {
	Query    Query
	Now      time.Time // ages in the query count from it
	Repeats  bool      // keep those of kind Repeated
	Sessions bool      // keep what happens to sessions
}

// ChangePage says which changes are wanted.
type ChangePage struct {
	Page
	Oldest bool // the oldest first, else the newest
}

// ChangeList is one page of changes. It is the caller's to keep.
type ChangeList struct {
	Query      Query
	From, To   time.Time // the span; the caller's to fill in
	Changes    []Change
	Total      int    // changes on all pages, as far as the pager was told of them
	NextCursor string // "" on the last page
	Notices    []string
}

// Changes returns the changes that the occurrence makes to the prefix, or to the
// session, and that meet the query, by peer and path identifier.
// Change.Number is left to the caller.
func (f *ChangeFilter) Changes(o Occurrence) []Change { return nil }

// ChangePager collects one page of changes. It is for one goroutine.
type ChangePager struct {
	filter ChangeFilter
	page   ChangePage
}

// NewChangePager returns a pager. The error is [ErrCursor] for a foreign cursor.
func NewChangePager(filter ChangeFilter, page ChangePage) (*ChangePager, error) {
	return &ChangePager{filter, page}, nil
}

// Observe takes occurrences in order of time, the oldest first in any case, and
// reports whether more can add to the page. A pager that is told on nevertheless
// counts on.
func (p *ChangePager) Observe(o Occurrence) (more bool) { return true }

// List returns the page.
func (p *ChangePager) List() *ChangeList { return nil }
