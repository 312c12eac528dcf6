package graph

// leg is a part of the way of an edge: to a point, level or by a curve that
// leaves and arrives level.
type leg struct {
	x, y  int
	curve bool
}

// course is the way of an edge from the right side of a node to the left side of
// another, level where it passes a layer, so that it meets no wider node there.
// The first leg is where it begins.
func (g *Graph) course(e *Edge) []leg {
	from, to := &g.Nodes[e.From], &g.Nodes[e.To]
	left, right, aside := from, to, 0
	if e.Back { // beside the edge of the other direction, when there is one
		left, right, aside = to, from, backAside
	}
	begin, end := left.Y+left.Height/2+aside, right.Y+right.Height/2+aside
	way := []leg{{left.X + left.Width, begin, false}, {g.columns[left.Layer].right, begin, false}}
	for _, b := range e.bends {
		way = append(way, leg{b.x, b.y, true}, leg{b.x + b.width, b.y, false})
	}
	return append(way, leg{g.columns[right.Layer].left, end, true}, leg{right.X, end, false})
}
