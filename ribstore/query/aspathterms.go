package query

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"ribglass/ribstore/query/pathexpr"
	"ribglass/ribstore/route"
)

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
