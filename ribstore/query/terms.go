package query

import (
	"net/netip"
	"strconv"
	"strings"

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

// list reads a value that may be several with commas between them, of which a route has
// any.
func (p *parser) list(v token, read func(string) (Expr, string)) (Expr, error) {
	var all Or
	for text := range strings.SplitSeq(v.text, ",") {
		e, problem := read(text)
		if problem != "" {
			return nil, p.fail(v, "%s", problem)
		}
		all = append(all, e)
	}
	if len(all) == 1 {
		return all[0], nil
	}
	if p.terms += len(all) - 1; p.terms > maxTerms {
		return nil, p.fail(v, "more than %d conditions", maxTerms)
	}
	p.note(v, string(all.appendText(nil)), "")
	return all, nil
}

func parseNumber(n Number) func(*parser, token) (Expr, error) {
	return func(p *parser, of token) (Expr, error) {
		e := Compare{Number: n, Op: Equal}
		if p.assigned { // "med:100"
			return p.number(of, e)
		}
		if err := p.advance(); err != nil {
			return nil, err
		}
		if p.ahead.kind == opToken {
			e.Op = Op(p.ahead.text)
			if e.Op == "==" {
				e.Op = Equal
			}
			if e.Op == "!" {
				return nil, p.fail(p.ahead, `"!" is no comparison; did you mean "!="?`)
			}
			return p.number(of, e)
		}
		if p.ahead.kind == wordToken && strings.Trim(p.ahead.text, "0123456789-/") == "" {
			return p.numberHere(of, e)
		}
		if n != MED && n != LocalPref && n != PathID {
			return nil, p.fail(of, "%s needs a number, such as %s >= 24", n, n)
		}
		e.Op = AtLeast // that it has one
		p.note(of, string(e.appendText(nil)), "")
		return e, nil
	}
}

// number reads the number that a word is compared with.
func (p *parser) number(of token, e Compare) (Expr, error) {
	if err := p.advance(); err != nil {
		return nil, err
	}
	return p.numberHere(of, e)
}

func (p *parser) numberHere(of token, e Compare) (Expr, error) {
	text := p.ahead.text
	if e.Number == Length {
		text = strings.TrimPrefix(text, "/")
	}
	if first, last, isRange := strings.Cut(text, "-"); isRange && isDigits(first) && isDigits(last) {
		return nil, p.fail(p.ahead, "a range of numbers is two comparisons: %s >= %s %s <= %s", e.Number, first, e.Number, last)
	}
	value, err := strconv.ParseUint(text, 10, 32)
	if err != nil {
		return nil, p.fail(of, "%s needs a number, such as %s >= 24", e.Number, e.Number)
	}
	e.Value = value
	return e, p.advance()
}

func parseNextHop(p *parser, of token) (Expr, error) {
	v, err := p.value(of, "an address or a prefix")
	if err != nil {
		return nil, err
	}
	if a, err := netip.ParseAddr(v.text); err == nil && a.Zone() == "" {
		return NextHop{netip.PrefixFrom(a, a.BitLen())}, nil // also ::ffff:192.0.2.1, as 6PE has it
	}
	t, problem := readTarget(v.text)
	if t.in.Match == Any || len(t.more) > 0 {
		return nil, p.fail(v, "%s", problem)
	}
	return NextHop{t.in.Prefix}, nil
}

func parseFamily(p *parser, of token) (Expr, error) {
	v, err := p.value(of, "the name of a family, such as ipv4-unicast")
	if err != nil {
		return nil, err
	}
	f, err := familyOf(v.text)
	if err != nil {
		return nil, p.fail(v, "%v", err)
	}
	if p.word("unicast") {
		return InFamily{f}, p.advance()
	}
	return InFamily{f}, nil
}

func parseIs(is Is) func(*parser, token) (Expr, error) {
	return func(p *parser, of token) (Expr, error) {
		if !p.assigned {
			return is, p.advance()
		}
		v, err := p.value(of, "true or false")
		if err != nil {
			return nil, err
		}
		switch normalized(v.text) {
		case "true", "yes", "1":
			return is, nil
		case "false", "no", "0":
			return Not{is}, nil
		}
		return nil, p.fail(v, "%s is true or false, not %q; it stands without a value", of.text, clip(v.text))
	}
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
	if e, ok := originCodeOf(v.text); ok {
		return e, nil
	}
	return nil, p.fail(v, "%q is no origin code: igp, egp or incomplete", clip(v.text))
}

// originCodeOf reads an origin code, also by the sign that routers show.
func originCodeOf(text string) (OriginCode, bool) {
	signs := map[string]route.Origin{"i": route.OriginIGP, "e": route.OriginEGP, "?": route.OriginIncomplete}
	if o, ok := signs[strings.ToLower(text)]; ok {
		return OriginCode{o}, true
	}
	for _, o := range []route.Origin{route.OriginIGP, route.OriginEGP, route.OriginIncomplete} {
		if strings.EqualFold(text, o.String()) {
			return OriginCode{o}, true
		}
	}
	return OriginCode{}, false
}

func parseKind(what string) func(*parser, token) (Expr, error) {
	return func(p *parser, of token) (Expr, error) {
		v, err := p.value(of, "a pattern, such as "+map[string]string{
			"community": "64500:1*0, 64500:100-199 or blackhole", "large-community": "64500:1:*", "ext-community": "rt:64500:1",
		}[what])
		if err != nil && p.ahead.kind == openToken { // as BIRD writes it
			if e, ok := p.communityOfBIRD(); ok {
				return e, p.advance()
			}
		}
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
