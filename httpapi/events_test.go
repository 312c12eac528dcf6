package httpapi_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"ribglass/httpapi"
	"ribglass/ribstore"
	"ribglass/ribstore/query"
	"ribglass/ribstore/route"
	"ribglass/ribstore/tap"
)

// changingStore is a fake that a test changes while it is asked, and that tells
// of it.
type changingStore struct {
	*fakeStore

	mu  sync.Mutex // guards the fake
	tap tap.Tap
}

// newTellingServer returns a server that hears of the changes of a store.
func newTellingServer(t *testing.T, store *changingStore, sessions httpapi.Sessions) *httpapi.Server {
	t.Helper()
	s, err := httpapi.New(httpapi.DefaultConfig(), tellingDeps(store, &store.tap, sessions))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func tellingDeps(store httpapi.Store, changes *tap.Tap, sessions httpapi.Sessions) httpapi.Deps {
	return httpapi.Deps{
		Store: store, Sessions: sessions, Logger: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry(), Subscribe: changes.Subscribe,
	}
}

// change changes the fake and tells of it.
func (s *changingStore) change(f func(*fakeStore)) {
	s.mu.Lock()
	f(s.fakeStore)
	s.mu.Unlock()
	s.tap.Batch(&route.Batch{Peer: &route.Peer{Name: "edge1"}, Event: route.EndOfRIB})
}

func (s *changingStore) Search(ctx context.Context, q query.Query, p query.Page) (*query.Result, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fakeStore.Search(ctx, q, p)
}

func (s *changingStore) Peer(name string) (ribstore.PeerStats, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fakeStore.Peer(name)
}

// follow asks for events in a bubble and returns what was written for a time
// after a change.
func follow(t *testing.T, target string, change func(*fakeStore), wait time.Duration) string {
	t.Helper()
	var body string
	synctest.Test(t, func(t *testing.T) {
		fake, sessions := world()
		store := &changingStore{fakeStore: fake}
		s := newTellingServer(t, store, sessions)
		ctx, cancel := context.WithCancel(t.Context())
		r := httptest.NewRequestWithContext(ctx, http.MethodGet, target, nil)
		w := httptest.NewRecorder()
		done := make(chan struct{})
		go func() { defer close(done); s.Handler().ServeHTTP(w, r) }()
		synctest.Wait()
		store.change(change)
		time.Sleep(wait)
		cancel()
		<-done
		body = w.Body.String()
	})
	return body
}

func TestEventsTellThatAnAnswerChanged(t *testing.T) {
	for name, row := range map[string]struct {
		target string
		change func(*fakeStore)
		wait   time.Duration
		want   []string
	}{
		"nothing happens":          {"/api/v1/events?q=1.1.1.1", func(*fakeStore) {}, 3 * time.Second, nil},
		"a sign of life":           {"/api/v1/events?q=1.1.1.1", func(*fakeStore) {}, 16 * time.Second, []string{":"}},
		"a route goes":             {"/api/v1/events?q=1.1.1.0/24", func(s *fakeStore) { s.routes = s.routes[:2] }, time.Second, []string{`{"changes":3`}},
		"many changes in a second": {"/api/v1/events?q=1.1.1.1", func(s *fakeStore) { s.routes = s.routes[:1]; s.routes = nil }, time.Second, []string{`{"changes":4`}},
		"there and back":           {"/api/v1/events?q=1.1.1.1", func(s *fakeStore) { all := s.routes; s.routes = nil; s.routes = all }, time.Second, nil},
		"another attribute":        {"/api/v1/events?q=1.1.1.1", func(s *fakeStore) { s.routes[1].Attrs = s.routes[1].Attrs.AppendAttr(200, []byte{1}) }, time.Second, []string{`{"changes":1`}},
		"a route goes stale":       {"/api/v1/events?q=1.1.1.1", func(s *fakeStore) { s.routes[1].StaleSince = now }, time.Second, []string{`{"changes":1`}},
		"another prefix changes":   {"/api/v1/events?q=2001:db8:1::1", func(s *fakeStore) { s.routes[1].StaleSince = now }, time.Second, nil},
		"counts of a peer, no query": {"/api/v1/events", func(s *fakeStore) {
			p := s.peers["edge1"]
			p.Routes[route.IPv4Unicast] += 7
			s.peers["edge1"] = p
		}, time.Second, []string{`{"changes":1`}},
	} {
		t.Run(name, func(t *testing.T) {
			body := follow(t, row.target, row.change, row.wait)
			var got []string
			for line := range strings.Lines(body) {
				if data, ok := strings.CutPrefix(line, "data: "); ok || strings.HasPrefix(line, ":") {
					got = append(got, strings.TrimSuffix(data, "\n"))
				}
			}
			if len(got) != len(row.want) {
				t.Fatalf("events %q, want %q", got, row.want)
			}
			for i := range got {
				if !strings.HasPrefix(got[i], row.want[i]) {
					t.Errorf("event %d is %q, want %q", i, got[i], row.want[i])
				}
			}
		})
	}
}

func TestEventsAreOfWhatIsCheapToLookAt(t *testing.T) {
	h := worldHandler(t)
	for target, want := range map[string]int{
		"/api/v1/events?q=13335":                       http.StatusBadRequest,
		"/api/v1/events?q=peer+edge1":                  http.StatusBadRequest,
		"/api/v1/events?q=0.0.0.0/0+or-longer":         http.StatusBadRequest,
		"/api/v1/events?q=1.1.1.1+at+1h":               http.StatusBadRequest,
		"/api/v1/events?q=1.1.1.1+between+-1h+and+now": http.StatusBadRequest,
		"/api/v1/events?q=frob":                        http.StatusBadRequest,
		"/api/v1/events?at=1h":                         http.StatusBadRequest,
	} {
		if w := ask(t, h, target); w.Code != want {
			t.Errorf("GET %s = %d, want %d", target, w.Code, want)
		}
	}
	if w := ask(t, h, "/api/v1/events", "Accept", "application/json"); w.Code != http.StatusNotAcceptable {
		t.Errorf("events as JSON = %d, want 406", w.Code)
	}
}

func TestStreamsOfEventsAreBounded(t *testing.T) {
	const most = 256
	synctest.Test(t, func(t *testing.T) {
		store, sessions := world()
		h := newServer(t, httpapi.DefaultConfig(), store, sessions).Handler()
		ctx, cancel := context.WithCancel(t.Context())
		var group sync.WaitGroup
		for range most {
			group.Go(func() {
				h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, http.MethodGet, "/api/v1/events", nil))
			})
		}
		synctest.Wait()
		if w := ask(t, h, "/api/v1/events"); w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
			t.Errorf("one more = %d, want 503", w.Code)
		}
		cancel()
		group.Wait()
	})
}
