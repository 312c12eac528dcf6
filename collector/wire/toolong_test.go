package wire

import (
	"bytes"
	"crypto/sha256"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"ribglass/ribstore/route"
)

// Of attributes that are too long the length and a hash are kept, whatever they
// are, and everything else as it is.
func TestOfLongAttributesLengthAndHashAreKept(t *testing.T) {
	long, other := bytes.Repeat([]byte{0, 1, 2, 3}, 5000), bytes.Repeat([]byte{7}, 17_000)
	path := route.ASPath(nil).AppendSegment(route.ASSequence, 64501)
	u := route.Update{
		Attrs: route.Attrs(nil).AppendAttr(route.AttrOrigin, []byte{0}).AppendAttr(route.AttrASPath, path).
			AppendAttr(route.AttrNextHop, []byte{192, 0, 2, 1}).AppendAttr(route.AttrCommunities, long).
			AppendAttr(route.AttrExtCommunities, []byte{0, 2, 0, 0, 0, 0, 0, 1}).
			AppendAttr(200, append([]byte{flagOptional | flagTransitive}, other...)),
		NLRI: []route.NLRI{{Prefix: netip.MustParsePrefix("192.0.2.0/24")}},
	}
	s := Session{Families: [route.NumFamilies]bool{true}, FourOctetAS: true, MaxReceive: MaxExtendedLen, MaxAttribute: 16 << 10}
	message := AppendUpdate(nil, s, u, MaxExtendedLen)
	var b Builder
	report, err := NewDecoder(s).Update(message[HeaderLen:], &b)
	if err != nil || report.TooLong != 2 || report.TreatedAsWithdraw != nil || len(report.Discarded) > 0 {
		t.Fatalf("%+v, %v", report, err)
	}
	got := b.Updates()[0]
	var kept []route.UnknownAttr
	for u := range got.Attrs.Unknown() {
		kept = append(kept, u)
	}
	half := func(v []byte) (h [route.TooLongHash]byte) { sum := sha256.Sum256(v); copy(h[:], sum[:]); return h }
	want := []route.UnknownAttr{
		{Code: route.AttrCommunities, Flags: flagOptional | flagTransitive, Length: 20_000, Hash: half(long)},
		{Code: 200, Flags: flagOptional | flagTransitive, Length: 17_000, Hash: half(other)},
	}
	if len(kept) != 2 || kept[0].Value != nil || kept[0].Hash != want[0].Hash || kept[0].Length != 20_000 || kept[0].Code != want[0].Code ||
		kept[1].Hash != want[1].Hash || kept[1].Length != 17_000 || kept[1].Flags != want[1].Flags {
		t.Errorf("kept are %+v, want %+v", kept, want)
	}
	var codes []route.AttrCode
	for code := range got.Attrs.All() {
		codes = append(codes, code)
	}
	if !slices.Equal(codes, []route.AttrCode{1, 2, 3, route.AttrTooLong, route.AttrExtCommunities}) {
		t.Errorf("the set has the attributes %v", codes)
	}
	if len(got.Attrs) > 100 {
		t.Errorf("the set takes %d octets", len(got.Attrs))
	}

	// What is not kept is not said to others.
	again := AppendUpdate(nil, s, got, MaxExtendedLen)
	var second Builder
	if report, err := NewDecoder(s).Update(again[HeaderLen:], &second); err != nil || report.TreatedAsWithdraw != nil || len(report.Discarded) > 0 {
		t.Errorf("encoded again: %+v, %v", report, err)
	}
	for range second.Updates()[0].Attrs.Unknown() {
		t.Error("encoded again, the set has an attribute that is not known")
	}
}

func TestALongPathIsTreatedAsAWithdrawal(t *testing.T) {
	path := route.ASPath(nil)
	for range 20 {
		path = path.AppendSegment(route.ASSequence, slices.Repeat([]route.ASN{64501}, 250)...)
	}
	u := route.Update{
		Attrs: route.Attrs(nil).AppendAttr(route.AttrOrigin, []byte{0}).AppendAttr(route.AttrASPath, path).AppendAttr(route.AttrNextHop, []byte{192, 0, 2, 1}),
		NLRI:  []route.NLRI{{Prefix: netip.MustParsePrefix("192.0.2.0/24")}},
	}
	s := Session{Families: [route.NumFamilies]bool{true}, FourOctetAS: true, MaxReceive: MaxExtendedLen, MaxAttribute: 16 << 10}
	var b Builder
	report, err := NewDecoder(s).Update(AppendUpdate(nil, s, u, MaxExtendedLen)[HeaderLen:], &b)
	if err != nil || report.TreatedAsWithdraw == nil || !strings.Contains(report.TreatedAsWithdraw.Error(), "20040 octets, max_attribute_length is 16384") {
		t.Fatalf("%+v, %v", report, err)
	}
	if got := b.Updates()[0]; !got.Withdraw() {
		t.Errorf("the update is %+v", got)
	}
}
