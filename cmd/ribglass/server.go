package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"reflect"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"golang.org/x/sync/errgroup"

	"ribglass/cmd/ribglass/build"
	"ribglass/cmd/ribglass/config"
	"ribglass/cmd/ribglass/demo"
	"ribglass/cmd/ribglass/dump"
	"ribglass/collector/bgp"
	"ribglass/httpapi"
	"ribglass/ribstore"
	"ribglass/ribstore/history"
	"ribglass/ribstore/route"
	"ribglass/ui/names"
)

// pending is how many batches may wait between collector and store. A session
// fills a batch with what one read of its connection gave, so this is some
// megabytes at most; when it is full, the routers wait.
const pending = 256

// server is the program while it serves: the collector, the store, the two web
// servers, and what connects them. It is made with newServer and run once.
type server struct {
	cfg   *config.Config // as last loaded; only run's reload loop touches it after newServer
	level *slog.LevelVar
	log   *slog.Logger

	batches chan route.Batch
	bgp     *bgp.Collector
	history *history.History // nil: the past is not kept
	store   *ribstore.Store
	budget  *ribstore.Budget // of the store, the collections and the web server
	resumed chan struct{}    // closed when the store has what was recorded

	collections *ribstore.Collections // nil without a data directory
	names       names.Keeper

	http  *httpapi.Server
	admin *httpapi.Admin

	httpListener, adminListener *listener
}

// newServer makes the components, binds the addresses of the web servers, so
// that an address in use is an error at once. Nothing runs yet.
func newServer(ctx context.Context, cfg *config.Config, logTo io.Writer) (*server, error) {
	s := &server{cfg: cfg, level: new(slog.LevelVar), batches: make(chan route.Batch, pending), resumed: make(chan struct{})}
	s.level.Set(cfg.Log.Level)
	s.log = newLogger(logTo, cfg.Log.Format, s.level)
	err := s.prepare(ctx, cfg)
	if err == nil {
		err = s.makeComponents(cfg) //nolint:contextcheck // requests have contexts of their own
	}
	if err == nil {
		err = s.listen(ctx, cfg)
	}
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	if s.history == nil { // there is nothing to resume
		close(s.resumed)
	}
	return s, nil
}

// prepare makes the history that a demonstration begins with.
func (s *server) prepare(ctx context.Context, cfg *config.Config) error {
	if !cfg.Demo.Day {
		return nil
	}
	return demo.Prepare(ctx, cfg, historyPath(cfg.DataDir), time.Now(), s.log.With("component", "demo"))
}

func (s *server) listen(ctx context.Context, cfg *config.Config) error {
	var err error
	if s.httpListener, err = listen(ctx, cfg.HTTP.Listen); err != nil {
		return fmt.Errorf("http: %w", err)
	}
	if s.adminListener, err = listen(ctx, cfg.Admin.Listen); err != nil {
		return fmt.Errorf("admin: %w", err)
	}
	return nil
}

// close closes what newServer opened, for a server that does not run.
func (s *server) close() error {
	var errs []error
	for _, l := range []*listener{s.httpListener, s.adminListener} {
		if l != nil {
			errs = append(errs, l.Close())
		}
	}
	return errors.Join(append(errs, s.closeHistory())...)
}

func (s *server) makeComponents(cfg *config.Config) error {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	var err error
	if s.budget, err = newBudget(cfg, registry); err != nil {
		return err
	}
	s.applyProcess(cfg)
	if s.history, err = openHistory(cfg, s.log.With("component", "history"), registry); err != nil {
		return err
	}
	s.store, err = ribstore.New(cfg.Search, ribstore.Deps{
		Logger: s.log.With("component", "ribstore"), Registerer: registry, Now: time.Now, History: s.history, Budget: s.budget,
	})
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	s.bgp, err = bgp.New(cfg.BGP(), bgp.Deps{
		Logger: s.log.With("component", "collector"), Registerer: registry, Out: s.batches, Prefixes: s.store.Prefixes,
		AttributeBytes: s.store.AttributeBytes, NotKept: s.store.NotKept,
	})
	if err != nil {
		return fmt.Errorf("collector: %w", err)
	}
	exporter := &dump.Exporter{Identity: s.bgp.Identity, Logger: s.log.With("component", "export")}
	deps := httpapi.Deps{
		Store: s.store, Sessions: s.bgp, Logger: s.log.With("component", "httpapi"), Registerer: registry,
		Info:     httpapi.Info{Version: build.Version(), ASN: cfg.ASN, RouterID: cfg.RouterID, StartedAt: time.Now()},
		Identity: s.bgp.Identity,
		Refused:  func() ([]route.Attempt, route.MD5Errors) { return s.bgp.Attempts(), s.bgp.MD5Errors() },
		Export:   exporter.Export,
		Notices:  s.notices,
		Budget:   s.budget, Subscribe: s.store.Subscribe, SessionChanges: s.bgp.SessionChanges,
		For:  func(to route.Audience) httpapi.Searcher { return s.store.For(to) },
		Site: cfg.Site, Loading: s.loading,
	}
	s.offerPast(cfg, &deps)
	s.loadNames(cfg.Names)
	ases, dictionaries, definitions := s.names.Counts()
	s.log.Info("names loaded", "ases", ases, "community_files", dictionaries, "communities", definitions)
	deps.Names = &s.names
	if s.http, err = httpapi.New(cfg.HTTP, deps); err != nil {
		return err
	}
	s.admin, err = httpapi.NewAdmin(cfg.Admin, httpapi.AdminDeps{
		Store: s.store, Sessions: s.bgp, Gatherer: registry, Logger: s.log.With("component", "admin"),
		Refresh: s.bgp.Refresh, Snapshot: s.store.Snapshot, Forget: s.bgp.Forget, Loading: s.loading,
	})
	return err
}

// newBudget returns the budget of work that the store, the collections and the
// web server share.
func newBudget(cfg *config.Config, r prometheus.Registerer) (*ribstore.Budget, error) {
	limits := cfg.Search.Limits()
	limits[ribstore.Streams].Places = cfg.HTTP.MaxStreams
	limits[ribstore.Comparisons].Wait = cfg.HTTP.QueryTimeout
	b, err := ribstore.NewBudget(limits, r)
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	return b, nil
}

// loadNames changes over to the files of names as they are now. Names are no
// reason to be without routes: what is wrong with a file is logged, and the names
// that were there stay.
func (s *server) loadNames(cfg names.Config) {
	if err := s.names.Load(cfg); err != nil {
		s.log.Error("names: a file cannot be read, the previous names stay", "error", err)
	}
}

// offerPast gives the web server what a data directory has. An interface stays
// nil without one.
func (s *server) offerPast(cfg *config.Config, deps *httpapi.Deps) {
	if s.history != nil {
		deps.History, deps.Snapshots = s.history, s.history.Snapshots
	}
	if cfg.DataDir == "" {
		return
	}
	s.collections = ribstore.NewCollections(cfg.DataDir, cfg.Search, ribstore.Deps{
		Logger: s.log.With("component", "collections"), Now: time.Now, Budget: s.budget,
	})
	deps.Collections = s.collections
}

// run serves until ctx ends or a component fails. It returns within five
// seconds of either.
func (s *server) run(ctx context.Context, load func() (*config.Config, error), hangups <-chan os.Signal) error {
	group, ctx := errgroup.WithContext(ctx)
	cfg := s.cfg // from here on s.cfg is the reload's
	group.Go(func() error {
		// Sessions that end with the program are still told to the store, so it
		// runs until the collector cannot send any more.
		defer close(s.batches)
		return explainBind(s.bgp.Run(ctx))
	})
	group.Go(func() error { return s.resume(ctx) })
	group.Go(func() error { return s.http.Serve(ctx, s.httpListener) })
	group.Go(func() error { return s.admin.Serve(ctx, s.adminListener) })
	group.Go(func() error { return s.reloadOn(ctx, load, hangups) })
	group.Go(func() error { return s.started(ctx, cfg) })
	group.Go(func() error { return s.giveBack(ctx) })
	group.Go(func() error { return s.obey(ctx) })
	stopping := context.AfterFunc(ctx, func() {
		s.log.InfoContext(ctx, "stopping")
		s.tellSupervisor("STOPPING=1")
	})
	defer stopping()
	err := errors.Join(group.Wait(), s.closeHistory())
	s.log.InfoContext(ctx, "stopped")
	return err
}

// started waits until everything listens and the table has what was recorded, then says
// so to whoever waits for it, and plays the demonstration where one is configured.
func (s *server) started(ctx context.Context, cfg *config.Config) error {
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for len(s.bgp.Addresses()) < len(cfg.Listen) || !s.isResumed() {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
	for _, l := range []*listener{s.httpListener, s.adminListener} {
		select {
		case <-ctx.Done():
			return nil
		case <-l.accepting:
		}
	}
	addresses := s.bgp.Addresses()
	s.log.InfoContext(ctx, "ribglass is ready", "version", build.Version(), "open", browse(s.httpListener.Addr()), "asn", cfg.ASN.String(),
		"bgp", fmt.Sprint(addresses), "admin", browse(s.adminListener.Addr()), "neighbors", len(cfg.Neighbors))
	s.tellSupervisor("READY=1")
	if len(cfg.Demo.Speakers) == 0 {
		return nil
	}
	return demo.Run(ctx, cfg, addresses[0], s.log.With("component", "demo"))
}

// reloadOn loads the configuration again for every hangup.
func (s *server) reloadOn(ctx context.Context, load func() (*config.Config, error), hangups <-chan os.Signal) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-hangups:
			s.reload(load)
		}
	}
}

// reload changes over to the configuration as it is now. One that has mistakes
// changes nothing.
func (s *server) reload(load func() (*config.Config, error)) {
	cfg, err := load()
	if err != nil {
		for _, line := range reloadErrors(err) {
			s.log.Error("reload: mistake in the configuration", "error", line)
		}
		s.log.Error("reload: the old configuration stays in force")
		return
	}
	s.applyProcess(cfg)
	if err := s.bgp.Reload(cfg.BGP()); err != nil {
		s.log.Error("reload: not everything could be changed", "error", err)
	}
	if err := s.http.SetSite(cfg.Site); err != nil {
		s.log.Error("reload: the pages stay as they were", "error", err)
	}
	for key, changed := range map[string]bool{
		"http":       !reflect.DeepEqual(cfg.HTTP, s.cfg.HTTP),
		"admin":      !reflect.DeepEqual(cfg.Admin, s.cfg.Admin),
		"search":     cfg.Search != s.cfg.Search,
		"data_dir":   cfg.DataDir != s.cfg.DataDir,
		"history":    !reflect.DeepEqual(cfg.History, s.cfg.History),
		"log.format": cfg.Log.Format != s.cfg.Log.Format,
		"demo":       !reflect.DeepEqual(cfg.Demo, s.cfg.Demo),
	} {
		if changed {
			s.log.Warn("reload: a changed setting takes effect at the next start", "key", key)
		}
	}
	s.cfg = cfg
	s.loadNames(cfg.Names)
	ases, _, definitions := s.names.Counts()
	s.log.Info("reloaded", "neighbors", len(cfg.Neighbors), "dynamic_neighbors", len(cfg.DynamicNeighbors),
		"ases", ases, "communities", definitions)
}

// applyProcess puts the settings in force that belong to the whole process.
func (s *server) applyProcess(cfg *config.Config) {
	s.level.Set(cfg.Log.Level)
	s.budget.Memory().SetLimit(applyMemory(cfg.Memory))
}

func newLogger(w io.Writer, format config.Format, level slog.Leveler) *slog.Logger {
	options := &slog.HandlerOptions{Level: level}
	if format == config.FormatJSON {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

// tellSupervisor sends a state to systemd, when it started the program with
// Type=notify (sd_notify(3)).
func (s *server) tellSupervisor(state string) {
	socket := os.Getenv("NOTIFY_SOCKET")
	if socket == "" {
		return
	}
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		s.log.Warn("cannot reach the supervisor", "error", err)
		return
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, state); err != nil {
		s.log.Warn("cannot tell the supervisor", "state", state, "error", err)
	}
}
