package httpapi

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"ribglass/ribstore/query"
	"ribglass/ribstore/route"
	"ribglass/ui"
	"ribglass/ui/catalogue"
	"ribglass/ui/graph"
)

// graphRoutes is how many routes of an answer a picture is made of, a page more
// or less.
const graphRoutes = 5000

const (
	typeSVG = "image/svg+xml"
	typePNG = "image/png"
)

// graphParams are the parameters of a question for a picture.
func graphParams(more ...known) []known {
	return sceneParams(append(more, known{"q", false}, known{"peer", true}, known{"family", true})...)
}

// pictured is what a picture is made of.
type pictured struct {
	req   request
	first *query.Result // the first page of the answer
	read  int           // routes of all pages that were read
	input graph.Input
}

// readGraph reads the parameters of a question for a picture.
func (s *Server) readGraph(c *gin.Context, more ...known) (request, []param, error) {
	list, err := readParams(c.Request.URL.RawQuery, graphParams(more...))
	if err != nil {
		return request{}, nil, err
	}
	req, err := s.readPage(list, query.Query{})
	switch {
	case err != nil:
		return req, nil, err
	case !req.query.Between.IsZero():
		return req, nil, problemf(codeInvalidQuery, "A picture shows the paths of one moment: write at MOMENT, or leave out the span.")
	case req.query.Expr == nil:
		return req, nil, problemf(codeInvalidParameter, "Say of which routes the paths are wanted, as in ?q=192.0.2.0/24.")
	}
	return req, list, s.peersExist(req)
}

// picture reads the paths of an answer: all, or as many as a picture is made of.
func (s *Server) picture(ctx context.Context, req request) (*pictured, error) {
	p := &pictured{req: req}
	page := query.Page{Limit: query.MaxLimit}
	for {
		res, err := s.search(ctx, req.from, req.query, page)
		if err != nil {
			return nil, err
		}
		if p.first == nil {
			p.first = res
			p.input.Title, p.input.Name = present(res.Query).String(), s.deps.named().AS
		}
		for i := range res.Routes {
			r := &res.Routes[i]
			p.input.Paths = append(p.input.Paths, graph.Path{
				Peer: r.Peer.Name, PeerASN: r.Peer.ASN, AS: r.Attrs.ASPath(), Routes: 1, Best: r.Best,
			})
		}
		p.read += len(res.Routes)
		page.Cursor = res.NextCursor
		if page.Cursor == "" || p.read >= graphRoutes {
			break
		}
	}
	if page.Cursor != "" {
		p.input.Notes = append(p.input.Notes,
			"Paths of the first "+strconv.Itoa(p.read)+" routes of "+strconv.Itoa(p.first.Total)+" only.")
	}
	return p, nil
}

// graphPage answers for /graph?q=: the picture, and its paths as a table.
func (s *Server) graphPage(c *gin.Context) error {
	_, suffix := cutSuffix(c.Request.URL.Path)
	form, err := s.form(c, suffix)
	if err != nil {
		return err
	}
	req, list, err := s.readGraph(c, known{"ascii", false})
	if err != nil {
		return err
	}
	p, err := s.picture(c.Request.Context(), req)
	if err != nil {
		return err
	}
	g := graph.New(graph.Input{Paths: p.input.Paths, Notes: p.input.Notes, Name: p.input.Name}, graph.Options{})
	if form == typeJSON {
		return s.sendJSON(c, p.answer(g))
	}
	page := &ui.Graph{
		Frame: s.frame(c, catalogue.Plain(p.first.Query.String()), "/graph"), About: present(p.first.Query).String(), Picture: g, Total: p.first.Total, Read: p.read,
		Routes: req.scene.lookup(p.first.Query), SVGURL: req.scene.graph("/graph.svg", p.first.Query), PNGURL: req.scene.graph("/graph.png", p.first.Query),
		Link: func(n route.ASN) string { return req.scene.link("/as/" + n.String()) }, Peer: req.scene.peer,
	}
	if text, ok := get(list, "ascii"); ok {
		if page.ASCII, err = parseBool(param{"ascii", text}); err != nil {
			return err
		}
	}
	page.Search = present(p.first.Query).String()
	page.Live = liveOf(p.first)
	s.turnBack(c, &page.Frame, req.scene, momentOf(p.first))
	return s.render(c, http.StatusOK, form, page)
}

// graph returns the URL of a form of the picture of an answer.
func (v scene) graph(path string, q query.Query) string {
	values := v.values()
	values.Set("q", present(q).String())
	return withValues(path, values)
}

// graphSVG answers for /graph.svg: the picture alone, to keep.
func (s *Server) graphSVG(c *gin.Context) error {
	req, _, err := s.readGraph(c)
	if err != nil {
		return err
	}
	p, err := s.picture(c.Request.Context(), req)
	if err != nil {
		return err
	}
	body := p.alone().SVG(graph.SVGOptions{Standalone: true})
	h := c.Writer.Header()
	h.Set("Content-Security-Policy", svgPolicy())
	h.Set("Content-Disposition", `attachment; filename="as-paths.svg"`)
	h.Set("Vary", "Accept-Encoding")
	s.sendPage(c, http.StatusOK, typeSVG, body)
	return nil
}

// alone makes a picture to keep: without a page around it, it says of which
// moment it is.
func (p *pictured) alone() *graph.Graph {
	in := p.input
	if !p.req.scene.live() {
		in.Title += " at " + rfc3339(p.first.At)
	}
	return graph.New(in, graph.Options{})
}

// svgPolicy lets a picture have the one style that is in it, and nothing else.
func svgPolicy() string {
	sum := sha256.Sum256([]byte(graph.StandaloneStyle()))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
}

// graphAPI answers GET /api/v1/graph.
func (s *Server) graphAPI(c *gin.Context) error {
	if err := acceptsJSON(c); err != nil {
		return err
	}
	req, _, err := s.readGraph(c)
	if err != nil {
		return err
	}
	p, err := s.picture(c.Request.Context(), req)
	if err != nil {
		return err
	}
	return s.sendJSON(c, p.answer(graph.New(p.input, graph.Options{})))
}

// graphAnswer is the JSON form of a picture.
type graphAnswer struct {
	Query       graphQuery  `json:"query"`
	At          time.Time   `json:"at"`
	Requested   time.Time   `json:"requested_at,omitzero"`
	Notices     []string    `json:"notices,omitempty"`
	Total       int         `json:"total"`
	Routes      int         `json:"routes"`
	LeftPaths   int         `json:"left_out_paths"`
	LeftRoutes  int         `json:"left_out_routes"`
	FoldedASes  int         `json:"folded_ases"`
	FoldedPeers int         `json:"folded_peers"`
	Layers      int         `json:"layers"`
	Nodes       []graphNode `json:"nodes"`
	Edges       []graphEdge `json:"edges"`
	Paths       []graphPath `json:"paths"`
}

type graphQuery struct {
	Canonical string `json:"canonical"`
}

type graphNode struct {
	ID          int            `json:"id"`
	Kind        string         `json:"kind"`
	ASN         route.ASN      `json:"asn,omitempty"`
	ASNs        []route.ASN    `json:"asns,omitempty"`
	Peer        string         `json:"peer,omitempty"`
	Label       string         `json:"label"`
	Layer       int            `json:"layer"`
	Paths       int            `json:"paths"`
	Routes      int            `json:"routes"`
	Best        bool           `json:"best"`
	Origin      bool           `json:"origin"`
	Prepends    []graphPrepend `json:"prepends,omitempty"`
	FoldedASes  int            `json:"folded_ases,omitempty"`
	FoldedPeers int            `json:"folded_peers,omitempty"`
}

type graphPrepend struct {
	Times  int `json:"times"`
	Routes int `json:"routes"`
}

type graphEdge struct {
	From   int  `json:"from"`
	To     int  `json:"to"`
	Paths  int  `json:"paths"`
	Routes int  `json:"routes"`
	Best   bool `json:"best"`
	Back   bool `json:"back"`
}

type graphPath struct {
	Peer   string `json:"peer"`
	ASPath string `json:"as_path_text"`
	Routes int    `json:"routes"`
	Best   bool   `json:"best"`
	Nodes  []int  `json:"nodes"`
}

func (p *pictured) answer(g *graph.Graph) graphAnswer {
	m := momentOf(p.first)
	a := graphAnswer{
		Query: graphQuery{p.first.Query.String()}, At: m.At.UTC(), Requested: m.Requested, Notices: m.Notices,
		Total: p.first.Total, Routes: g.Routes, LeftPaths: g.LeftPaths, LeftRoutes: g.LeftRoutes, FoldedASes: g.FoldedASes,
		FoldedPeers: g.FoldedPeers, Layers: g.Layers, Nodes: []graphNode{}, Edges: []graphEdge{}, Paths: []graphPath{},
	}
	for i := range g.Nodes {
		n := &g.Nodes[i]
		one := graphNode{
			ID: i, Kind: n.Kind.String(), ASN: n.ASN, ASNs: n.ASNs, Peer: n.Peer, Label: n.Label, Layer: n.Layer, Paths: n.Paths,
			Routes: n.Routes, Best: n.Best, Origin: n.Origin, FoldedASes: n.FoldedASes, FoldedPeers: n.FoldedPeers,
		}
		for _, t := range n.Prepends {
			one.Prepends = append(one.Prepends, graphPrepend(t))
		}
		a.Nodes = append(a.Nodes, one)
	}
	for i := range g.Edges {
		e := &g.Edges[i]
		a.Edges = append(a.Edges, graphEdge{From: e.From, To: e.To, Paths: e.Paths, Routes: e.Routes, Best: e.Best, Back: e.Back})
	}
	for i := range g.Walks {
		w := &g.Walks[i]
		one := graphPath{Peer: w.Peer, ASPath: w.AS.String(), Routes: w.Routes, Best: w.Best}
		for _, h := range w.Hops {
			one.Nodes = append(one.Nodes, h.Node)
		}
		a.Paths = append(a.Paths, one)
	}
	return a
}
