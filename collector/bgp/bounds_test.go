package bgp

import (
	"errors"
	"testing"
	"time"

	"ribglass/collector/wire"
	"ribglass/ribstore/route"
)

// TestConnectionsThatWaitAreBounded: two connections of a neighbor wait for its session
// to end, and no more; none of a neighbor that may have no session.
func TestConnectionsThatWaitAreBounded(t *testing.T) {
	t.Parallel()
	n := newNeighbor(testNeighbor("edge1", "127.0.0.2", 64501), testConfig(), testDeps())
	for i := range 2 {
		if _, e, why := n.queue(); e != nil || why != "" {
			t.Fatalf("connection %d: %v, %q, want its place", i+1, e, why)
		}
	}
	for name, row := range map[string]struct {
		change  func()
		subcode uint8
		why     refusal
	}{
		"a third one":      {func() {}, wire.CeaseCollision, refusedSecond},
		"an idle neighbor": {func() { n.idle, n.waiting = true, 0 }, wire.CeaseMaxPrefixes, refusedIdle},
		"one shut down":    {func() { n.conf.Shutdown = "maintenance" }, wire.CeaseAdminShutdown, refusedShutdown},
		"one taken out":    {func() { n.removed = true }, wire.CeasePeerDeconfigured, refusedUnknown},
	} {
		idle, shutdown, removed, waiting := n.idle, n.conf.Shutdown, n.removed, n.waiting
		row.change()
		_, e, why := n.queue()
		if e == nil || e.notification == nil || e.notification.Code != wire.CodeCease || e.notification.Subcode != row.subcode || why != row.why {
			t.Errorf("%s: %v, %q, want Cease/%d, %q", name, e, why, row.subcode, row.why)
		}
		n.idle, n.conf.Shutdown, n.removed, n.waiting = idle, shutdown, removed, waiting
	}
}

// TestIdleUntilReload: without a time to restart in, no time is long enough.
func TestIdleUntilReload(t *testing.T) {
	t.Parallel()
	n := newNeighbor(testNeighbor("edge1", "127.0.0.2", 64501), testConfig(), testDeps())
	now := time.Now()
	n.idle, n.idleUntil = true, time.Time{}
	n.awaitConnection(now, "reached max_prefixes")
	n.endIdleTime(now.Add(10_000 * time.Hour))
	if s := n.snapshot(); s.State != route.StateIdle {
		t.Errorf("after 10,000 hours: %s, want Idle", s.State)
	}
}

// TestMaxPrefixesWarnsAgain: once while a peer is near its limit, and once more when it
// comes near again; at the limit it stays, and above it goes.
func TestMaxPrefixesWarnsAgain(t *testing.T) {
	t.Parallel()
	conf := testNeighbor("edge1", "127.0.0.2", 64501)
	conf.MaxPrefixes, conf.MaxPrefixesWarning = 10, 80
	deps := testDeps()
	have := 0
	deps.Prefixes = func(string, route.Family) int { return have }
	n := newNeighbor(conf, testConfig(), deps)
	s := &session{c: &Collector{deps: deps}, n: n, log: n.log}
	s.agreed.Store(&wire.Session{Families: [route.NumFamilies]bool{true}})
	for i, row := range []struct {
		have, notices int
		count         uint64
		ends          bool
	}{
		{7, 0, 0, false},
		{8, 1, 1, false}, // the warning
		{9, 1, 1, false}, // no second one
		{10, 1, 1, false},
		{7, 0, 0, false}, // taken back
		{8, 1, 1, false}, // it warns again
		{11, 1, 2, true},
	} {
		have = row.have
		err := s.checkMaxPrefixes(t.Context())
		var e *ending
		if errors.As(err, &e) != row.ends || row.ends && (!e.drop || !e.idle || e.notification.Subcode != wire.CeaseMaxPrefixes) {
			t.Errorf("step %d, %d prefixes: %v, want the end: %v", i, row.have, err, row.ends)
		}
		notices := n.snapshot().Notices
		if len(notices) != row.notices || row.notices > 0 && notices[0].Count != row.count {
			t.Errorf("step %d, %d prefixes: notices %+v, want %d", i, row.have, notices, row.notices)
		}
	}
}

// TestHowRoutesOutliveAHoldTimer: its expiry is no NOTIFICATION that a peer without the N
// bit ended the session by (RFC 8538 section 3); a restart time is capped.
func TestHowRoutesOutliveAHoldTimer(t *testing.T) {
	t.Parallel()
	conf := DefaultSettings()
	conf.MaxStaleTime = 90 * time.Second
	agreed := wire.Negotiate(testOpen(64500, "192.0.2.10"), testOpen(1, "192.0.2.1", graceful(false, false)))
	for name, row := range map[string]struct {
		end  *ending
		want route.Retention
	}{
		"the hold timer":        {&ending{}, route.Retention{Stale: 90 * time.Second, Graceful: true, AsFresh: true}},
		"any other of our ends": {&ending{notified: true}, route.Retention{Stale: conf.StaleTime}},
	} {
		if got := downRetention(conf, agreed, row.end)[route.IPv4Unicast]; got != row.want {
			t.Errorf("%s: %+v, want %+v", name, got, row.want)
		}
	}
}
