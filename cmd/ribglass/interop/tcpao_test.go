package interop

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// setAO sets a TCP-AO key (RFC 5925) towards an IPv4 address: struct tcp_ao_add of
// linux/tcp.h, for the option TCP_AO_ADD_KEY.
func setAO(fd int, to netip.Addr, algorithm, key string, sendID, recvID byte) error {
	const option = 38
	b := make([]byte, 288)
	binary.NativeEndian.PutUint16(b, unix.AF_INET)
	ip := to.As4()
	copy(b[4:], ip[:])
	copy(b[128:192], algorithm)
	b[202], b[203], b[204], b[207] = 32, sendID, recvID, byte(len(key))
	copy(b[208:], key)
	return unix.SetsockoptString(fd, unix.IPPROTO_TCP, option, string(b))
}

// kernelHasAO tries to set a key.
func kernelHasAO(t *testing.T) bool {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	err = setAO(fd, netip.MustParseAddr("192.0.2.1"), "hmac(sha1)", "x", 1, 1)
	if err != nil && !errors.Is(err, unix.ENOPROTOOPT) {
		t.Fatal(err)
	}
	return err == nil
}

func aoNeighbor(t *testing.T, g *glass, self string, asn uint32) string {
	t.Helper()
	file := filepath.Join(g.dir, "edge.ao")
	writeFile(t, file, "correct horse\n")
	return neighbor("daemon", self, asn, "tcp_ao: [{ send_id: 1, recv_id: 2, algorithm: cmac(aes128), key_file: "+file+" }]")
}

// A session comes up with the key of TCP-AO, and without it, with a wrong one and with
// wrong ids there is none.
func TestTCPAO(t *testing.T) {
	t.Parallel()
	if !kernelHasAO(t) {
		t.Skip("this kernel has no TCP-AO (CONFIG_TCP_AO)")
	}
	const self, asn = "127.0.1.155", 65255
	g := configuredGlass(t, "127.0.0.1")
	g.neighbors = sections([]string{aoNeighbor(t, g, self, asn)})
	g.start()
	try := func(within time.Duration, key string, sendID, recvID byte) (net.Conn, error) {
		ctx, cancel := context.WithTimeout(t.Context(), within)
		defer cancel()
		d := net.Dialer{
			LocalAddr: &net.TCPAddr{IP: net.ParseIP(self)},
			Control: func(_, _ string, c syscall.RawConn) error {
				var failed error
				err := c.Control(func(fd uintptr) {
					if key != "" {
						failed = setAO(int(fd), g.bgp.Addr(), "cmac(aes128)", key, sendID, recvID)
					}
				})
				return errors.Join(err, failed)
			},
		}
		return d.DialContext(ctx, "tcp", g.bgp.String())
	}
	for _, row := range []struct {
		name, key      string
		sendID, recvID byte
	}{{"no key", "", 0, 0}, {"a wrong key", "incorrect horse", 2, 1}, {"wrong ids", "correct horse", 1, 2}} {
		if conn, err := try(300*time.Millisecond, row.key, row.sendID, row.recvID); err == nil {
			conn.Close()
			t.Errorf("%s: connected", row.name)
		}
	}
	conn, err := try(5*time.Second, "correct horse", 2, 1)
	if err != nil {
		t.Fatal(err)
	}
	s, err := handshake(t, speakerConfig{local: self, asn: asn}, conn)
	if err != nil {
		t.Fatal(err)
	}
	s.send(plainRoute("198.51.100.0/24", asn), endOfRIB(1), endOfRIB(2))
	g.waitRoutes("daemon", 1)
	g.unharmed()
}

// Where the kernel has no TCP-AO, Ribglass does not start, and says why.
func TestTCPAOWhereTheKernelHasNone(t *testing.T) {
	t.Parallel()
	if kernelHasAO(t) {
		t.Skip("this kernel has TCP-AO")
	}
	g := configuredGlass(t, "127.0.0.1")
	g.neighbors = sections([]string{aoNeighbor(t, g, "127.0.1.156", 65256)})
	writeFile(t, g.configFile(), g.config())
	out, err := exec.CommandContext(t.Context(), programPath, "serve", "--config", g.configFile()).CombinedOutput()
	const want = "set the TCP-AO key of 127.0.1.156/32: this kernel has no TCP-AO (RFC 5925): it is in Linux since 6.7"
	if err == nil || !strings.Contains(string(out), want) {
		t.Errorf("serve: %v\n%s", err, fmt.Sprintf("%.2000s", out))
	}
	if strings.Contains(string(out), "correct horse") {
		t.Error("the key shows")
	}
}
