package v1

import (
	"context"
	"strconv"

	"ribglass/httpapi/answer"
	"ribglass/httpapi/ask"
	"ribglass/httpapi/web"
	"ribglass/ribstore/query"
	"ribglass/ui/graph"
)

// graphRoutes is how many routes of an answer a picture is made of.
const graphRoutes = 5000

// GraphParams are the parameters of a question for a picture, with more of a
// caller's own.
func GraphParams(more ...web.Known) []web.Known {
	return ask.QuestionParams(more...)
}

func readGraph(q *asked) (ask.Request, error) { return ReadGraph(q.reader, q.list) }

// ReadGraph reads the parameters of a question for a picture.
func ReadGraph(reader *ask.Reader, list web.Params) (ask.Request, error) {
	req, err := reader.PageRequest(list, noQuery)
	switch {
	case err != nil:
		return req, err
	case !req.Query.Between.IsZero():
		return req, web.Problemf(web.CodeInvalidQuery, "A picture shows the paths of one moment: write at MOMENT, or leave out the span.")
	case req.Query.Expr == nil:
		return req, web.Problemf(web.CodeInvalidParameter, "Say of which routes the paths are wanted, as in ?q=192.0.2.0/24.")
	}
	return req, req.PeersExist()
}

func answerGraph(q *asked, req ask.Request) error {
	p, err := PictureOf(q.Context(), req)
	if err != nil {
		return err
	}
	return q.SendJSON(p.Answer(graph.New(p.Input, graph.Options{})))
}

// Picture is what a picture of AS paths is made of.
type Picture struct {
	Request ask.Request
	First   *query.Result // the answer, as far as it was read
	Read    int           // routes that were read
	Input   graph.Input
}

// PictureOf reads the paths of an answer: all, or as many as a picture is made of, with
// one search.
func PictureOf(ctx context.Context, req ask.Request) (*Picture, error) {
	res, err := req.Find(ctx, req.Query, query.Page{Limit: graphRoutes})
	if err != nil {
		return nil, err
	}
	p := &Picture{Request: req, First: res, Read: len(res.Routes)}
	p.Input.Title, p.Input.Name = ask.Present(res.Query).String(), req.Reader().Names().AS
	for i := range res.Routes {
		r := &res.Routes[i]
		p.Input.Paths = append(p.Input.Paths, graph.Path{
			Peer: r.Peer.Name, PeerASN: r.Peer.ASN, AS: r.Attrs.ASPath(), Routes: 1, Best: r.Best,
		})
	}
	if res.NextCursor != "" {
		p.Input.Notes = append(p.Input.Notes,
			"Paths of the first "+strconv.Itoa(p.Read)+" routes of "+strconv.Itoa(res.Total)+" only.")
	}
	return p, nil
}

// Alone makes a picture to keep: without a page around it, it says of which
// moment it is.
func (p *Picture) Alone() *graph.Graph {
	in := p.Input
	if !p.Request.Scene.Live() {
		in.Title += " at " + ask.RFC3339(p.First.At)
	}
	return graph.New(in, graph.Options{})
}

// Answer describes the picture g of the paths.
func (p *Picture) Answer(g *graph.Graph) answer.Graph {
	m := ask.MomentOf(p.First)
	a := answer.Graph{
		Query: answer.Asked{Canonical: p.First.Query.String()}, Moment: answer.Moment{At: m.At.UTC(), Requested: m.Requested, Notices: m.Notices},
		Total: p.First.Total, Routes: g.Routes, LeftPaths: g.LeftPaths, LeftRoutes: g.LeftRoutes, FoldedASes: g.FoldedASes,
		FoldedPeers: g.FoldedPeers, Layers: g.Layers, Nodes: []answer.GraphNode{}, Edges: []answer.GraphEdge{}, Paths: []answer.GraphPath{},
	}
	for i := range g.Nodes {
		n := &g.Nodes[i]
		one := answer.GraphNode{
			ID: i, Kind: n.Kind.String(), ASN: n.ASN, ASNs: n.ASNs, Peer: n.Peer, Label: n.Label, Layer: n.Layer, Paths: n.Paths,
			Routes: n.Routes, Best: n.Best, Origin: n.Origin, FoldedASes: n.FoldedASes, FoldedPeers: n.FoldedPeers,
		}
		for _, t := range n.Prepends {
			one.Prepends = append(one.Prepends, answer.GraphPrepend(t))
		}
		a.Nodes = append(a.Nodes, one)
	}
	for i := range g.Edges {
		e := &g.Edges[i]
		a.Edges = append(a.Edges, answer.GraphEdge{From: e.From, To: e.To, Paths: e.Paths, Routes: e.Routes, Best: e.Best, Back: e.Back})
	}
	for i := range g.Walks {
		w := &g.Walks[i]
		one := answer.GraphPath{Peer: w.Peer, ASPath: w.AS.String(), Routes: w.Routes, Best: w.Best}
		for _, h := range w.Hops {
			one.Nodes = append(one.Nodes, h.Node)
		}
		a.Paths = append(a.Paths, one)
	}
	return a
}
