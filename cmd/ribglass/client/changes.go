package client

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"ribglass/cmd/ribglass/exit"
	"ribglass/cmd/ribglass/terminal"
	"ribglass/httpapi/answer"
	told "ribglass/ribstore/changes"
	"ribglass/ribstore/query"
)

const changesPath = "/api/v1/changes"

// changes is one run of `ribglass changes`.
type changes struct {
	remote

	text       string
	collection string
	between    string
	kinds      []string
	limit      int
	cursor     string
	oldest     bool
	all        bool

	out io.Writer
}

func changesCommand() *cobra.Command {
	var ch changes
	c := &cobra.Command{
		Use:   "changes 'QUERY between … and …'",
		Short: "List what happened to routes and sessions in a span of time",
		Long: `Changes asks a running Ribglass what happened to the routes that meet a query,
before or after, and to the sessions of their peers. The span is a part of the
query, or comes from --between; without a span it is the last day. The newest change
comes first.

With --all every change comes instead of one page: as a stream with ndjson and
csv.

Exit status: 0 there are changes, 1 the server could not be asked or refused,
2 wrong usage, 3 there is no change.`,
		Example: `  ribglass changes '192.0.2.0/24 between 2026-11-22T03:00Z and 2026-11-22T04:00Z'
  ribglass changes 'origin 64501' --between 2h/now --kind withdraw
  ribglass changes 'peer edge1 between 1d and now' --format csv --all`,
		ValidArgsFunction: completeWords,
		RunE: func(c *cobra.Command, args []string) error {
			ch.text, ch.out = strings.Join(args, " "), c.OutOrStdout()
			return ch.run(c.Context())
		},
	}
	ch.flags(c, formatNDJSON, formatCSV)
	collectionFlag(c, &ch.collection)
	f := c.Flags()
	f.StringVar(&ch.between, "between", "", "the `span`, as two moments: -2h/now, 2026-11-22T03:00Z/2026-11-22T04:00Z")
	f.StringArrayVar(&ch.kinds, "kind", nil, "only changes of this `kind`, such as announce, replace, withdraw, peer-down; may be repeated")
	complete(c, "kind", changeKinds())
	f.IntVar(&ch.limit, "limit", query.DefaultLimit, fmt.Sprintf("at most this many changes, up to %d", query.MaxLimit))
	f.StringVar(&ch.cursor, "cursor", "", "continue behind an earlier answer, at the cursor it ended with")
	f.BoolVar(&ch.oldest, "oldest", false, "the oldest change first")
	f.BoolVar(&ch.all, "all", false, "list every change (not with json)")
	return c
}

// changeKinds returns the kinds of changes.
func changeKinds() []string {
	kinds := []told.Kind{
		told.Announced, told.Replaced, told.Withdrawn, told.WentStale, told.WentLongLived, told.Confirmed, told.Swept,
		told.Expired, told.Dropped, told.SessionUp, told.SessionDown, told.PeerRemoved, told.EndOfRIB,
		told.RefreshBegun, told.RefreshEnded,
	}
	names := make([]string, len(kinds))
	for i, k := range kinds {
		names[i] = string(k)
	}
	return names
}

func (ch *changes) parameters() url.Values {
	values := url.Values{"q": {ch.text}, "kind": ch.kinds}
	if len(ch.kinds) == 0 {
		values.Del("kind")
	}
	if !ch.all {
		values.Set("limit", strconv.Itoa(ch.limit))
	} else if ch.format == formatTable {
		values.Set("limit", strconv.Itoa(query.MaxLimit))
	}
	if ch.oldest {
		values.Set("order", "oldest")
	}
	for name, value := range map[string]string{"between": ch.between, "collection": ch.collection, "cursor": ch.cursor} {
		if value != "" {
			values.Set(name, value)
		}
	}
	return values
}

func (ch *changes) run(ctx context.Context) error {
	if ch.all && ch.format == formatJSON {
		return exit.UsageError{Err: errors.New("--all: one JSON document cannot hold every change; use --format ndjson, csv or table")}
	}
	if kind, header := ch.streamed(); kind != "" {
		return ch.runStream(ctx, kind, header)
	}
	return ch.runPages(ctx)
}

// runStream copies the answer as it comes. header is how many lines of it are no
// change.
func (ch *changes) runStream(ctx context.Context, kind string, header int) error {
	lines, err := ch.stream(ctx, changesPath, ch.parameters(), kind, ch.out)
	if err == nil && lines <= header {
		err = exit.ErrNotFound
	}
	return err
}

func (ch *changes) runPages(ctx context.Context) error {
	var found answer.Changes
	values := ch.parameters()
	body, err := ch.get(ctx, changesPath, values, &found)
	if err != nil {
		return err
	}
	for ch.all && found.NextCursor != "" {
		var next answer.Changes
		values.Set("cursor", found.NextCursor)
		if _, err := ch.get(ctx, changesPath, values, &next); err != nil {
			return err
		}
		found.Changes, found.NextCursor = append(found.Changes, next.Changes...), next.NextCursor
	}
	if err := ch.print(ch.out, body, func(w io.Writer) error { return printChanges(w, &found) }); err != nil {
		return err
	}
	if len(found.Changes) == 0 {
		return exit.ErrNotFound
	}
	return nil
}

func printChanges(w io.Writer, a *answer.Changes) error {
	var b strings.Builder
	if len(a.Changes) == 0 {
		fmt.Fprintf(&b, "no change between %s and %s\n", moment(a.From), moment(a.To))
	} else {
		rows := [][]string{{"TIME", "CHANGE", "PREFIX", "PEER", "WHAT"}}
		for i := range a.Changes {
			rows = append(rows, row(&a.Changes[i]))
		}
		if err := writeTable(&b, rows); err != nil {
			return err
		}
		if a.Total > len(a.Changes) || a.NextCursor != "" {
			if a.TotalExact {
				fmt.Fprintf(&b, "\n%d of %d changes", len(a.Changes), a.Total)
			} else {
				fmt.Fprintf(&b, "\n%s", terminal.Several(len(a.Changes), "change"))
			}
			if a.NextCursor != "" {
				fmt.Fprintf(&b, "; more with --cursor %s", terminal.Clean(a.NextCursor))
			}
			b.WriteByte('\n')
		}
	}
	writeNotices(&b, a.Notices)
	_, err := io.WriteString(w, b.String())
	return err
}

// row returns a change as a row of the table.
func row(c *answer.Change) []string {
	prefix := c.Family
	if c.Prefix.IsValid() {
		prefix = c.Prefix.String()
	}
	return []string{moment(c.At), c.Kind, dash(prefix), source(c.Peer, c.PathID), dash(what(c))}
}

// what tells a change in words: what the route is, or was.
func what(c *answer.Change) string {
	switch {
	case c.Old != nil && c.New != nil && len(c.Attributes) > 0:
		return strings.Join(c.Attributes, ", ") + ": " + contrast(c.Old, c.New)
	case c.New != nil:
		return path(c.New)
	case c.Old != nil:
		return strings.TrimSpace("was " + path(c.Old) + " " + reason(c.Reason))
	}
	return c.Reason
}

// contrast tells what differs between two routes: the paths, or the first other
// thing that can be said in a word.
func contrast(before, after *answer.Attributes) string {
	for _, of := range []func(*answer.Attributes) string{
		path,
		hop,
		func(r *answer.Attributes) string { return "MED " + number(r.MED) },
		func(r *answer.Attributes) string { return "preference " + number(r.LocalPref) },
		communities,
	} {
		if a, b := of(before), of(after); a != b {
			return cmp.Or(a, "-") + terminal.Signs(" → ") + cmp.Or(b, "-")
		}
	}
	return path(after)
}
