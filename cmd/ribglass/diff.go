package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"ribglass/ribstore/query"
)

// errDiffer is a comparison that found differences. They have been printed.
var errDiffer = errors.New("there are differences")

// troubleError is the failure of a command whose exit status 1 means something
// else.
type troubleError struct{ error }

func (e troubleError) Unwrap() error { return e.error }

const (
	diffPath   = "/api/v1/diff"
	formatText = "text"
)

// diff is one run of `ribglass diff`.
type diff struct {
	client

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
			if usage := (usageError{}); err == nil || errors.Is(err, errDiffer) || errors.As(err, &usage) {
				return err
			}
			return troubleError{err}
		},
	}
	d.serverFlags(c)
	d.formatFlag(c, []string{formatText, formatJSON, formatNDJSON})
	collectionFlag(c, &d.collection)
	f := c.Flags()
	f.StringArrayVar(&d.moments, "at", nil, "a `moment` to compare: 2026-11-22T03:12Z, how long ago (15m, 2d), or now; twice for two")
	f.StringArrayVar(&d.peers, "peer", nil, "compare this `peer` only; twice: the first with the second")
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
		return usageError{err}
	}
	switch {
	case d.file != "":
		return d.runFile(ctx)
	case d.format == formatNDJSON:
		values := d.parameters()
		values.Del("limit")
		lines, err := d.stream(ctx, diffPath, values, "application/x-ndjson", d.out)
		if err == nil && lines > 0 {
			err = errDiffer
		}
		return err
	}
	return d.runPages(ctx)
}

// runPages prints what differs, page by page.
func (d *diff) runPages(ctx context.Context) error {
	values := d.parameters()
	var first diffAnswer
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
			if _, err := fmt.Fprintln(d.out, page.Differences[i].text()); err != nil {
				return err
			}
		}
		cursor := page.NextCursor
		if cursor == "" {
			break
		}
		values.Set("cursor", cursor)
		page = diffAnswer{}
		if _, err := d.get(ctx, diffPath, values, &page); err != nil {
			return err
		}
	}
	if err := first.printSummary(d.out); err != nil {
		return err
	}
	return first.verdict()
}

// diffAnswer is what is printed of the answer of GET /api/v1/diff.
type diffAnswer struct {
	A           diffSide     `json:"a"`
	B           diffSide     `json:"b"`
	Notices     []string     `json:"notices,omitempty"`
	Counts      diffCounts   `json:"counts"`
	Differences []difference `json:"differences"`
	NextCursor  string       `json:"next_cursor,omitempty"`
}

type diffSide struct {
	At         time.Time `json:"at,omitzero"`
	Peer       string    `json:"peer,omitempty"`
	Collection string    `json:"collection,omitempty"`
	File       string    `json:"file,omitempty"`
}

type diffCounts struct {
	Same      int          `json:"same"`
	Added     int          `json:"added"`
	Withdrawn int          `json:"withdrawn"`
	Changed   int          `json:"changed"`
	Causes    []causeCount `json:"causes"`
}

type causeCount struct {
	Kind  string `json:"kind"`
	Cause string `json:"cause"`
	Count int    `json:"count"`
}

type difference struct {
	Prefix     netip.Prefix    `json:"prefix"`
	Family     string          `json:"family"`
	Kind       string          `json:"kind"`
	Cause      string          `json:"cause"`
	Attributes []string        `json:"attributes,omitempty"`
	Old        json.RawMessage `json:"old,omitempty"`
	New        json.RawMessage `json:"new,omitempty"`
}

// verdict returns errDiffer when there are differences.
func (a *diffAnswer) verdict() error {
	if a.Counts.Added+a.Counts.Withdrawn+a.Counts.Changed > 0 {
		return errDiffer
	}
	return nil
}

// side reads the route of one side; nil when there is none.
func side(raw json.RawMessage) *routeAnswer {
	r := new(routeAnswer)
	if len(raw) == 0 || json.Unmarshal(raw, r) != nil {
		return nil
	}
	return r
}

// text tells a difference in one line.
func (d *difference) text() string {
	before, after := side(d.Old), side(d.New)
	switch {
	case before == nil && after == nil:
		return clean("? " + d.Prefix.String())
	case before == nil:
		return clean(fmt.Sprintf("+ %s  %s  %s  [%s]", d.Prefix, after.source(), after.path(), d.Cause))
	case after == nil:
		return clean(fmt.Sprintf("- %s  %s  %s  [%s]", d.Prefix, before.source(), before.path(), d.Cause))
	}
	source := after.source()
	if from := before.source(); from != source {
		source = from + " → " + source
	}
	return clean(fmt.Sprintf("~ %s  %s  %s: %s  [%s]", d.Prefix, source, strings.Join(d.Attributes, ", "), contrast(before, after), d.Cause))
}

func (a *diffAnswer) printSummary(w io.Writer) error {
	var b strings.Builder
	c := &a.Counts
	fmt.Fprintf(&b, "%d added, %d withdrawn, %d changed, %d the same: %s against %s\n", c.Added, c.Withdrawn, c.Changed, c.Same, a.A.text(), a.B.text())
	for _, one := range c.Causes {
		fmt.Fprintf(&b, "  %d %s: %s\n", one.Count, clean(one.Kind), clean(one.Cause))
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
	return clean(strings.Join(words, " "))
}
