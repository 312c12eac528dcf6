package query

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"ribglass/ribstore/route"
)

// maxText bounds the text of a query, in bytes.
const maxText = 4096

type parser struct {
	text string
	pos  int // of the next unread byte
}

func (p *parser) parse() (Query, error) {
	var q Query
	if len(p.text) > maxText {
		return q, &Error{maxText + 1, fmt.Sprintf("a query has at most %d bytes, this one %d", maxText, len(p.text))}
	}
	for {
		word, column := p.word()
		var err error
		switch word {
		case "":
			return q, nil
		case "or-longer", "or-shorter":
			err = q.widen(word, column)
		case "peer":
			err = p.peer(&q, column)
		case "family":
			err = p.family(&q, column)
		default:
			err = q.prefix(word, column)
		}
		if err != nil {
			return Query{}, err
		}
	}
}

// word cuts the next word off the text and says at which column it starts.
func (p *parser) word() (word string, column int) {
	const space = " \t\r\n"
	rest := p.text[p.pos:]
	start := p.pos + len(rest) - len(strings.TrimLeft(rest, space))
	end := len(p.text)
	if i := strings.IndexAny(p.text[start:], space); i >= 0 {
		end = start + i
	}
	p.pos = end
	return p.text[start:end], start + 1
}

func (p *parser) peer(q *Query, column int) error {
	name, at := p.word()
	if name == "" {
		return &Error{column, "peer needs the name of a peer"}
	}
	if i := strings.IndexFunc(name, func(r rune) bool { return !nameRune(r) }); i >= 0 {
		return &Error{at + i, "the name of a peer has letters, digits, '.', '_', ':' and '-' only"}
	}
	if !slices.Contains(q.Peers, name) {
		q.Peers = append(q.Peers, name)
	}
	return nil
}

func nameRune(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._:-", r)
}

func (p *parser) family(q *Query, column int) error {
	name, at := p.word()
	if name == "" {
		return &Error{column, "family needs the name of a family, such as ipv4-unicast"}
	}
	f, err := route.ParseFamily(name)
	if err != nil {
		return &Error{at, err.Error()}
	}
	if !slices.Contains(q.Families, f) {
		q.Families = append(q.Families, f)
	}
	return nil
}

// prefix takes a word as an address or a prefix.
func (q *Query) prefix(word string, column int) error {
	match, prefix, problem := readPrefix(word)
	switch {
	case problem != "":
		return &Error{column, problem}
	case q.Match != Any:
		return &Error{column, fmt.Sprintf("%q: only one address or prefix in a query", word)}
	}
	q.Match, q.Prefix = match, prefix
	return nil
}

// readPrefix tells what a word means, or what is wrong with it.
func readPrefix(word string) (m Match, p netip.Prefix, problem string) {
	if addr, err := netip.ParseAddr(word); err == nil {
		if addr.Zone() != "" {
			return 0, p, "an address to look up has no zone"
		}
		addr = addr.Unmap()
		return Longest, netip.PrefixFrom(addr, addr.BitLen()), ""
	}
	p, err := netip.ParsePrefix(word)
	switch {
	case err != nil:
		return 0, p, fmt.Sprintf("%q is no address, prefix or word of the query language", clip(word))
	case p.Addr().Is4In6():
		return 0, p, fmt.Sprintf("%q: write an IPv4 prefix as IPv4", word)
	case p.Masked() != p:
		return 0, p, fmt.Sprintf("%q has bits set behind its length; did you mean %s or %s?", word, p.Masked(), p.Addr())
	}
	return Exact, p, ""
}

// widen applies or-longer or or-shorter to the prefix before it. An address
// stands for its host prefix there.
func (q *Query) widen(word string, column int) error {
	switch q.Match {
	case Exact, Longest:
	case Any:
		return &Error{column, word + " follows an address or a prefix"}
	case OrLonger, OrShorter:
		return &Error{column, "only one of or-longer and or-shorter"}
	}
	q.Match = OrLonger
	if word == "or-shorter" {
		q.Match = OrShorter
	}
	return nil
}

// clip shortens a word for an error message.
func clip(s string) string {
	const most = 40
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}
