package httpapi_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"ribglass/httpapi"
)

func TestA3HostileExpressionsAreAnsweredOrTyped(t *testing.T) {
	h := realWorld(t)
	for name, row := range map[string]struct {
		q      string
		status int
	}{
		"a shell":               {"path $(id)", 400},
		"a router's pipe":       {`path .*" | no-more`, 400},
		"nested repetition":     {"path (1+)+$", 200},
		"a letter repeated":     {"path (a+)+$", 400},
		"anything":              {"path .*", 200},
		"10 kB of expression":   {"path " + strings.Repeat("_1", 2500), 400},
		"deep nesting":          {strings.Repeat("(", 2000), 400},
		"communities of all":    {"community *:*", 200},
		"a huge range":          {"origin 0-4294967295", 200},
		"everything of a table": {"0.0.0.0/0 or-longer", 200},
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			w := ask(t, h, "/api/v1/routes?q="+url.QueryEscape(row.q))
			if w.Code != row.status {
				t.Errorf("q=%.40s = %d %.200s, want %d", row.q, w.Code, w.Body, row.status)
			}
			if took := time.Since(start); took > 5*time.Second {
				t.Errorf("q=%.40s took %v", row.q, took)
			}
		})
	}
}

func TestE4AThousandExpensiveSearchesAreAnsweredOrRefused(t *testing.T) {
	fake, sessions := longWorld(30000)
	h := newServer(t, httpapi.DefaultConfig(), realStore(t, fake.routes), sessions).Handler()
	answers := make([]*httptest.ResponseRecorder, 1000)
	var all sync.WaitGroup
	for i := range answers {
		all.Go(func() {
			r := httptest.NewRequest(http.MethodGet, "/api/v1/routes?q=path+.*3356.*+moas&limit=1", nil)
			answers[i] = httptest.NewRecorder()
			h.ServeHTTP(answers[i], r)
		})
	}
	if w := ask(t, h, "/api/v1/routes?q=1.1.1.1"); w.Code != http.StatusOK {
		t.Errorf("a lookup meanwhile = %d, want 200", w.Code)
	}
	all.Wait()
	answered := 0
	for _, w := range answers {
		switch w.Code {
		case http.StatusOK:
			answered++
		case http.StatusServiceUnavailable:
			if !strings.Contains(w.Body.String(), `"code":"busy"`) || w.Header().Get("Retry-After") == "" {
				t.Fatalf("a refusal says %s", w.Body)
			}
		default:
			t.Fatalf("an answer is %d %s", w.Code, w.Body)
		}
	}
	if answered == 0 {
		t.Error("nobody was answered")
	}
}
