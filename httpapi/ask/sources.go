package ask

import (
	"context"
	"io"
	"log/slog"
	"net/netip"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"ribglass/ribstore"
	"ribglass/ribstore/activity"
	"ribglass/ribstore/changes"
	"ribglass/ribstore/compare"
	"ribglass/ribstore/history"
	"ribglass/ribstore/query"
	"ribglass/ribstore/route"
	"ribglass/ribstore/tap"
	"ribglass/ui/names"
)

// Searcher answers questions about routes, as they are and as they were: the
// store does, and so does a collection. Its methods may be called by many
// goroutines at once and never wait for a writer.
type Searcher interface {
	RouteSearcher
	PastSearcher
}

// RouteSearcher answers questions about routes at the moment that a query names.
// All methods fail with ribstore.ErrBusy and ErrTooLong at the limits of
// searches, and for the past with ErrNoHistory, ErrFuture and a
// *history.RangeError.
type RouteSearcher interface {
	// Search returns one page of the routes that q selects. Routes of one
	// prefix follow each other and are never split between pages. A cursor that
	// it did not give out is query.ErrCursor.
	Search(ctx context.Context, q query.Query, p query.Page) (*query.Result, error)
	// Facets counts the whole answer, with the most values most of each kind.
	Facets(ctx context.Context, q query.Query, most int) (*query.Facets, error)
	// ASNeighbors tells where an AS stands in the paths at a moment, with the most
	// values most of each kind.
	ASNeighbors(ctx context.Context, asn route.ASN, at query.Moment, most int) (*query.Neighbors, error)
	// Explain tells how q would be answered, without answering it.
	Explain(ctx context.Context, q query.Query) (query.Plan, error)
	// Stream calls yield with the routes of the whole answer in order, a slice
	// at a time that is valid during the call, until yield fails.
	Stream(ctx context.Context, q query.Query, yield func([]route.Route) error) error
}

// ChangeSearcher tells what happened. Its methods fail like the methods of
// [RouteSearcher].
type ChangeSearcher interface {
	// Changes lists what happened in the span of q.
	Changes(ctx context.Context, q query.Query, p changes.Page) (*changes.List, error)
	// StreamChanges calls yield with all changes of the kinds, or of all kinds,
	// the oldest first, a slice at a time that is valid during the call.
	StreamChanges(ctx context.Context, q query.Query, kinds []changes.Kind, yield func([]changes.Change) error) error
	// StreamNewestChanges is like StreamChanges, the newest first.
	StreamNewestChanges(ctx context.Context, q query.Query, kinds []changes.Kind, yield func([]changes.Change) error) error
}

// PastSearcher answers questions about the past. Its methods fail like the
// methods of [RouteSearcher].
type PastSearcher interface {
	ChangeSearcher

	// PeersAt returns what was known of every peer at a moment, by name, and
	// the moment that this is true for.
	PeersAt(ctx context.Context, at query.Moment) (peers []ribstore.PeerStats, when time.Time, notices []string, err error)
	// Timeline tells what became of the prefix of q, with as many states at most.
	Timeline(ctx context.Context, q query.Query, states int) (*changes.Timeline, error)
	// Compare makes a comparison ready to be counted and paged.
	Compare(ctx context.Context, c compare.Request) (*compare.Comparison, []string, error)
}

// Activity tells what has been happening, since the program started.
type Activity interface {
	// Rate returns the changes of a peer in the last hour, minute by minute.
	Rate(peer string) activity.Rate
	// RateOfAll returns those of all peers.
	RateOfAll() activity.Rate
	// Busiest returns the prefixes that changed most in about the last hour.
	Busiest() activity.Busiest
	// Growth returns how large the table was and is now, the oldest first.
	Growth() []activity.Sample
}

// Store answers questions about routes, and says what it holds.
type Store interface {
	Searcher
	Activity
	Stats() ribstore.Stats
	// Peer returns what is held of the peer, and false when nothing was ever
	// heard of it.
	Peer(name string) (ribstore.PeerStats, bool)
}

// Collections are histories that were imported from files.
type Collections interface {
	List() ([]string, error)
	// Get returns a collection as an audience sees it, and
	// ribstore.ErrNoCollection when none has the name.
	Get(name string, to route.Audience) (Collection, error)
}

// Collection is a history that was imported from files.
type Collection interface {
	Searcher
	Stats() history.Stats
	Files() []string // that it was imported from; none: not known
}

// Sessions tells about the neighbours. What it returns is the caller's to keep.
type Sessions interface {
	Sessions() []route.Session
	Session(name string) (route.Session, bool)
	// Malformed returns the last malformed messages of a peer, the newest first.
	Malformed(name string) []route.Malformed
}

// Names says in words what AS numbers and communities mean, and finds ASes by
// their names.
type Names interface {
	AS(asn route.ASN) string
	// Explain says what a community means on a route that was heard from and by
	// way of these ASes.
	Explain(c names.Community, heard []route.ASN) string
	// Complete finds at most limit ASes by what was typed of a name or number.
	Complete(typed string, limit int) []names.Match
}

// Info is what the program says of itself.
type Info struct {
	Version   string
	ASN       route.ASN
	RouterID  netip.Addr
	StartedAt time.Time
}

// Config bounds one question.
type Config struct {
	QueryTimeout time.Duration // for one search, its wait for a place included
}

// Sources are what the answers of all audiences are made from. Store, Sessions,
// Logger, Registerer, Now, Names and Budget must be set.
type Sources struct {
	Store    Store
	Sessions Sessions
	Names    Names
	Info     Info
	// Refused returns the last connections that got no session, the newest first, and
	// what the kernel counts of TCP-MD5. nil: there are none.
	Refused  func() ([]route.Attempt, route.MD5Errors)
	Identity func() (route.ASN, netip.Addr) // of Info, when a reload may change them; nil: they stay
	Now      func() time.Time

	Logger     *slog.Logger
	Registerer prometheus.Registerer

	// Budget bounds what is under way at a time. It must be set.
	Budget *ribstore.Budget

	// For returns the store as an audience sees it. nil: there is one audience,
	// which sees everything.
	For func(to route.Audience) Searcher

	// Subscribe returns a subscription to changes of the table, and SessionChanges
	// a channel that has something to receive after a session changed, until stop
	// is called. nil: nobody tells.
	Subscribe      func(interest tap.Interest, size int) *tap.Subscription
	SessionChanges func() (changed <-chan struct{}, stop func())

	// Notices returns what an operator should know beside what sessions say, by the
	// peer that it is about, "" for the program. nil: nothing.
	Notices func() map[string][]route.Notice

	History   func() history.Stats          // nil: the past is not kept
	Snapshots func() []history.SnapshotInfo // which there are, oldest first; nil: they are not listed

	Collections Collections // nil: there are none
	// Opened is the collection that questions are about which name none: there are no
	// routers beside it. "": they are about the store.
	Opened string
	// Export writes the answer to a query as MRT: routes, or changes when the
	// query has a span. nil: MRT is not offered.
	Export func(ctx context.Context, w io.Writer, from Searcher, q query.Query) error
}

type (
	// PeerStats count what the table holds of a peer.
	PeerStats = ribstore.PeerStats
	// Totals count what the table holds.
	Totals = ribstore.Stats
	// Rate is how much changed in the last hour, minute by minute.
	Rate = activity.Rate
	// Busiest are the prefixes that changed most.
	Busiest = activity.Busiest
	// Sample says how large the table was at a moment.
	Sample = activity.Sample
	// Snapshot describes a snapshot of the history.
	Snapshot = history.SnapshotInfo
	// Kept says what a history keeps.
	Kept = history.Stats
)
