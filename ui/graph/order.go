package graph

import (
	"cmp"
	"slices"
)

// sweeps is how often the order of the layers is improved from one side and then
// from the other.
const sweeps = 10

// split puts a spot on every layer that an edge passes, and links spots of
// neighbouring layers.
func (l *layout) split() {
	l.rows = make([][]int, l.g.Layers)
	for n := range l.g.Nodes {
		l.spot(spot{node: n, edge: -1, layer: l.layer[n]})
	}
	for i, e := range l.down {
		from := e[0]
		weight := float64(min(l.g.Edges[i].Routes, 50))
		if l.g.Edges[i].Best {
			weight += 50
		}
		for layer := l.layer[e[0]] + 1; layer < l.layer[e[1]]; layer++ {
			bend := l.spot(spot{node: -1, edge: i, layer: layer})
			l.link(from, bend, weight)
			from = bend
		}
		l.link(from, e[1], weight)
	}
}

func (l *layout) spot(s spot) int {
	s.row = len(l.rows[s.layer])
	l.spots = append(l.spots, s)
	l.rows[s.layer] = append(l.rows[s.layer], len(l.spots)-1)
	return len(l.spots) - 1
}

func (l *layout) link(from, to int, weight float64) {
	l.spots[from].after = append(l.spots[from].after, len(l.links))
	l.spots[to].before = append(l.spots[to].before, len(l.links))
	l.links = append(l.links, link{from, to, weight})
}

// order puts the spots of every layer in an order with few crossings: each where
// its neighbours are, layer by layer to and fro (Sugiyama, Tagawa and Toda 1981).
// The best order met is kept.
func (l *layout) order() {
	l.begin()
	best, fewest := l.copyRows(), l.crossings()
	for range sweeps {
		for layer := len(l.rows) - 2; layer >= 0; layer-- {
			l.sortLayer(layer, false)
		}
		for layer := 1; layer < len(l.rows); layer++ {
			l.sortLayer(layer, true)
		}
		l.exchange()
		n := l.crossings()
		if n >= fewest {
			continue
		}
		if best, fewest = l.copyRows(), n; n == 0 {
			break
		}
	}
	l.rows = best
	for layer := range l.rows {
		l.number(layer)
	}
}

// begin orders the layers from the origins, the best and most used first.
func (l *layout) begin() {
	for layer, row := range slices.Backward(l.rows) {
		slices.SortStableFunc(row, l.compareUse)
		l.number(layer)
		if layer < len(l.rows)-1 {
			l.sortLayer(layer, false)
		}
	}
}

func (l *layout) compareUse(a, b int) int {
	bestA, routesA := l.use(a)
	bestB, routesB := l.use(b)
	if bestA != bestB {
		if bestA {
			return -1
		}
		return 1
	}
	return cmp.Compare(routesB, routesA)
}

func (l *layout) use(s int) (best bool, routes int) {
	if n := l.spots[s].node; n >= 0 {
		return l.g.Nodes[n].Best, l.g.Nodes[n].Routes
	}
	e := &l.g.Edges[l.spots[s].edge]
	return e.Best, e.Routes
}

func (l *layout) number(layer int) {
	for row, s := range l.rows[layer] {
		l.spots[s].row = row
	}
}

// neighbours calls yield with the spots next to s in the layer before or after.
func (l *layout) neighbours(s int, before bool, yield func(other int, weight float64)) {
	if before {
		for _, i := range l.spots[s].before {
			yield(l.links[i].from, l.links[i].weight)
		}
		return
	}
	for _, i := range l.spots[s].after {
		yield(l.links[i].to, l.links[i].weight)
	}
}

// sortLayer orders a layer by the mean row of the neighbours. A spot without any
// stays between those it stood between.
func (l *layout) sortLayer(layer int, before bool) {
	row := l.rows[layer]
	last := 0.0
	for _, s := range row {
		sum, weight := 0.0, 0.0
		l.neighbours(s, before, func(other int, w float64) {
			sum += w * float64(l.spots[other].row)
			weight += w
		})
		if weight > 0 {
			last = sum / weight
		}
		l.spots[s].mean = last
	}
	slices.SortStableFunc(row, func(a, b int) int { return cmp.Compare(l.spots[a].mean, l.spots[b].mean) })
	l.number(layer)
}

// exchange swaps neighbours in a layer where that saves crossings.
func (l *layout) exchange() {
	for layer, row := range l.rows {
		for i := 0; i+1 < len(row); i++ {
			a, b := row[i], row[i+1]
			if l.between(a, b) > l.between(b, a) {
				row[i], row[i+1] = b, a
			}
		}
		l.number(layer)
	}
}

// between counts the crossings of the links of two spots when a stands above b.
func (l *layout) between(a, b int) int {
	n := 0
	for _, before := range []bool{true, false} {
		l.neighbours(a, before, func(x int, _ float64) {
			l.neighbours(b, before, func(y int, _ float64) {
				if l.spots[x].row > l.spots[y].row {
					n++
				}
			})
		})
	}
	return n
}

func (l *layout) copyRows() [][]int {
	rows := make([][]int, len(l.rows))
	for i := range rows {
		rows[i] = slices.Clone(l.rows[i])
	}
	return rows
}

// crossings counts all crossings, those of each layer with the next by counting
// inversions in a Fenwick tree.
func (l *layout) crossings() int {
	n := 0
	for layer := 0; layer+1 < len(l.rows); layer++ {
		tree := make([]int, len(l.rows[layer+1])+1)
		seen := 0
		for _, s := range l.rows[layer] {
			var ends []int
			l.neighbours(s, false, func(other int, _ float64) { ends = append(ends, l.spots[other].row) })
			for _, end := range ends {
				n += seen
				for i := end + 1; i > 0; i -= i & -i {
					n -= tree[i]
				}
			}
			for _, end := range ends {
				for i := end + 1; i < len(tree); i += i & -i {
					tree[i]++
				}
			}
			seen += len(ends)
		}
	}
	return n
}
