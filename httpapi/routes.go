package httpapi

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"ribglass/ribstore/query"
)

// routes answers GET /api/v1/routes.
func (s *Server) routes(c *gin.Context) error {
	mediaType := negotiate(accept(c), []string{typeJSON, typeNDJSON, typeCSV})
	if mediaType == "" {
		return problemf(codeNotAcceptable, "The answer is %s, %s or %s.", typeJSON, typeNDJSON, typeCSV)
	}
	list, err := readParams(c.Request.URL.RawQuery,
		[]known{{"q", false}, {"limit", false}, {"cursor", false}, {"peer", true}, {"family", true}})
	if err != nil {
		return err
	}
	req, err := readRequest(list, query.Query{})
	if err != nil {
		return err
	}
	if err := s.peersExist(req.query.Peers()); err != nil {
		return err
	}
	c.Writer.Header().Set("Vary", "Accept")
	if mediaType != typeJSON {
		return s.stream(c, req, mediaType)
	}
	return s.answerRoutes(c, req)
}

// answerRoutes writes one page as JSON.
func (s *Server) answerRoutes(c *gin.Context, req request) error {
	res, err := s.search(c.Request.Context(), req.query, req.page)
	if err != nil {
		return err
	}
	b := s.buffer()
	defer s.release(b)
	*b = appendResult(*b, res)
	s.send(c, http.StatusOK, typeJSON, *b)
	return nil
}

// search asks the store within the time a search may take.
func (s *Server) search(ctx context.Context, q query.Query, p query.Page) (*query.Result, error) {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.QueryTimeout)
	defer cancel()
	res, err := s.deps.Store.Search(ctx, q, p)
	if err != nil {
		return nil, fmt.Errorf("search %q: %w", q.String(), err)
	}
	return res, nil
}

// peersExist refuses the name of a peer that neither the collector nor the
// store knows: an empty answer would hide a slip of the pen.
func (s *Server) peersExist(names []string) error {
	for _, name := range names {
		if _, ok := s.deps.Sessions.Session(name); ok {
			continue
		}
		if _, ok := s.deps.Store.Peer(name); !ok {
			return problemf(codeUnknownPeer, "No peer is named %q.", clip(name))
		}
	}
	return nil
}

// stream writes every route of the answer, page after page, until the client
// has it or is gone. With a limit it writes that page only. The table moves on
// meanwhile: each page is true for the moment it is written.
func (s *Server) stream(c *gin.Context, req request, mediaType string) error {
	select {
	case s.streams <- struct{}{}:
		defer func() { <-s.streams }()
	default:
		c.Writer.Header().Set("Retry-After", "10")
		return problemf(codeBusy, "%d streams are being written, which is all there may be. Try again later.", cap(s.streams))
	}
	if !req.limited {
		req.page.Limit = query.MaxLimit
	}
	w := streamWriter{server: s, control: http.NewResponseController(c.Writer), out: c.Writer, csv: mediaType == typeCSV}
	ctx := c.Request.Context()
	for first := true; ; first = false {
		res, err := s.search(ctx, req.query, req.page)
		switch {
		case err != nil && first:
			return err
		case err != nil:
			// Half an answer must not look like a whole one.
			if ctx.Err() == nil { // else the client went away
				s.log.WarnContext(ctx, "stream broken off", "error", err)
			}
			panic(http.ErrAbortHandler)
		case first:
			s.beginStream(c, req, res, mediaType)
		}
		if c.Request.Method == http.MethodHead {
			return nil // net/http would throw away all of it
		}
		if err := w.write(res); err != nil || req.limited || res.NextCursor == "" {
			return nil // a client that is gone is nobody's error
		}
		req.page.Cursor = res.NextCursor
	}
}

func (s *Server) beginStream(c *gin.Context, req request, res *query.Result, mediaType string) {
	h := c.Writer.Header()
	h["Content-Type"] = s.fixed.contentType(mediaType)
	if mediaType == typeCSV {
		h.Set("Content-Disposition", `attachment; filename="routes.csv"`)
	}
	if req.limited && res.NextCursor != "" {
		next := url.Values{"limit": {strconv.Itoa(req.page.Limit)}, "cursor": {res.NextCursor}}
		if text := req.query.String(); text != "" {
			next.Set("q", text)
		}
		h.Set("Link", "</api/v1/routes?"+next.Encode()+`>; rel="next"`)
	}
	c.Writer.WriteHeader(http.StatusOK)
}

// streamWriter writes pages of a stream. It is used by one request.
type streamWriter struct {
	server  *Server
	control *http.ResponseController
	out     http.ResponseWriter
	csv     bool
	begun   bool
}

func (w *streamWriter) write(res *query.Result) error {
	b := w.server.buffer()
	defer w.server.release(b)
	if w.csv && !w.begun {
		*b = appendCSVHeader(*b)
	}
	w.begun = true
	for i := range res.Routes {
		if w.csv {
			*b = appendCSVRoute(*b, &res.Routes[i])
		} else {
			*b = append(appendRoute(*b, &res.Routes[i]), '\n')
		}
	}
	// Each page has the time that a whole answer has otherwise. A deadline is
	// for the kernel and so by its clock; a writer without deadlines (in tests)
	// is written to without one.
	_ = w.control.SetWriteDeadline(time.Now().Add(writeTimeout))
	if _, err := w.out.Write(*b); err != nil {
		return fmt.Errorf("write stream: %w", err)
	}
	w.server.metrics.streamed.Add(float64(len(res.Routes)))
	if err := w.control.Flush(); err != nil {
		return fmt.Errorf("flush stream: %w", err)
	}
	return nil
}

// rfc3339 formats a time for people and URLs.
func rfc3339(t time.Time) string { return t.UTC().Format(time.RFC3339) }
