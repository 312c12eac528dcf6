package query

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

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
	ahead token
	depth int
	terms int
	notes []Note
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
	for {
		e, err := p.and()
		if err != nil {
			return nil, err
		}
		if flat, ok := e.(Or); ok {
			parts = append(parts, flat...)
		} else {
			parts = append(parts, e)
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
		} else {
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
	if len(parts) == 1 {
		return parts[0], nil
	}
	return parts, nil
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

// value reads the token behind a word.
func (p *parser) value(of token, what string) (token, error) {
	if err := p.advance(); err != nil {
		return token{}, err
	}
	v := p.ahead
	if v.kind != wordToken {
		return v, p.fail(of, "%s needs %s", of.text, what)
	}
	return v, p.advance()
}

// asns reads an AS number or a range of them.
func (p *parser) asns(of token) (ASNs, error) {
	v, err := p.value(of, "an AS number, such as 64500, or a range, such as 64512-65534")
	if err != nil {
		return ASNs{}, err
	}
	r, problem := readASNs(v.text)
	if problem != "" {
		return ASNs{}, p.fail(v, "%s", problem)
	}
	return r, nil
}

// readASNs reads an AS number or a range, or says what is wrong with it.
func readASNs(s string) (r ASNs, problem string) {
	first, last, isRange := strings.Cut(s, "-")
	if !isRange {
		last = first
	}
	a, err := route.ParseASN(first)
	if err != nil {
		return r, err.Error()
	}
	b, err := route.ParseASN(last)
	switch {
	case err != nil:
		return r, err.Error()
	case a > b:
		return r, fmt.Sprintf("the range %s ends before it begins", s)
	}
	return ASNs{a, b}, ""
}

func parseVia(p *parser, of token) (Expr, error) {
	first, err := p.value(of, "an AS number, or several that stand next to each other")
	if err != nil {
		return nil, err
	}
	n, err := route.ParseASN(first.text)
	if err != nil {
		return nil, p.fail(first, "%v", err)
	}
	return p.adjacent(Via{n})
}

// adjacent takes the AS numbers that follow.
func (p *parser) adjacent(via Via) (Expr, error) {
	const most = 32
	for p.ahead.kind == wordToken && !p.ahead.quoted {
		n, err := route.ParseASN(p.ahead.text)
		if err != nil {
			return slices.Clip(via), nil //nolint:nilerr // another word: the numbers end here
		}
		if via = append(via, n); len(via) > most {
			return nil, p.fail(p.ahead, "more than %d AS numbers next to each other", most)
		}
		if err := p.advance(); err != nil {
			return nil, err
		}
	}
	return slices.Clip(via), nil
}

func parsePath(p *parser, of token) (Expr, error) {
	t, err := p.expression()
	if err != nil {
		return nil, err
	}
	if t.text == "" && !t.quoted {
		return nil, p.fail(of, "path needs an expression, such as ^64500_.*_64510$")
	}
	dialect := pathexpr.Auto
	if err := p.advance(); err != nil {
		return nil, err
	}
	if p.word("dialect") {
		named, err := p.value(p.ahead, "a name: cisco, junos or bird")
		if err != nil {
			return nil, err
		}
		if dialect, err = pathexpr.ParseDialect(named.text); err != nil {
			return nil, p.fail(named, "%v", err)
		}
	}
	return p.compilePath(t, dialect)
}

func (p *parser) compilePath(t token, dialect pathexpr.Dialect) (Expr, error) {
	pattern, err := pathexpr.Compile(t.text, dialect)
	if err != nil {
		return nil, p.pathError(t, err)
	}
	if pattern.Dialect() != pathexpr.Cisco {
		p.note(t, fmt.Sprintf("%s expression, here %s", pattern.Dialect(), pattern), "")
	}
	return Path{pattern}, nil
}

func (p *parser) pathError(t token, err error) error {
	inside, ok := err.(*pathexpr.Error) //nolint:errorlint // Compile returns it bare
	if !ok {
		return p.fail(t, "%v", err)
	}
	column := t.column + inside.Column - 1
	if t.quoted {
		column++
	}
	return &Error{Column: min(column, len(p.text)+1), Message: inside.Message}
}

func parseNumber(n Number) func(*parser, token) (Expr, error) {
	return func(p *parser, of token) (Expr, error) {
		if err := p.advance(); err != nil {
			return nil, err
		}
		e := Compare{Number: n, Op: Equal}
		if p.ahead.kind == opToken {
			e.Op = Op(p.ahead.text)
			if e.Op == "==" {
				e.Op = Equal
			}
			if e.Op == "!" {
				return nil, p.fail(p.ahead, `"!" is no comparison; did you mean "!="?`)
			}
			if err := p.advance(); err != nil {
				return nil, err
			}
		}
		v := p.ahead
		value, err := strconv.ParseUint(v.text, 10, 32)
		if err != nil {
			return nil, p.fail(of, "%s needs a number, such as %s >= 24", n, n)
		}
		e.Value = value
		return e, p.advance()
	}
}

func parseNextHop(p *parser, of token) (Expr, error) {
	v, err := p.value(of, "an address or a prefix")
	if err != nil {
		return nil, err
	}
	match, prefix, problem := readPrefix(v.text)
	if match == Any {
		return nil, p.fail(v, "%s", problem)
	}
	return NextHop{prefix}, nil
}

func parseLabel(l Label) func(*parser, token) (Expr, error) {
	return func(p *parser, of token) (Expr, error) {
		v, err := p.value(of, "a name")
		if err != nil {
			return nil, err
		}
		if i := strings.IndexFunc(v.text, func(r rune) bool { return !nameRune(r) }); i >= 0 || v.text == "" {
			return nil, &Error{
				Column:  v.column + max(i, 0),
				Message: fmt.Sprintf("the name of a %s has letters, digits, '.', '_', ':' and '-' only", l),
			}
		}
		return Named{l, v.text}, nil
	}
}

func nameRune(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._:-", r)
}

func parseFamily(p *parser, of token) (Expr, error) {
	v, err := p.value(of, "the name of a family, such as ipv4-unicast")
	if err != nil {
		return nil, err
	}
	f, err := route.ParseFamily(strings.ToLower(v.text))
	if err != nil {
		return nil, p.fail(v, "%v", err)
	}
	return InFamily{f}, nil
}

func parseIs(is Is) func(*parser, token) (Expr, error) {
	return func(p *parser, _ token) (Expr, error) { return is, p.advance() }
}

// parseOTC reads "otc" alone or with AS numbers.
func parseOTC(p *parser, of token) (Expr, error) {
	ahead := p.lexer
	if v, err := ahead.next(); err == nil && v.kind == wordToken && !v.quoted {
		if _, problem := readASNs(v.text); problem == "" {
			asns, err := p.asns(of)
			return OTC{asns}, err
		}
	}
	return HasOTC, p.advance()
}

func parseOriginCode(p *parser, of token) (Expr, error) {
	v, err := p.value(of, "igp, egp or incomplete")
	if err != nil {
		return nil, err
	}
	for _, o := range []route.Origin{route.OriginIGP, route.OriginEGP, route.OriginIncomplete} {
		if strings.EqualFold(v.text, o.String()) {
			return OriginCode{o}, nil
		}
	}
	return nil, p.fail(v, "%q is no origin code: igp, egp or incomplete", clip(v.text))
}

func parseAge(older bool) func(*parser, token) (Expr, error) {
	return func(p *parser, of token) (Expr, error) {
		v, err := p.value(of, "an age, such as 15m, 2h or 3d, or a time, such as 2026-11-22T03:12Z")
		if err != nil {
			return nil, err
		}
		if d, ok := parseAgo(v.text); ok {
			return Age{Older: older, Ago: d}, nil
		}
		for _, layout := range []string{time.RFC3339, "2006-01-02T15:04Z07:00", "2006-01-02"} {
			if at, err := time.Parse(layout, v.text); err == nil {
				return Age{Older: older, At: at.UTC().Truncate(time.Second)}, nil
			}
		}
		return nil, p.fail(v, "%q is no age, such as 15m, 2h or 3d, and no time, such as 2026-11-22T03:12Z", clip(v.text))
	}
}

func parseAgo(s string) (time.Duration, bool) {
	for _, u := range agoUnits {
		digits, ok := strings.CutSuffix(s, u.name)
		if !ok {
			continue
		}
		n, err := strconv.ParseUint(digits, 10, 32)
		if err != nil || n == 0 || n > uint64(200*365*24*time.Hour/u.length) {
			return 0, false
		}
		return time.Duration(n) * u.length, true
	}
	return 0, false
}

func parseKind(what string) func(*parser, token) (Expr, error) {
	return func(p *parser, of token) (Expr, error) {
		v, err := p.value(of, "a pattern, such as "+map[string]string{
			"community": "64500:1*0, 64500:100-199 or blackhole", "large-community": "64500:1:*", "ext-community": "rt:64500:1",
		}[what])
		if err != nil {
			return nil, err
		}
		e, ok := parseCommunity(v.text)
		if ok {
			switch e.(type) {
			case Community:
				ok = what == "community"
			case LargeCommunity:
				ok = what == "large-community"
			case ExtCommunity:
				ok = what == "ext-community"
			}
			if !ok {
				return nil, p.fail(v, "%q has the form of another kind of community than %s", clip(v.text), what)
			}
			return e, nil
		}
		return nil, p.fail(v, "%q is no %s: numbers, ranges (100-199) or * between colons", clip(v.text), what)
	}
}

// later refuses a word of the language that this version does not answer yet.
func later(what string) func(*parser, token) (Expr, error) {
	return func(p *parser, of token) (Expr, error) {
		return nil, p.fail(of, "%s: this server has no %s", of.text, what)
	}
}

// bare reads a condition without a keyword by its shape.
func (p *parser) bare(t token) (Expr, error) {
	match, prefix, problem := readPrefix(t.text)
	if match != Any && !t.quoted {
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
	e, err := p.adjacent(Via{n})
	if err != nil {
		return nil, err
	}
	if via, _ := e.(Via); len(via) > 1 {
		p.note(t, string(via.appendText(nil)), "")
		return via, nil
	}
	origin := Origin{ASNs{n, n}}
	p.note(t, string(origin.appendText(nil)), string(Via{n}.appendText(nil)))
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
	if err != nil || int(n) > most || n == 0 {
		return p.fail(v, "%q is no length from 1 to %d", clip(v.text), most)
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
		addr = addr.Unmap()
		return Longest, netip.PrefixFrom(addr, addr.BitLen()), ""
	}
	prefix, err := netip.ParsePrefix(word)
	switch {
	case err != nil:
		return Any, prefix, fmt.Sprintf("%q is no address or prefix", clip(word))
	case prefix.Addr().Is4In6():
		return Any, prefix, fmt.Sprintf("%q: write an IPv4 prefix as IPv4", word)
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
