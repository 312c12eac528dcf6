package wire

import (
	"encoding/binary"
)

// checkOpaque looks at the outer form of attributes that are kept as octets but
// whose specifications say what a malformed one leads to.
func (a *attribute) checkOpaque() (verdict, *attributeError) {
	good, otherwise := true, discard
	switch v := a.value; a.code {
	case attrPMSITunnel: // RFC 6514 section 5, RFC 7606 section 8
		good, otherwise = len(v) >= 5, withdraw
	case attrTunnelEncap: // RFC 9012 section 13
		good, otherwise = goodTunnels(v), withdraw
	case attrAttrSet: // RFC 7606 section 7.16
		good, otherwise = len(v) >= 4 && goodAttributes(v[4:]), withdraw
	case attrLinkState:
		good = goodTLVs(v, 2, nil)
	case attrPrefixSID:
		good = len(v) > 0 && goodTLVs(v, 1, goodPrefixSID)
	case attrNextHopChars:
		good = len(v) >= 4 && int(v[3]) <= len(v)-4 && goodTLVs(v[4+int(v[3]):], 2, nil)
	default:
	}
	if good {
		return keep, nil
	}
	return otherwise, a.fault(UpdateOptionalAttribute, "malformed")
}

// goodTLVs reports whether b is a sequence of type (of typeSize octets), length
// of two octets, and value, each accepted by check when there is one.
func goodTLVs(b []byte, typeSize int, check func(kind byte, value []byte) bool) bool {
	header := typeSize + 2
	for len(b) > 0 {
		if len(b) < header {
			return false
		}
		end := header + int(binary.BigEndian.Uint16(b[typeSize:]))
		if end > len(b) || (check != nil && !check(b[typeSize-1], b[header:end])) {
			return false
		}
		b = b[end:]
	}
	return true
}

// goodPrefixSID checks the label index and the originator SRGB (RFC 8669 sections
// 3.1 and 3.2); other TLVs are opaque.
func goodPrefixSID(kind byte, value []byte) bool {
	switch kind {
	case 1:
		return len(value) == 7
	case 3:
		return len(value) >= 8 && (len(value)-2)%6 == 0
	}
	return true
}

// goodTunnels checks tunnel TLVs and their sub-TLVs, whose length has two octets
// from type 128 on (RFC 9012 sections 2 and 3.1).
func goodTunnels(b []byte) bool {
	return goodTLVs(b, 2, func(_ byte, value []byte) bool {
		for len(value) > 0 {
			header := 2
			if value[0] >= 128 {
				header = 3
			}
			if len(value) < header {
				return false
			}
			end := header + int(value[1])
			if header == 3 {
				end = header + int(binary.BigEndian.Uint16(value[1:]))
			}
			if end > len(value) {
				return false
			}
			value = value[end:]
		}
		return true
	})
}

// goodAttributes reports whether b is a sequence of whole attributes.
func goodAttributes(b []byte) bool {
	for len(b) > 0 {
		_, rest, fault := cutAttribute(b, 0)
		if fault != nil {
			return false
		}
		b = rest
	}
	return true
}

// checkAIGP wants a sequence of TLVs, whose length counts type and length too,
// with an AIGP TLV of 11 octets first among its type (RFC 7311 section 3).
func (a *attribute) checkAIGP() (verdict, *attributeError) {
	metrics := 0
	for v := a.value; len(v) > 0; {
		if len(v) < 3 {
			return discard, a.fault(UpdateOptionalAttribute, "TLV cut short")
		}
		length := int(binary.BigEndian.Uint16(v[1:]))
		if length < 3 || length > len(v) || (v[0] == 1 && metrics == 0 && length != 11) {
			return discard, a.fault(UpdateOptionalAttribute, "TLV of bad length")
		}
		if v[0] == 1 {
			metrics++
		}
		v = v[length:]
	}
	if metrics == 0 {
		return discard, a.fault(UpdateOptionalAttribute, "no metric")
	}
	return keep, nil
}
