package graph_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"ribglass/ribstore/route"
	"ribglass/ui/graph"
)

func drawn(t *testing.T, g *graph.Graph, o graph.PNGOptions) image.Image {
	t.Helper()
	body, err := g.PNG(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func hex(c color.Color) string {
	r, g, b, _ := c.RGBA()
	return fmt.Sprintf("#%02x%02x%02x", r>>8, g>>8, b>>8)
}

// inked reports whether a part of a picture has a pixel of a colour.
func inked(img image.Image, area image.Rectangle, want string) bool {
	for y := area.Min.Y; y < area.Max.Y; y++ {
		for x := area.Min.X; x < area.Max.X; x++ {
			if hex(img.At(x, y)) == want {
				return true
			}
		}
	}
	return false
}

func TestPNGHasTheColoursOfItsTheme(t *testing.T) {
	g := graph.New(small(), graph.Options{})
	for _, row := range []struct {
		about                           string
		options                         graph.PNGOptions
		page, field, text, accent, name string
	}{
		{"light", graph.PNGOptions{}, "#fdfdfc", "#f4f4f1", "#1c2326", "#0b6e75", "#566066"},
		{"dark", graph.PNGOptions{Dark: true}, "#14181a", "#1b2124", "#e3e7e6", "#5cc4ca", "#9aa6a9"},
		{"light, three times as large", graph.PNGOptions{Scale: 3}, "#fdfdfc", "#f4f4f1", "#1c2326", "#0b6e75", "#566066"},
	} {
		t.Run(row.about, func(t *testing.T) {
			img := drawn(t, g, row.options)
			scale := max(row.options.Scale, 1)
			if want := image.Rect(0, 0, g.Width*scale, g.Height*scale); img.Bounds() != want {
				t.Fatalf("size %v, want %v", img.Bounds(), want)
			}
			if got := hex(img.At(0, 0)); got != row.page {
				t.Errorf("the page is %s, want %s", got, row.page)
			}
			for i := range g.Nodes {
				n := &g.Nodes[i]
				inside := image.Rect(n.X*scale, n.Y*scale, (n.X+n.Width)*scale, (n.Y+n.Height)*scale)
				want := row.page
				if n.Kind == graph.Peer || n.Origin {
					want = row.field
				}
				if got := hex(img.At((n.X+4)*scale, (n.Y+4)*scale)); got != want {
					t.Errorf("%s is filled with %s, want %s", n.Label, got, want)
				}
				if scale == 3 && !inked(img, inside, row.text) { // small letters are all edge
					t.Errorf("nothing is written on %s", n.Label)
				}
				if n.Best && !inked(img, inside.Inset(-scale), row.accent) {
					t.Errorf("%s of the best path has no line of the accent", n.Label)
				}
			}
		})
	}
}

func TestPNGDrawsLinesAsTheStyleSheetSays(t *testing.T) {
	rules := graph.StyleSheet()
	for class, width := range graph.Strokes()[1:] {
		want := fmt.Sprintf(".w%d { stroke-width: %s; }", class+1, strconv.FormatFloat(float64(width), 'f', -1, 32))
		if !strings.Contains(rules, want) {
			t.Errorf("the style sheet has no %q", want)
		}
	}
	for _, want := range []string{
		".graph { font: 12px", "font: 10.5px", "font: 600 14px", ".edge { fill: none; stroke: var(--subtle); stroke-opacity: .5; }",
		".edge.best.w1 { stroke-width: 1.75; }", ".back { stroke-dasharray: 5 3; }", ".set rect { stroke-dasharray: 4 2; stroke-opacity: .8; }",
		".fold rect { fill: none; stroke-dasharray: 1 3; stroke-opacity: .9; }", ".best rect { stroke: var(--accent); stroke-width: 1.5; stroke-opacity: 1; }",
	} {
		if !strings.Contains(rules, want) {
			t.Errorf("the style sheet has no %q: draw it so in png.go", want)
		}
	}
}

func TestEveryColourOfThePaletteIsRead(t *testing.T) {
	palette, err := os.ReadFile("palette.css")
	if err != nil {
		t.Fatal(err)
	}
	all := regexp.MustCompile(`#[0-9a-f]{3,8}`).FindAllString(string(palette), -1)
	if len(all) != 12 {
		t.Errorf("%d colours in the palette; the picture knows six for each of two themes", len(all))
	}
}

func TestPNGOfAPictureThatIsTooLarge(t *testing.T) {
	var paths []graph.Path
	for i := range 2000 {
		paths = append(paths, graph.Path{Peer: fmt.Sprint("p", i), AS: seq(route.ASN(i+1), route.ASN(10000+i), route.ASN(20000+i))})
	}
	g := graph.New(graph.Input{Paths: paths}, graph.Options{Paths: 2000, ASes: 4000, Peers: 4000, Rows: 8000})
	var size *graph.SizeError
	if _, err := g.PNG(t.Context(), graph.PNGOptions{Scale: 3}); !errors.As(err, &size) || size.Height != 3*g.Height {
		t.Errorf("error %v of a picture of %d by %d", err, g.Width, g.Height)
	}
}

func TestPNGEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := graph.New(small(), graph.Options{}).PNG(ctx, graph.PNGOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want that the context ended", err)
	}
}

func TestPNGOfHostileNames(t *testing.T) {
	for _, name := range hostileNames() {
		in := small()
		in.Title, in.Notes = name, []string{name}
		in.Name = func(route.ASN) string { return name }
		for i := range in.Paths {
			in.Paths[i].Peer = name
		}
		g := graph.New(in, graph.Options{})
		img := drawn(t, g, graph.PNGOptions{})
		for y := range g.Height { // texts end within the picture
			if got := hex(img.At(g.Width-1, y)); got != "#fdfdfc" {
				t.Errorf("the name %.20q reaches the edge of the picture", name)
				break
			}
		}
	}
}

func BenchmarkPNG(b *testing.B) {
	for _, n := range []int{10, 300} {
		for scale := range 3 - n/300 { // 300 paths are too large a picture for the third
			scale++
			b.Run(fmt.Sprintf("%d/x%d", n, scale), func(b *testing.B) {
				g := graph.New(graph.Input{Paths: manyPaths(n)}, graph.Options{})
				var size int
				for b.Loop() {
					body, err := g.PNG(b.Context(), graph.PNGOptions{Scale: scale})
					if err != nil {
						b.Fatal(err)
					}
					size = len(body)
				}
				b.ReportMetric(float64(size)/1000, "kB")
				b.ReportMetric(float64(g.Width*g.Height*scale*scale)/1e6, "Mpixel")
			})
		}
	}
}
