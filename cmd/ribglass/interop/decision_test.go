package interop

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"time"
)

// rival is a router whose routes BIRD and Ribglass both hear.
type rival struct {
	name, address, routerID string
	asn                     uint32
}

// rivals are the peers in [TestBestIsThatOfBIRD]: two of one neighbor AS, one of another, and
// two of the own AS.
func rivals() []rival {
	return []rival{
		{"e1", "127.0.2.201", "10.0.0.3", 65201},
		{"e2", "127.0.2.202", "10.0.0.2", 65202},
		{"e3", "127.0.2.203", "10.0.0.1", 65201},
		{"i1", "127.0.2.204", "10.0.0.4", 64500},
		{"i2", "127.0.2.205", "10.0.0.4", 64500},
	}
}

// offer draws the attributes with which a rival announces a prefix: of few values, so that
// any step may decide.
func (r rival) offer(random *rand.Rand) []byte {
	path := []byte{2, 0}
	hop := func(n uint32) {
		path = binary.BigEndian.AppendUint32(path, n)
		path[1]++
	}
	if r.asn != 64500 {
		hop(r.asn)
	}
	for range 1 + random.IntN(2) {
		hop(65300 + random.Uint32N(2))
	}
	if random.IntN(8) == 0 {
		path = binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(append(path, 1, 2), 65401), 65402)
	}
	attrs := append(attribute(0x40, 1, byte(random.IntN(2)*2)), attribute(0x40, 2, path...)...)
	if med := random.Uint32N(3); med > 0 {
		attrs = append(attrs, attribute(0x80, 4, binary.BigEndian.AppendUint32(nil, med-1)...)...)
	}
	if r.asn != 64500 {
		return attrs
	}
	attrs = append(attrs, attribute(0x40, 5, binary.BigEndian.AppendUint32(nil, 99+random.Uint32N(3))...)...)
	if random.IntN(2) == 0 { // reflected
		attrs = append(attrs, attribute(0x80, 9, 10, 0, 1, byte(random.IntN(2)))...)
		attrs = append(attrs, attribute(0x80, 10, bytes.Repeat([]byte{10, 0, 2, 1}, 1+random.IntN(2))...)...)
	}
	return attrs
}

// TestBestIsThatOfBIRD has five routers tell BIRD and Ribglass the same routes of some
// thousand prefixes, and compares which route of each prefix is the best.
func TestBestIsThatOfBIRD(t *testing.T) {
	t.Parallel()
	prefixes := loadFeed(t)
	var sections []string
	b := newBird(t, newEndpoints(t, 31, netip.MustParseAddrPort("127.0.0.1:9")))
	for _, r := range rivals() {
		sections = append(sections, neighbor(r.name, r.address, r.asn))
		b.more += fmt.Sprintf(`protocol bgp %s {
 local %s port %d as 64500;
 neighbor %s as %d;
 passive; multihop; strict bind on; deterministic med on;
 ipv4 { import all; export none; };
 ipv6 { import all; export none; };
}
`, r.name, b.self, b.port, r.address, r.asn)
	}
	g := newGlass(t, sections...)
	b.start(t)
	random := rand.New(rand.NewPCG(31, 1))
	for _, r := range rivals() {
		var updates []byte
		for _, p := range prefixes {
			if random.IntN(6) > 0 {
				updates = append(updates, feedRoute{prefix: p.prefix, attrs: r.offer(random)}.update(nil)...)
			}
		}
		for _, to := range []netip.AddrPort{g.bgp, netip.AddrPortFrom(netip.MustParseAddr(b.self), b.port)} {
			dial(t, speakerConfig{local: r.address, routerID: r.routerID, asn: r.asn}, to).send(updates, endOfRIB(1), endOfRIB(2))
		}
	}
	var decided map[string]int
	waitFor(t, 30*time.Second, "the best routes of Ribglass and of BIRD agree", func() (err error) {
		decided, err = sameBest(g, b, len(prefixes)*9/10)
		return err
	})
	for _, step := range []string{
		"local-pref", "as-path-length", "origin", "med", "ebgp-over-ibgp", "router-id", "cluster-list-length", "peer-address",
	} {
		if decided[step] == 0 {
			t.Errorf("no prefix was decided by %s: %v", step, decided)
		}
	}
	t.Logf("the best of %d prefixes agree, decided by %v", len(prefixes), decided)
}

var birdBest = regexp.MustCompile(`^(\S+/\d+)\s.*?\[(\w+) `)

// sameBest compares the best routes, of which there are at least some, and counts the
// steps that decided.
func sameBest(g *glass, b *bird, least int) (map[string]int, error) {
	out, err := b.do("show", "route", "primary")
	if err != nil {
		return nil, err
	}
	best := map[string]string{}
	for scan := bufio.NewScanner(bytes.NewReader(out)); scan.Scan(); {
		if m := birdBest.FindStringSubmatch(scan.Text()); m != nil {
			best[m[1]] = m[2]
		}
	}
	status, body, err := g.get("/api/v1/routes?q=best&fields=prefix,peer,decision", "Accept", "application/x-ndjson")
	if err != nil || status != http.StatusOK {
		return nil, fmt.Errorf("%d, %w", status, err)
	}
	decided, n := map[string]int{}, 0
	var differ []string
	for line := range strings.Lines(string(body)) {
		var r struct{ Prefix, Peer, Decision string }
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			return nil, err
		}
		decided[r.Decision]++
		if n++; best[r.Prefix] != r.Peer {
			differ = append(differ, fmt.Sprintf("%s: %s by %s, BIRD has %s", r.Prefix, r.Peer, r.Decision, best[r.Prefix]))
		}
	}
	switch {
	case n < least || n != len(best):
		return nil, fmt.Errorf("%d prefixes, BIRD has %d, want %d at least", n, len(best), least)
	case len(differ) > 0:
		return nil, errors.New(strings.Join(append(differ[:min(5, len(differ))], fmt.Sprint(len(differ), " in all")), "; "))
	}
	return decided, nil
}
