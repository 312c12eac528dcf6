package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"ribglass/cmd/ribglass/exit"
	"ribglass/cmd/ribglass/terminal"
	"ribglass/httpapi/answer"
	"ribglass/ribstore/query"
)

const (
	diffPath   = "/api/v1/diff"
	formatText = "text"
)

// diff is one run of `ribglass diff`.
type diff struct {
	remote

	text       string
	moments    []string
	peers      []string
	file       string
	filePeer   string
	collection string
	other      string // collection of the second side
	summary    bool
	stale      bool

	out, notes io.Writer
}

func diffCommand() *cobra.Command {
	var d diff
	c := &cobra.Command{
		Use:   "diff --at A --at B ['QUERY']",
		Short: "Compare two moments, two peers, or a peer with a file",
		Long: `Diff asks a running Ribglass what differs between two moments, between two peers
at one of them, or between the table in an MRT file and a peer. With one moment
it compares that with now. A query restricts it to the routes that meet it on
either side. When a route was received does not count.

The formats text and ndjson have every difference, json has the first page.
Lines begin with - (withdrawn: only on the first side), + (added: only on the
second) or ~ (changed, and what of it), and end with the cause. The last line
counts.

With --file, the file is the first side and the routes of --peer, now or at the
moment of --at, are the second. Of a file with several peers the one with the
peer's address counts, or the one of --file-peer.

Exit status: 0 nothing differs, 1 something does, 2 it could not be compared.`,
		Example: `  ribglass diff --at 1h --at now
  ribglass diff --at 2026-11-22T03:00Z --at 2026-11-22T04:00Z 'origin 64501' --format ndjson
  ribglass diff --peer edge1 --peer edge2 --summary
  ribglass diff --peer edge1 --peer AS64501-192.0.2.1 --collection-b rrc01
  ribglass diff --file edge1.mrt.gz --peer edge1 && echo "as it was"`,
		ValidArgsFunction: completeWords,
		RunE: func(c *cobra.Command, args []string) error {
			d.text, d.out, d.notes = strings.Join(args, " "), c.OutOrStdout(), c.ErrOrStderr()
			err := d.run(c.Context())
			if usage := (exit.UsageError{}); err == nil || errors.Is(err, exit.ErrDiffer) || errors.As(err, &usage) {
				return err
			}
			return exit.TroubleError{Err: err}
		},
	}
	d.serverFlags(c)
	d.formatFlag(c, []string{formatText, formatJSON, formatNDJSON})
	collectionFlag(c, &d.collection)
	f := c.Flags()
	f.StringArrayVar(&d.moments, "at", nil, "a `moment` to compare: 2026-11-22T03:12Z, how long ago (15m, 2d), or now; twice for two")
	f.StringArrayVar(&d.peers, "peer", nil, "compare this `peer` only; twice: the first with the second")
	// The only error of registering is a flag that does not exist.
	_ = c.RegisterFlagCompletionFunc("peer", completePeers)
	f.StringVar(&d.other, "collection-b", "", "take the second side from the collection of this `name`")
	f.StringVar(&d.file, "file", "", "MRT `file` to compare the peer with")
	f.StringVar(&d.filePeer, "file-peer", "", "which `peer` of the file: its address or name")
	f.BoolVar(&d.summary, "summary", false, "counts only")
	f.BoolVar(&d.stale, "stale", false, "a route that became stale, or is no longer, is a change too")
	return c
}

// check returns what cannot be meant.
func (d *diff) check() error {
	for _, text := range d.moments {
		if _, err := query.ParseMoment(text); err != nil {
			return fmt.Errorf("--at: %w", err)
		}
	}
	switch {
	case len(d.moments) > 2 || len(d.peers) > 2:
		return errors.New("two moments, or two peers, are compared, not more")
	case d.summary && d.format == formatNDJSON:
		return errors.New("--summary: have text and json")
	case d.file != "":
		return d.checkFile()
	case d.other == "" && len(d.moments) == 0 && len(d.peers) < 2:
		return errors.New("compare what? two moments (--at A --at B), two peers (--peer X --peer Y), or --file")
	}
	return nil
}

func (d *diff) checkFile() error {
	if len(d.peers) != 1 || len(d.moments) > 1 {
		return errors.New("--file: want one --peer to compare with, and at most one --at")
	}
	if d.other != "" {
		return errors.New("--file and --collection-b do not go together")
	}
	return nil
}

// parameters are the two sides and what is asked about them.
func (d *diff) parameters() url.Values {
	values := url.Values{"limit": {strconv.Itoa(query.MaxLimit)}}
	at := d.moments
	switch {
	case len(at) == 1 && len(d.peers) == 2:
		at = []string{at[0], at[0]}
	case len(at) == 1:
		at = []string{at[0], "now"}
	}
	if len(at) == 2 {
		values.Set("a", at[0])
		values.Set("b", at[1])
	}
	if len(d.peers) > 0 {
		values.Set("peer_a", d.peers[0])
		values.Set("peer_b", d.peers[len(d.peers)-1])
	}
	if d.text != "" {
		values.Set("q", d.text)
	}
	for name, collection := range map[string]string{"collection": d.collection, "collection_b": d.other} {
		if collection != "" {
			values.Set(name, collection)
		}
	}
	if d.stale {
		values.Set("stale", "true")
	}
	if d.summary {
		values.Set("limit", "1")
	}
	return values
}

func (d *diff) run(ctx context.Context) error {
	if err := d.check(); err != nil {
		return exit.UsageError{Err: err}
	}
	switch {
	case d.file != "":
		return d.runFile(ctx)
	case d.format == formatNDJSON:
		values := d.parameters()
		values.Del("limit")
		lines, err := d.stream(ctx, diffPath, values, "application/x-ndjson", d.out)
		if err == nil && lines > 0 {
			err = exit.ErrDiffer
		}
		return err
	}
	return d.runPages(ctx)
}

// runPages prints what differs, page by page.
func (d *diff) runPages(ctx context.Context) error {
	values := d.parameters()
	var first comparison
	body, err := d.get(ctx, diffPath, values, &first)
	if err != nil {
		return err
	}
	if d.format == formatJSON {
		if _, err := d.out.Write(body); err != nil {
			return err
		}
		return first.verdict()
	}
	// The pages that follow are about the same moments.
	if values.Has("a") {
		values.Set("a", first.A.At.Format(time.RFC3339Nano))
		values.Set("b", first.B.At.Format(time.RFC3339Nano))
	}
	for page := first; !d.summary; {
		for i := range page.Differences {
			if _, err := fmt.Fprintln(d.out, textOfDifference(&page.Differences[i])); err != nil {
				return err
			}
		}
		cursor := page.NextCursor
		if cursor == "" {
			break
		}
		values.Set("cursor", cursor)
		page = comparison{}
		if _, err := d.get(ctx, diffPath, values, &page); err != nil {
			return err
		}
	}
	if err := first.printSummary(d.out); err != nil {
		return err
	}
	return first.verdict()
}

// comparison is an answer of GET /api/v1/diff, or a comparison with a file, which
// is made here and printed in the same form.
type comparison struct {
	answer.Diff

	A diffSide `json:"a"`
	B diffSide `json:"b"`
}

// diffSide is a side of a comparison.
type diffSide struct {
	answer.DiffSide

	File string `json:"file,omitempty"` // the side is in this file; never from a server
}

// counts returns how many differences there are; a page behind the first does not
// say it.
func (a *comparison) counts() answer.DiffCounts {
	if a.Counts == nil {
		return answer.DiffCounts{}
	}
	return *a.Counts
}

// verdict returns exit.ErrDiffer when there are differences.
func (a *comparison) verdict() error {
	if c := a.counts(); c.Added+c.Withdrawn+c.Changed > 0 {
		return exit.ErrDiffer
	}
	return nil
}

// textOfDifference tells a difference in one line.
func textOfDifference(d *answer.Difference) string {
	before, after := d.Old, d.New
	switch {
	case before == nil && after == nil:
		return terminal.Clean("? " + d.Prefix.String())
	case before == nil:
		return terminal.Clean(fmt.Sprintf("+ %s  %s  %s  [%s]", d.Prefix, source(after.Peer, after.PathID), path(&after.Attributes), d.Cause))
	case after == nil:
		return terminal.Clean(fmt.Sprintf("- %s  %s  %s  [%s]", d.Prefix, source(before.Peer, before.PathID), path(&before.Attributes), d.Cause))
	}
	whose := source(after.Peer, after.PathID)
	if from := source(before.Peer, before.PathID); from != whose {
		whose = from + terminal.Signs(" → ") + whose
	}
	return terminal.Clean(fmt.Sprintf("~ %s  %s  %s: %s  [%s]", d.Prefix, whose, strings.Join(d.Attributes, ", "),
		contrast(&before.Attributes, &after.Attributes), d.Cause))
}

func (a *comparison) printSummary(w io.Writer) error {
	var b strings.Builder
	c := a.counts()
	fmt.Fprintf(&b, "%d added, %d withdrawn, %d changed, %d the same: %s against %s\n", c.Added, c.Withdrawn, c.Changed, c.Same, a.A.text(), a.B.text())
	for _, one := range c.Causes {
		fmt.Fprintf(&b, "  %d %s: %s\n", one.Count, terminal.Clean(one.Kind), terminal.Clean(one.Cause))
	}
	writeNotices(&b, a.Notices)
	_, err := io.WriteString(w, b.String())
	return err
}

func (s *diffSide) text() string {
	words := []string{s.Peer}
	if s.Peer == "" {
		words = nil
	}
	if !s.At.IsZero() {
		words = append(words, moment(s.At))
	}
	if s.Collection != "" {
		words = append(words, "in", s.Collection)
	}
	if s.File != "" {
		words = append(words, "of", s.File)
	}
	return terminal.Clean(strings.Join(words, " "))
}
