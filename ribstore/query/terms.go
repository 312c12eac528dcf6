package query

import (
	"errors"
	"fmt"
	"net/netip"
	"regexp"
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
	v, err := p.asnValue(of, "an AS number, such as 64500, or a range, such as 64512-65534")
	if err != nil {
		return ASNs{}, err
	}
	r, problem := readASNs(v.text)
	if problem != "" {
		return ASNs{}, p.fail(v, "%s", problem)
	}
	return r, nil
}

// asnValue is value for an AS number, which AS may stand in front of as a word of its own.
func (p *parser) asnValue(of token, what string) (token, error) {
	v, err := p.value(of, what)
	if err == nil && !v.quoted && slices.Contains([]string{"as", "asn"}, normalized(v.text)) && p.ahead.kind == wordToken {
		v = p.ahead
		err = p.advance()
	}
	return v, err
}

// ends reads AS numbers that a path begins or ends with, or that there are none. Several
// have commas between them.
func (p *parser) ends(of token, wrap func(ASNs) Expr, nobody Is) (Expr, error) {
	v, err := p.asnValue(of, "an AS number, such as 64500, or a range, such as 64512-65534")
	if err != nil {
		return nil, err
	}
	if code, ok := originCodeOf(v.text); ok && nobody == NoOrigin {
		p.note(v, string(code.appendText(nil)), "")
		return code, nil
	}
	return p.list(v, func(text string) (Expr, string) {
		if strings.EqualFold(text, none) {
			return nobody, ""
		}
		r, problem := readASNs(text)
		return wrap(r), problem
	})
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

// parsePeer reads the name of a session. Its address and its AS number name it too, but in
// quotes.
func parsePeer(p *parser, of token) (Expr, error) {
	v, err := p.asnValue(of, "a name")
	switch {
	case err != nil:
		return nil, err
	case v.quoted:
		return named(p, Peer, v)
	}
	if a, err := netip.ParseAddr(unwrapped(v.text)); err == nil && a.Zone() == "" {
		e := Named{PeerAddress, a.Unmap().String()}
		p.note(v, string(e.appendText(nil)), `peer "`+v.text+`"`)
		return e, nil
	}
	if n, err := parseASN(v.text); err == nil && strings.Trim(v.text, "0123456789.") != "" {
		e := Named{PeerAS, n.String()}
		p.note(v, string(e.appendText(nil)), `peer "`+v.text+`"`)
		return e, nil
	}
	return named(p, Peer, v)
}

// parsePeerAS reads the AS number of sessions.
func parsePeerAS(p *parser, of token) (Expr, error) {
	v, err := p.asnValue(of, "an AS number, such as 64500")
	if err != nil {
		return nil, err
	}
	n, err := parseASN(v.text)
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
	if n, err := parseASN(s); err == nil {
		return ASNs{n, n}, ""
	}
	first, last, isRange := strings.Cut(s, "-")
	if two, rest, dotted := strings.Cut(s, ".."); dotted && !isRange { // as BIRD writes it
		first, last, isRange = two, rest, true
	}
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
	first, err := p.asnValue(of, "an AS number, or several that stand next to each other")
	if err != nil {
		return nil, err
	}
	if strings.Contains(first.text, ",") {
		list := strings.Split(first.text, ",")
		return nil, p.fail(first, "AS numbers have spaces between them: via %s for those next to each other, via %s for any of them",
			strings.Join(list, " "), strings.Join(list, " or via "))
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
	if err := p.moreNumbers(&t); err != nil {
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

// moreNumbers takes AS numbers behind one that is the whole expression: a path as it is
// printed, which would else be an expression and an origin.
func (p *parser) moreNumbers(t *token) error {
	if t.quoted || !isDigits(t.text) {
		return nil
	}
	for p.ahead.kind == wordToken && !p.ahead.quoted && isDigits(p.ahead.text) {
		t.text += " " + p.ahead.text
		if err := p.advance(); err != nil {
			return err
		}
	}
	if numbers := strings.Fields(t.text); len(numbers) > 1 {
		p.note(*t, "path "+quoteSigns(t.text), "via "+t.text)
	}
	return nil
}

func isDigits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// numbersInClass finds AS numbers in what is a class of characters.
var numbersInClass = regexp.MustCompile(`\[\^?\s*(\d{2,})\s*([,-])\s*(\d{2,})[\d\s,-]*\]`)

// classOfNumbers says what is wrong with an expression that takes a class for a choice of
// AS numbers, "" when nothing is. A class in our canonical form has its digits in order.
func classOfNumbers(text string) (column int, problem string) {
	at := numbersInClass.FindStringSubmatchIndex(text)
	if at == nil {
		return 0, ""
	}
	all, first, sign, last := text[at[0]:at[1]], text[at[2]:at[3]], text[at[4]:at[5]], text[at[6]:at[7]]
	if digits := first + last; sign == "-" && slices.IsSorted([]byte(digits)) {
		return 0, ""
	}
	if sign == "-" {
		return at[0] + 1, fmt.Sprintf("%s is one character of these, not an AS number: write path \".* %s-%s .*\", or via %s-%s", all, first, last, first, last)
	}
	return at[0] + 1, fmt.Sprintf("%s is one character of these, not an AS number: write via %s or via %s, path \"_(%s|%s)_\" or path [= * [%s, %s] * =]",
		all, first, last, first, last, first, last)
}

func (p *parser) compilePath(t token, dialect pathexpr.Dialect) (Expr, error) {
	if dialect == pathexpr.Auto {
		dialect = pathexpr.Recognize(t.text)
	}
	if column, problem := classOfNumbers(t.text); problem != "" && dialect == pathexpr.Cisco {
		return nil, p.pathError(t, &pathexpr.Error{Column: column, Message: problem})
	}
	pattern, err := p.allowed.compile(t.text, dialect)
	if errors.Is(err, errTooComplex) {
		return nil, p.fail(t, "%v", err)
	}
	if err != nil {
		return nil, p.pathError(t, err)
	}
	if isDigits(t.text) {
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

func parseLabel(l Label) func(*parser, token) (Expr, error) {
	return func(p *parser, of token) (Expr, error) {
		v, err := p.value(of, "a name")
		if err != nil {
			return nil, err
		}
		return named(p, l, v)
	}
}

// named returns the condition that a label of the peer has the name, or one of those with
// commas between them.
func named(p *parser, l Label, v token) (Expr, error) {
	free := v.quoted && l != Peer // routers are named by their operators
	if !free && strings.Contains(v.text, ",") && !v.quoted {
		return p.list(v, func(text string) (Expr, string) {
			if !IsName(text) {
				return nil, nameProblem(l)
			}
			return Named{l, text}, ""
		})
	}
	if i := strings.IndexFunc(v.text, func(r rune) bool { return !nameRune(r) && (!free || unicode.IsControl(r)) }); i >= 0 || v.text == "" {
		return nil, &Error{Column: v.column + max(i, 0), Message: nameProblem(l)}
	}
	return Named{l, v.text}, nil
}

func nameProblem(l Label) string {
	problem := fmt.Sprintf("the name of a %s has letters, digits, '.', '_', ':' and '-' only", l)
	if l != Peer {
		problem += "; another one stands in quotes"
	}
	return problem
}

func nameRune(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._:-", r)
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

func parseAge(older bool) func(*parser, token) (Expr, error) {
	return func(p *parser, of token) (Expr, error) {
		v, err := p.value(of, "an age, such as 15m, 2h or 3d, or a time, such as 2026-11-22T03:12Z")
		if err != nil {
			return nil, err
		}
		if d, ok := p.ago(v); ok {
			return Age{Older: older, Ago: d}, p.pastAgo()
		}
		if at, ok := parseTime(v.text); ok {
			return Age{Older: older, At: at.Truncate(time.Second)}, nil
		}
		return nil, p.fail(v, "%q is no age, such as 15m, 2h or 3d, and no time, such as 2026-11-22T03:12Z", clip(v.text))
	}
}

// parseAgo reads 15m, 1h30m, 2hours and yesterday.
func parseAgo(s string) (sum time.Duration, ok bool) {
	const most = 200 * 365 * 24 * time.Hour
	s = strings.ToLower(s)
	if s == "yesterday" {
		return 24 * time.Hour, true
	}
	for s != "" {
		digits := len(s) - len(strings.TrimLeft(s, "0123456789"))
		letters := strings.IndexAny(s[digits:], "0123456789")
		if letters < 0 {
			letters = len(s) - digits
		}
		n, err := strconv.ParseUint(s[:digits], 10, 32)
		unit := unitNamed(s[digits : digits+letters])
		if err != nil || n == 0 || unit == 0 || n > uint64(most/unit) {
			return 0, false
		}
		if sum += time.Duration(n) * unit; sum > most {
			return 0, false
		}
		s = s[digits+letters:]
	}
	return sum, sum > 0
}

// unitNamed returns the unit with a name, zero for none.
func unitNamed(name string) time.Duration {
	for _, u := range agoUnits {
		if slices.Contains(u.names, name) {
			return u.length
		}
	}
	return 0
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
