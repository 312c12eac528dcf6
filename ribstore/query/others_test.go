package query

import (
	"errors"
	"strings"
	"testing"
)

// TestWhatPeopleType reads what people type and paste: words of routers, of other tools
// and of our own JSON, commands of routers and what they answered.
func TestWhatPeopleType(t *testing.T) {
	for _, row := range []struct{ text, canonical string }{
		{"[2001:db8::1]", "2001:db8::1"},
		{"203.0.0.4,", "203.0.0.4"},
		{"community 64500:100..200", "community 64500:100-200"},
		{"AS 20473", "origin 20473"},
		{"ASN20473", "origin 20473"},
		{"203.0.0.0 255.255.255.0", "203.0.0.0/24"},
		{"203.0.0.0/255.255.255.0", "203.0.0.0/24"},
		{"203.0.0.0/16{20,24}", "203.0.0.0/16 or-longer ge 20 le 24"},
		{"203.0.0.0/16+", "203.0.0.0/16 or-longer"},
		{"203.0.0.", "203.0.0.0/24 or-longer"},
		{"show ip bgp 203.0.0.4", "203.0.0.4"},
		{"target:64500:1", "ext-community rt:64500:1"},
		{"large:200000:101:0", "large-community 200000:101:0"},
		{"(65535,666)", "community blackhole"},
		{"generic:0x43000000:0x2", "ext-community generic:4300000000000002"},
		{"med", "med >= 0"},
		{"not med", "not med >= 0"},
		{"at 1764509400", "at 2025-11-30T13:30:00Z"},
		{"at yesterday", "at -1d"},
		{"path 5405", "path 5405"},
		{"origin 3257 || origin 1299", "origin 3257 or origin 1299"},
		{"1.1.1.*", "1.1.1.0/24 or-longer"},
		{"^3257 13335$", `path "^3257 13335$"`},
		{"local_pref 100", "local-pref = 100"},
		{"local_pref=100", "local-pref = 100"},
		{"as_path ^3257", "path ^3257"},
		{"as_path: 3257 13335", `path "3257 13335"`},
		{"no_export", "community no-export"},
		{"NO_EXPORT", "community no-export"},
		{"community no_export", "community no-export"},
		{"community=64500:1", "community 64500:1"},
		{"community:64500:1", "community 64500:1"},
		{"origin=3257", "origin 3257"},
		{"origin:3257", "origin 3257"},
		{"origin!=3257", "not origin 3257"},
		{"peer=edge1", "peer edge1"},
		{"peer:edge1", "peer edge1"},
		{"prefix 10.0.0.0/8", "10.0.0.0/8"},
		{"route 10.0.0.0/8", "10.0.0.0/8"},
		{"net 10.0.0.0/8", "10.0.0.0/8"},
		{"prefix=10.0.0.0/8", "10.0.0.0/8"},
		{"prefix:2001:db8::/32", "2001:db8::/32"},
		{"as path ^3257_", "path ^3257_"},
		{"origin AS 3257", "origin 3257"},
		{"via AS 3257", "via 3257"},
		{"neighbor-as AS3257", "neighbor-as 3257"},
		{"10.0.0.0/8^+", "10.0.0.0/8 or-longer"},
		{"10.0.0.0/8^-", "10.0.0.0/8 or-longer ge 9"},
		{"10.0.0.0/8^24", "10.0.0.0/8 or-longer ge 24 le 24"},
		{"10.0.0.0/8^24-28", "10.0.0.0/8 or-longer ge 24 le 28"},
		{"10.0.0.0/8{24,28}", "10.0.0.0/8 or-longer ge 24 le 28"},
		{"10/8", "10.0.0.0/8"},
		{"10/8 longer-prefixes", "10.0.0.0/8 or-longer"},
		{"10.0.0.0/8 longer-prefixes", "10.0.0.0/8 or-longer"},
		{"10.0.0.0/8 exact", "10.0.0.0/8"},
		{"10.0.0.0/8 orlonger", "10.0.0.0/8 or-longer"},
		{"10.0.0.0/8 upto /24", "10.0.0.0/8 or-longer le 24"},
		{"10.0.0.0/8 prefix-length-range /20-/24", "10.0.0.0/8 or-longer ge 20 le 24"},
		{"192.0.2.0-192.0.2.255", "192.0.2.0/24 or-longer"},
		{"192.0.2.10-192.0.2.20", "192.0.2.10/31 or-longer or 192.0.2.12/30 or-longer or 192.0.2.16/30 or-longer or 192.0.2.20/32 or-longer"},
		{"RT:64500:1", "ext-community rt:64500:1"},
		{"rt 64500:1", "ext-community rt:64500:1"},
		{"soo:64500:1", "ext-community ro:64500:1"},
		{"SoO:64500:1", "ext-community ro:64500:1"},
		{"3257:1xx", "community 3257:1??"},
		{"3257:nnn", "community 3257:*"},
		{"3257:xxx", "community 3257:*"},
		{"ipv6", "family ipv6-unicast"},
		{"ipv4 unicast", "family ipv4-unicast"},
		{"default", "0.0.0.0/0 or ::/0"},
		{"peer 192.0.2.1", "peer-address 192.0.2.1"},
		{"peer 2001:db8::1", "peer-address 2001:db8::1"},
		{"peer AS64500", "peer-as 64500"},
		{"peer edge1,edge2", "peer edge1 or peer edge2"},
		{"stale && best", "stale best"},
		{"stale & best", "stale best"},
		{"stale||best", "stale or best"},
		{"stale || best", "stale or best"},
		{"!stale", "not stale"},
		{"not stale and ! best", "not stale not best"},
		{"path “^3257_”", "path ^3257_"},
		{"path '^3257_13335$'", "path ^3257_13335$"},
		{"stale\tbest", "stale best"},
		{"stale\nbest", "stale best"},
		{"8.8.8.8:53", "8.8.8.8"},
		{"[2001:db8::1]:179", "2001:db8::1"},
		{"*> 1.1.1.0/24  192.0.2.1  0 100 0 3356 13335 i", "1.1.1.0/24"},
		{"*>i1.1.1.0/24  192.0.2.1  0 100 0 3356 13335 i", "1.1.1.0/24"},
		{" *>  1.1.1.0/24       192.0.2.1                0             0 3356 13335 i", "1.1.1.0/24"},
		{"8.8.8.0/24         *[BGP/170] 1d 02:03:04, localpref 100\n                      AS path: 3356 15169 I, validation-state: unverified\n                    > to 192.0.2.1 via ge-0/0/0.0", "8.8.8.0/24"},
		{"8.8.8.0/24  unicast [edge1 2026-11-22] * (100) [AS15169i]\n\tvia 192.0.2.1 on eth0", "8.8.8.0/24"},
		{"BGP routing table entry for 8.8.8.0/24, version 5", "8.8.8.0/24"},
		{"show route 8.8.8.8 detail", "8.8.8.8"},
		{"show route protocol bgp 8.8.8.0/24", "8.8.8.0/24"},
		{"show route for 8.8.8.8 all", "8.8.8.8"},
		{"show route where bgp_path ~ [= * 3257 * =]", "path [= * 3257 * =]"},
		{"show route where net ~ 10.0.0.0/8+", "10.0.0.0/8 or-longer"},
		{"birdc show route for 8.8.8.8", "8.8.8.8"},
		{`vtysh -c "show ip bgp 8.8.8.8"`, "8.8.8.8"},
		{"router# show ip bgp 8.8.8.8", "8.8.8.8"},
		{"user@router> show route 8.8.8.0/24 exact", "8.8.8.0/24"},
		{"show bgp ipv6 unicast 2001:db8::/32", "2001:db8::/32"},
		{"show bgp ipv4 unicast regexp _3257_", "path _3257_"},
		{"show ip bgp regexp ^3257_13335$", "path ^3257_13335$"},
		{"show ip bgp neighbors 192.0.2.1 routes", "peer-address 192.0.2.1"},
		{"show route table inet.0 8.8.8.0/24", "8.8.8.0/24"},
		{"show ip bgp community 64500:1", "community 64500:1"},
		{"show ip bgp 10.0.0.0/8 longer-prefixes", "10.0.0.0/8 or-longer"},
		{"BGP.as_path: 3257 13335", `path "3257 13335"`},
		{"BGP.local_pref: 100", "local-pref = 100"},
		{"BGP.community: (65535,666)", "community blackhole"},
		{"(200000, 101, 0)", "large-community 200000:101:0"},
		{"(rt, 64500, 1)", "ext-community rt:64500:1"},
		{`"local_pref": 100`, "local-pref = 100"},
		{`"prefix": "8.8.8.0/24"`, "8.8.8.0/24"},
		{`"peer": "edge1"`, "peer edge1"},
		{"stale=true", "stale"},
		{"best: false", "not best"},
		{"origin igp", "origin-code igp"},
		{"origin i", "origin-code igp"},
		{"origin ?", "origin-code incomplete"},
		{"origin 3257,1299", "origin 3257 or origin 1299"},
		{"path 3257 13335", `path "3257 13335"`},
		{"3257 13335", "via 3257 13335"},
		{"128.25", "origin 8388633"},
		{"/24", "length = 24"},
		{"length /24", "length = 24"},
		{"med=100", "med = 100"},
		{"med:100", "med = 100"},
		{"med != 100", "med != 100"},
		{"age < 1h", "since 1h"},
		{"age > 30d", "older-than 30d"},
		{"since 2 hours ago", "since 2h"},
		{"since 2hours", "since 2h"},
		{"since 1h30m", "since 90m"},
		{"at 2 days ago", "at -2d"},
		{"at 15min", "at -15m"},
		{"at 2026-11-22 03:12 UTC", "at 2026-11-22T03:12:00Z"},
		{"at 2026-11-22T03:12Z", "at 2026-11-22T03:12:00Z"},
		{"between yesterday and now", "between -1d and now"},
		{"older-than 30 days", "older-than 30d"},
		{"router nope", "router nope"},
		{`router "core 1 (fra)"`, `router "core 1 (fra)"`},
		{"router core 1", "router core origin 1"},
		{"neighbor 3257", "neighbor-as 3257"},
		{"neighbor edge1", "peer edge1"},
		{"neighbor 192.0.2.1", "peer-address 192.0.2.1"},
		{"from edge1", "peer edge1"},
		{"localpref > 100", "local-pref > 100"},
		{"next_hop 192.0.2.1", "nexthop 192.0.2.1"},
		{"nexthop=192.0.2.1", "nexthop 192.0.2.1"},
		{"bgp_next_hop = 192.0.2.1", "nexthop 192.0.2.1"},
		{"large_community 64500:1:2", "large-community 64500:1:2"},
		{"large 64500:1:2", "large-community 64500:1:2"},
		{"ext_communities rt:64500:1", "ext-community rt:64500:1"},
		{"target:64500L:1", "ext-community rt:64500:1"},
		{"afi ipv6", "family ipv6-unicast"},
		{"family inet6", "family ipv6-unicast"},
		{"family ipv4 unicast", "family ipv4-unicast"},
		{"metric 100", "med = 100"},
		{"via 64512-65534", "via 64512-65534"},
		{"origin 64512..65534", "origin 64512-65534"},
		{"203.0.113.0/24 ge=26", "203.0.113.0/24 or-longer ge 26"},
		{"203.0.113.0/24 ge 0", "203.0.113.0/24 or-longer"},
		{"0.0.0.0/0 le 0", "0.0.0.0/0"},
		{"2001:db8:", "2001:db8::/32 or-longer"},
		{"2001:db8:*", "2001:db8::/32 or-longer"},
		{"2001:db8::", "2001:db8::"},
		{"::ffff:192.0.2.0/120", "::ffff:192.0.2.0/120"},
		{"nexthop ::ffff:192.0.2.1", "nexthop ::ffff:192.0.2.1"},
		{"192.0.2.1 or-longer", "192.0.2.1/32 or-longer"},
		{".*", "path .*"},
		{"path-length>5", "path-length > 5"},
		{`peer "192.0.2.1"`, `peer "192.0.2.1"`},
		{`peer "AS1"`, `peer "AS1"`},
		{"path 3257.*", "path 3257.*"},
		{"64500:1, 64500:2", "community 64500:1 community 64500:2"},
		{"1.1.1.1;", "1.1.1.1"},
		{"1.1.1.1.", "1.1.1.1"},
		{"1.1.1.0/24 origin=13335, peer=edge1", "1.1.1.0/24 origin 13335 peer edge1"},
		{"origin-as 13335", "origin 13335"},
		{"origin_as 13335", "origin 13335"},
		{"peer_asn 13335", "peer-as 13335"},
		{"best=true and stale=false", "best not stale"},
		{"via 1299 and via 3257", "via 1299 via 3257"},
		{"not via AS1299", "not via 1299"},
		{"community:no-export", "community no-export"},
		{"bgp_community ~ (65535,666)", "community blackhole"},
		{"community (65535,666)", "community blackhole"},
		{"large-community 64500:*:1-2", "large-community 64500:*:1-2"},
		{"communities 3257:4000", "community 3257:4000"},
		{"via 3257 _ 1299", "via 3257 path _ origin 1299"},
		{"203.0.113.0 0.0.0.255", "203.0.113.0/24"},
	} {
		q, err := Parse(row.text)
		if err != nil {
			t.Errorf("Parse(%q) = %v, want %s", row.text, err, row.canonical)
			continue
		}
		if q.String() != row.canonical {
			t.Errorf("Parse(%q) = %s, want %s", row.text, q, row.canonical)
		}
		if again, err := Parse(q.String()); err != nil || !sameQuery(q, again) {
			t.Errorf("Parse(%q) = %v, %v; it is the canonical form of %q", q, again, err, row.text)
		}
		for _, n := range q.Notes {
			if _, err := Parse(n.Other); err != nil {
				t.Errorf("%q is read %q otherwise, which is %v", row.text, n.Other, err)
			}
		}
	}
}

// TestWhatPeopleTypeIsRefusedWithTheRightForm has what could be misread, or means nothing.
func TestWhatPeopleTypeIsRefusedWithTheRightForm(t *testing.T) {
	for _, row := range []struct{ text, message string }{
		{"path $15169_", "no AS path can match: nothing stands before its start (^) or behind its end ($)"},
		{"peer e1 peer e2", "a route is of one peer: write peer e1 or peer e2"},
		{"origin 3257 | origin 1299", `"|" is no word of the language: write or between conditions; there are no pipes, and limit says how many routes are wanted`},
		{"8.8.8.8 | head", `"|" is no word of the language: write or between conditions; there are no pipes, and limit says how many routes are wanted`},
		{"8.8.8.8 | include 3257", `"|" is no word of the language: write or between conditions; there are no pipes, and limit says how many routes are wanted`},
		{"path [3257,1299]", `[3257,1299] is one character of these, not an AS number: write via 3257 or via 1299, path "_(3257|1299)_" or path [= * [3257, 1299] * =]`},
		{"path [64512-65534]", `[64512-65534] is one character of these, not an AS number: write path ".* 64512-65534 .*", or via 64512-65534`},
		{"10.0.0.0/8 11.0.0.0/8", "a route has one prefix: write 10.0.0.0/8 or 11.0.0.0/8"},
		{"10.0.0.0/8 or-longer 11.0.0.0/8", "a route has one prefix: write 10.0.0.0/8 or-longer or 11.0.0.0/8"},
		{"“path ^3257_”", "a text in quotes alone is an expression over AS paths: write path ^3257_ without the quotes"},
		{"or", `"or" stands between two conditions`},
		{"and stale", `"and" stands between two conditions`},
		{"or-longer", `"or-longer" stands behind a prefix, such as 192.0.2.0/24 or-longer`},
		{"AS", "AS needs an AS number behind it, such as AS64500; or write origin 64500 or via 64500"},
		{"as x", "as needs an AS number behind it, such as AS64500; or write origin 64500 or via 64500"},
		{"AS-HURRICANE", `"AS-HURRICANE" is the name of a set of ASes in a routing registry, which is not looked up: write AS numbers, such as origin 64500 or origin 64501`},
		{"google.com", `"google.com" is a name, and names are not looked up: write an address, such as 192.0.2.1`},
		{"https://bgp.tools/prefix/1.1.1.0/24", `"https://bgp.tools/prefix/1.1.1.0/24" is a name, and names are not looked up: write an address, such as 192.0.2.1`},
		{"BGP routing table entry for 8.8.8.0/24\n9.9.9.0/24", "this is what a router answered, with 2 prefixes in it: ask for one of them, such as 8.8.8.0/24, or for some with or between them: 8.8.8.0/24 or 9.9.9.0/24"},
		{"show bgp summary", "this command of a router names no prefix, path or community: ask for an address or a prefix, or for nothing to see every route"},
		{"show route", "this command of a router names no prefix, path or community: ask for an address or a prefix, or for nothing to see every route"},
		{"via 3257,1299", "AS numbers have spaces between them: via 3257 1299 for those next to each other, via 3257 or via 1299 for any of them"},
		{"med 100-200", "a range of numbers is two comparisons: med >= 100 med <= 200"},
		{"age 1h", "age is compared with < and >, such as age < 15m; or write since 15m or older-than 30d"},
		{"203.0.113.0/24 le 20", "the bounds leave no length of 203.0.113.0/24"},
		{"192.0.2.1/24", `"192.0.2.1/24" has bits set behind its length; did you mean 192.0.2.0/24 or 192.0.2.1?`},
		{"all", `"all" is no condition: an empty query is every route, and path .* too`},
		{"*", `"*" is no condition: an empty query is every route, and path .* too`},
		{"origin>5", "origin is compared with = and != only; a range is written such as 64512-65534"},
		{"AS3257:AS-CUST", `"AS3257:AS-CUST" is the name of a set of ASes in a routing registry, which is not looked up: write AS numbers, such as origin 64500 or origin 64501`},
		{"origin {64501,64502}", `AS number "{64501": not a number from 0 to 4294967295`},
		{"path _{64501,", `"{" begins a repetition such as {3}, {1,3} or {2,}; the brace of an AS_SET is written \{`},
		{"“AS3257”", "a text in quotes alone is an expression over AS paths: write AS3257 without the quotes"},
		{"stale or", "the query ends where a condition is expected"},
		{"router a router b", "a route is of one router: write router a or router b"},
		{"group a group b", "a route is of one group: write group a or group b"},
		{"family ipv4 family ipv6", "a route is of one family: write family ipv4-unicast or family ipv6-unicast"},
		{"med 1 med 2", "a route has one med: write med = 1 or med = 2"},
		{"length 24 length 25", "a route has one length: write length = 24 or length = 25"},
		{"origin-code igp origin-code egp", "a route has one origin code: write origin-code igp or origin-code egp"},
		{"8.8.8.8 | match 3257", `"|" is no word of the language: write or between conditions; there are no pipes, and limit says how many routes are wanted`},
		{"origin >= 64512", "origin is compared with = and != only; a range is written such as 64512-65534"},
		{"203.0.113.1/255.255.255.0", `"203.0.113.1/255.255.255.0" is no address or prefix`},
		{"192.0.2.1-192.0.2.0", `"192.0.2.1-192.0.2.0" is no address, prefix, AS number, community or word of the query language`},
		{"orgin 64500", `"orgin" is no address, prefix, AS number, community or word of the query language; did you mean origin?`}, //nolint:misspell // that is the point
		{"stael", `"stael" is no address, prefix, AS number, community or word of the query language; did you mean stale?`},
	} {
		_, err := Parse(row.text)
		e, ok := errors.AsType[*Error](err)
		if !ok || !strings.Contains(e.Message, row.message) {
			t.Errorf("Parse(%q) = %v, want %q", row.text, err, row.message)
		}
		if ok && (e.Column < 1 || e.Column > len(row.text)+1) {
			t.Errorf("Parse(%q): column %d", row.text, e.Column)
		}
	}
}

// TestHintsAreWords keeps what errors propose readable.
func TestHintsAreWords(t *testing.T) {
	for word, right := range aliases {
		if lookupWord(word) == nil || lookupWord(right) == nil || lookupWord(word).Text != right {
			t.Errorf("%q stands for %q, which is no word", word, right)
		}
	}
	for word, match := range behindPrefix {
		text := "10.0.0.0/8 " + word
		switch word {
		case "prefix-length-range":
			text += " /9-/10"
		case "ge", "le", "upto":
			text += " 10"
		}
		if _, err := Parse(text); err != nil {
			t.Errorf("Parse(%q) = %v for %s", text, err, match)
		}
	}
}
