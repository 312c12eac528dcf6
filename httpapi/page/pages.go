package page

import (
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"

	"ribglass/httpapi/web"
	"ribglass/ui"
	"ribglass/ui/catalogue"
)

// Face returns the pages as a face of the edge. A lookup is the path itself, a
// prefix with its slash: /192.0.2.1, /192.0.2.0/24, /192.0.2.0/24/or-longer, each
// with .txt or .json behind it.
func (p *Pages) Face() web.Face {
	lookup := lookupRow()
	target := func(at string) []web.Route { lookup.path = at; return lookup.routes(p) }
	return web.Face{
		Below: "/", Before: p.readLanguage, Fail: p.fail, IsPage: isTarget,
		Missing: web.Problemf(web.CodeNotFound, "Look up an address or a prefix, or begin at the first page."),
		Routes: slices.Concat(
			homeRow().routes(p), searchRow().routes(p), asRow().routes(p), communityRow().routes(p), peersRow().routes(p), peerRow().routes(p), refusedRow().routes(p),
			changesRow().routes(p), timelineRow().routes(p), diffRow().routes(p), historyRow().routes(p), graphRow().routes(p),
			helpRow().routes(p), aboutRow().routes(p), termsRow().routes(p), operatorRow().routes(p),
			target("/:target"), target("/:target/:length"), target("/:target/:length/:longer"),
			[]web.Route{early(web.Get("/favicon.ico", p.favicon)), early(web.Get("/robots.txt", robots)), web.Get("/compare", toDiff)},
			[]web.Route{web.Get("/graph.svg", p.graphSVG), web.Get("/graph.png", p.graphPNG), early(web.Get("/assets/:file", p.asset))},
		),
	}
}

// early has a route be answered while the server is loading: a page needs it, and it knows
// no routes.
func early(r web.Route) web.Route {
	r.Early = true
	return r
}

// drawingPolicy keeps a drawing of the operator from everything, should someone
// open it as a document of its own.
const drawingPolicy = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox"

// iconAge is how long a browser keeps the icon, which an operator may change.
const iconAge = "public, max-age=86400"

// favicon answers browsers that show text, JSON or a picture: pages have the same icon
// inside.
func (p *Pages) favicon(x *web.Exchange) error {
	h := x.Header()
	h.Set("Cache-Control", iconAge)
	h.Set("Content-Security-Policy", drawingPolicy)
	x.Send(http.StatusOK, web.TypeSVG, []byte(p.renderer.Icon()))
	return nil
}

// robotsText has crawlers read what does not change. Every prefix, AS and moment has
// pages of its own, without end.
const robotsText = `User-agent: *
Allow: /$
Allow: /about
Allow: /help
Allow: /terms
Allow: /pages/
Allow: /assets/
Disallow: /
`

func robots(x *web.Exchange) error {
	x.Header().Set("Cache-Control", iconAge)
	x.Send(http.StatusOK, web.TypeText, []byte(robotsText))
	return nil
}

// toDiff leads from the path that people type to the page.
func toDiff(x *web.Exchange) error {
	x.Redirect((&url.URL{Path: "/diff", RawQuery: x.Request.URL.RawQuery}).String())
	return nil
}

// asset answers for style sheets, scripts and the logo. The path names the
// content, so that a browser that has it never asks again.
func (p *Pages) asset(x *web.Exchange) error {
	asset, ok := p.renderer.Asset(x.Request.URL.Path)
	if !ok {
		return web.Problemf(web.CodeNotFound, "No such file.")
	}
	h := x.Header()
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("Content-Type", asset.ContentType)
	if asset.ContentType == web.TypeSVG {
		h.Set("Content-Security-Policy", drawingPolicy)
	}
	h.Set("Vary", "Accept-Encoding")
	if x.NotModified(path.Base(x.Request.URL.Path)) { // the name has the hash of the content
		return nil
	}
	body := asset.Body
	if x.AcceptsGzip() {
		h.Set("Content-Encoding", "gzip")
		body = asset.Gzip
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	x.Writer().WriteHeader(http.StatusOK)
	_, _ = x.Writer().Write(body) // a client that is gone is nobody's error
	return nil
}

// fail answers with a problem as a page.
func (p *Pages) fail(x *web.Exchange, problem *web.Problem) {
	x.Header().Set("Vary", varyPage)
	if problem.Code == web.CodeResuming {
		x.Header().Set("Refresh", problem.Retry) // a browser asks by itself
	}
	v, err := p.visit(x)
	form := v.form()
	if form == web.TypeJSON {
		web.SendProblem(x, problem)
		return
	}
	if form == "" {
		form = web.TypeText
	}
	status, title := problem.Code.Describe()
	if err == nil {
		err = v.render(status, form, v.problem(status, problem))
	}
	if err != nil {
		p.log.ErrorContext(x.Context(), "cannot render a problem", "error", err)
		x.Send(status, web.TypeText, []byte(title+"\n"))
	}
}

func (v *visit) problem(status int, of *web.Problem) *ui.Problem {
	page := &ui.Problem{Frame: v.frame(catalogue.Say("problem."+string(of.Code)), ""), Status: status, Detail: of.Detail}
	page.Text, page.JSON, page.Moment.Action = "", "", ""
	if of.Column > 0 {
		page.Search = web.Printable(of.Query)
		page.Query, page.Before = web.Window(of.Query, of.Column)
	}
	return page
}
