package client

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"ribglass/cmd/ribglass/exit"
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
			if cl.format != formatJSON {
				if _, err := cl.get(c.Context(), "/api/v1/collections", nil, &kept.Collections); err != nil {
					return err
				}
			}
			switch cl.format {
			case formatNDJSON:
				return kept.printLines(c.OutOrStdout())
			case formatCSV:
				return printCSV(c.OutOrStdout(), kept.csv())
			}
			return cl.print(c.OutOrStdout(), body, kept.print)
		},
	}
	cl.flags(c, formatNDJSON, formatCSV)
	return c
}

// historyAnswer is what is printed of the past.
type historyAnswer struct {
	answer.History
	answer.Collections
}

// printLines writes what is live as a line without snapshots, and then each collection.
func (a *historyAnswer) printLines(w io.Writer) error {
	live := a.History
	live.Snapshots = nil
	out := json.NewEncoder(w)
	err := out.Encode(live)
	for i := range a.Collections.Collections {
		err = errors.Join(err, out.Encode(&a.Collections.Collections[i]))
	}
	return err
}

// csv returns what is kept as rows; what is live has no name.
func (a *historyAnswer) csv() [][]string {
	rows := [][]string{
		{"collection", "begins", "ends", "recording", "broken", "snapshots", "last_snapshot", "file_bytes", "free_bytes", "max_bytes"},
		{
			"", csvTime(a.Begins), csvTime(a.Ends), csvTrue(a.Recording), "", csvNumber(a.SnapshotCount), csvTime(a.LastSnapshot),
			csvNumber(a.FileBytes), csvNumber(a.FreeBytes), csvNumber(a.MaxBytes),
		},
	}
	for _, c := range a.Collections.Collections {
		rows = append(rows, []string{c.Name, csvTime(c.Begins), csvTime(c.Ends), "", csvTrue(c.Broken), "", "", csvNumber(c.FileBytes), "", ""})
	}
	return rows
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
			text = "cannot be opened: " + cmp.Or(terminal.Clean(c.Reason), "see the log of the server")
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
		Use:   "list",
		Short: "List the snapshots of a running Ribglass",
		Long: `List asks a running Ribglass for the moments of its snapshots.

Exit status: 0 there are snapshots, 1 the server could not be asked or refused,
2 wrong usage, 3 there is no snapshot yet.`,
		Example: "  ribglass snapshot list",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			var kept answer.History
			body, err := cl.get(c.Context(), "/api/v1/history", nil, &kept)
			if err != nil {
				return err
			}
			if err := cl.printSnapshots(c.OutOrStdout(), body, &kept); err != nil {
				return err
			}
			if kept.SnapshotCount == 0 {
				return exit.ErrNotFound
			}
			return nil
		},
	}
	cl.flags(c, formatNDJSON, formatCSV)
	return c
}

// printSnapshots writes the moments of snapshots in the format asked for.
func (cl *remote) printSnapshots(w io.Writer, body []byte, kept *answer.History) error {
	switch cl.format {
	case formatNDJSON:
		out := json.NewEncoder(w)
		for i := range kept.Snapshots {
			if err := out.Encode(&kept.Snapshots[i]); err != nil {
				return err
			}
		}
		return nil
	case formatCSV:
		rows := [][]string{{"at", "routes"}}
		for _, s := range kept.Snapshots {
			rows = append(rows, []string{csvTime(s.At), csvNumber(s.Routes)})
		}
		return printCSV(w, rows)
	}
	return cl.print(w, body, func(w io.Writer) error { return printSnapshots(w, kept) })
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
		_, err := fmt.Fprintln(w, "there is no snapshot yet")
		return err
	}
	return nil
}
