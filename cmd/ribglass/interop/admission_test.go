package interop

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestAnUnknownPeerGetsNotOneByte(t *testing.T) {
	t.Parallel()
	g := newGlass(t, neighbor("known", "127.0.1.61", 65161))
	for _, says := range []struct {
		name  string
		bytes []byte
	}{
		{"nothing", nil},
		{"an OPEN of the known neighbour", speakerConfig{local: "127.0.1.61", asn: 65161}.open()},
		{"an HTTP request", []byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n")},
	} {
		t.Run(says.name, func(t *testing.T) {
			conn, err := connect(speakerConfig{local: "127.0.5.1"}, g.bgp)
			if err != nil {
				return // refused already
			}
			defer conn.Close()
			_, _ = conn.Write(says.bytes) // may be reset already
			if got := readAll(conn, 5*time.Second); len(got) != 0 {
				t.Errorf("it answered %x", got)
			}
		})
	}
	g.unharmed()
}

// readAll reads until the other side ends the connection, or fails by a
// deadline with what there was.
func readAll(conn net.Conn, within time.Duration) []byte {
	_ = conn.SetReadDeadline(time.Now().Add(within))
	got, err := io.ReadAll(conn)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return append(got, "(still open)"...)
	}
	return got
}

func TestAnOPENThatCannotBeIsRefused(t *testing.T) {
	t.Parallel()
	g := newGlass(t, neighbor("outer", "127.0.1.62", 65162), neighbor("inner", "127.0.1.63", glassASN))
	outer := speakerConfig{local: "127.0.1.62", asn: 65162}
	id := netip.MustParseAddr("10.9.9.9")
	capabilities := usualCapabilities(65162)
	version := outer.open()
	version[19] = 3
	marker := outer.open()
	marker[3] = 0
	long := openMessage(65162, 90, id, capabilities...)
	long[17]++ // one octet more than there is to come, and OPEN does not fill it
	for _, row := range []struct {
		name          string
		local         string
		open          []byte
		code, subcode byte
	}{
		{"another AS", outer.local, openMessage(65199, 90, id, usualCapabilities(65199)...), 2, 2},
		{"AS 0", outer.local, openMessage(0, 90, id, usualCapabilities(0)...), 2, 2},
		{"another AS in the capability than in the header", outer.local, openMessage(65162, 90, id, usualCapabilities(65199)...), 2, 2},
		{"version 3", outer.local, version, 2, 1},
		{"the router id 0.0.0.0", outer.local, openMessage(65162, 90, netip.IPv4Unspecified(), capabilities...), 2, 3},
		{"our own router id inside the AS", "127.0.1.63", openMessage(glassASN, 90, netip.MustParseAddr("192.0.2.10"), usualCapabilities(glassASN)...), 2, 3},
		{"a hold time of one second", outer.local, openMessage(65162, 1, id, capabilities...), 2, 6},
		{"a marker that is not all ones", outer.local, marker, 1, 1},
		{"an unknown message type", outer.local, frame(99, nil), 1, 3},
		{"a KEEPALIVE of 20 octets", outer.local, frame(msgKeepalive, []byte{0}), 1, 2},
		{"a length below the header's", outer.local, append(bytes.Repeat([]byte{0xff}, 16), 0, 18, 1), 1, 2},
		{"an OPEN of 5,000 octets", outer.local, frame(msgOpen, make([]byte, 4981)), 1, 2},
		{"an UPDATE for an OPEN", outer.local, plainRoute("198.51.100.0/24", 65162), 5, 1},
	} {
		t.Run(row.name, func(t *testing.T) {
			refusedOpen(t, g, row.local, row.open, row.code, row.subcode)
		})
	}
	g.unharmed()
	s := dial(t, outer, g.bgp)
	g.waitEstablished("outer")
	s.close()
}

// refusedOpen sends a first message and wants a NOTIFICATION. The collector may
// hold connections back after some refusals, so it tries until it is heard.
func refusedOpen(t *testing.T, g *glass, local string, first []byte, code, subcode byte) {
	t.Helper()
	waitFor(t, 20*time.Second, fmt.Sprintf("NOTIFICATION %d/%d", code, subcode), func() error {
		conn, err := connect(speakerConfig{local: local}, g.bgp)
		if err != nil {
			return err
		}
		defer conn.Close()
		if _, err := conn.Write(first); err != nil {
			return err
		}
		rest := readAll(conn, 5*time.Second)
		for r := bytes.NewReader(rest); ; {
			m, err := readMessage(r)
			if err != nil {
				return fmt.Errorf("no NOTIFICATION in %x", rest)
			}
			if m.kind() == msgUpdate || m.kind() == msgKeepalive {
				return fmt.Errorf("it went on with type %d", m.kind())
			}
			if m.kind() == msgNotification {
				if c, s, _ := m.notification(); c != code || s != subcode {
					return fmt.Errorf("NOTIFICATION %d/%d", c, s)
				}
				return nil
			}
		}
	})
}

func TestASecondConnectionDoesNotEndALivingSession(t *testing.T) {
	t.Parallel()
	g := newGlass(t, neighbor("peer", "127.0.1.64", 65164))
	cfg := speakerConfig{local: "127.0.1.64", asn: 65164}
	s := dial(t, cfg, g.bgp)
	s.send(plainRoute("198.51.100.0/24", 65164))
	before := g.waitRoutes("peer", 1)
	for range 3 {
		second, err := tryDial(t, cfg, g.bgp)
		if err == nil {
			second.close()
			t.Fatal("a second session was accepted beside the first")
		}
	}
	if after := g.peer("peer"); s.ended() || !after.Since.Equal(before.Since) {
		t.Errorf("the session ended: %+v", after)
	}
}

// 1,000 connections that say nothing, half of them from a neighbour's address,
// cost little and keep nobody out.
func TestAThousandSilentConnections(t *testing.T) {
	t.Parallel()
	g := newGlass(t, neighbor("half-open", "127.0.1.65", 65165), neighbor("other", "127.0.1.66", 65166))
	before := g.residentMemory()
	for i := range 1000 {
		local := "127.0.1.65"
		if i%2 == 0 {
			local = fmt.Sprintf("127.0.6.%d", 1+i%250)
		}
		conn, err := connect(speakerConfig{local: local}, g.bgp)
		if err != nil {
			continue // refused
		}
		t.Cleanup(func() { conn.Close() })
	}
	s := dial(t, speakerConfig{local: "127.0.1.66", asn: 65166}, g.bgp)
	s.send(plainRoute("198.51.100.0/24", 65166))
	g.waitRoutes("other", 1)
	if grown := g.residentMemory() - before; grown > 32<<20 {
		t.Errorf("memory grew by %d MiB", grown>>20)
	}
	if n := g.openFiles(); n > 64 {
		t.Errorf("%d files are open: connections of one neighbour pile up", n)
	}
	g.unharmed()
}

// residentMemory is the RSS of the process, in bytes.
func (g *glass) residentMemory() int {
	g.t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", g.cmd.Process.Pid))
	if err != nil {
		g.t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if fields := strings.Fields(line); fields[0] == "VmRSS:" {
			n, _ := strconv.Atoi(fields[1])
			return n << 10
		}
	}
	g.t.Fatal("no VmRSS")
	return 0
}

func (g *glass) openFiles() int {
	g.t.Helper()
	files, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", g.cmd.Process.Pid))
	if err != nil {
		g.t.Fatal(err)
	}
	return len(files)
}

func TestTCPMD5AndTTLSecurityKeepOthersOut(t *testing.T) {
	t.Parallel()
	g := newGlass(t,
		neighbor("md5", "127.0.1.67", 65167, withPassword(t, "zephyr quill")),
		neighbor("ttl", "127.0.1.68", 65168, "ttl_security: 1"))
	md5 := speakerConfig{local: "127.0.1.67", asn: 65167}
	ttl := speakerConfig{local: "127.0.1.68", asn: 65168}
	for _, row := range []struct {
		name string
		cfg  speakerConfig
	}{
		{"no key", md5},
		{"a wrong key", with(md5, func(c *speakerConfig) { c.md5 = "guess" })},
		{"TTL 64", with(ttl, func(c *speakerConfig) { c.ttl = 64 })},
		{"TTL 254, one hop too far", with(ttl, func(c *speakerConfig) { c.ttl = 254 })},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			if s, err := tryDial(t, row.cfg, g.bgp); err == nil {
				s.close()
				t.Error("a session was accepted")
			}
		})
	}
	t.Run("the right ones get a session", func(t *testing.T) {
		dial(t, with(md5, func(c *speakerConfig) { c.md5 = "zephyr quill" }), g.bgp)
		dial(t, with(ttl, func(c *speakerConfig) { c.ttl = 255 }), g.bgp)
		g.waitEstablished("md5")
		g.waitEstablished("ttl")
	})
}

func with(c speakerConfig, change func(*speakerConfig)) speakerConfig {
	change(&c)
	return c
}

// Beside the three configured listeners there is the loopback one of the
// embedded speaker, which talks to nobody without a key; there is no gRPC.
func TestNothingElseListens(t *testing.T) {
	t.Parallel()
	g := newGlass(t, neighbor("peer", "127.0.1.69", 65169))
	configured := map[string]bool{g.bgp.String(): true, g.http: true, g.admin: true}
	inner := 0
	for _, at := range listeners(t, g.cmd.Process.Pid) {
		if configured[at.String()] {
			continue
		}
		inner++
		if !at.Addr().IsLoopback() || at.Port() == 50051 || at.Port() == 179 {
			t.Errorf("something listens on %s", at)
		}
		conn, err := net.DialTimeout("tcp", at.String(), time.Second)
		if err != nil {
			continue // no key, no connection
		}
		_, _ = conn.Write(openMessage(65169, 90, netip.MustParseAddr("10.9.9.9"), usualCapabilities(65169)...))
		if got := readAll(conn, 2*time.Second); len(got) > 0 {
			t.Errorf("%s answered %q", at, got)
		}
		conn.Close()
	}
	if inner > 1 {
		t.Errorf("%d listeners beside the configured ones", inner)
	}
}

// listeners are the TCP addresses that a process listens on.
func listeners(t *testing.T, pid int) []netip.AddrPort {
	t.Helper()
	mine := map[string]bool{}
	links, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range links {
		target, _ := os.Readlink(l) // a file may be closed meanwhile
		mine[strings.TrimSuffix(strings.TrimPrefix(target, "socket:["), "]")] = true
	}
	var found []netip.AddrPort
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		data, err := os.ReadFile(table)
		if err != nil {
			continue // no IPv6
		}
		for scan := bufio.NewScanner(bytes.NewReader(data)); scan.Scan(); {
			f := strings.Fields(scan.Text())
			if len(f) > 9 && f[3] == "0A" && mine[f[9]] {
				found = append(found, kernelAddress(t, f[1]))
			}
		}
	}
	return found
}

// kernelAddress reads an address of /proc/net/tcp: 32-bit words in host order.
func kernelAddress(t *testing.T, text string) netip.AddrPort {
	t.Helper()
	words, port, _ := strings.Cut(text, ":")
	n, err := strconv.ParseUint(port, 16, 16)
	if err != nil {
		t.Fatal(err)
	}
	var addr []byte
	for i := 0; i < len(words); i += 8 {
		w, err := strconv.ParseUint(words[i:i+8], 16, 32)
		if err != nil {
			t.Fatal(err)
		}
		addr = append(addr, byte(w), byte(w>>8), byte(w>>16), byte(w>>24))
	}
	a, _ := netip.AddrFromSlice(addr)
	return netip.AddrPortFrom(a.Unmap(), uint16(n))
}
