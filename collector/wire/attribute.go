package wire

import (
	"encoding/binary"
	"fmt"

	"ribglass/ribstore/route"
)

// Attribute codes that never appear in route.Attrs, or that are kept unknown but
// whose form is checked.
const (
	attrMPReach       route.AttrCode = 14 // RFC 4760
	attrMPUnreach     route.AttrCode = 15
	attrAS4Path       route.AttrCode = 17 // RFC 6793
	attrAS4Aggregator route.AttrCode = 18
	attrPMSITunnel    route.AttrCode = 22 // RFC 6514
	attrTunnelEncap   route.AttrCode = 23 // RFC 9012
	attrTrafficEng    route.AttrCode = 24 // RFC 5543
	attrPELabels      route.AttrCode = 27 // RFC 6514
	attrLinkState     route.AttrCode = 29 // RFC 9552
	attrBGPsecPath    route.AttrCode = 33 // RFC 8205
	attrNextHopChars  route.AttrCode = 39 // draft-ietf-idr-entropy-label
	attrPrefixSID     route.AttrCode = 40 // RFC 8669
	attrAttrSet                      = route.AttrAttrSet
)

// Bits of the flags octet of an attribute (RFC 4271 section 4.3).
const (
	flagOptional   = 0x80
	flagTransitive = 0x40
	flagPartial    = 0x20
	flagExtended   = 0x10
)

// attribute is one path attribute of a message. Value aliases the message or the
// scratch memory of the Decoder.
type attribute struct {
	code  route.AttrCode
	flags uint8
	at    uint16 // where it begins among the attributes of the message
	value []byte
}

// attributeError says what is wrong with an attribute. Subcode is that of the
// NOTIFICATION, should it come to one.
type attributeError struct {
	code    route.AttrCode // 0: none in particular
	subcode uint8
	at      int // of the attribute in the message
	reason  string
}

func (e *attributeError) Error() string { return e.forPeople().String() }

func (e *attributeError) forPeople() route.Fault { return route.Fault{Code: e.code, Reason: e.reason} }

func (a *attribute) fault(subcode uint8, reason string) *attributeError {
	if a.code == 0 {
		reason = "attribute 0: " + reason // an error without an attribute has code 0 too
	}
	return &attributeError{a.code, subcode, int(a.at), reason}
}

func (a *attribute) badLength(want string) *attributeError {
	return a.fault(UpdateAttributeLength, fmt.Sprintf("length %d, want %s", len(a.value), want))
}

// cutAttribute splits the first attribute off b, which is not empty and begins so
// many octets behind the begin of the attributes.
func cutAttribute(b []byte, at int) (a attribute, rest []byte, fault *attributeError) {
	if len(b) < 3 {
		return a, nil, &attributeError{0, UpdateMalformedAttributes, at, fmt.Sprintf("%d octets left over behind the attributes", len(b))}
	}
	a = attribute{code: route.AttrCode(b[1]), flags: b[0], at: uint16(at)}
	length, start := int(b[2]), 3
	if a.flags&flagExtended != 0 {
		if len(b) < 4 {
			return a, nil, a.fault(UpdateMalformedAttributes, "header cut short")
		}
		length, start = int(binary.BigEndian.Uint16(b[2:])), 4
	}
	if length > len(b)-start {
		return a, nil, a.fault(UpdateMalformedAttributes, fmt.Sprintf("length %d, have %d octets", length, len(b)-start))
	}
	a.value = b[start : start+length]
	return a, b[start+length:], nil
}

// append appends the attribute as on the wire.
func (a *attribute) append(b []byte) []byte {
	return appendAttribute(b, a.flags, a.code, a.value)
}

// appendTo appends the attribute to a canonical set. Of the flags of one that is
// kept unknown only those with a meaning count, so that equal sets are equal.
func (a *attribute) appendTo(b route.Attrs) route.Attrs {
	if a.code.Known() {
		return b.AppendAttr(a.code, a.value)
	}
	length := len(a.value) + 1
	if length < 255 {
		b = append(b, byte(a.code), byte(length))
	} else {
		b = append(b, byte(a.code), 255, byte(length>>8), byte(length))
	}
	b = append(b, a.flags&(flagOptional|flagTransitive|flagPartial))
	return append(b, a.value...)
}

// isUnreach reports a MP_UNREACH_NLRI with the flags it should have.
func (a *attribute) isUnreach() bool { return a.code == attrMPUnreach && a.checkFlags() }

// class is what RFC 4271 section 5 calls the four categories of attributes.
type class uint8

const (
	unrecognized class = iota
	wellKnown
	optionalTransitive
	optionalNonTransitive
)

// classOf returns the category that the specification of the attribute gives.
func classOf(code route.AttrCode) class {
	switch code {
	case route.AttrOrigin, route.AttrASPath, route.AttrNextHop, route.AttrLocalPref, route.AttrAtomicAggregate:
		return wellKnown
	case route.AttrAggregator, route.AttrCommunities, route.AttrExtCommunities, route.AttrIPv6ExtCommunity,
		route.AttrLargeCommunities, route.AttrOTC, attrAS4Path, attrAS4Aggregator, attrPMSITunnel, attrTunnelEncap,
		attrPELabels, attrNextHopChars, attrPrefixSID, attrAttrSet:
		return optionalTransitive
	case route.AttrMED, route.AttrOriginatorID, route.AttrClusterList, route.AttrAIGP, attrMPReach, attrMPUnreach,
		attrTrafficEng, attrLinkState, attrBGPsecPath:
		return optionalNonTransitive
	}
	return unrecognized
}

// checkFlags reports whether the flags agree with the category. Partial belongs
// to optional transitive attributes alone (RFC 4271 section 5).
func (a *attribute) checkFlags() bool {
	const category = flagOptional | flagTransitive | flagPartial
	switch classOf(a.code) {
	case wellKnown:
		return a.flags&category == flagTransitive
	case optionalTransitive:
		return a.flags&(flagOptional|flagTransitive) == flagOptional|flagTransitive
	case optionalNonTransitive:
		return a.flags&category == flagOptional
	case unrecognized:
	}
	return true
}

// repeatedAttribute is what is wrong with an attribute that is there twice.
const repeatedAttribute = "a second time"
