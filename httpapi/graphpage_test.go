package httpapi_test

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"image/color"
	"image/png"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"ribglass/httpapi"
	"ribglass/ribstore/query"
	"ribglass/ribstore/route"
)

// crowd is a world in which n peers hear of one prefix, each from an AS of its
// own.
func crowd(n int) (*fakeStore, fakeSessions) {
	store, sessions := world()
	store.routes = nil
	for i := range n {
		peer := &route.Peer{Name: fmt.Sprintf("p%d", i), ASN: route.ASN(65000 + i), Address: netip.MustParseAddr("192.0.2.9")}
		a := attrs{path: []route.ASN{peer.ASN, route.ASN(1000 + i), 13335}, nextHop: "192.0.2.9", med: -1, pref: -1}
		store.routes = append(store.routes, route.Route{
			Prefix: netip.MustParsePrefix("1.1.1.0/24"), Peer: peer, Attrs: a.build(), ReceivedAt: now, Best: i == 0,
		})
	}
	return store, sessions
}

func wellFormed(t *testing.T, body string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(body))
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatalf("not XML: %v", err)
		}
	}
}

func TestGraphPageHasThePictureAndItsPathsAsText(t *testing.T) {
	page := parsePage(t, ask(t, worldHandler(t), "/graph?q=1.1.1.0/24", "Accept", "text/html"))
	svgs := page.all("svg", "graph")
	if len(svgs) != 1 {
		t.Fatalf("%d pictures, want one", len(svgs))
	}
	links := svgs[0].links()
	for _, want := range []string{"/as/13335", "/as/3356", "/peers/edge1"} {
		if !slices.Contains(links, want) {
			t.Errorf("the picture leads to %v, want %s among them", links, want)
		}
	}
	if n := len(svgs[0].all("style", "")) + len(page.all("main", "")[0].all("script", "")); n > 0 {
		t.Errorf("%d elements that the policy of the page forbids", n)
	}
	rows := page.all("tr", "best")
	if len(rows) != 1 || !strings.Contains(rows[0].words(), "edge1 3356 13335") {
		t.Errorf("best rows %d, want that of edge1 with its path", len(rows))
	}
	if !slices.Contains(page.links(), "/graph.svg?q=1.1.1.0%2F24") {
		t.Errorf("no link to the picture alone in %v", page.links())
	}
}

func TestPagesLeadToTheirPicture(t *testing.T) {
	h := worldHandler(t)
	for target, want := range map[string]string{
		"/1.1.1.0/24":           "/graph?q=1.1.1.0%2F24",
		"/search?q=via+13335":   "/graph?q=via+13335",
		"/as/13335":             "/graph?q=via+13335",
		"/community/3356:3":     "/graph?q=community+3356%3A3",
		"/1.1.1.1?peer=edge1":   "/graph?q=1.1.1.1+peer+edge1",
		"/1.1.0.0/16/or-longer": "/graph?q=1.1.0.0%2F16+or-longer",
	} {
		links := parsePage(t, ask(t, h, target, "Accept", "text/html")).links()
		if !slices.Contains(links, want) {
			t.Errorf("%s leads to %v, want %s among them", target, links, want)
		}
		if w := ask(t, h, want); w.Code != http.StatusOK {
			t.Errorf("%s = %d", want, w.Code)
		}
	}
}

func TestGraphAsFileIsXMLUnderAStrictPolicy(t *testing.T) {
	w := ask(t, worldHandler(t), "/graph.svg?q=1.1.1.0/24")
	if w.Code != http.StatusOK {
		t.Fatalf("status %d: %s", w.Code, w.Body)
	}
	for name, want := range map[string]string{
		"Content-Type": "image/svg+xml", "X-Content-Type-Options": "nosniff",
		"Content-Disposition": `attachment; filename="as-paths.svg"`,
	} {
		if got := w.Header().Get(name); got != want {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
	policy := w.Header().Get("Content-Security-Policy")
	if !strings.HasPrefix(policy, "default-src 'none'; style-src 'sha256-") || strings.Contains(policy, "unsafe") {
		t.Errorf("policy %q", policy)
	}
	wellFormed(t, w.Body.String())
	if strings.Contains(w.Body.String(), "href") {
		t.Error("a file to keep has links that lead nowhere")
	}
}

func TestGraphAsPNG(t *testing.T) {
	h := worldHandler(t)
	size := func(target string) (width int, page color.Color) {
		t.Helper()
		w := ask(t, h, target)
		if w.Code != http.StatusOK {
			t.Fatalf("GET %s = %d: %s", target, w.Code, w.Body)
		}
		for name, want := range map[string]string{
			"Content-Type": "image/png", "X-Content-Type-Options": "nosniff", "Content-Disposition": `attachment; filename="as-paths.png"`,
		} {
			if got := w.Header().Get(name); got != want {
				t.Errorf("%s = %q, want %q", name, got, want)
			}
		}
		img, err := png.Decode(w.Body)
		if err != nil {
			t.Fatalf("GET %s: %v", target, err)
		}
		return img.Bounds().Dx(), img.At(0, 0)
	}
	one, light := size("/graph.png?q=1.1.1.0/24&scale=1")
	for target, times := range map[string]int{"/graph.png?q=1.1.1.0/24": 2, "/graph.png?q=1.1.1.0/24&theme=light&scale=3": 3} {
		if width, page := size(target); width != times*one || page != light {
			t.Errorf("GET %s is %d wide, want %d times %d; its page is %v", target, width, times, one, page)
		}
	}
	if _, dark := size("/graph.png?q=1.1.1.0/24&theme=dark"); dark == light {
		t.Error("both themes have one colour")
	}
	links := parsePage(t, ask(t, h, "/graph?q=1.1.1.0/24", "Accept", "text/html")).links()
	for _, theme := range []string{"light", "dark"} {
		if want := "/graph.png?q=1.1.1.0%2F24&theme=" + theme; !slices.Contains(links, want) {
			t.Errorf("no link to %s in %v", want, links)
		}
	}
}

func TestGraphAsPNGIsOfABoundedSize(t *testing.T) {
	store, sessions := crowd(300)
	for i := range store.routes { // long paths make a wide picture
		r, a := &store.routes[i], attrs{nextHop: "192.0.2.9", med: -1, pref: -1}
		for hop := range 60 {
			a.path = append(a.path, route.ASN(100_000+1000*hop+i%40))
		}
		r.Attrs = a.build()
	}
	h := newServer(t, httpapi.DefaultConfig(), store, sessions).Handler()
	problem := fields(t, ask(t, h, "/graph.png?q=1.1.1.0/24&scale=3", "Accept", "application/json"), http.StatusBadRequest, "application/problem+json")
	if detail := fmt.Sprint(problem["detail"]); !strings.Contains(detail, "million are allowed") || !strings.Contains(detail, "smaller scale") {
		t.Errorf("detail %q", detail)
	}
}

func TestGraphAsText(t *testing.T) {
	h := worldHandler(t)
	body := ask(t, h, "/graph.txt?q=1.1.1.0/24").Body.String()
	want := `> edge1    ────────────── 3356 ─────┬─ 13335
  edge2    ────────────── 64510 ×3 ─┘
  rs1.ixp  4200000001 ─── 13335 ────── {64601,64602}
`
	if !strings.Contains(body, want) {
		t.Errorf("text\n%s\nwant in it\n%s", body, want)
	}
	ascii := ask(t, h, "/graph.txt?q=1.1.1.0/24&ascii=true").Body.String()
	if i := strings.IndexFunc(ascii, func(r rune) bool { return r > '~' }); i >= 0 {
		t.Errorf("not ASCII at %d:\n%s", i, ascii)
	}
}

func TestGraphOfWhatIsNotThere(t *testing.T) {
	h := worldHandler(t)
	for target, want := range map[string]int{
		"/graph":                              http.StatusBadRequest,
		"/graph?q=":                           http.StatusBadRequest,
		"/graph?q=frob":                       http.StatusBadRequest,
		"/graph?q=1.1.1.1&limit=3":            http.StatusBadRequest,
		"/graph.svg?q=peer+nobody":            http.StatusNotFound,
		"/graph.txt?q=1.1.1.1&ascii=maybe":    http.StatusBadRequest,
		"/graph.png?q=":                       http.StatusBadRequest,
		"/graph.png?q=peer+nobody":            http.StatusNotFound,
		"/graph.png?q=1.1.1.1&theme=red":      http.StatusBadRequest,
		"/graph.png?q=1.1.1.1&scale=4":        http.StatusBadRequest,
		"/graph.png?q=1.1.1.1&scale=1e9":      http.StatusBadRequest,
		"/graph.png?q=203.0.113.0/24":         http.StatusOK,
		"/api/v1/graph":                       http.StatusBadRequest,
		"/api/v1/graph?q=between+-2h+and+now": http.StatusBadRequest,
		"/graph?q=203.0.113.0/24":             http.StatusOK,
		"/graph.txt?q=203.0.113.0/24":         http.StatusOK,
		"/graph.svg?q=203.0.113.0/24":         http.StatusOK,
		"/api/v1/graph?q=203.0.113.0/24":      http.StatusOK,
	} {
		if w := ask(t, h, target); w.Code != want {
			t.Errorf("GET %s = %d, want %d", target, w.Code, want)
		}
	}
}

func TestGraphIsMadeOfOneSearchAndSaysWhereItEnds(t *testing.T) {
	store, sessions := crowd(1)
	for i := range 7000 {
		r := store.routes[0]
		r.Prefix = netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i >> 8), byte(i), 0}), 24)
		store.routes = append(store.routes, r)
	}
	h := newServer(t, httpapi.DefaultConfig(), store, sessions).Handler()
	got := fields(t, ask(t, h, "/api/v1/graph?q=10.0.0.0/8+or-longer"), http.StatusOK, "application/json")
	if store.pages != 1 {
		t.Errorf("a picture took %d searches, want one", store.pages)
	}
	if got["total"] != 7000.0 || got["routes"] != 5000.0 || len(got["paths"].([]any)) != 1 {
		t.Errorf("total %v, routes %v, %v", got["total"], got["routes"], got["paths"])
	}
	body := ask(t, h, "/graph.svg?q=10.0.0.0/8+or-longer").Body.String()
	if !strings.Contains(body, "Paths of the first 5000 routes of 7000 only.") {
		t.Error("the picture does not say that it is not of all")
	}
}

func TestHostilePeersStayTextInGraphs(t *testing.T) {
	for _, name := range hostile() {
		store, sessions := crowd(2)
		store.routes[0].Peer.Name = name
		h := newServer(t, httpapi.DefaultConfig(), store, sessions).Handler()
		wellFormed(t, ask(t, h, "/graph.svg?q=1.1.1.0/24").Body.String())
		if _, err := png.Decode(ask(t, h, "/graph.png?q=1.1.1.0/24").Body); err != nil {
			t.Errorf("the name %q: %v", name, err)
		}
		page := parsePage(t, ask(t, h, "/graph?q=1.1.1.0/24", "Accept", "text/html"))
		if n := len(page.all("main", "")[0].all("script", "")) + len(page.all("img", "")) + len(page.all("b", "")); n > 0 || len(page.all("svg", "")) != 1 {
			t.Errorf("the name %q became elements", name)
		}
		text := ask(t, h, "/graph.txt?q=1.1.1.0/24").Body.String()
		if strings.ContainsAny(text, "\x1b\x07\r\u202e") {
			t.Errorf("the name %q reaches the terminal: %q", name, text)
		}
	}
}

func TestGraphsAndDocumentAgree(t *testing.T) {
	h := worldHandler(t)
	document := fields(t, ask(t, h, "/api/v1/openapi.json"), http.StatusOK, "application/json")
	schemas := document["components"].(map[string]any)["schemas"].(map[string]any)
	c := &schemaChecker{schemas: schemas, seen: map[string]bool{}}
	store, sessions := crowd(200)
	many := newServer(t, httpapi.DefaultConfig(), store, sessions).Handler()
	for _, server := range []http.Handler{h, many} {
		var v any
		if err := json.Unmarshal(ask(t, server, "/api/v1/graph?q=1.1.1.0/24").Body.Bytes(), &v); err != nil {
			t.Fatal(err)
		}
		c.check(schemas["Graph"].(map[string]any), "Graph", v)
	}
	for _, w := range c.wrong {
		t.Errorf("an answer has what the document does not: %s", w)
	}
	for _, m := range members(schemas["Graph"].(map[string]any), "Graph") {
		if m == "Graph.requested_at" || m == "Graph.notices" { // of the past, as in Routes
			continue
		}
		if !c.seen[m] {
			t.Errorf("the document has what no answer has: %s", m)
		}
	}
}

// pastStore answers about every moment what the store holds, and notes which
// moments it was asked about.
type pastStore struct {
	*fakeStore
	asked []query.Moment
}

func (s *pastStore) Search(ctx context.Context, q query.Query, p query.Page) (*query.Result, error) {
	s.asked = append(s.asked, q.At)
	at := q.At
	q.At = query.Moment{}
	res, err := s.fakeStore.Search(ctx, q, p)
	if err == nil {
		res.Query.At, res.At = at, at.In(now)
	}
	return res, err
}

func TestGraphOfAMomentOfThePast(t *testing.T) {
	fake, sessions := world()
	store := &pastStore{fakeStore: fake}
	h := newServer(t, httpapi.DefaultConfig(), store, sessions).Handler()
	moment := query.Moment{Time: now.Add(-time.Hour)}
	for _, target := range []string{"/graph?q=1.1.1.0/24+at+2026-11-22T11:00:00Z", "/graph?q=1.1.1.0/24&at=2026-11-22T11:00:00Z", "/graph?q=1.1.1.0/24&at=1h"} {
		store.asked = nil
		links := parsePage(t, ask(t, h, target, "Accept", "text/html")).all("svg", "graph")[0].links()
		if !slices.Contains(links, "/as/13335?at="+url.QueryEscape(moment.String())) {
			t.Errorf("%s: the picture leads to %v, want pages of the same moment", target, links)
		}
		if len(store.asked) != 1 || !store.asked[0].In(now).Equal(moment.Time) {
			t.Errorf("%s asks about %v, want %v", target, store.asked, moment)
		}
	}
	body := ask(t, h, "/graph.svg?q=1.1.1.0/24&at=1h").Body.String()
	if !strings.Contains(body, "at 2026-11-22T11:00") {
		t.Errorf("the picture does not say of which moment it is: %s", body)
	}
}
