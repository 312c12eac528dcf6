package httpapi_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"ribglass/httpapi"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// running is a server that answers on loopback until stop.
type running struct {
	address string
	stop    func() error // ends it and returns what Serve returned
}

func serve(t *testing.T, f func(context.Context, net.Listener) error) running {
	t.Helper()
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- f(ctx, l) }()
	return running{l.Addr().String(), func() error {
		cancel()
		select {
		case err := <-done:
			return err
		case <-time.After(4 * time.Second):
			return errors.New("did not end in time")
		}
	}}
}

// speak sends bytes over a new connection and returns the answer's status line
// and headers.
func speak(t *testing.T, address, text string) string {
	t.Helper()
	var d net.Dialer
	c, err := d.DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if err := c.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
		t.Fatal(err)
	}
	go func() { _, _ = io.WriteString(c, text) }()
	var b strings.Builder
	scanner := bufio.NewScanner(c)
	for scanner.Scan() && scanner.Text() != "" {
		b.WriteString(scanner.Text() + "\n")
	}
	return b.String()
}

func TestServeAnswersAndEndsWithItsContext(t *testing.T) {
	store, sessions := world()
	r := serve(t, newServer(t, httpapi.DefaultConfig(), store, sessions).Serve)
	if got := speak(t, r.address, "GET /api/v1/status HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"); !strings.HasPrefix(got, "HTTP/1.1 200 ") {
		t.Errorf("answer %q", got)
	}
	if err := r.stop(); err != nil {
		t.Errorf("Serve = %v, want nil", err)
	}
}

func TestServeEndsWithinThreeSecondsWhileAStreamRuns(t *testing.T) {
	store, sessions := longWorld(200000)
	r := serve(t, newServer(t, httpapi.DefaultConfig(), store, sessions).Serve)
	var d net.Dialer
	c, err := d.DialContext(t.Context(), "tcp", r.address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	// The client begins to read and then never goes on.
	if _, err := io.WriteString(c, "GET /api/v1/routes HTTP/1.1\r\nHost: x\r\nAccept: application/x-ndjson\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if _, err := bufio.NewReader(c).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	if err := r.stop(); err != nil {
		t.Errorf("Serve = %v, want nil", err)
	}
	if took := time.Since(start); took > 3*time.Second {
		t.Errorf("Serve took %v to end, want at most 3 s", took)
	}
}

func TestRunFailsWhereItCannotListen(t *testing.T) {
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	cfg := httpapi.DefaultConfig()
	cfg.Listen = l.Addr().String()
	store, sessions := world()
	if err := newServer(t, cfg, store, sessions).Run(t.Context()); err == nil {
		t.Error("Run = nil on an address in use")
	}
}

func TestD6LimitsOfARequest(t *testing.T) {
	store, sessions := world()
	r := serve(t, newServer(t, httpapi.DefaultConfig(), store, sessions).Serve)
	for name, row := range map[string]struct{ request, status string }{
		"a header of 1 MB": {"GET / HTTP/1.1\r\nHost: x\r\nX-Long: " + strings.Repeat("a", 1<<20) + "\r\n\r\n", "431"},
		"a URL of 12 kB":   {"GET /" + strings.Repeat("a", 12<<10) + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "414"},
		"two lengths": {
			"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcd", "400",
		},
		"a length and chunks": {
			"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\n\r\n", "4",
		},
		"a header folded to smuggle": {"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding : chunked\r\n\r\n", "400"},
		"no Host":                    {"GET / HTTP/1.1\r\n\r\n", "400"},
		"no HTTP":                    {"\xff\xff\xff\xff\xff\xff\xff\xff\r\n\r\n", "400"},
		"a CR in a header":           {"GET / HTTP/1.1\r\nHost: x\r\nA: b\rc\r\n\r\n", "400"},
	} {
		if got := speak(t, r.address, row.request); !strings.HasPrefix(got, "HTTP/1.1 "+row.status) {
			t.Errorf("%s: answer %.60q, want status %s", name, got, row.status)
		}
	}
	if err := r.stop(); err != nil {
		t.Error(err)
	}
}

func TestConfigsThatAreRefused(t *testing.T) {
	for name, change := range map[string]func(*httpapi.Config){
		"no port":            func(c *httpapi.Config) { c.Listen = "127.0.0.1" },
		"no connections":     func(c *httpapi.Config) { c.MaxConnections = 0 },
		"no streams":         func(c *httpapi.Config) { c.MaxStreams = 0 },
		"no time":            func(c *httpapi.Config) { c.QueryTimeout = 0 },
		"a URL for a host":   func(c *httpapi.Config) { c.Hosts = []string{"https://lg.example.net"} },
		"a port at a host":   func(c *httpapi.Config) { c.Hosts = []string{"lg.example.net:8080"} },
		"a prefix of nobody": func(c *httpapi.Config) { c.TrustedProxies = make([]netip.Prefix, 1) },
	} {
		cfg := httpapi.DefaultConfig()
		change(&cfg)
		if _, err := httpapi.New(cfg, httpapi.Deps{Registerer: prometheus.NewRegistry()}); err == nil {
			t.Errorf("New = nil error with %s", name)
		}
	}
}

func TestMetricsAreBoundedAndNamed(t *testing.T) {
	registry := prometheus.NewRegistry()
	store, sessions := world()
	s, err := httpapi.New(httpapi.DefaultConfig(), httpapi.Deps{
		Store: store, Sessions: sessions, Logger: slog.New(slog.DiscardHandler), Registerer: registry,
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, target := range []string{"/1.1.1.1", "/2.2.2.2", "/1.1.1.0/24", "/frob", "/a/b/c/d/e", "/x/y/z/w", "/api/v1/routes?q=1.1.1.1"} {
		ask(t, s.Handler(), target)
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var routes []string
	for _, f := range families {
		if !strings.HasPrefix(f.GetName(), "ribglass_httpapi_") {
			t.Errorf("metric %s has another prefix", f.GetName())
		}
		if f.GetName() != "ribglass_httpapi_requests_total" {
			continue
		}
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				if l.GetName() == "route" && !slices.Contains(routes, l.GetValue()) {
					routes = append(routes, l.GetValue())
				}
			}
		}
	}
	slices.Sort(routes)
	if want := []string{"/:target", "/:target/:length", "/api/v1/routes", "none"}; !slices.Equal(routes, want) {
		t.Errorf("routes %q, want %q", routes, want)
	}
}

func TestAnsweringIsNotDisturbedByReaders(t *testing.T) {
	store, sessions := world()
	one := &oneAnswer{fakeStore: store, routes: store.routes[1:4]}
	h := newServer(t, httpapi.DefaultConfig(), one, sessions).Handler()
	want := ask(t, h, "/api/v1/routes?q=1.1.1.1").Body.String()
	done := make(chan string, 8)
	for range 8 {
		go func() {
			for range 200 {
				if got := ask(t, h, "/api/v1/routes?q=1.1.1.1").Body.String(); got != want {
					done <- got
					return
				}
				ask(t, h, "/1.1.1.1.txt")
			}
			done <- want
		}()
	}
	for range 8 {
		if got := <-done; got != want {
			t.Errorf("answer %s, want %s", got, want)
		}
	}
}
