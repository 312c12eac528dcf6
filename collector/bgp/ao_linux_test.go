package bgp

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"ribglass/ribstore/route"
)

// kernelHasAO tries to add a key.
func kernelHasAO(t *testing.T) bool {
	t.Helper()
	l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	err = setAOKeys(l, nil, map[aoPlace]AOKey{{peers: prefix("192.0.2.1/32")}: {Key: "x"}})
	if err != nil && !errors.Is(err, errNoAO) {
		t.Fatal(err)
	}
	return err == nil
}

func needAO(t *testing.T) {
	t.Helper()
	if !kernelHasAO(t) {
		t.Skip(errNoAO)
	}
}

func signedBy(keys ...AOKey) func(string, string, syscall.RawConn) error {
	return func(_, _ string, raw syscall.RawConn) error {
		for i, k := range keys {
			if err := addAOKey(raw, aoPlace{prefix("127.0.0.1/32"), k.SendID, k.RecvID}, k, i == 0); err != nil {
				return err
			}
		}
		return nil
	}
}

// A session comes up with the key and its ids, by every algorithm; a wrong key, a wrong
// id, no key and TCP-MD5 get no connection.
func TestTCPAO(t *testing.T) {
	t.Parallel()
	needAO(t)
	for _, algorithm := range aoAlgorithms() {
		n := testNeighbor("edge1", "127.0.0.2", 64501)
		n.TCPAO = []AOKey{
			{SendID: 1, RecvID: 2, Algorithm: algorithm, Key: "correct horse"},
			{SendID: 3, RecvID: 4, Algorithm: algorithm, Key: "battery staple"},
		}
		b := start(t, testConfig(n, testNeighbor("edge2", "127.0.0.3", 64502)))
		for _, tt := range []struct {
			name    string
			control func(string, string, syscall.RawConn) error
			want    bool
		}{
			{"the key", signedBy(AOKey{SendID: 2, RecvID: 1, Algorithm: algorithm, Key: "correct horse"}), true},
			{"the second key", signedBy(AOKey{SendID: 4, RecvID: 3, Algorithm: algorithm, Key: "battery staple"}), true},
			{"a wrong key", signedBy(AOKey{SendID: 2, RecvID: 1, Algorithm: algorithm, Key: "incorrect horse"}), false},
			{"a wrong id", signedBy(AOKey{SendID: 9, RecvID: 1, Algorithm: algorithm, Key: "correct horse"}), false},
			{"no key", nil, false},
			{"TCP-MD5", withKey("correct horse"), false},
		} {
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			if !tt.want { // nothing answers
				ctx, cancel = context.WithTimeout(t.Context(), 300*time.Millisecond)
			}
			conn, err := dialerFrom("127.0.0.2", tt.control).DialContext(ctx, "tcp", b.Addresses()[0].String())
			cancel()
			if (err == nil) != tt.want {
				t.Errorf("%s, %s: %v", algorithm, tt.name, err)
			}
			if err == nil {
				r := &router{t: t, conn: asTCP(conn), open: testOpen(64501, "192.0.2.1")}
				r.establish()
				b.waitState("edge1", route.StateEstablished)
				_ = conn.Close()
				b.waitState("edge1", route.StateActive)
			}
		}
		b.up("127.0.0.3", testOpen(64502, "192.0.2.2"))
		b.waitState("edge2", route.StateEstablished)
		b.stop()
	}
}

// A reload changes the keys of the listener, and a neighbor that is dialed has them too.
func TestTCPAOAfterAReloadAndDialed(t *testing.T) {
	t.Parallel()
	needAO(t)
	n := testNeighbor("edge1", "127.0.0.2", 64501)
	n.TCPAO = []AOKey{{SendID: 1, RecvID: 1, Key: "old"}}
	b := start(t, testConfig(n))
	n.TCPAO = []AOKey{{SendID: 1, RecvID: 1, Key: "new"}}
	if err := b.Reload(testConfig(n)); err != nil {
		t.Fatal(err)
	}
	if _, err := b.dial("127.0.0.2", signedBy(n.TCPAO...)); err != nil {
		t.Errorf("with the new key: %v", err)
	}
	l, dialed := passive(t, "edge2", "127.0.0.3", 64502)
	dialed.TCPAO = []AOKey{{SendID: 1, RecvID: 1, Key: "dialed"}}
	if err := setAOKeys(l, nil, map[aoPlace]AOKey{{prefix("127.0.0.1/32"), 1, 1}: dialed.TCPAO[0]}); err != nil {
		t.Fatal(err)
	}
	if err := b.Reload(testConfig(n, dialed)); err != nil {
		t.Fatal(err)
	}
	b.accepted(l, testOpen(64502, "192.0.2.2")).establish()
	b.waitState("edge2", route.StateEstablished)
}

// Where the kernel has no TCP-AO, a start says so, and no session runs unsigned after a
// reload.
func TestAKernelWithoutTCPAO(t *testing.T) {
	t.Parallel()
	if kernelHasAO(t) {
		t.Skip("this kernel has TCP-AO")
	}
	n := testNeighbor("edge1", "127.0.0.2", 64501)
	n.TCPAO = []AOKey{{SendID: 1, RecvID: 1, Key: "correct horse"}}
	c, err := New(testConfig(n), Deps{Logger: slog.New(slog.DiscardHandler), Out: make(chan route.Batch)})
	if err != nil {
		t.Fatal(err)
	}
	share(c)
	if err := c.Run(t.Context()); !errors.Is(err, errNoAO) || !strings.Contains(err.Error(), "set the TCP-AO key of 127.0.0.2/32") {
		t.Errorf("Run() = %v", err)
	}

	b := start(t, testConfig(testNeighbor("edge1", "127.0.0.2", 64501)))
	if err := b.Reload(testConfig(n)); !errors.Is(err, errNoAO) {
		t.Errorf("Reload() = %v", err)
	}
	conn, err := b.dial("127.0.0.2")
	refused(t, conn, err)
	eventually(t, "the reason is there", func() bool { return strings.Contains(b.session("edge1").LastError, errUnkeyed.Error()) })
	n.Dialing = Dialing{Connect: true, Port: 1}
	if _, err := connect(t.Context(), n); !errors.Is(err, errNoAO) || !strings.Contains(dialReason(n, err), "Linux since 6.7") {
		t.Errorf("connect() = %v", err)
	}
}

// The structures of the kernel have fixed sizes; a wrong one would be refused, with an
// error that says nothing.
func TestAddressesOfTheKernel(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		network, peers string
		at             int
		want           []byte
	}{
		{"tcp4", "192.0.2.0/24", 4, []byte{192, 0, 2, 0}},
		{"tcp6", "192.0.2.0/24", 18, []byte{0xff, 0xff, 192, 0, 2, 0}},
		{"tcp6", "2001:db8::/32", 8, []byte{0x20, 1, 0xd, 0xb8}},
	} {
		host := map[string]string{"tcp4": "127.0.0.1:0", "tcp6": "[::1]:0"}[tt.network]
		l, err := net.Listen(tt.network, host)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := l.(*net.TCPListener).SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		err = control(raw, func(fd int) error {
			addr, err := aoAddr(fd, netip.MustParsePrefix(tt.peers))
			if got := addr[tt.at : tt.at+len(tt.want)]; string(got) != string(tt.want) || addr[2] != 0 || addr[3] != 0 {
				t.Errorf("%s of %s: %x", tt.peers, tt.network, addr)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
		_ = l.Close()
	}
}
