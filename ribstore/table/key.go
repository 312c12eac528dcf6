package table

import (
	"encoding/binary"
	"net/netip"
)

// key is a prefix as the trie compares it: the address left-aligned in 128
// bits, host bits zero, and the length. An IPv4 address takes the upper 32 bits.
type key struct {
	hi, lo uint64
	bits   uint8
}

// keyOf converts a masked prefix.
func keyOf(p netip.Prefix) key {
	k := keyOfAddr(p.Addr())
	k.bits = uint8(p.Bits())
	return k
}

// keyOfAddr converts an address to the key of its host prefix.
func keyOfAddr(a netip.Addr) key {
	if a.Is4() {
		b := a.As4()
		return key{uint64(binary.BigEndian.Uint32(b[:])) << 32, 0, 32}
	}
	b := a.As16()
	return key{binary.BigEndian.Uint64(b[:]), binary.BigEndian.Uint64(b[8:]), 128}
}

// prefix is the inverse of keyOf.
func (k key) prefix(ipv6 bool) netip.Prefix {
	if !ipv6 {
		var b [4]byte
		binary.BigEndian.PutUint32(b[:], uint32(k.hi>>32))
		return netip.PrefixFrom(netip.AddrFrom4(b), int(k.bits))
	}
	var b [16]byte
	binary.BigEndian.PutUint64(b[:], k.hi)
	binary.BigEndian.PutUint64(b[8:], k.lo)
	return netip.PrefixFrom(netip.AddrFrom16(b), int(k.bits))
}

// six returns the six bits of the address from bit depth on, which is 13 or more.
func (k key) six(depth uint) uint {
	switch {
	case depth <= 58:
		return uint(k.hi>>(58-depth)) & 63
	case depth < 64:
		return uint(k.hi<<(depth-58)|k.lo>>(122-depth)) & 63
	case depth <= 122:
		return uint(k.lo>>(122-depth)) & 63
	}
	return uint(k.lo<<(depth-122)) & 63
}

// covers reports whether the prefix k contains the prefix o.
func (k key) covers(o key) bool {
	if k.bits > o.bits {
		return false
	}
	hi, lo := k.hi^o.hi, k.lo^o.lo
	if k.bits < 64 {
		return hi>>(64-k.bits) == 0
	}
	return hi == 0 && lo>>(128-k.bits) == 0
}

// masked reports whether the bits behind the length are zero.
func (k key) masked() bool {
	if k.bits < 64 {
		return k.hi<<k.bits == 0 && k.lo == 0
	}
	return k.lo<<(k.bits-64) == 0
}

// before reports whether k comes before o: by address, then shorter first.
func (k key) before(o key) bool {
	if k.hi != o.hi {
		return k.hi < o.hi
	}
	if k.lo != o.lo {
		return k.lo < o.lo
	}
	return k.bits < o.bits
}
