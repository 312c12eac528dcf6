package wire

import (
	"encoding/binary"
	"fmt"
	"net/netip"

	"ribglass/ribstore/route"
)

// multiprotocol reads MP_REACH_NLRI or MP_UNREACH_NLRI (RFC 4760). What cannot
// be read resets the session (RFC 7606 section 7.11); wrong flags alone do not
// hide the prefixes.
//
// A family that was not negotiated is ignored, not an error: RFC 4760 section 7
// lets a speaker ignore all routes of an AFI and SAFI, and RFC 7606 section 5.3
// asks only for fields whose format is known.
func (d *Decoder) multiprotocol(u *update, a attribute) error {
	if !a.checkFlags() {
		u.withdrawFor(a.fault(UpdateAttributeFlags, fmt.Sprintf("flags %#02x", a.flags)))
	}
	if len(a.value) < 3 {
		return updateError(UpdateOptionalAttribute, a.append(nil), "%v", a.badLength("at least 3"))
	}
	afi, safi := binary.BigEndian.Uint16(a.value), a.value[2]
	f, ok := route.FamilyOf(afi, safi)
	if !ok || !d.session.Families[f] {
		u.foreign = u.foreign || a.code == attrMPReach
		u.discard(a.fault(UpdateOptionalAttribute, fmt.Sprintf("AFI %d SAFI %d was not negotiated", afi, safi)))
		return nil
	}
	if a.code == attrMPUnreach {
		u.unreach = d.field(f, a.value[3:])
		return nil
	}
	return d.reach(u, a, f)
}

// reach reads what follows AFI and SAFI in MP_REACH_NLRI.
func (d *Decoder) reach(u *update, a attribute, f route.Family) error {
	v := a.value[3:]
	if len(v) < 2 || int(v[0])+2 > len(v) {
		return updateError(UpdateMalformedAttributes, nil, "%v", a.fault(UpdateMalformedAttributes, "next hop overruns it"))
	}
	length := int(v[0])
	if !d.goodNextHopLength(f, length) {
		return updateError(UpdateMalformedAttributes, nil, "%v", a.fault(UpdateMalformedAttributes, fmt.Sprintf("next hop of %d octets for %s", length, f)))
	}
	nextHop := v[1 : 1+length]
	// RFC 2545 section 3 gives no form for a link-local address alone; some send
	// it beside the unspecified address.
	if length == 32 && netip.AddrFrom16([16]byte(nextHop[:16])).IsUnspecified() {
		nextHop = nextHop[16:]
	}
	d.judgeNextHop(u, a, nextHop)
	u.reachNextHop = nextHop
	u.reach = d.field(f, v[2+length:]) // one octet is reserved
	return nil
}

// goodNextHopLength tells the legal lengths: those of the family (RFC 4760, RFC
// 2545), and those of IPv6 for IPv4 prefixes when negotiated (RFC 8950). Lengths
// with a route distinguisher (12, 24, 48) belong to families not kept here.
func (d *Decoder) goodNextHopLength(f route.Family, length int) bool {
	if length == 4 {
		return !f.IsIPv6()
	}
	return (length == 16 || length == 32) && (f.IsIPv6() || d.session.ExtendedNextHop[f])
}

// nextHop checks NEXT_HOP (RFC 7606 section 7.3), which concerns the prefixes
// after the attributes only: beside MP_REACH_NLRI alone it is ignored (RFC 4760
// section 3).
func (d *Decoder) nextHop(u *update, a attribute) {
	if len(u.nlri.octets) == 0 {
		return
	}
	switch {
	case !a.checkFlags():
		u.withdrawFor(a.fault(UpdateAttributeFlags, fmt.Sprintf("flags %#02x", a.flags)))
	case len(a.value) != 4:
		u.withdrawFor(a.badLength("4"))
	default:
		d.judgeNextHop(u, a, a.value)
		u.nextHop = a.value
	}
}

// judgeNextHop withdraws for a next hop that is nobody's, and notes one that an
// archive may have.
func (d *Decoder) judgeNextHop(u *update, a attribute, octets []byte) {
	addr, _ := netip.AddrFromSlice(octets[:min(len(octets), 16)])
	if d.session.UnspecifiedNextHop && addr.IsUnspecified() {
		u.report.UnspecifiedNextHop = true
		return
	}
	if reason := d.badNextHop(octets); reason != "" {
		u.withdrawFor(a.fault(UpdateInvalidNextHop, reason))
	}
}

// badNextHop says why the address is nobody's (RFC 4271 section 6.3), or "".
// Octets are 4, or 16 and more of which the first 16 count.
func (d *Decoder) badNextHop(octets []byte) string {
	if len(octets) == 4 {
		switch first := octets[0]; {
		case first == 0, first >= 224, first == 127 && !d.session.LoopbackNextHop:
			return fmt.Sprintf("next hop %s", netip.AddrFrom4([4]byte(octets)))
		}
		return ""
	}
	addr := netip.AddrFrom16([16]byte(octets[:16]))
	if addr.IsUnspecified() || addr.IsMulticast() || (addr.IsLoopback() && !d.session.LoopbackNextHop) {
		return fmt.Sprintf("next hop %s", addr)
	}
	return ""
}
