package interop

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// refusedAnswer is what a test looks at of GET /api/v1/refused.
type refusedAnswer struct {
	Attempts []struct {
		Count                             int
		Address, Peer, Rule, Reason, Text string
		ASN                               uint32
	}
	TCPMD5 struct{ Missing, Unexpected, Wrong int } `json:"tcp_md5"`
}

// mustGet returns a page or a metric.
func (g *glass) mustGet(url string) string {
	g.t.Helper()
	response, err := http.Get(url)
	if err != nil {
		g.t.Fatal(err)
	}
	defer response.Body.Close()
	return string(readAllOf(g.t, response))
}

func readAllOf(t testing.TB, response *http.Response) []byte {
	t.Helper()
	var b strings.Builder
	buf := make([]byte, 32<<10)
	for {
		n, err := response.Body.Read(buf)
		b.Write(buf[:n])
		if err != nil {
			return []byte(b.String())
		}
	}
}

// A thousand connections of a dynamic range that say nothing keep neither a configured
// neighbor out nor another router of the range.
func TestBareConnectionsKeepNobodyOut(t *testing.T) {
	t.Parallel()
	g := newGlass(t, neighbor("static", "127.0.1.81", 65181), dynamic("127.81.0.0/16", "max_sessions: 300"))
	for i := range 1000 {
		conn, err := connect(speakerConfig{local: fmt.Sprintf("127.81.%d.%d", i>>8, i&255)}, g.bgp)
		if err != nil {
			t.Fatalf("connection %d: %v", i, err)
		}
		t.Cleanup(func() { _ = conn.Close() })
	}
	s, err := tryDial(t, speakerConfig{local: "127.0.1.81", asn: 65181}, g.bgp)
	if err != nil {
		t.Fatalf("the configured neighbor is not let in at its first try: %v", err)
	}
	defer s.close()
	s.send(plainRoute("198.51.100.0/24", 65181), endOfRIB(1))
	g.waitRoutes("static", 1)
	d, err := tryDial(t, speakerConfig{local: "127.81.99.99", asn: 65182}, g.bgp)
	if err != nil {
		t.Fatalf("another router of the range is not let in at its first try: %v", err)
	}
	defer d.close()
	g.waitEstablished("dynamic-127.81.99.99")

	var refused refusedAnswer
	waitFor(t, 20*time.Second, "the connections that yielded are told", func() error {
		if err := g.getJSON("/api/v1/refused", &refused); err != nil {
			return err
		}
		n := 0
		for _, a := range refused.Attempts {
			if a.Reason == "too_many_handshakes" && a.Rule == "127.81.0.0/16" && strings.HasPrefix(a.Peer, "dynamic-127.81.") {
				n++
			}
		}
		if n < 100 {
			return fmt.Errorf("%d of %d attempts", n, len(refused.Attempts))
		}
		return nil
	})
	if page := g.mustGet("http://" + g.http + "/refused.txt"); !strings.Contains(page, "a newer connection took its place") {
		t.Errorf("the page does not say so:\n%.2000s", page)
	}
	if metrics := g.mustGet("http://" + g.admin + "/metrics"); strings.Contains(metrics, `connections_refused_total{reason="too_many_handshakes"} 0`) {
		t.Error("the metric is zero")
	}
	if !g.logged("reason=too_many_handshakes") && !g.logged(`"reason":"too_many_handshakes"`) {
		t.Error("the log does not say so")
	}
	g.unharmed()
}

// Short sessions that ask for their routes to be kept for long do not hold the places
// of a rule: the one that is down longest yields, and ribglass peers forget takes one
// away.
func TestNeighborsThatAreDownHoldNoPlaces(t *testing.T) {
	t.Parallel()
	const places = 20
	g := newGlass(t, dynamic("127.82.0.0/16", fmt.Sprintf("max_sessions: %d", places), "max_stale_time: 24h"))
	name := func(i int) string { return fmt.Sprintf("dynamic-127.82.0.%d", i) }
	short := func(i int) {
		local := fmt.Sprintf("127.82.0.%d", i)
		s := dial(t, speakerConfig{
			local: local, asn: 65182,
			capabilities: append(usualCapabilities(65182),
				capability(64, 0x00, 0x3c, 0, 1, 1, 0x80),        // restart time 60 s, forwarding kept
				capability(71, 0, 1, 1, 0x80, 0x01, 0x51, 0x80)), // 86,400 s
		}, g.bgp)
		s.send(plainRoute(fmt.Sprintf("20.82.%d.0/24", i), 65182), endOfRIB(1))
		g.waitRoutes(name(i), 1)
		s.close()
		g.waitPeer(name(i), "is down", func(p shownPeer) bool { return p.State != "established" && p.Routes.Stale == 1 })
	}
	for i := 1; i <= places; i++ {
		short(i)
	}
	s := dial(t, speakerConfig{local: "127.82.0.100", asn: 65183}, g.bgp)
	defer s.close()
	g.waitEstablished(name(100))
	waitFor(t, 10*time.Second, "the neighbor that is down longest is forgotten", func() error {
		if _, err := g.tryPeer(name(1)); err == nil {
			return fmt.Errorf("%s is there", name(1))
		}
		return nil
	})
	if p := g.peer(name(2)); p.Routes.Stale != 1 {
		t.Errorf("%s has lost its route too: %+v", name(2), p.Routes)
	}
	if left := g.routes("20.82.1.0/24"); len(left) != 0 {
		t.Errorf("its route is still there: %+v", left)
	}
	if !g.logged("forgot a dynamic neighbor that was down, to make room for another") {
		t.Error("the log does not say so")
	}

	out, err := exec.CommandContext(t.Context(), programPath, "peers", "forget", name(2), "--admin", "http://"+g.admin).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "it and its routes are removed") {
		t.Errorf("ribglass peers forget: %v: %s", err, out)
	}
	waitFor(t, 10*time.Second, "its route is gone", func() error {
		if left := g.routes("20.82.2.0/24"); len(left) != 0 {
			return fmt.Errorf("%d routes", len(left))
		}
		return nil
	})
	if out, err := exec.CommandContext(t.Context(), programPath, "peers", "forget", name(100), "--admin", "http://"+g.admin).CombinedOutput(); err == nil || !strings.Contains(string(out), "the session is up") {
		t.Errorf("forgetting a peer with a session: %v: %s", err, out)
	}
	g.unharmed()
}

// A router with another TCP-MD5 key is never heard of: the kernel drops its segments.
// The page of the neighbor, the API, a metric and the log say so.
func TestAWrongKeyIsOnThePage(t *testing.T) {
	t.Parallel()
	g := newGlass(t, neighbor("locked", "127.0.1.83", 65183, withPassword(t, "the right key of both")))
	try := func() {
		ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
		defer cancel()
		cfg := speakerConfig{local: "127.0.1.83", asn: 65183, md5: "another key than that"}
		if conn, err := dialWithin(ctx, cfg, g); err == nil {
			_ = conn.Close()
			t.Fatal("a connection with another key is accepted")
		}
	}
	waitFor(t, 40*time.Second, "the page tells of the key", func() error {
		try()
		page := g.mustGet("http://" + g.http + "/peers/locked.txt")
		if !strings.Contains(page, "wrong TCP-MD5 key") || !strings.Contains(page, "No connection has arrived since") {
			return fmt.Errorf("it says:\n%.1500s", page)
		}
		return nil
	})
	var refused refusedAnswer
	if err := g.getJSON("/api/v1/refused", &refused); err != nil || refused.TCPMD5.Wrong == 0 {
		t.Errorf("GET /api/v1/refused: %v, %+v", err, refused.TCPMD5)
	}
	metrics := g.mustGet("http://" + g.admin + "/metrics")
	if strings.Contains(metrics, `tcp_md5_errors_total{reason="wrong"} 0`) || !strings.Contains(metrics, `ribglass_collector_notice{kind="tcp_md5",peer="locked"} 1`) {
		t.Error("the metrics do not say so")
	}
	if !g.logged("no connection arrives, perhaps because of TCP-MD5") {
		t.Error("the log does not say so")
	}
	s := dial(t, speakerConfig{local: "127.0.1.83", asn: 65183, md5: "the right key of both"}, g.bgp)
	defer s.close()
	g.waitEstablished("locked")
	waitFor(t, 10*time.Second, "the notice is withdrawn", func() error {
		if page := g.mustGet("http://" + g.http + "/peers/locked.txt"); strings.Contains(page, "No connection has arrived since") {
			return fmt.Errorf("it says:\n%.1500s", page)
		}
		return nil
	})
}

func dialWithin(ctx context.Context, cfg speakerConfig, g *glass) (net.Conn, error) {
	type result struct {
		conn net.Conn
		err  error
	}
	done := make(chan result, 1)
	go func() { //nolint:contextcheck // connect has a deadline of its own
		conn, err := connect(cfg, g.bgp)
		done <- result{conn, err}
	}()
	select {
	case r := <-done:
		return r.conn, r.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
