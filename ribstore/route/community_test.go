package route

import (
	"encoding/hex"
	"fmt"
	"slices"
	"testing"
)

func TestCommunityText(t *testing.T) {
	tests := []struct {
		name, want, wellKnown string
		c                     Community
	}{
		{"a plain one", "64500:100", "", 64500<<16 | 100},
		{"zero", "0:0", "", 0},
		{"graceful shutdown (RFC 8326)", "65535:0", "graceful-shutdown", 0xffff0000},
		{"LLGR stale (RFC 9494)", "65535:6", "llgr-stale", LLGRStale},
		{"no LLGR", "65535:7", "no-llgr", NoLLGR},
		{"blackhole (RFC 7999)", "65535:666", "blackhole", 0xffff029a},
		{"no export", "65535:65281", "no-export", 0xffffff01},
		{"no peer (RFC 3765)", "65535:65284", "no-peer", 0xffffff04},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.c.String() != tt.want || tt.c.Name() != tt.wellKnown {
				t.Errorf("%q, name %q, want %q, %q", tt.c, tt.c.Name(), tt.want, tt.wellKnown)
			}
		})
	}
}

func TestExtCommunityText(t *testing.T) {
	tests := []struct{ name, octets, want string }{
		{"route target of an AS", "0002fbf400000001", "rt:64500:1"},
		{"route target, not transitive", "4002fbf400000001", "generic:4002fbf400000001"},
		{"route origin of an address, not transitive", "4103c00002010064", "generic:4103c00002010064"},
		{"route target of an IPv6 address, not transitive", "400220010db80000000000000000000000010064", "generic:400220010db80000000000000000000000010064"},
		{"route origin of an AS", "0003fbf400000001", "ro:64500:1"},
		{"route target of an address", "0102c00002010064", "rt:192.0.2.1:100"},
		{"route target of a four-octet AS", "0202fa56ea000064", "rt:4200000000:100"},
		{"origin validation (RFC 8097)", "4300000000000000", "rpki:valid"},
		{"origin validation not found", "4300000000000001", "rpki:not-found"},
		{"origin validation invalid", "4300000000000002", "rpki:invalid"},
		{"origin validation undefined", "4300000000000009", "rpki:9"},
		{"another subtype", "0004fbf400000001", "generic:0004fbf400000001"},
		{"an opaque one", "030c000000000008", "generic:030c000000000008"},
		{"a type with the subtype of a route target", "0602000000000001", "generic:0602000000000001"},
		{"route target of an IPv6 address (RFC 5701)", "000220010db80000000000000000000000010064", "rt:2001:db8::1:100"},
		{"another of an IPv6 address", "000b20010db80000000000000000000000010064", "generic:000b20010db80000000000000000000000010064"},
		{"rate of traffic (RFC 8955)", "8006fbf447f42400", "traffic-rate:64500:125000"},
		{"no traffic", "8006000000000000", "traffic-rate:0:0"},
		{"half an octet a second", "800600003f000000", "traffic-rate:0:0.5"},
		{"rate of packets", "800cfbf442c80000", "traffic-rate-packets:64500:100"},
		{"rate that is no number", "8006fbf47fc00000", "generic:8006fbf47fc00000"},
		{"negative rate", "8006fbf4bf800000", "generic:8006fbf4bf800000"},
		{"action: sample, the last", "8007000000000003", "traffic-action:sample-terminal"},
		{"action: sample", "8007000000000002", "traffic-action:sample"},
		{"redirection to a route target of an AS", "8008fbf400000064", "redirect:64500:100"},
		{"redirection to that of an address", "8108c00002010064", "redirect:192.0.2.1:100"},
		{"redirection to that of a four-octet AS", "8208fa56ea000064", "redirect:4200000000:100"},
		{"redirection to that of an IPv6 address (RFC 8956)", "000d20010db80000000000000000000000010064", "redirect:2001:db8::1:100"},
		{"marking", "800900000000002e", "traffic-marking:46"},
		{"another of flow specifications", "800a000000000000", "generic:800a000000000000"},
		{"damaged", "00", "generic:00"},
		{"nothing", "", "generic:"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			octets, err := hex.DecodeString(tt.octets)
			if err != nil {
				t.Fatal(err)
			}
			if got := ExtCommunity(octets).String(); got != tt.want {
				t.Errorf("ExtCommunity(%s) = %q, want %q", tt.octets, got, tt.want)
			}
		})
	}
}

func TestListsOfCommunities(t *testing.T) {
	c := Communities{0xfb, 0xf4, 0, 1, 0xfb, 0xf4, 0, 2}
	if got := fmt.Sprint(slices.Collect(c.All())); got != "[64500:1 64500:2]" || c.Len() != 2 || c.Has(3) {
		t.Errorf("%s, length %d", got, c.Len())
	}
	l := LargeCommunities(make([]byte, 24))
	l[3], l[23] = 1, 2
	if got := fmt.Sprint(slices.Collect(l.All())); got != "[1:0:0 0:0:2]" || l.Len() != 2 {
		t.Errorf("%s, length %d", got, l.Len())
	}
	for range c.All() { // stopping early is safe
		break
	}
	for range l.All() {
		break
	}
}

func TestFamilies(t *testing.T) {
	for i, f := range Families() {
		again, ok := FamilyOf(f.AFI(), f.SAFI())
		parsed, err := ParseFamily(f.String())
		text, _ := f.MarshalText()
		if int(f) != i || !ok || again != f || err != nil || parsed != f || string(text) != f.String() {
			t.Errorf("%v: index %d, FamilyOf %v, ParseFamily %v, %v", f, i, again, parsed, err)
		}
		if want := map[bool]int{false: 32, true: 128}[f.IsIPv6()]; f.Bits() != want {
			t.Errorf("%v: %d bits", f, f.Bits())
		}
	}
	for _, numbers := range [][2]uint16{{0, 1}, {3, 1}, {1, 0}, {1, 3}, {1, 128}, {25, 70}} {
		if f, ok := FamilyOf(numbers[0], uint8(numbers[1])); ok {
			t.Errorf("FamilyOf(%v) = %v, want none", numbers, f)
		}
	}
	if f, err := ParseFamily("ipv6"); f != IPv6Unicast || err != nil {
		t.Errorf("ParseFamily(ipv6) = %v, %v", f, err)
	}
	if _, err := ParseFamily("vpnv4"); err == nil {
		t.Error("ParseFamily(vpnv4): no error")
	}
}

func TestReleaseRecyclesOnce(t *testing.T) {
	n := 0
	b := Batch{Updates: []Update{{}}, Recycle: func() { n++ }}
	b.Release()
	b.Release()
	if n != 1 || b.Updates != nil {
		t.Errorf("recycled %d times, updates %v", n, b.Updates)
	}
}
