// Package wire turns BGP bytes into values and back. It is pure: no I/O, no
// goroutine, no clock, no state beyond what its types hold.
//
// Data meets the types in this order. The session splitter reads 19 octets and
// asks [ParseHeader] what follows. An OPEN becomes an [Open]; two of them settle
// a [Session] ([Negotiate]). With the Session a [Decoder] turns the body of each
// UPDATE into [route.Update] values whose memory a [Builder] owns, and says in a
// [Report] what was wrong but could be lived with. [AppendUpdate] is the way
// back, for the speakers of the demo, the benchmark and the tests.
//
// # Error handling
//
// A message after which the session cannot go on gives a *[Notification], ready
// to be sent. Within an UPDATE the rules of RFC 7606 hold: an attribute without
// influence on the choice of routes is discarded, a malformed one that has
// influence turns the announcement into a withdrawal, and only where the
// prefixes themselves cannot be read is the session reset.
//
// # Bounds
//
// A message is at most [MaxExtendedLen] octets, and what one can make a Decoder
// hold is a fixed multiple of that. Nothing accumulates between messages but in
// the Builder, which tells its size so that the caller can pass it on.
package wire

import "encoding/binary"

// Lengths of messages in octets.
const (
	HeaderLen      = 19
	MaxLen         = 4096  // RFC 4271 section 4
	MaxExtendedLen = 65535 // RFC 8654
)

// Type is the type of a BGP message.
type Type uint8

// The message types (RFC 4271 section 4.1, RFC 2918).
const (
	TypeOpen         Type = 1
	TypeUpdate       Type = 2
	TypeNotification Type = 3
	TypeKeepalive    Type = 4
	TypeRouteRefresh Type = 5
)

// String returns the name of the type as RFC 4271 writes it.
func (t Type) String() string {
	switch t {
	case TypeOpen:
		return "OPEN"
	case TypeUpdate:
		return "UPDATE"
	case TypeNotification:
		return "NOTIFICATION"
	case TypeKeepalive:
		return "KEEPALIVE"
	case TypeRouteRefresh:
		return "ROUTE-REFRESH"
	}
	return "unknown message"
}

// lengths returns the smallest and the largest legal length of a message of
// type t when the session allows limit octets; ok is false for an unknown type.
// Only OPEN and KEEPALIVE never exceed MaxLen (RFC 8654 section 4).
func (t Type) lengths(limit int) (smallest, largest int, ok bool) {
	switch t {
	case TypeOpen:
		return HeaderLen + 10, min(limit, MaxLen), true
	case TypeUpdate:
		return HeaderLen + 4, limit, true
	case TypeNotification:
		return HeaderLen + 2, limit, true
	case TypeKeepalive:
		return HeaderLen, HeaderLen, true
	case TypeRouteRefresh:
		return HeaderLen + 4, limit, true
	}
	return 0, 0, false
}

// ParseHeader reads the header of a message out of the first HeaderLen octets
// of h. Length is that of the whole message, header included, and at most limit,
// which is MaxLen or MaxExtendedLen. The error is a *Notification of code 1
// (RFC 4271 section 6.1). It panics when h is shorter than HeaderLen.
func ParseHeader(h []byte, limit int) (t Type, length int, err error) {
	for _, octet := range h[:HeaderLen-3] {
		if octet != 0xff {
			return 0, 0, &Notification{Code: CodeHeader, Subcode: HeaderNotSynchronized}
		}
	}
	length = int(binary.BigEndian.Uint16(h[16:]))
	t = Type(h[18])
	smallest, largest, ok := t.lengths(limit)
	switch {
	case length < HeaderLen || length > limit:
	case !ok:
		return 0, 0, &Notification{Code: CodeHeader, Subcode: HeaderBadType, Data: []byte{h[18]}}
	case length < smallest || length > largest:
	default:
		return t, length, nil
	}
	return 0, 0, &Notification{Code: CodeHeader, Subcode: HeaderBadLength, Data: []byte{h[16], h[17]}}
}

// AppendKeepalive appends a KEEPALIVE message.
func AppendKeepalive(b []byte) []byte {
	b, _ = beginMessage(b, TypeKeepalive)
	return b
}

// beginMessage appends a header that says HeaderLen; endMessage corrects it.
func beginMessage(b []byte, t Type) (out []byte, start int) {
	start = len(b)
	const marker = "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
	b = append(b, marker...)
	return append(b, 0, HeaderLen, byte(t)), start
}

// endMessage writes the length of the message that began at start.
func endMessage(b []byte, start int) []byte {
	putUint16(b[start+16:], len(b)-start)
	return b
}

// putUint16 writes n, which the caller has kept within two octets.
func putUint16(b []byte, n int) {
	b[0], b[1] = byte(n>>8), byte(n)
}
