//go:build !linux

package bgp

import (
	"errors"
	"net/netip"
	"syscall"

	"ribglass/collector"
)

// Elsewhere than on Linux sessions run without TCP-MD5 and TTL security; a
// configuration that asks for them is refused when it starts.

var errNoTTLSecurity = errors.New("this system has no TTL security (RFC 5082)")

func setMD5(_ syscall.RawConn, _ netip.Prefix, key collector.Secret) error {
	if key == "" {
		return nil
	}
	return errNoMD5
}

func prepareListener(_, _ string, _ syscall.RawConn) error { return nil }

func addAOKey(syscall.RawConn, aoPlace, AOKey, bool) error { return errNoAO }

func removeAOKey(syscall.RawConn, aoPlace) error { return nil }

func demandAO(syscall.RawConn) error { return errUnkeyed }

func prepareDialer(_ syscall.RawConn, conf Neighbor) error {
	switch {
	case len(conf.TCPAO) > 0:
		return errNoAO
	case conf.Password != "":
		return errNoMD5
	case conf.TTLSecurity > 0:
		return errNoTTLSecurity
	}
	return nil
}

func demandTTL(syscall.RawConn, netip.Addr, int) error { return errNoTTLSecurity }

func setUserTimeout(syscall.RawConn, int) error { return nil }
