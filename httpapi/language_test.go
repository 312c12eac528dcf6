package httpapi_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ribglass/httpapi"
)

// pageIn asks for a page in languages and returns its root element.
func pageIn(t *testing.T, h http.Handler, path, accept string) element {
	t.Helper()
	w := ask(t, h, path, "Accept-Language", accept)
	if vary := w.Header().Get("Vary"); !strings.Contains(vary, "Accept-Language") {
		t.Errorf("GET %s: Vary = %q, want Accept-Language in it", path, vary)
	}
	page := parsePage(t, w).all("html", "")[0]
	if got, want := w.Header().Get("Content-Language"), page.attr("lang"); got != want {
		t.Errorf("GET %s: Content-Language = %q, the page is in %q", path, got, want)
	}
	return page
}

func TestPagesAreInTheLanguageOfTheReader(t *testing.T) {
	r, sessions := pastWorld(t)
	h := r.server(httpapi.DefaultConfig(), sessions)
	for _, tt := range []struct{ name, path, accept, lang, label string }{
		{"no language is asked for", "/", "", "en", "Address, prefix or query"},
		{"the browser asks for German", "/", "de-CH,de;q=0.9", "de", "Adresse, Präfix oder Abfrage"},
		{"the link asks for German", "/?lang=de", "en", "de", "Adresse, Präfix oder Abfrage"},
		{"the link asks for English", "/" + thePrefix + "?at=90m&lang=en", "de", "en", "Address, prefix or query"},
		{"there is no page", "/nothing", "de", "de", "Adresse, Präfix oder Abfrage"},
		{"there is no such language", "/?lang=xx", "de", "de", "Adresse, Präfix oder Abfrage"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			page := pageIn(t, h, tt.path, tt.accept)
			got := []string{page.attr("lang"), page.attr("dir"), page.all("label", "hidden")[0].words()}
			if diff := cmp.Diff([]string{tt.lang, "ltr", tt.label}, got); diff != "" {
				t.Errorf("lang, dir and label (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAChosenLanguageStaysWhileClicking(t *testing.T) {
	r, sessions := pastWorld(t)
	h := r.server(httpapi.DefaultConfig(), sessions)
	for _, start := range []string{"/?lang=de", "/" + thePrefix + "?at=90m&lang=de", "/peers?lang=de", "/search?q=origin+64501&lang=de", "/nothing?lang=de"} {
		page := pageIn(t, h, start, "en")
		for _, link := range page.links() {
			inside := strings.HasPrefix(link, "/") && !strings.HasPrefix(link, "/api/")
			if inside && strings.Count(link, "lang=de") != 1 {
				t.Errorf("GET %s: the link %s leaves the language", start, link)
			}
		}
		for _, form := range page.all("form", "") {
			if fields := form.all("input", ""); len(fields) == 0 || fields[0].attr("name") != "lang" || fields[0].attr("value") != "de" {
				t.Errorf("GET %s: the form to %s leaves the language", start, form.attr("action"))
			}
		}
	}
	w := ask(t, h, "/search?q="+thePrefix+"&lang=de")
	if got, want := w.Header().Get("Location"), "/"+thePrefix+"?lang=de"; got != want {
		t.Errorf("a search leads to %s, want %s", got, want)
	}
	if links := strings.Join(pageIn(t, h, "/peers", "de").links(), " "); strings.Contains(strings.ReplaceAll(links, "?lang=", ""), "lang=") {
		t.Errorf("the language of the browser stands in links: %s", links)
	}
}

func TestWrongLanguagesAreRefused(t *testing.T) {
	h := worldHandler(t)
	for _, tt := range []struct{ path, want string }{
		{"/?lang=xx", `lang "xx" is not one of en, de.`},
		{"/?lang=", `lang "" is not one of en, de.`},
		{"/?lang=de&lang=en", `"lang" may be given only once.`},
		{"/?lang=%22%3E%3Cscript%3E", "is not one of en, de."},
	} {
		w := ask(t, h, tt.path, "Accept", "text/plain")
		if w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), tt.want) {
			t.Errorf("GET %s = %d %s, want %q", tt.path, w.Code, w.Body, tt.want)
		}
	}
	if w := ask(t, h, "/api/v1/status?lang=de"); w.Code != http.StatusBadRequest {
		t.Errorf("the API takes lang: %d", w.Code)
	}
}

func TestTextAndJSONStayEnglish(t *testing.T) {
	r, sessions := pastWorld(t)
	h := r.server(httpapi.DefaultConfig(), sessions)
	for _, path := range []string{"/help", "/" + thePrefix, "/peers", "/nothing"} {
		for _, form := range []string{"text/plain", "application/json"} {
			english := ask(t, h, path, "Accept", form, "Accept-Language", "en").Body.String()
			german := ask(t, h, path+"?lang=de", "Accept", form, "Accept-Language", "de").Body.String()
			if diff := cmp.Diff(english, german); diff != "" {
				t.Errorf("%s of %s differs by language (-en +de):\n%s", form, path, diff)
			}
		}
	}
}

func TestATranslationCannotBreakAPage(t *testing.T) {
	dir := t.TempDir()
	const hostile = `<script>alert(1)</script>\"' onload='x'>`
	body := `{"language": "ar", "name": "` + hostile + `", "dir": "rtl", "texts": {
"frame.look_up": "` + hostile + `", "frame.placeholder": "` + hostile + `", "frame.forms": "` + hostile + ` {json} {text}",
"live.last_update": "` + hostile + ` {age}", "script.freeze": "` + hostile + `"}}`
	if err := os.WriteFile(filepath.Join(dir, "ar.json"), []byte(body), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg := httpapi.DefaultConfig()
	cfg.Texts, cfg.Languages = dir, []string{"ar"}
	store, sessions := world()
	h := newServer(t, cfg, store, sessions).Handler()
	w := ask(t, h, "/")
	text := w.Body.String()
	page := parsePage(t, w).all("html", "")[0]
	if page.attr("dir") != "rtl" || page.attr("lang") != "ar" {
		t.Errorf("the page is %s %s", page.attr("lang"), page.attr("dir"))
	}
	if left := ownScripts.ReplaceAllString(text, ""); strings.Contains(left, "<script") || strings.Contains(left, "onload='") {
		t.Error("a text became markup")
	}
	for _, module := range page.all("script", "") {
		if at := module.attr("src"); strings.HasPrefix(at, "/assets/texts-ar-") {
			script := ask(t, h, at)
			if !strings.HasPrefix(script.Body.String(), "import { speak } from '/assets/page-") || strings.Contains(script.Body.String(), "<") {
				t.Errorf("the texts of scripts are %.200s", script.Body)
			}
			return
		}
	}
	t.Error("the page has no texts for scripts")
}

// TestLinksToOtherLanguagesAreLinks asks for pages whose query has a colon, which a
// browser sends as it is.
func TestLinksToOtherLanguagesAreLinks(t *testing.T) {
	h := worldHandler(t)
	for _, path := range []string{"/search?q=community+64500:1", "/search?q=nexthop+2001:db8::/32", "/peers?find=a:b", "/nothing?x=javascript:alert(1)"} {
		links := pageIn(t, h, path, "en").links()
		others := 0
		for _, link := range links {
			if strings.Contains(link, "ZgotmplZ") {
				t.Errorf("GET %s: a link is %s", path, link)
			}
			if strings.HasPrefix(link, "?") && strings.HasSuffix(link, "&lang=de") {
				others++
			}
		}
		if others != 1 {
			t.Errorf("GET %s: %d links to German, want 1, in %q", path, others, links)
		}
	}
}
