package query

import (
	"fmt"
	"net/netip"
	"regexp"
	"strings"
)

// What people paste: commands of routers, of which the question is taken, and what
// routers answered, of which the prefix is.

// command finds a command of a router, with its prompt and the program it was typed into.
var command = regexp.MustCompile(`(?i)^\s*(?:[\w.@()~/:-]+\s?[#>]\s*)?(?:sudo\s+)?(?:(?:birdc6?|vtysh|cli|bird|gobgp|bgpctl)\b[\s"']*(?:-c[\s"']*)?)?(?:run\s+)?(?:show|sh|sho)\s`)

// commandNoise are the words of a command that say nothing about the routes.
var commandNoise = func() map[string]bool { //nolint:gochecknoglobals // constant
	noise := map[string]bool{}
	for word := range strings.FieldsSeq("show sho sh run ip bgp route routes rib unicast vrf default all-vrfs for all where detail extensive terse brief primary summary " +
		"received received-routes accepted-routes advertised-routes active-path hidden inactive no-more json wide") {
		noise[word] = true
	}
	return noise
}()

// commandPairs are the words of a command that a name follows which says nothing here.
var commandPairs = map[string]bool{"table": true, "protocol": true, "instance": true} //nolint:gochecknoglobals // constant

// withoutCommand blanks the words of a command of a router, so that the question is left
// and every column stays what it was. It reports whether there was one.
func withoutCommand(text string) (question string, found bool) {
	at := command.FindStringIndex(text)
	if at == nil {
		return text, false
	}
	b := blanked(text)
	b.blank(0, at[1])
	for _, quote := range []byte(`"'`) { // vtysh -c "show …"
		if last := len(text) - 1; text[last] == quote && strings.Count(text, string(quote))%2 == 0 && strings.IndexByte(text[:at[1]], quote) >= 0 {
			b.blank(last, last+1)
		}
	}
	b.noise(text, at[1])
	return string(b), true
}

// blanked is a text whose words are blanked one by one.
type blanked []byte

func (b blanked) blank(from, to int) {
	for i := from; i < to; i++ {
		b[i] = ' '
	}
}

// word returns where the next word begins and ends.
func (b blanked) word(at int) (from, to int) {
	rest := string(b[at:])
	from = at + len(rest) - len(strings.TrimLeft(rest, space))
	length := strings.IndexAny(string(b[from:]), space)
	if length < 0 {
		length = len(b) - from
	}
	return from, from + length
}

// noise blanks the words that say nothing about the routes.
func (b blanked) noise(text string, at int) {
	family := false
	for i := at; i < len(b); {
		var from int
		from, i = b.word(i)
		word := strings.ToLower(string(b[from:i]))
		switch {
		case commandPairs[word]:
			b.blank(from, i)
			name, end := b.word(i)
			if m, _, _ := readPrefix(string(b[name:end])); m == Any {
				b.blank(i, end)
			}
		case commandNoise[word], !family && (word == "ipv4" || word == "inet.0" || word == "inet6.0"):
			b.blank(from, i)
		case !family && word == "ipv6" && len(prefixesIn(text))+strings.Count(text, ":") > 0:
			b.blank(from, i) // the address says it
			family = true
		}
	}
}

// The signs of what a router answered.
var (
	statusLine = regexp.MustCompile(`^[sdhrRSbmV]?\s?[*=][>=bcx]?\s*[>i]?\s*([0-9a-fA-F.:]+(?:/\d+)?)(?:\s|$)`)
	output     = regexp.MustCompile(`BGP routing table entry for|\*?\[BGP/\d|unicast \[\S+ [^\]]*\]|Network\s+Next.?[Hh]op|^Table master|inet6?\.0: \d+ destinations|AS path: .*, validation-state`)
)

// pasted reads what a router answered as a question for its prefix. ok is false for a
// text that is something else.
func pasted(text string) (q Query, ok bool, err error) {
	trimmed := strings.TrimLeft(text, space)
	line := statusLine.FindStringSubmatch(trimmed)
	if line == nil && !output.MatchString(text) {
		return Query{}, false, nil
	}
	list := prefixesIn(text)
	if line != nil {
		if m, p, _ := readPrefix(line[1]); len(list) == 0 && m != Any {
			return pastedOf(In{Match: m, Prefix: p}), true, nil
		}
	}
	column := len(text) - len(trimmed) + 1
	switch len(list) {
	case 0:
		return Query{}, true, &Error{Column: column, Message: "this is what a router answered, with no prefix in it: ask for an address or a prefix, such as 192.0.2.0/24"}
	case 1:
		return pastedOf(In{Match: Exact, Prefix: list[0]}), true, nil
	}
	return Query{}, true, &Error{Column: column, Message: fmt.Sprintf("this is what a router answered, with %d prefixes in it: ask for one of them, such as %s, or for some with or between them: %s",
		len(list), list[0], alternativesOf(list))}
}

func pastedOf(in In) Query {
	text := string(in.appendText(nil))
	return Query{Expr: in, Notes: []Note{{Column: 1, Understood: text}}}
}

// alternativesOf writes a few prefixes with or between them.
func alternativesOf(list []netip.Prefix) string {
	const most = 4
	words := make([]string, 0, most)
	for _, p := range list[:min(len(list), most)] {
		words = append(words, p.String())
	}
	return strings.Join(words, " or ")
}
