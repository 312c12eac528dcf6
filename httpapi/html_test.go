package httpapi_test

import (
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// ownScripts are those that the frame of a page loads.
var ownScripts = regexp.MustCompile(`<script (type="module" )?src="/assets/(texts-)?[a-z]+-[0-9a-f]{16}\.js"></script>`)

// element is an element of a parsed page.
type element struct{ *html.Node }

func parsePage(t *testing.T, w *httptest.ResponseRecorder) element {
	t.Helper()
	if ct := w.Header().Get("Content-Type"); ct != "text/html; charset=utf-8" {
		t.Fatalf("Content-Type = %q, want HTML; body %.300s", ct, w.Body)
	}
	n, err := html.Parse(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	return element{n}
}

// all returns the elements below with a tag and, when class is not empty, that
// class.
func (e element) all(tag, class string) []element {
	var list []element
	for n := range e.Descendants() {
		if n.Type == html.ElementNode && n.Data == tag &&
			(class == "" || slices.Contains(strings.Fields(element{n}.attr("class")), class)) {
			list = append(list, element{n})
		}
	}
	return list
}

func (e element) attr(name string) string {
	for _, a := range e.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// words returns the text of the element with spaces made single.
func (e element) words() string {
	var b strings.Builder
	for n := range e.Descendants() {
		if n.Type == html.TextNode {
			b.WriteString(n.Data + " ")
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// links returns where the links below lead.
func (e element) links() []string {
	var list []string
	for _, a := range e.all("a", "") {
		list = append(list, a.attr("href"))
	}
	return list
}
