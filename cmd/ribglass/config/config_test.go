package config

import (
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"ribglass/collector/bgp"
	"ribglass/httpapi"
	"ribglass/ribstore"
	"ribglass/ribstore/history"
	"ribglass/ribstore/route"
	"ribglass/ui/site"
)

// minimal is the shortest configuration that is valid.
const minimal = `asn: 64500
router_id: 192.0.2.10
neighbors:
  - { address: 192.0.2.1, asn: 64501 }
`

func parseText(t *testing.T, text string) (*Config, error) {
	t.Helper()
	env := map[string]string{"EDGE_MD5": "Wq3v9Zr2", "SAMPLE": "changeme", "EMPTY": ""}
	lookup := func(name string) (string, bool) { v, ok := env[name]; return v, ok }
	return parseConfig("f.yaml", []byte(text), Overrides{}, lookup)
}

func TestMinimalConfigurationHasDefaultsForTheRest(t *testing.T) {
	got, err := parseText(t, minimal)
	if err != nil {
		t.Fatal(err)
	}
	want := Default()
	want.ASN, want.RouterID = 64500, netip.MustParseAddr("192.0.2.10")
	want.Neighbors = []Neighbor{{Neighbor: bgp.Neighbor{
		Address: netip.MustParseAddr("192.0.2.1"), ASN: 64501, Dialing: bgp.DefaultDialing(), Settings: bgp.DefaultSettings(),
	}}}
	if diff := cmp.Diff(&want, got, cmpopts.EquateComparable(netip.Addr{}, netip.AddrPort{}, netip.Prefix{})); diff != "" {
		t.Errorf("minimal configuration (-want +got):\n%s", diff)
	}
}

func TestEverySettingIsRead(t *testing.T) {
	got, err := parseText(t, `
asn: AS1.10
router_id: 192.0.2.10
listen: [":1790", "192.0.2.10:179"]
http:
  listen: "localhost:8080"
  hosts: [lg.example.net]
  trusted_proxies: [10.0.0.0/8]
  max_connections: 100
  max_streams: 4
  query_timeout: 2s
admin: { listen: "127.0.0.1:9091", hosts: [lg-admin] }
data_dir: /var/lib/ribglass
log: { level: debug, format: json }
memory: { limit: 4GiB, gc_percent: 50 }
search: { searches: 2, search_time: 5s, search_wait: 1s, past_tables: 3 }
history:
  snapshot_every: 30m
  keep: [{ every: 1h, for: 2d }, { every: 1d, for: 52w1d12h }]
  journal: 4w
  restart_time: 10m
  max_size: 20GB
site:
  name: Example Net
  colour: "#7A1F5C"
  dark_colour: f0a3d8
  contact: noc@example.net
  notice: Maintenance tonight
  links: [{ text: Website, url: "https://www.example.net/" }]
neighbors:
  - name: edge1
    address: "::ffff:192.0.2.1"
    asn: 64500
    description: Edge router, Amsterdam
    router: edge
    group: core
    password_env: EDGE_MD5
    ttl_security: 1
    hold_time: 30s
    add_path: true
    families: [ipv4, ipv6-multicast]
    max_prefixes: 2_000_000
    max_attribute_bytes: 256MiB
    max_attribute_length: 32KiB
    shutdown: maintenance until 06:00
    min_hold_time: 10s
    max_prefixes_warning: 90
    max_prefixes_restart: 1h
    stale_time: 5m
    max_stale_time: 12h
    stale_sweep: 3m
dynamic_neighbors:
  - { prefix: 198.51.100.0/24, asn: 64501, group: ixp }
  - { prefix: "2001:db8::/32", asn: [64501, AS64502], max_sessions: 9 }
`)
	if err != nil {
		t.Fatal(err)
	}
	const day = 24 * time.Hour
	one, two := bgp.DefaultSettings(), bgp.DefaultSettings()
	one.Group = "ixp"
	want := Config{
		ASN: 1<<16 | 10, RouterID: netip.MustParseAddr("192.0.2.10"),
		Listen: []netip.AddrPort{netip.MustParseAddrPort("[::]:1790"), netip.MustParseAddrPort("192.0.2.10:179")},
		HTTP: httpapi.Config{
			Listen: "localhost:8080", Hosts: []string{"lg.example.net"}, MaxConnections: 100, MaxStreams: 4, QueryTimeout: 2 * time.Second,
			TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")},
		},
		Admin:   httpapi.AdminConfig{Listen: "127.0.0.1:9091", Hosts: []string{"lg-admin"}},
		DataDir: "/var/lib/ribglass",
		Log:     Log{Level: -4, Format: FormatJSON},
		Memory:  Memory{Limit: 4 << 30, GCPercent: 50},
		Search:  ribstore.Config{Searches: 2, SearchTime: 5 * time.Second, SearchWait: time.Second, PastTables: 3},
		History: History{MaxSize: 20e9, Config: history.Config{
			SnapshotEvery: 30 * time.Minute, Journal: 28 * day, Restart: 10 * time.Minute, MaxSize: history.DefaultConfig().MaxSize,
			PeerRate: history.DefaultConfig().PeerRate, PeerBurst: history.DefaultConfig().PeerBurst,
			Keep: []history.Tier{{Every: time.Hour, For: 2 * day}, {Every: day, For: 365*day + 12*time.Hour}},
		}},
		SiteFiles: site.Config{
			Name: "Example Net", Colour: "#7a1f5c", DarkColour: "#f0a3d8", Contact: "noc@example.net", Notice: "Maintenance tonight",
			Links: []site.Link{{Text: "Website", URL: "https://www.example.net/"}},
		},
		Site: &site.Site{
			Name: "Example Net", Colour: "#7a1f5c", DarkColour: "#f0a3d8", Contact: "noc@example.net", ContactURL: "mailto:noc@example.net",
			Notice: "Maintenance tonight", Links: []site.Link{{Text: "Website", URL: "https://www.example.net/"}},
		},
		Neighbors: []Neighbor{{
			Secret: Secret{PasswordEnv: "EDGE_MD5"},
			Neighbor: bgp.Neighbor{
				Name: "edge1", Address: netip.MustParseAddr("192.0.2.1"), ASN: 64500, Shutdown: "maintenance until 06:00",
				Dialing: bgp.DefaultDialing(),
				Settings: bgp.Settings{
					Group: "core", Router: "edge", Description: "Edge router, Amsterdam", Password: "Wq3v9Zr2", TTLSecurity: 1,
					AddPath: true, Families: []route.Family{route.IPv4Unicast, route.IPv6Multicast},
					HoldTime: 30 * time.Second, MinHoldTime: 10 * time.Second,
					MaxPrefixes: 2_000_000, MaxAttributeBytes: 256 << 20, MaxAttributeLength: 32 << 10, MaxPrefixesWarning: 90, MaxPrefixesRestart: time.Hour,
					StaleTime: 5 * time.Minute, MaxStaleTime: 12 * time.Hour, StaleSweep: 3 * time.Minute,
				},
			},
		}},
		DynamicNeighbors: []DynamicNeighbor{
			{DynamicNeighbor: bgp.DynamicNeighbor{Prefix: netip.MustParsePrefix("198.51.100.0/24"), ASNs: []route.ASN{64501}, Settings: one}},
			{DynamicNeighbor: bgp.DynamicNeighbor{
				Prefix: netip.MustParsePrefix("2001:db8::/32"), ASNs: []route.ASN{64501, 64502}, MaxSessions: 9, Settings: two,
			}},
		},
	}
	if diff := cmp.Diff(&want, got, cmpopts.EquateComparable(netip.Addr{}, netip.AddrPort{}, netip.Prefix{})); diff != "" {
		t.Errorf("full configuration (-want +got):\n%s", diff)
	}
}

func TestAnchorsAndMergeKeysShareSettings(t *testing.T) {
	got, err := parseText(t, `
asn: 64500
router_id: 192.0.2.10
neighbors:
  - &edge { address: 192.0.2.1, asn: 64501, group: edge, hold_time: 30s }
  - <<: *edge
    address: 192.0.2.2
    hold_time: &long 60s
  - { <<: *edge, address: 192.0.2.3, hold_time: *long }
`)
	if err != nil {
		t.Fatal(err)
	}
	for i, hold := range []time.Duration{30 * time.Second, time.Minute, time.Minute} {
		if n := got.Neighbors[i]; n.Group != "edge" || n.ASN != 64501 || n.HoldTime != hold {
			t.Errorf("neighbor %d = group %q, asn %d, hold time %v; want edge, 64501, %v", i, n.Group, n.ASN, n.HoldTime, hold)
		}
	}
}

func TestAllMistakesOfAFileAreToldInTheOrderOfItsLines(t *testing.T) {
	_, err := parseText(t, "asn: x\nrouter_id: 1.2.3\nlissten: []\n")
	var ps Errors
	if !errors.As(err, &ps) {
		t.Fatalf("error = %v, want Errors", err)
	}
	var at []int
	for _, p := range ps {
		at = append(at, p.Line)
	}
	if diff := cmp.Diff([]int{1, 2, 3}, at); diff != "" {
		t.Errorf("lines of the problems (-want +got):\n%s", diff)
	}
}

func TestSecretFile(t *testing.T) {
	write := func(t *testing.T, text string, mode os.FileMode) string {
		t.Helper()
		name := filepath.Join(t.TempDir(), "edge1.md5")
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(name, mode); err != nil {
			t.Fatal(err)
		}
		return name
	}
	for _, row := range []struct {
		name, text string
		mode       os.FileMode
		want, err  string
	}{
		{"a file of the owner's is read without its last line break", "Wq3v9Zr2\n", 0o600, "Wq3v9Zr2", ""},
		{"a file that the group can read is refused", "Wq3v9Zr2", 0o640, "", "run: chmod 600 "},
		{"a file that others can read is refused", "Wq3v9Zr2", 0o604, "", "mode 0604"},
		{"an empty file is refused", "\n", 0o600, "", "is empty"},
		{"a word from an example is refused", "<changeme>\n", 0o400, "", "a word from an example"},
		{"two lines are refused", "a\nb", 0o600, "", "line break"},
		{"more than the kernel takes is refused", strings.Repeat("x", 81), 0o600, "", "at most 80"},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, err := secretFile(write(t, row.text, row.mode))
			if got != row.want || (err == nil) != (row.err == "") || err != nil && !strings.Contains(err.Error(), row.err) {
				t.Errorf("secretFile = %q, %v; want %q, error with %q", got, err, row.want, row.err)
			}
			if err != nil && row.text != "\n" && strings.Contains(err.Error(), strings.TrimSpace(row.text)) {
				t.Errorf("the error quotes the secret: %v", err)
			}
		})
	}
}

func TestOverridesStandAboveTheFile(t *testing.T) {
	over := Overrides{Listen: "127.0.0.1:1790", HTTPListen: "127.0.0.1:0", AdminListen: "127.0.0.1:9"}
	got, err := parseConfig("f.yaml", []byte(minimal), over, os.LookupEnv)
	if err != nil {
		t.Fatal(err)
	}
	if got.Listen[0] != netip.MustParseAddrPort("127.0.0.1:1790") || got.HTTP.Listen != "127.0.0.1:0" || got.Admin.Listen != "127.0.0.1:9" {
		t.Errorf("listeners = %v, %v, %v; want those of the overrides", got.Listen, got.HTTP.Listen, got.Admin.Listen)
	}
	if _, err := parseConfig("f.yaml", []byte(minimal), Overrides{Listen: "nowhere"}, os.LookupEnv); err == nil {
		t.Error("an override that is no address was accepted")
	}
}
