package interop

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"
)

// hostile are values that once became commands, queries or paths elsewhere
// (../../../../shared/attacks.md, section A).
func hostile() map[string]string {
	values := map[string]string{}
	for _, v := range []string{
		// A1: shells
		"8.8.8.8;id", "8.8.8.8 && id", "8.8.8.8|id", "`id`", "$(id)", `"; id; "`, "test =]' && echo '",
		// A2: line ends and other control characters
		"8.8.8.8\nshow run", "8.8.8.8\r\nshow run", "8.8.8.8\x00", "8.8.8.8\u2028show run", "8.8.8.8\tshow", "8.8.8.8\x0bshow",
		"8.8.8.8\x1b[2J", "8.8.8.8\xff",
		// A3: regular expressions
		`.*" \| no-more`, strings.Repeat("a", 10_000), "(a+)+$", ".*", ".[0-9,0-9]+",
		// A4: options and files
		"-f", "-s 65500 1.1.1.1", "--help", "@file", "8.8.8.8/24", "8.8.8.8/33", "8.8.8.8/-1", "8.8.8.8/24/24",
		// A5: other peers and paths
		"peer ../../x", "peer /etc/passwd", "peer a;b", "family ipv4-unicast;id", "../../etc/passwd", `..\..\x`,
		// addresses in spellings that parsers disagree on
		"0177.0.0.1", "2130706433", "127.1", "0x7f.0.0.1", "fe80::1%eth0", "::ffff:8.8.8.0/140", "1.2.3.4.5", "8.8.8.8 9.9.9.9",
		"<script>alert(1)</script>", `"><img src=x onerror=alert(1)>`, "' or '1'='1", "{{7*7}}", "%s%s%n",
	} {
		name := v
		if len(name) > 30 {
			name = name[:30]
		}
		values[fmt.Sprintf("%q", name)] = v
	}
	return values
}

// problem is an RFC 9457 answer.
type problem struct {
	Status       int
	Code, Detail string
}

// Every hostile value in every place a value can stand is refused with a typed
// error, and never found, echoed as markup, or a server error.
func TestHostileValuesAreRefused(t *testing.T) {
	t.Parallel()
	g := newGlass(t, neighbor("peer", "127.0.1.91", 65191))
	for name, v := range hostile() {
		t.Run(name, func(t *testing.T) {
			if reading, ok := understood()[v]; ok {
				answeredAs(t, g, v, reading)
			} else {
				refusedProblem(t, g, "/api/v1/routes?q="+url.QueryEscape(v))
			}
			for _, path := range []string{
				"/api/v1/routes?q=203.0.113.1&limit=" + url.QueryEscape(v),
				"/api/v1/routes?q=203.0.113.1&cursor=" + url.QueryEscape(v),
				"/api/v1/routes?q=203.0.113.1&" + url.QueryEscape(v) + "=1",
				"/api/v1/peers/" + url.PathEscape(v),
			} {
				refusedProblem(t, g, path)
			}
			for _, accept := range []string{"text/html", "text/plain", "application/json"} {
				if _, err := strconv.ParseUint(v, 10, 32); err != nil { // the number of an AS has a page
					refusedPage(t, g, "/"+url.PathEscape(v), accept, v)
				}
				refusedPage(t, g, "/peers/"+url.PathEscape(v), accept, v)
			}
		})
	}
	g.unharmed()
}

// understood are the values that the query language has a meaning for, and that
// meaning: they select routes and do nothing else.
func understood() map[string]string {
	return map[string]string{
		".*": "path .*", ".[0-9,0-9]+": `path ".[^] {}()[]+"`, // expressions over AS paths, matched in linear time
		"2130706433": "origin 2130706433", "127.1": "origin 8323073", // AS numbers, asplain and asdot
	}
}

func answeredAs(t *testing.T, g *glass, text, reading string) {
	t.Helper()
	status, body, err := g.get("/api/v1/routes?q=" + url.QueryEscape(text))
	var answer struct{ Query struct{ Canonical string } }
	if err == nil {
		err = json.Unmarshal(body, &answer)
	}
	if err != nil || status != http.StatusOK || answer.Query.Canonical != reading {
		t.Errorf("q=%s: %d %s, %v, want it read as %s", text, status, body, err, reading)
	}
}

func refusedProblem(t *testing.T, g *glass, path string) {
	t.Helper()
	status, body, err := g.get(path)
	if err != nil {
		t.Fatalf("GET %.80s: %v", path, err)
	}
	if status != http.StatusBadRequest && status != http.StatusNotFound && status != http.StatusRequestURITooLong {
		t.Errorf("GET %.80s: status %d: %s", path, status, body)
		return
	}
	var p problem
	if err := json.Unmarshal(body, &p); err != nil || p.Code == "" || p.Status != status {
		t.Errorf("GET %.80s: %d %s is no problem details: %v", path, status, body, err)
	}
}

func refusedPage(t *testing.T, g *glass, path, accept, value string) {
	t.Helper()
	status, body, err := g.get(path, "Accept", accept)
	if err != nil {
		t.Fatalf("GET %.80s: %v", path, err)
	}
	if status < 400 || status >= 500 {
		t.Errorf("GET %.80s for %s: status %d", path, accept, status)
	}
	if accept == "text/html" && strings.ContainsAny(value, "<>") && bytes.Contains(body, []byte(value)) {
		t.Errorf("GET %.80s: the page holds the value unescaped", path)
	}
	if i := bytes.IndexFunc(body, func(r rune) bool { return r < ' ' && r != '\n' && r != '\t' }); i >= 0 {
		t.Errorf("GET %.80s for %s: a control character in the answer: %q", path, accept, body[max(0, i-20):i+1])
	}
}

// A parameter twice, as a list, or in another case is an error, not a choice.
func TestAParameterHasOneSpelling(t *testing.T) {
	t.Parallel()
	g := newGlass(t, neighbor("peer", "127.0.1.92", 65192))
	for _, query := range []string{
		"q=203.0.113.1&q=198.51.100.1", "q[]=203.0.113.1", "q[0]=203.0.113.1", "Q=203.0.113.1", "q=203.0.113.1&Q=1",
		`q=["203.0.113.1"]`, "q=203.0.113.1&limit=1&limit=2", "q=203.0.113.1;limit=1", "q=203.0.113.1&limit=0",
		"q=203.0.113.1&limit=-1", "q=203.0.113.1&limit=99999999999999999999", "q=%", "q=%zz",
	} {
		refusedProblem(t, g, "/api/v1/routes?"+query)
	}
	for _, path := range []string{"/api/v1/peers/PEER", "/API/v1/status", "/api/v1/peers/..%2fpeer"} {
		status, body, err := g.get(path)
		if err != nil || status/100 == 5 || status == http.StatusOK {
			t.Errorf("GET %s: status %d, %v: %.100s", path, status, err, body)
		}
	}
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete, "BREW"} {
		request, err := http.NewRequest(method, "http://"+g.http+"/api/v1/routes?q=203.0.113.1", strings.NewReader(`{"q":["x"]}`))
		if err != nil {
			t.Fatal(err)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode < 400 || response.StatusCode >= 500 {
			t.Errorf("%s: status %d", method, response.StatusCode)
		}
	}
	g.unharmed()
}

// There are no files to be had, and what is on the admin listener is not here.
func TestNoFileIsServed(t *testing.T) {
	t.Parallel()
	g := newGlass(t, neighbor("peer", "127.0.1.93", 65193, withPassword(t, "hunter2-xyzzy")))
	for _, path := range []string{
		"/lg.conf", "/lg.cfg", "/config.yaml", "/config.php", "/ribglass.yaml", "/.env", "/.git/config", "/.ssh/id_rsa", "/keys/",
		"/rib.db", "/debug/pprof", "/debug/pprof/", "/debug/vars", "/metrics", "/-/ready", "/-/refresh?peer=peer",
		"/..%2f..%2fetc/passwd", "/../../etc/passwd", "/static/../../../etc/passwd", "//etc/passwd",
	} {
		answer := raw(t, g, "GET "+path+" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
		status, _, _ := strings.Cut(strings.TrimPrefix(answer, "HTTP/1.1 "), " ")
		if status == "200" || status[0] == '5' {
			t.Errorf("GET %s: %.200s", path, answer)
		}
	}
	for _, path := range []string{"/api/v1/status", "/api/v1/peers", "/api/v1/peers/peer", "/api/v1/openapi.json", "/peers", "/peers/peer"} {
		_, body, err := g.get(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{"hunter2", "/md5", g.dir} {
			if bytes.Contains(body, []byte(secret)) {
				t.Errorf("GET %s: the answer holds %q", path, secret)
			}
		}
	}
	if g.logged("hunter2") {
		t.Error("the log at debug level holds the password")
	}
}

// raw sends octets to the public listener and returns all it answers.
func raw(t *testing.T, g *glass, request string) string {
	t.Helper()
	conn, err := net.Dial("tcp", g.http)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	return string(readAll(conn, 5*time.Second))
}

// What a peer writes (a shutdown communication, a host name) is text in every
// form of the answer.
func TestWhatAPeerWritesIsText(t *testing.T) {
	t.Parallel()
	const script = `<script>alert(1)</script>`
	g := newGlass(t, neighbor("peer", "127.0.1.94", 65194))
	fqdn := append([]byte{byte(len(script))}, script...)
	s := dial(t, speakerConfig{
		local: "127.0.1.94", asn: 65194,
		capabilities: append(usualCapabilities(65194), capability(73, append(fqdn, 0)...)),
	}, g.bgp)
	g.waitEstablished("peer")
	text := "\x1b[2J" + script + "\r\nX-Injected: 1"
	s.send(frame(msgNotification, append([]byte{6, 2, byte(len(text))}, text...)))
	g.waitPeer("peer", "shows the communication", func(p shownPeer) bool { return strings.Contains(p.LastError, script) })
	for _, accept := range []string{"text/html", "text/plain"} {
		_, body, err := g.get("/peers/peer", "Accept", accept)
		if err != nil {
			t.Fatal(err)
		}
		if accept == "text/html" && bytes.Contains(body, []byte(script)) {
			t.Error("the page holds a script of the peer")
		}
		if bytes.ContainsAny(body, "\x1b\r") {
			t.Errorf("%s: control characters of the peer arrive", accept)
		}
	}
	g.unharmed()
}

// The reason a peer gives for the end is what is shown, however soon it closes
// the connection behind it.
func TestTheReasonOfAPeerIsNotLost(t *testing.T) {
	t.Parallel()
	g := newGlass(t, neighbor("peer", "127.0.1.96", 65196))
	for i := range 20 {
		s := dial(t, speakerConfig{local: "127.0.1.96", asn: 65196}, g.bgp)
		text := fmt.Sprintf("maintenance %d", i)
		s.send(frame(msgNotification, append([]byte{6, 2, byte(len(text))}, text...)))
		p := g.waitPeer("peer", "is down", func(p shownPeer) bool {
			return p.Counters.SessionsEstablished == i+1 && p.State != "established"
		})
		if !strings.Contains(p.LastError, text) || p.Counters.NotificationsOut != 0 {
			t.Fatalf("last error %q, want %q; %d NOTIFICATIONs sent", p.LastError, text, p.Counters.NotificationsOut)
		}
		s.close()
	}
}

// Requests that never end, headers without end and idle connections cost their
// sender, and nobody else.
func TestSlowAndLargeRequests(t *testing.T) {
	t.Parallel()
	g := newGlass(t, neighbor("peer", "127.0.1.95", 65195))
	if answer := raw(t, g, "GET / HTTP/1.1\r\nHost: x\r\nX: "+strings.Repeat("a", 1<<20)+"\r\n\r\n"); !strings.Contains(answer, " 431 ") && !strings.Contains(answer, " 400 ") {
		t.Errorf("a header of 1 MiB: %.100s", answer)
	}
	if answer := raw(t, g, "GET /api/v1/routes?q="+strings.Repeat("(a+)+", 10_000)+" HTTP/1.1\r\nHost: x\r\n\r\n"); !strings.Contains(answer, " 431 ") && !strings.Contains(answer, " 414 ") {
		t.Errorf("an address of 50 kB: %.100s", answer)
	}
	for range 500 {
		conn, err := net.Dial("tcp", g.http)
		if err != nil {
			break
		}
		t.Cleanup(func() { conn.Close() })
		_, _ = io.WriteString(conn, "GET / HTTP/1.1\r\nX-Slow") // never ends
	}
	status, _, err := g.get("/api/v1/status")
	if err != nil || status != http.StatusOK {
		t.Errorf("GET beside 500 unfinished requests: %d, %v", status, err)
	}
	// A second request smuggled in the body of a first is not answered on its own.
	answer := raw(t, g, "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG")
	if n := len(responses(answer)); n > 1 {
		t.Errorf("%d answers to one request of two lengths:\n%s", n, answer)
	}
	g.unharmed()
}

func responses(answer string) []string {
	var lines []string
	for scan := bufio.NewScanner(strings.NewReader(answer)); scan.Scan(); {
		if strings.HasPrefix(scan.Text(), "HTTP/1.1 ") && !strings.Contains(scan.Text(), " 100 ") {
			lines = append(lines, scan.Text())
		}
	}
	return lines
}
