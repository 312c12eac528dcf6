package mrt

import (
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ribglass/collector/wire"
	"ribglass/ribstore/route"
)

// shared returns a path in the directory of shared data, and skips the test
// where there is none, or fails it when RIBGLASS_SHARED is set.
func shared(t *testing.T, name string) string {
	t.Helper()
	dir := os.Getenv("RIBGLASS_SHARED")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "..", "shared")
	}
	path := filepath.Join(dir, "data", "mrt", name)
	if _, err := os.Stat(path); err != nil {
		if os.Getenv("RIBGLASS_SHARED") != "" {
			t.Fatalf("%v: it is not where RIBGLASS_SHARED says", err)
		}
		t.Skipf("no shared data: %v (set RIBGLASS_SHARED)", err)
	}
	return path
}

func open(t testing.TB, path string) *Reader {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	r, err := NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = errors.Join(r.Close(), f.Close()) })
	return r
}

// TestFilesReadAsBgpdumpPrintsThem compares every line of the text that the
// bgpdump project expects for its files. Order within a file is bgpdump's own;
// strictly and the rows' refused say where we differ, and why.
func TestFilesReadAsBgpdumpPrintsThem(t *testing.T) {
	for _, tt := range []struct {
		file    string
		refused []string // what is not read, and stands in the text as a line
	}{
		{"bview.64k_stream_overflow", nil},
		{"bview.ipv4_unicast_add_path", []string{
			// The collector's own routes, which have no attribute at all.
			"TABLE_DUMP2_AP|1452168107|B|0.0.0.0|0|10.0.15.0/24|0||INCOMPLETE||0|0||NAG||",
			"TABLE_DUMP2_AP|1452168107|B|0.0.0.0|0|10.0.16.0/24|0||INCOMPLETE||0|0||NAG||",
		}},
		{"bview.ipv6_unicast_add_path", []string{
			"TABLE_DUMP2_AP|1452169448|B|::|0|2001:db8:15::/48|0||INCOMPLETE||0|0||NAG||",
			"TABLE_DUMP2_AP|1452169448|B|::|0|2001:db8:16::/48|0||INCOMPLETE||0|0||NAG||",
		}},
		{"updates.20020722.2238", nil},
		{"updates.20070211.0141", nil},
		{"updates.20071015.1505", nil},
		{"updates.20100722.2015", nil},
		{"updates.20160811.1600", nil},
		{"updates.et-header.2015", nil},
		{"updates.long_withdrawal", nil},
		// Three octets of another prefix follow the first: a session would be reset.
		{"updates.nlri_mask_trailing_bits", []string{
			"BGP4MP|1289168632|A|12.0.1.63|7018|11.8.0.0/13|7018 3549 12389 48275 51044|IGP|12.0.1.63|0|0|6923:3339|NAG||",
		}},
	} {
		t.Run(tt.file, func(t *testing.T) {
			r := open(t, shared(t, "bgpdump-"+tt.file+".gz"))
			want := expected(t, shared(t, filepath.Join("expect", tt.file+".bgp.gz")))
			d := dump(t, r)
			if len(d.refused) != len(tt.refused) {
				t.Errorf("refused %d: %v, want %d", len(d.refused), d.refused, len(tt.refused))
			}
			got := slices.Concat(d.lines, tt.refused)
			slices.Sort(want)
			slices.Sort(got)
			if !slices.Equal(want, got) {
				w, g := firstDifference(want, got)
				t.Errorf("%d lines, want %d; the first difference (-want +got):\n%s", len(got), len(want), cmp.Diff(w, g))
			}
		})
	}
}

// strictly rewrites a line of bgpdump: addresses as RFC 5952 writes them, the
// broadcast address that stands for a missing next hop as nothing, an aggregator
// of AS 0 as none (RFC 7607: discard), and what RFC 7606 treats as withdrawn
// (AS 0 in the path, an unspecified next hop) as a withdrawal.
func strictly(line string) string {
	fields := strings.Split(line, "|")
	hop := 8
	if strings.HasSuffix(fields[0], "_AP") {
		hop = 9
	}
	for _, i := range []int{3, hop} {
		if i >= len(fields) {
			break
		}
		if a, err := netip.ParseAddr(fields[i]); err == nil {
			fields[i] = a.String()
		}
	}
	if len(fields) <= hop {
		return strings.Join(fields, "|")
	}
	if fields[hop] == "255.255.255.255" {
		fields[hop] = ""
	}
	if aggregator := &fields[hop+5]; strings.HasPrefix(*aggregator, "0 ") {
		*aggregator = ""
	}
	if fields[hop] == "::" || slices.Contains(strings.Fields(fields[hop-2]), "0") {
		fields[2] = "W"
		fields = fields[:6]
	}
	return strings.Join(fields, "|")
}

func firstDifference(want, got []string) (w, g string) {
	for i := range min(len(want), len(got)) {
		if want[i] != got[i] {
			return want[i], got[i]
		}
	}
	return fmt.Sprint(len(want)), fmt.Sprint(len(got))
}

func expected(t *testing.T, path string) []string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for s := bufio.NewScanner(z); s.Scan(); {
		lines = append(lines, strictly(s.Text()))
	}
	return lines
}

// dumper prints records as `bgpdump -m` does.
type dumper struct {
	t       *testing.T
	index   *PeerIndex
	table   *Decoder
	lines   []string
	refused []error
}

func dump(t *testing.T, r *Reader) *dumper {
	t.Helper()
	d := &dumper{t: t, table: NewDecoder()}
	for {
		record, err := r.Next()
		if errors.Is(err, io.EOF) {
			return d
		}
		if err != nil {
			t.Fatal(err)
		}
		switch record := record.(type) {
		case *PeerIndex:
			d.index = record
		case *RIB:
			d.rib(record)
		case *Message:
			d.message(record)
		case *StateChange:
			d.printf("%s|STATE|%v|%v|%d|%d", stamp(record.Header), record.PeerAddress, record.PeerASN, record.Old, record.New)
		case *Other:
			t.Errorf("record at %d is not read: %v", record.Offset, record.Type)
		}
	}
}

func (d *dumper) printf(format string, args ...any) {
	d.lines = append(d.lines, fmt.Sprintf(format, args...))
}

func stamp(h Header) string {
	if h.Type.Type == typeBGP4MPET {
		return fmt.Sprintf("BGP4MP_ET|%d.%06d", h.Time.Unix(), h.Time.Nanosecond()/1000)
	}
	return fmt.Sprintf("BGP4MP|%d", h.Time.Unix())
}

func (d *dumper) rib(rib *RIB) {
	kind := "TABLE_DUMP2"
	if rib.AddPath {
		kind += "_AP"
	}
	for _, e := range rib.Entries {
		attrs, _, err := d.table.Attrs(rib, e)
		if err != nil {
			d.refused = append(d.refused, fmt.Errorf("record at %d: %w", rib.Offset, err))
			continue
		}
		peer := d.index.Peers[e.Peer]
		prefix := rib.Prefix.String()
		if rib.AddPath {
			prefix += "|" + strconv.Itoa(int(e.PathID))
		}
		d.printf("%s|%d|B|%v|%v|%s|%s", kind, rib.Time.Unix(), peer.Address, peer.ASN, prefix, attributesText(attrs))
	}
}

func (d *dumper) message(m *Message) {
	kind, length, err := wire.ParseHeader(m.Bytes, wire.MaxExtendedLen)
	if err != nil {
		d.t.Errorf("record at %d: %v", m.Offset, err)
		return
	}
	if kind != wire.TypeUpdate {
		return
	}
	s := wire.Session{FourOctetAS: m.FourOctetAS, IBGP: true, LoopbackNextHop: true}
	for _, f := range route.Families() {
		s.Families[f], s.ExtendedNextHop[f], s.AddPath[f] = true, true, m.AddPath
	}
	var b wire.Builder
	if _, err := wire.NewDecoder(s).Update(m.Bytes[wire.HeaderLen:length], &b); err != nil {
		d.refused = append(d.refused, fmt.Errorf("record at %d: %w", m.Offset, err))
	}
	for _, u := range b.Updates() {
		for _, n := range u.NLRI {
			if u.Withdraw() {
				d.printf("%s|W|%v|%v|%v", stamp(m.Header), m.PeerAddress, m.PeerASN, n.Prefix)
				continue
			}
			d.printf("%s|A|%v|%v|%v|%s", stamp(m.Header), m.PeerAddress, m.PeerASN, n.Prefix, attributesText(u.Attrs))
		}
	}
}

// attributesText is the second half of a line, in bgpdump's words.
func attributesText(a route.Attrs) string {
	localPref, _ := a.LocalPref()
	med, _ := a.MED()
	var communities []string
	for c := range a.Communities().All() {
		text := c.String()
		switch c.Name() {
		case "no-export", "no-advertise":
			text = c.Name()
		case "no-export-subconfed":
			text = "local-AS"
		}
		communities = append(communities, text)
	}
	aggregator := "NAG|"
	if a.AtomicAggregate() {
		aggregator = "AG|"
	}
	if asn, id, ok := a.Aggregator(); ok {
		aggregator += fmt.Sprintf("%v %v", asn, id)
	}
	return fmt.Sprintf("%v|%s|%v|%d|%d|%s|%s|", a.ASPath(), strings.ToUpper(a.Origin().String()), hopText(a.NextHop()),
		localPref, med, strings.Join(communities, " "), aggregator)
}

func hopText(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	return a.String()
}
