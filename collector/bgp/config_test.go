package bgp

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"ribglass/collector"
	"ribglass/ribstore/route"
	"ribglass/setting"
)

func TestValidateNamesTheField(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		change func(*Config)
		field  string
	}{
		"no AS number":                  {func(c *Config) { c.ASN = 0 }, "asn"},
		"AS_TRANS":                      {func(c *Config) { c.ASN = 23456 }, "asn"},
		"an IPv6 router id":             {func(c *Config) { c.RouterID = addr("::1") }, "router_id"},
		"nowhere to listen":             {func(c *Config) { c.Listen = nil }, "listen"},
		"no address":                    {func(c *Config) { c.Neighbors[1].Address = netip.Addr{} }, "neighbors[1].address"},
		"an address twice, once mapped": {func(c *Config) { c.Neighbors[1].Address, c.Neighbors[1].ASN = addr("::ffff:127.0.0.2"), 64501 }, "neighbors[1].address"},
		"an address twice, one router id": {func(c *Config) {
			c.Neighbors[1].Address, c.Neighbors[1].ASN, c.Neighbors[1].RouterID = addr("127.0.0.2"), 64501, addr("10.0.0.1")
		}, "neighbors[1].address"},
		"an address twice, told apart by no port": {func(c *Config) {
			c.Neighbors[0].Dialing = Dialing{Connect: true, Port: 1790}
			c.Neighbors[1].Address, c.Neighbors[1].ASN = addr("127.0.0.2"), 64501
		}, "neighbors[1].address"},
		"an address twice, one password": {func(c *Config) {
			c.Neighbors[1].Address, c.Neighbors[1].Password = addr("127.0.0.2"), "x"
		}, "neighbors[1].password_file"},
		"an address twice, one with TTL security": {func(c *Config) {
			c.Neighbors[1].Address, c.Neighbors[1].TTLSecurity = addr("127.0.0.2"), 1
		}, "neighbors[1].ttl_security"},
		"a link-local address on two links, one password": {func(c *Config) {
			c.Neighbors[0].Address, c.Neighbors[1].Address, c.Neighbors[1].Password = addr("fe80::2%eth0"), addr("fe80::2%eth1"), "x"
		}, "neighbors[1].password_file"},
		"an IPv6 router id of a peer":             {func(c *Config) { c.Neighbors[0].RouterID = addr("::1") }, "neighbors[0].router_id"},
		"a link-local address without a zone":     {func(c *Config) { c.Neighbors[0].Address = addr("fe80::2") }, "neighbors[0].address"},
		"a link-local address with a number":      {func(c *Config) { c.Neighbors[0].Address = addr("fe80::2%3") }, "neighbors[0].address"},
		"a zone of a global address":              {func(c *Config) { c.Neighbors[0].Address = addr("2001:db8::2%eth0") }, "neighbors[0].address"},
		"link-local peers without an interface":   {func(c *Config) { c.DynamicNeighbors[0].Prefix = prefix("fe80::/64") }, "dynamic_neighbors[0].interface"},
		"an interface of other peers":             {func(c *Config) { c.DynamicNeighbors[0].Interface = "eth0" }, "dynamic_neighbors[0].interface"},
		"a port without connect":                  {func(c *Config) { c.Neighbors[0].Port = 1179 }, "neighbors[0].connect"},
		"a port that is none":                     {func(c *Config) { c.Neighbors[0].Dialing = Dialing{Connect: true, Port: 65536} }, "neighbors[0].port"},
		"a local address of the other IP version": {func(c *Config) { c.Neighbors[0].Dialing = Dialing{Connect: true, LocalAddress: addr("::1")} }, "neighbors[0].local_address"},
		"a local address on another link": {func(c *Config) {
			c.Neighbors[0].Address, c.Neighbors[0].Dialing = addr("fe80::2%eth0"), Dialing{Connect: true, LocalAddress: addr("fe80::1%eth1")}
		}, "neighbors[0].local_address"},
		"TCP-AO and TCP-MD5": {func(c *Config) {
			c.Neighbors[0].Password, c.Neighbors[0].TCPAO = "x", []AOKey{{Key: "y"}}
		}, "neighbors[0].tcp_ao"},
		"a KeyID that is none":      {func(c *Config) { c.Neighbors[0].TCPAO = []AOKey{{SendID: 256}} }, "neighbors[0].tcp_ao[0].send_id"},
		"a KeyID of the peer, none": {func(c *Config) { c.Neighbors[0].TCPAO = []AOKey{{RecvID: -1}} }, "neighbors[0].tcp_ao[0].recv_id"},
		"an algorithm that is none": {func(c *Config) { c.Neighbors[0].TCPAO = []AOKey{{Algorithm: "md5"}} }, "neighbors[0].tcp_ao[0].algorithm"},
		"a KeyID twice":             {func(c *Config) { c.Neighbors[0].TCPAO = []AOKey{{SendID: 1, RecvID: 1}, {SendID: 2, RecvID: 1}} }, "neighbors[0].tcp_ao[1].send_id"},
		"an endless key of TCP-AO":  {func(c *Config) { c.Neighbors[0].TCPAO = []AOKey{{Key: collector.Secret(strings.Repeat("x", 81))}} }, "neighbors[0].tcp_ao[0].key_file"},
		"an address twice, one with TCP-AO": {func(c *Config) {
			c.Neighbors[1].Address, c.Neighbors[1].TCPAO = addr("127.0.0.2"), []AOKey{{Key: "y"}}
		}, "neighbors[1].tcp_ao"},
		"a neighbor within a prefix of TCP-AO": {func(c *Config) {
			c.DynamicNeighbors[0].Prefix, c.DynamicNeighbors[0].TCPAO = prefix("127.0.0.0/16"), []AOKey{{Key: "y"}}
		}, "neighbors[0].address"},
		"a link-local prefix on two links, one password": {func(c *Config) {
			lan := DynamicNeighbor{Prefix: prefix("fe80::/10"), Interface: "eth0", Settings: DefaultSettings()}
			other := lan
			other.Interface, other.Password = "eth1", "x"
			c.DynamicNeighbors = []DynamicNeighbor{lan, other}
		}, "dynamic_neighbors[1].password_file"},
		"a retry in no time":            {func(c *Config) { c.Neighbors[0].Dialing = Dialing{Connect: true, ConnectRetry: 1} }, "neighbors[0].connect_retry"},
		"a name twice":                  {func(c *Config) { c.Neighbors[1].Name = "edge1" }, "neighbors[1].name"},
		"a name with a blank":           {func(c *Config) { c.Neighbors[0].Name = "edge 1" }, "neighbors[0].name"},
		"no peer AS":                    {func(c *Config) { c.Neighbors[0].ASN = 0 }, "neighbors[0].asn"},
		"a hold time of 2s":             {func(c *Config) { c.Neighbors[0].HoldTime = 2 * time.Second }, "neighbors[0].hold_time"},
		"a hold time below its minimum": {func(c *Config) { c.Neighbors[0].MinHoldTime = 91 * time.Second }, "neighbors[0].min_hold_time"},
		"TTL security over 255 hops":    {func(c *Config) { c.Neighbors[0].TTLSecurity = 255 }, "neighbors[0].ttl_security"},
		"a warning at 101 percent":      {func(c *Config) { c.Neighbors[0].MaxPrefixesWarning = 101 }, "neighbors[0].max_prefixes_warning"},
		"an endless password":           {func(c *Config) { c.Neighbors[0].Password = collector.Secret(strings.Repeat("x", 81)) }, "neighbors[0].password_file"},
		"an unknown family":             {func(c *Config) { c.Neighbors[0].Families = []route.Family{0, 9} }, "neighbors[0].families[1]"},
		"a prefix with host bits":       {func(c *Config) { c.DynamicNeighbors[0].Prefix = prefix("127.0.1.1/24") }, "dynamic_neighbors[0].prefix"},
		"a group that no name can hold": {func(c *Config) { c.DynamicNeighbors[0].Group = "a b" }, "dynamic_neighbors[0].group"},
		"AS 0 among those accepted":     {func(c *Config) { c.DynamicNeighbors[0].ASNs = []route.ASN{1, 0} }, "dynamic_neighbors[0].asn"},
		"no password within a prefix of them": {func(c *Config) {
			c.DynamicNeighbors[0].Prefix, c.DynamicNeighbors[0].Password = prefix("127.0.0.0/16"), "x"
		}, "neighbors[0].password_file"},
	}
	for name, tt := range tests {
		cfg := testConfig(testNeighbor("edge1", "127.0.0.2", 64501), testNeighbor("edge2", "127.0.0.3", 64502))
		cfg.DynamicNeighbors = []DynamicNeighbor{{Prefix: prefix("127.0.1.0/24"), Settings: DefaultSettings()}}
		if err := cfg.Validate(); err != nil {
			t.Fatalf("before the change: %v", err)
		}
		tt.change(&cfg)
		var e *setting.Error
		if err := cfg.Validate(); !errors.As(err, &e) || e.Key != tt.field || e.Reason == "" {
			t.Errorf("%s: Validate() = %v, want an error of %s", name, err, tt.field)
		}
	}
}

func TestZeroSettingsAreTheDefaults(t *testing.T) {
	t.Parallel()
	cfg := testConfig(Neighbor{Address: addr("127.0.0.2"), ASN: 64501})
	if err := cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	n := cfg.normalized().Neighbors[0]
	if n.Name != "127.0.0.2" || n.HoldTime != 90*time.Second || len(n.Families) != 2 || n.MaxPrefixesWarning != 80 {
		t.Errorf("normalized: %+v", n)
	}
}

func TestSecretDoesNotPrint(t *testing.T) {
	t.Parallel()
	const secret = "correct horse"
	n := testNeighbor("edge1", "127.0.0.2", 64501)
	n.Password = secret
	n.TCPAO = []AOKey{{Key: secret}}
	var b bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		fmt.Fprintf(&b, verb+"\n", n)
		fmt.Fprintf(&b, verb+"\n", n.Password)
	}
	slog.New(slog.NewJSONHandler(&b, nil)).Info("x", "neighbor", n, "password", n.Password)
	slog.New(slog.NewTextHandler(&b, nil)).Info("x", "neighbor", n, "password", n.Password)
	for _, marshal := range []func(any) ([]byte, error){json.Marshal, yaml.Marshal} {
		text, err := marshal(map[string]any{"n": n, "p": n.Password})
		if err != nil {
			t.Fatal(err)
		}
		b.Write(text)
	}
	if strings.Contains(b.String(), secret) || strings.Contains(b.String(), fmt.Sprintf("%x", secret)) {
		t.Errorf("the secret shows:\n%s", b.String())
	}
}

func TestHistoryKeepsTheLast50(t *testing.T) {
	t.Parallel()
	var h history
	for i := range 60 {
		h.add(route.Transition{Reason: fmt.Sprint(i)})
	}
	list := h.list()
	if len(list) != 50 || list[0].Reason != "59" || list[49].Reason != "10" {
		t.Errorf("%d transitions from %s to %s", len(list), list[0].Reason, list[len(list)-1].Reason)
	}
}
