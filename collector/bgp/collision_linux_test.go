package bgp

import (
	"errors"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// vanish closes a connection as a power cut would: the other side hears nothing.
func vanish(t *testing.T, r *router) {
	t.Helper()
	raw, err := r.conn.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	err = control(raw, func(fd int) error { return unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_REPAIR, 1) })
	if errors.Is(err, syscall.EPERM) {
		t.Skip("TCP_REPAIR needs CAP_NET_ADMIN")
	}
	if err != nil {
		t.Fatal(err)
	}
	_ = r.conn.Close()
}

func TestNewConnectionAfterASilentDeathIsAccepted(t *testing.T) {
	t.Parallel()
	b := start(t, testConfig(testNeighbor("edge1", "127.0.0.2", 64501)))
	old := b.up("127.0.0.2", testOpen(64501, "192.0.2.1"))
	b.alive(old, "edge1", 1)
	vanish(t, old)
	b.alive(b.up("127.0.0.2", testOpen(64501, "192.0.2.1")), "edge1", 2)
	if s := b.session("edge1"); s.Counters.SessionsEstablished != 2 {
		t.Errorf("established %d times, want 2", s.Counters.SessionsEstablished)
	}
}
