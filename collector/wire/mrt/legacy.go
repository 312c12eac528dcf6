package mrt

import (
	"encoding/binary"
	"fmt"
	"time"

	"ribglass/collector/wire"
	"ribglass/ribstore/route"
)

// The subtypes of TABLE_DUMP: those of RFC 6396 section 4.2, and those with
// four-octet AS numbers that some collectors wrote before TABLE_DUMP_V2.
const (
	dumpIPv4    = 1
	dumpIPv6    = 2
	dumpIPv4AS4 = 3
	dumpIPv6AS4 = 4
)

// tableDump reads a route of a TABLE_DUMP. The octets of IPv6 addresses are all
// there is to tell the family of a peer's address.
func (r *Reader) tableDump(h Header, b *cursor) (Record, error) {
	d := TableDump{Header: h, Family: route.IPv4Unicast}
	switch h.Type.Subtype {
	case dumpIPv4:
	case dumpIPv6:
		d.Family = route.IPv6Unicast
	case dumpIPv4AS4:
		d.FourOctetAS = true
	case dumpIPv6AS4:
		d.Family, d.FourOctetAS = route.IPv6Unicast, true
	default:
		return r.unread(h, b), nil
	}
	b.take(4) // view, sequence
	address, bits := b.addr(d.Family.IsIPv6()), int(b.uint8())
	b.take(1) // status
	d.Originated = time.Unix(int64(b.uint32()), 0).UTC()
	d.Peer.Address = b.addr(d.Family.IsIPv6())
	d.Peer.ASN = b.asn(d.FourOctetAS)
	d.Attributes = b.take(int(b.uint16()))
	if b.short {
		return nil, errShort
	}
	var err error
	if d.Prefix, err = address.Prefix(bits); err != nil {
		return nil, err
	}
	r.dump = d
	return &r.dump, nil
}

// entry reads a BGP4MP_ENTRY, a route of a table that OpenBGPD writes as
// "table-mp". Its next hop is not among the attributes.
func (r *Reader) entry(h Header, b *cursor) (Record, error) {
	s, err := parseSession(b, false)
	if err != nil {
		return nil, err
	}
	d := TableDump{Header: h, Peer: Peer{Address: s.PeerAddress, ASN: s.PeerASN}}
	b.take(4) // view, status
	d.Originated = time.Unix(int64(b.uint32()), 0).UTC()
	afi, safi := b.uint16(), b.uint8()
	d.NextHop = b.take(int(b.uint8()))
	if b.short {
		return nil, errShort
	}
	var known bool
	if d.Family, known = route.FamilyOf(afi, safi); !known {
		return r.unread(h, b), nil
	}
	if d.Prefix, err = b.prefix(d.Family); err != nil {
		return nil, err
	}
	// The format has the length of the attributes here, OpenBGPD has not.
	if rest := b.rest; len(rest) >= 2 && int(binary.BigEndian.Uint16(rest)) == len(rest)-2 {
		b.take(2)
	}
	d.Attributes = b.rest
	r.dump = d
	return &r.dump, nil
}

// The subtypes of the type BGP (RFC 6396 appendix B.2).
const (
	oldUpdate       = 1
	oldPrefUpdate   = 2
	oldStateChange  = 3
	oldOpen         = 5
	oldNotification = 6
	oldKeepalive    = 7
)

// bgp reads what the first collectors wrote: BGP4MP for IPv4 and two-octet AS
// numbers, with messages that lack their header.
func (r *Reader) bgp(h Header, b *cursor) (Record, error) {
	var kind wire.Type
	switch h.Type.Subtype {
	case oldStateChange:
		s := Session{PeerASN: b.asn(false), PeerAddress: b.addr4()}
		r.change = StateChange{Header: h, Session: s, Old: b.uint16(), New: b.uint16()}
		if b.short {
			return nil, errShort
		}
		return &r.change, nil
	case oldUpdate, oldPrefUpdate:
		kind = wire.TypeUpdate
	case oldOpen:
		kind = wire.TypeOpen
	case oldNotification:
		kind = wire.TypeNotification
	case oldKeepalive:
		kind = wire.TypeKeepalive
	default:
		return r.unread(h, b), nil
	}
	s := Session{PeerASN: b.asn(false), PeerAddress: b.addr4(), LocalASN: b.asn(false), LocalAddress: b.addr4()}
	if b.short {
		return nil, errShort
	}
	length := wire.HeaderLen + len(b.rest)
	if length > wire.MaxExtendedLen {
		return nil, fmt.Errorf("message of %d octets", length)
	}
	r.whole = wire.AppendKeepalive(r.whole[:0])
	binary.BigEndian.PutUint16(r.whole[wire.HeaderLen-3:], uint16(length))
	r.whole[wire.HeaderLen-1] = byte(kind)
	r.whole = append(r.whole, b.rest...)
	r.message = Message{Header: h, Session: s, Bytes: r.whole}
	return &r.message, nil
}
