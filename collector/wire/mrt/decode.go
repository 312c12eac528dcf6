package mrt

import (
	"encoding/binary"
	"errors"
	"fmt"

	"ribglass/collector/wire"
	"ribglass/ribstore/route"
)

// Decoder turns the attributes of table entries into canonical sets. Make one
// with [NewDecoder]; one goroutine uses it at a time.
//
// A table entry has the attributes of an UPDATE with four-octet AS numbers,
// but its MP_REACH_NLRI is cut down to the next hop (RFC 6396 section 4.3.4).
// The Decoder makes the UPDATE whole again and has package wire decode it, so
// that tables and sessions meet the same checks.
type Decoder struct {
	wire    *wire.Decoder
	builder wire.Builder
	body    []byte
}

// NewDecoder returns a Decoder.
func NewDecoder() *Decoder {
	s := wire.Session{
		// A table does not say which of its peers were internal; as internal
		// ones they keep LOCAL_PREF and the attributes of route reflection.
		IBGP:            true,
		FourOctetAS:     true,
		LoopbackNextHop: true,
		MaxReceive:      wire.MaxExtendedLen,
	}
	for _, f := range route.Families() {
		s.Families[f], s.ExtendedNextHop[f] = true, true
	}
	return &Decoder{wire: wire.NewDecoder(s)}
}

// Attrs returns the attributes of an entry of rib. They are the Decoder's and
// valid until its next call; the Report tells what wire left out of them. An
// entry whose attributes an UPDATE could not announce gives an error.
func (d *Decoder) Attrs(rib *RIB, e Entry) (route.Attrs, wire.Report, error) {
	d.builder.Reset()
	body, err := appendUpdateBody(d.body[:0], rib, e.Attributes)
	if err != nil {
		return nil, wire.Report{}, fmt.Errorf("attributes of %v: %w", rib.Prefix, err)
	}
	d.body = body
	report, err := d.wire.Update(body, &d.builder)
	if err == nil {
		err = report.TreatedAsWithdraw
	}
	updates := d.builder.Updates()
	if err == nil && (len(updates) != 1 || updates[0].Withdraw()) {
		err = errors.New("announce nothing")
	}
	if err != nil {
		return nil, report, fmt.Errorf("attributes of %v: %w", rib.Prefix, err)
	}
	return updates[0].Attrs, report, nil
}

// The attributes that say where a route leads (RFC 4271, RFC 4760).
const (
	codeNextHop = 3
	codeMPReach = 14
)

var errAttributeShort = errors.New("an attribute reaches beyond the end")

// appendUpdateBody appends the body of the UPDATE that announces rib.Prefix
// with the attributes of a table entry.
func appendUpdateBody(b []byte, rib *RIB, attributes []byte) ([]byte, error) {
	b = append(b, 0, 0, 0, 0) // no withdrawn routes; length of attributes, below
	start := len(b)
	var nextHop, mpNextHop []byte
	for rest := attributes; len(rest) > 0; {
		code, whole, value, next, ok := cutAttribute(rest)
		if !ok {
			return nil, errAttributeShort
		}
		switch code {
		case codeMPReach:
			if mpNextHop, ok = reachNextHop(value); !ok {
				return nil, errors.New("MP_REACH_NLRI without next hop")
			}
		case codeNextHop:
			nextHop = value
			if rib.Family == route.IPv4Unicast {
				b = append(b, whole...)
			}
		default:
			b = append(b, whole...)
		}
		rest = next
	}
	plain := rib.Family == route.IPv4Unicast && mpNextHop == nil
	if !plain {
		if mpNextHop == nil {
			mpNextHop = nextHop
		}
		b = appendReach(b, rib, mpNextHop)
	}
	length := len(b) - start
	if length > 0xffff {
		return nil, fmt.Errorf("%d octets", length)
	}
	binary.BigEndian.PutUint16(b[start-2:], uint16(length))
	if plain {
		b = appendPrefix(b, rib)
	}
	return b, nil
}

// cutAttribute splits the first attribute off b: flags, code, length, value.
func cutAttribute(b []byte) (code byte, whole, value, rest []byte, ok bool) {
	const extendedLength = 0x10
	if len(b) < 3 {
		return 0, nil, nil, nil, false
	}
	start, length := 3, int(b[2])
	if b[0]&extendedLength != 0 {
		if len(b) < 4 {
			return 0, nil, nil, nil, false
		}
		start, length = 4, int(binary.BigEndian.Uint16(b[2:]))
	}
	end := start + length
	if end > len(b) {
		return 0, nil, nil, nil, false
	}
	return b[1], b[:end], b[start:end], b[end:], true
}

// reachNextHop returns the next hop of an MP_REACH_NLRI in the short form of
// RFC 6396 or, as some collectors write, in the whole one of RFC 4760: that
// begins with an address family, so with a zero, which no next hop's length is.
func reachNextHop(value []byte) ([]byte, bool) {
	if len(value) > 0 && value[0] == 0 {
		const family = 3
		if len(value) < family {
			return nil, false
		}
		value = value[family:]
	}
	if len(value) == 0 || int(value[0]) > len(value)-1 {
		return nil, false
	}
	return value[1 : 1+int(value[0])], true
}

func appendReach(b []byte, rib *RIB, nextHop []byte) []byte {
	const optionalExtended = 0x80 | 0x10
	b = append(b, optionalExtended, codeMPReach, 0, 0)
	start := len(b)
	b = append(b, 0, byte(rib.Family.AFI()), rib.Family.SAFI(), byte(len(nextHop)))
	b = append(b, nextHop...)
	b = append(b, 0) // reserved
	b = appendPrefix(b, rib)
	binary.BigEndian.PutUint16(b[start-2:], uint16(len(b)-start))
	return b
}

func appendPrefix(b []byte, rib *RIB) []byte {
	bits := rib.Prefix.Bits()
	octets := rib.Prefix.Addr().As16()
	first := 0
	if rib.Prefix.Addr().Is4() {
		first = 12
	}
	b = append(b, byte(bits))
	return append(b, octets[first:first+(bits+7)/8]...)
}
