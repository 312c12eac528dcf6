package graph_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"ribglass/ribstore/route"
	"ribglass/ui/graph"
)

// drawPath draws a path of few ASes, so that paths meet, contradict each other,
// prepend and go round.
func drawPath(t *rapid.T) graph.Path {
	asn := rapid.Uint32Range(1, 12)
	p := graph.Path{
		Peer: fmt.Sprintf("peer%d", rapid.IntRange(0, 6).Draw(t, "peer")), Routes: rapid.IntRange(0, 3).Draw(t, "routes"),
		Best: rapid.IntRange(0, 9).Draw(t, "best") == 0,
	}
	p.PeerASN = route.ASN(len(p.Peer)) + 64500
	for range rapid.IntRange(0, 3).Draw(t, "segments") {
		kind := rapid.SampledFrom([]route.SegmentType{
			route.ASSequence, route.ASSequence, route.ASSequence, route.ASSet, route.ASConfedSequence, route.ASConfedSet,
		}).Draw(t, "kind")
		var asns []route.ASN
		for range rapid.IntRange(0, 5).Draw(t, "length") {
			asns = append(asns, slices.Repeat([]route.ASN{route.ASN(asn.Draw(t, "asn"))}, rapid.SampledFrom([]int{1, 1, 1, 2, 4}).Draw(t, "times"))...)
		}
		p.AS = p.AS.AppendSegment(kind, asns...)
	}
	return p
}

// visits is the stupid twin of what New does with one path: what it goes by, as
// text, with how often in a row.
func visits(p graph.Path) []string {
	list := []string{"peer " + p.Peer}
	for s := range p.AS.Segments() {
		var asns []route.ASN
		for i := range s.Len() {
			asns = append(asns, s.At(i))
		}
		switch {
		case s.Len() == 0:
		case s.Type == route.ASSequence:
			for _, n := range asns {
				list = append(list, "as "+n.String())
			}
		case s.Type == route.ASConfedSequence:
			for _, n := range asns {
				list = append(list, "confed-as "+n.String())
			}
		case s.Type == route.ASSet:
			list = append(list, "as-set "+sorted(asns))
		default:
			list = append(list, "confed-set "+sorted(asns))
		}
	}
	if len(list) == 1 {
		list = append(list, "as "+p.PeerASN.String())
	}
	return list
}

func sorted(asns []route.ASN) string {
	slices.Sort(asns)
	return fmt.Sprint(slices.Compact(asns))
}

// nodeText is a node as visits writes it.
func nodeText(n *graph.Node) string {
	switch n.Kind {
	case graph.Peer:
		return "peer " + n.Peer
	case graph.Set, graph.ConfedSet:
		return n.Kind.String() + " " + fmt.Sprint(n.ASNs)
	default:
		return n.Kind.String() + " " + n.ASN.String()
	}
}

var unfolded = graph.Options{Paths: 2000, ASes: 4000, Peers: 4000, Rows: 8000}

func TestEveryPathIsInAPictureThatFoldsNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		paths := rapid.SliceOfN(rapid.Custom(drawPath), 0, 40).Draw(t, "paths")
		want := map[string]int{}
		for _, p := range paths {
			want[strings.Join(visits(p), ", ")+" = "+p.AS.String()] += max(p.Routes, 1)
		}
		g := graph.New(graph.Input{Paths: paths}, unfolded)
		got := map[string]int{}
		for _, w := range g.Walks {
			var list []string
			for _, h := range w.Hops {
				list = append(list, slices.Repeat([]string{nodeText(&g.Nodes[h.Node])}, h.Times)...)
			}
			got[strings.Join(list, ", ")+" = "+w.AS.String()] += w.Routes
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("walks (-want +got)\n%s", diff)
		}
	})
}

func TestLawsOfThePicture(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := graph.Input{Title: "title", Paths: rapid.SliceOfN(rapid.Custom(drawPath), 0, 60).Draw(t, "paths")}
		if rapid.Bool().Draw(t, "names") {
			in.Name = func(n route.ASN) string { return strings.Repeat("N", int(n)) }
		}
		o := rapid.SampledFrom([]graph.Options{{}, unfolded, {ASes: 3, Peers: 2}, {ASes: 1, Peers: 1}, {Paths: 5}, {Rows: 4}}).Draw(t, "options")
		g := graph.New(in, o)
		checkLayers(t, g)
		checkPlaces(t, g)
		checkCounts(t, g, in)
		svg, text := g.SVG(graph.SVGOptions{Standalone: true}), g.Text(graph.TextOptions{})
		checkXML(t, svg)
		shuffled := in
		shuffled.Paths = slices.Clone(in.Paths)
		random := rand.New(rand.NewPCG(1, 2))
		random.Shuffle(len(in.Paths), func(i, j int) {
			shuffled.Paths[i], shuffled.Paths[j] = shuffled.Paths[j], shuffled.Paths[i]
		})
		again := graph.New(shuffled, o)
		if !bytes.Equal(svg, again.SVG(graph.SVGOptions{Standalone: true})) || !bytes.Equal(text, again.Text(graph.TextOptions{})) {
			t.Fatal("another order of the paths gives another picture")
		}
		if o.ASes > 0 && len(g.Nodes) > 3*(o.ASes+o.Peers)+1 {
			t.Fatalf("%d nodes with %+v", len(g.Nodes), o)
		}
	})
}

type fataler interface{ Fatalf(string, ...any) }

// checkLayers: edges lead to higher layers, peers are in the first.
func checkLayers(t fataler, g *graph.Graph) {
	for _, e := range g.Edges {
		from, to := g.Nodes[e.From].Layer, g.Nodes[e.To].Layer
		if !e.Back && from >= to || e.Back && from <= to {
			t.Fatalf("edge %+v leads from layer %d to %d", e, from, to)
		}
	}
	for i := range g.Nodes {
		if n := &g.Nodes[i]; n.Layer < 0 || n.Layer >= g.Layers || n.Kind == graph.Peer && n.Layer != 0 {
			t.Fatalf("node %+v is in layer %d of %d", n, n.Layer, g.Layers)
		}
	}
}

// checkPlaces: nothing lies over anything, and nothing outside.
func checkPlaces(t fataler, g *graph.Graph) {
	for i := range g.Nodes {
		a := &g.Nodes[i]
		if a.X < 0 || a.Y < 0 || a.X+a.Width > g.Width || a.Y+a.Height > g.Height {
			t.Fatalf("%+v is outside of %d × %d", a, g.Width, g.Height)
		}
		for j := range g.Nodes[:i] {
			if b := &g.Nodes[j]; a.X < b.X+b.Width && b.X < a.X+a.Width && a.Y < b.Y+b.Height && b.Y < a.Y+a.Height {
				t.Fatalf("%+v lies over %+v", a, b)
			}
		}
		for e := range g.Edges {
			for _, l := range g.Levels(e) {
				if l.X < a.X+a.Width && a.X < l.X+l.Width && a.Y <= l.Y && l.Y <= a.Y+a.Height {
					t.Fatalf("edge %+v passes through %+v", g.Edges[e], a)
				}
			}
		}
	}
}

// checkCounts counts again, the long way.
func checkCounts(t fataler, g *graph.Graph, in graph.Input) {
	routes := 0
	for _, p := range in.Paths {
		routes += max(p.Routes, 1)
	}
	drawn := g.LeftRoutes
	nodes, edges := map[int]int{}, map[[2]int]int{}
	for _, w := range g.Walks {
		drawn += w.Routes
		nodesOf, edgesOf := map[int]bool{}, map[[2]int]bool{}
		for i, h := range w.Hops {
			nodesOf[h.Node] = true
			if i > 0 {
				edgesOf[[2]int{w.Hops[i-1].Node, h.Node}] = true
			}
		}
		for n := range nodesOf {
			nodes[n] += w.Routes
		}
		for e := range edgesOf {
			edges[e] += w.Routes
		}
	}
	if routes != g.Routes || drawn != routes {
		t.Fatalf("%d routes drawn or left out, %d counted, want %d", drawn, g.Routes, routes)
	}
	for i := range g.Nodes {
		if g.Nodes[i].Routes != nodes[i] {
			t.Fatalf("node %d has %d routes, want %d", i, g.Nodes[i].Routes, nodes[i])
		}
	}
	if len(edges) != len(g.Edges) {
		t.Fatalf("%d edges, want %d", len(g.Edges), len(edges))
	}
	for _, e := range g.Edges {
		if want := edges[[2]int{e.From, e.To}]; e.Routes != want {
			t.Fatalf("edge %+v, want %d routes", e, want)
		}
	}
}

// checkXML reads the whole document and returns its elements and its text.
func checkXML(t fataler, b []byte) (elements map[string]int, text string) {
	elements = map[string]int{}
	d := xml.NewDecoder(bytes.NewReader(b))
	d.Strict = true
	var all strings.Builder
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return elements, all.String()
		}
		if err != nil {
			t.Fatalf("not XML: %v", err)
		}
		switch e := token.(type) {
		case xml.StartElement:
			elements[e.Name.Local]++
		case xml.CharData:
			all.Write(e)
		}
	}
}
