package httpapi

import (
	"errors"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"
)

// handler is a handler of one route: it answers, or says why it cannot.
type handler func(c *gin.Context) error

// handle makes a gin handler of h.
func (s *Server) handle(h handler) gin.HandlerFunc {
	return func(c *gin.Context) {
		if err := h(c); err != nil {
			s.fail(c, err)
		}
	}
}

// watch counts requests and catches panics. A panic after the answer began
// cannot be told to the client except by cutting the connection.
func (s *Server) watch(c *gin.Context) {
	start := s.now()
	s.metrics.inFlight.Inc()
	defer func() {
		s.metrics.inFlight.Dec()
		caught := recover()
		if caught != nil && caught != http.ErrAbortHandler { //nolint:errorlint // recover gives the very value
			s.metrics.panics.Inc()
			s.log.ErrorContext(c.Request.Context(), "panic while answering", "route", c.FullPath(), "panic", caught,
				"stack", string(debug.Stack()))
			if !c.Writer.Written() {
				s.fail(c, errors.New("panic"))
				caught = nil
			}
		}
		s.metrics.observe(c.FullPath(), c.Writer.Status(), s.now().Sub(start))
		if caught != nil {
			panic(http.ErrAbortHandler)
		}
	}()
	c.Next()
	if ctx := c.Request.Context(); s.log.Enabled(ctx, slog.LevelDebug) {
		s.log.DebugContext(ctx, "answered", "method", c.Request.Method, "path", c.Request.URL.Path,
			"status", c.Writer.Status(), "client", c.ClientIP(), "took", s.now().Sub(start))
	}
}

// guard refuses what no handler should see and sets the headers that every
// answer has.
func (s *Server) guard(c *gin.Context) {
	s.fixed.set(c.Writer.Header())
	r := c.Request
	switch {
	case len(r.RequestURI) > maxURLBytes:
		s.fail(c, problemf(codeURITooLong, "A URL has at most %d bytes.", maxURLBytes))
		c.Abort()
	case !hostAllowed(r.Host, s.cfg.Hosts):
		s.fail(c, problemf(codeUnknownHost, "Ask for a name that this server is configured for."))
		c.Abort()
	case strings.Contains(r.URL.RawQuery, "lang=") && !strings.HasPrefix(r.URL.Path, "/api/"):
		if err := s.readLanguage(c); err != nil {
			s.fail(c, err)
			c.Abort()
		}
	}
}

// hostAllowed reports whether the Host of a request is one of ours. An empty
// list allows all.
func hostAllowed(host string, hosts []string) bool {
	if len(hosts) == 0 {
		return true
	}
	name := hostName(host)
	return slices.ContainsFunc(hosts, func(h string) bool { return strings.EqualFold(h, name) })
}

// hostName cuts the port and the brackets off a Host header.
func hostName(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return strings.TrimSuffix(strings.Trim(host, "[]"), ".")
}

// fixedHeaders are header values made once. Handlers put them into headers
// without copying, so nobody may change them.
type fixedHeaders struct {
	nosniff, referrer, policy, permissions, resource, noStore        []string
	json, ndjson, csv, html, text, problem, octets, svg, png, events []string
}

// contentSecurityPolicy lets a page load its own scripts, style sheet and images
// and ask this server, and nothing else: no script or style that stands in the
// page itself. Browsers report what they kept a page from.
const contentSecurityPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'; report-uri " + violationPath

func newFixedHeaders() fixedHeaders {
	return fixedHeaders{
		nosniff:     []string{"nosniff"},
		referrer:    []string{"no-referrer"},
		policy:      []string{contentSecurityPolicy},
		permissions: []string{"camera=(), geolocation=(), microphone=()"},
		resource:    []string{"same-origin"},
		noStore:     []string{"no-cache"},
		json:        []string{typeJSON},
		ndjson:      []string{typeNDJSON},
		svg:         []string{typeSVG},
		png:         []string{typePNG},
		csv:         []string{typeCSV + "; charset=utf-8; header=present"},
		html:        []string{typeHTML + "; charset=utf-8"},
		text:        []string{typeText + "; charset=utf-8"},
		problem:     []string{typeProblem},
		octets:      []string{typeMRT},
		events:      []string{typeEvents},
	}
}

func (f *fixedHeaders) set(h http.Header) {
	h["X-Content-Type-Options"] = f.nosniff
	h["Referrer-Policy"] = f.referrer
	h["Content-Security-Policy"] = f.policy
	h["Permissions-Policy"] = f.permissions
	h["Cross-Origin-Resource-Policy"] = f.resource
	h["Cross-Origin-Opener-Policy"] = f.resource
	h["Cache-Control"] = f.noStore
}

// contentType returns the header value for a media type.
func (f *fixedHeaders) contentType(mediaType string) []string {
	switch mediaType {
	case typeJSON:
		return f.json
	case typeNDJSON:
		return f.ndjson
	case typeCSV:
		return f.csv
	case typeSVG:
		return f.svg
	case typePNG:
		return f.png
	case typeHTML:
		return f.html
	case typeProblem:
		return f.problem
	case typeMRT:
		return f.octets
	case typeEvents:
		return f.events
	}
	return f.text
}
