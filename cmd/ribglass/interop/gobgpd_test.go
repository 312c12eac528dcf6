package interop

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// gobgpd is GoBGP's daemon, as Debian packages it.
type gobgpd struct {
	endpoints
	dir     string
	api     uint16
	second  string // address of a second feed
	running *process
}

func newGoBGP(t testing.TB, e endpoints) *gobgpd {
	t.Helper()
	needProgram(t, "/usr/bin/gobgpd", "gobgpd")
	return &gobgpd{endpoints: e, dir: workDir(t), api: freePort(t, e.self)}
}

func (g *gobgpd) process() *process { return g.running }

func (g *gobgpd) config() string {
	const families = `
  [[neighbors.afi-safis]]
    [neighbors.afi-safis.config]
      afi-safi-name = "ipv4-unicast"
    %[1]s
  [[neighbors.afi-safis]]
    [neighbors.afi-safis.config]
      afi-safi-name = "ipv6-unicast"
    %[1]s
`
	const feed = `
[[neighbors]]
  [neighbors.config]
    neighbor-address = "%s"
    peer-as = %d
  [neighbors.transport.config]
    local-address = "%s"
    passive-mode = true
`
	plain := fmt.Sprintf(families, "")
	text := fmt.Sprintf(`[global.config]
  as = %[1]d
  router-id = "10.9.0.4"
  port = %[2]d
  local-address-list = ["%[3]s"]
[[neighbors]]
  [neighbors.config]
    neighbor-address = "%[4]s"
    peer-as = 64500
  [neighbors.transport.config]
    local-address = "%[3]s"
    remote-port = %[5]d
  [neighbors.timers.config]
    connect-retry = 1
    idle-hold-time-after-reset = 1
  [neighbors.ebgp-multihop.config]
    enabled = true
    multihop-ttl = 5
[global.apply-policy.config]
  export-policy-list = ["keep-next-hop"]
  default-export-policy = "accept-route"
[[policy-definitions]]
  name = "keep-next-hop"
  [[policy-definitions.statements]]
    name = "all"
    [policy-definitions.statements.actions]
      route-disposition = "accept-route"
    [policy-definitions.statements.actions.bgp-actions]
      set-next-hop = "unchanged"
`, g.asn, g.port, g.self, g.glass.Addr(), g.glass.Port())
	text += fmt.Sprintf(families, g.options) + fmt.Sprintf(feed, g.feeder, feedASN, g.self) + plain
	if g.second != "" {
		text += fmt.Sprintf(feed, g.second, feedASN, g.self) + plain
	}
	return text
}

func (g *gobgpd) start(t testing.TB) {
	t.Helper()
	conf := filepath.Join(g.dir, "gobgpd.toml")
	writeFile(t, conf, g.config())
	g.running = startProcess(t, g.dir, "/usr/bin/gobgpd", "--config-file", conf,
		"--api-hosts", fmt.Sprintf("%s:%d", g.self, g.api), "--pprof-disable")
}

// do runs a command of gobgp.
func (g *gobgpd) do(words ...string) ([]byte, error) {
	return look("gobgp", append([]string{"--host", g.self, "--port", fmt.Sprint(g.api)}, words...)...)
}

func (g *gobgpd) advertised() ([]said, error) {
	var routes []said
	for _, family := range []string{"ipv4", "ipv6"} {
		out, err := g.do("neighbor", g.glass.Addr().String(), "adj-out", "-a", family, "-j")
		if err != nil {
			return nil, err
		}
		var answer map[string][]gobgpPath
		if err := json.Unmarshal(out, &answer); err != nil {
			return nil, fmt.Errorf("adj-out: %w", err)
		}
		for prefix, paths := range answer {
			for _, p := range paths {
				routes = append(routes, p.said(prefix))
			}
		}
	}
	return routes, nil
}

// gobgpPath is a path of "adj-out -j".
type gobgpPath struct {
	Attrs []gobgpAttribute
	NLRI  struct{ ID uint32 }
}

// gobgpAttribute is any attribute: GoBGP prints each type with keys of its own.
type gobgpAttribute struct {
	Type    int
	Value   json.RawMessage
	ASPaths []struct {
		Type int `json:"segment_type"`
		ASNs []uint32
	} `json:"as_paths"`
	NextHop     string
	Metric      uint32
	AS          uint32
	Address     string
	Communities []uint32
}

func (p gobgpPath) said(prefix string) said {
	s := said{Prefix: prefix}
	if p.NLRI.ID != 0 {
		s.PathID = fmt.Sprint(p.NLRI.ID)
	}
	for _, a := range p.Attrs {
		s.gobgpAttribute(a)
	}
	// Over an IPv4 session its own next hop of IPv6 routes is mapped, which it
	// does not show.
	if strings.Contains(prefix, ":") && !strings.Contains(s.NextHop, ":") {
		s.NextHop = "::ffff:" + s.NextHop
	}
	return s
}

func (s *said) gobgpAttribute(a gobgpAttribute) {
	switch a.Type {
	case 1:
		s.Origin = map[string]string{"0": "igp", "1": "egp", "2": "incomplete"}[string(a.Value)]
	case 2:
		s.ASPath = gobgpPathText(a)
	case 3, 14:
		s.NextHop = a.NextHop
	case 4:
		s.MED = fmt.Sprint(a.Metric)
	case 6:
		s.AtomicAggregate = true
	case 7:
		s.Aggregator = fmt.Sprint(a.AS, " ", a.Address)
	case 8:
		var words []string
		for _, c := range a.Communities {
			words = append(words, fmt.Sprint(c>>16, ":", c&0xffff))
		}
		s.Communities = sorted(words)
	case 16:
		s.ExtCommunities = gobgpExtended(a.Value)
	case 32:
		s.LargeCommunities = gobgpLarge(a.Value)
	}
}

func gobgpPathText(a gobgpAttribute) string {
	var words []string
	for _, segment := range a.ASPaths {
		text := strings.Trim(fmt.Sprint(segment.ASNs), "[]")
		if segment.Type == 1 {
			text = "{" + strings.ReplaceAll(text, " ", ",") + "}"
		}
		words = append(words, text)
	}
	return strings.Join(words, " ")
}

func gobgpExtended(value []byte) string {
	var list []struct {
		Subtype int
		Value   string
	}
	if err := json.Unmarshal(value, &list); err != nil {
		return err.Error()
	}
	var words []string
	for _, c := range list {
		words = append(words, map[int]string{2: "rt:", 3: "ro:"}[c.Subtype]+c.Value)
	}
	return sorted(words)
}

func gobgpLarge(value []byte) string {
	var list []struct{ ASN, LocalData1, LocalData2 uint32 }
	if err := json.Unmarshal(value, &list); err != nil {
		return err.Error()
	}
	var words []string
	for _, c := range list {
		words = append(words, fmt.Sprintf("%d:%d:%d", c.ASN, c.LocalData1, c.LocalData2))
	}
	return sorted(words)
}
