package config

import (
	"cmp"
	"fmt"
	"os"
	"slices"
)

// Overrides are settings that flags or the environment put above those of the
// file. Empty ones change nothing.
type Overrides struct {
	Listen, HTTPListen, AdminListen string
}

// Load reads the file at path and the secrets it names. What is wrong with its
// content comes back as [Errors].
func Load(path string, over Overrides) (*Config, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	return parseConfig(path, text, over, os.LookupEnv)
}

// parseConfig decodes and checks a file's text; lookup reads the environment.
func parseConfig(file string, text []byte, over Overrides, lookup func(string) (string, bool)) (*Config, error) {
	cfg := Default()
	d := newDecoder(file, text)
	d.decode(text, &cfg)
	if err := over.apply(&cfg); err != nil {
		return nil, err
	}
	if len(d.errors) == 0 {
		check(d, &cfg)
	}
	if len(d.errors) == 0 {
		readSecrets(d, &cfg, lookup)
	}
	if len(d.errors) > 0 {
		slices.SortStableFunc(d.errors, func(a, b *Error) int {
			return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
		})
		return nil, d.errors
	}
	return &cfg, nil
}

func (o Overrides) apply(cfg *Config) error {
	if o.Listen != "" {
		ap, err := parseAddrPort(o.Listen)
		if err != nil {
			return fmt.Errorf("listen address for BGP: %w", err)
		}
		cfg.Listen = append(cfg.Listen[:0:0], ap)
	}
	cfg.HTTP.Listen = cmp.Or(o.HTTPListen, cfg.HTTP.Listen)
	cfg.Admin.Listen = cmp.Or(o.AdminListen, cfg.Admin.Listen)
	return nil
}
