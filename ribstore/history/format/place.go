package format

import (
	"cmp"
	"encoding/binary"
	"net/netip"
	"slices"

	"ribglass/ribstore/route"
)

// SortKey is where a prefix stands in the order in which history keeps prefixes:
// by family, in each family the short prefixes first, then by address and length.
//
// A question about one prefix also needs the prefixes that cover it. Covering
// prefixes of /16 and longer (IPv6: /32) sort right before the prefix, so that
// they are in the same chunk. All shorter prefixes, which are few, sort together
// in front.
type SortKey struct {
	Family route.Family
	Long   bool
	Prefix netip.Prefix
}

// RegionBits returns the length from which a prefix of the family is long.
func RegionBits(f route.Family) int {
	if f.IsIPv6() {
		return 32
	}
	return 16
}

// SortKeyOf returns the sort key of a prefix of a family.
func SortKeyOf(f route.Family, p netip.Prefix) SortKey {
	return SortKey{f, p.Bits() >= RegionBits(f), p}
}

// Compare orders sort keys.
func (p SortKey) Compare(q SortKey) int {
	if c := cmp.Compare(p.Family, q.Family); c != 0 {
		return c
	}
	if p.Long != q.Long {
		if q.Long {
			return -1
		}
		return 1
	}
	return comparePrefixes(p.Prefix, q.Prefix)
}

// comparePrefixes orders prefixes of one family by address, then length.
func comparePrefixes(p, q netip.Prefix) int {
	if c := p.Addr().Compare(q.Addr()); c != 0 {
		return c
	}
	return cmp.Compare(p.Bits(), q.Bits())
}

func appendSortKey(b []byte, p SortKey) []byte {
	long := byte(0)
	if p.Long {
		long = 1
	}
	b = append(b, byte(p.Family)<<1|long, byte(p.Prefix.Bits()))
	return append(b, p.Prefix.Addr().AsSlice()...)
}

func (r *reader) sortKey() SortKey {
	head, bits := r.octet(), int(r.octet())
	p := SortKey{Family: route.Family(head >> 1), Long: head&1 != 0}
	if p.Family >= route.NumFamilies {
		r.fail("a family is unknown")
		return SortKey{}
	}
	addr, _ := netip.AddrFromSlice(r.take(p.Family.Bits() / 8))
	p.Prefix = netip.PrefixFrom(addr, bits)
	if !p.Prefix.IsValid() || p.Prefix != p.Prefix.Masked() {
		r.fail("a prefix is not one")
		return SortKey{}
	}
	return p
}

// Scope is the part of a table that a question is about: the prefixes that
// overlap one prefix, a set of prefixes, or everything for the zero Scope.
type Scope struct {
	Prefix netip.Prefix
	Set    *Set // nil: Prefix says it
}

// Set is a set of prefixes of families. It is never changed.
type Set struct {
	keys []SortKey // in order
	has  map[netip.Prefix]struct{}
}

// NewSet returns the set of the prefixes of some sort keys, which it takes over.
func NewSet(keys []SortKey) *Set {
	slices.SortFunc(keys, SortKey.Compare)
	s := &Set{keys, make(map[netip.Prefix]struct{}, len(keys))}
	for i := range keys {
		s.has[keys[i].Prefix] = struct{}{}
	}
	return s
}

// touches reports whether the set has a prefix from first up to, but without, next.
func (s *Set) touches(first, next SortKey) bool {
	i, _ := slices.BinarySearchFunc(s.keys, first, SortKey.Compare)
	if i == len(s.keys) || s.keys[i].Family != first.Family || s.keys[i].Long != first.Long {
		return false
	}
	return !next.Prefix.IsValid() || s.keys[i].Compare(next) < 0
}

// Whole reports whether the scope is everything.
func (s Scope) Whole() bool { return s.Set == nil && !s.Prefix.IsValid() }

// HasFamily reports whether the scope may have prefixes of a family.
func (s Scope) HasFamily(f route.Family) bool {
	return s.Set != nil || !s.Prefix.IsValid() || s.Prefix.Addr().BitLen() == f.Bits()
}

// Has reports whether the scope has a prefix. The scope must have its family.
func (s Scope) Has(p netip.Prefix) bool {
	if s.Set != nil {
		_, ok := s.Set.has[p]
		return ok
	}
	return !s.Prefix.IsValid() || s.Prefix.Overlaps(p)
}

// Touches reports whether the scope may have a prefix from first up to, but
// without, next. A zero next means up to the end.
func (s Scope) Touches(first, next SortKey) bool {
	if s.Set != nil {
		return s.Set.touches(first, next)
	}
	if !s.Prefix.IsValid() {
		return true
	}
	if !s.HasFamily(first.Family) {
		return false
	}
	if !first.Long {
		return true
	}
	region := netip.PrefixFrom(s.Prefix.Addr(), min(s.Prefix.Bits(), RegionBits(first.Family))).Masked()
	if lastAddr(s.Prefix).Less(first.Prefix.Addr()) {
		return false
	}
	bounded := next.Prefix.IsValid() && next.Family == first.Family
	return !bounded || !next.Prefix.Addr().Less(region.Addr())
}

// lastAddr returns the last address of a prefix.
func lastAddr(p netip.Prefix) netip.Addr {
	b := p.Masked().Addr().AsSlice()
	for i := p.Bits(); i < len(b)*8; i++ {
		b[i/8] |= 0x80 >> (i % 8)
	}
	a, _ := netip.AddrFromSlice(b)
	return a
}

// prefixColumn writes and reads ascending prefixes of one family in little space:
// the length of the prefix, then its distance from the prefix before, in steps of
// its own size.
type prefixColumn struct {
	family route.Family
	hi, lo uint64
	bits   int
	any    bool
}

// halves returns an address as two numbers, an IPv4 address on top of the first.
func halves(a netip.Addr) (hi, lo uint64) {
	if a.Is4() {
		b := a.As4()
		return uint64(binary.BigEndian.Uint32(b[:])) << 32, 0
	}
	b := a.As16()
	return binary.BigEndian.Uint64(b[:]), binary.BigEndian.Uint64(b[8:])
}

// steps returns how often a prefix of the length fits below the number.
func steps(v uint64, bits int) uint64 { return v >> (64 - bits) }

func (c *prefixColumn) put(b []byte, p netip.Prefix) []byte {
	hi, lo := halves(p.Addr())
	bits := p.Bits()
	b = append(b, byte(bits))
	if bits <= 64 {
		b = binary.AppendUvarint(b, steps(hi, bits)-steps(c.hi, bits))
	} else {
		from := uint64(0)
		if hi == c.hi {
			from = steps(c.lo, bits-64)
		}
		b = binary.AppendUvarint(b, hi-c.hi)
		b = binary.AppendUvarint(b, steps(lo, bits-64)-from)
	}
	c.hi, c.lo = hi, lo
	return b
}

// next reads the prefix that put wrote. It makes sure that the prefix belongs to
// the family and sorts behind the prefix before.
func (c *prefixColumn) next(r *reader) netip.Prefix {
	bits := int(r.octet())
	if bits > c.family.Bits() {
		r.fail("a prefix is too long")
		return netip.Prefix{}
	}
	var hi, lo uint64
	if bits <= 64 {
		hi = c.far(r, steps(c.hi, bits), bits)
	} else {
		hi = c.far(r, c.hi, 64)
		from := uint64(0)
		if hi == c.hi {
			from = steps(c.lo, bits-64)
		}
		lo = c.far(r, from, bits-64)
	}
	behind := hi > c.hi || hi == c.hi && (lo > c.lo || lo == c.lo && bits > c.bits)
	if c.any && !behind {
		r.fail("prefixes are out of order")
	}
	c.hi, c.lo, c.bits, c.any = hi, lo, bits, true
	if r.err != nil {
		return netip.Prefix{}
	}
	return netip.PrefixFrom(address(c.family, hi, lo), bits)
}

// far reads a distance in steps and returns the number that is so far behind from.
func (c *prefixColumn) far(r *reader, from uint64, bits int) uint64 {
	to := from + r.uvarint()
	if to < from || bits < 64 && to>>bits != 0 {
		r.fail("an address is out of range")
		return 0
	}
	return to << (64 - bits)
}

func address(f route.Family, hi, lo uint64) netip.Addr {
	if f.IsIPv6() {
		var b [16]byte
		binary.BigEndian.PutUint64(b[:], hi)
		binary.BigEndian.PutUint64(b[8:], lo)
		return netip.AddrFrom16(b)
	}
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], uint32(hi>>32))
	return netip.AddrFrom4(b)
}
