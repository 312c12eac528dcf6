package httpapi

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"ribglass/ribstore/route"
)

// writeChunk is how many bytes of a stream are collected before they are
// written.
const writeChunk = 64 << 10

// errGone ends a stream whose client does not read on.
var errGone = errors.New("the client is gone")

// stream writes every route of the answer until the client has it or is gone.
// With a limit it writes that page only. The table moves on meanwhile: each
// part is true for the moment it is written.
func (s *Server) stream(c *gin.Context, req request, mediaType string) error {
	if req.page.Cursor != "" && !req.limited {
		return problemf(codeInvalidParameter, "A stream of the whole answer begins at its beginning: give a limit with the cursor.")
	}
	select {
	case s.streams <- struct{}{}:
		defer func() { <-s.streams }()
	default:
		return s.tooManyStreams()
	}
	w := newStreamWriter(s, c, mediaType, req.fields)
	if req.limited {
		return s.streamPage(c, req, w)
	}
	if c.Request.Method == http.MethodHead {
		w.begin() // net/http would throw away all of the rest
		return nil
	}
	ctx := c.Request.Context()
	err := s.deps.Store.Stream(ctx, req.query, w.write)
	switch {
	case errors.Is(err, errGone):
		return nil
	case err != nil && w.begun:
		// Half an answer must not look like a whole one.
		if ctx.Err() == nil { // else the client went away
			s.log.WarnContext(ctx, "stream broken off", "error", err)
		}
		panic(http.ErrAbortHandler)
	case err != nil:
		return s.refused("stream", req.query, err)
	}
	w.begin()
	return nil
}

func (s *Server) tooManyStreams() error {
	p := problemf(codeBusy, "%d streams are being written, which is all there may be. Try again later.", cap(s.streams))
	p.retry = "10"
	return p
}

// streamPage writes one page as a stream, and names the next.
func (s *Server) streamPage(c *gin.Context, req request, w *streamWriter) error {
	res, err := s.search(c.Request.Context(), req.query, req.page)
	if err != nil {
		return err
	}
	if res.NextCursor != "" {
		next := url.Values{"limit": {strconv.Itoa(req.page.Limit)}, "cursor": {res.NextCursor}}
		if text := req.query.String(); text != "" {
			next.Set("q", text)
		}
		if raw, ok := c.GetQuery("fields"); ok {
			next.Set("fields", raw)
		}
		c.Writer.Header().Set("Link", "</api/v1/routes?"+next.Encode()+`>; rel="next"`)
	}
	w.begin()
	if err := w.write(res.Routes); err != nil && !errors.Is(err, errGone) {
		return err
	}
	return nil
}

// streamWriter writes a stream of routes. It is used by one request.
type streamWriter struct {
	server    *Server
	context   *gin.Context
	control   *http.ResponseController
	mediaType string
	fields    fields
	columns   []column // of CSV
	begun     bool
}

func newStreamWriter(s *Server, c *gin.Context, mediaType string, want fields) *streamWriter {
	w := &streamWriter{server: s, context: c, control: http.NewResponseController(c.Writer), fields: want, mediaType: mediaType}
	if mediaType == typeCSV {
		w.columns = csvColumns(want)
	}
	return w
}

// begin writes the header once.
func (w *streamWriter) begin() {
	if w.begun {
		return
	}
	w.begun = true
	h := w.context.Writer.Header()
	h["Content-Type"] = w.server.fixed.contentType(w.mediaType)
	if w.mediaType == typeCSV {
		h.Set("Content-Disposition", `attachment; filename="routes.csv"`)
	}
	w.context.Writer.WriteHeader(http.StatusOK)
	if w.mediaType == typeCSV {
		_, _ = w.context.Writer.Write(appendCSVHeader(nil, w.columns)) // a failure shows at the next write
	}
}

// write writes routes and has them sent. Its error is errGone.
func (w *streamWriter) write(routes []route.Route) error {
	w.begin()
	buffer := w.server.buffer()
	defer w.server.release(buffer)
	for i := range routes {
		if w.columns != nil {
			*buffer = appendCSVRoute(*buffer, &routes[i], w.columns)
		} else {
			*buffer = append(appendFields(*buffer, &routes[i], w.fields), '\n')
		}
		if len(*buffer) < writeChunk && i < len(routes)-1 {
			continue
		}
		if err := w.send(*buffer); err != nil {
			return err
		}
		*buffer = (*buffer)[:0]
	}
	w.server.metrics.streamed.Add(float64(len(routes)))
	if err := w.control.Flush(); err != nil {
		return fmt.Errorf("%w: %w", errGone, err)
	}
	return nil
}

// send writes a part of the stream, which has the time that a whole answer has
// otherwise. A deadline is for the kernel and so by its clock; a writer without
// deadlines (in tests) is written to without one.
func (w *streamWriter) send(b []byte) error {
	_ = w.control.SetWriteDeadline(time.Now().Add(writeTimeout))
	if _, err := w.context.Writer.Write(b); err != nil {
		return fmt.Errorf("%w: %w", errGone, err)
	}
	return nil
}
