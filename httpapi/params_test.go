package httpapi

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"ribglass/ribstore/query"
)

func TestNearestName(t *testing.T) {
	names := []string{"q", "limit", "cursor", "peer", "family"}
	for written, want := range map[string]string{
		"limt": "limit", "Limit": "limit", "limit[]": "limit", "q[0]": "q", "Q": "q", "curser": "cursor", "pear": "peer",
		"families": "", "frobnicate": "", "": "", strings.Repeat("q", 5000): "",
	} {
		if got := nearest(written, names); got != want {
			t.Errorf("nearest(%.20q) = %q, want %q", written, got, want)
		}
	}
}

func TestHintNeverPanicsAndFitsALine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := &problem{query: rapid.String().Draw(t, "query"), column: rapid.IntRange(-3, 100).Draw(t, "column")}
		if n := strings.Count(p.hint(), "\n"); n != 1 {
			t.Errorf("hint %q has %d line ends", p.hint(), n)
		}
	})
}

func TestHintOfALongQueryKeepsTheCaretUnderTheColumn(t *testing.T) {
	text := strings.Repeat("peer edge1 ", 300) + "frob"
	p := &problem{query: text, column: len(text) - 3}
	line, caret, _ := strings.Cut(p.hint(), "\n")
	if at := len(caret) - 1; len(line) > 80 || !strings.HasPrefix(line[at:], "frob") {
		t.Errorf("hint %q", p.hint())
	}
}

func TestLookupURLAsksTheSameQuery(t *testing.T) {
	for _, text := range []string{
		"192.0.2.1", "192.0.2.0/24", "192.0.2.0/24 or-longer", "192.0.2.0/24 or-shorter", "2001:db8::1", "2001:db8::/32 or-longer",
		"::/0", "0.0.0.0/0 or-longer", "192.0.2.1 peer a peer b family ipv4-unicast", "peer a", "family ipv6-unicast",
	} {
		q, err := query.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		path, raw, _ := strings.Cut(scene{}.lookup(q), "?")
		list, err := readParams(raw, []known{{"q", false}, {"peer", true}, {"family", true}})
		if err != nil {
			t.Fatal(err)
		}
		var base query.Query
		if path != "/search" {
			if base, err = pathQuery(path); err != nil {
				t.Fatal(err)
			}
		}
		r, err := readRequest(list, base)
		if err != nil || r.query.String() != q.String() {
			t.Errorf("scene{}.lookup(%q) = %q, which asks %q (%v)", text, scene{}.lookup(q), r.query, err)
		}
	}
}

func TestNegotiate(t *testing.T) {
	offers := []string{"text/html", "text/plain", "application/json"}
	for accept, want := range map[string]string{
		"": "text/html", "*/*": "text/html", "text/plain": "text/plain", "text/*;q=0.1, application/json": "application/json",
		"text/html;q=0, */*": "text/plain", "image/png": "", "TEXT/PLAIN": "text/plain", "text/plain;q=2": "text/plain",
		"text/plain;level=1;q=0.5, text/html;q=0.4": "text/plain", ",,,": "", "*/*;q=0": "", "text/html ; q=0.3 , text/plain ; q=0.4": "text/plain",
	} {
		if got := negotiate(accept, offers); got != want {
			t.Errorf("negotiate(%q) = %q, want %q", accept, got, want)
		}
	}
}

func FuzzPathQuery(f *testing.F) {
	for _, seed := range []string{"/192.0.2.0/24/or-longer", "/::", "/.env", "/1", "//", "/fe80::1%eth0", "/1.1.1.1/or-longer/or-longer"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, path string) {
		q, err := pathQuery(path)
		if err != nil {
			problemOf(err).hint()
			return
		}
		if again, err := query.Parse(q.String()); err != nil || again.String() != q.String() {
			t.Errorf("pathQuery(%q) = %q, which is read as %q, %v", path, q, again, err)
		}
	})
}

func TestSpansHaveASlash(t *testing.T) {
	for text, want := range map[string]string{
		"-2h/now": "-2h and now", "2h/1h": "-2h and -1h", "2026-11-22T03:00Z/2026-11-22T04:00Z": "2026-11-22T03:00:00Z and 2026-11-22T04:00:00Z",
		"2026-11-22/-1h": "2026-11-22T00:00:00Z and -1h",
	} {
		if got, err := parseSpan(text); err != nil || got.String() != want {
			t.Errorf("parseSpan(%q) = %s, %v, want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"", "/", "now/now", "-1h", "-1h/-2h", "-2h/frob", "frob/now", "-2h/-1h/now", "now/-1h"} {
		if got, err := parseSpan(text); err == nil {
			t.Errorf("parseSpan(%q) = %s, want an error", text, got)
		}
	}
}

func FuzzSpan(f *testing.F) {
	for _, text := range []string{"-2h/now", "2026-11-22/1h", "/", "-1h"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		span, err := parseSpan(text)
		if err != nil {
			return
		}
		again, err := parseSpan(betweenText(span))
		if err != nil || again != span {
			t.Errorf("%q is %s, which is read as %s, %v", text, span, again, err)
		}
	})
}
