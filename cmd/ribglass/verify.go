package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"ribglass/cmd/ribglass/exit"
	"ribglass/cmd/ribglass/terminal"
	"ribglass/ribstore/history"
	"ribglass/ribstore/history/check"
	"ribglass/ribstore/history/format"
)

// errDamaged is a verification that found damage. What is damaged has been
// printed.
var errDamaged = errors.New("damage was found")

func snapshotVerifyCommand() *cobra.Command {
	var place dataDir
	c := &cobra.Command{
		Use:   "verify [FILE…]",
		Short: "Check every checksum of what is stored",
		Long: `Verify reads files of the history and of collections, or all of a data
directory, and checks everything in them. It changes nothing. No server may
have a file open meanwhile: verify a copy, or when the server is stopped.

Exit status: 0 all is well, 1 something is damaged, 2 wrong usage, 4 a file could
not be checked: it is in use, of another format, or cannot be read.`,
		Example: `  ribglass snapshot verify --data-dir /var/lib/ribglass
  ribglass snapshot verify /backup/history.db`,
		RunE: func(c *cobra.Command, args []string) error {
			files, err := place.files(args)
			if err != nil {
				return err
			}
			ctx, stop := signal.NotifyContext(c.Context(), syscall.SIGTERM, syscall.SIGINT)
			defer stop()
			return verifyFiles(ctx, files, c.OutOrStdout(), c.ErrOrStderr())
		},
	}
	place.flags(c)
	return c
}

// files returns the files that are named, or all of the data directory when none is.
func (d *dataDir) files(named []string) ([]string, error) {
	if len(named) > 0 {
		return named, nil
	}
	dir, err := d.find()
	if err != nil {
		return nil, err
	}
	return storedFiles(dir)
}

// storedFiles returns the history of a data directory and its collections.
func storedFiles(dir string) ([]string, error) {
	var files []string
	if _, err := os.Stat(historyPath(dir)); err == nil {
		files = append(files, historyPath(dir))
	}
	collections, err := filepath.Glob(filepath.Join(dir, "collections", "*.db"))
	if err != nil {
		return nil, err
	}
	slices.Sort(collections)
	if files = append(files, collections...); len(files) == 0 {
		return nil, fmt.Errorf("%s has neither a history nor a collection", dir)
	}
	return files, nil
}

func verifyFiles(ctx context.Context, files []string, out, notes io.Writer) error {
	line := terminal.NewProgress(notes)
	defer line.End()
	var failed error
	unchecked := 0
	for _, file := range files {
		report, err := verifyFile(ctx, file, line)
		line.End()
		switch {
		case ctx.Err() != nil:
			return errors.New("interrupted")
		case errors.Is(err, history.ErrLocked):
			fmt.Fprintf(out, "%s: in use, not checked: a server has it open. Check a copy of it, or stop the server.\n", terminal.Clean(file))
			unchecked++
			continue
		case err != nil && !errors.Is(err, format.ErrDamaged):
			fmt.Fprintf(out, "%s: not checked: %s\n", terminal.Clean(file), terminal.Clean(explainHistory(err).Error()))
			unchecked++
			continue
		case err != nil:
			fmt.Fprintf(out, "%s: %s\n", terminal.Clean(file), terminal.Clean(explainHistory(err).Error()))
			failed = errDamaged
			continue
		}
		printReport(out, file, report)
		if len(report.Problems) > 0 {
			failed = errDamaged
		}
	}
	if failed == nil && unchecked > 0 {
		return exit.UncheckedError{Err: fmt.Errorf("%s not checked", terminal.Several(unchecked, "file"))}
	}
	return failed
}

func verifyFile(ctx context.Context, file string, line *terminal.Progress) (*check.Report, error) {
	h, err := history.OpenReadOnly(file, history.Deps{Logger: slog.New(slog.DiscardHandler), Now: time.Now})
	if err != nil {
		return nil, err
	}
	report, err := h.Verify(ctx, func(done, total int64) {
		line.Draw(func(time.Duration) string {
			return fmt.Sprintf("%3d%%  %s", terminal.Percent(done, total), file)
		})
	})
	return report, errors.Join(err, h.Close())
}

func printReport(w io.Writer, file string, r *check.Report) {
	verdict := "OK"
	if len(r.Problems) > 0 {
		verdict = terminal.Several(len(r.Problems), "problem")
	}
	fmt.Fprintf(w, "%s: %s: %s, %s, %s, %s, %s\n", terminal.Clean(file), verdict, terminal.Several(r.Snapshots.Count, "snapshot"), terminal.Several(r.Chunks.Count, "chunk"),
		terminal.Several(int(r.Records), "journal record"), terminal.Several(r.Peers, "peer"), terminal.Amount(r.FileBytes))
	for _, p := range r.Problems {
		fmt.Fprintf(w, "  %s", terminal.Clean(p.What))
		if p.Means != "" {
			fmt.Fprintf(w, ": %s", terminal.Clean(p.Means))
		}
		fmt.Fprintln(w)
	}
}
