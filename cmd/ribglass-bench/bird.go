package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"ribglass/ribstore/route"
)

// bird asks BIRD 2 over its control socket.
type bird struct{ control *birdControl }

// startBird runs BIRD with a passive session for each feed, in dir.
func startBird(ctx context.Context, path, dir string, feeds []feed) (*receiver, error) {
	port, err := freePort(ctx)
	if err != nil {
		return nil, err
	}
	file, socket := filepath.Join(dir, "bird.conf"), filepath.Join(dir, "bird.ctl")
	if err = os.WriteFile(file, []byte(birdConfig(port, feeds)), 0o600); err != nil {
		return nil, err
	}
	p, err := start(dir, path, "-f", "-c", file, "-s", socket, "-P", filepath.Join(dir, "bird.pid"))
	if err != nil {
		return nil, err
	}
	control, err := dialBirdUntil(ctx, p, socket)
	if err != nil {
		p.stop()
		return nil, fmt.Errorf("start BIRD: %w", err)
	}
	r := &receiver{name: "BIRD", process: p, asker: bird{control}}
	r.address = net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	if lines, err := control.ask(ctx, "show status"); err == nil {
		r.name = lines[0].text
	}
	return r, nil
}

// birdConfig accepts everything and announces nothing, as Ribglass does. The
// feeds' next hops are not on a shared network, hence multihop.
func birdConfig(port int, feeds []feed) string {
	var b strings.Builder
	b.WriteString("router id 192.0.2.10;\nlog stderr all;\nprotocol device {}\n")
	for _, f := range feeds {
		fmt.Fprintf(&b, "protocol bgp %s { local 127.0.0.1 port %d as %v; neighbor %v as %v; passive; multihop; hold time 240;"+
			" ipv4 { import all; export none; }; ipv6 { import all; export none; }; }\n",
			f.name, port, localASN, f.source, f.asn)
	}
	return b.String()
}

func (b bird) answers(ctx context.Context, f feed, p netip.Prefix) (bool, error) {
	lines, err := b.control.ask(ctx, fmt.Sprintf("show route %v protocol %s", p, f.name))
	var no birdError
	if errors.As(err, &no) && no.code == birdNotFound {
		return false, nil
	}
	// Of a prefix that only others announce the reply is empty.
	found := slices.ContainsFunc(lines, func(l birdLine) bool { return strings.Contains(l.text, "["+f.name+" ") })
	return found, err
}

func (b bird) counts(ctx context.Context) ([route.NumFamilies]int, error) {
	var counts [route.NumFamilies]int
	lines, err := b.control.ask(ctx, "show route count")
	if err != nil {
		return counts, err
	}
	counts[route.IPv4Unicast] = routeCount(lines, "master4")
	counts[route.IPv6Unicast] = routeCount(lines, "master6")
	return counts, nil
}

func (b bird) close() { b.control.close() }
