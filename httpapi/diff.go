package httpapi

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"ribglass/ribstore"
	"ribglass/ribstore/query"
	"ribglass/ribstore/route"
)

// comparisonsAtATime is how many comparisons may run: each holds two tables.
const comparisonsAtATime = 2

// undecided are the members of a route that no decision was made for.
const undecided = allFields &^ (fBest | fDecision)

// diffRequest is a question for what differs.
type diffRequest struct {
	request
	contrast ribstore.Contrast
	to       Searcher // who is asked about b; nil: who is about a
	other    string   // the collection that it is
}

// diffParams are the parameters of a question for what differs.
func diffParams() []known {
	return []known{
		{"a", false},
		{"b", false},
		{"peer_a", false},
		{"peer_b", false},
		{"q", false},
		{"between", false},
		{"stale", false},
		{"limit", false},
		{"cursor", false},
		{"collection", false},
		{"collection_b", false},
	}
}

// readDiff reads the parameters of a question for what differs. A span stands
// for both moments.
func (s *Server) readDiff(list []param) (r diffRequest, err error) {
	if r.request, err = s.readSearch(list, query.Query{}); err != nil {
		return r, err
	}
	if !r.query.At.IsZero() {
		return r, problemf(codeInvalidParameter, "The moments of a comparison are a and b, not a word of the query.")
	}
	c := &r.contrast
	c.From, c.To = r.query.Between.From, r.query.Between.To
	spanned := !r.query.Between.IsZero()
	for _, p := range list {
		switch p.name {
		case "a", "b":
			if spanned {
				return r, problemf(codeInvalidParameter, "Give the moments as a and b, or as a span, not as both.")
			}
			var at query.Moment
			at, err = parseMoment(p.name, p.value)
			if p.name == "a" {
				c.From = at
			} else {
				c.To = at
			}
		case "peer_a":
			c.FromPeer, err = parsePeer(p.value)
		case "peer_b":
			c.ToPeer, err = parsePeer(p.value)
		case "stale":
			c.Stale, err = parseBool(p)
		case "collection_b":
			r.other = p.value
			r.to, err = s.collection(p.value)
		}
		if err != nil {
			return r, err
		}
	}
	r.query.Between = query.Span{}
	c.Query = r.query
	return r, r.differs()
}

// differs refuses a question to which the answer is nothing whatever the table.
func (r *diffRequest) differs() error {
	c := r.contrast
	switch {
	case r.to != nil && r.other != r.scene.collection:
		return nil
	case (c.FromPeer == "") != (c.ToPeer == ""):
		return problemf(codeInvalidParameter, "Give both peer_a and peer_b, or none of them.")
	case c.From == c.To && c.FromPeer == c.ToPeer:
		return problemf(codeInvalidParameter, "Give two moments, such as a=-1h&b=now, or two peers, peer_a and peer_b.")
	}
	return nil
}

func parsePeer(name string) (string, error) {
	if _, err := addPeer(nil, name); err != nil {
		return "", err
	}
	return name, nil
}

// diff answers GET /api/v1/diff.
func (s *Server) diff(c *gin.Context) error {
	mediaType := negotiate(accept(c), []string{typeJSON, typeNDJSON, typeCSV})
	if mediaType == "" {
		return problemf(codeNotAcceptable, "The answer is %s, %s or %s.", typeJSON, typeNDJSON, typeCSV)
	}
	list, err := readParams(c.Request.URL.RawQuery, diffParams())
	if err != nil {
		return err
	}
	req, err := s.readDiff(list)
	if err != nil {
		return err
	}
	c.Writer.Header().Set("Vary", "Accept")
	if mediaType == typeJSON {
		return s.answerDiff(c, req)
	}
	return s.streamDiff(c, req, mediaType)
}

func (s *Server) answerDiff(c *gin.Context, req diffRequest) error {
	d, err := s.findDiff(c.Request.Context(), req)
	if err != nil {
		return err
	}
	b := s.buffer()
	defer s.release(b)
	*b = appendDiff(*b, d, &req)
	s.send(c, http.StatusOK, typeJSON, *b)
	return nil
}

// findDiff makes one page of a comparison within the time a search may take.
func (s *Server) findDiff(ctx context.Context, req diffRequest) (*query.Diff, error) {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.QueryTimeout)
	defer cancel()
	leave, err := s.enterComparisons(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	comparison, notices, err := req.compare(ctx)
	if err != nil {
		return nil, s.refused("compare", req.query, err)
	}
	d, err := comparison.Page(ctx, req.page)
	if err != nil {
		return nil, s.refused("compare", req.query, err)
	}
	d.Notices = notices
	return d, nil
}

// compare makes the comparison ready. One of a collection with another, or with
// what is live, takes a side of each.
func (r *diffRequest) compare(ctx context.Context) (*query.Comparison, []string, error) {
	c := r.contrast
	if r.to == nil {
		return r.from.Compare(ctx, c)
	}
	both := c
	both.To = c.From
	comparison, notices, err := r.from.Compare(ctx, both)
	if err != nil {
		return nil, nil, err
	}
	both.From, both.To = c.To, c.To
	other, more, err := r.to.Compare(ctx, both)
	if err != nil {
		return nil, nil, err
	}
	comparison.B = other.B
	notices = slices.Concat(notices, more)
	slices.Sort(notices)
	return comparison, slices.Compact(notices), nil
}

// enterComparisons waits for a place for a comparison.
func (s *Server) enterComparisons(ctx context.Context) (leave func(), err error) {
	select {
	case s.comparisons <- struct{}{}:
		return func() { <-s.comparisons }, nil
	case <-ctx.Done():
	}
	if errors.Is(ctx.Err(), context.Canceled) {
		return nil, ctx.Err()
	}
	p := problemf(codeBusy, "As many comparisons run as may at a time. Try again later.")
	p.retry = busyRetry
	return nil, p
}

// streamDiff writes all that differs.
func (s *Server) streamDiff(c *gin.Context, req diffRequest, mediaType string) error {
	if req.limited || req.page.Cursor != "" {
		return problemf(codeInvalidParameter, "limit and cursor are for %s; this answer is %s and whole.", typeJSON, mediaType)
	}
	leave, err := s.enterStreams(true)
	if err != nil {
		return err
	}
	defer leave()
	w := newStreamWriter(s, c, mediaType)
	var columns []diffColumn
	if mediaType == typeCSV {
		columns = diffColumns()
		w.header, w.file = csvHeader(columns), "diff.csv"
	}
	return w.pour(func(ctx context.Context) error {
		comparison, err := s.compare(ctx, req)
		if err != nil {
			return err
		}
		return comparison.Stream(ctx, func(list []query.Difference) error {
			return w.rows(len(list), func(b []byte, i int) []byte {
				if columns != nil {
					return appendCSVLine(b, &list[i], columns)
				}
				return append(appendDifference(b, &list[i]), '\n')
			})
		})
	})
}

func (s *Server) compare(ctx context.Context, req diffRequest) (*query.Comparison, error) {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.QueryTimeout)
	defer cancel()
	comparison, _, err := req.compare(ctx)
	if err != nil {
		return nil, s.refused("compare", req.query, err)
	}
	return comparison, nil
}

func appendDiff(b []byte, d *query.Diff, r *diffRequest) []byte {
	c := &r.contrast
	b = append(appendKey(append(b, '{'), "query"), '{')
	b = append(appendString(appendKey(b, "canonical"), d.Query.String()), '}')
	b = appendDiffSide(b, "a", d.From, c.FromPeer, r.scene.collection)
	b = appendDiffSide(b, "b", d.To, c.ToPeer, r.otherCollection())
	b = appendNotices(b, d.Notices)
	if d.Counts != nil {
		b = appendDiffCounts(b, d.Counts)
	}
	b = append(appendKey(b, "differences"), '[')
	for i := range d.Differences {
		b = appendDifference(appendComma(b), &d.Differences[i])
	}
	b = append(b, ']')
	if d.NextCursor != "" {
		b = appendString(appendKey(b, "next_cursor"), d.NextCursor)
	}
	return append(b, '}', '\n')
}

// otherCollection returns the collection of side b.
func (r *diffRequest) otherCollection() string {
	if r.to != nil {
		return r.other
	}
	return r.scene.collection
}

func appendDiffSide(b []byte, name string, at time.Time, peer, collection string) []byte {
	b = appendTime(appendKey(append(appendKey(b, name), '{'), "at"), at)
	if peer != "" {
		b = appendString(appendKey(b, "peer"), peer)
	}
	if collection != "" {
		b = appendString(appendKey(b, "collection"), collection)
	}
	return append(b, '}')
}

func appendDiffCounts(b []byte, c *query.DiffCounts) []byte {
	b = append(appendKey(b, "counts"), '{')
	b = appendInt(appendKey(b, "same"), int64(c.Same))
	b = appendInt(appendKey(b, "added"), int64(c.Added))
	b = appendInt(appendKey(b, "withdrawn"), int64(c.Withdrawn))
	b = appendInt(appendKey(b, "changed"), int64(c.Changed))
	b = append(appendKey(b, "causes"), '[')
	for _, one := range c.Causes {
		b = appendString(appendKey(append(appendComma(b), '{'), "kind"), string(one.Kind))
		b = appendString(appendKey(b, "cause"), string(one.Cause))
		b = append(appendInt(appendKey(b, "count"), int64(one.Count)), '}')
	}
	b = append(appendKey(append(b, ']'), "peers"), '[')
	for _, one := range c.Peers {
		b = appendString(appendKey(append(appendComma(b), '{'), "peer"), one.Peer)
		b = appendInt(appendKey(b, "same"), int64(one.Same))
		b = appendInt(appendKey(b, "added"), int64(one.Added))
		b = appendInt(appendKey(b, "withdrawn"), int64(one.Withdrawn))
		b = append(appendInt(appendKey(b, "changed"), int64(one.Changed)), '}')
	}
	return append(appendCounts(append(b, ']'), "attributes", c.Attributes), '}')
}

func appendDifference(b []byte, d *query.Difference) []byte {
	b = appendPrefix(appendKey(append(b, '{'), "prefix"), d.Prefix)
	b = appendString(appendKey(b, "family"), d.Family.String())
	b = appendString(appendKey(b, "kind"), string(d.Kind))
	b = appendString(appendKey(b, "cause"), string(d.Cause))
	b = appendNames(b, "attributes", d.Attributes)
	if d.Old != nil {
		b = appendFields(appendKey(b, "old"), d.Old, undecided)
	}
	if d.New != nil {
		b = appendFields(appendKey(b, "new"), d.New, undecided)
	}
	return append(b, '}')
}

// diffColumn is a column of CSV of what differs.
type diffColumn = columnOf[query.Difference]

func diffColumns() []diffColumn {
	list := []diffColumn{
		{"prefix", func(b []byte, d *query.Difference) []byte { return d.Prefix.AppendTo(b) }},
		{"family", func(b []byte, d *query.Difference) []byte { return append(b, d.Family.String()...) }},
		{"kind", func(b []byte, d *query.Difference) []byte { return append(b, d.Kind...) }},
		{"cause", func(b []byte, d *query.Difference) []byte { return append(b, d.Cause...) }},
		{"attributes", func(b []byte, d *query.Difference) []byte { return appendCell(b, strings.Join(d.Attributes, " ")) }},
	}
	list = append(list, routeColumns("old_", func(d *query.Difference) *route.Route { return d.Old })...)
	return append(list, routeColumns("new_", func(d *query.Difference) *route.Route { return d.New })...)
}

// routeColumns returns the columns of the route on one side.
func routeColumns(prefix string, side func(*query.Difference) *route.Route) []diffColumn {
	var list []diffColumn
	for _, one := range csvColumns(undecided &^ (fPrefix | fFamily)) {
		list = append(list, diffColumn{prefix + one.name, func(b []byte, d *query.Difference) []byte {
			if r := side(d); r != nil {
				b = one.append(b, r)
			}
			return b
		}})
	}
	return list
}
