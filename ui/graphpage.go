package ui

import (
	"html/template"

	"ribglass/ribstore/route"
	"ribglass/ui/graph"
)

// Graph is the AS paths of an answer as a picture, and below it as a table.
type Graph struct {
	Frame
	About   string // the query
	Picture *graph.Graph
	Total   int    // routes in the whole answer
	Read    int    // routes of it in the picture
	Routes  string // URL of the answer as routes
	SVGURL  string // of the picture alone
	PNGURL  string // idem; takes a theme
	ASCII   bool   // the text form has nothing but ASCII
	Link    func(route.ASN) string
	Peer    func(name string) string
}

func (*Graph) template() string { return "graph" }

// SVG returns the picture as a part of the page. Package graph has escaped all
// that came from outside.
func (p *Graph) SVG() template.HTML {
	return template.HTML(p.Picture.SVG(graph.SVGOptions{Link: p.Link, PeerLink: p.Peer})) //nolint:gosec // see above
}

// maxListed is how many AS numbers the table of paths has at most: paths can be
// a thousand long.
const maxListed = 10_000

// Listed returns the paths of the table.
func (p *Graph) Listed() []graph.Walk {
	walks, size := p.Picture.Walks, 0
	for i := range walks {
		if size += len(walks[i].AS) / 4; size > maxListed {
			return walks[:i]
		}
	}
	return walks
}

// Unlisted is how many paths the table leaves out.
func (p *Graph) Unlisted() int { return len(p.Picture.Walks) - len(p.Listed()) }

func (p *Graph) text(w *textWriter) {
	w.line("AS paths: %s: %s of %s", p.About, plural(len(p.Picture.Walks), "path"), plural(p.Read, "route"))
	w.bar(&p.Frame)
	if len(p.Picture.Walks) == 0 {
		w.line("No path.")
		return
	}
	w.buf.Write(p.Picture.Text(graph.TextOptions{ASCII: p.ASCII}))
	w.line("")
	w.line("> best  x3 three times in a row; peers are on the left, origins on the right")
	w.line("as routes: curl %s", shellURL(p.Host+p.Routes))
}
