package interop

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// openbgpd is the bgpd of OpenBSD, portable version.
type openbgpd struct {
	endpoints
	dir     string
	running *process
}

func newOpenBGPD(t testing.TB, e endpoints) *openbgpd {
	t.Helper()
	needProgram(t, "/usr/sbin/bgpctl", "openbgpd")
	// Its service manager would make the directory that it changes its root to.
	if err := os.MkdirAll("/run/openbgpd", 0o755); err != nil {
		t.Skipf("openbgpd needs its run directory, which only root can make: %v", err)
	}
	return &openbgpd{endpoints: e, dir: workDir(t)}
}

func (o *openbgpd) process() *process { return o.running }

func (o *openbgpd) config() string {
	return fmt.Sprintf(`AS %[1]d
router-id 10.9.0.3
socket "%[2]s"
fib-update no
listen on %[3]s port %[4]d
neighbor %[5]s {
 remote-as 64500
 port %[6]d
 local-address %[3]s
 multihop 3
 announce IPv4 unicast
 announce IPv6 unicast
%[9]s
}
neighbor %[7]s {
 remote-as %[8]d
 passive
 local-address %[3]s
 multihop 3
 enforce neighbor-as no
 announce IPv4 unicast
 announce IPv6 unicast
}
allow from any
allow to any
match to %[5]s set nexthop no-modify
`, o.asn, o.socket(), o.self, o.port, o.glass.Addr(), o.glass.Port(), o.feeder, feedASN, o.options)
}

func (o *openbgpd) socket() string { return filepath.Join(o.dir, "sock") }

func (o *openbgpd) start(t testing.TB) {
	t.Helper()
	conf := filepath.Join(o.dir, "bgpd.conf")
	writeFile(t, conf, o.config())
	o.running = startProcess(t, o.dir, "/usr/sbin/bgpd", "-d", "-f", conf)
}

// do runs a command of bgpctl.
func (o *openbgpd) do(words ...string) ([]byte, error) {
	return look("bgpctl", append([]string{"-s", o.socket(), "-j"}, words...)...)
}

func (o *openbgpd) advertised() ([]said, error) {
	out, err := o.do("show", "rib", "out", "neighbor", o.glass.Addr().String(), "detail")
	if err != nil {
		return nil, err
	}
	var answer struct{ RIB []openbgpdRoute }
	if err := json.Unmarshal(out, &answer); err != nil {
		return nil, fmt.Errorf("show rib out: %w", err)
	}
	var routes []said
	for _, r := range answer.RIB {
		routes = append(routes, r.said())
	}
	return routes, nil
}

// silent blanks MED: bgpctl prints it as it is in the table, and the daemon
// leaves it out towards an external neighbour.
func (o *openbgpd) silent(s *said) { s.MED = "" }

// openbgpdRoute is a route of "show rib detail".
type openbgpdRoute struct {
	Prefix           string
	ASPath           string
	Origin           string
	NextHop          string `json:"exit_nexthop"`
	Communities      []string
	ExtCommunities   []string `json:"extended_communities"`
	LargeCommunities []string `json:"large_communities"`
	Attributes       []struct {
		Type     string
		AS       uint32
		RouterID string `json:"router_id"`
	}
}

func (r openbgpdRoute) said() said {
	for i, c := range r.ExtCommunities {
		r.ExtCommunities[i] = strings.NewReplacer("soo ", "ro:", " ", ":").Replace(c)
	}
	s := said{
		Prefix:           r.Prefix,
		ASPath:           r.ASPath,
		Origin:           strings.ToLower(r.Origin),
		NextHop:          r.NextHop,
		Communities:      sorted(r.Communities),
		LargeCommunities: sorted(r.LargeCommunities),
		ExtCommunities:   sorted(r.ExtCommunities),
	}
	for _, a := range r.Attributes {
		switch a.Type {
		case "Aggregator":
			s.Aggregator = fmt.Sprint(a.AS, " ", a.RouterID)
		case "Atomic Aggregate":
			s.AtomicAggregate = true
		}
	}
	return s
}
