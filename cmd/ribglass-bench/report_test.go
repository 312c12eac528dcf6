package main

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"ribglass/ribstore/route"
)

func TestPercentiles(t *testing.T) {
	start := time.Unix(0, 0)
	var samples []sample
	for i := range 200 { // 200, 199, … 1 ms
		samples = append(samples, sample{start, start.Add(time.Millisecond), start.Add(time.Duration(201-i) * time.Millisecond)})
	}
	want := latencies{
		Lookups: 200, P50: 100 * time.Millisecond, P99: 198 * time.Millisecond, Max: 200 * time.Millisecond,
		LateP99: 199 * time.Millisecond,
	}
	if got := summarize(samples); got != want {
		t.Errorf("summarize = %+v, want %+v", got, want)
	}
	if got := summarize(nil); got != (latencies{}) {
		t.Errorf("summarize(nil) = %+v, want nothing", got)
	}
}

// What wrk 4.1.0 printed.
const sayWrk = `Running 10s test @ http://127.0.0.1:8080
  2 threads and 16 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     1.10ms    2.41ms  37.20ms   91.31%
    Req/Sec    20.12k     2.77k   28.09k    69.50%
  Latency Distribution
     50%  290.00us
     75%  830.00us
     90%    2.96ms
     99%   12.01ms
  400531 requests in 10.01s, 424.13MB read
Requests/sec:  40012.34
Transfer/sec:     42.37MB
`

func TestParseWrk(t *testing.T) {
	got, err := parseWrk(sayWrk)
	want := wrkResult{p50: 290 * time.Microsecond, p99: 12010 * time.Microsecond, perSecond: 40012.34}
	if err != nil || got != want {
		t.Errorf("parseWrk = %+v, %v, want %+v", got, err, want)
	}
	for _, bad := range []string{"", sayWrk + "  Non-2xx or 3xx responses: 7\n", strings.Replace(sayWrk, "290.00us", "soon", 1)} {
		if _, err := parseWrk(bad); err == nil {
			t.Errorf("parseWrk(%q) gave no error", bad)
		}
	}
}

func TestAnExchangeHasAboutTheRoutesItSays(t *testing.T) {
	e := newExchange(1)
	total, sources := 0, make(map[netip.Addr]bool)
	for i, f := range e.feeds() {
		if e.members[i].routes > memberRoutes {
			t.Errorf("%s has %d routes, want at most %d", f.name, e.members[i].routes, memberRoutes)
		}
		total += e.members[i].routes
		sources[f.source] = true
	}
	if want := exchangePeers * memberRoutes; total < want*95/100 {
		t.Errorf("%d routes, want nearly %d", total, want)
	}
	if len(sources) != exchangePeers {
		t.Errorf("%d sources, want %d", len(sources), exchangePeers)
	}
	if paths := float64(total) / float64(e.distinct()); paths < 1.6 || paths > 2.1 {
		t.Errorf("%.2f routes a prefix, want about 1.8", paths)
	}
	s := mustStream(t, e, 17)
	if s.total() != e.members[17].routes {
		t.Errorf("stream of %d routes, want %d", s.total(), e.members[17].routes)
	}
}

func TestChangesAreOfTheFeed(t *testing.T) {
	for name, table := range map[string]table{"generated": testTable(), "recorded": record(t)} {
		t.Run(name, func(t *testing.T) {
			random := newRandom(1)
			for range 100 {
				u := table.change(0, random)
				if len(u.NLRI) != 1 || u.Withdraw() || u.NLRI[0].Prefix.Addr().Is4() == u.Family.IsIPv6() {
					t.Fatalf("change = %+v, want one announced prefix of its family", u)
				}
				hop := u.Attrs.NextHop()
				if hop.IsValid() && hop.Is4() == u.Family.IsIPv6() {
					t.Fatalf("next hop %v for %v", hop, u.Family)
				}
			}
		})
	}
}

// record reads the small real table of package mrt's tests.
func record(t *testing.T) *recorded {
	t.Helper()
	table, err := readTable("../../collector/wire/mrt/testdata/ryu-rib.20161101.0000_pick.bz2", 2)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

func TestARecordedTablePlaysEveryRouteOnce(t *testing.T) {
	table := record(t)
	for i, f := range table.feeds() {
		s := mustStream(t, table, i)
		if s.total() != 2 || s.routes[route.IPv4Unicast] != 2 {
			t.Errorf("%s (AS%v) plays %v routes, want 2 of IPv4", f.name, f.asn, s.routes)
		}
	}
	if _, err := readTable("../../collector/wire/mrt/testdata/ryu-rib.20161101.0000_pick.bz2", 3); err == nil {
		t.Error("three feeds from a table of two peers gave no error")
	}
}

func TestFurtherFeedsAreThoseAfterTheSecond(t *testing.T) {
	l := loads{Idle: 10, Settled: 1010, Routes: 100, Loads: []load{{Grown: 700}, {Grown: 200}, {Grown: 60}, {Grown: 40}}}
	if got, ok := l.furtherFeed(); !ok || got != 50 {
		t.Errorf("furtherFeed = %d, %v, want 50", got, ok)
	}
	if got := l.bytesPerRoute(); got != 10 {
		t.Errorf("bytesPerRoute = %v, want 10", got)
	}
}

func TestConfigurationsNameEveryFeed(t *testing.T) {
	feeds := testTable().feeds()
	text := ribglassSetup{feeds: feeds, stale: time.Second}.config("/tmp/x", [3]int{1, 2, 3})
	bird := birdConfig(1, feeds)
	for _, f := range feeds {
		if !strings.Contains(text, f.source.String()) || !strings.Contains(bird, f.source.String()) {
			t.Errorf("%s is missing in\n%s\n%s", f.name, text, bird)
		}
	}
}
