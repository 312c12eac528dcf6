package httpapi

import (
	"context"
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

// pastStreams is how many streams about the past may be written at a time: each
// may hold a whole table of its own for as long as its client takes.
const pastStreams = 2

// enterStreams takes a place for a stream, of the past or of what is live, which
// leave gives back.
func (s *Server) enterStreams(past bool) (leave func(), err error) {
	select {
	case s.streams <- struct{}{}:
	default:
		return nil, tooManyStreams(cap(s.streams))
	}
	if !past {
		return func() { <-s.streams }, nil
	}
	select {
	case s.pastStreams <- struct{}{}:
		return func() { <-s.pastStreams; <-s.streams }, nil
	default:
		<-s.streams
		return nil, tooManyStreams(cap(s.pastStreams))
	}
}

func tooManyStreams(most int) error {
	p := problemf(codeBusy, "%d streams are being written, which is all there may be. Try again later.", most)
	p.retry = "10"
	return p
}

// stream writes every route of the answer until the client has it or is gone.
// With a limit it writes that page only. The table of now moves on meanwhile:
// each part is true for the moment it is written.
func (s *Server) stream(c *gin.Context, req request, mediaType string) error {
	if req.page.Cursor != "" && !req.limited {
		return errNoLimit()
	}
	leave, err := s.enterStreams(!req.scene.live())
	if err != nil {
		return err
	}
	defer leave()
	w := newRouteWriter(s, c, mediaType, req.fields)
	if req.limited {
		return s.streamPage(c, req, w)
	}
	err = w.pour(func(ctx context.Context) error { return req.from.Stream(ctx, req.query, w.write) })
	if err != nil {
		return s.refused("stream", req.query, err)
	}
	return nil
}

func errNoLimit() error {
	return problemf(codeInvalidParameter, "A stream of the whole answer begins at its beginning: give a limit with the cursor.")
}

// streamPage writes one page as a stream, and names the next.
func (s *Server) streamPage(c *gin.Context, req request, w *routeWriter) error {
	res, err := s.searchFor(c.Request.Context(), req)
	if err != nil {
		return err
	}
	if res.NextCursor != "" {
		w.next("/api/v1/routes", req, res.NextCursor)
	}
	return w.last(w.write(res.Routes))
}

// streamWriter writes a stream, a line for each of its rows. It is used by one
// request.
type streamWriter struct {
	server    *Server
	context   *gin.Context
	control   *http.ResponseController
	mediaType string
	file      string // the name under which a browser keeps it
	header    []byte // the first line
	begun     bool
}

func newStreamWriter(s *Server, c *gin.Context, mediaType string) *streamWriter {
	return &streamWriter{server: s, context: c, control: http.NewResponseController(c.Writer), mediaType: mediaType}
}

// begin writes the header once.
func (w *streamWriter) begin() {
	if w.begun {
		return
	}
	w.begun = true
	h := w.context.Writer.Header()
	h["Content-Type"] = w.server.fixed.contentType(w.mediaType)
	if w.file != "" {
		h.Set("Content-Disposition", `attachment; filename="`+w.file+`"`)
	}
	w.context.Writer.WriteHeader(http.StatusOK)
	if w.header != nil {
		_, _ = w.context.Writer.Write(w.header) // a failure shows at the next write
	}
}

// pour has fill write the stream. What goes wrong before the first line is
// returned; afterwards the connection is cut, because half an answer must not
// look like a whole one.
func (w *streamWriter) pour(fill func(context.Context) error) error {
	if w.context.Request.Method == http.MethodHead {
		w.begin() // net/http would throw away all of the rest
		return nil
	}
	ctx := w.context.Request.Context()
	err := fill(ctx)
	switch {
	case errors.Is(err, errGone):
		return nil
	case err != nil && w.begun:
		if ctx.Err() == nil { // else the client went away
			w.server.log.WarnContext(ctx, "stream broken off", "error", err)
		}
		panic(http.ErrAbortHandler)
	case err != nil:
		return err
	}
	w.begin()
	return nil
}

// last ends a stream of one page, which is not broken off by a client that is
// gone.
func (w *streamWriter) last(err error) error {
	if errors.Is(err, errGone) {
		return nil
	}
	w.begin()
	return err
}

// next names the next page in a Link header.
func (w *streamWriter) next(path string, req request, cursor string) {
	values := url.Values{"limit": {strconv.Itoa(req.page.Limit)}, "cursor": {cursor}}
	if text := req.query.String(); text != "" {
		values.Set("q", text)
	}
	for _, name := range []string{"fields", "collection", "order", "kind", "format"} {
		if given, ok := w.context.GetQueryArray(name); ok {
			values[name] = given
		}
	}
	w.context.Writer.Header().Set("Link", "<"+path+"?"+values.Encode()+`>; rel="next"`)
}

// rows writes n rows and has them sent. Its error is errGone.
func (w *streamWriter) rows(n int, row func(b []byte, i int) []byte) error {
	w.begin()
	buffer := w.server.buffer()
	defer w.server.release(buffer)
	for i := range n {
		*buffer = row(*buffer, i)
		if len(*buffer) < writeChunk && i < n-1 {
			continue
		}
		if err := w.send(*buffer); err != nil {
			return err
		}
		*buffer = (*buffer)[:0]
	}
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

// routeWriter writes a stream of routes.
type routeWriter struct {
	*streamWriter
	fields  fields
	columns []column // of CSV
}

func newRouteWriter(s *Server, c *gin.Context, mediaType string, want fields) *routeWriter {
	w := &routeWriter{streamWriter: newStreamWriter(s, c, mediaType), fields: want}
	if mediaType == typeCSV {
		w.columns = csvColumns(want)
		w.header = csvHeader(w.columns)
		w.file = "routes.csv"
	}
	return w
}

// write writes routes. Its error is errGone.
func (w *routeWriter) write(routes []route.Route) error {
	err := w.rows(len(routes), func(b []byte, i int) []byte {
		if w.columns != nil {
			return appendCSVLine(b, &routes[i], w.columns)
		}
		return append(appendFields(b, &routes[i], w.fields), '\n')
	})
	if err == nil {
		w.server.metrics.streamed.Add(float64(len(routes)))
	}
	return err
}
