package httpapi_test

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"ribglass/httpapi"
	"ribglass/ui/names"
)

// hostileName is a name that wants to be more than text.
const hostileName = `"><script>alert(1)</script><img src=x onerror=alert(2)>'` + "`{{.}}"

// namesOf returns the names of a file and of a directory with one file for AS64500.
func namesOf(t testing.TB, ases, communities string) *names.Keeper {
	t.Helper()
	dir := t.TempDir()
	for file, text := range map[string]string{"names": ases, "as64500.txt": communities} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var k names.Keeper
	if err := k.Load(names.Config{File: filepath.Join(dir, "names"), Communities: dir}); err != nil {
		t.Fatal(err)
	}
	return &k
}

func namedHandler(t testing.TB, n httpapi.Names) http.Handler {
	t.Helper()
	store, sessions := world()
	s, err := httpapi.New(httpapi.DefaultConfig(), httpapi.Deps{
		Store: store, Sessions: sessions, Logger: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry(),
		Info: httpapi.Info{Version: "0.1.0", ASN: 64500, StartedAt: now}, Names: n,
	})
	if err != nil {
		t.Fatal(err)
	}
	return s.Handler()
}

const (
	someNames       = "13335 Example Cloud\n3356\tExample Transit\n64510 Upstream & Sons\n64500 Ours\n"
	someCommunities = "64500:x,Learned in place $0\n64500:1:x,Sent to $0\n64510:100,From a customer\n3356:86,Kept by another\n"
)

// checkNames checks the answers that have names against the document.
func (c *schemaChecker) checkNames(t *testing.T) {
	t.Helper()
	h := namedHandler(t, namesOf(t, someNames, someCommunities))
	for target, schema := range map[string]string{
		"/api/v1/names?q=ex":         "NameMatches",
		"/api/v1/routes?names=true":  "Routes",
		"/api/v1/routes?names=false": "Routes",
	} {
		var v any
		if err := json.Unmarshal(ask(t, h, target).Body.Bytes(), &v); err != nil {
			t.Fatal(err)
		}
		c.check(c.schemas[schema].(map[string]any), schema, v)
	}
}

func TestAnswerSaysWhatNumbersMeanWhenAsked(t *testing.T) {
	h := namedHandler(t, namesOf(t, someNames, someCommunities))
	var got struct {
		Names *struct {
			AS          map[string]string `json:"as"`
			Communities map[string]string `json:"communities"`
		} `json:"names"`
	}
	read := func(target string) {
		t.Helper()
		got.Names = nil
		if err := json.Unmarshal(ask(t, h, target).Body.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
	}
	if read("/api/v1/routes?q=1.1.1.0/24"); got.Names != nil {
		t.Error("names that nobody asked for")
	}
	read("/api/v1/routes?q=1.1.1.0/24+peer+edge1&names=true")
	if diff := cmp.Diff(map[string]string{"13335": "Example Cloud", "3356": "Example Transit", "64500": "Ours"}, got.Names.AS); diff != "" {
		t.Errorf("ASes (-want +got):\n%s", diff)
	}
	want := map[string]string{"64500:1": "Learned in place 1", "64500:1:2": "Sent to 2", "3356:86": "Kept by another (AS64500)"}
	for c, text := range want {
		if got.Names.Communities[c] != text {
			t.Errorf("%s means %q, want %q", c, got.Names.Communities[c], text)
		}
	}
	w := ask(t, h, "/api/v1/routes?q=1.1.1.0/24&names=true", "Accept", "text/csv")
	if w.Code != http.StatusBadRequest {
		t.Errorf("names in CSV = %d, want 400", w.Code)
	}
}

func TestNamesAreCompleted(t *testing.T) {
	h := namedHandler(t, namesOf(t, someNames, someCommunities))
	for target, want := range map[string]string{
		"/api/v1/names?q=CLOUD":           `{"query":"CLOUD","ases":[{"asn":13335,"name":"Example Cloud"}]}`,
		"/api/v1/names?q=example&limit=1": `{"query":"example","ases":[{"asn":3356,"name":"Example Transit"}]}`,
		"/api/v1/names?q=as645":           `{"query":"as645","ases":[{"asn":64500,"name":"Ours"},{"asn":64510,"name":"Upstream \u0026 Sons"}]}`,
		"/api/v1/names":                   `{"query":"","ases":[]}`,
	} {
		if got := strings.TrimSpace(ask(t, h, target).Body.String()); got != want {
			t.Errorf("GET %s = %s, want %s", target, got, want)
		}
	}
	for _, target := range []string{"/api/v1/names?limit=51", "/api/v1/names?limit=x", "/api/v1/names?p=1", "/api/v1/names?q=%00"} {
		if w := ask(t, h, target); w.Code != http.StatusBadRequest {
			t.Errorf("GET %s = %d, want 400", target, w.Code)
		}
	}
	if w := ask(t, worldHandler(t), "/api/v1/names?q=x"); strings.TrimSpace(w.Body.String()) != `{"query":"x","ases":[]}` {
		t.Errorf("without names: %s", w.Body)
	}
}

func TestSearchBoxCompletesNames(t *testing.T) {
	h := namedHandler(t, namesOf(t, someNames, someCommunities))
	for target, want := range map[string]string{
		"/api/v1/complete?q=origin+cloud": `{"text":"13335","kind":"as","means":"Example Cloud"}`,
		"/api/v1/complete?q=example":      `{"text":"AS3356","kind":"as","means":"Example Transit"}`,
	} {
		if got := ask(t, h, target).Body.String(); !strings.Contains(got, want) {
			t.Errorf("GET %s = %s, want %s in it", target, got, want)
		}
	}
}

func TestPagesSayWhatNumbersMean(t *testing.T) {
	h := namedHandler(t, namesOf(t, someNames, someCommunities))
	page := parsePage(t, ask(t, h, "/1.1.1.1"))
	titles := map[string]string{}
	for _, a := range page.all("a", "") {
		titles[a.attr("href")] += a.attr("title")
	}
	if got := titles["/as/13335"]; !strings.Contains(got, "Example Cloud") {
		t.Errorf("AS13335 has the title %q", got)
	}
	if got := titles["/community/64500:1"]; got != "Learned in place 1" {
		t.Errorf("64500:1 has the title %q", got)
	}
	legend := page.all("section", "meanings")
	if len(legend) != 1 || !strings.Contains(legend[0].words(), "64500:1:2 Sent to 2") || !strings.Contains(legend[0].words(), "AS3356 Example Transit") {
		t.Errorf("legend: %v", legend)
	}
	for path, want := range map[string]string{
		"/as/13335":             "AS13335 Example Cloud",
		"/as/13335.txt":         "AS13335 Example Cloud: originates",
		"/community/64500:1":    "Learned in place 1",
		"/peers/edge1":          "AS64500 Ours",
		"/peers":                "Upstream &amp; Sons",
		"/1.1.1.1.txt":          "  AS13335  Example Cloud",
		"/search.txt?q=1.1.1.1": "",
		"/graph?q=1.1.1.1":      "Example Cloud",
	} {
		body := ask(t, h, path).Body.String()
		if strings.HasPrefix(path, "/as/") && !strings.HasSuffix(path, ".txt") {
			body = parsePage(t, ask(t, h, path)).all("h1", "")[0].words()
		}
		if !strings.Contains(body, want) {
			t.Errorf("GET %s does not say %q", path, want)
		}
	}
}

func TestHostileNamesStayText(t *testing.T) {
	communities := "64500:x," + hostileName + "\n64510:100," + hostileName + "\n64500:1:2," + hostileName + "\n"
	h := namedHandler(t, namesOf(t, "13335 "+hostileName+"\n3356 \u202e\x1b[31m"+hostileName+strings.Repeat("Ж", 100)+"\n64500 "+hostileName+"\n", communities))
	for _, path := range []string{
		"/", "/peers", "/peers/edge1", "/1.1.1.1", "/as/13335", "/as/3356", "/community/64500:1", "/search?q=peer+edge1", "/graph?q=1.1.1.1",
		"/1.1.1.1.txt", "/as/3356.txt", "/api/v1/routes?names=true", "/api/v1/names?q=alert", "/graph.svg?q=1.1.1.1",
	} {
		w := ask(t, h, path)
		body := w.Body.String()
		if w.Code != http.StatusOK {
			t.Errorf("GET %s = %d", path, w.Code)
		}
		if !strings.Contains(w.Header().Get("Content-Type"), "text/plain") && (strings.Contains(body, "<script>alert") || strings.Contains(body, "<img")) {
			t.Errorf("GET %s has a tag out of a name", path)
		}
		if strings.ContainsAny(body, "\x1b\u202e") {
			t.Errorf("GET %s has a control character out of a name", path)
		}
		if strings.Contains(w.Header().Get("Content-Type"), "text/html") {
			page := parsePage(t, w)
			for _, e := range page.all("img", "") {
				t.Errorf("GET %s has an image %v", path, e)
			}
			for _, e := range page.all("a", "") {
				if e.attr("onerror") != "" || len([]rune(e.attr("title"))) > 160 {
					t.Errorf("GET %s has the attributes %v", path, e.Attr)
				}
			}
		}
	}
}

func BenchmarkMeanings(b *testing.B) {
	var k names.Keeper
	if err := k.Load(names.Config{}); err != nil {
		b.Fatal(err)
	}
	h := namedHandler(b, &k)
	for _, target := range []string{"/1.1.1.1", "/api/v1/routes?q=1.1.1.1", "/api/v1/routes?q=1.1.1.1&names=true"} {
		b.Run(target, func(b *testing.B) {
			for b.Loop() {
				ask(b, h, target)
			}
		})
	}
}
