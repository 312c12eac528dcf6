package httpapi_test

import (
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"

	"ribglass/httpapi"
)

func TestCompletionKnowsWhatMayFollow(t *testing.T) {
	h := worldHandler(t)
	for name, row := range map[string]struct {
		query, at string
		from, to  float64
		first     string
		canonical string
	}{
		"a word":                   {"orig", "", 0, 4, "origin", ""},
		"a word behind another":    {"stale bes", "", 6, 9, "best", ""},
		"in the middle":            {"nei stale", "3", 0, 3, "neighbor-as", ""},
		"a peer by its name":       {"edge", "", 0, 4, "peer edge1", ""},
		"a peer behind its word":   {"peer ", "", 5, 5, "edge1", ""},
		"a peer by a part of it":   {"peer ixp", "", 5, 8, "rs1.ixp", "peer ixp"},
		"a family":                 {"family ipv6", "", 7, 11, "ipv6-unicast", "family ipv6-unicast"},
		"a well-known community":   {"community no-exp", "", 10, 16, "no-export", ""},
		"in brackets":              {"(orig", "", 1, 5, "origin", ""},
		"characters, not octets":   {"peer ü fam", "", 7, 10, "family", ""},
		"nothing of an empty word": {"stale ", "", 6, 6, "", "stale"},
		"a bare number":            {"13335", "", 0, 5, "", "origin 13335"},
	} {
		t.Run(name, func(t *testing.T) {
			target := "/api/v1/complete?q=" + url.QueryEscape(row.query)
			if row.at != "" {
				target += "&at=" + row.at
			}
			got := fields(t, ask(t, h, target), http.StatusOK, "application/json")
			if got["from"] != row.from || got["to"] != row.to {
				t.Errorf("from %v to %v, want %v to %v", got["from"], got["to"], row.from, row.to)
			}
			first := ""
			if items := got["items"].([]any); len(items) > 0 {
				first = items[0].(map[string]any)["text"].(string)
			}
			if first != row.first {
				t.Errorf("the first of %v, want %q", got["items"], row.first)
			}
			read, _ := got["query"].(map[string]any)
			if row.canonical != "" && (read == nil || read["canonical"] != row.canonical) {
				t.Errorf("understood as %v, want %q", read, row.canonical)
			}
		})
	}
}

func TestCompletionSaysWhereAQueryIsWrong(t *testing.T) {
	got := fields(t, ask(t, worldHandler(t), "/api/v1/complete?q=stale+frob"), http.StatusOK, "application/json")
	if p, _ := got["problem"].(map[string]any); p == nil || p["column"] != 7.0 {
		t.Errorf("problem = %v, want one at column 7", got["problem"])
	}
	for _, target := range []string{"/api/v1/complete?q=a&at=2", "/api/v1/complete?q=a&at=-1", "/api/v1/complete?at=x", "/api/v1/complete?p=1", "/api/v1/whoami?q=1"} {
		if w := ask(t, worldHandler(t), target); w.Code != http.StatusBadRequest {
			t.Errorf("GET %s = %d, want 400", target, w.Code)
		}
	}
}

func TestCompletionsAreFew(t *testing.T) {
	store, sessions := world()
	for range 900 {
		sessions = append(sessions, sessions[0])
	}
	h := newServer(t, httpapi.DefaultConfig(), store, sessions).Handler()
	for _, q := range []string{"e", "peer+", "community+", "group+"} {
		got := fields(t, ask(t, h, "/api/v1/complete?q="+q), http.StatusOK, "application/json")
		items := got["items"].([]any)
		if len(items) > 12 {
			t.Errorf("q=%s: %d completions", q, len(items))
		}
		var texts []string
		for _, one := range items {
			texts = append(texts, one.(map[string]any)["text"].(string))
		}
		slices.Sort(texts)
		if len(slices.Compact(texts)) != len(items) {
			t.Errorf("q=%s: some are offered twice: %v", q, texts)
		}
	}
}

func TestWhoAmIBelievesTrustedProxiesOnly(t *testing.T) {
	store, sessions := world()
	cfg := httpapi.DefaultConfig()
	cfg.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("192.0.2.1/32")} // where httptest's requests come from
	for name, h := range map[string]http.Handler{
		"198.51.100.7": newServer(t, cfg, store, sessions).Handler(),
		"192.0.2.1":    worldHandler(t),
	} {
		w := ask(t, h, "/api/v1/whoami", "X-Forwarded-For", "203.0.113.9, 198.51.100.7")
		if got := fields(t, w, http.StatusOK, "application/json")["address"]; got != name {
			t.Errorf("address = %v, want %s", got, name)
		}
		if cc := w.Header().Get("Cache-Control"); !strings.Contains(cc, "no-store") {
			t.Errorf("Cache-Control = %q", cc)
		}
	}
}
