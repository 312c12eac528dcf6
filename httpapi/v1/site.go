package v1

import (
	"ribglass/httpapi/answer"
	"ribglass/httpapi/ask"
)

// answerSite answers with what the operator says of the site.
func (a *API) answerSite(q *asked, _ nothing) error {
	of := a.site()
	said := answer.Site{Name: of.Title(), Contact: of.ContactURL, Notice: of.Notice}
	for _, l := range of.Links {
		said.Links = append(said.Links, answer.Link{Text: l.Text, URL: l.URL})
	}
	if of.Terms != nil {
		said.Terms = &answer.Terms{URL: ask.TermsURL, Version: of.Terms.Version}
	}
	for _, p := range of.Pages {
		said.Pages = append(said.Pages, answer.SitePage{Title: p.Title, URL: ask.PagesURL + p.Path})
	}
	return q.SendJSON(said)
}
