package interop

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Whatever peers ask for, no UPDATE with a reachable or an unreachable prefix
// ever leaves. Four peers watch: an internal one, an external one with every
// family and ADD-PATH both ways, BIRD, and a BIRD that Ribglass dials; they ask for routes with
// ROUTE-REFRESH while a table comes in. A capture of the kernel's packets has
// the last word.
func TestNoRouteIsEverAnnounced(t *testing.T) {
	routes := loadFeed(t)
	passive := newEndpoints(t, 54, netip.AddrPort{})
	g := newGlass(t,
		neighbor("inner", "127.0.1.51", glassASN, "hold_time: 3s"),
		neighbor("outer", "127.0.1.52", 65152, "add_path: true", "hold_time: 3s",
			"families: [ipv4-unicast, ipv6-unicast, ipv4-multicast, ipv6-multicast]"),
		neighbor("daemon", "127.0.1.53", 65153),
		neighbor("dialed", passive.self, passive.asn, "connect: true", fmt.Sprintf("port: %d", passive.port)))
	packets := capture(t, g.bgp.Port(), passive.port)
	waiting := newPassiveBird(t, passive, g)
	inner := dial(t, speakerConfig{local: "127.0.1.51", asn: glassASN, hold: 3}, g.bgp)
	outer := dial(t, speakerConfig{local: "127.0.1.52", asn: 65152, hold: 3, capabilities: append(usualCapabilities(65152),
		familyCapability(1, 2), familyCapability(2, 2), capability(70), // enhanced route refresh
		capability(69, 0, 1, 1, 3, 0, 2, 1, 3, 0, 1, 2, 3, 0, 2, 2, 3))}, g.bgp)
	inner.send(plainRoute("198.51.100.0/24", 65200), endOfRIB(1), endOfRIB(2))
	b := newBird(t, newEndpoints(t, 53, g.bgp))
	b.start(t)
	feedRouter(t, b, routes)
	for _, s := range []*speaker{inner, outer} {
		s.send(refresh(1, 1, 0), refresh(2, 1, 0))
	}
	outer.send(refresh(1, 2, 0), refresh(2, 2, 0), refresh(1, 1, 1), refresh(1, 1, 2))
	sameRoutes(t, g, b, "daemon", 1500)
	if _, err := b.do("reload", "in", "glass"); err != nil { // BIRD asks for the routes again
		t.Error(err)
	}

	// With a hold time of three seconds a KEEPALIVE comes every second.
	for _, s := range []*speaker{inner, outer} {
		seen := len(s.messages(msgKeepalive))
		waitFor(t, 20*time.Second, "eight further KEEPALIVEs", func() error {
			if n := len(s.messages(msgKeepalive)); n < seen+8 {
				return fmt.Errorf("%d", n-seen)
			}
			return nil
		})
		if s.ended() {
			t.Error("a session ended")
		}
		onlyEndOfRIB(t, s.messages(msgUpdate))
	}
	g.waitEstablished("dialed")
	for _, d := range []*bird{b, waiting} {
		shown, err := d.do("show", "protocols", "all", "glass")
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(shown), "Routes:         0 imported"); n != 2 {
			t.Errorf("BIRD imported routes:\n%s", shown)
		}
	}
	sent := packets.messages(t)
	if len(sent) < 30 {
		t.Errorf("captured %d messages, want the KEEPALIVEs of three sessions and more", len(sent))
	}
	updates := slices.DeleteFunc(sent, func(m message) bool { return m.kind() != msgUpdate })
	onlyEndOfRIB(t, updates)
	t.Logf("%d UPDATEs left, all End-of-RIB", len(updates))
}

// onlyEndOfRIB fails the test when an UPDATE is anything but End-of-RIB.
func onlyEndOfRIB(t *testing.T, updates []message) {
	t.Helper()
	for _, m := range updates {
		unreach := len(m) == 23+6 && m[24] == 15 || len(m) == 23+7 && m[24] == 15
		if m.announces() || len(m) != 23 && !unreach {
			t.Errorf("an UPDATE left: %x", []byte(m))
		}
	}
}

// refresh is a ROUTE-REFRESH (RFC 2918), with the subtype of RFC 7313.
func refresh(afi uint16, safi, subtype byte) []byte {
	return frame(msgRouteRefresh, []byte{byte(afi >> 8), byte(afi), subtype, safi})
}

// capturer keeps what left a TCP port over the loopback interface, or went to one of
// the ports that Ribglass dials, by connection.
type capturer struct {
	fd     int
	port   uint16
	dialed []uint16

	mu       sync.Mutex // guards segments
	segments map[connection][]segment
}

type connection struct{ from, to netip.AddrPort }

type segment struct {
	seq  uint32
	data []byte
}

// capture records packets from now on. It needs the right to do so.
func capture(t *testing.T, port uint16, dialed ...uint16) *capturer {
	t.Helper()
	const all = 0x0300 // ETH_P_ALL in network order
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, all)
	if err != nil {
		t.Skipf("packet capture is not permitted: %v", err)
	}
	lo, err := net.InterfaceByName("lo")
	if err != nil {
		t.Fatal(err)
	}
	timeout := unix.Timeval{Usec: 100_000}
	err = errors.Join(
		unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: all, Ifindex: lo.Index}),
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 64<<20),
		unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &timeout))
	if err != nil {
		t.Fatal(err)
	}
	c := &capturer{fd: fd, port: port, dialed: dialed, segments: map[connection][]segment{}}
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		c.read(stop)
	}()
	t.Cleanup(func() {
		close(stop)
		<-done
		unix.Close(fd)
	})
	return c
}

func (c *capturer) read(stop chan struct{}) {
	packet := make([]byte, 1<<17)
	for {
		select {
		case <-stop:
			return
		default:
		}
		if n, _, err := unix.Recvfrom(c.fd, packet, 0); err == nil {
			c.keep(packet[:n])
		}
	}
}

// keep takes an Ethernet frame with IPv4 and TCP from the port, or to a port that is dialed.
func (c *capturer) keep(packet []byte) {
	const ethernet = 14
	if len(packet) < ethernet+20 || binary.BigEndian.Uint16(packet[12:]) != unix.ETH_P_IP {
		return
	}
	ip := packet[ethernet:]
	ip = ip[:min(len(ip), int(binary.BigEndian.Uint16(ip[2:])))]
	header := 4 * int(ip[0]&0x0f)
	if ip[9] != unix.IPPROTO_TCP || len(ip) < header+20 {
		return
	}
	tcp := ip[header:]
	data := tcp[4*int(tcp[12]>>4):]
	from := netip.AddrPortFrom(netip.AddrFrom4([4]byte(ip[12:16])), binary.BigEndian.Uint16(tcp))
	to := netip.AddrPortFrom(netip.AddrFrom4([4]byte(ip[16:20])), binary.BigEndian.Uint16(tcp[2:]))
	if from.Port() != c.port && !slices.Contains(c.dialed, to.Port()) || len(data) == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.segments[connection{from, to}] = append(c.segments[connection{from, to}], segment{binary.BigEndian.Uint32(tcp[4:]), bytes.Clone(data)})
}

// messages puts the segments of each connection together. Each packet of the
// loopback interface is seen twice.
func (c *capturer) messages(t *testing.T) []message {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	var all []message
	for of, segments := range c.segments {
		first := segments[0].seq
		slices.SortStableFunc(segments, func(a, b segment) int { return cmp.Compare(int32(a.seq-first), int32(b.seq-first)) })
		next := segments[0].seq
		var stream []byte
		for _, s := range segments {
			skip := int32(next - s.seq)
			if skip < 0 {
				t.Fatalf("the capture of %v has a gap", of)
			}
			if int(skip) < len(s.data) {
				stream = append(stream, s.data[skip:]...)
				next = s.seq + uint32(len(s.data))
			}
		}
		for r := bytes.NewReader(stream); ; {
			m, err := readMessage(r)
			if err != nil {
				break
			}
			all = append(all, m)
		}
	}
	return all
}
