// Package player is a small BGP speaker that dials a collector and plays
// routes to it: the demonstration's three routers, the sender of the benchmark,
// and the other side of many tests.
//
// [Dial] opens one session and returns it Established. From then on the caller
// plays: [Session.Send] encodes updates, [Session.SendRaw] writes messages that
// were encoded before, [Session.EndOfRIB] says that the table is complete. A
// player keeps no routes and decides nothing; what the other side sends is
// logged and otherwise ignored, but for a NOTIFICATION and, when
// Config.OnRefresh is set, ROUTE-REFRESH.
//
// A session owns two goroutines, a reader and a keepalive timer. Both end when
// the session ends, and [Session.Close] waits for them.
package player

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"time"

	"ribglass/collector/wire"
	"ribglass/ribstore/route"
)

// Config describes the router a session plays. Address, ASN and RouterID are
// required.
type Config struct {
	Address      string // host:port of the collector
	LocalAddress string // source address without port; empty: the kernel's choice

	ASN      route.ASN
	RouterID netip.Addr

	HoldTime time.Duration // proposed in whole seconds; DefaultConfig has 90 s, zero turns timers off

	Families []route.Family // multiprotocol capabilities, in this order
	AddPath  []route.Family // families whose NLRI carry a path identifier (RFC 7911)

	// ExtendedNextHop lists IPv4 families with IPv6 next hops (RFC 8950).
	ExtendedNextHop []route.Family

	GracefulRestart  *wire.GracefulRestart // RFC 4724; nil: not announced
	LongLived        *wire.LongLived       // RFC 9494; nil: not announced
	ExtendedMessages bool                  // RFC 8654
	RouteRefresh     bool                  // RFC 2918
	EnhancedRefresh  bool                  // RFC 7313
	TwoOctetAS       bool                  // an old speaker, without 4-octet AS numbers (RFC 6793)

	// Capabilities are announced after those the fields above ask for, as they are.
	Capabilities []wire.Capability

	MD5 string // TCP-MD5 key (RFC 2385); empty: none

	// OnRefresh answers a ROUTE-REFRESH. It runs in the session's reader, so
	// nothing is received while it sends, and it must not call Close.
	OnRefresh func(*Session, wire.RouteRefresh)

	// KeepReceived bounds the log of Received, in messages.
	KeepReceived int
}

// DefaultConfig returns a dual-stack router with the capabilities that every
// router of today announces. The required fields are missing.
func DefaultConfig() Config {
	return Config{
		HoldTime:     90 * time.Second,
		Families:     []route.Family{route.IPv4Unicast, route.IPv6Unicast},
		RouteRefresh: true,
		KeepReceived: 1024,
	}
}

// Dial connects, exchanges OPENs and KEEPALIVEs, and returns the Established
// session. ctx bounds Dial only. A NOTIFICATION of the other side is in the
// error's chain as a *wire.Notification.
func Dial(ctx context.Context, cfg Config) (*Session, error) {
	dialer, err := cfg.dialer()
	if err != nil {
		return nil, fmt.Errorf("play to %s: %w", cfg.Address, err)
	}
	conn, err := dialer.DialContext(ctx, "tcp", cfg.Address)
	if err != nil {
		return nil, fmt.Errorf("play to %s: %w", cfg.Address, err)
	}
	s := newSession(conn, cfg)
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	err = s.establish()
	if !stop() {
		err = ctx.Err()
	}
	if err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("play to %s: %w", cfg.Address, err)
	}
	s.start()
	return s, nil
}

func (c Config) dialer() (*net.Dialer, error) {
	d := &net.Dialer{}
	if c.LocalAddress != "" {
		local, err := netip.ParseAddr(c.LocalAddress)
		if err != nil {
			return nil, fmt.Errorf("local address: %w", err)
		}
		d.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(local, 0))
	}
	if c.MD5 != "" {
		remote, err := netip.ParseAddrPort(c.Address)
		if err != nil {
			return nil, fmt.Errorf("TCP-MD5 needs a numeric address: %w", err)
		}
		d.Control = md5Control(remote.Addr(), c.MD5)
	}
	return d, nil
}
