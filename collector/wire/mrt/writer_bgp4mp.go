package mrt

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"

	"ribglass/collector/wire"
	"ribglass/ribstore/route"
)

// Message writes a BGP message as BGP4MP_ET, with the microseconds of m.Time. The
// subtype is made of FourOctetAS, AddPath and Sent; the rest of the Header is not
// looked at.
func (w *Writer) Message(m *Message) error {
	subtype := uint16(message)
	if m.FourOctetAS {
		subtype = messageAS4
	}
	switch {
	case m.Sent && m.FourOctetAS:
		subtype = messageAS4Local
	case m.Sent:
		subtype = messageLocal
	}
	if m.AddPath {
		subtype = addPathMessage(subtype)
	}
	if len(m.Bytes) > wire.MaxExtendedLen {
		return fmt.Errorf("write message: %d octets, at most %d", len(m.Bytes), wire.MaxExtendedLen)
	}
	if err := w.beginBGP4MP(subtype, m.Time, m.Session, m.FourOctetAS); err != nil {
		return fmt.Errorf("write message: %w", err)
	}
	w.b = append(w.b, m.Bytes...)
	if err := w.end(m.Time); err != nil {
		return fmt.Errorf("write message: %w", err)
	}
	return nil
}

// addPathMessage returns the subtype of RFC 8050 section 3 for one of RFC 6396.
func addPathMessage(subtype uint16) uint16 {
	switch subtype {
	case messageAS4:
		return messageAS4AddPath
	case messageLocal:
		return messageLocalAddPath
	case messageAS4Local:
		return messageAS4LocalAddPath
	}
	return messageAddPath
}

// StateChange writes a step of a session's state machine as BGP4MP_ET, with the
// microseconds of c.Time.
func (w *Writer) StateChange(c *StateChange) error {
	if err := w.beginBGP4MP(stateChangeAS4, c.Time, c.Session, true); err != nil {
		return fmt.Errorf("write state change: %w", err)
	}
	w.uint16(int(c.Old))
	w.uint16(int(c.New))
	if err := w.end(c.Time); err != nil {
		return fmt.Errorf("write state change: %w", err)
	}
	return nil
}

var (
	errNoRoom    = errors.New("the attributes leave no room for a prefix")
	errNoNextHop = errors.New("no next hop, which only a table can leave out")
)

// Update writes the messages in which s's peer would have announced or withdrawn
// u, with four-octet AS numbers: messages of 4,096 octets at most, longer ones
// (RFC 8654) only where the attributes need them.
func (w *Writer) Update(at time.Time, s Session, u route.Update, addPath bool) error {
	if len(u.NLRI) == 0 {
		return nil
	}
	if _, ok := u.Attrs.Get(route.AttrNextHop); !ok && !u.Withdraw() {
		return fmt.Errorf("write UPDATE: %w", errNoNextHop)
	}
	session := wire.Session{FourOctetAS: true}
	session.AddPathSend[u.Family] = addPath
	w.messages = wire.AppendUpdate(w.messages[:0], session, u, wire.MaxLen)
	if len(w.messages) == 0 {
		w.messages = wire.AppendUpdate(w.messages[:0], session, u, wire.MaxExtendedLen)
	}
	if len(w.messages) == 0 {
		return fmt.Errorf("write UPDATE: %w", errNoRoom)
	}
	for rest := w.messages; len(rest) > 0; {
		length := int(binary.BigEndian.Uint16(rest[wire.HeaderLen-3:]))
		m := Message{Header: Header{Time: at}, Session: s, FourOctetAS: true, AddPath: addPath, Bytes: rest[:length]}
		if err := w.Message(&m); err != nil {
			return err
		}
		rest = rest[length:]
	}
	return nil
}

// EndOfRIB writes the End-of-RIB marker of f.
func (w *Writer) EndOfRIB(at time.Time, s Session, f route.Family) error {
	w.messages = wire.AppendEndOfRIB(w.messages[:0], f)
	return w.Message(&Message{Header: Header{Time: at}, Session: s, FourOctetAS: true, Bytes: w.messages})
}

// beginBGP4MP begins a BGP4MP_ET record, up to the addresses. Both are written as
// IPv6 when one of them is; an address that is not known, or of the other family,
// is written as the unspecified one.
func (w *Writer) beginBGP4MP(subtype uint16, at time.Time, s Session, fourOctetAS bool) error {
	if err := checkTime(at); err != nil {
		return err
	}
	w.begin(Type{typeBGP4MPET, subtype})
	w.uint32(uint32(at.Nanosecond() / int(time.Microsecond)))
	for _, asn := range []route.ASN{s.PeerASN, s.LocalASN} {
		switch {
		case fourOctetAS:
			w.uint32(uint32(asn))
		case asn > math.MaxUint16:
			w.uint16(int(route.ASTrans))
		default:
			w.uint16(int(asn))
		}
	}
	w.uint16(int(s.Interface))
	peer, local := s.PeerAddress.Unmap(), s.LocalAddress.Unmap()
	if !peer.Is6() && !local.Is6() {
		w.uint16(afiIPv4)
		w.addr4(peer)
		w.addr4(local)
		return nil
	}
	w.uint16(afiIPv6)
	w.addr16(peer)
	w.addr16(local)
	return nil
}
