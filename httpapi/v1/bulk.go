package v1

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

	"ribglass/httpapi/ask"
	"ribglass/httpapi/web"
	"ribglass/ribstore/query"
	"ribglass/ribstore/route"
)

// Limits of a bulk lookup.
const (
	maxBulk      = 10_000
	maxBulkBytes = 1 << 20
)

// bulkRequest asks for each address the longest match and for each prefix itself.
type bulkRequest struct {
	RoutesRequest

	questions []string
}

func readBulk(q *asked) (r bulkRequest, err error) {
	if r.RoutesRequest, err = readForm(q); err != nil {
		return r, err
	}
	r.Scene = r.Scene.Fixed(q.Now()) // all answers are about the same moment
	r.questions, err = readQuestions(q.Exchange)
	return r, err
}

// answerBulk answers POST /api/v1/lookup: one line a question, in the order of
// the questions. It changes nothing, so that a browser that is tricked into it
// does no harm.
func (a *API) answerBulk(q *asked, r bulkRequest) error {
	leave, err := q.reader.EnterStream(q.Context(), !r.Scene.Live())
	if err != nil {
		return err
	}
	defer leave()
	if err := r.MomentExists(q.Context()); err != nil {
		return err
	}
	w := bulkWriter{routeWriter: a.newRouteWriter(q, r.fields), asked: q, request: &r}
	w.Begin()
	return w.Pour(func(context.Context) error {
		return w.Appended(len(r.questions), w.line)
	})
}

// readQuestions reads the body: a JSON array of strings, or lines that are JSON
// strings or plain text.
func readQuestions(x *web.Exchange) ([]string, error) {
	mediaType, _, err := mime.ParseMediaType(x.Request.Header.Get("Content-Type"))
	if err != nil || mediaType != web.TypeJSON && mediaType != web.TypeNDJSON && mediaType != web.TypeText {
		return nil, web.Problemf(web.CodeMediaType, "The body is %s, %s or %s, and Content-Type says which.", web.TypeJSON, web.TypeNDJSON, web.TypeText)
	}
	body, err := io.ReadAll(http.MaxBytesReader(x.Writer(), x.Request.Body, maxBulkBytes))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return nil, web.Problemf(web.CodeTooLarge, "A body has at most %d bytes.", maxBulkBytes)
	case err != nil:
		return nil, web.Problemf(web.CodeBadRequest, "The body broke off.")
	}
	questions, err := splitQuestions(mediaType, body)
	switch {
	case err != nil:
		return nil, err
	case len(questions) > maxBulk:
		return nil, web.Problemf(web.CodeTooLarge, "At most %d questions can be asked at once; these are %d.", maxBulk, len(questions))
	}
	return questions, nil
}

func splitQuestions(mediaType string, body []byte) ([]string, error) {
	var questions []string
	if mediaType == web.TypeJSON {
		if err := json.Unmarshal(body, &questions); err != nil {
			return nil, web.Problemf(web.CodeBadRequest, "The body is no JSON array of strings.")
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
		if mediaType == web.TypeNDJSON {
			if err := json.Unmarshal(line, &text); err != nil {
				return nil, web.Problemf(web.CodeBadRequest, "Line %d of the body is no JSON string.", number)
			}
		}
		if questions = append(questions, text); len(questions) > maxBulk {
			return nil, web.Problemf(web.CodeTooLarge, "At most %d questions can be asked at once.", maxBulk)
		}
	}
	return questions, nil
}

// bulkWriter writes the answers to a bulk lookup.
type bulkWriter struct {
	*routeWriter

	asked   *asked
	request *bulkRequest
}

// line appends the answer to one question. What is wrong with the question is
// said in its line.
func (w *bulkWriter) line(b []byte, i int) ([]byte, error) {
	text := w.request.questions[i]
	b = web.AppendString(web.AppendKey(append(b, '{'), "query"), text)
	q, err := bulkQuery(text)
	if err != nil {
		p := web.ProblemOf(err)
		b = web.AppendString(web.AppendKey(append(web.AppendKey(b, "error"), '{'), "code"), string(p.Code))
		b = web.AppendString(web.AppendKey(b, "detail"), p.Detail)
		return append(b, "}}\n"...), nil
	}
	q.At = w.request.Scene.At
	res, err := w.request.Find(w.asked.Context(), q, query.Page{Limit: query.MaxLimit})
	if err != nil {
		return b, err
	}
	if !w.request.Scene.Live() {
		b = appendMoment(b, res.At, res.Requested, res.Notices)
	}
	return append(w.routes(b, res.Routes), '}', '\n'), nil
}

func (w *bulkWriter) routes(b []byte, routes []route.Route) []byte {
	if len(routes) > 0 {
		b = web.AppendPrefix(web.AppendKey(b, "prefix"), routes[0].Prefix)
	}
	b = append(web.AppendKey(b, "routes"), '[')
	for i := range routes {
		if !w.request.best || routes[i].Best {
			b = appendFields(web.AppendComma(b), &routes[i], w.fields)
		}
	}
	return append(b, ']')
}

// bulkQuery reads one question of a bulk lookup.
func bulkQuery(text string) (query.Query, error) {
	text = strings.TrimSpace(text)
	if a, err := netip.ParseAddr(text); err == nil && a.Zone() == "" && !a.Is4In6() {
		host := netip.PrefixFrom(a, a.BitLen())
		return query.Lookup{Match: query.Longest, Prefix: host}.Query(), nil
	}
	q, err := ask.ParseQuery(text)
	if err != nil {
		return q, err
	}
	l, plain := q.Lookup()
	if !plain || len(l.Peers)+len(l.Families) > 0 || l.Match != query.Longest && l.Match != query.Exact {
		return q, web.Problemf(web.CodeInvalidQuery, "A question here is an address or a prefix.")
	}
	return q, nil
}
