package httpapi

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"ribglass/ribstore/query"
	"ribglass/ribstore/route"
	"ribglass/ui"
	"ribglass/ui/catalogue"
)

// lookupPage answers for a path that is an address or a prefix. What does not
// even look like one has never been a page here.
func (s *Server) lookupPage(c *gin.Context) error {
	path, suffix := cutSuffix(c.Request.URL.Path)
	base, err := pathQuery(path)
	if err != nil {
		return err
	}
	list, err := readParams(c.Request.URL.RawQuery, displayParams())
	if err != nil {
		return err
	}
	req, err := s.readPage(list, base)
	if err != nil {
		return err
	}
	return s.answerLookup(c, req, suffix)
}

// pathQuery reads the query that a path such as /192.0.2.0/24/or-longer asks.
func pathQuery(path string) (query.Query, error) {
	target := strings.TrimPrefix(path, "/")
	if !looksLikeAddress(target) {
		return query.Query{}, problemf(codeNotFound, "Look up an address or a prefix, or begin at the first page.")
	}
	if i := strings.IndexFunc(target, func(r rune) bool { return r == ' ' || forbidden(r) }); i >= 0 {
		return query.Query{}, &problem{
			code: codeInvalidQuery, detail: "A path holds an address or a prefix and nothing else.",
			query: target, column: i + 1,
		}
	}
	for _, match := range []string{"or-longer", "or-shorter"} {
		if rest, ok := strings.CutSuffix(target, "/"+match); ok {
			return prefixQuery(rest + " " + match)
		}
	}
	return prefixQuery(target)
}

// prefixQuery parses the text of a query that must be about one prefix.
func prefixQuery(text string) (query.Query, error) {
	q, err := parseQuery(text)
	if err == nil && !hasOwnPage(q) {
		return q, &problem{
			code: codeInvalidQuery, detail: "A path holds an address or a prefix; other queries go to /search?q=.", query: text, column: 1,
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

// searchPage answers for /search?q=. A query about one prefix has a page of its
// own, whose URL is the one to keep, and one about a span is about changes.
func (s *Server) searchPage(c *gin.Context) error {
	_, suffix := cutSuffix(c.Request.URL.Path)
	list, err := readParams(c.Request.URL.RawQuery, displayParams(known{"q", false}, known{"stay", false}))
	if err != nil {
		return err
	}
	req, err := s.readPage(list, query.Query{})
	if err != nil {
		return err
	}
	stayed, err := req.stay(list, s.now())
	if err != nil {
		return err
	}
	switch {
	case !req.query.Between.IsZero():
		s.redirect(c, withSuffix(req.scene.changes(req.query), suffix))
		return nil
	case req.query.Expr == nil:
		s.redirect(c, req.scene.link("/"))
		return nil
	case hasOwnPage(req.query) && !req.limited && req.page.Cursor == "":
		s.redirect(c, withSuffix(req.display.with(req.scene.lookup(req.query)), suffix))
		return nil
	case stayed || saysAt(list):
		s.redirect(c, withSuffix(pageURL(req, req.page.Cursor), suffix))
		return nil
	}
	return s.answerLookup(c, req, suffix)
}

// saysAt reports whether the moment is a word of the query. The page has it as a
// parameter, which its form for another moment replaces.
func saysAt(list []param) bool {
	text, _ := get(list, "q")
	q, err := query.Parse(text)
	return err == nil && !q.At.IsZero()
}

// redirect sends the client to a URL that was made here out of parsed values.
func (s *Server) redirect(c *gin.Context, to string) {
	to = keepLanguage(c, to)
	c.Writer.Header().Set("Location", to)
	s.send(c, http.StatusSeeOther, typeText, []byte("See "+to+"\n"))
}

// answerLookup writes a page of routes.
func (s *Server) answerLookup(c *gin.Context, req request, suffix string) error {
	form, err := s.form(c, suffix)
	if err != nil {
		return err
	}
	if err = s.peersExist(req); err != nil {
		return err
	}
	if form == typeJSON {
		return s.answerRoutes(c, req)
	}
	res, err := s.searchFor(c.Request.Context(), req)
	if err != nil {
		return err
	}
	page := s.lookup(c, req, res)
	if page.Facets, err = s.pageFacetsOf(c.Request.Context(), req, res); err != nil {
		return err
	}
	s.nameFacets(page.Facets)
	return s.render(c, http.StatusOK, form, page)
}

func (s *Server) lookup(c *gin.Context, req request, res *query.Result) *ui.Lookup {
	own, _ := cutSuffix(c.Request.URL.EscapedPath())
	canonical := res.Query.String()
	page := &ui.Lookup{
		Frame: s.frame(c, catalogue.Plain(canonical), own), Canonical: canonical, About: about(res.Query),
		Groups: groups(res.Routes, req.scene, req.display), Total: res.Total, Shown: len(res.Routes), Related: related(res, req.scene),
	}
	req.display.show(page, req)
	page.Search = present(res.Query).String()
	page.Notes = readings(res.Query, req.scene)
	if m := res.Plan.Method; m == query.Walk || m == query.Scan {
		page.Plan = res.Plan.String()
	}
	if c, ok := communityOf(present(res.Query).Expr); ok {
		page.Meaning = s.deps.named().Explain(c, nil)
	}
	page.Live = liveOf(res)
	if len(res.Freshness) == 0 {
		page.Live = s.liveNow(s.neighbours())
	}
	s.turnBack(c, &page.Frame, req.scene, momentOf(res))
	page.Past = s.relatedPast(req, res)
	if len(res.Routes) > 0 {
		page.Picture = req.scene.graph("/graph", res.Query)
	}
	page.Activity = s.activityURL(req, res.Query)
	if req.scene.live() && req.page.Cursor == "" && watchable(res.Query) {
		page.Events = withValues("/api/v1/events", url.Values{"q": {canonical}})
	}
	if req.page.Cursor != "" {
		page.First = pageURL(req, "")
	}
	if res.NextCursor != "" {
		page.Next = pageURL(req, res.NextCursor)
	}
	return page
}

// momentOf returns the moment of an answer.
func momentOf(res *query.Result) pastMoment {
	m := pastMoment{At: res.At, Notices: res.Notices}
	if !res.Requested.Equal(res.At) {
		m.Requested = res.Requested
	}
	return m
}

// groups collects the routes of each prefix, in the order of the display.
func groups(routes []route.Route, v scene, d display) []ui.Group {
	var list []ui.Group
	for _, r := range routes {
		last := len(list) - 1
		if last < 0 || list[last].Prefix != r.Prefix || list[last].Family != r.Family {
			exact := query.Lookup{Match: query.Exact, Prefix: r.Prefix}
			list = append(list, ui.Group{Prefix: r.Prefix, Family: r.Family, URL: v.lookup(exact.Query())})
			last++
		}
		list[last].Routes = append(list[last].Routes, ui.Route{Route: r, PeerURL: v.peer(r.Peer.Name), Query: oneRoute(&r)})
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
	q, plain := present(all).Lookup()
	if !plain {
		return catalogue.Say("about.query", present(all))
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
func related(res *query.Result, v scene) []ui.Link {
	q, plain := present(res.Query).Lookup()
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
			list = append(list, ui.Link{Text: other.text, URL: v.lookup(q.Query())})
		}
	}
	return list
}

// present returns a query without its moment.
func present(q query.Query) query.Query {
	q.At = query.Moment{}
	return q
}

// hasOwnPage reports whether a query is about one prefix and no more than a path
// and its filters can say.
func hasOwnPage(q query.Query) bool {
	l, plain := present(q).Lookup()
	return plain && l.Match != query.Any
}

// lookup returns the URL of the page that answers a query in the scene: a path
// for one about a prefix, a search for others.
func (v scene) lookup(all query.Query) string {
	values := v.values()
	all = present(all)
	if !hasOwnPage(all) {
		values.Set("q", all.String())
		return withValues("/search", values)
	}
	q, _ := all.Lookup()
	var path string
	switch q.Match {
	case query.Any:
	case query.Longest:
		path = "/" + q.Prefix.Addr().String()
	case query.Exact:
		path = "/" + q.Prefix.String()
	case query.OrLonger:
		path = "/" + q.Prefix.String() + "/or-longer"
	case query.OrShorter:
		path = "/" + q.Prefix.String() + "/or-shorter"
	}
	for _, p := range q.Peers {
		values.Add("peer", p)
	}
	for _, f := range q.Families {
		values.Add("family", f.String())
	}
	return withValues(path, values)
}

// changes returns the URL of the page of what happened in the span of a query.
func (v scene) changes(q query.Query) string {
	v.at = query.Moment{}
	values := v.values()
	values.Set("q", present(q).String())
	return withValues("/changes", values)
}

// withSuffix puts .txt or .json behind the path of a URL.
func withSuffix(u, suffix string) string {
	path, rest, found := strings.Cut(u, "?")
	if !found {
		return path + suffix
	}
	return path + suffix + "?" + rest
}

// pageURL returns the URL of another page of the answer.
func pageURL(req request, cursor string) string {
	path, rest, _ := strings.Cut(req.scene.lookup(req.query), "?")
	values, err := url.ParseQuery(rest)
	if err != nil { // it was encoded just now
		return path
	}
	if req.limited {
		values.Set("limit", strconv.Itoa(req.page.Limit))
	}
	req.display.put(values)
	if cursor != "" {
		values.Set("cursor", cursor)
	}
	return withValues(path, values)
}

// peer returns the URL of a peer's page.
func (v scene) peer(name string) string { return v.link("/peers/" + url.PathEscape(name)) }
