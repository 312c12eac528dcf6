package wire

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ribglass/ribstore/route"
)

// body builds the body of an UPDATE out of hex; spaces are for the reader.
func body(tb testing.TB, withdrawn, attributes, nlri string) []byte {
	tb.Helper()
	w, a, n := unhex(tb, withdrawn), unhex(tb, attributes), unhex(tb, nlri)
	b := binary.BigEndian.AppendUint16(nil, uint16(len(w)))
	b = append(b, w...)
	b = binary.BigEndian.AppendUint16(b, uint16(len(a)))
	return append(append(b, a...), n...)
}

func unhex(tb testing.TB, s string) []byte {
	tb.Helper()
	return mustHex(tb, strings.ReplaceAll(s, " ", ""))
}

// attr is the hex of one attribute.
func attr(flags, code byte, value string) string {
	value = strings.ReplaceAll(value, " ", "")
	return fmt.Sprintf("%02x%02x%02x%s", flags, code, len(value)/2, value)
}

// Attributes and prefixes that the rows below are made of.
const (
	origin   = "40010100"
	path     = "400206 0201 0000fde9"
	hop      = "400304 0a000002"
	good     = origin + path + hop
	prefix   = "18 c00002"
	prefix6  = "20 20010db8"
	hop6     = "10 20010db8000000000000000000000001 00"
	hopLocal = "20 20010db8000000000000000000000001 fe800000000000000000000000000001 00"
)

func reach6(rest string) string { return attr(0x80, 14, "0002 01 "+rest) }

func unreach6(rest string) string { return attr(0x80, 15, "0002 01 "+rest) }

// outline is what a test compares: the updates as text, and the report.
func outline(updates []route.Update) []string {
	var lines []string
	for _, u := range updates {
		words := []string{"+", u.Family.String()}
		if u.Withdraw() {
			words[0] = "-"
		}
		for _, n := range u.NLRI {
			word := n.Prefix.String()
			if n.PathID != 0 {
				word += fmt.Sprintf("#%d", n.PathID)
			}
			words = append(words, word)
		}
		if !u.Withdraw() {
			hop := u.Attrs.NextHop().String()
			if local := u.Attrs.LinkLocalNextHop(); local.IsValid() {
				hop += "/" + local.String()
			}
			words = append(words, "via", hop)
		}
		lines = append(lines, strings.Join(words, " "))
	}
	return lines
}

func TestUpdateRoutes(t *testing.T) {
	both := func(s *Session) { s.AddPath[0], s.AddPath[1] = true, true }
	hops := func(s *Session) { s.ExtendedNextHop[0] = true }
	only4 := func(s *Session) { s.Families = [route.NumFamilies]bool{true} }
	only6 := func(s *Session) { s.Families = [route.NumFamilies]bool{false, true} }
	loopback := func(s *Session) { s.LoopbackNextHop = true }
	external := func(s *Session) { s.IBGP = false }
	archive := func(s *Session) { s.UnspecifiedNextHop = true }
	none := func(*Session) {}
	member := func(s *Session) { s.IBGP, s.Confederation = false, true }
	tests := []struct {
		name     string
		session  func(*Session)
		body     []byte
		want     []string
		withdrew string // part of the reason
		dropped  string // part of what was discarded
	}{
		{"one prefix announced", none, body(t, "", good, prefix), []string{"+ ipv4-unicast 192.0.2.0/24 via 10.0.0.2"}, "", ""},
		{"attributes in any order", none, body(t, "", hop+path+origin, prefix), []string{"+ ipv4-unicast 192.0.2.0/24 via 10.0.0.2"}, "", ""},
		{"one prefix withdrawn", none, body(t, prefix, "", ""), []string{"- ipv4-unicast 192.0.2.0/24"}, "", ""},
		{
			"a next hop that is none, in an archive", archive, body(t, "", origin+path+"40 03 04 00000000", prefix),
			[]string{"+ ipv4-unicast 192.0.2.0/24 via 0.0.0.0"},
			"", "",
		},
		{
			"an IPv6 next hop that is none, in an archive", archive, body(t, "", origin+path+"80 0e 16 0002 01 10 00000000000000000000000000000000 00 00", ""),
			[]string{"+ ipv6-unicast ::/0 via ::"},
			"", "",
		},
		{
			"a prefix withdrawn and announced is announced last (RFC 4271 section 4.3)", none, body(t, prefix, good, prefix),
			[]string{"- ipv4-unicast 192.0.2.0/24", "+ ipv4-unicast 192.0.2.0/24 via 10.0.0.2"},
			"", "",
		},
		{
			"host bits beyond the mask are cleared", none, body(t, "0d 0bff", good, "01 ff 00 20 c0000201 1f ffffffff 17 c00003"),
			[]string{
				"- ipv4-unicast 11.248.0.0/13",
				"+ ipv4-unicast 128.0.0.0/1 0.0.0.0/0 192.0.2.1/32 255.255.255.254/31 192.0.2.0/23 via 10.0.0.2",
			},
			"", "",
		},
		{
			"IPv6 with host bits", none, body(t, "", origin+path+reach6(hop6+"00 21 20010db8ff 80 20010db8000000000000000000000001 7f 20010db8000000000000000000000001"), ""),
			[]string{"+ ipv6-unicast ::/0 2001:db8:8000::/33 2001:db8::1/128 2001:db8::/127 via 2001:db8::1"},
			"", "",
		},
		{
			"a link-local next hop beside the global one (RFC 2545)", none, body(t, "", origin+path+reach6(hopLocal+prefix6), ""),
			[]string{"+ ipv6-unicast 2001:db8::/32 via 2001:db8::1/fe80::1"},
			"", "",
		},
		{
			"a link-local next hop beside the unspecified address counts alone", none,
			body(t, "", origin+path+reach6("20 00000000000000000000000000000000 fe800000000000000000000000000001 00"+prefix6), ""),
			[]string{"+ ipv6-unicast 2001:db8::/32 via fe80::1"},
			"", "",
		},
		{
			"path identifiers (RFC 7911)", both, body(t, "00000001"+prefix, origin+path+hop+reach6(hop6+"00000007"+prefix6), "00000002"+prefix+"00000003"+prefix),
			[]string{
				"- ipv4-unicast 192.0.2.0/24#1", "+ ipv4-unicast 192.0.2.0/24#2 192.0.2.0/24#3 via 10.0.0.2",
				"+ ipv6-unicast 2001:db8::/32#7 via 2001:db8::1",
			},
			"", "",
		},
		{
			"both families, each with its next hop", none, body(t, "", good+reach6(hop6+prefix6), prefix),
			[]string{"+ ipv4-unicast 192.0.2.0/24 via 10.0.0.2", "+ ipv6-unicast 2001:db8::/32 via 2001:db8::1"},
			"", "",
		},
		{
			"NEXT_HOP beside MP_REACH_NLRI alone is ignored, even malformed (RFC 4760 section 3)", none,
			body(t, "", origin+path+attr(0x40, 3, "00")+reach6(hop6+prefix6), ""),
			[]string{"+ ipv6-unicast 2001:db8::/32 via 2001:db8::1"},
			"", "",
		},
		{
			"IPv4 in MP_REACH_NLRI with an IPv4 next hop", none, body(t, "", origin+path+attr(0x80, 14, "0001 01 04 0a000002 00"+prefix), ""),
			[]string{"+ ipv4-unicast 192.0.2.0/24 via 10.0.0.2"},
			"", "",
		},
		{
			"IPv4 with an IPv6 next hop (RFC 8950)", hops, body(t, "", origin+path+attr(0x80, 14, "0001 01"+hop6+prefix), ""),
			[]string{"+ ipv4-unicast 192.0.2.0/24 via 2001:db8::1"},
			"", "",
		},
		{
			"multicast families", none, body(t, "", origin+path+attr(0x80, 14, "0001 02 04 0a000002 00"+prefix)+attr(0x80, 15, "0002 02"+prefix6), ""),
			[]string{"- ipv6-multicast 2001:db8::/32", "+ ipv4-multicast 192.0.2.0/24 via 10.0.0.2"},
			"", "",
		},
		{"IPv6 withdrawn", none, body(t, "", unreach6(prefix6), ""), []string{"- ipv6-unicast 2001:db8::/32"}, "", ""},
		{
			"the reserved octet is ignored", none, body(t, "", origin+path+reach6("10 20010db8000000000000000000000001 ff"+prefix6), ""),
			[]string{"+ ipv6-unicast 2001:db8::/32 via 2001:db8::1"},
			"", "",
		},
		{
			"a family not negotiated is ignored", only4, body(t, "", good+reach6(hop6+prefix6), prefix),
			[]string{"+ ipv4-unicast 192.0.2.0/24 via 10.0.0.2"},
			"", "AFI 2 SAFI 1 was not negotiated",
		},
		{"a family not kept is ignored, whatever is in it", none, body(t, "", origin+path+attr(0x80, 14, "0019 46 ff"), ""), nil, "", "AFI 25 SAFI 70"},
		{"IPv4 prefixes when only IPv6 was negotiated are ignored", only6, body(t, "09", good, prefix), nil, "", "ipv4-unicast, which was not negotiated"},
		{"a faulty announcement of a foreign family is no reason to reset", only4, body(t, "", path+attr(0x40, 1, "07")+reach6(hop6+prefix6), ""), nil, "origin 7", "AFI 2"},
		{"a martian prefix is data", none, body(t, "", good, "08 7f 04 e0"), []string{"+ ipv4-unicast 127.0.0.0/8 224.0.0.0/4 via 10.0.0.2"}, "", ""},

		{"no ORIGIN", none, body(t, "", path+hop, prefix), []string{"- ipv4-unicast 192.0.2.0/24"}, "attribute 1 (ORIGIN): missing", ""},
		{
			"wrong flags of MP_UNREACH_NLRI alone", none, body(t, "", attr(0x40, 15, "0002 01"+prefix6), ""),
			[]string{"- ipv6-unicast 2001:db8::/32"},
			"attribute 15 (MP_UNREACH_NLRI): flags 0x40", "",
		},
		{"no AS_PATH", none, body(t, "", origin+hop, prefix), []string{"- ipv4-unicast 192.0.2.0/24"}, "attribute 2 (AS_PATH): missing", ""},
		{"no NEXT_HOP", none, body(t, "", origin+path, prefix), []string{"- ipv4-unicast 192.0.2.0/24"}, "attribute 3 (NEXT_HOP): missing", ""},
		{
			"one fault withdraws the prefixes of every field", none, body(t, "08 0a", attr(0x40, 1, "03")+path+hop+reach6(hop6+prefix6)+unreach6("08 20"), prefix),
			[]string{"- ipv4-unicast 10.0.0.0/8", "- ipv6-unicast 2000::/8", "- ipv4-unicast 192.0.2.0/24", "- ipv6-unicast 2001:db8::/32"},
			"origin 3", "",
		},
		{
			"an attribute overruns the others; the prefixes after them are found (RFC 7606 section 4)", none,
			body(t, "", good+"c00810 fbf40001", prefix),
			[]string{"- ipv4-unicast 192.0.2.0/24"},
			"attribute 8 (COMMUNITIES): length 16, have 4", "",
		},
		{"an octet is left over", none, body(t, "", good+"c0", prefix), []string{"- ipv4-unicast 192.0.2.0/24"}, "1 octets left over", ""},
		{"an extended length cut short", none, body(t, "", good+"d00801", prefix), []string{"- ipv4-unicast 192.0.2.0/24"}, "header cut short", ""},
		{
			"wrong flags of MP_REACH_NLRI do not hide its prefixes", none, body(t, "", origin+path+attr(0x40, 14, "0002 01"+hop6+prefix6), ""),
			[]string{"- ipv6-unicast 2001:db8::/32"},
			"attribute 14 (MP_REACH_NLRI): flags 0x40", "",
		},
		{"ORIGIN without the transitive flag", none, body(t, "", "00010100"+path+hop, prefix), []string{"- ipv4-unicast 192.0.2.0/24"}, "attribute 1 (ORIGIN): flags", ""},
		{
			"AS_PATH with AS 0 (RFC 7607)", none, body(t, "", origin+attr(0x40, 2, "0202 0000fde9 00000000")+hop, prefix),
			[]string{"- ipv4-unicast 192.0.2.0/24"},
			"attribute 2 (AS_PATH): AS 0", "",
		},
		{
			"AS_PATH with half a segment header", none, body(t, "", origin+attr(0x40, 2, "0201 0000fde9 02")+hop, prefix),
			[]string{"- ipv4-unicast 192.0.2.0/24"},
			"attribute 2 (AS_PATH): segment cut short", "",
		},
		{
			"a confederation segment from an external peer (RFC 5065)", external, body(t, "", origin+attr(0x40, 2, "0301 0000fde9")+hop, prefix),
			[]string{"- ipv4-unicast 192.0.2.0/24"},
			"confederation segment", "",
		},
		{
			"a confederation segment from our own AS", none, body(t, "", origin+attr(0x40, 2, "0301 0000fde9 0401 0000fdea")+hop, prefix),
			[]string{"+ ipv4-unicast 192.0.2.0/24 via 10.0.0.2"},
			"", "",
		},
		{
			"a path and LOCAL_PREF of another member AS (RFC 5065)", member,
			body(t, "", origin+attr(0x40, 2, "0301 0000fde9 0201 0000fdea")+hop+attr(0x40, 5, "00000064"), prefix),
			[]string{"+ ipv4-unicast 192.0.2.0/24 via 10.0.0.2"},
			"", "",
		},
		{
			"a path of another member AS without its sequence", member, body(t, "", origin+path+hop, prefix),
			[]string{"- ipv4-unicast 192.0.2.0/24"},
			"no confederation sequence first", "",
		},
		{
			"an empty path of another member AS", member, body(t, "", origin+attr(0x40, 2, "")+hop, prefix),
			[]string{"- ipv4-unicast 192.0.2.0/24"},
			"no confederation sequence first", "",
		},
		{"an empty AS_PATH", none, body(t, "", origin+attr(0x40, 2, "")+hop, prefix), []string{"+ ipv4-unicast 192.0.2.0/24 via 10.0.0.2"}, "", ""},
		{"a multicast next hop", none, body(t, "", origin+path+attr(0x40, 3, "e0000001"), prefix), []string{"- ipv4-unicast 192.0.2.0/24"}, "next hop 224.0.0.1", ""},
		{
			"a loopback next hop on a loopback session", loopback, body(t, "", origin+path+attr(0x40, 3, "7f000001"), prefix),
			[]string{"+ ipv4-unicast 192.0.2.0/24 via 127.0.0.1"},
			"", "",
		},
		{
			"an IPv6 loopback next hop", none, body(t, "", origin+path+reach6("10 00000000000000000000000000000001 00"+prefix6), ""),
			[]string{"- ipv6-unicast 2001:db8::/32"},
			"next hop ::1", "",
		},
		{
			"an IPv6 multicast next hop", none, body(t, "", origin+path+reach6("10 ff020000000000000000000000000001 00"+prefix6), ""),
			[]string{"- ipv6-unicast 2001:db8::/32"},
			"next hop ff02::1", "",
		},
		{
			"an ATTR_SET whose inside overruns", none, body(t, "", good+attr(0xc0, 128, "0000fde9 400109"), prefix),
			[]string{"- ipv4-unicast 192.0.2.0/24"},
			"attribute 128 (ATTR_SET): malformed", "",
		},

		{
			"an attribute twice: the first counts", none, body(t, "", good+attr(0x40, 1, "02")+attr(0x40, 3, "00"), prefix),
			[]string{"+ ipv4-unicast 192.0.2.0/24 via 10.0.0.2"},
			"", "a second time",
		},
		{
			"LOCAL_PREF from an external peer", external, body(t, "", good+attr(0x40, 5, "00000064"), prefix),
			[]string{"+ ipv4-unicast 192.0.2.0/24 via 10.0.0.2"},
			"", "attribute 5 (LOCAL_PREF): from an external peer",
		},
		{
			"AIGP from an external peer (RFC 7311)", external, body(t, "", good+attr(0x80, 26, "01000b0000000000000001"), prefix),
			[]string{"+ ipv4-unicast 192.0.2.0/24 via 10.0.0.2"},
			"", "attribute 26 (AIGP): from an external peer",
		},
		{
			"AIGP with a metric of bad length", none, body(t, "", good+attr(0x80, 26, "01000a00000000000000"), prefix),
			[]string{"+ ipv4-unicast 192.0.2.0/24 via 10.0.0.2"},
			"", "attribute 26 (AIGP): TLV of bad length",
		},
		{
			"AGGREGATOR of AS 0", none, body(t, "", good+attr(0xc0, 7, "00000000 0a000001"), prefix),
			[]string{"+ ipv4-unicast 192.0.2.0/24 via 10.0.0.2"},
			"", "attribute 7 (AGGREGATOR): AS 0",
		},
		{
			"Prefix-SID whose TLV overruns (gobgp issue of the same name)", none, body(t, "", good+attr(0xc0, 40, "010007 0000"), prefix),
			[]string{"+ ipv4-unicast 192.0.2.0/24 via 10.0.0.2"},
			"", "attribute 40 (PREFIX_SID): malformed",
		},
		{
			"AS4_PATH between speakers of four octets", none, body(t, "", good+attr(0xc0, 17, "0201 0000fde9"), prefix),
			[]string{"+ ipv4-unicast 192.0.2.0/24 via 10.0.0.2"},
			"", "attribute 17",
		},
		{
			"an unknown attribute that is not transitive", none, body(t, "", good+attr(0x80, 99, "01"), prefix),
			[]string{"+ ipv4-unicast 192.0.2.0/24 via 10.0.0.2"},
			"", "attribute 99",
		},
		{"attributes without any prefix, all good", none, body(t, "", good, ""), nil, "", ""},
		{"a harmless fault without any prefix is no reason to reset", none, body(t, "", good+attr(0x40, 6, "00"), ""), nil, "", "attribute 6"},
		{"withdrawals beside an empty MP_UNREACH_NLRI are no End-of-RIB", none, body(t, prefix, unreach6(""), ""), []string{"- ipv4-unicast 192.0.2.0/24"}, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var b Builder
			report, err := NewDecoder(testSession(tt.session)).Update(tt.body, &b)
			if err != nil {
				t.Fatalf("Update(%x): %v", tt.body, err)
			}
			if diff := cmp.Diff(tt.want, outline(b.Updates())); diff != "" {
				t.Errorf("routes of %x (-want +got):\n%s", tt.body, diff)
			}
			if report.IsEndOfRIB {
				t.Error("taken for an End-of-RIB")
			}
			checkReason(t, "treated as withdraw", report.TreatedAsWithdraw, tt.withdrew)
			checkReason(t, "discarded", errors.Join(report.Discarded...), tt.dropped)
		})
	}
}

func checkReason(t *testing.T, what string, err error, part string) {
	t.Helper()
	switch {
	case (err == nil) != (part == ""):
		t.Errorf("%s: %v, want %q", what, err, part)
	case err != nil && !strings.Contains(err.Error(), part):
		t.Errorf("%s: %v, want %q in it", what, err, part)
	}
}

func TestUpdateResets(t *testing.T) {
	tests := []struct {
		name    string
		body    []byte
		subcode uint8
	}{
		{"withdrawn routes overrun the message", unhex(t, "0009 18c00002 0000"), UpdateMalformedAttributes},
		{"path attributes overrun the message", unhex(t, "0000 0009 40010100"), UpdateMalformedAttributes},
		{"the lengths do not fit", unhex(t, "0001 0000"), UpdateMalformedAttributes},
		{"an IPv4 prefix of length 33", body(t, "", good, "21 c000020000"), UpdateInvalidNetwork},
		{"an IPv4 prefix cut short", body(t, "", good, "18 c000"), UpdateInvalidNetwork},
		{"a withdrawn prefix of length 255", body(t, "ff", "", ""), UpdateInvalidNetwork},
		{"an IPv6 prefix of length 129", body(t, "", origin+path+reach6(hop6+"81"+strings.Repeat("20", 17)), ""), UpdateOptionalAttribute},
		{"a withdrawn IPv6 prefix cut short", body(t, "", unreach6("20 2001"), ""), UpdateOptionalAttribute},
		{"MP_REACH_NLRI twice", body(t, "", good+reach6(hop6+prefix6)+reach6(hop6+prefix6), prefix), UpdateMalformedAttributes},
		{"MP_UNREACH_NLRI twice", body(t, "", unreach6(prefix6)+unreach6(prefix6), ""), UpdateMalformedAttributes},
		{"MP_REACH_NLRI of two octets", body(t, "", good+attr(0x80, 14, "0002"), prefix), UpdateOptionalAttribute},
		{"MP_REACH_NLRI without a next hop length", body(t, "", good+reach6(""), prefix), UpdateMalformedAttributes},
		{"a next hop of 24 octets for unicast", body(t, "", good+reach6("18"+strings.Repeat("20", 25)), ""), UpdateMalformedAttributes},
		{"a next hop of four octets for IPv6", body(t, "", good+reach6("04 0a000001 00"+prefix6), ""), UpdateMalformedAttributes},
		{"an IPv6 next hop for IPv4 that was not negotiated", body(t, "", good+attr(0x80, 14, "0001 01"+hop6+prefix), ""), UpdateMalformedAttributes},
		{"an unknown well-known attribute", body(t, "", good+attr(0x40, 99, "01"), prefix), UpdateUnrecognizedWellKnown},
		{"a fault, and no prefix that could be withdrawn (RFC 7606 section 5.2)", body(t, "", attr(0x40, 1, "07"), ""), UpdateInvalidOrigin},
		{"a fault beside withdrawals alone", body(t, prefix, attr(0x40, 1, "07"), ""), UpdateInvalidOrigin},
		{"an overrun that may hide MP_REACH_NLRI", body(t, "", origin+path+"c00810", ""), UpdateMalformedAttributes},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var b Builder
			if _, err := NewDecoder(testSession()).Update(body(t, "08 0a", "", ""), &b); err != nil {
				t.Fatal(err)
			}
			report, err := NewDecoder(testSession()).Update(tt.body, &b)
			var n *Notification
			if !errors.As(err, &n) || n.Code != CodeUpdate || n.Subcode != tt.subcode {
				t.Errorf("Update(%x) = %+v, %v, want NOTIFICATION 3/%d", tt.body, report, err, tt.subcode)
			}
			if diff := cmp.Diff([]string{"- ipv4-unicast 10.0.0.0/8"}, outline(b.Updates())); diff != "" || b.Len() != 1 {
				t.Errorf("the updates before the bad one (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAnAttributeRepeatedManyTimesIsReportedOnce(t *testing.T) {
	var b Builder
	report, err := NewDecoder(testSession()).Update(body(t, "", good+strings.Repeat("400100", 1000), prefix), &b)
	if err != nil || len(report.Discarded) != 1 || b.Len() != 1 {
		t.Errorf("%d discarded, %v, %d prefixes, want one of each", len(report.Discarded), err, b.Len())
	}
}

// attrsOf decodes one announcement and returns its set.
func attrsOf(t *testing.T, s Session, attributes string) route.Attrs {
	t.Helper()
	var b Builder
	report, err := NewDecoder(s).Update(body(t, "", attributes, prefix), &b)
	if err != nil || report.TreatedAsWithdraw != nil || len(b.Updates()) != 1 {
		t.Fatalf("Update: %+v, %v", report, err)
	}
	return b.Updates()[0].Attrs
}

func TestAttributesAreCanonical(t *testing.T) {
	long := strings.Repeat("0001fde8", 100)
	tests := []struct {
		name, wire, want string
	}{
		{"the order of the message does not count", hop + origin + path, "0101 00 0206 0201 0000fde9 0304 0a000002"},
		{"an extended length does not count", "50010001 00" + path + hop, "0101 00 0206 0201 0000fde9 0304 0a000002"},
		{"the unused flag bits do not count", "4f010100" + path + hop, "0101 00 0206 0201 0000fde9 0304 0a000002"},
		{
			"a value of 255 octets and more has a long length", good + "d0080190" + long,
			"0101 00 0206 0201 0000fde9 0304 0a000002 08ff0190" + long,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got, want := hex.EncodeToString(attrsOf(t, testSession(), tt.wire)), hex.EncodeToString(unhex(t, tt.want)); got != want {
				t.Errorf("attributes %s, want %s", got, want)
			}
		})
	}
	t.Run("unknown attributes lead with their flags, without the bit of the length", func(t *testing.T) {
		got := attrsOf(t, testSession(), good+"ff630002 abcd"+attr(0xc0, 128, "0000fde9")+attr(0x80, 33, "01"))
		want := unhex(t, "0101 00 0206 0201 0000fde9 0304 0a000002 2102 8001 6303 e0abcd 8005 c00000fde9")
		if !cmp.Equal([]byte(got), want) {
			t.Errorf("attributes %x, want %x", got, want)
		}
	})
	t.Run("an unknown attribute whose length and flags octet make 255", func(t *testing.T) {
		got := attrsOf(t, testSession(), good+attr(0xc0, 99, strings.Repeat("ab", 254)))
		n := 0
		for u := range got.Unknown() {
			n++
			if u.Code != 99 || u.Flags != 0xc0 || len(u.Value) != 254 {
				t.Errorf("unknown %+v, want 254 octets of attribute 99", u)
			}
		}
		if n != 1 {
			t.Errorf("%d unknown attributes, want 1", n)
		}
	})
}

func TestRedundantLargeCommunitiesAreDropped(t *testing.T) {
	first, second := "0000fbf4 00000001 00000002", "0000fbf4 00000001 00000003"
	many := func(n int) (wire, want string) {
		for i := range n {
			c := fmt.Sprintf("0000fbf400000001%08x", i)
			wire, want = wire+c+c, want+c
		}
		return wire, want
	}
	wire70, want70 := many(70)
	for _, tt := range []struct{ name, wire, want string }{
		{"none is", second + first, second + first},
		{"the first of two stays in its place", second + first + second, second + first},
		{"many", wire70, want70},
	} {
		t.Run(tt.name, func(t *testing.T) {
			value := unhex(t, tt.wire)
			got := attrsOf(t, testSession(), good+fmt.Sprintf("d020%04x%x", len(value), value)).LargeCommunities()
			if want := unhex(t, tt.want); !cmp.Equal([]byte(got), want) {
				t.Errorf("large communities %x, want %x", []byte(got), want)
			}
		})
	}
}

func TestTwoOctetPeersAreMerged(t *testing.T) {
	aggregator := func(asn string) string { return attr(0xc0, 7, asn+"0a000001") }
	aggregator4 := attr(0xc0, 18, "fa56ea00 0a000002")
	tests := []struct {
		name, wire, path, aggregator string
	}{
		{"without AS4_PATH", attr(0x40, 2, "0202 fde9 5ba0"), "65001 23456", ""},
		{"AS4_PATH of the same length", attr(0x40, 2, "0202 fde9 5ba0") + attr(0xc0, 17, "0202 0000fde9 fa56ea00"), "65001 4200000000", ""},
		{"a shorter AS4_PATH keeps the lead", attr(0x40, 2, "0203 fde9 fdea 5ba0") + attr(0xc0, 17, "0201 fa56ea00"), "65001 65002 4200000000", ""},
		{"a longer AS4_PATH is ignored", attr(0x40, 2, "0201 5ba0") + attr(0xc0, 17, "0202 0000fde9 fa56ea00"), "23456", ""},
		{"an AS_SET counts one", attr(0x40, 2, "0201 fde9 0102 5ba0 fdea") + attr(0xc0, 17, "0102 fa56ea00 0000fdea"), "65001 {4200000000,65002}", ""},
		{"a set in the lead is kept whole", attr(0x40, 2, "0102 fde9 fdea 0201 5ba0") + attr(0xc0, 17, "0201 fa56ea00"), "{65001,65002} 4200000000", ""},
		{"leading confederation segments are kept", attr(0x40, 2, "0301 fde9 0202 fdea 5ba0") + attr(0xc0, 17, "0202 0000fdea fa56ea00"), "(65001) 65002 4200000000", ""},
		{"confederation segments of AS4_PATH are not", attr(0x40, 2, "0201 5ba0") + attr(0xc0, 17, "0301 0000fde9 0201 fa56ea00"), "4200000000", ""},
		{"a malformed AS4_PATH is discarded", attr(0x40, 2, "0201 5ba0") + attr(0xc0, 17, "0200 0201 fa56ea00"), "23456", ""},
		{"AS4_AGGREGATOR for AS_TRANS", attr(0x40, 2, "0201 5ba0") + aggregator("5ba0") + attr(0xc0, 17, "0201 fa56ea00") + aggregator4, "4200000000", "4200000000 10.0.0.2"},
		{"AGGREGATOR of another AS makes both out of date", attr(0x40, 2, "0201 5ba0") + aggregator("fde9") + attr(0xc0, 17, "0201 fa56ea00") + aggregator4, "23456", "65001 10.0.0.1"},
		{"AGGREGATOR of AS_TRANS alone", attr(0x40, 2, "0201 5ba0") + aggregator("5ba0") + attr(0xc0, 17, "0201 fa56ea00"), "4200000000", "23456 10.0.0.1"},
		{"AS4_AGGREGATOR alone", attr(0x40, 2, "0201 5ba0") + aggregator4, "23456", ""},
		{"AGGREGATOR of eight octets is malformed here", attr(0x40, 2, "0201 fde9") + attr(0xc0, 7, "0000fde9 0a000001"), "65001", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := testSession(func(s *Session) { s.FourOctetAS = false })
			a := attrsOf(t, s, origin+hop+tt.wire)
			got := ""
			if asn, addr, ok := a.Aggregator(); ok {
				got = fmt.Sprintf("%v %v", asn, addr)
			}
			if a.ASPath().String() != tt.path || got != tt.aggregator {
				t.Errorf("path %q, aggregator %q, want %q, %q", a.ASPath(), got, tt.path, tt.aggregator)
			}
			for _, code := range []route.AttrCode{attrAS4Path, attrAS4Aggregator} {
				if _, ok := a.Get(code); ok {
					t.Errorf("attribute %d is still there", code)
				}
			}
		})
	}
}

func TestAPathThatIsTooLongWhenWidenedIsWithdrawn(t *testing.T) {
	segment := "02ff" + strings.Repeat("fde9", 255)
	value := strings.Repeat(segment, 65)
	attributes := origin + hop + fmt.Sprintf("5002%04x", len(value)/2) + value
	var b Builder
	s := testSession(func(s *Session) { s.FourOctetAS = false })
	report, err := NewDecoder(s).Update(body(t, "", attributes, prefix), &b)
	if err != nil || report.TreatedAsWithdraw == nil || !b.Updates()[0].Withdraw() {
		t.Errorf("Update: %+v, %v, want treat-as-withdraw", report, err)
	}
}

func TestDecodingAllocatesNothing(t *testing.T) {
	two := testSession(func(s *Session) { s.FourOctetAS = false })
	u := route.Update{Attrs: testAttrs(), NLRI: testNLRI(100)}
	for name, s := range map[string]Session{"four octets": testSession(), "two octets": two} {
		t.Run(name, func(t *testing.T) {
			message := AppendUpdate(nil, s, u, MaxLen)[HeaderLen:]
			d := NewDecoder(s)
			var b Builder
			decode := func() {
				b.Reset()
				if _, err := d.Update(message, &b); err != nil {
					t.Fatal(err)
				}
			}
			decode()
			if n := testing.AllocsPerRun(100, decode); n != 0 {
				t.Errorf("%v allocations an UPDATE, want none", n)
			}
		})
	}
}

func TestUpdatesSurviveTheGrowthOfTheBuilder(t *testing.T) {
	s := testSession()
	d := NewDecoder(s)
	var b Builder
	for i := range 200 {
		u := route.Update{Attrs: testAttrs(), NLRI: testNLRI(i%7 + 1)}
		if _, err := d.Update(AppendUpdate(nil, s, u, MaxLen)[HeaderLen:], &b); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(b.Updates()); n != 200 {
		t.Fatalf("%d updates, want 200", n)
	}
	prefixes := 0
	for i, u := range b.Updates() {
		if want := testNLRI(i%7 + 1); !cmp.Equal(want, u.NLRI, compareNetip()) || !cmp.Equal(testAttrs(), u.Attrs) {
			t.Fatalf("update %d: %v, want %v", i, u, want)
		}
		prefixes += len(u.NLRI)
	}
	if b.Len() != prefixes || b.Bytes() < prefixes*24 {
		t.Errorf("Len() = %d, Bytes() = %d for %d prefixes", b.Len(), b.Bytes(), prefixes)
	}
	if b.Reset(); b.Len() != 0 || b.Bytes() != 0 || len(b.Updates()) != 0 {
		t.Error("not empty after Reset")
	}
}
