package httpapi_test

import (
	"compress/gzip"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ribglass/httpapi"
	"ribglass/ribstore/route"
)

func TestPagesSayWhatTheyShow(t *testing.T) {
	h := worldHandler(t)
	for name, row := range map[string]struct {
		path, heading, title, search string
		prefixes                     []string
	}{
		"the first page":              {"/", "Looking glass of AS64500", "AS64500", "", nil},
		"an address":                  {"/1.1.1.1", "Longest match for 1.1.1.1", "1.1.1.1", "1.1.1.1", []string{"1.1.1.0/24"}},
		"a prefix":                    {"/1.1.1.0/24", "Routes of 1.1.1.0/24", "1.1.1.0/24", "1.1.1.0/24", []string{"1.1.1.0/24"}},
		"a prefix with escaped slash": {"/1.1.1.0%2F24", "Routes of 1.1.1.0/24", "1.1.1.0/24", "1.1.1.0/24", []string{"1.1.1.0/24"}},
		"more specifics": {
			"/1.0.0.0/8/or-longer", "1.0.0.0/8 and more specifics", "1.0.0.0/8 or-longer", "1.0.0.0/8 or-longer",
			[]string{"1.1.0.0/16", "1.1.1.0/24"},
		},
		"covering an address": {
			"/1.1.1.1/or-shorter", "1.1.1.1/32 and what covers it", "1.1.1.1/32 or-shorter", "1.1.1.1/32 or-shorter",
			[]string{"1.1.0.0/16", "1.1.1.0/24"},
		},
		"IPv6":             {"/2001:db8:1::1", "Longest match for 2001:db8:1::1", "2001:db8:1::1", "2001:db8:1::1", []string{"2001:db8:1::/48"}},
		"an IPv6 prefix":   {"/2001:db8:1::/48", "Routes of 2001:db8:1::/48", "2001:db8:1::/48", "2001:db8:1::/48", []string{"2001:db8:1::/48"}},
		"of one peer":      {"/1.1.1.1?peer=edge2", "Longest match for 1.1.1.1 from edge2", "1.1.1.1 peer edge2", "1.1.1.1 peer edge2", []string{"1.1.1.0/24"}},
		"all of a peer":    {"/search?q=peer+edge2", "Routes from edge2", "peer edge2", "peer edge2", []string{"1.1.1.0/24"}},
		"nothing found":    {"/203.0.113.0/24", "Routes of 203.0.113.0/24", "203.0.113.0/24", "203.0.113.0/24", nil},
		"the peers":        {"/peers", "3 peers", "Peers", "", nil},
		"a peer":           {"/peers/edge1", "edge1", "edge1", "", nil},
		"a peer with dots": {"/peers/rs1.ixp", "rs1.ixp", "rs1.ixp", "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			w := ask(t, h, row.path)
			if w.Code != http.StatusOK {
				t.Fatalf("GET %s = %d", row.path, w.Code)
			}
			page := parsePage(t, w)
			if got := page.all("h1", "")[0].words(); strings.ReplaceAll(got, ",", "") != row.heading {
				t.Errorf("heading %q, want %q", got, row.heading)
			}
			if got := page.all("title", "")[0].words(); got != row.title+" · Ribglass" {
				t.Errorf("title %q, want %q", got, row.title)
			}
			if got := page.all("input", "")[0].attr("value"); got != row.search {
				t.Errorf("search box %q, want %q", got, row.search)
			}
			var prefixes []string
			for _, tr := range page.all("tr", "prefix") {
				prefixes = append(prefixes, tr.words())
			}
			if diff := cmp.Diff(row.prefixes, prefixes); diff != "" {
				t.Errorf("prefixes (-want +got):\n%s", diff)
			}
			checkFrame(t, page)
		})
	}
}

// checkFrame checks what holds for every page.
func checkFrame(t *testing.T, page element) {
	t.Helper()
	if main := page.all("main", ""); len(main) != 1 || main[0].attr("id") != "main" {
		t.Error("there is no main to skip to")
	}
	if skip := page.all("a", "skip"); len(skip) != 1 || skip[0].attr("href") != "#main" {
		t.Error("there is no link that skips to the content")
	}
	if got := page.all("html", "")[0].attr("lang"); got != "en" {
		t.Errorf("lang = %q", got)
	}
	for _, table := range page.all("table", "") {
		if len(table.all("caption", "")) != 1 || len(table.all("th", "")) == 0 {
			t.Error("a table has no caption or no headings")
		}
	}
	if live := page.all("section", "live"); len(live) != 1 || !strings.HasPrefix(live[0].words(), "Live 2026-11-22 12:00:00 UTC") {
		t.Error("the bar that says which moment is shown is missing")
	}
	for _, script := range page.all("script", "") {
		if !strings.HasPrefix(script.attr("src"), "/assets/") || script.FirstChild != nil {
			t.Errorf("there is a <script> in the page: %s", script.words())
		}
	}
	for _, tag := range []string{"style", "iframe", "object", "embed", "base"} {
		if len(page.all(tag, "")) > 0 {
			t.Errorf("there is a <%s>", tag)
		}
	}
	for n := range page.Descendants() {
		for _, a := range n.Attr {
			if strings.HasPrefix(a.Key, "on") || a.Key == "style" ||
				(a.Key == "href" || a.Key == "src" || a.Key == "action") && strings.HasPrefix(strings.ToLower(a.Val), "javascript:") {
				t.Errorf("<%s> has %s=%q", n.Data, a.Key, a.Val)
			}
		}
	}
}

func TestLookupShowsTheBestFirstAndMarksTheStale(t *testing.T) {
	page := parsePage(t, ask(t, worldHandler(t), "/1.1.1.1"))
	var rows []string
	for _, tr := range page.all("tr", "") {
		if cells := tr.all("td", ""); len(cells) == 7 {
			rows = append(rows, cells[0].words()+" | "+cells[1].all("a", "")[0].words()+" | "+cells[3].words())
		}
	}
	want := []string{"* > | edge1 | 192.0.2.1", "* | edge2 | 2001:db8:ffff::2", "S | rs1.ixp | 198.51.100.77"}
	if diff := cmp.Diff(want, rows); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	if got := page.all("td", "path")[1].words(); !strings.HasPrefix(got, "64510 ×3 13335 i") {
		t.Errorf("path %q, want the prepends told", got)
	}
	if bar := page.all("section", "live")[0].words(); !strings.Contains(bar, "2 of 3 peers up") || !strings.Contains(bar, "Stale rs1.ixp for 25m00s") {
		t.Errorf("bar %q", bar)
	}
}

func TestPagesLeadOn(t *testing.T) {
	h := worldHandler(t)
	page := parsePage(t, ask(t, h, "/search?q=family+ipv4-unicast&limit=1"))
	next := ""
	for _, a := range page.all("a", "") {
		if a.attr("rel") == "next" {
			next = a.attr("href")
		}
	}
	if want := "/search?cursor=1&limit=1&q=family+ipv4-unicast"; next != want {
		t.Fatalf("next = %q, want %q", next, want)
	}
	second := parsePage(t, ask(t, h, next))
	if got := second.all("tr", "prefix"); len(got) != 1 || got[0].words() != "1.1.1.0/24" {
		t.Errorf("the second page shows %d prefixes", len(got))
	}
	if links := second.links(); !slices.Contains(links, "/search?limit=1&q=family+ipv4-unicast") {
		t.Errorf("the second page does not lead to the first: %v", links)
	}
}

func TestEveryLinkOfThePagesLeadsSomewhere(t *testing.T) {
	const most = 400 // links that refine a search combine without end
	h := worldHandler(t)
	todo, done := []string{"/"}, map[string]bool{}
	for len(todo) > 0 && len(done) < most {
		target, _, _ := strings.Cut(todo[0], "#") // a place on a page
		todo = todo[1:]
		if done[target] || !strings.HasPrefix(target, "/") {
			continue
		}
		done[target] = true
		w := ask(t, h, target)
		if w.Code != http.StatusOK {
			t.Errorf("GET %s = %d", target, w.Code)
			continue
		}
		if strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") {
			page := parsePage(t, w)
			todo = append(todo, page.links()...)
			for _, l := range page.all("link", "") {
				todo = append(todo, l.attr("href"))
			}
		}
	}
	if len(done) < 20 {
		t.Errorf("only %d links were found", len(done))
	}
}

func TestSearchLeadsToThePageOfThePrefix(t *testing.T) {
	h := worldHandler(t)
	for name, row := range map[string]struct{ target, location string }{
		"an address":               {"/search?q=1.1.1.1", "/1.1.1.1"},
		"an address with spaces":   {"/search?q=+1.1.1.1+", "/1.1.1.1"},
		"an IPv6 address":          {"/search?q=2001:DB8::1", "/2001:db8::1"},
		"a mapped address":         {"/search?q=::ffff:1.1.1.1", "/1.1.1.1"},
		"a prefix":                 {"/search?q=1.1.1.0/24", "/1.1.1.0/24"},
		"more specifics":           {"/search?q=1.1.1.0/24+or-longer", "/1.1.1.0/24/or-longer"},
		"what covers":              {"/search?q=1.1.1.1+or-shorter", "/1.1.1.1/32/or-shorter"},
		"with a peer":              {"/search?q=1.1.1.1+peer+edge1", "/1.1.1.1?peer=edge1"},
		"with a family":            {"/search?q=1.1.1.0/24+family+ipv4", "/1.1.1.0/24?family=ipv4-unicast"},
		"with a peer as parameter": {"/search?q=1.1.1.1&peer=edge1", "/1.1.1.1?peer=edge1"},
		"nothing":                  {"/search?q=", "/"},
		"nothing at all":           {"/search", "/"},
		"as text":                  {"/search.txt?q=1.1.1.1", "/1.1.1.1.txt"},
		"as JSON":                  {"/search.json?q=1.1.1.1+peer+edge1", "/1.1.1.1.json?peer=edge1"},
	} {
		t.Run(name, func(t *testing.T) {
			w := ask(t, h, row.target)
			if w.Code != http.StatusSeeOther || w.Header().Get("Location") != row.location {
				t.Errorf("GET %s = %d to %q, want 303 to %q", row.target, w.Code, w.Header().Get("Location"), row.location)
			}
		})
	}
}

func TestFormOfAPage(t *testing.T) {
	const htmlType, text, jsonType = "text/html; charset=utf-8", "text/plain; charset=utf-8", "application/json"
	const browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
	h := worldHandler(t)
	for name, row := range map[string]struct {
		path, accept, agent string
		want                string
	}{
		"a browser":                        {"/1.1.1.1", browser, "Mozilla/5.0", htmlType},
		"nobody in particular":             {"/1.1.1.1", "", "", htmlType},
		"curl":                             {"/1.1.1.1", "*/*", "curl/8.5.0", text},
		"wget":                             {"/1.1.1.0/24", "*/*", "Wget/1.21", text},
		"httpie":                           {"/peers", "*/*", "HTTPie/3.2.2", text},
		"curl that wants HTML":             {"/1.1.1.1", "text/html", "curl/8.5.0", htmlType},
		"curl that wants JSON":             {"/1.1.1.1", "application/json", "curl/8.5.0", jsonType},
		"a program that wants text":        {"/", "text/plain", "", text},
		"a suffix before the browser":      {"/1.1.1.1.txt", browser, "Mozilla/5.0", text},
		"a suffix behind a prefix":         {"/1.1.1.0/24.json", browser, "Mozilla/5.0", jsonType},
		"a suffix behind more specifics":   {"/1.1.1.0/24/or-longer.txt", browser, "", text},
		"a suffix behind IPv6":             {"/2001:db8:1::/48.json", "", "", jsonType},
		"the first page as text":           {"/index.txt", browser, "", text},
		"the first page as JSON":           {"/index.json", browser, "", jsonType},
		"the peers as JSON":                {"/peers.json", "", "curl/8", jsonType},
		"a peer as text":                   {"/peers/edge1.txt", browser, "", text},
		"a peer with dots as JSON":         {"/peers/rs1.ixp.json", browser, "", jsonType},
		"a search as text":                 {"/search.txt?q=peer+edge1", browser, "", text},
		"a search as JSON":                 {"/search.json?q=peer+edge1", browser, "", jsonType},
		"JSON rather than HTML":            {"/1.1.1.1", "application/json, text/html;q=0.9", "", jsonType},
		"a page with a problem, for curl":  {"/frob", "*/*", "curl/8", text},
		"a page with a problem, as JSON":   {"/frob.json", "", "", "application/problem+json"},
		"a page with a problem, a browser": {"/frob", browser, "Mozilla/5.0", htmlType},
		"no form that there is":            {"/1.1.1.1", "image/png", "", text},
	} {
		t.Run(name, func(t *testing.T) {
			w := ask(t, h, row.path, "Accept", row.accept, "User-Agent", row.agent)
			if got := w.Header().Get("Content-Type"); got != row.want {
				t.Errorf("Content-Type = %q, want %q", got, row.want)
			}
			if w.Code == http.StatusOK && !strings.Contains(w.Header().Get("Vary"), "Accept") {
				t.Errorf("Vary = %q", w.Header().Get("Vary"))
			}
		})
	}
	if w := ask(t, h, "/1.1.1.1", "Accept", "image/png"); w.Code != http.StatusNotAcceptable {
		t.Errorf("a picture of a lookup = %d, want 406", w.Code)
	}
}

func TestJSONOfAPageIsTheAnswerOfTheInterface(t *testing.T) {
	h := worldHandler(t)
	for page, api := range map[string]string{
		"/1.1.1.1.json":                       "/api/v1/routes?q=1.1.1.1",
		"/1.1.1.0/24/or-shorter.json?limit=1": "/api/v1/routes?q=1.1.1.0/24+or-shorter&limit=1",
		"/search.json?q=peer+edge1":           "/api/v1/routes?q=peer+edge1",
		"/peers.json":                         "/api/v1/peers",
		"/peers/edge1.json":                   "/api/v1/peers/edge1",
	} {
		if diff := cmp.Diff(ask(t, h, api).Body.String(), ask(t, h, page).Body.String()); diff != "" {
			t.Errorf("%s (-interface +page):\n%s", page, diff)
		}
	}
}

// TestPathsOfOthersLeadSomewhere has paths that other sites have, and a slash too many.
func TestPathsOfOthersLeadSomewhere(t *testing.T) {
	h := worldHandler(t)
	for path, want := range map[string]string{
		"/AS64496": "/as/64496", "/64496": "/as/64496", "/as64496.json": "/as/64496.json", "/AS64496?at=1h": "/as/64496?at=1h",
		"/AS64496/": "/AS64496", "/as/64496/": "/as/64496", "/peers/": "/peers", "/1.1.1.0/24/": "/1.1.1.0/24", "/search/?q=best": "/search?q=best",
		"/api/v1/routes/": "/api/v1/routes",
	} {
		if w := ask(t, h, path); w.Code != http.StatusSeeOther || w.Header().Get("Location") != want {
			t.Errorf("GET %s = %d to %q, want %q", path, w.Code, w.Header().Get("Location"), want)
		}
	}
}

func TestProblemsOfPages(t *testing.T) {
	h := worldHandler(t)
	for name, row := range map[string]struct {
		path   string
		status int
		caret  string // "query|before" of the caret, "" for none
	}{
		"a word too many":       {"/search?q=1.1.1.0/24+frob", 400, "1.1.1.0/24 frob|11"},
		"a length too long":     {"/1.1.1.0/33", 400, "1.1.1.0/33|0"},
		"a broken address":      {"/1.1.1.256", 400, "1.1.1.256|0"},
		"a command behind":      {"/8.8.8.8;id", 400, "8.8.8.8;id|0"},
		"a newline":             {"/8.8.8.8%0Aid", 400, "8.8.8.8\uFFFDid|7"},
		"a query in the path":   {"/8.8.8.8%20peer%20edge1", 400, "8.8.8.8 peer edge1|7"},
		"a zone":                {"/fe80::1%25eth0", 400, "fe80::1%eth0|0"},
		"a parameter not known": {"/1.1.1.1?pear=edge1", 400, ""},
		"a parameter twice":     {"/search?q=1.1.1.1&q=2.2.2.2", 400, ""},
		"a peer that is not":    {"/peers/edge9", 404, ""},
		"a filter that is not":  {"/1.1.1.1?peer=edge9", 404, ""},
		"a page that is not":    {"/frob", 404, ""},
		"a page far down":       {"/a/b/c/d/e", 404, ""},
		"a match that is not":   {"/1.1.1.0/24/or-wider", 400, "1.1.1.0/24/or-wider|0"},
		"two slashes in front":  {"//example.net/", 404, ""},
		"a backslash in front":  {"/%5Cexample.net/", 404, ""},
		"a cursor of nobody":    {"/search?q=peer+edge1&cursor=bogus", 400, ""},
		"an asset that is not":  {"/assets/style.css", 404, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := ask(t, h, row.path)
			if w.Code != row.status {
				t.Fatalf("GET %s = %d, want %d", row.path, w.Code, row.status)
			}
			page := parsePage(t, w)
			checkFrame(t, page)
			carets := page.all("pre", "caret")
			if row.caret == "" {
				if len(carets) > 0 {
					t.Errorf("a caret points at %q", carets[0].words())
				}
				return
			}
			query, before, _ := strings.Cut(row.caret, "|")
			text := carets[0].all("code", "")[0]
			lines := strings.Split(text.FirstChild.Data, "\n")
			if lines[0] != query || len(lines[1]) != atoi(before) {
				t.Errorf("caret %q after %d, want %q after %s", lines[0], len(lines[1]), query, before)
			}
		})
	}
}

func atoi(s string) int {
	n := 0
	for _, d := range s {
		n = 10*n + int(d-'0')
	}
	return n
}

func TestStyleSheetIsKeptForEver(t *testing.T) {
	h := worldHandler(t)
	path := ""
	for _, l := range parsePage(t, ask(t, h, "/")).all("link", "") {
		if l.attr("rel") == "stylesheet" {
			path = l.attr("href")
		}
	}
	plain := ask(t, h, path)
	if plain.Code != 200 || plain.Header().Get("Content-Type") != "text/css; charset=utf-8" ||
		!strings.Contains(plain.Header().Get("Cache-Control"), "immutable") {
		t.Errorf("GET %s = %d %v", path, plain.Code, plain.Header())
	}
	packed := ask(t, h, path, "Accept-Encoding", "br, gzip;q=0.8")
	r, err := gzip.NewReader(packed.Body)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(r)
	if err != nil || string(body) != plain.Body.String() {
		t.Errorf("the packed style sheet is another one: %v", err)
	}
	if w := ask(t, h, path, "Accept-Encoding", "gzip;q=0"); w.Header().Get("Content-Encoding") != "" {
		t.Error("packed for a client that refuses it")
	}
}

func TestFirstPageListsAFewOfManyPeers(t *testing.T) {
	store, sessions := world()
	for i := range 900 {
		p := *sessions[0].Peer
		p.Name = "member" + strings.Repeat("x", i%3) + string(rune('a'+i%26)) + string(rune('a'+i/26%26)) + string(rune('a'+i/676))
		s := sessions[0]
		s.Peer = &p
		sessions = append(sessions, s)
	}
	h := newServer(t, httpapi.DefaultConfig(), store, sessions).Handler()
	w := ask(t, h, "/")
	if !strings.Contains(w.Body.String(), "873 more") {
		t.Error("the first page does not say how many peers it leaves out")
	}
	if w.Body.Len() > 64<<10 {
		t.Errorf("the first page has %d bytes", w.Body.Len())
	}
}

func TestLookupInBothMulticastAndUnicastIsGroupedByFamily(t *testing.T) {
	store, sessions := world()
	r := store.routes[0]
	r.Family = route.IPv4Multicast
	store.routes = append([]route.Route{r}, store.routes...)
	h := newServer(t, httpapi.DefaultConfig(), store, sessions).Handler()
	if rows := parsePage(t, ask(t, h, "/1.1.0.0/16")).all("tr", "prefix"); len(rows) != 2 {
		t.Errorf("%d groups, want one for each family", len(rows))
	}
}

func TestPagesArePackedAndSmall(t *testing.T) {
	store, sessions := longWorld(200)
	h := newServer(t, httpapi.DefaultConfig(), store, sessions).Handler()
	for _, path := range []string{"/", "/peers", "/peers/edge1", "/1.1.1.1", "/10.0.0.0/8/or-longer"} {
		w := ask(t, h, path, "Accept-Encoding", "gzip, deflate, br")
		size := w.Body.Len()
		r, err := gzip.NewReader(w.Body)
		if err != nil {
			t.Fatalf("GET %s is not packed: %v", path, err)
		}
		body, err := io.ReadAll(r)
		if err != nil || string(body) != ask(t, h, path).Body.String() {
			t.Errorf("GET %s packed is another page: %v", path, err)
		}
		if size > 14<<10 {
			t.Errorf("GET %s has %d bytes packed, want at most 14 kB", path, size)
		}
	}
}

func TestPathsThatBrowsersAndPeopleAskFor(t *testing.T) {
	h := worldHandler(t)
	icon := ask(t, h, "/favicon.ico")
	if icon.Code != 200 || icon.Header().Get("Content-Type") != "image/svg+xml" || !strings.Contains(icon.Body.String(), `stroke="#0b6e75"`) {
		t.Errorf("GET /favicon.ico = %d %s %s", icon.Code, icon.Header().Get("Content-Type"), icon.Body)
	}
	robots := ask(t, h, "/robots.txt")
	if robots.Code != 200 || !strings.HasPrefix(robots.Header().Get("Content-Type"), "text/plain") || !strings.Contains(robots.Body.String(), "\nDisallow: /\n") {
		t.Errorf("GET /robots.txt = %d %s", robots.Code, robots.Body)
	}
	for from, to := range map[string]string{"/compare": "/diff", "/compare?a=1h&b=now": "/diff?a=1h&b=now"} {
		if w := ask(t, h, from); w.Code != 303 || w.Header().Get("Location") != to {
			t.Errorf("GET %s = %d to %q, want 303 to %q", from, w.Code, w.Header().Get("Location"), to)
		}
	}
}
