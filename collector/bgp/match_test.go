package bgp

import (
	"strings"
	"testing"

	"ribglass/collector/wire"
	"ribglass/ribstore/route"
)

// Routers behind one address are told apart by what their OPENs say.
func TestNeighborsOfOneAddress(t *testing.T) {
	t.Parallel()
	first, second := testNeighbor("first", "127.0.0.2", 64501), testNeighbor("second", "127.0.0.2", 64501)
	first.RouterID, second.RouterID = addr("192.0.2.1"), addr("192.0.2.2")
	other := testNeighbor("other", "127.0.0.2", 64502)
	other.LocalASN, other.HoldTime = 64599, first.HoldTime/2
	b := start(t, testConfig(first, second, other))
	for _, tt := range []struct {
		name, id   string
		asn, local route.ASN
		prefix     string
	}{
		{"second", "192.0.2.2", 64501, 64500, "198.51.100.0/24"},
		{"other", "192.0.2.1", 64502, 64599, "198.51.101.0/24"},
		{"first", "192.0.2.1", 64501, 64500, "198.51.102.0/24"},
	} {
		r := b.up("127.0.0.2", testOpen(tt.asn, tt.id))
		if r.theirs.ASN != tt.local {
			t.Errorf("%s hears from AS %s, want %s", tt.name, r.theirs.ASN, tt.local)
		}
		b.waitState(tt.name, route.StateEstablished)
		r.announce(tt.prefix)
		eventually(t, tt.name+" has its route", func() bool { return b.has(tt.name, tt.prefix) })
	}
}

// An OPEN that fits none of the neighbors with the address, or no OPEN at all, is
// refused, and every one of them says why.
func TestAnOpenThatFitsNoNeighborOfItsAddress(t *testing.T) {
	t.Parallel()
	first, second := testNeighbor("first", "127.0.0.2", 64501), testNeighbor("second", "127.0.0.2", 64502)
	first.RouterID = addr("192.0.2.1")
	b := start(t, testConfig(first, second))
	for _, tt := range []struct {
		name          string
		message       []byte
		code, subcode uint8
		reason        string
	}{
		{
			"another AS", testOpen(64999, "192.0.2.1").Append(nil), wire.CodeOpen, wire.OpenBadPeerAS,
			"AS 64999 with router id 192.0.2.1; configured for its address are first in AS 64501 with router id 192.0.2.1; second in AS 64502",
		},
		{"another router id", testOpen(64501, "192.0.2.9").Append(nil), wire.CodeOpen, wire.OpenBadRouterID, "AS 64501 with router id 192.0.2.9"},
		{"no OPEN first", wire.AppendKeepalive(nil), wire.CodeFSM, 1, "KEEPALIVE instead of OPEN"},
	} {
		r := b.router("127.0.0.2", nil)
		r.send(tt.message)
		r.wantNotified(tt.code, tt.subcode)
		for _, name := range []string{"first", "second"} {
			eventually(t, name+" says why: "+tt.name, func() bool { return strings.Contains(b.session(name).LastError, tt.reason) })
		}
	}
}

// The only neighbor of an address may have a router id too; a router with another one
// is refused.
func TestTheRouterIDIsChecked(t *testing.T) {
	t.Parallel()
	n := testNeighbor("edge1", "127.0.0.2", 64501)
	n.RouterID = addr("192.0.2.1")
	b := start(t, testConfig(n))
	r := b.router("127.0.0.2", testOpen(64501, "192.0.2.9"))
	r.send(r.open.Append(nil))
	r.wantNotified(wire.CodeOpen, wire.OpenBadRouterID)
	b.waitState("edge1", route.StateActive)
	if got := b.session("edge1").LastError; !strings.Contains(got, "the router id is 192.0.2.9, configured is 192.0.2.1") {
		t.Errorf("reason %q", got)
	}
	b.up("127.0.0.2", testOpen(64501, "192.0.2.1"))
	b.waitState("edge1", route.StateEstablished)
}

// A neighbor that shares its address may move to another one, and the others stay.
func TestReloadOfNeighborsWithOneAddress(t *testing.T) {
	t.Parallel()
	first, second := testNeighbor("first", "127.0.0.2", 64501), testNeighbor("second", "127.0.0.2", 64502)
	b := start(t, testConfig(first, second))
	r := b.up("127.0.0.2", testOpen(64501, "192.0.2.1"))
	b.waitState("first", route.StateEstablished)
	second.Address = addr("127.0.0.3")
	if err := b.Reload(testConfig(first, second)); err != nil {
		t.Fatal(err)
	}
	b.up("127.0.0.3", testOpen(64502, "192.0.2.2"))
	b.waitState("second", route.StateEstablished)
	b.alive(r, "first", 1)
	if err := b.Reload(testConfig(second)); err != nil {
		t.Fatal(err)
	}
	conn, err := b.dial("127.0.0.2")
	refused(t, conn, err)
}

// Link-local addresses are another host on each link.
func TestLinkLocalNeighborsAreFoundByTheirZone(t *testing.T) {
	t.Parallel()
	cfg := testConfig(testNeighbor("", "fe80::2%eth0", 64501), testNeighbor("", "fe80::2%eth1", 64501))
	all := DynamicNeighbor{Prefix: prefix("::/0"), Settings: DefaultSettings()}
	lan := DynamicNeighbor{Prefix: prefix("fe80::/10"), Interface: "eth2", Settings: DefaultSettings()}
	lan.Group = "lan"
	cfg.DynamicNeighbors = []DynamicNeighbor{all, lan}
	c := newBench(t, cfg).Collector
	for _, tt := range []struct{ remote, want string }{
		{"[fe80::2%eth0]:179", "fe80::2-eth0"},
		{"[fe80::2%eth1]:179", "fe80::2-eth1"},
		{"[fe80::2%eth2]:179", "lan-fe80::2-eth2"},
		{"[fe80::2%eth3]:179", ""},
		{"[2001:db8::2%eth3]:179", "dynamic-2001:db8::2"},
		{"[::ffff:192.0.2.1]:179", ""},
	} {
		n, _ := c.neighborAt(peerOf(mustAddrPort(tt.remote)))
		got := ""
		if n != nil {
			got = n.name
		}
		if got != tt.want {
			t.Errorf("the neighbor of %s is %q, want %q", tt.remote, got, tt.want)
		}
	}
}
