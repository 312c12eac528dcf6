package graph

import (
	"cmp"
	"slices"
)

// layout finds the places of nodes and the ways of edges.
type layout struct {
	g     *Graph
	down  [][2]int // edges as layers have them: from a lower to a higher one
	layer []int    // of nodes
	spots []spot
	rows  [][]int // spots of each layer in order
	links []link  // between spots of neighbouring layers
}

// spot is what takes room in a layer: a node, or an edge that passes through.
type spot struct {
	node   int // -1: an edge passes
	edge   int // of a bend
	layer  int
	row    int // in its layer
	before []int
	after  []int   // links
	mean   float64 // row of its neighbours
	y      float64 // of its middle
}

// link joins two spots of neighbouring layers.
type link struct {
	from, to int
	weight   float64
}

// newLayout cuts cycles and gives every node its layer.
func newLayout(g *Graph) *layout {
	l := &layout{g: g, layer: make([]int, len(g.Nodes)), down: make([][2]int, len(g.Edges))}
	l.cutCycles()
	l.rank()
	return l
}

// tooLarge reports whether the picture would have too many bends to be drawn, let
// alone read.
func (l *layout) tooLarge() bool {
	spots := len(l.g.Nodes)
	for _, e := range l.down {
		spots += l.layer[e[1]] - l.layer[e[0]] - 1
	}
	return spots > maxSpots
}

// cutCycles turns edges round until no cycle is left. The best and most used ones
// come first and keep their direction: an edge is turned when those before it
// lead back already. reach is the transitive closure so far, as bits.
func (l *layout) cutCycles() {
	g := l.g
	order := make([]int, len(g.Edges))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		x, y := &g.Edges[a], &g.Edges[b]
		if x.Best != y.Best {
			if x.Best {
				return -1
			}
			return 1
		}
		return cmp.Compare(y.Routes, x.Routes)
	})
	words := (len(g.Nodes) + 63) / 64
	reach := make([]uint64, words*len(g.Nodes))
	has := func(u, v int) bool { return reach[u*words+v/64]&(1<<(v%64)) != 0 }
	for _, i := range order {
		u, v := g.Edges[i].From, g.Edges[i].To
		if has(v, u) {
			g.Edges[i].Back = true
			u, v = v, u
		}
		l.down[i] = [2]int{u, v}
		if has(u, v) {
			continue
		}
		for w := range g.Nodes {
			if w != u && !has(w, u) {
				continue
			}
			for k := range words {
				reach[w*words+k] |= reach[v*words+k]
			}
			reach[w*words+v/64] |= 1 << (v % 64)
		}
	}
}

// rank gives every node its layer: as far from the right as its longest way to
// an origin, and all peers leftmost.
func (l *layout) rank() {
	after := make([][]int, len(l.g.Nodes))
	before := make([]int, len(l.g.Nodes)) // how many nodes behind it have no distance yet
	into := make([][]int, len(l.g.Nodes))
	for _, e := range l.down {
		after[e[0]] = append(after[e[0]], e[1])
		into[e[1]] = append(into[e[1]], e[0])
		before[e[0]]++
	}
	distance := make([]int, len(l.g.Nodes))
	var ready []int
	for n := range l.g.Nodes {
		if before[n] == 0 {
			ready = append(ready, n)
		}
	}
	farthest, peers := -1, 0
	for len(ready) > 0 {
		n := ready[0]
		ready = ready[1:]
		if l.g.Nodes[n].Kind == Peer {
			peers = 1
		} else {
			farthest = max(farthest, distance[n])
		}
		for _, p := range into[n] {
			distance[p] = max(distance[p], distance[n]+1)
			if before[p]--; before[p] == 0 {
				ready = append(ready, p)
			}
		}
	}
	for n := range l.g.Nodes {
		if l.g.Nodes[n].Kind != Peer {
			l.layer[n] = farthest - distance[n] + peers
		}
		l.g.Nodes[n].Layer = l.layer[n]
	}
	l.g.Layers = farthest + 1 + peers
}
