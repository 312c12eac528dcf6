package admin

import "ribglass/httpapi/web"

// Config says how the admin listener behaves.
type Config struct {
	// Listen is the TCP address; keep it off the public network.
	Listen string `yaml:"listen"`
	// Hosts are names under which commands (POST) are accepted beside
	// "localhost" and bare addresses, which are always.
	Hosts []string `yaml:"hosts"`
}

// DefaultConfig returns the settings that hold where the configuration is silent.
func DefaultConfig() Config { return Config{Listen: "127.0.0.1:9090"} }

// Validate says what is wrong with c.
func (c Config) Validate() error {
	if err := web.ValidateListen(c.Listen); err != nil {
		return err
	}
	return web.ValidateHosts(c.Hosts)
}
