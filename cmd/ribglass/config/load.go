package config

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"ribglass/ui/names"
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
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("configuration: %w: name the file with --config or RIBGLASS_CONFIG", err)
	}
	if err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	return parseConfig(path, text, over, os.LookupEnv)
}

// Check is Load for an operator who asks what is wrong: it tries every file that
// the configuration names, also the files that the program reads only later and
// goes on without.
func Check(path string) (*Config, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	return CheckText(path, text)
}

// CheckText is Check of a text that was read already; name stands for it in errors.
func CheckText(name string, text []byte) (*Config, error) {
	return parseConfig(name, text, Overrides{}, os.LookupEnv, tryTexts, tryNames)
}

// parseConfig decodes and checks a file's text; lookup reads the environment. What
// tries names is done when nothing else is wrong with the text.
func parseConfig(file string, text []byte, over Overrides, lookup func(string) (string, bool), tries ...func(*decoder, *Config)) (*Config, error) {
	cfg := Default()
	text = bytes.TrimPrefix(text, []byte("\ufeff")) // the byte order mark of some editors
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
		if len(d.errors) == 0 {
			checkBGP(d, &cfg) // again, with the keys
		}
		readSite(d, &cfg)
		for _, try := range tries {
			try(d, &cfg)
		}
	}
	if len(d.errors) > 0 {
		slices.SortStableFunc(d.errors, func(a, b *Error) int {
			return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
		})
		return nil, d.errors
	}
	if cfg.DataDir != "" {
		// A demonstration's may be relative: it is started by hand, where it is looked at.
		dir, err := filepath.Abs(cfg.DataDir)
		if err != nil {
			return nil, fmt.Errorf("configuration: data_dir: %w", err)
		}
		cfg.DataDir = dir
	}
	return &cfg, nil
}

// readSite reads what the files of the site say.
func readSite(d *decoder, cfg *Config) {
	var err error
	cfg.Site, err = site.Load(cfg.SiteFiles)
	checkComponent(d, "site", err)
}

// tryTexts reads the texts of pages: first all that there are, so that what is
// wrong with a file is not put down to the choice of languages.
func tryTexts(d *decoder, cfg *Config) {
	all := cfg.HTTP
	all.Languages = nil
	if _, err := all.LoadTexts(); err != nil {
		reportFile(d, "http.texts", err)
		return
	}
	if _, err := cfg.HTTP.LoadTexts(); err != nil {
		reportFile(d, "http.languages", err)
	}
}

// tryNames reads the files of names, one of both at a time, so that what is wrong
// has a key.
func tryNames(d *decoder, cfg *Config) {
	keeper := new(names.Keeper)
	if err := keeper.Load(names.Config{File: cfg.Names.File, Communities: names.None}); err != nil {
		reportFile(d, "names.file", err)
	}
	if err := keeper.Load(names.Config{File: names.None, Communities: cfg.Names.Communities}); err != nil {
		reportFile(d, "names.communities", err)
	}
}

// reportFile reports what is wrong with the file that the key at path names.
func reportFile(d *decoder, path string, err error) {
	d.reportAt(path, "%s: %s", lastKey(path), strings.TrimPrefix(err.Error(), lastKey(path)+": "))
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
