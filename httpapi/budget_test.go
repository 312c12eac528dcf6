package httpapi_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"ribglass/httpapi"
)

// What a page may weigh, packed, as it goes over the wire.
const (
	pageBudget   = 14 << 10
	styleBudget  = 10 << 10
	scriptBudget = 25 << 10 // of all scripts
)

func TestPagesStylesAndScriptsKeepWithinTheirBudgets(t *testing.T) {
	store, sessions := crowd(120)
	many := newServer(t, httpapi.DefaultConfig(), store, sessions).Handler()
	weigh := func(h http.Handler, path string) (size int, body string) {
		t.Helper()
		w := ask(t, h, path, "Accept", "text/html", "Accept-Encoding", "gzip")
		if encoding := w.Header().Get("Content-Encoding"); w.Code != http.StatusOK || encoding != "gzip" {
			t.Fatalf("GET %s = %d, encoding %q", path, w.Code, encoding)
		}
		return w.Body.Len(), ask(t, h, path, "Accept", "text/html").Body.String()
	}
	worlds := map[string]http.Handler{"a small world": worldHandler(t), "120 peers": many}
	for about, h := range worlds {
		for _, path := range []string{
			"/", "/1.1.1.0/24", "/1.1.1.1?style=bird", "/search?q=via+13335", "/peers",
			"/as/13335", "/community/3356:3", "/graph?q=1.1.1.0/24", "/help", "/about",
		} {
			if size, _ := weigh(h, path); size > pageBudget {
				t.Errorf("%s of %s: %d bytes, %d are allowed", path, about, size, pageBudget)
			}
		}
	}
	_, page := weigh(many, "/")
	sizes := map[string]int{}
	for _, path := range regexp.MustCompile(`/assets/[a-z]+-[0-9a-f]{16}\.(?:css|js)`).FindAllString(page, -1) {
		size, _ := weigh(many, path)
		sizes[path] = size
	}
	style, script := 0, 0
	for path, size := range sizes {
		if strings.HasSuffix(path, ".css") {
			style += size
		} else {
			script += size
		}
	}
	if style == 0 || style > styleBudget || script == 0 || script > scriptBudget {
		t.Errorf("style %d bytes of %d, script %d bytes of %d: %v", style, styleBudget, script, scriptBudget, sizes)
	}
	t.Logf("style %d bytes, script %d bytes", style, script)
}

// TestLateAnswersAreGiven asks what takes longer than a connection has for its answer: it
// is answered all the same.
func TestLateAnswersAreGiven(t *testing.T) {
	const most = 20 * time.Millisecond
	store, sessions := world()
	store.hook = func() { time.Sleep(2 * most) } // a sleep is never shorter
	s := httptest.NewUnstartedServer(newServer(t, httpapi.DefaultConfig(), store, sessions).Handler())
	s.Config.WriteTimeout = most
	s.Start()
	defer s.Close()
	for path, status := range map[string]int{"/api/v1/routes?q=1.1.1.1": http.StatusOK, "/1.1.1.1.txt": http.StatusOK, "/api/v1/routes?q=peer+nobody": http.StatusNotFound} {
		w, err := s.Client().Get(s.URL + path)
		if err != nil {
			t.Fatalf("GET %s: %v", path, err)
		}
		body, err := io.ReadAll(w.Body)
		_ = w.Body.Close()
		if w.StatusCode != status || len(body) == 0 || err != nil {
			t.Errorf("GET %s = %d, %d bytes, %v; want %d and an answer", path, w.StatusCode, len(body), err, status)
		}
	}
}
