package bgp

import (
	"fmt"
	"slices"
	"strings"

	"ribglass/collector/wire"
	"ribglass/ribstore/route"
	"ribglass/setting"
)

// reservedASN says why an AS number cannot be one that somebody peers as, "" when it
// can.
func reservedASN(n route.ASN) string {
	switch n {
	case 0:
		return "0 is reserved (RFC 7607)"
	case route.ASTrans:
		return "23456 is AS_TRANS and stands for no network (RFC 6793)"
	case 1<<16 - 1, 1<<32 - 1:
		return fmt.Sprintf("%d is reserved (RFC 7300)", n)
	}
	return ""
}

// validateRole checks the role towards peers with one of the AS numbers; without one
// they may have any.
func (s Settings) validateRole(at string, local route.ASN, peers ...route.ASN) error {
	switch {
	case s.Role == "" && s.RoleStrict:
		return setting.Errorf(at+"role_strict", "is about role, which is missing: say provider, customer, peer, rs or rs-client, the role of this side")
	case s.Role == "":
	case !slices.Contains(wire.Roles(), s.Role):
		return setting.Errorf(at+"role", "%q: one of %s, the role of this side", s.Role, roleNames())
	case s.Confederation || len(peers) == 1 && peers[0] == local:
		return setting.Errorf(at+"role", "is for peers of another AS (RFC 9234 section 4): leave it out here")
	}
	return nil
}

func roleNames() string {
	var names []string
	for _, r := range wire.Roles() {
		names = append(names, string(r))
	}
	return strings.Join(names, ", ")
}

// checkRole compares the role of this side with that in the peer's OPEN (RFC 9234
// section 4.2).
func checkRole(s Settings, ours, theirs *wire.Open) error {
	said := theirs.Role()
	none := s.Role == "" || said == "" && !s.RoleStrict
	if none || ours.ASN == theirs.ASN || said == s.Role.Counterpart() {
		return nil
	}
	return &wire.Notification{Code: wire.CodeOpen, Subcode: wire.OpenRoleMismatch, Reason: roleAdvice(s.Role, said)}
}

// roleAdvice says how to mend a mismatch of the role of this side with the role that
// the router says; "" for none.
func roleAdvice(ours, theirs wire.Role) string {
	switch fitting := theirs.Counterpart(); {
	case ours == "" && fitting == "":
		return "the router wants a role: configure role here, the counterpart of its own"
	case ours == "":
		return fmt.Sprintf("the router says %s: configure role %s here", theirs, fitting)
	case theirs == "":
		return fmt.Sprintf("the role here is %s and the router says none: configure role %s on the router", ours, ours.Counterpart())
	case fitting == "":
		return fmt.Sprintf("the role here is %s and the router says %s: configure role %s on the router", ours, theirs, ours.Counterpart())
	default:
		return fmt.Sprintf("the role here is %s and the router says %s: configure role %s on the router, or role %s here", ours, theirs, ours.Counterpart(), fitting)
	}
}

// explainRole says how to mend a role mismatch that the peer tells of; "" for another
// NOTIFICATION.
func (s *session) explainRole(n *wire.Notification) string {
	if n.Code != wire.CodeOpen || n.Subcode != wire.OpenRoleMismatch {
		return ""
	}
	var theirs wire.Role
	if s.theirs != nil { // otherwise the peer had its OPEN on another connection
		theirs = s.theirs.Role()
	}
	return ": " + roleAdvice(s.conf.Role, theirs)
}

// validateAS checks the settings of the AS numbers of both sides.
func (s Settings) validateAS(at string, local route.ASN, peers ...route.ASN) error {
	if why := reservedASN(s.LocalASN); s.LocalASN != 0 && why != "" {
		return setting.Errorf(at+"local_asn", "%s", why)
	}
	local = s.localASN(local)
	if s.Confederation && len(peers) == 1 && peers[0] == local {
		return setting.Errorf(at+"confederation", "is for peers in another member AS of the confederation; this one is in AS %s as this side is: leave it out, or set local_asn to the member AS of this side", local)
	}
	return s.validateRole(at, local, peers...)
}

// localASN returns the AS number of this side; the AS number of Config is general.
func (s Settings) localASN(general route.ASN) route.ASN {
	if s.LocalASN != 0 {
		return s.LocalASN
	}
	return general
}
