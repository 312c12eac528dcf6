package httpapi_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"ribglass/httpapi"
	"ribglass/ribstore"
)

// TestStreamsAboutThePastGiveTheirPlacesBack has as many streams about the past end, in
// each way, as there may be streams, and one more. Some are refused. A place that is not
// given back is missing for what comes after.
func TestStreamsAboutThePastGiveTheirPlacesBack(t *testing.T) {
	r, sessions := pastWorld(t)
	cfg := httpapi.DefaultConfig()
	h := r.server(cfg, sessions)
	past := newRequest("/api/v1/routes?at=90m", "application/x-ndjson")
	live := func(when string) {
		t.Helper()
		w := ask(t, h, "/api/v1/routes", "Accept", "application/x-ndjson")
		if w.Code != http.StatusOK || w.Body.Len() == 0 {
			t.Errorf("a live stream %s = %d, %d bytes, want 200 and routes", when, w.Code, w.Body.Len())
		}
	}
	for name, end := range map[string]func() int{
		"that were read": func() int {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, past.Clone(t.Context()))
			return w.Code
		},
		"whose client was gone": func() int {
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			_ = serveUntilPanic(h, httptest.NewRecorder(), past.Clone(ctx))
			return http.StatusOK
		},
		"that could not be written": func() int {
			_ = serveUntilPanic(h, &failingWriter{ResponseRecorder: httptest.NewRecorder(), writes: 1}, past.Clone(t.Context()))
			return http.StatusOK
		},
		"of a moment that is not kept": func() int {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, newRequest("/api/v1/routes?at=400d", "application/x-ndjson"))
			return w.Code - http.StatusNotFound + http.StatusOK
		},
	} {
		for i := range cfg.MaxStreams + 1 {
			if code := end(); code != http.StatusOK {
				t.Fatalf("stream %d of those %s = %d", i+1, name, code)
			}
		}
		live("after those " + name)
	}

	// As many as there may be about the past wait for their clients: one more is refused.
	var waiting []*stalled
	done := make(chan struct{})
	for range ribstore.DefaultConfig().Limits()[ribstore.PastStreams].Places {
		s := &stalled{reached: make(chan struct{}), release: make(chan struct{})}
		waiting = append(waiting, s)
		go func() {
			h.ServeHTTP(s, past.Clone(context.WithoutCancel(t.Context())))
			done <- struct{}{}
		}()
		<-s.reached
	}
	for range cfg.MaxStreams + 1 {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, past.Clone(t.Context()))
		if p := fields(t, w, http.StatusServiceUnavailable, "application/problem+json"); p["code"] != "busy" || w.Header().Get("Retry-After") != "10" {
			t.Fatalf("one stream too many is told %v, Retry-After %q", p, w.Header().Get("Retry-After"))
		}
	}
	live("beside those that wait")
	for _, s := range waiting {
		close(s.release)
		<-done
	}
	live("after those that waited")
	if w := ask(t, h, "/api/v1/routes?at=90m", "Accept", "application/x-ndjson"); w.Code != http.StatusOK {
		t.Errorf("a stream about the past afterwards = %d, want 200", w.Code)
	}
}

// TestASearchThatIsGivenUpSaysSo: its time is over before the first byte, and after it.
func TestASearchThatIsGivenUpSaysSo(t *testing.T) {
	store, sessions := longWorld(5000)
	store.err = fmt.Errorf("search: %w", context.DeadlineExceeded)
	h := newServer(t, httpapi.DefaultConfig(), store, sessions).Handler()
	for _, accept := range []string{"application/json", "application/x-ndjson", "text/csv"} {
		w := ask(t, h, "/api/v1/routes", "Accept", accept)
		if p := fields(t, w, http.StatusServiceUnavailable, "application/problem+json"); p["code"] != "timeout" || p["status"] != 503.0 {
			t.Errorf("%s is told %v", accept, p)
		}
	}
	if w := ask(t, h, "/search?q=via+13335", "Accept", "text/html"); w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Header().Get("Content-Type"), "text/html") {
		t.Errorf("the page = %d, %s; want 503 and a page", w.Code, w.Header().Get("Content-Type"))
	}
}

// TestAPanicAfterTheFirstByteCutsTheConnection: half an answer must not look like a whole
// one, and the place of the stream is given back.
func TestAPanicAfterTheFirstByteCutsTheConnection(t *testing.T) {
	store, sessions := longWorld(5000)
	store.hook = func() {
		if store.pages == 2 {
			panic("secret of the inside")
		}
	}
	cfg := httpapi.DefaultConfig()
	cfg.MaxStreams = 1
	h := newServer(t, cfg, store, sessions).Handler()
	for range 2 {
		store.pages = 0
		w := httptest.NewRecorder()
		abort := serveUntilPanic(h, w, newRequest("/api/v1/routes", "application/x-ndjson"))
		if !errors.Is(abort, http.ErrAbortHandler) || w.Code != http.StatusOK || strings.Contains(w.Body.String(), "secret") {
			t.Errorf("ended by %v with status %d, want an aborted connection and nothing of the inside", abort, w.Code)
		}
	}
}

// TestConnectionsAreBounded: one more than max_connections is answered when one is closed.
func TestConnectionsAreBounded(t *testing.T) {
	store, sessions := world()
	cfg := httpapi.DefaultConfig()
	cfg.MaxConnections = 2
	r := serve(t, newServer(t, cfg, store, sessions).Serve)
	var conns [3]net.Conn
	for i := range conns {
		c, err := new(net.Dialer).DialContext(t.Context(), "tcp", r.address)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Close() }()
		conns[i] = c
	}
	asks := func(c net.Conn, within time.Duration) error {
		if err := c.SetDeadline(time.Now().Add(within)); err != nil {
			return err
		}
		answer, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, answer.Body)
		return errors.Join(err, answer.Body.Close())
	}
	for _, c := range conns {
		if _, err := io.WriteString(c, "GET /api/v1/status HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
	}
	for i, c := range conns[:2] {
		if err := asks(c, 5*time.Second); err != nil {
			t.Fatalf("connection %d: %v", i+1, err)
		}
	}
	if err := asks(conns[2], 100*time.Millisecond); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("connection 3 beside two that are open: %v, want no answer yet", err)
	}
	_ = conns[0].Close()
	if err := asks(conns[2], 5*time.Second); err != nil {
		t.Errorf("connection 3 when there is room: %v", err)
	}
	if err := r.stop(); err != nil {
		t.Error(err)
	}
}
