// Package config reads the configuration file of Ribglass.
//
// [Load] reads, decodes and checks a file, secrets included, and returns either
// a [Config] in which everything is set and has been checked, or [Errors]:
// every mistake of the file with its line, column and reason. Nothing else in
// the program checks settings again. The package starts nothing and keeps
// nothing; a Config is a value, never changed after it was loaded.
package config

import (
	"log/slog"
	"net/netip"
	"time"

	"ribglass/ribstore/route"
)

// Config is a complete, valid configuration.
type Config struct {
	ASN              route.ASN         `yaml:"asn"`
	RouterID         netip.Addr        `yaml:"router_id"`
	Listen           []netip.AddrPort  `yaml:"listen"`
	HTTP             HTTP              `yaml:"http"`
	Admin            Admin             `yaml:"admin"`
	DataDir          string            `yaml:"data_dir"`
	Log              Log               `yaml:"log"`
	Memory           Memory            `yaml:"memory"`
	Neighbors        []Neighbor        `yaml:"neighbors"`
	DynamicNeighbors []DynamicNeighbor `yaml:"dynamic_neighbors"`
	Demo             Demo              `yaml:"demo"`
}

// HTTP configures the public listener.
type HTTP struct {
	Listen         string         `yaml:"listen"`
	Hosts          []string       `yaml:"hosts"`           // names it answers to; empty: any
	TrustedProxies []netip.Prefix `yaml:"trusted_proxies"` // whose X-Forwarded-For counts
}

// Admin configures the listener for metrics and health.
type Admin struct {
	Listen string `yaml:"listen"`
}

// Log configures what is written to standard error.
type Log struct {
	Level  slog.Level `yaml:"level"`
	Format Format     `yaml:"format"`
}

// Memory bounds what the Go runtime uses. Zero leaves a setting to the
// runtime's own environment variables, GOMEMLIMIT and GOGC.
type Memory struct {
	Limit     Size `yaml:"limit"`
	GCPercent int  `yaml:"gc_percent"`
}

// Session is what neighbours of both kinds share.
type Session struct {
	ASN          route.ASN      `yaml:"asn"`
	Group        string         `yaml:"group"`
	Router       string         `yaml:"router"` // the router it ends on; defaults to the name
	Description  string         `yaml:"description"`
	PasswordFile string         `yaml:"password_file"`
	PasswordEnv  string         `yaml:"password_env"`
	Password     string         `yaml:"-"` // what one of the two above led to
	TTLSecurity  int            `yaml:"ttl_security"`
	HoldTime     time.Duration  `yaml:"hold_time"`
	AddPath      bool           `yaml:"add_path"`
	Families     []route.Family `yaml:"families"`
	MaxPrefixes  int            `yaml:"max_prefixes"` // a family; zero: no limit
	StaleTime    time.Duration  `yaml:"stale_time"`
	LongLived    time.Duration  `yaml:"long_lived_stale_time"`
}

// Neighbor is a router that peers with Ribglass.
type Neighbor struct {
	Name     string     `yaml:"name"`
	Address  netip.Addr `yaml:"address"`
	Shutdown string     `yaml:"shutdown"` // not empty: kept down, and the neighbour is told this
	Session  `yaml:",inline"`
}

// DynamicNeighbor accepts every router of a prefix.
type DynamicNeighbor struct {
	Prefix  netip.Prefix `yaml:"prefix"`
	Session `yaml:",inline"`
}

// Demo configures the speakers that peer with Ribglass from inside the program
// and announce recorded routes.
type Demo struct {
	Speakers []DemoSpeaker `yaml:"speakers"`
}

// DemoSpeaker plays one neighbour of the configuration.
type DemoSpeaker struct {
	Neighbor string `yaml:"neighbor"`
	Feed     Feed   `yaml:"feed"`
}

// Feed is what a demo speaker announces.
type Feed string

// The feeds.
const (
	FeedFull        Feed = "full"         // every route of the demo table
	FeedCustomer    Feed = "customer"     // a customer's few prefixes
	FeedRouteServer Feed = "route-server" // several paths a prefix, with communities
)

// UnmarshalText accepts the feeds.
func (f *Feed) UnmarshalText(text []byte) error {
	return oneOf(f, string(text), FeedFull, FeedCustomer, FeedRouteServer)
}

// Format is a form of log lines.
type Format string

// The formats.
const (
	FormatText Format = "text"
	FormatJSON Format = "json"
)

// UnmarshalText accepts the formats.
func (f *Format) UnmarshalText(text []byte) error {
	return oneOf(f, string(text), FormatText, FormatJSON)
}

// Default returns the configuration of an empty file. It is not valid: asn,
// router_id and a neighbour have no default.
func Default() Config {
	return Config{
		Listen: []netip.AddrPort{netip.AddrPortFrom(netip.IPv6Unspecified(), 179)},
		HTTP:   HTTP{Listen: ":8080"},
		Admin:  Admin{Listen: "127.0.0.1:9090"},
		Log:    Log{Format: FormatText},
	}
}

func defaultSession() Session {
	return Session{
		HoldTime:  90 * time.Second,
		Families:  []route.Family{route.IPv4Unicast, route.IPv6Unicast},
		StaleTime: 10 * time.Minute,
	}
}

func (n *Neighbor) setDefaults()        { n.Session = defaultSession() }
func (n *DynamicNeighbor) setDefaults() { n.Session = defaultSession() }
