package graph

import (
	"cmp"
	"slices"

	"ribglass/ribstore/route"
)

// Path is the AS path of routes that a peer sent.
type Path struct {
	Peer    string // name of the peer
	PeerASN route.ASN
	AS      route.ASPath // read during New only
	Routes  int          // how many routes have it; 0 means one
	Best    bool         // one of them is the best of its prefix
}

// Input is what a picture is made of.
type Input struct {
	Title string
	Notes []string // said below the picture, such as that the paths are not all
	Paths []Path
	Name  func(route.ASN) string // the name of an AS, "" when it has none; may be nil
}

// Options are the limits of a picture. Zero values mean those of
// [DefaultOptions].
type Options struct {
	Paths int // distinct paths that are drawn
	ASes  int // ASes that are drawn, others are folded
	Peers int // peers that are drawn, others are folded
	Rows  int // nodes above one another, of more the least used are folded
}

// DefaultOptions are limits with which a picture stays readable.
func DefaultOptions() Options { return Options{Paths: 500, ASes: 70, Peers: 40, Rows: 40} }

// Bounds that no options can lift, so that no input makes a picture that takes
// seconds.
const (
	maxPaths = 2000
	maxNodes = 4000
	maxHops  = 64 // of a path, prepends taken together
	maxEdges = 4000
	// maxRounds is how often nodes are hidden from layers that have too many.
	maxRounds = 6
	maxSpots  = 8000 // places in the layers, bends of edges included
)

func (o Options) bounded() Options {
	d := DefaultOptions()
	pick := func(n, normal, most int) int {
		if n <= 0 {
			n = normal
		}
		return min(n, most)
	}
	return Options{
		pick(o.Paths, d.Paths, maxPaths), pick(o.ASes, d.ASes, maxNodes), pick(o.Peers, d.Peers, maxNodes),
		pick(o.Rows, d.Rows, 2*maxNodes),
	}
}

// Kind says what a node stands for.
type Kind uint8

// The kinds of nodes.
const (
	Peer       Kind = iota // who sent the paths
	AS                     // an AS
	Set                    // an AS_SET
	ConfedAS               // a member AS of a confederation (RFC 5065)
	ConfedSet              // a set of them
	Fold                   // nodes that are not drawn one by one
	numOfKinds             // not a kind
)

// String returns the word for the kind.
func (k Kind) String() string {
	return [numOfKinds]string{"peer", "as", "as-set", "confed-as", "confed-set", "folded"}[k]
}

// Times counts the routes whose paths have an AS so often in a row.
type Times struct{ Times, Routes int }

// Node is a node of a picture.
type Node struct {
	Kind   Kind
	ASN    route.ASN   // of an AS; of a peer its AS
	ASNs   []route.ASN // of a set, ascending
	Peer   string      // name of a peer
	Name   string      // of an AS, made printable and short; "" when it has none
	Label  string      // what is written on it
	Paths  int         // walks through it
	Routes int         // routes of these
	Best   bool        // on the way of a best route
	Origin bool        // a path ends here
	// Prepends are the counts of repetition other than one, ascending.
	Prepends []Times
	// FoldedASes and FoldedPeers are how many nodes it stands for.
	FoldedASes, FoldedPeers int
	Layer                   int // 0 is the leftmost
	// X and Y are the upper left corner.
	X, Y, Width, Height int
	key                 int // its number in merged.keys, when it is not a fold
}

// Edge is an adjacency of two nodes in the direction from the peers to the
// origins.
type Edge struct {
	From, To int // nodes
	Paths    int // walks along it
	Routes   int // routes of these
	Best     bool
	Back     bool // leads to a lower layer: the paths contradict each other
	walks    []int
	bends    []bend
}

// Hop is a node of a walk and how often its AS stands there in a row.
type Hop struct{ Node, Times int }

// Walk is a path of one peer, and the nodes that it visits. A run of folded ones
// is one hop.
type Walk struct {
	Peer    string
	PeerASN route.ASN
	AS      route.ASPath
	Routes  int
	Best    bool
	Hops    []Hop
}

// Graph is a picture. It is not modified after New, and may be read by many
// goroutines.
type Graph struct {
	Title string
	Notes []string
	Nodes []Node
	Edges []Edge
	Walks []Walk // the best first, then the most used
	// Layers is how many there are.
	Layers int
	Routes int // of all paths of the input
	// LeftPaths and LeftRoutes are what the limits left out.
	LeftPaths, LeftRoutes int
	FoldedASes            int // distinct ASes and sets that are not drawn
	FoldedPeers           int
	Width, Height         int
	columns               []column
}

// column is the room of a layer.
type column struct{ left, right int }

// New makes a picture of paths.
func New(in Input, o Options) *Graph {
	o = o.bounded()
	m := merge(in, o.Paths)
	for rounds := 0; ; rounds++ {
		g := m.graph(in, o)
		least := o.ASes == 1 && o.Peers == 1
		fewer := len(g.Edges) > maxEdges
		if !fewer || least {
			l := newLayout(g)
			fewer = l.tooLarge()
			if least || !fewer && (rounds >= maxRounds || !m.thin(g, o.Rows)) {
				l.place()
				return g
			}
		}
		if fewer {
			o.ASes, o.Peers = (o.ASes+1)/2, (o.Peers+1)/2
		}
	}
}

// thin hides the least used nodes of layers that have too many, and reports
// whether there were any. Those of best routes stay, as far as there is room.
func (m *merged) thin(g *Graph, rows int) (hidden bool) {
	layers, crowd, best := make([][]int, g.Layers), make([]int, g.Layers), make([]int, g.Layers)
	for i := range g.Nodes {
		n := &g.Nodes[i]
		crowd[n.Layer]++
		if n.Kind == Fold {
			continue
		}
		layers[n.Layer] = append(layers[n.Layer], i)
		if n.Best {
			best[n.Layer]++
		}
	}
	for layer, nodes := range layers {
		if crowd[layer] <= rows {
			continue
		}
		slices.SortStableFunc(nodes, func(a, b int) int { return compareUse(&g.Nodes[a], &g.Nodes[b]) })
		stay := max(len(nodes)-(crowd[layer]-rows), min(best[layer], rows))
		for _, i := range nodes[stay:] {
			m.hidden[g.Nodes[i].key] = true
			hidden = true
		}
	}
	return hidden
}

// compareUse puts nodes of best routes first, then the most used ones, then those
// of the first walks.
func compareUse(a, b *Node) int {
	if a.Best != b.Best {
		if a.Best {
			return -1
		}
		return 1
	}
	return cmp.Or(cmp.Compare(b.Routes, a.Routes), cmp.Compare(a.key, b.key))
}

// graph makes nodes, edges and walks, what is too much folded.
func (m *merged) graph(in Input, o Options) *Graph {
	g := &Graph{
		Title: printable(in.Title, maxTitle), Routes: m.routes, LeftPaths: m.leftPaths, LeftRoutes: m.leftRoutes,
	}
	for _, n := range in.Notes {
		g.Notes = append(g.Notes, printable(n, maxTitle))
	}
	f := m.fold(o)
	g.FoldedASes, g.FoldedPeers = f.ases, f.peers
	g.Nodes = f.nodes
	for i := range g.Nodes {
		g.Nodes[i].label(in.Name)
	}
	for i, w := range m.walks {
		g.Walks = append(g.Walks, Walk{
			Peer: w.peer, PeerASN: w.peerASN, AS: w.path, Routes: w.routes, Best: w.best, Hops: f.hops[i],
		})
	}
	g.connect()
	return g
}

// connect counts the walks at nodes and edges.
func (g *Graph) connect() {
	index := map[[2]int]int{}
	prepends := make([]map[int]int, len(g.Nodes))
	lastNode := make([]int, len(g.Nodes))
	var lastEdge []int
	for i := range g.Walks {
		w := &g.Walks[i]
		for at, h := range w.Hops {
			n := &g.Nodes[h.Node]
			n.Best = n.Best || w.Best
			n.Origin = n.Origin || at == len(w.Hops)-1 && n.Kind != Peer
			if h.Times > 1 {
				if prepends[h.Node] == nil {
					prepends[h.Node] = map[int]int{}
				}
				prepends[h.Node][h.Times] += w.Routes
			}
			if lastNode[h.Node] != i+1 {
				lastNode[h.Node] = i + 1
				n.Paths++
				n.Routes += w.Routes
			}
			if at == 0 || w.Hops[at-1].Node == h.Node {
				continue
			}
			pair := [2]int{w.Hops[at-1].Node, h.Node}
			e, ok := index[pair]
			if !ok {
				e = len(g.Edges)
				index[pair] = e
				g.Edges = append(g.Edges, Edge{From: pair[0], To: pair[1]})
				lastEdge = append(lastEdge, 0)
			}
			if lastEdge[e] != i+1 {
				lastEdge[e] = i + 1
				g.Edges[e].add(w, i)
			}
		}
	}
	for i, counts := range prepends {
		g.Nodes[i].Prepends = sortedTimes(counts)
	}
}

func (e *Edge) add(w *Walk, number int) {
	e.Paths++
	e.Routes += w.Routes
	e.Best = e.Best || w.Best
	e.walks = append(e.walks, number)
}
