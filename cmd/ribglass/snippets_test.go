package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"ribglass/cmd/ribglass/config"
)

// snippet returns the code block of a language out of the README.
func snippet(t *testing.T, language string) string {
	t.Helper()
	block := regexp.MustCompile("(?s)\n```" + language + "\n(.*?)```").FindStringSubmatch(readDoc(t, "README.md"))
	if block == nil {
		t.Fatalf("README.md has no block of %s", language)
	}
	return block[1]
}

// TestTheReadmesRouterSnippetsAreValid asks the routing daemons themselves. What
// a daemon needs around a snippet stands before it.
func TestTheReadmesRouterSnippetsAreValid(t *testing.T) {
	for _, row := range []struct {
		language, before string
		debianPackage    string
		program          string
		arguments        []string
	}{
		{"bird", "router id 192.0.2.1;\nprotocol device {}\n", "bird2", "/usr/sbin/bird", []string{"-p", "-c"}},
		{"bird-rs", "router id 192.0.2.1;\nprotocol device {}\n", "bird2", "/usr/sbin/bird", []string{"-p", "-c"}},
		{"frr-rs", "", "frr", "/usr/lib/frr/bgpd", []string{"-C", "-f"}},
		{"toml", "", "gobgpd", "/usr/bin/gobgpd", []string{"--dry-run", "--config-file"}},
		{"exabgp", "", "exabgp", "/usr/sbin/exabgp", []string{"--test"}},
		{"frr", "", "frr", "/usr/lib/frr/bgpd", []string{"-C", "-f"}},
		{"openbgpd", "AS 64500\nrouter-id 192.0.2.1\n", "openbgpd", "/usr/sbin/bgpd", []string{"-n", "-f"}},
	} {
		t.Run(row.language, func(t *testing.T) {
			text := row.before + snippet(t, row.language)
			if _, err := os.Stat(row.program); err != nil {
				if os.Getenv("CI") != "" {
					t.Fatalf("%s is not installed (Debian package %s)", row.program, row.debianPackage)
				}
				t.Skipf("%s is not installed (Debian package %s)", row.program, row.debianPackage)
			}
			command := exec.CommandContext(t.Context(), row.program, append(row.arguments, writeForDaemon(t, row.language, text))...)
			output, err := command.CombinedOutput()
			// FRR exits with 0 and complains about a "config line".
			if err != nil || bytes.Contains(output, []byte("config line")) {
				t.Errorf("%s: %v\n%s\nof:\n%s", row.program, err, output, text)
			}
		})
	}
}

// writeForDaemon writes a configuration where a daemon, which reads it as a user
// of its own, finds it.
func writeForDaemon(t *testing.T, language, text string) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "ribglass-snippet") //nolint:usetesting // the parent of t.TempDir is its owner's only
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err = os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "snippet.conf")
	mode := os.FileMode(0o644)
	if language == "openbgpd" {
		mode = 0o600 // it refuses others
	}
	if err = os.WriteFile(file, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestTheReadmesConfigurationIsValid(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ribglass.yaml")
	if err := os.WriteFile(file, []byte(snippet(t, "yaml")), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := config.Load(file, config.Overrides{}); err != nil {
		t.Error(err)
	}
}
