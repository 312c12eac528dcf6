package httpapi_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"ribglass/httpapi"
)

// reports is a server that is told of violations, with what it logs and counts.
type reports struct {
	handler  http.Handler
	log      bytes.Buffer
	registry *prometheus.Registry
}

func newReports(t *testing.T) *reports {
	t.Helper()
	r := &reports{registry: prometheus.NewRegistry()}
	store, sessions := world()
	s, err := httpapi.New(httpapi.DefaultConfig(), httpapi.Deps{
		Store: store, Sessions: sessions, Logger: slog.New(slog.NewJSONHandler(&r.log, nil)), Registerer: r.registry,
		Now: func() time.Time { return now },
	})
	if err != nil {
		t.Fatal(err)
	}
	r.handler = s.Handler()
	return r
}

func (r *reports) post(contentType, body string) int {
	request := httptest.NewRequest(http.MethodPost, "/policy-violations", strings.NewReader(body))
	request.Header.Set("Content-Type", contentType)
	w := httptest.NewRecorder()
	r.handler.ServeHTTP(w, request)
	return w.Code
}

const violation = `{"csp-report":{"document-uri":"http://lg.example.net/search?q=secret","violated-directive":"script-src-elem",` +
	`"effective-directive":"script-src-elem","blocked-uri":"https://evil.example/x.js?a=b","source-file":"http://lg.example.net/","line-number":7}}`

func TestViolationsOfThePolicyAreCountedAndLogged(t *testing.T) {
	r := newReports(t)
	if code := r.post("application/csp-report", violation); code != http.StatusNoContent {
		t.Fatalf("status %d", code)
	}
	for _, want := range []string{`"directive":"script-src-elem"`, `"blocked":"https://evil.example/x.js"`, `"page":"http://lg.example.net/search"`, `"line":7`} {
		if !strings.Contains(r.log.String(), want) {
			t.Errorf("log %s, want %s in it", r.log.String(), want)
		}
	}
	r.post("application/csp-report", `{"csp-report":{"violated-directive":"style-src 'self'"}}`)
	r.post("application/csp-report", `{"csp-report":{"effective-directive":"made-up-`+strings.Repeat("x", 99)+`"}}`)
	r.post("application/csp-report", `{"csp-report":{}}`)
	want := `# HELP ribglass_httpapi_policy_violations_total Reports of browsers that the content security policy kept a page from something, by directive.
# TYPE ribglass_httpapi_policy_violations_total counter
ribglass_httpapi_policy_violations_total{directive="other"} 2
ribglass_httpapi_policy_violations_total{directive="script-src-elem"} 1
ribglass_httpapi_policy_violations_total{directive="style-src"} 1
`
	if err := testutil.GatherAndCompare(r.registry, strings.NewReader(want), "ribglass_httpapi_policy_violations_total"); err != nil {
		t.Error(err)
	}
}

func TestReportsOfViolationsCostLittle(t *testing.T) {
	r := newReports(t)
	for range 1000 {
		r.post("application/csp-report", violation)
	}
	if lines := strings.Count(r.log.String(), "kept a page"); lines != 5 {
		t.Errorf("%d lines of a thousand reports at one moment, want 5", lines)
	}
}

func TestReportsOfViolationsThatAreNone(t *testing.T) {
	for _, row := range []struct {
		about, contentType, body string
		want                     int
	}{
		{"a form, which another site can send", "text/plain", violation, http.StatusUnsupportedMediaType},
		{"JSON", "application/json", violation, http.StatusUnsupportedMediaType},
		{"no JSON", "application/csp-report", "<csp>", http.StatusBadRequest},
		{"too large a report", "application/csp-report", `{"csp-report":{"blocked-uri":"` + strings.Repeat("x", 9000) + `"}}`, http.StatusRequestEntityTooLarge},
		{"control characters and a long line", "application/csp-report", `{"csp-report":{"blocked-uri":"\u001b[2J\n\u202e` + strings.Repeat("x", 4000) + `"}}`, http.StatusNoContent},
	} {
		t.Run(row.about, func(t *testing.T) {
			r := newReports(t)
			if code := r.post(row.contentType, row.body); code != row.want {
				t.Errorf("status %d, want %d", code, row.want)
			}
			if log := r.log.String(); len(log) > 700 || strings.ContainsAny(log, "\x1b\u202e") {
				t.Errorf("log %q", log)
			}
		})
	}
	if w := ask(t, worldHandler(t), "/policy-violations"); w.Code != http.StatusMethodNotAllowed || cmp.Diff(w.Header().Get("Allow"), "POST") != "" {
		t.Errorf("GET = %d, Allow %q", w.Code, w.Header().Get("Allow"))
	}
}
