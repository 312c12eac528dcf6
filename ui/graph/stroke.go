package graph

import "math"

// point is a place in pixels of the SVG.
type point struct{ x, y float32 }

// line says how a way is drawn.
type line struct {
	width   float32
	colour  rgb
	opacity float32
	dashes  []float32 // lengths drawn and left out, in turn; nil draws all
}

// flat turns a course into short straight lines, shorter for larger scales.
func flat(way []leg, scale float32) []point {
	at := point{float32(way[0].x), float32(way[0].y)}
	list := []point{at}
	for _, s := range way[1:] {
		to := point{float32(s.x), float32(s.y)}
		if !s.curve || to.y == at.y {
			list, at = append(list, to), to
			continue
		}
		half := (to.x - at.x) / 2
		length := float64(max(to.x-at.x, to.y-at.y, at.y-to.y) * scale)
		parts := 4 + int(math.Sqrt(length)*1.5)
		for i := 1; i <= parts; i++ {
			t := float32(i) / float32(parts)
			u := 1 - t
			a, b, c, d := u*u*u, 3*u*u*t, 3*u*t*t, t*t*t
			list = append(list, point{
				a*at.x + b*(at.x+half) + c*(to.x-half) + d*to.x, (a+b)*at.y + (c+d)*to.y,
			})
		}
		at = to
	}
	return list
}

// dashed cuts a way into the pieces that are drawn.
func dashed(way []point, dashes []float32) [][]point {
	if len(dashes) == 0 {
		return [][]point{way}
	}
	var pieces [][]point
	piece, left, i := []point{way[0]}, dashes[0], 0
	for k := 1; k < len(way); k++ {
		from, to := way[k-1], way[k]
		length := distance(from, to)
		for length > left {
			from = point{from.x + (to.x-from.x)*left/length, from.y + (to.y-from.y)*left/length}
			length -= left
			if i%2 == 0 {
				pieces = append(pieces, append(piece, from))
			}
			i++
			piece, left = []point{from}, dashes[i%len(dashes)]
		}
		left -= length
		piece = append(piece, to)
	}
	if i%2 == 0 && len(piece) > 1 {
		pieces = append(pieces, piece)
	}
	return pieces
}

// outline returns a quadrangle around every straight part of a way, all turning
// the same way round, so that together they are the line.
func outline(way []point, width float32) [][4]point {
	list := make([][4]point, 0, len(way))
	for i := 1; i < len(way); i++ {
		a, b := way[i-1], way[i]
		length := distance(a, b)
		if length == 0 {
			continue
		}
		x, y := (b.y-a.y)/length*width/2, (a.x-b.x)/length*width/2
		list = append(list, [4]point{{a.x + x, a.y + y}, {b.x + x, b.y + y}, {b.x - x, b.y - y}, {a.x - x, a.y - y}})
	}
	return list
}

func distance(a, b point) float32 {
	return float32(math.Hypot(float64(b.x-a.x), float64(b.y-a.y)))
}

// rounded is a rectangle with the round corners of nodes, from the end of the
// upper left corner clockwise, as SVG goes around it.
func rounded(x, y, width, height float32) []point {
	const radius, parts = 3, 4
	var list []point
	for i, c := range []point{
		{x + width - radius, y + radius}, {x + width - radius, y + height - radius}, {x + radius, y + height - radius}, {x + radius, y + radius},
	} {
		if i == 0 {
			list = append(list, point{x + radius, y})
		}
		for k := range parts + 1 {
			angle := (float64(i-1) + float64(k)/parts) * math.Pi / 2
			list = append(list, point{c.x + radius*float32(math.Cos(angle)), c.y + radius*float32(math.Sin(angle))})
		}
	}
	return list
}
