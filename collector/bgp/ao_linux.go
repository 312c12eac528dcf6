package bgp

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"syscall"

	"golang.org/x/sys/unix"
)

// Options of TCP sockets (linux/tcp.h), which x/sys does not have yet.
const (
	tcpAOAddKey = 38
	tcpAODelKey = 39
	tcpAOInfo   = 40
)

// Flags of tcp_ao_add and tcp_ao_del.
const (
	aoSetCurrent = 1 << 0 // sign with the key
	aoSetRNext   = 1 << 1 // ask the peer to sign with it
	aoDelAsync   = 1 << 2 // without waiting for readers; of listeners only
)

// addAOKey makes a socket sign segments to the peers of a place, and demand that theirs
// are signed. A socket that connects begins with the first of its keys.
func addAOKey(raw syscall.RawConn, place aoPlace, key AOKey, first bool) error {
	err := control(raw, func(fd int) error {
		addr, err := aoAddr(fd, place.peers)
		if err != nil {
			return err
		}
		b := make([]byte, 0, 288) // struct tcp_ao_add
		b = append(b, addr[:]...)
		b = append(append(b, key.algorithm()...), make([]byte, 64-len(key.algorithm()))...)
		b = binary.NativeEndian.AppendUint32(b, 0) // no VRF
		flags := uint32(0)
		if first {
			flags = aoSetCurrent | aoSetRNext
		}
		b = binary.NativeEndian.AppendUint32(b, flags)
		b = append(b, 0, 0, byte(place.peers.Bits()), byte(place.sendID), byte(place.recvID))
		b = append(b, 0, 0, byte(len(key.Key))) // a code of 96 bits; options are covered
		b = append(append(b, key.Key...), make([]byte, maxAOKey-len(key.Key))...)
		return unix.SetsockoptString(fd, unix.IPPROTO_TCP, tcpAOAddKey, string(b))
	})
	switch {
	case errors.Is(err, unix.ENOPROTOOPT):
		return errNoAO
	case errors.Is(err, unix.ENOMEM):
		return fmt.Errorf("%w: the sysctl net.core.optmem_max limits how many keys a listener has", err)
	case errors.Is(err, unix.EKEYREJECTED):
		return fmt.Errorf("%w: the kernel has a TCP-MD5 key for the same peers", err)
	}
	return err
}

// removeAOKey takes a key away from a listener. Connections that have it keep it.
func removeAOKey(raw syscall.RawConn, place aoPlace) error {
	return control(raw, func(fd int) error {
		addr, err := aoAddr(fd, place.peers)
		if err != nil {
			return err
		}
		b := make([]byte, 0, 144) // struct tcp_ao_del
		b = append(b, addr[:]...)
		b = binary.NativeEndian.AppendUint32(b, 0)
		b = binary.NativeEndian.AppendUint32(b, aoDelAsync)
		b = append(b, 0, 0, byte(place.peers.Bits()), byte(place.sendID), byte(place.recvID), 0, 0, 0)
		err = unix.SetsockoptString(fd, unix.IPPROTO_TCP, tcpAODelKey, string(b))
		if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOPROTOOPT) {
			return nil // it could not be set
		}
		return err
	})
}

// demandAO refuses a connection that is not signed, as when the kernel took no key.
func demandAO(raw syscall.RawConn) error {
	return control(raw, func(fd int) error {
		if _, err := unix.GetsockoptString(fd, unix.IPPROTO_TCP, tcpAOInfo); err != nil {
			return errUnkeyed
		}
		return nil
	})
}

// aoAddr returns the address of peers as a sockaddr_storage. A dual-stack socket knows
// IPv4 peers by their mapped address, with the prefix length of IPv4.
func aoAddr(fd int, peers netip.Prefix) (addr [128]byte, err error) {
	domain, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_DOMAIN)
	if err != nil {
		return addr, err
	}
	binary.NativeEndian.PutUint16(addr[:], uint16(domain))
	if domain == unix.AF_INET {
		ip := peers.Addr().As4()
		copy(addr[4:], ip[:])
	} else {
		ip := peers.Addr().As16()
		copy(addr[8:], ip[:])
	}
	return addr, nil
}
