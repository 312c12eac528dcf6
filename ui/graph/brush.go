package graph

import (
	"encoding/binary"
	"fmt"
	"image"
	"image/draw"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/gomono"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
	"golang.org/x/image/vector"
)

// typeface is one of the fonts of a picture.
type typeface int

// The fonts of graph.css.
const (
	mono typeface = iota
	small
	title
	numOfTypefaces
)

// brush draws on an image in coordinates of the SVG. It is used by one goroutine.
type brush struct {
	img      *image.RGBA
	scale    float32
	shape    vector.Rasterizer
	coverage image.Alpha
	faces    [numOfTypefaces]font.Face
	glyphs   map[glyphKey]glyph
}

type glyphKey struct {
	face typeface
	r    rune
}

// glyph is a character drawn once: its coverage, where that lies from the place
// it is written at, and how wide it is, all in pixels of the image.
type glyph struct {
	mask    *image.Alpha
	offset  image.Point
	advance float32
}

// newBrush makes a brush. The fonts are built into the program: a server has none.
func newBrush(img *image.RGBA, scale int) (*brush, error) {
	b := &brush{img: img, scale: float32(scale), glyphs: map[glyphKey]glyph{}}
	for i, f := range [numOfTypefaces]struct {
		data []byte
		size float64
	}{mono: {gomono.TTF, 12}, small: {goregular.TTF, 10.5}, title: {gobold.TTF, 14}} {
		parsed, err := opentype.Parse(f.data)
		if err != nil {
			return nil, fmt.Errorf("read a font: %w", err)
		}
		b.faces[i], err = opentype.NewFace(parsed, &opentype.FaceOptions{Size: f.size * float64(scale), DPI: 72, Hinting: font.HintingNone})
		if err != nil {
			return nil, fmt.Errorf("size a font: %w", err)
		}
	}
	return b, nil
}

// page paints all of the image.
func (b *brush) page(c rgb) {
	for i := 0; i < len(b.img.Pix); i += 4 {
		b.img.Pix[i], b.img.Pix[i+1], b.img.Pix[i+2], b.img.Pix[i+3] = c.r, c.g, c.b, 255
	}
}

// fill paints what a closed way is around.
func (b *brush) fill(way []point, c rgb) {
	b.shapes([][]point{way}, c, 1)
}

// stroke draws along a way.
func (b *brush) stroke(way []point, l line) {
	var parts [][]point
	for _, piece := range dashed(way, l.dashes) {
		for _, q := range outline(piece, l.width) {
			parts = append(parts, q[:])
		}
	}
	b.shapes(parts, l.colour, l.opacity)
}

// tile is how wide, in pixels of the image, the parts are in which a shape is
// painted. A long slanting line fills little of the box around it: in parts,
// the boxes are together much smaller.
const tile = 96

// shapes paints closed ways at once: where they overlap they are one.
func (b *brush) shapes(list [][]point, c rgb, opacity float32) {
	boxes := make([]image.Rectangle, len(list))
	var whole image.Rectangle
	for i, way := range list {
		boxes[i] = b.around(way)
		whole = whole.Union(boxes[i])
	}
	whole = whole.Intersect(b.img.Rect)
	for left := whole.Min.X; left < whole.Max.X; left += tile {
		column := image.Rect(left, whole.Min.Y, min(left+tile, whole.Max.X), whole.Max.Y)
		var part image.Rectangle
		for _, box := range boxes {
			part = part.Union(box.Intersect(column))
		}
		if part.Empty() {
			continue
		}
		b.shape.Reset(part.Dx(), part.Dy())
		for i, way := range list {
			if boxes[i].Overlaps(part) {
				b.trace(way, part.Min)
			}
		}
		b.shape.DrawOp = draw.Src
		mask := b.mask(part.Dx(), part.Dy())
		b.shape.Draw(mask, mask.Rect, image.Opaque, image.Point{})
		b.blend(mask, part.Min, c, opacity)
	}
}

// around returns the pixels that a way touches.
func (b *brush) around(way []point) image.Rectangle {
	low, high := way[0], way[0]
	for _, q := range way {
		low.x, low.y = min(low.x, q.x), min(low.y, q.y)
		high.x, high.y = max(high.x, q.x), max(high.y, q.y)
	}
	return image.Rect(int(low.x*b.scale)-1, int(low.y*b.scale)-1, int(high.x*b.scale)+2, int(high.y*b.scale)+2)
}

// trace adds a way to the shape that begins at a pixel of the image.
func (b *brush) trace(way []point, from image.Point) {
	for i, q := range way {
		x, y := q.x*b.scale-float32(from.X), q.y*b.scale-float32(from.Y)
		if i == 0 {
			b.shape.MoveTo(x, y)
		} else {
			b.shape.LineTo(x, y)
		}
	}
	b.shape.ClosePath()
}

// mask returns an image for a coverage, whose memory is used again.
func (b *brush) mask(width, height int) *image.Alpha {
	if need := width * height; cap(b.coverage.Pix) < need {
		b.coverage.Pix = make([]uint8, need)
	}
	b.coverage.Pix = b.coverage.Pix[:width*height]
	b.coverage.Stride, b.coverage.Rect = width, image.Rect(0, 0, width, height)
	return &b.coverage
}

// blend paints a colour where a mask, laid at a place, covers the image. Most of
// a mask covers nothing, which is passed over.
func (b *brush) blend(mask *image.Alpha, at image.Point, c rgb, opacity float32) {
	strength := uint32(opacity*255 + .5)
	area := mask.Rect.Add(at).Intersect(b.img.Rect)
	for y := area.Min.Y; y < area.Max.Y; y++ {
		from := mask.PixOffset(area.Min.X-at.X, y-at.Y)
		row := mask.Pix[from : from+area.Dx()]
		out := b.img.Pix[b.img.PixOffset(area.Min.X, y):]
		for i := 0; i < len(row); i++ {
			for i+8 <= len(row) && binary.NativeEndian.Uint64(row[i:]) == 0 {
				i += 8
			}
			if i == len(row) || row[i] == 0 {
				continue
			}
			a := uint32(row[i]) * strength
			pixel := out[i*4 : i*4+3 : i*4+3]
			pixel[0] = mix(pixel[0], c.r, a)
			pixel[1] = mix(pixel[1], c.g, a)
			pixel[2] = mix(pixel[2], c.b, a)
		}
	}
}

// mix goes from one value to another by a part of 255².
func mix(from, to uint8, part uint32) uint8 {
	const whole = 255 * 255
	return uint8((uint32(from)*(whole-part) + uint32(to)*part + whole/2) / whole)
}

// glyph returns a character as it is drawn. A font has a box for those that it
// does not have.
func (b *brush) glyph(face typeface, r rune) glyph {
	key := glyphKey{face, r}
	if g, ok := b.glyphs[key]; ok {
		return g
	}
	box, source, at, advance, ok := b.faces[face].Glyph(fixed.Point26_6{}, r)
	g := glyph{offset: box.Min, advance: float32(advance) / 64}
	if ok {
		g.mask = image.NewAlpha(image.Rect(0, 0, box.Dx(), box.Dy()))
		draw.Draw(g.mask, g.mask.Rect, source, at, draw.Src) // the face uses its own mask again
	}
	b.glyphs[key] = g
	return g
}

// width is how wide a text is.
func (b *brush) width(face typeface, s string) float32 {
	var w float32
	for _, r := range s {
		w += b.glyph(face, r).advance
	}
	return w / b.scale
}

// cut returns as much of a text as fits into a width.
func (b *brush) cut(face typeface, s string, width float32) string {
	if b.width(face, s) <= width {
		return s
	}
	width -= b.width(face, "…")
	var used float32
	for i, r := range s {
		if used += b.glyph(face, r).advance / b.scale; used > width {
			return s[:i] + "…"
		}
	}
	return s
}

// text writes a line that begins at a place.
func (b *brush) text(face typeface, x, y int, c rgb, s string) {
	b.textAt(face, float32(x), float32(y), c, s)
}

// textAt writes a line that begins at a place and returns where it ends.
func (b *brush) textAt(face typeface, x, y float32, c rgb, s string) float32 {
	x, y = x*b.scale, y*b.scale
	for _, r := range s {
		g := b.glyph(face, r)
		if g.mask != nil {
			b.blend(g.mask, g.offset.Add(image.Pt(int(x+.5), int(y+.5))), c, 1)
		}
		x += g.advance
	}
	return x / b.scale
}
