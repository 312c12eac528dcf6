package history

import (
	"encoding/binary"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"path/filepath"
	"testing"
	"time"

	"ribglass/ribstore/route"
)

// benchmarkFile records two tables of 50,000 prefixes, a snapshot of them, and
// 100,000 changes that are merged into segments.
func benchmarkFile(b *testing.B) (h *History, end time.Time) {
	b.Helper()
	c := clockAt(scenarioStart)
	cfg := DefaultConfig()
	h, err := Open(filepath.Join(memoryDir(b), "h.db"), cfg, c.deps(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = h.Close() })
	t, err := h.Resume(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 1))
	peers := newScenario(1).peers[:2]
	prefix := func(i int) netip.Prefix {
		var a [4]byte
		binary.BigEndian.PutUint32(a[:], 20<<24+uint32(i)<<8)
		return netip.PrefixFrom(netip.AddrFrom4(a), 24)
	}
	record := func(batch route.Batch) {
		h.Record(&batch)
		t.Apply(&batch)
	}
	flush := func() {
		if err := h.Flush(); err != nil {
			b.Fatal(err)
		}
	}
	for _, p := range peers {
		record(route.Batch{Peer: p, Event: route.PeerUp, Retention: keepLong()})
		for i := 0; i < 50_000; i += 10 {
			u := route.Update{Attrs: attrsOf(r)}
			for k := range 10 {
				u.NLRI = append(u.NLRI, route.NLRI{Prefix: prefix(i + k)})
			}
			record(route.Batch{Peer: p, Updates: []route.Update{u}})
		}
		flush()
	}
	c.advance(time.Minute)
	if _, err := h.Snapshot(b.Context(), directly(t)); err != nil {
		b.Fatal(err)
	}
	for i := range 100_000 {
		c.advance(10 * time.Millisecond)
		u := route.Update{Attrs: attrsOf(r), NLRI: []route.NLRI{{Prefix: prefix(r.IntN(50_000))}}}
		record(route.Batch{Peer: peers[i%2], Updates: []route.Update{u}})
		if i%1000 == 0 {
			flush()
		}
	}
	flush()
	if err := h.Merge(b.Context()); err != nil {
		b.Fatal(err)
	}
	return h, c.now()
}

// BenchmarkWholePast loads a whole table of the past.
func BenchmarkWholePast(b *testing.B) {
	h, end := benchmarkFile(b)
	for b.Loop() {
		if _, err := h.At(b.Context(), end, netip.Prefix{}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkLookupInThePast asks for one prefix.
func BenchmarkLookupInThePast(b *testing.B) {
	h, end := benchmarkFile(b)
	within := netip.MustParsePrefix("20.1.2.0/24")
	for b.Loop() {
		if _, err := h.At(b.Context(), end, within); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkReplay gives all changes of the past to a function.
func BenchmarkReplay(b *testing.B) {
	h, end := benchmarkFile(b)
	from, err := h.At(b.Context(), scenarioStart.Add(time.Minute), netip.Prefix{})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := h.Replay(b.Context(), from, end, func(*Event) error { return nil }); err != nil {
			b.Fatal(err)
		}
	}
}
