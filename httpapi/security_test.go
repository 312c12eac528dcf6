package httpapi_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"ribglass/httpapi"
	"ribglass/ribstore/route"
)

// hostile lists strings that someone would like a reader's browser or terminal
// to run.
func hostile() []string {
	return []string{
		`<script>alert(1)</script>`,
		`"><img src=x onerror=alert(1)>`,
		`'><svg onload=alert(1)>`,
		`javascript:alert(1)`,
		`</title><script>alert(1)</script>`,
		`{{.Frame}}`,
		"\x1b[2J\x1b]0;owned\x07",
		"\r\nSet-Cookie: a=b\r\n\r\n<h1>split</h1>",
		"\u202egnp.exe",
		`</textarea></pre><b onmouseover=alert(1)>`,
	}
}

func TestC1FilesThatMustNotBeThere(t *testing.T) {
	h := worldHandler(t)
	for _, path := range []string{
		"/lg.conf", "/lg.cfg", "/config.yaml", "/config.php", "/.env", "/.git/config", "/.ssh/id_rsa", "/keys/", "/rib.db",
		"/debug/pprof", "/debug/pprof/", "/debug/pprof/heap", "/debug/vars", "/metrics", "/..%2f..%2fetc/passwd", "/../etc/passwd",
		"/%2e%2e/%2e%2e/etc/passwd", "//etc/passwd", "/assets/", "/assets/..%2fstyle.css", "/assets/../doc.go", "/-/healthy",
		"/-/ready", "/-/refresh", "/api/v1/config", "/api/v2", "/server-status", "/wp-login.php",
		"/robots.txt.bak", "/ribglass.yaml", "/templates/frame.html",
	} {
		if w := ask(t, h, path); w.Code != http.StatusNotFound {
			t.Errorf("GET %s = %d, want 404", path, w.Code)
		}
	}
}

func TestEveryAnswerHasTheHeadersOfSafety(t *testing.T) {
	h := worldHandler(t)
	for _, path := range []string{"/", "/1.1.1.1", "/frob", "/api/v1/routes", "/api/v1/frob", "/1.1.1.0/33", "/peers/edge1.txt", "/search?q=1.1.1.1"} {
		w := ask(t, h, path, "Origin", "https://evil.example", "Cookie", "a=b")
		for name, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Access-Control-Allow-Origin": "",
			"Set-Cookie": "", "Server": "", "Cross-Origin-Resource-Policy": "same-origin",
			"Cross-Origin-Opener-Policy": "same-origin", "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
			"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; report-uri /policy-violations",
		} {
			if got := w.Header().Get(name); got != want {
				t.Errorf("GET %s: %s = %q, want %q", path, name, got, want)
			}
		}
	}
}

func TestD5OnlyConfiguredHostsAreAnswered(t *testing.T) {
	cfg := httpapi.DefaultConfig()
	cfg.Hosts = []string{"lg.example.net", "2001:db8::10"}
	store, sessions := world()
	h := newServer(t, cfg, store, sessions).Handler()
	for host, want := range map[string]int{
		"lg.example.net": 200, "LG.example.net:8080": 200, "lg.example.net.": 200, "[2001:db8::10]:8080": 200, "[2001:db8::10]": 200,
		"attacker.example": 421, "lg.example.net.attacker.example": 421, "127.0.0.1:8080": 421, "": 421, "localhost": 421,
	} {
		r := httptest.NewRequest(http.MethodGet, "/api/v1/status", nil)
		r.Host = host
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("Host %q = %d, want %d", host, w.Code, want)
		}
	}
}

// poisonedHandler shows a world in which everything that a neighbour or the
// configuration can write is the text.
func poisonedHandler(t *testing.T, text string) http.Handler {
	t.Helper()
	store, sessions := world()
	for i := range sessions {
		s := &sessions[i]
		p := *s.Peer
		p.Description, p.Group, p.Router = text, text, text
		s.Peer = &p
		s.LastError = "NOTIFICATION received: Cease: " + text
		s.Capabilities = []route.Capability{{Code: 73, Name: "fqdn", Value: text}, {Code: 99, Name: text, Value: text}}
		s.History = []route.Transition{{At: now, From: route.StateEstablished, To: route.StateIdle, Reason: text}}
	}
	for i := range store.routes {
		store.routes[i].Decision = text
		store.routes[i].Attrs = store.routes[i].Attrs.AppendAttr(200, append([]byte{0xc0}, text...))
	}
	return newServer(t, httpapi.DefaultConfig(), store, sessions).Handler()
}

func TestB2B3TextOfNeighboursIsTextInPages(t *testing.T) {
	for _, text := range hostile() {
		h := poisonedHandler(t, text)
		for _, path := range []string{"/", "/peers", "/peers/edge1", "/1.1.1.1", "/search?q=peer+edge1"} {
			w := ask(t, h, path)
			if w.Code != http.StatusOK {
				t.Errorf("GET %s with %q = %d, want the page", path, text, w.Code)
			}
			page := parsePage(t, w)
			checkFrame(t, page)
			for _, svg := range page.all("svg", "") {
				if svg.attr("role") != "img" || svg.attr("onload") != "" || svg.FirstChild == nil || svg.FirstChild.Data != "path" || svg.FirstChild.NextSibling != nil {
					t.Errorf("%s with %q has a picture that is no line", path, text)
				}
			}
			for _, tag := range []string{"img", "textarea"} {
				if len(page.all(tag, "")) > 0 {
					t.Errorf("%s with %q has a <%s>", path, text, tag)
				}
			}
			if n := len(page.all("title", "")); n != 1 {
				t.Errorf("%s with %q has %d titles", path, text, n)
			}
		}
		page := parsePage(t, ask(t, h, "/peers/edge1"))
		if strings.HasPrefix(text, "<script>") && !strings.Contains(page.words(), text) {
			t.Errorf("the page of the peer does not show %q as text", text)
		}
	}
}

func TestB3TextOfNeighboursCannotDriveATerminal(t *testing.T) {
	for _, text := range hostile() {
		h := poisonedHandler(t, text)
		for _, path := range []string{"/index.txt", "/peers.txt", "/peers/edge1.txt", "/1.1.1.1.txt"} {
			w := ask(t, h, path)
			body := w.Body.String()
			if w.Code != http.StatusOK || body == "" {
				t.Errorf("GET %s with %q = %d, %d bytes, want the text", path, text, w.Code, len(body))
			}
			if i := strings.IndexFunc(body, func(r rune) bool { return r < ' ' && r != '\n' || r == 0x7f || r == '\u202e' }); i >= 0 {
				t.Errorf("%s with %q has the control character %q", path, text, body[i])
			}
			if strings.Contains(body, "\nSet-Cookie") {
				t.Errorf("%s with %q has a line of the neighbour's making", path, text)
			}
		}
	}
}

func TestB1TextOfTheClientIsText(t *testing.T) {
	h := worldHandler(t)
	for _, text := range hostile() {
		escaped := url.QueryEscape(text)
		for _, target := range []string{
			"/search?q=" + escaped, "/search?q=1.1.1.1+" + escaped, "/search?" + escaped + "=1", "/1.1.1.1?peer=" + escaped,
			"/1.1.1.1?family=" + escaped, "/1.1.1.1?limit=" + escaped, "/search?q=peer+edge1&cursor=" + escaped,
			"/" + url.PathEscape(text), "/1.1.1.1" + url.PathEscape(text), "/peers/" + url.PathEscape(text), "/assets/" + url.PathEscape(text),
		} {
			w := ask(t, h, target, "Referer", text, "User-Agent", strings.Map(noControl, text), "X-Forwarded-For", "1.2.3.4")
			if w.Code < 400 && !strings.Contains(text, "{{") {
				t.Errorf("GET %s = %d, want a refusal", target, w.Code)
			}
			for name, values := range w.Header() {
				for _, v := range values {
					if strings.ContainsAny(v, "\r\n") {
						t.Errorf("GET %s: header %s = %q", target, name, v)
					}
				}
			}
			page := parsePage(t, w)
			checkFrame(t, page)
			for _, tag := range []string{"img", "svg", "textarea"} {
				if len(page.all(tag, "")) > 0 {
					t.Errorf("GET %s has a <%s>", target, tag)
				}
			}
		}
	}
}

func noControl(r rune) rune {
	if r < ' ' || r == 0x7f {
		return -1
	}
	return r
}

func TestHostOfTheClientIsTextInTheExamples(t *testing.T) {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Host = `evil"><script>alert(1)</script>`
	w := httptest.NewRecorder()
	worldHandler(t).ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		t.Errorf("GET / of the Host %q = %d, want the page", r.Host, w.Code)
	}
	checkFrame(t, parsePage(t, w))
	text := httptest.NewRecorder()
	r.Header.Set("User-Agent", "curl/8")
	r.Host = "evil;id"
	worldHandler(t).ServeHTTP(text, r)
	if text.Code != http.StatusOK || text.Body.Len() == 0 || strings.Contains(text.Body.String(), ";id") {
		t.Error("an example for the shell holds what the client wrote into Host")
	}
}

func TestE2OnlyTrustedProxiesNameTheClient(t *testing.T) {
	for name, row := range map[string]struct {
		trusted, forwarded, want string
	}{
		"nobody is trusted":               {"", "1.2.3.4", "192.0.2.1"},
		"the proxy is trusted":            {"192.0.2.0/24", "1.2.3.4", "1.2.3.4"},
		"the client adds a hop before it": {"192.0.2.0/24", "9.9.9.9, 1.2.3.4", "1.2.3.4"},
		"another proxy is trusted":        {"198.51.100.0/24", "1.2.3.4", "192.0.2.1"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := httpapi.DefaultConfig()
			if row.trusted != "" {
				cfg.TrustedProxies = append(cfg.TrustedProxies, netip.MustParsePrefix(row.trusted))
			}
			var log strings.Builder
			store, sessions := world()
			s, err := httpapi.New(cfg, httpapi.Deps{
				Store: store, Sessions: sessions, Registerer: prometheus.NewRegistry(), Now: func() time.Time { return now },
				Logger: slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})),
			})
			if err != nil {
				t.Fatal(err)
			}
			ask(t, s.Handler(), "/api/v1/status", "X-Forwarded-For", row.forwarded)
			if want := fmt.Sprintf(`"client":%q`, row.want); !strings.Contains(log.String(), want) {
				t.Errorf("log %s, want %s in it", log.String(), want)
			}
		})
	}
}

func TestB7LogLinesCannotBeForged(t *testing.T) {
	var log strings.Builder
	store, sessions := world()
	s, err := httpapi.New(httpapi.DefaultConfig(), httpapi.Deps{
		Store: store, Sessions: sessions, Registerer: prometheus.NewRegistry(),
		Logger: slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	if err != nil {
		t.Fatal(err)
	}
	ask(t, s.Handler(), "/a%0A%7B%22level%22:%22INFO%22%7D%1b[2J")
	if n := strings.Count(log.String(), "\n"); n != 1 || strings.Contains(log.String(), "\x1b") {
		t.Errorf("%d log lines: %q", n, log.String())
	}
}

func TestNothingIsLoggedForEachRequest(t *testing.T) {
	var log strings.Builder
	store, sessions := world()
	s, err := httpapi.New(httpapi.DefaultConfig(), httpapi.Deps{
		Store: store, Sessions: sessions, Registerer: prometheus.NewRegistry(), Logger: slog.New(slog.NewTextHandler(&log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, target := range []string{"/api/v1/routes?q=1.1.1.1", "/frob", "/api/v1/routes?q=frob", "/"} {
		ask(t, s.Handler(), target)
	}
	if log.Len() > 0 {
		t.Errorf("log %s", log.String())
	}
}
