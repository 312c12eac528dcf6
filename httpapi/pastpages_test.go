package httpapi_test

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"ribglass/httpapi"
	"ribglass/ribstore/route"
)

func TestPagesOfThePastSayWhatTheyShow(t *testing.T) {
	r, sessions := pastWorld(t)
	h := r.server(httpapi.DefaultConfig(), sessions)
	for name, row := range map[string]struct{ path, heading, holds, lacks string }{
		"the first page":           {"/?at=90m", "Looking glass of AS64500", "edge1", "Try"},
		"a prefix":                 {"/" + thePrefix + "?at=90m", "Routes of " + thePrefix, "64502", "64501"},
		"before the origin moved":  {"/" + thePrefix + "?at=150m", "Routes of " + thePrefix, "64501", "64502"},
		"when nothing is recorded": {"/" + thePrefix + "?at=" + r.param(betweenIt), "Routes of " + thePrefix, "nothing was recorded from", ""},
		"a search":                 {"/search?q=origin+64502&at=90m", "Routes: origin 64502", thePrefix, "198.51.100.0"},
		"an AS":                    {"/as/64502?at=90m", "AS64502", thePrefix, ""},
		"a community":              {"/community/64500:1?at=90m", "Routes: community 64500:1", "198.51.100.0/24", thePrefix},
		"the peers":                {"/peers?at=90m", "3 peers", "rs1.ixp", "KEEPALIVE"},
		"the peers before":         {"/peers?at=" + r.param(betweenIt), "2 peers", "edge2", "rs1.ixp"},
		"a peer":                   {"/peers/rs1.ixp?at=90m", "rs1.ixp", "up", "Messages"},
		"a collection":             {"/" + thePrefix + "?collection=old", "Routes of " + thePrefix, "Collection old", "Past"},
		"a collection at a moment": {"/" + thePrefix + "?collection=old&at=" + r.param(firstRun-time.Minute), "Routes of " + thePrefix, "64501", ""},
		"changes":                  {"/changes?q=" + thePrefix, "Changes", "withdraw", "198.51.100.0"},
		"changes of a kind":        {"/changes?kind=withdraw", "Changes", "withdraw", "2001:db8"},
		"changes of a collection":  {"/changes?between=-2d/now&collection=old", "Changes", "Collection old", "198.51.100.0"},
		"a timeline":               {"/timeline?q=" + thePrefix, "Timeline of " + thePrefix, "64502", "198.51.100.0"},
		"a timeline of nothing":    {"/timeline?q=192.0.2.0/24", "Timeline of 192.0.2.0/24", "There was no route", "First seen"},
		"the form of a comparison": {"/diff", "Compare", "Two moments", "By cause"},
		"a comparison":             {"/diff?a=150m&b=90m&peer_a=&peer_b=&q=", "Compare", "By cause", "Nothing differs"},
		"a comparison of the same": {"/diff?a=90m&b=80m", "Compare", "Nothing differs", "By cause"},
		"a file":                   {"/diff?collection_b=old&a=now&b=now", "Compare", "in old", ""},
		"what is kept":             {"/history", "History", "recording", "not recording"},
	} {
		t.Run(name, func(t *testing.T) {
			w := ask(t, h, row.path)
			if w.Code != http.StatusOK {
				t.Fatalf("GET %s = %d %s", row.path, w.Code, w.Body)
			}
			page := parsePage(t, w)
			if got := page.all("h1", "")[0].words(); got != row.heading {
				t.Errorf("heading %q, want %q", got, row.heading)
			}
			words := page.words()
			if !strings.Contains(words, row.holds) {
				t.Errorf("GET %s holds no %q: %s", row.path, row.holds, words)
			}
			if row.lacks != "" && strings.Contains(words, row.lacks) {
				t.Errorf("GET %s holds %q: %s", row.path, row.lacks, words)
			}
			for _, form := range []string{".txt", ".json"} {
				path, rest, _ := strings.Cut(row.path, "?")
				if path == "/" {
					path = "/index"
				}
				if path == "/diff" && rest == "" && form == ".json" {
					continue
				}
				if w := ask(t, h, path+form+"?"+rest); w.Code != http.StatusOK {
					t.Errorf("GET %s%s?%s = %d %s", path, form, rest, w.Code, w.Body)
				}
			}
		})
	}
}

// elsewhere are links of a page that do not keep its moment: they have moments of
// their own, or none.
func elsewhere(link string) bool {
	for _, prefix := range []string{"#", "?", "/changes", "/diff", "/timeline", "/history", "/help", "/about", "/api/", "/assets/"} {
		if strings.HasPrefix(link, prefix) {
			return true
		}
	}
	return false
}

func TestOneStaysInThePastWhileClicking(t *testing.T) {
	r, sessions := pastWorld(t)
	h := r.server(httpapi.DefaultConfig(), sessions)
	moment := r.param(90 * time.Minute)
	for _, start := range []string{"/?at=" + moment, "/" + thePrefix + "?at=90m", "/search?q=origin+64501&at=90m"} {
		seen, list := map[string]bool{}, []string{start}
		for len(list) > 0 && len(seen) < 60 {
			path := list[0]
			list = list[1:]
			if seen[path] {
				continue
			}
			seen[path] = true
			w := ask(t, h, path)
			if w.Code != http.StatusOK {
				t.Fatalf("GET %s = %d %s", path, w.Code, w.Body)
			}
			if !strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") {
				continue // a picture, or a download
			}
			page := parsePage(t, w)
			bars := page.all("section", "past")
			if len(bars) != 1 || !strings.Contains(bars[0].words(), "Back to live") {
				t.Fatalf("GET %s has no bar that says that it is the past", path)
			}
			back := bars[0].all("a", "")[0].attr("href")
			if strings.Contains(back, "at=") {
				t.Errorf("GET %s: the link back to live is %s", path, back)
			}
			for _, a := range page.all("a", "") {
				link := a.attr("href")
				if link == back || elsewhere(link) {
					continue
				}
				u, err := url.Parse(link)
				if err != nil || u.Query().Get("at") != moment && !strings.Contains(link, "at=90m") {
					t.Errorf("GET %s: the link %s leaves the moment", path, link)
					continue
				}
				if !strings.HasSuffix(u.Path, ".txt") && !strings.HasSuffix(u.Path, ".json") && !strings.HasSuffix(u.Path, ".svg") {
					list = append(list, link)
				}
			}
		}
		if len(seen) < 5 {
			t.Errorf("from %s only %d pages were found", start, len(seen))
		}
	}
}

func TestSearchesOfThePast(t *testing.T) {
	r, sessions := pastWorld(t)
	h := r.server(httpapi.DefaultConfig(), sessions)
	at := "at=" + url.QueryEscape(r.param(90*time.Minute))
	for name, row := range map[string]struct{ from, to string }{
		"a word becomes the parameter":    {"/search?q=origin+64502+at+90m", "/search?" + at + "&q=origin+64502"},
		"of a prefix":                     {"/search?q=" + thePrefix + "+at+90m", "/" + thePrefix + "?" + at},
		"of nothing":                      {"/search?q=at+90m", "/?" + at},
		"one who is there stays":          {"/search?q=" + thePrefix + "&stay=90m", "/" + thePrefix + "?" + at},
		"and stays with a search":         {"/search?q=origin+64502&stay=90m", "/search?" + at + "&q=origin+64502"},
		"unless the query says otherwise": {"/search?q=" + thePrefix + "+at+90m&stay=1h", "/" + thePrefix + "?" + at},
		"a span is about changes":         {"/search?q=origin+64502+between+-2h+and+now", "/changes?q=origin+64502+between+-2h+and+now"},
		"as text":                         {"/search.txt?q=origin+64502+between+-2h+and+now", "/changes.txt?q=origin+64502+between+-2h+and+now"},
		"of a collection":                 {"/search?q=" + thePrefix + "&collection=old", "/" + thePrefix + "?collection=old"},
	} {
		t.Run(name, func(t *testing.T) {
			if w := ask(t, h, row.from); w.Code != http.StatusSeeOther || w.Header().Get("Location") != row.to {
				t.Errorf("GET %s = %d to %s, want %s", row.from, w.Code, w.Header().Get("Location"), row.to)
			}
		})
	}
}

func TestHostileReasonsAreEscapedOnPagesOfThePast(t *testing.T) {
	r, sessions := pastWorld(t)
	h := r.server(httpapi.DefaultConfig(), sessions)
	for _, path := range []string{"/changes", "/changes?q=peer+rs1.ixp", "/timeline?q=198.51.100.0/24", "/diff?a=90m&b=50m&stale=true", "/peers/rs1.ixp?at=50m"} {
		body := ask(t, h, path).Body.String()
		if strings.Contains(ownScripts.ReplaceAllString(body, ""), "<script") || strings.ContainsAny(body, "\x1b\u202e") {
			t.Errorf("GET %s lets a neighbour speak", path)
		}
		text := ask(t, h, path, "User-Agent", "curl/8").Body.String()
		if strings.ContainsAny(text, "\x1b\u202e") {
			t.Errorf("GET %s as text moves the cursor", path)
		}
	}
	for _, what := range hostile() {
		for _, path := range []string{"/changes?q=", "/timeline?q=", "/diff?a=", "/?at=", "/changes?between=", "/peers?collection=", "/search?q=1.1.1.1&stay="} {
			w := ask(t, h, path+url.QueryEscape(what))
			if body := w.Body.String(); w.Code < 400 || strings.Contains(body, "<script>alert") || strings.ContainsAny(body, "\x1b\u202e") {
				t.Errorf("GET %s with %q = %d %.200s", path, what, w.Code, body)
			}
		}
	}
}

func TestPagesOfThePastAreSafeAndSmall(t *testing.T) {
	r, sessions := pastWorld(t)
	h := r.server(httpapi.DefaultConfig(), sessions)
	for _, path := range []string{"/?at=90m", "/changes", "/timeline?q=" + thePrefix, "/diff?a=150m", "/history"} {
		w := ask(t, h, path, "Accept-Encoding", "gzip")
		if w.Header().Get("Content-Security-Policy") == "" || w.Header().Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("GET %s has not the headers of safety", path)
		}
		if n := w.Body.Len(); n > 14<<10 {
			t.Errorf("GET %s has %d bytes packed, want at most 14 kB", path, n)
		}
		page := ask(t, h, path).Body.String()
		if strings.Contains(ownScripts.ReplaceAllString(page, ""), "<script") || strings.Contains(page, " style=") || strings.Contains(page, r.dir) {
			t.Errorf("GET %s has a script, a style, or the path of a file", path)
		}
	}
	for _, path := range []string{"/api/v1/history", "/api/v1/status", "/api/v1/collections"} {
		if strings.Contains(ask(t, h, path).Body.String(), r.dir) {
			t.Errorf("GET %s tells where the files are", path)
		}
	}
}

func TestPagesOfChangesHaveLinksToTheNext(t *testing.T) {
	r, sessions := pastWorld(t)
	h := r.server(httpapi.DefaultConfig(), sessions)
	rows := 0
	for path, n := "/changes?between=-4d/now&limit=3", 0; path != ""; n++ {
		page := parsePage(t, ask(t, h, path))
		rows += len(page.all("tbody", "")[0].all("tr", ""))
		path = ""
		for _, a := range page.all("a", "") {
			if a.attr("rel") == "next" {
				path = a.attr("href")
			}
		}
		if n > 10 {
			t.Fatal("there is no last page")
		}
	}
	whole := fields(t, ask(t, h, "/api/v1/changes?between=-4d/now"), http.StatusOK, "application/json")["total"]
	if float64(rows) != whole {
		t.Errorf("the pages have %d changes, want %v", rows, whole)
	}
}

func TestFullPagesOfThePastAreSmall(t *testing.T) {
	r := newRemembered(t)
	_, sessions := world()
	peer := sessions[1].Peer
	steps := []step{{time.Hour, up(peer)}}
	set := func(i, origin int) route.Attrs {
		return attrs{
			path: []route.ASN{64500, route.ASN(3000 + i*7), route.ASN(20000 + i*131), route.ASN(40000 + i*977 + origin)}, nextHop: "192.0.2.1", med: i, pref: 100,
			communities: []route.Community{route.Community(i * 7919), route.Community(i*104729 + 1), route.Community(i*1299709 + origin)},
		}.build()
	}
	for i := range 150 {
		prefix := fmt.Sprintf("10.%d.%d.0/24", i, i*83%256)
		steps = append(steps, step{time.Hour, says(peer, prefix, 0, set(i, 0))}, step{time.Minute, says(peer, prefix, 0, set(i, 1))})
	}
	slices.SortStableFunc(steps, func(a, b step) int { return cmp.Compare(b.ago, a.ago) })
	r.live(steps...)
	h := r.server(httpapi.DefaultConfig(), sessions)
	for _, path := range []string{"/changes", "/diff?a=30m", "/search?q=peer+edge1&at=30m"} {
		w := ask(t, h, path, "Accept-Encoding", "gzip")
		if n := w.Body.Len(); w.Code != http.StatusOK || n > 14<<10 {
			t.Errorf("GET %s = %d, %d bytes packed, want at most 14 kB", path, w.Code, n)
		}
	}
}

func TestAComparisonLeadsToThatOfOnePeer(t *testing.T) {
	r, sessions := pastWorld(t)
	h := r.server(httpapi.DefaultConfig(), sessions)
	narrowed := 0
	for _, a := range parsePage(t, ask(t, h, "/diff?a=150m&b=90m&stale=true")).all("a", "") {
		to, err := url.Parse(a.attr("href"))
		if err != nil || to.Path != "/diff" || to.Query().Get("q") == "" {
			continue
		}
		narrowed++
		if got, want := to.Query().Get("q"), "peer "+a.words(); got != want || to.Query().Get("stale") != "true" {
			t.Errorf("%s leads to %s", a.words(), to)
		}
		for _, again := range parsePage(t, ask(t, h, to.String())).all("a", "") {
			if strings.HasPrefix(again.attr("href"), "/diff?") {
				t.Errorf("%s leads on to %s", to, again.attr("href"))
			}
		}
	}
	if narrowed == 0 {
		t.Error("no peer is a link")
	}
}
