package httpapi

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"

	"ribglass/httpapi/ask"
	"ribglass/httpapi/page"
	"ribglass/httpapi/v1"
	"ribglass/httpapi/web"
	"ribglass/ribstore"
	"ribglass/ui"
	"ribglass/ui/site"
)

// Server answers the public listener. Make it with [New]; it must not be
// copied. Its handler may serve many requests at once.
type Server struct {
	edge  *web.Edge
	pages *ui.Renderer
}

// New returns a server that does nothing until Run. It fails when cfg is not
// valid.
func New(cfg Config, deps Deps) (*Server, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("http: %w", err)
	}
	if deps.Now == nil {
		deps.Now = time.Now
	}
	texts, err := cfg.LoadTexts()
	if err != nil {
		return nil, fmt.Errorf("http: %w", err)
	}
	renderer, err := ui.New(deps.named(), texts)
	if err != nil {
		return nil, fmt.Errorf("http: %w", err)
	}
	s := &Server{pages: renderer}
	if deps.Site != nil {
		if err := s.SetSite(deps.Site); err != nil {
			return nil, err
		}
	}
	if deps.Budget == nil {
		limits := ribstore.DefaultConfig().Limits()
		limits[ribstore.Streams].Places = cfg.MaxStreams
		if deps.Budget, err = ribstore.NewBudget(limits, nil); err != nil {
			return nil, fmt.Errorf("http: %w", err)
		}
	}
	desk := ask.New(ask.Config{QueryTimeout: cfg.QueryTimeout}, deps.sources())
	pages := page.New(desk, deps.Logger, renderer, texts)
	api := v1.New(desk, deps.Registerer, pages.Site)
	edge := web.Config{Listen: cfg.Listen, TrustedProxies: cfg.TrustedProxies, Hosts: cfg.Hosts, MaxConnections: cfg.MaxConnections, AnswerTime: cfg.QueryTimeout}
	s.edge, err = web.New(edge, web.Deps{Logger: deps.Logger, Registerer: deps.Registerer, Now: deps.Now, Loading: deps.Loading}, api.Face(), pages.Face())
	if err != nil {
		return nil, fmt.Errorf("http: %w", err)
	}
	return s, nil
}

// SetSite has pages show what an operator says of the site from now on; answers
// under way are not disturbed. One goroutine at a time may call it.
func (s *Server) SetSite(of *site.Site) error {
	if err := s.pages.SetSite(of); err != nil {
		return fmt.Errorf("site: %w", err)
	}
	return nil
}

// Handler returns the handler of the public listener.
func (s *Server) Handler() http.Handler { return s.edge.Handler() }

// Run listens and answers until ctx ends, then lets requests finish for at most
// three seconds. It returns nil when ctx ended it.
func (s *Server) Run(ctx context.Context) error { return s.edge.Run(ctx) }

// Serve is Run on a listener that the caller made; it closes l.
func (s *Server) Serve(ctx context.Context, l net.Listener) error { return s.edge.Serve(ctx, l) }
