package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"ribglass/cmd/ribglass/build"
	"ribglass/cmd/ribglass/config"
	"ribglass/cmd/ribglass/dump"
	"ribglass/cmd/ribglass/exit"
	"ribglass/cmd/ribglass/intake"
	"ribglass/httpapi"
	"ribglass/ribstore"
	"ribglass/ribstore/route"
	"ribglass/ui/names"
)

// opening is one run of `ribglass open`.
type opening struct {
	files      []string
	keep       string // directory; "": a temporary directory, removed at the end
	collection string // "": the name of the first file
	listen     string
	strict     bool
	verbose    bool

	out, notes io.Writer
}

// defaultOpenListen is where open listens, unless that is in use.
const defaultOpenListen = "localhost:8080"

func openCommand() *cobra.Command {
	var o opening
	c := &cobra.Command{
		Use:   "open [--keep DIRECTORY] {FILE|DIRECTORY|-}…",
		Short: "Read MRT files and open the looking glass on them",
		Long: `Open reads MRT files as import does, plain or compressed by gzip, bzip2 or zstd,
and serves the pages and the API on what is in them: without a configuration, a
router, or root. Of a directory all files are read; "-" is standard input.

What is read goes to a temporary directory, which is removed at the end. With
--keep it goes to a directory of yours, and stays: the next open adds to it, or,
without a file, opens what is there. That directory can be the data_dir of a
server.

Exit status: 0 ended by a signal, 1 failed, 2 wrong usage.`,
		Example: `  ribglass open rrc01.bview.20241001.0000.gz rrc01.updates.20241001.*.gz
  curl -s https://data.ris.ripe.net/rrc01/latest-bview.gz | ribglass open -
  ribglass open --keep october route-views.sydney/bgpdata/2024.10/
  ribglass open --keep october`,
		RunE: func(c *cobra.Command, args []string) error {
			o.files, o.out, o.notes = args, c.OutOrStdout(), c.ErrOrStderr()
			if len(args) == 0 && o.keep == "" {
				return exit.UsageError{Err: errors.New("want the files to read, or --keep with the directory to open")}
			}
			ctx, stop := signal.NotifyContext(c.Context(), syscall.SIGTERM, syscall.SIGINT)
			defer stop()
			context.AfterFunc(ctx, stop) // the second signal kills
			return o.run(ctx)
		},
	}
	f := c.Flags()
	f.StringVar(&o.keep, "keep", "", "keep what is read in this `directory`, which is made when it is not there")
	f.StringVar(&o.collection, "collection", "", "`name` of the collection (default: made of the first file's name)")
	// The only error of registering is a flag that does not exist.
	_ = c.RegisterFlagCompletionFunc("collection", completeStored(func() (string, error) { return o.keep, nil }, 0))
	f.StringVar(&o.listen, "listen", "", "`address` for HTTP (default "+defaultOpenListen+", another port when it is in use)")
	f.BoolVar(&o.strict, "strict", false, "open nothing when something has to be passed over")
	f.BoolVarP(&o.verbose, "verbose", "v", false, "tell of 10,000 errors of each file instead of the first 20")
	_ = c.MarkFlagDirname("keep") // its only error is a flag that does not exist
	return c
}

// run reads the files and serves what is in them until ctx ends.
func (o *opening) run(ctx context.Context) (err error) {
	listener, err := o.bind(ctx) // an address that cannot be had is told before the files are read
	if err != nil {
		return err
	}
	defer listener.Close() // what serves closes it too
	dir := o.keep
	if dir == "" {
		if dir, err = os.MkdirTemp("", "ribglass-open-"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	}
	shareProcessors()
	applyMemory(config.Memory{})
	if err := o.read(ctx, dir); err != nil {
		if ctx.Err() != nil {
			return nil // that is how it ends
		}
		return err
	}
	return o.serve(ctx, dir, listener)
}

// bind takes the address to serve on.
func (o *opening) bind(ctx context.Context) (net.Listener, error) {
	var lc net.ListenConfig
	if o.listen != "" {
		l, err := lc.Listen(ctx, "tcp", o.listen)
		if err != nil {
			return nil, fmt.Errorf("--listen: %w", err)
		}
		return l, nil
	}
	l, err := lc.Listen(ctx, "tcp", defaultOpenListen)
	if errors.Is(err, syscall.EADDRINUSE) {
		return lc.Listen(ctx, "tcp", "localhost:0")
	}
	return l, err
}

// read imports the files. What is damaged is told and no failure.
func (o *opening) read(ctx context.Context, dir string) error {
	if o.collection == "" {
		o.collection = collectionNameOf(o.files)
	}
	if len(o.files) == 0 {
		return o.choose(dir)
	}
	where := dir
	if o.keep == "" {
		where += ", removed at the end (--keep DIRECTORY keeps it)"
	}
	fmt.Fprintf(o.notes, "reading into %s\n", where)
	i := &intake.Import{DataDir: dir, Collection: o.collection, Files: o.files, Strict: o.strict}
	if o.verbose {
		i.Errors = 10_000
	}
	err := runImport(ctx, i, o.out, o.notes)
	if errors.Is(err, exit.ErrPartly) {
		return nil
	}
	return err
}

// choose makes sure that there is something to open, and finds what the first page
// is about.
func (o *opening) choose(dir string) error {
	list, err := ribstore.NewCollections(dir, ribstore.DefaultConfig(), ribstore.Deps{}).List()
	switch {
	case err != nil:
		return err
	case len(list) == 0:
		return fmt.Errorf("%s has no collection: name files to read", dir)
	case o.collection == "":
		o.collection = list[0]
	case !slices.Contains(list, o.collection):
		return fmt.Errorf("%s has no collection %s; it has %s", dir, o.collection, strings.Join(list, ", "))
	}
	return nil
}

// collectionNameOf makes the name of a collection out of the name of the first file:
// up to what packs or numbers it.
func collectionNameOf(files []string) string {
	if len(files) == 0 {
		return ""
	}
	if files[0] == intake.Stdin {
		return "stdin"
	}
	name := strings.ToLower(filepath.Base(filepath.Clean(files[0])))
	if absolute, err := filepath.Abs(files[0]); err == nil {
		name = strings.ToLower(filepath.Base(absolute))
	}
	for _, suffix := range []string{".gz", ".bz2", ".zst", ".mrt"} {
		name = strings.TrimSuffix(name, suffix)
	}
	name = strings.Trim(noName.ReplaceAllString(name, "-"), "-._")
	if name = name[:min(len(name), 63)]; !ribstore.CollectionName.MatchString(name) {
		return "files"
	}
	return name
}

// noName is what names of collections do not have.
var noName = regexp.MustCompile(`[^a-z0-9._-]+`)

// serve answers until ctx ends.
func (o *opening) serve(ctx context.Context, dir string, listener net.Listener) error {
	cfg, log := config.Default(), slog.New(slog.NewTextHandler(o.notes, &slog.HandlerOptions{Level: slog.LevelWarn}))
	registry := prometheus.NewRegistry()
	budget, err := newBudget(&cfg, registry)
	if err != nil {
		return err
	}
	// The store of what no router says.
	store, err := ribstore.New(cfg.Search, ribstore.Deps{Logger: log, Registerer: registry, Now: time.Now, Budget: budget})
	if err != nil {
		return err
	}
	collections := ribstore.NewCollections(dir, cfg.Search, ribstore.Deps{Logger: log, Now: time.Now, Budget: budget})
	named := new(names.Keeper)
	exporter := &dump.Exporter{Logger: log}
	deps := httpapi.Deps{
		Store: store, Sessions: noSessions{}, Logger: log, Registerer: registry, Collections: collections, Opened: o.collection, Names: named,
		Info: httpapi.Info{Version: build.Version(), StartedAt: time.Now()}, Budget: budget, Export: exporter.Export,
	}
	if err := named.Load(cfg.Names); err != nil {
		log.WarnContext(ctx, "names cannot be read", "error", err)
	}
	server, err := httpapi.New(cfg.HTTP, deps) //nolint:contextcheck // requests have contexts of their own
	if err != nil {
		return errors.Join(err, collections.Close())
	}
	fmt.Fprintf(o.out, "open %s/ in a browser; Ctrl-C ends it\n", browse(listener.Addr()))
	batches := make(chan route.Batch)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		defer close(batches)
		return server.Serve(ctx, listener)
	})
	group.Go(func() error { return store.Run(context.WithoutCancel(ctx), batches) })
	return errors.Join(group.Wait(), collections.Close())
}

// noSessions are the sessions of a program that has no neighbors.
type noSessions struct{}

// Sessions returns none.
func (noSessions) Sessions() []route.Session { return nil }

// Session finds none.
func (noSessions) Session(string) (s route.Session, ok bool) { return s, false }

// Malformed returns none.
func (noSessions) Malformed(string) []route.Malformed { return nil }
