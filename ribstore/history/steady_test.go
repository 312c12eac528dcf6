package history

import (
	"context"
	"log/slog"
	"net/netip"
	"path/filepath"
	"testing"
	"time"

	"ribglass/ribstore/route"
)

// TestASecondOfChangesIsWrittenInFewPages counts what bbolt writes for each second of
// sixty changes, in a file that has had a full table.
func TestASecondOfChangesIsWrittenInFewPages(t *testing.T) {
	t.Parallel()
	c := newScenario(1).clockFor(0)
	h, err := Open(filepath.Join(memoryDir(t), "h.db"), DefaultConfig(), c.deps(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	tab, err := h.Resume(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	peer := &route.Peer{Name: "edge1"}
	say := func(first, n int) {
		for i := first; i < first+n; i++ {
			path := route.ASPath(nil).AppendSegment(route.ASSequence, 64501, 3356, route.ASN(65000+i%5000), route.ASN(i%70_000))
			set := route.Attrs(nil).AppendAttr(route.AttrOrigin, []byte{0}).AppendAttr(route.AttrASPath, path)
			p := netip.PrefixFrom(netip.AddrFrom4([4]byte{byte(1 + i>>16), byte(i >> 8), byte(i), 0}), 24)
			b := route.Batch{Peer: peer, Updates: []route.Update{{Attrs: set, NLRI: []route.NLRI{{Prefix: p}}}}}
			h.Record(&b)
			tab.Apply(&b)
		}
	}
	for second := range 10 {
		say(100_000*second, 100_000)
		flushed(t, h, c)
	}
	if _, err := h.Snapshot(t.Context(), directly(tab)); err != nil {
		t.Fatal(err)
	}
	k := keeper{history: h, live: directly(tab), next: c.now().Add(time.Hour)}
	const seconds = 300
	pages := func() int64 {
		s := h.file.Load().db.Stats().TxStats
		return s.GetPageAlloc()
	}
	before := pages()
	writes := int64(0)
	for second := range seconds {
		say(second*3331%1_000_000, 60)
		if c.advance(time.Second); h.journal.due(c.now()) {
			writes++
			if err := h.Flush(); err != nil {
				t.Fatal(err)
			}
		}
		k.step(context.Background(), c.now())
	}
	perSecond := (pages() - before + writes*int64(h.file.Load().pageSize)) / seconds // a meta page each
	if perSecond > 8000 {
		t.Errorf("%d octets a second are written for 60 changes, want 8,000 at most", perSecond)
	}
}

func flushed(t *testing.T, h *History, c *clock) {
	t.Helper()
	if err := h.Flush(); err != nil {
		t.Fatal(err)
	}
	c.advance(time.Second)
}
