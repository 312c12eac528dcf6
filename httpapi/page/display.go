package page

import (
	"net/url"
	"slices"
	"strings"

	"ribglass/httpapi/ask"
	"ribglass/httpapi/web"
	"ribglass/ui"
)

// display is how a page shows routes. It changes nothing of the answer. The zero
// value is what a page shows that is asked for nothing else.
type display struct {
	columns []string
	sort    string // a column by which the routes of one prefix are ordered; "": the best first
	view    ui.View
}

// displayParams are the parameters of a page of routes.
func displayParams(more ...web.Known) []web.Known {
	return ask.SceneParams(append(more, append(web.One("limit", "cursor", "view", "cols", "sort", "style"),
		web.Known{Name: "peer", Many: true}, web.Known{Name: "family", Many: true})...)...)
}

// readDisplay reads the parameters that say how routes are shown.
func readDisplay(list web.Params) (d display, err error) {
	if text, ok := list.Get("cols"); ok {
		if d.columns, err = parseColumns(text); err != nil {
			return d, err
		}
	}
	if text, ok := list.Get("sort"); ok {
		if d.sort = text; !slices.Contains(sortedBy(), text) {
			return d, web.Problemf(web.CodeInvalidParameter, "sort %q is not one of %s.", web.Clip(text), strings.Join(sortedBy(), ", "))
		}
	}
	if text, ok := list.Get("style"); ok {
		if d.view = ui.View(text); !slices.Contains(ui.Views(), d.view) {
			return d, web.Problemf(web.CodeInvalidParameter, "style %q is not cisco, junos or bird.", web.Clip(text))
		}
	}
	return d, nil
}

func parseColumns(text string) ([]string, error) {
	var list []string
	for name := range strings.SplitSeq(text, ",") {
		switch {
		case !slices.Contains(ui.ColumnNames(), name):
			return nil, web.Problemf(web.CodeInvalidParameter, "There is no column %q; there are %s.", web.Clip(name), strings.Join(ui.ColumnNames(), ", "))
		case slices.Contains(list, name):
			return nil, web.Problemf(web.CodeInvalidParameter, "The column %q is named twice.", name)
		}
		list = append(list, name)
	}
	return list, nil
}

// sortedBy lists the columns by which the routes of a prefix can be ordered.
func sortedBy() []string {
	return []string{"peer", "router", "group", "path", "nexthop", "local-pref", "med", "age"}
}

// shown returns the columns to show.
func (d display) shown() []string {
	if d.columns == nil {
		return ui.DefaultColumns()
	}
	return d.columns
}

// put adds the display to the parameters of a URL.
func (d display) put(values url.Values) {
	if d.columns != nil && !slices.Equal(d.columns, ui.DefaultColumns()) {
		values.Set("cols", strings.Join(d.columns, ","))
	}
	if d.sort != "" {
		values.Set("sort", d.sort)
	}
	if d.view != ui.AsTable {
		values.Set("style", string(d.view))
	}
}

// values returns the display as parameters of a URL.
func (d display) values() url.Values {
	values := url.Values{}
	d.put(values)
	return values
}

// show fills in how a page can be shown otherwise.
func (d display) show(page *ui.Lookup, req *ask.Request) {
	as := func(other display) string { return req.PageURL(other.values(), req.Page.Cursor) }
	page.View = d.view
	for _, name := range d.shown() {
		column := ui.Column{Name: name, Sorted: d.sort == name}
		if slices.Contains(sortedBy(), name) {
			other := d
			if other.sort = name; column.Sorted {
				other.sort = ""
			}
			column.SortURL = as(other)
		}
		page.Columns = append(page.Columns, column)
	}
	for _, v := range ui.Views() {
		other := d
		other.view = v
		page.Views = append(page.Views, ui.Choice{Text: v.Title(), URL: as(other), Chosen: v == d.view})
	}
	if d.view == ui.AsTable {
		for _, name := range ui.ColumnNames() {
			other := d
			other.columns = toggled(d.shown(), name)
			one := ui.Choice{Text: name, Chosen: slices.Contains(d.shown(), name)}
			if other.columns != nil {
				one.URL = as(other)
			}
			page.Choices = append(page.Choices, one)
		}
	}
	page.Downloads = downloads(req)
}

// toggled returns the columns with one more or less, in the order of all
// columns, nil when none would be left.
func toggled(columns []string, name string) []string {
	var list []string
	for _, c := range ui.ColumnNames() {
		if slices.Contains(columns, c) != (c == name) {
			list = append(list, c)
		}
	}
	return list
}

// downloads links the whole answer in the forms of the interface.
func downloads(req *ask.Request) []ui.Link {
	return []ui.Link{{Text: "CSV", URL: req.ExportURL("csv")}, {Text: "NDJSON", URL: req.ExportURL("ndjson")}}
}

// order sorts the routes of a prefix: as asked, the best before others that are
// equal in that.
func (d display) order(routes []ui.Route) {
	slices.SortStableFunc(routes, func(a, b ui.Route) int {
		if c := compareBy(d.sort, &a, &b); c != 0 {
			return c
		}
		return rank(a) - rank(b)
	})
}

// compareBy compares two routes in a Column: texts by their order, lengths the
// shortest first, preferences the highest first, ages the newest first.
func compareBy(column string, a, b *ui.Route) int {
	number := func(n uint32, _ bool) int64 { return int64(n) }
	switch column {
	case "peer":
		return strings.Compare(a.Peer.Name, b.Peer.Name)
	case "router":
		return strings.Compare(a.Peer.Router, b.Peer.Router)
	case "group":
		return strings.Compare(a.Peer.Group, b.Peer.Group)
	case "path":
		return a.Attrs.ASPath().Len() - b.Attrs.ASPath().Len()
	case "nexthop":
		return a.Attrs.NextHop().Compare(b.Attrs.NextHop())
	case "local-pref":
		return int(number(b.Attrs.LocalPref()) - number(a.Attrs.LocalPref()))
	case "med":
		return int(number(a.Attrs.MED()) - number(b.Attrs.MED()))
	case "age":
		return b.ReceivedAt.Compare(a.ReceivedAt)
	}
	return 0
}
