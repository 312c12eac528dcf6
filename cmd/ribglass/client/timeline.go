package client

import (
	"cmp"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"ribglass/cmd/ribglass/exit"
	"ribglass/cmd/ribglass/terminal"
	"ribglass/httpapi/answer"
	"ribglass/ribstore/route"
)

func timelineCommand() *cobra.Command {
	var (
		cl                  remote
		between, collection string
		limit               int
	)
	c := &cobra.Command{
		Use:   "timeline PREFIX|ADDRESS [WORD…]",
		Short: "Tell what became of a prefix, peer by peer",
		Long: `Timeline asks a running Ribglass for every state of a prefix, from when until
when, for each peer: when it was seen first and last, how often it was gone, and
when its origin changed. An address means the most specific prefix that covers
it. Without --between it is about the last 30 days.

Exit status: 0 there is a timeline, 1 the server could not be asked or refused,
2 wrong usage, 3 the prefix had no route.`,
		Example: `  ribglass timeline 192.0.2.0/24
  ribglass timeline 192.0.2.0/24 peer edge1 --between 2026-11-22T03:00Z/2026-11-22T04:00Z`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			values := url.Values{"q": {strings.Join(args, " ")}}
			if limit > 0 {
				values.Set("limit", strconv.Itoa(limit))
			}
			for name, value := range map[string]string{"between": between, "collection": collection} {
				if value != "" {
					values.Set(name, value)
				}
			}
			var found answer.Timeline
			body, err := cl.get(c.Context(), "/api/v1/timeline", values, &found)
			if err != nil {
				return err
			}
			if err := cl.print(c.OutOrStdout(), body, func(w io.Writer) error { return printTimeline(w, &found) }); err != nil {
				return err
			}
			if found.FirstSeen.IsZero() {
				return exit.ErrNotFound
			}
			return nil
		},
	}
	cl.flags(c)
	collectionFlag(c, &collection)
	f := c.Flags()
	f.StringVar(&between, "between", "", "the `span`, as two moments: -2h/now")
	f.IntVar(&limit, "limit", 0, "at most this many states, the newest (0: as many as the server gives)")
	return c
}

func printTimeline(w io.Writer, a *answer.Timeline) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s between %s and %s\n", a.Prefix, moment(a.From), moment(a.To))
	if a.FirstSeen.IsZero() {
		b.WriteString("no route\n")
	} else {
		fmt.Fprintf(&b, "first seen %s, last seen %s; %s, %s, %s\n", moment(a.FirstSeen), moment(a.LastSeen),
			terminal.Several(a.Flaps, "flap"), terminal.Several(a.Announcements, "announcement"), terminal.Several(a.Withdrawals, "withdrawal"))
	}
	for _, o := range a.OriginChanges {
		fmt.Fprintf(&b, terminal.Signs("%s origin %s → %s\n"), moment(o.At), origins(o.From), origins(o.To))
	}
	if more := a.OriginChangeCount - len(a.OriginChanges); more > 0 {
		fmt.Fprintf(&b, "and %s before\n", terminal.Several(more, "origin change"))
	}
	if len(a.Rows) > 0 {
		b.WriteByte('\n')
	}
	if err := writeTable(&b, timelineRows(a)); err != nil {
		return err
	}
	writeNotices(&b, a.Notices)
	_, err := io.WriteString(w, b.String())
	return err
}

func timelineRows(a *answer.Timeline) [][]string {
	if len(a.Rows) == 0 {
		return nil
	}
	rows := [][]string{{"PEER", "FROM", "TO", "", "ROUTE"}}
	for i := range a.Rows {
		row := &a.Rows[i]
		for j := range row.States {
			s := &row.States[j]
			mark, what := "", strings.TrimSpace("absent "+reason(s.Reason))
			if s.Route != nil {
				what = strings.TrimSpace(path(s.Route) + "  " + hop(s.Route))
			}
			if len(s.Attributes) > 0 && j > 0 && row.States[j-1].Route != nil {
				what += "  [" + strings.Join(differences(s.Attributes, row.States[j-1].Route, s.Route), "; ") + "]"
			}
			if s.Stale != nil && *s.Stale {
				mark = "S"
			}
			rows = append(rows, []string{source(row.Peer, row.PathID), moment(s.From), moment(s.To), mark, what})
		}
	}
	return rows
}

// differences tells what changed of each attribute. The path and the next hop, which the
// row shows, are only named.
func differences(names []string, before, after *answer.Attributes) []string {
	values := map[string]func(*answer.Attributes) string{
		"med":             func(r *answer.Attributes) string { return number(r.MED) },
		"local-pref":      func(r *answer.Attributes) string { return number(r.LocalPref) },
		"community":       func(r *answer.Attributes) string { return dash(strings.Join(r.Communities, " ")) },
		"large-community": func(r *answer.Attributes) string { return dash(strings.Join(r.LargeCommunities, " ")) },
		"ext-community":   func(r *answer.Attributes) string { return dash(strings.Join(r.ExtCommunities, " ")) },
	}
	list := make([]string, len(names))
	for i, name := range names {
		list[i] = terminal.Clean(name)
		if of := values[name]; of != nil {
			list[i] += ": " + of(before) + terminal.Signs(" → ") + of(after)
		}
	}
	return list
}

func reason(text string) string {
	if text == "" {
		return ""
	}
	return "(" + text + ")"
}

func origins(list []route.ASN) string {
	words := make([]string, len(list))
	for i, n := range list {
		words[i] = n.String()
	}
	return cmp.Or(strings.Join(words, ","), "none")
}
