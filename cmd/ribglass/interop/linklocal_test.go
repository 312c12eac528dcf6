package interop

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// lan is a link between this machine, where Ribglass runs, and a router in a network
// namespace of its own. Both ends go with the process that holds the namespace.
type lan struct {
	iface  string   // at this end
	within []string // the command that runs something at the other end, where the interface is eth0
}

// newLAN makes a link whose other end has the address fe80::2.
func newLAN(t *testing.T, iface string) lan {
	t.Helper()
	needProgram(t, "unshare", "util-linux")
	needProgram(t, "ip", "iproute2")
	if out, err := output("unshare", "--net", "true"); err != nil {
		t.Skipf("no network namespaces here: %v%s", err, out)
	}
	holder := startProcess(t, workDir(t), "unshare", "--net", "sleep", "600")
	pid := strconv.Itoa(holder.cmd.Process.Pid)
	here, err := os.Readlink("/proc/self/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	waitFor(t, 10*time.Second, "the namespace", func() error {
		if there, err := os.Readlink("/proc/" + pid + "/ns/net"); err != nil || there == here {
			return fmt.Errorf("%s, %w", there, err)
		}
		return nil
	})
	l := lan{iface, []string{"nsenter", "--net", "--target", pid, "--"}}
	if out, err := output("ip", "link", "add", iface, "type", "veth", "peer", "name", "eth0", "netns", pid); err != nil {
		t.Skipf("no link can be made here: %v%s", err, out)
	}
	t.Cleanup(func() { _, _ = output("ip", "link", "delete", iface) })
	for _, command := range []string{
		"ip link set " + iface + " addrgenmode none",
		"ip address add fe80::1/64 dev " + iface + " nodad",
		"ip link set " + iface + " up",
		strings.Join(l.within, " ") + " ip link set eth0 addrgenmode none",
		strings.Join(l.within, " ") + " ip address add fe80::2/64 dev eth0 nodad",
		strings.Join(l.within, " ") + " ip link set eth0 up",
		strings.Join(l.within, " ") + " ip link set lo up",
	} {
		words := strings.Fields(command)
		if out, err := output(words[0], words[1:]...); err != nil {
			t.Fatalf("%s: %v%s", command, err, out)
		}
	}
	return l
}

// bird runs a BIRD at the other end with one route, which dials Ribglass or waits.
func (l lan) bird(t *testing.T, asn uint32, glassPort uint16, mode, prefix string) *process {
	t.Helper()
	needProgram(t, "/usr/sbin/bird", "bird2")
	dir := workDir(t)
	conf := filepath.Join(dir, "bird.conf")
	writeFile(t, conf, fmt.Sprintf(`log stderr all;
router id 10.9.0.1;
protocol device {}
protocol static { ipv6; route %s blackhole; }
protocol bgp glass {
 local fe80::2 port 179 as %d;
 neighbor fe80::1%%eth0 port %d as 64500;
 %s
 connect delay time 1; connect retry time 1; error wait time 1,2;
 ipv6 { import all; export all; };
}
`, prefix, asn, glassPort, mode))
	arguments := append(l.within[1:], "/usr/sbin/bird", "-f", "-c", conf, "-s", filepath.Join(dir, "ctl"), "-P", filepath.Join(dir, "pid"))
	return startProcess(t, dir, l.within[0], arguments...)
}

// Two links have a router with the address fe80::2 each. Only the one on the link of
// the configuration is the neighbor; the other one is a stranger until it is
// configured with its link, and then both are up, one of them dialed, with the key of the
// address.
func TestALinkLocalNeighborWithItsZone(t *testing.T) {
	t.Parallel()
	near := newLAN(t, fmt.Sprintf("rga%d", os.Getpid()%1_000_000))
	far := newLAN(t, fmt.Sprintf("rgb%d", os.Getpid()%1_000_000))
	g := configuredGlass(t, "::")
	key := filepath.Join(g.dir, "lan.md5")
	writeFile(t, key, "correct horse\n")
	nearly := neighbor("near", "fe80::2%"+near.iface, 65251, "password_file: "+key)
	g.neighbors = sections([]string{nearly})
	g.start()
	const password = "password \"correct horse\";"
	stranger := far.bird(t, 65251, g.bgp.Port(), password, "2001:db8:2::/48")
	waitFor(t, 20*time.Second, "the stranger is refused", func() error {
		if !g.logged("fe80::2%"+far.iface) || !g.logged("unknown_peer") {
			return fmt.Errorf("not yet")
		}
		return nil
	})
	if p := g.peer("near"); p.Counters.SessionsEstablished != 0 || p.LastError != "" {
		t.Errorf("the router of another link was taken for the neighbor: %+v", p)
	}
	near.bird(t, 65251, g.bgp.Port(), password, "2001:db8:1::/48")
	p := g.waitRoutes("near", 1)
	if p.Address != "fe80::2%"+near.iface {
		t.Errorf("address %q", p.Address)
	}
	stranger.stop(t)
	far.bird(t, 65252, g.bgp.Port(), "passive; "+password, "2001:db8:2::/48")
	g.reload(nearly, neighbor("far", "fe80::2%"+far.iface, 65252, "connect: true", "password_file: "+key))
	g.waitRoutes("far", 1)
	for _, row := range []struct{ peer, prefix string }{{"near", "2001:db8:1::/48"}, {"far", "2001:db8:2::/48"}} {
		routes := g.routes("peer " + row.peer)
		if len(routes) != 1 || routes[0].Prefix != row.prefix || !strings.HasPrefix(routes[0].NextHop, "fe80::2") {
			t.Errorf("%s: routes %+v", row.peer, routes)
		}
	}
	if p := g.peer("near"); p.Counters.SessionsEstablished != 1 {
		t.Errorf("the reload disturbed the other neighbor: %d sessions", p.Counters.SessionsEstablished)
	}
	g.unharmed()
}

// Dynamic neighbors of fe80::/10 belong to one link.
func TestDynamicNeighborsOfALink(t *testing.T) {
	t.Parallel()
	near := newLAN(t, fmt.Sprintf("rgc%d", os.Getpid()%1_000_000))
	far := newLAN(t, fmt.Sprintf("rgd%d", os.Getpid()%1_000_000))
	g := newGlassAt(t, "::", dynamic("fe80::/10", "interface: "+near.iface, "group: lan"), dynamic("::/0", "group: all"))
	far.bird(t, 65251, g.bgp.Port(), "", "2001:db8:2::/48")
	near.bird(t, 65251, g.bgp.Port(), "", "2001:db8:1::/48")
	g.waitRoutes("lan-fe80::2-"+near.iface, 1)
	waitFor(t, 20*time.Second, "the router of the other link is refused", func() error {
		if !g.logged("fe80::2%" + far.iface) {
			return fmt.Errorf("not yet")
		}
		return nil
	})
	var peers struct{ Peers []struct{ Name string } }
	if err := g.getJSON("/api/v1/peers", &peers); err != nil {
		t.Fatal(err)
	}
	if len(peers.Peers) != 1 {
		t.Errorf("peers %+v", peers.Peers)
	}
	g.unharmed()
}
