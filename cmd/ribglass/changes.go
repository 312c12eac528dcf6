package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	told "ribglass/ribstore/changes"
	"ribglass/ribstore/query"
)

const changesPath = "/api/v1/changes"

// changes is one run of `ribglass changes`.
type changes struct {
	client

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
query, or that of --between; without one it is the last day. The newest change
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
	switch {
	case ch.all && ch.format == formatJSON:
		return usageError{errors.New("--all: one JSON document cannot hold every change; use --format ndjson, csv or table")}
	case ch.format == formatNDJSON:
		return ch.runStream(ctx, "application/x-ndjson", 0)
	case ch.format == formatCSV:
		return ch.runStream(ctx, "text/csv", 1)
	}
	return ch.runPages(ctx)
}

// runStream copies the answer as it comes. header is how many lines of it are no
// change.
func (ch *changes) runStream(ctx context.Context, kind string, header int) error {
	lines, err := ch.stream(ctx, changesPath, ch.parameters(), kind, ch.out)
	if err == nil && lines <= header {
		err = errNoRoute
	}
	return err
}

func (ch *changes) runPages(ctx context.Context) error {
	var answer changesAnswer
	values := ch.parameters()
	body, err := ch.get(ctx, changesPath, values, &answer)
	if err != nil {
		return err
	}
	for ch.all && answer.NextCursor != "" {
		var next changesAnswer
		values.Set("cursor", answer.NextCursor)
		if _, err := ch.get(ctx, changesPath, values, &next); err != nil {
			return err
		}
		answer.Changes, answer.NextCursor = append(answer.Changes, next.Changes...), next.NextCursor
	}
	if err := ch.print(ch.out, body, answer.print); err != nil {
		return err
	}
	if len(answer.Changes) == 0 {
		return errNoRoute
	}
	return nil
}

// changesAnswer is what is printed of the answer of GET /api/v1/changes.
type changesAnswer struct {
	Query      queryAnswer    `json:"query"`
	From       time.Time      `json:"from"`
	To         time.Time      `json:"to"`
	Notices    []string       `json:"notices"`
	Total      int            `json:"total"`
	Changes    []changeAnswer `json:"changes"`
	NextCursor string         `json:"next_cursor"`
}

type changeAnswer struct {
	At         time.Time    `json:"at"`
	Kind       string       `json:"kind"`
	Prefix     netip.Prefix `json:"prefix"`
	Family     string       `json:"family"`
	Peer       string       `json:"peer"`
	PathID     *uint32      `json:"path_id"`
	Cause      string       `json:"cause"`
	Attributes []string     `json:"attributes"`
	Reason     string       `json:"reason"`
	Old        *routeAnswer `json:"old"`
	New        *routeAnswer `json:"new"`
}

func (a *changesAnswer) print(w io.Writer) error {
	var b strings.Builder
	if len(a.Changes) == 0 {
		fmt.Fprintf(&b, "no change between %s and %s\n", moment(a.From), moment(a.To))
	} else {
		rows := [][]string{{"TIME", "CHANGE", "PREFIX", "PEER", "WHAT"}}
		for i := range a.Changes {
			rows = append(rows, a.Changes[i].row())
		}
		if err := writeTable(&b, rows); err != nil {
			return err
		}
		if a.Total > len(a.Changes) {
			fmt.Fprintf(&b, "\n%d of %d changes", len(a.Changes), a.Total)
			if a.NextCursor != "" {
				fmt.Fprintf(&b, "; more with --cursor %s", clean(a.NextCursor))
			}
			b.WriteByte('\n')
		}
	}
	writeNotices(&b, a.Notices)
	_, err := io.WriteString(w, b.String())
	return err
}

func (c *changeAnswer) row() []string {
	prefix := c.Family
	if c.Prefix.IsValid() {
		prefix = c.Prefix.String()
	}
	source := routeAnswer{Peer: c.Peer, PathID: c.PathID}
	return []string{moment(c.At), c.Kind, dash(prefix), source.source(), dash(c.what())}
}

// what tells a change in words: what the route is, or was.
func (c *changeAnswer) what() string {
	switch {
	case c.Old != nil && c.New != nil && len(c.Attributes) > 0:
		return strings.Join(c.Attributes, ", ") + ": " + contrast(c.Old, c.New)
	case c.New != nil:
		return c.New.path()
	case c.Old != nil:
		return strings.TrimSpace("was " + c.Old.path() + " " + c.because())
	}
	return c.Reason
}

func (c *changeAnswer) because() string {
	if c.Reason == "" {
		return ""
	}
	return "(" + c.Reason + ")"
}

// contrast tells what differs between two routes: the paths, or the first other
// thing that can be said in a word.
func contrast(before, after *routeAnswer) string {
	for _, of := range []func(*routeAnswer) string{
		(*routeAnswer).path,
		func(r *routeAnswer) string { return r.NextHop },
		func(r *routeAnswer) string { return "MED " + number(r.MED) },
		func(r *routeAnswer) string { return "preference " + number(r.LocalPref) },
		(*routeAnswer).communities,
	} {
		if a, b := of(before), of(after); a != b {
			return cmp.Or(a, "-") + " → " + cmp.Or(b, "-")
		}
	}
	return after.path()
}
