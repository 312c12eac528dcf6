package query

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

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
	allowed *Allowance

	assigned bool // the word that is read has a sign before its value
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

// normal returns the next token as the tables of words have it, "" when it is no word.
func (p *parser) normal() string {
	if p.ahead.kind != wordToken || p.ahead.quoted {
		return ""
	}
	return normalized(p.ahead.text)
}

// says reports whether the next token is one of the bare words.
func (p *parser) says(words ...string) bool { return slices.Contains(words, p.normal()) }

// isOr and isAnd know what other languages write between conditions, too.
func (p *parser) isOr() bool  { return p.says("or", "||") }
func (p *parser) isAnd() bool { return p.says("and", "&&", "&", ",", ";") }

// assignment passes over a sign between the next token, a word, and its value. It reports
// whether there is one, and whether it says that the value is another.
func (p *parser) assignment() (assigned, differs bool) {
	l := p.lexer
	op, err := l.next()
	if err != nil {
		return false, false
	}
	switch {
	case op.kind == opToken && (op.text == "=" || op.text == "=="), op.kind == opToken && op.text == "!=":
	case op.kind == wordToken && !op.quoted && (op.text == ":" || op.text == "~" || op.text == "="):
	default:
		return false, false
	}
	p.lexer = l
	return true, op.text == "!="
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
		if p.depth == 0 && (!first || p.isOr()) {
			if err := p.outermost(); err != nil {
				return nil, err
			}
		}
		if !p.isOr() {
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
	var columns []int // of the parts
	for {
		column := p.ahead.column
		e, err := p.not()
		if err != nil {
			return nil, err
		}
		if flat, ok := e.(And); ok {
			parts = append(parts, flat...)
		} else if e != nil { // view, at and between are no conditions
			parts = append(parts, e)
		}
		for len(columns) < len(parts) {
			columns = append(columns, column)
		}
		explicit := false
		for p.isAnd() {
			explicit = explicit || p.says("and", "&&", "&")
			if err := p.advance(); err != nil {
				return nil, err
			}
		}
		if !explicit && (p.ahead.kind == endToken || p.ahead.kind == closeToken || p.isOr()) {
			break
		}
	}
	return join(parts), contradiction(parts, columns)
}

func (p *parser) not() (Expr, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, p.fail(p.ahead, "more than %d levels of parentheses and nots", maxDepth)
	}
	defer func() { p.depth-- }()
	switch {
	case p.word("not"), p.ahead.kind == opToken && p.ahead.text == "!":
		if err := p.advance(); err != nil {
			return nil, err
		}
		e, err := p.not()
		if err != nil {
			return nil, err
		}
		return negated(e), nil
	case p.ahead.kind == openToken:
		if e, ok := p.communityOfBIRD(); ok {
			return e, p.advance()
		}
		return p.group()
	}
	return p.term()
}

// birdCommunity is a community as BIRD writes it: (65535,666), (200000, 101, 0) and
// (rt, 64500, 1).
var birdCommunity = regexp.MustCompile(`^\(\s*((?:rt|ro|generic)\s*,\s*)?([0-9a-zA-Z*.-]+)\s*,\s*([0-9a-zA-Z*-]+)(?:\s*,\s*([0-9a-zA-Z*-]+))?\s*\)`)

// communityOfBIRD reads a community within parentheses.
func (p *parser) communityOfBIRD() (Expr, bool) {
	at := p.ahead.column - 1
	m := birdCommunity.FindStringSubmatch(p.text[at:])
	if m == nil {
		return nil, false
	}
	parts := []string{m[2], m[3]}
	if kind := strings.Trim(m[1], ", \t"); kind != "" {
		parts = append([]string{kind}, parts...)
	}
	if m[4] != "" {
		parts = append(parts, m[4])
	}
	e, ok := parseCommunity(strings.Join(parts, ":"))
	if ok {
		p.terms++
		p.pos = at + len(m[0])
	}
	return e, ok
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
	if e, ok, err := p.keyword(t); ok || err != nil {
		return e, err
	}
	return p.bare(t)
}

// keyword reads a condition that begins with a word, or is written as "word:value" or
// "word = value". ok is false for another token.
func (p *parser) keyword(t token) (e Expr, ok bool, err error) {
	w := p.wordOf(&t)
	if w == nil {
		return nil, false, nil
	}
	differs := false
	if !p.assigned && (!numbers[w.Text] || strings.HasPrefix(strings.TrimLeft(p.text[p.pos:], space), ":")) {
		p.assigned, differs = p.assignment()
	}
	if !numbers[w.Text] && strings.ContainsAny(firstByte(strings.TrimLeft(p.text[p.pos:], space)), "<>") {
		return nil, false, p.fail(t, "%s is compared with = and != only; a range is written such as 64512-65534", t.text)
	}
	t.text = w.shown(t.text)
	e, err = w.parse(p, t)
	p.assigned = false
	if err == nil && differs {
		e = negated(e)
	}
	return e, true, err
}

// wordOf returns the word of the language that a token is, or nil. Of "word:value" it
// leaves the value to be read.
func (p *parser) wordOf(t *token) *Word {
	w := lookupWord(normalized(t.text))
	switch {
	case w != nil && !t.quoted:
		return w
	case w != nil: // a member of a JSON document
		if !strings.HasPrefix(strings.TrimLeft(p.text[p.pos:], space), ":") {
			return nil
		}
		t.quoted = false
		return w
	case t.quoted:
		return nil
	}
	key, _, cut := strings.Cut(t.text, ":")
	if w = lookupWord(normalized(key)); !cut || w == nil || isTarget(t.text) {
		return nil
	}
	if _, community := parseCommunity(t.text); community {
		return nil
	}
	p.pos = t.column + len(key)
	t.text, p.assigned = key, true
	return w
}

func firstByte(s string) string { return s[:min(1, len(s))] }

func negated(e Expr) Expr {
	if twice, ok := e.(Not); ok {
		return twice.Of
	}
	return Not{e}
}

// isTarget reports whether a word is an address or a prefix.
func isTarget(text string) bool {
	t, _ := readTarget(text)
	return t.in.Match != Any
}

// bare reads a condition without a keyword by its shape.
func (p *parser) bare(t token) (Expr, error) {
	if t.quoted {
		if strings.ContainsFunc(t.text, unicode.IsLetter) {
			return nil, p.fail(t, "a text in quotes alone is an expression over AS paths: write %s without the quotes", clip(t.text))
		}
		return p.barePath(t)
	}
	target, problem := readTarget(t.text)
	if target.in.Match != Any {
		p.noteMapped(t, target.in.Match, target.in.Prefix)
		return p.prefix(t, target)
	}
	if n, err := parseASN(t.text); err == nil {
		return p.bareASN(t, n)
	}
	if e, ok := parseCommunity(t.text); ok {
		return e, p.advance()
	}
	if bits, ok := strings.CutPrefix(t.text, "/"); ok {
		if n, err := strconv.ParseUint(bits, 10, 8); err == nil && n <= 128 {
			e := Compare{Length, Equal, n}
			p.note(t, string(e.appendText(nil)), "")
			return e, p.advance()
		}
	}
	if strings.ContainsAny(t.text, "_^$[*+?|") && !strings.Contains(t.text, "/") && t.text != "|" && t.text != "*" {
		return p.barePath(t)
	}
	return nil, p.fail(t, "%s", notUnderstood(t.text, problem))
}

// noteMapped tells the other reading of IPv4 mapped into IPv6 (::ffff:0:0/96). An
// address is taken for IPv4, as programs log it. A prefix is taken for the IPv6 prefix
// that it is: routers announce such.
func (p *parser) noteMapped(t token, match Match, prefix netip.Prefix) {
	const mapped = 96 // bits before the IPv4 address
	switch {
	case match == Longest && prefix.Addr().Is4() && strings.HasPrefix(t.text, ":"):
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
	other := string(ViaAS(n).appendText(nil))
	if in, ok := readPart4(t.text + "."); ok && strings.Contains(t.text, ".") {
		other = string(in.appendText(nil)) // 128.25 is an AS number in asdot, or half an address
	}
	p.note(t, string(origin.appendText(nil)), other)
	return origin, nil
}

func (p *parser) note(t token, understood, other string) {
	p.notes = append(p.notes, Note{Column: t.column, Understood: understood, Other: other})
}

// clip shortens a word for an error message.
func clip(s string) string {
	const most = 40
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}
