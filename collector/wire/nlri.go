package wire

import (
	"encoding/binary"
	"fmt"
	"net/netip"

	"ribglass/ribstore/route"
)

// nlriField is a run of prefixes of one family as the wire has it.
type nlriField struct {
	family  route.Family
	addPath bool
	octets  []byte
}

// appendNLRI appends the prefixes of field (RFC 4271 section 4.3) to out, their
// host bits cleared. With ADD-PATH each is led by its path identifier (RFC 7911
// section 3). An error is one of RFC 7606 section 5.3: the field cannot be read.
func appendNLRI(out []route.NLRI, field nlriField) ([]route.NLRI, error) {
	address, b, f := ipv4Address, field.octets, field.family
	if f.IsIPv6() {
		address = ipv6Address
	}
	for len(b) > 0 {
		var id uint32
		if field.addPath {
			if len(b) < 5 {
				return nil, fmt.Errorf("%s prefix with path identifier cut short: %d octets", f, len(b))
			}
			id, b = binary.BigEndian.Uint32(b), b[4:]
		}
		bits := int(b[0])
		end := 1 + (bits+7)/8
		if bits > f.Bits() {
			return nil, fmt.Errorf("%s prefix of length %d", f, bits)
		}
		if end > len(b) {
			return nil, fmt.Errorf("%s prefix of length %d cut short: %d octets", f, bits, len(b)-1)
		}
		out = append(out, route.NLRI{Prefix: netip.PrefixFrom(address(b[1:end], bits), bits), PathID: id})
		b = b[end:]
	}
	return out, nil
}

// ipv4Address returns the address of a prefix of the given length whose octets
// are b, host bits cleared.
func ipv4Address(b []byte, bits int) netip.Addr {
	var a [4]byte
	copy(a[:], b)
	n := binary.BigEndian.Uint32(a[:]) &^ (1<<(32-bits) - 1)
	binary.BigEndian.PutUint32(a[:], n)
	return netip.AddrFrom4(a)
}

func ipv6Address(b []byte, bits int) netip.Addr {
	var a [16]byte
	copy(a[:], b)
	if partial := bits % 8; partial != 0 {
		a[bits/8] &= ^byte(0xff >> partial)
	}
	return netip.AddrFrom16(a)
}

// encodeNLRI appends one prefix. It is the inverse of appendNLRI.
func encodeNLRI(b []byte, n route.NLRI, addPath bool) []byte {
	if addPath {
		b = binary.BigEndian.AppendUint32(b, n.PathID)
	}
	bits := n.Prefix.Bits()
	b = append(b, byte(bits))
	octets := (bits + 7) / 8
	if n.Prefix.Addr().Is4() {
		a := n.Prefix.Addr().As4()
		return append(b, a[:octets]...)
	}
	a := n.Prefix.Addr().As16()
	return append(b, a[:octets]...)
}
