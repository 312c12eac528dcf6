package httpapi_test

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"os"
	"testing"
	"time"

	"ribglass/httpapi"
)

// setTarget gives a request the URL that a client sent.
func setTarget(r *http.Request, target string) error {
	u, err := url.ParseRequestURI(target)
	if err != nil {
		return err
	}
	r.URL, r.RequestURI = u, target
	return nil
}

// TestShow serves the world of the tests on RIBGLASS_SHOW for a person (or a
// headless browser) to look at, for RIBGLASS_SHOW_FOR. Without RIBGLASS_SHOW it
// only starts and stops the server, which is worth a test too.
func TestShow(t *testing.T) {
	address, duration := os.Getenv("RIBGLASS_SHOW"), 10*time.Millisecond
	if address == "" {
		address = "127.0.0.1:0"
	} else if d, err := time.ParseDuration(os.Getenv("RIBGLASS_SHOW_FOR")); err == nil {
		duration = d
	}
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	store, sessions := world()
	ctx, cancel := context.WithTimeout(t.Context(), duration)
	defer cancel()
	if err := newServer(t, httpapi.DefaultConfig(), store, sessions).Serve(ctx, l); err != nil {
		t.Errorf("Serve = %v, want nil after its context ended", err)
	}
}
