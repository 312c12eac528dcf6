package httpapi

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"ribglass/ribstore/query"
	"ribglass/ribstore/route"
	"ribglass/ui"
	"ribglass/ui/catalogue"
)

// homeNeighbours is how many sessions the first page lists.
const homeNeighbours = 30

// varyPage names the headers that decide about the form of a page.
const varyPage = "Accept, Accept-Encoding, Accept-Language, User-Agent"

// minPacked is the size from which a page is worth packing.
const minPacked = 1 << 10

// routePages lays out the pages. A lookup is the path itself, a prefix with its
// slash: /192.0.2.1, /192.0.2.0/24, /192.0.2.0/24/or-longer, each with .txt or
// .json behind it.
func (s *Server) routePages(e *gin.Engine) {
	for path, h := range map[string]handler{
		"/":                        s.homePage,
		"/index.txt":               s.homePage,
		"/index.json":              s.homePage,
		"/search":                  s.searchPage,
		"/search.txt":              s.searchPage,
		"/search.json":             s.searchPage,
		"/as/:asn":                 s.asPage,
		"/community/:community":    s.communityPage,
		"/peers":                   s.peersPage,
		"/peers.txt":               s.peersPage,
		"/peers.json":              s.peersPage,
		"/peers/:name":             s.peerPage,
		"/changes":                 s.changesPage,
		"/changes.txt":             s.changesPage,
		"/changes.json":            s.changesPage,
		"/timeline":                s.timelinePage,
		"/timeline.txt":            s.timelinePage,
		"/timeline.json":           s.timelinePage,
		"/diff":                    s.diffPage,
		"/diff.txt":                s.diffPage,
		"/diff.json":               s.diffPage,
		"/history":                 s.historyPage,
		"/history.txt":             s.historyPage,
		"/history.json":            s.historyPage,
		"/help":                    s.helpPage,
		"/help.txt":                s.helpPage,
		"/about":                   s.aboutPage,
		"/about.txt":               s.aboutPage,
		"/terms":                   s.termsPage,
		"/terms.txt":               s.termsPage,
		"/pages/:page":             s.operatorPage,
		"/assets/:file":            s.asset,
		"/:target":                 s.lookupPage,
		"/:target/:length":         s.lookupPage,
		"/:target/:length/:longer": s.lookupPage,
		"/graph":                   s.graphPage,
		"/graph.txt":               s.graphPage,
		"/graph.json":              s.graphPage,
		"/graph.svg":               s.graphSVG,
		"/graph.png":               s.graphPNG,
	} {
		s.get(e, path, h)
	}
}

// drawingPolicy keeps a drawing of the operator from everything, should someone
// open it as a document of its own.
const drawingPolicy = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox"

// asset answers for style sheets, scripts and the logo. Its path names its content, so whoever
// has it never asks again.
func (s *Server) asset(c *gin.Context) error {
	asset, ok := s.pages.Asset(c.Request.URL.Path)
	if !ok {
		return problemf(codeNotFound, "No such file.")
	}
	h := c.Writer.Header()
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("Content-Type", asset.ContentType)
	if asset.ContentType == typeSVG {
		h.Set("Content-Security-Policy", drawingPolicy)
	}
	h.Set("Vary", "Accept-Encoding")
	body := asset.Body
	if acceptsGzip(c) {
		h.Set("Content-Encoding", "gzip")
		body = asset.Gzip
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	c.Writer.WriteHeader(http.StatusOK)
	_, _ = c.Writer.Write(body) // a client that is gone is nobody's error
	return nil
}

func acceptsGzip(c *gin.Context) bool {
	for one := range strings.SplitSeq(c.GetHeader("Accept-Encoding"), ",") {
		name, rest, _ := strings.Cut(one, ";")
		if strings.EqualFold(strings.TrimSpace(name), "gzip") {
			return weight(rest) > 0
		}
	}
	return false
}

// form says in which form the page is wanted.
func (s *Server) form(c *gin.Context, suffix string) (string, error) {
	c.Writer.Header().Set("Vary", varyPage)
	form := pageForm(suffix, accept(c), c.Request.UserAgent())
	if form == "" {
		return "", problemf(codeNotAcceptable, "The page is %s, %s or %s.", typeHTML, typeText, typeJSON)
	}
	return form, nil
}

// render writes a page as HTML or text.
func (s *Server) render(c *gin.Context, status int, form string, p ui.Page) error {
	var b bytes.Buffer
	var err error
	if form == typeHTML {
		l, _ := s.language(c)
		c.Writer.Header().Set("Content-Language", l.Tag())
		err = s.pages.HTML(&b, p)
	} else {
		err = s.pages.Text(&b, p)
	}
	if err != nil {
		return fmt.Errorf("answer %s: %w", c.FullPath(), err)
	}
	s.sendPage(c, status, form, b.Bytes())
	return nil
}

// sendPage writes a page, packed where the client takes it packed. Pages hold
// no secret that their length could tell (BREACH).
func (s *Server) sendPage(c *gin.Context, status int, form string, body []byte) {
	if len(body) < minPacked || !acceptsGzip(c) {
		s.send(c, status, form, body)
		return
	}
	packer, ok := s.packers.Get().(*gzip.Writer)
	if !ok { // the pool holds nothing else
		packer = gzip.NewWriter(nil)
	}
	defer s.packers.Put(packer)
	var packed bytes.Buffer
	packer.Reset(&packed)
	_, err := packer.Write(body)
	if err == nil {
		err = packer.Close()
	}
	if err != nil { // a Buffer takes everything
		s.send(c, status, form, body)
		return
	}
	c.Writer.Header().Set("Content-Encoding", "gzip")
	s.send(c, status, form, packed.Bytes())
}

// failPage answers with a problem as a page.
func (s *Server) failPage(c *gin.Context, p *problem) {
	c.Writer.Header().Set("Vary", varyPage)
	_, suffix := cutSuffix(c.Request.URL.Path)
	form := pageForm(suffix, accept(c), c.Request.UserAgent())
	if form == typeJSON {
		s.failJSON(c, p)
		return
	}
	if form == "" {
		form = typeText
	}
	status, title := p.code.describe()
	page := &ui.Problem{Frame: s.frame(c, catalogue.Say("problem."+string(p.code)), ""), Status: status, Detail: p.detail}
	page.Text, page.JSON, page.Moment.Action = "", "", ""
	page.Live = s.liveNow(s.neighbours())
	if p.column > 0 {
		page.Search = printable(p.query)
		page.Query, page.Before = window(p.query, p.column)
	}
	if err := s.render(c, status, form, page); err != nil {
		s.log.ErrorContext(c.Request.Context(), "cannot render a problem", "error", err)
		s.send(c, status, typeText, []byte(title+"\n"))
	}
}

// homePage answers for /.
func (s *Server) homePage(c *gin.Context) error {
	_, suffix := cutSuffix(c.Request.URL.Path)
	form, err := s.form(c, suffix)
	if err != nil {
		return err
	}
	req, err := s.readScene(c)
	if err != nil {
		return err
	}
	if !req.scene.live() {
		return s.homeThen(c, req, form)
	}
	if form == typeJSON {
		return s.sendJSON(c, s.statusNow())
	}
	stats, info, neighbours := s.deps.Store.Stats(), s.deps.Info, s.neighbours()
	page := &ui.Home{
		Frame: s.homeFrame(c), ASN: info.ASN, RouterID: info.RouterID,
		StartedAt: info.StartedAt, AttributeSets: stats.AttributeSets, Neighbours: neighbours,
		Examples: s.examples(c.Request.Context()),
	}
	page.Live, page.Events = s.liveNow(neighbours), "/api/v1/events"
	if extra := len(neighbours) - homeNeighbours; extra > 0 {
		page.Neighbours, page.More = neighbours[:homeNeighbours], extra
	}
	s.detail(page.Neighbours, req.scene)
	for _, f := range route.Families() {
		if f == route.IPv4Unicast || f == route.IPv6Unicast || stats.Routes[f] > 0 {
			one := familyTotal(f, stats.Routes[f], stats.Stale[f], req.scene)
			one.Prefixes = stats.Prefixes[f]
			page.Families = append(page.Families, one)
		}
	}
	s.growthOf(page)
	s.happening(page)
	return s.render(c, http.StatusOK, form, page)
}

// homeFrame is the frame of the first page, whose forms have a path of their own.
func (s *Server) homeFrame(c *gin.Context) ui.Frame {
	f := s.frame(c, catalogue.Plain("AS"+s.deps.Info.ASN.String()), "/index")
	if f.Moment.Action != "" {
		f.Moment.Action = "/"
	}
	return f
}

// homeThen answers for / at a moment.
func (s *Server) homeThen(c *gin.Context, req request, form string) error {
	then, err := s.peersAt(c.Request.Context(), req)
	if err != nil {
		return err
	}
	if form == typeJSON {
		return s.sendJSON(c, then.answer())
	}
	page := &ui.Home{Frame: s.homeFrame(c), ASN: s.deps.Info.ASN, Neighbours: then.neighbours(req.scene)}
	s.turnBack(c, &page.Frame, req.scene, then.pastMoment)
	var routes, stale [route.NumFamilies]int
	for i := range then.list {
		for f := range routes {
			routes[f] += then.list[i].Routes[f]
			stale[f] += then.list[i].Stale[f]
		}
	}
	for _, f := range route.Families() {
		if routes[f] > 0 {
			page.Families = append(page.Families, familyTotal(f, routes[f], stale[f], req.scene))
		}
	}
	if extra := len(page.Neighbours) - homeNeighbours; extra > 0 {
		page.Neighbours, page.More = page.Neighbours[:homeNeighbours], extra
	}
	s.detail(page.Neighbours, req.scene)
	return s.render(c, http.StatusOK, form, page)
}

// examples returns questions of every kind that have an answer now: what is in
// them is of one route.
func (s *Server) examples(ctx context.Context) []ui.Example {
	r, ok := s.exampleRoute(ctx)
	if !ok {
		return nil
	}
	var list []ui.Example
	add := func(about, format string, values ...any) {
		text := fmt.Sprintf(format, values...)
		if q, err := query.Parse(text); err == nil {
			list = append(list, ui.Example{Query: text, URL: scene{}.lookup(q), About: about})
		}
	}
	address := r.Prefix.Addr()
	if next := address.Next(); r.Prefix.Contains(next) {
		address = next // the first of a network has its name
	}
	add("the longest match", "%s", address)
	add("the prefix itself", "%s", r.Prefix)
	add("the prefix and its more specifics", "%s or-longer", r.Prefix)
	path := slices.Compact(slices.Collect(r.Attrs.ASPath().All()))
	if n := len(path); n > 0 {
		add("what an AS announces", "origin %s", path[n-1])
		if n > 2 {
			add("paths that end so", "path _%s_%s$", path[n-2], path[n-1])
		}
		add("what an AS passes on", "via %s", path[max(0, n-2)])
	}
	if c := r.Attrs.Communities(); c.Len() > 0 {
		add("what carries a community", "community %s", c.At(c.Len()-1))
	}
	add("all routes of a peer", "%s", query.Lookup{Peers: []string{r.Peer.Name}}.Query())
	return list
}

// exampleRoute returns a route whose attributes show what can be asked: of an
// address that most tables have, or one of the first of the table.
func (s *Server) exampleRoute(ctx context.Context) (best route.Route, ok bool) {
	ask := func(l query.Lookup, limit int) []route.Route {
		res, err := s.search(ctx, s.deps.Store, l.Query(), query.Page{Limit: limit})
		if err != nil {
			return nil // it is said to who asks for it
		}
		return res.Routes
	}
	for _, address := range []string{"193.0.0.1", "1.1.1.1", "2001:67c:2e8::1", "8.8.8.8"} {
		a := netip.MustParseAddr(address)
		if routes := ask(query.Lookup{Match: query.Longest, Prefix: netip.PrefixFrom(a, a.BitLen())}, 1); len(routes) > 0 {
			return routes[0], true
		}
	}
	shows := func(r route.Route) int {
		return min(r.Attrs.ASPath().Len(), 3) + min(r.Attrs.Communities().Len(), 2)
	}
	for _, r := range ask(query.Lookup{}, 20) {
		if !ok || shows(r) > shows(best) {
			best, ok = r, true
		}
	}
	return best, ok
}

// peersPage answers for /peers.
func (s *Server) peersPage(c *gin.Context) error {
	_, suffix := cutSuffix(c.Request.URL.Path)
	form, err := s.form(c, suffix)
	if err != nil {
		return err
	}
	list, req, err := s.readPeerList(c)
	if err != nil {
		return err
	}
	if !req.scene.live() {
		return s.peersPageThen(c, list, req, form)
	}
	if form == typeJSON {
		return s.sendJSON(c, s.allPeers())
	}
	page, all := &ui.Peers{Frame: s.frame(c, catalogue.Say("peers.title"), "/peers")}, s.neighbours()
	page.Live, page.Events = s.liveNow(all), "/api/v1/events"
	if list.sort == byChanges {
		s.detail(all, req.scene)
	}
	list.show(page, all, req.scene)
	s.detail(page.Neighbours, req.scene)
	return s.render(c, http.StatusOK, form, page)
}

// peerPage answers for /peers/NAME. A peer whose name ends in .txt is found
// before the suffix is.
func (s *Server) peerPage(c *gin.Context) error {
	req, counts, err := s.readPeer(c)
	if err != nil {
		return err
	}
	if !req.scene.live() {
		return s.peerPageThen(c, req, counts)
	}
	name, suffix := c.Param("name"), ""
	session, err := s.session(name)
	if err != nil {
		if name, suffix = cutSuffix(name); suffix != "" {
			session, err = s.session(name)
		}
	}
	if err != nil {
		return err
	}
	form, err := s.form(c, suffix)
	if err != nil {
		return err
	}
	if form == typeJSON {
		return s.sendJSON(c, s.onePeer(session))
	}
	page := &ui.Peer{
		Frame: s.frame(c, catalogue.Plain(name), scene{}.peer(name)), Neighbour: s.neighbour(session),
		RoutesURL: scene{}.lookup(query.Lookup{Peers: []string{name}}.Query()),
	}
	page.Live = s.liveNow([]ui.Neighbour{page.Neighbour})
	s.detailOne(&page.Neighbour, req.scene)
	if s.deps.History != nil {
		page.ChangesURL = scene{}.changes(query.Lookup{Peers: []string{name}}.Query())
	}
	if err = s.countPeer(c.Request.Context(), page, req, counts); err != nil {
		return err
	}
	return s.render(c, http.StatusOK, form, page)
}

func (s *Server) neighbours() []ui.Neighbour {
	all := s.sessions()
	list := make([]ui.Neighbour, len(all))
	for i := range all {
		list[i] = s.neighbour(all[i])
	}
	return list
}

func (s *Server) neighbour(session route.Session) ui.Neighbour {
	stats, _ := s.deps.Store.Peer(session.Peer.Name) // zero when it never said anything
	return ui.Neighbour{
		Session: session, Routes: stats.Routes, Stale: stats.Stale, StaleSince: stats.Freshness.StaleSince,
		URL: scene{}.peer(session.Peer.Name),
	}
}
