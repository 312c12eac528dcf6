package main

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
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
