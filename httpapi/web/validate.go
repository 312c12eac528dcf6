package web

import (
	"net"
	"net/netip"
	"strings"

	"ribglass/setting"
)

// ValidateListen says what is wrong with an address to listen on, as a
// [*setting.Error].
func ValidateListen(listen string) error {
	if _, _, err := net.SplitHostPort(listen); err != nil {
		return setting.Errorf("listen", "%q: want host:port, such as \":8080\"", listen)
	}
	return nil
}

// ValidateHosts says what is wrong with host names, as a [*setting.Error].
func ValidateHosts(hosts []string) error {
	for _, h := range hosts {
		if h == "" || strings.ContainsAny(h, "/ @") || (strings.Contains(h, ":") && !IsAddress(h)) {
			return setting.Errorf("hosts", "%q is no host name (write it without scheme and port)", h)
		}
	}
	return nil
}

// IsAddress reports whether a text is an IP address.
func IsAddress(s string) bool {
	_, err := netip.ParseAddr(s)
	return err == nil
}
