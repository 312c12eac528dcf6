package interop

import (
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// dump has BIRD write its tables as MRT, and waits until all of so many routes
// are in the file.
func (b *bird) dump(t testing.TB, name string, routes int) string {
	t.Helper()
	file := filepath.Join(b.dir, name)
	if out, err := b.do("mrt", "dump", "table", `"*"`, "to", `"`+file+`"`); err != nil {
		t.Fatalf("birdc mrt dump: %v\n%s", err, out)
	}
	waitFor(t, 10*time.Second, "the dump is written", func() error {
		out, err := output("bgpdump", "-m", file)
		if n := countLines(out); err != nil || n != routes {
			return fmt.Errorf("%d routes are in it, want %d; %w", n, routes, err)
		}
		return nil
	})
	return file
}

func countLines(out []byte) (n int) {
	for _, c := range out {
		if c == '\n' {
			n++
		}
	}
	return n
}

// What BIRD dumps is imported into a collection while the server runs, asked, and
// added to later.
func TestADumpOfBIRDIsACollection(t *testing.T) {
	t.Parallel()
	needProgram(t, "bgpdump", "bgpdump")
	routes := loadFeed(t)[:500]
	g := newGlass(t, neighbor("daemon", "127.0.1.121", 65221))
	b := newBird(t, newEndpoints(t, 121, g.bgp))
	b.start(t)
	at, from := b.feed()
	s := playFeed(t, speakerConfig{local: from, asn: feedASN}, at, routes)
	g.waitRoutes("daemon", 500)
	load := func(file string) {
		t.Helper()
		if status, out := g.command("import", "--data-dir", g.dataDir, "--collection", "bird", file); status != 0 {
			t.Fatalf("import: status %d: %s", status, out)
		}
	}
	count := func(query string) int {
		t.Helper()
		var a answer
		if err := g.getJSON("/api/v1/routes?collection=bird&q="+url.QueryEscape(query), &a); err != nil {
			t.Fatal(err)
		}
		return a.Total
	}
	load(b.dump(t, "one.mrt", 500))
	if n := count(""); n != 500 {
		t.Errorf("%d routes in the collection, want 500", n)
	}
	var first answer
	if err := g.getJSON("/api/v1/routes?collection=bird", &first); err != nil {
		t.Fatal(err)
	}

	for _, r := range routes[:100] {
		s.send(withdrawal(r.prefix))
	}
	g.waitRoutes("daemon", 400)
	// Tables have times in seconds: the second one is of a later one.
	waitFor(t, 5*time.Second, "the next second", func() error {
		if !time.Now().Truncate(time.Second).After(first.At) {
			return errNotYet
		}
		return nil
	})
	load(b.dump(t, "two.mrt", 400))
	if n := count(""); n != 400 {
		t.Errorf("%d routes after the second import, want 400", n)
	}
	if n := count("at " + moment(first.At)); n != 500 {
		t.Errorf("%d routes at the time of the first, want 500", n)
	}
	if n := count(routes[0].prefix.String()); n != 0 {
		t.Errorf("%d routes of %v, which was withdrawn", n, routes[0].prefix)
	}
	if status, out := g.command("snapshot", "verify", "--data-dir", g.dataDir); status != 4 || !strings.Contains(out, "in use, not checked") {
		t.Errorf("verify of a data directory in use: status %d: %s", status, out)
	}
	g.unharmed()
	g.stop(t)
	if status, out := g.command("snapshot", "verify", "--data-dir", g.dataDir); status != 0 {
		t.Errorf("verify: status %d: %s", status, out)
	}
}
