package main

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// demonstration is "make run" in a directory of its own, on free ports.
type demonstration struct {
	dir  string
	http string // host:port
	bgp  string
	env  []string
}

// startDemonstration starts the program as a newcomer does, and waits until its
// routers are up.
func startDemonstration(t *testing.T) *demonstration {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	program, err := exec.LookPath("ribglass") // testscript puts the test's own program there
	if err != nil {
		t.Fatal(err)
	}
	d := &demonstration{dir: t.TempDir()}
	if err := os.Symlink(program, filepath.Join(d.dir, "ribglass")); err != nil {
		t.Fatal(err)
	}
	log := new(syncBuffer)
	ctx, cancel := context.WithCancel(t.Context())
	serve := exec.CommandContext(ctx, "./ribglass", "serve", "--config", filepath.Join(root, "configs/demo.yaml"))
	serve.Dir, serve.Stderr = d.dir, log
	serve.Cancel = func() error { return serve.Process.Signal(syscall.SIGTERM) }
	serve.Env = append(os.Environ(), "RIBGLASS_LISTEN=127.0.0.1:0", "RIBGLASS_HTTP_LISTEN=127.0.0.1:0", "RIBGLASS_ADMIN_LISTEN=127.0.0.1:0")
	if err := serve.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		_ = serve.Wait() // it was told to end
		if t.Failed() {
			t.Logf("log of the demonstration:\n%s", log)
		}
	})
	address := func(what string) string {
		re := regexp.MustCompile(`msg="?` + what + `"? .*address=(\S+)`)
		for start := time.Now(); time.Since(start) < 30*time.Second; time.Sleep(20 * time.Millisecond) {
			if m := re.FindStringSubmatch(log.String()); m != nil {
				return m[1]
			}
		}
		t.Fatalf("no line %q in the log:\n%s", what, log)
		return ""
	}
	d.bgp, d.http = address("listening for BGP"), address("http listening")
	d.env = append(os.Environ(), "RIBGLASS_SERVER=http://"+d.http, "RIBGLASS_ADMIN=http://"+address("admin listening"))
	for start := time.Now(); strings.Count(log.String(), "initial routes are complete") < 6; time.Sleep(20 * time.Millisecond) {
		if time.Since(start) > 30*time.Second {
			t.Fatal("the routers of the demonstration did not come up")
		}
	}
	return d
}

// run runs a line of a document in a shell, at the ports that there are, and returns
// what it printed and its exit status.
func (d *demonstration) run(t *testing.T, line string) (text string, status int) {
	t.Helper()
	line = strings.NewReplacer("localhost:8080", d.http, "127.0.0.1:1790", d.bgp).Replace(line)
	command := exec.CommandContext(t.Context(), "sh", "-c", line)
	command.Dir, command.Env = d.dir, d.env
	out, err := command.CombinedOutput()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return string(out), exit.ExitCode()
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(out), 0
}

// get returns the status and the text of a page.
func (d *demonstration) get(t *testing.T, path string) (int, string) {
	t.Helper()
	response, err := http.Get("http://" + d.http + path)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

// section returns the part of a document between two headings.
func section(t *testing.T, text, from, to string) string {
	t.Helper()
	_, rest, ok := strings.Cut(text, "\n"+from+"\n")
	part, _, ended := strings.Cut(rest, "\n"+to+"\n")
	if !ok || !ended {
		t.Fatalf("there is nothing between %q and %q", from, to)
	}
	return part
}

// TestEveryExampleWorksInTheDemonstration runs, against a demonstration that has just
// begun, the commands of the README, the examples of the first page, and the queries
// about the past of docs/query.md.
func TestEveryExampleWorksInTheDemonstration(t *testing.T) {
	d := startDemonstration(t)
	t.Run("README.md", func(t *testing.T) { checkReadme(t, d) })
	t.Run("the first page", func(t *testing.T) { checkFirstPage(t, d) })
	t.Run("docs/query.md", func(t *testing.T) { checkPastQueries(t, d) })
}

func checkReadme(t *testing.T, d *demonstration) {
	t.Helper()
	const routes = `\* +103\.213\.218\.0/23 .*140810`
	shows := map[string]string{ // by the begin of the command: what it prints
		"curl localhost:8080/103.213.218.1":               `\*>  customer1 .* 140810`,
		"curl 'localhost:8080/api/v1/routes?q=103":        `"prefix":"103\.213\.218\.0/23"`,
		"./ribglass lookup 103.213.218.1":                 routes,
		"./ribglass lookup 103.213.218.1 --at 3h":         `\* +103\.213\.218\.0/24 +rs1#1 .* 6939 65550 i`,
		"./ribglass lookup 103.213.218.1 --collection":    routes,
		"./ribglass lookup 2001:df4::/32":                 `"prefix":"2001:df4:`,
		"./ribglass search '_174_6713$":                   ` 174 6713 i`,
		"./ribglass search 'moas at 3h'":                  `103\.213\.218\.0/23 .* 65550 i`,
		"./ribglass peers":                                `transit1 .* established`,
		"./ribglass timeline 103":                         `origin 140810 .* 65550,140810`,
		"./ribglass changes '193.54.33.0/24 between 2h":   `withdraw +193\.54\.33\.0/24`,
		"./ribglass changes 'peer customer1 between 6h":   `more with --cursor`,
		"./ribglass diff --at 5h":                         `[0-9]+ added, [0-9]+ withdrawn`,
		"./ribglass history":                              `snapshots +1[0-9]`,
		"./ribglass export":                               ``,
		"./ribglass import --collection leak --data-dir ": `routes of 3 peers`,
		"./ribglass replay":                               `3 sessions opened`,
		"./ribglass snapshot take":                        `routes in`,
	}
	_, noCurl := exec.LookPath("curl")
	commands := 0
	for line := range strings.Lines(section(t, readDoc(t, "README.md"), "## Try it", "## The nouns")) {
		command, _, _ := strings.Cut(strings.TrimSpace(line), " # ")
		command = strings.TrimSpace(command)
		if !strings.HasPrefix(line, "    ./ribglass ") && !strings.HasPrefix(line, "    curl ") {
			continue
		}
		if strings.Contains(command, "./ribglass open ") {
			continue // it reads what others recorded, and has a script of its own
		}
		commands++
		longest := ""
		for part := range shows {
			if strings.HasPrefix(command, part) && len(part) > len(longest) {
				longest = part
			}
		}
		if longest == "" {
			t.Errorf("%s: it is not said here what it shows", command)
			continue
		}
		if noCurl != nil && strings.HasPrefix(command, "curl ") {
			t.Logf("not run, curl is not installed: %s", command)
			continue
		}
		want := 0
		if strings.Contains(command, " diff ") {
			want = 1
		}
		text, status := d.run(t, command)
		if status != want || !regexp.MustCompile(shows[longest]).MatchString(text) {
			t.Errorf("%s\nexit status %d, want %d and %q in:\n%.2000s", command, status, want, shows[longest], text)
		}
	}
	if commands < 15 {
		t.Errorf("the README has %d commands, want more", commands)
	}
}

func checkFirstPage(t *testing.T, d *demonstration) {
	t.Helper()
	_, text := d.get(t, "/index.txt")
	past := 0
	urls := regexp.MustCompile(`(?m)^ +curl '?`+regexp.QuoteMeta(d.http)+`([^'\s]+)`).FindAllStringSubmatch(text, -1)
	for _, m := range urls {
		if status, answer := d.get(t, m[1]); status != http.StatusOK || strings.Contains(answer, "No route") || strings.Contains(answer, "No change") {
			t.Errorf("%s: %d\n%.1000s", m[1], status, answer)
		}
		if strings.Contains(m[1], "at=") || strings.Contains(m[1], "between") {
			past++
		}
	}
	if len(urls) < 8 || past < 2 {
		t.Errorf("the first page has %d examples, %d about the past:\n%s", len(urls), past, text)
	}
}

func checkPastQueries(t *testing.T, d *demonstration) {
	t.Helper()
	asked := 0
	for _, block := range regexp.MustCompile("(?s)```query\n(.*?)```").FindAllStringSubmatch(section(t, readDoc(t, "docs/query.md"), "## The past", "## and, or, not"), -1) {
		for line := range strings.Lines(block[1]) {
			query, means, _ := strings.Cut(line, "  # ")
			if strings.HasPrefix(means, "refused") || regexp.MustCompile(`20\d\d-`).MatchString(query) {
				continue // written-out moments are before the demonstration
			}
			asked++
			path := "/api/v1/routes"
			if strings.Contains(query, "between") {
				path = "/api/v1/changes"
			}
			status, answer := d.get(t, path+"?"+url.Values{"q": {strings.TrimSpace(query)}}.Encode())
			if status != http.StatusOK || strings.Contains(answer, `"total":0`) {
				t.Errorf("%s: %d\n%.1000s", query, status, answer)
			}
		}
	}
	if asked < 5 {
		t.Errorf("%d queries about the past work in the demonstration, want more", asked)
	}
}
