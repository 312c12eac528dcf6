package main

import (
	"encoding/json"
	"errors"
	"go/parser"
	"go/token"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// listed is what go list tells about a package of the module.
type listed struct {
	ImportPath string
	Dir        string
	GoFiles    []string
	Imports    []string
}

func packages(t *testing.T) []listed {
	t.Helper()
	command := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Dir,GoFiles,Imports", "ribglass/...")
	output, err := command.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []listed
	for d := json.NewDecoder(strings.NewReader(string(output))); ; {
		var p listed
		err := d.Decode(&p)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

// TestArrowsPointOneWay enforces the arrows between packages: a package of the
// left column imports of this module what the right one names, and nothing else.
func TestArrowsPointOneWay(t *testing.T) {
	const root = "ribglass/"
	allowed := map[string][]string{
		"setting": {},

		"ribstore/route":           {},
		"ribstore/table":           {"ribstore/route"},
		"ribstore/query":           {"ribstore/route", "ribstore/table", "ribstore/query/pathexpr"},
		"ribstore/query/pathexpr":  {"ribstore/route"},
		"ribstore/query/querytest": {"ribstore/route", "ribstore/table"},
		"ribstore/compare":         {"ribstore/route", "ribstore/table", "ribstore/query"},
		"ribstore/changes":         {"ribstore/route", "ribstore/query", "ribstore/compare"},
		"ribstore/history":         {"setting", "ribstore/route", "ribstore/table", "ribstore/history/format", "ribstore/history/check"},
		"ribstore/history/format":  {"ribstore/route", "ribstore/table"},
		"ribstore/history/check":   {"ribstore/history/format"},
		"ribstore/activity":        {"ribstore/route"},
		"ribstore/tap":             {"ribstore/route"},
		"ribstore": {
			"setting", "ribstore/route", "ribstore/table", "ribstore/query", "ribstore/compare", "ribstore/changes", "ribstore/history",
			"ribstore/activity", "ribstore/tap",
		},

		"collector/wire":     {"ribstore/route"},
		"collector/wire/mrt": {"ribstore/route", "collector/wire"},
		"collector/player":   {"ribstore/route", "collector/wire"},
		"collector":          {"setting", "ribstore/route", "collector/wire"},
		"collector/bgp":      {"setting", "ribstore/route", "collector/wire", "collector"},

		"ui":           {"ribstore/route", "ui/catalogue", "ui/graph", "ui/names", "ui/site"},
		"ui/catalogue": {},
		"ui/names":     {"ribstore/route"},
		"ui/graph":     {"ribstore/route"},
		"ui/site":      {"setting"},

		// The edge knows no routes; a question is asked through ask; a face knows
		// neither the store nor another face, but for the pages, whose JSON is that
		// of v1.
		"httpapi/web":    {"setting", "ribstore/route", "ribstore/query"},
		"httpapi/answer": {"ribstore/route"},
		"httpapi/ask": {
			"httpapi/answer", "httpapi/web", "ribstore", "ribstore/route", "ribstore/query", "ribstore/compare", "ribstore/changes", "ribstore/history",
			"ribstore/activity", "ribstore/tap", "ui/names",
		},
		"httpapi/v1": {
			"httpapi/answer", "httpapi/ask", "httpapi/web", "ribstore/route", "ribstore/query", "ribstore/compare", "ribstore/changes",
			"ui/graph", "ui/names", "ui/site",
		},
		"httpapi/page": {
			"httpapi/answer", "httpapi/ask", "httpapi/v1", "httpapi/web", "ribstore/route", "ribstore/query", "ribstore/compare", "ribstore/changes",
			"ui", "ui/catalogue", "ui/graph", "ui/names", "ui/site",
		},
		"httpapi/admin": {"setting", "httpapi/answer", "httpapi/ask", "httpapi/v1", "httpapi/web", "ribstore/route", "ribstore/query"},
		"httpapi": {
			"setting", "httpapi/admin", "httpapi/ask", "httpapi/page", "httpapi/v1", "httpapi/web", "ribstore", "ribstore/route", "ribstore/query",
			"ribstore/history", "ribstore/tap", "ui", "ui/catalogue", "ui/names", "ui/site",
		},

		"cmd/ribglass/build":    {},
		"cmd/ribglass/exit":     {},
		"cmd/ribglass/outfile":  {},
		"cmd/ribglass/terminal": {},
		"cmd/ribglass/client": {
			"cmd/ribglass/build", "cmd/ribglass/exit", "cmd/ribglass/intake", "cmd/ribglass/outfile", "cmd/ribglass/terminal", "collector/wire/mrt", "httpapi/answer",
			"ribstore/changes", "ribstore/compare", "ribstore/query", "ribstore/route", "ribstore/table",
		},
	}
	for _, p := range packages(t) {
		name := strings.TrimPrefix(p.ImportPath, root)
		targets, known := allowed[name]
		if !known && strings.HasPrefix(name, "cmd/") {
			continue // the commands connect everything
		}
		if !known {
			t.Errorf("package %s has no row here: say what it may import", name)
			continue
		}
		for _, i := range p.Imports {
			if target, ours := strings.CutPrefix(i, root); ours && !slices.Contains(targets, target) {
				t.Errorf("%s imports %s; it may import %v", name, target, targets)
			}
			if name == "ribstore/route" && strings.Contains(i, ".") {
				t.Errorf("ribstore/route imports %s; the vocabulary has the standard library only", i)
			}
		}
	}
}

// TestPrescribedLibrariesStayBehindOnePackage enforces who alone sees a library,
// so that a change of the library is a change of one place.
func TestPrescribedLibrariesStayBehindOnePackage(t *testing.T) {
	rows := []struct {
		library string
		allowed func(pkg, file string) bool
	}{
		{"github.com/osrg/gobgp/", func(pkg, file string) bool { return pkg == "ribglass/collector/bgp" && file == "speaker.go" }},
		{"github.com/gin-gonic/gin", func(pkg, _ string) bool { return pkg == "ribglass/httpapi/web" }},
		{"go.etcd.io/bbolt", func(pkg, _ string) bool {
			return strings.HasPrefix(pkg, "ribglass/ribstore/history") && pkg != "ribglass/ribstore/history/format"
		}},
		{"golang.org/x/crypto/ssh", func(pkg, _ string) bool { return pkg == "ribglass/collector/relay" }},
		{"github.com/yuin/goldmark", func(pkg, _ string) bool { return pkg == "ribglass/ui/site" }},
		{"os/exec", func(pkg, _ string) bool { return pkg == "ribglass/cmd/ribglass-bench" }},
	}
	for _, p := range packages(t) {
		for _, file := range p.GoFiles {
			for _, imported := range importsOf(t, filepath.Join(p.Dir, file)) {
				for _, row := range rows {
					if strings.HasPrefix(imported+"/", strings.TrimSuffix(row.library, "/")+"/") && !row.allowed(p.ImportPath, file) {
						t.Errorf("%s/%s imports %s", p.ImportPath, file, imported)
					}
				}
			}
		}
	}
}

func importsOf(t *testing.T, file string) []string {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, spec := range parsed.Imports {
		path, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, path)
	}
	return list
}
