package httpapi

import (
	"context"
	"io"
	"log/slog"
	"net/netip"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"ribglass/ribstore"
	"ribglass/ribstore/activity"
	"ribglass/ribstore/history"
	"ribglass/ribstore/query"
	"ribglass/ribstore/route"
	"ribglass/ui/site"
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
	// Around tells where an AS stands in the paths at a moment, with the most
	// values most of each kind.
	Around(ctx context.Context, asn route.ASN, at query.Moment, most int) (*query.Transit, error)
	// Explain tells how q would be answered, without answering it.
	Explain(ctx context.Context, q query.Query) (query.Plan, error)
	// Stream calls yield with the routes of the whole answer in order, a slice
	// at a time that is valid during the call, until yield fails.
	Stream(ctx context.Context, q query.Query, yield func([]route.Route) error) error
}

// PastSearcher answers questions that only one who remembers can answer. Its
// methods fail as those of [RouteSearcher].
type PastSearcher interface {
	// PeersAt returns what was known of every peer at a moment, by name, and
	// the moment that this is true for.
	PeersAt(ctx context.Context, at query.Moment) (peers []ribstore.PeerStats, when time.Time, notices []string, err error)
	// Changes lists what happened in the span of q.
	Changes(ctx context.Context, q query.Query, p query.ChangePage) (*query.ChangeList, error)
	// StreamChanges calls yield with all changes of the kinds, or of all kinds,
	// the oldest first, a slice at a time that is valid during the call.
	StreamChanges(ctx context.Context, q query.Query, kinds []query.ChangeKind, yield func([]query.Change) error) error
	// Timeline tells what became of the prefix of q, with as many states at most.
	Timeline(ctx context.Context, q query.Query, states int) (*query.Timeline, error)
	// Compare makes a comparison ready to be counted and paged.
	Compare(ctx context.Context, c ribstore.Contrast) (*query.Comparison, []string, error)
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

// History tells what is kept of the past.
type History interface {
	Stats() history.Stats
}

// Collections are histories that were imported from files.
type Collections interface {
	List() ([]string, error)
	// Get returns a collection, and ribstore.ErrNoCollection when there is none
	// of the name.
	Get(name string) (*ribstore.Archive, error)
}

// Sessions tells about the neighbours. What it returns is the caller's to keep.
type Sessions interface {
	Sessions() []route.Session
	Session(name string) (route.Session, bool)
}

// Info is what the program says of itself.
type Info struct {
	Version   string
	ASN       route.ASN
	RouterID  netip.Addr
	StartedAt time.Time
}

// Deps are what a Server works with. Store, Sessions, Logger and Registerer
// must be set.
type Deps struct {
	Store      Store
	Sessions   Sessions
	Logger     *slog.Logger
	Registerer prometheus.Registerer
	Info       Info
	Now        func() time.Time // nil means time.Now

	History   History                       // nil: the past is not kept
	Snapshots func() []history.SnapshotInfo // which there are, oldest first; nil: they are not listed

	Collections Collections // nil: there are none
	Names       Names       // nil: numbers have none
	Site        *site.Site  // what the operator says of it at the start; nil: nothing
	// Export writes the answer to a query as MRT: routes, or changes when the
	// query has a span. nil: MRT is not offered.
	Export func(ctx context.Context, w io.Writer, from Searcher, q query.Query) error
}
