package graph

import (
	_ "embed" // the style sheets
	"fmt"
	"math/bits"
	"slices"
	"strconv"
	"strings"

	"ribglass/ribstore/route"
)

//go:embed graph.css
var styleSheet string

//go:embed palette.css
var palette string

// StyleSheet returns the rules of a picture. They use the variables --page,
// --field, --text, --subtle, --accent, --stale and --mono, which a page that has
// pictures in it defines.
func StyleSheet() string { return styleSheet }

// StandaloneStyle returns the content of the style element of a standalone
// picture, for a content security policy to name its hash.
func StandaloneStyle() string { return palette + styleSheet }

// SVGOptions say how a picture is written.
type SVGOptions struct {
	// Standalone is for a picture that is a document: it has its own style, light
	// and dark. Others are parts of a page and use the page's.
	Standalone bool
	// Link returns where an AS leads, PeerLink where a peer does; "" is nowhere. Both
	// may be nil.
	Link     func(route.ASN) string
	PeerLink func(name string) string
}

// SVG writes the picture as SVG 1.1. Nodes and edges have the attribute
// data-paths: the numbers of the walks that use them, from 0, with spaces
// between.
func (g *Graph) SVG(o SVGOptions) []byte {
	w := svgWriter{g: g, options: o}
	w.open()
	w.text("title", "", 0, 0, g.Title)
	w.raw("<g>\n")
	for _, best := range []bool{false, true} { // what is best is drawn above the rest
		for i := range g.Edges {
			if g.Edges[i].Best == best {
				w.edge(&g.Edges[i])
			}
		}
	}
	w.raw("</g>\n<g>\n")
	walks := g.visits()
	for i := range g.Nodes {
		w.node(&g.Nodes[i], walks[i])
	}
	w.raw("</g>\n")
	w.captions()
	w.raw("</svg>\n")
	return w.b
}

// visits lists the walks through each node.
func (g *Graph) visits() [][]int {
	list := make([][]int, len(g.Nodes))
	for i := range g.Walks {
		for _, h := range g.Walks[i].Hops {
			if l := list[h.Node]; len(l) == 0 || l[len(l)-1] != i {
				list[h.Node] = append(l, i)
			}
		}
	}
	return list
}

// notes are the lines below the picture.
func (g *Graph) notes() []string {
	list := slices.Clip(g.Notes)
	if g.FoldedASes > 0 || g.FoldedPeers > 0 {
		var parts []string
		if g.FoldedPeers > 0 {
			parts = append(parts, plural(g.FoldedPeers, "peer", "peers"))
		}
		if g.FoldedASes > 0 {
			parts = append(parts, plural(g.FoldedASes, "AS", "ASes"))
		}
		list = append(list, "Folded, because few paths use them: "+strings.Join(parts, " and ")+".")
	}
	if g.LeftPaths > 0 {
		list = append(list, fmt.Sprintf("Left out: %s of %s, the least used.",
			plural(g.LeftPaths, "path", "paths"), plural(g.LeftRoutes, "route", "routes")))
	}
	return list
}

type svgWriter struct {
	g       *Graph
	options SVGOptions
	b       []byte
}

func (w *svgWriter) raw(s string) { w.b = append(w.b, s...) }

// escaped writes text as content or as the value of an attribute. What XML 1.0
// cannot hold is replaced.
func (w *svgWriter) escaped(s string) {
	for _, r := range s {
		switch {
		case r == '&':
			w.raw("&amp;")
		case r == '<':
			w.raw("&lt;")
		case r == '>':
			w.raw("&gt;")
		case r == '"':
			w.raw("&#34;")
		case r == '\'':
			w.raw("&#39;")
		case r < ' ' || r >= 0x7f && r < 0xa0 || r == 0xfffe || r == 0xffff:
			w.raw("\uFFFD")
		default:
			w.b = append(w.b, string(r)...)
		}
	}
}

func (w *svgWriter) attr(name, value string) {
	w.raw(" " + name + `="`)
	w.escaped(value)
	w.raw(`"`)
}

func (w *svgWriter) number(name string, n int) {
	w.raw(" " + name + `="`)
	w.b = strconv.AppendInt(w.b, int64(n), 10)
	w.raw(`"`)
}

func (w *svgWriter) paths(list []int) {
	w.raw(` data-paths="`)
	for i, n := range list {
		if i > 0 {
			w.raw(" ")
		}
		w.b = strconv.AppendInt(w.b, int64(n), 10)
	}
	w.raw(`"`)
}

func (w *svgWriter) element(name, content string) {
	w.raw("<" + name + ">")
	w.escaped(content)
	w.raw("</" + name + ">")
}

func (w *svgWriter) open() {
	g := w.g
	w.raw(`<svg xmlns="http://www.w3.org/2000/svg" class="graph" role="group" aria-label="AS paths"`)
	w.number("width", g.Width)
	w.number("height", g.Height)
	w.attr("viewBox", fmt.Sprintf("0 0 %d %d", g.Width, g.Height))
	w.raw(">\n")
	if w.options.Standalone {
		w.element("title", "AS paths: "+g.Title)
		w.raw("<style>" + StandaloneStyle() + "</style>\n")
	}
	w.element("desc", g.description())
	w.raw("\n")
}

// description says in words what the picture shows.
func (g *Graph) description() string {
	peers, ases := g.FoldedPeers, g.FoldedASes
	for i := range g.Nodes {
		switch g.Nodes[i].Kind {
		case Peer:
			peers++
		case AS, Set, ConfedAS, ConfedSet:
			ases++
		case Fold, numOfKinds:
		}
	}
	return fmt.Sprintf("%s from %s through %s; peers on the left, origins on the right.",
		plural(len(g.Walks), "path", "paths"), plural(peers, "peer", "peers"), plural(ases, "AS", "ASes"))
}

// text writes a line. Text of unusual characters is squeezed into the room it was
// given.
func (w *svgWriter) text(class, anchor string, x, y int, s string) {
	if s == "" {
		return
	}
	w.raw("<text")
	w.attr("class", class)
	if anchor != "" {
		w.attr("text-anchor", anchor)
	}
	if class == "title" {
		x, y = margin, margin+lineHeight/2
	}
	w.number("x", x)
	w.number("y", y)
	if class == "name" && strings.ContainsFunc(s, func(r rune) bool { return r > '~' }) {
		w.number("textLength", int(nameWidth(s)))
		w.attr("lengthAdjust", "spacingAndGlyphs")
	}
	w.raw(">")
	w.escaped(s)
	w.raw("</text>\n")
}

func (w *svgWriter) captions() {
	notes := w.g.notes()
	for i, n := range notes {
		w.text("notes", "", margin, w.g.Height-margin/2-lineHeight*(len(notes)-1-i), n)
	}
}

// edge draws the course of an edge.
func (w *svgWriter) edge(e *Edge) {
	from, to := &w.g.Nodes[e.From], &w.g.Nodes[e.To]
	way := w.g.course(e)
	x, y := way[0].x, way[0].y
	d := fmt.Appendf(nil, "M%d %d", x, y)
	for _, s := range way[1:] {
		if half := (s.x - x) / 2; s.curve {
			d = fmt.Appendf(d, "C%d %d %d %d %d %d", x+half, y, s.x-half, s.y, s.x, s.y)
		} else {
			d = fmt.Appendf(d, "H%d", s.x)
		}
		x, y = s.x, s.y
	}
	w.raw("<path")
	w.attr("class", "edge w"+strconv.Itoa(stroke(e.Routes))+flag(" best", e.Best)+flag(" back", e.Back))
	w.paths(e.walks)
	w.attr("d", string(d))
	w.raw(">")
	w.element("title", from.Label+" → "+to.Label+", "+counts(e.Paths, e.Routes)+flag(", best", e.Best)+
		flag(", against the direction of other paths", e.Back))
	w.raw("</path>\n")
}

// stroke is a width from 1 to 5 that grows with the logarithm.
func stroke(routes int) int { return min(1+bits.Len(uint(max(routes, 1)))/2, 5) }

func flag(s string, on bool) string {
	if on {
		return s
	}
	return ""
}

func counts(paths, routes int) string {
	if paths == routes {
		return plural(paths, "path", "paths")
	}
	return plural(paths, "path", "paths") + " of " + plural(routes, "route", "routes")
}

func (w *svgWriter) node(n *Node, walks []int) {
	link := w.link(n)
	if link != "" {
		w.raw("<a")
		w.attr("href", link)
		w.raw(">")
	}
	w.raw("<g")
	w.attr("class", "node "+n.class()+flag(" best", n.Best)+flag(" origin", n.Origin))
	w.paths(walks)
	w.raw(">")
	w.element("title", n.title())
	w.raw(`<rect rx="3"`)
	w.number("x", n.X)
	w.number("y", n.Y)
	w.number("width", n.Width)
	w.number("height", n.Height)
	w.raw("/>")
	middle := n.X + n.Width/2
	w.raw(`<text text-anchor="middle"`)
	w.number("x", middle)
	w.number("y", n.Y+nodeHeight/2+4)
	w.raw(">")
	w.escaped(n.Label)
	if t := timesText(n.Prepends); t != "" {
		w.raw(`<tspan class="times"> `)
		w.escaped(t)
		w.raw("</tspan>")
	}
	w.raw("</text>\n")
	w.text("name", "middle", middle, n.Y+nodeHeight/2+17, n.Name)
	w.raw("</g>")
	if link != "" {
		w.raw("</a>")
	}
	w.raw("\n")
}

func (w *svgWriter) link(n *Node) string {
	switch {
	case n.Kind == AS && w.options.Link != nil:
		return w.options.Link(n.ASN)
	case n.Kind == Peer && w.options.PeerLink != nil:
		return w.options.PeerLink(n.Peer)
	}
	return ""
}

func (n *Node) class() string {
	switch n.Kind {
	case Peer:
		return "peer"
	case Set, ConfedSet:
		return "set"
	case Fold:
		return "fold"
	case AS, ConfedAS, numOfKinds:
	}
	return "as"
}

// title says everything about a node.
func (n *Node) title() string {
	var s string
	switch n.Kind {
	case Peer:
		s = "peer " + n.Label + ", AS" + n.ASN.String()
	case AS:
		s = "AS" + n.ASN.String() + flag(" "+n.Name, n.Name != "")
	case ConfedAS:
		s = "AS" + n.ASN.String() + " of a confederation"
	case Set:
		s = "AS_SET " + members(n.ASNs)
	case ConfedSet:
		s = "set of a confederation " + members(n.ASNs)
	case Fold:
		s = foldLabel(n.FoldedASes, n.FoldedPeers) + ", folded"
	case numOfKinds:
	}
	parts := []string{s, counts(n.Paths, n.Routes) + flag(", best", n.Best)}
	for _, t := range n.Prepends {
		parts = append(parts, fmt.Sprintf("%d times in a row in %s", t.Times, plural(t.Routes, "route", "routes")))
	}
	return strings.Join(parts, ", ")
}

// members lists a set, as much of it as can be read.
func members(asns []route.ASN) string {
	const most = 40
	var b strings.Builder
	for i, n := range asns {
		if i == most {
			return b.String() + fmt.Sprintf(" and %d more", len(asns)-most)
		}
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(n.String())
	}
	return b.String()
}
