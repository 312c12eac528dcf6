package wire

import (
	"encoding/binary"
	"fmt"

	"ribglass/ribstore/route"
)

// RefreshSubtype is the subtype of a ROUTE-REFRESH (RFC 7313 section 3.2).
type RefreshSubtype uint8

// The subtypes.
const (
	RefreshNormal RefreshSubtype = 0
	RefreshBegin  RefreshSubtype = 1 // BoRR
	RefreshEnd    RefreshSubtype = 2 // EoRR
)

// RouteRefresh is a ROUTE-REFRESH message (RFC 2918, RFC 7313). Known tells
// whether Family means anything: a message for a family that Ribglass does not
// keep is legal and ignored, as is one with an undefined subtype.
type RouteRefresh struct {
	Family  route.Family
	Known   bool
	Subtype RefreshSubtype
}

// ParseRouteRefresh reads the body of a ROUTE-REFRESH. Outbound route filters
// (RFC 5291) after the first four octets are ignored: nothing is ever announced.
// The error is a *Notification of code 7.
func ParseRouteRefresh(body []byte) (RouteRefresh, error) {
	subtype := RefreshNormal
	if len(body) >= 4 {
		subtype = RefreshSubtype(body[2])
	}
	// RFC 7313 section 5: BoRR and EoRR are exactly four octets long.
	if len(body) < 4 || (len(body) > 4 && subtype != RefreshNormal) {
		return RouteRefresh{}, refreshLengthError(body)
	}
	f, ok := route.FamilyOf(binary.BigEndian.Uint16(body), body[3])
	return RouteRefresh{Family: f, Known: ok, Subtype: subtype}, nil
}

// refreshLengthError carries the whole message back (RFC 7313 section 5).
func refreshLengthError(body []byte) *Notification {
	message, start := beginMessage(nil, TypeRouteRefresh)
	message = endMessage(append(message, body...), start)
	return &Notification{
		Code: CodeRouteRefresh, Subcode: RefreshInvalidLength, Data: message,
		Reason: fmt.Sprintf("%d octets", len(body)),
	}
}

// Append appends the whole message.
func (r RouteRefresh) Append(b []byte) []byte {
	b, start := beginMessage(b, TypeRouteRefresh)
	b = append(b, 0, byte(r.Family.AFI()), byte(r.Subtype), r.Family.SAFI())
	return endMessage(b, start)
}
