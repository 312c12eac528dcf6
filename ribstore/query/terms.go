package query

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"ribglass/ribstore/query/pathexpr"
	"ribglass/ribstore/route"
)

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

// ends reads AS numbers that a path begins or ends with, or that there are none.
func (p *parser) ends(of token, wrap func(ASNs) Expr, nobody Is) (Expr, error) {
	ahead := p.lexer
	if v, err := ahead.next(); err == nil && v.kind == wordToken && strings.EqualFold(v.text, none) {
		p.lexer = ahead
		return nobody, p.advance()
	}
	r, err := p.asns(of)
	return wrap(r), err
}

// parsePeerAS reads the AS number of sessions.
func parsePeerAS(p *parser, of token) (Expr, error) {
	v, err := p.value(of, "an AS number, such as 64500")
	if err != nil {
		return nil, err
	}
	n, err := route.ParseASN(v.text)
	if err != nil {
		return nil, p.fail(v, "%v", err)
	}
	return Named{PeerAS, n.String()}, nil
}

// parsePeerAddress reads the address of a session.
func parsePeerAddress(p *parser, of token) (Expr, error) {
	v, err := p.value(of, "an address, such as 192.0.2.1")
	if err != nil {
		return nil, err
	}
	a, err := netip.ParseAddr(v.text)
	if err != nil {
		return nil, p.fail(v, "%q is no address", clip(v.text))
	}
	return Named{PeerAddress, a.Unmap().String()}, nil
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
	r, problem := readASNs(first.text)
	if problem != "" {
		return nil, p.fail(first, "%s", problem)
	}
	return p.adjacent(Via{r})
}

// adjacent takes the AS numbers that follow.
func (p *parser) adjacent(via Via) (Expr, error) {
	const most = 32
	for p.ahead.kind == wordToken && !p.ahead.quoted {
		r, problem := readASNs(p.ahead.text)
		if problem != "" {
			return slices.Clip(via), nil // another word: the numbers end here
		}
		if via = append(via, r); len(via) > most {
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
	if strings.Trim(t.text, "0123456789") == "" && t.text != "" {
		p.note(t, fmt.Sprintf("path %s, digits anywhere in a path: also of 1%s and %s0", t.text, t.text, t.text), "via "+t.text)
	}
	if pattern.Dialect() != pathexpr.Cisco {
		p.note(t, fmt.Sprintf("%s expression; without sets the same as path %s", pattern.Dialect(), quoteSigns(pattern.OurForm())), "")
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
		free := v.quoted && l != Peer // routers are named by their operators
		if i := strings.IndexFunc(v.text, func(r rune) bool { return !nameRune(r) && (!free || unicode.IsControl(r)) }); i >= 0 || v.text == "" {
			return nil, &Error{
				Column:  v.column + max(i, 0),
				Message: fmt.Sprintf("the name of a %s has letters, digits, '.', '_', ':' and '-' only%s", l, map[bool]string{true: "; another one stands in quotes"}[l != Peer]),
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
		if at, ok := parseTime(v.text); ok {
			return Age{Older: older, At: at.Truncate(time.Second)}, nil
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
