package graph

// Level is where an edge passes a layer.
type Level struct{ X, Width, Y int }

// Levels gives tests where edge i passes layers.
func (g *Graph) Levels(i int) []Level {
	var list []Level
	for _, b := range g.Edges[i].bends {
		list = append(list, Level{b.x, b.width, b.y})
	}
	return list
}

// Strokes gives tests the widths of edges by class.
func Strokes() []float32 { all := strokes(); return all[:] }
