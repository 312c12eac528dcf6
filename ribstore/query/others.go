package query

import (
	"net/netip"
	"strings"

	"ribglass/ribstore/route"
)

// aliases are words of routers, of other tools and of our own JSON, with the word of the
// language that says the same. Underscores are hyphens.
var aliases = func() map[string]string { //nolint:gochecknoglobals // constant
	byWord := map[string]string{}
	for word, others := range map[string]string{
		"origin": "origin-as origin-asn originated-by from-as", "via": "transit through passes",
		"neighbor-as": "neighbour-as peeras neighbor-asn first-as", "peer-as": "peer-asn remote-as", "peer-address": "peer-ip peer-addr peer-id",
		"path": "as-path aspath bgp-path regexp regex aspath-regex as-path-regex filter-list", "path-length": "as-path-length aspath-length pathlen path-len aspath-len as-path-len",
		"path-hops": "hops", "community": "communities bgp-community comm standard-community well-known", "large-community": "large-communities bgp-large-community lc largecommunity large",
		"ext-community": "ext-communities extended-community extended-communities extcommunity bgp-ext-community ecommunity extcomm",
		"nexthop":       "next-hop bgp-next-hop nh gateway gw", "peer": "peers session neighbor-name protocol", "router": "routers device",
		"group": "peer-group groups", "path-id": "pathid path-identifier add-path-id", "family": "afi address-family af",
		"length": "prefix-length prefixlen plen masklen preflen mask-length prefix-len len", "med": "metric bgp-med multi-exit-disc",
		"local-pref": "localpref local-preference localpreference lp bgp-local-pref pref", "origin-code": "bgp-origin",
		"otc": "only-to-customer", "best": "active best-path bestpath primary selected", "since": "newer-than younger-than received-since",
		"older-than": "older", "private-as": "private-asn", "prepended": "prepend prepends",
	} {
		for other := range strings.FieldsSeq(others) {
			byWord[other] = word
		}
	}
	return byWord
}()

// otherWords are words of others that begin a condition and have no word of the language
// alone that says the same.
func otherWords() []Word {
	var list []Word
	add := func(parse func(*parser, token) (Expr, error), texts ...string) {
		for _, text := range texts {
			list = append(list, Word{Text: text, parse: parse})
		}
	}
	add(parseTarget, "prefix", "route", "net", "network", "ip", "address", "addr", "host", "nlri", "dst", "destination")
	add(parseTheAS, "as", "asn", "asnum")
	add(parseDefault, "default", "default-route")
	add(parseBareFamily, "ipv4", "ipv6", "inet", "inet6", "ip4", "ip6", "v4", "v6", "ipv4-unicast", "ipv6-unicast")
	add(parseNeighbor, "neighbor", "neighbour", "neighbors", "neighbours", "from")
	add(parseAnyAge, "age")
	for _, kind := range []string{"rt", "soo", "ro", "target"} {
		add(parseTargetCommunity, kind)
	}
	return list
}

// parseTarget reads "prefix P", where the word says no more than P does.
func parseTarget(p *parser, of token) (Expr, error) {
	if err := p.advance(); err != nil {
		return nil, err
	}
	v := p.ahead
	if v.kind != wordToken {
		return nil, p.fail(of, "%s needs an address or a prefix", of.text)
	}
	t, problem := readTarget(v.text)
	if t.in.Match == Any {
		if w := lookupWord(normalized(v.text)); w != nil && !v.quoted { // "route origin 3257"
			return p.term()
		}
		return nil, p.fail(v, "%s", problem)
	}
	return p.prefix(v, t)
}

// parseTheAS reads "AS 64500", and "as path …".
func parseTheAS(p *parser, of token) (Expr, error) {
	if err := p.advance(); err != nil {
		return nil, err
	}
	if p.word("path") {
		return parsePath(p, p.ahead)
	}
	if p.ahead.kind == wordToken {
		if n, err := parseASN(p.ahead.text); err == nil {
			return p.bareASN(p.ahead, n)
		}
	}
	return nil, p.fail(of, "%s needs an AS number behind it, such as AS64500; or write origin 64500 or via 64500", of.text)
}

// parseDefault reads the word for the default routes of both families.
func parseDefault(p *parser, of token) (Expr, error) {
	all := Or{In{Match: Exact, Prefix: netip.PrefixFrom(netip.IPv4Unspecified(), 0)}, In{Match: Exact, Prefix: netip.PrefixFrom(netip.IPv6Unspecified(), 0)}}
	p.note(of, string(all.appendText(nil)), "")
	return all, p.advance()
}

// parseBareFamily reads the name of a family without its word.
func parseBareFamily(p *parser, of token) (Expr, error) {
	f, _ := familyOf(of.text)
	e := InFamily{f}
	p.note(of, string(e.appendText(nil)), "")
	if err := p.advance(); err != nil {
		return nil, err
	}
	if p.word("unicast") {
		return e, p.advance()
	}
	return e, nil
}

// familyOf reads the name of a family as people write it.
func familyOf(text string) (route.Family, error) {
	switch normalized(text) {
	case "inet", "ip4", "v4", "4", "ip":
		return route.IPv4Unicast, nil
	case "inet6", "ip6", "v6", "6":
		return route.IPv6Unicast, nil
	}
	return route.ParseFamily(normalized(text))
}

// parseNeighbor reads "neighbor 64500" as an AS, and else as a session.
func parseNeighbor(p *parser, of token) (Expr, error) {
	ahead := p.lexer
	v, err := ahead.next()
	if err != nil || v.kind != wordToken {
		return nil, p.fail(of, "%s needs an AS number, or the name or the address of a peer", of.text)
	}
	as := normalized(v.text) == "as"
	if _, err := parseASN(v.text); as || err == nil && !v.quoted {
		e, err := lookupWord("neighbor-as").parse(p, of)
		if err == nil {
			p.note(of, string(e.appendText(nil)), "")
		}
		return e, err
	}
	e, err := parsePeer(p, of)
	if err == nil {
		p.note(of, string(e.appendText(nil)), "")
	}
	return e, err
}

// parseAnyAge reads "age < 1h" and "age > 30d".
func parseAnyAge(p *parser, of token) (Expr, error) {
	op, err := p.next()
	if err != nil || op.kind != opToken || op.text == "=" || op.text == "!=" || op.text == "!" {
		return nil, p.fail(of, "age is compared with < and >, such as age < 15m; or write since 15m or older-than 30d")
	}
	e, err := parseAge(op.text[0] == '>')(p, of)
	if err == nil {
		p.note(of, string(e.appendText(nil)), "")
	}
	return e, err
}

// parseTargetCommunity reads "rt 64500:1", in which a space stands for the colon.
func parseTargetCommunity(p *parser, of token) (Expr, error) {
	v, err := p.value(of, "a community, such as 64500:1")
	if err != nil {
		return nil, err
	}
	e, ok := parseCommunity(of.text + ":" + v.text)
	if !ok {
		return nil, p.fail(v, "%q is no extended community; write %s:64500:1", clip(v.text), strings.ToLower(of.text))
	}
	p.note(of, string(e.appendText(nil)), "")
	return e, nil
}

// parseASN reads an AS number in more forms than [route.ParseASN]: ASN64500, AS-64500.
func parseASN(text string) (route.ASN, error) {
	n, err := route.ParseASN(text)
	if err == nil {
		return n, nil
	}
	rest := strings.ToLower(text)
	for _, front := range []string{"asn", "as-", "as_", "as:", "as#"} {
		if digits, ok := strings.CutPrefix(rest, front); ok {
			if n, err := route.ParseASN(strings.TrimLeft(digits, "-_:")); err == nil {
				return n, nil
			}
		}
	}
	return 0, err
}

// normalized returns a word as the tables of words have it: in lower case, with hyphens,
// and without what BIRD puts in front.
func normalized(text string) string {
	word := strings.TrimPrefix(strings.ToLower(text), "bgp.")
	return strings.ReplaceAll(word, "_", "-")
}
