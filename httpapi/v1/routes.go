package v1

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"ribglass/httpapi/ask"
	"ribglass/httpapi/web"
	"ribglass/ribstore/query"
	"ribglass/ribstore/route"
)

// RoutesRequest is a question for routes, and what is wanted beside them.
type RoutesRequest struct {
	ask.Request

	explain bool // how it would be answered, instead of the answer
	facets  int  // values of each kind; 0: no facets are wanted
	fields  fields
	names   bool // what the numbers of the answer mean is wanted too
	best    bool // of a bulk lookup: only best routes
}

// routesParams are the parameters of a question for routes.
func routesParams() []web.Known {
	// Between is understood to say where such a question goes.
	return ask.QuestionParams(web.One("limit", "cursor", "explain", "facets", "fields", "names", "between")...)
}

func readRoutes(q *asked) (RoutesRequest, error) {
	r, err := readForm(q)
	if err != nil {
		return r, err
	}
	if err := r.RefuseSpan(); err != nil {
		return r, err
	}
	return r, r.PeersExist()
}

// readForm reads a question for routes and what is wanted beside them.
func readForm(q *asked) (r RoutesRequest, err error) {
	r.fields = allFields
	if r.Request, err = q.reader.Request(q.list, noQuery); err != nil {
		return r, err
	}
	for _, p := range q.list {
		switch p.Name {
		case "best":
			r.best, err = p.Bool()
		case "names":
			r.names, err = p.Bool()
		case "explain":
			r.explain, err = p.Bool()
		case "facets":
			r.facets, err = parseFacets(p)
		case "fields":
			r.fields, err = parseFields(p.Value)
		}
		if err != nil {
			return r, err
		}
	}
	return r, nil
}

// Facets of each kind in an answer.
const (
	defaultFacets = 10
	maxFacets     = 100
)

// parseFacets reads how many facets of each kind are wanted: true, false or a
// number.
func parseFacets(p web.Param) (int, error) {
	if n, err := strconv.ParseUint(p.Value, 10, 31); err == nil && n >= 1 && n <= maxFacets {
		return int(n), nil
	}
	if wanted, err := p.Bool(); err == nil {
		if wanted {
			return defaultFacets, nil
		}
		return 0, nil
	}
	return 0, web.Problemf(web.CodeInvalidParameter, "facets %q is not true, false or a number from 1 to %d.", web.Clip(p.Value), maxFacets)
}

func (a *API) answerRoutes(q *asked, r RoutesRequest) error {
	switch {
	case q.form == web.TypeJSON && r.explain:
		return answerPlan(q, &r)
	case q.form == web.TypeJSON:
		return sendRoutes(q, &r)
	case r.explain || r.facets > 0 || r.names:
		return web.Problemf(web.CodeInvalidParameter, "explain, facets and names are for %s; this answer is %s.", web.TypeJSON, q.form)
	}
	return a.stream(q, &r)
}

// sendRoutes writes one page as JSON.
func sendRoutes(q *asked, r *RoutesRequest) error {
	res, err := r.Search(q.Context())
	if err != nil {
		return err
	}
	form := resultForm{want: r.fields}
	if r.facets > 0 {
		if form.facets, err = r.Facets(q.Context(), r.Query, r.facets); err != nil {
			return err
		}
	}
	if r.names {
		form.names = q.reader.Names()
	}
	q.Append(http.StatusOK, web.TypeJSON, func(b []byte) []byte { return appendResult(b, res, form) })
	return nil
}

// SendResult writes a page of an answer as JSON.
func SendResult(x *web.Exchange, res *query.Result) {
	x.Append(http.StatusOK, web.TypeJSON, func(b []byte) []byte { return appendResult(b, res, resultForm{want: allFields}) })
}

// answerPlan writes how a query would be answered.
func answerPlan(q *asked, r *RoutesRequest) error {
	plan, err := r.Explain(q.Context())
	if err != nil {
		return err
	}
	q.Append(http.StatusOK, web.TypeJSON, func(b []byte) []byte {
		return append(appendQuery(append(b, '{'), r.Query, plan), '}', '\n')
	})
	return nil
}

// stream writes every route of the answer until the client has it or is gone.
// With a limit it writes that page only. The table of now moves on meanwhile:
// each part is true for the moment it is written.
func (a *API) stream(q *asked, r *RoutesRequest) error {
	if r.Page.Cursor != "" && !r.Limited {
		return errNoLimit()
	}
	leave, err := q.reader.EnterStream(q.Context(), !r.Scene.Live())
	if err != nil {
		return err
	}
	defer leave()
	w := a.newRouteWriter(q, r.fields)
	if r.Limited {
		return streamPage(q, r, w)
	}
	return w.Pour(func(ctx context.Context) error { return r.Stream(ctx, w.write) })
}

func errNoLimit() error {
	return web.Problemf(web.CodeInvalidParameter, "A stream of the whole answer begins at its beginning: give a limit with the cursor.")
}

// streamPage writes one page as a stream, and names the next.
func streamPage(q *asked, r *RoutesRequest, w *routeWriter) error {
	res, err := r.Search(q.Context())
	if err != nil {
		return err
	}
	if res.NextCursor != "" {
		linkNext(q, "/api/v1/routes", &r.Request, res.NextCursor)
	}
	return w.Last(w.write(res.Routes))
}

// linkNext names the next page in a Link header.
func linkNext(q *asked, path string, req *ask.Request, cursor string) {
	values := url.Values{"limit": {strconv.Itoa(req.Page.Limit)}, "cursor": {cursor}}
	if text := req.Query.String(); text != "" {
		values.Set("q", text)
	}
	for _, p := range q.list {
		switch p.Name {
		case "fields", "collection", "order", "kind", "format":
			values.Add(p.Name, p.Value)
		}
	}
	q.Header().Set("Link", "<"+path+"?"+values.Encode()+`>; rel="next"`)
}

// routeWriter writes a stream of routes.
type routeWriter struct {
	*web.Stream

	api     *API
	fields  fields
	columns []column // of CSV
}

func (a *API) newRouteWriter(q *asked, want fields) *routeWriter {
	w := &routeWriter{Stream: q.Stream(q.form), api: a, fields: want}
	if q.form == web.TypeCSV {
		w.columns = csvColumns(want)
		w.Header = web.CSVHeader(w.columns)
		w.File = "routes.csv"
	}
	return w
}

// write writes routes. Its error is web.ErrGone.
func (w *routeWriter) write(routes []route.Route) error {
	err := w.Rows(len(routes), func(b []byte, i int) []byte {
		if w.columns != nil {
			return web.AppendCSVLine(b, &routes[i], w.columns)
		}
		return append(appendFields(b, &routes[i], w.fields), '\n')
	})
	if err == nil {
		w.api.streamed.Add(float64(len(routes)))
	}
	return err
}
