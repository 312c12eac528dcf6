package ui

import (
	"net/netip"
	"time"

	"ribglass/ribstore/route"
)

// Changes is what happened in a span of time.
type Changes struct {
	Frame
	Query    string // the conditions, as the form shows them
	Between  string // the span, as the form shows it
	From, To time.Time
	Total    int
	Exact    bool // Total and the counts of Kinds are of the whole span; else there are more
	Kinds    []Kind
	List     []Change
	First    string // URL of the first page, when this is not it
	Next     string // URL of the next page; "" on the last
	Order    Link   // the other order
	Fields   []Field
}

// Kind is a kind of changes to look at alone.
type Kind struct {
	Text   string
	Count  int
	URL    string
	Chosen bool // URL leads to all kinds
}

// Change is one thing that happened to a route, or to a session when it has no
// prefix.
type Change struct {
	At         time.Time
	Kind       string
	Prefix     netip.Prefix
	Family     route.Family
	OfFamily   bool   // it happened to one family of a session
	URL        string // of the prefix after the change
	Peer       string
	PeerURL    string
	PathID     uint32
	AddPath    bool
	Cause      string
	Attributes []string // that changed
	Old, New   route.Attrs
	Reason     string
}

// Attrs returns the attributes that the change left, or took away.
func (c *Change) Attrs() route.Attrs {
	if c.New != nil {
		return c.New
	}
	return c.Old
}

// Timeline is what became of a prefix.
type Timeline struct {
	Frame
	Query                      string
	Between                    string
	Prefix                     netip.Prefix
	URL                        string // of the prefix
	From, To                   time.Time
	FirstSeen, LastSeen        time.Time
	States, Flaps              int
	Announcements, Withdrawals int
	OriginChanges              []OriginChange // the newest first
	OriginChangeCount          int
	Rows                       []TimelineRow
	Fields                     []Field
	Changes                    Link // the same as a list of changes
}

// OriginChange is a change of the origin ASes of a prefix.
type OriginChange struct {
	At       time.Time
	From, To []route.ASN
}

// TimelineRow is a route of the prefix through time.
type TimelineRow struct {
	Peer, PeerURL string
	PathID        uint32
	AddPath       bool
	Flaps, Total  int
	States        []TimelineState // the newest first
}

// TimelineState is how a route was for some time. Without attributes it was
// absent.
type TimelineState struct {
	From, To time.Time
	Open     bool   // it lasts until the end of the span
	URL      string // of the prefix at From
	Attrs    route.Attrs
	Stale    bool
	Changed  []Attr // against the state before, but for the path
	Refused  string // why there is no route: what was malformed in its announcement
}

// Diff is what differs between two sides.
type Diff struct {
	Frame
	Form        DiffForm
	Compared    bool // else there is the form only
	A, B        DiffSide
	Counts      *DiffCounts // nil on all pages but the first
	Differences []Difference
	First, Next string
}

// DiffForm is what stands in the form of a comparison.
type DiffForm struct {
	A, B, PeerA, PeerB, Query string
	Fields                    []Field
}

// DiffSide is one side of a comparison.
type DiffSide struct {
	At         time.Time
	Peer       string
	Collection string // "": of what the peers say
	URL        string
}

// DiffCounts count what differs.
type DiffCounts struct {
	Same, Added, Withdrawn, Changed int
	Causes                          []CauseCount
	Peers                           []PeerDiff
	Attributes                      []Facet
}

// CauseCount is how many differences have a cause.
type CauseCount struct {
	Kind, Cause string
	Count       int
}

// PeerDiff counts differences of one peer.
type PeerDiff struct {
	Peer                            string
	URL                             string // of the comparison of its routes alone, "" when it is that
	Same, Added, Withdrawn, Changed int
}

// Difference is one route that differs.
type Difference struct {
	Prefix      netip.Prefix
	URL         string
	Kind, Cause string
	Attributes  []string // that changed
	Old, New    *route.Route
}

// Peer returns the name of the peer, or of both when there are two.
func (d *Difference) Peer() string {
	switch {
	case d.Old == nil:
		return d.New.Peer.Name
	case d.New == nil || d.Old.Peer.Name == d.New.Peer.Name:
		return d.Old.Peer.Name
	}
	return d.Old.Peer.Name + " → " + d.New.Peer.Name
}

// History is what is kept of the past.
type History struct {
	Frame
	Begins, Ends, LastSnapshot     time.Time
	Recording                      bool
	SnapshotCount                  int
	FileBytes, FreeBytes, MaxBytes int64
	PendingBytes                   int64
	Snapshots                      []Snapshot // the newest first
	Collections                    []Collection
	Absent                         bool // no past is kept, but there may be collections
}

// Snapshot is a snapshot and the URL of its moment.
type Snapshot struct {
	At        time.Time
	Routes    int
	URL       string
	RoutesURL string // of a search for them
}

// Collection is a history that was imported from files.
type Collection struct {
	Name         string
	Begins, Ends time.Time
	Bytes        int64
	Broken       bool
	URL          string
	DiffURL      string // compares with what is live
}
