package web

import (
	"net/netip"
	"testing"
	"time"
)

func TestCellsOfNoValueAreEmpty(t *testing.T) {
	at := time.Date(2026, 11, 22, 4, 0, 0, 500_000_000, time.FixedZone("", 3600))
	for _, row := range []struct{ name, got, want string }{
		{"a time", string(AppendCSVTime(nil, at)), "2026-11-22T03:00:00.5Z"},
		{"no time", string(AppendCSVTime(nil, time.Time{})), ""},
		{"true", string(AppendCSVTrue(nil, true)), "true"},
		{"false", string(AppendCSVTrue(nil, false)), ""},
		{"an address", string(AppendCSVAddr(nil, netip.MustParseAddr("2001:db8::1"))), "2001:db8::1"},
		{"no address", string(AppendCSVAddr(nil, netip.Addr{})), ""},
	} {
		if row.got != row.want {
			t.Errorf("%s is %q, want %q", row.name, row.got, row.want)
		}
	}
}
