package interop

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// frr is the bgpd of FRR, without its zebra: it installs nothing in the kernel.
type frr struct {
	endpoints
	dir     string
	more    string // further lines of the IPv4 address family
	running *process
}

func newFRR(t testing.TB, e endpoints) *frr {
	t.Helper()
	needProgram(t, "/usr/lib/frr/bgpd", "frr")
	dir := workDir(t)
	if err := os.Mkdir(filepath.Join(dir, "vty"), 0o700); err != nil {
		t.Fatal(err)
	}
	return &frr{endpoints: e, dir: dir}
}

func (f *frr) process() *process { return f.running }

func (f *frr) config() string {
	return fmt.Sprintf(`log stdout informational
router bgp %[1]d
 bgp router-id 10.9.0.2
 no bgp ebgp-requires-policy
 no bgp default ipv4-unicast
 neighbor %[2]s remote-as 64500
 neighbor %[2]s port %[3]d
 neighbor %[2]s update-source %[4]s
 neighbor %[2]s ebgp-multihop 3
 neighbor %[2]s disable-connected-check
 neighbor %[2]s timers connect 1
 neighbor %[2]s advertisement-interval 0
%[7]s
 neighbor %[5]s remote-as %[6]d
 neighbor %[5]s passive
 neighbor %[5]s ebgp-multihop 3
 neighbor %[5]s disable-connected-check
 address-family ipv4 unicast
  neighbor %[2]s activate
  neighbor %[2]s attribute-unchanged next-hop
  neighbor %[5]s activate
%[8]s exit-address-family
 address-family ipv6 unicast
  neighbor %[2]s activate
  neighbor %[2]s attribute-unchanged next-hop
  neighbor %[5]s activate
 exit-address-family
`, f.asn, f.glass.Addr(), f.glass.Port(), f.self, f.feeder, feedASN, f.options, f.more)
}

func (f *frr) start(t testing.TB) {
	t.Helper()
	conf := filepath.Join(f.dir, "bgpd.conf")
	writeFile(t, conf, f.config())
	f.running = startProcess(t, f.dir, "/usr/lib/frr/bgpd",
		"--skip_runas", "--no_kernel", "--no_zebra",
		"--bgp_port", fmt.Sprint(f.port), "--listenon", f.self,
		"--config_file", conf, "--pid_file", filepath.Join(f.dir, "pid"),
		"--vty_socket", filepath.Join(f.dir, "vty"), "--vty_port", "0")
}

// do runs a command of vtysh.
func (f *frr) do(command string) ([]byte, error) {
	return look("vtysh", "--vty_socket", filepath.Join(f.dir, "vty"), "-c", command)
}

// advertised joins two answers: FRR 8 says of the routes it advertised the
// prefix, path, origin, next hop and metric; the rest is in its table.
func (f *frr) advertised() ([]said, error) {
	var routes []said
	for _, family := range []string{"ipv4", "ipv6"} {
		sent, err := f.do(fmt.Sprintf("show bgp %s unicast neighbors %s advertised-routes json", family, f.glass.Addr()))
		if err != nil {
			return nil, err
		}
		table, err := f.do(fmt.Sprintf("show bgp %s unicast json detail", family))
		if err != nil {
			return nil, err
		}
		more, err := parseFRR(f.asn, sent, table)
		if err != nil {
			return nil, err
		}
		routes = append(routes, more...)
	}
	return routes, nil
}

// frrSent is a route of "advertised-routes json".
type frrSent struct {
	NextHop       string
	NextHopGlobal string
	Metric        *uint32
	Path          string
	Origin        string `json:"bgpOriginCode"`
}

// frrPath is a path of "json detail"; the first element of a prefix's list has
// none.
type frrPath struct {
	Community       struct{ List []string }
	LargeCommunity  struct{ List []string }
	ExtCommunity    struct{ String string } `json:"extendedCommunity"`
	AggregatorAS    uint32
	AggregatorID    string
	AtomicAggregate bool
}

func parseFRR(asn uint32, sent, table []byte) ([]said, error) {
	var s struct{ AdvertisedRoutes map[string]frrSent }
	if err := json.Unmarshal(sent, &s); err != nil {
		return nil, fmt.Errorf("advertised-routes: %w", err)
	}
	var d struct{ Routes map[string][]frrPath }
	if err := json.Unmarshal(table, &d); err != nil {
		return nil, fmt.Errorf("json detail: %w", err)
	}
	var routes []said
	for prefix, r := range s.AdvertisedRoutes {
		paths := d.Routes[prefix]
		if len(paths) != 2 {
			return nil, fmt.Errorf("%s: %d paths in the table, want one", prefix, len(paths)-1)
		}
		routes = append(routes, frrSaid(asn, prefix, r, paths[1]))
	}
	return routes, nil
}

func frrSaid(asn uint32, prefix string, r frrSent, p frrPath) said {
	s := said{
		Prefix:           prefix,
		ASPath:           strings.TrimSpace(fmt.Sprint(asn, " ", r.Path)),
		Origin:           map[string]string{"i": "igp", "e": "egp", "?": "incomplete"}[r.Origin],
		NextHop:          cmp.Or(r.NextHopGlobal, r.NextHop),
		Communities:      sorted(p.Community.List),
		LargeCommunities: sorted(p.LargeCommunity.List),
		ExtCommunities:   sorted(strings.Fields(strings.NewReplacer("RT:", "rt:", "SoO:", "ro:").Replace(p.ExtCommunity.String))),
		AtomicAggregate:  p.AtomicAggregate,
	}
	if r.Metric != nil {
		s.MED = fmt.Sprint(*r.Metric)
	}
	if p.AggregatorID != "" {
		s.Aggregator = fmt.Sprint(p.AggregatorAS, " ", p.AggregatorID)
	}
	return s
}
