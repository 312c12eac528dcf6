package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"syscall"
)

// listener tells when somebody begins to accept connections.
type listener struct {
	net.Listener

	accepting chan struct{} // closed by the first Accept
	begin     func()
}

// listen opens a listener on an address such as ":8080".
func listen(ctx context.Context, address string) (*listener, error) {
	var lc net.ListenConfig
	inner, err := lc.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, explainBind(err)
	}
	l := &listener{Listener: inner, accepting: make(chan struct{})}
	l.begin = sync.OnceFunc(func() { close(l.accepting) })
	return l, nil
}

// Accept implements net.Listener.
func (l *listener) Accept() (net.Conn, error) {
	l.begin()
	return l.Listener.Accept()
}

// firstFreePort is the first port that needs no privilege, unless the system is set
// otherwise.
const firstFreePort = 1024

// explainBind adds the ways out to an error of listening on a port that needs a
// privilege.
func explainBind(err error) error {
	op, ok := errors.AsType[*net.OpError](err)
	if !ok || op.Op != "listen" || !errors.Is(err, syscall.EACCES) {
		return err
	}
	at, ok := op.Addr.(*net.TCPAddr)
	if !ok || at.Port >= firstFreePort {
		return err
	}
	return fmt.Errorf(`%w: ports below %d need CAP_NET_BIND_SERVICE
    with systemd: AmbientCapabilities=CAP_NET_BIND_SERVICE in the unit
    for one file: setcap cap_net_bind_service=+ep /usr/local/bin/ribglass
    for all programs: sysctl net.ipv4.ip_unprivileged_port_start=%d`, err, firstFreePort, at.Port)
}

// browse returns the URL under which a person on this machine reaches a web
// server.
func browse(addr net.Addr) string {
	ap, err := netip.ParseAddrPort(addr.String())
	if err == nil && (ap.Addr().IsUnspecified() || ap.Addr() == netip.AddrFrom4([4]byte{127, 0, 0, 1})) {
		return fmt.Sprintf("http://localhost:%d", ap.Port())
	}
	return "http://" + addr.String()
}
