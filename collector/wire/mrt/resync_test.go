package mrt

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

// resyncStream is a stream of so many updates, one prefix each, and where they begin.
func resyncStream(t *testing.T, n int) (stream []byte, starts []int) {
	t.Helper()
	for i := range n {
		starts = append(starts, len(stream))
		prefix := fmt.Sprintf("10.0.%d.0/24", i)
		stream = append(stream, written(t, func(w *Writer) error {
			return w.Update(moment().Add(time.Duration(i)*time.Second), session(64500, "192.0.2.1"), update(64500, prefix), false)
		})...)
	}
	return stream, starts
}

// prefixesOf returns the prefixes that a stream announces, and the report.
func prefixesOf(t *testing.T, stream io.Reader) (prefixes []string, r Report) {
	t.Helper()
	s, err := NewSource(stream, SourceOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for {
		b, err := s.Next()
		if err != nil {
			return prefixes, s.Report()
		}
		for i := range b.Updates {
			for _, n := range b.Updates[i].NLRI {
				prefixes = append(prefixes, n.Prefix.String())
			}
		}
		b.Release()
	}
}

func TestRecordsBehindABrokenOneAreRead(t *testing.T) {
	const records = 40
	setLength := func(b []byte, n uint32) { binary.BigEndian.PutUint32(b[8:], n) }
	for _, tt := range []struct {
		name  string
		spoil func(stream []byte, starts []int) []byte
		lost  []int // of the records
		kind  Skipped
		text  string
	}{
		{"a length beyond all bounds", func(b []byte, at []int) []byte { setLength(b[at[2]:], 0xffffffff); return b }, []int{2}, SkippedRecord, "record 3 at offset 166 (BGP4MP_ET/4): length 4294967295, at most 33554432: 83 octets are passed over"},
		{"a length beyond the end", func(b []byte, at []int) []byte { setLength(b[at[2]:], 1<<20); return b }, []int{2}, SkippedRecord, "unexpected EOF: 83 octets are passed over"},
		{"a length that reaches into a later record", func(b []byte, at []int) []byte { setLength(b[at[2]:], 400); return b }, []int{2}, SkippedRecord, "length 400, but a record begins after 83 octets"},
		{"a length that is too small", func(b []byte, at []int) []byte { setLength(b[at[2]:], 50); return b }, []int{2}, SkippedOrphans, "octets that belong to no record"},
		{"a record that breaks off", func(b []byte, at []int) []byte { return slices.Delete(b, at[2]+40, at[3]) }, []int{2}, SkippedRecord, "but a record begins after 40 octets"},
		{"a record whose beginning is gone", func(b []byte, at []int) []byte { return slices.Delete(b, at[2], at[2]+20) }, []int{2}, SkippedOrphans, "63 octets that belong to no record"},
		{"the first record's length", func(b []byte, _ []int) []byte { setLength(b, 0xffffffff); return b }, []int{0}, SkippedRecord, "83 octets are passed over"},
		{"zeros between records, more than are searched at a time", func(b []byte, at []int) []byte { return slices.Insert(b, at[20], make([]byte, 300_000)...) }, nil, SkippedOrphans, "300000 octets that belong to no record"},
		{"headers of another time among what is passed over", func(b []byte, at []int) []byte {
			decoy := []byte{2, 0, 0, 0, 0, 16, 0, 4, 0, 0, 0, 4, 1, 2, 3, 4} // BGP4MP of 1971
			return slices.Insert(b, at[20], slices.Concat(make([]byte, 16), decoy, decoy)...)
		}, nil, SkippedOrphans, "48 octets that belong to no record"},
		{"the last record is spoiled", func(b []byte, at []int) []byte { setLength(b[at[39]:], 4); return b }, []int{39}, SkippedRest, "octets that belong to no record"},
		{"files of times far apart, one after the other", func(b []byte, at []int) []byte {
			for i := 20; i < records; i++ {
				binary.BigEndian.PutUint32(b[at[i]:], binary.BigEndian.Uint32(b[at[i]:])+1e8)
			}
			return b
		}, nil, "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			stream, starts := resyncStream(t, records)
			var want []string
			for i := range records {
				if !slices.Contains(tt.lost, i) {
					want = append(want, fmt.Sprintf("10.0.%d.0/24", i))
				}
			}
			stream = tt.spoil(stream, starts)
			for name, in := range map[string]io.Reader{"at once": bytes.NewReader(stream), "octet by octet": iotest.OneByteReader(bytes.NewReader(stream))} {
				got, r := prefixesOf(t, in)
				if !slices.Equal(got, want) {
					t.Errorf("%s: read %v, want %v", name, got, want)
				}
				if text := fmt.Sprint(errors.Join(r.Errors...)); tt.kind != "" && (r.Skipped[tt.kind] == 0 || !strings.Contains(text, tt.text)) {
					t.Errorf("%s: skipped %v: %s; want %q and %q", name, r.Skipped, text, tt.kind, tt.text)
				} else if tt.kind == "" && len(r.Skipped) > 0 {
					t.Errorf("%s: skipped %v: %s; want nothing", name, r.Skipped, text)
				}
			}
		})
	}
}

// TestWhatIsNoMRTIsNotSearchedWithoutEnd reads a stream without a record, which never
// ends.
func TestWhatIsNoMRTIsNotSearchedWithoutEnd(t *testing.T) {
	octets := &endlessText{}
	s, err := NewSource(octets, SourceOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.Next(); err == nil || errors.Is(err, io.EOF) {
		t.Errorf("Next = %v, want an error", err)
	}
	if octets.n > 4<<20 {
		t.Errorf("%d octets were read", octets.n)
	}
}

type endlessText struct{ n int }

func (e *endlessText) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = "no MRT at all. "[(e.n+i)%15]
	}
	e.n += len(b)
	return len(b), nil
}

// A stream that breaks after any number of octets of its first record ends with the
// reason, also when there is not one.
func TestAStreamThatBreaksEndsWithItsReason(t *testing.T) {
	broken := errors.New("the stream is broken")
	for octets := range 2 * headerLen {
		s, err := NewSource(io.MultiReader(bytes.NewReader(make([]byte, octets)), iotest.ErrReader(broken)), SourceOptions{})
		if err != nil {
			if !errors.Is(err, broken) {
				t.Errorf("after %d octets: NewSource = %v", octets, err)
			}
			continue
		}
		for err == nil {
			_, err = s.Next()
		}
		if !errors.Is(err, broken) {
			t.Errorf("after %d octets: Next = %v, want the reason of the stream", octets, err)
		}
		s.Close()
	}
}
