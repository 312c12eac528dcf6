package bgp

import (
	"errors"
	"testing"

	"ribglass/ribstore/route"
)

func TestForget(t *testing.T) {
	t.Parallel()
	cfg := testConfig(testNeighbor("edge1", "127.0.0.2", 64501))
	cfg.DynamicNeighbors = []DynamicNeighbor{{Prefix: prefix("127.0.1.0/24"), Settings: DefaultSettings()}}
	b := start(t, cfg)
	static := b.up("127.0.0.2", testOpen(64501, "192.0.2.1"))
	b.alive(static, "edge1", 1)
	dynamic := b.up("127.0.1.1", testOpen(64502, "192.0.2.2"))
	b.alive(dynamic, "dynamic-127.0.1.1", 2)
	if err := b.Forget(t.Context(), "edge1"); !errors.Is(err, ErrHasSession) {
		t.Errorf("Forget of a peer with a session = %v", err)
	}
	if err := b.Forget(t.Context(), "nobody"); !errors.Is(err, ErrUnknownPeer) {
		t.Errorf("Forget of nobody = %v", err)
	}
	_, _ = static.conn.Close(), dynamic.conn.Close()
	b.waitState("edge1", route.StateActive)
	b.waitState("dynamic-127.0.1.1", route.StateActive)
	for _, name := range []string{"edge1", "dynamic-127.0.1.1"} {
		eventually(t, "its last session is over", func() bool { return !errors.Is(b.Forget(t.Context(), name), ErrHasSession) })
		eventually(t, "the store removes its routes", func() bool { return len(b.of(name, route.PeerRemoved)) == 1 })
	}
	if _, known := b.Session("dynamic-127.0.1.1"); known {
		t.Error("the dynamic neighbor is still there")
	}
	if s := b.session("edge1"); s.State != route.StateActive || s.LastError != "its routes were removed by command" {
		t.Errorf("the configured neighbor: %s, %q", s.State, s.LastError)
	}
	b.alive(b.up("127.0.0.2", testOpen(64501, "192.0.2.1")), "edge1", 3)
}
