package history

import (
	"log/slog"
	"net/netip"
	"path/filepath"
	"testing"
	"time"

	"ribglass/ribstore/route"
	"ribglass/ribstore/table"
)

// TestTheViewOfAPeerIsKept follows a peer through the journal, a segment, a
// snapshot and a restart.
func TestTheViewOfAPeerIsKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "h.db")
	c := clockAt(scenarioStart)
	open := func() (*History, *table.Table) {
		h, err := openSmall(path, smallConfig(), c.deps(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		tab, err := h.Resume(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return h, tab
	}
	check := func(where string, tab *table.Table) {
		t.Helper()
		views := map[string]route.View{}
		for _, p := range tab.Peers() {
			views[p.Peer.Name] = p.Peer.View
		}
		for _, v := range route.Views() {
			if got, ok := views[v.String()]; !ok || got != v {
				t.Errorf("%s: the peer %s has the view %v, found %v", where, v, got, ok)
			}
		}
	}
	h, tab := open()
	for _, v := range route.Views() {
		c.advance(time.Second)
		up := route.Batch{Peer: &route.Peer{Name: v.String(), View: v, ASN: 64500}, Event: route.PeerUp, Retention: keepLong()}
		h.Record(&up)
		tab.Apply(&up)
		for i := range 3 {
			c.advance(time.Second)
			routes := route.Batch{Peer: up.Peer, Updates: []route.Update{{
				Attrs: route.Attrs(nil).AppendAttr(route.AttrOrigin, []byte{byte(i)}), NLRI: []route.NLRI{{Prefix: markerPrefix}},
			}}}
			h.Record(&routes)
			tab.Apply(&routes)
			if err := h.Flush(); err != nil {
				t.Fatal(err)
			}
		}
	}
	end := c.now()
	check("the table", tab)
	past := func(where string) {
		t.Helper()
		p, err := h.At(t.Context(), end, netip.Prefix{})
		if err != nil {
			t.Fatal(err)
		}
		check(where, p.Table)
	}
	past("the journal")
	replayed := func(where string) {
		t.Helper()
		from, err := h.At(t.Context(), scenarioStart, markerPrefix)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		_, err = h.Replay(t.Context(), from, end, func(e *Event) error {
			if e.Batch == nil {
				return nil
			}
			n++
			if p := e.Batch.Peer; p.View.String() != p.Name {
				t.Errorf("%s: a batch of %s has the view %v", where, p.Name, p.View)
			}
			return nil
		})
		if err != nil || n != 4*len(route.Views()) {
			t.Errorf("%s: %d batches, %v", where, n, err)
		}
	}
	replayed("the journal")
	if err := h.Merge(t.Context()); err != nil {
		t.Fatal(err)
	}
	past("a segment")
	replayed("a segment")
	if _, err := h.Snapshot(t.Context(), directly(tab)); err != nil {
		t.Fatal(err)
	}
	past("a snapshot")
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	c.advance(time.Minute)
	h, tab = open()
	defer h.Close()
	check("the table after a restart", tab)
}
