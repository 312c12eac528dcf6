package mrt

import (
	"encoding/hex"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ribglass/collector/wire"
)

func octets(t *testing.T, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestOlderTypes(t *testing.T) {
	const updateBody = "0000" + "0012" + "40010100" + "4002040201fbf4" + "400304c0000201" + "18c63364"
	for _, tt := range []struct {
		name          string
		kind, subtype uint16
		body          string
		want          []string
	}{
		{
			"TABLE_DUMP of IPv4, AS numbers of two octets", 12, 1,
			"00000000" + "c6336400" + "18" + "01" + "6a000000" + "c0000201" + "fbf4" + "0012" +
				"40010100" + "4002040201fbf4" + "400304c0000201",
			[]string{"AS64500-192.0.2.1 up", "AS64500-192.0.2.1 announces 198.51.100.0/24"},
		},
		{
			"TABLE_DUMP of IPv6, AS numbers of four octets", 12, 4,
			"00000000" + "20010db8000000000000000000000000" + "20" + "01" + "6a000000" + "20010db8000000000000000000000001" + "fa56ea00" + "0021" +
				"40010100" + "4002060201fa56ea00" + "800e11" + "10" + "20010db8000000000000000000000001",
			[]string{"AS4200000000-2001:db8::1 up", "AS4200000000-2001:db8::1 announces 2001:db8::/32"},
		},
		{
			"BGP4MP_ENTRY as OpenBGPD writes it, without the length of the attributes", 16, 2,
			"fbf4fbf4" + "0000" + "0001" + "c0000201c0000202" + "00000001" + "6a000000" + "000101" + "04c0000201" + "18c63364" +
				"40010100" + "4002040201fbf4",
			[]string{"AS64500-192.0.2.1 up", "AS64500-192.0.2.1 announces 198.51.100.0/24"},
		},
		{
			"BGP4MP_ENTRY with the length", 16, 2,
			"fbf4fbf4" + "0000" + "0001" + "c0000201c0000202" + "00000001" + "6a000000" + "000101" + "04c0000201" + "18c63364" +
				"000b" + "40010100" + "4002040201fbf4",
			[]string{"AS64500-192.0.2.1 up", "AS64500-192.0.2.1 announces 198.51.100.0/24"},
		},
		{
			"UPDATE of the type BGP", 5, 1, "fbf4c0000201" + "fbf0c0000202" + updateBody,
			[]string{"AS64500-192.0.2.1 up", "AS64500-192.0.2.1 announces 198.51.100.0/24"},
		},
		{"KEEPALIVE of the type BGP", 5, 7, "fbf4c0000201" + "fbf0c0000202", nil},
		{"state change of the type BGP", 5, 3, "fbf4c0000201" + "0005" + "0006", []string{"AS64500-192.0.2.1 up"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, report := told(t, record(tt.kind, tt.subtype, octets(t, tt.body)...), SourceOptions{})
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("batches (-want +got):\n%s", diff)
			}
			if len(report.Skipped) > 0 {
				t.Errorf("skipped %v: %v", report.Skipped, report.Errors)
			}
			// Cut short anywhere, it is an error or less, never a panic.
			for n := range len(tt.body) / 2 {
				_, _ = told(t, record(tt.kind, tt.subtype, octets(t, tt.body[:2*n])...), SourceOptions{})
			}
		})
	}
}

// TestOlderMessagesAreWhole: their records lack the header, the Message has it.
func TestOlderMessagesAreWhole(t *testing.T) {
	stream := record(5, 7, octets(t, "fbf4c0000201fbf0c0000202")...)
	got := readAll(t, stream)
	want := &Message{Session: Session{
		PeerASN: 64500, LocalASN: 64496, PeerAddress: netip.MustParseAddr("192.0.2.1"), LocalAddress: netip.MustParseAddr("192.0.2.2"),
	}, Bytes: wire.AppendKeepalive(nil)}
	want.Header = got[0].(*Message).Header
	if diff := cmp.Diff([]Record{want}, got, compareRecords()); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
}

func TestGenericTable(t *testing.T) {
	for _, tt := range []struct {
		name, body string
		want       []string
		skipped    map[Skipped]int
	}{
		{
			"of a family that is kept",
			"00000000" + "000101" + "18c63364" + "0001" + "0000" + "6a000000" + "0014" + "40010100" + "4002060201" + "0000fbf4" + "400304c0000201",
			[]string{"AS64500-198.51.100.1 up", "AS64500-198.51.100.1 announces 198.51.100.0/24"},
			nil,
		},
		{"of another", "00000000" + "000180" + "00" + "0000", nil, map[Skipped]int{SkippedType: 1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, report := told(t, append(onePeer(), record(13, 6, octets(t, tt.body)...)...), SourceOptions{})
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("batches (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.skipped, report.Skipped); diff != "" {
				t.Errorf("skipped (-want +got):\n%s: %v", diff, report.Errors)
			}
		})
	}
}
