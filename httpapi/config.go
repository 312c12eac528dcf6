package httpapi

import (
	"fmt"
	"net/netip"
	"time"

	"ribglass/httpapi/web"
	"ribglass/setting"
	"ribglass/ui/catalogue"
)

// Config says how the public listener behaves. The zero value is not usable:
// begin with [DefaultConfig].
type Config struct {
	// Listen is the TCP address, such as ":8080".
	Listen string `yaml:"listen"`
	// TrustedProxies are the addresses whose X-Forwarded-For is believed. Empty
	// means that none is.
	TrustedProxies []netip.Prefix `yaml:"trusted_proxies"`
	// Hosts are the names (without port) under which the server answers; any
	// other Host is refused, which stops DNS rebinding. Empty allows all.
	Hosts []string `yaml:"hosts"`
	// MaxConnections bounds the open connections; more wait in the kernel.
	MaxConnections int `yaml:"max_connections"`
	// MaxStreams bounds the streams (NDJSON, CSV) written at once; one more is
	// refused.
	MaxStreams int `yaml:"max_streams"`
	// QueryTimeout bounds one search together with its wait for a place; the
	// store's own budget is meant to end it before.
	QueryTimeout time.Duration `yaml:"query_timeout"`
	// Languages are those that pages are offered in; the first is for readers who
	// ask for none of them. Empty offers all that there are, English first.
	Languages []string `yaml:"languages"`
	// Texts is a directory of JSON files with the texts of more languages; "" is
	// none.
	Texts string `yaml:"texts"`
}

// DefaultConfig returns the settings that hold where the configuration is silent.
func DefaultConfig() Config {
	return Config{Listen: ":8080", MaxConnections: 8192, MaxStreams: 16, QueryTimeout: 15 * time.Second}
}

// LoadTexts reads the texts of the pages, in their languages.
func (c Config) LoadTexts() (*catalogue.Set, error) {
	set, err := catalogue.Load(c.Texts, c.Languages)
	if err != nil {
		return nil, fmt.Errorf("texts of pages: %w", err)
	}
	return set, nil
}

// Validate returns the first setting that cannot be as a [*setting.Error], or nil.
func (c Config) Validate() error {
	if err := web.ValidateListen(c.Listen); err != nil {
		return err
	}
	if c.MaxConnections < 1 {
		return setting.Errorf("max_connections", "%d: must be at least 1", c.MaxConnections)
	}
	if c.MaxStreams < 1 {
		return setting.Errorf("max_streams", "%d: must be at least 1", c.MaxStreams)
	}
	if c.QueryTimeout <= 0 {
		return setting.Errorf("query_timeout", "%v: must be positive", c.QueryTimeout)
	}
	for _, p := range c.TrustedProxies {
		if !p.IsValid() {
			return setting.Errorf("trusted_proxies", "not a prefix")
		}
	}
	return web.ValidateHosts(c.Hosts)
}
