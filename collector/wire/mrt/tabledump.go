package mrt

import (
	"errors"
	"fmt"
	"net/netip"
	"time"

	"ribglass/ribstore/route"
)

// The subtypes of TABLE_DUMP_V2 (RFC 6396 section 4.3, RFC 8050 section 4).
const (
	peerIndexTable          = 1
	ribIPv4Unicast          = 2
	ribIPv4Multicast        = 3
	ribIPv6Unicast          = 4
	ribIPv6Multicast        = 5
	ribGeneric              = 6
	ribIPv4UnicastAddPath   = 8
	ribIPv6MulticastAddPath = 11
	addPathSubtypes         = ribIPv4UnicastAddPath - ribIPv4Unicast
)

var errNoPeerIndex = errors.New("RIB record before any PEER_INDEX_TABLE")

func (r *Reader) tableDumpV2(h Header, b *cursor) (Record, error) {
	subtype := h.Type.Subtype
	if subtype == peerIndexTable {
		index, err := parsePeerIndex(h, b)
		if err != nil {
			return nil, err
		}
		r.index = index
		return index, nil
	}
	if subtype == ribGeneric {
		return r.ribGeneric(h, b)
	}
	addPath := subtype >= ribIPv4UnicastAddPath && subtype <= ribIPv6MulticastAddPath
	if addPath {
		subtype -= addPathSubtypes
	}
	var f route.Family
	switch subtype {
	case ribIPv4Unicast:
		f = route.IPv4Unicast
	case ribIPv4Multicast:
		f = route.IPv4Multicast
	case ribIPv6Unicast:
		f = route.IPv6Unicast
	case ribIPv6Multicast:
		f = route.IPv6Multicast
	default:
		return r.unread(h, b), nil
	}
	return r.parseRIB(h, f, addPath, b.uint32(), b)
}

// ribGeneric reads a RIB_GENERIC (RFC 6396 section 4.3.3) of a family that is
// kept. Of RIB_GENERIC_ADDPATH, whose form writers do not agree on, nothing is
// read.
func (r *Reader) ribGeneric(h Header, b *cursor) (Record, error) {
	whole := *b
	sequence := b.uint32()
	f, known := route.FamilyOf(b.uint16(), b.uint8())
	if b.short {
		return nil, errShort
	}
	if !known {
		return r.unread(h, &whole), nil
	}
	return r.parseRIB(h, f, false, sequence, b)
}

func (r *Reader) parseRIB(h Header, f route.Family, addPath bool, sequence uint32, b *cursor) (Record, error) {
	if r.index == nil {
		return nil, errNoPeerIndex
	}
	r.rib = RIB{Header: h, Family: f, Sequence: sequence, AddPath: addPath, Entries: r.rib.Entries[:0]}
	if err := r.rib.parse(b, len(r.index.Peers)); err != nil {
		return nil, err
	}
	return &r.rib, nil
}

func parsePeerIndex(h Header, b *cursor) (*PeerIndex, error) {
	index := &PeerIndex{Header: h, Collector: b.addr4()}
	index.View = string(b.take(int(b.uint16())))
	count := int(b.uint16())
	// The smallest peer entry has 11 octets; a count that lies costs nothing.
	index.Peers = make([]Peer, 0, min(count, len(b.rest)/11))
	for i := range count {
		const ipv6, fourOctetAS = 1, 2
		kind := b.uint8()
		p := Peer{RouterID: b.addr4(), Address: b.addr(kind&ipv6 != 0), ASN: b.asn(kind&fourOctetAS != 0)}
		if b.short {
			return nil, fmt.Errorf("peer %d of %d: %w", i, count, errShort)
		}
		index.Peers = append(index.Peers, p)
	}
	if b.short {
		return nil, errShort
	}
	if len(b.rest) > 0 {
		return nil, fmt.Errorf("%d octets after the last peer", len(b.rest))
	}
	return index, nil
}

func (rib *RIB) parse(b *cursor, peers int) error {
	var err error
	if rib.Prefix, err = b.prefix(rib.Family); err != nil {
		return err
	}
	count := int(b.uint16())
	for i := range count {
		e := Entry{Peer: int(b.uint16()), Originated: time.Unix(int64(b.uint32()), 0).UTC()}
		if rib.AddPath {
			e.PathID = b.uint32()
		}
		e.Attributes = b.take(int(b.uint16()))
		if b.short {
			return fmt.Errorf("entry %d of %d of %v: %w", i, count, rib.Prefix, errShort)
		}
		if e.Peer >= peers {
			rib.Strangers++
			continue
		}
		rib.Entries = append(rib.Entries, e)
	}
	if b.short {
		return errShort
	}
	if len(b.rest) > 0 {
		return fmt.Errorf("%d octets after the last entry of %v", len(b.rest), rib.Prefix)
	}
	return nil
}

// prefix takes a length in bits and as many octets as hold it (RFC 4271
// section 4.3); host bits are cleared.
func (c *cursor) prefix(f route.Family) (netip.Prefix, error) {
	bits := int(c.uint8())
	if bits > f.Bits() {
		return netip.Prefix{}, fmt.Errorf("%v prefix length %d", f, bits)
	}
	var octets [16]byte
	if copy(octets[:], c.take((bits+7)/8)); c.short {
		return netip.Prefix{}, errShort
	}
	addr := netip.AddrFrom16(octets)
	if !f.IsIPv6() {
		addr = netip.AddrFrom4([4]byte(octets[:4]))
	}
	return netip.PrefixFrom(addr, bits).Masked(), nil
}
