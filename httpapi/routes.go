package httpapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/gin-gonic/gin"

	"ribglass/ribstore"
	"ribglass/ribstore/query"
)

// routes answers GET /api/v1/routes.
func (s *Server) routes(c *gin.Context) error {
	mediaType := negotiate(accept(c), []string{typeJSON, typeNDJSON, typeCSV})
	if mediaType == "" {
		return problemf(codeNotAcceptable, "The answer is %s, %s or %s.", typeJSON, typeNDJSON, typeCSV)
	}
	list, err := readParams(c.Request.URL.RawQuery, routesParams())
	if err != nil {
		return err
	}
	req, err := s.readSearch(list, query.Query{})
	if err != nil {
		return err
	}
	if err := req.refuseSpan(); err != nil {
		return err
	}
	if err := s.peersExist(req); err != nil {
		return err
	}
	c.Writer.Header().Set("Vary", "Accept")
	switch {
	case mediaType == typeJSON && req.explain:
		return s.answerPlan(c, req)
	case mediaType == typeJSON:
		return s.answerRoutes(c, req)
	case req.explain || req.facets > 0 || req.names:
		return problemf(codeInvalidParameter, "explain, facets and names are for %s; this answer is %s.", typeJSON, mediaType)
	}
	return s.stream(c, req, mediaType)
}

// routesParams are the parameters of a question for routes.
func routesParams() []known {
	return sceneParams(
		known{"q", false},
		known{"limit", false},
		known{"cursor", false},
		known{"peer", true},
		known{"family", true},
		known{"explain", false},
		known{"facets", false},
		known{"fields", false},
		known{"names", false},
		known{"between", false}, // to say where such a question goes
	)
}

// answerRoutes writes one page as JSON.
func (s *Server) answerRoutes(c *gin.Context, req request) error {
	res, err := s.searchFor(c.Request.Context(), req)
	if err != nil {
		return err
	}
	var facets *query.Facets
	if req.facets > 0 {
		if facets, err = s.facets(c.Request.Context(), req.from, req.query, req.facets); err != nil {
			return err
		}
	}
	b := s.buffer()
	defer s.release(b)
	var known Names
	if req.names {
		known = s.deps.named()
	}
	*b = appendResult(*b, res, resultForm{req.fields, facets, known})
	s.send(c, http.StatusOK, typeJSON, *b)
	return nil
}

// answerPlan writes how a query would be answered.
func (s *Server) answerPlan(c *gin.Context, req request) error {
	plan, err := req.from.Explain(c.Request.Context(), req.query)
	if err != nil {
		return s.refused("explain", req.query, err)
	}
	b := s.buffer()
	defer s.release(b)
	*b = append(appendQuery(append(*b, '{'), req.query, plan), '}', '\n')
	s.send(c, http.StatusOK, typeJSON, *b)
	return nil
}

// searchFor is search for a request whose peers may be of the past: a name that
// nobody had then nor has now is a slip of the pen.
func (s *Server) searchFor(ctx context.Context, req request) (*query.Result, error) {
	res, err := s.search(ctx, req.from, req.query, req.page)
	if err != nil || req.scene.live() {
		return res, err
	}
	for _, name := range req.query.Peers() {
		if !slices.ContainsFunc(res.Freshness, func(f query.Freshness) bool { return f.Peer == name }) {
			return nil, problemf(codeUnknownPeer, "No peer was named %q at that moment.", clip(name))
		}
	}
	return res, nil
}

// search asks within the time a search may take.
func (s *Server) search(ctx context.Context, from Searcher, q query.Query, p query.Page) (*query.Result, error) {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.QueryTimeout)
	defer cancel()
	start := s.now()
	res, err := from.Search(ctx, q, p)
	if err != nil {
		return nil, s.refused("search", q, err)
	}
	s.metrics.searched(res.Plan.Method, s.now().Sub(start))
	return res, nil
}

// facets counts an answer within the time a search may take.
func (s *Server) facets(ctx context.Context, from Searcher, q query.Query, most int) (*query.Facets, error) {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.QueryTimeout)
	defer cancel()
	f, err := from.Facets(ctx, q, most)
	if err != nil {
		return nil, s.refused("count", q, err)
	}
	return f, nil
}

// refused says why the store did not answer: beyond the budget, with a question
// that costs less.
func (s *Server) refused(what string, q query.Query, err error) error {
	switch {
	case errors.Is(err, ribstore.ErrBusy):
		s.metrics.refused.WithLabelValues("busy").Inc()
	case errors.Is(err, ribstore.ErrTooLong):
		s.metrics.refused.WithLabelValues("too_long").Inc()
		return problemf(codeSearchTooLong, "Ask for less at once: %s.", cheaper(q))
	case errors.As(err, new(*ribstore.CostError)):
		s.metrics.refused.WithLabelValues("too_costly").Inc()
	}
	return fmt.Errorf("%s %q: %w", what, q.String(), err)
}

// cheaper suggests a question that costs less than q.
func cheaper(q query.Query) string {
	text := clip(q.String())
	if text != "" {
		text = " " + text
	}
	if m, _ := q.Prefix(); m == query.Any {
		return "confine it by a prefix, as in \"192.0.2.0/24 or-longer" + text + "\", or by a peer, as in \"peer NAME" + text + "\""
	}
	if len(q.Peers()) == 0 {
		return "confine it by a longer prefix, or by a peer, as in \"peer NAME" + text + "\""
	}
	return "confine it by a longer prefix"
}

// peersExist refuses the name of a peer that neither the collector nor the
// store knows: an empty answer would hide a slip of the pen. Who was a peer in
// the past is not known before that is read.
func (s *Server) peersExist(req request) error {
	if !req.scene.live() {
		return nil
	}
	for _, name := range req.query.Peers() {
		if _, ok := s.deps.Sessions.Session(name); ok {
			continue
		}
		if _, ok := s.deps.Store.Peer(name); !ok {
			return problemf(codeUnknownPeer, "No peer is named %q.", clip(name))
		}
	}
	return nil
}

// rfc3339 formats a time for people and URLs.
func rfc3339(t time.Time) string { return t.UTC().Format(time.RFC3339) }
