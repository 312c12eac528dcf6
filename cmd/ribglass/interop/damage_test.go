package interop

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// damage is what may have become of a file.
type damage struct {
	name string
	do   func([]byte) []byte
	new  bool // it is like a file that was never written, of which nothing can be said
}

func damages() []damage {
	flip := func(where func(n int) int) func([]byte) []byte {
		return func(b []byte) []byte {
			for i := range 64 {
				b[where(len(b))+i*7] ^= 0x55
			}
			return b
		}
	}
	return []damage{
		{"cut in half", func(b []byte) []byte { return b[:len(b)/2] }, false},
		{"cut to a page", func(b []byte) []byte { return b[:4096] }, false},
		{"cut in the last page", func(b []byte) []byte { return b[:len(b)-100] }, false},
		{"empty", func([]byte) []byte { return nil }, true},
		{"flipped in both headers", func(b []byte) []byte {
			for i := range 40 {
				b[16+i] ^= 0xff
				b[4096+16+i] ^= 0xff
			}
			return b
		}, false},
		{"flipped at the begin", flip(func(int) int { return 100 }), false},
		{"flipped in the middle", flip(func(n int) int { return n / 2 }), false},
		{"flipped at a third", flip(func(n int) int { return n / 3 }), false},
		{"flipped at the end", flip(func(n int) int { return n - 600 }), false},
		{"zeros in the middle", func(b []byte) []byte { clear(b[len(b)/3 : len(b)*2/3]); return b }, false},
		{"all but the headers is noise", func(b []byte) []byte {
			for i := 8192; i < len(b); i++ {
				b[i] = byte(i * i >> 3)
			}
			return b
		}, false},
	}
}

// However the file is damaged: the server starts, takes sessions and records,
// and what is not damaged is as it was.
func TestADamagedHistoryHarmsNothingElse(t *testing.T) {
	t.Parallel()
	g := newGlass(t, neighbor("peer", "127.0.1.114", 65214))
	cfg := speakerConfig{local: "127.0.1.114", asn: 65214}
	feed := loadFeed(t)[:200]
	playFeed(t, cfg, g.bgp, feed)
	g.waitRoutes("peer", 200)
	loaded := thisMoment()
	g.stop(t)
	file := filepath.Join(g.dataDir, "history.db")
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range damages() {
		t.Run(d.name, func(t *testing.T) {
			writeFile(t, file, string(d.do(bytes.Clone(whole))))
			inner := *g
			inner.t = t
			before := len(g.log())
			inner.start()
			said := g.log()[before:]
			routes := inner.ask("").Total
			if p, err := inner.tryPeer("peer"); err == nil && (p.Routes.Stale != routes || p.Routes.Accepted != routes) || routes > 200 {
				t.Errorf("at once after the start: %d routes, %+v, %v", routes, p.Routes, err)
			}
			if routes < 200 && !d.new && !regexp.MustCompile(`level=(WARN|ERROR) .*(history|the table begins)`).Match(said) {
				t.Errorf("%d of 200 routes are there, and the log says nothing of it:\n%s", routes, said)
			}
			inner.wantKnown("at "+moment(loaded), 200)
			for _, r := range inner.ask("").Routes {
				if r.StaleSince.IsZero() || r.Peer != "peer" {
					t.Fatalf("a route that was never heard: %+v", r)
				}
			}
			s := playFeed(t, cfg, g.bgp, feed[:150])
			inner.waitRoutes("peer", 150)
			inner.waitRecorded()
			inner.waitMetric("ribglass_history_recording", 1)
			then := thisMoment()
			s.send(withdrawal(feed[0].prefix))
			inner.waitRoutes("peer", 149)
			if got := inner.ask("peer peer at " + moment(then)); got.Total != 150 {
				t.Errorf("what was recorded since: %d routes, want 150; notices %q", got.Total, got.Notices)
			}
			inner.unharmed()
			s.close()
			inner.stop(t)
			inner.start()
			inner.wantStale("peer", 149, 149, then)
			inner.stop(t)
		})
	}
}

// wantKnown fails the test when the answer to a query about the past has another
// number of routes and does not say that it may.
func (g *glass) wantKnown(query string, want int) {
	g.t.Helper()
	var a answer
	status, body, err := g.get("/api/v1/routes?q=" + url.QueryEscape(query))
	if err == nil && status == http.StatusOK {
		err = json.Unmarshal(body, &a)
	}
	if err != nil || status >= 500 || status == http.StatusOK && a.Total != want && len(a.Notices) == 0 {
		g.t.Errorf("%s: status %d, error %v, %d routes, want %d; notices %q", query, status, err, a.Total, want, a.Notices)
	}
}

// log returns what the process wrote.
func (g *glass) log() []byte {
	g.t.Helper()
	log, err := os.ReadFile(g.logFile)
	if err != nil {
		g.t.Fatal(err)
	}
	return log
}

// A file of something else is not touched.
func TestAForeignFileIsRefusedAndLeftAlone(t *testing.T) {
	t.Parallel()
	g := configuredGlass(t, "127.0.0.1", neighbor("peer", "127.0.1.116", 65216))
	file := filepath.Join(g.dataDir, "history.db")
	g.start()
	g.stop(t)
	own, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{
		"the version before": bytes.ReplaceAll(own, []byte("ribglass history 4"), []byte("ribglass history 2")),
		"a later version":    bytes.ReplaceAll(own, []byte("ribglass history 4"), []byte("ribglass history 5")),
	} {
		writeFile(t, file, string(content))
		status, log := g.serveOnce()
		if status == 0 || !bytes.Contains(log, []byte("not a history of this version")) || !bytes.Contains(log, []byte("move the file away")) {
			t.Errorf("%s: status %d\n%s", name, status, log)
		}
		if after, err := os.ReadFile(file); err != nil || !bytes.Equal(after, content) {
			t.Errorf("%s: the file was changed, error %v", name, err)
		}
	}
}
