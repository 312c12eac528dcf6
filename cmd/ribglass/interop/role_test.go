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

// FRR and BIRD in another member AS of the confederation of Ribglass: their paths, with
// the confederation's part, and LOCAL_PREF are kept.
func TestMembersOfAConfederation(t *testing.T) {
	t.Parallel()
	const member = 65001 // that Ribglass stands in
	settings := []string{fmt.Sprintf("local_asn: %d", member), "confederation: true"}
	g := newGlass(t, neighbor("frr", "127.0.1.148", 65002, settings...), neighbor("bird", "127.0.1.149", 65003, settings...))

	e := newEndpoints(t, 148, g.bgp)
	e.asn = 65002
	e.options = fmt.Sprintf(` bgp confederation identifier 64500
 bgp confederation peers %[1]d
 neighbor %[2]s remote-as %[1]d`, member, g.bgp.Addr())
	f := newFRR(t, e)
	f.more = "  network 198.51.100.0/24\n"
	f.start(t)

	e = newEndpoints(t, 149, g.bgp)
	e.asn = 65003
	e.options = fmt.Sprintf(" neighbor as %d; confederation 64500; confederation member yes;", member) + birdChannels("")
	b := newBird(t, e)
	b.more = birdStatic("own", "ipv4", "bgp_local_pref = 300;", "203.0.113.0/24")
	b.start(t)

	for _, row := range []struct {
		peer, prefix, path string
		pref               uint32
	}{{"frr", "198.51.100.0/24", "(65002)", 100}, {"bird", "203.0.113.0/24", "(65003)", 300}} {
		g.waitRoutes(row.peer, 1)
		r := g.routes("peer " + row.peer)[0]
		if r.Prefix != row.prefix || r.ASPath != row.path || r.LocalPref == nil || *r.LocalPref != row.pref {
			t.Errorf("%s: %s with path %q and LOCAL_PREF %v", row.peer, r.Prefix, r.ASPath, r.LocalPref)
		}
		if p := g.peer(row.peer); p.Counters.TreatedAsWithdraw+p.Counters.AttributesDiscarded > 0 {
			t.Errorf("%s: %+v", row.peer, p.Counters)
		}
	}
	g.unharmed()
}

// BIRD and OpenBGPD come up with a role too, and say the counterpart.
func TestRolesOfBIRDAndOpenBGPD(t *testing.T) {
	t.Parallel()
	settings := []string{"role: customer", "role_strict: true"}
	g := newGlass(t, neighbor("bird", "127.0.1.150", 65250, settings...), neighbor("openbgpd", "127.0.1.151", 65251, settings...))
	e := newEndpoints(t, 150, g.bgp)
	e.options = " local role provider; require roles yes;" + birdChannels("")
	newBird(t, e).start(t)
	e = newEndpoints(t, 151, g.bgp)
	e.options = "announce policy provider enforce"
	newOpenBGPD(t, e).start(t)
	for _, name := range []string{"bird", "openbgpd"} {
		if p := g.waitEstablished(name); !p.capable(9) {
			t.Errorf("%s: capabilities %+v", name, p.Capabilities)
		}
	}
	g.unharmed()
}
