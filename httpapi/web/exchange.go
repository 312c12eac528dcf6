package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"ribglass/ribstore/route"
)

// Exchange is one request and the answer to it. It is valid while its handler
// runs, and used by that one goroutine.
type Exchange struct {
	Request *http.Request
	edge    *Edge
	face    *Face
	gin     *gin.Context
	kept    any
}

// exchangeKey is where gin keeps the exchange of a request.
const exchangeKey = "exchange"

func (e *Edge) exchange(c *gin.Context) *Exchange {
	x := &Exchange{Request: c.Request, edge: e, face: e.faceOf(c.Request.URL.Path), gin: c}
	c.Set(exchangeKey, x)
	return x
}

func exchangeOf(c *gin.Context) *Exchange {
	v, _ := c.Get(exchangeKey)
	x, _ := v.(*Exchange) // watch, which runs first, put it there
	return x
}

// Context returns the context of the request, which ends when its client goes
// away.
func (x *Exchange) Context() context.Context { return x.Request.Context() }

// Value returns a parameter of the path.
func (x *Exchange) Value(name string) string { return x.gin.Param(name) }

// Client returns the address of the client: as a trusted proxy tells it, or as
// the connection has it.
func (x *Exchange) Client() string { return x.gin.ClientIP() }

// Now returns the time by the clock of the edge.
func (x *Exchange) Now() time.Time { return x.edge.now() }

// Header returns the header of the answer.
func (x *Exchange) Header() http.Header { return x.gin.Writer.Header() }

// Writer returns where the answer is written to.
func (x *Exchange) Writer() http.ResponseWriter { return x.gin.Writer }

// Closing is closed when the server goes away: streams that have no end of their
// own end then.
func (x *Exchange) Closing() <-chan struct{} { return x.edge.closing }

// Keep keeps a value of the face with the request; Kept returns it, nil when
// nothing was kept.
func (x *Exchange) Keep(v any) { x.kept = v }

// Kept returns what Keep was given.
func (x *Exchange) Kept() any { return x.kept }

// Params reads the parameters of the URL and holds them against those that the
// call understands: nothing is passed over in silence.
func (x *Exchange) Params(understood []Known) (Params, error) {
	return ReadParams(x.Request.URL.RawQuery, understood)
}

// Accept returns the Accept header as one line.
func (x *Exchange) Accept() string {
	lines := x.Request.Header["Accept"]
	if len(lines) == 1 {
		return lines[0]
	}
	return strings.Join(lines, ",")
}

// Negotiate returns the media type that the client prefers among those offered.
// The error names them when the client accepts none.
func (x *Exchange) Negotiate(offers ...string) (string, error) {
	if chosen := Negotiate(x.Accept(), offers); chosen != "" {
		return chosen, nil
	}
	last := len(offers) - 1
	if last == 0 {
		return "", Problemf(CodeNotAcceptable, "The answer is %s.", offers[0])
	}
	return "", Problemf(CodeNotAcceptable, "The answer is %s or %s.", strings.Join(offers[:last], ", "), offers[last])
}

// Send writes a whole answer, packed where the client takes it packed, or that the client
// has it already. A client that is gone is nobody's error. However long the
// answer took to make, the client has the whole time to receive it: a connection is not
// closed without one.
func (x *Exchange) Send(status int, mediaType string, body []byte) {
	x.extend(WriteTimeout)
	h := x.Header()
	if packable(mediaType) {
		varies(h)
	}
	if x.unmodified(status, body) {
		return
	}
	if encoding := x.encoding(mediaType); encoding != "" && len(body) >= minPacked {
		h.Set("Content-Encoding", encoding)
		body = x.edge.packers.pack(encoding, body)
	}
	h["Content-Type"] = x.edge.fixed.contentType(mediaType)
	h["Content-Length"] = []string{strconv.Itoa(len(body))}
	x.gin.Writer.WriteHeader(status)
	_, _ = x.gin.Writer.Write(body)
}

// extend gives the client that long from now to receive what is written next; 0: as long
// as it takes. The deadline is for the kernel and so by its clock; a writer without
// deadlines (in tests) is written to without one.
func (x *Exchange) extend(most time.Duration) {
	deadline := time.Time{}
	if most > 0 {
		deadline = time.Now().Add(most)
	}
	_ = http.NewResponseController(x.gin.Writer).SetWriteDeadline(deadline)
}

// Redirect sends the client to a URL that was made here out of parsed values.
func (x *Exchange) Redirect(to string) {
	x.Header().Set("Location", to)
	x.Send(http.StatusSeeOther, TypeText, []byte("See "+to+"\n"))
}

// SendJSON writes v by way of encoding/json: for answers that are not asked for
// thousands of times a second.
func (x *Exchange) SendJSON(v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode answer: %w", err)
	}
	x.Send(http.StatusOK, TypeJSON, append(body, '\n'))
	return nil
}

// Append writes a whole answer that fill appends to an empty buffer.
func (x *Exchange) Append(status int, mediaType string, fill func(b []byte) []byte) {
	b := x.edge.buffer()
	defer x.edge.release(b)
	*b = fill(*b)
	x.Send(status, mediaType, *b)
}

// maxPooled bounds the buffers kept for the next answer, so that one large
// answer does not hold its memory for ever.
const maxPooled = 1 << 20

// buffer returns an empty buffer of the pool; give it back with release.
func (e *Edge) buffer() *[]byte {
	b, ok := e.buffers.Get().(*[]byte)
	if !ok { // the pool holds nothing else
		b = new([]byte)
	}
	*b = (*b)[:0]
	return b
}

func (e *Edge) release(b *[]byte) {
	if cap(*b) <= maxPooled {
		e.buffers.Put(b)
	}
}

// fail answers with the problem that err is. Errors that are not for the client
// are logged here and nowhere else.
func (x *Exchange) fail(err error) {
	if errors.Is(err, context.Canceled) {
		return // the client is gone
	}
	p := ProblemOf(err)
	if p.Code == CodeInternal {
		x.edge.log.ErrorContext(x.Context(), "request failed", "route", x.gin.FullPath(), "error", err)
	}
	if p.Allow != "" {
		x.Header().Set("Allow", p.Allow)
	}
	if p.Retry != "" {
		x.Header().Set("Retry-After", p.Retry)
	}
	x.face.Fail(x, p)
}

// SendProblem writes a problem as RFC 9457 problem details.
func SendProblem(x *Exchange, p *Problem) {
	status, _ := p.Code.Describe()
	x.Append(status, TypeProblem, func(b []byte) []byte { return p.appendJSON(b, x.Request.URL.EscapedPath()) })
}

// Audience returns who asks.
func (x *Exchange) Audience() route.Audience {
	if x.edge.cfg.Audience == nil {
		return route.Audience{}
	}
	return x.edge.cfg.Audience(x)
}

// Missing returns what a path without a route is told.
func (x *Exchange) Missing() *Problem { return x.face.Missing }
