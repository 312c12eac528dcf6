package interop

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// A route with every attribute that has a name, and two that have none, is shown
// with all of them.
func TestEveryAttributeIsShown(t *testing.T) {
	t.Parallel()
	g := newGlass(t, neighbor("inner", "127.0.1.97", glassASN))
	s := dial(t, speakerConfig{local: "127.0.1.97", asn: glassASN}, g.bgp)
	s.send(about(
		attribute(0x40, 1, 1),
		attribute(0x40, 2, concat(
			unhex("03 02 0000fde9 0000fdea"),      // confederation sequence
			unhex("02 02 0000fbf5 00030d40"),      // sequence
			unhex("01 02 0000fbf6 0000fbf7"))...), // set
		nextHop(),
		attribute(0x80, 4, 0, 0, 0, 7),
		attribute(0x40, 5, 0, 0, 0, 200),
		attribute(0x40, 6),
		attribute(0xc0, 7, unhex("00030d40 c0000201")...),
		attribute(0xc0, 8, unhex("fbf40001 ffff029a")...),
		attribute(0x80, 9, 192, 0, 2, 1),
		attribute(0x80, 10, 192, 0, 2, 2, 192, 0, 2, 3),
		attribute(0xc0, 16, unhex("0002 fbf4 00000009 4300 0000 0000 0002")...),
		attribute(0xc0, 25, unhex("0002 20010db8000000000000000000000001 0009")...),
		attribute(0x80, 26, unhex("01 000b 0000000000000063")...),
		attribute(0xc0, 32, unhex("0000fbf4 00000001 00000002")...),
		attribute(0x80, 33, 0xab), // BGPsec
		attribute(0xc0, 35, unhex("0000fbf5")...),
		attribute(0xc0, 99, 1, 2),
	))
	g.waitRoutes("inner", 1)
	var answer struct{ Routes []map[string]any }
	if err := g.getJSON("/api/v1/routes?q=192.0.2.0/24", &answer); err != nil {
		t.Fatal(err)
	}
	got := answer.Routes[0]
	for _, of := range []string{"received_at", "decision", "best"} {
		delete(got, of)
	}
	var want map[string]any
	if err := json.Unmarshal([]byte(`{
		"prefix": "192.0.2.0/24", "family": "ipv4-unicast", "peer": "inner", "peer_asn": 64500, "router": "inner",
		"origin": "egp", "next_hop": "192.0.2.99", "med": 7, "local_pref": 200, "atomic_aggregate": true, "otc": 64501, "aigp": 99,
		"as_path": [{"confed_sequence": [65001, 65002]}, 64501, 200000, [64502, 64503]],
		"as_path_text": "(65001 65002) 64501 200000 {64502,64503}",
		"aggregator": {"asn": 200000, "address": "192.0.2.1"},
		"communities": ["64500:1", "65535:666"], "large_communities": ["64500:1:2"],
		"ext_communities": ["rt:64500:9", "rpki:invalid", "rt:2001:db8::1:9"],
		"originator_id": "192.0.2.1", "cluster_list": ["192.0.2.2", "192.0.2.3"],
		"unknown_attributes": [{"code": 33, "name": "BGPsec_PATH", "flags": 128, "value": "ab"}, {"code": 99, "flags": 192, "value": "0102"}]
	}`), &want); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the route (-want +got):\n%s", diff)
	}
}

// A refresh that the operator asks for goes to the peer; what the peer does not
// send again between the marks of an enhanced one (RFC 7313) is removed.
func TestARefreshSweeps(t *testing.T) {
	t.Parallel()
	g := newGlass(t, neighbor("peer", "127.0.1.98", 65198))
	s := dial(t, speakerConfig{
		local: "127.0.1.98", asn: 65198,
		capabilities: append(usualCapabilities(65198), capability(70)),
	}, g.bgp)
	s.send(plainRoute(target, 65198), plainRoute("198.51.100.0/24", 65198), endOfRIB(1), endOfRIB(2))
	g.waitRoutes("peer", 2)
	response, err := http.Post("http://"+g.admin+"/-/refresh?peer=peer", "", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode/100 != 2 {
		t.Fatalf("POST /-/refresh: %s", response.Status)
	}
	waitFor(t, 10*time.Second, "ROUTE-REFRESH of two families", func() error {
		if n := len(s.messages(msgRouteRefresh)); n != 2 {
			return fmt.Errorf("%d received", n)
		}
		return nil
	})
	s.send(refresh(1, 1, 1), plainRoute(target, 65198), refresh(1, 1, 2))
	g.waitRoutes("peer", 1)
	if n := len(g.routes(target)); n != 1 {
		t.Errorf("%d routes for the prefix that was sent again", n)
	}
}

// shutdown in the configuration ends a session with the communication of RFC
// 9003 and lets nobody in until it is gone.
func TestAdministrativeShutdownTellsThePeer(t *testing.T) {
	t.Parallel()
	cfg := speakerConfig{local: "127.0.1.99", asn: 65199}
	g := newGlass(t, neighbor("peer", cfg.local, cfg.asn))
	s := dial(t, cfg, g.bgp)
	g.waitEstablished("peer")
	g.reload(neighbor("peer", cfg.local, cfg.asn, `shutdown: "new line card, back at 14:00"`))
	s.wantNotification(6, 2)
	if _, _, data := s.messages(msgNotification)[0].notification(); string(data[1:]) != "new line card, back at 14:00" {
		t.Errorf("communication %q", data)
	}
	if again, err := tryDial(t, cfg, g.bgp); err == nil {
		again.close()
		t.Error("a session was accepted while shut down")
	}
	g.reload(neighbor("peer", cfg.local, cfg.asn))
	dial(t, cfg, g.bgp)
	g.waitEstablished("peer")
}
