package interop

import (
	"fmt"
	"net/netip"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// glassASN is the AS of the collector.
const glassASN = 64500

// router is a routing daemon of the other side, configured with two sessions:
// one to the collector, which it dials, and one that a feed may dial.
type router interface {
	// start runs the daemon. A stopped one may be started again.
	start(t testing.TB)
	// process is the daemon that runs.
	process() *process
	// advertised asks the daemon what it sent to the collector.
	advertised() ([]said, error)
	// silent blanks what the daemon does not say about the routes it sent.
	silent(s *said)
	// feed is where the daemon waits for a feed, and the address that the feed
	// must come from.
	feed() (at netip.AddrPort, from string)
}

// endpoints are the addresses of a router under test.
type endpoints struct {
	self    string         // address of the daemon
	asn     uint32         // AS of the daemon
	port    uint16         // port of the daemon
	glass   netip.AddrPort // the collector
	feeder  string         // address of the feed
	options string         // lines for the configuration of the session to the collector
}

func newEndpoints(t testing.TB, n int, glass netip.AddrPort) endpoints {
	t.Helper()
	self := fmt.Sprintf("127.0.1.%d", n)
	return endpoints{
		self:   self,
		asn:    uint32(65100 + n),
		port:   freePort(t, self),
		glass:  glass,
		feeder: fmt.Sprintf("127.0.2.%d", n),
	}
}

func (e endpoints) feed() (netip.AddrPort, string) {
	return netip.AddrPortFrom(netip.MustParseAddr(e.self), e.port), e.feeder
}

// said is a route in the words of a daemon or of the collector, in one
// spelling. An absent attribute is the empty string.
type said struct {
	Prefix, PathID    string
	ASPath, Origin    string
	NextHop           string
	MED, LocalPref    string
	Communities       string
	LargeCommunities  string
	ExtCommunities    string
	Aggregator        string
	AtomicAggregate   bool
	OriginatorID, OTC string
}

// silent is for daemons that say everything.
func (e endpoints) silent(*said) {}

func (s said) key() string { return s.Prefix + " " + s.PathID }

// wellKnown are the communities that daemons print by name.
var wellKnown = strings.NewReplacer("noPeer", "65535:65284", "NO_PEER", "65535:65284")

// sorted returns words in one order: that of communities says nothing.
func sorted(words []string) string {
	for i := range words {
		words[i] = wellKnown.Replace(words[i])
	}
	slices.Sort(words)
	return strings.Join(slices.Compact(words), " ")
}

// missing lists the routes of want that got has not, or has otherwise. A prefix
// may have several routes.
func missing(want, got []said) []string {
	have := make(map[string][]said, len(got))
	for _, s := range got {
		have[s.key()] = append(have[s.key()], s)
	}
	var wrong []string
	for _, w := range want {
		switch g := have[w.key()]; {
		case len(g) == 0:
			wrong = append(wrong, "no route for "+w.key())
		case !slices.Contains(g, w):
			wrong = append(wrong, fmt.Sprintf("route %s (-daemon +ribglass):\n%s", w.key(), cmp.Diff(w, g[0])))
		}
	}
	return wrong
}

// firstOf shortens a list of complaints for a message.
func firstOf(wrong []string) string {
	const most = 5
	if len(wrong) > most {
		return strings.Join(wrong[:most], "\n") + fmt.Sprintf("\nand %d more", len(wrong)-most)
	}
	return strings.Join(wrong, "\n")
}

// look runs a command line client of a daemon.
func look(name string, args ...string) ([]byte, error) {
	if _, err := exec.LookPath(name); err != nil {
		return nil, err
	}
	return output(name, args...)
}
