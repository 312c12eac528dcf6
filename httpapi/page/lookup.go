package page

import (
	"net/url"
	"strings"

	"ribglass/httpapi/ask"
	"ribglass/httpapi/v1"
	"ribglass/httpapi/web"
	"ribglass/ribstore/query"
	"ribglass/ribstore/route"
	"ribglass/ui"
	"ribglass/ui/catalogue"
)

// lookup is a question for a page of routes.
type lookup struct {
	ask.Request

	display display
}

// found is the answer to it.
type found struct {
	*query.Result

	facets []ui.Facets
}

// lookupRow is the page of an address or a prefix. What does not even look like
// one has never been a page here.
func lookupRow() row[lookup, found] {
	return routesRow("/:target", displayParams(), func(v *visit) (lookup, error) {
		if to, ok := v.asOfPath(); ok {
			return lookup{}, &redirect{to}
		}
		if !looksLikeAddress(strings.TrimPrefix(v.path, "/")) {
			return lookup{}, v.Missing()
		}
		base, err := pathQuery(v.path, v.reader.ParseQuery)
		if err != nil {
			return lookup{}, err
		}
		return readLookup(v, base)
	})
}

// isTarget reports whether a path is the page of an address, a prefix or an AS.
func isTarget(path string) bool {
	target := strings.TrimPrefix(path, "/")
	_, err := route.ParseASN(target)
	return err == nil || looksLikeAddress(target)
}

// asOfPath returns the page of an AS when the path is the number of one, /AS64500 or
// /64500, as other sites have it.
func (v *visit) asOfPath() (to string, ok bool) {
	target := strings.TrimPrefix(v.path, "/")
	asn, err := route.ParseASN(target)
	if err != nil || strings.Contains(target, ".") { // half an address
		return "", false
	}
	values := url.Values{}
	for _, p := range v.list {
		values.Add(p.Name, p.Value)
	}
	return ask.WithValues(ask.Scene{}.AS(asn)+v.suffix, values), true
}

// communityRow is /community/64500:100, a community of any kind by its shape,
// wildcards and ranges allowed.
func communityRow() row[lookup, found] {
	return routesRow("/community/:community", displayParams(), func(v *visit) (lookup, error) {
		text, _ := cutSuffix(v.Value("community"))
		q, err := v.reader.ParseQuery(text)
		if err != nil {
			return lookup{}, err
		}
		switch q.Expr.(type) {
		case query.Community, query.LargeCommunity, query.ExtCommunity:
		default:
			return lookup{}, &web.Problem{Code: web.CodeInvalidQuery, Detail: "A path below /community/ holds a community, such as 64500:100.", Query: text, Column: 1}
		}
		return readLookup(v, query.Query{Expr: q.Expr})
	})
}

// searchRow is /search?q=. A query about one prefix has a page of its own, whose
// URL is the one to keep, and one about a span is about changes.
func searchRow() row[lookup, found] {
	return routesRow("/search", displayParams(web.One("q", "stay")...), func(v *visit) (lookup, error) {
		r, err := readLookup(v, query.Query{})
		if err != nil {
			return r, err
		}
		stayed, err := r.Stay(v.list)
		if err != nil {
			return r, err
		}
		var to string
		switch {
		case !r.Query.Between.IsZero():
			to = ask.WithSuffix(r.Scene.Changes(r.Query), v.suffix)
		case r.Query.Expr == nil && r.Query.Scope == query.FirstView:
			to = r.Scene.Link("/")
		case ask.HasOwnPage(r.Query) && !r.Limited && r.Page.Cursor == "":
			to = ask.WithSuffix(ask.More(r.Scene.Lookup(r.Query), r.display.values()), v.suffix)
		case stayed || r.SaysAt:
			to = ask.WithSuffix(r.url(r.Page.Cursor), v.suffix)
		default:
			return r, nil
		}
		return r, &redirect{to}
	})
}

// routesRow is the row of a page of routes.
func routesRow(path string, params []web.Known, read func(v *visit) (lookup, error)) row[lookup, found] {
	return row[lookup, found]{
		path: path, params: params, read: read, ask: askLookup,
		json: func(v *visit, _ lookup, a found) error { v1.SendResult(v.Exchange, a.Result); return nil },
		show: showLookup,
	}
}

func readLookup(v *visit, base query.Query) (r lookup, err error) {
	if r.Request, err = v.reader.PageRequest(v.list, base); err == nil {
		r.display, err = readDisplay(v.list)
	}
	return r, err
}

func askLookup(v *visit, r lookup) (a found, err error) {
	if err = r.PeersExist(); err != nil {
		return a, err
	}
	if a.Result, err = r.Search(v.Context()); err != nil || v.form() == web.TypeJSON {
		return a, err
	}
	a.facets, err = v.facetsOf(&r, a.Result)
	return a, err
}

// url returns the URL of another page of the answer.
func (r *lookup) url(cursor string) string { return r.PageURL(r.display.values(), cursor) }

func showLookup(v *visit, r lookup, a found) ui.Page {
	res := a.Result
	own, _ := cutSuffix(v.Request.URL.EscapedPath())
	canonical := res.Query.String()
	live := liveOf(res)
	if len(res.Freshness) == 0 {
		live = liveNow(v.reader.Peers(), v.Now())
	}
	page := &ui.Lookup{
		Frame: v.frameOf(catalogue.Plain(canonical), own, live), Canonical: canonical, About: about(res.Query),
		Groups: groups(res.Routes, r.Scene, r.display), Total: res.Total, Shown: len(res.Routes), Related: related(res, r.Scene),
		Facets: a.facets,
	}
	r.display.show(page, &r.Request)
	page.Search = ask.Present(res.Query).String()
	page.Notes = readings(res.Query, r.Scene)
	for _, one := range res.Refused {
		page.Refused = append(page.Refused, ui.Refused{
			Refused: one, PeerURL: r.Scene.Peer(one.Peer.Name), AddPath: one.Peer.AddPath[one.Family],
		})
	}
	if m := res.Plan.Method; m == query.Walk || m == query.Scan {
		page.Plan = res.Plan.String()
	}
	if c, ok := communityOf(ask.Present(res.Query).Expr); ok {
		page.Meaning = v.reader.Names().Explain(c, nil)
	}
	v.showMoment(&page.Frame, r.Scene, ask.MomentOf(res))
	page.Past = relatedPast(&r.Request, res)
	if len(res.Routes) > 0 {
		page.Picture = r.Scene.Graph("/graph", res.Query)
	}
	page.Activity = r.ActivityURL(res.Query)
	if r.Scene.Live() && r.Page.Cursor == "" && ask.Watchable(res.Query) {
		page.Events = ask.EventsOf(res.Query)
	}
	if r.Page.Cursor != "" {
		page.First = r.url("")
	}
	if res.NextCursor != "" {
		page.Next = r.url(res.NextCursor)
	}
	return page
}

// pathQuery reads the query that a path such as /192.0.2.0/24/or-longer asks.
func pathQuery(path string, parse parser) (query.Query, error) {
	target := strings.TrimPrefix(path, "/")
	if i := strings.IndexFunc(target, func(r rune) bool { return r == ' ' || web.Forbidden(r) }); i >= 0 {
		return query.Query{}, &web.Problem{
			Code: web.CodeInvalidQuery, Detail: "A path holds an address or a prefix and nothing else.",
			Query: target, Column: i + 1,
		}
	}
	for _, match := range []string{"or-longer", "or-shorter"} {
		if rest, ok := strings.CutSuffix(target, "/"+match); ok {
			return parse.prefix(rest + " " + match)
		}
	}
	return parse.prefix(target)
}

// parser parses the text of a query.
type parser func(text string) (query.Query, error)

// prefix parses the text of a query that must be about one prefix.
func (parse parser) prefix(text string) (query.Query, error) {
	q, err := parse(text)
	if err == nil && !ask.HasOwnPage(q) {
		return q, &web.Problem{
			Code: web.CodeInvalidQuery, Detail: "A path holds an address or a prefix; other queries go to /search?q=.", Query: text, Column: 1,
		}
	}
	return q, err
}

// looksLikeAddress reports whether a path was meant as an address: it begins
// with a digit, or with hexadecimal digits and a colon.
func looksLikeAddress(target string) bool {
	i := strings.IndexFunc(target, func(r rune) bool { return !strings.ContainsRune("0123456789abcdefABCDEF", r) })
	switch {
	case target == "":
		return false
	case target[0] >= '0' && target[0] <= '9':
		return true
	}
	return i >= 0 && target[i] == ':'
}

// groups collects the routes of each prefix, in the order of the display.
func groups(routes []route.Route, v ask.Scene, d display) []ui.Group {
	var list []ui.Group
	for _, r := range routes {
		last := len(list) - 1
		if last < 0 || list[last].Prefix != r.Prefix || list[last].Family != r.Family {
			exact := query.Lookup{Match: query.Exact, Prefix: r.Prefix}
			list = append(list, ui.Group{Prefix: r.Prefix, Family: r.Family, URL: v.Lookup(exact.Query())})
			last++
		}
		list[last].Routes = append(list[last].Routes, ui.Route{Route: r, PeerURL: v.Peer(r.Peer.Name), Query: oneRoute(&r)})
	}
	for i := range list {
		d.order(list[i].Routes)
	}
	return list
}

// oneRoute returns the query that finds a route and no other.
func oneRoute(r *route.Route) string {
	q := query.Lookup{Match: query.Exact, Prefix: r.Prefix, Peers: []string{r.Peer.Name}}.Query()
	if r.Family != route.IPv4Unicast && r.Family != route.IPv6Unicast {
		q = q.With(query.InFamily{Family: r.Family})
	}
	if r.Peer.AddPath[r.Family] {
		q = q.With(query.Compare{Number: query.PathID, Op: query.Equal, Value: uint64(r.PathID)})
	}
	return q.String()
}

// rank orders the routes of a prefix for display.
func rank(r ui.Route) int {
	switch {
	case r.Best:
		return 0
	case r.StaleSince.IsZero():
		return 1
	}
	return 2
}

// about puts a query into words.
func about(all query.Query) catalogue.Text {
	q, plain := ask.Present(all).Lookup()
	if !plain {
		return catalogue.Say("about.query", ask.Present(all))
	}
	text := catalogue.Say("about.any")
	switch q.Match {
	case query.Longest:
		text = catalogue.Say("about.longest", q.Prefix.Addr())
	case query.Exact:
		text = catalogue.Say("about.exact", q.Prefix)
	case query.OrLonger:
		text = catalogue.Say("about.longer", q.Prefix)
	case query.OrShorter:
		text = catalogue.Say("about.shorter", q.Prefix)
	case query.Any:
	}
	if len(q.Peers) > 0 {
		text = catalogue.Say("about.from", text, strings.Join(q.Peers, ", "))
	}
	names := make([]string, len(q.Families))
	for i, f := range q.Families {
		names[i] = f.String()
	}
	if len(names) > 0 {
		text = catalogue.Say("about.in", text, strings.Join(names, ", "))
	}
	return text
}

// related links the other ways to ask about the prefix that was found, or
// asked for when none was.
func related(res *query.Result, v ask.Scene) []ui.Link {
	q, plain := ask.Present(res.Query).Lookup()
	if !plain || q.Match == query.Any {
		return nil
	}
	asked := q.Match
	if q.Match == query.Longest && len(res.Routes) > 0 {
		q.Prefix = res.Routes[0].Prefix
	}
	var list []ui.Link
	for _, other := range []struct {
		match query.Match
		text  string
	}{{query.Exact, "exact"}, {query.OrLonger, "more specifics"}, {query.OrShorter, "covering"}} {
		if other.match != asked {
			q.Match = other.match
			list = append(list, ui.Link{Text: other.text, URL: v.Lookup(q.Query())})
		}
	}
	return list
}

// readings puts the notes of a query into links to its other readings.
func readings(q query.Query, v ask.Scene) []ui.Note {
	var list []ui.Note
	for _, n := range q.Notes {
		note := ui.Note{Understood: n.Understood, Other: n.Other}
		if other, err := query.Parse(n.Other); err == nil && n.Other != "" {
			note.URL = v.Lookup(other)
		}
		list = append(list, note)
	}
	return list
}
