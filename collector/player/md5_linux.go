package player

import (
	"net/netip"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// md5Control sets the TCP-MD5 key (RFC 2385) before the connection is opened.
func md5Control(remote netip.Addr, key string) func(network, address string, c syscall.RawConn) error {
	return func(_, _ string, c syscall.RawConn) error {
		sig := unix.TCPMD5Sig{Addr: sockaddr(remote.Unmap()), Keylen: uint16(len(key))}
		if copy(sig.Key[:], key) < len(key) {
			return os.NewSyscallError("TCP_MD5SIG", unix.EINVAL)
		}
		var setErr error
		err := c.Control(func(fd uintptr) {
			setErr = unix.SetsockoptTCPMD5Sig(int(fd), unix.IPPROTO_TCP, unix.TCP_MD5SIG, &sig)
		})
		if err != nil {
			return err
		}
		return os.NewSyscallError("TCP_MD5SIG", setErr)
	}
}

// sockaddr lays addr out as sockaddr_in or sockaddr_in6, with port zero: the
// kernel matches a key by address alone.
func sockaddr(addr netip.Addr) unix.SockaddrStorage {
	const port, flowInfo = 2, 4
	s := unix.SockaddrStorage{Family: unix.AF_INET}
	octets := s.Data[port:]
	if addr.Is6() {
		s.Family = unix.AF_INET6
		octets = s.Data[port+flowInfo:]
	}
	copy(octets, addr.AsSlice())
	return s
}
