package wire

import (
	"encoding/binary"
	"fmt"
	"net/netip"

	"ribglass/ribstore/route"
)

// Open is an OPEN message. ASN is the four-octet number when the capability is
// there. The zero value is not a legal message.
type Open struct {
	ASN          route.ASN
	HoldTime     uint16 // seconds: 0, or 3 and more
	RouterID     netip.Addr
	Capabilities []Capability // in the order of the message, duplicates included
}

// parameterCapabilities is the only optional parameter still in use (RFC 5492);
// parameterExtended marks the longer encoding of RFC 9072.
const (
	parameterCapabilities = 2
	parameterExtended     = 255
)

// ParseOpen reads the body of an OPEN, strictly: every octet must be accounted
// for. The result does not alias body. The error is a *Notification of code 2.
func ParseOpen(body []byte) (*Open, error) {
	if len(body) < 10 {
		return nil, openError(OpenUnspecific, nil, "%d octets, want at least 10", len(body))
	}
	if body[0] != 4 {
		return nil, openError(OpenUnsupportedVersion, []byte{0, 4}, "version %d", body[0])
	}
	o := &Open{
		ASN:      route.ASN(binary.BigEndian.Uint16(body[1:])),
		HoldTime: binary.BigEndian.Uint16(body[3:]),
		RouterID: netip.AddrFrom4([4]byte(body[5:9])),
	}
	if o.HoldTime == 1 || o.HoldTime == 2 {
		return nil, openError(OpenUnacceptableHoldTime, nil, "hold time %d s", o.HoldTime)
	}
	// RFC 6286 section 2.2: any identifier but zero.
	if o.RouterID.IsUnspecified() {
		return nil, openError(OpenBadRouterID, nil, "zero")
	}
	if err := o.parseParameters(body[9:]); err != nil {
		return nil, err
	}
	if err := o.settleASN(); err != nil {
		return nil, err
	}
	if err := o.checkRoles(); err != nil {
		return nil, err
	}
	return o, nil
}

// parseParameters reads the optional parameters, their length first, in the
// encoding of RFC 4271 or of RFC 9072.
func (o *Open) parseParameters(b []byte) error {
	length, rest, header := int(b[0]), b[1:], 2
	// RFC 9072 section 2: any non-zero length will do when the type says so.
	if length != 0 && len(rest) >= 3 && rest[0] == parameterExtended {
		length, rest, header = int(binary.BigEndian.Uint16(rest[1:])), rest[3:], 3
	}
	if length != len(rest) {
		return openError(OpenUnspecific, nil, "optional parameters say %d octets, have %d", length, len(rest))
	}
	for len(rest) > 0 {
		if len(rest) < header {
			return openError(OpenUnspecific, nil, "optional parameter cut short")
		}
		kind, size := rest[0], int(rest[1])
		if header == 3 {
			size = int(binary.BigEndian.Uint16(rest[1:]))
		}
		rest = rest[header:]
		if size > len(rest) {
			return openError(OpenUnspecific, nil, "optional parameter %d says %d octets, have %d", kind, size, len(rest))
		}
		if kind != parameterCapabilities {
			return openError(OpenUnsupportedParameter, nil, "optional parameter %d", kind)
		}
		if err := o.parseCapabilities(rest[:size]); err != nil {
			return err
		}
		rest = rest[size:]
	}
	return nil
}

func (o *Open) parseCapabilities(b []byte) error {
	for len(b) > 0 {
		if len(b) < 2 || int(b[1]) > len(b)-2 {
			return openError(OpenUnspecific, nil, "capability %d cut short", b[0])
		}
		end := 2 + int(b[1])
		c := Capability{Code: b[0], Value: append([]byte(nil), b[2:end]...)}
		if !c.wellFormed() {
			return openError(OpenUnspecific, nil, "capability %d with %d octets", c.Code, len(c.Value))
		}
		o.Capabilities = append(o.Capabilities, c)
		b = b[end:]
	}
	return nil
}

// settleASN takes the AS number of the four-octet capability. The two-octet
// field must then say the same or AS_TRANS (RFC 6793 section 4.1). A speaker with
// two numbers in two capabilities has none. AS 0 is nobody's (RFC 7607).
func (o *Open) settleASN() error {
	if err := o.checkSame(CapFourOctetAS, OpenBadPeerAS, "four-octet AS number capabilities of AS"); err != nil {
		return err
	}
	if four, ok := o.FourOctetAS(); ok {
		if o.ASN != route.ASTrans && o.ASN != four {
			return openError(OpenBadPeerAS, nil, "AS %d in the header, AS %d in the capability", o.ASN, four)
		}
		o.ASN = four
	}
	if o.ASN == 0 {
		return openError(OpenBadPeerAS, nil, "AS 0")
	}
	return nil
}

func openError(subcode uint8, data []byte, format string, args ...any) *Notification {
	return &Notification{Code: CodeOpen, Subcode: subcode, Data: data, Reason: fmt.Sprintf(format, args...)}
}

// Append appends the whole message in our own encoding: one optional parameter
// with all capabilities, in the longer form of RFC 9072 only when they need it.
// Capabilities are written as they are; FourOctetASCapability is the caller's to
// add. An AS number that has no two octets is written as AS_TRANS.
func (o *Open) Append(b []byte) []byte {
	b, start := beginMessage(b, TypeOpen)
	asn := o.ASN
	if asn > 0xffff {
		asn = route.ASTrans
	}
	b = append(b, 4)
	b = binary.BigEndian.AppendUint16(b, uint16(asn))
	b = binary.BigEndian.AppendUint16(b, o.HoldTime)
	id := o.RouterID.As4()
	b = append(b, id[:]...)

	var capabilities []byte
	for _, c := range o.Capabilities {
		capabilities = append(capabilities, c.Code, byte(len(c.Value)))
		capabilities = append(capabilities, c.Value...)
	}
	size := len(capabilities)
	switch {
	case size == 0:
		b = append(b, 0)
	case size+2 <= 254:
		b = append(b, byte(size+2), parameterCapabilities, byte(size))
	default:
		b = append(b, parameterExtended, parameterExtended, byte((size+3)>>8), byte(size+3))
		b = append(b, parameterCapabilities, byte(size>>8), byte(size))
	}
	return endMessage(append(b, capabilities...), start)
}
