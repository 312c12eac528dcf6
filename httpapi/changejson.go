package httpapi

import (
	"strings"

	"ribglass/ribstore/query"
	"ribglass/ribstore/route"
)

// appendChangeList appends a page of changes.
func appendChangeList(b []byte, l *query.ChangeList) []byte {
	b = append(appendKey(append(b, '{'), "query"), '{')
	b = append(appendString(appendKey(b, "canonical"), l.Query.String()), '}')
	b = appendTime(appendKey(b, "from"), l.From)
	b = appendTime(appendKey(b, "to"), l.To)
	b = appendNotices(b, l.Notices)
	b = appendInt(appendKey(b, "total"), int64(l.Total))
	b = appendCounts(b, "kinds", l.Kinds)
	b = append(appendKey(b, "changes"), '[')
	for i := range l.Changes {
		b = appendChange(appendComma(b), &l.Changes[i])
	}
	b = append(b, ']')
	if l.NextCursor != "" {
		b = appendString(appendKey(b, "next_cursor"), l.NextCursor)
	}
	return append(b, '}', '\n')
}

// appendCounts appends values and how often each is there.
func appendCounts(b []byte, name string, list []query.Facet) []byte {
	b = append(appendKey(b, name), '[')
	for _, one := range list {
		b = appendString(appendKey(append(appendComma(b), '{'), "value"), one.Value)
		b = append(appendInt(appendKey(b, "count"), int64(one.Count)), '}')
	}
	return append(b, ']')
}

// appendChange appends one change. What it does not have is left out.
func appendChange(b []byte, c *query.Change) []byte {
	b = appendTime(appendKey(append(b, '{'), "at"), c.At)
	b = appendString(appendKey(b, "kind"), string(c.Kind))
	if c.Prefix.IsValid() {
		b = appendPrefix(appendKey(b, "prefix"), c.Prefix)
	}
	if c.Prefix.IsValid() || ofFamily(c.Kind) {
		b = appendString(appendKey(b, "family"), c.Family.String())
	}
	b = appendString(appendKey(b, "peer"), c.Peer.Name)
	if c.Prefix.IsValid() && c.Peer.AddPath[c.Family] {
		b = appendUint(appendKey(b, "path_id"), uint64(c.PathID))
	}
	if c.Cause != "" {
		b = appendString(appendKey(b, "cause"), string(c.Cause))
	}
	b = appendNames(b, "attributes", c.Attributes)
	if c.Reason != "" {
		b = appendString(appendKey(b, "reason"), c.Reason)
	}
	b = appendSide(b, "old", c.Old)
	b = appendSide(b, "new", c.New)
	return append(b, '}')
}

// ofFamily reports whether what happens to a session happens to one family of
// it.
func ofFamily(k query.ChangeKind) bool {
	return k == query.SessionEnd || k == query.RefreshBegun || k == query.RefreshEnded
}

func appendNames(b []byte, name string, list []string) []byte {
	if len(list) == 0 {
		return b
	}
	b = append(appendKey(b, name), '[')
	for _, one := range list {
		b = appendString(appendComma(b), one)
	}
	return append(b, ']')
}

// appendSide appends the attributes of one side of a change.
func appendSide(b []byte, name string, attrs route.Attrs) []byte {
	if attrs == nil {
		return b
	}
	return append(appendAttrs(append(appendKey(b, name), '{'), attrs, allFields), '}')
}

// changeColumn is a column of CSV of changes.
type changeColumn = columnOf[query.Change]

func changeColumns() []changeColumn {
	list := []changeColumn{
		{"at", func(b []byte, c *query.Change) []byte { return appendCSVTime(b, c.At) }},
		{"kind", func(b []byte, c *query.Change) []byte { return append(b, c.Kind...) }},
		{"prefix", func(b []byte, c *query.Change) []byte {
			if c.Prefix.IsValid() {
				b = c.Prefix.AppendTo(b)
			}
			return b
		}},
		{"family", func(b []byte, c *query.Change) []byte {
			if c.Prefix.IsValid() || ofFamily(c.Kind) {
				b = append(b, c.Family.String()...)
			}
			return b
		}},
		{"peer", func(b []byte, c *query.Change) []byte { return appendCell(b, c.Peer.Name) }},
		{"path_id", func(b []byte, c *query.Change) []byte {
			return appendCSVNumber(b, c.PathID, c.Prefix.IsValid() && c.Peer.AddPath[c.Family])
		}},
		{"cause", func(b []byte, c *query.Change) []byte { return append(b, c.Cause...) }},
		{"attributes", func(b []byte, c *query.Change) []byte { return appendCell(b, strings.Join(c.Attributes, " ")) }},
		{"reason", func(b []byte, c *query.Change) []byte { return appendCell(b, c.Reason) }},
	}
	list = append(list, sideColumns("old_", func(c *query.Change) route.Attrs { return c.Old })...)
	return append(list, sideColumns("new_", func(c *query.Change) route.Attrs { return c.New })...)
}

// sideColumns returns the columns of the attributes of one side, whose cells are
// empty where there is no such side.
func sideColumns[T any](prefix string, side func(*T) route.Attrs) []columnOf[T] {
	var list []columnOf[T]
	for _, one := range csvColumns(allFields &^ (fNextHop - 1)) {
		list = append(list, columnOf[T]{prefix + one.name, func(b []byte, v *T) []byte {
			if attrs := side(v); attrs != nil {
				b = one.append(b, &route.Route{Attrs: attrs})
			}
			return b
		}})
	}
	return list
}
