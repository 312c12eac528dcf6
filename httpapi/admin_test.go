package httpapi_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"ribglass/httpapi"
	"ribglass/ribstore"
	"ribglass/ribstore/history"
)

// admin returns an admin listener of the world; asked collects the peers that
// were asked to send their routes again.
func admin(t *testing.T, store *fakeStore, asked *[]string, fail error) *httpapi.Admin {
	t.Helper()
	_, sessions := world()
	registry := prometheus.NewRegistry()
	registry.MustRegister(prometheus.NewGauge(prometheus.GaugeOpts{Name: "ribglass_test", Help: "A metric."}))
	cfg := httpapi.DefaultAdminConfig()
	cfg.Hosts = []string{"admin.example.net"}
	a, err := httpapi.NewAdmin(cfg, httpapi.AdminDeps{
		Store: store, Sessions: sessions, Gatherer: registry, Logger: slog.New(slog.DiscardHandler),
		Refresh: func(peer string) error { *asked = append(*asked, peer); return fail },
		Forget:  func(_ context.Context, peer string) error { *asked = append(*asked, peer); return fail },
	})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestAdminReads(t *testing.T) {
	store, _ := world()
	var asked []string
	h := admin(t, store, &asked, nil).Handler()
	for target, want := range map[string]string{
		"/": "GET  /metrics", "/metrics": "ribglass_test 0", "/-/healthy": "healthy", "/-/ready": "ready",
	} {
		if w := ask(t, h, target); w.Code != 200 || !strings.Contains(w.Body.String(), want) {
			t.Errorf("GET %s = %d %s, want %q", target, w.Code, w.Body, want)
		}
	}
	for _, target := range []string{"/debug/pprof/", "/api/v1/status", "/-/", "/metrics/x", "/config"} {
		if w := ask(t, h, target); w.Code != http.StatusNotFound {
			t.Errorf("GET %s = %d, want 404", target, w.Code)
		}
	}
	if w := ask(t, h, "/-/refresh?peer=edge1"); w.Code != http.StatusMethodNotAllowed || len(asked) > 0 {
		t.Errorf("GET /-/refresh = %d and asked %v, want 405 and nothing", w.Code, asked)
	}
}

func TestAdminIsNotReadyWhenTheTableDoesNotAnswer(t *testing.T) {
	store, _ := world()
	store.err = errors.New("closed: secret")
	var asked []string
	h := admin(t, store, &asked, nil).Handler()
	if w := ask(t, h, "/-/ready"); w.Code != http.StatusServiceUnavailable || strings.Contains(w.Body.String(), "secret") {
		t.Errorf("GET /-/ready = %d %s, want 503", w.Code, w.Body)
	}
	if w := ask(t, h, "/-/healthy"); w.Code != 200 {
		t.Errorf("GET /-/healthy = %d, want 200", w.Code)
	}
}

func TestAdminRefresh(t *testing.T) {
	for name, row := range map[string]struct {
		target  string
		headers []string
		host    string
		fail    error
		status  int
		asked   string
	}{
		"a peer":                      {target: "?peer=edge1", status: 202, asked: "edge1"},
		"under a configured host":     {target: "?peer=edge1", host: "admin.example.net:9090", status: 202, asked: "edge1"},
		"under localhost":             {target: "?peer=edge1", host: "localhost:9090", status: 202, asked: "edge1"},
		"no peer":                     {status: 400},
		"a parameter that is not":     {target: "?pear=edge1", status: 400},
		"two peers":                   {target: "?peer=edge1&peer=edge2", status: 400},
		"an unknown peer":             {target: "?peer=edge9", status: 404},
		"a session that is down":      {target: "?peer=rs1.ixp", status: 409},
		"a peer that cannot":          {target: "?peer=edge1", fail: errors.New("no capability"), status: 409, asked: "edge1"},
		"D1 from another site":        {target: "?peer=edge1", headers: []string{"Sec-Fetch-Site", "cross-site"}, status: 403},
		"D1 from another origin":      {target: "?peer=edge1", headers: []string{"Origin", "https://evil.example"}, status: 403},
		"D2 from the null origin":     {target: "?peer=edge1", headers: []string{"Origin", "null"}, status: 403},
		"D5 under a name of a friend": {target: "?peer=edge1", host: "attacker.example", status: 421},
	} {
		t.Run(name, func(t *testing.T) {
			store, _ := world()
			var asked []string
			h := admin(t, store, &asked, row.fail).Handler()
			r := httptest.NewRequest(http.MethodPost, "/-/refresh"+row.target, nil)
			r.Host = "127.0.0.1:9090"
			if row.host != "" {
				r.Host = row.host
			}
			for i := 0; i < len(row.headers); i += 2 {
				r.Header.Set(row.headers[i], row.headers[i+1])
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != row.status || strings.Join(asked, " ") != row.asked {
				t.Errorf("status %d, asked %q, want %d, %q", w.Code, asked, row.status, row.asked)
			}
		})
	}
}

func TestAdminForgets(t *testing.T) {
	for name, row := range map[string]struct {
		target, asked, body string
		fail                error
		status              int
	}{
		"a peer that is down":         {target: "?peer=rs1.ixp", status: 200, asked: "rs1.ixp", body: `{"peer":"rs1.ixp","dynamic":false}`},
		"a session that is up":        {target: "?peer=edge1", status: 409, body: "the session is up; only a peer that is down can be forgotten"},
		"an unknown peer":             {target: "?peer=edge9", status: 404, body: "no such peer"},
		"no peer":                     {status: 400, body: "which peer? POST /-/forget?peer=NAME"},
		"a session that is coming up": {target: "?peer=rs1.ixp", status: 409, asked: "rs1.ixp", fail: errors.New("it has one"), body: "the peer was not forgotten: a session is coming up or ending"},
	} {
		t.Run(name, func(t *testing.T) {
			store, _ := world()
			var asked []string
			h := admin(t, store, &asked, row.fail).Handler()
			r := httptest.NewRequest(http.MethodPost, "/-/forget"+row.target, nil)
			r.Host = "127.0.0.1:9090"
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != row.status || strings.Join(asked, " ") != row.asked || strings.TrimSpace(w.Body.String()) != row.body {
				t.Errorf("status %d, asked %q, says %q; want %d, %q, %q", w.Code, asked, w.Body, row.status, row.asked, row.body)
			}
		})
	}
}

func TestAdminServesAndEndsWithItsContext(t *testing.T) {
	store, _ := world()
	var asked []string
	r := serve(t, admin(t, store, &asked, nil).Serve)
	if got := speak(t, r.address, "GET /-/ready HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"); !strings.HasPrefix(got, "HTTP/1.1 200 ") {
		t.Errorf("answer %q", got)
	}
	if err := r.stop(); err != nil {
		t.Errorf("Serve = %v, want nil", err)
	}
}

func TestAdminSnapshot(t *testing.T) {
	r, sessions := pastWorld(t)
	for name, row := range map[string]struct {
		take    func(context.Context) (history.SnapshotInfo, error)
		host    string
		headers []string
		status  int
		says    string
	}{
		"of a history":          {take: r.store.Snapshot, status: 200, says: `"routes":3`},
		"where there is none":   {status: 404, says: "not kept"},
		"of one that forgot it": {take: taken(ribstore.ErrNoHistory), status: 404, says: "not kept"},
		"that fails":            {take: taken(errors.New("disk secret full")), status: 500, says: "the log says why"},
		"D1 from another site":  {take: r.store.Snapshot, headers: []string{"Sec-Fetch-Site", "cross-site"}, status: 403},
		"D5 under another name": {take: r.store.Snapshot, host: "attacker.example", status: 421, says: "address"},
	} {
		t.Run(name, func(t *testing.T) {
			a, err := httpapi.NewAdmin(httpapi.DefaultAdminConfig(), httpapi.AdminDeps{
				Store: r.store, Sessions: sessions, Gatherer: prometheus.NewRegistry(), Logger: slog.New(slog.DiscardHandler), Snapshot: row.take,
			})
			if err != nil {
				t.Fatal(err)
			}
			req := httptest.NewRequest(http.MethodPost, "/-/snapshot", nil)
			if req.Host = "127.0.0.1:9090"; row.host != "" {
				req.Host = row.host
			}
			for i := 0; i < len(row.headers); i += 2 {
				req.Header.Set(row.headers[i], row.headers[i+1])
			}
			w := httptest.NewRecorder()
			a.Handler().ServeHTTP(w, req)
			if w.Code != row.status || !strings.Contains(w.Body.String(), row.says) || strings.Contains(w.Body.String(), "secret") {
				t.Errorf("POST /-/snapshot = %d %s, want %d with %q", w.Code, w.Body, row.status, row.says)
			}
		})
	}
	w := httptest.NewRecorder()
	store, _ := world()
	admin(t, store, new([]string), nil).Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/-/snapshot", nil))
	if w.Code != http.StatusMethodNotAllowed {
		t.Errorf("GET /-/snapshot = %d, want 405", w.Code)
	}
}

// taken is a snapshot that fails.
func taken(err error) func(context.Context) (history.SnapshotInfo, error) {
	return func(context.Context) (history.SnapshotInfo, error) { return history.SnapshotInfo{}, err }
}
