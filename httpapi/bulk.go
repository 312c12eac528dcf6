package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/netip"
	"strings"

	"github.com/gin-gonic/gin"

	"ribglass/ribstore/query"
	"ribglass/ribstore/route"
)

// Limits of a bulk lookup.
const (
	maxBulk      = 10_000
	maxBulkBytes = 1 << 20
)

// onlyPost answers for calls that are asked with POST.
func (s *Server) onlyPost(*gin.Context) error {
	return &problem{code: codeMethod, allow: http.MethodPost, detail: "Use POST."}
}

// bulk answers POST /api/v1/lookup: for each address the longest match, for
// each prefix itself, one line a question in the order of the questions. It
// changes nothing, so that a browser that is tricked into it does no harm.
func (s *Server) bulk(c *gin.Context) error {
	if negotiate(accept(c), []string{typeNDJSON}) == "" {
		return problemf(codeNotAcceptable, "The answer is %s.", typeNDJSON)
	}
	list, err := readParams(c.Request.URL.RawQuery, sceneParams(known{"best", false}, known{"fields", false}))
	if err != nil {
		return err
	}
	req, err := s.readSearch(list, query.Query{})
	if err != nil {
		return err
	}
	questions, err := readQuestions(c)
	if err != nil {
		return err
	}
	leave, err := s.enterStreams(!req.scene.live())
	if err != nil {
		return err
	}
	defer leave()
	w := newRouteWriter(s, c, typeNDJSON, req.fields)
	req.scene = req.scene.fixed(s.now()) // all answers are about the same moment
	if err := s.askable(c.Request.Context(), req); err != nil {
		return err
	}
	w.begin()
	b := bulkWriter{routeWriter: w, request: req}
	if err := b.answer(questions); err != nil && !errors.Is(err, errGone) {
		if c.Request.Context().Err() == nil {
			s.log.WarnContext(c.Request.Context(), "bulk lookup broken off", "error", err)
		}
		panic(http.ErrAbortHandler) // half an answer must not look like a whole one
	}
	return nil
}

// readQuestions reads the body: a JSON array of strings, or lines that are JSON
// strings or plain text.
func readQuestions(c *gin.Context) ([]string, error) {
	mediaType, _, err := mime.ParseMediaType(c.GetHeader("Content-Type"))
	if err != nil || mediaType != typeJSON && mediaType != typeNDJSON && mediaType != typeText {
		return nil, problemf(codeMediaType, "The body is %s, %s or %s, and Content-Type says which.", typeJSON, typeNDJSON, typeText)
	}
	body, err := io.ReadAll(http.MaxBytesReader(c.Writer, c.Request.Body, maxBulkBytes))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return nil, problemf(codeTooLarge, "A body has at most %d bytes.", maxBulkBytes)
	case err != nil:
		return nil, problemf(codeBadRequest, "The body broke off.")
	}
	questions, err := splitQuestions(mediaType, body)
	switch {
	case err != nil:
		return nil, err
	case len(questions) > maxBulk:
		return nil, problemf(codeTooLarge, "At most %d questions can be asked at once; these are %d.", maxBulk, len(questions))
	}
	return questions, nil
}

func splitQuestions(mediaType string, body []byte) ([]string, error) {
	var questions []string
	if mediaType == typeJSON {
		if err := json.Unmarshal(body, &questions); err != nil {
			return nil, problemf(codeBadRequest, "The body is no JSON array of strings.")
		}
		return questions, nil
	}
	number := 0
	for line := range bytes.Lines(body) {
		number++
		text := string(bytes.TrimSpace(line))
		if text == "" {
			continue
		}
		if mediaType == typeNDJSON {
			if err := json.Unmarshal(line, &text); err != nil {
				return nil, problemf(codeBadRequest, "Line %d of the body is no JSON string.", number)
			}
		}
		if questions = append(questions, text); len(questions) > maxBulk {
			return nil, problemf(codeTooLarge, "At most %d questions can be asked at once.", maxBulk)
		}
	}
	return questions, nil
}

// bulkWriter writes the answers to a bulk lookup.
type bulkWriter struct {
	*routeWriter
	request request
}

func (w *bulkWriter) answer(questions []string) error {
	buffer := w.server.buffer()
	defer w.server.release(buffer)
	for i, text := range questions {
		var err error
		if *buffer, err = w.line(*buffer, text); err != nil {
			return err
		}
		if len(*buffer) < writeChunk && i < len(questions)-1 {
			continue
		}
		if err := w.send(*buffer); err != nil {
			return err
		}
		*buffer = (*buffer)[:0]
	}
	return nil
}

// line appends the answer to one question. What is wrong with the question is
// said in its line.
func (w *bulkWriter) line(b []byte, text string) ([]byte, error) {
	b = appendString(appendKey(append(b, '{'), "query"), text)
	q, err := bulkQuery(text)
	if err != nil {
		p := problemOf(err)
		b = appendString(appendKey(append(appendKey(b, "error"), '{'), "code"), string(p.code))
		b = appendString(appendKey(b, "detail"), p.detail)
		return append(b, "}}\n"...), nil
	}
	ctx := w.context.Request.Context()
	q.At = w.request.scene.at
	res, err := w.server.search(ctx, w.request.from, q, query.Page{Limit: query.MaxLimit})
	if err != nil {
		return b, err
	}
	if !w.request.scene.live() {
		b = appendMoment(b, res.At, res.Requested, res.Notices)
	}
	return append(w.routes(b, res.Routes), '}', '\n'), nil
}

func (w *bulkWriter) routes(b []byte, routes []route.Route) []byte {
	if len(routes) > 0 {
		b = appendPrefix(appendKey(b, "prefix"), routes[0].Prefix)
	}
	b = append(appendKey(b, "routes"), '[')
	for i := range routes {
		if !w.request.best || routes[i].Best {
			b = appendFields(appendComma(b), &routes[i], w.fields)
		}
	}
	return append(b, ']')
}

// askable asks one question whose answer nobody wants, so that a moment that
// cannot be asked about is refused before the stream begins.
func (s *Server) askable(ctx context.Context, req request) error {
	if req.scene.live() {
		return nil
	}
	q := query.Lookup{Match: query.Longest, Prefix: netip.PrefixFrom(netip.IPv4Unspecified(), 32)}.Query()
	q.At = req.scene.at
	_, err := s.search(ctx, req.from, q, query.Page{Limit: 1})
	return err
}

// bulkQuery reads one question of a bulk lookup.
func bulkQuery(text string) (query.Query, error) {
	text = strings.TrimSpace(text)
	if a, err := netip.ParseAddr(text); err == nil && a.Zone() == "" && !a.Is4In6() {
		host := netip.PrefixFrom(a, a.BitLen())
		return query.Lookup{Match: query.Longest, Prefix: host}.Query(), nil
	}
	q, err := parseQuery(text)
	if err != nil {
		return q, err
	}
	l, plain := q.Lookup()
	if !plain || len(l.Peers)+len(l.Families) > 0 || l.Match != query.Longest && l.Match != query.Exact {
		return q, problemf(codeInvalidQuery, "A question here is an address or a prefix.")
	}
	return q, nil
}
