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

	"ribglass/collector/bgp"
	"ribglass/httpapi"
	"ribglass/ribstore"
	"ribglass/ribstore/history"
	"ribglass/ribstore/route"
	"ribglass/setting"
	"ribglass/ui/names"
	"ribglass/ui/site"
)

// Config is a complete, valid configuration. The components declare their own
// settings; what is here is the file's shape, the secrets, and what belongs to
// the process.
type Config struct {
	ASN              route.ASN           `yaml:"asn"`
	RouterID         netip.Addr          `yaml:"router_id"`
	Listen           []netip.AddrPort    `yaml:"listen"`
	HTTP             httpapi.Config      `yaml:"http"`
	Admin            httpapi.AdminConfig `yaml:"admin"`
	DataDir          string              `yaml:"data_dir"`
	Log              Log                 `yaml:"log"`
	Memory           Memory              `yaml:"memory"`
	Search           ribstore.Config     `yaml:"search"`
	History          History             `yaml:"history"`
	Names            names.Config        `yaml:"names"`
	SiteFiles        site.Config         `yaml:"site"`
	Neighbors        []Neighbor          `yaml:"neighbors"`
	DynamicNeighbors []DynamicNeighbor   `yaml:"dynamic_neighbors"`
	Demo             Demo                `yaml:"demo"`

	Site *site.Site // SiteFiles with what is in the files
}

// Neighbor is a router that peers with Ribglass.
type Neighbor struct {
	bgp.Neighbor `yaml:",inline"`
	Secret       `yaml:",inline"`
}

// DynamicNeighbor accepts every router of a prefix.
type DynamicNeighbor struct {
	bgp.DynamicNeighbor `yaml:",inline"`
	Secret              `yaml:",inline"`
}

// Secret says where a password is. The password itself is never in the file.
type Secret struct {
	PasswordFile string `yaml:"password_file"`
	PasswordEnv  string `yaml:"password_env"`
}

// BGP returns the part of the configuration that the BGP collector works with.
func (c *Config) BGP() bgp.Config {
	cfg := bgp.Config{ASN: c.ASN, RouterID: c.RouterID, Listen: c.Listen}
	for i := range c.Neighbors {
		cfg.Neighbors = append(cfg.Neighbors, c.Neighbors[i].Neighbor)
	}
	for i := range c.DynamicNeighbors {
		cfg.DynamicNeighbors = append(cfg.DynamicNeighbors, c.DynamicNeighbors[i].DynamicNeighbor)
	}
	return cfg
}

// Log configures what is written to standard error.
type Log struct {
	Level  slog.Level `yaml:"level"`
	Format Format     `yaml:"format"`
}

// Memory bounds what the Go runtime uses. Zero leaves a setting to the
// runtime's own environment variables, GOMEMLIMIT and GOGC.
type Memory struct {
	Limit     setting.Size `yaml:"limit"`
	GCPercent int          `yaml:"gc_percent"`
}

// History configures the past, which is kept where there is a DataDir.
type History struct {
	history.Config `yaml:",inline"`

	MaxSize setting.Size `yaml:"max_size"`
}

// Settings returns the configuration as the history takes it.
func (h History) Settings() history.Config {
	settings := h.Config
	settings.MaxSize = int64(h.MaxSize)
	return settings
}

// Demo configures the speakers that peer with Ribglass from inside the program
// and announce recorded routes.
type Demo struct {
	Speakers []DemoSpeaker `yaml:"speakers"`
	Day      bool          `yaml:"day"` // before the first start, a day of history is made up in DataDir
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
	past := history.DefaultConfig()
	return Config{
		Listen:  bgp.DefaultConfig().Listen,
		HTTP:    httpapi.DefaultConfig(),
		Admin:   httpapi.DefaultAdminConfig(),
		Log:     Log{Format: FormatText},
		Search:  ribstore.DefaultConfig(),
		History: History{Config: past, MaxSize: setting.Size(past.MaxSize)},
		Site:    new(site.Site),
	}
}

func (n *Neighbor) setDefaults() {
	n.Settings, n.Dialing = bgp.DefaultSettings(), bgp.DefaultDialing()
}

func (n *DynamicNeighbor) setDefaults() { n.Settings = bgp.DefaultSettings() }
