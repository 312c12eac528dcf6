package ui

import (
	"bytes"
	"slices"
	"time"

	"ribglass/ribstore/route"
)

// Column is a column of a table of routes.
type Column struct {
	Name    string // one of [ColumnNames]
	SortURL string // the same page in the order of this column; "" when it cannot be
	Sorted  bool
}

// Choice is one of several ways to show a page.
type Choice struct {
	Text, URL string
	Chosen    bool
}

// ColumnNames lists the columns there are, in the order in which they stand.
func ColumnNames() []string {
	return []string{"peer", "router", "group", "path", "origin", "community", "nexthop", "local-pref", "med", "age", "received"}
}

// DefaultColumns lists the columns of a page that was asked for none.
func DefaultColumns() []string {
	return []string{"peer", "path", "nexthop", "local-pref", "med", "age"}
}

// Columns returns columns without links.
func Columns(names []string) []Column {
	list := make([]Column, len(names))
	for i, name := range names {
		list[i].Name = name
	}
	return list
}

// Title is what stands above the column.
func (c Column) Title() string {
	switch c.Name {
	case "path":
		return "AS path"
	case "origin":
		return "Origin AS"
	case "community":
		return "Communities"
	case "nexthop":
		return "Next hop"
	case "local-pref":
		return "Pref"
	case "med":
		return "MED"
	case "received":
		return "Received (UTC)"
	}
	return string(c.Name[0]-'a'+'A') + c.Name[1:]
}

// Number reports whether the column holds numbers.
func (c Column) Number() bool {
	return slices.Contains([]string{"origin", "local-pref", "med", "age"}, c.Name)
}

// RouteTable is a table of routes as its template takes it.
type RouteTable struct {
	Now     time.Time
	Keep    string
	Columns []Column
	Groups  []Group
}

// Span is how many columns a row has.
func (t *RouteTable) Span() int { return len(t.Columns) + 1 }

// Has reports whether there is a column of the name.
func (t *RouteTable) Has(name string) bool {
	return slices.ContainsFunc(t.Columns, func(c Column) bool { return c.Name == name })
}

// wideColumns is from how many columns on a table does not fit beside the facets:
// it scrolls sideways then.
const wideColumns = 8

// Wide reports whether the table has many columns.
func (t *RouteTable) Wide() bool { return len(t.Columns) >= wideColumns }

// sheetRoutes is after how many routes a table ends and another begins. Browsers
// lay out tables that are not seen yet when they are.
const sheetRoutes = 50

// Sheets cuts a long table into several.
func (t *RouteTable) Sheets() []*RouteTable {
	var list []*RouteTable
	routes := 0
	for i := range t.Groups {
		if routes == 0 {
			list = append(list, &RouteTable{t.Now, t.Keep, t.Columns, t.Groups[i:i]})
		}
		last := list[len(list)-1]
		last.Groups = last.Groups[:len(last.Groups)+1]
		if routes += len(t.Groups[i].Routes); routes >= sheetRoutes {
			routes = 0
		}
	}
	return list
}

// Table returns the routes of the answer as a table.
func (p *Lookup) Table() *RouteTable {
	return &RouteTable{p.Now, p.Moment.Keep, p.Columns, p.Groups}
}

// Table returns the routes that the AS originates as a table.
func (p *AS) Table() *RouteTable {
	return &RouteTable{p.Now, p.Moment.Keep, Columns(DefaultColumns()), p.Groups}
}

// RouteRow is a route with what it has in common with the others of its prefix.
type RouteRow struct {
	*Route
	Hops        []Hop
	Communities []Value
	Facts       []Fact // the other attributes without a column
	same        map[string]bool
}

// Same reports whether the route has the same in a column as the first of its
// prefix, which is the best unless another order was asked for.
func (r *RouteRow) Same(column string) bool { return r.same[column] }

// Compared reports whether the route was compared with another: it is not the
// first of its prefix.
func (r *RouteRow) Compared() bool { return len(r.same) > 0 }

// Cell returns what stands in a column that holds nothing but a text.
func (r *RouteRow) Cell(column string) string {
	switch column {
	case "router":
		return clean(r.Peer.Router)
	case "group":
		return clean(r.Peer.Group)
	case "origin":
		return originAS(r.Attrs)
	case "nexthop":
		if a := r.Attrs.NextHop(); a.IsValid() {
			return a.String()
		}
	case "local-pref":
		return localPref(r.Attrs)
	case "med":
		return med(r.Attrs)
	}
	return ""
}

// Rows compares the routes of a prefix. What all of them say is no news, and
// neither is what a route says as the first one does.
func (g Group) Rows() []*RouteRow {
	rows := make([]*RouteRow, len(g.Routes))
	for i := range g.Routes {
		r := &g.Routes[i]
		row := &RouteRow{Route: r, Hops: hops(r.Attrs.ASPath()), same: map[string]bool{}}
		for _, f := range factsOf(&r.Route) {
			if f.Name == "communities" || f.Name == "large" || f.Name == "extended" {
				row.Communities = append(row.Communities, f.Values...)
			} else {
				row.Facts = append(row.Facts, f)
			}
		}
		rows[i] = row
	}
	if len(rows) < 2 {
		return rows
	}
	shared := sharedCommunities(rows)
	for i := range rows {
		for j := range rows[i].Communities {
			c := &rows[i].Communities[j]
			c.Same = shared[c.Text] == len(rows)
		}
		if i > 0 {
			rows[i].compare(rows[0])
		}
	}
	return rows
}

// sharedCommunities counts how many routes have each community.
func sharedCommunities(rows []*RouteRow) map[string]int {
	shared := map[string]int{}
	for i := range rows {
		for _, c := range rows[i].Communities {
			shared[c.Text]++
		}
	}
	return shared
}

// compare notes in which columns r says what first says. Of the path that is
// its end: how both reach the origin from some AS on.
func (r *RouteRow) compare(first *RouteRow) {
	a, b := first.Attrs, r.Attrs
	r.same["nexthop"] = a.NextHop() == b.NextHop()
	r.same["local-pref"] = localPref(a) == localPref(b)
	r.same["med"] = med(a) == med(b)
	r.same["path"] = bytes.Equal(a.ASPath(), b.ASPath())
	r.same["router"] = first.Peer.Router == r.Peer.Router
	r.same["group"] = first.Peer.Group == r.Peer.Group
	r.same["origin"] = originAS(a) == originAS(b)
	for i, j := len(first.Hops)-1, len(r.Hops)-1; i >= 0 && j >= 0 && first.Hops[i].Text == r.Hops[j].Text; i, j = i-1, j-1 {
		r.Hops[j].Same = first.Hops[i].Times == r.Hops[j].Times
	}
}

// originAS prints the AS or the set of them in which a path ends.
func originAS(attrs route.Attrs) string {
	list := hops(attrs.ASPath())
	if len(list) == 0 {
		return ""
	}
	return list[len(list)-1].Text
}

// shownValues is how many values of a list a row shows before the others fold.
const shownValues = 8

// fold splits a list of values into what is shown and what is folded away; one
// alone is not worth it.
func fold(list []Value) (shown, more []Value) {
	if len(list) <= shownValues+1 {
		return list, nil
	}
	return list[:shownValues], list[shownValues:]
}
