package interop

import (
	"fmt"
	"strings"
	"testing"
)

// FRR in strict mode comes up only against a side that announces the counterpart of
// its role (RFC 9234). Without one, and with another one, it stays down, and the
// reason says which role to configure.
func TestFRRInStrictRoleMode(t *testing.T) {
	t.Parallel()
	const self, asn = "127.0.1.141", 65241
	g := newGlass(t, neighbor("daemon", self, asn))
	e := newEndpoints(t, 141, g.bgp)
	e.options = fmt.Sprintf(" neighbor %s local-role provider strict-mode\n network 198.51.100.0/24", g.bgp.Addr())
	f := newFRR(t, e)
	f.start(t)
	refused := func(advice string) {
		t.Helper()
		g.waitPeer("daemon", "is refused: "+advice, func(p shownPeer) bool {
			return p.State != "established" && strings.Contains(p.LastError, "Role Mismatch") && strings.HasSuffix(p.LastError, advice)
		})
	}
	refused("the router says provider: configure role customer here")

	g.reload(neighbor("daemon", self, asn, "role: rs-client"))
	refused("configure role rs on the router, or role customer here")

	g.reload(neighbor("daemon", self, asn, "role: customer", "role_strict: true"))
	p := g.waitEstablished("daemon")
	if !p.capable(9) || p.Role != "customer" {
		t.Errorf("role %q, capabilities %+v", p.Role, p.Capabilities)
	}
	g.unharmed()
}
