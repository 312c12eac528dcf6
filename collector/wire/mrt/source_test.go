package mrt

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"ribglass/collector/wire"
	"ribglass/ribstore/route"
)

// moment is when the records of these tests were written.
func moment() time.Time { return time.Date(2026, 11, 22, 3, 12, 0, 250_000_000, time.UTC) }

func session(asn route.ASN, address string) Session {
	return Session{PeerASN: asn, LocalASN: 64496, PeerAddress: netip.MustParseAddr(address), LocalAddress: netip.MustParseAddr("192.0.2.254")}
}

// attrsOf returns a set with one AS in its path.
func attrsOf(asn route.ASN, nextHop string) route.Attrs {
	var a route.Attrs
	a = a.AppendAttr(route.AttrOrigin, []byte{0})
	a = a.AppendAttr(route.AttrASPath, []byte{2, 1, byte(asn >> 24), byte(asn >> 16), byte(asn >> 8), byte(asn)})
	return a.AppendAttr(route.AttrNextHop, netip.MustParseAddr(nextHop).AsSlice())
}

func update(asn route.ASN, prefixes ...string) route.Update {
	u := route.Update{Attrs: attrsOf(asn, "192.0.2.1")}
	for _, p := range prefixes {
		u.NLRI = append(u.NLRI, route.NLRI{Prefix: netip.MustParsePrefix(p)})
	}
	return u
}

// written returns what write writes.
func written(t testing.TB, write func(w *Writer) error) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := write(NewWriter(&b)); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// told returns the batches of a stream in words, and the final Report.
func told(t *testing.T, stream []byte, o SourceOptions) ([]string, Report) {
	t.Helper()
	s, err := NewSource(bytes.NewReader(stream), o)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var lines []string
	for {
		b, err := s.Next()
		var e *Error
		if errors.Is(err, io.EOF) || errors.As(err, &e) && e.Final {
			return lines, s.Report()
		}
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, words(b)...)
		b.Release()
	}
}

func words(b *Batch) (lines []string) {
	name := b.Peer.Name
	switch b.Event {
	case route.Routes:
		for _, u := range b.Updates {
			verb := "announces"
			if u.Withdraw() {
				verb = "withdraws"
			}
			for _, n := range u.NLRI {
				line := fmt.Sprintf("%s %s %v", name, verb, n.Prefix)
				if b.Peer.AddPath[u.Family] {
					line += fmt.Sprintf(" path %d", n.PathID)
				}
				lines = append(lines, line)
			}
		}
	case route.PeerUp:
		lines = append(lines, name+" up")
	case route.PeerDown:
		lines = append(lines, name+" down")
	case route.EndOfRIB:
		lines = append(lines, fmt.Sprintf("%s End-of-RIB %v", name, b.Family))
	case route.RefreshBegin:
		lines = append(lines, fmt.Sprintf("%s refresh of %v begins", name, b.Family))
	case route.RefreshEnd:
		lines = append(lines, fmt.Sprintf("%s refresh of %v ends", name, b.Family))
	default:
		lines = append(lines, fmt.Sprintf("%s event %d", name, b.Event))
	}
	return lines
}

func TestSourceEvents(t *testing.T) {
	at, one := moment(), session(64500, "192.0.2.1")
	state := func(w *Writer, s Session, before, after uint16) error {
		return w.StateChange(&StateChange{Header: Header{Time: at}, Session: s, Old: before, New: after})
	}
	for _, tt := range []struct {
		name  string
		write func(w *Writer) error
		want  []string
	}{
		{
			"a peer comes up before its first routes",
			func(w *Writer) error { return w.Update(at, one, update(64500, "198.51.100.0/24"), false) },
			[]string{"AS64500-192.0.2.1 up", "AS64500-192.0.2.1 announces 198.51.100.0/24"},
		},
		{
			"a session that is lost and comes back",
			func(w *Writer) error {
				return errors.Join(
					state(w, one, 5, 6),
					w.Update(at, one, update(64500, "198.51.100.0/24"), false),
					state(w, one, 6, 1), state(w, one, 1, 2), state(w, one, 2, 4), state(w, one, 5, 6),
					w.EndOfRIB(at, one, route.IPv6Unicast))
			},
			[]string{
				"AS64500-192.0.2.1 up", "AS64500-192.0.2.1 announces 198.51.100.0/24", "AS64500-192.0.2.1 down",
				"AS64500-192.0.2.1 up", "AS64500-192.0.2.1 End-of-RIB ipv6-unicast",
			},
		},
		{
			"messages of one time and peer are one batch, of two peers two, in their order",
			func(w *Writer) error {
				two := session(64501, "192.0.2.2")
				return errors.Join(
					w.Update(at, one, update(64500, "198.51.100.0/24"), false),
					w.Update(at, two, update(64501, "198.51.100.0/24"), false),
					w.Update(at, one, route.Update{NLRI: update(1, "198.51.100.0/24").NLRI}, false))
			},
			[]string{
				"AS64500-192.0.2.1 up", "AS64500-192.0.2.1 announces 198.51.100.0/24",
				"AS64501-192.0.2.2 up", "AS64501-192.0.2.2 announces 198.51.100.0/24",
				"AS64500-192.0.2.1 withdraws 198.51.100.0/24",
			},
		},
		{
			"two octets for an AS number that needs four are the peer's of that address",
			func(w *Writer) error {
				four := session(4_200_000_000, "192.0.2.4")
				m := Message{Header: Header{Time: at}, Session: four, Bytes: wire.AppendEndOfRIB(nil, route.IPv4Unicast)}
				return errors.Join(w.Update(at, four, update(4_200_000_000, "198.51.100.0/24"), false), w.Message(&m))
			},
			[]string{
				"AS4200000000-192.0.2.4 up", "AS4200000000-192.0.2.4 announces 198.51.100.0/24",
				"AS4200000000-192.0.2.4 End-of-RIB ipv4-unicast",
			},
		},
		{
			"routes with path identifiers and without are two peers, the session's end ends both",
			func(w *Writer) error {
				return errors.Join(
					w.Update(at, one, update(64500, "198.51.100.0/24"), false),
					w.Update(at, one, update(64500, "203.0.113.0/24"), true),
					state(w, one, 6, 1))
			},
			[]string{
				"AS64500-192.0.2.1 up", "AS64500-192.0.2.1 announces 198.51.100.0/24",
				"AS64500-192.0.2.1-add-path up", "AS64500-192.0.2.1-add-path announces 203.0.113.0/24 path 0",
				"AS64500-192.0.2.1 down", "AS64500-192.0.2.1-add-path down",
			},
		},
		{
			"a session without routes so far is whichever its first routes say",
			func(w *Writer) error {
				return errors.Join(state(w, one, 5, 6), w.Update(at, one, update(64500, "203.0.113.0/24"), true))
			},
			[]string{"AS64500-192.0.2.1 up", "AS64500-192.0.2.1 up", "AS64500-192.0.2.1 announces 203.0.113.0/24 path 0"},
		},
		{
			"what the collector sent is not the peer's",
			func(w *Writer) error {
				return w.Message(&Message{Header: Header{Time: at}, Session: one, Sent: true, Bytes: wire.AppendEndOfRIB(nil, route.IPv4Unicast)})
			},
			nil,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, report := told(t, written(t, tt.write), SourceOptions{})
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("batches (-want +got):\n%s", diff)
			}
			if len(report.Skipped) > 0 {
				t.Errorf("skipped %v: %v", report.Skipped, report.Errors)
			}
		})
	}
}

func indexOf(addresses ...string) []Peer {
	var peers []Peer
	for i, a := range addresses {
		peers = append(peers, Peer{RouterID: netip.AddrFrom4([4]byte{10, 0, 0, byte(i)}), Address: netip.MustParseAddr(a), ASN: 64500})
	}
	return peers
}

// table writes a table of IPv4 in which each peer of peers announces prefix.
func writeTable(w *Writer, at time.Time, index []Peer, prefix string, peers ...int) error {
	row := Row{Time: at, Family: route.IPv4Unicast, Prefix: netip.MustParsePrefix(prefix)}
	for _, p := range peers {
		row.Routes = append(row.Routes, Route{Peer: p, Originated: at.Add(-time.Hour), Attrs: attrsOf(64500, "192.0.2.1")})
	}
	return errors.Join(w.PeerIndex(netip.MustParseAddr("192.0.2.254"), "", index, at), w.RIB(&row))
}

func TestPeersKeepTheirNames(t *testing.T) {
	at, peers := moment(), NewPeers("rrc99")
	read := func(write func(w *Writer) error) []string {
		lines, _ := told(t, written(t, write), SourceOptions{Peers: peers})
		return slices.DeleteFunc(lines, func(line string) bool { return strings.HasSuffix(line, " up") })
	}
	table := func(w *Writer) error {
		return writeTable(w, at, indexOf("192.0.2.1", "2001:db8::1", "192.0.2.1"), "198.51.100.0/24", 0, 1, 2)
	}
	want := []string{
		"AS64500-192.0.2.1 announces 198.51.100.0/24",
		"AS64500-2001:db8::1 announces 198.51.100.0/24",
		"AS64500-192.0.2.1-10.0.0.2 announces 198.51.100.0/24",
	}
	if diff := cmp.Diff(want, read(table)); diff != "" {
		t.Errorf("a table (-want +got):\n%s", diff)
	}
	got := read(func(w *Writer) error {
		return w.Update(at, session(64500, "192.0.2.1"), update(64500, "203.0.113.0/24"), false)
	})
	if diff := cmp.Diff([]string{"AS64500-192.0.2.1 announces 203.0.113.0/24"}, got); diff != "" {
		t.Errorf("messages after it (-want +got):\n%s", diff)
	}
	backwards := func(w *Writer) error {
		index := indexOf("192.0.2.1", "2001:db8::1", "192.0.2.1")
		slices.Reverse(index)
		return writeTable(w, at, index, "198.51.100.0/24", 2, 1, 0)
	}
	if diff := cmp.Diff(want, read(backwards)); diff != "" {
		t.Errorf("the next table, in another order (-want +got):\n%s", diff)
	}
	twins := func(w *Writer) error {
		index := indexOf("192.0.2.9")
		return writeTable(w, at, append(index, index...), "198.51.100.0/24", 0, 1)
	}
	want = []string{"AS64500-192.0.2.9 announces 198.51.100.0/24", "AS64500-192.0.2.9-10.0.0.0 announces 198.51.100.0/24"}
	for range 2 {
		if diff := cmp.Diff(want, read(twins)); diff != "" {
			t.Errorf("peers that agree in everything (-want +got):\n%s", diff)
		}
	}
}

func TestBatchOfATable(t *testing.T) {
	at := moment().Truncate(time.Second)
	stream := written(t, func(w *Writer) error { return writeTable(w, at, indexOf("192.0.2.1"), "198.51.100.0/24", 0) })
	s, err := NewSource(bytes.NewReader(stream), SourceOptions{Peers: NewPeers("rrc99")})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if up, err := s.Next(); err != nil || up.Event != route.PeerUp {
		t.Fatalf("Next = %v, %v, want the peer coming up", up, err)
	}
	got, err := s.Next()
	if err != nil {
		t.Fatal(err)
	}
	want := &Batch{
		Batch: route.Batch{
			Peer: &route.Peer{
				Name: "AS64500-192.0.2.1", Router: "rrc99", Address: netip.MustParseAddr("192.0.2.1"),
				ASN: 64500, RouterID: netip.MustParseAddr("10.0.0.0"),
			},
			At:       at,
			Updates:  []route.Update{update(64500, "198.51.100.0/24")},
			Received: []uint32{uint32(at.Add(-time.Hour).Unix())},
		},
	}
	compare := cmp.Options{
		cmpopts.EquateComparable(netip.Addr{}, netip.Prefix{}), cmpopts.IgnoreUnexported(Batch{}), cmpopts.IgnoreFields(route.Batch{}, "Recycle"),
	}
	if diff := cmp.Diff(want, got, compare); diff != "" {
		t.Errorf("batch (-want +got):\n%s", diff)
	}
	if consumed := s.Consumed(); consumed != int64(len(stream)) {
		t.Errorf("Consumed = %d of %d octets", consumed, len(stream))
	}
	if _, err := s.Next(); !errors.Is(err, io.EOF) {
		t.Errorf("Next after the last = %v, want io.EOF", err)
	}
}

func TestTableReplacesWhatWasKnown(t *testing.T) {
	at, peers := moment(), NewPeers("")
	index := indexOf("192.0.2.1", "192.0.2.2")
	read := func(stream []byte) []string {
		lines, _ := told(t, stream, SourceOptions{Peers: peers, ReplacesTable: true})
		return lines
	}
	first := read(written(t, func(w *Writer) error { return writeTable(w, at, index, "198.51.100.0/24", 0, 1) }))
	want := []string{
		"AS64500-192.0.2.1 up", "AS64500-192.0.2.1 refresh of ipv4-unicast begins",
		"AS64500-192.0.2.2 up", "AS64500-192.0.2.2 refresh of ipv4-unicast begins",
		"AS64500-192.0.2.1 announces 198.51.100.0/24", "AS64500-192.0.2.2 announces 198.51.100.0/24",
		"AS64500-192.0.2.1 refresh of ipv4-unicast ends", "AS64500-192.0.2.2 refresh of ipv4-unicast ends",
	}
	if diff := cmp.Diff(want, first); diff != "" {
		t.Errorf("the first table (-want +got):\n%s", diff)
	}
	second := written(t, func(w *Writer) error { return writeTable(w, at, index, "203.0.113.0/24", 0) })
	want = []string{
		"AS64500-192.0.2.1 refresh of ipv4-unicast begins", "AS64500-192.0.2.1 announces 203.0.113.0/24",
		"AS64500-192.0.2.2 refresh of ipv4-unicast begins",
		"AS64500-192.0.2.1 refresh of ipv4-unicast ends", "AS64500-192.0.2.2 refresh of ipv4-unicast ends",
	}
	if diff := cmp.Diff(want, read(second)); diff != "" {
		t.Errorf("a table without routes of the second peer (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want[:2], read(append(second, "cut short"...))); diff != "" {
		t.Errorf("a table that breaks off (-want +got):\n%s", diff)
	}
}

func TestSourceCountsWhatItSkips(t *testing.T) {
	at, one := moment(), session(64500, "192.0.2.1")
	good := func(w *Writer) error { return w.Update(at, one, update(64500, "198.51.100.0/24"), false) }
	var stream []byte
	stream = append(stream, onePeer()...)
	stream = append(stream, record(13, 2, 0, 0, 0, 0, 8, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0)...)                   // no attributes
	stream = append(stream, record(13, 2, 0, 0, 0, 0, 33)...)                                                   // no prefix
	stream = append(stream, record(99, 1, 1, 2, 3)...)                                                          // no type
	stream = append(stream, record(16, 4, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 1, 1, 1, 1, 1, 2, 2, 2, 2, 0xff)...) // no message
	stream = append(stream, written(t, good)...)
	stream = append(stream, "the end is missing"...)
	got, report := told(t, stream, SourceOptions{Errors: 2})
	if diff := cmp.Diff([]string{"AS64500-192.0.2.1 up", "AS64500-192.0.2.1 announces 198.51.100.0/24"}, got); diff != "" {
		t.Errorf("batches (-want +got):\n%s", diff)
	}
	want := map[Skipped]int{SkippedEntry: 1, SkippedRecord: 1, SkippedType: 1, SkippedMessage: 1, SkippedRest: 1}
	if diff := cmp.Diff(want, report.Skipped); diff != "" {
		t.Errorf("skipped (-want +got):\n%s", diff)
	}
	if report.Records != 6 || report.Announcements != 1 || len(report.Errors) != 2 {
		t.Errorf("%d records, %d announcements, %d errors, want 6, 1, 2", report.Records, report.Announcements, len(report.Errors))
	}
}

// TestSourceIsReaderAndDecoder reads files a second time the plain way: record by
// record, nothing remembered, a batch for each route.
func TestSourceIsReaderAndDecoder(t *testing.T) {
	files, err := filepath.Glob("testdata/*-*")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if filepath.Ext(file) == ".md" {
			continue
		}
		t.Run(filepath.Base(file), func(t *testing.T) {
			got, _ := ours(t, file)
			compareLines(t, "Source", plainly(t, file), got)
		})
	}
}

func plainly(t *testing.T, path string) (lines []string) {
	t.Helper()
	r, table, index := open(t, path), NewDecoder(), (*PeerIndex)(nil)
	say := func(at time.Time, peer Peer, u ...route.Update) {
		lines = appendLines(lines, &Batch{Batch: route.Batch{Peer: &route.Peer{Address: peer.Address, ASN: peer.ASN}, At: at, Updates: u}})
	}
	for {
		record, err := r.Next()
		var e *Error
		if errors.Is(err, io.EOF) || errors.As(err, &e) && e.Final {
			return lines
		}
		switch record := record.(type) {
		case *PeerIndex:
			index = record
		case *RIB:
			for _, e := range record.Entries {
				if attrs, _, err := table.Attrs(record, e); err == nil {
					say(record.Time, index.Peers[e.Peer], route.Update{
						Family: record.Family, Attrs: attrs, NLRI: []route.NLRI{{Prefix: record.Prefix, PathID: e.PathID}},
					})
				}
			}
		case *Message:
			s := tolerant(record.FourOctetAS)
			for _, f := range route.Families() {
				s.AddPath[f] = record.AddPath
			}
			var b wire.Builder
			if body, _ := updateBodyOf(record.Bytes); body != nil {
				_, _ = wire.NewDecoder(s).Update(body, &b)
			}
			say(record.Time, Peer{Address: record.PeerAddress, ASN: record.PeerASN}, b.Updates()...)
		case *StateChange:
			if record.Old == established && record.New != established {
				b := Batch{Batch: route.Batch{Peer: &route.Peer{Address: record.PeerAddress, ASN: record.PeerASN}, At: record.Time, Event: route.PeerDown}}
				lines = appendLines(lines, &b)
			}
		}
	}
}

// FuzzSource looks for input that panics, that makes a Source go on for ever or
// hold much, and for batches that are not what they must be.
func FuzzSource(f *testing.F) {
	addFiles(f)
	f.Add(zipped(onePeer()))
	f.Add(written(f, func(w *Writer) error {
		return errors.Join(writeTable(w, moment(), indexOf("192.0.2.1", "192.0.2.1"), "198.51.100.0/24", 0, 1, 0),
			w.Update(moment(), session(64500, "192.0.2.1"), update(64500, "203.0.113.0/24"), true))
	}))
	f.Fuzz(func(t *testing.T, stream []byte) {
		s, err := NewSource(bytes.NewReader(stream), SourceOptions{ReplacesTable: true})
		if err != nil {
			return
		}
		defer s.Close()
		for range 4*len(stream) + 4 {
			b, err := s.Next()
			if err != nil {
				break
			}
			checkBatch(t, b)
			b.Release()
		}
		if r := s.Report(); len(r.Errors) > 20 {
			t.Errorf("%d errors kept", len(r.Errors))
		}
		// A compressed stream may hold more batches than it has octets.
	})
}

func checkBatch(t *testing.T, b *Batch) {
	t.Helper()
	routes := 0
	for _, u := range b.Updates {
		routes += len(u.NLRI)
		for _, n := range u.NLRI {
			if n.Prefix != n.Prefix.Masked() || n.Prefix.Addr().Is4() == u.Family.IsIPv6() {
				t.Errorf("prefix %v of %v", n.Prefix, u.Family)
			}
		}
	}
	if (routes > 0) != (b.Event == route.Routes) || b.Peer.Name == "" {
		t.Errorf("event %d of %q with %d routes", b.Event, b.Peer.Name, routes)
	}
	if b.Received != nil && len(b.Received) != routes {
		t.Errorf("%d times for %d routes", len(b.Received), routes)
	}
}
