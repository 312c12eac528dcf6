package mrt

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/klauspost/compress/zstd"
)

// census counts the records of each kind, and the entries and errors.
type census struct {
	PeerIndex, RIB, Entries, Message, StateChange, Other, Bad int
	Final                                                     string
}

func count(r *Reader) census {
	var c census
	for {
		record, err := r.Next()
		var e *Error
		switch {
		case errors.Is(err, io.EOF):
			return c
		case errors.As(err, &e) && e.Final:
			c.Final = err.Error()
			return c
		case err != nil:
			c.Bad++
			continue
		}
		switch record := record.(type) {
		case *PeerIndex:
			c.PeerIndex++
		case *RIB:
			c.RIB++
			c.Entries += len(record.Entries)
		case *Message:
			c.Message++
		case *StateChange:
			c.StateChange++
		case *Other:
			c.Other++
		}
	}
}

func TestRealFiles(t *testing.T) {
	for _, tt := range []struct {
		name, file string
		want       census
	}{
		{"ADD-PATH table, gzip", "bgpdump-bview.ipv4_unicast_add_path.gz", census{PeerIndex: 1, RIB: 31, Entries: 62}},
		{"table of IPv4, bzip2", "ryu-rib.20161101.0000_pick.bz2", census{PeerIndex: 1, RIB: 2, Entries: 4}},
		{"messages with ADD-PATH, plain", "mrtparse-bird-mrtdump_bgp", census{Message: 15, StateChange: 12}},
		{"RIB_GENERIC is framed and not read", "mrtparse-openbgpd_rib_table-v2", census{PeerIndex: 1, RIB: 21, Entries: 31, Other: 2}},
		{"no PEER_INDEX_TABLE: each record says so", "pyasn-bview.20140112.1600_3samples.bz2", census{Bad: 3}},
		{"records without addresses (an old Zebra) are refused one by one", "bgpkit-rrc01_2000.11_updates.20001104.0124.gz", census{Message: 901, StateChange: 322, Bad: 63}},
		{
			"records behind damaged boundaries are found", "bgpkit-rrc00_2000.03_updates.20000325.0345.gz",
			census{Message: 2273, StateChange: 307, Bad: 2},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, count(open(t, filepath.Join("testdata", tt.file)))); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tt.file, diff)
			}
		})
	}
}

// record frames a body.
func record(kind, subtype uint16, body ...byte) []byte {
	b := []byte{0x4c, 0xd7, 0x26, 0xf8}
	b = binary.BigEndian.AppendUint16(b, kind)
	b = binary.BigEndian.AppendUint16(b, subtype)
	b = binary.BigEndian.AppendUint32(b, uint32(len(body)))
	return append(b, body...)
}

// onePeer is a PEER_INDEX_TABLE with one IPv4 peer of a two-octet AS.
func onePeer() []byte {
	return record(13, 1, 192, 0, 2, 10, 0, 1, 'v', 0, 1, 0, 192, 0, 2, 1, 198, 51, 100, 1, 0xfb, 0xf4)
}

func TestDamageWithinARecord(t *testing.T) {
	for _, tt := range []struct {
		name   string
		record []byte
		want   string
	}{
		{"a prefix longer than its family", record(13, 2, 0, 0, 0, 0, 33, 1, 2, 3, 4, 5, 0, 0), "ipv4-unicast prefix length 33"},
		{"a prefix cut short", record(13, 2, 0, 0, 0, 0, 24, 1, 2), "ends within a field"},
		{"fewer entries than counted", record(13, 2, 0, 0, 0, 0, 8, 1, 0, 2), "entry 0 of 2 of 1.0.0.0/8"},
		{"more than the entries", record(13, 2, 0, 0, 0, 0, 8, 1, 0, 0, 9), "1 octets after the last entry"},
		{"a peer count that lies", record(13, 1, 192, 0, 2, 10, 0, 0, 0xff, 0xff), "peer 0 of 65535"},
		{"an address family of no address", record(16, 1, 0, 1, 0, 2, 0, 0, 0, 3), "address family 3"},
		{"microseconds of more than a second", record(17, 1, 0, 0x0f, 0x42, 0x40), "1000000 microseconds"},
		{"an empty message", record(16, 4), "ends within a field"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			stream := append(onePeer(), tt.record...)
			r, err := NewReader(bytes.NewReader(append(stream, onePeer()...)))
			if err != nil {
				t.Fatal(err)
			}
			if _, err = r.Next(); err != nil {
				t.Fatal(err)
			}
			_, err = r.Next()
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "record 2 at offset 32") {
				t.Errorf("Next = %v, want record 2 at offset 32 and %q", err, tt.want)
			}
			if next, err := r.Next(); err != nil {
				t.Errorf("after it: %v, %v, want the next record", next, err)
			}
		})
	}
}

func TestDamageToTheFraming(t *testing.T) {
	for _, tt := range []struct {
		name   string
		stream []byte
		want   string
	}{
		{"header cut short", onePeer()[:5], "header: unexpected EOF"},
		{"body cut short", onePeer()[:20], "body: 8 of 20 octets"},
		{"absurd length", []byte("\x00\x00\x00\x00\x00\x0d\x00\x02\xff\xff\xff\xff"), "length 4294967295"},
		{"gzip cut short", zipped(onePeer())[:30], "unexpected EOF"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, err := NewReader(bytes.NewReader(tt.stream))
			if err != nil {
				t.Fatal(err)
			}
			for range 2 { // the error stays
				_, err = r.Next()
				var e *Error
				if !errors.As(err, &e) || !e.Final || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("Next = %v, want a final error with %q", err, tt.want)
				}
			}
		})
	}
}

func zipped(b []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, _ = w.Write(b)
	_ = w.Close()
	return out.Bytes()
}

func TestCompressionIsSeen(t *testing.T) {
	encoder, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	want := &PeerIndex{
		Collector: netip.MustParseAddr("192.0.2.10"), View: "v",
		Peers: []Peer{{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("198.51.100.1"), 64500}},
	}
	for name, stream := range map[string][]byte{
		"plain": onePeer(), "gzip": zipped(onePeer()), "zstd": encoder.EncodeAll(onePeer(), nil),
	} {
		t.Run(name, func(t *testing.T) {
			r, err := NewReader(bytes.NewReader(stream))
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			got, err := r.Next()
			if err != nil {
				t.Fatal(err)
			}
			compare := cmp.Options{cmpopts.EquateComparable(netip.Addr{}), cmpopts.IgnoreTypes(Header{})}
			if diff := cmp.Diff(Record(want), got, compare); diff != "" {
				t.Errorf("Next (-want +got):\n%s", diff)
			}
		})
	}
}

// addFiles adds the first records of the files in testdata, decompressed.
func addFiles(f *testing.F) {
	f.Helper()
	files, err := filepath.Glob("testdata/*-*")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range files {
		r, err := os.Open(name)
		if err != nil {
			f.Fatal(err)
		}
		plain, closer, err := decompress(bufio.NewReader(r))
		if err != nil {
			f.Fatal(err)
		}
		b, _ := io.ReadAll(io.LimitReader(plain, 4000))
		closer()
		_ = r.Close()
		f.Add(b)
	}
}

// FuzzReader looks for input that panics, that makes the reader go on for ever,
// or that decodes to a prefix its family cannot have.
func FuzzReader(f *testing.F) {
	addFiles(f)
	f.Add(append(onePeer(), record(13, 2, 0, 0, 0, 0, 8, 1, 0, 0)...))
	f.Fuzz(func(t *testing.T, stream []byte) {
		r, err := NewReader(bytes.NewReader(stream))
		if err != nil {
			return
		}
		defer r.Close()
		d := NewDecoder()
		for range len(stream) + 1 {
			record, err := r.Next()
			var e *Error
			if errors.Is(err, io.EOF) || errors.As(err, &e) && e.Final {
				return
			}
			rib, ok := record.(*RIB)
			if !ok {
				continue
			}
			if rib.Prefix != rib.Prefix.Masked() || rib.Prefix.Addr().Is4() == rib.Family.IsIPv6() {
				t.Errorf("prefix %v of %v", rib.Prefix, rib.Family)
			}
			for _, entry := range rib.Entries {
				checkAttrs(t, d, rib, entry)
			}
		}
		// A compressed stream may hold more records than it has octets.
	})
}

func checkAttrs(t *testing.T, d *Decoder, rib *RIB, e Entry) {
	t.Helper()
	attrs, _, err := d.Attrs(rib, e)
	if err != nil {
		return
	}
	last := -1 // type 0 is reserved, but may come
	for c := range attrs.All() {
		code := int(c)
		if code <= last {
			t.Errorf("attribute %d after %d in %x", code, last, []byte(attrs))
		}
		last = code
	}
}
