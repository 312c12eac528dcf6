package httpapi_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// post sends a body.
func post(h http.Handler, target, contentType, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, target, strings.NewReader(body))
	r.Header.Set("Content-Type", contentType)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestBulkLookupAnswersInOrder(t *testing.T) {
	const want = `{"query":"1.1.2.3","prefix":"1.1.0.0/16","routes":[{"peer":"edge1"}]}
{"query":"frob","error":{"code":"invalid_query","detail":"\"frob\" is no address, prefix, AS number, community or word of the query language"}}
{"query":"2001:db8:1::/48","prefix":"2001:db8:1::/48","routes":[{"peer":"edge1"}]}
{"query":"203.0.113.1","routes":[]}
{"query":"1.0.0.0/8 or-longer","error":{"code":"invalid_query","detail":"A question here is an address or a prefix."}}
`
	h := realWorld(t)
	for contentType, body := range map[string]string{
		"application/json":     `["1.1.2.3","frob","2001:db8:1::/48","203.0.113.1","1.0.0.0/8 or-longer"]`,
		"application/x-ndjson": "\"1.1.2.3\"\n\"frob\"\n\"2001:db8:1::/48\"\n\"203.0.113.1\"\n\"1.0.0.0/8 or-longer\"",
		"":                     "\uFEFFbegin\nverbose\n# addresses of the incident\n1.1.2.3 # first seen\nfrob\n2001:db8:1::/48\n203.0.113.1\n1.0.0.0/8 or-longer\nEND\n",

		"application/x-www-form-urlencoded": "1.1.2.3\nfrob\n2001:db8:1::/48\n203.0.113.1\n1.0.0.0/8 or-longer",

		"text/plain; charset=utf-8": "1.1.2.3\r\nfrob\n\n 2001:db8:1::/48 \n203.0.113.1\n1.0.0.0/8 or-longer\n",
	} {
		w := post(h, "/api/v1/lookup?fields=peer", contentType, body)
		if diff := cmp.Diff(want, w.Body.String()); w.Code != http.StatusOK || diff != "" {
			t.Errorf("POST as %s = %d (-want +got):\n%s", contentType, w.Code, diff)
		}
	}
}

func TestBulkLookupOfTheBestGivesOneRouteAPrefix(t *testing.T) {
	h := realWorld(t)
	for target, want := range map[string]int{"/api/v1/lookup": 3, "/api/v1/lookup?best=true": 1} {
		var line struct{ Routes []any }
		if err := json.Unmarshal(post(h, target, "text/plain", "1.1.1.1").Body.Bytes(), &line); err != nil || len(line.Routes) != want {
			t.Errorf("POST %s gives %d routes, %v; want %d", target, len(line.Routes), err, want)
		}
	}
}

func TestBadBulkLookupsAreTyped(t *testing.T) {
	h := realWorld(t)
	for name, row := range map[string]struct {
		target, contentType, body string
		status                    int
		code                      string
	}{
		"a type of no list":      {"/api/v1/lookup", "application/xml", "1.1.1.1", 415, "unsupported_media_type"},
		"a type that is none":    {"/api/v1/lookup", "text/", "1.1.1.1", 415, "unsupported_media_type"},
		"an object":              {"/api/v1/lookup", "application/json", `{"q":"1.1.1.1"}`, 400, "bad_request"},
		"numbers":                {"/api/v1/lookup", "application/json", `[1,2]`, 400, "bad_request"},
		"half an array":          {"/api/v1/lookup", "application/json", `["1.1.1.1"`, 400, "bad_request"},
		"a line that is no JSON": {"/api/v1/lookup", "application/x-ndjson", "1.1.1.1", 400, "bad_request"},
		"too many":               {"/api/v1/lookup", "text/plain", strings.Repeat("1.1.1.1\n", 10001), 413, "too_large"},
		"too many in JSON":       {"/api/v1/lookup", "application/json", "[" + strings.Repeat(`"1.1.1.1",`, 10000) + `"1.1.1.1"]`, 413, "too_large"},
		"too long":               {"/api/v1/lookup", "text/plain", strings.Repeat("x", 1<<20+1), 413, "too_large"},
		"deep nesting":           {"/api/v1/lookup", "application/json", strings.Repeat("[", 100000), 400, "bad_request"},
		"an unknown parameter":   {"/api/v1/lookup?bets=true", "text/plain", "1.1.1.1", 400, "unknown_parameter"},
	} {
		t.Run(name, func(t *testing.T) {
			p := fields(t, post(h, row.target, row.contentType, row.body), row.status, "application/problem+json")
			if p["code"] != row.code {
				t.Errorf("code = %v, want %s", p["code"], row.code)
			}
		})
	}
	w := ask(t, h, "/api/v1/lookup")
	if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "POST" {
		t.Errorf("GET = %d, Allow %q", w.Code, w.Header().Get("Allow"))
	}
}

func TestBulkLookupTakesTenThousand(t *testing.T) {
	var body strings.Builder
	for i := range 10000 {
		fmt.Fprintf(&body, "1.1.%d.%d\n", i/256, i%256)
	}
	w := post(realWorld(t), "/api/v1/lookup?best=true", "text/plain", body.String())
	if n := strings.Count(w.Body.String(), "\n"); n != 10000 {
		t.Errorf("%d lines, want 10000", n)
	}
}
