package httpapi_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"ribglass/httpapi"
	"ribglass/ui/site"
)

// siteFiles are what the configuration of a site names.
func siteFiles(t *testing.T, terms string) site.Config {
	t.Helper()
	dir := t.TempDir()
	file := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	return site.Config{
		Name: "Example Net & Friends", Contact: "noc@example.net", Notice: "Maintenance <b>tonight</b>", Colour: "#7a1f5c", DarkColour: "#f0a3d8",
		Logo:  file("logo.svg", `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 10"><path d="M0 0h40v10z"/></svg>`),
		Links: []site.Link{{Text: "Website", URL: "https://www.example.net/?a=1&b=2"}, {Text: "Our AS", URL: "/as/64500"}},
		Terms: file("terms.md", terms),
		Pages: []site.PageConfig{
			{Title: "Peering", Path: "peering", File: file("peering.md", "# Policy\n\nWe peer with *all*.\n")},
			{Title: "Route server", Path: "rs", File: file("rs.md", "rs")},
		},
	}
}

// operated returns a server of a site.
func operated(t *testing.T, cfg site.Config) *httpapi.Server {
	t.Helper()
	of, err := site.Load(cfg)
	if err != nil {
		t.Fatal(err)
	}
	store, sessions := world()
	s, err := httpapi.New(httpapi.DefaultConfig(), httpapi.Deps{
		Store: store, Sessions: sessions, Logger: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry(),
		Now: func() time.Time { return now }, Site: of,
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// shared are pages of each kind.
func shared() []string {
	return []string{"/", "/1.1.1.1", "/search?q=via+13335", "/peers", "/peers/edge1", "/as/13335", "/help", "/about", "/terms", "/pages/peering", "/frob", "/graph?q=1.1.1.0/24"}
}

func TestEveryPageIsOfItsSite(t *testing.T) {
	h := operated(t, siteFiles(t, "Be kind.")).Handler()
	for _, path := range shared() {
		page := parsePage(t, ask(t, h, path))
		checkFrame(t, page)
		if got := page.all("a", "brand")[0].words(); got != "Example Net & Friends" {
			t.Errorf("%s: name in the bar %q", path, got)
		}
		if got := page.all("title", "")[0].words(); !strings.HasSuffix(got, " · Example Net & Friends") {
			t.Errorf("%s: title %q", path, got)
		}
		if notice := page.all("aside", "notice"); len(notice) != 1 || notice[0].words() != "Maintenance <b>tonight</b>" {
			t.Errorf("%s: the notice is missing", path)
		}
		menu := page.all("nav", "links")[0].links()
		if diff := cmp.Diff([]string{"https://www.example.net/?a=1&b=2", "/as/64500"}, menu); diff != "" {
			t.Errorf("%s: links of the menu (-want +got):\n%s", path, diff)
		}
		foot := page.all("nav", "site")[0].links()
		if diff := cmp.Diff([]string{"/pages/peering", "/pages/rs", "/terms", "mailto:noc@example.net"}, foot); diff != "" {
			t.Errorf("%s: links at the foot (-want +got):\n%s", path, diff)
		}
		logo := page.all("a", "brand")[0].all("img", "")
		if len(logo) != 1 || logo[0].attr("width") != "1000" || logo[0].attr("height") != "250" {
			t.Fatalf("%s: the logo is missing", path)
		}
		if w := ask(t, h, logo[0].attr("src")); w.Code != http.StatusOK {
			t.Errorf("%s: the logo is %d", path, w.Code)
		}
	}
}

func TestASiteThatSaysNothingAddsNothing(t *testing.T) {
	h := worldHandler(t)
	page := parsePage(t, ask(t, h, "/"))
	if got := page.all("a", "brand")[0].words(); got != "Ribglass" {
		t.Errorf("name in the bar %q", got)
	}
	if len(page.all("aside", "notice")) > 0 || len(page.all("nav", "site")) > 0 || len(page.all("nav", "links")) > 0 || len(page.all("img", "")) > 0 {
		t.Error("there is a notice, a list of links, or a logo")
	}
	for _, path := range []string{"/terms", "/terms.txt", "/pages/peering", "/pages/peering.txt", "/pages/"} {
		if w := ask(t, h, path); w.Code != http.StatusNotFound {
			t.Errorf("GET %s = %d, want 404", path, w.Code)
		}
	}
	if text := ask(t, h, "/index.txt").Body.String(); !strings.HasPrefix(text, "Ribglass 0.1.0, AS64500, ") {
		t.Errorf("the text begins with %.60q", text)
	}
}

func TestPagesOfTheOperatorAreHTMLAndText(t *testing.T) {
	h := operated(t, siteFiles(t, "Be kind.\n\n\tand \x1b[2J patient\u202e\n")).Handler()
	page := parsePage(t, ask(t, h, "/pages/peering"))
	if h1, h2 := page.all("h1", ""), page.all("main", "")[0].all("h2", ""); len(h1) != 1 || h1[0].words() != "Peering" || len(h2) != 1 || h2[0].words() != "Policy" {
		t.Errorf("the page says %q", page.words())
	}
	if em := page.all("em", ""); len(em) != 1 || em[0].words() != "all" {
		t.Error("the emphasis is missing")
	}
	const want = "! Maintenance <b>tonight</b>\nPeering\n\n# Policy\n\nWe peer with *all*.\n"
	for _, w := range []string{
		ask(t, h, "/pages/peering.txt").Body.String(), ask(t, h, "/pages/peering", "Accept", "text/plain").Body.String(),
		ask(t, h, "/pages/peering", "User-Agent", "curl/8").Body.String(),
	} {
		if w != want {
			t.Errorf("as text:\n%s\nwant:\n%s", w, want)
		}
	}
	const terms = "! Maintenance <b>tonight</b>\nTerms of use\n\nBe kind.\n\n    and \ufffd[2J patient\ufffd\n"
	if got := ask(t, h, "/terms.txt").Body.String(); got != terms {
		t.Errorf("terms as text:\n%q\nwant:\n%q", got, terms)
	}
	for target, want := range map[string]int{
		"/pages/peering.json": http.StatusNotAcceptable, "/terms?x=1": http.StatusBadRequest, "/pages/peering?at=1h": http.StatusBadRequest,
		"/pages/gone": http.StatusNotFound, "/pages/../terms": http.StatusNotFound, "/pages/PEERING": http.StatusNotFound,
	} {
		if w := ask(t, h, target); w.Code != want {
			t.Errorf("GET %s = %d, want %d", target, w.Code, want)
		}
	}
}

func TestPagesOfTheOperatorAreInTheFrameOfALanguage(t *testing.T) {
	h := operated(t, siteFiles(t, "See [peering](/pages/peering) and [us](https://www.example.net/).")).Handler()
	page := parsePage(t, ask(t, h, "/terms?lang=de"))
	if got := page.all("h1", "")[0].words(); got != "Nutzungsbedingungen" || page.all("html", "")[0].attr("lang") != "de" {
		t.Errorf("heading %q of a page in German", got)
	}
	want := []string{"/pages/peering?lang=de", "https://www.example.net/"}
	if diff := cmp.Diff(want, page.all("main", "")[0].links()); diff != "" {
		t.Errorf("links (-want +got):\n%s", diff)
	}
}

func TestTextNamesTheSite(t *testing.T) {
	h := operated(t, siteFiles(t, "Be kind.")).Handler()
	const want = "! Maintenance <b>tonight</b>\nExample Net & Friends, Ribglass "
	if text := ask(t, h, "/index.txt").Body.String(); !strings.HasPrefix(text, want) {
		t.Errorf("the text begins with %.100q, want %q", text, want)
	}
	if text := ask(t, h, "/about.txt").Body.String(); !strings.Contains(text, "contact") || !strings.Contains(text, "noc@example.net") {
		t.Errorf("about the site as text:\n%s", text)
	}
	if about := parsePage(t, ask(t, h, "/about")).words(); !strings.Contains(about, "Contact noc@example.net") {
		t.Errorf("about the site: %q", about)
	}
}

func TestTheLogoIsAnImageAndNothingElse(t *testing.T) {
	h := operated(t, siteFiles(t, "Be kind.")).Handler()
	src := parsePage(t, ask(t, h, "/")).all("img", "")[0].attr("src")
	for _, encoding := range []string{"", "gzip"} {
		w := ask(t, h, src, "Accept-Encoding", encoding)
		for name, want := range map[string]string{
			"Content-Type": "image/svg+xml", "X-Content-Type-Options": "nosniff", "Cross-Origin-Resource-Policy": "same-origin",
			"Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox",
			"Cache-Control":           "public, max-age=31536000, immutable", "Set-Cookie": "",
		} {
			if got := w.Header().Get(name); got != want {
				t.Errorf("%s = %q, want %q", name, got, want)
			}
		}
	}
}

func TestTheColoursOfTheSiteAreInItsStyleSheet(t *testing.T) {
	h := operated(t, siteFiles(t, "Be kind.")).Handler()
	raw := ask(t, h, "/").Body.String()
	page := parsePage(t, ask(t, h, "/"))
	var styles []string
	for _, link := range page.all("link", "") {
		if link.attr("rel") == "stylesheet" {
			styles = append(styles, link.attr("href"))
		}
	}
	if len(styles) != 1 {
		t.Fatalf("style sheets %q, want one", styles)
	}
	if css := ask(t, h, styles[0]).Body.String(); !strings.HasSuffix(css, ":root { --teal: light-dark(#7a1f5c, #f0a3d8); }\n") || !strings.Contains(css, "--accent: var(--teal)") {
		t.Errorf("the style sheet ends with %q", css[len(css)-80:])
	}
	if !strings.Contains(raw, "%237a1f5c") {
		t.Error("the icon has another colour")
	}
	if other := ask(t, worldHandler(t), styles[0]); other.Code != http.StatusNotFound {
		t.Errorf("a site without colours has the style sheet too: %d", other.Code)
	}
}

func TestB5MarkdownOfTheOperatorCannotRun(t *testing.T) {
	for _, text := range append(hostile(), "[x](javascript:alert(1))", "![x](https://evil.example/a.png)", "<javascript:alert(1)>", "</div></main><script>alert(1)</script>") {
		h := operated(t, siteFiles(t, "text\n\n"+text+"\n")).Handler()
		page := parsePage(t, ask(t, h, "/terms"))
		checkFrame(t, page)
		main := page.all("main", "")[0]
		for _, tag := range []string{"img", "svg", "textarea", "script", "a", "b", "title"} {
			if len(main.all(tag, "")) > 0 {
				t.Errorf("terms with %q have a <%s>", text, tag)
			}
		}
		if n := len(page.all("main", "")); n != 1 {
			t.Errorf("terms with %q leave their place", text)
		}
		body := ask(t, h, "/terms.txt").Body.String()
		if i := strings.IndexFunc(body, func(r rune) bool { return r < ' ' && r != '\n' || r == 0x7f || r == '\u202e' }); i >= 0 {
			t.Errorf("terms with %q have the control character %q", text, body[i])
		}
	}
}

func TestAnotherSiteIsShownAtOnceAndOldPagesKeepTheirStyle(t *testing.T) {
	s := operated(t, siteFiles(t, "Be kind."))
	h := s.Handler()
	old := parsePage(t, ask(t, h, "/"))
	fresh, err := site.Load(site.Config{Name: "Other", Colour: "#004488"})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.SetSite(fresh); err != nil {
		t.Fatal(err)
	}
	page := parsePage(t, ask(t, h, "/"))
	if got := page.all("a", "brand")[0].words(); got != "Other" || len(page.all("aside", "notice")) > 0 {
		t.Errorf("the page is of %q still", got)
	}
	if w := ask(t, h, "/terms"); w.Code != http.StatusNotFound {
		t.Errorf("the old terms are %d", w.Code)
	}
	for _, p := range []element{old, page} {
		for _, link := range p.all("link", "") {
			if link.attr("rel") != "stylesheet" {
				continue
			}
			if w := ask(t, h, link.attr("href")); w.Code != http.StatusOK {
				t.Errorf("the style sheet %s is %d", link.attr("href"), w.Code)
			}
		}
	}
	if w := ask(t, h, old.all("img", "")[0].attr("src")); w.Code != http.StatusOK {
		t.Errorf("the old logo is %d", w.Code)
	}
}

func TestAnotherSiteEndsNoStream(t *testing.T) {
	first, err := site.Load(siteFiles(t, "Be kind."))
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		fake, sessions := world()
		store := &changingStore{fakeStore: fake}
		s := newTellingServer(t, store, sessions)
		ctx, cancel := context.WithCancel(t.Context())
		r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/api/v1/events?q=1.1.1.1", nil)
		w := httptest.NewRecorder()
		done := make(chan struct{})
		go func() { defer close(done); s.Handler().ServeHTTP(w, r) }()
		synctest.Wait()
		if err := s.SetSite(first); err != nil {
			t.Fatal(err)
		}
		store.change(func(s *fakeStore) { s.routes = s.routes[:1] })
		time.Sleep(time.Second)
		cancel()
		<-done
		if body := w.Body.String(); !strings.Contains(body, `data: {"changes":`) {
			t.Errorf("the stream has no event of what came after the reload: %q", body)
		}
	})
}

func TestProgramsAreToldWhomToWriteTo(t *testing.T) {
	version := func(terms string) string {
		got := fields(t, ask(t, operated(t, siteFiles(t, terms)).Handler(), "/api/v1/site"), http.StatusOK, "application/json")
		if got["name"] != "Example Net & Friends" || got["contact"] != "mailto:noc@example.net" {
			t.Errorf("site = %v", got)
		}
		return got["terms"].(map[string]any)["version"].(string)
	}
	if one, other := version("Be kind."), version("Be kinder."); one == other {
		t.Errorf("other terms have the version %s too", other)
	}
	nothing := fields(t, ask(t, worldHandler(t), "/api/v1/site"), http.StatusOK, "application/json")
	if diff := cmp.Diff(map[string]any{"name": "Ribglass"}, nothing); diff != "" {
		t.Errorf("a site that says nothing (-want +got):\n%s", diff)
	}
}

// checkSite checks the answer about the site against the document.
func (c *schemaChecker) checkSite(t *testing.T) {
	t.Helper()
	var v any
	if err := json.Unmarshal(ask(t, operated(t, siteFiles(t, "Be kind.")).Handler(), "/api/v1/site").Body.Bytes(), &v); err != nil {
		t.Fatal(err)
	}
	c.check(c.schemas["Site"].(map[string]any), "Site", v)
}
