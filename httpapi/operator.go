package httpapi

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"ribglass/ui"
	"ribglass/ui/catalogue"
	"ribglass/ui/site"
)

// siteAnswer is the answer of GET /api/v1/site: what the operator says of it.
type siteAnswer struct {
	Name    string       `json:"name"`
	Contact string       `json:"contact,omitempty"` // an https or mailto URL
	Notice  string       `json:"notice,omitempty"`
	Links   []site.Link  `json:"links,omitempty"`
	Terms   *termsAnswer `json:"terms,omitempty"`
	Pages   []pageAnswer `json:"pages,omitempty"`
}

// termsAnswer says where the terms are. The version changes with their text.
type termsAnswer struct {
	URL     string `json:"url"`
	Version string `json:"version"`
}

type pageAnswer struct {
	Title string `json:"title"`
	URL   string `json:"url"`
}

// siteAPI answers GET /api/v1/site.
func (s *Server) siteAPI(c *gin.Context) error {
	if err := acceptsJSON(c); err != nil {
		return err
	}
	if _, err := readParams(c.Request.URL.RawQuery, nil); err != nil {
		return err
	}
	of := s.pages.Site()
	answer := siteAnswer{Name: of.Title(), Contact: of.ContactURL, Notice: of.Notice, Links: of.Links}
	if of.Terms != nil {
		answer.Terms = &termsAnswer{termsURL, of.Terms.Version}
	}
	for _, p := range of.Pages {
		answer.Pages = append(answer.Pages, pageAnswer{p.Title, pagesURL + p.Path})
	}
	return s.sendJSON(c, answer)
}

// Where the operator's pages are.
const (
	termsURL = "/terms"
	pagesURL = "/pages/"
)

// termsPage answers for /terms.
func (s *Server) termsPage(c *gin.Context) error {
	return s.documentPage(c, catalogue.Say("terms.title"), termsURL, s.pages.Site().Terms)
}

// operatorPage answers for /pages/NAME.
func (s *Server) operatorPage(c *gin.Context) error {
	name, _ := cutSuffix(c.Param("page"))
	d := s.pages.Site().Page(name)
	if d == nil {
		return s.nothingHere(c)
	}
	return s.documentPage(c, catalogue.Plain(d.Title), pagesURL+d.Path, d)
}

// documentPage answers with a page that the operator wrote, nil when there is
// none.
func (s *Server) documentPage(c *gin.Context, title catalogue.Text, path string, d *site.Document) error {
	if d == nil {
		return s.nothingHere(c)
	}
	form, err := s.sitePageForm(c)
	if err != nil {
		return err
	}
	page := &ui.Document{Frame: s.pastFrame(c, title, path, request{}, nil), HTML: d.HTML, Source: d.Source}
	page.JSON = "/api/v1/site"
	return s.render(c, http.StatusOK, form, page)
}
