// Command ribglass-bench measures Ribglass, and BIRD 2 beside it, on the machine it runs
// on: how long a full table takes over real BGP on loopback, what it costs in
// processor time and memory, and how fast lookups are meanwhile.
//
// The benchmark's own process is the routers: it encodes the UPDATEs of every
// feed before the clock starts and plays them through package player. The
// receivers are child processes, the ribglass that lies beside this binary and
// `bird`, started one after another in a temporary directory, measured through
// /proc, and stopped by their process id. This is the only program of Ribglass
// that starts a process. Everything stays on loopback.
//
// What a part of the program does is measured with that part: the table and the
// history are written by the recorder of package ribstore, and MRT by the
// exporter of package dump.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"syscall"
	"time"

	"github.com/spf13/cobra"
)

// options are the flags of the command.
type options struct {
	file       string
	shape      shape
	bird       string
	binary     string
	format     string
	mostRatio  float64
	timeout    time.Duration
	exchange   bool
	churn      bool
	http       bool
	withdraw   bool
	search     bool
	history    bool
	past       historyOptions
	everything bool
}

func main() {
	if err := command().ExecuteContext(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "ribglass-bench:", err)
		os.Exit(1)
	}
}

// command returns the program as a command.
func command() *cobra.Command {
	var o options
	c := &cobra.Command{
		Use:   "ribglass-bench",
		Short: "Measure Ribglass, and BIRD 2 beside it, with full tables over loopback",
		Long: `Plays full tables over real BGP on loopback into Ribglass and, if it is installed, into BIRD 2, and prints
what that took. The table is that of an MRT file or, without one, of a seeded generator. With --exchange, --churn,
--http, --withdraw, --search or --history only these are measured; with --all everything is.`,
		Args:          cobra.NoArgs,
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE: func(c *cobra.Command, _ []string) error {
			// An interrupt stops the receivers and removes their directories.
			ctx, stop := signal.NotifyContext(c.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			return o.run(ctx, c.OutOrStdout(), c.ErrOrStderr())
		},
	}
	f := c.Flags()
	f.StringVar(&o.file, "mrt", "", "play this MRT table (TABLE_DUMP_V2; gzip, bzip2 or zstd) instead of a generated one")
	f.IntVar(&o.shape.feeds, "feeds", 3, "full feeds to play")
	f.IntVar(&o.shape.ipv4, "v4", 1_000_000, "IPv4 routes of a generated feed")
	f.IntVar(&o.shape.ipv6, "v6", 230_000, "IPv6 routes of a generated feed")
	f.Uint64Var(&o.shape.seed, "seed", 1, "seed of the generator")
	f.StringVar(&o.bird, "bird", "auto", "auto, off, or the path of bird")
	f.StringVar(&o.binary, "ribglass", "", "the ribglass to measure, or off (default the one beside this program, else of the PATH)")
	f.StringVar(&o.format, "format", "table", "table, json, or markdown: rows for docs/performance.md")
	f.Float64Var(&o.mostRatio, "most-ratio", 0, "fail when loading with history takes more than so many times the processor time without; 0: never")
	f.DurationVar(&o.timeout, "timeout", 30*time.Minute, "give up after this long")
	f.BoolVar(&o.exchange, "exchange", false, "an exchange: 900 peers of 500 routes")
	f.BoolVar(&o.churn, "churn", false, "lookups while routes change and a second feed loads")
	f.BoolVar(&o.http, "http", false, "lookups over HTTP on a full table")
	f.BoolVar(&o.withdraw, "withdraw", false, "lookups while a full feed is swept")
	f.BoolVar(&o.search, "search", false, "searches over the whole table, and BIRD's of the same")
	f.BoolVar(&o.history, "history", false, "what the past costs on the disk and how fast it answers")
	o.past.flags(f)
	f.BoolVar(&o.everything, "all", false, "all of these")
	return c
}

func (o *options) run(ctx context.Context, out, progress io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, o.timeout)
	defer cancel()
	write, ok := map[string]func(*report, io.Writer) error{
		"table": (*report).writeTable, "json": (*report).writeJSON, "markdown": (*report).writeMarkdown,
	}[o.format]
	switch {
	case !ok:
		return fmt.Errorf("--format %q: have table, json, markdown", o.format)
	case o.format == "markdown" && o.some():
		return errors.New("--format markdown has the figures of loading feeds only")
	}
	if o.binary == "off" && (o.some() || o.everything) {
		return errors.New("--ribglass off measures BIRD alone: only the feeds")
	}
	// Routers and readers must not wait for each other in this process: with a
	// thread to spare, the Go scheduler sees an answer when it arrives and not
	// when a sender pauses.
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2 * runtime.NumCPU()))
	t, err := o.table(progress)
	if err != nil {
		return err
	}
	result := report{Commit: o.commit(ctx), Machine: describeMachine(), Started: time.Now().UTC().Truncate(time.Second), Table: o.describe()}
	if err := o.measure(ctx, t, &result, progress); err != nil {
		return err
	}
	return write(&result, out)
}

// commit returns the commit of the ribglass that is measured.
func (o *options) commit(ctx context.Context) string {
	setup, err := o.setup(nil)
	if err != nil || o.binary == "off" {
		return unknownCommit
	}
	return commitOf(ctx, setup.binary)
}

// some reports whether something but the feeds was asked for.
func (o *options) some() bool {
	return o.exchange || o.churn || o.http || o.withdraw || o.search || o.history
}

func (o *options) table(progress io.Writer) (table, error) {
	if o.shape.feeds < 1 || o.shape.ipv4 < 0 || o.shape.ipv6 < 0 || o.shape.ipv4+o.shape.ipv6 == 0 {
		return nil, errors.New("a table needs at least one feed and one route")
	}
	if o.file == "" {
		fmt.Fprintln(progress, "generating the table")
		return generate(o.shape), nil
	}
	fmt.Fprintln(progress, "reading", o.file)
	return readTable(o.file, o.shape.feeds)
}

func (o *options) describe() string {
	if o.file != "" {
		return fmt.Sprintf("%s, %d feeds", o.file, o.shape.feeds)
	}
	s := o.shape
	return fmt.Sprintf("generated (seed %d), %d feeds of %d IPv4 + %d IPv6", s.seed, s.feeds, s.ipv4, s.ipv6)
}

// measure runs what was asked for, one receiver at a time.
func (o *options) measure(ctx context.Context, t table, result *report, progress io.Writer) error {
	chosen := o.some()
	for _, part := range []struct {
		run  bool
		work func(context.Context, table, *report, io.Writer) error
	}{
		{!chosen || o.everything, o.measureFeeds},
		{o.exchange || o.everything, o.measureExchange},
		{o.churn || o.everything, o.measureChurn},
		{o.http || o.everything, o.measureHTTP},
		{o.withdraw || o.everything, o.measureWithdraw},
		{o.search || o.everything, o.measureSearch},
		{o.history || o.everything, o.measureHistory},
	} {
		if !part.run {
			continue
		}
		if err := part.work(ctx, t, result, progress); err != nil {
			return err
		}
	}
	return nil
}

// measureFeeds is the comparison with BIRD.
func (o *options) measureFeeds(ctx context.Context, t table, result *report, progress io.Writer) error {
	say := func(l load) {
		fmt.Fprintf(progress, "  %s: %d routes in %.2f s, %.2f s of processor time, %s resident\n",
			l.Feed, l.Routes, l.Wall.Seconds(), l.CPU.Seconds(), megabytes(l.Settled))
	}
	if path, err := o.birdPath(); err != nil {
		return err
	} else if path != "" {
		fmt.Fprintln(progress, "BIRD")
		l, err := loadFeeds(ctx, func(ctx context.Context, dir string) (*receiver, error) {
			return startBird(ctx, path, dir, t.feeds())
		}, t, say, nil)
		if err != nil {
			return err
		}
		result.BIRD = &l
	}
	if o.binary == "off" {
		return nil
	}
	return o.measureRibglass(ctx, t, result, progress, say)
}

// measureRibglass loads the feeds twice: without history, and with it.
func (o *options) measureRibglass(ctx context.Context, t table, result *report, progress io.Writer, say func(load)) error {
	setup, err := o.setup(t)
	if err != nil {
		return err
	}
	fmt.Fprintln(progress, "Ribglass without history")
	setup.forgets = true
	without, err := loadFeeds(ctx, setup.start, t, say, nil)
	if err != nil {
		return err
	}
	without.Receiver += " without history"
	result.Forgetful = &without
	fmt.Fprintln(progress, "Ribglass")
	setup.forgets = false
	var again *restarted
	with, err := loadFeeds(ctx, setup.start, t, say, func(r *receiver) error {
		again, err = measureRestart(ctx, r, setup.binary)
		return err
	})
	if err != nil {
		return err
	}
	with.Restart = again
	result.Ribglass = &with
	if got := ratio(result.Ribglass.CPU, result.Forgetful.CPU); o.mostRatio > 0 && got > o.mostRatio {
		return fmt.Errorf("loading with history takes %.2f times the processor time without, want at most %.2f", got, o.mostRatio)
	}
	return nil
}

// setup is Ribglass with a neighbour for each feed.
func (o *options) setup(t table) (ribglassSetup, error) {
	setup := ribglassSetup{binary: o.binary}
	if t != nil {
		setup.feeds = t.feeds()
	}
	if o.binary != "" {
		return setup, nil
	}
	self, err := os.Executable()
	if err != nil {
		return setup, err
	}
	setup.binary = filepath.Join(filepath.Dir(self), "ribglass")
	if _, err := os.Stat(setup.binary); err == nil {
		return setup, nil
	}
	if setup.binary, err = exec.LookPath("ribglass"); err != nil {
		return setup, fmt.Errorf("no ribglass beside this program and none in the PATH: name it with --ribglass: %w", err)
	}
	return setup, nil
}

// birdPath returns where BIRD is, or "" when it is not to be measured.
func (o *options) birdPath() (string, error) {
	switch o.bird {
	case "off":
		return "", nil
	case "auto":
		for _, name := range []string{"bird", "/usr/sbin/bird"} {
			if path, err := exec.LookPath(name); err == nil {
				return path, nil
			}
		}
		return "", nil
	}
	path, err := exec.LookPath(o.bird)
	if err != nil {
		return "", fmt.Errorf("--bird: %w", err)
	}
	return path, nil
}
