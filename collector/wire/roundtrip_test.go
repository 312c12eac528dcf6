package wire

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"ribglass/ribstore/route"
)

// comparable values of netip for cmp.
func compareNetip() cmp.Options {
	return cmp.Options{cmp.Comparer(func(a, b netip.Prefix) bool { return a == b }), cmp.Comparer(func(a, b netip.Addr) bool { return a == b })}
}

// testSession is a session of all families, equal in both directions.
func testSession(change ...func(*Session)) Session {
	s := Session{FourOctetAS: true, IBGP: true, MaxReceive: MaxLen, MaxSend: MaxLen}
	for _, f := range route.Families() {
		s.Families[f] = true
	}
	for _, c := range change {
		c(&s)
	}
	return s
}

// splitMessages cuts a stream of whole messages into their bodies.
func splitMessages(tb failer, stream []byte, limit int) [][]byte {
	tb.Helper()
	var bodies [][]byte
	for len(stream) > 0 {
		if len(stream) < HeaderLen {
			tb.Fatalf("%d octets left over", len(stream))
		}
		_, length, err := ParseHeader(stream, limit)
		if err != nil || length > len(stream) {
			tb.Fatalf("ParseHeader: length %d of %d, %v", length, len(stream), err)
		}
		bodies = append(bodies, stream[HeaderLen:length])
		stream = stream[length:]
	}
	return bodies
}

// failer is what testing.TB and *rapid.T share.
type failer interface {
	Helper()
	Fatalf(format string, args ...any)
}

// decodeAll decodes the UPDATEs of a stream that must be good.
func decodeAll(tb failer, s Session, stream []byte, limit int) []route.Update {
	tb.Helper()
	d := NewDecoder(s)
	var b Builder
	for _, body := range splitMessages(tb, stream, limit) {
		report, err := d.Update(body, &b)
		if err != nil || report.TreatedAsWithdraw != nil || report.Discarded != nil {
			tb.Fatalf("Update(%x): %+v, %v", body, report, err)
		}
	}
	return b.Updates()
}

func genPrefix(t *rapid.T, f route.Family) netip.Prefix {
	octets := rapid.SliceOfN(rapid.Byte(), f.Bits()/8, f.Bits()/8).Draw(t, "address")
	addr, _ := netip.AddrFromSlice(octets)
	return netip.PrefixFrom(addr, rapid.IntRange(0, f.Bits()).Draw(t, "bits")).Masked()
}

func genPath(t *rapid.T, largest uint32) route.ASPath {
	var p route.ASPath
	for range rapid.IntRange(0, 3).Draw(t, "segments") {
		kind := rapid.SampledFrom([]route.SegmentType{route.ASSequence, route.ASSet}).Draw(t, "type")
		asns := rapid.SliceOfN(rapid.Uint32Range(1, largest), 1, 6).Draw(t, "asns")
		for _, n := range asns {
			p = p.AppendSegment(kind, route.ASN(n))
			if len(p) > 6 { // make it one segment
				break
			}
		}
	}
	return p
}

// genAttrs draws a set that a peer in our own AS may send.
func genAttrs(t *rapid.T, nextHop []byte) route.Attrs {
	var a route.Attrs
	optional := func(code route.AttrCode, unit int, limit int) {
		if rapid.Bool().Draw(t, "with") {
			n := rapid.IntRange(1, limit).Draw(t, "count") * unit
			a = a.AppendAttr(code, rapid.SliceOfN(rapid.ByteRange(1, 255), n, n).Draw(t, "value"))
		}
	}
	a = a.AppendAttr(route.AttrOrigin, []byte{rapid.ByteRange(0, 2).Draw(t, "origin")})
	a = a.AppendAttr(route.AttrASPath, genPath(t, 1<<32-1))
	a = a.AppendAttr(route.AttrNextHop, nextHop)
	optional(route.AttrMED, 4, 1)
	optional(route.AttrLocalPref, 4, 1)
	if rapid.Bool().Draw(t, "atomic") {
		a = a.AppendAttr(route.AttrAtomicAggregate, nil)
	}
	optional(route.AttrAggregator, 8, 1)
	optional(route.AttrCommunities, 4, 80)
	optional(route.AttrOriginatorID, 4, 1)
	optional(route.AttrClusterList, 4, 3)
	optional(route.AttrExtCommunities, 8, 3)
	optional(route.AttrIPv6ExtCommunity, 20, 2)
	optional(route.AttrLargeCommunities, 12, 3)
	optional(route.AttrOTC, 4, 1)
	if rapid.Bool().Draw(t, "unknown") {
		n := rapid.SampledFrom([]int{0, 1, 253, 254, 255, 300}).Draw(t, "length")
		a = a.AppendAttr(200, append([]byte{flagOptional | flagTransitive}, make([]byte, n)...))
	}
	return a
}

// TestWhatIsEncodedIsDecoded is the law of the encoder: whatever the session,
// the decoder gives back the update, cut into pieces.
func TestWhatIsEncodedIsDecoded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := testSession(func(s *Session) {
			s.FourOctetAS = rapid.Bool().Draw(t, "four")
			for _, f := range route.Families() {
				s.AddPath[f] = rapid.Bool().Draw(t, "addpath")
				s.ExtendedNextHop[f] = !f.IsIPv6()
			}
			s.AddPathSend = s.AddPath
		})
		f := rapid.SampledFrom(familiesOf(s.Families)).Draw(t, "family")
		want := route.Update{Family: f}
		if rapid.Bool().Draw(t, "announce") {
			lengths := []int{16, 32}
			if !f.IsIPv6() {
				lengths = append(lengths, 4)
			}
			hop := make([]byte, rapid.SampledFrom(lengths).Draw(t, "hop"))
			hop[0], hop[len(hop)-1] = 0x20, 1
			want.Attrs = genAttrs(t, hop)
		}
		for range rapid.IntRange(1, 400).Draw(t, "prefixes") {
			n := route.NLRI{Prefix: genPrefix(t, f)}
			if s.AddPath[f] {
				n.PathID = rapid.Uint32().Draw(t, "id")
			}
			want.NLRI = append(want.NLRI, n)
		}
		limit := rapid.SampledFrom([]int{1500, MaxLen, MaxExtendedLen}).Draw(t, "limit")
		stream := AppendUpdate(nil, s, want, limit)
		var got route.Update
		for i, u := range decodeAll(t, s, stream, limit) {
			if i == 0 {
				got = route.Update{Family: u.Family, Attrs: u.Attrs}
			}
			if u.Family != got.Family || !slices.Equal(u.Attrs, got.Attrs) {
				t.Fatalf("piece %d: %v %x, want %v %x", i, u.Family, u.Attrs, got.Family, got.Attrs)
			}
			got.NLRI = append(got.NLRI, u.NLRI...)
		}
		if diff := cmp.Diff(want, got, compareNetip()); diff != "" {
			t.Fatalf("session %+v (-want +got):\n%s", s, diff)
		}
	})
}

func TestAttributesThatLeaveNoRoomAppendNothing(t *testing.T) {
	attrs := testAttrs().AppendAttr(200, append([]byte{0xc0}, make([]byte, 5000)...))
	u := route.Update{Attrs: attrs, NLRI: testNLRI(3)}
	before := []byte{1, 2, 3}
	if got := AppendUpdate(before, testSession(), u, MaxLen); len(got) != 3 {
		t.Errorf("AppendUpdate appended %d octets, want none", len(got)-3)
	}
	if got := AppendUpdate(nil, testSession(), u, MaxExtendedLen); len(got) == 0 {
		t.Error("AppendUpdate appended nothing although an extended message has room")
	}
}

func TestEndOfRIBIsRecognised(t *testing.T) {
	for _, f := range route.Families() {
		var b Builder
		body := AppendEndOfRIB(nil, f)[HeaderLen:]
		report, err := NewDecoder(testSession()).Update(body, &b)
		want := Report{IsEndOfRIB: true, EndOfRIB: f}
		if diff := cmp.Diff(want, report); err != nil || diff != "" || b.Len() != 0 {
			t.Errorf("%v: error %v, %d prefixes, report (-want +got):\n%s", f, err, b.Len(), diff)
		}
		report, err = NewDecoder(Session{}).Update(body, &b)
		if err != nil || report.IsEndOfRIB {
			t.Errorf("%v, not negotiated: %+v, %v, want neither a marker nor an error", f, report, err)
		}
	}
}

// testAttrs is a small set of an external route.
func testAttrs() route.Attrs {
	var a route.Attrs
	a = a.AppendAttr(route.AttrOrigin, []byte{0})
	a = a.AppendAttr(route.AttrASPath, route.ASPath(nil).AppendSegment(route.ASSequence, 64500, 64501, 4200000000))
	a = a.AppendAttr(route.AttrNextHop, []byte{192, 0, 2, 1})
	a = a.AppendAttr(route.AttrMED, []byte{0, 0, 0, 5})
	return a.AppendAttr(route.AttrCommunities, []byte{0xfb, 0xf4, 0, 1, 0xfb, 0xf4, 0, 2})
}

func testNLRI(n int) []route.NLRI {
	var list []route.NLRI
	for i := range n {
		var a [4]byte
		binary.BigEndian.PutUint32(a[:], 0x0a000000+uint32(i)<<8)
		list = append(list, route.NLRI{Prefix: netip.PrefixFrom(netip.AddrFrom4(a), 24)})
	}
	return list
}

func BenchmarkAppendUpdate(b *testing.B) {
	u := route.Update{Attrs: testAttrs(), NLRI: testNLRI(10)}
	var message []byte
	b.ReportAllocs()
	for b.Loop() {
		message = AppendUpdate(message[:0], testSession(), u, MaxLen)
	}
}

func benchmarkUpdate(b *testing.B, prefixes int) {
	b.Helper()
	s := testSession()
	body := AppendUpdate(nil, s, route.Update{Attrs: testAttrs(), NLRI: testNLRI(prefixes)}, MaxLen)[HeaderLen:]
	d := NewDecoder(s)
	var into Builder
	for into.Len() <= 50000 { // a Builder of steady use
		if _, err := d.Update(body, &into); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		if into.Len() > 50000-prefixes {
			into.Reset()
		}
		if _, err := d.Update(body, &into); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*prefixes), "ns/prefix")
}

// BenchmarkRealUpdates decodes ten minutes of what four routers told RouteViews.
func BenchmarkRealUpdates(b *testing.B) {
	var bodies [][]byte
	mrtSamples(b, "testdata/ryu-updates.20161101.0000.bz2", func(s sample) {
		if Type(s.message[18]) == TypeUpdate {
			bodies = append(bodies, s.message[HeaderLen:])
		}
	})
	d := NewDecoder(testSession(func(s *Session) { s.IBGP = false }))
	var into Builder
	prefixes := 0
	b.ReportAllocs()
	for b.Loop() {
		into.Reset()
		for _, body := range bodies {
			if _, err := d.Update(body, &into); err != nil {
				b.Fatal(err)
			}
		}
		prefixes += into.Len()
	}
	ns := float64(b.Elapsed().Nanoseconds())
	b.ReportMetric(ns/float64(b.N*len(bodies)), "ns/UPDATE")
	b.ReportMetric(ns/float64(prefixes), "ns/prefix")
}

func BenchmarkUpdateOfOnePrefix(b *testing.B)    { benchmarkUpdate(b, 1) }
func BenchmarkUpdateOfTenPrefixes(b *testing.B)  { benchmarkUpdate(b, 10) }
func BenchmarkUpdateOfManyPrefixes(b *testing.B) { benchmarkUpdate(b, 500) }
