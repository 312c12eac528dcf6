package config

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"strings"

	"ribglass/collector/bgp"
	"ribglass/setting"
)

// check reports what the settings of a decoded file cannot mean, alone or
// together. What a component checks of its own settings is put to their places
// in the file.
func check(d *decoder, cfg *Config) {
	checkRequired(d, cfg)
	checkHistory(d, cfg)
	checkMemory(d, cfg.Memory)
	checkListeners(d, cfg)
	checkDemo(d, cfg)
	if len(d.errors) == 0 {
		checkBGP(d, cfg)
	}
}

// checkRequired reports the keys that have no default and are not there.
func checkRequired(d *decoder, cfg *Config) {
	require := func(path, what string) {
		if !d.has(path) {
			d.reportAt(path, "%s is missing: %s", lastKey(path), what)
		}
	}
	require("asn", "the AS number Ribglass peers as")
	require("router_id", "the BGP identifier, an IPv4 address of this machine")
	for i := range cfg.Neighbors {
		path := fmt.Sprintf("neighbors[%d]", i)
		require(path+".address", "the address the neighbor's session comes from")
		require(path+".asn", "the neighbor's AS number")
		checkZeros(d, path, cfg.Neighbors[i].Settings)
	}
	for i := range cfg.DynamicNeighbors {
		require(fmt.Sprintf("dynamic_neighbors[%d].prefix", i), "the addresses that may connect, such as 198.51.100.0/24")
		checkZeros(d, fmt.Sprintf("dynamic_neighbors[%d]", i), cfg.DynamicNeighbors[i].Settings)
	}
	if len(cfg.Neighbors)+len(cfg.DynamicNeighbors) == 0 {
		d.reportAt("neighbors", "there is no neighbor: one entry in neighbors or dynamic_neighbors is wanted")
	}
}

// checkZeros reports zeros that are written where zero cannot be: the collector
// would take its default for them.
func checkZeros(d *decoder, path string, s bgp.Settings) {
	for key, zero := range map[string]bool{
		"hold_time":            s.HoldTime == 0,
		"max_stale_time":       s.MaxStaleTime == 0,
		"stale_sweep":          s.StaleSweep == 0,
		"max_attribute_bytes":  s.MaxAttributeBytes == 0,
		"max_attribute_length": s.MaxAttributeLength == 0,
		"max_prefixes_warning": s.MaxPrefixesWarning == 0,
	} {
		if zero && d.has(path+"."+key) {
			d.reportAt(path+"."+key, "%s: cannot be zero; leave the key out for the default", key)
		}
	}
}

func checkMemory(d *decoder, m Memory) {
	const least = 64 << 20
	if m.Limit != 0 && m.Limit < least {
		d.reportAt("memory.limit", "limit: %d bytes is too little to run in; at least 64MiB", m.Limit)
	}
	if d.has("memory.gc_percent") && (m.GCPercent < 1 || m.GCPercent > 1000) {
		d.reportAt("memory.gc_percent", "gc_percent: %d is not between 1 and 1000", m.GCPercent)
	}
}

func checkHistory(d *decoder, cfg *Config) {
	switch {
	case cfg.DataDir != "" && !filepath.IsAbs(cfg.DataDir) && len(cfg.Demo.Speakers) == 0:
		d.reportAt("data_dir", "data_dir: %q is relative; write the whole path", cfg.DataDir)
	case cfg.DataDir == "" && d.has("history"):
		d.reportAt("history", "history: without data_dir there is no place to keep it in")
	}
	checkComponent(d, "history", cfg.History.Settings().Validate())
}

func checkListeners(d *decoder, cfg *Config) {
	for i, ap := range cfg.Listen {
		path := fmt.Sprintf("listen[%d]", i)
		for _, before := range cfg.Listen[:i] {
			switch {
			case ap.Port() == 0:
			case ap == before:
				d.reportAt(path, "listen: %s stands here twice", ap)
			case overlap(ap.String(), before.String()):
				d.reportAt(path, "listen: %s and %s take the same connections; one of them is enough", before, ap)
			}
		}
		for _, other := range []struct{ key, address string }{{"http.listen", cfg.HTTP.Listen}, {"admin.listen", cfg.Admin.Listen}} {
			if overlap(ap.String(), other.address) {
				d.reportAt(path, "listen: %s is for BGP, and %s is %s: they need different ports", ap, other.key, other.address)
			}
		}
		checkZone(d, path, ap.String())
	}
	checkZone(d, "http.listen", cfg.HTTP.Listen)
	checkZone(d, "admin.listen", cfg.Admin.Listen)
	checkComponent(d, "http", cfg.HTTP.Validate())
	checkComponent(d, "admin", cfg.Admin.Validate())
	checkComponent(d, "search", cfg.Search.Validate())
	if overlap(cfg.HTTP.Listen, cfg.Admin.Listen) {
		d.reportAt("admin.listen", "admin.listen: %s is the address of http.listen too (%s)", cfg.Admin.Listen, cfg.HTTP.Listen)
	}
}

// checkZone reports a link-local address without its interface.
func checkZone(d *decoder, path, address string) {
	if zoneless(address) {
		d.reportAt(path, "%s: %s is an address on every link: write its interface too, such as [fe80::1%%eth0]:179", lastKey(path), address)
	}
}

// checkComponent reports what the component configured at path, which is "" for
// the whole file, says of its settings.
func checkComponent(d *decoder, path string, err error) {
	if err == nil {
		return
	}
	all, ok := errors.AsType[setting.Errors](err)
	if one, single := errors.AsType[*setting.Error](err); single {
		all, ok = setting.Errors{one}, true
	}
	if !ok { // no component returns another
		d.reportAt(path, "%s", err)
		return
	}
	for _, e := range all {
		key := e.Key
		if path != "" {
			key = path + "." + key
		}
		d.reportOnce(key, "%s: %s", cmp.Or(lastKey(key), key), e.Reason)
	}
}

// checkBGP reports what the BGP collector says of its settings. It tells one
// mistake at a time, so it is asked about each neighbour alone, and about all
// together when each alone is right.
func checkBGP(d *decoder, cfg *Config) {
	all := cfg.BGP()
	before := len(d.errors)
	for i, n := range all.Neighbors {
		one := bgp.Config{ASN: all.ASN, RouterID: all.RouterID, Listen: all.Listen, Neighbors: []bgp.Neighbor{n}}
		checkElement(d, one.Validate(), fmt.Sprintf("neighbors[%d]", i))
	}
	for i, n := range all.DynamicNeighbors {
		one := bgp.Config{ASN: all.ASN, RouterID: all.RouterID, Listen: all.Listen, DynamicNeighbors: []bgp.DynamicNeighbor{n}}
		checkElement(d, one.Validate(), fmt.Sprintf("dynamic_neighbors[%d]", i))
	}
	if len(d.errors) == before {
		checkComponent(d, "", all.Validate())
	}
}

// checkElement reports an error of the collector's validation, which was asked
// about one neighbor only: the first of a list, which stands at element.
func checkElement(d *decoder, err error, element string) {
	e, ok := errors.AsType[*setting.Error](err)
	if list, _, cut := strings.Cut(element, "["); ok && cut {
		if rest, ours := strings.CutPrefix(e.Key, list+"[0]"); ours {
			err = &setting.Error{Key: element + rest, Reason: e.Reason}
		}
	}
	checkComponent(d, "", err)
}

// checkDemo makes sure that demo speakers, which need no password, are not
// mixed into a collector that others can reach.
func checkDemo(d *decoder, cfg *Config) {
	switch {
	case cfg.Demo.Day && len(cfg.Demo.Speakers) == 0:
		d.reportAt("demo.day", "day: without demo.speakers there are no routers that could have a day")
		return
	case cfg.Demo.Day && cfg.DataDir == "":
		d.reportAt("demo.day", "day: without data_dir there is no place to keep it in; add a line such as data_dir: demo-data")
	}
	if len(cfg.Demo.Speakers) == 0 {
		return
	}
	neighbors := make(map[string]netip.Addr)
	for _, n := range cfg.Neighbors {
		neighbors[cmp.Or(n.Name, n.Address.String())] = n.Address
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
