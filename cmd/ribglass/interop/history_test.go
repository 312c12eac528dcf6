package interop

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// metric reads one value without labels from the admin listener.
func (g *glass) metric(name string) (float64, error) {
	body, err := output("curl", "-sf", "http://"+g.admin+"/metrics")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(body)) {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			return strconv.ParseFloat(strings.TrimSpace(value), 64)
		}
	}
	return 0, fmt.Errorf("no metric %s", name)
}

// waitMetric waits until a metric has a value.
func (g *glass) waitMetric(name string, want float64) {
	g.t.Helper()
	waitFor(g.t, 20*time.Second, fmt.Sprintf("%s is %v", name, want), func() error {
		switch got, err := g.metric(name); {
		case err != nil:
			return err
		case got != want:
			return fmt.Errorf("it is %v", got)
		}
		return nil
	})
}

// waitRecorded waits until all that was heard is in the file.
func (g *glass) waitRecorded() {
	g.t.Helper()
	g.waitMetric("ribglass_history_pending_bytes", 0)
}

// answer is a page of routes and what is said about it.
type answer struct {
	At      time.Time
	Notices []string
	Total   int
	Routes  []shownRoute
}

func (g *glass) ask(query string) answer {
	g.t.Helper()
	var a answer
	if err := g.getJSON("/api/v1/routes?limit=1000&q="+url.QueryEscape(query), &a); err != nil {
		g.t.Fatal(err)
	}
	return a
}

// thisMoment returns the time, in the milliseconds that the history counts, when
// it is over: what happens now is behind it.
func thisMoment() time.Time {
	now := time.Now().Truncate(time.Millisecond)
	for !time.Now().After(now.Add(2 * time.Millisecond)) {
	}
	return now
}

// moment is a time as a query has it.
func moment(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// wantStale fails the test unless all routes of a peer are there at once after a
// start, from so many to so many, all stale since the end of the server.
func (g *glass) wantStale(peer string, from, to int, since time.Time) {
	g.t.Helper()
	p := g.peer(peer)
	if n := p.Routes.Accepted; n < from || n > to || p.Routes.Stale != n || p.State == "established" {
		g.t.Errorf("at once after the start: %s with %d routes, %d stale; want from %d to %d", p.State, n, p.Routes.Stale, from, to)
	}
	for _, r := range g.ask("peer " + peer).Routes {
		if r.StaleSince.Before(since.Add(-time.Minute)) || r.StaleSince.After(time.Now()) {
			g.t.Fatalf("%s is stale since %v", r.Prefix, r.StaleSince)
		}
	}
}

// A server that is killed, in the middle of loading and later in churn, answers
// when it is back before its router is, and then has what the router has.
func TestAKilledServerAnswersAtOnceWithWhatItHad(t *testing.T) {
	t.Parallel()
	routes := loadFeed(t)[:1200]
	g := newGlass(t, neighbor("daemon", "127.0.1.111", 65211))
	b := newBird(t, newEndpoints(t, 111, g.bgp))
	b.start(t)
	at, from := b.feed()
	s := playFeed(t, speakerConfig{local: from, asn: feedASN}, at, routes[:600])
	g.waitRoutes("daemon", 600)
	g.waitRecorded()

	s.send(feedUpdates(routes[600:]))
	g.waitPeer("daemon", "has some of the other routes", func(p shownPeer) bool { return p.Routes.Accepted > 600 })
	killed := time.Now()
	g.kill()
	b.process().stop(t)
	g.start()
	g.wantStale("daemon", 600, 1200, killed)

	// The router is back, without some of its routes.
	b.start(t)
	s = playFeed(t, speakerConfig{local: from, asn: feedASN}, at, routes[:900])
	sameRoutes(t, g, b, "daemon", 900)
	if n := len(g.routes("stale")); n > 0 {
		t.Errorf("%d stale routes are left", n)
	}

	// Churn: routes go and come; what was there for a while must be there.
	g.waitRecorded()
	for i := range 50 {
		s.send(withdrawal(routes[i].prefix), feedUpdates(routes[900+i:901+i]))
	}
	killed = time.Now()
	g.kill()
	b.process().stop(t)
	g.start()
	g.wantStale("daemon", 850, 950, killed)
	b.start(t)
	playFeed(t, speakerConfig{local: from, asn: feedASN}, at, routes[50:950])
	sameRoutes(t, g, b, "daemon", 900)
	g.unharmed()
}

// withdrawal is an UPDATE that takes a prefix back.
func withdrawal(p netip.Prefix) []byte {
	if p.Addr().Is4() {
		return updateMessage(appendNLRI(nil, p), nil, nil)
	}
	return updateMessage(nil, attribute(0x80, 15, appendNLRI([]byte{0, 2, 1}, p)...), nil)
}

func TestAStopLosesNothing(t *testing.T) {
	t.Parallel()
	g := newGlass(t, neighbor("peer", "127.0.1.112", 65212))
	s := dial(t, speakerConfig{local: "127.0.1.112", asn: 65212}, g.bgp)
	s.send(plainRoute("198.51.100.0/24", 65212), endOfRIB(1), endOfRIB(2))
	g.waitRoutes("peer", 1)
	for i := range 5 {
		prefix := fmt.Sprintf("203.0.113.%d/32", i)
		s.send(plainRoute(prefix, 65212))
		g.waitPeer("peer", "has the last route", func(p shownPeer) bool { return p.Routes.Accepted == 2+i })
		stopped := time.Now()
		g.stop(t)
		if code := g.cmd.ProcessState.ExitCode(); code != 0 {
			t.Fatalf("exit status %d", code)
		}
		g.start()
		g.wantStale("peer", 2+i, 2+i, stopped)
		s = dial(t, speakerConfig{local: "127.0.1.112", asn: 65212}, g.bgp)
		g.waitEstablished("peer")
	}
	// The routes that are not sent again go when the initial routes are complete.
	s.send(plainRoute("198.51.100.0/24", 65212), endOfRIB(1), endOfRIB(2))
	g.waitRoutes("peer", 1)
}

// serveOnce runs a server of a glass to its end, which is expected.
func (g *glass) serveOnce() (status int, log []byte) {
	g.t.Helper()
	writeFile(g.t, g.configFile(), g.config())
	p := startProcess(g.t, g.dir, programPath, "serve", "--config", g.configFile())
	if !p.wait(20 * time.Second) {
		g.t.Fatalf("it runs on:\n%s", p.tail())
	}
	return p.cmd.ProcessState.ExitCode(), p.tail()
}

func TestASecondServerOnTheSameDataDirIsRefused(t *testing.T) {
	t.Parallel()
	g := newGlass(t, neighbor("peer", "127.0.1.113", 65213))
	s := dial(t, speakerConfig{local: "127.0.1.113", asn: 65213}, g.bgp)
	s.send(plainRoute("198.51.100.0/24", 65213), endOfRIB(1), endOfRIB(2))
	before := g.waitRoutes("peer", 1)

	second := configuredGlass(t, "127.0.0.1", neighbor("peer", "127.0.1.113", 65213))
	second.dataDir = g.dataDir
	status, log := second.serveOnce()
	if status == 0 || !bytes.Contains(log, []byte("another process has the history open")) || !bytes.Contains(log, []byte("data_dir")) {
		t.Errorf("the second server ended with status %d:\n%s", status, log)
	}
	if bytes.Contains(log, []byte("goroutine ")) || bytes.Count(log, []byte("\n")) > 5 {
		t.Errorf("it said more than what is wrong:\n%s", log)
	}
	g.unharmed()
	s.send(plainRoute("203.0.113.0/24", 65213))
	if after := g.waitRoutes("peer", 2); !after.Since.Equal(before.Since) {
		t.Errorf("the session was up since %v, now since %v", before.Since, after.Since)
	}
	g.waitRecorded()
	g.waitMetric("ribglass_history_recording", 1)
}

// Twenty times a server is killed while routes change. What it has when it is
// back is what it had at some moment, never a mixture of two.
func TestTwentyKillsUnderChurn(t *testing.T) {
	t.Parallel()
	g := newGlass(t, neighbor("peer", "127.0.1.115", 65215))
	cfg := speakerConfig{local: "127.0.1.115", asn: 65215}
	const routes = 30
	counter, recorded := uint32(0), uint32(0)
	known := map[time.Time]uint32{} // which update was the last at a moment
	for round := range 20 {
		s := dial(t, cfg, g.bgp)
		for range routes { // each once more, so that all are there
			s.send(countedRoute(counter, routes, 65215))
			counter++
		}
		s.send(endOfRIB(1), endOfRIB(2))
		g.waitRoutes("peer", routes)
		if round%4 == 0 {
			g.waitRecorded()
			recorded = counter
			known[thisMoment()] = counter - 1
		}
		wait := time.Now().Add(time.Duration(round*13) * time.Millisecond)
		for time.Now().Before(wait) || counter%routes > 0 {
			s.send(countedRoute(counter, routes, 65215))
			counter++
		}
		g.kill()
		s.close()
		if out, err := output(programPath, "snapshot", "verify", filepath.Join(g.dataDir, "history.db")); err != nil {
			t.Fatalf("after kill %d: %v\n%s", round, err, out)
		}
		g.start()
		g.wantCounted("peer peer", routes, recorded, counter)
	}
	for when, last := range known {
		g.wantCounted("peer peer at "+moment(when), routes, last+1, last+1)
	}
	g.unharmed()
}

// countedRoute is update number n: of routes prefixes in turn, with MED n.
func countedRoute(n, routes, asn uint32) []byte {
	attrs := concat(plainAttributes(asn), attribute(0x80, 4, byte(n>>24), byte(n>>16), byte(n>>8), byte(n)))
	return updateMessage(nil, attrs, nlri(fmt.Sprintf("203.0.113.%d/32", n%routes)))
}

// wantCounted fails the test unless the routes are as they were after so many
// updates, from least to most: of each prefix the last one up to it.
func (g *glass) wantCounted(query string, routes, least, most uint32) {
	g.t.Helper()
	newest := uint32(0)
	meds := map[string]uint32{}
	for _, r := range g.ask(query).Routes {
		if r.MED == nil {
			g.t.Fatalf("%s: %+v", query, r)
		}
		meds[r.Prefix] = *r.MED
		newest = max(newest, *r.MED)
	}
	if len(meds) == 0 {
		if least > 0 {
			g.t.Errorf("%s: no routes, want those of %d updates and more", query, least)
		}
		return
	}
	if newest+1 < least || newest+1 > most {
		g.t.Errorf("%s: the state after %d updates, want from %d to %d", query, newest+1, least, most)
	}
	for n := range min(routes, newest+1) {
		of := newest - n
		if prefix := fmt.Sprintf("203.0.113.%d/32", of%routes); meds[prefix] != of {
			g.t.Errorf("%s: the state after %d updates has %s of update %d, want %d", query, newest+1, prefix, meds[prefix], of)
		}
	}
}

var errNotYet = errors.New("not yet")

// waitLogged waits until the process wrote a text.
func (p *process) waitLogged(t testing.TB, text string) {
	t.Helper()
	waitFor(t, 15*time.Second, "log "+text, func() error {
		if !p.logged(text) {
			return errNotYet
		}
		return nil
	})
}
