package wire

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestKnownAttacks decodes the messages that are known to have brought other
// speakers down, and wants what RFC 7606 says.
func TestKnownAttacks(t *testing.T) {
	announced := []string{"+ ipv4-unicast 192.0.2.0/24 via 10.0.0.2"}
	withdrawn := []string{"- ipv4-unicast 192.0.2.0/24"}
	hops := strings.Repeat("02fa"+strings.Repeat("0000fde9", 250), 8)
	tests := []struct {
		name  string
		four  bool
		body  []byte
		want  []string
		reset uint8 // subcode
	}{
		{
			"CVE-2026-41643: attributes before AS4_PATH are dropped", false,
			body(t, "", origin+attr(0x40, 2, "0202 5ba0 fde9")+hop+attr(0xc0, 7, "00")+attr(0xc0, 17, "0202 fa56ea00 0000fde9")+attr(0xc0, 18, "00"), prefix), announced, 0,
		},
		{
			"AS4_PATH longer than AS_PATH", false,
			body(t, "", origin+attr(0x40, 2, "0201 fde9")+hop+attr(0xc0, 17, "0203 fa56ea00 0000fde9 0000fdea"), prefix), announced, 0,
		},
		{"AS4_PATH without AS_PATH", false, body(t, "", origin+hop+attr(0xc0, 17, "0201 fa56ea00"), prefix), withdrawn, 0},
		{
			"AS4_PATH that begins with an empty segment", false,
			body(t, "", origin+attr(0x40, 2, "0201 fde9")+hop+attr(0xc0, 17, "0200 0201 fa56ea00"), prefix), announced, 0,
		},
		{"CVE-2026-41642: an unknown attribute marked well-known", true, body(t, "", good+attr(0x00, 200, "01"), prefix), nil, UpdateUnrecognizedWellKnown},
		{"CVE-2026-42285: the lengths of attributes contradict each other", true, body(t, "", origin+"400208 0201 0000fde9"+hop, prefix), withdrawn, 0},
		{"CVE-2026-37461: IPv6 extended communities cut short", true, body(t, "", good+attr(0xc0, 25, "000220010db8"), prefix), withdrawn, 0},
		{"CVE-2026-37462: a withdrawn prefix longer than its field", true, unhex(t, "0002 18c0 0000"), nil, UpdateInvalidNetwork},
		{"GHSA-frrj-87jh-2772: AS_PATH without segments", true, body(t, "", origin+attr(0x40, 2, "")+hop, prefix), announced, 0},
		{"gobgp issue 3392: ORIGIN without the transitive flag", true, body(t, "", attr(0x00, 1, "00")+path+hop, prefix), withdrawn, 0},
		{"a Prefix-SID whose inner lengths run out of step", true, body(t, "", good+attr(0xc0, 40, "05002500 0100 2100"), prefix), announced, 0},
		{"an AS_PATH of 2,000 hops", true, body(t, "", origin+fmt.Sprintf("5002%04x", len(hops)/2)+hops+hop, prefix), announced, 0},
		{"AIGP whose TLV says no length", true, body(t, "", good+attr(0x80, 26, "010000"), prefix), announced, 0},
		{"a tunnel whose sub-TLV overruns", true, body(t, "", good+attr(0xc0, 23, "0001 0003 80ffff"), prefix), withdrawn, 0},
		{"MP_REACH_NLRI whose next hop overruns", true, body(t, "", good+attr(0x80, 14, "000201ff00"), prefix), nil, UpdateMalformedAttributes},
		{"an ATTR_SET in an ATTR_SET", true, body(t, "", good+attr(0xc0, 128, "0000fde9 c080040000fde9"), prefix), announced, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var b Builder
			_, err := NewDecoder(testSession(func(s *Session) { s.FourOctetAS = tt.four })).Update(tt.body, &b)
			var n *Notification
			if errors.As(err, &n) != (tt.reset != 0) || (n != nil && n.Subcode != tt.reset) {
				t.Errorf("Update(%x): %v, want NOTIFICATION 3/%d", tt.body, err, tt.reset)
			}
			if diff := cmp.Diff(tt.want, outline(b.Updates())); diff != "" {
				t.Errorf("Update(%x) (-want +got):\n%s", tt.body, diff)
			}
		})
	}
}

// TestACapabilityIsReadWithinItsLength is GHSA-gjrg-jjr3-56cm: one of no octets
// must not borrow those of the next.
func TestACapabilityIsReadWithinItsLength(t *testing.T) {
	for _, code := range []byte{CapMultiprotocol, CapFourOctetAS, CapGracefulRestart, CapRole} {
		_, err := ParseOpen(openBytes(10, 2, 8, code, 0, CapFourOctetAS, 4, 0, 0, 0xfb, 0xf4))
		var n *Notification
		if !errors.As(err, &n) || n.Code != CodeOpen {
			t.Errorf("capability %d without octets: %v, want NOTIFICATION of code 2", code, err)
		}
	}
	for _, code := range []byte{CapAddPath, CapLongLived, CapExtendedNextHop} { // lists, which may be empty
		if o, err := ParseOpen(openBytes(10, 2, 8, code, 0, CapFourOctetAS, 4, 0, 0, 0xfb, 0xf4)); err != nil || o.ASN != 64500 {
			t.Errorf("an empty capability %d: %v", code, err)
		}
	}
}
