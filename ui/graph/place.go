package graph

import (
	"math"
)

// Measures of the picture, in pixels.
const (
	margin     = 16
	nodeHeight = 24
	namedExtra = 13 // for a second line
	nodeGap    = 8
	bendHeight = 6
	bendGap    = 6
	padding    = 8
	cellWidth  = 7.25 // of the monospaced font at 12 pixels
	smallWidth = 6.3  // of the font of names, about
	columnGap  = 56
	lineHeight = 18
	backAside  = 6
)

// bend is where an edge passes a layer: at the height y from X to X+Width.
type bend struct{ x, width, y int }

// place makes the picture: order, places, size.
func (l *layout) place() {
	l.split()
	l.order()
	l.spread()
	l.straighten()
	l.measure()
}

// height is the room that a spot takes.
func (l *layout) height(s int) float64 {
	n := l.spots[s].node
	switch {
	case n < 0:
		return bendHeight
	case l.g.Nodes[n].Name != "":
		return nodeHeight + namedExtra
	}
	return nodeHeight
}

// apart is how far the middles of two spots that follow each other must be.
func (l *layout) apart(a, b int) float64 {
	gap := float64(nodeGap)
	if l.spots[a].node < 0 && l.spots[b].node < 0 {
		gap = bendGap
	}
	return (l.height(a)+l.height(b))/2 + gap
}

// spread gives every spot its height: as near to its neighbours as the order of
// its layer allows.
func (l *layout) spread() {
	for _, row := range l.rows {
		y := 0.0
		for i, s := range row {
			if i > 0 {
				y += l.apart(row[i-1], s)
			}
			l.spots[s].y = y
		}
	}
	for range sweeps {
		for layer := len(l.rows) - 2; layer >= 0; layer-- {
			l.settle(layer, false, true)
		}
		for layer := 1; layer < len(l.rows); layer++ {
			l.settle(layer, true, false)
		}
	}
	for range 2 {
		for layer := range l.rows {
			l.settle(layer, true, true)
		}
	}
}

// settle moves the spots of a layer to the weighted mean of their neighbours, as
// near as their order and distance allow: the least squares under that
// constraint, found by pooling those that push each other.
func (l *layout) settle(layer int, before, after bool) {
	type block struct {
		want, weight float64
		count        int
	}
	row := l.rows[layer]
	offset := make([]float64, len(row))
	var blocks []block
	for i, s := range row {
		if i > 0 {
			offset[i] = offset[i-1] + l.apart(row[i-1], s)
		}
		want, weight := l.wanted(s, before, after)
		blocks = append(blocks, block{want - offset[i], weight, 1})
		for len(blocks) > 1 && blocks[len(blocks)-2].want > blocks[len(blocks)-1].want {
			a, b := blocks[len(blocks)-2], blocks[len(blocks)-1]
			sum := a.weight + b.weight
			blocks = append(blocks[:len(blocks)-2], block{(a.want*a.weight + b.want*b.weight) / sum, sum, a.count + b.count})
		}
	}
	i := 0
	for _, b := range blocks {
		for range b.count {
			l.spots[row[i]].y = b.want + offset[i]
			i++
		}
	}
}

// wanted returns where a spot would like to be, and how much. Bends pull each
// other most, so that long edges are straight.
func (l *layout) wanted(s int, before, after bool) (y, weight float64) {
	pull := func(other int, w float64) {
		if l.spots[s].node < 0 && l.spots[other].node < 0 {
			w *= 8
		}
		y += w * l.spots[other].y
		weight += w
	}
	if before {
		l.neighbours(s, true, pull)
	}
	if after {
		l.neighbours(s, false, pull)
	}
	if weight == 0 {
		return l.spots[s].y, 0.01
	}
	return y / weight, weight
}

// measure turns the heights into places and finds the size of the picture.
func (l *layout) measure() {
	top := math.Inf(1)
	for s := range l.spots {
		top = min(top, l.spots[s].y-l.height(s)/2)
	}
	head := float64(margin)
	if l.g.Title != "" {
		head += lineHeight + 4
	}
	widths, lefts := l.columns()
	bottom := head
	for s := range l.spots {
		spot := &l.spots[s]
		y := spot.y - top + head
		bottom = max(bottom, y+l.height(s)/2)
		if spot.node < 0 {
			e := &l.g.Edges[spot.edge]
			e.bends = append(e.bends, bend{lefts[spot.layer], widths[spot.layer], int(math.Round(y))})
			continue
		}
		n := &l.g.Nodes[spot.node]
		n.Height = int(l.height(s))
		n.X, n.Y = lefts[spot.layer]+(widths[spot.layer]-n.Width)/2, int(math.Round(y-l.height(s)/2))
	}
	l.g.Height = int(math.Ceil(bottom)) + margin + lineHeight*len(l.g.notes())
	l.g.Width = 2*margin + textWidth(l.g.Title)
	if last := len(lefts) - 1; last >= 0 {
		l.g.Width = max(l.g.Width, lefts[last]+widths[last]+margin)
	}
	for _, n := range l.g.notes() {
		l.g.Width = max(l.g.Width, 2*margin+textWidth(n))
	}
}

// columns returns the width of every layer and where it begins. Where many edges
// go from a layer to the next they get more room.
func (l *layout) columns() (widths, lefts []int) {
	widths, lefts = make([]int, len(l.rows)), make([]int, len(l.rows))
	for i := range l.g.Nodes {
		n := &l.g.Nodes[i]
		n.Width = n.width()
		widths[n.Layer] = max(widths[n.Layer], n.Width)
	}
	for i := range l.g.Nodes { // a column of equals
		if n := &l.g.Nodes[i]; n.Kind == Peer {
			n.Width = widths[n.Layer]
		}
	}
	crowd := make([]int, len(l.rows))
	for _, k := range l.links {
		crowd[l.spots[k.from].layer]++
	}
	x := margin
	for i := range widths {
		lefts[i] = x
		l.g.columns = append(l.g.columns, column{x, x + widths[i]})
		x += widths[i] + columnGap + min(crowd[i], 64)
	}
	return widths, lefts
}

// width is the room that the texts of a node take.
func (n *Node) width() int {
	line := float64(cells(n.Label))
	if t := timesText(n.Prepends); t != "" {
		line += 1 + float64(cells(t))
	}
	return int(math.Ceil(max(line*cellWidth, nameWidth(n.Name)))) + 2*padding
}

func textWidth(s string) int { return int(float64(cells(s)) * 7) }

// nameWidth is how wide a name is, about: capitals are wider than other letters.
// It is on the safe side of the fonts that systems have.
func nameWidth(s string) float64 {
	const capital = 1.0 // more than smallWidth
	w := float64(cells(s)) * smallWidth
	for _, r := range s {
		if r >= 'A' && r <= 'Z' {
			w += capital
		}
	}
	return w
}
