package bgp

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"ribglass/collector/wire"
	"ribglass/ribstore/route"
)

func TestSourceOf(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ name, remote, rule, want string }{
		{"an IPv4 address is a source", "192.0.2.7", "192.0.2.0/24", "192.0.2.7/32"},
		{"a /64 is a source", "2001:db8:1:2::7", "2001:db8::/32", "2001:db8:1:2::/64"},
		{"on a link each address is", "fe80::7%eth0", "fe80::/10", "fe80::7/128"},
		{"in a LAN each address is", "2001:db8:1:2::7", "2001:db8:1:2::/64", "2001:db8:1:2::7/128"},
	} {
		if got := sourceOf(addr(row.remote), prefix(row.rule)); got != prefix(row.want) {
			t.Errorf("%s: %v, want %v", row.name, got, row.want)
		}
	}
}

// Rules for one prefix on two links have slots of their own.
func TestSlotsOfTwoLinks(t *testing.T) {
	t.Parallel()
	near := &DynamicNeighbor{Prefix: prefix("fe80::/10"), Interface: "eth0", MaxSessions: 1}
	far := &DynamicNeighbor{Prefix: prefix("fe80::/10"), Interface: "eth1", MaxSessions: 1}
	var s slots
	one, other := new(session), new(session)
	for _, taken := range []struct {
		by   *session
		rule *DynamicNeighbor
		from string
	}{{one, near, "fe80::2%eth0"}, {other, far, "fe80::2%eth1"}} {
		if displaced, ok := s.take(taken.by, taken.rule, addr(taken.from)); displaced != nil || !ok {
			t.Errorf("%s: takes the place of another link: %v, %v", taken.from, displaced != nil, ok)
		}
	}
	if displaced, ok := s.take(new(session), near, addr("fe80::3%eth0")); displaced != one || !ok {
		t.Errorf("the oldest of the link does not yield: %v", ok)
	}
}

func TestSlots(t *testing.T) {
	t.Parallel()
	rule := &DynamicNeighbor{Prefix: prefix("2001:db8::/32"), MaxSessions: 20}
	var s slots
	list := make([]*session, 40)
	for i := range list {
		list[i] = new(session)
	}
	for i := range maxOfSource {
		if displaced, ok := s.take(list[i], rule, addr(fmt.Sprintf("2001:db8:1:1::%x", i))); !ok || displaced != nil {
			t.Fatalf("connection %d of a source: %v, %v", i, displaced, ok)
		}
	}
	if _, ok := s.take(list[16], rule, addr("2001:db8:1:1::ffff")); ok {
		t.Error("a source has a slot more than it may")
	}
	for i := 16; i < 20; i++ {
		if displaced, ok := s.take(list[i], rule, addr(fmt.Sprintf("2001:db8:1:%x::1", i))); !ok || displaced != nil {
			t.Fatalf("connection %d of another source: %v, %v", i, displaced, ok)
		}
	}
	if displaced, ok := s.take(list[20], rule, addr("2001:db8:2::1")); !ok || displaced != list[0] {
		t.Errorf("when all slots are taken the oldest connection yields: %v, %v", displaced == list[0], ok)
	}
	s.release(list[1])
	s.release(list[1])
	if displaced, ok := s.take(list[21], rule, addr("2001:db8:3::1")); !ok || displaced != nil {
		t.Errorf("a slot that was given back is free: %v, %v", displaced, ok)
	}
	other := &DynamicNeighbor{Prefix: prefix("2001:db9::/32"), MaxSessions: 1}
	if displaced, ok := s.take(list[22], other, addr("2001:db9::1")); !ok || displaced != nil {
		t.Errorf("rules share no slots: %v, %v", displaced, ok)
	}
	for _, one := range list {
		s.release(one)
	}
	if len(s.taken) != 0 {
		t.Errorf("%d rules with slots are left", len(s.taken))
	}
}

// TestBareConnectionsOfARuleKeepNobodyOut: connections that never say anything take the
// slots of their rule. A configured neighbor and a dynamic one come up all the same.
func TestBareConnectionsOfARuleKeepNobodyOut(t *testing.T) {
	t.Parallel()
	cfg := testConfig(testNeighbor("edge1", "127.0.0.2", 64501))
	rule := DynamicNeighbor{Prefix: prefix("127.0.1.0/24"), MaxSessions: 5, Settings: DefaultSettings()}
	cfg.DynamicNeighbors = []DynamicNeighbor{rule}
	b := start(t, cfg)
	for i := range 12 {
		if _, err := b.dial(fmt.Sprintf("127.0.1.%d", i+1)); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "the oldest yielded", func() bool { return len(b.attemptsFor(refusedTooMany)) == 7 })
	b.alive(b.up("127.0.0.2", testOpen(64501, "192.0.2.1")), "edge1", 1)
	b.alive(b.up("127.0.1.100", testOpen(64502, "192.0.2.2")), "dynamic-127.0.1.100", 2)
	first := b.attemptsFor(refusedTooMany)
	slices.Reverse(first)
	if one := first[0]; one.Address != addr("127.0.1.1") || one.Rule != rule.Prefix || one.Peer != "dynamic-127.0.1.1" || one.Count != 1 {
		t.Errorf("the first attempt that yielded: %+v", one)
	}
	if log := b.logged(); !strings.Contains(log, "reason=too_many_handshakes") {
		t.Errorf("the log does not say so:\n%s", log)
	}
}

// attemptsFor returns the attempts that failed for a reason, the newest first.
func (b *bench) attemptsFor(why refusal) (list []route.Attempt) {
	for _, one := range b.Attempts() {
		if one.Reason == string(why) {
			list = append(list, one)
		}
	}
	return list
}

// TestADeadDynamicNeighborMakesRoom: neighbors that are down and whose routes are kept
// for long hold no session: the oldest of them is forgotten for a new one.
func TestADeadDynamicNeighborMakesRoom(t *testing.T) {
	t.Parallel()
	clock := newClock()
	cfg := testConfig()
	rule := DynamicNeighbor{Prefix: prefix("127.0.1.0/24"), MaxSessions: 2, Settings: DefaultSettings()}
	rule.MaxStaleTime = 25 * time.Hour
	cfg.DynamicNeighbors = []DynamicNeighbor{rule}
	b := start(t, cfg, clock.use)
	llgr := wire.LongLivedCapability(wire.LongLived{
		Families: [route.NumFamilies]bool{true}, Time: [route.NumFamilies]time.Duration{24 * time.Hour},
	})
	for i, name := range []string{"dynamic-127.0.1.1", "dynamic-127.0.1.2"} {
		r := b.up(fmt.Sprintf("127.0.1.%d", i+1), testOpen(64501, "192.0.2.1", graceful(false, false), llgr))
		b.alive(r, name, i)
		_ = r.conn.Close()
		b.waitState(name, route.StateActive)
		clock.advance(time.Minute)
	}
	r3 := b.up("127.0.1.3", testOpen(64501, "192.0.2.3"))
	b.alive(r3, "dynamic-127.0.1.3", 3)
	if n := len(b.of("dynamic-127.0.1.1", route.PeerRemoved)); n != 1 {
		t.Errorf("the neighbor that was down for the longest time is removed %d times, want once", n)
	}
	if _, known := b.Session("dynamic-127.0.1.2"); !known {
		t.Error("the other is forgotten too")
	}
	r4 := b.up("127.0.1.4", testOpen(64501, "192.0.2.4"))
	b.alive(r4, "dynamic-127.0.1.4", 4)
	full, err := b.dial("127.0.1.5") // two live sessions
	refused(t, full, err)
	got := b.attemptsFor(refusedFull)
	if len(got) != 1 || got[0].Address != addr("127.0.1.5") || got[0].Rule != rule.Prefix || got[0].Peer != "" {
		t.Errorf("attempts: %+v", got)
	}
	b.alive(r3, "dynamic-127.0.1.3", 5)
}

func TestAttempts(t *testing.T) {
	t.Parallel()
	var a attempts
	at := time.Unix(1000, 0)
	for i := range 300 {
		a.add(route.Attempt{Last: at.Add(time.Duration(i) * time.Second), Address: netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), Reason: "unknown_peer"})
	}
	for i := range 1000 {
		a.add(route.Attempt{Last: at.Add(time.Duration(1000+i) * time.Second), Address: addr("192.0.2.1"), Reason: "rate_limit"})
	}
	list := a.newestFirst()
	if len(list) != maxAttempts {
		t.Fatalf("%d attempts, want the last %d", len(list), maxAttempts)
	}
	if one := list[0]; one.Count != 1000 || !one.First.Equal(at.Add(1000*time.Second)) || !one.Last.Equal(at.Add(1999*time.Second)) {
		t.Errorf("attempts of one address for one reason are %+v, want one", one)
	}
	if one := list[199]; one.Address != addr("10.0.0.101") || one.Count != 1 {
		t.Errorf("the oldest is %+v, want that of 10.0.0.101", one)
	}
}

// TestRefusalsAreFound has connections refused in each way that a test
// can bring about, and looks for the reason at the neighbor and in the list.
func TestRefusalsAreFound(t *testing.T) {
	t.Parallel()
	down := testNeighbor("down", "127.0.0.4", 64501)
	down.Shutdown = "maintenance"
	cfg := testConfig(testNeighbor("edge1", "127.0.0.2", 64501), down)
	cfg.DynamicNeighbors = []DynamicNeighbor{{Prefix: prefix("127.0.1.0/24"), ASNs: []route.ASN{64510}, Settings: DefaultSettings()}}
	b := start(t, cfg)
	stranger, err := b.dial("127.0.0.9")
	refused(t, stranger, err)
	b.router("127.0.0.4", testOpen(64501, "192.0.2.1")).wantNotified(wire.CodeCease, wire.CeaseAdminShutdown)
	b.alive(b.up("127.0.0.2", testOpen(64501, "192.0.2.1")), "edge1", 1)
	b.router("127.0.0.2", testOpen(64501, "192.0.2.1")).wantNotified(wire.CodeCease, wire.CeaseCollision)
	wrong := b.router("127.0.1.7", testOpen(64999, "192.0.2.7"))
	wrong.send(wrong.open.Append(nil))
	wrong.wantNotified(wire.CodeOpen, wire.OpenBadPeerAS)
	for _, row := range []struct {
		reason  refusal
		address string
		peer    string
		asn     route.ASN
		text    string
	}{
		{refusedUnknown, "127.0.0.9", "", 0, "no neighbor has this address"},
		{refusedShutdown, "127.0.0.4", "down", 0, "maintenance"},
		{refusedSecond, "127.0.0.2", "edge1", 0, "another connection of the neighbor stays"},
		{refusedHandshake, "127.0.1.7", "dynamic-127.0.1.7", 64999, "AS 64999 is not among those of 127.0.1.0/24"},
	} {
		eventually(t, string(row.reason), func() bool { return len(b.attemptsFor(row.reason)) == 1 })
		one := b.attemptsFor(row.reason)[0]
		if one.Address != addr(row.address) || one.Peer != row.peer || one.ASN != row.asn || !strings.Contains(one.Text, row.text) {
			t.Errorf("%s: %+v, want address %s, peer %q, AS %d, %q", row.reason, one, row.address, row.peer, row.asn, row.text)
		}
		if row.peer == "" || strings.HasPrefix(row.peer, "dynamic") {
			continue
		}
		s := b.session(row.peer)
		if !strings.Contains(s.LastError, row.text) || !strings.Contains(s.History[0].Reason, row.text) {
			t.Errorf("%s: the neighbor says %q, and its history %q, want %q", row.reason, s.LastError, s.History[0].Reason, row.text)
		}
	}
}

func TestRepeatedRefusalsAreOneEvent(t *testing.T) {
	t.Parallel()
	clock := newClock()
	d := testDeps()
	clock.use(&d)
	n := newNeighbor(testNeighbor("edge1", "127.0.0.2", 64501), testConfig(), d)
	for range 100 {
		clock.advance(time.Second)
		n.recordEvent("connection refused: too many")
	}
	h := n.snapshot().History
	if len(h) != 1 || !h[0].At.Equal(clock.now()) {
		t.Errorf("history: %+v, want one event, now", h)
	}
}

func TestEveryRefusalHasAText(t *testing.T) {
	t.Parallel()
	for _, r := range refusals() {
		if r.text() == string(r) {
			t.Errorf("%s has no text", r)
		}
	}
}
