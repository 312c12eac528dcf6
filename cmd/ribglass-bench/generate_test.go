package main

import (
	"bytes"
	"net/netip"
	"testing"

	"ribglass/collector/wire"
	"ribglass/ribstore/route"
)

func testTable() *generated { return generate(shape{feeds: 3, ipv4: 40_000, ipv6: 10_000, seed: 7}) }

func mustStream(t *testing.T, table table, i int) *stream {
	t.Helper()
	s, err := table.stream(i)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestTheSameShapeGivesTheSameBytes(t *testing.T) {
	a, b := mustStream(t, testTable(), 1), mustStream(t, testTable(), 1)
	if !bytes.Equal(a.bytes, b.bytes) {
		t.Error("two tables of the same shape differ")
	}
	if bytes.Equal(a.bytes, mustStream(t, testTable(), 2).bytes) {
		t.Error("two feeds of a table are equal")
	}
}

func TestAFeedHasThePrefixesAskedForEachOnce(t *testing.T) {
	g := testTable()
	seen := make(map[netip.Prefix]bool)
	var nested, lengths24 int
	var table [route.NumFamilies]int
	for _, group := range g.groups {
		table[group.family] += int(group.count)
	}
	for _, p := range g.prefixes {
		if seen[p] || p != p.Masked() {
			t.Fatalf("%v again, or with host bits", p)
		}
		seen[p] = true
		if p.Addr().Is4() && p.Bits() == 24 {
			lengths24++
		}
	}
	for p := range seen {
		for bits := p.Bits() - 1; bits >= 8; bits-- {
			if cover, _ := p.Addr().Prefix(bits); seen[cover] {
				nested++
				break
			}
		}
	}
	if table[route.IPv4Unicast] != 40_000 || table[route.IPv6Unicast] != 10_000 {
		t.Errorf("routes by family = %v, want 40000 and 10000", table)
	}
	// A real table of 2024: 60 % of the IPv4 prefixes are /24, half have a
	// less specific one.
	if share := float64(lengths24) / 40_000; share < 0.5 || share > 0.7 {
		t.Errorf("share of /24 = %.2f, want about 0.6", share)
	}
	if share := float64(nested) / 50_000; share < 0.4 {
		t.Errorf("share of more specifics = %.2f, want about a half or more", share)
	}
}

func TestAboutAFifthOfTheAttributeSetsAreDistinct(t *testing.T) {
	s := mustStream(t, testTable(), 0)
	if share := float64(s.sets) / float64(s.total()); share < 0.17 || share > 0.23 {
		t.Errorf("distinct sets = %d of %d routes (%.3f), want about a fifth", s.sets, s.total(), share)
	}
}

// TestAStreamDecodesToWhatItSays is the oracle: package wire finds the routes
// that the stream counts, and nothing to object to.
func TestAStreamDecodesToWhatItSays(t *testing.T) {
	g := testTable()
	s := mustStream(t, g, 0)
	session := encoding(g.feeds()[0])
	session.LocalASN, session.PeerASN = session.PeerASN, session.LocalASN
	decoder := wire.NewDecoder(session)
	var builder wire.Builder
	var got [route.NumFamilies]int
	var last netip.Prefix
	markers := 0
	for rest := s.bytes; len(rest) > 0; {
		_, length, err := wire.ParseHeader(rest, wire.MaxLen)
		if err != nil {
			t.Fatal(err)
		}
		builder.Reset()
		report, err := decoder.Update(rest[wire.HeaderLen:length], &builder)
		if err != nil || report.TreatedAsWithdraw != nil || len(report.Discarded) > 0 {
			t.Fatalf("decode: %v, %+v", err, report)
		}
		if report.IsEndOfRIB {
			markers++
		}
		for _, u := range builder.Updates() {
			got[u.Family] += len(u.NLRI)
			last = u.NLRI[len(u.NLRI)-1].Prefix
		}
		rest = rest[length:]
	}
	if got != s.routes || last != s.last || markers != 2 {
		t.Errorf("decoded %v routes, last %v, %d End-of-RIB, want %v, %v, 2", got, last, markers, s.routes, s.last)
	}
}
