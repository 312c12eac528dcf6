package mrt

import (
	"bytes"
	"testing"

	"ribglass/ribstore/route"
)

// BIRD leaves the flags out of attributes that it added to a route itself.
func TestFlagsThatWereLeftOutAreKnownFromTheCode(t *testing.T) {
	attributes := []struct{ flags, code, length, value byte }{
		{0x40, 1, 1, 0},
		{0x40, 3, 4, 10},
		{0x80, 4, 4, 1},
		{0x40, 5, 4, 2},
		{0x40, 6, 0, 0},
		{0xc0, 8, 4, 3},
		{0x80, 9, 4, 4},
		{0x80, 10, 4, 5},
		{0xc0, 16, 8, 6},
		{0xc0, 32, 12, 7},
		{0xc0, 99, 1, 8},
	}
	encode := func(mask byte) []byte {
		b := []byte{0x40 & mask, 2, 0}
		for _, a := range attributes {
			b = append(b, a.flags&mask, a.code, a.length)
			b = append(b, bytes.Repeat([]byte{a.value}, int(a.length))...)
		}
		return b
	}
	rib := RIB{Family: route.IPv4Unicast}
	want, report, err := NewDecoder().Attrs(&rib, Entry{Attributes: encode(0xff)})
	if err != nil || len(report.Discarded) > 0 {
		t.Fatalf("with flags: %v, %+v", err, report)
	}
	without := encode(0)
	as := bytes.Clone(without)
	got, report, err := NewDecoder().Attrs(&rib, Entry{Attributes: without})
	if err != nil || len(report.Discarded) > 0 || !bytes.Equal(got, want) {
		t.Errorf("without flags: %v, %+v\n%x, want\n%x", err, report, got, want)
	}
	if !bytes.Equal(as, without) {
		t.Error("the octets of the file were changed")
	}
	if _, _, err := NewDecoder().Attrs(&rib, Entry{Attributes: bytes.Replace(encode(0xff), []byte{0x40, 5}, []byte{0xc0, 5}, 1)}); err == nil {
		t.Error("flags that are there and wrong are no error")
	}
}
