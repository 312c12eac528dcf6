package main

import (
	"cmp"
	"fmt"
	"io"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

func lookupCommand() *cobra.Command {
	var (
		cl     client
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
			query := url.Values{"q": {strings.Join(args, " ")}, "limit": {strconv.Itoa(limit)}}
			if cursor != "" {
				query.Set("cursor", cursor)
			}
			where.set(query)
			answer := routesAnswer{past: where.at != ""}
			body, err := cl.get(c.Context(), "/api/v1/routes", query, &answer)
			if err != nil {
				return err
			}
			if err := cl.print(c.OutOrStdout(), body, answer.print); err != nil {
				return err
			}
			if len(answer.Routes) == 0 {
				return errNoRoute
			}
			return nil
		},
	}
	cl.flags(c)
	where.flags(c)
	c.Flags().IntVar(&limit, "limit", 100, "at most this many routes")
	c.Flags().StringVar(&cursor, "cursor", "", "continue behind an earlier answer, at the cursor it ended with")
	return c
}

// routesAnswer is what is printed of the answer of GET /api/v1/routes.
type routesAnswer struct {
	pastAnswer

	past bool // another moment than now was asked for

	Query      queryAnswer   `json:"query"`
	Freshness  []freshness   `json:"freshness"`
	Total      int           `json:"total"`
	Routes     []routeAnswer `json:"routes"`
	NextCursor string        `json:"next_cursor"`
}

type freshness struct {
	Peer       string    `json:"peer"`
	Up         bool      `json:"up"`
	StaleSince time.Time `json:"stale_since"`
}

type routeAnswer struct {
	Prefix      netip.Prefix `json:"prefix"`
	Peer        string       `json:"peer"`
	PathID      *uint32      `json:"path_id,omitempty"`
	ReceivedAt  time.Time    `json:"received_at,omitzero"`
	StaleSince  time.Time    `json:"stale_since,omitzero"`
	Best        bool         `json:"best,omitzero"`
	Decision    string       `json:"decision,omitempty"` // the step that settled it against the best, or the best against the next
	NextHop     string       `json:"next_hop,omitempty"`
	Origin      string       `json:"origin"`
	ASPath      string       `json:"as_path_text,omitempty"`
	MED         *uint32      `json:"med,omitempty"`
	LocalPref   *uint32      `json:"local_pref,omitempty"`
	Communities []string     `json:"communities,omitempty"`
	Large       []string     `json:"large_communities,omitempty"`
	Extended    []string     `json:"ext_communities,omitempty"`
}

// print writes the answer as a table, with what a reader must know of its
// freshness below.
func (a *routesAnswer) print(w io.Writer) error {
	if len(a.Routes) == 0 {
		if _, err := fmt.Fprintf(w, "no route for %s\n", clean(a.Query.Canonical)); err != nil {
			return err
		}
		return a.printMoment(w, a.past)
	}
	rows := [][]string{{"", "PREFIX", "PEER", "NEXT HOP", "PREF", "MED", "AGE", "DECISION", "AS PATH", "COMMUNITIES"}}
	for i := range a.Routes {
		r := &a.Routes[i]
		rows = append(rows, []string{
			r.marks(), r.Prefix.String(), r.source(), dash(r.NextHop), number(r.LocalPref), number(r.MED),
			age(a.At, r.ReceivedAt), dash(r.Decision), r.path(), r.communities(),
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
			fmt.Fprintf(&b, "%s is down: its routes are as of %s\n", clean(f.Peer), f.StaleSince.UTC().Format(time.RFC3339))
		}
	}
	if a.Total > len(a.Routes) {
		fmt.Fprintf(&b, "%d of %d routes", len(a.Routes), a.Total)
		if a.NextCursor != "" {
			fmt.Fprintf(&b, "; more with --cursor %s", clean(a.NextCursor))
		}
		b.WriteByte('\n')
	}
	if err := a.printMoment(&b, a.past); err != nil {
		return err
	}
	if b.Len() == 0 {
		return nil
	}
	_, err := fmt.Fprintf(w, "\n%s", b.String())
	return err
}

// marks returns "*" for the best route and "S" for a stale one.
func (r *routeAnswer) marks() string {
	marks := " "
	if r.Best {
		marks = "*"
	}
	if !r.StaleSince.IsZero() {
		marks += "S"
	}
	return marks
}

// source returns the peer, with the path identifier behind it where it has one.
func (r *routeAnswer) source() string {
	if r.PathID == nil {
		return r.Peer
	}
	return fmt.Sprintf("%s#%d", r.Peer, *r.PathID)
}

// path returns the AS path with the letter that routers print for the origin.
func (r *routeAnswer) path() string {
	letters := map[string]string{"igp": "i", "egp": "e", "incomplete": "?"}
	return strings.TrimSpace(r.ASPath + " " + letters[r.Origin])
}

func (r *routeAnswer) communities() string {
	all := slices.Concat(r.Communities, r.Large, r.Extended)
	return dash(strings.Join(all, " "))
}

func number(n *uint32) string {
	if n == nil {
		return "-"
	}
	return strconv.FormatUint(uint64(*n), 10)
}

func dash(s string) string { return cmp.Or(s, "-") }
