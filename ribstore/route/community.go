package route

import (
	"encoding/binary"
	"encoding/hex"
	"iter"
	"math"
	"net/netip"
	"strconv"
)

// Community is a standard community (RFC 1997).
type Community uint32

// Communities with a meaning for whoever keeps routes of a lost peer.
const (
	LLGRStale Community = 0xffff0006 // RFC 9494
	NoLLGR    Community = 0xffff0007 // RFC 9494
)

// wellKnown names the communities of the IANA registry.
func (c Community) wellKnown() string {
	switch c {
	case 0xffff0000:
		return "graceful-shutdown"
	case 0xffff0001:
		return "accept-own"
	case LLGRStale:
		return "llgr-stale"
	case NoLLGR:
		return "no-llgr"
	case 0xffff029a:
		return "blackhole"
	case 0xffffff01:
		return "no-export"
	case 0xffffff02:
		return "no-advertise"
	case 0xffffff03:
		return "no-export-subconfed"
	case 0xffffff04:
		return "no-peer"
	}
	return ""
}

// Name returns the registered name of a well-known community, or "".
func (c Community) Name() string { return c.wellKnown() }

// AppendText appends c as "65535:666".
func (c Community) AppendText(b []byte) ([]byte, error) {
	b = strconv.AppendUint(b, uint64(c>>16), 10)
	b = append(b, ':')
	return strconv.AppendUint(b, uint64(c&0xffff), 10), nil
}

// String returns c as "65535:666".
func (c Community) String() string {
	b, _ := c.AppendText(nil)
	return string(b)
}

// LargeCommunity is a large community (RFC 8092).
type LargeCommunity struct{ Global, Local1, Local2 uint32 }

// AppendText appends c as "64500:1:2".
func (c LargeCommunity) AppendText(b []byte) ([]byte, error) {
	b = strconv.AppendUint(b, uint64(c.Global), 10)
	b = append(b, ':')
	b = strconv.AppendUint(b, uint64(c.Local1), 10)
	b = append(b, ':')
	return strconv.AppendUint(b, uint64(c.Local2), 10), nil
}

// String returns c as "64500:1:2".
func (c LargeCommunity) String() string {
	b, _ := c.AppendText(nil)
	return string(b)
}

// ExtCommunity is an extended community: 8 octets (RFC 4360), or 20 for an
// IPv6-address-specific one (RFC 5701). It aliases the Attrs it came from.
type ExtCommunity []byte

// String returns "rt:64500:1" and the like for the types in daily use, names for what
// flow specifications do ("redirect:64500:100"), and "generic:" with the octets in hex for
// others. Route targets and origins that are not transitive are others: they are not the
// communities whose name they would have.
func (c ExtCommunity) String() string {
	b, _ := c.AppendText(nil)
	return string(b)
}

// AppendText appends the text of String.
func (c ExtCommunity) AppendText(b []byte) ([]byte, error) {
	kind := extSubtype(c)
	switch {
	case len(c) == 20:
		if c[0] == 0 && c[1] == 0x0d { // RFC 8956 section 6.1
			kind = "redirect"
		}
		if kind != "" && c[0] == 0 {
			b = append(append(append(b, kind...), ':'), netip.AddrFrom16([16]byte(c[2:18])).String()...)
			return strconv.AppendUint(append(b, ':'), uint64(binary.BigEndian.Uint16(c[18:])), 10), nil
		}
	case len(c) != 8:
	case c[0] == 0x43 && c[1] == 0: // RFC 8097
		return append(append(b, "rpki:"...), ovState(c[7])...), nil
	case c[0]&0xfc == 0x80:
		if named, ok := appendFlowAction(b, c); ok {
			return named, nil
		}
	case kind != "" && c[0] <= 2:
		return appendTarget(b, kind, c), nil
	}
	return hex.AppendEncode(append(b, "generic:"...), c), nil
}

// appendTarget appends a community of an AS or an address, which the low bits of its
// type tell: two octets of AS, four of an address, four of AS.
func appendTarget(b []byte, kind string, c ExtCommunity) []byte {
	b = append(append(b, kind...), ':')
	switch c[0] & 3 {
	case 0:
		b = strconv.AppendUint(b, uint64(binary.BigEndian.Uint16(c[2:])), 10)
		return strconv.AppendUint(append(b, ':'), uint64(binary.BigEndian.Uint32(c[4:])), 10)
	case 1:
		b = append(b, netip.AddrFrom4([4]byte(c[2:6])).String()...)
	default:
		b = strconv.AppendUint(b, uint64(binary.BigEndian.Uint32(c[2:])), 10)
	}
	return strconv.AppendUint(append(b, ':'), uint64(binary.BigEndian.Uint16(c[6:])), 10)
}

// appendFlowAction appends a community that says what becomes of traffic (RFC 8955
// section 7), and reports whether c is one: "traffic-rate:64500:125000", in octets a
// second, "traffic-action:sample-terminal", "redirect:64500:100" and
// "traffic-marking:46".
func appendFlowAction(b []byte, c ExtCommunity) (out []byte, ok bool) {
	switch binary.BigEndian.Uint16(c) {
	case 0x8006, 0x800c:
		rate := math.Float32frombits(binary.BigEndian.Uint32(c[4:]))
		if !(rate >= 0 && rate <= math.MaxFloat32) {
			return b, false
		}
		b = append(b, map[byte]string{0x06: "traffic-rate:", 0x0c: "traffic-rate-packets:"}[c[1]]...)
		b = strconv.AppendUint(b, uint64(binary.BigEndian.Uint16(c[2:])), 10)
		return strconv.AppendFloat(append(b, ':'), float64(rate), 'f', -1, 32), true
	case 0x8007:
		return append(append(b, "traffic-action:"...), [...]string{"none", "terminal", "sample", "sample-terminal"}[c[7]&3]...), true
	case 0x8008, 0x8108, 0x8208:
		return appendTarget(b, "redirect", c), true
	case 0x8009:
		return strconv.AppendUint(append(b, "traffic-marking:"...), uint64(c[7]&0x3f), 10), true
	}
	return b, false
}

// extSubtype names the subtypes that the AS- and address-specific types share.
func extSubtype(c ExtCommunity) string {
	if len(c) < 2 {
		return ""
	}
	switch c[1] {
	case 0x02:
		return "rt"
	case 0x03:
		return "ro"
	}
	return ""
}

func ovState(v byte) string {
	switch v {
	case 0:
		return "valid"
	case 1:
		return "not-found"
	case 2:
		return "invalid"
	}
	return strconv.Itoa(int(v))
}

// Communities is the value of a COMMUNITIES attribute.
type Communities []byte

// Len returns the count of communities.
func (c Communities) Len() int { return len(c) / 4 }

// At returns community i.
func (c Communities) At(i int) Community { return Community(binary.BigEndian.Uint32(c[4*i:])) }

// All yields the communities in the order received.
func (c Communities) All() iter.Seq[Community] {
	return func(yield func(Community) bool) {
		for i := range c.Len() {
			if !yield(c.At(i)) {
				return
			}
		}
	}
}

// Has reports whether want is among the communities.
func (c Communities) Has(want Community) bool {
	for i := range c.Len() {
		if c.At(i) == want {
			return true
		}
	}
	return false
}

// LargeCommunities is the value of a LARGE_COMMUNITY attribute.
type LargeCommunities []byte

// Len returns the count of large communities.
func (c LargeCommunities) Len() int { return len(c) / 12 }

// At returns large community i.
func (c LargeCommunities) At(i int) LargeCommunity {
	v := c[12*i:]
	return LargeCommunity{binary.BigEndian.Uint32(v), binary.BigEndian.Uint32(v[4:]), binary.BigEndian.Uint32(v[8:])}
}

// All yields the large communities in the order received.
func (c LargeCommunities) All() iter.Seq[LargeCommunity] {
	return func(yield func(LargeCommunity) bool) {
		for i := range c.Len() {
			if !yield(c.At(i)) {
				return
			}
		}
	}
}
