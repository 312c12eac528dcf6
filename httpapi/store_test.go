package httpapi_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"ribglass/httpapi"
	"ribglass/ribstore"
	"ribglass/ribstore/route"
)

// realStore runs the real store until the test ends and gives it the routes of
// the world.
func realStore(t testing.TB, routes []route.Route) *ribstore.Store {
	t.Helper()
	return filledStore(t, ribstore.DefaultConfig(), ribstore.Deps{}, routes)
}

// filledStore is realStore with a configuration, and what else the store shares.
func filledStore(t testing.TB, cfg ribstore.Config, deps ribstore.Deps, routes []route.Route) *ribstore.Store {
	t.Helper()
	deps.Logger, deps.Registerer, deps.Now = slog.New(slog.DiscardHandler), prometheus.NewRegistry(), time.Now
	store, err := ribstore.New(cfg, deps)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	in, done := make(chan route.Batch), make(chan error, 1)
	go func() { done <- store.Run(ctx, in) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("store: %v", err)
		}
	})
	up := map[string]bool{}
	for i := range routes {
		r := &routes[i]
		if !up[r.Peer.Name] {
			up[r.Peer.Name] = true
			in <- route.Batch{Peer: r.Peer, At: time.Now(), Event: route.PeerUp}
		}
		in <- route.Batch{Peer: r.Peer, At: time.Now(), Updates: []route.Update{
			{Family: r.Family, Attrs: r.Attrs, NLRI: []route.NLRI{{Prefix: r.Prefix, PathID: r.PathID}}},
		}}
	}
	for deadline := time.Now().Add(10 * time.Second); count(store) < len(routes); {
		if time.Now().After(deadline) {
			t.Fatalf("the store has %d routes after ten seconds, want %d", count(store), len(routes))
		}
		time.Sleep(time.Millisecond)
	}
	return store
}

func count(store *ribstore.Store) int {
	n := 0
	for _, f := range store.Stats().Routes {
		n += f
	}
	return n
}

func TestTheRealStoreAnswersAsTheFakeDoes(t *testing.T) {
	fake, sessions := world()
	h := newServer(t, httpapi.DefaultConfig(), realStore(t, fake.routes), sessions).Handler()
	twin := newServer(t, httpapi.DefaultConfig(), fake, sessions).Handler()
	for _, q := range []string{
		"1.1.1.1", "1.1.2.3", "1.1.0.0/16", "1.0.0.0/8+or-longer", "1.1.1.1+or-shorter", "2001:db8:1::1", "peer+edge2",
		"family+ipv6-unicast", "", "203.0.113.1",
	} {
		want := fields(t, ask(t, twin, "/api/v1/routes?q="+q), http.StatusOK, "application/json")
		got := fields(t, ask(t, h, "/api/v1/routes?q="+q), http.StatusOK, "application/json")
		if prefixesOf(got) != prefixesOf(want) || got["total"] != want["total"] {
			t.Errorf("q=%s: %s of %v, want %s of %v", q, prefixesOf(got), got["total"], prefixesOf(want), want["total"])
		}
	}
	for _, path := range []string{"/", "/peers", "/peers/edge1", "/1.1.1.1.txt", "/1.1.1.1.json", "/search?q=peer+edge1&limit=1"} {
		if w := ask(t, h, path); w.Code != http.StatusOK {
			t.Errorf("GET %s = %d %s", path, w.Code, w.Body)
		}
	}
}

func prefixesOf(answer map[string]any) string {
	var b strings.Builder
	for _, r := range answer["routes"].([]any) {
		b.WriteString(r.(map[string]any)["prefix"].(string) + " ")
	}
	return b.String()
}

func TestCursorsOfTheRealStoreLeadThroughTheWholeAnswer(t *testing.T) {
	fake, sessions := longWorld(2500)
	h := newServer(t, httpapi.DefaultConfig(), realStore(t, fake.routes), sessions).Handler()
	w := ask(t, h, "/api/v1/routes?q=10.0.0.0/8+or-longer", "Accept", "application/x-ndjson")
	if n := strings.Count(w.Body.String(), "\n"); n != 2500 {
		t.Errorf("the stream has %d routes, want 2500", n)
	}
	if w := ask(t, h, "/api/v1/routes?cursor=bogus"); w.Code != http.StatusBadRequest {
		t.Errorf("a bogus cursor = %d, want 400", w.Code)
	}
}

// BenchmarkRoutesOfTheRealStore measures handler and store together.
func BenchmarkRoutesOfTheRealStore(b *testing.B) {
	fake, sessions := longWorld(20000)
	h := newServer(b, httpapi.DefaultConfig(), realStore(b, fake.routes), sessions).Handler()
	r := httptest.NewRequest(http.MethodGet, "/api/v1/routes?q=1.1.1.1", nil)
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		w := discard{header: http.Header{}}
		h.ServeHTTP(&w, r)
		if w.status != http.StatusOK {
			b.Fatal(w.status)
		}
	}
}

// The real store is what the interface asks for.
var _ httpapi.Store = (*ribstore.Store)(nil)
