package query

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"ribglass/ribstore/query/pathexpr"
	"ribglass/ribstore/query/querytest"
	"ribglass/ribstore/route"
	"ribglass/ribstore/table"
)

func TestParse(t *testing.T) {
	rows := []struct{ name, text, canonical string }{
		{"nothing asks for everything", "  ", ""},
		{"an address is a longest match", "192.0.2.1", "192.0.2.1"},
		{"a mapped address is an IPv4 address", "::ffff:192.0.2.1", "192.0.2.1"},
		{"an IPv6 address in any spelling", "2001:DB8:0::1", "2001:db8::1"},
		{"a prefix is exact", "192.0.2.0/24", "192.0.2.0/24"},
		{"or-longer", "10.0.0.0/8 or-longer", "10.0.0.0/8 or-longer"},
		{"or-shorter of an address means its host prefix", "10.0.0.1 or-shorter", "10.0.0.1/32 or-shorter"},
		{"le alone widens, as prefix lists do", "10.0.0.0/8 le 24", "10.0.0.0/8 or-longer le 24"},
		{"ge and le in any order", "10.0.0.0/8 or-longer le 24 ge 20", "10.0.0.0/8 or-longer ge 20 le 24"},
		{"words in any case", "ORIGIN 64500 AND Not Stale", "origin 64500 not stale"},
		{"and is implied", "peer edge1 family ipv6", "peer edge1 family ipv6-unicast"},
		{"or binds weaker than and", "origin 1 stale or via 2", "origin 1 stale or via 2"},
		{"parentheses where they matter", "((origin 1)) (via 2 or (via 3 or via 4))", "origin 1 (via 2 or via 3 or via 4)"},
		{"not takes one condition", "not origin 1 via 2", "not origin 1 via 2"},
		{"not of a group", "not (origin 1 or via 2)", "not (origin 1 or via 2)"},
		{"two nots are none", "not not best", "best"},
		{"AS numbers in asdot and with AS", "origin AS1.10 via as64500", "origin 65546 via 64500"},
		{"ranges of AS numbers", "neighbor-as 64512-65534", "neighbor-as 64512-65534"},
		{"several AS numbers are neighbours", "via 64500 64501 stale", "via 64500 64501 stale"},
		{"numbers compare", "length>=24 med 5 path-length != 3 local-pref<100", "length >= 24 med = 5 path-length != 3 local-pref < 100"},
		{"communities", "community 64500:1*0 community 64500:100-199 community *:666", "community 64500:1*0 community 64500:100-199 community *:666"},
		{"a well-known community by name", "community BLACKHOLE or 65535:666", "community blackhole or community blackhole"},
		{"large and extended ones", "large-community 64500:1:* ext-community rt:64500:1", "large-community 64500:1:* ext-community rt:64500:1"},
		{"a bare AS number is an origin", "AS64500", "origin 64500"},
		{"bare AS numbers are neighbours", "3356 1299", "via 3356 1299"},
		{"bare communities by their shape", "64500:1 64500:1:2 rt:1:2 no-export", "community 64500:1 large-community 64500:1:2 ext-community rt:1:2 community no-export"},
		{"a bare path", "_3257_13335$", "path _3257_13335$"},
		{"a path with groups", "(path ^64500(_64500)*$)", `path "^64500(_64500)*$"`},
		{"a path that would be read as another dialect's", "path 64500* dialect cisco", "path 64500* dialect cisco"},
		{"ages and times", "since 90m older-than 2026-11-22T03:12Z", "since 90m older-than 2026-11-22T03:12:00Z"},
		{"next hops", "nexthop 192.0.2.1 nexthop 10.0.0.0/8", "nexthop 192.0.2.1 nexthop 10.0.0.0/8"},
		{"origin codes and flags", "origin-code IGP moas bogon otc otc 64500 prepended private-as", "origin-code igp moas bogon otc otc 64500 prepended private-as"},
		{"a moment comes last", "at 2026-11-22T03:12Z origin 1 stale", "origin 1 stale at 2026-11-22T03:12:00Z"},
		{"a moment alone", "AT 2026-11-22", "at 2026-11-22T00:00:00Z"},
		{"a moment of another zone, with a fraction", "at 2026-11-22T03:12:01.250+01:00", "at 2026-11-22T02:12:01.25Z"},
		{"a moment without a zone is UTC", "best at 2026-11-22T03:12", "best at 2026-11-22T03:12:00Z"},
		{"a time of day behind a date", "at 2026-11-22 03:12 stale", "stale at 2026-11-22T03:12:00Z"},
		{"a community behind a date", "at 2026-11-22 65:120", "community 65:120 at 2026-11-22T00:00:00Z"},
		{"a community that could be no time of day", "at 2026-11-22 12:3000", "community 12:3000 at 2026-11-22T00:00:00Z"},
		{"a moment in quotes", `at "2026-11-22 03:12:05"`, "at 2026-11-22T03:12:05Z"},
		{"how long ago", "at 90m", "at -90m"},
		{"how long ago with a sign", "stale at -1d", "stale at -1d"},
		{"now is no past", "stale at now", "stale"},
		{"an or gets parentheses in front of a moment", "(origin 1 or via 2) at 3d", "(origin 1 or via 2) at -3d"},
		{"a span swallows its and", "between 2026-11-22 and 2026-11-23 and origin 1", "origin 1 between 2026-11-22T00:00:00Z and 2026-11-23T00:00:00Z"},
		{"a span up to now", "10.0.0.0/8 between -2h and now", "10.0.0.0/8 between -2h and now"},
		{"a span of no length", "between 2h and 2h", "between -2h and -2h"},
		{"a view stands behind the conditions", "VIEW Post-Policy origin 1", "origin 1 view post-policy"},
		{"a view stands in front of a moment", "at 2h view any stale", "stale view any at -2h"},
		{"a view alone", "view adj-rib-in", "view adj-rib-in"},
		{"an or gets parentheses in front of a view", "(origin 1 or via 2) view loc-rib", "(origin 1 or via 2) view loc-rib"},
		{"a peer that is named as the word for views", `peer "view"`, `peer "view"`},
		{"a peer that is named as a moment's word", `peer "at" or peer now`, `peer "at" or peer now`},
		{"a peer that is named as a word", `peer "stale" group "or"`, `peer "stale" group "or"`},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			got, err := Parse(row.text)
			if err != nil {
				t.Fatalf("Parse(%q) = %v", row.text, err)
			}
			if got.String() != row.canonical {
				t.Errorf("Parse(%q).String() = %q, want %q", row.text, got, row.canonical)
			}
			again, err := Parse(got.String())
			if err != nil || !sameQuery(got, again) {
				t.Errorf("Parse(%q) = %#v, %v, want %#v", got, again, err, got)
			}
		})
	}
}

func sameExpr(a, b Expr) bool {
	return cmp.Equal(a, b, cmp.Comparer(func(a, b netip.Prefix) bool { return a == b }),
		cmp.Comparer(func(a, b *pathexpr.Pattern) bool { return a.String() == b.String() }))
}

func sameQuery(a, b Query) bool {
	return sameExpr(a.Expr, b.Expr) && a.Scope == b.Scope && a.At == b.At && a.Between == b.Between
}

func TestParseErrors(t *testing.T) {
	rows := []struct {
		name, text string
		column     int
		message    string
	}{
		{"a word of no language", "192.0.2.1 bogus", 11, `"bogus" is no address`},
		{"a misspelt word", "orgin 64500", 1, "did you mean origin?"}, //nolint:misspell // that is the point
		{"host bits set", "192.0.2.1/24", 1, "192.0.2.0/24"},
		{"a length beyond the address", "192.0.2.0/33", 1, "no address"},
		{"two addresses", "10.0.0.1 11.0.0.1", 1, "only one"},
		{"an address in an or", "10.0.0.1 or stale", 1, "or-shorter"},
		{"or-longer of nothing", "or-longer", 1, "or-longer"},
		{"or-longer and or-shorter", "10.0.0.0/8 or-longer or-shorter", 22, "or-shorter"},
		{"a zone", "fe80::1%eth0", 1, "no address"},
		{"peer without a name", "peer ", 1, "name"},
		{"a name with other characters", "peer a;b", 7, "letters"},
		{"an unknown family", "family ipx", 8, "ipx"},
		{"a shell", "8.8.8.8;id", 1, "no address"},
		{"a parenthesis left open", "stale (best", 7, `without its ")"`},
		{"a parenthesis too many", "stale) best", 6, `without its "("`},
		{"an operator alone", "length >= ", 1, "needs a number"},
		{"an operator that is none", "length ! 5", 8, "!="},
		{"a range backwards", "origin 5-4", 8, "before it begins"},
		{"no AS number", "via x", 5, "AS number"},
		{"a community too large", "community 65536:1", 11, "community"},
		{"another kind of community", "community 1:2:3", 11, "another kind"},
		{"a bad age", "since tomorrow", 7, "no age"},
		{"an expression that is broken", "path ^(64500", 7, "without"},
		{"a quote left open", `path "^1`, 6, "closing"},
		{"ge above le", "10.0.0.0/8 ge 24 le 20", 23, "leave no length"},
		{"an empty condition", "stale or", 9, "ends"},
		{"a moment without one", "stale at", 7, "at needs a moment"},
		{"a moment that is none", "at tomorrow", 4, "no time"},
		{"a moment before routes were", "at 0001-01-01", 4, "1970"},
		{"a time of day that is none", "at 2026-11-22 03:12x", 15, "no time"},
		{"a moment in an or", "stale or best at 2h", 15, "whole query"},
		{"a moment in front of an or", "at 2h stale or best", 1, "whole query"},
		{"a moment in parentheses", "(stale at 2h)", 8, "parentheses"},
		{"not a moment", "not at 2h", 5, "whole query"},
		{"two moments", "at 2h stale at 3h", 13, "at already"},
		{"a moment and a span", "between 2h and 1h at 3h", 19, "between already"},
		{"a span without its and", "between 2h 1h", 1, "with and between"},
		{"a span without its end", "between 2h and ", 1, "needs a moment"},
		{"a span that ends before it begins", "between 2026-11-22T03:00Z and 2026-11-22", 9, "before it begins"},
		{"a span ago that ends before it begins", "between 1h and 2h", 9, "before it begins"},
		{"a span that begins now", "between now and now", 9, "begin now"},
		{"a view without a name", "stale view", 7, "view needs"},
		{"a view that is none", "view mid-policy", 6, "post-policy"},
		{"two views", "view any stale view any", 16, "already"},
		{"a view in an or", "stale or view any", 10, "whole query"},
		{"a view in parentheses", "(stale view any)", 8, "parentheses"},
		{"what comes later", "rpki invalid", 1, "no RPKI"},
		{"a text too long", strings.Repeat("a ", 5000), maxText + 1, "at most"},
		{"nesting too deep", strings.Repeat("(", 100), maxDepth + 1, "levels"},
		{"too many conditions", strings.Repeat("stale ", 300), 6*maxTerms + 1, "conditions"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			_, err := Parse(row.text)
			var e *Error
			if !errors.As(err, &e) {
				t.Fatalf("Parse(%.40q) = %v, want an *Error", row.text, err)
			}
			if e.Column != row.column || !strings.Contains(e.Message, row.message) {
				t.Errorf("Parse(%.40q) = %v, want column %d and %q", row.text, err, row.column, row.message)
			}
		})
	}
}

func TestNotesTellOtherReadings(t *testing.T) {
	for _, tt := range []struct {
		text string
		want Note
	}{
		{"stale 64500", Note{Column: 7, Understood: "origin 64500", Other: "via 64500"}},
		{"::ffff:192.0.2.5", Note{Column: 1, Understood: "192.0.2.5", Other: "::ffff:192.0.2.5/128 or-shorter"}},
		{"::ffff:192.0.2.0/120", Note{Column: 1, Understood: "::ffff:192.0.2.0/120", Other: "192.0.2.0/24"}},
		{"path 5405", Note{Column: 6, Understood: "path 5405, digits anywhere in a path: also of 15405 and 54050", Other: "via 5405"}}, // bgpkit/monocle 136, 138
	} {
		q, err := Parse(tt.text)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]Note{tt.want}, q.Notes); diff != "" {
			t.Errorf("%q: %s", tt.text, diff)
		}
		if _, err := Parse(tt.want.Other); err != nil {
			t.Errorf("the other reading: %v", err)
		}
	}
}

func TestExamplesOfWordsParse(t *testing.T) {
	for _, w := range Words() {
		_, err := Parse(w.Example)
		if later := w.Text == "rpki"; later != (err != nil) {
			t.Errorf("example of %s: %v", w.Text, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, w := range Words() {
		f.Add(w.Example)
	}
	for _, s := range []string{
		"10.0.0.0/8 or-longer ge 9", "not (1 or 2:3) _4_", `path [= 1 * 2 =] dialect bird`, "a(b",
		"at 2026-11-22T03:12:00.5-01:00 (best or stale)", "stale between 2026-11-22 03:12 and 2026-11-23", "between 3d and now", "since 0001-01-01",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		q, err := Parse(text)
		if err != nil {
			var e *Error
			if !errors.As(err, &e) || e.Column < 1 || e.Column > len(text)+1 {
				t.Fatalf("Parse(%q) = %v", text, err)
			}
			return
		}
		again, err := Parse(q.String())
		if len(q.String()) <= maxText && (err != nil || again.String() != q.String() || again.At != q.At || again.Between != q.Between) {
			t.Fatalf("Parse(%q) = %q, %v", q, again, err)
		}
	})
}

// heard is a route of a random table, as the stupid twin knows it.
type heard struct {
	id     string // peer, prefix and path identifier
	pathID uint32
	stale  bool
	peer   *route.Peer
	prefix netip.Prefix
	attrs  route.Attrs
	at     time.Time
	path   string
}

var now = querytest.Now()

// world is what a random table knows, and the peers and routes in it that may be
// seen.
type world struct {
	Known

	peers []*route.Peer
	heard []heard
}

// fill makes a random table of few peers, prefixes and attributes, so that
// conditions are often met.
func fill(t *rapid.T) world {
	tab := table.New()
	k := world{Known: Known{Table: tab, At: now}}
	views := rapid.SampledFrom([][]route.View{{route.AdjRIBIn}, {route.AdjRIBIn, route.PostPolicy}, route.Views()}).Draw(t, "views")
	hidden := rapid.SampledFrom([]string{"", "", "a", "b"}).Draw(t, "hidden")
	if hidden != "" {
		k.Sees = func(p *route.Peer) bool { return p.Name != hidden }
	}
	byID := map[string]heard{}
	for i, name := range []string{"a", "b", "c"} {
		peer := &route.Peer{
			Name: name, Router: "r" + strconv.Itoa(i/2), Group: "g" + strconv.Itoa(i%2), ASN: route.ASN(i + 1),
			Address: netip.AddrFrom4([4]byte{192, 0, 2, byte(i + 1)}),
			View:    rapid.SampledFrom(views).Draw(t, "view"),
		}
		peer.AddPath[route.IPv4Unicast] = name == "c"
		if name != hidden {
			k.peers = append(k.peers, peer)
		}
		down := rapid.IntRange(0, 4).Draw(t, "down") == 0
		tab.Apply(&route.Batch{Peer: peer, At: now, Event: route.PeerUp})
		for range rapid.IntRange(0, 20).Draw(t, "routes") {
			h := heard{peer: peer, prefix: querytest.Prefix(t), attrs: querytest.Attrs(t), at: now.Add(-time.Duration(rapid.IntRange(0, 200).Draw(t, "age")) * time.Second)}
			h.stale = down
			if peer.AddPath[querytest.FamilyOf(h.prefix)] {
				h.pathID = uint32(rapid.IntRange(0, 2).Draw(t, "path-id"))
			}
			h.id = fmt.Sprint(name, " ", h.prefix, " ", h.pathID)
			h.path = h.attrs.ASPath().String()
			if old, ok := byID[h.id]; ok && string(old.attrs) == string(h.attrs) {
				h.at = old.at
			}
			byID[h.id] = h
			tab.Apply(&route.Batch{Peer: peer, At: h.at, Updates: []route.Update{
				{Family: querytest.FamilyOf(h.prefix), Attrs: h.attrs, NLRI: []route.NLRI{{Prefix: h.prefix, PathID: h.pathID}}},
			}})
		}
		if down {
			b := &route.Batch{Peer: peer, At: now, Event: route.PeerDown}
			for f := range b.Retention {
				b.Retention[f].Stale = time.Hour
			}
			tab.Apply(b)
		}
	}
	for _, h := range byID {
		if h.peer.Name != hidden {
			k.heard = append(k.heard, h)
		}
	}
	return k
}

// asked returns the routes in the views that a query asks.
func (w *world) asked(q Query) (list []heard) {
	for _, h := range w.heard {
		if querytest.Asks(q.Scope.String(), q.Peers(), w.peers, h.peer) {
			list = append(list, h)
		}
	}
	return list
}

func genScope(t *rapid.T) Scope {
	views := []Scope{FirstView, FirstView, AnyView}
	for _, v := range route.Views() {
		views = append(views, OfView(v))
	}
	return rapid.SampledFrom(views).Draw(t, "scope")
}

// genExpr draws a condition with the twin's opinion on it.
func genExpr(t *rapid.T, depth int) (Expr, func(h heard, all []heard) bool) {
	if depth > 0 {
		switch rapid.IntRange(0, 5).Draw(t, "shape") {
		case 0:
			e, meets := genExpr(t, depth-1)
			if n, ok := e.(Not); ok {
				return n.Of, func(h heard, all []heard) bool { return !meets(h, all) }
			}
			return Not{e}, func(h heard, all []heard) bool { return !meets(h, all) }
		case 1, 2:
			return genList(t, depth, true)
		case 3:
			return genList(t, depth, false)
		}
	}
	e := rapid.Custom(genTerm).Draw(t, "term")
	return e, func(h heard, all []heard) bool { return twin(e, h, all) }
}

func genList(t *rapid.T, depth int, and bool) (Expr, func(h heard, all []heard) bool) {
	var parts []Expr
	var tests []func(h heard, all []heard) bool
	for range rapid.IntRange(2, 3).Draw(t, "parts") {
		e, meets := genExpr(t, depth-1)
		tests = append(tests, meets)
		switch e := e.(type) {
		case And:
			if and {
				parts = append(parts, e...)
				continue
			}
		case Or:
			if !and {
				parts = append(parts, e...)
				continue
			}
		}
		parts = append(parts, e)
	}
	meets := func(h heard, all []heard) bool {
		for _, test := range tests {
			if test(h, all) != and {
				return !and
			}
		}
		return and
	}
	if and {
		return And(parts), meets
	}
	return Or(parts), meets
}

// conditionWords returns the words of the language that begin a condition on
// routes. Those that do not are tested elsewhere: a view and a moment are about
// the whole query, and there is no RPKI data yet.
func conditionWords() (words []string) {
	for _, w := range Words() {
		switch w.Text {
		case "view", "at", "between", "rpki":
		default:
			words = append(words, w.Text)
		}
	}
	return words
}

// genTerm draws a condition: a prefix, or what begins with a word.
func genTerm(t *rapid.T) Expr {
	if rapid.IntRange(0, 4).Draw(t, "prefix") == 0 {
		p := querytest.Prefix(t)
		if rapid.Bool().Draw(t, "ge") {
			return In{Match: OrLonger, Prefix: p, Ge: uint8(min(p.Bits()+1, p.Addr().BitLen()))}
		}
		return In{Match: rapid.SampledFrom([]Match{Exact, OrLonger, OrShorter}).Draw(t, "match"), Prefix: p}
	}
	return genTermOf(t, rapid.SampledFrom(conditionWords()).Draw(t, "word"))
}

// genASNs draws an AS number or a range.
func genASNs(t *rapid.T) ASNs {
	a, b := querytest.ASN(t), querytest.ASN(t)
	if rapid.Bool().Draw(t, "range") {
		b = a
	}
	return ASNs{min(a, b), max(a, b)}
}

// genTermOf draws a condition that begins with a word. It panics when it does not
// know the word: a new word of the language gets a line here and one in its twin.
func genTermOf(t *rapid.T, word string) Expr {
	asns := func() ASNs { return genASNs(t) }
	text := func(values ...string) string { return rapid.SampledFrom(values).Draw(t, word) }
	community := func(values ...string) Expr {
		e, _ := parseCommunity(text(values...))
		return e
	}
	switch word {
	case "origin":
		if rapid.IntRange(0, 3).Draw(t, "none") == 0 {
			return NoOrigin
		}
		return Origin{asns()}
	case "neighbor-as":
		if rapid.IntRange(0, 3).Draw(t, "none") == 0 {
			return NoNeighbor
		}
		return NeighborAS{asns()}
	case "via":
		return Via(rapid.SliceOfN(rapid.Custom(genASNs), 1, 3).Draw(t, "via"))
	case "path":
		p, err := pathexpr.Compile(text("_1_", "^2", "3$", "1_2", "^$", "(1|3)_12", "_2_.*_3_", "{"), pathexpr.Cisco)
		if err != nil {
			p, _ = pathexpr.Compile("_1_", pathexpr.Cisco)
		}
		return Path{p}
	case "length", "path-length", "path-hops", "med", "local-pref", "path-id":
		op := rapid.SampledFrom([]Op{Equal, NotEqual, Less, AtMost, More, AtLeast}).Draw(t, "op")
		return Compare{Number(word), op, uint64(rapid.IntRange(0, 20).Draw(t, "value") % rapid.SampledFrom([]int{3, 21}).Draw(t, "below"))}
	case "community":
		return community("1:100", "1:*", "*:100", "1:1*0", "1:100-120", "blackhole")
	case "large-community":
		return community("1:2:*", "1:2:1-2", "*:*:3")
	case "ext-community":
		return community("rt:1:1", "rt:1:*", "rt:*:2", "ro:1:1")
	case "nexthop":
		return NextHop{netip.MustParsePrefix(text("192.0.2.1/32", "192.0.2.0/30", "10.0.0.0/8"))}
	case "peer", "router", "group":
		return Named{Label(word), text("a", "b", "r0", "g1")}
	case "peer-as":
		return Named{PeerAS, text("1", "2", "4")}
	case "peer-address":
		return Named{PeerAddress, text("192.0.2.1", "192.0.2.2", "2001:db8::1")}
	case "family":
		return InFamily{rapid.SampledFrom([]route.Family{route.IPv4Unicast, route.IPv6Unicast}).Draw(t, "family")}
	case "stale", "best", "moas", "prepended", "private-as", "bogon":
		return Is(word)
	case "otc":
		if rapid.Bool().Draw(t, "of any AS") {
			return HasOTC
		}
		return OTC{asns()}
	case "origin-code":
		return OriginCode{route.Origin(rapid.IntRange(0, 2).Draw(t, "code"))}
	case "since", "older-than":
		ago := time.Duration(rapid.IntRange(1, 200).Draw(t, "ago")) * time.Second
		if rapid.Bool().Draw(t, "at") {
			return Age{Older: word == "older-than", At: now.Add(-ago)}
		}
		return Age{Older: word == "older-than", Ago: ago}
	}
	panic(fmt.Sprintf("no condition is drawn that begins with %q", word))
}

// twin decides a condition the slow and obvious way, mostly on text.
func twin(e Expr, h heard, all []heard) bool {
	words := strings.FieldsFunc(h.path, func(r rune) bool { return strings.ContainsRune(" {}(),[]", r) })
	switch e := e.(type) {
	case Origin:
		return slices.ContainsFunc(endOf(h.path, true), func(s string) bool { return e.has(asn(s)) })
	case NeighborAS:
		return slices.ContainsFunc(endOf(h.path, false), func(s string) bool { return e.has(asn(s)) })
	case Via:
		if len(e) == 1 {
			return slices.ContainsFunc(words, func(s string) bool { return e[0].has(asn(s)) })
		}
		return twinVia(e, h.path)
	case Path:
		s := strings.NewReplacer("_", `(?:^|[ {}(),\[\]]|$)`, "{", `\{`).Replace(e.Pattern.String())
		return regexp.MustCompile(strings.ReplaceAll(s, `\\{`, `\{`)).MatchString(h.path)
	case Compare:
		return twinNumber(e, h)
	case Community:
		return anyCommunity(e, h.attrs)
	case LargeCommunity:
		for c := range h.attrs.LargeCommunities().All() {
			if e.Global.matches(uint64(c.Global)) && e.Local1.matches(uint64(c.Local1)) && e.Local2.matches(uint64(c.Local2)) {
				return true
			}
		}
		return false
	case NextHop:
		return e.Prefix.Contains(h.attrs.NextHop())
	case Named:
		return e.Name == twinLabel(e.Label, h.peer)
	case ExtCommunity:
		text := e.Kind + ":" + strings.ReplaceAll(e.Pattern, "*", "[0-9]*")
		for c := range h.attrs.ExtCommunities() {
			if regexp.MustCompile("^" + text + "$").MatchString(c.String()) {
				return true
			}
		}
		return false
	case OTC:
		n, ok := h.attrs.OTC()
		return ok && e.First <= n && n <= e.Last
	case InFamily:
		return querytest.FamilyOf(h.prefix) == e.Family
	case OriginCode:
		return h.attrs.Origin() == e.Origin
	case Age:
		ago := e.Ago
		if !e.At.IsZero() {
			ago = now.Sub(e.At)
		}
		return now.Sub(h.at) > ago == e.Older
	case In:
		return twinIn(e, h.prefix)
	case Is:
		return twinIs(e, h, all, words)
	}
	panic(fmt.Sprintf("no twin of %T", e))
}

func twinLabel(l Label, p *route.Peer) string {
	switch l {
	case Peer:
		return p.Name
	case Router:
		return p.Router
	case Group:
		return p.Group
	case PeerAS:
		return fmt.Sprint(uint32(p.ASN))
	case PeerAddress:
		return p.Address.String()
	}
	panic(fmt.Sprintf("no twin of %q", l))
}

func asn(s string) route.ASN {
	n, _ := strconv.Atoi(s)
	return route.ASN(n)
}

// confederation finds the segments of a printed path that are of a confederation.
var confederation = regexp.MustCompile(`\([^)]*\)|\[[^]]*\]`)

// endOf returns the first or the last AS number of a printed path outside of
// confederations, or the members of the set that stands there.
func endOf(path string, last bool) []string {
	fields := strings.Fields(confederation.ReplaceAllString(path, ""))
	if len(fields) == 0 {
		return nil
	}
	end := fields[0]
	if last {
		end = fields[len(fields)-1]
	}
	return strings.Split(strings.Trim(end, "{}"), ",")
}

// sets finds what tears sequences apart.
var sets = regexp.MustCompile(`\{[^}]*\}|\[[^]]*\]|[()]`)

// twinVia tries every way to leave out repetitions.
func twinVia(e Via, path string) bool {
	var from func(fields []string, want Via) bool
	from = func(fields []string, want Via) bool {
		if len(want) == 0 {
			return true
		}
		if len(fields) == 0 || !want[0].has(asn(fields[0])) {
			return false
		}
		for i := 1; i <= len(fields) && fields[i-1] == fields[0]; i++ {
			if from(fields[i:], want[1:]) {
				return true
			}
		}
		return false
	}
	for _, run := range sets.Split(strings.ReplaceAll(path, ") (", " "), -1) {
		fields := strings.Fields(run)
		for i := range fields {
			if from(fields[i:], e) {
				return true
			}
		}
	}
	return false
}

// compacted returns the elements of a printed path without confederations, and without
// repetitions in a sequence.
func compacted(path string) []string {
	fields := strings.Fields(confederation.ReplaceAllString(path, " | "))
	fields = slices.CompactFunc(fields, func(a, b string) bool { return a == b && !strings.HasPrefix(a, "{") })
	return slices.DeleteFunc(fields, func(s string) bool { return s == "|" })
}

func twinNumber(e Compare, h heard) bool {
	var n uint32
	ok := true
	fields := strings.Fields(confederation.ReplaceAllString(h.path, ""))
	switch e.Number {
	case Length:
		n = uint32(h.prefix.Bits())
	case PathLength:
		n = uint32(len(fields))
	case PathHops:
		n = uint32(len(compacted(h.path)))
	case MED:
		n, ok = h.attrs.MED()
	case LocalPref:
		n, ok = h.attrs.LocalPref()
	case PathID:
		n, ok = h.pathID, h.peer.AddPath[querytest.FamilyOf(h.prefix)]
	default:
		panic(fmt.Sprintf("no twin of %q", e.Number))
	}
	return ok && e.Op.holds(uint64(n), e.Value)
}

func anyCommunity(e Community, a route.Attrs) bool {
	text := string(e.appendText(nil))[len("community "):]
	for c := range a.Communities().All() {
		pattern := regexp.MustCompile("^" + strings.ReplaceAll(strings.ReplaceAll(text, "100-120", "1(0[0-9]|1[0-9]|20)"), "*", "[0-9]*") + "$")
		if pattern.MatchString(c.String()) || text == c.Name() {
			return true
		}
	}
	return false
}

func twinIn(e In, p netip.Prefix) bool {
	covers := func(a, b netip.Prefix) bool { return a.Bits() <= b.Bits() && a.Overlaps(b) }
	if e.Ge > 0 && p.Bits() < int(e.Ge) {
		return false
	}
	switch e.Match {
	case Exact:
		return p == e.Prefix
	case OrLonger:
		return covers(e.Prefix, p)
	case OrShorter:
		return covers(p, e.Prefix)
	}
	panic(fmt.Sprintf("no twin of %v", e.Match))
}

func twinIs(e Is, h heard, all []heard, words []string) bool {
	var same []heard
	for _, o := range all {
		if o.prefix == h.prefix {
			same = append(same, o)
		}
	}
	switch e {
	case Best:
		var routes []route.Route
		for _, o := range same {
			if o.peer.View == h.peer.View && (o.peer.View == route.AdjRIBIn || o.peer.Router == h.peer.Router) {
				r := route.Route{Peer: o.peer, Attrs: o.attrs, PathID: o.pathID}
				if o.stale {
					r.StaleSince = now
				}
				routes = append(routes, r)
			}
		}
		table.Decide(routes)
		return routes[0].Peer.Name == h.peer.Name && routes[0].PathID == h.pathID
	case MOAS:
		origins := map[string]bool{}
		for _, o := range same {
			for _, n := range endOf(o.path, true) {
				origins[n] = true
			}
		}
		return len(origins) > 1
	case Prepended:
		return len(compacted(h.path)) < len(strings.Fields(confederation.ReplaceAllString(h.path, "")))
	case PrivateAS:
		return slices.Contains(words, "64512")
	case Bogon:
		return h.prefix.Bits() == 0 || isBogon(h.prefix)
	case Stale:
		return h.stale
	case HasOTC:
		_, ok := h.attrs.OTC()
		return ok
	case NoOrigin, NoNeighbor:
		return endOf(h.path, true) == nil
	}
	panic(fmt.Sprintf("no twin of %q", e))
}

// TestRunEqualsWalk asks random questions of random tables, page by page, as a
// stream and for facets, and compares with a test of every route.
func TestRunEqualsWalk(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := fill(t)
		e, meets := genExpr(t, 3)
		q := Query{Expr: e, Scope: genScope(t)}
		all := k.asked(q)
		var want []string
		for _, h := range all {
			if meets(h, all) {
				want = append(want, h.id)
			}
		}
		slices.Sort(want)
		again, err := Parse(q.String())
		if err != nil && strings.Contains(err.Error(), ": write ") {
			again, err = q, nil // conditions that no route can meet together
		}
		if err != nil || again.String() != q.String() || !sameQuery(again, q) {
			t.Fatalf("Parse(%q) = %#v, %v, want %#v", q, again.Expr, err, e)
		}
		forceScan := rapid.Bool().Draw(t, "scan")
		if diff := cmp.Diff(want, pages(t, k.Known, q, len(want), forceScan)); diff != "" {
			t.Fatalf("%q by pages (-walk +run): %s", q, diff)
		}
		if diff := cmp.Diff(want, streamed(t, k.Known, q)); diff != "" {
			t.Fatalf("%q as a stream (-walk +run): %s", q, diff)
		}
		f, err := Count(context.Background(), k.Known, q, 1000)
		if err != nil {
			t.Fatal(err)
		}
		checkFacets(t, q.String(), f, slices.DeleteFunc(all, func(h heard) bool { return !slices.Contains(want, h.id) }))
	})
}

func idOf(r *route.Route) string { return fmt.Sprint(r.Peer.Name, " ", r.Prefix, " ", r.PathID) }

// TestEveryWordEqualsItsTwin asks a question with each word of the language, so
// that none is left out by chance.
func TestEveryWordEqualsItsTwin(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := fill(t)
		for _, word := range conditionWords() {
			e := genTermOf(t, word)
			if text := string(e.appendText(nil)); !strings.HasPrefix(text+" ", word+" ") {
				t.Fatalf("%q is drawn for the word %q", text, word)
			}
			q := Query{Expr: e, Scope: AnyView}
			var want []string
			for _, h := range w.heard {
				if twin(e, h, w.heard) {
					want = append(want, h.id)
				}
			}
			slices.Sort(want)
			if diff := cmp.Diff(want, streamed(t, w.Known, q)); diff != "" {
				t.Fatalf("%q (-walk +stream): %s", q, diff)
			}
		}
	})
}

// TestDrawnTextsHaveEveryWord keeps the texts that other packages draw complete.
func TestDrawnTextsHaveEveryWord(t *testing.T) {
	for _, word := range conditionWords() {
		if !slices.ContainsFunc(querytest.Texts(), func(text string) bool { return strings.HasPrefix(text+" ", word+" ") }) {
			t.Errorf("querytest.Texts has no condition that begins with %q", word)
		}
	}
}

func pages(t *rapid.T, k Known, q Query, total int, forceScan bool) (got []string) {
	page := Page{Limit: rapid.IntRange(1, 5).Draw(t, "limit")}
	var last netip.Prefix
	for n := 0; n == 0 || page.Cursor != "" && n < 200; n++ {
		r, err := run(context.Background(), k, q, page, forceScan)
		if err != nil {
			t.Fatal(err)
		}
		if r.Total != total || len(r.Routes) > page.Limit {
			t.Fatalf("%q: %d of %d routes, want at most %d of %d", q, len(r.Routes), r.Total, page.Limit, total)
		}
		for i := range r.Routes {
			p := r.Routes[i].Prefix
			if last.IsValid() && (last.Addr().Is6() && p.Addr().Is4() || last.Addr().Is4() == p.Addr().Is4() && p.Compare(last) < 0) {
				t.Fatalf("%q: %v comes behind %v", q, p, last)
			}
			last = p
			got = append(got, idOf(&r.Routes[i]))
		}
		page.Cursor = r.NextCursor
	}
	slices.Sort(got)
	return got
}

func streamed(t *rapid.T, k Known, q Query) (got []string) {
	err := Stream(context.Background(), k, q, func(routes []route.Route) error {
		for i := range routes {
			got = append(got, idOf(&routes[i]))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(got)
	return got
}

// checkFacets counts what the routes found have, and compares all six lists: values, counts,
// order and how many values there are.
func checkFacets(t *rapid.T, text string, f *Facets, found []heard) {
	counts := [6]map[string]int{}
	for i := range counts {
		counts[i] = map[string]int{}
	}
	for _, h := range found {
		have := [6][]string{endOf(h.path, true), endOf(h.path, false), {h.peer.Name}, nil, {fmt.Sprintf("/%d", h.prefix.Bits())}, {h.attrs.NextHop().String()}}
		for c := range h.attrs.Communities().All() {
			have[3] = append(have[3], c.String())
		}
		for c := range h.attrs.LargeCommunities().All() {
			have[3] = append(have[3], c.String())
		}
		for i, values := range have {
			if i < 2 && len(values) == 0 {
				values = []string{"none"}
			}
			slices.Sort(values)
			for _, v := range slices.Compact(values) {
				counts[i][v]++
			}
		}
	}
	want := [6][]string{}
	for i, of := range counts {
		for v, n := range of {
			want[i] = append(want[i], fmt.Sprintf("%05d %s", 99999-n, v))
		}
		slices.Sort(want[i])
	}
	got, lists := [6][]string{}, [6][]Facet{f.Origins, f.NeighborASs, f.Peers, f.Communities, f.Lengths, f.NextHops}
	for i, list := range lists {
		for _, x := range list {
			got[i] = append(got[i], fmt.Sprintf("%05d %s", 99999-x.Count, x.Value))
		}
	}
	if diff := cmp.Diff(want, got); diff != "" || f.Total != len(found) {
		t.Fatalf("%q: facets of %d routes, want %d (-walk +count, with the complement of counts): %s", text, f.Total, len(found), diff)
	}
	for i, n := range []int{f.OriginCount, f.NeighborASCount, f.PeerCount, f.CommunityCount, f.LengthCount, f.NextHopCount} {
		if n != len(counts[i]) {
			t.Fatalf("%q: %d values in list %d of the facets, want %d", text, n, i, len(counts[i]))
		}
	}
}

func TestLongestMatchHonoursConditions(t *testing.T) {
	tab := table.New()
	for _, r := range []struct {
		peer, prefix string
	}{{"a", "10.0.0.0/8"}, {"b", "10.1.0.0/16"}, {"a", "0.0.0.0/0"}} {
		tab.Apply(&route.Batch{Peer: &route.Peer{Name: r.peer}, At: now, Updates: []route.Update{
			{Attrs: route.Attrs(nil).AppendAttr(route.AttrOrigin, []byte{0}), NLRI: []route.NLRI{{Prefix: netip.MustParsePrefix(r.prefix)}}},
		}})
	}
	for text, want := range map[string]string{
		"10.1.2.3":            "b 10.1.0.0/16 0",
		"10.1.2.3 peer a":     "a 10.0.0.0/8 0",
		"10.1.2.3 length<8":   "a 0.0.0.0/0 0",
		"11.0.0.1 not peer b": "a 0.0.0.0/0 0",

		// A covering prefix beside the address is one more condition on its longest match.
		"10.1.2.3 10.1.2.0/24 or-shorter":    "b 10.1.0.0/16 0",
		"10.1.2.0/24 or-shorter 10.1.2.3":    "b 10.1.0.0/16 0",
		"10.1.2.3 10.0.0.0/8":                "a 10.0.0.0/8 0",
		"10.1.2.3 10.0.0.0/8 or-longer":      "b 10.1.0.0/16 0",
		"10.1.2.3 not 10.1.0.0/16 or-longer": "a 10.0.0.0/8 0",
	} {
		q, err := Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		r, err := Run(context.Background(), Known{Table: tab, At: now}, q, Page{})
		if err != nil || len(r.Routes) != 1 || idOf(&r.Routes[0]) != want {
			t.Errorf("%q = %+v, %v, want %s", text, r, err, want)
		}
	}
}

func TestForeignCursorIsRefused(t *testing.T) {
	tab := table.New()
	for _, c := range []string{"x", "!!", "AAAA", "_____w", strings.Repeat("A", 500)} {
		_, err := Run(context.Background(), Known{Table: tab, At: now}, Query{}, Page{Cursor: c})
		if !errors.Is(err, ErrCursor) {
			t.Errorf("cursor %.20q: %v, want ErrCursor", c, err)
		}
	}
}

func ExampleParse() {
	q, err := Parse("192.0.2.0/24 or-longer, peer edge1")
	fmt.Println(q, err)
	q, err = Parse("as64500 not (community 64500:1*0 or blackhole)")
	fmt.Println(q, err)
	// Output:
	// 192.0.2.0/24 or-longer peer edge1 <nil>
	// origin 64500 not (community 64500:1*0 or community blackhole) <nil>
}
