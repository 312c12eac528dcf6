package query

import (
	"net/netip"
	"testing"

	"pgregory.net/rapid"

	"ribglass/ribstore/query/querytest"
)

func TestBogonsEqualASearchOfTheBlocks(t *testing.T) {
	for text, want := range map[string]bool{
		"0.0.0.0/0": true, "::/0": true, "10.0.0.0/8": true, "8.0.0.0/7": false, "10.1.2.3/32": true, "11.0.0.0/8": false,
		"192.0.2.0/24": true, "192.0.0.0/23": false, "224.0.0.0/3": true, "240.0.0.0/4": true, "192.0.0.0/2": false,
		"2001:db8:1::/48": true, "2001:db9::/32": false, "fd00::/8": true, "fc00::/6": false, "::ffff:0:0/96": true, "2000::/3": false,
	} {
		if got := isBogon(netip.MustParsePrefix(text)); got != want {
			t.Errorf("isBogon(%s) = %v, want %v", text, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		p := querytest.Prefix(t)
		want := p.Bits() == 0
		for _, b := range bogons {
			want = want || b.Bits() <= p.Bits() && b.Contains(p.Addr())
		}
		if got := isBogon(p); got != want {
			t.Fatalf("isBogon(%v) = %v, want %v", p, got, want)
		}
	})
}
