package bgp

import (
	"context"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"ribglass/collector"
	"ribglass/ribstore/route"
)

// withKey signs a test connection.
func withKey(key collector.Secret) func(string, string, syscall.RawConn) error {
	return func(_, _ string, raw syscall.RawConn) error { return setMD5(raw, prefix("127.0.0.1/32"), key) }
}

// droppedSegments returns how many segments the kernel has dropped because their
// TCP-MD5 signature was missing, unexpected or wrong.
func droppedSegments(t *testing.T) int {
	t.Helper()
	text, err := os.ReadFile("/proc/net/netstat")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(text), "\n")
	sum := 0
	for i := 0; i+1 < len(lines); i += 2 { // a line of names and a line of values
		names, values := strings.Fields(lines[i]), strings.Fields(lines[i+1])
		for j, name := range names {
			if slices.Contains([]string{"TCPMD5NotFound", "TCPMD5Unexpected", "TCPMD5Failure"}, name) {
				n, err := strconv.Atoi(values[j])
				if err != nil {
					t.Fatal(err)
				}
				sum += n
			}
		}
	}
	return sum
}

// dropped reports whether the kernel drops a segment before a connection is made.
func (b *bench) dropped(t *testing.T, from string, control func(string, string, syscall.RawConn) error) bool {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	before := droppedSegments(t)
	connected := make(chan bool, 1)
	go func() {
		conn, err := dialerFrom(from, control).DialContext(ctx, "tcp", b.Addresses()[0].String())
		if err == nil {
			_ = conn.Close()
		}
		connected <- err == nil
	}()
	eventually(t, "the connection is made or dropped", func() bool { return len(connected) > 0 || droppedSegments(t) > before })
	cancel()
	return !<-connected
}

func TestMD5(t *testing.T) {
	t.Parallel()
	n := testNeighbor("edge1", "127.0.0.2", 64501)
	n.Password = "correct horse"
	cfg := testConfig(n, testNeighbor("edge2", "127.0.0.3", 64502))
	rule := DynamicNeighbor{Prefix: prefix("127.0.1.0/24"), Settings: DefaultSettings()}
	rule.Password = "battery staple"
	cfg.DynamicNeighbors = []DynamicNeighbor{rule}
	b := start(t, cfg)
	if strings.Contains(b.logged(), "took no TCP-MD5 key") {
		t.Error("the inner connection has no TCP-MD5")
	}
	tests := map[string]struct {
		from string
		key  collector.Secret
		want bool
	}{
		"the right key":                     {"127.0.0.2", "correct horse", true},
		"a wrong key":                       {"127.0.0.2", "incorrect horse", false},
		"no key":                            {"127.0.0.2", "", false},
		"the right key of a prefix":         {"127.0.1.9", "battery staple", true},
		"no key for a prefix that has one":  {"127.0.1.8", "", false},
		"a peer without key needs none":     {"127.0.0.3", "", true},
		"a peer without key may not use it": {"127.0.0.3", "correct horse", false},
	}
	for name, tt := range tests {
		control := func(string, string, syscall.RawConn) error { return nil }
		if tt.key != "" {
			control = withKey(tt.key)
		}
		if !tt.want {
			if !b.dropped(t, tt.from, control) {
				t.Errorf("%s: connected", name)
			}
			continue
		}
		conn, err := b.dial(tt.from, control)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		_ = conn.Close()
	}
}

func TestReloadChangesKeys(t *testing.T) {
	t.Parallel()
	n := testNeighbor("edge1", "127.0.0.2", 64501)
	n.Password = "old"
	b := start(t, testConfig(n))
	n.Password = "new"
	if err := b.Reload(testConfig(n)); err != nil {
		t.Fatal(err)
	}
	if _, err := b.dial("127.0.0.2", withKey("new")); err != nil {
		t.Errorf("with the new key: %v", err)
	}
	n.Password = ""
	if err := b.Reload(testConfig(n)); err != nil {
		t.Fatal(err)
	}
	if _, err := b.dial("127.0.0.2"); err != nil {
		t.Errorf("without key after it was removed: %v", err)
	}
}

func TestDualStackListener(t *testing.T) {
	t.Parallel()
	n4, n6 := testNeighbor("v4", "127.0.0.2", 64501), testNeighbor("v6", "::1", 64502)
	n4.Password, n4.TTLSecurity, n6.TTLSecurity = "four", 1, 1
	cfg := testConfig(n4, n6)
	cfg.Listen = []netip.AddrPort{netip.MustParseAddrPort("[::]:0")}
	b := start(t, cfg)
	port := b.Addresses()[0].Port()
	dial := func(from, to string, control func(string, string, syscall.RawConn) error) *router {
		t.Helper()
		d := dialerFrom(from, control)
		conn, err := d.DialContext(t.Context(), "tcp", netip.AddrPortFrom(addr(to), port).String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		return &router{t: t, conn: asTCP(conn)}
	}
	ttl := func(key collector.Secret) func(string, string, syscall.RawConn) error {
		return func(network, address string, raw syscall.RawConn) error {
			if key != "" {
				if err := withKey(key)(network, address, raw); err != nil {
					return err
				}
			}
			return control(raw, func(fd int) error { return setTTL(fd, 255) })
		}
	}
	r4 := dial("127.0.0.2", "127.0.0.1", ttl("four"))
	r4.open = testOpen(64501, "192.0.2.1")
	r4.establish()
	b.alive(r4, "v4", 1)
	r6 := dial("::1", "::1", ttl(""))
	r6.open = testOpen(64502, "192.0.2.2")
	r6.establish()
	b.alive(r6, "v6", 2)
}

func TestTTLSecurity(t *testing.T) {
	t.Parallel()
	n := testNeighbor("edge1", "127.0.0.2", 64501)
	n.TTLSecurity = 2
	b := start(t, testConfig(n))
	for _, tt := range []struct {
		ttl  int
		want bool
	}{{253, false}, {64, false}, {254, true}, {255, true}} {
		conn, err := b.dial("127.0.0.2", func(_, _ string, raw syscall.RawConn) error {
			return control(raw, func(fd int) error { return unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_TTL, tt.ttl) })
		})
		if !tt.want {
			refused(t, conn, err)
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		r := &router{t: t, conn: conn, open: testOpen(64501, "192.0.2.1")}
		r.establish()
		b.waitState("edge1", route.StateEstablished)
		_ = conn.Close()
		b.waitState("edge1", route.StateActive)
	}
	if v := b.metric("ribglass_collector_connections_refused_total", "ttl_security"); v != 2 {
		t.Errorf("refused = %v, want 2", v)
	}
}
