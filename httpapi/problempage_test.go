package httpapi_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"ribglass/httpapi"
	"ribglass/ribstore"
)

func TestErrorsArePagesWithTheReasonAndTheWayOn(t *testing.T) {
	failing := func(err error) func(*fakeStore) { return func(s *fakeStore) { s.err = err } }
	long := "/search?q=" + strings.Repeat("1", 7000)
	for _, row := range []struct {
		about, method, target, host string
		store                       func(*fakeStore)
		status                      int
		reason                      string
		onward                      []string
	}{
		{"a query that cannot be understood", "GET", "/search?q=frob", "", nil, 400, "frob", []string{"/help", "/"}},
		{"an unknown parameter", "GET", "/peers?frob=1", "", nil, 400, "frob", []string{"/help", "/"}},
		{"a peer that is not there", "GET", "/peers/nobody", "", nil, 404, "nobody", []string{"/", "/peers"}},
		{"a path that is not there", "GET", "/a/b/c/d", "", nil, 404, "", []string{"/", "/peers"}},
		{"a method that is not for it", "POST", "/peers", "", nil, 405, "Use GET, HEAD.", []string{"/"}},
		{"a URL that is too long", "GET", long, "", nil, 414, "6144 bytes", []string{"/"}},
		{"another host name", "GET", "/", "attacker.example", nil, 421, "configured for", []string{"/"}},
		{"a panic", "GET", "/1.1.1.1", "", func(s *fakeStore) { s.hook = func() { panic("inside") } }, 500, "log", []string{"", "/"}},
		{"an unknown error", "GET", "/1.1.1.1", "", failing(errors.New("inside")), 500, "log", []string{"", "/"}},
		{"too many searches", "GET", "/1.1.1.1", "", failing(fmt.Errorf("inside: %w", ribstore.ErrBusy)), 503, "at a time", []string{"", "/"}},
	} {
		t.Run(row.about, func(t *testing.T) {
			store, sessions := world()
			if row.store != nil {
				row.store(store)
			}
			cfg := httpapi.DefaultConfig()
			cfg.Hosts = []string{"lg.example.net"}
			r := httptest.NewRequestWithContext(t.Context(), row.method, row.target, nil)
			r.Host = "lg.example.net"
			if row.host != "" {
				r.Host = row.host
			}
			r.Header.Set("Accept", "text/html")
			w := httptest.NewRecorder()
			newServer(t, cfg, store, sessions).Handler().ServeHTTP(w, r)
			if w.Code != row.status {
				t.Errorf("status %d, want %d", w.Code, row.status)
			}
			if row.status == http.StatusServiceUnavailable && w.Header().Get("Retry-After") == "" {
				t.Error("it is not said when to come again")
			}
			page := parsePage(t, w)
			checkFrame(t, page)
			main := page.all("main", "")[0]
			if text := main.words(); !strings.Contains(text, row.reason) || strings.Contains(text, "inside") {
				t.Errorf("text %q, want %q in it", text, row.reason)
			}
			for _, want := range row.onward {
				if !slices.Contains(main.links(), want) {
					t.Errorf("links %q, want %q among them", main.links(), want)
				}
			}
		})
	}
}
