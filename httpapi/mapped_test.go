package httpapi_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"ribglass/httpapi"
	"ribglass/ribstore/route"
)

// TestAPrefixMappedIntoIPv6IsFound is the case v4-mapped-prefix of the reports in
// collector/bgp/testdata: routers announce such prefixes, whatever they are good for.
func TestAPrefixMappedIntoIPv6IsFound(t *testing.T) {
	_, sessions := world()
	edge, _ := sessions.Session("edge1")
	r := newRemembered(t)
	set := attrs{path: []route.ASN{64501}, nextHop: "2001:db8::1"}.build()
	r.live(step{2 * time.Hour, up(edge.Peer)}, step{time.Hour, says(edge.Peer, "::ffff:192.0.2.0/120", 0, set)})
	h := r.server(httpapi.DefaultConfig(), sessions)
	for _, target := range []string{
		"/::ffff:192.0.2.0/120", "/api/v1/routes?q=::ffff:192.0.2.0/120", "/api/v1/routes?q=::ffff:192.0.2.5/128+or-shorter",
		"/::ffff:192.0.2.5/128/or-shorter", "/::ffff:192.0.2.0/120?at=30m", "/changes?q=::ffff:192.0.2.0/120", "/timeline?q=::ffff:192.0.2.0/120",
	} {
		if w := ask(t, h, target); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "64501") {
			t.Errorf("GET %s = %d: %s", target, w.Code, w.Body)
		}
	}
	page := parsePage(t, ask(t, h, "/::/0/or-longer"))
	for _, a := range page.all("a", "") {
		if link := a.attr("href"); strings.Contains(link, "ffff") {
			if w := ask(t, h, link); w.Code != http.StatusOK && w.Code != http.StatusFound {
				t.Errorf("the link %s = %d", link, w.Code)
			}
		}
	}
	if w := ask(t, h, "/::ffff:192.0.2.5"); !strings.Contains(w.Body.String(), "/128/or-shorter") {
		t.Errorf("an address has no link to the prefixes of IPv6 that cover it: %s", w.Body)
	}
}

// TestWhatIsShownOfMappedPrefixesCanBeAsked follows every link of pages that show prefixes
// and next hops in ::ffff:0:0/96.
func TestWhatIsShownOfMappedPrefixesCanBeAsked(t *testing.T) {
	_, sessions := world()
	edge, _ := sessions.Session("edge1")
	r := newRemembered(t)
	set := attrs{path: []route.ASN{64501}, nextHop: "::ffff:192.0.2.9"}.build()
	steps := []step{{2 * time.Hour, up(edge.Peer)}}
	for _, prefix := range []string{"::ffff:0.0.0.0/96", "::ffff:10.0.0.0/104", "::ffff:192.0.2.5/128", "::/80"} {
		steps = append(steps, step{time.Hour, says(edge.Peer, prefix, 0, set)})
	}
	r.live(steps...)
	h := r.server(httpapi.DefaultConfig(), sessions)
	followed := 0
	for _, from := range []string{"/search?q=family+ipv6", "/::/0/or-longer", "/::ffff:192.0.2.5/128", "/::ffff:192.0.2.5/128/or-shorter", "/peers/edge1", "/as/64501"} {
		w := ask(t, h, from)
		if w.Code != http.StatusOK {
			t.Errorf("GET %s = %d", from, w.Code)
			continue
		}
		for _, a := range parsePage(t, w).all("a", "") {
			if link := a.attr("href"); strings.Contains(link, "ffff") {
				followed++
				if w := ask(t, h, link); w.Code != http.StatusOK && w.Code != http.StatusSeeOther {
					t.Errorf("%s leads to %s = %d", from, link, w.Code)
				}
			}
		}
	}
	if followed < 20 {
		t.Errorf("%d links followed, want 20 and more", followed)
	}
	for q, total := range map[string]int{"nexthop+::ffff:192.0.2.9": 4, "nexthop+192.0.2.9": 0, "nexthop+::ffff:192.0.2.0/120": 4} {
		if got := fields(t, ask(t, h, "/api/v1/routes?q="+q), http.StatusOK, "application/json")["total"]; got != float64(total) {
			t.Errorf("%s finds %v routes, want %d", q, got, total)
		}
	}
}
