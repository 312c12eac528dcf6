package query

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"
)

// between says where the words stand that begin no condition.
var between = map[string]string{ //nolint:gochecknoglobals // constant
	"or": "between two conditions", "and": "between two conditions", "||": "between two conditions", "&&": "between two conditions",
	"or-longer": "behind a prefix, such as 192.0.2.0/24 or-longer", "or-shorter": "behind a prefix, such as 192.0.2.0/24 or-shorter",
	"ge": "behind a prefix, such as 192.0.2.0/24 ge 26", "le": "behind a prefix, such as 192.0.2.0/24 le 28",
	"dialect":         "behind an expression over AS paths, such as path 64500* dialect cisco",
	"longer-prefixes": "behind a prefix, and is or-longer here", "exact": "behind a prefix",
}

var (
	asSet    = regexp.MustCompile(`(?i)^(?:AS\d+:)*AS-[A-Z][A-Z0-9_:-]*$`)
	hostname = regexp.MustCompile(`(?i)^(?:https?://.*|(?:[a-z0-9_-]+\.)+[a-z][a-z0-9-]*\.?)$`)
)

// notUnderstood says what is wrong with a word that is nothing of the language, and what
// was likely meant. problem is what is wrong with it as a prefix.
func notUnderstood(word, problem string) string {
	lower := normalized(word)
	switch {
	case between[lower] != "":
		return fmt.Sprintf("%q stands %s", word, between[lower])
	case word == "|":
		return `"|" is no word of the language: write or between conditions; there are no pipes, and limit says how many routes are wanted`
	case word == "*" || word == "all" || word == "any" || word == "everything":
		return fmt.Sprintf("%q is no condition: an empty query is every route, and path .* too", word)
	case asSet.MatchString(word):
		return fmt.Sprintf("%q is the name of a set of ASes in a routing registry, which is not looked up: write AS numbers, such as origin 64500 or origin 64501", clip(word))
	case strings.HasPrefix(word, "/"), strings.Contains(word, "/") && !strings.Contains(word, "://"):
		return problem
	case hostname.MatchString(word):
		return fmt.Sprintf("%q is a name, and names are not looked up: write an address, such as 192.0.2.1", clip(word))
	}
	hint := ""
	if near := nearestWord(lower); near != "" {
		hint = fmt.Sprintf("; did you mean %s?", near)
	}
	return fmt.Sprintf("%q is no address, prefix, AS number, community or word of the query language%s", clip(word), hint)
}

// contradiction refuses conditions that no route can meet together, which are written by
// who means or.
func contradiction(parts And, columns []int) error {
	for i, a := range parts {
		for _, b := range parts[:i] {
			if why := exclude(b, a); why != "" {
				return &Error{Column: columns[i], Message: fmt.Sprintf("%s: write %s or %s", why, b.appendText(nil), a.appendText(nil))}
			}
		}
	}
	return nil
}

// exclude says why no route meets both conditions, "" when one may.
func exclude(a, b Expr) string {
	switch a := a.(type) {
	case Named:
		if b, ok := b.(Named); ok && a.Label == b.Label && a.Name != b.Name {
			return fmt.Sprintf("a route is of one %s", a.Label)
		}
	case InFamily:
		if b, ok := b.(InFamily); ok && a != b {
			return "a route is of one family"
		}
	case OriginCode:
		if b, ok := b.(OriginCode); ok && a != b {
			return "a route has one origin code"
		}
	case Compare:
		b, ok := b.(Compare)
		return excludeNumbers(a, b, ok)
	case In:
		if b, ok := b.(In); ok && !mayMeet(a, b) {
			return "a route has one prefix"
		}
	}
	return ""
}

func excludeNumbers(a, b Compare, both bool) string {
	if both && a.Number == b.Number && a.Op == Equal && b.Op == Equal && a.Value != b.Value {
		return fmt.Sprintf("a route has one %s", a.Number)
	}
	return ""
}

// mayMeet reports whether a prefix may be selected by both. It is not asked of lengths.
func mayMeet(a, b In) bool {
	if a.Prefix.Addr().BitLen() != b.Prefix.Addr().BitLen() {
		return false
	}
	covers := func(wide, narrow netip.Prefix) bool { return wide.Bits() <= narrow.Bits() && wide.Overlaps(narrow) }
	up := []Match{Longest, OrShorter}
	switch {
	case slices.Contains(up, a.Match) && slices.Contains(up, b.Match):
		return true // the default route covers both
	case slices.Contains(up, b.Match) || a.Match == OrLonger && b.Match == Exact:
		a, b = b, a
	}
	switch {
	case a.Match == Exact && b.Match == Exact:
		return a.Prefix == b.Prefix
	case a.Match == Exact: // b is or-longer
		return covers(b.Prefix, a.Prefix)
	case slices.Contains(up, a.Match): // b is exact or or-longer
		return covers(b.Prefix, a.Prefix)
	}
	return a.Prefix.Overlaps(b.Prefix)
}
