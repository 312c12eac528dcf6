package wire

import (
	"encoding/binary"
	"fmt"

	"ribglass/ribstore/route"
)

// verdict is what becomes of an attribute (RFC 7606 section 2), from mild to
// severe.
type verdict uint8

const (
	keep verdict = iota
	discard
	withdraw
	reset
)

// check applies the rules of an attribute's specification. It may replace the
// value by its canonical form. The fault is nil for keep.
func (d *Decoder) check(a *attribute) (verdict, *attributeError) {
	if classOf(a.code) == unrecognized {
		return d.checkUnrecognized(a)
	}
	if d.session.FourOctetAS && (a.code == attrAS4Path || a.code == attrAS4Aggregator) {
		// RFC 6793 section 6: not between two who know four octets.
		return discard, a.fault(UpdateOptionalAttribute, "from a speaker of four-octet AS numbers")
	}
	if !a.checkFlags() {
		return a.flagsVerdict(), a.fault(UpdateAttributeFlags, fmt.Sprintf("flags %#02x", a.flags))
	}
	switch a.code {
	case route.AttrOrigin:
		return a.checkOrigin()
	case route.AttrASPath:
		return d.checkASPath(a)
	case route.AttrAtomicAggregate:
		return a.checkLength(len(a.value) == 0, discard, "0")
	case route.AttrAggregator:
		return d.checkAggregator(a)
	case route.AttrLocalPref, route.AttrOriginatorID, route.AttrClusterList, route.AttrAIGP:
		return d.checkInternal(a)
	case route.AttrOTC:
		return a.checkOTC()
	case attrAS4Path:
		return a.checkAS4Path()
	case attrAS4Aggregator:
		return a.checkAS4Aggregator()
	default:
		if unit := unitOf(a.code); unit > 0 {
			return d.checkUnits(a, unit)
		}
		return a.checkOpaque()
	}
}

// checkUnrecognized sorts the attributes nobody here knows (RFC 4271 sections 5
// and 6.3): a well-known one cannot be skipped, an optional one is kept when it
// is transitive, else ignored, but not in an archive.
func (d *Decoder) checkUnrecognized(a *attribute) (verdict, *attributeError) {
	switch {
	case a.flags&flagOptional == 0:
		return reset, a.fault(UpdateUnrecognizedWellKnown, "well-known and not recognized")
	case a.flags&flagTransitive == 0 && !d.session.KeepUnrecognized:
		return discard, a.fault(UpdateOptionalAttribute, "not recognized and not transitive")
	}
	return keep, nil
}

// flagsVerdict is what wrong flags lead to: treat-as-withdraw (RFC 7606 section
// 3 (c)) unless the specification says that a malformed one is discarded.
func (a *attribute) flagsVerdict() verdict {
	switch a.code {
	case route.AttrAIGP, // RFC 7311 section 3
		attrAS4Path, attrAS4Aggregator, // RFC 6793 section 6
		attrLinkState, // RFC 9552 section 8.2.2
		attrPrefixSID, // RFC 8669 section 6
		attrNextHopChars:
		return discard
	default:
		return withdraw
	}
}

func (a *attribute) checkLength(good bool, otherwise verdict, want string) (verdict, *attributeError) {
	if good {
		return keep, nil
	}
	return otherwise, a.badLength(want)
}

// checkOrigin is RFC 7606 section 7.1.
func (a *attribute) checkOrigin() (verdict, *attributeError) {
	if len(a.value) != 1 {
		return withdraw, a.badLength("1")
	}
	if a.value[0] > byte(route.OriginIncomplete) {
		return withdraw, a.fault(UpdateInvalidOrigin, fmt.Sprintf("origin %d", a.value[0]))
	}
	return keep, nil
}

// checkInternal checks what only a peer in our own AS or confederation may send (RFC
// 7606 sections 7.5, 7.9 and 7.10; RFC 5065 section 5.2; RFC 7311 section 3.3: AIGP is
// off on external sessions).
func (d *Decoder) checkInternal(a *attribute) (verdict, *attributeError) {
	if !d.session.internal() {
		return discard, a.fault(UpdateOptionalAttribute, "from an external peer")
	}
	switch n := len(a.value); a.code {
	case route.AttrClusterList:
		return a.checkLength(n > 0 && n%4 == 0, withdraw, "a multiple of 4")
	case route.AttrAIGP:
		return a.checkAIGP()
	default:
		return a.checkLength(n == 4, withdraw, "4")
	}
}

// checkOTC is RFC 9234 section 5, with AS 0 refused by RFC 7607.
func (a *attribute) checkOTC() (verdict, *attributeError) {
	if len(a.value) != 4 {
		return withdraw, a.badLength("4")
	}
	if binary.BigEndian.Uint32(a.value) == 0 {
		return withdraw, a.fault(UpdateOptionalAttribute, "AS 0")
	}
	return keep, nil
}

// unitOf returns the octets of one element of the attributes that are lists, of
// which there must be at least one. MED is a list of exactly one.
func unitOf(code route.AttrCode) int {
	switch code {
	case route.AttrMED, route.AttrCommunities:
		return 4
	case route.AttrExtCommunities:
		return 8
	case route.AttrLargeCommunities:
		return 12
	case route.AttrIPv6ExtCommunity:
		return 20
	default:
		return 0
	}
}

// checkUnits is RFC 7606 sections 7.4, 7.8, 7.14 and 7.15, and RFC 8092 section 6.
func (d *Decoder) checkUnits(a *attribute, unit int) (verdict, *attributeError) {
	n := len(a.value)
	if a.code == route.AttrMED {
		return a.checkLength(n == unit, withdraw, "4")
	}
	if n == 0 || n%unit != 0 {
		return withdraw, a.badLength(fmt.Sprintf("a multiple of %d", unit))
	}
	if a.code == route.AttrLargeCommunities {
		d.dropRedundant(a)
	}
	return keep, nil
}

// dropRedundant keeps the first of large communities that are equal (RFC 8092
// section 5). Few are compared with each other; many, which are rare, through a
// map, so that a peer cannot buy much time with one message.
func (d *Decoder) dropRedundant(a *attribute) {
	const few, octets = 64 * 12, 12
	if len(a.value) <= few && !hasRedundant(a.value) {
		return
	}
	start, seen := len(d.scratch), make(map[[octets]byte]struct{}, len(a.value)/octets)
	for v := a.value; len(v) > 0; v = v[octets:] {
		key := [octets]byte(v)
		if _, redundant := seen[key]; !redundant {
			seen[key] = struct{}{}
			d.scratch = append(d.scratch, key[:]...)
		}
	}
	a.value = d.scratch[start:len(d.scratch):len(d.scratch)]
}

func hasRedundant(v []byte) bool {
	for ; len(v) > 12; v = v[12:] {
		for rest := v[12:]; len(rest) > 0; rest = rest[12:] {
			if [12]byte(rest) == [12]byte(v) {
				return true
			}
		}
	}
	return false
}
