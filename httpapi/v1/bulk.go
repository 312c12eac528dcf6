package v1

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
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

// typeForm is the type that curl gives to --data-binary @list when it is told none.
const typeForm = "application/x-www-form-urlencoded"

// readQuestions reads the body: a JSON array of strings, or lines that are JSON
// strings or plain text.
func readQuestions(x *web.Exchange) ([]string, error) {
	mediaType, _, err := mime.ParseMediaType(cmp.Or(x.Request.Header.Get("Content-Type"), typeForm))
	if mediaType == typeForm {
		mediaType = web.TypeText
	}
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
	for line := range bytes.Lines(bytes.TrimPrefix(body, []byte("\uFEFF"))) {
		number++
		text := string(bytes.TrimSpace(line))
		if mediaType == web.TypeText {
			text = questionOf(text)
		}
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

// questionOf returns the question of a line of text, "" when it has none: lists have
// comments, and those for bulk services begin and end with a word.
func questionOf(line string) string {
	line, _, _ = strings.Cut(line, "#")
	line = strings.TrimSpace(line)
	for _, word := range []string{"begin", "end", "verbose", "noverbose"} {
		if strings.EqualFold(line, word) {
			return ""
		}
	}
	return line
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
	q, err := bulkQuery(w.asked.reader, text)
	if err != nil {
		p := web.ProblemOf(err)
		b = web.AppendString(web.AppendKey(append(web.AppendKey(b, "error"), '{'), "code"), string(p.Code))
		b = web.AppendString(web.AppendKey(b, "detail"), p.Detail)
		return append(b, "}}\n"...), nil
	}
	q.At = w.request.Scene.At
	w.request.Reader().Anew() // each line is cheap, and there may be many
	res, err := w.request.Find(w.asked.Context(), q, query.Page{Limit: query.MaxLimit})
	if err != nil {
		return b, err
	}
	if !w.request.Scene.Live() {
		b = appendMoment(b, res.At, res.Requested, res.Notices)
	}
	b = w.routes(b, res.Routes)
	for res.NextCursor != "" { // the prefix has more routes than a page holds
		if res, err = w.request.Find(w.asked.Context(), q, query.Page{Limit: query.MaxLimit, Cursor: res.NextCursor}); err != nil {
			return b, err
		}
		b = w.list(b, res.Routes)
	}
	return append(b, "]}\n"...), nil
}

func (w *bulkWriter) routes(b []byte, routes []route.Route) []byte {
	if len(routes) > 0 {
		b = web.AppendPrefix(web.AppendKey(b, "prefix"), routes[0].Prefix)
	}
	return w.list(append(web.AppendKey(b, "routes"), '['), routes)
}

func (w *bulkWriter) list(b []byte, routes []route.Route) []byte {
	for i := range routes {
		if !w.request.best || routes[i].Best {
			b = appendFields(web.AppendComma(b), &routes[i], w.fields)
		}
	}
	return b
}

// maxQuestion bounds a question of a bulk lookup that is not plainly an address or a
// prefix, in bytes: reading thousands of queries of any kind would take long.
const maxQuestion = 64

// bulkQuery reads one question of a bulk lookup.
func bulkQuery(reader *ask.Reader, text string) (query.Query, error) {
	l, ok := query.ParseTarget(text)
	if !ok && len(text) <= maxQuestion && !strings.ContainsAny(text, `_^$*?|\`) { // a netmask behind an address, or a mistake to explain
		q, err := reader.ParseQuery(text)
		if err != nil {
			return q, err
		}
		l, ok = q.Lookup()
	}
	if !ok || len(l.Peers)+len(l.Families) > 0 || l.Match != query.Longest && l.Match != query.Exact {
		return query.Query{}, web.Problemf(web.CodeInvalidQuery, "A question here is an address or a prefix.")
	}
	return l.Query(), nil
}
