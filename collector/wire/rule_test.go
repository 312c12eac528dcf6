package wire

import (
	"net/netip"
	"testing"

	"ribglass/ribstore/route"
)

func TestTheFirstErrorOfTheMessageIsReported(t *testing.T) {
	const overrun = "c0080a fde80001" // says ten octets, has four
	tests := []struct {
		name, attributes, want, rule string
	}{
		{"an AS_PATH of a wrong length before the attributes that it swallows", origin + "40020802010000fde9400304" + "0a0000", "attribute 2 (AS_PATH): ", "RFC 7606 section 7.2"},
		{"AS 0 and then an overrun", origin + "40020602010000 0000" + hop + overrun, "attribute 2 (AS_PATH): AS 0", "RFC 7606 section 7.2"},
		{"an overrun, and what is behind it is missing", origin + overrun, "attribute 8 (COMMUNITIES): length 10", "RFC 7606 section 4"},
		{"two bad attributes out of order: the first in the message", "c00803 fde800" + "40010103" + path + hop, "attribute 8 (COMMUNITIES): length 3", "RFC 7606 section 7.8"},
		{"nothing but what is missing", path + hop, "attribute 1 (ORIGIN): missing", "RFC 7606 section 3 (d)"},
		{"wrong flags", "80010100" + path + hop, "attribute 1 (ORIGIN): flags", "RFC 7606 section 3 (c)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var b Builder
			report, err := NewDecoder(testSession()).Update(body(t, "", tt.attributes, prefix), &b)
			if err != nil {
				t.Fatal(err)
			}
			checkReason(t, "treated as withdraw", report.TreatedAsWithdraw, tt.want)
			if got := RuleOf(report.TreatedAsWithdraw); got != tt.rule {
				t.Errorf("RuleOf(%v) = %q, want %q", report.TreatedAsWithdraw, got, tt.rule)
			}
			u := b.Updates()[0]
			if f, ok := u.Fault(); !ok || f.String() != report.TreatedAsWithdraw.Error() || !u.Withdraw() {
				t.Errorf("the withdrawal carries %q, %v, want %q", f, ok, report.TreatedAsWithdraw)
			}
		})
	}
}

func TestAnAttributeOfCode0IsNoFault(t *testing.T) {
	var b Builder
	_, err := NewDecoder(testSession()).Update(body(t, "", origin+path+hop+"c00006"+"010241532030", prefix), &b)
	if err != nil {
		t.Fatal(err)
	}
	u := b.Updates()[0]
	if _, ok := u.Fault(); ok || u.Withdraw() {
		t.Errorf("%x is taken for a withdrawal", u.Attrs)
	}
}

func TestTheReasonOfAWithdrawalIsNotSent(t *testing.T) {
	u := route.Update{Attrs: route.AppendFault(nil, route.Fault{Code: route.AttrASPath, Reason: "AS 0"}), NLRI: []route.NLRI{{Prefix: netip.MustParsePrefix("192.0.2.0/24")}}}
	if got, want := AppendUpdate(nil, testSession(), u, MaxLen), AppendUpdate(nil, testSession(), route.Update{NLRI: u.NLRI}, MaxLen); string(got) != string(want) {
		t.Errorf("AppendUpdate = %x, want %x", got, want)
	}
}
