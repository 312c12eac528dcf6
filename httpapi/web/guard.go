package web

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

// watch counts requests and catches panics. A panic after the answer began
// cannot be told to the client except by cutting the connection.
func (e *Edge) watch(c *gin.Context) {
	start, x := e.now(), e.exchange(c)
	e.metrics.inFlight.Inc()
	defer func() {
		e.metrics.inFlight.Dec()
		caught := recover()
		if caught != nil && caught != http.ErrAbortHandler { //nolint:errorlint // recover gives the very value
			e.metrics.panics.Inc()
			e.log.ErrorContext(c.Request.Context(), "panic while answering", "route", c.FullPath(), "panic", caught,
				"stack", string(debug.Stack()))
			if !c.Writer.Written() {
				x.fail(errors.New("panic"))
				caught = nil
			}
		}
		e.metrics.observe(c.FullPath(), c.Writer.Status(), e.now().Sub(start))
		if caught != nil {
			panic(http.ErrAbortHandler)
		}
	}()
	c.Next()
	if ctx := c.Request.Context(); e.log.Enabled(ctx, slog.LevelDebug) {
		e.log.DebugContext(ctx, "answered", "method", c.Request.Method, "path", c.Request.URL.Path,
			"status", c.Writer.Status(), "client", c.ClientIP(), "took", e.now().Sub(start))
	}
}

// guard refuses what no handler should see and sets the headers that every
// answer has.
func (e *Edge) guard(c *gin.Context) {
	x := exchangeOf(c)
	e.fixed.set(c.Writer.Header())
	r := c.Request
	var err error
	switch {
	case len(r.RequestURI) > maxURLBytes:
		err = Problemf(CodeURITooLong, "A URL has at most %d bytes.", maxURLBytes)
	case !HostAllowed(r.Host, e.cfg.Hosts):
		err = Problemf(CodeUnknownHost, "Ask for a name that this server is configured for.")
	case x.face.Before != nil:
		err = x.face.Before(x)
	}
	if loading := e.loading(); err == nil && loading != nil && !e.early[c.FullPath()] {
		err = loading.Problem()
	}
	if err != nil {
		x.fail(err)
		c.Abort()
	}
}

// HostAllowed reports whether the Host of a request is one of ours. An empty
// list allows all.
func HostAllowed(host string, hosts []string) bool {
	if len(hosts) == 0 {
		return true
	}
	name := HostName(host)
	return slices.ContainsFunc(hosts, func(h string) bool { return strings.EqualFold(h, name) })
}

// HostName cuts the port and the brackets off a Host header.
func HostName(host string) string {
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
		json:        []string{TypeJSON},
		ndjson:      []string{TypeNDJSON},
		svg:         []string{TypeSVG},
		png:         []string{TypePNG},
		csv:         []string{TypeCSV + "; charset=utf-8; header=present"},
		html:        []string{TypeHTML + "; charset=utf-8"},
		text:        []string{TypeText + "; charset=utf-8"},
		problem:     []string{TypeProblem},
		octets:      []string{TypeMRT},
		events:      []string{TypeEvents},
	}
}

// SetHeaders sets the headers that every answer has.
func SetHeaders(h http.Header) {
	fixed := newFixedHeaders()
	fixed.set(h)
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
	case TypeJSON:
		return f.json
	case TypeNDJSON:
		return f.ndjson
	case TypeCSV:
		return f.csv
	case TypeSVG:
		return f.svg
	case TypePNG:
		return f.png
	case TypeHTML:
		return f.html
	case TypeProblem:
		return f.problem
	case TypeMRT:
		return f.octets
	case TypeEvents:
		return f.events
	}
	return f.text
}
