package httpapi_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ribglass/httpapi"
	"ribglass/ribstore/query"
)

// countedStore counts how often it is searched.
type countedStore struct {
	*changingStore

	searches int
	count    sync.Mutex
}

func (s *countedStore) Search(ctx context.Context, q query.Query, p query.Page) (*query.Result, error) {
	s.count.Lock()
	s.searches++
	s.count.Unlock()
	return s.changingStore.Search(ctx, q, p)
}

// listening runs f in a bubble in which a client listens to the events of an
// address.
func listening(t *testing.T, f func(t *testing.T, store *countedStore, body func() string)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		fake, sessions := world()
		store := &countedStore{changingStore: &changingStore{fakeStore: fake}}
		s, err := httpapi.New(httpapi.DefaultConfig(), tellingDeps(store, &store.tap, sessions))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		w := &lockedRecorder{ResponseRecorder: httptest.NewRecorder()}
		done := make(chan struct{})
		go func() {
			defer close(done)
			s.Handler().ServeHTTP(w, httptest.NewRequestWithContext(ctx, http.MethodGet, "/api/v1/events?q=1.1.1.1", nil))
		}()
		synctest.Wait()
		f(t, store, w.body)
		cancel()
		<-done
	})
}

// lockedRecorder is a recorder that can be read while it is written.
type lockedRecorder struct {
	*httptest.ResponseRecorder

	mu sync.Mutex
}

func (w *lockedRecorder) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.ResponseRecorder.Write(b)
}

func (w *lockedRecorder) WriteString(s string) (int, error) { return w.Write([]byte(s)) }

func (w *lockedRecorder) body() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.Body.String()
}

func TestIdlePageAsksNothing(t *testing.T) {
	listening(t, func(t *testing.T, store *countedStore, _ func() string) {
		t.Helper()
		time.Sleep(time.Hour)
		if store.searches != 1 {
			t.Errorf("%d searches in an hour in which nothing happened, want the first", store.searches)
		}
	})
}

func TestChangeIsToldWithin200Milliseconds(t *testing.T) {
	listening(t, func(t *testing.T, store *countedStore, body func() string) {
		t.Helper()
		for i := range 3 {
			store.change(func(s *fakeStore) { s.routes = s.routes[:len(s.routes)-1]; s.routes[0].PathID++; s.routes[2].PathID++ })
			time.Sleep(200 * time.Millisecond)
			synctest.Wait()
			if n := strings.Count(body(), "event: change"); n != i+1 {
				t.Fatalf("%d events 200 ms after change %d, want %d", n, i+1, i+1)
			}
			time.Sleep(time.Second)
		}
	})
}

func TestStormIsAskedAboutFiveTimesASecond(t *testing.T) {
	listening(t, func(t *testing.T, store *countedStore, _ func() string) {
		t.Helper()
		for range 10_000 { // ten seconds
			store.change(func(*fakeStore) {})
			time.Sleep(time.Millisecond)
		}
		if store.searches > 52 {
			t.Errorf("%d searches in ten seconds of changes, want 50 at most", store.searches)
		}
	})
}
