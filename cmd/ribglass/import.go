package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"ribglass/cmd/ribglass/config"
	"ribglass/cmd/ribglass/exit"
	"ribglass/cmd/ribglass/intake"
	"ribglass/cmd/ribglass/terminal"
)

// dataDir is where a command finds what a server keeps: a directory, or the one
// of a configuration.
type dataDir struct{ dir, config string }

func (d *dataDir) flags(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&d.dir, "data-dir", "", "`directory` of the server's data, instead of the configuration's data_dir")
	f.StringVarP(&d.config, "config", "c", cmp.Or(os.Getenv("RIBGLASS_CONFIG"), defaultConfigFile), "configuration `file` with the data_dir (environment: RIBGLASS_CONFIG)")
	// The only errors of marking are flags that do not exist.
	_ = c.MarkFlagDirname("data-dir")
	_ = c.MarkFlagFilename("config", "yaml", "yml")
	c.MarkFlagsMutuallyExclusive("data-dir", "config")
}

// find returns the directory.
func (d *dataDir) find() (string, error) {
	if d.dir != "" {
		return filepath.Abs(d.dir)
	}
	cfg, err := config.Load(d.config, config.Overrides{})
	if errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("%w, or the directory with --data-dir", err)
	}
	if err != nil {
		return "", err
	}
	if cfg.DataDir == "" {
		return "", fmt.Errorf("%s has no data_dir: add a line such as \"data_dir: /var/lib/ribglass\", or name a directory with --data-dir", d.config)
	}
	return cfg.DataDir, nil
}

func importCommand() *cobra.Command {
	var (
		place      dataDir
		collection string
		verbose    bool
		strict     bool
		replace    bool
	)
	c := &cobra.Command{
		Use:   "import --collection NAME {FILE|DIRECTORY|-}…",
		Short: "Import recorded routes and updates into a collection",
		Long: `Import reads MRT files, tables and updates as RouteViews, RIPE RIS, BIRD, FRR
and OpenBGPD write them, plain or compressed by gzip, bzip2 or zstd. They become
a collection: a history of its own, which is queried like the live table and its
past, and never changes but by another import. Of a directory all files are read;
"-" is standard input, and pipes are read as they come.

Files are put into the order of time and merged where they overlap; those of one
collection should be of one collector, because its peers are known by address
and AS number. More files can be added later: behind the end of the collection,
before its beginning, or between, which reads the collection again. With --replace
they take its place.
A table takes the place of what its peers had announced before.

Damage costs the records that have it; what was passed over is told at the end,
with the number and the offset of the record, and so is what was malformed
(RFC 7606), with the first prefixes. Routes are read all the same where octets
stand between records, where a record is longer or shorter than it says: the next
record is looked for. Updates with path identifiers that their records do not tell
of are read as what they are. With --strict nothing is imported when something had
to be passed over.
The collection is there when the import is complete, for a running server too;
when it fails or is interrupted, nothing changes.

Exit status: 0 imported, 1 failed, 2 wrong usage, 3 imported, but for what is
damaged. Records of other types, and entries of a table that no router could have
sent, are no damage.`,
		Example: `  ribglass import --collection rrc01 rrc01.bview.20241001.0000.gz rrc01.updates.20241001.*.gz
  ribglass import --collection rrc01 --data-dir /var/lib/ribglass rrc01.updates.20241002.*.gz
  ribglass import --collection sydney route-views.sydney/bgpdata/2024.10/
  curl -s https://data.ris.ripe.net/rrc01/latest-bview.gz | ribglass import --collection rrc01 -
  ribglass lookup 192.0.2.1 --collection rrc01 --at 2024-10-01T00:05Z`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			dir, err := place.find()
			if err != nil {
				return err
			}
			ctx, stop := signal.NotifyContext(c.Context(), syscall.SIGTERM, syscall.SIGINT)
			defer stop()
			shareProcessors()
			applyMemory(config.Memory{})
			i := &intake.Import{DataDir: dir, Collection: collection, Files: args, Strict: strict, Replace: replace}
			if verbose {
				i.Errors = 10_000
			}
			return runImport(ctx, i, c.OutOrStdout(), c.ErrOrStderr())
		},
	}
	place.flags(c)
	c.Flags().BoolVarP(&verbose, "verbose", "v", false, "tell of 10,000 errors of each file instead of the first 20")
	c.Flags().BoolVar(&strict, "strict", false, "import nothing when something has to be passed over")
	c.Flags().BoolVar(&replace, "replace", false, "the files take the place of what the collection has")
	c.Flags().StringVar(&collection, "collection", "", "`name` of the collection")
	_ = c.MarkFlagRequired("collection")
	_ = c.RegisterFlagCompletionFunc("collection", completeStored(place.find, 0))
	return c
}

// runImport imports, and tells of it on the way and at the end.
func runImport(ctx context.Context, i *intake.Import, out, notes io.Writer) error {
	line := terminal.NewProgress(notes)
	i.Logger = slog.New(slog.NewTextHandler(notes, &slog.HandlerOptions{Level: slog.LevelWarn}))
	i.Progress = func(p intake.Progress) {
		line.Draw(func(elapsed time.Duration) string { return importing(p, elapsed) })
	}
	started := time.Now()
	sum, err := i.Run(ctx)
	line.End()
	if strict, ok := errors.AsType[*intake.StrictError](err); ok {
		printDamage(notes, strict.Summary)
	}
	switch {
	case errors.Is(err, context.Canceled):
		return fmt.Errorf("interrupted: the collection %s is as it was", i.Collection)
	case err != nil:
		return err
	}
	printDamage(notes, sum)
	took := time.Since(started)
	_, err = fmt.Fprintf(out, "%s: %d changes of %s in %s, %.0f a second\n%s to %s: %s of %s at the end, %s, %s\n",
		i.Collection, sum.Changes, terminal.Several(len(sum.Reports), "file"), took.Round(time.Millisecond), float64(sum.Changes)/took.Seconds(),
		sum.Began.UTC().Format(time.RFC3339), sum.Ends.UTC().Format(time.RFC3339), terminal.Several(sum.Routes, "route"),
		terminal.Several(sum.Peers, "peer"), terminal.Several(sum.Snapshots, "snapshot"), terminal.Amount(sum.Bytes))
	if err == nil && sum.Lost() > 0 {
		err = exit.ErrPartly
	}
	return err
}

// importing says how far an import is, and how long it will take where that is known.
func importing(p intake.Progress, elapsed time.Duration) string {
	seconds := max(elapsed.Seconds(), 0.001)
	far := terminal.Amount(p.Done)
	if p.Total > p.Done {
		left := time.Duration(float64(elapsed) * float64(p.Total-p.Done) / float64(max(p.Done, 1)))
		far = fmt.Sprintf("%3d%%  %s of %s, %s left", terminal.Percent(p.Done, p.Total), far, terminal.Amount(p.Total), left.Round(time.Second))
	}
	return fmt.Sprintf("%s  %s %s  %s  %d routes, %.0f a second",
		far, p.Doing, filepath.Base(p.File), p.At.UTC().Format(time.DateTime), p.Changes, float64(p.Changes)/seconds)
}

// printMalformed tells what was read though it is not as it should be.
func printMalformed(w io.Writer, r *intake.Report) {
	path := terminal.Clean(r.Path)
	for i := range r.MalformedFirst {
		fmt.Fprintf(w, "%s:   %s\n", path, terminal.Clean(r.MalformedFirst[i].String()))
	}
	for _, kind := range slices.Sorted(maps.Keys(r.Malformed)) {
		fmt.Fprintf(w, terminal.Signs("%s: malformed (RFC 7606): %d × %s\n"), path, r.Malformed[kind], kind)
	}
	if r.UnspecifiedNextHops > 0 {
		fmt.Fprintf(w, "%s: %s with next hop 0.0.0.0 or ::, kept as recorded\n", path, terminal.Several(r.UnspecifiedNextHops, "attribute set"))
	}
	if r.UnspecifiedNextHops > 0 {
		fmt.Fprintf(w, "%s: %s with next hop 0.0.0.0 or ::, kept as recorded\n", path, terminal.Several(r.UnspecifiedNextHops, "attribute set"))
	}
	if r.PathIDs > 0 {
		fmt.Fprintf(w, "%s: %s with path identifiers, though the records say that there are none\n", path, terminal.Several(r.PathIDs, "update"))
	}
	if r.Lengthened > 0 {
		fmt.Fprintf(w, "%s: %s, four octets longer than they say\n", path, terminal.Several(r.Lengthened, "table record"))
	}
}

// printDamage tells what could not be read.
func printDamage(w io.Writer, sum *intake.Summary) {
	for i := range sum.Reports {
		r := &sum.Reports[i]
		if r.Foreign != nil {
			fmt.Fprintf(w, "%s: passed over: %s\n", terminal.Clean(r.Path), terminal.Clean(r.Foreign.Error()))
		}
		for _, kind := range slices.Sorted(maps.Keys(r.Skipped)) {
			fmt.Fprintf(w, terminal.Signs("%s: passed over: %d × %s\n"), terminal.Clean(r.Path), r.Skipped[kind], kind)
		}
		if r.SkippedOctets > 0 {
			fmt.Fprintf(w, "%s: passed over: %s of the file, to find the next record\n", terminal.Clean(r.Path), terminal.Amount(r.SkippedOctets))
		}
		for _, err := range r.Errors {
			fmt.Fprintf(w, "%s:   %s\n", terminal.Clean(r.Path), terminal.Clean(err.Error()))
		}
		printMalformed(w, r)
	}
	if sum.Late > 0 {
		fmt.Fprintf(w, "%d records have a time before that of others, or in the future; they count as simultaneous with the last\n", sum.Late)
	}
}
