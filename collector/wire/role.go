package wire

import (
	"fmt"
	"slices"
	"strings"
)

// Role is the role of an AS towards another one (RFC 9234 section 4.1), as
// configuration files write it. The zero value is no role.
type Role string

// The roles.
const (
	RoleProvider Role = "provider"
	RoleRS       Role = "rs"
	RoleRSClient Role = "rs-client"
	RoleCustomer Role = "customer"
	RolePeer     Role = "peer"
)

// Roles returns the roles in the order of their numbers in the capability.
func Roles() []Role {
	return []Role{RoleProvider, RoleRS, RoleRSClient, RoleCustomer, RolePeer}
}

// roleOf returns the role with a number; an unassigned number is "role 9".
func roleOf(number uint8) Role {
	if all := Roles(); int(number) < len(all) {
		return all[number]
	}
	return Role(fmt.Sprintf("role %d", number))
}

// Counterpart returns the role that the other side must have (RFC 9234 section
// 4.2, table 2), "" for none of the roles.
func (r Role) Counterpart() Role {
	switch r {
	case RoleProvider:
		return RoleCustomer
	case RoleCustomer:
		return RoleProvider
	case RoleRS:
		return RoleRSClient
	case RoleRSClient:
		return RoleRS
	case RolePeer:
		return RolePeer
	}
	return ""
}

// RoleCapability announces r, which must be one of Roles.
func RoleCapability(r Role) Capability {
	return Capability{CapRole, []byte{byte(slices.Index(Roles(), r))}}
}

// Role returns the role that the speaker announced, "" for none.
func (o *Open) Role() Role {
	for _, c := range o.Capabilities {
		if c.Code == CapRole {
			return roleOf(c.Value[0])
		}
	}
	return ""
}

// checkRoles refuses an OPEN that claims several roles (RFC 9234 section 4.2).
func (o *Open) checkRoles() error {
	return o.checkSame(CapRole, OpenRoleMismatch, "roles")
}

// checkSame refuses an OPEN with several capabilities of one code that do not say
// the same.
func (o *Open) checkSame(code, subcode uint8, what string) error {
	var said []string
	for _, c := range o.Capabilities {
		if c.Code == code && !slices.Contains(said, c.describe()) {
			said = append(said, c.describe())
		}
	}
	if len(said) < 2 {
		return nil
	}
	return openError(subcode, nil, "%s %s", what, strings.Join(said, " and "))
}
