package httpapi_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ribglass/httpapi"
	"ribglass/ribstore/history"
)

// paths returns the AS paths of the routes in an answer.
func paths(answer map[string]any) string {
	var list []string
	for _, one := range answer["routes"].([]any) {
		list = append(list, one.(map[string]any)["as_path_text"].(string))
	}
	return strings.Join(list, ", ")
}

func TestRoutesAtAnyMoment(t *testing.T) {
	r, sessions := pastWorld(t)
	h := r.server(httpapi.DefaultConfig(), sessions)
	for name, row := range map[string]struct {
		target, paths string
		at, requested time.Duration // ago; requested -1: none
		notices       int
	}{
		"now":                        {"q=" + thePrefix, "", 0, -1, 0},
		"by parameter":               {"q=" + thePrefix + "&at=" + r.param(90*time.Minute), "64500 64502", 90 * time.Minute, -1, 0},
		"by word":                    {"q=" + thePrefix + "+at+" + r.param(150*time.Minute), "64500 64501", 150 * time.Minute, -1, 0},
		"by both, which agree":       {"q=" + thePrefix + "+at+90m&at=-90m", "64500 64502", 90 * time.Minute, -1, 0},
		"so long ago":                {"q=" + thePrefix + "&at=90m", "64500 64502", 90 * time.Minute, -1, 0},
		"after it was withdrawn":     {"q=" + thePrefix + "&at=10m", "", 10 * time.Minute, -1, 0},
		"an address":                 {"q=203.0.113.7&at=90m", "64500 64502", 90 * time.Minute, -1, 0},
		"a search":                   {"q=origin+64502&at=90m", "64500 64502", 90 * time.Minute, -1, 0},
		"a search of a peer":         {"q=" + thePrefix + "&peer=edge1&at=90m", "64500 64502", 90 * time.Minute, -1, 0},
		"when nothing was recorded":  {"q=" + thePrefix + "&at=" + r.param(betweenIt), "64500 64501", betweenIt, -1, 1},
		"in a collection":            {"q=" + thePrefix + "&collection=old", "64500 64501", firstRun - time.Hour, -1, 0},
		"in a collection, in a past": {"q=" + thePrefix + "&collection=old&at=" + r.param(firstRun-time.Minute), "64500 64501", firstRun - time.Minute, -1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			answer := fields(t, ask(t, h, "/api/v1/routes?"+row.target), http.StatusOK, "application/json")
			if got := paths(answer); got != row.paths {
				t.Errorf("paths %q, want %q", got, row.paths)
			}
			if got := answer["at"]; got != r.param(row.at) {
				t.Errorf("at %v, want %s", got, r.param(row.at))
			}
			want := any(nil)
			if row.requested >= 0 {
				want = r.param(row.requested)
			}
			if got := answer["requested_at"]; got != want {
				t.Errorf("requested_at %v, want %v", got, want)
			}
			if notices, _ := answer["notices"].([]any); len(notices) != row.notices {
				t.Errorf("notices %q, want %d", notices, row.notices)
			}
		})
	}
}

func TestQuestionsAboutThePastThatHaveNoAnswer(t *testing.T) {
	r, sessions := pastWorld(t)
	h := r.server(httpapi.DefaultConfig(), sessions)
	forgets := worldHandler(t)
	for name, row := range map[string]struct {
		h            http.Handler
		target       string
		status       int
		code, detail string
	}{
		"no history":                 {forgets, "/api/v1/changes?q=1.1.1.0/24", 404, "no_history", "data_dir: /var/lib/ribglass"},
		"no history to describe":     {forgets, "/api/v1/history", 404, "no_history", "data_dir: /var/lib/ribglass"},
		"no history of peers":        {forgets, "/api/v1/peers?at=1h", 404, "no_history", "data_dir: /var/lib/ribglass"},
		"no place for collections":   {forgets, "/api/v1/routes?collection=rrc01", 404, "unknown_collection", "data_dir: /var/lib/ribglass"},
		"the future":                 {h, "/api/v1/routes?at=2199-01-01T00:00Z", 400, "future", ""},
		"before it begins":           {h, "/api/v1/routes?q=1.1.1.1&at=90d", 404, "before_history", r.param(firstRun)},
		"a stream before it begins":  {h, "/api/v1/export?format=csv&at=90d", 404, "before_history", r.param(firstRun)},
		"no moment":                  {h, "/api/v1/routes?at=tomorrow", 400, "invalid_parameter", "at: "},
		"two moments":                {h, "/api/v1/routes?q=at+1h&at=2h", 400, "invalid_parameter", "give one"},
		"a moment twice":             {h, "/api/v1/routes?at=1h&at=2h", 400, "repeated_parameter", "at"},
		"a span for routes":          {h, "/api/v1/routes?q=between+-2h+and+now", 400, "invalid_query", "/api/v1/changes"},
		"the span as a parameter":    {h, "/api/v1/routes?between=-2h/now", 400, "invalid_query", "/api/v1/changes"},
		"half a span":                {h, "/api/v1/changes?between=-2h", 400, "invalid_parameter", "slash"},
		"a span that ends before":    {h, "/api/v1/changes?between=-1h/-2h", 400, "invalid_parameter", "ends before"},
		"a span and a moment":        {h, "/api/v1/export?q=at+1h&between=-2h/now", 400, "invalid_parameter", "not about both"},
		"changes of a moment":        {h, "/api/v1/changes?at=1h", 400, "invalid_parameter", "span"},
		"changes of no kind":         {h, "/api/v1/changes?kind=frob", 400, "invalid_parameter", "announce"},
		"changes in disorder":        {h, "/api/v1/changes?order=random", 400, "invalid_parameter", "newest"},
		"too many changes":           {h, "/api/v1/changes?limit=100000", 400, "invalid_parameter", "1000"},
		"a foreign cursor":           {h, "/api/v1/changes?cursor=bogus", 400, "invalid_cursor", ""},
		"a timeline of everything":   {h, "/api/v1/timeline", 400, "not_a_prefix", "192.0.2.0/24"},
		"a timeline of a range":      {h, "/api/v1/timeline?q=10.0.0.0/8+or-longer", 400, "not_a_prefix", ""},
		"a timeline of a moment":     {h, "/api/v1/timeline?q=1.1.1.1&at=1h", 400, "invalid_parameter", "span"},
		"a comparison of the same":   {h, "/api/v1/diff", 400, "invalid_parameter", "two moments"},
		"a comparison with one peer": {h, "/api/v1/diff?a=1h&peer_a=edge1", 400, "invalid_parameter", "both"},
		"a comparison with the word": {h, "/api/v1/diff?a=1h&q=at+1h", 400, "invalid_parameter", "a and b"},
		"a comparison said twice":    {h, "/api/v1/diff?a=1h&between=-2h/now", 400, "invalid_parameter", "not as both"},
		"a page of differences":      {h, "/api/v1/diff?a=1h&cursor=bogus", 400, "invalid_cursor", ""},
		"no such collection":         {h, "/api/v1/routes?collection=new", 404, "unknown_collection", ""},
		"no name of a collection":    {h, "/api/v1/routes?collection=..%2F..%2Fhistory", 404, "unknown_collection", ""},
		"no file to compare with":    {h, "/api/v1/diff?collection_b=new", 404, "unknown_collection", ""},
		"a file with itself":         {h, "/api/v1/diff?collection=old&collection_b=old", 400, "invalid_parameter", "two moments"},
		"no format":                  {h, "/api/v1/export?format=xml", 400, "invalid_parameter", "ndjson"},
		"a format not written":       {forgets, "/api/v1/export?format=mrt", 404, "no_export", "ndjson"},
		"a peer that never was":      {h, "/api/v1/routes?q=" + thePrefix + "&peer=edge9&at=90m", 404, "unknown_peer", "edge9"},
		"a peer's page":              {h, "/api/v1/peers/edge9?at=90m", 404, "unknown_peer", "edge9"},
		"a control in a moment":      {h, "/api/v1/routes?at=1h%00", 400, "invalid_parameter", "control"},
	} {
		t.Run(name, func(t *testing.T) {
			p := fields(t, ask(t, row.h, row.target), row.status, "application/problem+json")
			if p["code"] != row.code || !strings.Contains(p["detail"].(string), row.detail) {
				t.Errorf("GET %s = %v %q, want %s with %q", row.target, p["code"], p["detail"], row.code, row.detail)
			}
		})
	}
}

// happened puts changes into words: kind, prefix, peer.
func happened(list []any) []string {
	var words []string
	for _, one := range list {
		c := one.(map[string]any)
		text := c["kind"].(string)
		if p, ok := c["prefix"]; ok {
			text += " " + p.(string)
		}
		words = append(words, text+" "+c["peer"].(string))
	}
	return words
}

func TestChangesInAllForms(t *testing.T) {
	r, sessions := pastWorld(t)
	h := r.server(httpapi.DefaultConfig(), sessions)
	want := []string{"replace " + thePrefix + " edge1", "withdraw " + thePrefix + " edge1"}
	asked := "/api/v1/changes?q=" + thePrefix + "+peer+edge1&order=oldest&between=" + r.param(moved+time.Minute) + "/now"
	answer := fields(t, ask(t, h, asked), http.StatusOK, "application/json")
	if diff := cmp.Diff(want, happened(answer["changes"].([]any))); diff != "" {
		t.Errorf("JSON (-want +got):\n%s", diff)
	}
	if answer["total"] != 2.0 || answer["from"] != r.param(moved+time.Minute) || answer["to"] != r.param(0) {
		t.Errorf("total %v from %v to %v", answer["total"], answer["from"], answer["to"])
	}
	var lines []any
	for line := range strings.Lines(ask(t, h, asked, "Accept", "application/x-ndjson").Body.String()) {
		var one any
		if err := json.Unmarshal([]byte(line), &one); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, one)
	}
	if diff := cmp.Diff(answer["changes"], any(lines)); diff != "" {
		t.Errorf("NDJSON (-JSON +got):\n%s", diff)
	}
	rows, err := csv.NewReader(ask(t, h, asked, "Accept", "text/csv").Body).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, row := range rows[1:] {
		got = append(got, row[1]+" "+row[2]+" "+row[4])
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("CSV (-want +got):\n%s", diff)
	}
	if got := ask(t, h, "/api/v1/export?q="+thePrefix+"+peer+edge1&between="+r.param(moved+time.Minute)+"/now").Body.String(); got != "replace\nwithdraw\n" {
		t.Errorf("export = %q", got)
	}
}

func TestPagesOfChangesLeadThroughAllOfThem(t *testing.T) {
	r, sessions := pastWorld(t)
	h := r.server(httpapi.DefaultConfig(), sessions)
	whole := happened(fields(t, ask(t, h, "/api/v1/changes?between=-4d/now"), http.StatusOK, "application/json")["changes"].([]any))
	var parts []string
	for cursor, n := "", 0; n == 0 || cursor != ""; n++ {
		target := "/api/v1/changes?between=-4d/now&limit=2"
		if cursor != "" {
			target += "&cursor=" + cursor
		}
		answer := fields(t, ask(t, h, target), http.StatusOK, "application/json")
		parts = append(parts, happened(answer["changes"].([]any))...)
		cursor, _ = answer["next_cursor"].(string)
	}
	if diff := cmp.Diff(whole, parts); diff != "" || len(whole) < 10 {
		t.Errorf("%d changes (-whole +pages):\n%s", len(whole), diff)
	}
	only := fields(t, ask(t, h, "/api/v1/changes?between=-4d/now&kind=withdraw&kind=peer-down"), http.StatusOK, "application/json")
	if diff := cmp.Diff([]string{"withdraw " + thePrefix + " edge1", "peer-down rs1.ixp"}, happened(only["changes"].([]any))[:2]); diff != "" {
		t.Errorf("of two kinds (-want +got):\n%s", diff)
	}
	w := ask(t, h, "/api/v1/changes?between=-4d/now&limit=2&kind=announce", "Accept", "application/x-ndjson")
	if next := w.Header().Get("Link"); !strings.Contains(next, "kind=announce") || !strings.HasPrefix(next, "</api/v1/changes?") {
		t.Errorf("Link = %q", next)
	}
}

func TestTimelineOfAPrefix(t *testing.T) {
	r, sessions := pastWorld(t)
	h := r.server(httpapi.DefaultConfig(), sessions)
	answer := fields(t, ask(t, h, "/api/v1/timeline?q="+thePrefix+"&between="+r.param(secondRun)+"/now"), http.StatusOK, "application/json")
	if answer["prefix"] != thePrefix || answer["origin_change_count"] != 1.0 {
		t.Errorf("prefix %v, %v origin changes", answer["prefix"], answer["origin_change_count"])
	}
	var got []string
	for _, one := range answer["rows"].([]any)[0].(map[string]any)["states"].([]any) {
		s := one.(map[string]any)
		path := "absent"
		if r, ok := s["route"].(map[string]any); ok {
			path = r["as_path_text"].(string)
		}
		got = append(got, fmt.Sprint(s["to"], " ", path))
	}
	want := []string{r.param(moved) + " 64500 64501", r.param(withdrawn) + " 64500 64502", r.param(0) + " absent"}
	if diff := cmp.Diff(want, got[len(got)-3:]); diff != "" {
		t.Errorf("states (-want +got):\n%s", diff)
	}
}

func TestWhatDiffers(t *testing.T) {
	r, sessions := pastWorld(t)
	h := r.server(httpapi.DefaultConfig(), sessions)
	for name, row := range map[string]struct{ target, want string }{
		"two moments":           {"a=150m&b=90m", "changed " + thePrefix + " origin"},
		"as a span":             {"between=-150m/-90m", "changed " + thePrefix + " origin"},
		"of a query":            {"a=90m&q=origin+64502", "withdrawn " + thePrefix + " prefix-gone"},
		"nothing":               {"a=90m&b=80m", ""},
		"two peers":             {"a=90m&b=90m&peer_a=edge1&peer_b=edge2&q=family+ipv4-unicast", "withdrawn " + thePrefix + " prefix-gone"},
		"a peer and a file":     {"a=90m&peer_a=edge1&collection_b=old&q=family+ipv4-unicast", "changed " + thePrefix + " origin"},
		"two files":             {"collection=old&collection_b=old&a=" + r.param(firstRun-time.Minute), ""},
		"stale routes count to": {"a=90m&b=50m&stale=true&q=family+ipv4-unicast", "changed 198.51.100.0/24 stale"},
	} {
		t.Run(name, func(t *testing.T) {
			answer := fields(t, ask(t, h, "/api/v1/diff?"+row.target), http.StatusOK, "application/json")
			var got []string
			for _, one := range answer["differences"].([]any) {
				d := one.(map[string]any)
				got = append(got, fmt.Sprint(d["kind"], " ", d["prefix"], " ", d["cause"]))
			}
			if s := strings.Join(got, ", "); s != row.want {
				t.Errorf("differences %q, want %q", s, row.want)
			}
			lines := ask(t, h, "/api/v1/diff?"+row.target, "Accept", "application/x-ndjson").Body.String()
			rows, err := csv.NewReader(ask(t, h, "/api/v1/diff?"+row.target, "Accept", "text/csv").Body).ReadAll()
			if strings.Count(lines, "\n") != len(got) || err != nil || len(rows) != 1+len(got) {
				t.Errorf("%d lines of NDJSON and %d of CSV (%v) for %d differences", strings.Count(lines, "\n"), len(rows), err, len(got))
			}
		})
	}
}

func TestBulkLookupInThePast(t *testing.T) {
	r, sessions := pastWorld(t)
	h := r.server(httpapi.DefaultConfig(), sessions)
	body := post(h, "/api/v1/lookup?at=90m&fields=as_path_text", "text/plain", thePrefix+"\n203.0.113.9\n").Body.String()
	for line := range strings.Lines(body) {
		if !strings.Contains(line, `"as_path_text":"64500 64502"`) || !strings.Contains(line, `"at":"`+r.param(90*time.Minute)+`"`) {
			t.Errorf("line %s", line)
		}
	}
	if w := post(h, "/api/v1/lookup?at=90d", "text/plain", thePrefix); w.Code != http.StatusNotFound {
		t.Errorf("before the history begins: %d %s, want 404", w.Code, w.Body)
	}
}

func TestStreamsAboutThePastAreFew(t *testing.T) {
	r, sessions := pastWorld(t)
	h := r.server(httpapi.DefaultConfig(), sessions)
	w := ask(t, h, "/api/v1/routes?at=90m", "Accept", "application/x-ndjson")
	if w.Code != http.StatusOK || strings.Count(w.Body.String(), "\n") != 4 {
		t.Errorf("stream = %d %s, want 4 routes", w.Code, w.Body)
	}
	held := &stalled{reached: make(chan struct{}), release: make(chan struct{})}
	second := &stalled{reached: make(chan struct{}), release: make(chan struct{})}
	done := make(chan struct{}, 2)
	for _, s := range []*stalled{held, second} {
		go func() {
			h.ServeHTTP(s, newRequest("/api/v1/routes?at=90m", "application/x-ndjson"))
			done <- struct{}{}
		}()
		<-s.reached
	}
	p := fields(t, ask(t, h, "/api/v1/changes", "Accept", "text/csv"), http.StatusServiceUnavailable, "application/problem+json")
	if p["code"] != "busy" {
		t.Errorf("a third stream: %v, want busy", p)
	}
	if w := ask(t, h, "/api/v1/routes", "Accept", "text/csv"); w.Code != http.StatusOK {
		t.Errorf("a stream of what is now: %d, want 200", w.Code)
	}
	close(held.release)
	close(second.release)
	<-done
	<-done
}

// A collection that is asked about a time behind its end says where that is.
func TestACollectionSaysWhereItEnds(t *testing.T) {
	r, sessions := pastWorld(t)
	h := r.server(httpapi.DefaultConfig(), sessions)
	for _, target := range []string{
		"/api/v1/routes?collection=old&at=2100-01-01T00:00Z", "/api/v1/changes?collection=old&between=2100-01-01T00:00Z/2100-01-02T00:00Z",
		"/api/v1/timeline?collection=old&q=" + thePrefix + "&between=2100-01-01T00:00Z/2100-01-02T00:00Z",
	} {
		rec := ask(t, h, target)
		if body := rec.Body.String(); rec.Code < 400 || rec.Code >= 500 || !strings.Contains(body, "The collection ends at 20") {
			t.Errorf("GET %s: %d %s", target, rec.Code, body)
		}
	}
}

// A collection of another format says so, where it is listed and where it is asked.
func TestACollectionOfAnotherFormatSaysSo(t *testing.T) {
	r, sessions := pastWorld(t)
	old, err := os.ReadFile(filepath.Join(r.dir, "collections", "old.db"))
	if err != nil {
		t.Fatal(err)
	}
	old = bytes.ReplaceAll(old, []byte(history.Format), []byte("ribglass history 1"))
	if err := os.WriteFile(filepath.Join(r.dir, "collections", "older.db"), old, 0o600); err != nil {
		t.Fatal(err)
	}
	h := r.server(httpapi.DefaultConfig(), sessions)
	for target, status := range map[string]int{"/api/v1/collections": http.StatusOK, "/api/v1/routes?collection=older": http.StatusNotFound} {
		rec := ask(t, h, target)
		if body := rec.Body.String(); rec.Code != status || !strings.Contains(body, `The collection has the format \"ribglass history 1\"`) {
			t.Errorf("GET %s: %d %s", target, rec.Code, body)
		}
	}
}
