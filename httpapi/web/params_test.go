package web

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestNearestName(t *testing.T) {
	names := []string{"q", "limit", "cursor", "peer", "family"}
	for written, want := range map[string]string{
		"limt": "limit", "Limit": "limit", "limit[]": "limit", "q[0]": "q", "Q": "q", "curser": "cursor", "pear": "peer",
		"families": "", "frobnicate": "", "": "", strings.Repeat("q", 5000): "",
	} {
		if got := Nearest(written, names); got != want {
			t.Errorf("Nearest(%.20q) = %q, want %q", written, got, want)
		}
	}
}

func TestHintNeverPanicsAndFitsALine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := &Problem{Query: rapid.String().Draw(t, "query"), Column: rapid.IntRange(-3, 100).Draw(t, "column")}
		if n := strings.Count(p.Hint(), "\n"); n != 1 {
			t.Errorf("hint %q has %d line ends", p.Hint(), n)
		}
	})
}

func TestHintOfALongQueryKeepsTheCaretUnderTheColumn(t *testing.T) {
	text := strings.Repeat("peer edge1 ", 300) + "frob"
	p := &Problem{Query: text, Column: len(text) - 3}
	line, caret, _ := strings.Cut(p.Hint(), "\n")
	if at := len(caret) - 1; len(line) > 80 || !strings.HasPrefix(line[at:], "frob") {
		t.Errorf("hint %q", p.Hint())
	}
}

func TestNegotiate(t *testing.T) {
	offers := []string{"text/html", "text/plain", "application/json"}
	for accept, want := range map[string]string{
		"": "text/html", "*/*": "text/html", "text/plain": "text/plain", "text/*;q=0.1, application/json": "application/json",
		"text/html;q=0, */*": "text/plain", "image/png": "", "TEXT/PLAIN": "text/plain", "text/plain;q=2": "text/plain",
		"text/plain;level=1;q=0.5, text/html;q=0.4": "text/plain", ",,,": "", "*/*;q=0": "", "text/html ; q=0.3 , text/plain ; q=0.4": "text/plain",
	} {
		if got := Negotiate(accept, offers); got != want {
			t.Errorf("Negotiate(%q) = %q, want %q", accept, got, want)
		}
	}
}
