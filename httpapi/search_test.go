package httpapi_test

import (
	"encoding/csv"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ribglass/httpapi"
)

// realWorld is the handler of a server on the real store with the routes of the
// world.
func realWorld(t testing.TB) http.Handler {
	t.Helper()
	fake, sessions := world()
	return newServer(t, httpapi.DefaultConfig(), realStore(t, fake.routes), sessions).Handler()
}

func TestExplainTellsThePlanAndNoRoutes(t *testing.T) {
	answer := fields(t, ask(t, realWorld(t), "/api/v1/routes?q=13335+stale&explain=true"), http.StatusOK, "application/json")
	want := map[string]any{"query": map[string]any{
		"canonical": "origin 13335 stale",
		"plan":      map[string]any{"method": "walk", "by_attribute_set": "origin 13335", "by_route": "stale", "cost": 4.0},
		"notes":     []any{map[string]any{"column": 1.0, "understood": "origin 13335", "other": "via 13335"}},
	}}
	if diff := cmp.Diff(want, answer); diff != "" {
		t.Errorf("explanation (-want +got):\n%s", diff)
	}
}

func TestFacetsCountTheWholeAnswer(t *testing.T) {
	answer := fields(t, ask(t, realWorld(t), "/api/v1/routes?q=family+ipv4&limit=1&facets=2"), http.StatusOK, "application/json")
	if answer["total"] != 5.0 {
		t.Errorf("total = %v, want 5", answer["total"])
	}
	facets := answer["facets"].(map[string]any)
	want := []any{map[string]any{"value": "/24", "count": 4.0}, map[string]any{"value": "/16", "count": 1.0}}
	if diff := cmp.Diff(want, facets["lengths"]); diff != "" {
		t.Errorf("lengths (-want +got):\n%s", diff)
	}
	for _, kind := range []string{"origins", "neighbor_ases", "peers", "communities", "next_hops"} {
		if n := len(facets[kind].([]any)); n != 2 {
			t.Errorf("%s has %d values, want 2", kind, n)
		}
	}
}

func TestFieldsSelectMembersInEveryForm(t *testing.T) {
	h := realWorld(t)
	target := "/api/v1/routes?q=1.1.0.0/16&fields=as_path,prefix,peer"
	answer := fields(t, ask(t, h, target), http.StatusOK, "application/json")
	got := answer["routes"].([]any)[0].(map[string]any)
	want := map[string]any{"prefix": "1.1.0.0/16", "peer": "edge1", "as_path": []any{3356.0}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("JSON (-want +got):\n%s", diff)
	}
	const line = `{"prefix":"1.1.0.0/16","peer":"edge1","as_path":[3356]}` + "\n"
	if got := ask(t, h, target, "Accept", "application/x-ndjson").Body.String(); got != line {
		t.Errorf("NDJSON = %s, want %s", got, line)
	}
	cells, err := csv.NewReader(ask(t, h, target, "Accept", "text/csv").Body).ReadAll()
	if diff := cmp.Diff([][]string{{"prefix", "peer", "as_path"}, {"1.1.0.0/16", "edge1", "3356"}}, cells); err != nil || diff != "" {
		t.Errorf("CSV %v (-want +got):\n%s", err, diff)
	}
}

func TestEachFieldAloneGivesItsMemberOnly(t *testing.T) {
	store, sessions := fullWorld()
	h := newServer(t, httpapi.DefaultConfig(), store, sessions).Handler()
	all := map[string]bool{}
	for _, r := range fields(t, ask(t, h, "/api/v1/routes"), http.StatusOK, "application/json")["routes"].([]any) {
		for name := range maps.Keys(r.(map[string]any)) {
			all[name] = true
		}
	}
	for name := range all {
		seen := false
		for _, r := range fields(t, ask(t, h, "/api/v1/routes?fields="+name), http.StatusOK, "application/json")["routes"].([]any) {
			members := slices.Collect(maps.Keys(r.(map[string]any)))
			seen = seen || slices.Contains(members, name)
			if len(members) > 1 || len(members) == 1 && members[0] != name {
				t.Errorf("fields=%s gives %v", name, members)
			}
		}
		if !seen {
			t.Errorf("fields=%s gives nothing", name)
		}
	}
}

func TestStreamOfNothingIsEmptyButWhole(t *testing.T) {
	h := realWorld(t)
	if w := ask(t, h, "/api/v1/routes?q=203.0.113.1", "Accept", "application/x-ndjson"); w.Code != http.StatusOK || w.Body.Len() != 0 {
		t.Errorf("NDJSON of nothing = %d %q", w.Code, w.Body)
	}
	w := ask(t, h, "/api/v1/routes?q=203.0.113.1", "Accept", "text/csv")
	if w.Code != http.StatusOK || strings.Count(w.Body.String(), "\n") != 1 {
		t.Errorf("CSV of nothing = %d %q", w.Code, w.Body)
	}
}

func TestExplainAndFacetsAreNotForStreams(t *testing.T) {
	h := realWorld(t)
	for _, target := range []string{"/api/v1/routes?explain=true", "/api/v1/routes?facets=true", "/api/v1/routes?cursor=abc"} {
		p := fields(t, ask(t, h, target, "Accept", "text/csv"), http.StatusBadRequest, "application/problem+json")
		if p["code"] != "invalid_parameter" {
			t.Errorf("GET %s = %v", target, p)
		}
	}
}

// BenchmarkStream measures routes a second of a whole answer, handler and store
// together.
func BenchmarkStream(b *testing.B) {
	const prefixes = 65536
	fake, sessions := longWorld(prefixes)
	h := newServer(b, httpapi.DefaultConfig(), realStore(b, fake.routes), sessions).Handler()
	for _, form := range []string{"application/x-ndjson", "text/csv"} {
		b.Run(form, func(b *testing.B) {
			r := httptest.NewRequest(http.MethodGet, "/api/v1/routes", nil)
			r.Header.Set("Accept", form)
			b.ReportAllocs()
			for b.Loop() {
				h.ServeHTTP(&discard{header: http.Header{}}, r)
			}
			b.ReportMetric(float64(b.N)*float64(len(fake.routes))/b.Elapsed().Seconds(), "routes/s")
		})
	}
}

// TestFacetsSayHowManyValuesAreNotListed asks for fewer values than there are peers.
func TestFacetsSayHowManyValuesAreNotListed(t *testing.T) {
	store, sessions := crowd(20)
	h := newServer(t, httpapi.DefaultConfig(), store, sessions).Handler()
	got := fields(t, ask(t, h, "/api/v1/routes?q=via+13335&facets=3"), http.StatusOK, "application/json")["facets"].(map[string]any)
	peers := got["peer_count"].(float64)
	if len(got["peers"].([]any)) != 3 || peers < 20 || got["length_count"] == nil || got["next_hop_count"] == nil {
		t.Errorf("facets %v; want 3 of 20 peers or more", got)
	}
	more := fmt.Sprintf("and %v more", peers-8)
	for _, form := range []string{"text/html", "text/plain"} {
		if body := ask(t, h, "/search?q=via+13335", "Accept", form).Body.String(); !strings.Contains(body, more) {
			t.Errorf("the page as %s does not say %q", form, more)
		}
	}
}
