package httpapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/gin-gonic/gin"

	"ribglass/ui/graph"
)

// What drawing may cost: a large picture takes a processor for a third of a
// second and 60 MB while it is drawn.
const (
	drawingsAtATime = 2
	drawingTime     = 5 * time.Second // with the wait for a place
)

// graphPNG answers for /graph.png: the picture alone, in the colours of a theme.
func (s *Server) graphPNG(c *gin.Context) error {
	req, list, err := s.readGraph(c, known{"theme", false}, known{"scale", false})
	if err != nil {
		return err
	}
	o, err := readPNG(list)
	if err != nil {
		return err
	}
	p, err := s.picture(c.Request.Context(), req)
	if err != nil {
		return err
	}
	body, err := s.draw(c.Request.Context(), p.alone(), o)
	if err != nil {
		return err
	}
	c.Writer.Header().Set("Content-Disposition", `attachment; filename="as-paths.png"`)
	s.send(c, http.StatusOK, typePNG, body)
	return nil
}

// readPNG reads theme and scale. Without them a picture is light, and sharp on
// the screens of today.
func readPNG(list []param) (graph.PNGOptions, error) {
	o := graph.PNGOptions{Scale: 2}
	if theme, ok := get(list, "theme"); ok {
		if theme != "light" && theme != "dark" {
			return o, problemf(codeInvalidParameter, "theme is light or dark.")
		}
		o.Dark = theme == "dark"
	}
	if scale, ok := get(list, "scale"); ok {
		i := slices.Index([]string{"1", "2", "3"}, scale)
		if i < 0 {
			return o, problemf(codeInvalidParameter, "scale is 1, 2 or 3.")
		}
		o.Scale = i + 1
	}
	return o, nil
}

// draw waits for a place and draws.
func (s *Server) draw(ctx context.Context, g *graph.Graph, o graph.PNGOptions) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, drawingTime)
	defer cancel()
	select {
	case s.drawings <- struct{}{}:
		defer func() { <-s.drawings }()
	case <-ctx.Done():
		if errors.Is(ctx.Err(), context.Canceled) {
			return nil, fmt.Errorf("wait to draw: %w", ctx.Err())
		}
		p := problemf(codeBusy, "As many pictures are drawn as may be at a time. The SVG form needs no drawing.")
		p.retry = busyRetry
		return nil, p
	}
	body, err := g.PNG(ctx, o)
	if size, ok := errors.AsType[*graph.SizeError](err); ok {
		return nil, problemf(codeInvalidParameter,
			"The picture would have %d by %d pixels; %d million are allowed: ask for a smaller scale, for fewer routes, or for the SVG form.",
			size.Width, size.Height, graph.MaxPixels/1_000_000)
	}
	if err != nil {
		return nil, fmt.Errorf("answer with a picture: %w", err)
	}
	return body, nil
}
