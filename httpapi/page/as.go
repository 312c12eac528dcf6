package page

import (
	"ribglass/httpapi/answer"
	"ribglass/httpapi/ask"
	"ribglass/httpapi/web"
	"ribglass/ribstore/query"
	"ribglass/ribstore/route"
	"ribglass/ui"
	"ribglass/ui/catalogue"
)

// Sizes of the page of an AS.
const (
	asRoutes = 50
	asValues = 20
)

// asRequest is a question for the page of an AS.
type asRequest struct {
	ask.Request

	asn route.ASN
}

// asView is what the page of an AS shows.
type asView struct {
	asn          route.ASN
	transit      *query.Neighbors
	origin, moas *query.Result
}

// asRow is /as/64500.
func asRow() row[asRequest, *asView] {
	return row[asRequest, *asView]{
		path: "/as/:asn", params: ask.SceneParams(),
		read: func(v *visit) (r asRequest, err error) {
			text, _ := cutSuffix(v.Value("asn"))
			if r.asn, err = route.ParseASN(text); err != nil {
				return r, &web.Problem{Code: web.CodeInvalidQuery, Detail: "A path below /as/ holds an AS number, such as 64500.", Query: text, Column: 1}
			}
			r.Request, err = v.reader.PageRequest(v.list, query.Query{})
			return r, err
		},
		ask:  askAS,
		json: func(v *visit, _ asRequest, a *asView) error { return v.SendJSON(a.answer()) },
		show: func(v *visit, r asRequest, a *asView) ui.Page {
			page := a.page(r.Scene)
			page.Name = v.reader.Names().AS(r.asn)
			nameFacets(v.reader.Names(), page.Facets)
			page.Frame = v.frame(catalogue.Plain(page.Heading()), "/as/"+r.asn.String())
			page.Search = ask.Present(a.origin.Query).String()
			v.showMoment(&page.Frame, r.Scene, ask.MomentOf(a.origin))
			return page
		},
	}
}

func askAS(v *visit, r asRequest) (*asView, error) {
	a := &asView{asn: r.asn}
	own := query.Query{Expr: query.Origin{ASNs: query.ASNs{First: r.asn, Last: r.asn}}, At: r.Query.At}
	var err error
	if a.transit, err = r.ASNeighbors(v.Context(), r.asn, asValues); err != nil {
		return a, err
	}
	if a.origin, err = r.Find(v.Context(), own, query.Page{Limit: asRoutes}); err != nil {
		return a, err
	}
	a.moas, err = r.Find(v.Context(), own.With(query.MOAS), query.Page{Limit: asRoutes})
	return a, err
}

func (v *asView) page(at ask.Scene) *ui.AS {
	via := query.Query{Expr: query.ViaAS(v.asn)}
	p := &ui.AS{
		ASN: v.asn, Prefixes: v.transit.Prefixes, Groups: groups(v.origin.Routes, at, display{}), Total: v.origin.Total,
		Shown: len(v.origin.Routes), Transit: v.transit.Routes, MOASTotal: v.moas.Total,
		Origin: ui.Link{URL: at.Lookup(v.origin.Query)}, Via: ui.Link{URL: at.Lookup(via)},
		MOAS: ui.Link{URL: at.Lookup(v.moas.Query)},
	}
	if v.transit.Routes > 0 {
		p.Picture = at.Graph("/graph", via)
	}
	for _, prefix := range prefixesOf(v.moas.Routes) {
		p.MOASPrefixes = append(p.MOASPrefixes, ui.Link{Text: prefix, URL: at.Link("/" + prefix)})
	}
	for _, side := range []struct {
		name   string
		values []query.Facet
		count  int
	}{{"upstream", v.transit.Upstream, v.transit.UpstreamCount}, {"downstream", v.transit.Downstream, v.transit.DownstreamCount}} {
		facets := ui.Facets{Kind: side.name, More: side.count - len(side.values)}
		for _, f := range side.values {
			facets.Values = append(facets.Values, ui.Facet{Text: f.Value, Count: f.Count, URL: at.Link("/as/" + f.Value)})
		}
		if facets.Values != nil {
			p.Facets = append(p.Facets, facets)
		}
	}
	for _, f := range v.transit.Paths {
		p.Paths = append(p.Paths, ui.Facet{Text: f.Value, Count: f.Count, URL: at.Refined(query.Query{}, f.Expr)})
	}
	return p
}

func (v *asView) answer() answer.AS {
	return answer.AS{
		Moment: answer.Moment{At: v.origin.At, Requested: v.origin.Requested, Notices: v.origin.Notices},
		ASN:    v.asn, Prefixes: v.transit.Prefixes, Originated: v.origin.Total, Routes: v.transit.Routes, MOAS: v.moas.Total,
		First: prefixesOf(v.origin.Routes), MOASFirst: prefixesOf(v.moas.Routes),
		Upstream: facetsAnswer(v.transit.Upstream), Downstream: facetsAnswer(v.transit.Downstream), Paths: facetsAnswer(v.transit.Paths),
		UpstreamCount: v.transit.UpstreamCount, DownstreamCount: v.transit.DownstreamCount, PathCount: v.transit.PathCount,
	}
}

func facetsAnswer(facets []query.Facet) []answer.Facet {
	list := make([]answer.Facet, len(facets))
	for i, f := range facets {
		list[i] = answer.Facet{Value: f.Value, Count: f.Count}
	}
	return list
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
