package bgp

import (
	"errors"
	"fmt"
	"net/netip"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"ribglass/collector"
)

// control runs f on the socket behind raw.
func control(raw syscall.RawConn, f func(fd int) error) error {
	var inner error
	if err := raw.Control(func(fd uintptr) { inner = f(int(fd)) }); err != nil {
		return err
	}
	return inner
}

// setMD5 makes the kernel demand and give the key on connections with the
// addresses of peers (RFC 2385). An empty key takes the demand back.
func setMD5(raw syscall.RawConn, peers netip.Prefix, key collector.Secret) error {
	err := control(raw, func(fd int) error {
		domain, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_DOMAIN)
		if err != nil {
			return err
		}
		sig := &unix.TCPMD5Sig{Keylen: uint16(len(key))}
		copy(sig.Key[:], key)
		option := unix.TCP_MD5SIG
		if !peers.IsSingleIP() {
			option = unix.TCP_MD5SIG_EXT
			sig.Flags = unix.TCP_MD5SIG_FLAG_PREFIX
			sig.Prefixlen = uint8(peers.Bits())
		}
		if domain == unix.AF_INET {
			ip := peers.Addr().As4()
			sig.Addr.Family = unix.AF_INET
			copy(sig.Addr.Data[2:], ip[:])
		} else {
			// A dual-stack socket knows IPv4 peers by their mapped address,
			// with the prefix length of IPv4.
			ip := peers.Addr().As16()
			sig.Addr.Family = unix.AF_INET6
			copy(sig.Addr.Data[6:], ip[:])
		}
		return unix.SetsockoptTCPMD5Sig(fd, unix.IPPROTO_TCP, option, sig)
	})
	switch {
	case key == "" && errors.Is(err, unix.ENOENT):
		return nil
	case errors.Is(err, unix.ENOPROTOOPT):
		return errNoMD5
	case errors.Is(err, unix.ENOMEM):
		return fmt.Errorf("%w: the sysctl net.core.optmem_max limits how many keys a listener has", err)
	}
	return err
}

// prepareListener makes our side send TTL 255, which a peer with TTL security
// demands from the first packet on, and keep the SYN of each connection.
func prepareListener(_, _ string, raw syscall.RawConn) error {
	return control(raw, func(fd int) error {
		if err := setTTL(fd, 255); err != nil {
			return err
		}
		return unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_SAVE_SYN, 1)
	})
}

// setTTL sets the TTL of both versions as far as the socket has them.
func setTTL(fd, ttl int) error {
	v6 := unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_UNICAST_HOPS, ttl)
	v4 := unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_TTL, ttl)
	if v4 != nil && v6 != nil {
		return v4
	}
	return nil
}

// demandTTL refuses the connection whose SYN came with a TTL below least and
// makes the kernel drop later packets that do (RFC 5082). The SYN must be
// looked at because the kernel learns of the limit only after the handshake.
func demandTTL(raw syscall.RawConn, peer netip.Addr, least int) error {
	return control(raw, func(fd int) error {
		if err := setMinTTL(fd, peer, least); err != nil {
			return err
		}
		syn, err := savedSYN(fd)
		if err != nil {
			return fmt.Errorf("look at the SYN: %w", err)
		}
		if ttl, ok := ttlOf(syn); !ok || ttl < least {
			return fmt.Errorf("TTL %d, want at least %d", ttl, least)
		}
		return nil
	})
}

func setMinTTL(fd int, peer netip.Addr, least int) error {
	var err error
	if peer.Is4() {
		err = unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_MINTTL, least)
	} else {
		err = unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_MINHOPCOUNT, least)
	}
	if err != nil {
		return fmt.Errorf("set the least TTL: %w", err)
	}
	return nil
}

// prepareDialer makes a socket that connects to a neighbor send TTL 255, demand the
// TTL that is configured of every packet, the first included, and sign with the key.
func prepareDialer(raw syscall.RawConn, conf Neighbor) error {
	err := control(raw, func(fd int) error {
		if err := setTTL(fd, 255); err != nil {
			return err
		}
		if conf.TTLSecurity > 0 {
			return setMinTTL(fd, conf.Address, 256-conf.TTLSecurity)
		}
		return nil
	})
	peer := netip.PrefixFrom(conf.Address, conf.Address.BitLen())
	if err == nil && conf.Password != "" {
		err = setMD5(raw, peer, conf.Password)
	}
	for i, k := range conf.TCPAO {
		if err == nil {
			err = addAOKey(raw, aoPlace{peer, k.SendID, k.RecvID}, k, i == 0)
		}
	}
	return err
}

// savedSYN returns the headers of the packet that asked for the connection.
// x/sys has no getter for an option of binary data.
func savedSYN(fd int) ([]byte, error) {
	buf := make([]byte, 256)
	length := uint32(len(buf))
	_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(fd), unix.IPPROTO_TCP, unix.TCP_SAVED_SYN,
		uintptr(unsafe.Pointer(&buf[0])), uintptr(unsafe.Pointer(&length)), 0) //nolint:gosec // the kernel writes within length
	if errno != 0 {
		return nil, errno
	}
	return buf[:length], nil
}

// ttlOf returns the TTL or hop limit of an IP header.
func ttlOf(packet []byte) (int, bool) {
	switch {
	case len(packet) >= 20 && packet[0]>>4 == 4:
		return int(packet[8]), true
	case len(packet) >= 40 && packet[0]>>4 == 6:
		return int(packet[7]), true
	}
	return 0, false
}

// setUserTimeout ends the connection when sent data stays unacknowledged for so
// many milliseconds (RFC 5482), so that a dead peer without hold timer is found.
func setUserTimeout(raw syscall.RawConn, milliseconds int) error {
	return control(raw, func(fd int) error {
		return unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, milliseconds)
	})
}
