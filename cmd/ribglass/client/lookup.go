package client

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"ribglass/cmd/ribglass/exit"
	"ribglass/cmd/ribglass/terminal"
	"ribglass/httpapi/answer"
)

func lookupCommand() *cobra.Command {
	var (
		cl     remote
		where  scene
		limit  int
		cursor string
	)
	c := &cobra.Command{
		Use:   "lookup ADDRESS|PREFIX [WORD…]",
		Short: "Look up the routes of an address or a prefix",
		Long: `Lookup asks a running Ribglass. An address finds its longest match, a prefix
itself. More words of the query language may follow: or-longer, or-shorter,
peer NAME, family NAME.

In the table, * marks the best route of a prefix and S a stale one: its session
is down, or has not confirmed it since it came up again. DECISION is the step of
the decision process that settled a route against the best one, and the best one
against the runner-up.

Exit status: 0 routes were found, 1 the server could not be asked or refused,
2 wrong usage, 3 no route was found.`,
		Example: `  ribglass lookup 192.0.2.1
  ribglass lookup 2001:db8::/32 or-longer peer edge1
  ribglass lookup 192.0.2.1 --at 2026-11-22T03:12Z
  ribglass lookup 192.0.2.1 --server http://lg.example.net:8080 --format json`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			values := url.Values{"q": {strings.Join(args, " ")}, "limit": {strconv.Itoa(limit)}}
			if cursor != "" {
				values.Set("cursor", cursor)
			}
			where.set(values)
			if kind, header := cl.streamed(); kind != "" {
				return cl.streamRoutes(c.Context(), values, kind, header, c.OutOrStdout())
			}
			found := routesAnswer{past: where.at != ""}
			body, err := cl.get(c.Context(), routesPath, values, &found)
			if err != nil {
				return err
			}
			if err := cl.print(c.OutOrStdout(), body, found.print); err != nil {
				return err
			}
			if len(found.Routes.Routes) == 0 {
				return exit.ErrNotFound
			}
			return nil
		},
	}
	cl.flags(c, formatNDJSON, formatCSV)
	where.flags(c)
	c.Flags().IntVar(&limit, "limit", 100, "at most this many routes")
	c.Flags().StringVar(&cursor, "cursor", "", "continue behind an earlier answer, at the cursor it ended with")
	return c
}

// streamed returns the type of the stream that a format is, "" for a page, and how
// many of its lines are not of the answer.
func (cl *remote) streamed() (kind string, header int) {
	switch cl.format {
	case formatNDJSON:
		return "application/x-ndjson", 0
	case formatCSV:
		return "text/csv", 1
	}
	return "", 0
}

// streamRoutes copies routes to out as they come.
func (cl *remote) streamRoutes(ctx context.Context, values url.Values, kind string, header int, out io.Writer) error {
	lines, err := cl.stream(ctx, routesPath, values, kind, out)
	if err == nil && lines <= header {
		err = exit.ErrNotFound
	}
	return err
}

// routesAnswer is an answer that is printed.
type routesAnswer struct {
	answer.Routes

	past bool // another moment than now was asked for
}

// print writes the answer as a table, with what a reader must know of its
// freshness below.
func (a *routesAnswer) print(w io.Writer) error {
	if len(a.Routes.Routes) == 0 {
		if _, err := fmt.Fprintf(w, "no route for %s\n", terminal.Clean(a.Query.Canonical)); err != nil {
			return err
		}
		return printMoment(w, &a.Moment, a.past)
	}
	rows := [][]string{{"", "PREFIX", "PEER", "NEXT HOP", "PREF", "MED", "AGE", "DECISION", "AS PATH", "COMMUNITIES"}}
	for i := range a.Routes.Routes {
		r := &a.Routes.Routes[i]
		rows = append(rows, []string{
			marks(r), r.Prefix.String(), source(r.Peer, r.PathID), dash(hop(&r.Attributes)), number(r.LocalPref), number(r.MED),
			age(a.At, r.ReceivedAt), dash(r.Decision), path(&r.Attributes), communities(&r.Attributes),
		})
	}
	if err := writeTable(w, rows); err != nil {
		return err
	}
	return a.printNotes(w)
}

func (a *routesAnswer) printNotes(w io.Writer) error {
	var b strings.Builder
	for _, f := range a.Freshness {
		if !f.Up && !f.StaleSince.IsZero() {
			fmt.Fprintf(&b, "%s is down: its routes are as of %s\n", terminal.Clean(f.Peer), f.StaleSince.UTC().Format(time.RFC3339))
		}
	}
	for i := range a.Refused {
		r := &a.Refused[i]
		fmt.Fprintf(&b, "%s of %s was treated as withdrawn at %s (RFC 7606): %s\n",
			r.Prefix, terminal.Clean(source(r.Peer, r.PathID)), r.At.UTC().Format(time.RFC3339), terminal.Clean(r.Reason))
	}
	if shown := len(a.Routes.Routes); a.Total > shown {
		fmt.Fprintf(&b, "%d of %d routes", shown, a.Total)
		if a.NextCursor != "" {
			fmt.Fprintf(&b, "; more with --cursor %s", terminal.Clean(a.NextCursor))
		}
		b.WriteByte('\n')
	}
	if err := printMoment(&b, &a.Moment, a.past); err != nil {
		return err
	}
	if b.Len() == 0 {
		return nil
	}
	_, err := fmt.Fprintf(w, "\n%s", b.String())
	return err
}

// marks returns "*" for the best route and "S" for a stale one.
func marks(r *answer.Route) string {
	marks := " "
	if r.Best != nil && *r.Best {
		marks = "*"
	}
	if !r.StaleSince.IsZero() {
		marks += "S"
	}
	return marks
}

// source returns the peer, with the path identifier behind it where it has one.
func source(peer string, pathID *uint32) string {
	if pathID == nil {
		return peer
	}
	return fmt.Sprintf("%s#%d", peer, *pathID)
}

// path returns the AS path with the letter that routers print for the origin.
func path(a *answer.Attributes) string {
	letters := map[string]string{"igp": "i", "egp": "e", "incomplete": "?"}
	text := ""
	if a.ASPathText != nil {
		text = *a.ASPathText
	}
	return strings.TrimSpace(text + " " + letters[a.Origin])
}

// hop returns the next hop, "" where there is none.
func hop(a *answer.Attributes) string {
	if !a.NextHop.IsValid() {
		return ""
	}
	return a.NextHop.String()
}

func communities(a *answer.Attributes) string {
	all := slices.Concat(a.Communities, a.LargeCommunities, a.ExtCommunities)
	return dash(strings.Join(all, " "))
}

func number(n *uint32) string {
	if n == nil {
		return "-"
	}
	return strconv.FormatUint(uint64(*n), 10)
}

func dash(s string) string { return cmp.Or(s, "-") }
