package httpapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/gin-gonic/gin"
	"golang.org/x/net/netutil"
	"golang.org/x/time/rate"

	"ribglass/ui"
	"ribglass/ui/catalogue"
	"ribglass/ui/site"
)

// The limits of a connection. A request is small and its answer is ready in
// milliseconds; only streams take longer, and they extend their own deadline.
const (
	maxHeaderBytes = 16 << 10
	maxURLBytes    = 6 << 10
	headerTimeout  = 5 * time.Second
	readTimeout    = 10 * time.Second
	writeTimeout   = 30 * time.Second
	idleTimeout    = 75 * time.Second
	shutdownGrace  = 2500 * time.Millisecond
)

// Server answers the public listener. Make it with [New]; it must not be
// copied. Its handler may serve many requests at once.
type Server struct {
	cfg     Config
	deps    Deps
	log     *slog.Logger
	now     func() time.Time
	metrics *metrics
	pages   *ui.Renderer
	texts   *catalogue.Set
	buffers sync.Pool     // of *[]byte
	streams chan struct{} // holds one for each stream under way
	packers sync.Pool     // of *gzip.Writer

	pastStreams  chan struct{} // holds one for each of streams that is about the past
	comparisons  chan struct{} // holds one for each comparison under way
	drawings     chan struct{} // holds one for each picture being drawn
	eventStreams chan struct{} // holds one for each stream of events
	violationLog *rate.Limiter // of reports that are logged
	closing      chan struct{} // closed when streams of events shall end
	close        func()        // closes it
	fixed        fixedHeaders
	engine       *gin.Engine
}

// New returns a server that does nothing until Run. It fails when cfg is not
// valid.
func New(cfg Config, deps Deps) (*Server, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("http: %w", err)
	}
	s := &Server{cfg: cfg, deps: deps, log: deps.Logger, now: deps.Now, fixed: newFixedHeaders()}
	s.streams = make(chan struct{}, cfg.MaxStreams)
	s.pastStreams = make(chan struct{}, pastStreams)
	s.comparisons = make(chan struct{}, comparisonsAtATime)
	s.drawings = make(chan struct{}, drawingsAtATime)
	s.eventStreams = make(chan struct{}, maxEventStreams)
	s.violationLog = newViolationLog()
	s.closing = make(chan struct{})
	s.close = sync.OnceFunc(func() { close(s.closing) })
	if s.now == nil {
		s.now = time.Now
	}
	var err error
	if s.texts, err = cfg.LoadTexts(); err != nil {
		return nil, fmt.Errorf("http: %w", err)
	}
	if s.pages, err = ui.New(deps.named(), s.texts); err != nil {
		return nil, fmt.Errorf("http: %w", err)
	}
	if deps.Site != nil {
		if err := s.Dress(deps.Site); err != nil {
			return nil, err
		}
	}
	s.buffers.New = func() any { b := make([]byte, 0, 8<<10); return &b }
	s.metrics = newMetrics(deps.Registerer)
	if s.engine, err = s.newEngine(); err != nil {
		return nil, fmt.Errorf("http: %w", err)
	}
	return s, nil
}

// Dress has pages be of a site from now on; answers under way are not disturbed.
// One goroutine at a time may call it.
func (s *Server) Dress(of *site.Site) error {
	if err := s.pages.Dress(of); err != nil {
		return fmt.Errorf("site: %w", err)
	}
	return nil
}

// newEngine lays out the routes. Gin's own recovery, logging and redirects are
// left out: they write to global outputs or trust the path.
func (s *Server) newEngine() (*gin.Engine, error) {
	gin.SetMode(gin.ReleaseMode)
	e := gin.New()
	e.RedirectTrailingSlash = false
	e.HandleMethodNotAllowed = true
	proxies := make([]string, len(s.cfg.TrustedProxies))
	for i, p := range s.cfg.TrustedProxies {
		proxies[i] = p.String()
	}
	if err := e.SetTrustedProxies(proxies); err != nil {
		return nil, fmt.Errorf("trusted_proxies: %w", err)
	}
	e.Use(s.watch, s.guard)
	s.routeAPI(e)
	s.routePages(e)
	e.NoRoute(s.handle(s.nothingHere))
	e.NoMethod(s.handle(s.otherMethod))
	return e, nil
}

// otherMethod answers for a path that has no such method. What can be read has
// a route for reading: gin brings others here when it takes a part of the path
// for a parameter of another method's route.
func (s *Server) otherMethod(c *gin.Context) error {
	allow := c.Writer.Header().Get("Allow")
	if c.Request.Method == http.MethodGet || c.Request.Method == http.MethodHead {
		c.Writer.Header().Del("Allow")
		return s.nothingHere(c)
	}
	return &problem{code: codeMethod, allow: allow, detail: "Use " + allow + "."}
}

func (s *Server) routeAPI(e *gin.Engine) {
	for path, h := range map[string]handler{
		"/api/v1/status":       s.status,
		"/api/v1/peers":        s.peers,
		"/api/v1/peers/:name":  s.peer,
		"/api/v1/routes":       s.routes,
		"/api/v1/changes":      s.changes,
		"/api/v1/timeline":     s.timeline,
		"/api/v1/diff":         s.diff,
		"/api/v1/history":      s.history,
		"/api/v1/collections":  s.collections,
		"/api/v1/export":       s.export,
		"/api/v1/complete":     s.complete,
		"/api/v1/whoami":       s.whoami,
		"/api/v1/names":        s.names,
		"/api/v1/site":         s.siteAPI,
		"/api/v1/events":       s.events,
		"/api/v1/activity":     s.activity,
		"/api/v1/busiest":      s.busiest,
		"/api/v1/growth":       s.growth,
		"/api/v1/openapi.json": s.openAPI,
		"/api/v1/graph":        s.graphAPI,
	} {
		s.get(e, path, h)
	}
	s.get(e, "/api/v1/lookup", s.onlyPost)
	e.POST("/api/v1/lookup", s.handle(s.bulk))
	s.get(e, violationPath, s.onlyPost)
	e.POST(violationPath, s.handle(s.violation))
}

// get routes GET and HEAD; net/http leaves out the body of an answer to HEAD.
func (s *Server) get(e *gin.Engine, path string, h handler) {
	f := s.handle(h)
	e.GET(path, f)
	e.HEAD(path, f)
}

// Handler returns the handler of the public listener.
func (s *Server) Handler() http.Handler { return s.engine }

// Run listens and answers until ctx ends, then lets requests finish for at most
// three seconds. It returns nil when ctx ended it.
func (s *Server) Run(ctx context.Context) error {
	l, err := listen(ctx, s.cfg.Listen)
	if err != nil {
		return fmt.Errorf("http: %w", err)
	}
	return s.Serve(ctx, l)
}

// Serve is Run on a listener that the caller made; it closes l.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	s.log.InfoContext(ctx, "http listening", "address", l.Addr().String())
	srv := &http.Server{
		Handler:           s.engine,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	srv.RegisterOnShutdown(s.close) // a stream of events has no end of its own
	return serve(ctx, srv, netutil.LimitListener(l, s.cfg.MaxConnections))
}

func listen(ctx context.Context, address string) (net.Listener, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	return l, nil
}

// serve runs srv until ctx ends or the listener fails. Requests see their
// context end only when the grace is over.
func serve(ctx context.Context, srv *http.Server, l net.Listener) error {
	base, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	srv.BaseContext = func(net.Listener) context.Context { return base }
	failed := make(chan error, 1)
	go func() { failed <- srv.Serve(l) }()
	select {
	case err := <-failed:
		return fmt.Errorf("http: serve: %w", err)
	case <-ctx.Done():
	}
	grace, stop := context.WithTimeout(base, shutdownGrace)
	defer stop()
	if err := srv.Shutdown(grace); err != nil {
		cancel()
		_ = srv.Close() // nothing is left to be told about
	}
	if err := <-failed; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("http: serve: %w", err)
	}
	return nil
}
