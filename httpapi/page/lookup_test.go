package page

import (
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"ribglass/httpapi/ask"
	"ribglass/httpapi/web"
	"ribglass/ribstore/query"
	"ribglass/ribstore/route"
)

func TestLookupURLAsksTheSameQuery(t *testing.T) {
	reader, err := ask.New(ask.Config{}, ask.Sources{Registerer: prometheus.NewRegistry()}).Reader(route.Audience{})
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		"192.0.2.1", "192.0.2.0/24", "192.0.2.0/24 or-longer", "192.0.2.0/24 or-shorter", "2001:db8::1", "2001:db8::/32 or-longer",
		"::/0", "0.0.0.0/0 or-longer", "192.0.2.1 (peer a or peer b) family ipv4-unicast", "peer a", "family ipv6-unicast",
	} {
		q, err := query.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		path, raw, _ := strings.Cut(ask.Scene{}.Lookup(q), "?")
		list, err := web.ReadParams(raw, []web.Known{{Name: "q"}, {Name: "peer", Many: true}, {Name: "family", Many: true}})
		if err != nil {
			t.Fatal(err)
		}
		var base query.Query
		if path != "/search" {
			if base, err = pathQuery(path, query.Parse); err != nil {
				t.Fatal(err)
			}
		}
		r, err := reader.Request(list, base)
		if err != nil || r.Query.String() != q.String() {
			t.Errorf("ask.Scene{}.Lookup(%q) = %q, which asks %q (%v)", text, ask.Scene{}.Lookup(q), r.Query, err)
		}
	}
}

func FuzzPathQuery(f *testing.F) {
	for _, seed := range []string{"/192.0.2.0/24/or-longer", "/::", "/.env", "/1", "//", "/fe80::1%eth0", "/1.1.1.1/or-longer/or-longer"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, path string) {
		q, err := pathQuery(path, query.Parse)
		if err != nil {
			web.ProblemOf(err).Hint()
			return
		}
		if again, err := query.Parse(q.String()); err != nil || again.String() != q.String() {
			t.Errorf("pathQuery(%q) = %q, which is read as %q, %v", path, q, again, err)
		}
	})
}
