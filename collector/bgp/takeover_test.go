package bgp

import (
	"reflect"
	"testing"
	"time"

	"ribglass/collector/wire"
	"ribglass/ribstore/route"
)

// TestReloadKeepsSessionsWhenTheyTakeSettingsOver changes every setting that a running
// session takes over: the session stays, the store learns how the peer is described
// now, and the limits are the new ones.
func TestReloadKeepsSessionsWhenTheyTakeSettingsOver(t *testing.T) {
	t.Parallel()
	n := testNeighbor("edge1", "127.0.0.2", 64501)
	b := start(t, testConfig(n))
	r := b.up("127.0.0.2", testOpen(64501, "192.0.2.1"))
	b.alive(r, "edge1", 1)
	n.Description, n.Group, n.Router = "Amsterdam", "edge", "ams1"
	n.StaleTime, n.MaxStaleTime, n.StaleSweep, n.DemoteRestarting = time.Minute, time.Hour, 2*time.Minute, true
	n.MaxPrefixes, n.MaxPrefixesWarning, n.MaxPrefixesRestart = 5, 50, 0
	if err := b.Reload(testConfig(n)); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the store learns of it", func() bool { return len(b.of("edge1", route.PeerChanged)) == 1 })
	told := b.of("edge1", route.PeerChanged)[0].Peer
	if told.Description != "Amsterdam" || told.Group != "edge" || told.Router != "ams1" || told.RouterID != addr("192.0.2.1") {
		t.Errorf("the store is told of %+v", told)
	}
	b.alive(r, "edge1", 2)
	if s := b.session("edge1"); s.Counters.SessionsEstablished != 1 || s.Peer.Group != "edge" || s.MaxPrefixes != 5 {
		t.Errorf("session after the reload: %+v, peer %+v", s, s.Peer)
	}
	r.announce("10.1.0.0/16", "10.2.0.0/16", "10.3.0.0/16", "10.4.0.0/16", "10.5.0.0/16", "10.6.0.0/16")
	r.wantNotified(wire.CodeCease, wire.CeaseMaxPrefixes)
}

// TestEverySettingIsTakenOverOrRestarts names what a reload does with each setting, so
// that a new one is not forgotten.
func TestEverySettingIsTakenOverOrRestarts(t *testing.T) {
	t.Parallel()
	over := map[string]bool{
		"Group": true, "Router": true, "Description": true, "MaxPrefixes": true, "MaxPrefixesWarning": true,
		"MaxPrefixesRestart": true, "MaxAttributeBytes": true, "StaleTime": true, "MaxStaleTime": true, "StaleSweep": true,
		"DemoteRestarting": true,
	}
	settings := reflect.TypeFor[Settings]()
	for i := range settings.NumField() {
		old := Neighbor{Name: "a"}
		changed := old
		field := reflect.ValueOf(&changed.Settings).Elem().Field(i)
		switch field.Kind() {
		case reflect.Bool:
			field.SetBool(true)
		case reflect.String:
			field.SetString("x")
		case reflect.Slice:
			field.Set(reflect.MakeSlice(field.Type(), 1, 1))
		case reflect.Uint32, reflect.Uint64, reflect.Uint8:
			field.SetUint(1)
		default:
			field.SetInt(1)
		}
		name := settings.Field(i).Name
		if got := old.runsOn(changed); got != over[name] {
			t.Errorf("a session runs on when %s changes: %v, want %v", name, got, over[name])
		}
	}
	if (Neighbor{ASN: 1}).runsOn(Neighbor{ASN: 2}) || (Neighbor{}).runsOn(Neighbor{Shutdown: "down"}) {
		t.Error("a session runs on with another AS number, or when it is shut down")
	}
}

func TestIdentityFollowsAReload(t *testing.T) {
	t.Parallel()
	cfg := testConfig()
	b := start(t, cfg)
	cfg.ASN, cfg.RouterID = 64777, addr("192.0.2.77")
	if err := b.Reload(cfg); err != nil {
		t.Fatal(err)
	}
	if asn, id := b.Identity(); asn != 64777 || id != addr("192.0.2.77") {
		t.Errorf("Identity() = %v, %v", asn, id)
	}
}
