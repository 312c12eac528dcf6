package main

import (
	"fmt"
	"io/fs"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"ribglass/cmd/ribglass/config"
	"ribglass/collector/bgp"
	"ribglass/httpapi"
	"ribglass/ribstore"
	"ribglass/ribstore/history"
	"ribglass/ribstore/route"
	"ribglass/ui/site"
)

func readDoc(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile("../../" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestEveryKeyIsInTheReference compares the keys of the configuration's structs
// with the headings and tables of docs/configuration.md, both ways.
func TestEveryKeyIsInTheReference(t *testing.T) {
	var want []string
	keysOf("", reflect.TypeFor[config.Config](), &want)
	var got []string
	for _, match := range regexp.MustCompile("(?m)^\\| `([a-z_.\\[\\]]+)` \\|").FindAllStringSubmatch(readDoc(t, "docs/configuration.md"), -1) {
		got = append(got, match[1])
	}
	// What neighbors of both kinds share has its rows under neighbors only.
	var shared []string
	keysOf("dynamic_neighbors[].", reflect.TypeFor[bgp.Settings](), &shared)
	keysOf("dynamic_neighbors[].", reflect.TypeFor[config.Secret](), &shared)
	want = slices.DeleteFunc(want, func(key string) bool { return slices.Contains(shared, key) })
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(slices.Compact(want), got); diff != "" {
		t.Errorf("keys of the configuration and rows of docs/configuration.md differ (-structs +docs):\n%s", diff)
	}
}

// keysOf appends the paths of the keys below a type. A list's elements are
// written with "[]".
func keysOf(path string, t reflect.Type, keys *[]string) {
	for field := range t.Fields() {
		key, options, _ := strings.Cut(field.Tag.Get("yaml"), ",")
		switch {
		case options == "inline":
			keysOf(path, field.Type, keys)
			continue
		case key == "" || key == "-":
			continue
		}
		inner, name := field.Type, path+key
		if inner.Kind() == reflect.Slice && inner.Elem().Kind() == reflect.Struct && strings.HasPrefix(inner.Elem().PkgPath(), "ribglass/") {
			inner, name = inner.Elem(), name+"[]"
		}
		if inner.Kind() == reflect.Struct && strings.HasPrefix(inner.PkgPath(), "ribglass/") {
			keysOf(name+".", inner, keys)
			continue
		}
		*keys = append(*keys, path+key)
	}
}

// TestExampleConfigurationsAreValid loads every file of configs.
func TestExampleConfigurationsAreValid(t *testing.T) {
	for _, name := range []string{"demo.yaml", "example.yaml"} {
		if _, err := config.Load("../../configs/"+name, config.Overrides{}); err != nil {
			t.Errorf("configs/%s: %v", name, err)
		}
	}
}

// TestDocumentedDefaultsAreTheDefaults writes the default of each row of
// docs/configuration.md into a configuration, which must not change it.
func TestDocumentedDefaultsAreTheDefaults(t *testing.T) {
	// Of these the configuration holds nothing: the pages, the process and the
	// collector put their default in the place of it.
	elsewhere := []string{"memory.gc_percent", "site.name", "site.colour", "site.dark_colour", "dynamic_neighbors[].max_sessions"}
	literal := regexp.MustCompile("^(?:`([^`]+)`|([0-9]+[a-z]*)(?:: .*)?)( \\(.*\\))?$")
	compared := 0
	for _, row := range regexp.MustCompile("(?m)^\\| `([a-z_.\\[\\]]+)` \\| .*? \\| ([^|]+) \\| [^|]+ \\|$").FindAllStringSubmatch(readDoc(t, "docs/configuration.md"), -1) {
		key, value := row[1], literal.FindStringSubmatch(row[2])
		if value == nil || slices.Contains(elsewhere, key) {
			continue
		}
		compared++
		want, got := loadText(t, withKey("", "")), loadText(t, withKey(key, value[1]+value[2]))
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(site.Site{}), equal[netip.Addr](), equal[netip.AddrPort](), equal[netip.Prefix]()); diff != "" {
			t.Errorf("the default of %s is not %s (-without the key +with it):\n%s", key, row[2], diff)
		}
	}
	if compared < 25 {
		t.Errorf("only %d rows have a default that could be compared", compared)
	}
}

// equal has cmp compare values of a type by ==.
func equal[T comparable]() cmp.Option { return cmp.Comparer(func(a, b T) bool { return a == b }) }

// withKey returns a configuration in which one key is set; none when key is "".
func withKey(key, value string) string {
	neighbor, rest := "", ""
	section, name, nested := strings.Cut(key, ".")
	switch {
	case key == "":
	case key == "listen":
		rest = "listen: [" + value + "]\n"
	case section == "neighbors[]":
		neighbor = ", " + name + ": " + value
	case nested:
		rest = section + ": { " + name + ": " + strconv.Quote(value) + " }\n"
		if _, err := strconv.Atoi(value); err == nil {
			rest = section + ": { " + name + ": " + value + " }\n"
		}
	default:
		rest = key + ": " + value + "\n"
	}
	return "asn: 64500\nrouter_id: 192.0.2.10\ndata_dir: /var/lib/ribglass\nneighbors:\n  - { address: 192.0.2.1, asn: 64501" + neighbor + " }\n" + rest
}

func loadText(t *testing.T, text string) *config.Config {
	t.Helper()
	file := filepath.Join(t.TempDir(), "ribglass.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load(file, config.Overrides{})
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return cfg
}

// TestTheExampleHasTheDefaults compares what configs/example.yaml sets with the
// defaults, but for what has none.
func TestTheExampleHasTheDefaults(t *testing.T) {
	got, err := config.Load("../../configs/example.yaml", config.Overrides{})
	if err != nil {
		t.Fatal(err)
	}
	want := config.Default()
	neighbor := got.Neighbors[0].Settings
	settings := bgp.DefaultSettings()
	settings.Group, settings.Router, settings.Description = neighbor.Group, neighbor.Router, neighbor.Description
	settings.AddPath, settings.MaxPrefixes = neighbor.AddPath, neighbor.MaxPrefixes
	for _, row := range []struct {
		section   string
		want, got any
	}{
		{"listen", want.Listen, got.Listen},
		{"http", want.HTTP, got.HTTP},
		{"admin", want.Admin, got.Admin},
		{"search", want.Search, got.Search},
		{"log", want.Log, got.Log},
		{"history", want.History, got.History},
		{"the first neighbor", settings, neighbor},
	} {
		if diff := cmp.Diff(row.want, row.got, equal[netip.AddrPort](), equal[netip.Prefix]()); diff != "" {
			t.Errorf("%s (-default +example):\n%s", row.section, diff)
		}
	}
}

// describer is a Registerer that keeps the names and helps of metrics.
type describer map[string]string

func (d describer) Register(c prometheus.Collector) error {
	descs := make(chan *prometheus.Desc)
	go func() { c.Describe(descs); close(descs) }()
	name := regexp.MustCompile(`fqName: "([^"]*)", help: "([^"]*)"`)
	for desc := range descs {
		m := name.FindStringSubmatch(desc.String())
		if m == nil {
			return fmt.Errorf("a metric without name: %s", desc)
		}
		d[m[1]] = m[2]
	}
	return nil
}

func (d describer) MustRegister(list ...prometheus.Collector) {
	for _, c := range list {
		if err := d.Register(c); err != nil {
			panic(err)
		}
	}
}

func (d describer) Unregister(prometheus.Collector) bool { return false }

// TestEveryMetricIsInTheReference compares the metrics that the components
// register with the table of docs/metrics.md, both ways.
func TestEveryMetricIsInTheReference(t *testing.T) {
	registered := make(describer)
	log := slog.New(slog.DiscardHandler)
	past, err := history.Open(filepath.Join(t.TempDir(), "history.db"), history.DefaultConfig(), history.Deps{Logger: log, Registerer: registered, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer past.Close()
	store, err := ribstore.New(ribstore.DefaultConfig(), ribstore.Deps{Logger: log, Registerer: registered, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load("../../configs/demo.yaml", config.Overrides{})
	if err != nil {
		t.Fatal(err)
	}
	sessions, err := bgp.New(cfg.BGP(), bgp.Deps{Logger: log, Registerer: registered, Out: make(chan route.Batch)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := httpapi.New(cfg.HTTP, httpapi.Deps{Store: store, Sessions: sessions, Logger: log, Registerer: registered}); err != nil {
		t.Fatal(err)
	}
	documented := make(map[string]string)
	for _, match := range regexp.MustCompile("(?m)^\\| `(ribglass_[a-z_0-9]+)[`{].*\\| (.+) \\|$").FindAllStringSubmatch(readDoc(t, "docs/metrics.md"), -1) {
		documented[match[1]] = match[2]
	}
	if diff := cmp.Diff(map[string]string(registered), documented); diff != "" {
		t.Errorf("registered metrics and rows of docs/metrics.md differ (-registered +docs):\n%s", diff)
	}
}

// TestEveryFigureSaysWhenItWasMeasured looks for the parts of docs/performance.md that have
// a table of measured figures in its table of commits, whose paths must be there.
func TestEveryFigureSaysWhenItWasMeasured(t *testing.T) {
	text := readDoc(t, "docs/performance.md")
	rows := regexp.MustCompile("(?m)^\\| ([^|]+) \\| ((?:`[^`|]+` ?)+) \\| `([0-9a-f]{8})` \\| `([^`|]+)` \\|$").FindAllStringSubmatch(text, -1)
	var names []string
	for _, row := range rows {
		names = append(names, row[1])
		for _, path := range regexp.MustCompile("[^` ]+").FindAllString(row[2], -1) {
			if _, err := os.Stat(filepath.Join("../..", path)); err != nil {
				t.Errorf("%s depends on %s, which is not there", row[1], path)
			}
		}
	}
	part, parts := "", 0
	for line := range strings.Lines(text) {
		if heading, ok := strings.CutPrefix(strings.TrimLeft(line, "#"), " "); ok && strings.HasPrefix(line, "##") {
			part = strings.TrimSpace(heading)
		}
		if !strings.HasPrefix(line, "|") || !strings.Contains(line, "| measured") && !strings.Contains(line, "| p50 |") || strings.Contains(line, "| command |") {
			continue
		}
		parts++
		if !slices.ContainsFunc(names, func(name string) bool { return strings.HasPrefix(name, part) }) {
			t.Errorf("the figures of %q do not say when they were measured", part)
		}
	}
	if parts < 5 || len(rows) < parts {
		t.Errorf("%d tables of figures, %d rows of commits", parts, len(rows))
	}
}

// TestEveryNoticeIsInTheLimits looks for the kinds of notices that the program has in
// docs/limits.md.
func TestEveryNoticeIsInTheLimits(t *testing.T) {
	declared := regexp.MustCompile(`NoticeKind = "([a-z0-9_]+)"`)
	kinds := make(map[string]bool)
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, match := range declared.FindAllSubmatch(text, -1) {
			kinds[string(match[1])] = true
		}
		return err
	})
	if err != nil || len(kinds) == 0 {
		t.Fatalf("%d kinds, %v", len(kinds), err)
	}
	documented := make(map[string]bool)
	for row := range strings.Lines(readDoc(t, "docs/limits.md")) {
		cells := strings.Split(strings.TrimSpace(row), "|")
		if len(cells) < 3 {
			continue
		}
		for _, match := range regexp.MustCompile("`([a-z0-9_]+)`").FindAllStringSubmatch(cells[len(cells)-2], -1) {
			if !strings.Contains(match[1], ".") {
				documented[match[1]] = true
			}
		}
	}
	for kind := range kinds {
		if !documented[kind] {
			t.Errorf("docs/limits.md does not have the notice %s", kind)
		}
	}
}
