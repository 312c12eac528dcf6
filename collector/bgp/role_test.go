package bgp

import (
	"slices"
	"strings"
	"testing"

	"ribglass/collector/wire"
	"ribglass/ribstore/route"
)

func TestRoles(t *testing.T) { //nolint:tparallel // the rows share a neighbor
	t.Parallel()
	n := testNeighbor("edge1", "127.0.0.2", 64501)
	n.Role = wire.RoleCustomer
	strict := testNeighbor("edge2", "127.0.0.3", 64501)
	strict.Role, strict.RoleStrict = wire.RolePeer, true
	b := start(t, testConfig(n, strict))
	for _, tt := range []struct {
		name, from string
		theirs     []wire.Capability
		reason     string // "": the session is established
	}{
		{"the counterpart", "127.0.0.2", []wire.Capability{wire.RoleCapability(wire.RoleProvider)}, ""},
		{"none", "127.0.0.2", nil, ""},
		{
			"the same", "127.0.0.2",
			[]wire.Capability{wire.RoleCapability(wire.RoleCustomer)},
			"the role here is customer and the router says customer: configure role provider on the router, or role provider here",
		},
		{
			"another", "127.0.0.2",
			[]wire.Capability{wire.RoleCapability(wire.RoleRS)},
			"the role here is customer and the router says rs: configure role provider on the router, or role rs-client here",
		},
		{
			"an unassigned one", "127.0.0.2",
			[]wire.Capability{{Code: wire.CapRole, Value: []byte{9}}},
			"the role here is customer and the router says role 9: configure role provider on the router",
		},
		{"the counterpart, strictly", "127.0.0.3", []wire.Capability{wire.RoleCapability(wire.RolePeer)}, ""},
		{
			"none, strictly", "127.0.0.3", nil,
			"the role here is peer and the router says none: configure role peer on the router",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			name := map[string]string{"127.0.0.2": "edge1", "127.0.0.3": "edge2"}[tt.from]
			r := b.router(tt.from, testOpen(64501, "192.0.2.1", tt.theirs...))
			r.t = t
			defer func() {
				_ = r.conn.Close()
				b.waitState(name, route.StateActive)
			}()
			if tt.reason == "" {
				r.establish()
				b.waitState(name, route.StateEstablished)
				if want := b.neighbor(name).conf.Role; r.theirs.Role() != want {
					t.Errorf("our OPEN says role %q, want %q", r.theirs.Role(), want)
				}
				shown := b.session(name)
				said := slices.ContainsFunc(shown.Capabilities, func(c route.Capability) bool { return c.Code == wire.CapRole && c.Ours })
				if said != (len(tt.theirs) > 0) || shown.Role != string(r.theirs.Role()) {
					t.Errorf("role %q, capabilities %+v", shown.Role, shown.Capabilities)
				}
				return
			}
			r.send(r.open.Append(nil))
			r.wantNotified(wire.CodeOpen, wire.OpenRoleMismatch)
			b.waitState(name, route.StateActive)
			if got := b.session(name).LastError; !strings.HasSuffix(got, "Role Mismatch: "+tt.reason) {
				t.Errorf("reason %q, want %q", got, tt.reason)
			}
		})
	}
}

// The AS numbers of both sides and what follows from them, by neighbor.
func TestLocalASNAndConfederation(t *testing.T) {
	t.Parallel()
	internal := testNeighbor("internal", "127.0.0.2", 65001)
	internal.LocalASN = 65001
	external := testNeighbor("external", "127.0.0.3", 64500)
	external.LocalASN = 4200000000
	member := testNeighbor("member", "127.0.0.4", 65002)
	member.LocalASN, member.Confederation = 65001, true
	b := start(t, testConfig(internal, external, member))
	for _, tt := range []struct {
		name, from    string
		asn, local    route.ASN
		path          route.ASPath
		ibgp, inside  bool
		keepsInternal bool
	}{
		{"internal", "127.0.0.2", 65001, 65001, nil, true, true, true},
		{"external", "127.0.0.3", 64500, 4200000000, route.ASPath(nil).AppendSegment(route.ASSequence, 64500), false, false, false},
		{"member", "127.0.0.4", 65002, 65001, route.ASPath(nil).AppendSegment(route.ASConfedSequence, 65002), false, true, true},
	} {
		r := b.up(tt.from, testOpen(tt.asn, "192.0.2.1"))
		if r.theirs.ASN != tt.local {
			t.Errorf("%s: our OPEN says AS %s, want %s", tt.name, r.theirs.ASN, tt.local)
		}
		u := announcement(tt.asn, "198.51.100.0/24")
		u.Attrs = route.Attrs(nil).AppendAttr(route.AttrOrigin, []byte{0}).AppendAttr(route.AttrASPath, tt.path).
			AppendAttr(route.AttrNextHop, addr("192.0.2.1").AsSlice()).AppendAttr(route.AttrMED, []byte{0, 0, 0, 7}).
			AppendAttr(route.AttrLocalPref, []byte{0, 0, 0, 200})
		r.update(u)
		eventually(t, tt.name+" has the route", func() bool { return b.has(tt.name, "198.51.100.0/24") })
		got := b.of(tt.name, route.Routes)[0]
		pref, kept := got.Updates[0].Attrs.LocalPref()
		med, hasMED := got.Updates[0].Attrs.MED()
		if kept != tt.keepsInternal || kept && pref != 200 || !hasMED || med != 7 {
			t.Errorf("%s: LOCAL_PREF %d %v, MED %d %v", tt.name, pref, kept, med, hasMED)
		}
		if p := got.Peer; p.LocalASN != tt.local || p.IBGP() != tt.ibgp || p.Internal() != tt.inside {
			t.Errorf("%s: peer %+v, internal %v", tt.name, p, p.Internal())
		}
	}
}
