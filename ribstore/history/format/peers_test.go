package format

import (
	"bytes"
	"errors"
	"net/netip"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"ribglass/ribstore/route"
)

// peerByHand is a peer as docs/history.md describes it.
var peerByHand = slices.Concat(
	[]byte{1},                              // version
	[]byte{42},                             // octets that follow
	[]byte("\x05edge1"), []byte("\x03r1 "), // name, router
	[]byte("\x00"), []byte("\x06uplink"), // group, description
	[]byte{4, 192, 0, 2, 1},    // address
	[]byte{4, 10, 0, 0, 1},     // router ID
	[]byte{0xf4, 0xfb, 0x03},   // AS 65012
	[]byte{0x80, 0xfc, 0x03},   // local AS 65024
	[]byte{0x82},               // ADD-PATH for the second family; another member AS
	[]byte{byte(route.LocRIB)}, // view
)

func TestAPeerIsWrittenAsDescribed(t *testing.T) {
	want := &route.Peer{
		Name: "edge1", Router: "r1 ", Description: "uplink", View: route.LocRIB, ASN: 65012, LocalASN: 65024, Confederation: true,
		Address: netip.MustParseAddr("192.0.2.1"), RouterID: netip.MustParseAddr("10.0.0.1"),
	}
	want.AddPath[1] = true
	octets := slices.Clone(peerByHand)
	octets[1] = byte(len(octets) - 2)
	if got := appendPeer(nil, want); !bytes.Equal(got, octets) {
		t.Errorf("appendPeer = %x, want %x", got, octets)
	}
	r := reader{b: octets}
	if got := r.peer(); r.end() != nil || cmp.Diff(want, got, cmpopts.EquateComparable(netip.Addr{})) != "" {
		t.Errorf("peer = %+v, %v, want %+v", got, r.err, want)
	}
}

func TestAPeerOfAnotherVersion(t *testing.T) {
	fields := peerByHand[2:]
	with := func(version byte, fields []byte) []byte { return appendPart([]byte{version}, fields) }
	unknown := slices.Clone(fields)
	unknown[len(unknown)-1] = byte(route.NumViews)
	rows := []struct {
		name   string
		octets []byte
		right  bool
	}{
		{"this version", with(1, fields), true},
		{"a later version with the same fields", with(2, fields), true},
		{"a later version with more fields", with(7, append(slices.Clone(fields), "more of them"...)), true},
		{"this version with more fields", with(1, append(slices.Clone(fields), 0)), false},
		{"no version", with(0, fields), false},
		{"fewer fields than the first version had", with(1, fields[:len(fields)-1]), false},
		{"fewer fields in a later version", with(2, fields[:len(fields)-1]), false},
		{"a view that nobody knows", with(1, unknown), false},
		{"fields that are cut off", with(1, fields)[:20], false},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			r := reader{b: append(slices.Clone(row.octets), "what follows"...)}
			if row.name == "fields that are cut off" {
				r.b = row.octets
			}
			p := r.peer()
			if !row.right {
				if !errors.Is(r.err, ErrDamaged) {
					t.Fatalf("peer = %+v, %v, want ErrDamaged", p, r.err)
				}
				return
			}
			if r.err != nil || p.Name != "edge1" || p.View != route.LocRIB || string(r.b) != "what follows" {
				t.Errorf("peer = %+v, %v, and %q follows", p, r.err, r.b)
			}
		})
	}
}
