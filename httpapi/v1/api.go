package v1

import (
	"fmt"
	"net/http"
	"slices"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"ribglass/httpapi/ask"
	"ribglass/httpapi/web"
	"ribglass/ui/site"
)

// API answers the calls. Make it with [New].
type API struct {
	desk     *ask.Desk
	site     func() *site.Site
	streamed prometheus.Counter
}

// New returns the API over a desk. What the operator says of the site is asked of
// current for every answer, since it may change.
func New(desk *ask.Desk, registerer prometheus.Registerer, current func() *site.Site) *API {
	return &API{desk: desk, site: current, streamed: promauto.With(registerer).NewCounter(prometheus.CounterOpts{
		Name: "ribglass_httpapi_streamed_routes_total",
		Help: "Routes sent in NDJSON and CSV streams.",
	})}
}

// asked is one call being answered.
type asked struct {
	*web.Exchange

	reader *ask.Reader
	list   web.Params
	form   string // the media type of the answer
}

// call is the row of one call that is asked as an R.
type call[R any] struct {
	path   string
	params []web.Known
	forms  []string // of the answer; nil: JSON
	read   func(q *asked) (R, error)
	answer func(q *asked, r R) error
}

// nothing is what a call without parameters is asked as.
type nothing struct{}

func noParams(*asked) (nothing, error) { return nothing{}, nil }

// handler makes a handler of the row.
func (c call[R]) handler(a *API) web.Handler {
	forms := c.forms
	if forms == nil {
		forms = []string{web.TypeJSON}
	}
	return func(x *web.Exchange) error {
		form, err := x.Negotiate(forms...)
		if err != nil {
			return err
		}
		q := &asked{Exchange: x, form: form}
		if q.list, err = x.Params(c.params); err != nil {
			return err
		}
		if q.reader, err = a.desk.Reader(x.Audience()); err != nil {
			return fmt.Errorf("find the reader: %w", err)
		}
		r, err := c.read(q)
		if err != nil {
			return err
		}
		if len(forms) > 1 {
			x.Header().Set("Vary", "Accept")
		}
		return c.answer(q, r)
	}
}

func (c call[R]) get(a *API) web.Route { return web.Get(c.path, c.handler(a)) }

// sendJSON makes an answer of a call out of what is its JSON.
func sendJSON[R any](of func(*asked) (any, error)) func(*asked, R) error {
	return func(q *asked, _ R) error {
		value, err := of(q)
		if err != nil {
			return err
		}
		return q.SendJSON(value)
	}
}

// Face returns the calls as a face of the edge.
func (a *API) Face() web.Face {
	tables := []string{web.TypeJSON, web.TypeNDJSON, web.TypeCSV}
	routes := []web.Route{
		call[nothing]{path: "/api/v1/status", read: noParams, answer: sendJSON[nothing](status)}.get(a),
		call[ask.Request]{path: "/api/v1/peers", params: ask.SceneParams(), read: readScene, answer: answerPeers}.get(a),
		call[ask.Request]{path: "/api/v1/peers/:name", params: ask.SceneParams(), read: readScene, answer: answerPeer}.get(a),
		call[RoutesRequest]{path: "/api/v1/routes", params: routesParams(), forms: tables, read: readRoutes, answer: a.answerRoutes}.get(a),
		call[ask.ChangesRequest]{path: "/api/v1/changes", params: ChangesParams(), forms: tables, read: readChanges, answer: answerChanges}.get(a),
		call[ask.Request]{path: "/api/v1/timeline", params: TimelineParams(), read: readTimeline, answer: answerTimeline}.get(a),
		call[ask.Comparison]{path: "/api/v1/diff", params: DiffParams(), forms: tables, read: readDiff, answer: answerDiff}.get(a),
		call[nothing]{path: "/api/v1/history", read: noParams, answer: sendJSON[nothing](history)}.get(a),
		call[nothing]{path: "/api/v1/collections", read: noParams, answer: sendJSON[nothing](collections)}.get(a),
		call[nothing]{path: "/api/v1/complete", params: web.One("q", "at"), read: noParams, answer: sendJSON[nothing](complete)}.get(a),
		call[nothing]{path: "/api/v1/whoami", read: noParams, answer: whoami}.get(a),
		call[nothing]{path: "/api/v1/names", params: web.One("q", "limit"), read: noParams, answer: sendJSON[nothing](matchNames)}.get(a),
		call[nothing]{path: "/api/v1/site", read: noParams, answer: a.answerSite}.get(a),
		call[ask.Request]{path: "/api/v1/events", params: eventsParams(), forms: []string{web.TypeEvents}, read: readEvents, answer: answerEvents}.get(a),
		call[ask.ChangesRequest]{path: "/api/v1/activity", params: activityParams(), read: readChanges, answer: answerActivity}.get(a),
		call[nothing]{path: "/api/v1/busiest", params: web.One("limit"), read: noParams, answer: sendJSON[nothing](busiest)}.get(a),
		call[nothing]{path: "/api/v1/growth", read: noParams, answer: sendJSON[nothing](growth)}.get(a),
		call[nothing]{path: "/api/v1/openapi.json", read: noParams, answer: openAPI}.get(a),
		call[ask.Request]{path: "/api/v1/graph", params: GraphParams(), read: readGraph, answer: answerGraph}.get(a),
		// Export says by a parameter, not by Accept, in which form it answers.
		web.Get("/api/v1/export", a.export),
	}
	bulk := call[bulkRequest]{
		path: "/api/v1/lookup", params: ask.SceneParams(web.One("best", "fields")...), forms: []string{web.TypeNDJSON},
		read: readBulk, answer: a.answerBulk,
	}
	return web.Face{
		Below: "/api/", Routes: slices.Concat(routes, web.Post(bulk.path, bulk.handler(a))), Fail: web.SendProblem,
		Missing: web.Problemf(web.CodeNotFound, "Look up an address or a prefix, or begin at the first page."),
	}
}

func readScene(q *asked) (ask.Request, error) { return q.reader.PageRequest(q.list, noQuery) }

// whoami answers with the address of the client.
func whoami(q *asked, _ nothing) error {
	q.Header().Set("Cache-Control", "no-store")
	return q.SendJSON(whoamiOf(q.Client()))
}

func openAPI(q *asked, _ nothing) error {
	q.Send(http.StatusOK, web.TypeJSON, openAPIDocument)
	return nil
}
