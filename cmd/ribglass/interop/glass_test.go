package interop

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// programPath is the program under test. TestMain has make build it as users build
// it, or takes the program that RIBGLASS_BIN names.
var programPath string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	if settings := os.Getenv(victimEnv); settings != "" {
		fmt.Fprintln(os.Stderr, serveVictim(settings))
		return 1
	}
	runParallel(8)
	if programPath = os.Getenv("RIBGLASS_BIN"); programPath != "" {
		return m.Run()
	}
	dir, err := os.MkdirTemp("", "ribglass-interop")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	programPath = filepath.Join(dir, "ribglass")
	build := exec.Command("make", "--silent", "-C", "../../..", "build", "BINARY="+programPath)
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "make build: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// runParallel lets n tests run at a time unless the command line says otherwise:
// most wait for the timers of a daemon.
func runParallel(n int) {
	flag.Parse()
	if f := flag.Lookup("test.parallel"); f.Value.String() == strconv.Itoa(runtime.GOMAXPROCS(0)) {
		_ = f.Value.Set(strconv.Itoa(n)) // an int it takes
	}
}

// glass is a running Ribglass and what is needed to look at it.
type glass struct {
	t         testing.TB
	dir       string
	bgp       netip.AddrPort
	http      string // address of the public listener
	admin     string
	neighbors string // the neighbour sections of its configuration
	dataDir   string
	settings  string   // further lines of its configuration
	within    []string // the command that runs it, such as nsenter; none: it is run itself
	*process
}

// newGlass starts Ribglass with neighbour sections, on 127.0.0.1.
func newGlass(t testing.TB, neighbors ...string) *glass {
	t.Helper()
	return newGlassAt(t, "127.0.0.1", neighbors...)
}

// newGlassAt starts Ribglass with its BGP port on an address.
func newGlassAt(t testing.TB, address string, neighbors ...string) *glass {
	t.Helper()
	g := configuredGlass(t, address, neighbors...)
	g.start()
	return g
}

// configuredGlass chooses addresses and starts nothing.
func configuredGlass(t testing.TB, address string, neighbors ...string) *glass {
	t.Helper()
	g := &glass{
		t:         t,
		dir:       workDir(t),
		bgp:       netip.AddrPortFrom(netip.MustParseAddr(address), freePort(t, address)),
		http:      fmt.Sprintf("127.0.0.1:%d", freePort(t, "127.0.0.1")),
		admin:     fmt.Sprintf("127.0.0.1:%d", freePort(t, "127.0.0.1")),
		neighbors: sections(neighbors),
	}
	g.dataDir = g.dir
	return g
}

// sections joins neighbours, static ones first.
func sections(neighbors []string) string {
	var static, dynamic string
	for _, n := range neighbors {
		if strings.HasPrefix(n, "  - prefix:") {
			dynamic += n
		} else {
			static += n
		}
	}
	text := ""
	if static != "" {
		text += "neighbors:\n" + static
	}
	if dynamic != "" {
		text += "dynamic_neighbors:\n" + dynamic
	}
	return text
}

// neighbor writes a neighbour section. settings are further lines, such as
// "add_path: true".
func neighbor(name, address string, asn uint32, settings ...string) string {
	text := fmt.Sprintf("  - name: %s\n    address: \"%s\"\n    asn: %d\n", name, address, asn)
	for _, s := range settings {
		text += "    " + s + "\n"
	}
	return text
}

// dynamic writes a dynamic neighbour section.
func dynamic(prefix string, settings ...string) string {
	text := fmt.Sprintf("  - prefix: %s\n", prefix)
	for _, s := range settings {
		text += "    " + s + "\n"
	}
	return text
}

func (g *glass) config() string {
	return fmt.Sprintf(`asn: %d
router_id: 192.0.2.10
listen: ["%s"]
http: { listen: "%s" }
admin: { listen: "%s" }
data_dir: %s
log: { level: debug }
%s%s`, glassASN, g.bgp, g.http, g.admin, g.dataDir, g.settings, g.neighbors)
}

func (g *glass) configFile() string { return filepath.Join(g.dir, "ribglass.yaml") }

// start runs Ribglass and waits until it says that it is ready: the web servers
// answer a moment before the port for BGP is open. A stopped one may be started
// again.
func (g *glass) start() {
	g.t.Helper()
	const ready = "ribglass is ready"
	writeFile(g.t, g.configFile(), g.config())
	command := append(slices.Clone(g.within), programPath, "serve", "--config", g.configFile())
	log, err := os.ReadFile(filepath.Join(g.dir, filepath.Base(command[0])+".log"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		g.t.Fatal(err)
	}
	before := bytes.Count(log, []byte(ready))
	g.process = startProcess(g.t, g.dir, command[0], command[1:]...)
	waitFor(g.t, 15*time.Second, ready, func() error {
		if !g.running() {
			g.t.Fatalf("ribglass ended:\n%s", g.tail())
		}
		log, err := os.ReadFile(g.logFile)
		if err == nil && bytes.Count(log, []byte(ready)) == before {
			err = errors.New("not yet")
		}
		return err
	})
}

// reload rewrites the neighbours and sends SIGHUP.
func (g *glass) reload(neighbors ...string) {
	g.t.Helper()
	g.neighbors = sections(neighbors)
	writeFile(g.t, g.configFile(), g.config())
	g.signal(g.t, syscall.SIGHUP)
}

// get asks the public listener and returns status and body.
func (g *glass) get(path string, header ...string) (int, []byte, error) {
	request, err := http.NewRequest(http.MethodGet, "http://"+g.http+path, http.NoBody)
	if err != nil {
		return 0, nil, err
	}
	for i := 0; i+1 < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	client := http.Client{Timeout: 20 * time.Second}
	response, err := client.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return response.StatusCode, body, err
}

func (g *glass) getJSON(path string, into any) error {
	status, body, err := g.get(path)
	if err != nil {
		return err
	}
	if status != http.StatusOK {
		return fmt.Errorf("GET %s: status %d: %s", path, status, body)
	}
	if err := json.Unmarshal(body, into); err != nil {
		return fmt.Errorf("GET %s: %w", path, err)
	}
	return nil
}

// shownPeer is what a test looks at of GET /api/v1/peers/{name}.
type shownPeer struct {
	Name, Address, State, Role string
	ASN                        uint32
	Dynamic                    bool
	Since                      time.Time
	StaleSince                 time.Time `json:"stale_since"`
	Routes                     struct{ Accepted, Stale int }
	EndOfRIB                   map[string]string `json:"end_of_rib"`
	LastError                  string            `json:"last_error"`
	Capabilities               []struct {
		Code  int
		Name  string
		Value string
		Ours  bool
	}
	Counters struct {
		UpdatesIn           int `json:"updates_in"`
		BytesIn             int `json:"bytes_in"`
		PrefixesAnnounced   int `json:"prefixes_announced"`
		AttributesDiscarded int `json:"attributes_discarded"`
		TreatedAsWithdraw   int `json:"treated_as_withdraw"`
		NotificationsIn     int `json:"notifications_in"`
		NotificationsOut    int `json:"notifications_out"`
		SessionsEstablished int `json:"sessions_established"`
	}
	History []struct {
		At       time.Time
		From, To string
		Reason   string
	}
}

// capable reports whether both sides announced a capability.
func (p shownPeer) capable(code int) bool {
	for _, c := range p.Capabilities {
		if c.Code == code {
			return c.Ours
		}
	}
	return false
}

func (g *glass) tryPeer(name string) (shownPeer, error) {
	var p shownPeer
	err := g.getJSON("/api/v1/peers/"+url.PathEscape(name), &p)
	return p, err
}

func (g *glass) peer(name string) shownPeer {
	g.t.Helper()
	p, err := g.tryPeer(name)
	if err != nil {
		g.t.Fatal(err)
	}
	return p
}

// waitPeer waits until a peer is as a condition wants it.
func (g *glass) waitPeer(name, what string, condition func(shownPeer) bool) shownPeer {
	g.t.Helper()
	var p shownPeer
	waitFor(g.t, 30*time.Second, name+" "+what, func() error {
		var err error
		if p, err = g.tryPeer(name); err != nil {
			return err
		}
		if !condition(p) {
			return fmt.Errorf("it is %s with %d routes, %d stale, last error %q, counters %+v",
				p.State, p.Routes.Accepted, p.Routes.Stale, p.LastError, p.Counters)
		}
		return nil
	})
	return p
}

func (g *glass) waitEstablished(name string) shownPeer {
	g.t.Helper()
	return g.waitPeer(name, "is established", func(p shownPeer) bool { return p.State == "established" })
}

// waitRoutes waits until a peer has n routes, none of them stale.
func (g *glass) waitRoutes(name string, n int) shownPeer {
	g.t.Helper()
	return g.waitPeer(name, fmt.Sprintf("has %d fresh routes", n), func(p shownPeer) bool {
		return p.State == "established" && p.Routes.Accepted == n && p.Routes.Stale == 0
	})
}

// shownRoute is a route of the HTTP interface.
type shownRoute struct {
	Prefix, Family, Peer string
	PathID               *uint32   `json:"path_id"`
	StaleSince           time.Time `json:"stale_since"`
	NextHop              string    `json:"next_hop"`
	Origin               string
	ASPath               string `json:"as_path_text"`
	MED                  *uint32
	LocalPref            *uint32 `json:"local_pref"`
	Communities          []string
	LargeCommunities     []string `json:"large_communities"`
	ExtCommunities       []string `json:"ext_communities"`
	Aggregator           *struct {
		ASN     uint32
		Address string
	}
	AtomicAggregate bool   `json:"atomic_aggregate"`
	OriginatorID    string `json:"originator_id"`
	OTC             *uint32
	Unknown         []struct {
		Code, Flags int
		Value       string
	} `json:"unknown_attributes"`
}

// said puts a route into the spelling that routes are compared in.
func (r shownRoute) said() said {
	number := func(n *uint32) string {
		if n == nil {
			return ""
		}
		return fmt.Sprint(*n)
	}
	s := said{
		Prefix: r.Prefix, PathID: number(r.PathID), ASPath: r.ASPath, Origin: r.Origin, NextHop: r.NextHop,
		MED: number(r.MED), LocalPref: number(r.LocalPref), Communities: sorted(r.Communities),
		LargeCommunities: sorted(r.LargeCommunities), ExtCommunities: sorted(r.ExtCommunities),
		AtomicAggregate: r.AtomicAggregate, OriginatorID: r.OriginatorID, OTC: number(r.OTC),
	}
	if r.Aggregator != nil {
		s.Aggregator = fmt.Sprint(r.Aggregator.ASN, " ", r.Aggregator.Address)
	}
	return s
}

// tryRoutes returns the complete answer to a query.
func (g *glass) tryRoutes(query string) ([]shownRoute, error) {
	path := "/api/v1/routes?q=" + url.QueryEscape(query)
	status, body, err := g.get(path, "Accept", "application/x-ndjson")
	if err != nil {
		return nil, err
	}
	if status != http.StatusOK {
		return nil, fmt.Errorf("GET %s: status %d: %s", path, status, body)
	}
	var routes []shownRoute
	scan := bufio.NewScanner(bytes.NewReader(body))
	scan.Buffer(nil, 1<<20)
	for scan.Scan() {
		var r shownRoute
		if err := json.Unmarshal(scan.Bytes(), &r); err != nil {
			return nil, fmt.Errorf("GET %s: %w: %s", path, err, scan.Bytes())
		}
		if r.Prefix != "" { // a line may be about the answer itself
			routes = append(routes, r)
		}
	}
	return routes, scan.Err()
}

func (g *glass) routes(query string) []shownRoute {
	g.t.Helper()
	routes, err := g.tryRoutes(query)
	if err != nil {
		g.t.Fatal(err)
	}
	return routes
}

// unharmed fails the test unless Ribglass runs on as the same process and
// answers.
func (g *glass) unharmed() {
	g.t.Helper()
	if !g.running() {
		g.t.Fatalf("ribglass is gone:\n%s", g.tail())
	}
	if g.logged("panic:") || g.logged("DATA RACE") {
		g.t.Errorf("ribglass panicked, or has a race:\n%s", g.tail())
	}
	if status, _, err := g.get("/api/v1/status"); err != nil || status != http.StatusOK {
		g.t.Errorf("GET /api/v1/status: %d, %v", status, err)
	}
}
