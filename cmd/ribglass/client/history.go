package client

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"ribglass/cmd/ribglass/terminal"
	"ribglass/httpapi/answer"
)

func historyCommand() *cobra.Command {
	var cl remote
	c := &cobra.Command{
		Use:   "history",
		Short: "Tell what a running Ribglass keeps of the past",
		Example: `  ribglass history
  ribglass history --format json`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			var kept historyAnswer
			body, err := cl.get(c.Context(), "/api/v1/history", nil, &kept.History)
			if err != nil {
				return err
			}
			if cl.format == formatTable {
				if _, err := cl.get(c.Context(), "/api/v1/collections", nil, &kept.Collections); err != nil {
					return err
				}
			}
			return cl.print(c.OutOrStdout(), body, kept.print)
		},
	}
	cl.flags(c)
	return c
}

// historyAnswer is what is printed of the past.
type historyAnswer struct {
	answer.History
	answer.Collections
}

func (a *historyAnswer) print(w io.Writer) error {
	recording := "yes"
	if !a.Recording {
		recording = "NO: see the log of the server"
	}
	rows := [][]string{
		{"recording", recording},
		{"begins", since(a.Begins)},
		{"ends", since(a.Ends)},
		{"snapshots", strconv.Itoa(a.SnapshotCount)},
		{"last snapshot", since(a.LastSnapshot)},
		{"size", fmt.Sprintf("%s of %s, %s free for what comes", terminal.Amount(a.FileBytes), terminal.Amount(a.MaxBytes), terminal.Amount(a.FreeBytes))},
	}
	for _, c := range a.Collections.Collections {
		text := fmt.Sprintf("%s to %s, %s", since(c.Begins), since(c.Ends), terminal.Amount(c.FileBytes))
		if c.Broken {
			text = "cannot be opened: see the log of the server"
		}
		rows = append(rows, []string{"collection " + c.Name, text})
	}
	return writeTable(w, rows)
}

func since(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return moment(t)
}

func snapshotTakeCommand() *cobra.Command {
	cl := remote{format: formatTable}
	c := &cobra.Command{
		Use:   "take",
		Short: "Have a running Ribglass take a snapshot now",
		Long: `Take asks the admin listener of a running Ribglass for a snapshot, before
maintenance for example, and waits until it is stored.`,
		Example: "  ribglass snapshot take --admin http://localhost:9090",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			info := new(answer.Snapshot)
			if _, err := cl.command(c.Context(), "/-/snapshot", nil, info); err != nil {
				return err
			}
			_, err := fmt.Fprintf(c.OutOrStdout(), "%s: %d routes in %.3f s; %d new chunks, %s\n",
				moment(info.At), info.Routes, info.Took, info.Chunks, terminal.Amount(info.Bytes))
			return err
		},
	}
	cl.adminFlags(c, 2*time.Minute, "how long to wait for the snapshot")
	return c
}

func snapshotListCommand() *cobra.Command {
	var cl remote
	c := &cobra.Command{
		Use:     "list",
		Short:   "List the snapshots of a running Ribglass",
		Example: "  ribglass snapshot list",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			var kept answer.History
			body, err := cl.get(c.Context(), "/api/v1/history", nil, &kept)
			if err != nil {
				return err
			}
			return cl.print(c.OutOrStdout(), body, func(w io.Writer) error { return printSnapshots(w, &kept) })
		},
	}
	cl.flags(c)
	return c
}

func printSnapshots(w io.Writer, a *answer.History) error {
	if len(a.Snapshots) < a.SnapshotCount {
		if _, err := fmt.Fprintf(w, "the newest %d of %d\n", len(a.Snapshots), a.SnapshotCount); err != nil {
			return err
		}
	}
	for _, s := range a.Snapshots {
		if _, err := fmt.Fprintln(w, moment(s.At)); err != nil {
			return err
		}
	}
	if a.SnapshotCount == 0 {
		return errors.New("there is no snapshot yet")
	}
	return nil
}
