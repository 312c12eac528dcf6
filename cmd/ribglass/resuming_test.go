package main

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ribglass/cmd/ribglass/config"
)

// TestRequestsAreAnsweredWhileTheHistoryIsLoaded asks a server whose store has not
// resumed yet, and again once it has, over the same connections.
func TestRequestsAreAnsweredWhileTheHistoryIsLoaded(t *testing.T) {
	defer checkLeaks(t)
	cfg, err := config.Load("../../configs/demo.yaml", config.Overrides{Listen: "127.0.0.1:0", HTTPListen: "127.0.0.1:0", AdminListen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	cfg.DataDir, cfg.Demo.Speakers = filepath.Join(t.TempDir(), "data"), nil
	var log syncBuffer
	s, err := newServer(t.Context(), cfg, &log)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ended := make(chan error, 3)
	go func() { ended <- s.http.Serve(ctx, s.httpListener) }()
	go func() { ended <- s.admin.Serve(ctx, s.adminListener) }()
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	get := func(at, accept string) (int, http.Header, string) {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, at, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Accept", accept)
		response, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return response.StatusCode, response.Header, string(body)
	}
	public, admin := "http://"+s.httpListener.Addr().String(), "http://"+s.adminListener.Addr().String()

	code, head, body := get(public+"/api/v1/routes?q=192.0.2.1", "application/json")
	var problem struct{ Code, Detail, Instance string }
	if err := json.Unmarshal([]byte(body), &problem); err != nil || code != http.StatusServiceUnavailable || problem.Code != "resuming" ||
		head.Get("Retry-After") != "2" || problem.Instance != "/api/v1/routes" {
		t.Errorf("API: %d %v %s (%v), want a problem of the code resuming", code, head, body, err)
	}
	for _, row := range []struct{ name, path, accept, want string }{
		{"the first page", "/", "text/html", "<h1>The history is being loaded</h1>"},
		{"a lookup", "/103.213.218.1", "text/html", "<h1>The history is being loaded</h1>"},
		{"a lookup as text", "/103.213.218.1", "text/plain", "loading what it recorded"},
		{"a page in German", "/?lang=de", "text/html", "<h1>Der Verlauf wird geladen</h1>"},
		{"a path that there is not", "/nothing/here/at/all", "text/html", "loading what it recorded"},
	} {
		code, head, body = get(public+row.path, row.accept)
		if code != http.StatusServiceUnavailable || head.Get("Refresh") != "2" || head.Get("Retry-After") != "2" ||
			head.Get("Content-Security-Policy") == "" || !strings.Contains(body, row.want) {
			t.Errorf("%s: %d %v %s, want 503 and %q", row.name, code, head, body, row.want)
		}
	}
	if code, _, _ = get(public+"/robots.txt", "*/*"); code != http.StatusOK {
		t.Errorf("robots.txt: %d, want 200: it knows no routes", code)
	}
	for path, want := range map[string]int{"/-/healthy": http.StatusOK, "/-/ready": http.StatusServiceUnavailable, "/metrics": http.StatusServiceUnavailable} {
		if code, _, body := get(admin+path, "*/*"); code != want {
			t.Errorf("%s: %d %s, want %d", path, code, body, want)
		}
	}

	close(s.batches) // the collector does not run
	if err := s.resume(ctx); err != nil {
		t.Fatal(err)
	}
	for _, at := range []string{public + "/", public + "/103.213.218.1", admin + "/metrics"} {
		if code, _, body := get(at, "text/plain"); code != http.StatusOK {
			t.Errorf("%s afterwards: %d %s, want 200", at, code, body)
		}
	}
	stop()
	for range 2 {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	if err := s.closeHistory(); err != nil {
		t.Error(err)
	}
}

// TestLoadingIsTold asks a store how far it is while it resumes.
func TestLoadingIsTold(t *testing.T) {
	defer checkLeaks(t)
	cfg := demoConfig(t, config.Overrides{Listen: "127.0.0.1:0", HTTPListen: "127.0.0.1:0", AdminListen: "127.0.0.1:0"})
	var log syncBuffer
	s, err := newServer(t.Context(), cfg, &log)
	if err != nil {
		t.Fatal(err)
	}
	if done, of := s.store.Loading(); done != 0 || of != 0 {
		t.Errorf("before: %d of %d, want nothing", done, of)
	}
	loaded := make(chan struct{})
	go func() { // as requests do, for the race detector
		for {
			select {
			case <-loaded:
				return
			case <-time.After(time.Millisecond):
				s.loading()
				s.store.Stats()
				s.store.RateOfAll()
				s.store.Prefixes("transit1", 0)
			}
		}
	}()
	if err := s.store.Resume(t.Context()); err != nil {
		t.Fatal(err)
	}
	close(loaded)
	routes := 0
	for _, n := range s.store.Stats().Routes {
		routes += n
	}
	done, of := s.store.Loading()
	if done != of || done < int64(routes) || routes == 0 {
		t.Errorf("after: %d of %d with %d routes, want all of it", done, of, routes)
	}
	for _, l := range []*listener{s.httpListener, s.adminListener} {
		_ = l.Close()
	}
	if err := s.closeHistory(); err != nil {
		t.Error(err)
	}
}
