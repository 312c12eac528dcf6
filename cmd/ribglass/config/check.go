package config

import (
	"fmt"
	"math"
	"net"
	"net/netip"
	"path/filepath"
	"strconv"
	"strings"
	"time"
	"unicode"

	"ribglass/ribstore/route"
)

// check reports what the settings of a decoded file cannot mean, alone or
// together.
func check(d *decoder, cfg *Config) {
	checkASN(d, "asn", cfg.ASN, "the AS number Ribglass peers as")
	switch {
	case !cfg.RouterID.IsValid():
		d.reportAt("router_id", "router_id is missing: the BGP identifier, an IPv4 address of this machine")
	case !cfg.RouterID.Is4() || cfg.RouterID.IsUnspecified() || cfg.RouterID.IsMulticast():
		d.reportAt("router_id", "router_id: %s is no BGP identifier; it is an IPv4 address, usually one of this machine", cfg.RouterID)
	}
	checkListeners(d, cfg)
	if cfg.DataDir != "" && !filepath.IsAbs(cfg.DataDir) {
		d.reportAt("data_dir", "data_dir: %q is relative; write the whole path", cfg.DataDir)
	}
	checkMemory(d, cfg.Memory)
	if len(cfg.Neighbors)+len(cfg.DynamicNeighbors) == 0 {
		d.reportAt("neighbors", "there is no neighbor: one entry in neighbors or dynamic_neighbors is wanted")
	}
	checkNeighbors(d, cfg.Neighbors)
	checkDynamic(d, cfg.DynamicNeighbors)
	checkDemo(d, cfg)
}

func checkASN(d *decoder, path string, n route.ASN, what string) {
	switch n {
	case 0:
		if !d.has(path) {
			d.reportAt(path, "asn is missing: %s", what)
			return
		}
		d.reportAt(path, "asn: 0 is reserved (RFC 7607)")
	case route.ASTrans:
		d.reportAt(path, "asn: 23456 is AS_TRANS and stands for no network (RFC 6793)")
	case math.MaxUint16, math.MaxUint32:
		d.reportAt(path, "asn: %d is reserved (RFC 7300)", n)
	}
}

func checkListeners(d *decoder, cfg *Config) {
	if len(cfg.Listen) == 0 {
		d.reportAt("listen", "listen is empty: leave the key out for [::]:179")
	}
	first := make(map[netip.AddrPort]int)
	for i, ap := range cfg.Listen {
		if j, twice := first[ap]; twice && ap.Port() != 0 {
			d.reportAt(fmt.Sprintf("listen[%d]", i), "listen: %s stands here twice, first as entry %d", ap, j+1)
		}
		first[ap] = i
	}
	checkListen(d, "http.listen", cfg.HTTP.Listen)
	checkListen(d, "admin.listen", cfg.Admin.Listen)
	if cfg.HTTP.Listen == cfg.Admin.Listen && !strings.HasSuffix(cfg.HTTP.Listen, ":0") {
		d.reportAt("admin.listen", "admin.listen: %s is the address of http.listen too", cfg.Admin.Listen)
	}
	for i, host := range cfg.HTTP.Hosts {
		if host == "" || strings.ContainsFunc(host, func(r rune) bool { return unicode.IsSpace(r) || r == '/' }) {
			d.reportAt(fmt.Sprintf("http.hosts[%d]", i), "hosts: %q is not a host name", host)
		}
	}
}

func checkListen(d *decoder, path, listen string) {
	_, port, err := net.SplitHostPort(listen)
	if err != nil {
		d.reportAt(path, "listen: %q is not an address and port such as :8080 or 127.0.0.1:9090", listen)
		return
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		d.reportAt(path, "listen: port %q is not a number from 0 to 65535", port)
	}
}

func checkMemory(d *decoder, m Memory) {
	const least = 64 << 20
	if m.Limit != 0 && m.Limit < least {
		d.reportAt("memory.limit", "limit: %d bytes is too little to run in; at least 64MiB", m.Limit)
	}
	if m.GCPercent < 0 || m.GCPercent > 1000 {
		d.reportAt("memory.gc_percent", "gc_percent: %d is not between 1 and 1000", m.GCPercent)
	}
}

func checkNeighbors(d *decoder, neighbors []Neighbor) {
	names, addresses := make(map[string]string), make(map[netip.Addr]string)
	for i := range neighbors {
		n, path := &neighbors[i], fmt.Sprintf("neighbors[%d]", i)
		checkAddress(d, path+".address", n.Address)
		if other, twice := addresses[n.Address]; twice && n.Address.IsValid() {
			d.reportAt(path+".address", "address: %s is the address of neighbor %s too", n.Address, other)
		}
		if n.Name == "" && n.Address.IsValid() {
			n.Name = n.Address.String()
		}
		if message := wrongName(n.Name); message != "" {
			d.reportAt(path+".name", "name: %q %s", n.Name, message)
		}
		if at, twice := names[n.Name]; twice && n.Name != "" {
			d.reportAt(path+".name", "name: %q is the name of the neighbor in line %d too", n.Name, d.at[at].Line)
		}
		names[n.Name], addresses[n.Address] = path, n.Name
		if n.Router == "" {
			n.Router = n.Name
		}
		if len(n.Shutdown) > 255 {
			d.reportAt(path+".shutdown", "shutdown: %d bytes; the message a neighbor is told has at most 255 (RFC 9003)", len(n.Shutdown))
		}
		checkSession(d, path, &n.Session)
	}
}

func checkAddress(d *decoder, path string, addr netip.Addr) {
	switch {
	case !addr.IsValid():
		d.reportAt(path, "address is missing: the address the neighbor's sessions come from")
	case addr.IsUnspecified() || addr.IsMulticast():
		d.reportAt(path, "address: %s is the address of no router", addr)
	}
}

// wrongName says what is wrong with the name of a neighbour, router or group:
// names are words of the query language and parts of URLs.
func wrongName(name string) string {
	const most = 64
	if len(name) > most {
		return "is longer than 64 bytes"
	}
	for _, r := range name {
		if r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("._:-", r) {
			return fmt.Sprintf("has %q in it: only letters, digits, '.', '_', ':' and '-'", r)
		}
	}
	return ""
}

func checkDynamic(d *decoder, rules []DynamicNeighbor) {
	first := make(map[netip.Prefix]int)
	for i := range rules {
		rule, path := &rules[i], fmt.Sprintf("dynamic_neighbors[%d]", i)
		if !rule.Prefix.IsValid() {
			d.reportAt(path+".prefix", "prefix is missing: the addresses that may connect, such as 198.51.100.0/24")
		} else if j, twice := first[rule.Prefix]; twice {
			d.reportAt(path+".prefix", "prefix: %s stands in entry %d too", rule.Prefix, j+1)
		}
		first[rule.Prefix] = i
		checkSession(d, path, &rule.Session)
	}
}

func checkSession(d *decoder, path string, s *Session) {
	checkASN(d, path+".asn", s.ASN, "the neighbor's AS number")
	for key, name := range map[string]string{"group": s.Group, "router": s.Router} {
		if message := wrongName(name); message != "" {
			d.reportAt(path+"."+key, "%s: %q %s", key, name, message)
		}
	}
	if strings.ContainsFunc(s.Description, unicode.IsControl) {
		d.reportAt(path+".description", "description: has a control character in it; write one line of text")
	}
	checkHoldTime(d, path+".hold_time", s.HoldTime)
	if s.TTLSecurity < 0 || s.TTLSecurity > 254 {
		d.reportAt(path+".ttl_security", "ttl_security: %d is not a number of hops from 1 to 254, or 0 for off", s.TTLSecurity)
	}
	if s.MaxPrefixes < 0 {
		d.reportAt(path+".max_prefixes", "max_prefixes: %d is negative; 0 means no limit", s.MaxPrefixes)
	}
	checkFamilies(d, path+".families", s.Families)
	checkStale(d, path, s)
	if s.PasswordFile != "" && s.PasswordEnv != "" {
		d.reportAt(path+".password_env", "password_env and password_file exclude each other")
	}
}

func checkHoldTime(d *decoder, path string, hold time.Duration) {
	switch {
	case hold == 0:
	case hold < 3*time.Second || hold > math.MaxUint16*time.Second:
		d.reportAt(path, "hold_time: %s is not from 3s to 65535s; 0s turns keepalives off (RFC 4271)", hold)
	case hold%time.Second != 0:
		d.reportAt(path, "hold_time: %s is not a whole number of seconds", hold)
	}
}

func checkStale(d *decoder, path string, s *Session) {
	const day = 24 * time.Hour
	if s.StaleTime > day {
		d.reportAt(path+".stale_time", "stale_time: %s is more than 24h; longer is what long_lived_stale_time is for", s.StaleTime)
	}
	if s.LongLived > 194*day { // RFC 9494: 24 bits of seconds
		d.reportAt(path+".long_lived_stale_time", "long_lived_stale_time: %s is more than 4656h, the most the protocol can say (RFC 9494)", s.LongLived)
	}
}

func checkFamilies(d *decoder, path string, families []route.Family) {
	if len(families) == 0 {
		d.reportAt(path, "families is empty: leave the key out for ipv4-unicast and ipv6-unicast")
	}
	var seen [route.NumFamilies]bool
	for i, f := range families {
		if seen[f] {
			d.reportAt(fmt.Sprintf("%s[%d]", path, i), "families: %s stands here twice", f)
		}
		seen[f] = true
	}
}

// checkDemo makes sure that demo speakers, which need no password, are not
// mixed into a collector that others can reach.
func checkDemo(d *decoder, cfg *Config) {
	if len(cfg.Demo.Speakers) == 0 {
		return
	}
	neighbors := make(map[string]netip.Addr)
	for _, n := range cfg.Neighbors {
		neighbors[n.Name] = n.Address
	}
	played := make(map[string]bool)
	for i, s := range cfg.Demo.Speakers {
		path := fmt.Sprintf("demo.speakers[%d]", i)
		addr, known := neighbors[s.Neighbor]
		switch {
		case s.Neighbor == "":
			d.reportAt(path+".neighbor", "neighbor is missing: the name of the neighbor this speaker plays")
		case !known:
			d.reportAt(path+".neighbor", "neighbor: there is no neighbor %q", s.Neighbor)
		case !addr.IsLoopback():
			d.reportAt(path+".neighbor", "neighbor: a demo speaker dials from this machine, so %s needs a loopback address, not %s", s.Neighbor, addr)
		case played[s.Neighbor]:
			d.reportAt(path+".neighbor", "neighbor: %s has a speaker already", s.Neighbor)
		}
		if s.Feed == "" {
			d.reportAt(path+".feed", "feed is missing: have full, customer, route-server")
		}
		played[s.Neighbor] = true
	}
	for i, ap := range cfg.Listen {
		if !ap.Addr().IsLoopback() {
			d.reportAt(fmt.Sprintf("listen[%d]", i), "listen: with demo speakers Ribglass listens on loopback only, not on %s", ap)
		}
	}
}
