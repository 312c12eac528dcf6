//go:build !linux

package player

import (
	"errors"
	"net/netip"
	"syscall"
)

// md5Control says that this system is not one whose TCP-MD5 we know.
func md5Control(netip.Addr, string) func(network, address string, c syscall.RawConn) error {
	return func(string, string, syscall.RawConn) error { return errors.ErrUnsupported }
}
