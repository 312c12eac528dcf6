package mrt

import "fmt"

// The subtypes of BGP4MP (RFC 6396 section 4.4, RFC 8050 section 3).
const (
	stateChange            = 0
	message                = 1
	entry                  = 2
	messageAS4             = 4
	stateChangeAS4         = 5
	messageLocal           = 6
	messageAS4Local        = 7
	messageAddPath         = 8
	messageAS4AddPath      = 9
	messageLocalAddPath    = 10
	messageAS4LocalAddPath = 11
)

// Address family numbers of IANA.
const afiIPv4, afiIPv6 = 1, 2

func (r *Reader) bgp4mp(h Header, b *cursor) (Record, error) {
	switch h.Type.Subtype {
	case stateChange, stateChangeAS4:
		return r.stateChange(h, b)
	case message, messageAS4, messageLocal, messageAS4Local,
		messageAddPath, messageAS4AddPath, messageLocalAddPath, messageAS4LocalAddPath:
		return r.bgpMessage(h, b)
	case entry:
		return r.entry(h, b)
	}
	return r.unread(h, b), nil
}

func (r *Reader) stateChange(h Header, b *cursor) (Record, error) {
	s, err := parseSession(b, h.Type.Subtype == stateChangeAS4)
	if err != nil {
		return nil, err
	}
	r.change = StateChange{Header: h, Session: s, Old: b.uint16(), New: b.uint16()}
	if b.short {
		return nil, errShort
	}
	return &r.change, nil
}

func (r *Reader) bgpMessage(h Header, b *cursor) (Record, error) {
	m := Message{Header: h}
	switch h.Type.Subtype {
	case messageAS4, messageAS4Local, messageAS4AddPath, messageAS4LocalAddPath:
		m.FourOctetAS = true
	}
	m.AddPath = h.Type.Subtype >= messageAddPath
	switch h.Type.Subtype {
	case messageLocal, messageAS4Local, messageLocalAddPath, messageAS4LocalAddPath:
		m.Sent = true
	}
	var err error
	if m.Session, err = parseSession(b, m.FourOctetAS); err != nil {
		return nil, err
	}
	m.Bytes = b.rest
	r.message = m
	return &r.message, nil
}

func parseSession(b *cursor, fourOctetAS bool) (Session, error) {
	s := Session{PeerASN: b.asn(fourOctetAS), LocalASN: b.asn(fourOctetAS), Interface: b.uint16()}
	afi := b.uint16()
	if !b.short && afi != afiIPv4 && afi != afiIPv6 {
		return Session{}, fmt.Errorf("address family %d", afi)
	}
	s.PeerAddress, s.LocalAddress = b.addr(afi == afiIPv6), b.addr(afi == afiIPv6)
	if b.short {
		return Session{}, errShort
	}
	return s, nil
}
