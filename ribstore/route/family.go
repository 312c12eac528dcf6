package route

import "fmt"

// Family is an address family and subsequent address family that Ribglass
// keeps routes of. The zero value is IPv4Unicast. Families index small arrays.
type Family uint8

// The families kept.
const (
	IPv4Unicast Family = iota
	IPv6Unicast
	IPv4Multicast
	IPv6Multicast
	NumFamilies = 4
)

// Families lists every family in index order.
func Families() [NumFamilies]Family {
	return [NumFamilies]Family{IPv4Unicast, IPv6Unicast, IPv4Multicast, IPv6Multicast}
}

// FamilyOf returns the family with the IANA numbers afi and safi, and whether
// Ribglass keeps it.
func FamilyOf(afi uint16, safi uint8) (Family, bool) {
	if (afi != 1 && afi != 2) || (safi != 1 && safi != 2) {
		return 0, false
	}
	return Family((afi - 1) | uint16(safi-1)<<1), true
}

// AFI returns the IANA address family number: 1 (IPv4) or 2 (IPv6).
func (f Family) AFI() uint16 { return uint16(f&1) + 1 }

// SAFI returns the IANA subsequent address family number: 1 (unicast) or 2
// (multicast).
func (f Family) SAFI() uint8 { return uint8(f>>1) + 1 }

// IsIPv6 reports whether prefixes of f are IPv6 prefixes.
func (f Family) IsIPv6() bool { return f&1 == 1 }

// Bits returns the length of an address of f in bits, 32 or 128.
func (f Family) Bits() int {
	if f.IsIPv6() {
		return 128
	}
	return 32
}

// String returns the name used in configuration and answers, such as
// "ipv4-unicast".
func (f Family) String() string {
	switch f {
	case IPv4Unicast:
		return "ipv4-unicast"
	case IPv6Unicast:
		return "ipv6-unicast"
	case IPv4Multicast:
		return "ipv4-multicast"
	case IPv6Multicast:
		return "ipv6-multicast"
	}
	return fmt.Sprintf("family(%d)", uint8(f))
}

// MarshalText returns the name of f.
func (f Family) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

// ParseFamily is the inverse of String. "ipv4" and "ipv6" mean unicast.
func ParseFamily(s string) (Family, error) {
	switch s {
	case "ipv4":
		return IPv4Unicast, nil
	case "ipv6":
		return IPv6Unicast, nil
	}
	for _, f := range Families() {
		if f.String() == s {
			return f, nil
		}
	}
	return 0, fmt.Errorf("unknown address family %q (have ipv4-unicast, ipv6-unicast, ipv4-multicast, ipv6-multicast)", s)
}
