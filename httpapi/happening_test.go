package httpapi_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ribglass/httpapi"
	"ribglass/ribstore"
	"ribglass/ribstore/activity"
	"ribglass/ribstore/route"
)

// labels returns what the pictures below say to who does not see them.
func (e element) labels() []string {
	var list []string
	for _, svg := range e.all("svg", "") {
		list = append(list, svg.attr("aria-label"))
	}
	return list
}

func TestHomeTellsWhatHappensAndHowTheTableGrows(t *testing.T) {
	page := parsePage(t, ask(t, worldHandler(t), "/"))
	checkFrame(t, page)
	tables := map[string][]string{}
	for _, table := range page.all("table", "totals") {
		caption := table.all("caption", "")[0].words()
		for _, row := range table.all("tbody", "")[0].all("tr", "") {
			tables[caption] = append(tables[caption], row.words())
		}
	}
	want := map[string][]string{
		"Table ± since yesterday": {"IPv4 5 +4 3 +2 2", "IPv6 1 +1 1 +1 0"},
		"Busiest prefixes":        {"1.1.1.0/24 60", "1.1.0.0/16 1"},
		"Busiest peers":           {"edge1 60", "edge2 1"},
	}
	if diff := cmp.Diff(want, tables); diff != "" {
		t.Error(diff)
	}
	labels := strings.Join(page.labels(), "\n")
	for _, text := range []string{
		"Routes: 1 at 2026-11-21 12:00:00 UTC, 6 at 2026-11-22 12:00:00 UTC",
		"61 changes in the last hour, 1 in the last minute, 2 at most in one",
		"60 changes in the last hour, 0 in the last minute, 2 at most in one",
	} {
		if !strings.Contains(labels, text) {
			t.Errorf("no picture says %q; they say\n%s", text, labels)
		}
	}
	if text := page.all("figure", "growth")[0].words(); !strings.Contains(text, "Routes +5 since yesterday") {
		t.Errorf("growth is %q", text)
	}
}

func TestHomeOfAQuietStart(t *testing.T) {
	store, sessions := world()
	store.meter, store.samples = activity.New(now.Add(-2*time.Minute)), []activity.Sample{{At: now.Add(-30 * time.Second)}}
	page := parsePage(t, ask(t, newServer(t, httpapi.DefaultConfig(), store, sessions).Handler(), "/"))
	checkFrame(t, page)
	text := page.words()
	for _, absent := range []string{"Busiest", "since"} {
		if strings.Contains(text, absent) {
			t.Errorf("the page says %q of nothing", absent)
		}
	}
	if !strings.Contains(text, "0 changes in 3 minutes") {
		t.Errorf("the page does not say since when it counts: %s", text)
	}
}

// TestNumbersAreQueries follows the links of numbers.
func TestNumbersAreQueries(t *testing.T) {
	h := worldHandler(t)
	for _, row := range []struct{ page, number, query string }{
		{"/", "5", "family ipv4-unicast"},
		{"/", "3", "family ipv4-unicast"},
		{"/", "2", "family ipv4-unicast stale"},
		{"/", "1,038,211", "peer edge1 family ipv4-unicast"},
		{"/peers", "231,004", "peer edge1 family ipv6-unicast"},
		{"/peers?state=down", "1", "peer rs1.ixp family ipv6-unicast stale"},
		{"/peers/edge1", "1,038,211", "peer edge1 family ipv4-unicast"},
		{"/peers/rs1.ixp", "3", "peer rs1.ixp family ipv4-unicast stale"},
		{"/about", "6", "family ipv4-unicast or family ipv6-unicast"},
	} {
		found := false
		for _, a := range parsePage(t, ask(t, h, row.page)).all("a", "") {
			want := "/search?" + url.Values{"q": {row.query}}.Encode()
			if a.words() == row.number && a.attr("href") == want {
				found = true
				if w := ask(t, h, want); w.Code != http.StatusOK {
					t.Errorf("GET %s = %d", want, w.Code)
				}
			}
		}
		if !found {
			t.Errorf("%s: %s is no link to %q", row.page, row.number, row.query)
		}
	}
}

func TestPeersAreOrderedByChanges(t *testing.T) {
	rows := parsePage(t, ask(t, worldHandler(t), "/peers?sort=changes")).all("tbody", "")[0].all("tr", "")
	var names []string
	for _, row := range rows {
		names = append(names, row.all("a", "")[0].words())
	}
	if diff := cmp.Diff([]string{"edge1", "edge2", "rs1.ixp"}, names); diff != "" {
		t.Error(diff)
	}
}

func TestWhatHappensAsJSON(t *testing.T) {
	h := worldHandler(t)
	busiest := fields(t, ask(t, h, "/api/v1/busiest?limit=1"), http.StatusOK, "application/json")
	want := []any{map[string]any{"prefix": "1.1.1.0/24", "family": "ipv4-unicast", "changes": 60.0}}
	if diff := cmp.Diff(want, busiest["prefixes"]); diff != "" {
		t.Error(diff)
	}
	rate := fields(t, ask(t, h, "/api/v1/peers/edge1"), http.StatusOK, "application/json")["rate"].(map[string]any)
	if rate["total"] != 60.0 || rate["peak_minute"] != 2.0 || rate["last_minute"] != 0.0 || len(rate["minutes"].([]any)) != 60 {
		t.Errorf("rate of edge1 = %v", rate)
	}
	samples := fields(t, ask(t, h, "/api/v1/growth"), http.StatusOK, "application/json")["samples"].([]any)
	if first := samples[0].(map[string]any); len(samples) != 3 || first["routes"].(map[string]any)["ipv4_unicast"] != 1.0 {
		t.Errorf("growth = %v", samples)
	}
	for _, target := range []string{"/api/v1/busiest?limit=0", "/api/v1/busiest?limit=x", "/api/v1/busiest?limit=101", "/api/v1/growth?q=x", "/api/v1/busiest?at=1h"} {
		if w := ask(t, h, target); w.Code != http.StatusBadRequest {
			t.Errorf("GET %s = %d", target, w.Code)
		}
	}
}

// TestAPageOfBusyPeersKeepsWithinItsBudget draws a hundred sparklines of which no
// two are the same.
func TestAPageOfBusyPeersKeepsWithinItsBudget(t *testing.T) {
	store, sessions := world()
	random := rand.New(rand.NewPCG(1, 2))
	store.meter = activity.New(now.Add(-2 * time.Hour))
	for i := range 100 {
		s := sessions[0]
		p := *s.Peer
		p.Name, p.ASN = fmt.Sprintf("member%03d", i), route.ASN(65000+random.IntN(500))
		s.Peer = &p
		sessions = append(sessions, s)
		stats := ribstore.PeerStats{Routes: [route.NumFamilies]int{random.IntN(1e6), random.IntN(2e5)}}
		store.peers[p.Name] = stats
		for m := range 60 {
			nlri := make([]route.NLRI, random.IntN(1000))
			for j := range nlri {
				nlri[j].Prefix = netip.MustParsePrefix("192.0.2.0/24")
			}
			at := now.Add(time.Duration(m-59) * time.Minute)
			store.meter.Observe(&route.Batch{Peer: &p, At: at, Updates: []route.Update{{NLRI: nlri}}})
		}
	}
	h := newServer(t, httpapi.DefaultConfig(), store, sessions).Handler()
	for _, path := range []string{"/", "/peers?page=1"} {
		w := ask(t, h, path, "Accept", "text/html", "Accept-Encoding", "gzip")
		if size := w.Body.Len(); size > pageBudget {
			t.Errorf("%s: %d bytes, %d are allowed", path, size, pageBudget)
		} else {
			t.Logf("%s: %d bytes", path, size)
		}
	}
}

// TestThePastHasNoLiveParts looks at a moment: what is only known of now is left
// out, and numbers lead to queries at that moment.
func TestThePastHasNoLiveParts(t *testing.T) {
	r, sessions := pastWorld(t)
	h := r.serverOf(r.store, httpapi.DefaultConfig(), sessions)
	for _, path := range []string{"/?at=50m", "/peers?at=50m", "/peers/edge1?at=50m"} {
		page := parsePage(t, ask(t, h, path))
		if n := len(page.all("svg", "spark")) + len(page.all("figure", "growth")); n > 0 {
			t.Errorf("%s has %d pictures of now", path, n)
		}
		searches := 0
		for _, link := range page.links() {
			if strings.HasPrefix(link, "/search?") && strings.Contains(link, "family") {
				searches++
				if !strings.Contains(link, "at=") {
					t.Errorf("%s: %s leads to now", path, link)
				}
			}
		}
		if searches == 0 {
			t.Errorf("%s has no number that is a query", path)
		}
	}
}

// TestGrowthBeginsWithSnapshots asks a server that keeps the past.
func TestGrowthBeginsWithSnapshots(t *testing.T) {
	r, sessions := pastWorld(t)
	h := r.serverOf(r.store, httpapi.DefaultConfig(), sessions)
	growth := fields(t, ask(t, h, "/api/v1/growth"), http.StatusOK, "application/json")
	if list := growth["snapshots"].([]any); len(list) == 0 {
		t.Errorf("growth = %v", growth)
	}
	page := parsePage(t, ask(t, h, "/"))
	if len(page.all("figure", "growth")) != 1 {
		t.Error("the page does not tell the growth")
	}
}
