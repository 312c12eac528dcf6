package bgp

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"

	"ribglass/collector/wire"
	"ribglass/ribstore/route"
)

// account plays what the store knows of a peer's attribute sets.
type account struct{ charged, held atomic.Uint64 }

func (a *account) use(d *Deps) {
	d.AttributeBytes = func(_ context.Context, _ string, exact bool) uint64 {
		if exact {
			a.charged.Store(a.held.Load())
		}
		return a.charged.Load()
	}
}

func TestMaxAttributeBytes(t *testing.T) {
	t.Parallel()
	n := testNeighbor("edge1", "127.0.0.2", 64501)
	n.MaxAttributeBytes, n.MaxPrefixesRestart = 10<<20, 0
	var a account
	b := start(t, testConfig(n), a.use)
	r := b.up("127.0.0.2", testOpen(64501, "192.0.2.1"))
	b.alive(r, "edge1", 1)

	a.charged.Store(8 << 20)
	a.held.Store(1 << 20)
	eventually(t, "a warning at 80 percent", func() bool { return strings.Contains(b.logged(), "peer nears its max_attribute_bytes") })
	wantNotice(t, b, noticeAttributeBytes, "Its attribute sets take 8MiB, and max_attribute_bytes is 10MiB.")

	// What it is charged for in the stead of others does not end the session.
	a.charged.Store(11 << 20)
	eventually(t, "it is counted again", func() bool { return a.charged.Load() == 1<<20 })
	b.alive(r, "edge1", 2)
	eventually(t, "the notice is withdrawn", func() bool { return len(b.session("edge1").Notices) == 0 })

	a.held.Store(11 << 20)
	a.charged.Store(12 << 20)
	r.wantNotified(wire.CodeCease, wire.CeaseOutOfResources)
	b.waitState("edge1", route.StateIdle)
	eventually(t, "the end arrives", func() bool { return len(b.of("edge1", route.PeerDown)) > 0 })
	if downs := b.of("edge1", route.PeerDown); downs[0].Retention != [route.NumFamilies]route.Retention{} {
		t.Errorf("PeerDown = %+v, want one that keeps nothing", downs)
	}
	wantNotice(t, b, noticeAttributeBytes, "The session was ended: attribute sets of 11MiB, max_attribute_bytes 10MiB.")
}

func TestPathsThatAreNotKeptAreNoticed(t *testing.T) {
	t.Parallel()
	var notKept atomic.Uint64
	notKept.Store(5) // of a session before
	b := start(t, testConfig(testNeighbor("edge1", "127.0.0.2", 64501)), func(d *Deps) { d.NotKept = func(string) uint64 { return notKept.Load() } })
	r := b.up("127.0.0.2", testOpen(64501, "192.0.2.1"))
	b.alive(r, "edge1", 1)
	if n := b.session("edge1").Notices; len(n) > 0 {
		t.Errorf("notices %+v of what a session before did", n)
	}
	notKept.Store(8)
	eventually(t, "a log line", func() bool { return strings.Contains(b.logged(), "too many paths of a prefix") })
	wantNotice(t, b, noticeMaxPaths, "Routes of it are not kept: a prefix has at most 4,096 paths.")
	if n := b.session("edge1").Notices[0].Count; n != 3 {
		t.Errorf("%d routes, want 3", n)
	}
}

func wantNotice(t *testing.T, b *bench, kind route.NoticeKind, text string) {
	t.Helper()
	s := b.session("edge1")
	if len(s.Notices) != 1 || s.Notices[0].Kind != kind || s.Notices[0].Text != text || s.Notices[0].Since.IsZero() {
		t.Errorf("notices %+v, want one of %s: %s", s.Notices, kind, text)
	}
}
