package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
)

// TestRequestsAreAnsweredWhileTheHistoryIsLoaded asks a server whose store has not
// resumed yet, and again once it has, on the same listener.
func TestRequestsAreAnsweredWhileTheHistoryIsLoaded(t *testing.T) {
	t.Parallel()
	l, err := listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &server{resumed: make(chan struct{}), log: slog.New(slog.DiscardHandler)}
	answers := func(ctx context.Context, l net.Listener) error {
		web := http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "routes") })}
		context.AfterFunc(ctx, func() { _ = web.Close() })
		return web.Serve(l)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.serveResumed(ctx, l, answers) }()
	get := func(path string) (int, http.Header, string) {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+l.Addr().String()+path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		response, err := http.DefaultClient.Do(request)
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
	code, head, body := get("/api/v1/routes?q=192.0.2.1")
	var problem struct{ Code, Detail string }
	if err := json.Unmarshal([]byte(body), &problem); err != nil || code != http.StatusServiceUnavailable || problem.Code != "resuming" || head.Get("Retry-After") == "" {
		t.Errorf("API: %d %v %s (%v), want a problem of the code resuming", code, head, body, err)
	}
	if code, head, body = get("/"); code != http.StatusServiceUnavailable || head.Get("Refresh") == "" || !strings.Contains(body, "loading what it recorded") {
		t.Errorf("page: %d %v %s", code, head, body)
	}
	if code, _, _ = get("/-/healthy"); code != http.StatusOK {
		t.Errorf("healthy: %d, want 200", code)
	}
	if code, _, _ = get("/-/ready"); code != http.StatusServiceUnavailable {
		t.Errorf("ready: %d, want 503", code)
	}
	close(s.resumed)
	for code = 0; code != http.StatusOK; { // until the other server has taken over
		code, _, body = get("/")
	}
	if body != "routes" {
		t.Errorf("after: %d %s, want what the server itself answers", code, body)
	}
	stop()
	if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
		t.Errorf("it ended with %v", err)
	}
}
