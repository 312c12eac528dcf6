package query

import (
	"slices"
	"sync"
)

// Word is a word of the language that begins a condition, for help, completion
// and error messages.
type Word struct {
	Text    string // "origin"
	Example string // a query with it
	Means   string // one line for people
	parse   func(*parser, token) (Expr, error)
}

// Words returns the words that begin a condition, in the order of the
// documentation.
func Words() []Word {
	asns := func(wrap func(ASNs) Expr, nobody Is) func(*parser, token) (Expr, error) {
		return func(p *parser, of token) (Expr, error) { return p.ends(of, wrap, nobody) }
	}
	return []Word{
		{"origin", "origin 64500", "routes that this AS originates", asns(func(r ASNs) Expr { return Origin{r} }, NoOrigin)},
		{"via", "via 64500 64501", "routes through this AS, or these next to each other", parseVia},
		{"neighbor-as", "neighbor-as 64500", "routes heard from this AS", asns(func(r ASNs) Expr { return NeighborAS{r} }, NoNeighbor)},
		{"path", "path ^64500_.*_64510$", "routes whose AS path matches", parsePath},
		{"path-length", "path-length > 5", "length of the AS path", parseNumber(PathLength)},
		{"path-hops", "path-hops > 5", "length of the AS path without prepends", parseNumber(PathHops)},
		{"prepended", "prepended", "an AS is repeated in the path", parseIs(Prepended)},
		{"private-as", "private-as", "a private AS number is in the path", parseIs(PrivateAS)},
		{"community", "community 64500:1*0", "standard community, with wildcards, ranges or by name", parseKind("community")},
		{"large-community", "large-community 64500:1:*", "large community", parseKind("large-community")},
		{"ext-community", "ext-community rt:64500:1", "extended community", parseKind("ext-community")},
		{"nexthop", "nexthop 192.0.2.1", "next hop, an address or within a prefix", parseNextHop},
		{"peer", "peer edge1", "routes of one session", parsePeer},
		{"peer-as", "peer-as 64500", "routes of the sessions with this AS", parsePeerAS},
		{"peer-address", "peer-address 192.0.2.1", "routes of the session with this address", parsePeerAddress},
		{"router", "router edge1", "routes of the sessions of one router", parseLabel(Router)},
		{"group", "group customers", "routes of the sessions of one group", parseLabel(Group)},
		{"view", "view post-policy", "one view of the routers' tables, or any", parseView},
		{"path-id", "path-id 7", "path identifier of an ADD-PATH session", parseNumber(PathID)},
		{"family", "family ipv6-unicast", "address family", parseFamily},
		{"length", "length >= 24", "length of the prefix in bits", parseNumber(Length)},
		{"med", "med 100", "MULTI_EXIT_DISC", parseNumber(MED)},
		{"local-pref", "local-pref > 100", "LOCAL_PREF", parseNumber(LocalPref)},
		{"origin-code", "origin-code incomplete", "ORIGIN", parseOriginCode},
		{"otc", "otc", "has ONLY_TO_CUSTOMER, of any AS or of one", parseOTC},
		{"stale", "stale", "no session confirms the route", parseIs(Stale)},
		{"best", "best", "the best route of its prefix", parseIs(Best)},
		{"moas", "moas", "the prefix has several origins", parseIs(MOAS)},
		{"bogon", "bogon", "the prefix should not be seen on the Internet", parseIs(Bogon)},
		{"since", "since 15m", "received within this time, or since a moment", parseAge(false)},
		{"older-than", "older-than 30d", "received longer ago", parseAge(true)},
		{"rpki", "rpki invalid", "state of origin validation", later("RPKI data")},
		{"at", "at 2026-11-22T03:12Z", "as it was at a moment, or so long ago", parseAt},
		{"between", "between 2026-11-22T03:00Z and 2026-11-22T04:00Z", "changes in a span", parseBetween},
	}
}

// words finds a word by its text. It is made when a word is first looked for, as the words
// refer to what looks for words.
var (
	words     map[string]*Word //nolint:gochecknoglobals // constant: made once, never changed
	makeWords sync.Once        //nolint:gochecknoglobals // of words
)

func lookupWord(text string) *Word {
	makeWords.Do(func() {
		words = make(map[string]*Word)
		for _, w := range append(Words(), otherWords()...) {
			words[w.Text] = &w
		}
		for other, word := range aliases {
			words[other] = words[word]
		}
	})
	return words[text]
}

// shown returns the word as errors about it call it: as it was written when it is not one
// of the language.
func (w *Word) shown(written string) string {
	if w.Example == "" {
		return written
	}
	return w.Text
}

// numbers are the words whose parsing reads a comparison.
var numbers = map[string]bool{ //nolint:gochecknoglobals // constant
	string(Length): true, string(PathLength): true, string(PathHops): true, string(MED): true, string(LocalPref): true, string(PathID): true, "age": true,
}

// connectives are the words that do not begin a condition.
var connectives = []string{"and", "or", "not", "or-longer", "or-shorter", "ge", "le", "dialect"} //nolint:gochecknoglobals // constant

// Connectives returns the words that do not begin a condition, such as "and" and
// "or-longer", for completion.
func Connectives() []string { return slices.Clone(connectives) }

// isWord reports whether a text would be read as a word of the language.
func isWord(s string) bool {
	s = normalized(s)
	return slices.Contains(connectives, s) || lookupWord(s) != nil || s == none
}

// nearestWord returns the word that a misspelt one is likely meant to be, "" when
// none is near.
func nearestWord(s string) string {
	if len(s) < 3 {
		return "" // any short word is near
	}
	var names []string
	for _, w := range Words() {
		names = append(names, w.Text)
	}
	return Nearest(s, append(names, connectives...))
}
