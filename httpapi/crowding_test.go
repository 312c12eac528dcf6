package httpapi_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"ribglass/httpapi"
	"ribglass/ribstore"
	"ribglass/ribstore/route"
)

// crowded is a server on a real store, reached over TCP, whose one place for searches is
// taken.
type crowded struct {
	*httptest.Server
	registry *prometheus.Registry
	leave    func() // gives the place back
}

// newCrowded returns a server where a search waits for its place as long as wait says.
func newCrowded(t *testing.T, wait time.Duration) *crowded {
	t.Helper()
	cfg := ribstore.DefaultConfig()
	cfg.SearchWait = wait
	c := &crowded{registry: prometheus.NewRegistry()}
	budget, err := ribstore.NewBudget(cfg.Limits(), c.registry)
	if err != nil {
		t.Fatal(err)
	}
	fake, sessions := world()
	store := filledStore(t, cfg, ribstore.Deps{Budget: budget}, fake.routes)
	s, err := httpapi.New(httpapi.DefaultConfig(), httpapi.Deps{
		Store: store, Sessions: sessions, Logger: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry(), Now: time.Now,
		Identity: func() (route.ASN, netip.Addr) { return 64500, netip.MustParseAddr("192.0.2.10") }, Budget: budget,
	})
	if err != nil {
		t.Fatal(err)
	}
	c.Server = httptest.NewServer(s.Handler())
	t.Cleanup(c.Close)
	if c.leave, err = budget.Enter(t.Context(), ribstore.Searches); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.leave)
	return c
}

// searches returns what a metric of the budget says of searches.
func (c *crowded) searches(t *testing.T, metric string) int {
	t.Helper()
	families, err := c.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != "ribglass_ribstore_work_"+metric {
			continue
		}
		for _, m := range f.GetMetric() {
			if m.GetLabel()[0].GetValue() == "searches" {
				return int(valueOf(m))
			}
		}
	}
	t.Fatalf("no metric %s of searches", metric)
	return 0
}

func valueOf(m *dto.Metric) float64 { return m.GetGauge().GetValue() + m.GetCounter().GetValue() }

// reply is what a client got.
type reply struct {
	status int
	retry  string
	body   string
	err    error
}

func (c *crowded) get(ctx context.Context, path string) reply {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, c.URL+path, nil)
	if err != nil {
		return reply{err: err}
	}
	res, err := c.Client().Do(r)
	if err != nil {
		return reply{err: err}
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	return reply{res.StatusCode, res.Header.Get("Retry-After"), string(body), err}
}

// dearLookup is about one address and has 170 expressions over AS paths.
func dearLookup() string {
	return "/api/v1/routes?q=" + url.QueryEscape("1.1.1.1"+strings.Repeat(" path _3356_.*_1", 170))
}

// askAtOnce sends the same request so many times at once.
func (c *crowded) askAtOnce(t *testing.T, n int, path string) <-chan reply {
	t.Helper()
	replies := make(chan reply, n)
	for range n {
		go func() { replies <- c.get(t.Context(), path) }()
	}
	return replies
}

// plainLookups asks what takes no place while all places are taken.
func (c *crowded) plainLookups(t *testing.T) {
	t.Helper()
	begun := c.searches(t, "begun_total")
	for _, path := range []string{"/api/v1/routes?q=1.1.1.1", "/1.1.1.0/24.txt", "/api/v1/routes?q=1.1.1.1+via+13335", "/api/v1/complete?q=via+13", dearLookup() + "&explain=true"} {
		if got := c.get(t.Context(), path); got.err != nil || got.status != http.StatusOK {
			t.Errorf("GET %.60s beside 50 dear lookups = %+v, want an answer", path, got)
		}
	}
	if now := c.searches(t, "begun_total"); now != begun {
		t.Errorf("plain lookups took %d places of searches", now-begun)
	}
}

// TestDearLookupsQueueAndPlainOnesDoNot sends 50 lookups that are not cheap while a search
// runs: they wait for its place, others are answered meanwhile, and then all 50 are.
func TestDearLookupsQueueAndPlainOnesDoNot(t *testing.T) {
	const crowd = 50
	c := newCrowded(t, 10*time.Minute)
	replies := c.askAtOnce(t, crowd, dearLookup())
	for deadline := time.Now().Add(time.Minute); c.searches(t, "waiting") < crowd; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d of %d dear lookups wait for a place", c.searches(t, "waiting"), crowd)
		}
	}
	c.plainLookups(t)
	c.leave()
	for range crowd {
		if got := <-replies; got.err != nil || got.status != http.StatusOK {
			t.Errorf("a dear lookup that waited = %+v, want 200", got)
		}
	}
	if begun, refused := c.searches(t, "begun_total"), c.searches(t, "refused_total"); begun != 1+crowd || refused != 0 {
		t.Errorf("%d places were taken and %d refused, want %d and 0", begun, refused, 1+crowd)
	}
}

// TestDearLookupsWithoutAPlaceAreRefused sends as many where nobody waits.
func TestDearLookupsWithoutAPlaceAreRefused(t *testing.T) {
	const crowd = 50
	c := newCrowded(t, 0)
	replies := c.askAtOnce(t, crowd, dearLookup())
	for range crowd {
		got := <-replies
		if got.err != nil || got.status != http.StatusServiceUnavailable || got.retry == "" || !strings.Contains(got.body, `"busy"`) {
			t.Errorf("a dear lookup without a place = %+v, want 503, Retry-After and the reason", got)
		}
	}
	c.plainLookups(t)
	if refused := c.searches(t, "refused_total"); refused != crowd {
		t.Errorf("%d lookups were refused, want %d", refused, crowd)
	}
}

// TestExpressionsOfARequestAreBounded asks what needs more states than a request may have,
// of everything that reads a query, and what needs few.
func TestExpressionsOfARequestAreBounded(t *testing.T) {
	h := realWorld(t)
	dear := url.QueryEscape("1.1.1.0/24" + strings.Repeat(" path ^(1|12|123|1234|12345){60}$", 60))
	for _, path := range []string{
		"/api/v1/routes?q=", "/api/v1/routes?explain=true&q=", "/api/v1/graph?q=", "/api/v1/changes?between=-1h+and+now&q=",
		"/api/v1/timeline?between=-1h+and+now&q=", "/api/v1/diff?a=-1h&b=now&q=", "/api/v1/export?format=json&q=",
	} {
		p := fields(t, ask(t, h, path+dear), http.StatusBadRequest, "application/problem+json")
		if detail, _ := p["detail"].(string); p["code"] != "invalid_query" || !strings.Contains(detail, "use fewer or simpler ones") || p["column"] == nil {
			t.Errorf("GET %s = %v, want the place and the way out", path, p)
		}
	}
	for _, path := range []string{"/search?q=", "/graph?q=", "/changes?between=-1h+and+now&q=", "/timeline?q=", "/diff?a=-1h&b=now&q="} {
		if w := ask(t, h, path+dear, "Accept", "text/html"); w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "use fewer or simpler ones") {
			t.Errorf("GET %s = %d %s", path, w.Code, w.Body)
		}
	}
	got := fields(t, ask(t, h, "/api/v1/complete?q="+dear), http.StatusOK, "application/json")
	if misread, _ := got["problem"].(map[string]any); misread == nil || !strings.Contains(misread["detail"].(string), "use fewer or simpler ones") {
		t.Errorf("completion = %v", got)
	}
	if w := ask(t, h, dearLookup()); w.Code != http.StatusOK {
		t.Errorf("170 plain expressions = %d %s", w.Code, w.Body)
	}
}

// TestLinesOfABulkLookupShareOneAllowance sends lines with an expression that is too large:
// soon they are refused unread, and the addresses between them are answered all the same.
func TestLinesOfABulkLookupShareOneAllowance(t *testing.T) {
	h := realWorld(t)
	const pairs = 1000
	r := httptest.NewRequest(http.MethodPost, "/api/v1/lookup", strings.NewReader(strings.Repeat("path 1.{20}\n1.1.1.1\n", pairs)))
	r.Header.Set("Content-Type", "text/plain")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	body := w.Body.String()
	if n := strings.Count(body, `"prefix":"1.1.1.0/24","routes"`); w.Code != http.StatusOK || n != pairs {
		t.Errorf("%d, %d addresses are answered, want %d", w.Code, n, pairs)
	}
	if read, refused := strings.Count(body, "the expression is too complex"), strings.Count(body, "too complex together"); read != 4 || refused != pairs-read {
		t.Errorf("%d expressions were read and %d refused unread, want 4 and %d", read, refused, pairs-4)
	}
}
