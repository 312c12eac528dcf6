package route

import (
	"strings"
	"testing"
)

func TestAWithdrawalCarriesItsFault(t *testing.T) {
	tests := []struct {
		fault         Fault
		text, subject string
	}{
		{Fault{AttrASPath, "AS 0"}, "attribute 2 (AS_PATH): AS 0", "AS_PATH"},
		{Fault{99, "length 3, have 1 octets"}, "attribute 99: length 3, have 1 octets", "attribute 99"},
		{Fault{0, "2 octets left over"}, "2 octets left over", "UPDATE"},
		{Fault{AttrOrigin, ""}, "attribute 1 (ORIGIN): ", "ORIGIN"},
	}
	for _, tt := range tests {
		u := Update{Attrs: AppendFault(nil, tt.fault)}
		got, ok := u.Fault()
		if got != tt.fault || !ok || !u.Withdraw() {
			t.Errorf("Fault() = %+v, %v, want %+v", got, ok, tt.fault)
		}
		if got.String() != tt.text || got.Subject() != tt.subject {
			t.Errorf("%q, %q, want %q, %q", got, got.Subject(), tt.text, tt.subject)
		}
	}
	long, ok := Update{Attrs: AppendFault(nil, Fault{2, strings.Repeat("x", 1000)})}.Fault()
	if !ok || len(long.Reason) != maxFault {
		t.Errorf("a long reason has %d octets, %v, want %d", len(long.Reason), ok, maxFault)
	}
	for _, plain := range []Attrs{nil, {}, {0, 2, 0xc0, 1}, {0, 255, 1, 0}, Attrs{}.AppendAttr(0, make([]byte, 300)), Attrs{}.AppendAttr(AttrOrigin, []byte{1})} {
		if f, ok := (Update{Attrs: plain}).Fault(); ok {
			t.Errorf("%x is taken for %v", plain, f)
		}
	}
}
