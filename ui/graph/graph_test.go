package graph_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"ribglass/ribstore/route"
	"ribglass/ui/graph"
)

var update = flag.Bool("update", false, "write the golden files")

func seq(asns ...route.ASN) route.ASPath {
	return route.ASPath(nil).AppendSegment(route.ASSequence, asns...)
}

// small is a prefix as seen by a few peers: prepends, a set, a detour, a path of
// the peer's own AS.
func small() graph.Input {
	return graph.Input{
		Title: "203.0.113.0/24",
		Paths: []graph.Path{
			{Peer: "edge1", PeerASN: 64500, AS: seq(3356, 64510), Best: true},
			{Peer: "edge2", PeerASN: 64500, AS: seq(1299, 3356, 64510)},
			{Peer: "edge2", PeerASN: 64500, AS: seq(1299, 64510, 64510, 64510)},
			{Peer: "edge3", PeerASN: 64500, AS: seq(3356, 1299, 64510, 64510, 64510)},
			{Peer: "rs1", PeerASN: 64501, AS: seq(64501, 64505).AppendSegment(route.ASSet, 64521, 64520)},
			{Peer: "rs2", PeerASN: 64502, AS: route.ASPath(nil).AppendSegment(route.ASConfedSequence, 65001).AppendSegment(route.ASSequence, 1299, 64510)},
			{Peer: "own", PeerASN: 64500},
		},
		Name: func(n route.ASN) string { return map[route.ASN]string{3356: "LEVEL3", 1299: "TWELVE99"}[n] },
	}
}

func golden(t *testing.T, file string, got []byte) {
	t.Helper()
	path := "testdata/" + file
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		t.Errorf("%s was written: look at what changed, and run again without -update", path)
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got)\n%s", file, diff)
	}
}

func TestSmallPicture(t *testing.T) {
	g := graph.New(small(), graph.Options{})
	golden(t, "small.svg", g.SVG(graph.SVGOptions{Standalone: true}))
	golden(t, "small.txt", g.Text(graph.TextOptions{}))
	golden(t, "small-ascii.txt", g.Text(graph.TextOptions{ASCII: true}))
	folded := graph.New(small(), graph.Options{ASes: 2, Peers: 2})
	golden(t, "folded.svg", folded.SVG(graph.SVGOptions{Link: func(n route.ASN) string { return "/as/" + n.String() }}))
	golden(t, "folded.txt", folded.Text(graph.TextOptions{Rows: 3}))
}

func TestOddPaths(t *testing.T) {
	for _, row := range []struct {
		about string
		paths []graph.Path
		want  string // the edges
	}{
		{"no path at all", nil, ""},
		{"a path of the peer's own AS leads there", []graph.Path{{Peer: "a", PeerASN: 7}}, "a→7"},
		{"an AS in a row is one node", []graph.Path{{Peer: "a", AS: seq(1, 1, 2, 2, 2)}}, "a→1 1→2"},
		{"a loop is cut at its least used edge", []graph.Path{{Peer: "a", AS: seq(1, 2, 1, 2, 3)}}, "a→1 1→2 2→1(back) 2→3"},
		{
			"of contradicting paths the best keeps its direction",
			[]graph.Path{{Peer: "a", AS: seq(1, 2, 9), Routes: 5}, {Peer: "b", AS: seq(2, 1, 9), Best: true}},
			"b→2 2→1 1→9 a→1 1→2(back) 2→9",
		},
		{
			"members of a confederation are other nodes than ASes of the same number",
			[]graph.Path{{Peer: "a", AS: route.ASPath(nil).AppendSegment(route.ASConfedSequence, 1).AppendSegment(route.ASSequence, 1, 2)}},
			"a→(1) (1)→1 1→2",
		},
		{
			"the members of a set have no order",
			[]graph.Path{
				{Peer: "a", AS: seq(1).AppendSegment(route.ASSet, 4, 3)}, {Peer: "b", AS: seq(1).AppendSegment(route.ASSet, 3, 4, 3)},
			},
			"a→1 1→{3,4} b→1",
		},
		{"an empty set is nothing", []graph.Path{{Peer: "a", AS: seq(1).AppendSegment(route.ASSet)}}, "a→1"},
		{"AS 0 and the last one", []graph.Path{{Peer: "a", AS: seq(0, 4294967295)}}, "a→0 0→4294967295"},
	} {
		t.Run(row.about, func(t *testing.T) {
			g := graph.New(graph.Input{Paths: row.paths}, graph.Options{})
			var edges []string
			for _, e := range g.Edges {
				s := g.Nodes[e.From].Label + "→" + g.Nodes[e.To].Label
				if e.Back {
					s += "(back)"
				}
				edges = append(edges, s)
			}
			if got := strings.Join(edges, " "); got != row.want {
				t.Errorf("edges %q, want %q", got, row.want)
			}
			checkXML(t, g.SVG(graph.SVGOptions{}))
			checkPlaces(t, g)
		})
	}
}

func TestFoldingKeepsTheBestAndCountsTheRest(t *testing.T) {
	paths := []graph.Path{{Peer: "best", AS: seq(900, 901, 999), Best: true}}
	for i := range 300 {
		paths = append(paths, graph.Path{Peer: fmt.Sprintf("p%03d", i), AS: seq(route.ASN(100+i), 500, 999), Routes: 2})
	}
	g := graph.New(graph.Input{Paths: paths}, graph.Options{ASes: 10, Peers: 5})
	shown := map[string]bool{}
	folds := 0
	for i := range g.Nodes {
		shown[g.Nodes[i].Label] = true
		if g.Nodes[i].Kind == graph.Fold {
			folds++
		}
	}
	for _, label := range []string{"best", "900", "901", "500", "999"} {
		if !shown[label] {
			t.Errorf("%s is not in the picture", label)
		}
	}
	if g.FoldedASes != 294 || g.FoldedPeers != 294 || folds != 1 {
		t.Errorf("%d ASes and %d peers in %d nodes, want 294 and 294 in 1", g.FoldedASes, g.FoldedPeers, folds)
	}
	if want := "Folded, because few paths use them: 294 peers and 294 ASes."; !strings.Contains(string(g.SVG(graph.SVGOptions{})), want) {
		t.Errorf("the picture does not say %q", want)
	}
}

func TestNoLayerIsTooHighToRead(t *testing.T) {
	var paths []graph.Path
	for i := range 300 {
		paths = append(paths, graph.Path{Peer: fmt.Sprint("p", i), AS: seq(route.ASN(65000+i), route.ASN(1000+i/3), 999), Best: i == 0})
	}
	g := graph.New(graph.Input{Paths: paths}, graph.Options{Rows: 20})
	rows, shown := make([]int, g.Layers), map[string]bool{}
	for i := range g.Nodes {
		rows[g.Nodes[i].Layer]++
		shown[g.Nodes[i].Label] = true
	}
	if most := slices.Max(rows); most > 21 { // twenty, and one for the rest
		t.Errorf("layers have %v nodes", rows)
	}
	for _, label := range []string{"p0", "65000", "1000", "999"} {
		if !shown[label] {
			t.Errorf("%s of the best path is not in the picture", label)
		}
	}
}

func TestNothingGrowsWithoutBound(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	var paths []graph.Path
	for i := range 2500 {
		var as route.ASPath
		for range 3 {
			var asns []route.ASN
			for range 60 {
				asns = append(asns, route.ASN(random.IntN(400)))
			}
			as = as.AppendSegment(route.ASSequence, asns...)
		}
		paths = append(paths, graph.Path{Peer: fmt.Sprint("p", i), AS: as})
	}
	for _, o := range []graph.Options{{}, {Paths: 1 << 30, ASes: 300, Peers: 60}} {
		g := graph.New(graph.Input{Paths: paths}, o)
		if svg := g.SVG(graph.SVGOptions{}); len(svg) > 4<<20 || len(g.Nodes) > 1200 {
			t.Errorf("%+v: %d bytes, %d nodes", o, len(svg), len(g.Nodes))
		}
		if g.LeftPaths == 0 || g.LeftPaths != g.LeftRoutes {
			t.Errorf("%d paths of %d routes are left out", g.LeftPaths, g.LeftRoutes)
		}
		checkLayers(t, g)
		checkCounts(t, g, graph.Input{Paths: paths})
	}
}

func hostileNames() []string {
	return []string{
		`</svg><script>alert(1)</script>`, `"><a href="javascript:alert(1)">`, `' onload='alert(1)`, "]]><b>", "<!-- ", "&amp;&#x3c;",
		"\x00\x1b[2J\x07", "\r\nline", "\u202egnp.exe", "\u2066x", "\xff\xfe broken", strings.Repeat("wide 漢字", 400), "\u0301\u0301\u0301e\u0301\u0301\u0301",
		"\ufffe\uffff", "",
	}
}

func TestHostileNamesStayText(t *testing.T) {
	for _, name := range hostileNames() {
		in := small()
		in.Title = name
		in.Notes = []string{name}
		in.Name = func(route.ASN) string { return name }
		for i := range in.Paths {
			in.Paths[i].Peer = name
		}
		g := graph.New(in, graph.Options{})
		link := func(route.ASN) string { return "/as/?x=" + name }
		plain := graph.New(small(), graph.Options{}).SVG(graph.SVGOptions{Standalone: true, Link: link})
		want, _ := checkXML(t, plain)
		got, _ := checkXML(t, g.SVG(graph.SVGOptions{Standalone: true, Link: link, PeerLink: func(string) string { return "" }}))
		for element := range got {
			if want[element] == 0 {
				t.Errorf("the name %q made an element %s", name, element)
			}
		}
		for _, ascii := range []bool{true, false} {
			for _, r := range string(g.Text(graph.TextOptions{ASCII: ascii})) {
				if r < ' ' && r != '\n' || r == 0x202e || ascii && r > '~' {
					t.Errorf("the name %q puts %q on the terminal", name, r)
				}
			}
		}
		checkPlaces(t, g)
	}
}

func TestTextEndsWhenItHasEnoughRows(t *testing.T) {
	var paths []graph.Path
	for i := range 30 {
		paths = append(paths, graph.Path{Peer: fmt.Sprint("p", i), AS: seq(route.ASN(i+1), 100)})
	}
	lines := strings.Split(strings.TrimSpace(string(graph.New(graph.Input{Paths: paths}, graph.Options{}).Text(graph.TextOptions{Rows: 10}))), "\n")
	if len(lines) != 11 || lines[10] != "… 20 more rows of 20 routes" {
		t.Errorf("%d lines, the last is %q", len(lines), lines[len(lines)-1])
	}
}

func FuzzNew(f *testing.F) {
	f.Add("edge1", []byte(seq(1, 2, 3)), "name")
	f.Add("\xff", []byte{1, 200, 0}, "<")
	f.Fuzz(func(t *testing.T, peer string, path []byte, name string) {
		in := small()
		in.Paths = append(in.Paths, graph.Path{Peer: peer, AS: path})
		in.Name = func(route.ASN) string { return name }
		g := graph.New(in, graph.Options{ASes: 4})
		checkLayers(t, g)
		checkPlaces(t, g)
		checkXML(t, g.SVG(graph.SVGOptions{Standalone: true}))
		if !utf8.Valid(g.Text(graph.TextOptions{})) {
			t.Error("the text is not UTF-8")
		}
	})
}

// manyPaths are n paths as a table with many peers has them.
func manyPaths(n int) []graph.Path {
	random := rand.New(rand.NewPCG(5, 6))
	var paths []graph.Path
	for i := range n {
		asns := []route.ASN{route.ASN(1000 + i%60)}
		for level := range 2 + random.IntN(4) {
			asns = append(asns, route.ASN(100*(level+1)+random.IntN(4+20*level)))
		}
		paths = append(paths, graph.Path{Peer: fmt.Sprintf("peer%02d", i%60), AS: seq(append(asns, 64500)...), Best: i == 0})
	}
	return paths
}

func BenchmarkPicture(b *testing.B) {
	for _, n := range []int{10, 300, 1000} {
		for _, o := range []struct {
			name string
			graph.Options
		}{{"folded", graph.Options{Paths: n}}, {"whole", unfolded}} {
			b.Run(fmt.Sprintf("%d/%s", n, o.name), func(b *testing.B) {
				in := graph.Input{Paths: manyPaths(n)}
				var g *graph.Graph
				for b.Loop() {
					g = graph.New(in, o.Options)
					g.SVG(graph.SVGOptions{})
				}
				b.ReportMetric(float64(len(g.Nodes)), "nodes")
				b.ReportMetric(float64(len(g.Edges)), "edges")
			})
		}
	}
}
