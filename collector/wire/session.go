package wire

import (
	"net/netip"
	"time"

	"ribglass/ribstore/route"
)

// Session is what an exchange of OPENs settled, from the view of the side whose
// OPEN was the first argument of Negotiate: enough to decode what the peer sends
// and to encode what is sent to it. It is a plain value.
type Session struct {
	IBGP            bool
	FourOctetAS     bool
	ExtendedMessage bool // both sides announced it; see MaxReceive and MaxSend
	RouteRefresh    bool
	EnhancedRefresh bool

	Families        [route.NumFamilies]bool
	AddPath         [route.NumFamilies]bool // peer to us
	AddPathSend     [route.NumFamilies]bool // us to peer
	ExtendedNextHop [route.NumFamilies]bool

	LocalASN, PeerASN route.ASN
	PeerRouterID      netip.Addr
	HoldTime          time.Duration // zero: no hold timer

	// MaxReceive and MaxSend are the longest messages of each direction. They
	// differ from each other when only one side announced extended messages
	// (RFC 8654 section 4).
	MaxReceive, MaxSend int

	// LoopbackNextHop accepts loopback addresses as next hops. A peer that is
	// itself reached over loopback announces them rightly; the caller knows.
	LoopbackNextHop bool

	// UnspecifiedNextHop accepts 0.0.0.0 and :: as next hops, which nobody announces
	// and archives have: their collector did not know better. The caller knows.
	UnspecifiedNextHop bool

	// KeepUnrecognized keeps attributes that are not known here and not transitive, which
	// a speaker ignores: an archive says what was sent. The caller knows.
	KeepUnrecognized bool

	// Confederation says that the peer is in another member AS of the confederation
	// of this side (RFC 5065). An OPEN does not say so; the caller knows.
	Confederation bool

	// MaxAttribute is how many octets of one attribute are kept. Of a longer one the
	// length and a hash are kept, and a longer AS_PATH is treated as a withdrawal.
	// Zero: there is no limit. An OPEN does not say so; the caller knows.
	MaxAttribute int

	// What the peer announced, whatever we said; the zero value when it did not.
	GracefulRestart GracefulRestart
	LongLived       LongLived
}

// internal reports whether the peer may send what only peers of the own AS, or of
// the own confederation, may send.
func (s *Session) internal() bool { return s.IBGP || s.Confederation }

// Negotiate returns what ours, which we sent, and theirs settle.
func Negotiate(ours, theirs *Open) Session {
	s := Session{
		IBGP:            ours.ASN == theirs.ASN,
		ExtendedMessage: ours.ExtendedMessage() && theirs.ExtendedMessage(),
		RouteRefresh:    ours.RouteRefresh() && theirs.RouteRefresh(),
		EnhancedRefresh: ours.EnhancedRefresh() && theirs.EnhancedRefresh(),
		LocalASN:        ours.ASN,
		PeerASN:         theirs.ASN,
		PeerRouterID:    theirs.RouterID,
		HoldTime:        time.Duration(min(ours.HoldTime, theirs.HoldTime)) * time.Second,
		MaxReceive:      MaxLen,
		MaxSend:         MaxLen,
	}
	_, four := ours.FourOctetAS()
	_, theirFour := theirs.FourOctetAS()
	s.FourOctetAS = four && theirFour
	if ours.ExtendedMessage() {
		s.MaxReceive = MaxExtendedLen
	}
	if theirs.ExtendedMessage() {
		s.MaxSend = MaxExtendedLen
	}
	s.GracefulRestart, _ = theirs.GracefulRestart()
	s.LongLived, _ = theirs.LongLived()
	s.negotiateFamilies(ours, theirs)
	return s
}

func (s *Session) negotiateFamilies(ours, theirs *Open) {
	for _, f := range ours.Families() {
		s.Families[f] = true
	}
	var shared [route.NumFamilies]bool
	for _, f := range theirs.Families() {
		shared[f] = s.Families[f]
	}
	s.Families = shared
	ourPaths, theirPaths := ours.AddPath(), theirs.AddPath()
	ourHops, theirHops := ours.ExtendedNextHop(), theirs.ExtendedNextHop()
	for _, f := range familiesOf(shared) {
		s.AddPath[f] = ourPaths[f]&AddPathReceive != 0 && theirPaths[f]&AddPathSend != 0
		s.AddPathSend[f] = ourPaths[f]&AddPathSend != 0 && theirPaths[f]&AddPathReceive != 0
		s.ExtendedNextHop[f] = ourHops[f] && theirHops[f]
	}
}
