package ui

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"ribglass/ribstore/route"
)

// Attr is an attribute of a route by the word that the query language has for
// it. On one side of a change Marked says that it differs; of a change both
// texts are given.
type Attr struct {
	Name, Text string
	Old        string
	Marked     bool
}

// attrNames lists the attributes in the order in which they are shown.
func attrNames() []string {
	return []string{
		"path", "nexthop", "origin-code", "local-pref", "med", "community", "large-community", "ext-community",
		"aggregator", "atomic-aggregate", "originator-id", "cluster-list", "aigp", "otc",
	}
}

// attrText prints an attribute, "" when the route has it not.
func attrText(attrs route.Attrs, name string) string {
	switch name {
	case "path":
		return attrs.ASPath().String()
	case "nexthop":
		return nextHops(attrs)
	case "origin-code":
		return attrs.Origin().String()
	case "local-pref":
		return localPref(attrs)
	case "med":
		return med(attrs)
	case "otc":
		if asn, ok := attrs.OTC(); ok {
			return asn.String()
		}
		return ""
	}
	return factText(attrs, name)
}

func nextHops(attrs route.Attrs) string {
	var list []string
	switch a := attrs.NextHop(); {
	case a.IsUnspecified(): // an archive has it; no router announces it
		list = append(list, a.String()+" (unspecified)")
	case a.IsValid():
		list = append(list, a.String())
	}
	if a := attrs.LinkLocalNextHop(); a.IsValid() {
		list = append(list, a.String())
	}
	return strings.Join(list, " ")
}

// factText prints an attribute that [facts] lists.
func factText(attrs route.Attrs, name string) string {
	called := map[string]string{
		"community": "communities", "large-community": "large", "ext-community": "extended", "originator-id": "originator",
		"cluster-list": "clusters",
	}[name]
	if called == "" {
		called = strings.Replace(name, "attribute-", "attribute ", 1)
	}
	for _, f := range facts(attrs) {
		if f.Name == called {
			words := make([]string, len(f.Values))
			for i, v := range f.Values {
				words[i] = v.Text
			}
			return strings.Join(words, " ")
		}
	}
	return ""
}

// sides lists the attributes of a route, those that changed marked.
func sides(r *route.Route, changed []string) []Attr {
	var list []Attr
	add := func(name, text string) {
		if text != "" {
			list = append(list, Attr{Name: name, Text: text, Marked: slices.Contains(changed, name)})
		}
	}
	for _, name := range attrNames() {
		add(name, attrText(r.Attrs, name))
	}
	for u := range r.Attrs.Unknown() {
		name := "attribute-" + strconv.Itoa(int(u.Code))
		add(name, attrText(r.Attrs, name))
	}
	if !r.StaleSince.IsZero() {
		add("stale", utc(r.StaleSince))
	}
	return list
}

// Changed lists the named attributes with what they were and are.
func Changed(names []string, old, new route.Attrs) []Attr { //nolint:predeclared // the two sides are old and new everywhere
	var list []Attr
	for _, name := range names {
		list = append(list, Attr{Name: name, Old: attrText(old, name), Text: attrText(new, name)})
	}
	return list
}

// byteSize prints a size in its largest unit.
func byteSize(n int64) string {
	if size, unit := sized(n); unit != "B" {
		return fmt.Sprintf("%.1f %s", size, unit)
	}
	return fmt.Sprintf("%d B", n)
}

// sized returns a size in its largest unit.
func sized(n int64) (size float64, unit string) {
	const step = 1000
	size, unit = float64(n), "B"
	for _, larger := range []string{"kB", "MB", "GB", "TB", "PB"} {
		if size < step {
			break
		}
		size, unit = size/step, larger
	}
	return size, unit
}

// span prints how long something lasted.
func span(from, to time.Time) string { return age(to, from) }

// asns prints AS numbers.
func asns(list []route.ASN) string {
	if len(list) == 0 {
		return "none"
	}
	words := make([]string, len(list))
	for i, n := range list {
		words[i] = n.String()
	}
	return strings.Join(words, " ")
}
