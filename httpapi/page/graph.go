package page

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"ribglass/httpapi/ask"
	"ribglass/httpapi/v1"
	"ribglass/httpapi/web"
	"ribglass/ui"
	"ribglass/ui/catalogue"
	"ribglass/ui/graph"
)

// graphRequest is a question for the page of a picture.
type graphRequest struct {
	ask.Request

	ascii bool
}

// graphRow is /graph?q=: the picture, and its paths as a table.
func graphRow() row[graphRequest, *v1.Picture] {
	return row[graphRequest, *v1.Picture]{
		path: "/graph", params: v1.GraphParams(web.One("ascii")...),
		read: func(v *visit) (r graphRequest, err error) {
			if r.Request, err = v1.ReadGraph(v.reader, v.list); err != nil {
				return r, err
			}
			if text, ok := v.list.Get("ascii"); ok {
				r.ascii, err = web.Param{Name: "ascii", Value: text}.Bool()
			}
			return r, err
		},
		ask:  func(v *visit, r graphRequest) (*v1.Picture, error) { return v1.PictureOf(v.Context(), r.Request) },
		json: func(v *visit, _ graphRequest, p *v1.Picture) error { return v.SendJSON(p.Answer(untitled(p))) },
		show: showGraph,
	}
}

// untitled draws a picture for a page, which has the title itself.
func untitled(p *v1.Picture) *graph.Graph {
	return graph.New(graph.Input{Paths: p.Input.Paths, Notes: p.Input.Notes, Name: p.Input.Name}, graph.Options{})
}

func showGraph(v *visit, r graphRequest, p *v1.Picture) ui.Page {
	q := p.First.Query
	about := ask.Present(q).String()
	page := &ui.Graph{
		Frame: v.frameOf(catalogue.Plain(q.String()), "/graph", liveOf(p.First)), About: about, Picture: untitled(p),
		Total: p.First.Total, Read: p.Read, Routes: r.Scene.Lookup(q), ASCII: r.ascii,
		SVGURL: r.Scene.Graph("/graph.svg", q), PNGURL: r.Scene.Graph("/graph.png", q),
		Link: r.Scene.AS, Peer: r.Scene.Peer,
	}
	page.Search = about
	v.showMoment(&page.Frame, r.Scene, ask.MomentOf(p.First))
	return page
}

// picture reads the picture that a request without a page around it asks for.
func (p *Pages) picture(x *web.Exchange, more ...web.Known) (*v1.Picture, *visit, error) {
	v, err := p.visit(x)
	if err != nil {
		return nil, nil, err
	}
	if v.list, err = x.Params(v1.GraphParams(more...)); err != nil {
		return nil, nil, err
	}
	req, err := v1.ReadGraph(v.reader, v.list)
	if err != nil {
		return nil, nil, err
	}
	picture, err := v1.PictureOf(x.Context(), req)
	return picture, v, err
}

// graphSVG answers for /graph.svg: the picture alone, to keep.
func (p *Pages) graphSVG(x *web.Exchange) error {
	picture, _, err := p.picture(x)
	if err != nil {
		return err
	}
	body := picture.Alone().SVG(graph.SVGOptions{Standalone: true})
	h := x.Header()
	h.Set("Content-Security-Policy", svgPolicy())
	h.Set("Content-Disposition", `attachment; filename="as-paths.svg"`)
	x.Send(http.StatusOK, web.TypeSVG, body)
	return nil
}

// svgPolicy lets a picture have the one style that is in it, and nothing else.
func svgPolicy() string {
	sum := sha256.Sum256([]byte(graph.StandaloneStyle()))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
}

// drawingTime is how long drawing a picture may take, with the wait for a place.
const drawingTime = 5 * time.Second

// graphPNG answers for /graph.png: the picture alone, in the colours of a theme.
func (p *Pages) graphPNG(x *web.Exchange) error {
	list, err := x.Params(v1.GraphParams(web.One("theme", "scale")...))
	if err != nil {
		return err
	}
	o, err := readPNG(list)
	if err != nil {
		return err
	}
	picture, v, err := p.picture(x, web.One("theme", "scale")...)
	if err != nil {
		return err
	}
	body, err := v.draw(picture.Alone(), o)
	if err != nil {
		return err
	}
	x.Header().Set("Content-Disposition", `attachment; filename="as-paths.png"`)
	x.Send(http.StatusOK, web.TypePNG, body)
	return nil
}

// readPNG reads theme and scale. Without them a picture is light, and sharp on
// the screens of today.
func readPNG(list web.Params) (graph.PNGOptions, error) {
	o := graph.PNGOptions{Scale: 2}
	if theme, ok := list.Get("theme"); ok {
		if theme != "light" && theme != "dark" {
			return o, web.Problemf(web.CodeInvalidParameter, "theme is light or dark.")
		}
		o.Dark = theme == "dark"
	}
	if scale, ok := list.Get("scale"); ok {
		i := slices.Index([]string{"1", "2", "3"}, scale)
		if i < 0 {
			return o, web.Problemf(web.CodeInvalidParameter, "scale is 1, 2 or 3.")
		}
		o.Scale = i + 1
	}
	return o, nil
}

// draw waits for a place and draws.
func (v *visit) draw(g *graph.Graph, o graph.PNGOptions) ([]byte, error) {
	ctx, cancel := context.WithTimeout(v.Context(), drawingTime)
	defer cancel()
	leave, err := v.reader.EnterDrawing(ctx)
	if err != nil {
		return nil, fmt.Errorf("wait to draw: %w", err)
	}
	defer leave()
	body, err := g.PNG(ctx, o)
	if size, ok := errors.AsType[*graph.SizeError](err); ok {
		return nil, web.Problemf(web.CodeInvalidParameter,
			"The picture would have %d by %d pixels; %d million are allowed: ask for a smaller scale, for fewer routes, or for the SVG form.",
			size.Width, size.Height, graph.MaxPixels/1_000_000)
	}
	if err != nil {
		return nil, fmt.Errorf("answer with a picture: %w", err)
	}
	return body, nil
}
