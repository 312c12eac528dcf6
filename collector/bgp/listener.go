package bgp

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"ribglass/collector"
)

// bind listens on the address. Sockets send TTL 255, so that peers with TTL
// security accept them. Multipath TCP, Go's default, has no TCP-MD5 on Linux.
func bind(ctx context.Context, at netip.AddrPort) (*net.TCPListener, error) {
	lc := net.ListenConfig{Control: prepareListener}
	lc.SetMultipathTCP(false)
	l, err := lc.Listen(ctx, "tcp", at.String())
	if err != nil {
		return nil, fmt.Errorf("listen for BGP: %w", err)
	}
	return l.(*net.TCPListener), nil
}

// accept admits connections until the listener is closed.
func (c *Collector) accept(ctx context.Context, l *net.TCPListener) {
	wait := time.Duration(0)
	for {
		conn, err := l.AcceptTCP()
		switch {
		case err == nil:
			wait = 0
			c.admit(ctx, conn)
			continue
		case errors.Is(err, net.ErrClosed):
			return
		}
		// Such as no free file descriptor: it passes.
		wait = min(max(2*wait, 10*time.Millisecond), time.Second)
		c.log.ErrorContext(ctx, "accept failed", "error", err, "retry_in", wait)
		select {
		case <-time.After(wait):
		case <-ctx.Done():
		}
	}
}

// keys returns the TCP-MD5 keys of a configuration by the addresses they cover.
func (c Config) keys() map[netip.Prefix]collector.Secret {
	keys := make(map[netip.Prefix]collector.Secret)
	for _, d := range c.DynamicNeighbors {
		if d.Password != "" {
			keys[d.Prefix] = d.Password
		}
	}
	for _, n := range c.Neighbors {
		if n.Password != "" {
			address := n.Address.Unmap()
			keys[netip.PrefixFrom(address, address.BitLen())] = n.Password
		}
	}
	return keys
}

// setKeys makes a listener demand the keys of want instead of those of have.
func setKeys(l *net.TCPListener, have, want map[netip.Prefix]collector.Secret) error {
	raw, err := l.SyscallConn()
	if err != nil {
		return err
	}
	for prefix := range have {
		if _, kept := want[prefix]; !kept && covers(l, prefix) {
			if err := setMD5(raw, prefix, ""); err != nil {
				return fmt.Errorf("remove the TCP-MD5 key of %s: %w", prefix, err)
			}
		}
	}
	for prefix, key := range want {
		if have[prefix] != key && covers(l, prefix) {
			if err := setMD5(raw, prefix, key); err != nil {
				return fmt.Errorf("set the TCP-MD5 key of %s: %w", prefix, err)
			}
		}
	}
	return nil
}

// covers reports whether peers of the prefix can connect to the listener: one on
// an IPv4 address has only IPv4 peers, one on [::] has both.
func covers(l *net.TCPListener, peers netip.Prefix) bool {
	local := l.Addr().(*net.TCPAddr).AddrPort().Addr()
	if local.Is4() || local.Is4In6() {
		return peers.Addr().Is4()
	}
	return peers.Addr().Is6() || local.IsUnspecified()
}
