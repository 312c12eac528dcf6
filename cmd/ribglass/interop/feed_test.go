package interop

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"io"
	"iter"
	"net/netip"
	"os"
	"testing"
)

// feedRoute is a route of an MRT dump: a prefix and its attributes as captured,
// without NEXT_HOP and MP_REACH_NLRI.
type feedRoute struct {
	prefix netip.Prefix
	attrs  []byte
}

// feedASN is the AS of the router that feeds a daemon. The daemons are told not
// to insist that it leads the paths, which are those of other peers.
const feedASN = 65200

// The next hops of a feed.
var (
	feedNextHop4 = netip.MustParseAddr("192.0.2.66")
	feedNextHop6 = netip.MustParseAddr("2001:db8::66")
)

// loadFeed reads the routes of testdata, one of each prefix, and adds to some
// the attributes that routes of 2015 and 2016 do not have yet.
func loadFeed(t testing.TB) []feedRoute {
	t.Helper()
	routes := decorate(readDump(t, "testdata/routes.mrt.gz"))
	if len(routes) < 1500 {
		t.Fatalf("testdata/routes.mrt.gz has %d routes, want 1,500 and more", len(routes))
	}
	return routes
}

// readDump reads an MRT TABLE_DUMP_V2 file (RFC 6396 section 4.3), the first
// entry of each prefix.
func readDump(t testing.TB, name string) []feedRoute {
	t.Helper()
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	plain, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(plain)
	if err != nil {
		t.Fatal(err)
	}
	var routes []feedRoute
	for len(data) >= 12 {
		subtype, length := binary.BigEndian.Uint16(data[6:]), binary.BigEndian.Uint32(data[8:])
		record := data[12 : 12+length]
		data = data[12+length:]
		if subtype == 2 || subtype == 4 {
			routes = append(routes, readEntry(record, subtype == 4))
		}
	}
	return routes
}

// readEntry reads a RIB record and its first entry.
func readEntry(record []byte, ipv6 bool) feedRoute {
	bits := int(record[4])
	octets := (bits + 7) / 8
	addr := make([]byte, 4)
	if ipv6 {
		addr = make([]byte, 16)
	}
	copy(addr, record[5:5+octets])
	a, _ := netip.AddrFromSlice(addr)
	rest := record[5+octets+2+2+4:] // entry count, peer index, time
	attrs := rest[2 : 2+int(binary.BigEndian.Uint16(rest))]
	return feedRoute{netip.PrefixFrom(a, bits), withoutNextHop(attrs)}
}

// withoutNextHop drops NEXT_HOP and MP_REACH_NLRI, which the feed writes anew.
func withoutNextHop(attrs []byte) []byte {
	var kept []byte
	for code, encoded := range attributes(attrs) {
		if code != 3 && code != 14 {
			kept = append(kept, encoded...)
		}
	}
	return kept
}

// attributes yields well-formed path attributes, flags and length included.
func attributes(attrs []byte) iter.Seq2[byte, []byte] {
	return func(yield func(byte, []byte) bool) {
		for len(attrs) >= 3 {
			length := 3 + int(attrs[2])
			if attrs[0]&0x10 != 0 {
				length = 4 + int(binary.BigEndian.Uint16(attrs[2:]))
			}
			if !yield(attrs[1], attrs[:length]) {
				return
			}
			attrs = attrs[length:]
		}
	}
}

// has reports whether the route has the attribute.
func (r feedRoute) has(code byte) bool {
	for c := range attributes(r.attrs) {
		if c == code {
			return true
		}
	}
	return false
}

// decorate adds large communities to every 5th route and extended communities
// to every 7th.
func decorate(routes []feedRoute) []feedRoute {
	large := attribute(0xc0, 32, 0, 0, 0xfb, 0xf4, 0, 0, 0, 1, 0, 0, 0, 2, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 7, 0, 0, 0, 8)
	ext := attribute(0xc0, 16, 0, 2, 0xfb, 0xf4, 0, 0, 0, 9, 0, 3, 0xfb, 0xf4, 0, 0, 1, 0)
	for i := range routes {
		r := &routes[i]
		if i%7 == 0 && !r.has(16) {
			r.attrs = append(r.attrs, ext...)
		}
		if i%5 == 0 {
			r.attrs = append(r.attrs, large...)
		}
	}
	return routes
}

// feedUpdates encodes one UPDATE a route.
func feedUpdates(routes []feedRoute) []byte {
	var b bytes.Buffer
	for _, r := range routes {
		b.Write(r.update(nil))
	}
	return b.Bytes()
}

// update encodes the route. extra is put behind its attributes.
func (r feedRoute) update(extra []byte) []byte {
	attrs := append(bytes.Clone(r.attrs), extra...)
	if r.prefix.Addr().Is4() {
		attrs = append(attrs, attribute(0x40, 3, feedNextHop4.AsSlice()...)...)
		return updateMessage(nil, attrs, appendNLRI(nil, r.prefix))
	}
	reach := append([]byte{0, 2, 1, 16}, feedNextHop6.AsSlice()...)
	reach = appendNLRI(append(reach, 0), r.prefix)
	return updateMessage(nil, append(attribute(0x80, 14, reach...), attrs...), nil)
}

// playFeed opens a session and plays routes, then End-of-RIB of both families.
func playFeed(t testing.TB, cfg speakerConfig, to netip.AddrPort, routes []feedRoute) *speaker {
	t.Helper()
	s := dial(t, cfg, to)
	s.send(feedUpdates(routes), endOfRIB(1), endOfRIB(2))
	return s
}

func TestTheFeedHasTheRoutesOfItsDump(t *testing.T) {
	routes := loadFeed(t)
	seen := map[netip.Prefix]bool{}
	var v4 int
	for _, r := range routes {
		if seen[r.prefix] {
			t.Errorf("%v is there twice", r.prefix)
		}
		seen[r.prefix] = true
		if r.prefix.Addr().Is4() {
			v4++
		}
		if r.prefix != r.prefix.Masked() {
			t.Errorf("%v has host bits", r.prefix)
		}
	}
	if v4 < 1000 || len(routes)-v4 < 500 {
		t.Errorf("%d IPv4 and %d IPv6 routes", v4, len(routes)-v4)
	}
}
