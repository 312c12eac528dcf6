package httpapi

import (
	"context"
	"io"
	"log/slog"
	"net/netip"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"ribglass/httpapi/admin"
	"ribglass/httpapi/ask"
	"ribglass/httpapi/web"
	"ribglass/ribstore"
	"ribglass/ribstore/history"
	"ribglass/ribstore/query"
	"ribglass/ribstore/route"
	"ribglass/ribstore/tap"
	"ribglass/ui/names"
	"ribglass/ui/site"
)

type (
	// Searcher answers questions about routes.
	Searcher = ask.Searcher
	// Store answers questions about routes, and says what it holds.
	Store = ask.Store
	// Sessions tells about the neighbors.
	Sessions = ask.Sessions
	// Names gives names to numbers.
	Names = ask.Names
	// Info is what the program says of itself.
	Info = ask.Info
	// Loading is how far the loading of what was recorded is.
	Loading = web.Loading

	// Admin is the operator's listener.
	Admin = admin.Admin
	// AdminConfig says how the operator's listener behaves.
	AdminConfig = admin.Config
	// AdminDeps are what the operator's listener works with.
	AdminDeps = admin.Deps
)

// DefaultAdminConfig returns the settings of the operator's listener that hold
// where the configuration is silent.
func DefaultAdminConfig() AdminConfig { return admin.DefaultConfig() }

// NewAdmin returns an operator's listener that does nothing until Run. It fails
// when cfg is not valid.
func NewAdmin(cfg AdminConfig, deps AdminDeps) (*Admin, error) { return admin.New(cfg, deps) }

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

// Deps are what a Server works with. Store, Sessions, Logger and Registerer
// must be set.
type Deps struct {
	Store      Store
	Sessions   Sessions
	Logger     *slog.Logger
	Registerer prometheus.Registerer
	Info       Info
	// Refused returns the last connections that got no session, the newest first, and
	// what the kernel counts of TCP-MD5. nil: there are none.
	Refused  func() ([]route.Attempt, route.MD5Errors)
	Identity func() (route.ASN, netip.Addr) // of Info, when a reload may change them; nil: they stay
	Now      func() time.Time               // nil means time.Now

	History   History                       // nil: the past is not kept
	Snapshots func() []history.SnapshotInfo // which there are, oldest first; nil: they are not listed

	Collections Collections // nil: there are none
	Opened      string      // the collection that questions are about which name none; "": they are about the store
	Names       Names       // nil: numbers have none
	Site        *site.Site  // what the operator says of it at the start; nil: nothing
	// Export writes the answer to a query as MRT: routes, or changes when the
	// query has a span. nil: MRT is not offered.
	Export func(ctx context.Context, w io.Writer, from Searcher, q query.Query) error

	// Loading tells what must be read before anything can be answered, and nil when all is
	// read. nil: there is nothing.
	Loading func() *Loading

	// Budget bounds what is under way at a time. nil: the defaults do.
	Budget *ribstore.Budget
	// For returns the store as an audience sees it. nil: there is one audience,
	// which sees everything.
	For func(to route.Audience) Searcher
	// Notices returns what an operator should know beside what sessions say, by the
	// peer that it is about, "" for the program. nil: nothing.
	Notices func() map[string][]route.Notice

	// Subscribe and SessionChanges tell live pages that something changed. nil:
	// nobody tells them.
	Subscribe      func(interest tap.Interest, size int) *tap.Subscription
	SessionChanges func() (changed <-chan struct{}, stop func())
}

// named returns what gives names: something that has none when there is nothing.
func (d *Deps) named() Names {
	if d.Names == nil {
		return new(names.Keeper)
	}
	return d.Names
}

// sources returns what readers ask.
func (d *Deps) sources() ask.Sources {
	s := ask.Sources{
		Budget: d.Budget, For: d.For, Notices: d.Notices, Subscribe: d.Subscribe, SessionChanges: d.SessionChanges,
		Store: d.Store, Sessions: d.Sessions, Names: d.named(), Info: d.Info, Identity: d.Identity, Refused: d.Refused, Now: d.Now, Logger: d.Logger,
		Registerer: d.Registerer,
		Snapshots:  d.Snapshots, Export: d.Export, Opened: d.Opened,
	}
	if d.History != nil {
		s.History = d.History.Stats
	}
	if d.Collections != nil {
		s.Collections = collections{d.Collections}
	}
	return s
}

// collections gives out collections as an audience sees them.
type collections struct{ of Collections }

// List returns the names of the collections in order.
func (c collections) List() ([]string, error) { return c.of.List() }

// Get returns a collection as an audience sees it.
func (c collections) Get(name string, to route.Audience) (ask.Collection, error) {
	archive, err := c.of.Get(name)
	if err != nil {
		return nil, err
	}
	return collection{archive.For(to), archive}, nil
}

// collection is a collection as an audience sees it.
type collection struct {
	*ribstore.Reader

	archive *ribstore.Archive
}

// Stats tells what the collection holds.
func (c collection) Stats() history.Stats { return c.archive.Stats() }

// Files returns the names of the files that the collection was imported from.
func (c collection) Files() []string { return c.archive.Files }
