package wire

import (
	"encoding/binary"
	"math"

	"ribglass/ribstore/route"
)

// AppendUpdate appends u as whole UPDATE messages of at most limit octets each,
// as many as it takes, for a session s from the view of the sender. IPv4 unicast
// goes into the fields of RFC 4271 unless its next hop is an IPv6 address. The
// attributes are written as they are: what an external peer should not hear, such
// as LOCAL_PREF, is the caller's to leave out. When the attributes leave no room
// for a prefix, nothing is appended.
func AppendUpdate(b []byte, s Session, u route.Update, limit int) []byte {
	if u.Withdraw() {
		u.Attrs = nil // what it has is why, which is not for the wire
	}
	e := encoder{session: s, update: u, limit: limit}
	e.nextHop, _ = u.Attrs.Get(route.AttrNextHop)
	e.classic = u.Family == route.IPv4Unicast && (u.Withdraw() || len(e.nextHop) == 4)
	e.attributes = e.appendAttributes(nil)
	start := len(b)
	for rest := u.NLRI; len(rest) > 0; {
		var n int
		if b, n = e.appendMessage(b, rest); n == 0 {
			return b[:start]
		}
		rest = rest[n:]
	}
	return b
}

// AppendEndOfRIB appends the End-of-RIB marker of f (RFC 4724 section 2).
func AppendEndOfRIB(b []byte, f route.Family) []byte {
	b, start := beginMessage(b, TypeUpdate)
	if f == route.IPv4Unicast {
		return endMessage(append(b, 0, 0, 0, 0), start)
	}
	b = append(b, 0, 0, 0, 6)
	b = appendAttribute(b, flagOptional, attrMPUnreach, []byte{0, byte(f.AFI()), f.SAFI()})
	return endMessage(b, start)
}

// AppendTableAttributes appends the attributes of a route of f as a table in an
// MRT file has them (RFC 6396 section 4.3.4): AS numbers have four octets, and of
// MP_REACH_NLRI there is the next hop only.
func AppendTableAttributes(b []byte, f route.Family, attrs route.Attrs) []byte {
	nextHop, _ := attrs.Get(route.AttrNextHop)
	classic := f == route.IPv4Unicast && len(nextHop) == 4
	placed := classic || len(nextHop) == 0
	reach := append([]byte{byte(len(nextHop))}, nextHop...)
	for code, value := range attrs.All() {
		if !placed && code > attrMPReach {
			b, placed = appendAttribute(b, flagOptional, attrMPReach, reach), true
		}
		switch {
		case code == route.AttrNextHop && !classic, code == route.AttrTooLong:
		case code.Known():
			b = appendAttribute(b, knownFlags(code), code, value)
		case len(value) > 0:
			b = appendAttribute(b, value[0]&^flagExtended, code, value[1:])
		}
	}
	if !placed {
		b = appendAttribute(b, flagOptional, attrMPReach, reach)
	}
	return b
}

// encoder is an update on its way into messages.
type encoder struct {
	session    Session
	update     route.Update
	limit      int
	classic    bool
	nextHop    []byte
	attributes []byte // but MP_REACH_NLRI and MP_UNREACH_NLRI
}

// appendMessage appends one message with the first n prefixes of nlri.
func (e *encoder) appendMessage(b []byte, nlri []route.NLRI) (out []byte, n int) {
	b, start := beginMessage(b, TypeUpdate)
	b = append(b, 0, 0)
	if e.classic && e.update.Withdraw() {
		field := len(b)
		b, n = e.appendPrefixes(b, nlri, e.limit-(field-start)-2)
		putUint16(b[field-2:], len(b)-field)
		return endMessage(append(b, 0, 0), start), n
	}
	b = append(b, 0, 0)
	field := len(b)
	if !e.classic {
		b, n = e.appendMultiprotocol(b, nlri, e.limit-(field-start)-len(e.attributes))
	}
	b = append(b, e.attributes...)
	if len(b)-field > math.MaxUint16 {
		return b, 0
	}
	putUint16(b[field-2:], len(b)-field)
	if e.classic {
		b, n = e.appendPrefixes(b, nlri, e.limit-(len(b)-start))
	}
	if n == 0 {
		return b, 0
	}
	return endMessage(b, start), n
}

// appendMultiprotocol appends MP_REACH_NLRI or MP_UNREACH_NLRI, which goes first
// (RFC 7606 section 5.1), in at most room octets.
func (e *encoder) appendMultiprotocol(b []byte, nlri []route.NLRI, room int) (out []byte, n int) {
	f, start := e.update.Family, len(b)
	code := attrMPReach
	if e.update.Withdraw() {
		code = attrMPUnreach
	}
	b = append(b, flagOptional|flagExtended, byte(code), 0, 0, 0, byte(f.AFI()), f.SAFI())
	if !e.update.Withdraw() {
		b = append(b, byte(len(e.nextHop)))
		b = append(b, e.nextHop...)
		b = append(b, 0)
	}
	b, n = e.appendPrefixes(b, nlri, room-(len(b)-start))
	putUint16(b[start+2:], len(b)-start-4)
	return b, n
}

// appendPrefixes appends the first n prefixes, as many as room octets hold.
func (e *encoder) appendPrefixes(b []byte, nlri []route.NLRI, room int) (out []byte, n int) {
	addPath := e.session.AddPathSend[e.update.Family]
	end := len(b) + room
	for ; n < len(nlri); n++ {
		before := len(b)
		if b = encodeNLRI(b, nlri[n], addPath); len(b) > end {
			return b[:before], n
		}
	}
	return b, n
}

// appendAttributes appends the attributes of the set in order of their codes.
func (e *encoder) appendAttributes(b []byte) []byte {
	var late []byte // AS4_PATH, AS4_AGGREGATOR
	for code, value := range e.update.Attrs.All() {
		if late != nil && code > attrAS4Path {
			b, late = append(b, late...), nil
		}
		switch {
		case code == route.AttrNextHop && !e.classic, code == route.AttrTooLong:
		case code == route.AttrASPath && !e.session.FourOctetAS:
			b = appendAttribute(b, flagTransitive, code, appendNarrow(nil, value))
			if path4, needed := as4Path(value); needed {
				late = appendAttribute(late, flagOptional|flagTransitive, attrAS4Path, path4)
			}
		case code == route.AttrAggregator && !e.session.FourOctetAS && len(value) == 8:
			asn := route.ASN(binary.BigEndian.Uint32(value))
			narrow := append(appendNarrowASN(nil, asn), value[4:]...)
			b = appendAttribute(b, flagOptional|flagTransitive, code, narrow)
			if asn > math.MaxUint16 {
				late = appendAttribute(late, flagOptional|flagTransitive, attrAS4Aggregator, value)
			}
		case code.Known():
			b = appendAttribute(b, knownFlags(code), code, value)
		case len(value) > 0:
			b = appendAttribute(b, value[0]&^flagExtended, code, value[1:])
		}
	}
	return append(b, late...)
}

// knownFlags returns the flags that the category of the attribute has.
func knownFlags(code route.AttrCode) uint8 {
	switch classOf(code) {
	case wellKnown:
		return flagTransitive
	case optionalNonTransitive:
		return flagOptional
	case optionalTransitive, unrecognized:
	}
	return flagOptional | flagTransitive
}

// appendAttribute appends an attribute, with a long length where it needs one or
// the flags say so.
func appendAttribute(b []byte, flags uint8, code route.AttrCode, value []byte) []byte {
	if len(value) > math.MaxUint8 {
		flags |= flagExtended
	}
	b = append(b, flags, byte(code))
	if flags&flagExtended != 0 {
		b = append(b, byte(len(value)>>8))
	}
	return append(append(b, byte(len(value))), value...)
}

// appendNarrow appends a path with two-octet AS numbers, AS_TRANS for those that
// have none (RFC 6793 section 4.2.2).
func appendNarrow(b []byte, path route.ASPath) []byte {
	for s := range path.Segments() {
		b = append(b, byte(s.Type), byte(s.Len()))
		for i := range s.Len() {
			b = appendNarrowASN(b, s.At(i))
		}
	}
	return b
}

// appendNarrowASN appends an AS number in two octets.
func appendNarrowASN(b []byte, n route.ASN) []byte {
	if n > math.MaxUint16 {
		n = route.ASTrans
	}
	return binary.BigEndian.AppendUint16(b, uint16(n))
}

// as4Path returns the AS4_PATH to go with a narrowed path, without confederation
// segments, and whether any AS number needs it.
func as4Path(path route.ASPath) (path4 route.ASPath, needed bool) {
	for s := range path.Segments() {
		if isConfederation(s.Type) {
			continue
		}
		path4 = append(path4, byte(s.Type), byte(s.Len()))
		for i := range s.Len() {
			path4 = binary.BigEndian.AppendUint32(path4, uint32(s.At(i)))
			needed = needed || s.At(i) > math.MaxUint16
		}
	}
	return path4, needed
}
