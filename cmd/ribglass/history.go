package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/spf13/cobra"
)

func historyCommand() *cobra.Command {
	var cl client
	c := &cobra.Command{
		Use:   "history",
		Short: "Tell what a running Ribglass keeps of the past",
		Example: `  ribglass history
  ribglass history --format json`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			var answer historyAnswer
			body, err := cl.get(c.Context(), "/api/v1/history", nil, &answer)
			if err != nil {
				return err
			}
			if cl.format == formatTable {
				if _, err := cl.get(c.Context(), "/api/v1/collections", nil, &answer); err != nil {
					return err
				}
			}
			return cl.print(c.OutOrStdout(), body, answer.print)
		},
	}
	cl.flags(c)
	return c
}

// historyAnswer is what is printed of the answers of GET /api/v1/history and
// /api/v1/collections.
type historyAnswer struct {
	Begins        time.Time        `json:"begins"`
	Ends          time.Time        `json:"ends"`
	Recording     bool             `json:"recording"`
	LastSnapshot  time.Time        `json:"last_snapshot"`
	SnapshotCount int              `json:"snapshot_count"`
	FileBytes     int64            `json:"file_bytes"`
	FreeBytes     int64            `json:"free_bytes"`
	MaxBytes      int64            `json:"max_bytes"`
	Snapshots     []snapshotAnswer `json:"snapshots"`

	Collections []struct {
		Name      string    `json:"name"`
		Begins    time.Time `json:"begins"`
		Ends      time.Time `json:"ends"`
		FileBytes int64     `json:"file_bytes"`
		Broken    bool      `json:"broken"`
	} `json:"collections"`
}

// snapshotAnswer is a snapshot; all but At are known only when it was taken.
type snapshotAnswer struct {
	At     time.Time `json:"at"`
	Routes int       `json:"routes"`
	Chunks int       `json:"chunks"`
	Bytes  int64     `json:"bytes"`
	Took   float64   `json:"took_seconds"`
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
		{"size", fmt.Sprintf("%s of %s, %s free for what comes", amount(a.FileBytes), amount(a.MaxBytes), amount(a.FreeBytes))},
	}
	for _, c := range a.Collections {
		text := fmt.Sprintf("%s to %s, %s", since(c.Begins), since(c.Ends), amount(c.FileBytes))
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

func snapshotCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "snapshot",
		Short: "Take, list and verify snapshots of the table",
		Args:  cobra.ArbitraryArgs,
		RunE:  helpOrUnknown,
	}
	c.AddCommand(snapshotTakeCommand(), snapshotListCommand(), snapshotVerifyCommand())
	return c
}

func snapshotTakeCommand() *cobra.Command {
	cl := client{format: formatTable}
	c := &cobra.Command{
		Use:   "take",
		Short: "Have a running Ribglass take a snapshot now",
		Long: `Take asks the admin listener of a running Ribglass for a snapshot, before
maintenance for example, and waits until it is stored.`,
		Example: "  ribglass snapshot take --admin http://localhost:9090",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			info, err := cl.takeSnapshot(c.Context())
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(c.OutOrStdout(), "%s: %d routes in %.3f s; %d new chunks, %s\n",
				moment(info.At), info.Routes, info.Took, info.Chunks, amount(info.Bytes))
			return err
		},
	}
	f := c.Flags()
	admin := os.Getenv("RIBGLASS_ADMIN")
	if admin == "" {
		admin = "http://localhost:9090"
	}
	f.StringVar(&cl.server, "admin", admin, "URL of the admin listener (environment: RIBGLASS_ADMIN)")
	f.DurationVar(&cl.timeout, "timeout", 2*time.Minute, "how long to wait for the snapshot")
	return c
}

func (cl *client) takeSnapshot(ctx context.Context) (*snapshotAnswer, error) {
	ctx, cancel := context.WithTimeout(ctx, cl.timeout)
	defer cancel()
	target, err := cl.url("/-/snapshot", nil)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, target, http.NoBody)
	if err != nil {
		return nil, usageError{err}
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, fmt.Errorf("ask %s: %w", cl.server, unwrapURL(err))
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return nil, fmt.Errorf("ask %s: read the answer: %w", cl.server, err)
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s says: %s: %s", cl.server, response.Status, clean(string(body[:min(len(body), 200)])))
	}
	info := new(snapshotAnswer)
	return info, json.Unmarshal(body, info)
}

func snapshotListCommand() *cobra.Command {
	var cl client
	c := &cobra.Command{
		Use:     "list",
		Short:   "List the snapshots of a running Ribglass",
		Example: "  ribglass snapshot list",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			var answer historyAnswer
			body, err := cl.get(c.Context(), "/api/v1/history", nil, &answer)
			if err != nil {
				return err
			}
			return cl.print(c.OutOrStdout(), body, answer.printSnapshots)
		},
	}
	cl.flags(c)
	return c
}

func (a *historyAnswer) printSnapshots(w io.Writer) error {
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
