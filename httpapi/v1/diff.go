package v1

import (
	"context"
	"net/http"
	"strings"
	"time"

	"ribglass/httpapi/ask"
	"ribglass/httpapi/web"
	"ribglass/ribstore/compare"
	"ribglass/ribstore/route"
)

// undecided are the members of a route that no decision was made for.
const undecided = allFields &^ (fBest | fDecision)

// DiffParams are the parameters of a question for what differs.
func DiffParams() []web.Known {
	return web.One("a", "b", "peer_a", "peer_b", "q", "view", "between", "stale", "limit", "cursor", "collection", "collection_b")
}

func readDiff(q *asked) (ask.Comparison, error) { return q.reader.Comparison(q.list) }

func answerDiff(q *asked, c ask.Comparison) error {
	if q.form != web.TypeJSON {
		return streamDiff(q, &c)
	}
	d, err := c.Page(q.Context())
	if err != nil {
		return err
	}
	SendDiff(q.Exchange, d, &c)
	return nil
}

// SendDiff writes a page of what differs as JSON.
func SendDiff(x *web.Exchange, d *compare.Result, c *ask.Comparison) {
	x.Append(http.StatusOK, web.TypeJSON, func(b []byte) []byte { return appendDiff(b, d, c) })
}

// streamDiff writes all that differs.
func streamDiff(q *asked, c *ask.Comparison) error {
	if c.Limited || c.Request.Page.Cursor != "" {
		return web.Problemf(web.CodeInvalidParameter, "limit and cursor are for %s; this answer is %s and whole.", web.TypeJSON, q.form)
	}
	leave, err := q.reader.EnterStream(q.Context(), true)
	if err != nil {
		return err
	}
	defer leave()
	w := q.Stream(q.form)
	var columns []diffColumn
	if q.form == web.TypeCSV {
		columns = diffColumns()
		w.Header, w.File = web.CSVHeader(columns), "diff.csv"
	}
	return w.Pour(func(ctx context.Context) error {
		return c.StreamDifferences(ctx, func(list []compare.Difference) error {
			return w.Rows(len(list), func(b []byte, i int) []byte {
				if columns != nil {
					return web.AppendCSVLine(b, &list[i], columns)
				}
				return append(appendDifference(b, &list[i]), '\n')
			})
		})
	})
}

func appendDiff(b []byte, d *compare.Result, asked *ask.Comparison) []byte {
	c := &asked.Contrast
	b = append(web.AppendKey(append(b, '{'), "query"), '{')
	b = append(web.AppendString(web.AppendKey(b, "canonical"), d.Query.String()), '}')
	b = appendDiffSide(b, "a", d.From, c.FromPeer, asked.Scene.Collection)
	b = appendDiffSide(b, "b", d.To, c.ToPeer, asked.SideB())
	b = appendNotices(b, d.Notices)
	if d.Counts != nil {
		b = appendDiffCounts(b, d.Counts)
	}
	b = append(web.AppendKey(b, "differences"), '[')
	for i := range d.Differences {
		b = appendDifference(web.AppendComma(b), &d.Differences[i])
	}
	b = append(b, ']')
	if d.NextCursor != "" {
		b = web.AppendString(web.AppendKey(b, "next_cursor"), d.NextCursor)
	}
	return append(b, '}', '\n')
}

func appendDiffSide(b []byte, name string, at time.Time, peer, collection string) []byte {
	b = web.AppendTime(web.AppendKey(append(web.AppendKey(b, name), '{'), "at"), at)
	if peer != "" {
		b = web.AppendString(web.AppendKey(b, "peer"), peer)
	}
	if collection != "" {
		b = web.AppendString(web.AppendKey(b, "collection"), collection)
	}
	return append(b, '}')
}

func appendDiffCounts(b []byte, c *compare.Counts) []byte {
	b = append(web.AppendKey(b, "counts"), '{')
	b = web.AppendInt(web.AppendKey(b, "same"), int64(c.Same))
	b = web.AppendInt(web.AppendKey(b, "added"), int64(c.Added))
	b = web.AppendInt(web.AppendKey(b, "withdrawn"), int64(c.Withdrawn))
	b = web.AppendInt(web.AppendKey(b, "changed"), int64(c.Changed))
	b = append(web.AppendKey(b, "causes"), '[')
	for _, one := range c.Causes {
		b = web.AppendString(web.AppendKey(append(web.AppendComma(b), '{'), "kind"), string(one.Kind))
		b = web.AppendString(web.AppendKey(b, "cause"), string(one.Cause))
		b = append(web.AppendInt(web.AppendKey(b, "count"), int64(one.Count)), '}')
	}
	b = append(web.AppendKey(append(b, ']'), "peers"), '[')
	for _, one := range c.Peers {
		b = web.AppendString(web.AppendKey(append(web.AppendComma(b), '{'), "peer"), one.Peer)
		b = web.AppendInt(web.AppendKey(b, "same"), int64(one.Same))
		b = web.AppendInt(web.AppendKey(b, "added"), int64(one.Added))
		b = web.AppendInt(web.AppendKey(b, "withdrawn"), int64(one.Withdrawn))
		b = append(web.AppendInt(web.AppendKey(b, "changed"), int64(one.Changed)), '}')
	}
	return append(appendCounts(append(b, ']'), "attributes", c.Attributes), '}')
}

func appendDifference(b []byte, d *compare.Difference) []byte {
	b = web.AppendPrefix(web.AppendKey(append(b, '{'), "prefix"), d.Prefix)
	b = web.AppendString(web.AppendKey(b, "family"), d.Family.String())
	b = web.AppendString(web.AppendKey(b, "kind"), string(d.Kind))
	b = web.AppendString(web.AppendKey(b, "cause"), string(d.Cause))
	b = appendNames(b, "attributes", d.Attributes)
	if d.Old != nil {
		b = appendFields(web.AppendKey(b, "old"), d.Old, undecided)
	}
	if d.New != nil {
		b = appendFields(web.AppendKey(b, "new"), d.New, undecided)
	}
	return append(b, '}')
}

// diffColumn is a column of CSV of what differs.
type diffColumn = web.Column[compare.Difference]

func diffColumns() []diffColumn {
	list := []diffColumn{
		{Name: "prefix", Append: func(b []byte, d *compare.Difference) []byte { return d.Prefix.AppendTo(b) }},
		{Name: "family", Append: func(b []byte, d *compare.Difference) []byte { return append(b, d.Family.String()...) }},
		{Name: "kind", Append: func(b []byte, d *compare.Difference) []byte { return append(b, d.Kind...) }},
		{Name: "cause", Append: func(b []byte, d *compare.Difference) []byte { return append(b, d.Cause...) }},
		{Name: "attributes", Append: func(b []byte, d *compare.Difference) []byte {
			return web.AppendCell(b, strings.Join(d.Attributes, " "))
		}},
	}
	list = append(list, routeColumns("old_", func(d *compare.Difference) *route.Route { return d.Old })...)
	return append(list, routeColumns("new_", func(d *compare.Difference) *route.Route { return d.New })...)
}

// routeColumns returns the columns of the route on one side.
func routeColumns(prefix string, side func(*compare.Difference) *route.Route) []diffColumn {
	var list []diffColumn
	for _, one := range csvColumns(undecided &^ (fPrefix | fFamily)) {
		list = append(list, diffColumn{Name: prefix + one.Name, Append: func(b []byte, d *compare.Difference) []byte {
			if r := side(d); r != nil {
				b = one.Append(b, r)
			}
			return b
		}})
	}
	return list
}
