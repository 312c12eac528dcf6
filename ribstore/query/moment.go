package query

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Moment is a moment as people write it: a time, or so long before the
// question. The zero value is now.
type Moment struct {
	Time time.Time     // UTC; zero: Ago counts
	Ago  time.Duration // whole seconds, 0 is now
}

// IsZero reports whether the moment is now.
func (m Moment) IsZero() bool { return m.Time.IsZero() && m.Ago == 0 }

// In returns the moment as a time, for a question asked at now.
func (m Moment) In(now time.Time) time.Time {
	if m.Time.IsZero() {
		return now.Add(-m.Ago)
	}
	return m.Time
}

// String returns the canonical form: "2026-11-22T03:12:00Z", "-15m" or "now".
func (m Moment) String() string {
	switch {
	case !m.Time.IsZero():
		return m.Time.UTC().Format(time.RFC3339Nano)
	case m.Ago == 0:
		return "now"
	}
	return "-" + formatAgo(m.Ago)
}

// Span is the time between two moments, both in it. The zero value is no span:
// From of a span is never now.
type Span struct{ From, To Moment }

// IsZero reports whether there is no span.
func (s Span) IsZero() bool { return s.From.IsZero() && s.To.IsZero() }

// In returns the ends of the span as times, for a question asked at now. With
// one end relative and the other not, from may be behind to: then nothing is in
// the span.
func (s Span) In(now time.Time) (from, to time.Time) { return s.From.In(now), s.To.In(now) }

// String returns the canonical form: "-2h and now".
func (s Span) String() string { return s.From.String() + " and " + s.To.String() }

// backwards reports whether the span is known to end before it begins, whenever
// it is asked about.
func (s Span) backwards() bool {
	from, to := s.From, s.To
	if from.Time.IsZero() != to.Time.IsZero() {
		return false
	}
	return to.Time.Before(from.Time) || to.Ago > from.Ago
}

// ParseMoment reads a moment: RFC 3339, of which seconds, zone (then UTC) or all
// of the time (then 00:00) may be left out; how long ago, such as 15m or -15m;
// or now.
func ParseMoment(text string) (Moment, error) {
	if strings.EqualFold(text, "now") {
		return Moment{}, nil
	}
	if d, ok := parseAgo(strings.TrimPrefix(text, "-")); ok {
		return Moment{Ago: d}, nil
	}
	if at, ok := parseTime(text); ok {
		return Moment{Time: at}, nil
	}
	return Moment{}, fmt.Errorf("%q is no time from 1970 to 2200, such as 2026-11-22T03:12Z, and not how long ago, such as 15m, 2h or 3d", clip(text))
}

// parseTime reads a time in any of the forms of [ParseMoment], in UTC, or one that counts
// the seconds or milliseconds since 1970. A year
// that no route can be of is a slip of the hand.
func parseTime(text string) (time.Time, bool) {
	if seconds, err := strconv.ParseInt(text, 10, 64); err == nil && (len(text) == 10 || len(text) == 13) { // Unix time
		if len(text) == 13 {
			return time.UnixMilli(seconds).UTC(), true
		}
		return time.Unix(seconds, 0).UTC(), true
	}
	for _, layout := range []string{
		time.RFC3339, "2006-01-02T15:04Z07:00", "2006-01-02T15:04:05", "2006-01-02T15:04", time.DateTime, "2006-01-02 15:04", time.DateOnly,
	} {
		if at, err := time.Parse(layout, strings.ToUpper(text)); err == nil {
			at = at.UTC()
			return at, at.Year() >= 1970 && at.Year() <= 2200
		}
	}
	return time.Time{}, false
}

// parseAt reads the moment that the query is about. It is no condition, so the
// expression is nil.
func parseAt(p *parser, of token) (Expr, error) {
	if err := p.turnToPast(of); err != nil {
		return nil, err
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	var err error
	p.at, err = p.moment(of)
	return nil, err
}

// parseBetween reads the span whose changes the query is about.
func parseBetween(p *parser, of token) (Expr, error) {
	if err := p.turnToPast(of); err != nil {
		return nil, err
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	first := p.ahead
	from, err := p.moment(of)
	switch {
	case err != nil:
		return nil, err
	case from.IsZero():
		return nil, p.fail(first, "a span does not begin now")
	case !p.word("and"):
		return nil, p.fail(of, "between needs two moments with and between them, such as between -2h and now")
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	to, err := p.moment(of)
	if err != nil {
		return nil, err
	}
	p.between = Span{from, to}
	if p.between.backwards() {
		return nil, p.fail(first, "the span %s ends before it begins", p.between)
	}
	return nil, nil //nolint:nilnil // a span is no condition
}

// moment reads a moment. A time of day may stand behind a date as a word of its
// own.
func (p *parser) moment(of token) (Moment, error) {
	v := p.ahead
	if v.kind != wordToken {
		return Moment{}, p.fail(of, "%s needs a moment, such as 2026-11-22T03:12Z or -15m", of.text)
	}
	if err := p.advance(); err != nil {
		return Moment{}, err
	}
	if d, ok := p.ago(v); ok {
		return Moment{Ago: d}, p.pastAgo()
	}
	m, err := ParseMoment(v.text)
	if err != nil {
		return m, p.fail(v, "%v", err)
	}
	if p.says("utc", "gmt", "z") {
		return m, p.advance()
	}
	if !isLayout(time.DateOnly, v.text) || p.ahead.kind != wordToken || !isTimeOfDay(p.ahead.text) {
		return m, nil
	}
	whole, err := ParseMoment(v.text + "T" + p.ahead.text)
	if err != nil {
		return m, p.fail(p.ahead, "%v", err)
	}
	p.note(p.ahead, of.text+" "+whole.String(), "")
	if err := p.advance(); err != nil {
		return whole, err
	}
	if p.says("utc", "gmt", "z") {
		return whole, p.advance()
	}
	return whole, nil
}

// ago reads how long ago something was, whose unit may be a word of its own.
func (p *parser) ago(v token) (time.Duration, bool) {
	text := strings.TrimPrefix(v.text, "-")
	if isDigits(text) && len(text) < 9 && p.ahead.kind == wordToken {
		if d, ok := parseAgo(text + p.normal()); ok {
			_ = p.advance() // the next token is read or refused by the caller
			return d, true
		}
	}
	return parseAgo(text)
}

// pastAgo passes over the word ago.
func (p *parser) pastAgo() error {
	if p.says("ago") {
		return p.advance()
	}
	return nil
}

// isTimeOfDay reports whether a word begins as a time of day does, which also a
// community could: "03:12", unlike "65:120" and "3:12".
func isTimeOfDay(s string) bool {
	const hm = "15:04"
	if len(s) < len(hm) || len(s) > len(hm) && s[len(hm)] >= '0' && s[len(hm)] <= '9' {
		return false
	}
	return isLayout(hm, s[:len(hm)])
}

func isLayout(layout, s string) bool {
	_, err := time.Parse(layout, s)
	return err == nil
}

// turnToPast notes that a word turns the query to the past, which only one does,
// and for the whole query.
func (p *parser) turnToPast(of token) error {
	if p.past.kind != endToken {
		return p.fail(of, "%s: a query asks about one moment or one span, and has %s already", of.text, p.past.text)
	}
	p.past = of
	if p.depth > 1 {
		return p.outermost()
	}
	return nil
}

// outermost refuses a view or a moment met inside or, not or parentheses: both are
// those of the whole query.
func (p *parser) outermost() error {
	for _, t := range []token{p.scoped, p.past} {
		if t.kind != endToken {
			return p.fail(t, "%s is about the whole query: it cannot stand inside or, not and parentheses; put the conditions in parentheses and %s behind them",
				t.text, t.text)
		}
	}
	return nil
}
