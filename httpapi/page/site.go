package page

import (
	"ribglass/httpapi/ask"
	"ribglass/ribstore/query"
	"ribglass/ribstore/route"
	"ribglass/ui"
	"ribglass/ui/catalogue"
	"ribglass/ui/site"
)

// helpRow is /help.
func helpRow() row[nothing, nothing] {
	return row[nothing, nothing]{path: "/help", read: readNothing, ask: askNothing, show: showHelp}
}

func showHelp(v *visit, _, _ nothing) ui.Page {
	page := &ui.Help{Steps: query.Decisions(), Frame: v.timelessFrame(catalogue.Say("help.title"), "/help", ask.Scene{}, nil)}
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
	return page
}

// exampleURL returns the page of an example, "" when it is about a time, which
// this table may not have, or about peers that it may not know.
func exampleURL(text string) string {
	q, err := query.Parse(text)
	if err != nil || !q.At.IsZero() || !q.Between.IsZero() || len(q.Labels()) > 0 {
		return ""
	}
	return ask.Scene{}.Lookup(q)
}

// aboutRow is /about.
func aboutRow() row[nothing, nothing] {
	return row[nothing, nothing]{path: "/about", read: readNothing, ask: askNothing, show: showAbout}
}

func showAbout(v *visit, _, _ nothing) ui.Page {
	totals, info := v.reader.Totals(), v.reader.Info()
	page := &ui.About{
		Frame: v.timelessFrame(catalogue.Say("about.title"), "/about", ask.Scene{}, nil), ASN: info.ASN, RouterID: info.RouterID, StartedAt: info.StartedAt,
		AttributeSets: totals.AttributeSets, TableBytes: int64(totals.TableBytes),
	}
	page.JSON = "/api/v1/status"
	var families []route.Family
	for _, f := range route.Families() {
		if n := totals.Routes[f]; n > 0 {
			page.Routes += n
			families = append(families, f)
		}
	}
	page.RoutesURL = ask.Scene{}.AllRoutes(families)
	return page
}

// document is a page that the operator wrote.
type document struct {
	*site.Document

	title catalogue.Text
	path  string
}

// termsRow is /terms.
func termsRow() row[document, nothing] {
	return documentRow(ask.TermsURL, func(v *visit) document {
		return document{v.pages.Site().Terms, catalogue.Say("terms.title"), ask.TermsURL}
	})
}

// operatorRow is /pages/NAME.
func operatorRow() row[document, nothing] {
	return documentRow(ask.PagesURL+":page", func(v *visit) document {
		name, _ := cutSuffix(v.Value("page"))
		d := v.pages.Site().Page(name)
		if d == nil {
			return document{}
		}
		return document{d, catalogue.Plain(d.Title), ask.PagesURL + d.Path}
	})
}

func documentRow(path string, find func(v *visit) document) row[document, nothing] {
	return row[document, nothing]{
		path: path,
		read: func(v *visit) (document, error) {
			d := find(v)
			if d.Document == nil {
				return d, v.Missing()
			}
			return d, nil
		},
		ask: func(*visit, document) (nothing, error) { return nothing{}, nil },
		show: func(v *visit, d document, _ nothing) ui.Page {
			page := &ui.Document{Frame: v.timelessFrame(d.title, d.path, ask.Scene{}, nil), HTML: d.HTML, Source: d.Source}
			page.JSON = "/api/v1/site"
			return page
		},
	}
}
