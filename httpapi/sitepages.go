package httpapi

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"ribglass/ribstore/query"
	"ribglass/ribstore/route"
	"ribglass/ui"
	"ribglass/ui/catalogue"
)

// helpPage answers for /help.
func (s *Server) helpPage(c *gin.Context) error {
	form, err := s.sitePageForm(c)
	if err != nil {
		return err
	}
	page := &ui.Help{Frame: s.pastFrame(c, catalogue.Say("help.title"), "/help", request{}, nil)}
	page.JSON = "/api/v1/openapi.json"
	for _, one := range [][2]string{
		{"192.0.2.1", "the most specific prefix that covers the address"},
		{"192.0.2.0/24", "the prefix itself"},
		{"192.0.2.0/24 or-longer", "the prefix and its more specifics"},
		{"192.0.2.0/24 or-shorter", "the prefix and what covers it"},
	} {
		page.Prefixes = append(page.Prefixes, ui.Example{Query: one[0], URL: exampleURL(one[0]), About: one[1]})
	}
	for _, w := range query.Words() {
		page.Words = append(page.Words, ui.WordHelp{Word: w.Text, Example: ui.Example{Query: w.Example, URL: exampleURL(w.Example), About: w.Means}})
	}
	return s.render(c, http.StatusOK, form, page)
}

// exampleURL returns the page of an example, "" when it is about a time, which
// this table may not have, or about peers that it may not know.
func exampleURL(text string) string {
	q, err := query.Parse(text)
	if err != nil || !q.At.IsZero() || !q.Between.IsZero() || len(q.Peers()) > 0 {
		return ""
	}
	return scene{}.lookup(q)
}

// aboutPage answers for /about.
func (s *Server) aboutPage(c *gin.Context) error {
	form, err := s.sitePageForm(c)
	if err != nil {
		return err
	}
	stats, info := s.deps.Store.Stats(), s.deps.Info
	page := &ui.About{
		Frame: s.pastFrame(c, catalogue.Say("about.title"), "/about", request{}, nil), ASN: info.ASN, RouterID: info.RouterID, StartedAt: info.StartedAt,
		AttributeSets: stats.AttributeSets, TableBytes: int64(stats.TableBytes),
	}
	page.JSON = "/api/v1/status"
	var families []route.Family
	for _, f := range route.Families() {
		if n := stats.Routes[f]; n > 0 {
			page.Routes += n
			families = append(families, f)
		}
	}
	page.RoutesURL = scene{}.allRoutes(families)
	return s.render(c, http.StatusOK, form, page)
}

// sitePageForm says in which form a page that takes no parameters is wanted.
// There is no JSON of it.
func (s *Server) sitePageForm(c *gin.Context) (string, error) {
	_, suffix := cutSuffix(c.Request.URL.Path)
	form, err := s.form(c, suffix)
	if err != nil {
		return "", err
	}
	if form == typeJSON {
		return "", problemf(codeNotAcceptable, "The page is %s or %s.", typeHTML, typeText)
	}
	_, err = readParams(c.Request.URL.RawQuery, nil)
	return form, err
}
