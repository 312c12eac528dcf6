package query

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"net/netip"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"ribglass/ribstore/query/querytest"
	"ribglass/ribstore/route"
	"ribglass/ribstore/table"
)

// documentedBlocks are the blocks of bogons that docs/query.md lists.
var documentedBlocks = sync.OnceValue(func() (blocks []netip.Prefix) {
	text, err := os.ReadFile("../../docs/query.md")
	if err != nil {
		panic(err)
	}
	_, text, _ = bytes.Cut(text, []byte("Bogons are"))
	paragraph, _, _ := bytes.Cut(text, []byte("\n\n"))
	for _, m := range regexp.MustCompile("`([0-9a-f:.]+/[0-9]+)`").FindAllSubmatch(paragraph, -1) {
		blocks = append(blocks, netip.MustParsePrefix(string(m[1])))
	}
	return blocks
})

func documentedBogon(p netip.Prefix) bool {
	return p.Bits() == 0 || slices.ContainsFunc(documentedBlocks(), func(b netip.Prefix) bool {
		return b.Addr().Is4() == p.Addr().Is4() && b.Bits() <= p.Bits() && b.Contains(p.Addr())
	})
}

// edgePrefix draws a prefix of the tables of queries, or one at the edge of a block of
// bogons: the block, what is right below and above it, in it and around it.
func edgePrefix(t *rapid.T) netip.Prefix {
	if rapid.IntRange(0, 2).Draw(t, "edge") > 0 {
		return querytest.Prefix(t)
	}
	b := rapid.SampledFrom(documentedBlocks()).Draw(t, "block")
	first, bits := b.Addr(), b.Bits()
	switch rapid.IntRange(0, 4).Draw(t, "where") {
	case 0: // right below
		if below := first.Prev(); below.IsValid() {
			return netip.PrefixFrom(below, bits).Masked()
		}
	case 1: // right above
		last := first.AsSlice()
		for i := bits; i < first.BitLen(); i++ {
			last[i/8] |= 0x80 >> (i % 8)
		}
		end, _ := netip.AddrFromSlice(last)
		if above := end.Next(); above.IsValid() {
			return netip.PrefixFrom(above, bits).Masked()
		}
		return netip.PrefixFrom(end, end.BitLen())
	case 2:
		return netip.PrefixFrom(first, min(bits+rapid.IntRange(1, 8).Draw(t, "deeper"), first.BitLen()))
	case 3:
		return netip.PrefixFrom(first, max(1, bits-1)).Masked()
	}
	return b
}

// edgeASN draws an AS number, often one at the edge of the private ones.
func edgeASN(t *rapid.T) route.ASN {
	return rapid.SampledFrom([]route.ASN{1, 2, 3, 12, 123, 1, 2, 3, 64511, 64512, 65534, 65535, 4199999999, 4200000000, 4294967294, 4294967295}).Draw(t, "asn")
}

// edgePath draws a path: empty, one sequence as most are, or of several segments.
func edgePath(t *rapid.T) (path route.ASPath) {
	kinds := []route.SegmentType{route.ASSequence}
	segments := rapid.SampledFrom([]int{0, 1, 1, 1, 3}).Draw(t, "segments")
	if segments > 1 {
		kinds = []route.SegmentType{route.ASSequence, route.ASSequence, route.ASSet, route.ASConfedSequence, route.ASConfedSet}
	}
	for range segments {
		var asns []route.ASN
		for range rapid.IntRange(1, 3).Draw(t, "length") {
			asn := edgeASN(t)
			for range rapid.SampledFrom([]int{1, 1, 1, 2, 3}).Draw(t, "prepends") {
				asns = append(asns, asn)
			}
		}
		path = path.AppendSegment(rapid.SampledFrom(kinds).Draw(t, "segment"), asns...)
	}
	return path
}

// edgeAttrs draws an attribute set with any of what conditions ask.
func edgeAttrs(t *rapid.T) route.Attrs {
	octets := func(code route.AttrCode, a route.Attrs, each []byte, of ...string) route.Attrs {
		var value []byte
		for range rapid.IntRange(0, 2).Draw(t, "count") {
			text := rapid.SampledFrom(of).Draw(t, "value")
			for i := 0; i < len(text); i += 2 {
				n, _ := strconv.ParseUint(text[i:i+2], 16, 8)
				value = append(value, byte(n))
			}
		}
		if value = append(each, value...); len(value) == 0 {
			return a
		}
		return a.AppendAttr(code, value)
	}
	number := func(code route.AttrCode, a route.Attrs, of ...uint32) route.Attrs {
		if rapid.Bool().Draw(t, "has") {
			return a.AppendAttr(code, binary.BigEndian.AppendUint32(nil, rapid.SampledFrom(of).Draw(t, "number")))
		}
		return a
	}
	hop := rapid.SampledFrom([]string{"192.0.2.1", "192.0.2.2", "198.51.100.7", "2001:db8::7", "::ffff:192.0.2.1"}).Draw(t, "hop")
	a := route.Attrs(nil).AppendAttr(route.AttrOrigin, []byte{byte(rapid.IntRange(0, 2).Draw(t, "origin"))}).
		AppendAttr(route.AttrASPath, edgePath(t)).AppendAttr(route.AttrNextHop, netip.MustParseAddr(hop).AsSlice())
	a = number(route.AttrMED, a, 0, 1, 2, 4294967295)
	a = number(route.AttrLocalPref, a, 0, 99, 100, 101, 200)
	a = octets(route.AttrCommunities, a, nil, "00010064", "0001006e", "00010078", "00020064", "0002000a", "ffff029a", "ffff0000", "ffffff01", "ffff0006", "ffffffff")
	if rapid.IntRange(0, 3).Draw(t, "reflected") == 0 {
		a = number(route.AttrOriginatorID, a, 0x0a000001, 0x0a000003)
		a = octets(route.AttrClusterList, a, nil, "0a000009", "0a000008")
	}
	a = octets(route.AttrExtCommunities, a, nil, "0002000100000001", "000200010000000c", "0003000100000001", "4300000000000000", "8006000047f42400", "8009000000000001", "0202000100020003")
	a = octets(route.AttrLargeCommunities, a, nil, "000000010000000200000003", "00000001000000020000000a", "ffffffff0000000000000064")
	return number(route.AttrOTC, a, 1, 3, 64512)
}

// drawWorld makes a random table of peers of every kind: in views, of the own AS, with
// ADD-PATH, down, and back with only a part of their routes.
func drawWorld(t *rapid.T) world {
	tab := table.New()
	w := world{Known: Known{Table: tab, At: now}}
	views := rapid.SampledFrom([][]route.View{{route.AdjRIBIn}, {route.AdjRIBIn}, {route.AdjRIBIn, route.PostPolicy}, route.Views()}).Draw(t, "views")
	hidden := rapid.SampledFrom([]string{"", "", "a", "b"}).Draw(t, "hidden")
	if hidden != "" {
		w.Sees = func(p *route.Peer) bool { return p.Name != hidden }
	}
	prefixes := rapid.SliceOfN(rapid.Custom(edgePrefix), 3, 12).Draw(t, "prefixes")
	for i, name := range []string{"a", "b", "c", "best"} {
		peer := &route.Peer{
			Name: name, Router: []string{"core 1", "core 1", "r1", "r1"}[i], Group: "g" + strconv.Itoa(i%2), ASN: route.ASN(i + 1), LocalASN: 4,
			Address: netip.AddrFrom4([4]byte{192, 0, 2, byte(9 - i)}), RouterID: netip.AddrFrom4([4]byte{10, 0, 0, byte(1 + i%2)}),
			View: rapid.SampledFrom(views).Draw(t, "view"), Confederation: i == 1,
		}
		peer.AddPath = [route.NumFamilies]bool{route.IPv4Unicast: i >= 2, route.IPv6Unicast: i == 2}
		routes := announce(t, tab, peer, prefixes)
		if name != hidden {
			w.peers = append(w.peers, peer)
			w.heard = append(w.heard, routes...)
		}
	}
	return w
}

// announce has a peer come up, announce routes, and perhaps go down and come back.
func announce(t *rapid.T, tab *table.Table, peer *route.Peer, prefixes []netip.Prefix) []heard {
	var order []string
	byID := map[string]*heard{}
	send := func(h *heard) {
		tab.Apply(&route.Batch{Peer: peer, At: h.at, Updates: []route.Update{
			{Family: querytest.FamilyOf(h.prefix), Attrs: h.attrs, NLRI: []route.NLRI{{Prefix: h.prefix, PathID: h.pathID}}},
		}})
	}
	tab.Apply(&route.Batch{Peer: peer, At: now.Add(-time.Hour), Event: route.PeerUp})
	for range rapid.IntRange(0, 16).Draw(t, "routes") {
		h := &heard{peer: peer, prefix: rapid.SampledFrom(prefixes).Draw(t, "prefix"), attrs: edgeAttrs(t), at: now.Add(-time.Duration(rapid.IntRange(0, 200).Draw(t, "age")) * time.Second)}
		if peer.AddPath[querytest.FamilyOf(h.prefix)] {
			h.pathID = rapid.SampledFrom([]uint32{0, 1, 2, 4294967295}).Draw(t, "path-id")
		}
		h.id, h.path = fmt.Sprint(peer.Name, " ", h.prefix, " ", h.pathID), h.attrs.ASPath().String()
		if old := byID[h.id]; old == nil {
			order = append(order, h.id)
		} else if string(old.attrs) == string(h.attrs) {
			h.at = old.at // the same again is no news
		}
		byID[h.id] = h
		send(h)
	}
	state := rapid.SampledFrom([]string{"up", "up", "up", "down", "back"}).Draw(t, "state")
	var kept [route.NumFamilies]route.Retention
	for f := range kept {
		kept[f].Stale = time.Hour
	}
	if state != "up" {
		tab.Apply(&route.Batch{Peer: peer, At: now, Event: route.PeerDown, Retention: kept})
	}
	if state == "back" {
		tab.Apply(&route.Batch{Peer: peer, At: now, Event: route.PeerUp, Retention: kept})
	}
	var list []heard
	for _, id := range order {
		h := byID[id]
		if h.stale = state != "up"; state == "back" && rapid.Bool().Draw(t, "sent again") {
			h.stale = false
			send(h)
		}
		list = append(list, *h)
	}
	return list
}

// drawing draws queries as people write them, and remembers which words it drew.
type drawing struct {
	*rapid.T
	drawn map[string]bool // nil: nobody asks
}

func (d drawing) one(list ...string) string { return rapid.SampledFrom(list).Draw(d.T, "of") }

// word is one of the words of the language, in any case.
func (d drawing) word(list ...string) string {
	w := d.one(list...)
	if d.drawn != nil {
		d.drawn[w] = true
	}
	if rapid.IntRange(0, 9).Draw(d.T, "case") == 0 {
		return strings.ToUpper(w)
	}
	return w
}

// query draws a whole query.
func (d drawing) query() string {
	text := d.expr(3)
	if strings.Contains(strings.ToLower(text), " or ") {
		text = "( " + text + " )"
	}
	if d.one("", "", "address") != "" {
		text = d.one(edgePrefix(d.T).Addr().String(), "10.1.0.1", "128.10.1.0", "2001:db8::1") + " " + d.word("and") + " " + text // a second address would be a netmask
	}
	if d.one("", "view") != "" {
		view := d.word("view") + " " + d.word("any", "any", "adj-rib-in", "post-policy", "pre-policy", "loc-rib", "adj-rib-out")
		text = d.one(text+" "+view, view+" "+text)
	}
	return text
}

func (d drawing) expr(depth int) string {
	sub := func() string { return d.expr(depth - 1) }
	if depth > 0 {
		switch rapid.IntRange(0, 6).Draw(d.T, "shape") {
		case 0:
			return d.word("not") + " " + d.expr(0)
		case 1:
			return sub() + " " + d.word("or") + " " + sub()
		case 2:
			return sub() + " " + d.word("and") + " " + sub()
		case 3:
			return sub() + " " + sub()
		case 4:
			return "( " + sub() + " )"
		}
	}
	return d.condition()
}

func (d drawing) asn() string {
	n := edgeASN(d.T)
	return d.one(n.String(), "AS"+n.String(), fmt.Sprintf("%d.%d", n>>16, n&0xffff))
}

// asns draws an AS number or a range.
func (d drawing) asns() string {
	return d.one(d.asn(), d.one("1-2", "2-12", "64512-65534", "1-64512", "65534-4200000000", "0-4294967295", "0.1-0.3"))
}

func (d drawing) condition() string {
	switch rapid.IntRange(0, 7).Draw(d.T, "kind") {
	case 0:
		return d.asPath()
	case 1:
		return d.community()
	case 2:
		return d.word("length", "path-length", "path-hops", "med", "local-pref", "path-id") + " " +
			d.one("", "= ", "!= ", "< ", "<= ", "> ", ">= ") + d.one("0", "1", "2", "3", "8", "16", "24", "99", "100", "101", "4294967295")
	case 3:
		return d.word("prepended", "private-as", "moas", "stale", "best", "bogon", "med", "local-pref", "path-id")
	case 4:
		return d.ofPeer()
	case 5:
		return d.attribute()
	}
	return d.prefix()
}

func (d drawing) asPath() string {
	switch d.one("origin", "neighbor-as", "via", "path", "path") {
	case "origin":
		return d.word("origin") + " " + d.one(d.asns(), d.asns(), "none")
	case "neighbor-as":
		return d.word("neighbor-as", "neighbor-as", "neighbour-as") + " " + d.one(d.asns(), d.asns(), "none")
	case "via":
		return strings.TrimSpace(d.word("via") + " " + d.asns() + " " + d.one("", d.asns(), d.asns()+" "+d.asns()))
	}
	return d.word("path", "path", "as-path") + " " + d.one(
		"_1_", "^2", "3$", "1_2", "^$", "(1|3)_12", "_2_.*_3_", `\{`, "12", "^1(_1)*_2", `"1 2"`, `_[0-9]+$`, `"^[0-9]+$"`, "64512", `"1 2" dialect cisco`,
		`".* 12"`, `"1 .*"`, `".* 2 .+"`, `"1+ 2" dialect junos`, `"1 .{0,2}"`, `".{1,2} 1-3 .*"`, `"1-3 .?" dialect junos`, `". ."`, `".* 64512-65534"`, `"1 2*" dialect junos`,
		"[= * 1 * =]", "[= 1 * =]", "[= ? 2 =]", "[= * 1..3 =]", "[= 1+ 2 =]", "[= 1 2 3 =]", "[= * 1 2 * =] dialect bird", "[= ? ? ? =]", "[= * =]",
	)
}

func (d drawing) community() string {
	switch d.one("community", "large", "ext") {
	case "community":
		return d.word("community") + " " + d.one("1:100", "1:*", "*:1*0", "1:1?0", "1:100-110", "1-2:100", "0-1:110-65535", "*:*", "65535:65535", "65535:666", "2:1*",
			"blackhole", "graceful-shutdown", "no-export", "llgr-stale", "*0:100")
	case "large":
		return d.word("large-community") + " " + d.one("1:2:3", "1:2:*", "1:*:1-9", "*:2:1*", "1:1-2:10", "4294967295:0:100", "4294967295:*:1??", "*:*:*", "2:2:2")
	}
	return d.word("ext-community") + " " + d.one("rt:1:1", "rt:1:*", "rt:1:1?", "ro:1:1", "target:1:12", "rpki:valid", "rpki:*", "rt:*", "traffic-rate:0:125000", "traffic-rate:*", "traffic-marking:1", "rt:65538:3", "ro:*")
}

func (d drawing) ofPeer() string {
	switch d.one("peer", "peer-as", "peer-address", "router", "group", "age", "age") {
	case "peer":
		peer := func() string { return d.word("peer") + " " + d.one("a", "b", "c", `"best"`, "nobody") }
		return d.one(peer(), "( "+peer()+" or "+peer()+" )")
	case "peer-as":
		return d.word("peer-as") + " " + d.one("1", "3", "4", "9")
	case "peer-address":
		return d.word("peer-address") + " " + d.one("192.0.2.9", "192.0.2.7", "192.0.2.1")
	case "router":
		return d.word("router") + " " + d.one(`"core 1"`, "r1", "r2")
	case "group":
		return d.word("group") + " " + d.one("g0", "g1", "g2")
	}
	return d.word("since", "older-than") + " " + d.one("1s", "50s", "100s", "1m30s", "2m", "1h", "1970-01-24T03:32Z", "1970-01-24T03:31:40Z", "1970-01-24T04:32:00+01:00", "1970-01-24", "1w")
}

func (d drawing) attribute() string {
	switch d.one("nexthop", "otc", "family", "origin-code") {
	case "nexthop":
		return d.word("nexthop", "nexthop", "next-hop") + " " + d.one("192.0.2.1", "192.0.2.0/24", "0.0.0.0/0", "2001:db8::7", "2001:db8::/32", "::ffff:192.0.2.1", "::ffff:0:0/96", "::/0")
	case "otc":
		return d.word("otc") + d.one("", " 1", " 2-3", " 64512-4294967295")
	case "family":
		return d.word("family") + " " + d.word("ipv4", "ipv6", "ipv4-unicast", "ipv6-unicast")
	}
	return d.word("origin-code") + " " + d.word("igp", "egp", "incomplete")
}

func (d drawing) prefix() string {
	p := edgePrefix(d.T)
	if d.one("", "", "", "address") != "" {
		return p.Addr().String() + " " + d.word("or-shorter")
	}
	bits := func(n int) string { return strconv.Itoa(min(max(n, 0), p.Addr().BitLen())) }
	lo := rapid.IntRange(0, 3).Draw(d.T, "lo")
	ge, le := d.word("ge")+" "+bits(p.Bits()+lo), d.word("le")+" "+bits(p.Bits()+lo+rapid.IntRange(0, 9).Draw(d.T, "hi"))
	shorter := d.word("or-shorter")
	return p.String() + " " + d.one("", d.word("or-longer"), shorter, ge, le, ge+" "+le, d.word("or-longer")+" "+ge+" "+le, d.word("or-longer")+" "+le,
		shorter+" "+d.word("ge")+" "+bits(p.Bits()-lo-1), shorter+" "+d.word("le")+" "+bits(p.Bits()-lo))
}

// TestTwoReadingsAgree asks random queries of random tables, as docs/query.md has them, and
// compares totals, sets, order and counts with the second reading of the text.
func TestTwoReadingsAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		text := drawing{T: t}.query()
		q, err := Parse(text)
		if err != nil && (strings.Contains(err.Error(), ": write ") || strings.Contains(err.Error(), "leave no length") || strings.Contains(err.Error(), "leaves no length")) {
			t.Skip(err) // what no route can meet is refused
		}
		if err != nil {
			t.Fatalf("Parse(%q) = %v", text, err)
		}
		found := readTwice(text, &w)
		var want []string
		for _, h := range found {
			want = append(want, h.id)
		}
		slices.Sort(want)
		if diff := cmp.Diff(want, pages(t, w.Known, q, len(want), rapid.Bool().Draw(t, "scan"))); diff != "" {
			t.Fatalf("%q, read as %q (-second reading +engine): %s", text, q, diff)
		}
		if diff := cmp.Diff(want, streamed(t, w.Known, q)); diff != "" {
			t.Fatalf("%q as a stream (-second reading +engine): %s", text, diff)
		}
		f, err := Count(context.Background(), w.Known, q, 1000)
		if err != nil {
			t.Fatal(err)
		}
		checkFacets(t, text, f, found)
	})
}

// TestEveryDocumentedWordIsDrawn takes the words of the tables of docs/query.md.
func TestEveryDocumentedWordIsDrawn(t *testing.T) {
	text := documentation(t)
	text, _, _ = strings.Cut(text, "\n## The past")
	words := map[string]bool{"and": true, "or": true, "not": true, "or-longer": true, "or-shorter": true, "ge": true, "le": true, "as-path": true, "next-hop": true, "neighbour-as": true}
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z-]+)[ `]").FindAllStringSubmatch(text, -1) {
		words[m[1]] = true
	}
	for _, dialect := range []string{"cisco", "junos", "bird"} { // names, not words
		delete(words, dialect)
	}
	if len(words) < 40 {
		t.Fatalf("docs/query.md has the words %v only", words)
	}
	drawn := map[string]bool{}
	texts := rapid.Custom(func(t *rapid.T) string { return drawing{t, drawn}.query() })
	for seed := range 600 {
		texts.Example(seed)
	}
	for word := range words {
		if !drawn[word] {
			t.Errorf("no query is drawn with the word %q", word)
		}
	}
}
