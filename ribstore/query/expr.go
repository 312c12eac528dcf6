package query

import (
	"net/netip"
	"strconv"
	"time"

	"ribglass/ribstore/query/pathexpr"
	"ribglass/ribstore/route"
)

// Expr is a condition that a route meets or not. The nil Expr is met by all.
// Expressions are immutable values; two that say the same in the same words are
// equal under reflect.DeepEqual.
type Expr interface {
	// appendText appends the canonical words of the expression.
	appendText(b []byte) []byte
}

// And is met by routes that meet all of its two or more parts, none an And.
type And []Expr

// Or is met by routes that meet any of its two or more parts, none an Or.
type Or []Expr

// Not is met by routes that do not meet Of.
type Not struct{ Of Expr }

func (e And) appendText(b []byte) []byte {
	for i, part := range e {
		if i > 0 {
			b = append(b, ' ')
		}
		_, loose := part.(Or)
		b = appendGroup(b, part, loose)
	}
	return b
}

func (e Or) appendText(b []byte) []byte {
	for i, part := range e {
		if i > 0 {
			b = append(b, " or "...)
		}
		b = part.appendText(b)
	}
	return b
}

func (e Not) appendText(b []byte) []byte {
	loose := false
	switch e.Of.(type) {
	case And, Or:
		loose = true
	}
	return appendGroup(append(b, "not "...), e.Of, loose)
}

func appendGroup(b []byte, e Expr, parentheses bool) []byte {
	if !parentheses {
		return e.appendText(b)
	}
	return append(e.appendText(append(b, '(')), ')')
}

// Match is how a prefix selects prefixes of the table.
type Match uint8

// The matches.
const (
	Any       Match = iota // every prefix; what [Query.Lookup] tells of a query without a prefix
	Longest                // the most specific prefix that covers an address
	Exact                  // the prefix itself
	OrLonger               // the prefix and its more specifics
	OrShorter              // the prefix and the prefixes that cover it
)

// String returns the word for the match: "longest", "exact", "or-longer", …
func (m Match) String() string {
	return [...]string{"any", "longest", "exact", "or-longer", "or-shorter"}[m]
}

// In is met by routes whose prefix the prefix selects and whose length is
// within bounds. Longest stands alone or as a part of the outermost And.
type In struct {
	Match  Match
	Prefix netip.Prefix // masked
	Ge, Le uint8        // bounds of the length; zero: none, as every length is 0 at least
}

func (e In) appendText(b []byte) []byte {
	if e.Match == Longest {
		return e.Prefix.Addr().AppendTo(b)
	}
	b = e.Prefix.AppendTo(b)
	switch e.Match {
	case OrLonger:
		b = append(b, " or-longer"...)
	case OrShorter:
		b = append(b, " or-shorter"...)
	case Any, Longest, Exact:
	}
	if e.Ge > 0 {
		b = strconv.AppendUint(append(b, " ge "...), uint64(e.Ge), 10)
	}
	if e.Le > 0 {
		b = strconv.AppendUint(append(b, " le "...), uint64(e.Le), 10)
	}
	return b
}

// ASNs is a range of AS numbers, both ends in it.
type ASNs struct{ First, Last route.ASN }

func (r ASNs) has(n route.ASN) bool { return r.First <= n && n <= r.Last }

func (r ASNs) appendText(b []byte) []byte {
	b = strconv.AppendUint(b, uint64(r.First), 10)
	if r.Last != r.First {
		b = strconv.AppendUint(append(b, '-'), uint64(r.Last), 10)
	}
	return b
}

// Origin is met by routes whose path ends in one of the AS numbers; a path that
// ends in an AS_SET, by each member of the set. Confederation segments do not count.
type Origin struct{ ASNs }

func (e Origin) appendText(b []byte) []byte { return e.ASNs.appendText(append(b, "origin "...)) }

// NeighborAS is met by routes whose path begins with one of the AS numbers; a path that
// begins with an AS_SET, by each member of the set. Confederation segments do not count.
type NeighborAS struct{ ASNs }

func (e NeighborAS) appendText(b []byte) []byte {
	return e.ASNs.appendText(append(b, "neighbor-as "...))
}

// Via is met by routes whose path has the AS numbers next to each other, in
// this order, prepends counting once. One alone is met anywhere, two or more within
// sequences only: the members of a set have no order.
type Via []ASNs

// ViaAS returns the condition that a path has the AS numbers next to each other.
func ViaAS(asns ...route.ASN) Via {
	via := make(Via, len(asns))
	for i, n := range asns {
		via[i] = ASNs{n, n}
	}
	return via
}

func (e Via) appendText(b []byte) []byte {
	b = append(b, "via"...)
	for _, r := range e {
		b = r.appendText(append(b, ' '))
	}
	return b
}

// Path is met by routes whose AS path matches a regular expression.
type Path struct{ Pattern *pathexpr.Pattern }

func (e Path) appendText(b []byte) []byte {
	text, dialect := e.Pattern.String(), e.Pattern.Dialect()
	b = append(b, "path "...)
	if dialect == pathexpr.BIRD {
		return append(b, text...) // a mask has signs around it
	}
	b = append(b, quote(text)...)
	if pathexpr.Recognize(text) != dialect {
		b = append(append(b, " dialect "...), dialect.String()...) // such as 64500*, which is Junos when nothing is said
	}
	return b
}

// Op compares a number with another.
type Op string

// The operators.
const (
	Equal    Op = "="
	NotEqual Op = "!="
	Less     Op = "<"
	AtMost   Op = "<="
	More     Op = ">"
	AtLeast  Op = ">="
)

func (o Op) holds(a, b uint64) bool {
	switch o {
	case Equal:
		return a == b
	case NotEqual:
		return a != b
	case Less:
		return a < b
	case AtMost:
		return a <= b
	case More:
		return a > b
	case AtLeast:
		return a >= b
	}
	return false
}

// Number is a property of a route that is a number. Its value is the word.
type Number string

// The numbers.
const (
	Length     Number = "length"      // of the prefix, in bits
	PathLength Number = "path-length" // of the AS path, as the decision process counts
	PathHops   Number = "path-hops"   // of the AS path, an AS that prepends itself counting once
	MED        Number = "med"
	LocalPref  Number = "local-pref"
	PathID     Number = "path-id" // of an ADD-PATH session (RFC 7911); a route of another has none
)

// Compare is met by routes that have the number and for which it compares.
type Compare struct {
	Number Number
	Op     Op
	Value  uint64
}

func (e Compare) appendText(b []byte) []byte {
	b = append(append(b, e.Number...), ' ')
	b = append(append(b, e.Op...), ' ')
	return strconv.AppendUint(b, e.Value, 10)
}

// NextHop is met by routes whose next hop is in the prefix.
type NextHop struct{ Prefix netip.Prefix }

func (e NextHop) appendText(b []byte) []byte {
	b = append(b, "nexthop "...)
	if e.Prefix.IsSingleIP() {
		return e.Prefix.Addr().AppendTo(b)
	}
	return e.Prefix.AppendTo(b)
}

// Label is a property of a peer that is a name. Its value is the word.
type Label string

// The labels.
const (
	Peer   Label = "peer"
	Router Label = "router"
	Group  Label = "group"

	PeerAS      Label = "peer-as"      // the AS number of the session, in asplain
	PeerAddress Label = "peer-address" // the address of the session
)

// Named is met by routes of peers with the name.
type Named struct {
	Label Label
	Name  string
}

func (e Named) appendText(b []byte) []byte {
	b = append(append(b, e.Label...), ' ')
	if _, err := netip.ParseAddr(e.Name); err == nil && e.Label == Peer {
		return append(b, quoted(e.Name)...) // an address alone is peer-address
	}
	if _, err := parseASN(e.Name); err == nil && e.Label == Peer {
		return append(b, quoted(e.Name)...)
	}
	return append(b, quote(e.Name)...)
}

// InFamily is met by routes of the address family.
type InFamily struct{ Family route.Family }

func (e InFamily) appendText(b []byte) []byte {
	return append(append(b, "family "...), e.Family.String()...)
}

// Is is a property that a route has or not. Its value is the word.
type Is string

// The properties.
const (
	Stale     Is = "stale"      // no session confirms it
	Best      Is = "best"       // the decision process prefers it
	MOAS      Is = "moas"       // its prefix has several origin ASes
	Prepended Is = "prepended"  // an AS stands several times in a row in its path
	PrivateAS Is = "private-as" // a private AS number (RFC 6996) is in its path
	Bogon     Is = "bogon"      // its prefix is within special-purpose space (RFC 6890), or default
	HasOTC    Is = "otc"        // it has ONLY_TO_CUSTOMER (RFC 9234)

	NoOrigin   Is = "origin none"      // its path is empty, but for confederation segments
	NoNeighbor Is = "neighbor-as none" // the same: what begins nowhere ends nowhere
)

func (e Is) appendText(b []byte) []byte { return append(b, e...) }

// OTC is met by routes whose ONLY_TO_CUSTOMER is one of the AS numbers.
type OTC struct{ ASNs }

func (e OTC) appendText(b []byte) []byte { return e.ASNs.appendText(append(b, "otc "...)) }

// OriginCode is met by routes with the ORIGIN.
type OriginCode struct{ Origin route.Origin }

func (e OriginCode) appendText(b []byte) []byte {
	return append(append(b, "origin-code "...), e.Origin.String()...)
}

// Age is met by routes received after (or, Older, before) a moment, which is a
// time or, Ago, that long before the question.
type Age struct {
	Older bool
	At    time.Time
	Ago   time.Duration
}

func (e Age) appendText(b []byte) []byte {
	word := "since "
	if e.Older {
		word = "older-than "
	}
	b = append(b, word...)
	if e.At.IsZero() {
		return append(b, formatAgo(e.Ago)...)
	}
	return e.At.AppendFormat(b, time.RFC3339)
}

// formatAgo writes a duration in the largest unit that fits: "90s", "2h", "3d".
func formatAgo(d time.Duration) string {
	for _, u := range agoUnits {
		if d%u.length == 0 {
			return strconv.FormatInt(int64(d/u.length), 10) + u.names[0]
		}
	}
	return d.String()
}

var agoUnits = []struct { //nolint:gochecknoglobals // constant: a slice cannot be one
	names  []string // the first is ours
	length time.Duration
}{
	{[]string{"w", "wk", "week", "weeks"}, 7 * 24 * time.Hour},
	{[]string{"d", "day", "days"}, 24 * time.Hour},
	{[]string{"h", "hr", "hrs", "hour", "hours"}, time.Hour},
	{[]string{"m", "min", "mins", "minute", "minutes"}, time.Minute},
	{[]string{"s", "sec", "secs", "second", "seconds"}, time.Second},
}
