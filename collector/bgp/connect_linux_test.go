package bgp

import (
	"context"
	"errors"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"ribglass/collector"
)

// A neighbor that is dialed has the key of its configuration: the right one connects,
// and with a wrong one nothing answers, for which the reason names the keys.
func TestTheKeyOfAConnectionThatIsDialed(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		key  collector.Secret
		want bool
	}{{"the right key", "correct horse", true}, {"a wrong key", "battery staple", false}, {"no key", "", false}} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l, n := passive(t, "edge1", "127.0.0.2", 64501)
			raw, err := l.SyscallConn()
			if err == nil {
				err = setMD5(raw, prefix("127.0.0.1/32"), "correct horse")
			}
			if err != nil {
				t.Fatal(err)
			}
			n.Password = tt.key
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			before, connected := droppedSegments(t), make(chan error, 1)
			go func() {
				conn, err := connect(ctx, n)
				if err == nil {
					_ = conn.Close()
				}
				connected <- err
			}()
			eventually(t, "the SYN is answered or dropped", func() bool { return len(connected) > 0 || !tt.want && droppedSegments(t) > before })
			if !tt.want {
				cancel()
			}
			if err := <-connected; (err == nil) != tt.want {
				t.Errorf("connect() = %v", err)
			}
		})
	}
}

// What a connection fails with, and what an operator reads.
func TestTheReasonOfAnAttempt(t *testing.T) {
	t.Parallel()
	n := testNeighbor("edge1", "192.0.2.4", 64501)
	n.Dialing = Dialing{Connect: true, Port: 179, LocalAddress: addr("192.0.2.10")}
	n.Password = "correct horse"
	wrap := func(err error) error { return &net.OpError{Op: "dial", Net: "tcp", Err: err} }
	for _, tt := range []struct {
		err  error
		want string
	}{
		{wrap(syscall.ECONNREFUSED), "192.0.2.4:179 refused the connection: no BGP speaker listens there for us"},
		{wrap(syscall.EHOSTUNREACH), "192.0.2.4:179 is unreachable: there is no route, or no host answers"},
		{wrap(syscall.ENETUNREACH), "192.0.2.4:179 is unreachable: there is no route, or no host answers"},
		{wrap(syscall.EADDRNOTAVAIL), "local_address 192.0.2.10 is not an address of this machine"},
		{wrap(context.DeadlineExceeded), "192.0.2.4:179 did not answer: a firewall may drop packets, or the TCP-MD5 keys differ"},
		{errors.New("something else"), "connect to 192.0.2.4:179: something else"},
	} {
		if got := dialReason(n, tt.err); got != tt.want {
			t.Errorf("dialReason(%v) = %q, want %q", tt.err, got, tt.want)
		}
		if strings.Contains(dialReason(n, tt.err), "correct horse") {
			t.Error("the key shows")
		}
	}
}

// With TTL security packets of a neighbor that is farther away are dropped, the answer
// to the SYN included.
func TestTTLSecurityOfAConnectionThatIsDialed(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		ttl  int
		want bool
	}{{255, true}, {254, false}} {
		l, n := passive(t, "edge1", "127.0.0.2", 64501)
		raw, err := l.SyscallConn()
		if err == nil {
			err = control(raw, func(fd int) error { return setTTL(fd, tt.ttl) })
		}
		if err != nil {
			t.Fatal(err)
		}
		n.TTLSecurity = 1
		within := patience
		if !tt.want { // nothing answers
			within = 300 * time.Millisecond
		}
		ctx, cancel := context.WithTimeout(t.Context(), within)
		conn, err := connect(ctx, n)
		cancel()
		if (err == nil) != tt.want {
			t.Errorf("TTL %d: connect() = %v", tt.ttl, err)
		}
		if err == nil {
			_ = conn.Close()
		}
	}
}
