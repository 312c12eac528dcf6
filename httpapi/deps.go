package httpapi

import (
	"context"
	"log/slog"
	"net/netip"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"ribglass/ribstore"
	"ribglass/ribstore/query"
	"ribglass/ribstore/route"
)

// Searcher answers questions about routes. Its methods may be called by many
// goroutines at once and never wait for a writer.
type Searcher interface {
	// Search returns one page of the routes that q selects. Routes of one
	// prefix follow each other and are never split between pages. A cursor that
	// it did not give out is query.ErrCursor; ribstore.ErrBusy and ErrTooLong
	// are the limits of searches. Facets and Stream fail the same way.
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

// Store answers questions about routes, and says what it holds.
type Store interface {
	Searcher
	Stats() ribstore.Stats
	// Peer returns what is held of the peer, and false when nothing was ever
	// heard of it.
	Peer(name string) (ribstore.PeerStats, bool)
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
}
