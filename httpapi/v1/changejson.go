package v1

import (
	"strings"

	"ribglass/httpapi/web"
	"ribglass/ribstore/changes"
	"ribglass/ribstore/query"
	"ribglass/ribstore/route"
)

// appendChangeList appends a page of changes.
func appendChangeList(b []byte, l *changes.List) []byte {
	b = append(web.AppendKey(append(b, '{'), "query"), '{')
	b = append(web.AppendString(web.AppendKey(b, "canonical"), l.Query.String()), '}')
	b = web.AppendTime(web.AppendKey(b, "from"), l.From)
	b = web.AppendTime(web.AppendKey(b, "to"), l.To)
	b = appendNotices(b, l.Notices)
	b = web.AppendInt(web.AppendKey(b, "total"), int64(l.Total))
	b = web.AppendBool(web.AppendKey(b, "total_exact"), l.Exact)
	b = appendCounts(b, "kinds", l.Kinds)
	b = append(web.AppendKey(b, "changes"), '[')
	for i := range l.Changes {
		b = appendChange(web.AppendComma(b), &l.Changes[i])
	}
	b = append(b, ']')
	if l.NextCursor != "" {
		b = web.AppendString(web.AppendKey(b, "next_cursor"), l.NextCursor)
	}
	return append(b, '}', '\n')
}

// appendCounts appends values and how often each is there.
func appendCounts(b []byte, name string, list []query.Facet) []byte {
	b = append(web.AppendKey(b, name), '[')
	for _, one := range list {
		b = web.AppendString(web.AppendKey(append(web.AppendComma(b), '{'), "value"), one.Value)
		b = append(web.AppendInt(web.AppendKey(b, "count"), int64(one.Count)), '}')
	}
	return append(b, ']')
}

// appendChange appends one change. What it does not have is left out.
func appendChange(b []byte, c *changes.Change) []byte {
	b = web.AppendTime(web.AppendKey(append(b, '{'), "at"), c.At)
	b = web.AppendString(web.AppendKey(b, "kind"), string(c.Kind))
	if c.Prefix.IsValid() {
		b = web.AppendPrefix(web.AppendKey(b, "prefix"), c.Prefix)
	}
	if c.Prefix.IsValid() || OfFamily(c.Kind) {
		b = web.AppendString(web.AppendKey(b, "family"), c.Family.String())
	}
	b = web.AppendString(web.AppendKey(b, "peer"), c.Peer.Name)
	if c.Prefix.IsValid() && c.Peer.AddPath[c.Family] {
		b = web.AppendUint(web.AppendKey(b, "path_id"), uint64(c.PathID))
	}
	if c.Cause != "" {
		b = web.AppendString(web.AppendKey(b, "cause"), string(c.Cause))
	}
	b = appendNames(b, "attributes", c.Attributes)
	if c.Reason != "" {
		b = web.AppendString(web.AppendKey(b, "reason"), c.Reason)
	}
	b = appendSide(b, "old", c.Old)
	b = appendSide(b, "new", c.New)
	return append(b, '}')
}

// OfFamily reports whether what happens to a session happens to one family of
// it.
func OfFamily(k changes.Kind) bool {
	return k == changes.EndOfRIB || k == changes.RefreshBegun || k == changes.RefreshEnded
}

func appendNames(b []byte, name string, list []string) []byte {
	if len(list) == 0 {
		return b
	}
	b = append(web.AppendKey(b, name), '[')
	for _, one := range list {
		b = web.AppendString(web.AppendComma(b), one)
	}
	return append(b, ']')
}

// appendSide appends the attributes of one side of a change.
func appendSide(b []byte, name string, attrs route.Attrs) []byte {
	if attrs == nil {
		return b
	}
	return append(appendAttrs(append(web.AppendKey(b, name), '{'), attrs, allFields), '}')
}

// changeColumn is a column of CSV of changes.
type changeColumn = web.Column[changes.Change]

func changeColumns() []changeColumn {
	list := []changeColumn{
		{Name: "at", Append: func(b []byte, c *changes.Change) []byte { return web.AppendCSVTime(b, c.At) }},
		{Name: "kind", Append: func(b []byte, c *changes.Change) []byte { return append(b, c.Kind...) }},
		{Name: "prefix", Append: func(b []byte, c *changes.Change) []byte {
			if c.Prefix.IsValid() {
				b = c.Prefix.AppendTo(b)
			}
			return b
		}},
		{Name: "family", Append: func(b []byte, c *changes.Change) []byte {
			if c.Prefix.IsValid() || OfFamily(c.Kind) {
				b = append(b, c.Family.String()...)
			}
			return b
		}},
		{Name: "peer", Append: func(b []byte, c *changes.Change) []byte { return web.AppendCell(b, c.Peer.Name) }},
		{Name: "path_id", Append: func(b []byte, c *changes.Change) []byte {
			return web.AppendCSVNumber(b, c.PathID, c.Prefix.IsValid() && c.Peer.AddPath[c.Family])
		}},
		{Name: "cause", Append: func(b []byte, c *changes.Change) []byte { return append(b, c.Cause...) }},
		{Name: "attributes", Append: func(b []byte, c *changes.Change) []byte { return web.AppendCell(b, strings.Join(c.Attributes, " ")) }},
		{Name: "reason", Append: func(b []byte, c *changes.Change) []byte { return web.AppendCell(b, c.Reason) }},
	}
	list = append(list, sideColumns("old_", func(c *changes.Change) route.Attrs { return c.Old })...)
	return append(list, sideColumns("new_", func(c *changes.Change) route.Attrs { return c.New })...)
}

// sideColumns returns the columns of the attributes of one side, whose cells are
// empty where there is no such side.
func sideColumns[T any](prefix string, side func(*T) route.Attrs) []web.Column[T] {
	var list []web.Column[T]
	for _, one := range csvColumns(attrFields) {
		list = append(list, web.Column[T]{Name: prefix + one.Name, Append: func(b []byte, v *T) []byte {
			if attrs := side(v); attrs != nil {
				b = one.Append(b, &route.Route{Attrs: attrs})
			}
			return b
		}})
	}
	return list
}
