package httpapi

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"ribglass/ribstore/query"
	"ribglass/ribstore/route"
	"ribglass/ui"
	"ribglass/ui/catalogue"
)

// pageFacets is how many values of each kind a page lists.
const pageFacets = 8

// readings puts the notes of a query into links to its other readings.
func readings(q query.Query, v scene) []ui.Note {
	var list []ui.Note
	for _, n := range q.Notes {
		note := ui.Note{Understood: n.Understood, Other: n.Other}
		if other, err := query.Parse(n.Other); err == nil && n.Other != "" {
			note.URL = v.lookup(other)
		}
		list = append(list, note)
	}
	return list
}

// pageFacetsOf counts the answer to a search for its page. A page does without
// when the budget does not allow it.
func (s *Server) pageFacetsOf(ctx context.Context, req request, res *query.Result) ([]ui.Facets, error) {
	if m := res.Plan.Method; req.page.Cursor != "" || res.Total == 0 || m != query.Walk && m != query.Scan {
		return nil, nil
	}
	f, err := s.facets(ctx, req.from, res.Query, pageFacets)
	if err != nil {
		if declined(err) {
			return nil, nil
		}
		return nil, err
	}
	list := facetLinks(res.Query, f, req.scene)
	for i := range list {
		for j := range list[i].Values {
			one := &list[i].Values[j]
			one.URL = req.display.with(one.URL)
		}
	}
	return list, nil
}

// facetLinks makes of each value a link to the query confined to it.
func facetLinks(q query.Query, f *query.Facets, v scene) []ui.Facets {
	var list []ui.Facets
	for _, kind := range []struct {
		name, word string
		values     []query.Facet
	}{
		{"origin", "origin ", f.Origins},
		{"neighbor-as", "neighbor-as ", f.NeighborASs},
		{"peer", "peer ", f.Peers},
		{"community", "", f.Communities},
		{"length", "length = ", f.Lengths},
		{"nexthop", "nexthop ", f.NextHops},
	} {
		if len(kind.values) == 0 {
			continue
		}
		facets := ui.Facets{Kind: kind.name}
		for _, one := range kind.values {
			url := v.refined(q, kind.word+strings.TrimPrefix(one.Value, "/"))
			facets.Values = append(facets.Values, ui.Facet{Text: one.Value, Count: one.Count, URL: url})
		}
		list = append(list, facets)
	}
	return list
}

// refined returns the URL of the query with one more condition, "" when the
// condition cannot be written or is there already.
func (v scene) refined(q query.Query, condition string) string {
	one, err := query.Parse(condition)
	if err != nil || one.Expr == nil {
		return ""
	}
	with := q.With(one.Expr)
	if with.String() == q.String() {
		return ""
	}
	return v.lookup(with)
}

// communityPage answers for /community/64500:100, a community of any kind by
// its shape, wildcards and ranges allowed.
func (s *Server) communityPage(c *gin.Context) error {
	text, suffix := cutSuffix(c.Param("community"))
	q, err := parseQuery(text)
	if err != nil {
		return err
	}
	switch q.Expr.(type) {
	case query.Community, query.LargeCommunity, query.ExtCommunity:
	default:
		return &problem{code: codeInvalidQuery, detail: "A path below /community/ holds a community, such as 64500:100.", query: text, column: 1}
	}
	list, err := readParams(c.Request.URL.RawQuery, displayParams())
	if err != nil {
		return err
	}
	req, err := s.readPage(list, query.Query{Expr: q.Expr})
	if err != nil {
		return err
	}
	return s.answerLookup(c, req, suffix)
}

// Sizes of the page of an AS.
const (
	asRoutes = 50
	asValues = 20
)

// asAnswer is the JSON form of the page of an AS.
type asAnswer struct {
	At         time.Time     `json:"at"`
	Requested  time.Time     `json:"requested_at,omitzero"`
	Notices    []string      `json:"notices,omitempty"`
	ASN        route.ASN     `json:"asn"`
	Prefixes   int           `json:"prefixes"`
	Originated int           `json:"originated_routes"`
	Routes     int           `json:"routes"`
	MOAS       int           `json:"moas_routes"`
	First      []string      `json:"first_prefixes"`
	MOASFirst  []string      `json:"moas_prefixes"`
	Upstream   []facetAnswer `json:"upstream"`
	Downstream []facetAnswer `json:"downstream"`
	Paths      []facetAnswer `json:"paths"`
}

type facetAnswer struct {
	Value string `json:"value"`
	Count int    `json:"count"`
}

// asPage answers for /as/64500.
func (s *Server) asPage(c *gin.Context) error {
	text, suffix := cutSuffix(c.Param("asn"))
	asn, err := route.ParseASN(text)
	if err != nil {
		return &problem{code: codeInvalidQuery, detail: "A path below /as/ holds an AS number, such as 64500.", query: text, column: 1}
	}
	form, err := s.form(c, suffix)
	if err != nil {
		return err
	}
	list, err := readParams(c.Request.URL.RawQuery, sceneParams())
	if err != nil {
		return err
	}
	req, err := s.readPage(list, query.Query{})
	if err != nil {
		return err
	}
	view, err := s.lookAround(c.Request.Context(), req, asn)
	if err != nil {
		return err
	}
	if form == typeJSON {
		return s.sendJSON(c, view.answer())
	}
	page := view.page(req.scene)
	page.Name = s.deps.named().AS(asn)
	s.nameFacets(page.Facets)
	page.Frame = s.frame(c, catalogue.Plain(page.Heading()), "/as/"+asn.String())
	page.Search = present(view.origin.Query).String()
	page.Live = s.liveNow(s.neighbours())
	s.turnBack(c, &page.Frame, req.scene, momentOf(view.origin))
	return s.render(c, http.StatusOK, form, page)
}

// asView is what the page of an AS shows.
type asView struct {
	asn          route.ASN
	transit      *query.Transit
	origin, moas *query.Result
}

func (s *Server) lookAround(ctx context.Context, req request, asn route.ASN) (v asView, err error) {
	v.asn = asn
	own := query.Query{Expr: query.Origin{ASNs: query.ASNs{First: asn, Last: asn}}, At: req.query.At}
	bounded, cancel := context.WithTimeout(ctx, s.cfg.QueryTimeout)
	defer cancel()
	if v.transit, err = req.from.Around(bounded, asn, own.At, asValues); err != nil {
		return v, s.refused("look around", own, err)
	}
	if v.origin, err = s.search(ctx, req.from, own, query.Page{Limit: asRoutes}); err != nil {
		return v, err
	}
	v.moas, err = s.search(ctx, req.from, own.With(query.MOAS), query.Page{Limit: asRoutes})
	return v, err
}

func (v asView) page(at scene) *ui.AS {
	via := query.Query{Expr: query.Via{v.asn}}
	p := &ui.AS{
		ASN: v.asn, Prefixes: v.transit.Prefixes, Groups: groups(v.origin.Routes, at, display{}), Total: v.origin.Total,
		Shown: len(v.origin.Routes), Transit: v.transit.Routes, MOASTotal: v.moas.Total,
		Origin: ui.Link{URL: at.lookup(v.origin.Query)}, Via: ui.Link{URL: at.lookup(via)},
		MOAS: ui.Link{URL: at.lookup(v.moas.Query)},
	}
	if v.transit.Routes > 0 {
		p.Picture = at.graph("/graph", via)
	}
	for _, prefix := range prefixesOf(v.moas.Routes) {
		p.MOASPrefixes = append(p.MOASPrefixes, ui.Link{Text: prefix, URL: at.link("/" + prefix)})
	}
	for _, side := range []struct {
		name   string
		values []query.Facet
	}{{"upstream", v.transit.Upstream}, {"downstream", v.transit.Downstream}} {
		facets := ui.Facets{Kind: side.name}
		for _, f := range side.values {
			facets.Values = append(facets.Values, ui.Facet{Text: f.Value, Count: f.Count, URL: at.link("/as/" + f.Value)})
		}
		if facets.Values != nil {
			p.Facets = append(p.Facets, facets)
		}
	}
	for _, f := range v.transit.Paths {
		expression := "path ^" + strings.ReplaceAll(f.Value, " ", "_") + "$"
		p.Paths = append(p.Paths, ui.Facet{Text: f.Value, Count: f.Count, URL: at.refined(query.Query{}, expression)})
	}
	return p
}

func (v asView) answer() asAnswer {
	return asAnswer{
		At: v.origin.At, Requested: v.origin.Requested, Notices: v.origin.Notices,
		ASN: v.asn, Prefixes: v.transit.Prefixes, Originated: v.origin.Total, Routes: v.transit.Routes, MOAS: v.moas.Total,
		First: prefixesOf(v.origin.Routes), MOASFirst: prefixesOf(v.moas.Routes),
		Upstream: facetAnswers(v.transit.Upstream), Downstream: facetAnswers(v.transit.Downstream), Paths: facetAnswers(v.transit.Paths),
	}
}

func facetAnswers(list []query.Facet) []facetAnswer {
	answers := make([]facetAnswer, len(list))
	for i, f := range list {
		answers[i] = facetAnswer(f)
	}
	return answers
}

// prefixesOf returns the prefixes of routes that stand in their order.
func prefixesOf(routes []route.Route) []string {
	list := []string{}
	for i := range routes {
		if i == 0 || routes[i].Prefix != routes[i-1].Prefix {
			list = append(list, routes[i].Prefix.String())
		}
	}
	return list
}
