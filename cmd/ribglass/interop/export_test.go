package interop

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// command runs a command of the program that asks the glass, and returns its exit
// status and what it wrote.
func (g *glass) command(arguments ...string) (status int, out string) {
	g.t.Helper()
	client := exec.Command(programPath, arguments...)
	client.Env = append(os.Environ(), "RIBGLASS_SERVER=http://"+g.http)
	got, err := client.CombinedOutput()
	var ended *exec.ExitError
	if err != nil && !errors.As(err, &ended) {
		g.t.Fatal(err)
	}
	if ended != nil {
		status = ended.ExitCode()
	}
	return status, string(got)
}

// bgpdump reads an MRT file: a line a route or change, its fields between bars.
func bgpdump(t testing.TB, file string) [][]string {
	t.Helper()
	needProgram(t, "bgpdump", "bgpdump")
	var stderr bytes.Buffer
	read := exec.Command("bgpdump", "-m", file)
	read.Stderr = &stderr
	out, err := read.Output()
	if err != nil || bytes.Contains(stderr.Bytes(), []byte("[error]")) || bytes.Contains(stderr.Bytes(), []byte("[warn]")) {
		t.Fatalf("bgpdump -m %s: %v\n%s", file, err, stderr.Bytes())
	}
	var lines [][]string
	for line := range strings.Lines(string(out)) {
		lines = append(lines, strings.Split(strings.TrimSuffix(line, "\n"), "|"))
	}
	return lines
}

// The columns of bgpdump -m.
const (
	dumpKind = 2 // B: of a table; A, W, STATE: changes
	dumpPeer = 3 // its address
	dumpASN  = 4
)

// dumped puts a line of bgpdump about a route in the spelling that routes are
// compared in. It does not know large and extended communities.
func dumped(fields []string) said {
	s := said{Prefix: fields[5], ASPath: fields[6], Origin: strings.ToLower(fields[7]), NextHop: fields[8]}
	s.Communities = sorted(strings.Fields(fields[11]))
	s.AtomicAggregate = fields[12] == "AG"
	if len(fields) > 13 && fields[13] != "" {
		s.Aggregator = fields[13]
	}
	return s
}

// asDumped blanks what bgpdump does not say about a route, and what BIRD does not
// send to another AS.
func asDumped(s said) said {
	s.LargeCommunities, s.ExtCommunities, s.MED, s.LocalPref, s.OTC, s.OriginatorID, s.PathID = "", "", "", "", "", "", ""
	s.ASPath = strings.NewReplacer(", ", ",", " ,", ",").Replace(s.ASPath)
	return s
}

// What is exported as MRT is, read by bgpdump, what the router says it sent.
func TestAnExportIsReadByBgpdump(t *testing.T) {
	t.Parallel()
	routes := loadFeed(t)[:800]
	g := newGlass(t, neighbor("daemon", "127.0.1.120", 65220))
	b := newBird(t, newEndpoints(t, 120, g.bgp))
	b.start(t)
	at, from := b.feed()
	s := playFeed(t, speakerConfig{local: from, asn: feedASN}, at, routes)
	sameRoutes(t, g, b, "daemon", 800)
	want, err := b.advertised()
	if err != nil {
		t.Fatal(err)
	}
	then := thisMoment()
	for _, r := range routes[:100] {
		s.send(withdrawal(r.prefix))
	}
	g.waitRoutes("daemon", len(want)-100)
	left, err := b.advertised()
	if err != nil {
		t.Fatal(err)
	}
	after := thisMoment()

	for _, row := range []struct {
		name      string
		arguments []string
		want      []said
	}{
		{"now", nil, left},
		{"then", []string{"--at", moment(then)}, want},
	} {
		file := filepath.Join(g.dir, row.name+".mrt")
		if status, out := g.command(append([]string{"export", "-o", file}, row.arguments...)...); status != 0 {
			t.Fatalf("export of %s: status %d: %s", row.name, status, out)
		}
		var got []said
		for _, fields := range bgpdump(t, file) {
			if fields[dumpKind] != "B" || fields[dumpPeer] != "127.0.1.120" || fields[dumpASN] != "65220" {
				t.Fatalf("%s: %q", row.name, fields)
			}
			got = append(got, asDumped(dumped(fields)))
		}
		wanted := slices.Clone(row.want)
		for i := range wanted {
			wanted[i] = asDumped(wanted[i])
		}
		if wrong := missing(wanted, got); len(wrong) > 0 || len(got) != len(wanted) {
			t.Errorf("%s: %d routes in the file, %d sent; %d differ:\n%s", row.name, len(got), len(wanted), len(wrong), firstOf(wrong))
		}
	}

	file := filepath.Join(g.dir, "changes.mrt")
	if status, out := g.command("export", "--between", moment(then)+"/"+moment(after), "-o", file); status != 0 {
		t.Fatalf("export of changes: status %d: %s", status, out)
	}
	gone := map[string]bool{}
	for _, fields := range bgpdump(t, file) {
		if fields[dumpKind] != "W" || fields[dumpPeer] != "127.0.1.120" {
			t.Fatalf("changes: %q", fields)
		}
		gone[fields[5]] = true
	}
	for _, r := range routes[:100] {
		if !gone[r.prefix.String()] {
			t.Errorf("the withdrawal of %v is not in the file", r.prefix)
		}
	}
	if len(gone) != 100 {
		t.Errorf("%d withdrawals in the file, want 100", len(gone))
	}
	g.wantCommands(then, after)
}

// wantCommands runs the commands that a script of a maintenance runs.
func (g *glass) wantCommands(then, after time.Time) {
	g.t.Helper()
	for _, row := range []struct {
		arguments []string
		status    int
		says      string
	}{
		{[]string{"diff", "--at", moment(then), "--at", moment(after)}, 1, "100 withdrawn"},
		{[]string{"diff", "--at", moment(then), "--at", moment(after), "2001:db8:ffff::/48"}, 0, ""},
		{[]string{"diff", "--at", moment(after), "--at", "now"}, 0, ""},
		{[]string{"diff", "--file", filepath.Join(g.dir, "now.mrt"), "--peer", "daemon"}, 0, ""},
		{[]string{"diff", "--file", filepath.Join(g.dir, "then.mrt"), "--peer", "daemon"}, 1, "100 withdrawn"},
		{[]string{"diff", "--file", filepath.Join(g.dir, "then.mrt"), "--peer", "daemon", "--at", moment(then)}, 0, ""},
		{[]string{"diff", "--at", "2001-01-01T00:00Z", "--at", "now"}, 2, "history begins"},
	} {
		if status, out := g.command(row.arguments...); status != row.status || !strings.Contains(out, row.says) {
			g.t.Errorf("%q: status %d, want %d:\n%s", row.arguments, status, row.status, fmt.Sprintf("%.600s", out))
		}
	}
}
