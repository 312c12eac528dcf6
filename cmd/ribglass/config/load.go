package config

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"slices"

	"ribglass/ui/site"
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
		readSite(d, &cfg)
	}
	if len(d.errors) > 0 {
		slices.SortStableFunc(d.errors, func(a, b *Error) int {
			return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
		})
		return nil, d.errors
	}
	return &cfg, nil
}

// readSite reads what the files of the site say.
func readSite(d *decoder, cfg *Config) {
	var err error
	if cfg.Site, err = site.Load(cfg.SiteFiles); err == nil {
		return
	}
	mistakes, ok := errors.AsType[site.Errors](err)
	if !ok {
		d.reportAt("site", "%s", err)
	}
	for _, m := range mistakes {
		d.reportAt("site."+m.Key, "%s", m)
	}
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
