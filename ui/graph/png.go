package graph

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/png"
)

// PNGOptions say how a picture is drawn.
type PNGOptions struct {
	Dark bool
	// Scale is how many pixels of the file a pixel of the SVG has in each
	// direction, from 1 to [MaxScale]; 0 means 1.
	Scale int
}

// MaxScale is the largest scale of a PNG, and MaxPixels bounds its size: four
// bytes each while it is drawn.
const (
	MaxScale  = 3
	MaxPixels = 12 << 20
)

// SizeError is returned for a picture that would have more than [MaxPixels].
type SizeError struct{ Width, Height int }

// Error says how large it would be.
func (e *SizeError) Error() string {
	return fmt.Sprintf("a picture of %d by %d pixels is larger than %d", e.Width, e.Height, MaxPixels)
}

// PNG draws what [Graph.SVG] describes, in the colours of one theme. It returns a
// [SizeError], or why ctx ended.
func (g *Graph) PNG(ctx context.Context, o PNGOptions) ([]byte, error) {
	scale := min(max(o.Scale, 1), MaxScale)
	width, height := g.Width*scale, g.Height*scale
	if width*height > MaxPixels {
		return nil, &SizeError{width, height}
	}
	c, err := colours(o.Dark)
	if err != nil {
		return nil, err
	}
	b, err := newBrush(image.NewRGBA(image.Rect(0, 0, width, height)), scale)
	if err != nil {
		return nil, err
	}
	b.page(c.page)
	d := drawing{g: g, brush: b, c: c}
	if err := d.draw(ctx); err != nil {
		return nil, fmt.Errorf("draw the picture: %w", err)
	}
	var file bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.BestSpeed}
	if err := encoder.Encode(&file, c.reduce(b.img)); err != nil {
		return nil, fmt.Errorf("encode the picture: %w", err)
	}
	return file.Bytes(), nil
}

// drawing is a picture being drawn. Its lines, dashes and fonts are those of
// graph.css.
type drawing struct {
	g     *Graph
	brush *brush
	c     scheme
}

// strokes are the widths of edges, by [stroke].
func strokes() [6]float32 { return [6]float32{0, 1, 1.75, 2.75, 4, 5.5} }

// bestStroke is the least width of a best edge.
const bestStroke = 1.75

func (d *drawing) draw(ctx context.Context) error {
	for _, best := range []bool{false, true} {
		for i := range d.g.Edges {
			if err := ctx.Err(); err != nil {
				return err //nolint:wrapcheck // PNG says what it was doing
			}
			if d.g.Edges[i].Best == best {
				d.edge(&d.g.Edges[i])
			}
		}
	}
	for i := range d.g.Nodes {
		if err := ctx.Err(); err != nil {
			return err //nolint:wrapcheck // PNG says what it was doing
		}
		d.node(&d.g.Nodes[i])
	}
	d.brush.text(title, margin, margin+lineHeight/2, d.c.text, d.g.Title)
	notes := d.g.notes()
	for i, n := range notes {
		d.brush.text(small, margin, d.g.Height-margin/2-lineHeight*(len(notes)-1-i), d.c.subtle, n)
	}
	return nil
}

func (d *drawing) edge(e *Edge) {
	l := line{width: strokes()[stroke(e.Routes)], colour: d.c.subtle, opacity: .5}
	if e.Best {
		l.width, l.colour, l.opacity = max(l.width, bestStroke), d.c.accent, 1
	}
	if e.Back {
		l.dashes = []float32{5, 3}
	}
	d.brush.stroke(flat(d.g.course(e), d.brush.scale), l)
}

func (d *drawing) node(n *Node) {
	l, ink := line{width: 1, colour: d.c.subtle, opacity: .55}, d.c.text
	fill := &d.c.page
	if n.Kind == Peer || n.Origin {
		fill = &d.c.field
	}
	switch {
	case n.Kind == Set || n.Kind == ConfedSet:
		l.dashes, l.opacity = []float32{4, 2}, .8
	case n.Kind == Fold:
		l.dashes, l.opacity, fill, ink = []float32{1, 3}, .9, nil, d.c.subtle
	case n.Origin:
		l.opacity = 1
	}
	if n.Best {
		l.width, l.colour, l.opacity = 1.5, d.c.accent, 1
	}
	box := rounded(float32(n.X), float32(n.Y), float32(n.Width), float32(n.Height))
	if fill != nil {
		d.brush.fill(box, *fill)
	}
	d.brush.stroke(append(box, box[0]), l)
	d.labels(n, ink)
}

// labels writes what stands on a node, in the middle.
func (d *drawing) labels(n *Node, ink rgb) {
	times := timesText(n.Prepends)
	if times != "" {
		times = " " + times
	}
	whole := d.brush.width(mono, n.Label) + d.brush.width(mono, times)
	x, y := float32(n.X)+(float32(n.Width)-whole)/2, n.Y+nodeHeight/2+4
	x = d.brush.textAt(mono, x, float32(y), ink, n.Label)
	d.brush.textAt(mono, x, float32(y), d.c.stale, times)
	if n.Name != "" {
		name := d.brush.cut(small, n.Name, float32(n.Width-2))
		x = float32(n.X) + (float32(n.Width)-d.brush.width(small, name))/2
		d.brush.textAt(small, x, float32(y+13), d.c.subtle, name)
	}
}
