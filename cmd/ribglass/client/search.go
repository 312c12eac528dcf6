package client

import (
	"context"
	"encoding/json"
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
	"ribglass/ribstore/query"
)

// search is one run of `ribglass search`.
type search struct {
	remote
	scene

	text    string
	limit   int
	cursor  string
	fields  string
	all     bool
	explain bool

	out, notes io.Writer
}

func searchCommand() *cobra.Command {
	var s search
	c := &cobra.Command{
		Use:   "search 'QUERY'",
		Short: "Search all routes with the query language",
		Long: `Search asks a running Ribglass for routes by AS path, community, prefix, peer,
age and more, combined with and, or, not and parentheses; docs/query.md
describes the language. Without a query every route is found.

How words without a keyword were understood is noted on standard error. With
--all the complete answer comes instead of one page: as a stream with ndjson
and csv.

Exit status: 0 routes were found, 1 the server could not be asked or refused,
2 wrong usage, 3 no route was found.`,
		Example: `  ribglass search 'path _64501_64502$'
  ribglass search 'community 64500:1* not peer edge1' --format csv --all
  ribglass search 'origin 64501 at 2d'
  ribglass search 'origin 64501 or via 64502' --explain`,
		ValidArgsFunction: completeWords,
		RunE: func(c *cobra.Command, args []string) error {
			s.text, s.out, s.notes = strings.Join(args, " "), c.OutOrStdout(), c.ErrOrStderr()
			return s.run(c.Context())
		},
	}
	s.remote.flags(c, formatNDJSON, formatCSV)
	s.scene.flags(c)
	f := c.Flags()
	f.IntVar(&s.limit, "limit", query.DefaultLimit, fmt.Sprintf("at most this many routes, up to %d", query.MaxLimit))
	f.StringVar(&s.cursor, "cursor", "", "continue behind an earlier answer, at the cursor it ended with")
	f.StringVar(&s.fields, "fields", "", "members of a route to give, such as prefix,peer,as_path_text")
	f.BoolVar(&s.all, "all", false, "give the complete answer (not with json)")
	f.BoolVar(&s.explain, "explain", false, "say how the query is understood and answered instead of answering it")
	return c
}

// completeWords offers the words of the language.
func completeWords(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	var words []cobra.Completion
	for _, w := range query.Words() {
		words = append(words, cobra.CompletionWithDesc(w.Text, w.Means))
	}
	return append(words, query.Connectives()...), cobra.ShellCompDirectiveNoFileComp
}

func (s *search) run(ctx context.Context) error {
	switch {
	case s.all && s.format == formatJSON:
		return exit.UsageError{Err: errors.New("--all: one JSON document cannot hold every route; use --format ndjson, csv or table")}
	case s.explain:
		return s.runExplain(ctx)
	}
	if kind, header := s.streamed(); kind != "" {
		return s.runStream(ctx, kind, header)
	}
	return s.runPages(ctx)
}

const routesPath = "/api/v1/routes"

// parameters are those of every form of the question.
func (s *search) parameters() url.Values {
	values := url.Values{"q": {s.text}}
	if !s.all {
		values.Set("limit", strconv.Itoa(s.limit))
	} else if s.format == formatTable {
		values.Set("limit", strconv.Itoa(query.MaxLimit))
	}
	if s.cursor != "" {
		values.Set("cursor", s.cursor)
	}
	if s.fields != "" {
		values.Set("fields", s.fields)
	}
	s.set(values)
	return values
}

// explaining are the parameters of the question how it would be answered.
func (s *search) explaining() url.Values {
	values := url.Values{"q": {s.text}, "explain": {"true"}}
	s.set(values)
	return values
}

// runExplain prints how the query would be answered.
func (s *search) runExplain(ctx context.Context) error {
	var plan answer.Explanation
	body, err := s.get(ctx, routesPath, s.explaining(), &plan)
	if err != nil {
		return err
	}
	return s.print(s.out, body, func(w io.Writer) error { return printPlan(w, &plan.Query) })
}

// runStream copies the answer as it comes. header is how many lines of it are
// no route.
func (s *search) runStream(ctx context.Context, kind string, header int) error {
	// A stream is routes only: what else there is to say is asked before.
	var plan answer.Explanation
	if _, err := s.get(ctx, routesPath, s.explaining(), &plan); err != nil {
		return err
	}
	printNotes(s.notes, &plan.Query)
	return s.streamRoutes(ctx, s.parameters(), kind, header, s.out)
}

// searchAnswer is an answer that a page is printed of, and more pages are
// joined to.
type searchAnswer struct {
	routesAnswer
	rows []map[string]any // the routes with the fields asked for
}

// UnmarshalJSON reads an answer in both forms.
func (a *searchAnswer) UnmarshalJSON(b []byte) error {
	var plain struct {
		Routes []map[string]any `json:"routes"`
	}
	if err := json.Unmarshal(b, &plain); err != nil {
		return err
	}
	a.rows = plain.Routes
	return json.Unmarshal(b, &a.Routes)
}

// runPages prints one page, or all of them as one table.
func (s *search) runPages(ctx context.Context) error {
	found := searchAnswer{routesAnswer: routesAnswer{past: s.at != ""}}
	values := s.parameters()
	body, err := s.get(ctx, routesPath, values, &found)
	if err != nil {
		return err
	}
	for s.all && found.NextCursor != "" {
		var next searchAnswer
		values.Set("cursor", found.NextCursor)
		if _, err := s.get(ctx, routesPath, values, &next); err != nil {
			return err
		}
		found.Routes.Routes, found.rows = append(found.Routes.Routes, next.Routes.Routes...), append(found.rows, next.rows...)
		found.NextCursor = next.NextCursor
	}
	printNotes(s.notes, &found.Query)
	table := found.print
	if s.fields != "" && len(found.rows) > 0 {
		table = func(w io.Writer) error { return found.printFields(w, strings.Split(s.fields, ",")) }
	}
	if err := s.print(s.out, body, table); err != nil {
		return err
	}
	if len(found.Routes.Routes) == 0 {
		return exit.ErrNotFound
	}
	return nil
}

// printFields writes a table with a column for each field.
func (a *searchAnswer) printFields(w io.Writer, fields []string) error {
	rows := make([][]string, 1, len(a.rows)+1)
	for _, f := range fields {
		rows[0] = append(rows[0], strings.ToUpper(strings.TrimSpace(f)))
	}
	for _, r := range a.rows {
		var row []string
		for _, f := range fields {
			row = append(row, cell(r[strings.TrimSpace(f)]))
		}
		rows = append(rows, row)
	}
	if err := writeTable(w, rows); err != nil {
		return err
	}
	return a.printNotes(w)
}

// cell writes a JSON value for a table.
func cell(v any) string {
	switch v := v.(type) {
	case nil:
		return "-"
	case string:
		return dash(v)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case []any:
		words := make([]string, len(v))
		for i, one := range v {
			words[i] = cell(one)
		}
		return dash(strings.Join(words, " "))
	}
	b, err := json.Marshal(v)
	if err != nil {
		return "?"
	}
	return string(b)
}

// printNotes tells how words were understood that could be read otherwise.
func printNotes(w io.Writer, q *answer.Query) {
	for _, n := range q.Notes {
		text := fmt.Sprintf("note: column %d is read as %s", n.Column, terminal.Clean(n.Understood))
		if n.Other != "" {
			text += "; otherwise write " + terminal.Clean(n.Other)
		}
		fmt.Fprintln(w, text)
	}
}

// printPlan tells how a query is understood and answered.
func printPlan(w io.Writer, q *answer.Query) error {
	rows := [][]string{{"query", dash(q.Canonical)}, {"method", q.Plan.Method}}
	if q.Plan.Sets != "" {
		rows = append(rows, []string{"by attribute set", q.Plan.Sets})
	}
	if q.Plan.Routes != "" {
		rows = append(rows, []string{"by route", q.Plan.Routes})
	}
	rows = append(rows, []string{"cost", strconv.Itoa(q.Plan.Cost)})
	if err := writeTable(w, rows); err != nil {
		return err
	}
	printNotes(w, q)
	return nil
}
