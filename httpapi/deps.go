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

// Store answers questions about routes. Its methods may be called by many
// goroutines at once and never wait for a writer.
type Store interface {
	// Search returns one page of the routes that q selects. Routes of one
	// prefix follow each other and are never split between pages. A cursor that
	// it did not give out is query.ErrCursor.
	Search(ctx context.Context, q query.Query, p query.Page) (*query.Result, error)
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
