package wire

import (
	"testing"
)

// RFC 9234 section 4.2, table 2: the pairs of roles that fit, both ways round.
func TestRolesFitInPairs(t *testing.T) {
	fits := map[[2]Role]bool{
		{RoleProvider, RoleCustomer}: true, {RoleCustomer, RoleProvider}: true,
		{RoleRS, RoleRSClient}: true, {RoleRSClient, RoleRS}: true,
		{RolePeer, RolePeer}: true,
	}
	for _, ours := range Roles() {
		for _, theirs := range Roles() {
			if got := ours.Counterpart() == theirs; got != fits[[2]Role{ours, theirs}] {
				t.Errorf("%s with %s: fits = %v", ours, theirs, got)
			}
		}
	}
}

// RFC 9234 section 4.1, table 1.
func TestRolesHaveTheirNumbers(t *testing.T) {
	for number, want := range []Role{"provider", "rs", "rs-client", "customer", "peer"} {
		c := RoleCapability(want)
		if c.Code != 9 || len(c.Value) != 1 || int(c.Value[0]) != number {
			t.Errorf("RoleCapability(%q) = %v, want number %d", want, c, number)
		}
		o := Open{Capabilities: []Capability{RouteRefreshCapability(), c}}
		if got := o.Role(); got != want {
			t.Errorf("Role() = %q, want %q", got, want)
		}
	}
	unassigned := Open{Capabilities: []Capability{{CapRole, []byte{9}}}}
	if got := unassigned.Role(); got != "role 9" || got.Counterpart() != "" {
		t.Errorf("Role() = %q with counterpart %q, want none", got, got.Counterpart())
	}
	if got := new(Open).Role(); got != "" {
		t.Errorf("Role() of an OPEN without one = %q", got)
	}
}
