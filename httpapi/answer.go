package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"
)

// maxPooled bounds the buffers kept for the next answer, so that one large
// answer does not hold its memory for ever.
const maxPooled = 1 << 20

// buffer returns an empty buffer of the pool; give it back with release.
func (s *Server) buffer() *[]byte {
	b, ok := s.buffers.Get().(*[]byte)
	if !ok { // the pool holds nothing else
		b = new([]byte)
	}
	*b = (*b)[:0]
	return b
}

func (s *Server) release(b *[]byte) {
	if cap(*b) <= maxPooled {
		s.buffers.Put(b)
	}
}

// send writes a whole answer. A client that is gone is nobody's error.
func (s *Server) send(c *gin.Context, status int, mediaType string, body []byte) {
	h := c.Writer.Header()
	h["Content-Type"] = s.fixed.contentType(mediaType)
	h["Content-Length"] = []string{strconv.Itoa(len(body))}
	c.Writer.WriteHeader(status)
	_, _ = c.Writer.Write(body)
}

// sendJSON writes v by way of encoding/json: for answers that are not asked
// for thousands of times a second.
func (s *Server) sendJSON(c *gin.Context, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode answer: %w", err)
	}
	s.send(c, http.StatusOK, typeJSON, append(body, '\n'))
	return nil
}

// acceptsJSON refuses a client that cannot read the only form there is.
func acceptsJSON(c *gin.Context) error {
	if negotiate(accept(c), []string{typeJSON}) == "" {
		return problemf(codeNotAcceptable, "The answer is %s.", typeJSON)
	}
	return nil
}

// accept returns the Accept header as one line.
func accept(c *gin.Context) string {
	lines := c.Request.Header["Accept"]
	if len(lines) == 1 {
		return lines[0]
	}
	return strings.Join(lines, ",")
}

// fail answers with the problem that err is. Errors that are not for the
// client are logged here and nowhere else.
func (s *Server) fail(c *gin.Context, err error) {
	if errors.Is(err, context.Canceled) {
		return // the client is gone
	}
	p := problemOf(err)
	if p.code == codeInternal {
		s.log.ErrorContext(c.Request.Context(), "request failed", "route", c.FullPath(), "error", err)
	}
	if p.allow != "" {
		c.Writer.Header().Set("Allow", p.allow)
	}
	if p.retry != "" {
		c.Writer.Header().Set("Retry-After", p.retry)
	}
	if strings.HasPrefix(c.Request.URL.Path, "/api/") {
		s.failJSON(c, p)
		return
	}
	s.failPage(c, p)
}

func (s *Server) failJSON(c *gin.Context, p *problem) {
	status, _ := p.code.describe()
	b := s.buffer()
	defer s.release(b)
	*b = p.appendJSON(*b, c.Request.URL.EscapedPath())
	s.send(c, status, typeProblem, *b)
}

// nothingHere answers for a URL that no route has.
func (s *Server) nothingHere(*gin.Context) error {
	return problemf(codeNotFound, "Look up an address or a prefix, or begin at the first page.")
}
