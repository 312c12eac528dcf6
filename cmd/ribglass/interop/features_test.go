package interop

import (
	"fmt"
	"net/netip"
	"path/filepath"
	"testing"
	"time"
)

// The capability codes that tests ask for.
const (
	capExtendedNextHop = 5
	capExtendedMessage = 6
	capGracefulRestart = 64
	capAddPath         = 69
	capLongLived       = 71
)

// birdChannels are the two channels of BIRD's session to the collector, with
// further settings.
func birdChannels(settings string) string {
	return fmt.Sprintf("\n ipv4 { %s %s };\n ipv6 { %s %s };", birdChannel, settings, birdChannel, settings)
}

// secondFeed is what a second feed plays: the same prefixes with a community
// that tells the routes apart.
func secondFeed(routes []feedRoute) []byte {
	var b []byte
	for _, r := range routes {
		mine := feedRoute{prefix: r.prefix}
		for code, encoded := range attributes(r.attrs) {
			if code != 8 {
				mine.attrs = append(mine.attrs, encoded...)
			}
		}
		b = append(b, mine.update(attribute(0xc0, 8, 0xfe, 0xb0, 0, 2))...)
	}
	return b
}

func TestAddPathFromBIRDGivesEveryPath(t *testing.T) {
	t.Parallel()
	routes := loadFeed(t)[900:1300]
	g := newGlass(t, neighbor("daemon", "127.0.1.21", 65121, "add_path: true"))
	b := newBird(t, newEndpoints(t, 21, g.bgp))
	b.options = birdChannels("add paths tx;")
	b.more = b.birdFeed("feed2", "127.0.2.121")
	b.start(t)
	feedRouter(t, b, routes)
	second := dial(t, speakerConfig{local: "127.0.2.121", asn: feedASN}, netip.AddrPortFrom(netip.MustParseAddr(b.self), b.port))
	second.send(secondFeed(routes), endOfRIB(1), endOfRIB(2))
	bothPaths(t, g, b, len(routes))
}

func TestAddPathFromGoBGPGivesEveryPath(t *testing.T) {
	t.Parallel()
	routes := loadFeed(t)[900:1300]
	g := newGlass(t, neighbor("daemon", "127.0.1.22", 65122, "add_path: true"))
	d := newGoBGP(t, newEndpoints(t, 22, g.bgp))
	d.options = "[neighbors.afi-safis.add-paths.config]\n      send-max = 4"
	d.second = "127.0.2.122"
	d.start(t)
	feedRouter(t, d, routes)
	second := dial(t, speakerConfig{local: d.second, asn: feedASN}, netip.AddrPortFrom(netip.MustParseAddr(d.self), d.port))
	second.send(secondFeed(routes), endOfRIB(1), endOfRIB(2))
	bothPaths(t, g, d, len(routes))
}

// bothPaths compares the routes of an ADD-PATH session, two of each prefix. The
// identifiers are the daemon's own business; they only have to differ.
func bothPaths(t *testing.T, g *glass, r router, prefixes int) {
	t.Helper()
	p := g.waitRoutes("daemon", 2*prefixes)
	if !p.capable(capAddPath) {
		t.Errorf("ADD-PATH was not negotiated: %+v", p.Capabilities)
	}
	want, err := r.advertised()
	if err != nil {
		t.Fatal(err)
	}
	ids := map[string]bool{}
	var got []said
	for _, route := range g.routes("peer daemon") {
		s := route.said()
		if s.PathID == "" || ids[s.key()] {
			t.Errorf("%s: path identifier %q is absent or there twice", s.Prefix, s.PathID)
		}
		ids[s.key()] = true
		s.PathID = ""
		got = append(got, s)
	}
	for i := range want {
		want[i].PathID = ""
	}
	if len(want) != 2*prefixes {
		t.Errorf("the daemon says it sent %d routes, want %d", len(want), 2*prefixes)
	}
	if wrong := missing(want, got); len(wrong) > 0 {
		t.Errorf("%d routes differ:\n%s", len(wrong), firstOf(wrong))
	}
}

// On an internal session LOCAL_PREF and MED arrive, and no AS is put before the
// path.
func TestAnInternalSessionKeepsLocalPrefAndMED(t *testing.T) {
	t.Parallel()
	routes := loadFeed(t)
	g := newGlass(t, neighbor("daemon", "127.0.1.23", glassASN))
	e := newEndpoints(t, 23, g.bgp)
	e.asn = glassASN
	b := newBird(t, e)
	b.start(t)
	feedRouter(t, b, routes)
	sameRoutes(t, g, b, "daemon", 1500)
	for _, r := range g.routes("peer daemon family ipv4-unicast") {
		if r.LocalPref == nil || *r.LocalPref != 100 {
			t.Fatalf("route %+v has no LOCAL_PREF 100", r)
		}
	}
}

// withPassword writes a secret file and returns the setting that names it.
func withPassword(t testing.TB, key string) string {
	t.Helper()
	file := filepath.Join(workDir(t), "md5")
	writeFile(t, file, key+"\n")
	return "password_file: " + file
}

func TestASessionWithTCPMD5(t *testing.T) {
	t.Parallel()
	routes := loadFeed(t)[:300]
	t.Run("BIRD", func(t *testing.T) {
		g := newGlass(t, neighbor("daemon", "127.0.1.24", 65124, withPassword(t, "correct horse")))
		b := newBird(t, newEndpoints(t, 24, g.bgp))
		b.options = ` password "correct horse";`
		b.start(t)
		feedRouter(t, b, routes)
		sameRoutes(t, g, b, "daemon", 300)
	})
	t.Run("FRR", func(t *testing.T) {
		g := newGlass(t, neighbor("daemon", "127.0.1.25", 65125, withPassword(t, "battery-staple")))
		f := newFRR(t, newEndpoints(t, 25, g.bgp))
		f.options = fmt.Sprintf(" neighbor %s password battery-staple", g.bgp.Addr())
		f.start(t)
		feedRouter(t, f, routes)
		sameRoutes(t, g, f, "daemon", 300)
	})
}

// A route with 400 large communities, 4,800 octets of them, travels only in an
// extended message (RFC 8654).
func TestExtendedMessagesFromBIRD(t *testing.T) {
	t.Parallel()
	set := "bgp_next_hop = 192.0.2.26;"
	for i := range 400 {
		set += fmt.Sprintf(" bgp_large_community.add((64500,1,%d));", i)
	}
	g := newGlass(t, neighbor("daemon", "127.0.1.26", 65126))
	b := newBird(t, newEndpoints(t, 26, g.bgp))
	b.options = " enable extended messages on;" + birdChannels("")
	b.more = birdStatic("rich", "ipv4", set, "198.51.100.0/24")
	b.start(t)
	p := g.waitRoutes("daemon", 1)
	if !p.capable(capExtendedMessage) {
		t.Errorf("extended messages were not negotiated: %+v", p.Capabilities)
	}
	if n := len(g.routes("198.51.100.0/24")[0].LargeCommunities); n != 400 {
		t.Errorf("%d large communities, want 400", n)
	}
}

// RFC 8950: IPv4 prefixes with an IPv6 next hop.
func TestIPv4RoutesWithAnIPv6NextHopFromBIRD(t *testing.T) {
	t.Parallel()
	routes := loadFeed(t)[:300]
	g := newGlass(t, neighbor("daemon", "127.0.1.27", 65127))
	b := newBird(t, newEndpoints(t, 27, g.bgp))
	b.options = "\n ipv4 { import all; export all; export table on; extended next hop on; next hop address 2001:db8::27; };" +
		"\n ipv6 { " + birdChannel + " };"
	b.start(t)
	feedRouter(t, b, routes)
	p := g.waitRoutes("daemon", len(routes))
	if !p.capable(capExtendedNextHop) {
		t.Errorf("extended next hop encoding was not negotiated: %+v", p.Capabilities)
	}
	for _, r := range g.routes("peer daemon family ipv4-unicast") {
		if r.NextHop != "2001:db8::27" {
			t.Fatalf("%s has next hop %s, want 2001:db8::27", r.Prefix, r.NextHop)
		}
	}
}

func TestADynamicNeighbourIsMadeWhenItDials(t *testing.T) {
	t.Parallel()
	routes := loadFeed(t)[:300]
	g := newGlass(t, dynamic("127.0.1.28/32", "asn: 65128", "group: ixp"))
	b := newBird(t, newEndpoints(t, 28, g.bgp))
	b.start(t)
	feedRouter(t, b, routes)
	var name string
	waitFor(t, 20*time.Second, "the neighbour appears", func() error {
		var answer struct{ Peers []shownPeer }
		if err := g.getJSON("/api/v1/peers", &answer); err != nil {
			return err
		}
		if len(answer.Peers) != 1 || !answer.Peers[0].Dynamic || answer.Peers[0].Address != "127.0.1.28" {
			return fmt.Errorf("peers %+v", answer.Peers)
		}
		name = answer.Peers[0].Name
		return nil
	})
	sameRoutes(t, g, b, name, 300)
}

func TestASessionOverIPv6(t *testing.T) {
	t.Parallel()
	routes := loadFeed(t)
	g := newGlassAt(t, "::1", neighbor("daemon", "::1", 65129))
	e := newEndpoints(t, 29, g.bgp)
	e.self = "::1"
	d := newExaBGP(t, e, routes)
	d.start(t)
	sameRoutes(t, g, d, "daemon", 1500)
}

// A router of before 2007 sends two-octet AS numbers and AS4_PATH beside them.
func TestATwoOctetSpeakerHasItsPathsMerged(t *testing.T) {
	t.Parallel()
	g := newGlass(t, neighbor("old", "127.0.1.30", 65130))
	s := dial(t, speakerConfig{
		local: "127.0.1.30", asn: 65130,
		capabilities: [][]byte{familyCapability(1, 1)},
	}, g.bgp)
	s.send(updateMessage(nil, concat(
		attribute(0x40, 1, 0),
		attribute(0x40, 2, 2, 3, 0xfe, 0x6a, 0x5b, 0xa0, 0x5b, 0xa0), // 65130 23456 23456
		attribute(0x40, 3, 192, 0, 2, 30),
		attribute(0xc0, 7, 0x5b, 0xa0, 192, 0, 2, 1),      // AS_TRANS
		attribute(0xc0, 17, 2, 2, 0, 3, 0, 1, 0, 3, 0, 2), // 196609 196610
		attribute(0xc0, 18, 0, 3, 0, 1, 192, 0, 2, 1),     // AS4_AGGREGATOR
	), nlri("198.51.100.0/24")))
	g.waitRoutes("old", 1)
	got := g.routes("198.51.100.0/24")[0].said()
	if got.ASPath != "65130 196609 196610" || got.Aggregator != "196609 192.0.2.1" {
		t.Errorf("path %q, aggregator %q, want them merged", got.ASPath, got.Aggregator)
	}
}

// concat joins encoded parts.
func concat(parts ...[]byte) []byte {
	var b []byte
	for _, p := range parts {
		b = append(b, p...)
	}
	return b
}
