package mrt

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
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

func compareRecords() cmp.Options {
	return cmp.Options{
		cmpopts.EquateComparable(netip.Addr{}, netip.Prefix{}),
		cmpopts.IgnoreFields(Header{}, "Offset"),
		cmpopts.EquateEmpty(),
	}
}

// readAll returns copies of the records of a stream.
func readAll(t testing.TB, stream []byte) (records []Record) {
	t.Helper()
	r, err := NewReader(bytes.NewReader(stream))
	if err != nil {
		t.Fatal(err)
	}
	for {
		record, err := r.Next()
		if errors.Is(err, io.EOF) {
			return records
		}
		if err != nil {
			t.Fatal(err)
		}
		switch record := record.(type) {
		case *RIB:
			c := *record
			c.Entries = nil
			for _, e := range record.Entries {
				e.Attributes = bytes.Clone(e.Attributes)
				c.Entries = append(c.Entries, e)
			}
			records = append(records, &c)
		case *Message:
			c := *record
			c.Bytes = bytes.Clone(record.Bytes)
			records = append(records, &c)
		case *StateChange:
			c := *record
			records = append(records, &c)
		default:
			records = append(records, record)
		}
	}
}

func TestMessagesReadAsWritten(t *testing.T) {
	bytes4, bytes2 := wire.AppendKeepalive(nil), wire.AppendEndOfRIB(nil, route.IPv6Unicast)
	v6 := Session{
		PeerASN: 4_200_000_000, LocalASN: 64496, Interface: 7,
		PeerAddress: netip.MustParseAddr("2001:db8::1"), LocalAddress: netip.MustParseAddr("2001:db8::2"),
	}
	for _, tt := range []struct {
		name    string
		subtype uint16
		message Message
	}{
		{"two octets", 1, Message{Session: session(64500, "192.0.2.1"), Bytes: bytes2}},
		{"four octets", 4, Message{Session: v6, FourOctetAS: true, Bytes: bytes4}},
		{"sent, two octets", 6, Message{Session: session(64500, "192.0.2.1"), Sent: true, Bytes: bytes2}},
		{"sent, four octets", 7, Message{Session: v6, FourOctetAS: true, Sent: true, Bytes: bytes4}},
		{"path identifiers, two octets", 8, Message{Session: session(64500, "192.0.2.1"), AddPath: true, Bytes: bytes2}},
		{"path identifiers, four octets", 9, Message{Session: v6, FourOctetAS: true, AddPath: true, Bytes: bytes4}},
		{"sent, path identifiers, two octets", 10, Message{Session: session(64500, "192.0.2.1"), Sent: true, AddPath: true, Bytes: bytes2}},
		{"sent, path identifiers, four octets", 11, Message{Session: v6, FourOctetAS: true, Sent: true, AddPath: true, Bytes: bytes4}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := tt.message
			m.Time = moment()
			got := readAll(t, written(t, func(w *Writer) error { return w.Message(&m) }))
			m.Type = Type{typeBGP4MPET, tt.subtype}
			if diff := cmp.Diff([]Record{&m}, got, compareRecords()); diff != "" {
				t.Errorf("records (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAddressesThatAreNotKnown(t *testing.T) {
	for _, tt := range []struct {
		name                string
		peer, local         netip.Addr
		wantPeer, wantLocal string
	}{
		{"neither", netip.Addr{}, netip.Addr{}, "0.0.0.0", "0.0.0.0"},
		{"the collector's, IPv4", netip.MustParseAddr("192.0.2.1"), netip.Addr{}, "192.0.2.1", "0.0.0.0"},
		{"the collector's, IPv6", netip.MustParseAddr("2001:db8::1"), netip.Addr{}, "2001:db8::1", "::"},
		{"mapped", netip.MustParseAddr("::ffff:192.0.2.1"), netip.MustParseAddr("192.0.2.2"), "192.0.2.1", "192.0.2.2"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := StateChange{Session: Session{PeerASN: 64500, PeerAddress: tt.peer, LocalAddress: tt.local}, Old: 5, New: 6}
			c.Time = moment()
			got := readAll(t, written(t, func(w *Writer) error { return w.StateChange(&c) }))
			c.Type = Type{typeBGP4MPET, stateChangeAS4}
			c.PeerAddress, c.LocalAddress = netip.MustParseAddr(tt.wantPeer), netip.MustParseAddr(tt.wantLocal)
			if diff := cmp.Diff([]Record{&c}, got, compareRecords()); diff != "" {
				t.Errorf("records (-want +got):\n%s", diff)
			}
		})
	}
}

// fullSet is a set with every kind of attribute: unknown ones with and without
// the partial bit, and values that need a length of two octets.
func fullSet(nextHop string) route.Attrs {
	a := attrsOf(4_200_000_000, nextHop)
	a = a.AppendAttr(route.AttrMED, []byte{0, 0, 0, 7})
	a = a.AppendAttr(route.AttrLocalPref, []byte{0, 0, 0, 100})
	a = a.AppendAttr(route.AttrAtomicAggregate, nil)
	a = a.AppendAttr(route.AttrAggregator, []byte{0xfa, 0x56, 0xea, 0, 192, 0, 2, 1})
	a = a.AppendAttr(route.AttrCommunities, bytes.Repeat([]byte{0xfb, 0xf4, 0, 1}, 70))
	a = a.AppendAttr(route.AttrOriginatorID, []byte{192, 0, 2, 9})
	a = a.AppendAttr(route.AttrClusterList, []byte{192, 0, 2, 8})
	a = a.AppendAttr(route.AttrExtCommunities, []byte{0, 2, 0xfb, 0xf4, 0, 0, 0, 1})
	a = a.AppendAttr(route.AttrLargeCommunities, []byte{0, 0, 0xfb, 0xf4, 0, 0, 0, 1, 0, 0, 0, 2})
	a = a.AppendAttr(route.AttrOTC, []byte{0, 0, 0xfb, 0xf4})
	a = a.AppendAttr(99, []byte{0xc0, 1, 2})
	a = a.AppendAttr(100, append([]byte{0xe0}, bytes.Repeat([]byte{5}, 300)...))
	return a
}

// rows has a row of each family, of next hops of each form.
func rows() []Row {
	at := moment().Truncate(time.Second)
	r := func(peer int, id uint32, addPath bool, nextHop string) Route {
		return Route{Peer: peer, Originated: at.Add(-time.Hour), AddPath: addPath, PathID: id, Attrs: fullSet(nextHop)}
	}
	linkLocal := r(1, 0, false, "2001:db8::1")
	linkLocal.Attrs = without(linkLocal.Attrs, route.AttrNextHop)
	both := append(netip.MustParseAddr("2001:db8::1").AsSlice(), netip.MustParseAddr("fe80::1").AsSlice()...)
	var a route.Attrs
	for code, value := range fullSet("192.0.2.1").All() {
		if code == route.AttrNextHop {
			value = both
		}
		a = a.AppendAttr(code, value)
	}
	linkLocal.Attrs = a
	return []Row{
		{at, route.IPv4Unicast, netip.MustParsePrefix("198.51.100.0/24"), []Route{r(0, 0, false, "192.0.2.1"), r(1, 0, false, "192.0.2.2")}},
		{at, route.IPv4Unicast, netip.MustParsePrefix("0.0.0.0/0"), []Route{r(0, 7, true, "192.0.2.1"), r(0, 8, true, "192.0.2.2")}},
		{at, route.IPv4Unicast, netip.MustParsePrefix("203.0.113.1/32"), []Route{r(0, 0, false, "192.0.2.1"), r(1, 9, true, "192.0.2.2")}},
		{at, route.IPv6Unicast, netip.MustParsePrefix("2001:db8::/32"), []Route{r(0, 0, false, "2001:db8::1"), linkLocal}},
		{at, route.IPv6Unicast, netip.MustParsePrefix("2001:db8:1::/48"), []Route{r(0, 5, true, "2001:db8::1")}},
		{at, route.IPv4Multicast, netip.MustParsePrefix("198.51.100.0/24"), []Route{r(0, 0, false, "192.0.2.1")}},
		{at, route.IPv6Multicast, netip.MustParsePrefix("2001:db8::/32"), []Route{r(1, 0, false, "2001:db8::1")}},
		{at, route.IPv4Unicast, netip.MustParsePrefix("192.0.2.0/24"), []Route{r(0, 0, false, "2001:db8::1")}}, // RFC 8950
	}
}

func writeRows(w *Writer, rows []Row) error {
	index := []Peer{
		{netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("192.0.2.1"), 64500},
		{netip.MustParseAddr("10.0.0.2"), netip.MustParseAddr("2001:db8::1"), 4_200_000_000},
	}
	err := w.PeerIndex(netip.MustParseAddr("192.0.2.254"), "view", index, moment())
	for i := range rows {
		err = errors.Join(err, w.RIB(&rows[i]))
	}
	return err
}

// rowLines are the routes of rows as compareLines wants them, read again by
// nobody: straight from the rows.
func rowLines(rows []Row) (lines []string) {
	peers := []*route.Peer{
		{Address: netip.MustParseAddr("192.0.2.1"), ASN: 64500},
		{Address: netip.MustParseAddr("2001:db8::1"), ASN: 4_200_000_000},
	}
	for _, row := range rows {
		for _, r := range row.Routes {
			n := []route.NLRI{{Prefix: row.Prefix, PathID: r.PathID}}
			u := []route.Update{{Family: row.Family, Attrs: r.Attrs, NLRI: n}}
			lines = appendLines(lines, &Batch{Batch: route.Batch{Peer: peers[r.Peer], At: row.Time, Updates: u}})
		}
	}
	return lines
}

func TestTablesReadAsWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "table.mrt")
	writeFile(t, path, func(w *Writer) []string {
		if err := writeRows(w, rows()); err != nil {
			t.Fatal(err)
		}
		return nil
	})
	got, report := ours(t, path)
	compareLines(t, "Source", rowLines(rows()), got)
	if len(report.Skipped) > 0 || report.Discarded > 0 {
		t.Errorf("skipped %v, discarded %d attributes: %v", report.Skipped, report.Discarded, report.Errors)
	}
	needBgpdump(t)
	unicast := slices.DeleteFunc(rows(), func(r Row) bool { // bgpdump prints no multicast tables
		return r.Family == route.IPv4Multicast || r.Family == route.IPv6Multicast
	})
	compareLines(t, "bgpdump", rowLines(unicast), bgpdump(t, path))
}

// TestEveryAttributeIsKept compares sets octet by octet.
func TestEveryAttributeIsKept(t *testing.T) {
	stream := written(t, func(w *Writer) error { return writeRows(w, rows()) })
	var want, got []route.Attrs
	for _, row := range rows() {
		for _, r := range row.Routes {
			want = append(want, r.Attrs)
		}
	}
	d := NewDecoder()
	for _, record := range readAll(t, stream) {
		rib, ok := record.(*RIB)
		if !ok {
			continue
		}
		for _, e := range rib.Entries {
			attrs, _, err := d.Attrs(rib, e)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, bytes.Clone(attrs))
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("attributes (-want +got):\n%s", diff)
	}
}

// TestOctetsOfATable compares a table with octets put together by hand after
// RFC 6396 sections 4.3.1, 4.3.2 and 4.3.4.
func TestOctetsOfATable(t *testing.T) {
	at := time.Unix(0x6a000000, 0)
	row := Row{
		Time: at, Family: route.IPv6Unicast, Prefix: netip.MustParsePrefix("2001:db8::/32"),
		Routes: []Route{{Originated: at, Attrs: attrsOf(64500, "2001:db8::1")}},
	}
	got := written(t, func(w *Writer) error {
		peers := []Peer{{netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("2001:db8::1"), 64500}}
		return errors.Join(w.PeerIndex(netip.MustParseAddr("192.0.2.254"), "v", peers, at), w.RIB(&row))
	})
	want := strings.Join([]string{
		"6a000000000d0001", "00000022", "c00002fe", "000176", "0001", "03", "0a000001", "20010db8000000000000000000000001", "0000fbf4",
		"6a000000000d0004", "00000034", "00000000", "2020010db8", "0001", "0000", "6a000000", "0021",
		"40010100", "4002060201", "0000fbf4", "800e11", "10", "20010db8000000000000000000000001",
	}, "")
	if diff := cmp.Diff(want, hex.EncodeToString(got)); diff != "" {
		t.Errorf("octets (-want +got):\n%s", diff)
	}
}

func TestWhatDoesNotFitIsRefused(t *testing.T) {
	at := moment()
	row := Row{Time: at, Prefix: netip.MustParsePrefix("198.51.100.0/24"), Routes: []Route{{Originated: at, Attrs: attrsOf(64500, "192.0.2.1")}}}
	with := func(change func(r *Row)) *Row {
		r := row
		r.Routes = append([]Route(nil), row.Routes...)
		change(&r)
		return &r
	}
	long := attrsOf(64500, "192.0.2.1").AppendAttr(99, append([]byte{0xc0}, make([]byte, 40_000)...))
	long = long.AppendAttr(100, append([]byte{0xc0}, make([]byte, 40_000)...))
	for _, tt := range []struct {
		name  string
		write func(w *Writer) error
		want  string
	}{
		{"attributes", func(w *Writer) error { return w.RIB(with(func(r *Row) { r.Routes[0].Attrs = long })) }, "attributes of 80"},
		{"a peer that the index lacks", func(w *Writer) error { return w.RIB(with(func(r *Row) { r.Routes[0].Peer = 1 })) }, "not in the PEER_INDEX"},
		{"a prefix of another family", func(w *Writer) error { return w.RIB(with(func(r *Row) { r.Family = route.IPv6Unicast })) }, "not a prefix of"},
		{"no prefix", func(w *Writer) error { return w.RIB(with(func(r *Row) { r.Prefix = netip.Prefix{} })) }, "not a prefix of"},
		{"the year 2200", func(w *Writer) error { return w.RIB(with(func(r *Row) { r.Time = at.AddDate(174, 0, 0) })) }, "outside 1970"},
		{"the year 1950", func(w *Writer) error {
			return w.StateChange(&StateChange{Header: Header{Time: at.AddDate(-76, 0, 0)}})
		}, "outside 1970"},
		{"peers", func(w *Writer) error { return w.PeerIndex(netip.Addr{}, "", make([]Peer, 65_536), at) }, "65536 peers"},
		{"a message", func(w *Writer) error { return w.Message(&Message{Bytes: make([]byte, 65_536)}) }, "65536 octets"},
		{"attributes of an UPDATE", func(w *Writer) error {
			return w.Update(at, session(64500, "192.0.2.1"), route.Update{Attrs: long, NLRI: update(1, "198.51.100.0/24").NLRI}, false)
		}, "no room"},
		{"an UPDATE without next hop", func(w *Writer) error {
			return w.Update(at, session(64500, "192.0.2.1"), route.Update{Attrs: long[:4], NLRI: update(1, "198.51.100.0/24").NLRI}, false)
		}, "no next hop"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var b bytes.Buffer
			w := NewWriter(&b)
			if err := w.PeerIndex(netip.Addr{}, "", make([]Peer, 1), at); err != nil {
				t.Fatal(err)
			}
			before := b.Len()
			if err := tt.write(w); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
			if b.Len() != before {
				t.Errorf("%d octets were written", b.Len()-before)
			}
		})
	}
}

func TestTimesThatFit(t *testing.T) {
	for seconds, want := range map[int64]bool{-1: false, 0: true, 1: true, 1<<32 - 1: true, 1 << 32: false} {
		if err := checkTime(time.Unix(seconds, 0)); (err == nil) != want {
			t.Errorf("checkTime(%d s) = %v", seconds, err)
		}
	}
	if err := checkTime(time.Time{}); err != nil || seconds(time.Time{}) != 0 {
		t.Errorf("a time that is not known: %v, %d", err, seconds(time.Time{}))
	}
}

// TestManyRoutesOfOnePrefix writes more than one record can count, and more than
// one should hold.
func TestManyRoutesOfOnePrefix(t *testing.T) {
	row := Row{Time: moment(), Prefix: netip.MustParsePrefix("198.51.100.0/24")}
	for i := range 70_000 {
		row.Routes = append(row.Routes, Route{Originated: row.Time, AddPath: true, PathID: uint32(i)})
	}
	stream := written(t, func(w *Writer) error {
		return errors.Join(w.PeerIndex(netip.Addr{}, "", make([]Peer, 1), row.Time), w.RIB(&row))
	})
	next := uint32(0)
	for i, record := range readAll(t, stream)[1:] {
		rib, ok := record.(*RIB)
		if !ok || rib.Sequence != uint32(i) {
			t.Fatalf("record %d: %T with sequence %d", i, record, rib.Sequence)
		}
		for _, e := range rib.Entries {
			if e.PathID != next {
				t.Fatalf("path %d, want %d", e.PathID, next)
			}
			next++
		}
	}
	if next != 70_000 {
		t.Errorf("%d routes, want 70000", next)
	}
	for rest := stream; len(rest) > 0; {
		length := headerLen + int(binary.BigEndian.Uint32(rest[8:]))
		if length > 2*maxRow {
			t.Errorf("record of %d octets", length)
		}
		rest = rest[length:]
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errFull }

var errFull = errors.New("disk full")

func TestErrorOfTheStream(t *testing.T) {
	w := NewWriter(fullDisk{})
	for name, err := range map[string]error{
		"PeerIndex":   w.PeerIndex(netip.Addr{}, "", nil, moment()),
		"StateChange": w.StateChange(&StateChange{Header: Header{Time: moment()}}),
		"Update":      w.Update(moment(), session(64500, "192.0.2.1"), update(64500, "198.51.100.0/24"), false),
		"EndOfRIB":    w.EndOfRIB(moment(), session(64500, "192.0.2.1"), route.IPv4Unicast),
	} {
		if !errors.Is(err, errFull) {
			t.Errorf("%s = %v, want %v", name, err, errFull)
		}
	}
}

// FuzzWriter has the attributes of arbitrary table entries decoded, written and
// decoded again: they must be the same.
func FuzzWriter(f *testing.F) {
	for i, row := range rows() {
		for _, r := range row.Routes {
			f.Add(uint8(row.Family), r.AddPath, uint32(i), wire.AppendTableAttributes(nil, row.Family, r.Attrs))
		}
	}
	f.Fuzz(func(t *testing.T, family uint8, addPath bool, pathID uint32, attributes []byte) {
		rib := RIB{Family: route.Family(family % route.NumFamilies), Prefix: netip.MustParsePrefix("198.51.100.0/24")}
		if rib.Family.IsIPv6() {
			rib.Prefix = netip.MustParsePrefix("2001:db8::/32")
		}
		d := NewDecoder()
		attrs, _, err := d.Attrs(&rib, Entry{Attributes: attributes})
		if err != nil {
			return
		}
		want := bytes.Clone(attrs)
		if !addPath {
			pathID = 0
		}
		row := Row{
			Time: moment(), Family: rib.Family, Prefix: rib.Prefix,
			Routes: []Route{{Originated: moment(), AddPath: addPath, PathID: pathID, Attrs: want}},
		}
		records := readAll(t, written(t, func(w *Writer) error {
			return errors.Join(w.PeerIndex(netip.Addr{}, "", make([]Peer, 1), moment()), w.RIB(&row))
		}))
		got, ok := records[1].(*RIB)
		if !ok || len(got.Entries) != 1 || got.Prefix != rib.Prefix || got.Family != rib.Family || got.AddPath != addPath {
			t.Fatalf("read %+v", records[1])
		}
		again, report, err := d.Attrs(got, got.Entries[0])
		if err != nil || !bytes.Equal(want, again) || got.Entries[0].PathID != pathID {
			t.Errorf("attributes %x, path %d, %v, %v, want %x, path %d", []byte(again), got.Entries[0].PathID, report, err, want, pathID)
		}
	})
}
