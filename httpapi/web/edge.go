package web

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/net/netutil"
	"golang.org/x/time/rate"

	"ribglass/ribstore/route"
)

// Config is what the edge needs to know. The configuration file calls these
// settings http.*.
type Config struct {
	Listen         string
	TrustedProxies []netip.Prefix
	Hosts          []string
	MaxConnections int
	AnswerTime     time.Duration // that an answer may take before it is written
	// Audience says who asks. nil: everybody, who sees everything.
	Audience func(*Exchange) route.Audience
}

// Deps are what an [Edge] works with. All but Loading must be set.
type Deps struct {
	Logger     *slog.Logger
	Registerer prometheus.Registerer
	Now        func() time.Time
	Loading    func() *Loading // what must be read before anything can be answered; nil when all is read, and nil: there is nothing
}

// Face is a group of routes that answer in the same manner. The faces of an edge
// share its guard and its limits.
type Face struct {
	// Below is the path that the face answers below, such as "/api/": what has
	// no route there fails as this face fails. "/" is everything else.
	Below  string
	Routes []Route
	// Before runs before the route is looked at, also where there is none. nil:
	// nothing is done.
	Before func(*Exchange) error
	// Fail answers with a problem.
	Fail func(*Exchange, *Problem)
	// IsPage reports whether a path that is a parameter as a whole is a page. nil: none is.
	IsPage func(path string) bool
	// Missing is what a path without a route is told.
	Missing *Problem
}

// Route is one row of a face: a method, a path with parameters as gin writes
// them (":name"), and a handler. GET stands for HEAD too.
type Route struct {
	Method string
	Path   string
	Handle Handler
	// Early is for what is answered also while the server is loading.
	Early bool
}

// Handler answers one request, or says why it cannot.
type Handler func(x *Exchange) error

// Get returns a route for GET and HEAD.
func Get(path string, h Handler) Route { return Route{Method: http.MethodGet, Path: path, Handle: h} }

// Post returns the routes of a call that is asked with POST only.
func Post(path string, h Handler) []Route {
	only := func(*Exchange) error {
		return &Problem{Code: CodeMethod, Allow: http.MethodPost, Detail: "Use POST."}
	}
	return []Route{Get(path, only), {Method: http.MethodPost, Path: path, Handle: h}}
}

// Edge answers the public listener. Make it with [New]; it must not be copied.
// Its handler may serve many requests at once.
type Edge struct {
	cfg     Config
	log     *slog.Logger
	now     func() time.Time
	metrics *metrics
	faces   []Face
	fixed   fixedHeaders
	engine  *gin.Engine
	posts   map[string]bool // paths that are asked with POST only
	early   map[string]bool // paths that are answered while the server is loading
	loading func() *Loading

	buffers sync.Pool // of *[]byte
	packers *packers

	violationLog *rate.Limiter // of reports that are logged
	closing      chan struct{} // closed when streams of events shall end
	close        func()        // closes it
}

// New returns an edge with its faces that does nothing until Run.
func New(cfg Config, deps Deps, faces ...Face) (*Edge, error) {
	e := &Edge{cfg: cfg, log: deps.Logger, now: deps.Now, faces: faces, fixed: newFixedHeaders()}
	e.posts, e.early = map[string]bool{}, map[string]bool{}
	if e.loading = deps.Loading; e.loading == nil {
		e.loading = func() *Loading { return nil }
	}
	e.violationLog, e.packers = newViolationLog(), newPackers()
	e.closing = make(chan struct{})
	e.close = sync.OnceFunc(func() { close(e.closing) })
	e.buffers.New = func() any { b := make([]byte, 0, 8<<10); return &b }
	e.metrics = newMetrics(deps.Registerer)
	if err := e.layOut(); err != nil {
		return nil, err
	}
	return e, nil
}

// layOut lays out the routes. Gin's own recovery, logging and redirects are left
// out: they write to global outputs or trust the path.
func (e *Edge) layOut() error {
	gin.SetMode(gin.ReleaseMode)
	e.engine = gin.New()
	e.engine.RedirectTrailingSlash = false
	e.engine.HandleMethodNotAllowed = true
	proxies := make([]string, len(e.cfg.TrustedProxies))
	for i, p := range e.cfg.TrustedProxies {
		proxies[i] = p.String()
	}
	if err := e.engine.SetTrustedProxies(proxies); err != nil {
		return fmt.Errorf("trusted_proxies: %w", err)
	}
	e.engine.Use(e.watch, e.guard)
	for _, r := range Post(violationPath, e.violation) {
		e.mount(r)
	}
	for i := range e.faces {
		for _, r := range e.faces[i].Routes {
			e.mount(r)
		}
	}
	e.engine.NoRoute(e.handle(e.missing))
	e.engine.NoMethod(e.handle(e.otherMethod))
	return nil
}

func (e *Edge) mount(r Route) {
	h := e.handle(r.Handle)
	if r.Method == http.MethodPost {
		e.posts[r.Path] = true
	}
	e.early[r.Path] = r.Early
	e.engine.Handle(r.Method, r.Path, h)
	if r.Method == http.MethodGet { // net/http leaves out the body of an answer to HEAD
		e.engine.Handle(http.MethodHead, r.Path, h)
	}
}

// handle makes a gin handler of h.
func (e *Edge) handle(h Handler) gin.HandlerFunc {
	return func(c *gin.Context) {
		x := exchangeOf(c)
		if err := h(x); err != nil {
			x.fail(err)
		}
	}
}

// faceOf returns the face that a path belongs to: the one with the longest path
// that it lies below.
func (e *Edge) faceOf(path string) *Face {
	var found *Face
	for i := range e.faces {
		f := &e.faces[i]
		if strings.HasPrefix(path, f.Below) && (found == nil || len(f.Below) > len(found.Below)) {
			found = f
		}
	}
	return found
}

// missing answers for a URL that no route has. One that ends in a slash is sent to the
// path without it when that is a page.
func (e *Edge) missing(x *Exchange) error {
	path := x.Request.URL.Path
	short := strings.TrimRight(path, "/")
	// Two slashes in front would be another host.
	if short == path || strings.HasPrefix(path, "//") || strings.ContainsFunc(path, astray) || !x.face.leadsTo(x.Request.Method, short) {
		return x.face.Missing
	}
	x.Redirect((&url.URL{Path: short, RawQuery: x.Request.URL.RawQuery}).String())
	return nil
}

// leadsTo reports whether a path is read by a route that begins with a name, or is a page
// by itself.
func (f *Face) leadsTo(method, path string) bool {
	if method != http.MethodGet && method != http.MethodHead {
		return false
	}
	if f.IsPage != nil && f.IsPage(path) {
		return true
	}
	parts := strings.Split(path, "/")
	return slices.ContainsFunc(f.Routes, func(r Route) bool {
		of := strings.Split(r.Path, "/")
		if r.Method != http.MethodGet || len(of) != len(parts) || len(of) < 2 || strings.HasPrefix(of[1], ":") {
			return false
		}
		for i := range of {
			if of[i] != parts[i] && (!strings.HasPrefix(of[i], ":") || parts[i] == "") {
				return false
			}
		}
		return true
	})
}

// astray reports whether a sign has no place in the path of a redirection: browsers
// take a backslash for a slash.
func astray(r rune) bool { return r == '\\' || Forbidden(r) }

// otherMethod answers for a path that has no such method. What can be read has
// a route for reading: gin brings others here when it takes a part of the path
// for a parameter of another method's route.
func (e *Edge) otherMethod(x *Exchange) error {
	x.Header().Del("Allow") // gin's own also lists methods that other paths have
	if x.Request.Method == http.MethodGet || x.Request.Method == http.MethodHead {
		return e.missing(x)
	}
	allow := "GET, HEAD"
	if e.posts[x.Request.URL.Path] {
		allow = http.MethodPost
	}
	return &Problem{Code: CodeMethod, Allow: allow, Detail: "Use " + allow + "."}
}

// Handler returns the handler of the public listener.
func (e *Edge) Handler() http.Handler { return e.engine }

// Run listens and answers until ctx ends, then lets requests finish for at most
// three seconds. It returns nil when ctx ended it.
func (e *Edge) Run(ctx context.Context) error {
	l, err := Listen(ctx, e.cfg.Listen)
	if err != nil {
		return fmt.Errorf("http: %w", err)
	}
	return e.Serve(ctx, l)
}

// server returns the server of the edge. An answer that took as long as it may is still
// written.
func (e *Edge) server() *http.Server {
	srv := NewServer(e.engine, e.log)
	srv.WriteTimeout += e.cfg.AnswerTime
	srv.RegisterOnShutdown(e.close) // a stream of events has no end of its own
	return srv
}

// Serve is Run on a listener that the caller made; it closes l.
func (e *Edge) Serve(ctx context.Context, l net.Listener) error {
	e.log.InfoContext(ctx, "http listening", "address", l.Addr().String())
	return Serve(ctx, e.server(), netutil.LimitListener(l, e.cfg.MaxConnections))
}
