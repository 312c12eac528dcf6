package v1

import (
	_ "embed"
	"net/http"
	"slices"

	"ribglass/httpapi/answer"
	"ribglass/httpapi/ask"
	"ribglass/httpapi/web"
)

// Face returns the calls as a face of the edge.
func (a *API) Face() web.Face {
	tables := []string{web.TypeJSON, web.TypeNDJSON, web.TypeCSV}
	routes := []web.Route{
		call[nothing]{path: "/api/v1/status", read: noParams, answer: sendJSON[nothing](status)}.get(a),
		call[ask.Request]{path: "/api/v1/peers", params: ask.SceneParams(), read: readScene, answer: answerPeers}.get(a),
		call[ask.Request]{path: "/api/v1/peers/:name", params: ask.SceneParams(), read: readScene, answer: answerPeer}.get(a),
		call[nothing]{path: "/api/v1/peers/:name/malformed", read: noParams, answer: sendJSON[nothing](malformed)}.get(a),
		call[nothing]{path: "/api/v1/refused", read: noParams, answer: sendJSON[nothing](refused)}.get(a),
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
		call[nothing]{path: documentPath, read: noParams, answer: openAPI}.get(a),
		call[ask.Request]{path: "/api/v1/graph", params: GraphParams(), read: readGraph, answer: answerGraph}.get(a),
		// Export says by a parameter, not by Accept, in which form it answers.
		web.Get("/api/v1/export", a.export),
	}
	bulk := call[bulkRequest]{
		path: "/api/v1/lookup", params: ask.SceneParams(web.One("best", "fields")...), forms: []string{web.TypeNDJSON},
		read: readBulk, answer: a.answerBulk,
	}
	for _, path := range []string{"/api", "/api/", "/api/v1", "/api/v1/", "/openapi.json", "/docs"} {
		routes = append(routes, web.Get(path, func(x *web.Exchange) error { x.Redirect(documentPath); return nil }))
	}
	return web.Face{
		Below: "/api/", Routes: slices.Concat(routes, web.Post(bulk.path, bulk.handler(a))), Fail: web.SendProblem,
		Missing: web.Problemf(web.CodeNotFound, "There is no such call. %s lists all that there are.", documentPath),
	}
}

// whoami answers with the address of the client.
func whoami(q *asked, _ nothing) error {
	q.Header().Set("Cache-Control", "no-store")
	return q.SendJSON(answer.Whoami{Address: q.Client()})
}

// documentPath is where the document of the API is.
const documentPath = "/api/v1/openapi.json"

//go:embed openapi.json
var openAPIDocument []byte

func openAPI(q *asked, _ nothing) error {
	q.Send(http.StatusOK, web.TypeJSON, openAPIDocument)
	return nil
}
