package interop

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
)

// exabgp is ExaBGP. It keeps no table: what it sends is what its configuration
// announces, so that is what it is held to.
type exabgp struct {
	endpoints
	dir     string
	routes  []said
	running *process
}

// newExaBGP takes the routes to announce.
func newExaBGP(t testing.TB, e endpoints, routes []feedRoute) *exabgp {
	t.Helper()
	needProgram(t, "/usr/sbin/exabgp", "exabgp")
	x := &exabgp{endpoints: e, dir: workDir(t)}
	for _, r := range routes {
		// ExaBGP 4.2 takes an IPv6 prefix of length 32 for an IPv4 host route
		// and refuses the whole file.
		if r.prefix.Addr().Is6() && r.prefix.Bits() == 32 {
			continue
		}
		x.routes = append(x.routes, r.said(e.asn))
	}
	return x
}

func (x *exabgp) process() *process { return x.running }

func (x *exabgp) start(t testing.TB) {
	t.Helper()
	conf := filepath.Join(x.dir, "exabgp.conf")
	writeFile(t, conf, x.config())
	x.running = startProcess(t, x.dir, "/usr/bin/env",
		"exabgp.daemon.user=root", "exabgp.api.cli=false", "exabgp.log.destination=stdout",
		"/usr/sbin/exabgp", conf)
}

// feed says that there is none.
func (x *exabgp) feed() (at netip.AddrPort, from string) { return netip.AddrPort{}, "" }

func (x *exabgp) advertised() ([]said, error) { return x.routes, nil }

func (x *exabgp) config() string {
	var b strings.Builder
	fmt.Fprintf(&b, `neighbor %s {
 router-id 10.9.0.5;
 local-address %s;
 local-as %d;
 peer-as 64500;
 connect %d;
 family { ipv4 unicast; ipv6 unicast; }
%s
 static {
`, x.glass.Addr(), x.self, x.asn, x.glass.Port(), x.options)
	for _, r := range x.routes {
		b.WriteString(r.exabgp())
	}
	b.WriteString(" }\n}\n")
	return b.String()
}

// exabgp writes a route in ExaBGP's language.
func (s said) exabgp() string {
	var b strings.Builder
	fmt.Fprintf(&b, "  route %s next-hop %s origin %s as-path [ %s ]", s.Prefix, s.NextHop, s.Origin, s.ASPath)
	list := func(name, words string) {
		if words != "" {
			fmt.Fprintf(&b, " %s [ %s ]", name, words)
		}
	}
	if s.MED != "" {
		fmt.Fprintf(&b, " med %s", s.MED)
	}
	list("community", s.Communities)
	list("large-community", s.LargeCommunities)
	list("extended-community", strings.NewReplacer("rt:", "target:", "ro:", "origin:").Replace(s.ExtCommunities))
	if asn, addr, ok := strings.Cut(s.Aggregator, " "); ok {
		fmt.Fprintf(&b, " aggregator ( %s:%s )", asn, addr)
	}
	if s.AtomicAggregate {
		b.WriteString(" atomic-aggregate")
	}
	b.WriteString(";\n")
	return b.String()
}

// said reads the captured attributes of a route into words, with asn before the
// path. It knows the attributes of the feed only.
func (r feedRoute) said(asn uint32) said {
	s := said{Prefix: r.prefix.String(), NextHop: feedNextHop6.String()}
	if r.prefix.Addr().Is4() {
		s.NextHop = feedNextHop4.String()
	}
	for code, encoded := range attributes(r.attrs) {
		value := encoded[3:]
		if encoded[0]&0x10 != 0 {
			value = encoded[4:]
		}
		s.wireAttribute(code, value)
	}
	s.ASPath = strings.TrimSpace(fmt.Sprint(asn, " ", s.ASPath))
	return s
}

func (s *said) wireAttribute(code byte, value []byte) {
	switch code {
	case 1:
		s.Origin = []string{"igp", "egp", "incomplete"}[value[0]]
	case 2:
		s.ASPath = wirePath(value)
	case 4:
		s.MED = strings.Join(wireWords(value, 4, 1), "")
	case 6:
		s.AtomicAggregate = true
	case 7:
		s.Aggregator = fmt.Sprint(binary.BigEndian.Uint32(value), " ", netip.AddrFrom4([4]byte(value[4:])))
	case 8:
		s.Communities = sorted(wireWords(value, 2, 2))
	case 16:
		s.ExtCommunities = wireExtended(value)
	case 32:
		s.LargeCommunities = sorted(wireWords(value, 4, 3))
	}
}

// wireWords reads numbers of some octets, some to a word, with colons between.
func wireWords(value []byte, octets, each int) []string {
	var words []string
	for len(value) > 0 {
		var numbers []string
		for range each {
			var n uint64
			for _, b := range value[:octets] {
				n = n<<8 | uint64(b)
			}
			numbers = append(numbers, fmt.Sprint(n))
			value = value[octets:]
		}
		words = append(words, strings.Join(numbers, ":"))
	}
	return words
}

// wirePath reads an AS_PATH of sequences and sets.
func wirePath(value []byte) string {
	var words []string
	for len(value) >= 2 {
		end := 2 + 4*int(value[1])
		asns := wireWords(value[2:end], 4, 1)
		if value[0] == 1 {
			asns = []string{"{" + strings.Join(asns, ",") + "}"}
		}
		words = append(words, asns...)
		value = value[end:]
	}
	return strings.Join(words, " ")
}

func wireExtended(value []byte) string {
	var words []string
	for ; len(value) >= 8; value = value[8:] {
		kind := map[byte]string{2: "rt", 3: "ro"}[value[1]]
		words = append(words, fmt.Sprintf("%s:%d:%d", kind, binary.BigEndian.Uint16(value[2:]), binary.BigEndian.Uint32(value[4:])))
	}
	return sorted(words)
}
