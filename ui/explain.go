package ui

import (
	"slices"
	"unicode/utf8"

	"ribglass/ribstore/route"
	"ribglass/ui/names"
)

// Names says in words what numbers mean, and "" of those it does not know.
type Names interface {
	AS(asn route.ASN) string
	// Explain says what a community means on a route that was heard from and by
	// way of these ASes.
	Explain(c names.Community, heard []route.ASN) string
}

// Bounds of what names may take up, in characters and in lines.
const (
	maxName    = 60
	maxMeaning = 160
	maxLegend  = 40
	// legendGroups is how many prefixes a page may be about so that it explains
	// what stands on it.
	legendGroups = 5
)

// words is what a page says of numbers. The zero value says nothing.
type words struct{ names Names }

// as returns the name of an AS for one line, "" when there is none.
func (w words) as(asn route.ASN) string {
	if w.names == nil {
		return ""
	}
	return clipped(clean(w.names.AS(asn)), maxName)
}

// hop returns the name of an AS of a path, "" for a set.
func (w words) hop(h Hop) string {
	if h.Set {
		return ""
	}
	asn, err := route.ParseASN(h.Text)
	if err != nil {
		return ""
	}
	return w.as(asn)
}

// meaning explains a value that is a community, "" when it is none or not known.
func (w words) meaning(v Value) string {
	if w.names == nil || !v.known {
		return ""
	}
	return clipped(clean(w.names.Explain(v.community, v.heard)), maxMeaning)
}

// factsOf lists the attributes of a route that have no column of their own, so
// that they can be explained.
func factsOf(r *route.Route) []Fact {
	list, heard := facts(r.Attrs), names.Heard(r)
	for _, f := range list {
		for i := range f.Values {
			f.Values[i].heard = heard
		}
	}
	return list
}

// Meaning is a number that stands on a page and what it means.
type Meaning struct{ Text, URL, About string }

// Legend is what a page explains below its routes.
type Legend struct{ ASes, Communities []Meaning }

// legend explains what stands in a few groups of routes, nothing for many.
func (w words) legend(groups []Group) (l Legend) {
	if w.names == nil || len(groups) > legendGroups {
		return l
	}
	for _, g := range groups {
		for i := range g.Routes {
			r := &g.Routes[i].Route
			for asn := range r.Attrs.ASPath().All() {
				text := asn.String()
				l.ASes = explained(l.ASes, Meaning{"AS" + text, "/as/" + text, w.as(asn)})
			}
			for _, f := range factsOf(r) {
				for _, v := range f.Values {
					l.Communities = explained(l.Communities, Meaning{v.Text, v.URL, w.meaning(v)})
				}
			}
		}
	}
	return l
}

// explained appends a meaning that is one and does not stand there yet.
func explained(list []Meaning, m Meaning) []Meaning {
	if m.About == "" || len(list) == maxLegend || slices.Contains(list, m) {
		return list
	}
	return append(list, m)
}

// clipped shortens text for one line.
func clipped(text string, most int) string {
	if utf8.RuneCountInString(text) <= most {
		return text
	}
	n := 0
	for i := range text {
		if n++; n == most {
			return text[:i] + "…"
		}
	}
	return text
}

// legend writes what the numbers of a page mean.
func (w *textWriter) legend(groups []Group) {
	l := w.words.legend(groups)
	for _, part := range []struct {
		title string
		list  []Meaning
	}{{"AS names", l.ASes}, {"Communities", l.Communities}} {
		if len(part.list) == 0 {
			continue
		}
		w.line("")
		w.line("%s", part.title)
		rows := make([][]string, len(part.list))
		for i, m := range part.list {
			rows[i] = []string{"  " + m.Text, m.About}
		}
		w.table("", rows)
	}
}
