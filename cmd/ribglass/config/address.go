package config

import (
	"net"
	"net/netip"
	"strings"
)

// overlap reports whether two addresses with ports, such as "[::]:179" and
// "localhost:8080", cannot be listened on at the same time.
func overlap(a, b string) bool {
	hostA, portA, errA := net.SplitHostPort(a)
	hostB, portB, errB := net.SplitHostPort(b)
	if errA != nil || errB != nil || portA != portB || portA == "0" {
		return false
	}
	for _, one := range addressesOf(hostA) {
		for _, other := range addressesOf(hostB) {
			if covers(one, other) || covers(other, one) {
				return true
			}
		}
	}
	return hostA == hostB
}

// addressesOf returns the addresses of a host that can be known without asking
// anybody.
func addressesOf(host string) []netip.Addr {
	switch strings.ToLower(host) {
	case "":
		return []netip.Addr{netip.IPv6Unspecified()}
	case "localhost":
		// The system chooses which of both a server takes: the IPv4 address on most.
		return []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1})}
	}
	a, err := netip.ParseAddr(host)
	if err != nil {
		return nil
	}
	return []netip.Addr{a.Unmap()}
}

// covers reports whether a socket on a takes what comes in for b: that on [::] takes
// both families.
func covers(a, b netip.Addr) bool {
	return a == b || a == netip.IPv6Unspecified() || a == netip.IPv4Unspecified() && b.Is4()
}

// zoneless reports whether an address with port is on every link, and does not say on
// which it is meant.
func zoneless(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.Is6() && a.IsLinkLocalUnicast() && a.Zone() == ""
}
