package httpapi_test

import (
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"ribglass/httpapi"
	"ribglass/ribstore/route"
)

// manyPaths returns the handler of a server whose table has one prefix with 4,096 paths,
// the most that a prefix may have. Each path has communities of its own.
func manyPaths(t *testing.T) (h http.Handler, paths int) {
	t.Helper()
	const most = 4096
	fake, sessions := world()
	peer := &route.Peer{Name: "rs1", ASN: 64500, Address: netip.MustParseAddr("192.0.2.77")}
	peer.AddPath[route.IPv4Unicast] = true
	fake.routes = nil
	for i := range most {
		a := attrs{path: []route.ASN{64500, route.ASN(1000 + i), route.ASN(5000 + i%7), 13335}, nextHop: "192.0.2.9", med: -1, pref: -1}
		fake.routes = append(fake.routes, route.Route{
			Prefix: netip.MustParsePrefix("1.1.1.0/24"), Peer: peer, PathID: uint32(i), Attrs: a.build(), ReceivedAt: now,
		})
	}
	sessions = append(sessions, route.Session{Peer: peer, State: route.StateEstablished})
	return newServer(t, httpapi.DefaultConfig(), realStore(t, fake.routes), sessions).Handler(), most
}

// TestPrefixOfManyPathsIsPaged asks for a prefix with 4,096 paths in every form that has
// pages: each has as many routes as limit says, and the pages have all of them, once.
func TestPrefixOfManyPathsIsPaged(t *testing.T) {
	h, paths := manyPaths(t)
	seen := map[float64]bool{}
	cursor := ""
	for pages := 1; ; pages++ {
		answer := fields(t, ask(t, h, "/api/v1/routes?q=1.1.1.1&limit=1000"+cursor), http.StatusOK, "application/json")
		routes := answer["routes"].([]any)
		if len(routes) > 1000 || answer["total"] != float64(paths) {
			t.Fatalf("a page has %d routes of %v", len(routes), answer["total"])
		}
		for _, r := range routes {
			seen[r.(map[string]any)["path_id"].(float64)] = true
		}
		next, _ := answer["next_cursor"].(string)
		if next == "" {
			if pages != 5 || len(seen) != paths {
				t.Errorf("%d pages have %d different paths, want 5 with %d", pages, len(seen), paths)
			}
			break
		}
		cursor = "&cursor=" + url.QueryEscape(next)
	}
	for _, one := range []struct {
		path, form string
		row        string // what each route has once
		routes     int
		bytes      int // at most, of the answer as it is
	}{
		{"/api/v1/routes?q=1.1.1.1", "application/json", `"prefix":"1.1.1.0/24","family"`, 100, 64 << 10},
		{"/api/v1/routes?q=1.1.1.0/24+or-shorter&limit=10", "application/json", `"prefix":"1.1.1.0/24","family"`, 10, 8 << 10},
		{"/1.1.1.0/24.json", "application/json", `"prefix":"1.1.1.0/24","family"`, 100, 64 << 10},
		{"/1.1.1.0/24?limit=20", "text/html", `class="path"`, 20, 64 << 10},
		{"/1.1.1.1", "text/html", `class="path"`, 100, 256 << 10},
		{"/1.1.1.0/24.txt", "text/plain", " 13335 ", 100, 64 << 10},
		{"/1.1.1.0/24?style=bird", "text/html", "BGP.as_path", 100, 256 << 10},
		{"/search?q=via+13335&limit=30", "text/html", `class="path"`, 30, 128 << 10},
		{"/graph?q=1.1.1.0/24", "text/html", "<tr", 501, 512 << 10},
	} {
		w := ask(t, h, one.path, "Accept", one.form)
		body := w.Body.String()
		rows := strings.Count(body, one.row)
		if w.Code != http.StatusOK || rows != one.routes || len(body) > one.bytes {
			t.Errorf("GET %s = %d, %d routes in %d bytes, want %d in %d at most", one.path, w.Code, rows, len(body), one.routes, one.bytes)
		}
	}
}
