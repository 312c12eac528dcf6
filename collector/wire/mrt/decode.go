package mrt

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"

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
	wire    [2]*wire.Decoder // by whether AS numbers have four octets
	builder wire.Builder
	body    []byte
}

// NewDecoder returns a Decoder.
func NewDecoder() *Decoder {
	return &Decoder{wire: [2]*wire.Decoder{wire.NewDecoder(tolerant(false)), wire.NewDecoder(tolerant(true))}}
}

// tolerant is a session with whatever peer a file tells of.
func tolerant(fourOctetAS bool) wire.Session {
	s := wire.Session{
		// A table does not say which of its peers were internal; as internal
		// ones they keep LOCAL_PREF and the attributes of route reflection.
		IBGP:               true,
		FourOctetAS:        fourOctetAS,
		LoopbackNextHop:    true,
		UnspecifiedNextHop: true,
		KeepUnrecognized:   true,
		MaxReceive:         wire.MaxExtendedLen,
	}
	for _, f := range route.Families() {
		s.Families[f], s.ExtendedNextHop[f] = true, true
	}
	return s
}

// Attrs returns the attributes of an entry of rib. They are the Decoder's and
// valid until its next call; the Report tells what wire left out of them. An
// entry whose attributes an UPDATE could not announce gives an error, but for a
// missing next hop: some collectors do not write it.
func (d *Decoder) Attrs(rib *RIB, e Entry) (route.Attrs, wire.Report, error) {
	attrs, report, err := d.attrs(form{rib.Family, true}, e.Attributes, nil)
	if err != nil {
		return nil, report, fmt.Errorf("attributes of %v: %w", rib.Prefix, err)
	}
	return attrs, report, nil
}

// DumpAttrs is Attrs for a TableDump.
func (d *Decoder) DumpAttrs(t *TableDump) (route.Attrs, wire.Report, error) {
	attrs, report, err := d.attrs(form{t.Family, t.FourOctetAS}, t.Attributes, t.NextHop)
	if err != nil {
		return nil, report, fmt.Errorf("attributes of %v: %w", t.Prefix, err)
	}
	return attrs, report, nil
}

// form is what decides how the octets of attributes are read.
type form struct {
	family      route.Family
	fourOctetAS bool
}

// attrs decodes attributes; nextHop is that of a record that has it outside them.
func (d *Decoder) attrs(f form, attributes, nextHop []byte) (route.Attrs, wire.Report, error) {
	d.builder.Reset()
	u := updateBody{family: f.family, nextHop: nextHop, b: append(d.body[:0], 0, 0, 0, 0)}
	if err := u.append(attributes); err != nil {
		return nil, wire.Report{}, err
	}
	d.body = u.b
	report, err := d.wire[index(f.fourOctetAS)].Update(d.body, &d.builder)
	if err == nil {
		err = report.TreatedAsWithdraw
	}
	updates := d.builder.Updates()
	if err == nil && (len(updates) != 1 || updates[0].Withdraw()) {
		err = errors.New("announce nothing")
	}
	if err != nil {
		return nil, report, err
	}
	attrs := updates[0].Attrs
	if u.hopless {
		attrs = without(attrs, route.AttrNextHop)
	}
	return attrs, report, nil
}

// without returns a copy of a set that lacks one attribute.
func without(a route.Attrs, code route.AttrCode) route.Attrs {
	var kept route.Attrs
	for c, value := range a.All() {
		if c != code {
			kept = kept.AppendAttr(c, value)
		}
	}
	return kept
}

// The attributes that say where a route leads (RFC 4271, RFC 4760).
const (
	codeNextHop   = 3
	codeMPReach   = 14
	codeMPUnreach = 15
)

var errAttributeShort = errors.New("an attribute reaches beyond the end")

// updateBody is the body of an UPDATE that announces a prefix, the shortest of
// the family, with the attributes of a table entry, under construction.
type updateBody struct {
	family  route.Family
	nextHop []byte // when the attributes have none
	b       []byte // begins with: no withdrawn routes; length of attributes
	hopless bool   // the next hop is one that we made up
}

// append appends the attributes of a table entry, made whole, and a prefix.
func (u *updateBody) append(attributes []byte) error {
	const start = 4
	nextHop, mpNextHop := u.nextHop, []byte(nil)
	for rest := attributes; len(rest) > 0; {
		code, whole, value, next, ok := cutAttribute(rest)
		if !ok {
			return errAttributeShort
		}
		switch code {
		case codeMPReach:
			if mpNextHop, ok = reachNextHop(value); !ok {
				return errors.New("MP_REACH_NLRI without next hop")
			}
		case codeNextHop:
			nextHop = value
		default:
			u.b = append(u.b, whole...)
			u.b[len(u.b)-len(whole)] |= missingFlags(whole[0], route.AttrCode(code))
		}
		rest = next
	}
	classic := u.family == route.IPv4Unicast && mpNextHop == nil
	switch {
	case mpNextHop != nil:
		u.appendReach(mpNextHop)
	case nextHop == nil:
		u.hopless = true
		loopback := netip.IPv6Loopback().As16()
		u.appendReach(loopback[:])
	case classic:
		u.b = append(u.b, 0x40, codeNextHop, byte(len(nextHop)))
		u.b = append(u.b, nextHop...)
	default:
		u.appendReach(nextHop)
	}
	length := len(u.b) - start
	if length > 0xffff {
		return fmt.Errorf("%d octets", length)
	}
	binary.BigEndian.PutUint16(u.b[start-2:], uint16(length))
	if classic && !u.hopless {
		u.b = append(u.b, 0)
	}
	return nil
}

// missingFlags returns the flags of an attribute that has neither of the two which
// every attribute has one of: BIRD writes those so that it added itself, such as
// LOCAL_PREF to the routes of external peers.
func missingFlags(flags byte, code route.AttrCode) byte {
	const optional, transitive = 0x80, 0x40
	if flags&(optional|transitive) != 0 {
		return 0
	}
	switch code {
	case route.AttrOrigin, route.AttrASPath, route.AttrNextHop, route.AttrLocalPref, route.AttrAtomicAggregate:
		return transitive
	case route.AttrMED, route.AttrOriginatorID, route.AttrClusterList, route.AttrAIGP:
		return optional
	default:
		return optional | transitive
	}
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

func (u *updateBody) appendReach(nextHop []byte) {
	const optionalExtended = 0x80 | 0x10
	u.b = append(u.b, optionalExtended, codeMPReach, 0, 0)
	start := len(u.b)
	u.b = append(u.b, 0, byte(u.family.AFI()), u.family.SAFI(), byte(len(nextHop)))
	u.b = append(u.b, nextHop...)
	u.b = append(u.b, 0, 0) // reserved, and the prefix
	binary.BigEndian.PutUint16(u.b[start-2:], uint16(len(u.b)-start))
}

// appendPrefix appends a prefix as NLRI.
func appendPrefix(b []byte, p netip.Prefix) []byte {
	octets := p.Addr().AsSlice()
	b = append(b, byte(p.Bits()))
	return append(b, octets[:(p.Bits()+7)/8]...)
}
