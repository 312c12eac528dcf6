package route

import (
	"bytes"
	"net/netip"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// fullAttrs has every attribute there is an accessor for.
func fullAttrs() Attrs {
	var a Attrs
	a = a.AppendAttr(AttrOrigin, []byte{1})
	a = a.AppendAttr(AttrASPath, ASPath(nil).AppendSegment(ASSequence, 64500, 4200000000))
	a = a.AppendAttr(AttrNextHop, append(netip.MustParseAddr("2001:db8::1").AsSlice(), netip.MustParseAddr("fe80::1").AsSlice()...))
	a = a.AppendAttr(AttrMED, []byte{0, 0, 0, 5})
	a = a.AppendAttr(AttrLocalPref, []byte{0, 0, 0, 100})
	a = a.AppendAttr(AttrAtomicAggregate, nil)
	a = a.AppendAttr(AttrAggregator, []byte{0, 0, 0xfb, 0xf4, 192, 0, 2, 1})
	a = a.AppendAttr(AttrCommunities, []byte{0xfb, 0xf4, 0, 1, 0xff, 0xff, 0, 7})
	a = a.AppendAttr(AttrOriginatorID, []byte{192, 0, 2, 2})
	a = a.AppendAttr(AttrClusterList, []byte{192, 0, 2, 3, 192, 0, 2, 4})
	a = a.AppendAttr(AttrExtCommunities, []byte{0, 2, 0xfb, 0xf4, 0, 0, 0, 1})
	a = a.AppendAttr(AttrIPv6ExtCommunity, append([]byte{0, 2}, append(netip.MustParseAddr("2001:db8::5").AsSlice(), 0, 9)...))
	a = a.AppendAttr(AttrAIGP, []byte{9, 0, 4, 0, 1, 0, 11, 0, 0, 0, 0, 0, 0, 1, 0})
	a = a.AppendAttr(AttrLargeCommunities, []byte{0, 0, 0xfb, 0xf4, 0, 0, 0, 1, 0, 0, 0, 2})
	a = a.AppendAttr(AttrOTC, []byte{0, 0, 0xfb, 0xf4})
	return a.AppendAttr(99, append([]byte{0xc0}, make([]byte, 300)...))
}

func TestAttrsAccessors(t *testing.T) {
	a := fullAttrs()
	med, _ := a.MED()
	pref, _ := a.LocalPref()
	otc, _ := a.OTC()
	aigp, _ := a.AIGP()
	asn, aggregator, _ := a.Aggregator()
	var ext []string
	for c := range a.ExtCommunities() {
		ext = append(ext, c.String())
	}
	got := []any{
		a.Origin().String(), a.ASPath().String(), a.NextHop().String(), a.LinkLocalNextHop().String(), med, pref,
		a.AtomicAggregate(), uint32(asn), aggregator.String(), a.OriginatorID().String(), a.ClusterList(), otc.String(), aigp,
		a.Communities().At(0).String(), a.Communities().Has(NoLLGR), a.LargeCommunities().At(0).String(), ext,
	}
	want := []any{
		"egp", "64500 4200000000", "2001:db8::1", "fe80::1", uint32(5), uint32(100),
		true, uint32(64500), "192.0.2.1", "192.0.2.2",
		[]byte{192, 0, 2, 3, 192, 0, 2, 4},
		"64500", uint64(256),
		"64500:1", true, "64500:1:2",
		[]string{"rt:64500:1", "rt:2001:db8::5:9"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	unknown := slices.Collect(a.Unknown())
	if len(unknown) != 1 || unknown[0].Code != 99 || unknown[0].Flags != 0xc0 || len(unknown[0].Value) != 300 {
		t.Errorf("Unknown() = %v, want attribute 99 with 300 octets", unknown)
	}
}

func TestTheEmptySetHasNothing(t *testing.T) {
	var a Attrs
	_, med := a.MED()
	_, pref := a.LocalPref()
	_, otc := a.OTC()
	_, aigp := a.AIGP()
	_, _, aggregator := a.Aggregator()
	if med || pref || otc || aigp || aggregator || a.AtomicAggregate() || a.NextHop().IsValid() || a.LinkLocalNextHop().IsValid() ||
		a.OriginatorID().IsValid() || a.Origin() != OriginIncomplete || a.ASPath().Len() != 0 || a.Communities().Len() != 0 ||
		a.LargeCommunities().Len() != 0 || len(a.ClusterList()) != 0 {
		t.Error("an accessor found something in the empty set")
	}
	for range a.All() {
		t.Error("All yields something")
	}
}

func TestAnIPv4NextHopHasNoLinkLocalOne(t *testing.T) {
	a := Attrs(nil).AppendAttr(AttrNextHop, []byte{192, 0, 2, 1})
	if got := a.NextHop(); got != netip.MustParseAddr("192.0.2.1") || a.LinkLocalNextHop().IsValid() {
		t.Errorf("NextHop() = %v, LinkLocalNextHop() = %v", got, a.LinkLocalNextHop())
	}
}

// TestAppendAttrIsReadBack is the law of the form: what is appended in order of
// codes is found by All and by Get, and nothing else is.
func TestAppendAttrIsReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := map[AttrCode][]byte{}
		for range rapid.IntRange(0, 12).Draw(t, "attributes") {
			n := rapid.SampledFrom([]int{0, 1, 4, 253, 254, 255, 256, 65535}).Draw(t, "length")
			want[AttrCode(rapid.Byte().Draw(t, "code"))] = bytes.Repeat([]byte{rapid.Byte().Draw(t, "octet")}, n)
		}
		var a Attrs
		for code := range 256 {
			if value, ok := want[AttrCode(code)]; ok {
				a = a.AppendAttr(AttrCode(code), value)
			}
		}
		got := map[AttrCode][]byte{}
		for code, value := range a.All() {
			got[code] = bytes.Clone(value)
			if got[code] == nil {
				got[code] = []byte{}
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("All (-want +got):\n%s", diff)
		}
		for code := range 256 {
			value, ok := a.Get(AttrCode(code))
			if expected, has := want[AttrCode(code)]; ok != has || !bytes.Equal(value, expected) {
				t.Fatalf("Get(%d) = %d octets, %v, want %d, %v", code, len(value), ok, len(expected), has)
			}
		}
	})
}

// FuzzAttrs holds: on any octets no accessor panics, and what Get finds All
// yields.
func FuzzAttrs(f *testing.F) {
	f.Add([]byte(fullAttrs()))
	f.Add([]byte{1, 255})
	f.Add([]byte{26, 11, 1, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, octets []byte) {
		a := Attrs(octets)
		a.Origin()
		_ = a.ASPath().String()
		a.NextHop()
		a.LinkLocalNextHop()
		a.MED()
		a.LocalPref()
		a.OTC()
		a.AtomicAggregate()
		a.Aggregator()
		a.OriginatorID()
		a.ClusterList()
		a.AIGP()
		for c := range a.Communities().All() {
			_ = c.String()
			if !a.Communities().Has(c) {
				t.Fatalf("%x: has %v, and has not", octets, c)
			}
		}
		for c := range a.LargeCommunities().All() {
			_ = c.String()
		}
		for c := range a.ExtCommunities() {
			_ = c.String()
		}
		for u := range a.Unknown() {
			_ = append(u.Value, 0) // an append must not write into the set
		}
		if !bytes.Equal(octets, bytes.Clone(a)) {
			t.Fatal("the set was changed")
		}
		checkGet(t, a)
	})
}

func checkGet(t *testing.T, a Attrs) {
	t.Helper()
	for code := range 256 {
		value, ok := a.Get(AttrCode(code))
		if !ok {
			continue
		}
		found := false
		for c, v := range a.All() {
			if c == AttrCode(code) {
				found = bytes.Equal(v, value)
				break
			}
		}
		if !found {
			t.Fatalf("%x: Get(%d) = %x, All yields another", a, code, value)
		}
	}
}
