package query

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"ribglass/ribstore/query/pathexpr"
	"ribglass/ribstore/route"
)

// Limits of what is parsed.
const (
	maxText  = 4096 // bytes
	maxDepth = 50   // parentheses and nots within each other
	maxTerms = 200
)

// parser reads a query by recursive descent: or, and, not, term.
type parser struct {
	lexer
	ahead   token
	depth   int
	terms   int
	past    token // the word at or between, once it was met
	scoped  token // the word view, once it was met
	scope   Scope
	at      Moment
	between Span
	notes   []Note
}

// advance reads the next token into ahead.
func (p *parser) advance() (err error) {
	p.ahead, err = p.next()
	return err
}

// word reports whether the next token is the bare word.
func (p *parser) word(w string) bool {
	return p.ahead.kind == wordToken && !p.ahead.quoted && strings.EqualFold(p.ahead.text, w)
}

func (p *parser) fail(t token, format string, args ...any) error {
	return &Error{Column: t.column, Message: fmt.Sprintf(format, args...)}
}

func (p *parser) query() (Expr, error) {
	if len(p.text) > maxText {
		return nil, &Error{Column: maxText + 1, Message: fmt.Sprintf("a query has at most %d bytes, this one %d", maxText, len(p.text))}
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	if p.ahead.kind == endToken {
		return nil, nil
	}
	e, err := p.or()
	switch {
	case err != nil:
		return nil, err
	case p.ahead.kind == closeToken:
		return nil, p.fail(p.ahead, `a ")" without its "("`)
	case p.ahead.kind != endToken:
		return nil, p.fail(p.ahead, "%q is not expected here", clip(p.ahead.text))
	}
	return e, nil
}

func (p *parser) or() (Expr, error) {
	var parts Or
	for first := true; ; first = false {
		e, err := p.and()
		if err != nil {
			return nil, err
		}
		if flat, ok := e.(Or); ok {
			parts = append(parts, flat...)
		} else {
			parts = append(parts, e)
		}
		if p.depth == 0 && (!first || p.word("or")) {
			if err := p.outermost(); err != nil {
				return nil, err
			}
		}
		if !p.word("or") {
			break
		}
		if err := p.advance(); err != nil {
			return nil, err
		}
	}
	if len(parts) == 1 {
		return parts[0], nil
	}
	return parts, nil
}

func (p *parser) and() (Expr, error) {
	var parts And
	for {
		e, err := p.not()
		if err != nil {
			return nil, err
		}
		if flat, ok := e.(And); ok {
			parts = append(parts, flat...)
		} else if e != nil { // view, at and between are no conditions
			parts = append(parts, e)
		}
		explicit := p.word("and")
		if explicit {
			if err := p.advance(); err != nil {
				return nil, err
			}
		}
		if !explicit && (p.ahead.kind == endToken || p.ahead.kind == closeToken || p.word("or")) {
			break
		}
	}
	return join(parts), nil
}

func (p *parser) not() (Expr, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, p.fail(p.ahead, "more than %d levels of parentheses and nots", maxDepth)
	}
	defer func() { p.depth-- }()
	switch {
	case p.word("not"):
		if err := p.advance(); err != nil {
			return nil, err
		}
		e, err := p.not()
		if err != nil {
			return nil, err
		}
		if twice, ok := e.(Not); ok {
			return twice.Of, nil
		}
		return Not{e}, nil
	case p.ahead.kind == openToken:
		return p.group()
	}
	return p.term()
}

func (p *parser) group() (Expr, error) {
	open := p.ahead
	if err := p.advance(); err != nil {
		return nil, err
	}
	e, err := p.or()
	if err != nil {
		return nil, err
	}
	if p.ahead.kind != closeToken {
		return nil, p.fail(open, `a "(" without its ")"`)
	}
	return e, p.advance()
}

func (p *parser) term() (Expr, error) {
	t := p.ahead
	switch t.kind {
	case endToken:
		return nil, p.fail(t, "the query ends where a condition is expected")
	case opToken, closeToken, openToken:
		return nil, p.fail(t, "%q where a condition is expected", t.text)
	case wordToken:
	}
	if p.terms++; p.terms > maxTerms {
		return nil, p.fail(t, "more than %d conditions", maxTerms)
	}
	if !t.quoted {
		if w := lookupWord(strings.ToLower(t.text)); w != nil {
			return w.parse(p, t)
		}
	}
	return p.bare(t)
}

// bare reads a condition without a keyword by its shape.
func (p *parser) bare(t token) (Expr, error) {
	match, prefix, problem := readPrefix(t.text)
	if match != Any && !t.quoted {
		p.noteMapped(t, match, prefix)
		return p.prefix(match, prefix)
	}
	if n, err := route.ParseASN(t.text); err == nil && !t.quoted {
		return p.bareASN(t, n)
	}
	if e, ok := parseCommunity(t.text); ok && !t.quoted {
		return e, p.advance()
	}
	if t.quoted || strings.ContainsAny(t.text, "_^$[*+?|") {
		return p.barePath(t)
	}
	if strings.Contains(t.text, "/") {
		return nil, p.fail(t, "%s", problem)
	}
	hint := ""
	if near := nearestWord(strings.ToLower(t.text)); near != "" {
		hint = fmt.Sprintf("; did you mean %s?", near)
	}
	return nil, p.fail(t, "%q is no address, prefix, AS number, community or word of the query language%s", clip(t.text), hint)
}

// noteMapped tells the other reading of IPv4 mapped into IPv6 (::ffff:0:0/96). An
// address is taken for IPv4, as programs log it. A prefix is taken for the IPv6 prefix
// that it is: routers announce such.
func (p *parser) noteMapped(t token, match Match, prefix netip.Prefix) {
	const mapped = 96 // bits before the IPv4 address
	switch {
	case match == Longest && prefix.Addr().Is4() && strings.Contains(t.text, ":"):
		asIPv6 := netip.PrefixFrom(netip.AddrFrom16(prefix.Addr().As16()), 128)
		p.note(t, prefix.Addr().String(), asIPv6.String()+" or-shorter")
	case match == Exact && prefix.Addr().Is4In6() && prefix.Bits() >= mapped:
		p.note(t, prefix.String(), netip.PrefixFrom(prefix.Addr().Unmap(), prefix.Bits()-mapped).String())
	}
}

// barePath reads an expression over AS paths, from its first sign on.
func (p *parser) barePath(t token) (Expr, error) {
	p.pos = t.column - 1
	e, err := p.expression()
	if err != nil {
		return nil, err
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	return p.compilePath(e, pathexpr.Auto)
}

// bareASN takes a number alone for an origin AS, and several for neighbours in
// the path.
func (p *parser) bareASN(t token, n route.ASN) (Expr, error) {
	if err := p.advance(); err != nil {
		return nil, err
	}
	e, err := p.adjacent(ViaAS(n))
	if err != nil {
		return nil, err
	}
	if via, _ := e.(Via); len(via) > 1 {
		p.note(t, string(via.appendText(nil)), "")
		return via, nil
	}
	origin := Origin{ASNs{n, n}}
	p.note(t, string(origin.appendText(nil)), string(ViaAS(n).appendText(nil)))
	return origin, nil
}

func (p *parser) note(t token, understood, other string) {
	p.notes = append(p.notes, Note{Column: t.column, Understood: understood, Other: other})
}

// prefix reads what may follow an address or a prefix.
func (p *parser) prefix(match Match, prefix netip.Prefix) (Expr, error) {
	e := In{Match: match, Prefix: prefix}
	if err := p.advance(); err != nil {
		return nil, err
	}
	switch {
	case p.word("or-longer"):
		e.Match = OrLonger
	case p.word("or-shorter"):
		e.Match = OrShorter
	}
	widened := e.Match == OrLonger || e.Match == OrShorter
	if widened {
		if err := p.advance(); err != nil {
			return nil, err
		}
	}
	for p.word("ge") || p.word("le") {
		if err := p.bound(&e); err != nil {
			return nil, err
		}
		if !widened {
			e.Match = OrLonger // as prefix lists of routers have it
		}
	}
	if e.Ge > 0 && e.Le > 0 && e.Ge > e.Le {
		return nil, p.fail(p.ahead, "ge %d and le %d leave no length", e.Ge, e.Le)
	}
	return e, nil
}

// bound reads "ge 24" or "le 24" into e.
func (p *parser) bound(e *In) error {
	of := p.ahead
	v, err := p.value(of, "a length in bits")
	if err != nil {
		return err
	}
	most := e.Prefix.Addr().BitLen()
	n, err := strconv.ParseUint(v.text, 10, 8)
	if err != nil || int(n) > most {
		return p.fail(v, "%q is no length from 0 to %d", clip(v.text), most)
	}
	if strings.EqualFold(of.text, "ge") {
		e.Ge = uint8(n)
	} else {
		e.Le = uint8(n)
	}
	return nil
}

// readPrefix tells what a word means as an address or prefix, Any when it is
// neither, and then what is wrong with it.
func readPrefix(word string) (m Match, prefix netip.Prefix, problem string) {
	if addr, err := netip.ParseAddr(word); err == nil {
		if addr.Zone() != "" {
			return Any, prefix, "an address to look up has no zone"
		}
		addr = addr.Unmap() // mapped to IPv6 as programs log it; see mappedNote
		return Longest, netip.PrefixFrom(addr, addr.BitLen()), ""
	}
	prefix, err := netip.ParsePrefix(word)
	switch {
	case err != nil:
		return Any, prefix, fmt.Sprintf("%q is no address or prefix", clip(word))
	case prefix.Masked() != prefix:
		return Any, prefix, fmt.Sprintf("%q has bits set behind its length; did you mean %s or %s?", word, prefix.Masked(), prefix.Addr())
	}
	return Exact, prefix, ""
}

// clip shortens a word for an error message.
func clip(s string) string {
	const most = 40
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}
