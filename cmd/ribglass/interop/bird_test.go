package interop

import (
	"bufio"
	"bytes"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// bird is BIRD 2.
type bird struct {
	endpoints
	dir     string
	more    string // further protocols
	running *process
}

func newBird(t testing.TB, e endpoints) *bird {
	t.Helper()
	needProgram(t, "/usr/sbin/bird", "bird2")
	return &bird{endpoints: e, dir: workDir(t)}
}

func (b *bird) process() *process { return b.running }

// birdChannel is what both families of the session to the collector have.
const birdChannel = `import all; export all; export table on; next hop keep;`

func (b *bird) config() string {
	options := b.options
	if !strings.Contains(options, "ipv4 {") {
		options += fmt.Sprintf("\n ipv4 { %s };\n ipv6 { %s };", birdChannel, birdChannel)
	}
	return fmt.Sprintf(`log stderr all;
router id 10.9.0.1;
graceful restart wait 3;
protocol device {}
%[9]s
protocol bgp glass {
 local %[1]s port %[2]d as %[3]d;
 neighbor %[4]s port %[5]d as 64500;
 multihop; strict bind on;
 connect delay time 1; connect retry time 1; error wait time 1,2;
%[6]s
}
protocol bgp feed {
 local %[1]s port %[2]d as %[3]d;
 neighbor %[7]s as %[8]d;
 passive; multihop; strict bind on;
 ipv4 { import all; export none; };
 ipv6 { import all; export none; };
}
`, b.self, b.port, b.asn, b.glass.Addr(), b.glass.Port(), options, b.feeder, feedASN, b.more)
}

func (b *bird) start(t testing.TB) {
	t.Helper()
	b.startWith(t)
}

// startWith runs the daemon with further arguments.
func (b *bird) startWith(t testing.TB, args ...string) {
	t.Helper()
	b.write(t, b.config())
	args = append([]string{"-f", "-c", b.file("conf"), "-s", b.file("ctl"), "-P", b.file("pid")}, args...)
	b.running = startProcess(t, b.dir, "/usr/sbin/bird", args...)
}

func (b *bird) write(t testing.TB, config string) {
	t.Helper()
	writeFile(t, b.file("conf"), config)
}

func (b *bird) file(extension string) string { return filepath.Join(b.dir, "bird."+extension) }

// do runs a command of birdc.
func (b *bird) do(words ...string) ([]byte, error) {
	return look("/usr/sbin/birdc", append([]string{"-s", b.file("ctl")}, words...)...)
}

// advertised reads the export tables, BIRD's adj-RIB-out. A route leaves them
// for the wire with three changes when the session is external: the own AS is put
// before the path, and LOCAL_PREF and a MED of others stay behind.
func (b *bird) advertised() ([]said, error) {
	out, err := b.do("show", "route", "export", "table", "glass.ipv4", "all")
	if err != nil {
		return nil, err
	}
	six, err := b.do("show", "route", "export", "table", "glass.ipv6", "all")
	if err != nil {
		return nil, err
	}
	routes := parseBird(append(out, six...))
	if b.asn != glassASN {
		for i := range routes {
			routes[i].ASPath = strings.TrimSpace(fmt.Sprint(b.asn, " ", routes[i].ASPath))
			routes[i].LocalPref, routes[i].MED = "", ""
		}
	}
	return routes, nil
}

var birdRoute = regexp.MustCompile(`^([0-9a-f:.]+/\d+)?\s.*\[`)

// parseBird reads "show route all": a line with the prefix, then a line for
// each attribute. Further routes of a prefix leave the prefix out.
func parseBird(out []byte) []said {
	var routes []said
	var current *said
	var prefix, name, value string
	for scan := bufio.NewScanner(bytes.NewReader(out)); scan.Scan(); {
		line := scan.Text()
		if m := birdRoute.FindStringSubmatch(line); m != nil {
			if m[1] != "" {
				prefix = m[1]
			}
			routes = append(routes, said{Prefix: prefix})
			current = &routes[len(routes)-1]
			continue
		}
		if rest, ok := strings.CutPrefix(line, "\t\t"); ok { // a long list goes on
			value += " " + rest
		} else {
			name, value, _ = strings.Cut(strings.TrimSpace(line), ":")
		}
		if current != nil {
			current.birdAttribute(name, strings.TrimSpace(value))
		}
	}
	return routes
}

func (s *said) birdAttribute(name, value string) {
	switch name {
	case "BGP.origin":
		s.Origin = strings.ToLower(value)
	case "BGP.as_path":
		s.ASPath = strings.NewReplacer("{", "{", " }", "}", "{ ", "{").Replace(value)
	case "BGP.next_hop":
		s.NextHop = strings.Fields(value)[0]
	case "BGP.med":
		s.MED = value
	case "BGP.local_pref":
		s.LocalPref = value
	case "BGP.community":
		s.Communities = sorted(tuples(value))
	case "BGP.large_community":
		s.LargeCommunities = sorted(tuples(value))
	case "BGP.ext_community":
		s.ExtCommunities = sorted(tuples(value))
	case "BGP.aggregator":
		addr, asn, _ := strings.Cut(value, " AS")
		s.Aggregator = asn + " " + addr
	case "BGP.atomic_aggr":
		s.AtomicAggregate = true
	case "BGP.path_id":
		s.PathID = value
	}
}

var tuple = regexp.MustCompile(`\(([^)]*)\)`)

// tuples turns "(1, 2) (3, 4)" into "1:2", "3:4".
func tuples(value string) []string {
	var words []string
	for _, m := range tuple.FindAllStringSubmatch(value, -1) {
		words = append(words, strings.NewReplacer(", ", ":", ",", ":").Replace(m[1]))
	}
	return words
}

// birdFeed is a further session that a feed may dial, from another address.
func (b *bird) birdFeed(name, from string) string {
	return fmt.Sprintf(`protocol bgp %s {
 local %s port %d as %d;
 neighbor %s as %d;
 passive; multihop; strict bind on;
 ipv4 { import all; export none; };
 ipv6 { import all; export none; };
}
`, name, b.self, b.port, b.asn, from, feedASN)
}

// birdStatic are static routes of one family.
func birdStatic(name, channel, attributes string, prefixes ...string) string {
	text := fmt.Sprintf("protocol static %s {\n %s;\n", name, channel)
	for _, p := range prefixes {
		text += fmt.Sprintf(" route %s blackhole { %s };\n", p, attributes)
	}
	return text + "}\n"
}
