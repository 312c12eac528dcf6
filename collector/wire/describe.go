package wire

import (
	"strconv"

	"ribglass/ribstore/route"
)

// Describe returns the capabilities for people, one entry a capability code in
// the order of the message. What the peer wrote is made printable.
func (o *Open) Describe() []route.Capability {
	return nil
}

// roleName names a role of RFC 9234 section 4.1.
func roleName(role uint8) string {
	switch role {
	case 0:
		return "provider"
	case 1:
		return "route-server"
	case 2:
		return "route-server-client"
	case 3:
		return "customer"
	case 4:
		return "peer"
	}
	return "role " + strconv.Itoa(int(role))
}
