package ui

import (
	"bytes"
	"fmt"
	"html/template"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"
	"pgregory.net/rapid"

	"ribglass/ribstore/route"
	"ribglass/ui/catalogue"
	"ribglass/ui/names"
)

// wild draws what a neighbour or a file of names may say.
func wild(t *rapid.T, label string) string {
	return rapid.SampledFrom([]string{
		"", "edge1", `"><script>x()</script>`, "' onclick='x()", "a&amp;b&#34;", "\x00\x1b[2J", "\u202egnp.exe", "a\u2028b", "\xff\xfe", "{{.}}", "javascript:x()", "+%22/?#",
	}).Draw(t, label)
}

func drawPath(t *rapid.T) route.ASPath {
	var p route.ASPath
	for range rapid.IntRange(0, 3).Draw(t, "segments") {
		asns := rapid.SliceOfN(rapid.SampledFrom([]route.ASN{1, 1, 1, 64500, 4_200_000_000}), 1, 6).Draw(t, "ases")
		p = p.AppendSegment(rapid.SampledFrom([]route.SegmentType{route.ASSequence, route.ASSequence, route.ASSet}).Draw(t, "type"), asns...)
	}
	return p
}

func drawRoute(t *rapid.T, now time.Time) Route {
	attrs := route.Attrs(nil).AppendAttr(route.AttrOrigin, []byte{rapid.ByteRange(0, 2).Draw(t, "origin")}).AppendAttr(route.AttrASPath, drawPath(t)).
		AppendAttr(route.AttrNextHop, []byte{192, 0, 2, rapid.ByteRange(1, 2).Draw(t, "next hop")})
	if rapid.Bool().Draw(t, "med") {
		attrs = attrs.AppendAttr(route.AttrMED, []byte{0, 0, 0, rapid.ByteRange(0, 2).Draw(t, "metric")})
	}
	var communities []byte
	for range rapid.IntRange(0, 14).Draw(t, "communities") {
		communities = append(communities, 0xFF, 0xFF, rapid.SampledFrom([]byte{0, 0xFF}).Draw(t, "high"), rapid.ByteRange(0, 6).Draw(t, "low"))
	}
	if communities != nil {
		attrs = attrs.AppendAttr(route.AttrCommunities, communities)
	}
	attrs = attrs.AppendAttr(200, []byte(wild(t, "unknown attribute")))
	p := &route.Peer{Name: wild(t, "name"), Router: wild(t, "router"), Group: wild(t, "group"), ASN: route.ASN(rapid.IntRange(1, 3).Draw(t, "as"))}
	p.AddPath[0] = rapid.Bool().Draw(t, "add-path")
	r := Route{Query: wild(t, "query"), PeerURL: "/peers/edge1", Route: route.Route{
		Peer: p, Attrs: attrs, PathID: rapid.Uint32().Draw(t, "path id"), Best: rapid.Bool().Draw(t, "best"), LongLived: rapid.Bool().Draw(t, "long-lived"),
		Decision: rapid.SampledFrom([]string{"", "as-path-length", "only"}).Draw(t, "decision"), ReceivedAt: now.Add(-time.Duration(rapid.IntRange(0, 1e9).Draw(t, "age")) * time.Second),
	}}
	if rapid.Bool().Draw(t, "stale") {
		r.StaleSince = now.Add(-time.Hour)
	}
	return r
}

// wildNames knows everything by a name that someone could want a browser to run.
type wildNames struct{ Names }

func (wildNames) AS(asn route.ASN) string {
	return strings.Repeat(`"><img src=x onerror=x()>`, int(asn%3))
}

func (wildNames) Explain(c names.Community, _ []route.ASN) string {
	return fmt.Sprintf("<b>%v'\"</b>", c)
}

// TestRowsAreThoseOfTheTemplate writes tables with the row writer and with a
// template, which escapes by itself, and compares what a browser makes of them.
func TestRowsAreThoseOfTheTemplate(t *testing.T) {
	texts, err := catalogue.Load("", nil)
	if err != nil {
		t.Fatal(err)
	}
	r, err := New(wildNames{}, texts)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 22, 3, 12, 0, 0, time.UTC)
	type folded struct {
		Values, More []Value
		Keep         string
	}
	funcs := template.FuncMap{
		"hops": hops, "originMark": originMark, "hopName": r.words.hop, "meaning": r.words.meaning,
		"keep": func(keep string, item any) within { return within{Item: item, Keep: keep} },
		"folded": func(keep string, list []Value) folded {
			shown, more := fold(list)
			return folded{shown, more, keep}
		},
	}
	twins := map[*catalogue.Language]*template.Template{}
	for _, l := range texts.All() {
		twins[l] = template.Must(template.New("rows.html").Funcs(r.funcs()).Funcs(tongue{l}.funcs()).Funcs(funcs).ParseFiles("testdata/rows.html"))
	}
	rapid.Check(t, func(t *rapid.T) {
		l := texts.All()[rapid.IntRange(0, len(texts.All())-1).Draw(t, "language")]
		columns := rapid.SliceOfNDistinct(rapid.SampledFrom(ColumnNames()), 1, -1, func(s string) string { return s }).Draw(t, "columns")
		table := &RouteTable{Now: now, Keep: rapid.SampledFrom([]string{"", "?at=2026-11-22T03%3A12Z"}).Draw(t, "keep"), Columns: Columns(columns)}
		for range rapid.IntRange(1, 3).Draw(t, "prefixes") {
			g := Group{Prefix: netip.MustParsePrefix("192.0.2.0/24"), URL: "/192.0.2.0/24"}
			for range rapid.IntRange(1, 3).Draw(t, "routes") {
				g.Routes = append(g.Routes, drawRoute(t, now))
			}
			table.Groups = append(table.Groups, g)
		}
		var want bytes.Buffer
		if err := twins[l].Execute(&want, table); err != nil {
			t.Fatal(err)
		}
		got := string(tongue{l}.bodiesOf(r.words)(table))
		if diff := cmp.Diff(understood(t, want.String()), understood(t, got)); diff != "" {
			t.Fatal(diff)
		}
	})
}

// understood returns what a browser makes of the bodies of a table: its elements,
// in a line each, with white space between elements left out.
func understood(t *rapid.T, markup string) []string {
	root, err := html.Parse(strings.NewReader("<table>" + markup + "</table>"))
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for n := range root.Descendants() {
		if n.Type == html.TextNode && strings.TrimSpace(n.Data) == "" {
			continue
		}
		var b strings.Builder
		b.WriteString(n.Data)
		for _, a := range n.Attr {
			if a.Val != "" { // one without a value says nothing here
				b.WriteString(" " + a.Key + "=" + strings.TrimSpace(a.Val))
			}
		}
		lines = append(lines, b.String())
	}
	return lines
}
