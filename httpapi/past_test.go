package httpapi_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"ribglass/httpapi"
	"ribglass/ribstore"
	"ribglass/ribstore/history"
	"ribglass/ribstore/route"
)

// clock is a clock that a test sets.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = t
}

// remembered is the real store with a real history in a temporary directory. Its
// clock stands between the steps that a test makes.
type remembered struct {
	t       testing.TB
	clock   *clock
	store   *ribstore.Store
	history *history.History
	in      chan route.Batch
}

func newRemembered(t testing.TB) *remembered {
	t.Helper()
	r := &remembered{t: t, clock: &clock{now: now.Add(-3 * time.Hour)}, in: make(chan route.Batch)}
	log := slog.New(slog.DiscardHandler)
	var err error
	r.history, err = history.Open(filepath.Join(t.TempDir(), "history.db"), history.DefaultConfig(), history.Deps{Logger: log, Now: r.clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	r.store, err = ribstore.New(ribstore.DefaultConfig(), ribstore.Deps{
		Logger: log, Registerer: prometheus.NewRegistry(), Now: r.clock.Now, History: r.history,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.store.Resume(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.store.Run(ctx, r.in) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("store: %v", err)
		}
		if err := r.history.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

// at sets the clock and gives the store batches, which it has applied when at
// returns.
func (r *remembered) at(moment time.Time, batches ...route.Batch) {
	r.t.Helper()
	r.clock.set(moment)
	for _, b := range batches {
		r.in <- b
		r.in <- route.Batch{Peer: b.Peer} // is taken when the other is applied, and says nothing
	}
}

func TestAsking(t *testing.T) {
	r := newRemembered(t)
	_, sessions := world()
	edge1 := sessions[1].Peer
	_ = slices.Contains[[]int]
	announce := func(path ...route.ASN) route.Batch {
		return route.Batch{Peer: edge1, Updates: []route.Update{{
			Attrs: attrs{path: path, nextHop: "192.0.2.1", med: -1, pref: -1}.build(), NLRI: []route.NLRI{{Prefix: worldPrefix}},
		}}}
	}
	r.at(now.Add(-2*time.Hour), route.Batch{Peer: edge1, Event: route.PeerUp}, announce(64500, 64501))
	r.at(now.Add(-1*time.Hour), announce(64500, 64502))
	r.at(now.Add(-30*time.Minute), route.Batch{Peer: edge1, Event: route.PeerDown, Reason: "<b>gone"})
	r.clock.set(now)
	s, err := httpapi.New(httpapi.DefaultConfig(), httpapi.Deps{
		Store: r.store, Sessions: sessions, Logger: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry(), Now: r.clock.Now,
		History: r.history,
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, target := range []string{
		"/api/v1/routes?q=203.0.113.0/24&at=90m", "/api/v1/routes?q=203.0.113.0/24+at+45m", "/api/v1/routes?q=203.0.113.0/24",
		"/api/v1/routes?q=203.0.113.0/24&at=9d", "/api/v1/changes", "/api/v1/timeline?q=203.0.113.0/24", "/api/v1/diff?a=90m&b=now",
		"/api/v1/history", "/api/v1/status", "/api/v1/collections", "/api/v1/export?format=csv&at=90m", "/api/v1/routes?between=-2h/now",
	} {
		w := ask(t, s.Handler(), target)
		t.Log(target, w.Code, strings.TrimSpace(w.Body.String()))
	}
	t.Log(ask(t, s.Handler(), "/api/v1/changes", "Accept", "text/csv").Body.String())
	t.Log(ask(t, s.Handler(), "/api/v1/diff?a=90m", "Accept", "application/x-ndjson").Body.String())
	_ = http.StatusOK
}

var worldPrefix = netip.MustParsePrefix("203.0.113.0/24")
