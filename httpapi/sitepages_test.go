package httpapi_test

import (
	"net/http"
	"strings"
	"testing"

	"ribglass/ribstore/query"
)

func TestTheHelpExplainsEveryWord(t *testing.T) {
	h := worldHandler(t)
	page := parsePage(t, ask(t, h, "/help"))
	checkFrame(t, page)
	text := ask(t, h, "/help.txt").Body.String()
	for _, w := range query.Words() {
		if !strings.Contains(page.words(), w.Means) || !strings.Contains(text, w.Means) {
			t.Errorf("the help does not say what %s means", w.Text)
		}
	}
	for _, link := range page.all("main", "")[0].links() {
		if w := ask(t, h, link); w.Code != http.StatusOK {
			t.Errorf("the help leads to %s, which is %d", link, w.Code)
		}
	}
}

func TestTheSiteTellsAboutItself(t *testing.T) {
	h := worldHandler(t)
	page := parsePage(t, ask(t, h, "/about"))
	checkFrame(t, page)
	if words := page.words(); !strings.Contains(words, "Version 0.1.0") || !strings.Contains(words, "no cookie") {
		t.Errorf("the page says %q", words)
	}
	if body := ask(t, h, "/about.txt").Body.String(); !strings.Contains(body, "router id") {
		t.Errorf("as text:\n%s", body)
	}
	for _, target := range []string{"/about?x=1", "/help?x=1"} {
		if w := ask(t, h, target); w.Code != http.StatusBadRequest {
			t.Errorf("GET %s = %d, want 400", target, w.Code)
		}
	}
	if w := ask(t, h, "/about", "Accept", "application/json"); w.Code != http.StatusNotAcceptable {
		t.Errorf("the page as JSON = %d, want 406", w.Code)
	}
}
