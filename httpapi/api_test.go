package httpapi_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ribglass/httpapi"
	"ribglass/ribstore"
	"ribglass/ribstore/query"
)

// fields decodes an answer and fails the test when it is not the JSON expected.
func fields(t *testing.T, w *httptest.ResponseRecorder, status int, contentType string) map[string]any {
	t.Helper()
	if w.Code != status || w.Header().Get("Content-Type") != contentType {
		t.Fatalf("status %d, type %q, want %d, %q; body %s", w.Code, w.Header().Get("Content-Type"), status, contentType, w.Body)
	}
	var m map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &m); err != nil {
		t.Fatalf("%v in %s", err, w.Body)
	}
	return m
}

func TestRoutesAnswer(t *testing.T) {
	h := worldHandler(t)
	for name, row := range map[string]struct {
		params    string
		canonical string
		prefixes  string // of the routes, in order
		total     int
	}{
		"an address is matched longest":          {"q=1.1.1.1", "1.1.1.1", "1.1.1.0/24 1.1.1.0/24 1.1.1.0/24", 3},
		"an address elsewhere has a shorter one": {"q=1.1.2.3", "1.1.2.3", "1.1.0.0/16", 1},
		"a prefix is matched exactly":            {"q=1.1.0.0/16", "1.1.0.0/16", "1.1.0.0/16", 1},
		"more specifics":                         {"q=1.0.0.0/8+or-longer", "1.0.0.0/8 or-longer", "1.1.0.0/16 1.1.1.0/24 1.1.1.0/24 1.1.1.0/24", 4},
		"what covers":                            {"q=1.1.1.1+or-shorter", "1.1.1.1/32 or-shorter", "1.1.0.0/16 1.1.1.0/24 1.1.1.0/24 1.1.1.0/24", 4},
		"IPv6":                                   {"q=2001:DB8:1::7", "2001:db8:1::7", "2001:db8:1::/48", 1},
		"a peer as a parameter":                  {"q=1.1.1.1&peer=edge2", "1.1.1.1 peer edge2", "1.1.1.0/24", 1},
		"two peers as parameters":                {"q=1.1.1.1&peer=edge2&peer=edge1", "1.1.1.1 (peer edge2 or peer edge1)", "1.1.1.0/24 1.1.1.0/24", 2},
		"a peer in the query and again":          {"q=peer+edge2&peer=edge2", "peer edge2", "1.1.1.0/24", 1},
		"a family as a parameter":                {"family=ipv6-unicast", "family ipv6-unicast", "2001:db8:1::/48", 1},
		"nothing asked is everything":            {"limit=1", "", "1.1.0.0/16", 6},
		"a page does not split a prefix":         {"limit=1&cursor=1", "", "1.1.1.0/24 1.1.1.0/24 1.1.1.0/24", 6},
		"white space of what was pasted":         {"q=1.1.1.1%09%0D%0A+", "1.1.1.1", "1.1.1.0/24 1.1.1.0/24 1.1.1.0/24", 3},
		"nothing found":                          {"q=203.0.113.9", "203.0.113.9", "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			answer := fields(t, ask(t, h, "/api/v1/routes?"+row.params), http.StatusOK, "application/json")
			var prefixes []string
			for _, r := range answer["routes"].([]any) {
				prefixes = append(prefixes, r.(map[string]any)["prefix"].(string))
			}
			if got := strings.Join(prefixes, " "); got != row.prefixes {
				t.Errorf("routes of %q, want %q", got, row.prefixes)
			}
			if got := answer["query"].(map[string]any)["canonical"]; got != row.canonical {
				t.Errorf("canonical = %q, want %q", got, row.canonical)
			}
			if got := answer["total"]; got != float64(row.total) {
				t.Errorf("total = %v, want %d", got, row.total)
			}
		})
	}
}

func TestCursorsLeadThroughTheWholeAnswer(t *testing.T) {
	h := worldHandler(t)
	seen, next := 0, ""
	for range 10 {
		target := "/api/v1/routes?limit=2"
		if next != "" {
			target += "&cursor=" + url.QueryEscape(next)
		}
		answer := fields(t, ask(t, h, target), http.StatusOK, "application/json")
		seen += len(answer["routes"].([]any))
		cursor, more := answer["next_cursor"].(string)
		if !more {
			break
		}
		next = cursor
	}
	if seen != 6 {
		t.Errorf("pages held %d routes, want 6", seen)
	}
}

// TestPagesOfOnePrefix asks for the routes of one prefix a few at a time, in every way
// to ask for it.
func TestPagesOfOnePrefix(t *testing.T) {
	h := realWorld(t)
	for _, q := range []string{"1.1.1.1", "1.1.1.0/24", "1.1.1.0/24+or-shorter", "1.1.1.0/24+or-longer", "length+24"} {
		whole := fields(t, ask(t, h, "/api/v1/routes?q="+q), http.StatusOK, "application/json")["routes"].([]any)
		var pages []any
		next := "" // an empty cursor is the first page
		for range 20 {
			answer := fields(t, ask(t, h, "/api/v1/routes?limit=2&q="+q+"&cursor="+url.QueryEscape(next)), http.StatusOK, "application/json")
			routes := answer["routes"].([]any)
			if pages = append(pages, routes...); len(routes) > 2 || answer["total"] != float64(len(whole)) {
				t.Errorf("%s: a page of %d routes, total %v, want at most 2 of %d", q, len(routes), answer["total"], len(whole))
			}
			var more bool
			if next, more = answer["next_cursor"].(string); !more {
				break
			}
		}
		if diff := cmp.Diff(whole, pages); diff != "" || len(whole) < 3 {
			t.Errorf("%s: pages of %d routes (-whole +pages): %s", q, len(whole), diff)
		}
	}
}

func TestBadRequestsAreTyped(t *testing.T) {
	h := worldHandler(t)
	long := strings.Repeat("a", 7000)
	for name, row := range map[string]struct {
		target string
		status int
		code   string
		column int
		detail string // a part of it
	}{
		"a word that is none":            {"/api/v1/routes?q=1.1.1.0/24+frob", 400, "invalid_query", 12, "frob"},
		"host bits":                      {"/api/v1/routes?q=1.1.1.1/24", 400, "invalid_query", 1, "1.1.1.0/24"},
		"a length too long":              {"/api/v1/routes?q=1.1.1.0/33", 400, "invalid_query", 1, ""},
		"A1 a shell command behind":      {"/api/v1/routes?q=8.8.8.8%3Bid", 400, "invalid_query", 1, ""},
		"A1 a pipe":                      {"/api/v1/routes?q=8.8.8.8%7Cid", 400, "invalid_query", 9, ""},
		"A1 two commands":                {"/api/v1/routes?q=8.8.8.8+%26%26+id", 400, "invalid_query", 12, ""},
		"A1 backquotes":                  {"/api/v1/routes?q=%60id%60", 400, "invalid_query", 1, ""},
		"A1 a substitution":              {"/api/v1/routes?q=$(id)", 400, "invalid_query", 3, ""},
		"A1 quotes":                      {"/api/v1/routes?q=%22%3B+id%3B+%22", 400, "invalid_query", 1, ""},
		"A2 a newline":                   {"/api/v1/routes?q=8.8.8.8%0Ashow+run", 400, "invalid_query", 9, "show"},
		"A2 a NUL":                       {"/api/v1/routes?q=8.8.8.8%00", 400, "invalid_query", 8, "control"},
		"A2 a line separator":            {"/api/v1/routes?q=8.8.8.8%E2%80%A8", 400, "invalid_query", 8, "control"},
		"A2 a tab":                       {"/api/v1/routes?q=8.8.8.8%09%01", 400, "invalid_query", 9, "control"},
		"A2 a vertical tab":              {"/api/v1/routes?q=8.8.8.8%0B", 400, "invalid_query", 8, "control"},
		"a router that is not":           {"/api/v1/routes?q=router+nope", 404, "unknown_peer", 0, `No router is named "nope"`},
		"a group that is not":            {"/api/v1/routes?q=not+group+nope", 404, "unknown_peer", 0, `No group is named "nope"`},
		"an address of no peer":          {"/api/v1/routes?q=peer+192.0.2.99", 404, "unknown_peer", 0, "No peer has the address 192.0.2.99"},
		"an AS of no peer":               {"/api/v1/routes?q=peer+AS99", 404, "unknown_peer", 0, "No peer has the AS number 99"},
		"A2 a newline in a peer":         {"/api/v1/routes?peer=edge1%0Aid", 400, "invalid_parameter", 0, "control"},
		"A4 an option":                   {"/api/v1/routes?q=--help", 400, "invalid_query", 1, ""},
		"A4 a file":                      {"/api/v1/routes?q=@file", 400, "invalid_query", 1, ""},
		"A5 a path for a peer":           {"/api/v1/routes?peer=../../x", 400, "invalid_parameter", 0, "peer"},
		"A5 a query for a peer":          {"/api/v1/routes?peer=edge1+1.1.1.1", 400, "invalid_parameter", 0, "peer"},
		"A5 an empty peer":               {"/api/v1/routes?peer=", 400, "invalid_parameter", 0, "peer"},
		"A5 an unknown peer":             {"/api/v1/routes?peer=edge9", 404, "unknown_peer", 0, "edge9"},
		"A5 an unknown peer in q":        {"/api/v1/routes?q=peer+edge9", 404, "unknown_peer", 0, "edge9"},
		"A5 a peer of the wrong case":    {"/api/v1/routes?peer=EDGE1", 404, "unknown_peer", 0, "EDGE1"},
		"A5 an array":                    {"/api/v1/routes?q[]=1.1.1.1", 400, "unknown_parameter", 0, `did you mean "q"`},
		"A5 an indexed array":            {"/api/v1/routes?limit[0]=1", 400, "unknown_parameter", 0, `did you mean "limit"`},
		"A5 a parameter of wrong case":   {"/api/v1/routes?Limit=1", 400, "unknown_parameter", 0, `did you mean "limit"`},
		"A5 a parameter given twice":     {"/api/v1/routes?q=1.1.1.1&q=1.1.1.1", 400, "repeated_parameter", 0, `"q"`},
		"a misspelt parameter":           {"/api/v1/routes?famly=ipv4", 400, "unknown_parameter", 0, `did you mean "family"`},
		"a parameter like no other":      {"/api/v1/routes?frobnicate=1", 400, "unknown_parameter", 0, "there are q, limit"},
		"a parameter where none is":      {"/api/v1/status?q=1", 400, "unknown_parameter", 0, "no parameters"},
		"a parameter of the peers":       {"/api/v1/peers?limit=1", 400, "unknown_parameter", 0, "at, collection"},
		"an unknown family":              {"/api/v1/routes?family=ipx", 400, "invalid_parameter", 0, "ipv4-unicast"},
		"limit zero":                     {"/api/v1/routes?limit=0", 400, "invalid_parameter", 0, "1 to 1000"},
		"limit too large":                {"/api/v1/routes?limit=1001", 400, "invalid_parameter", 0, "1 to 1000"},
		"a negative limit":               {"/api/v1/routes?limit=-1", 400, "invalid_parameter", 0, "1 to 1000"},
		"a limit that is no number":      {"/api/v1/routes?limit=1e3", 400, "invalid_parameter", 0, "1 to 1000"},
		"facets out of range":            {"/api/v1/routes?facets=1000", 400, "invalid_parameter", 0, "1 to 100"},
		"explain that is neither":        {"/api/v1/routes?explain=yes", 400, "invalid_parameter", 0, "true or false"},
		"a field that is none":           {"/api/v1/routes?fields=prefix,as_pth", 400, "invalid_parameter", 0, `did you mean "as_path"`},
		"an empty field":                 {"/api/v1/routes?fields=", 400, "invalid_parameter", 0, "there are prefix"},
		"a cursor of nobody":             {"/api/v1/routes?cursor=bogus", 400, "invalid_cursor", 0, ""},
		"a long cursor":                  {"/api/v1/routes?cursor=" + long[:2000], 400, "invalid_cursor", 0, ""},
		"a broken escape":                {"/api/v1/routes?q=%zz", 400, "bad_request", 0, "escape"},
		"broken UTF-8":                   {"/api/v1/routes?q=%ff", 400, "invalid_query", 1, ""},
		"a query too long":               {"/api/v1/routes?q=" + long[:5000], 400, "invalid_query", 4097, ""},
		"a URL too long":                 {"/api/v1/routes?q=" + long, 414, "uri_too_long", 0, ""},
		"too many parameters":            {"/api/v1/routes?" + strings.Repeat("peer=edge1&", 65), 400, "bad_request", 0, "64"},
		"an unknown peer by name":        {"/api/v1/peers/edge9", 404, "unknown_peer", 0, "edge9"},
		"B1 a tag for a name":            {"/api/v1/peers/%3Cscript%3Ealert(1)%3C%2Fscript%3E", 404, "not_found", 0, ""},
		"a call that does not exist":     {"/api/v1/frob", 404, "not_found", 0, ""},
		"a version that does not exist":  {"/api/v2/routes", 404, "not_found", 0, ""},
		"a path under a call":            {"/api/v1/routes/1.1.1.1", 404, "not_found", 0, ""},
		"B1 a tag in an unknown command": {"/api/v1/routes?q=%3Cimg+src%3Dx+onerror%3Dalert(1)%3E", 400, "invalid_query", 1, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := ask(t, h, row.target)
			p := fields(t, w, row.status, "application/problem+json")
			if p["code"] != row.code || p["status"] != float64(row.status) || p["type"] != "urn:ribglass:problem:"+row.code {
				t.Errorf("code %v, status %v, type %v, want %s", p["code"], p["status"], p["type"], row.code)
			}
			if column, _ := p["column"].(float64); int(column) != row.column {
				t.Errorf("column = %v, want %d", p["column"], row.column)
			}
			if !strings.Contains(p["detail"].(string), row.detail) {
				t.Errorf("detail = %q, want %q in it", p["detail"], row.detail)
			}
			if strings.ContainsAny(w.Body.String(), "<>") {
				t.Errorf("body has a bare angle bracket: %s", w.Body)
			}
		})
	}
}

func TestHintPointsAtTheColumn(t *testing.T) {
	p := fields(t, ask(t, worldHandler(t), "/api/v1/routes?q=1.1.1.0/24+frob"), 400, "application/problem+json")
	if want := "1.1.1.0/24 frob\n           ^"; p["hint"] != want {
		t.Errorf("hint = %q, want %q", p["hint"], want)
	}
}

func TestMethodsOtherThanReadingAreRefused(t *testing.T) {
	h := worldHandler(t)
	for _, method := range []string{"POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "FROB"} {
		for _, path := range []string{"/api/v1/routes", "/api/v1/peers/edge1", "/", "/1.1.1.1", "/peers"} {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequest(method, path, nil))
			if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "GET, HEAD" {
				t.Errorf("%s %s = %d with Allow %q, want 405 with GET, HEAD", method, path, w.Code, w.Header().Get("Allow"))
			}
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(method, "/api/v1/lookup", nil))
		if method != "POST" && w.Header().Get("Allow") != "POST" {
			t.Errorf("%s of a call for POST has Allow %q", method, w.Header().Get("Allow"))
		}
	}
}

// TestTheInterfaceIsFoundFromItsPlaces asks where people look for a description.
func TestTheInterfaceIsFoundFromItsPlaces(t *testing.T) {
	h := worldHandler(t)
	for _, path := range []string{"/api", "/api/", "/api/v1", "/api/v1/", "/openapi.json", "/docs"} {
		if w := ask(t, h, path); w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/api/v1/openapi.json" {
			t.Errorf("GET %s = %d to %q", path, w.Code, w.Header().Get("Location"))
		}
	}
	p := fields(t, ask(t, h, "/api/v1/frob"), http.StatusNotFound, "application/problem+json")
	if !strings.Contains(p["detail"].(string), "/api/v1/openapi.json") {
		t.Errorf("a call that is none is told %q", p["detail"])
	}
}

func TestHeadHasTheHeadersOfGet(t *testing.T) {
	h := worldHandler(t)
	for _, path := range []string{"/api/v1/routes?q=1.1.1.1", "/api/v1/status", "/", "/1.1.1.0/24.txt"} {
		get := ask(t, h, path)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodHead, path, nil))
		if w.Code != get.Code || w.Header().Get("Content-Type") != get.Header().Get("Content-Type") {
			t.Errorf("HEAD %s = %d %q, want %d %q", path, w.Code, w.Header().Get("Content-Type"), get.Code, get.Header().Get("Content-Type"))
		}
	}
}

func TestAcceptOfTheInterface(t *testing.T) {
	h := worldHandler(t)
	for name, row := range map[string]struct {
		path, accept string
		status       int
		contentType  string
	}{
		"nothing preferred":            {"/api/v1/routes", "", 200, "application/json"},
		"anything":                     {"/api/v1/routes", "*/*", 200, "application/json"},
		"a browser":                    {"/api/v1/routes", "text/html,application/xhtml+xml,*/*;q=0.8", 200, "application/json"},
		"a stream":                     {"/api/v1/routes", "application/x-ndjson", 200, "application/x-ndjson"},
		"a table":                      {"/api/v1/routes", "text/csv", 200, "text/csv; charset=utf-8; header=present"},
		"a table rather than JSON":     {"/api/v1/routes", "application/json;q=0.5, text/csv", 200, "text/csv; charset=utf-8; header=present"},
		"a range of types":             {"/api/v1/routes", "text/*", 200, "text/csv; charset=utf-8; header=present"},
		"only what there is not":       {"/api/v1/routes", "image/png", 406, "application/problem+json"},
		"everything but JSON":          {"/api/v1/status", "application/json;q=0, text/html", 406, "application/problem+json"},
		"HTML of the status":           {"/api/v1/status", "text/html", 406, "application/problem+json"},
		"peers as a table, not yet":    {"/api/v1/peers", "text/csv", 406, "application/problem+json"},
		"one peer as a table, not yet": {"/api/v1/peers/edge1", "text/csv", 406, "application/problem+json"},
		"the document":                 {"/api/v1/openapi.json", "application/json", 200, "application/json"},
	} {
		t.Run(name, func(t *testing.T) {
			w := ask(t, h, row.path, "Accept", row.accept)
			if w.Code != row.status || w.Header().Get("Content-Type") != row.contentType {
				t.Errorf("GET %s with Accept %q = %d %q, want %d %q", row.path, row.accept, w.Code, w.Header().Get("Content-Type"), row.status, row.contentType)
			}
		})
	}
}

func TestWhatTheStoreSaysStaysInside(t *testing.T) {
	for name, row := range map[string]struct {
		err    error
		status int
		code   string
	}{
		"a secret error": {errors.New("open /var/lib/secret: password hunter2"), 500, "internal"},
		"a bad cursor":   {fmt.Errorf("wrapped: %w", query.ErrCursor), 400, "invalid_cursor"},
		"E4 too many":    {fmt.Errorf("wrapped: %w", ribstore.ErrBusy), 503, "busy"},
		"E4 too long":    {fmt.Errorf("wrapped: %w", ribstore.ErrTooLong), 503, "search_too_long"},
		"E4 too much":    {fmt.Errorf("wrapped: %w", &ribstore.CostError{Rows: 9, Limit: 8}), 400, "search_too_costly"},
	} {
		t.Run(name, func(t *testing.T) {
			store, sessions := world()
			store.err = row.err
			h := newServer(t, httpapi.DefaultConfig(), store, sessions).Handler()
			p := fields(t, ask(t, h, "/api/v1/routes?q=1.1.1.1"), row.status, "application/problem+json")
			if p["code"] != row.code || strings.Contains(fmt.Sprint(p), "hunter2") || strings.Contains(fmt.Sprint(p), "/var") {
				t.Errorf("answer %v, want code %s and nothing of the inside", p, row.code)
			}
			w := ask(t, h, "/1.1.1.1")
			if w.Code != row.status || strings.Contains(w.Body.String(), "hunter2") {
				t.Errorf("page %d %s, want %d and nothing of the inside", w.Code, w.Body, row.status)
			}
		})
	}
}

func TestPanicIsAnsweredAndShowsNothing(t *testing.T) {
	store, sessions := world()
	store.hook = func() { panic("secret of the inside") }
	h := newServer(t, httpapi.DefaultConfig(), store, sessions).Handler()
	w := ask(t, h, "/api/v1/routes?q=1.1.1.1")
	p := fields(t, w, 500, "application/problem+json")
	if p["code"] != "internal" || strings.Contains(w.Body.String(), "secret") {
		t.Errorf("answer %s", w.Body)
	}
}

func TestStatusAnswer(t *testing.T) {
	got := fields(t, ask(t, worldHandler(t), "/api/v1/status"), http.StatusOK, "application/json")
	memory := got["memory"].(map[string]any)
	if memory["heap_bytes"].(float64) <= 0 || memory["table_bytes"] != 4096.0 {
		t.Errorf("memory = %v", memory)
	}
	delete(got, "memory")
	counts := func(v4, v6 float64) map[string]any {
		return map[string]any{"ipv4_unicast": v4, "ipv6_unicast": v6, "ipv4_multicast": 0.0, "ipv6_multicast": 0.0}
	}
	want := map[string]any{
		"version": "0.1.0", "started_at": "2026-11-20T00:00:00Z", "now": "2026-11-22T12:00:00Z", "asn": 64500.0,
		"router_id": "192.0.2.10", "routes": counts(5, 1), "stale": counts(2, 0), "prefixes": counts(3, 1),
		"attention": []any{map[string]any{
			"peer": "rs1.ixp", "kind": "max_prefixes", "since": "2026-11-22T11:35:00Z", "last": "2026-11-22T11:36:00Z", "count": 3.0,
			"text": "The session was ended: 200001 <ipv4-unicast> prefixes, max_prefixes 200000.",
		}},
		"attribute_sets": 6.0, "peers": map[string]any{"configured": 3.0, "established": 2.0},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("status (-want +got):\n%s", diff)
	}
}

func TestPeersAnswer(t *testing.T) {
	h := worldHandler(t)
	all := fields(t, ask(t, h, "/api/v1/peers"), http.StatusOK, "application/json")
	var names []string
	for _, p := range all["peers"].([]any) {
		names = append(names, p.(map[string]any)["name"].(string))
		if _, there := p.(map[string]any)["history"]; there {
			t.Error("the list of peers gives a history")
		}
	}
	if diff := cmp.Diff([]string{"edge1", "edge2", "rs1.ixp"}, names); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
	one := fields(t, ask(t, h, "/api/v1/peers/rs1.ixp"), http.StatusOK, "application/json")
	for name, want := range map[string]any{
		"state": "active", "since": "2026-11-22T11:35:00Z", "stale_since": "2026-11-22T11:35:00Z", "max_prefixes": 200000.0,
		"end_of_rib": map[string]any{"ipv4_unicast": "2026-11-22T11:35:20Z"}, "hold_time_seconds": 90.0,
		"add_path": []any{"ipv4-unicast", "ipv6-unicast"}, "capabilities": []any{},
		"routes": map[string]any{
			"received": 4.0, "accepted": 4.0, "filtered": 0.0, "stale": 4.0, "families": map[string]any{
				"ipv4_unicast": map[string]any{"accepted": 3.0, "stale": 3.0}, "ipv6_unicast": map[string]any{"accepted": 1.0, "stale": 1.0},
			},
		},
	} {
		if diff := cmp.Diff(want, one[name]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	if len(one["history"].([]any)) != 2 {
		t.Errorf("history = %v, want two transitions", one["history"])
	}
}
