package httpapi_test

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"ribglass/httpapi"
	"ribglass/ribstore/route"
)

// longWorld is the world with n more prefixes.
func longWorld(n int) (*fakeStore, fakeSessions) {
	store, sessions := world()
	pattern := store.routes[0]
	for i := range n {
		r := pattern
		r.Prefix = netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i >> 8), byte(i), 0}), 24)
		store.routes = append(store.routes, r)
	}
	return store, sessions
}

func TestNDJSONStreamsTheWholeAnswer(t *testing.T) {
	store, sessions := longWorld(2500)
	h := newServer(t, httpapi.DefaultConfig(), store, sessions).Handler()
	w := ask(t, h, "/api/v1/routes?q=10.0.0.0/8+or-longer", "Accept", "application/x-ndjson")
	lines := 0
	scanner := bufio.NewScanner(w.Body)
	for scanner.Scan() {
		var r struct {
			Prefix netip.Prefix `json:"prefix"`
		}
		if err := json.Unmarshal(scanner.Bytes(), &r); err != nil || r.Prefix != store.routes[6+lines].Prefix {
			t.Fatalf("line %d: %v, prefix %v, want %v", lines, err, r.Prefix, store.routes[6+lines].Prefix)
		}
		lines++
	}
	if lines != 2500 || store.pages != 3 {
		t.Errorf("%d lines in %d pages, want 2500 in 3", lines, store.pages)
	}
}

func TestCSVStreamsTheWholeAnswer(t *testing.T) {
	store, sessions := longWorld(1500)
	store.routes[0].Peer.Name = "=cmd|'/c calc'!A1"
	h := newServer(t, httpapi.DefaultConfig(), store, sessions).Handler()
	w := ask(t, h, "/api/v1/routes", "Accept", "text/csv")
	cells, err := csv.NewReader(w.Body).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(cells) != 1507 || cells[0][0] != "prefix" || cells[1][0] != "1.1.0.0/16" {
		t.Errorf("%d lines, the first %v", len(cells), cells[:2])
	}
	if cells[1][2] != "'=cmd|'/c calc'!A1" {
		t.Errorf("peer = %q, want an apostrophe before the formula", cells[1][2])
	}
	if got := w.Header().Get("Content-Disposition"); got != `attachment; filename="routes.csv"` {
		t.Errorf("Content-Disposition = %q", got)
	}
}

func TestStreamWithALimitIsOnePageThatNamesTheNext(t *testing.T) {
	h := worldHandler(t)
	w := ask(t, h, "/api/v1/routes?q=family+ipv4-unicast&limit=1", "Accept", "application/x-ndjson")
	if n := strings.Count(w.Body.String(), "\n"); n != 1 {
		t.Errorf("%d lines, want 1", n)
	}
	want := `</api/v1/routes?cursor=1&limit=1&q=family+ipv4-unicast>; rel="next"`
	if got := w.Header().Get("Link"); got != want {
		t.Errorf("Link = %q, want %q", got, want)
	}
}

func TestStreamStopsWhenTheClientIsGone(t *testing.T) {
	store, sessions := longWorld(20000)
	ctx, cancel := context.WithCancel(t.Context())
	store.hook = func() {
		if store.pages == 3 {
			cancel()
		}
	}
	h := newServer(t, httpapi.DefaultConfig(), store, sessions).Handler()
	r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/api/v1/routes", nil)
	r.Header.Set("Accept", "application/x-ndjson")
	abort := serveUntilPanic(h, httptest.NewRecorder(), r)
	if store.pages != 3 || !errors.Is(abort, http.ErrAbortHandler) {
		t.Errorf("%d pages were searched, ended by %v; want 3 and an aborted connection", store.pages, abort)
	}
}

// failingWriter takes one write and fails ever after.
type failingWriter struct {
	*httptest.ResponseRecorder
	writes int
}

func (w *failingWriter) Write(b []byte) (int, error) {
	if w.writes++; w.writes > 1 {
		return 0, errors.New("connection reset")
	}
	return w.ResponseRecorder.Write(b)
}

func TestStreamStopsWhenWritingFails(t *testing.T) {
	store, sessions := longWorld(20000)
	h := newServer(t, httpapi.DefaultConfig(), store, sessions).Handler()
	r := httptest.NewRequest(http.MethodGet, "/api/v1/routes", nil)
	r.Header.Set("Accept", "text/csv")
	h.ServeHTTP(&failingWriter{ResponseRecorder: httptest.NewRecorder()}, r)
	if store.pages > 2 {
		t.Errorf("%d slices were read, want at most 2", store.pages)
	}
}

func TestStreamThatBreaksOffIsSeenToBreakOff(t *testing.T) {
	store, sessions := longWorld(5000)
	store.hook = func() {
		if store.pages == 2 {
			store.err = errors.New("the table is gone")
		}
	}
	h := newServer(t, httpapi.DefaultConfig(), store, sessions).Handler()
	r := httptest.NewRequest(http.MethodGet, "/api/v1/routes", nil)
	r.Header.Set("Accept", "application/x-ndjson")
	if abort := serveUntilPanic(h, httptest.NewRecorder(), r); !errors.Is(abort, http.ErrAbortHandler) {
		t.Errorf("ended by %v, want an aborted connection", abort)
	}
}

// serveUntilPanic returns what the handler panicked with, nil when it did not.
func serveUntilPanic(h http.Handler, w http.ResponseWriter, r *http.Request) (err error) {
	defer func() {
		if v := recover(); v != nil {
			var ok bool
			if err, ok = v.(error); !ok {
				err = fmt.Errorf("panic: %v", v)
			}
		}
	}()
	h.ServeHTTP(w, r)
	return nil
}

// BenchmarkRoutesOfAnAddress measures the handler without the network: three
// routes of one address.
func BenchmarkRoutesOfAnAddress(b *testing.B) {
	store, sessions := world()
	fixed := *store
	one := &oneAnswer{fakeStore: &fixed}
	one.routes = store.routes[1:4]
	h := newServer(b, httpapi.DefaultConfig(), one, sessions).Handler()
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

// BenchmarkEncodeRoute measures one route with many attributes.
func BenchmarkEncodeRoute(b *testing.B) {
	store, sessions := longWorld(1000)
	for i := range store.routes {
		store.routes[i].Family = route.IPv4Unicast
	}
	h := newServer(b, httpapi.DefaultConfig(), store, sessions).Handler()
	r := httptest.NewRequest(http.MethodGet, "/api/v1/routes?limit=1000", nil)
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		h.ServeHTTP(&discard{header: http.Header{}}, r)
	}
}

func TestE4OneStreamTooManyIsRefused(t *testing.T) {
	store, sessions := longWorld(10)
	cfg := httpapi.DefaultConfig()
	cfg.MaxStreams = 1
	h := newServer(t, cfg, store, sessions).Handler()
	var second *httptest.ResponseRecorder
	store.hook = func() {
		if second == nil { // while the first stream is under way
			second = httptest.NewRecorder()
			r := httptest.NewRequest(http.MethodGet, "/api/v1/routes", nil)
			r.Header.Set("Accept", "text/csv")
			h.ServeHTTP(second, r)
		}
	}
	if w := ask(t, h, "/api/v1/routes", "Accept", "text/csv"); w.Code != http.StatusOK {
		t.Errorf("the first stream = %d, want 200", w.Code)
	}
	p := fields(t, second, http.StatusServiceUnavailable, "application/problem+json")
	if p["code"] != "busy" || second.Header().Get("Retry-After") == "" {
		t.Errorf("the second stream is told %v", p)
	}
	if w := ask(t, h, "/api/v1/routes", "Accept", "text/csv"); w.Code != http.StatusOK {
		t.Errorf("a stream afterwards = %d, want 200", w.Code)
	}
}

func TestHeadOfAStreamSearchesNothing(t *testing.T) {
	store, sessions := longWorld(5000)
	h := newServer(t, httpapi.DefaultConfig(), store, sessions).Handler()
	r := httptest.NewRequest(http.MethodHead, "/api/v1/routes", nil)
	r.Header.Set("Accept", "text/csv")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Code != http.StatusOK || store.pages != 0 {
		t.Errorf("status %d after %d pages, want 200 after none", w.Code, store.pages)
	}
}
