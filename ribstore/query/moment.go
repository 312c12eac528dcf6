package query

import (
	"fmt"
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
	at, ok := parseTime(text)
	switch {
	case !ok:
		return Moment{}, fmt.Errorf("%q is no time, such as 2026-11-22T03:12Z, and not how long ago, such as 15m, 2h or 3d", clip(text))
	case at.Year() < firstYear || at.Year() > lastYear:
		return Moment{}, fmt.Errorf("%q is not between the years %d and %d", clip(text), firstYear, lastYear)
	}
	return Moment{Time: at}, nil
}

// The years of times in a query.
const (
	firstYear = 1970
	lastYear  = 2200
)

// parseTime reads a time in any of the forms of [ParseMoment], in UTC.
func parseTime(text string) (time.Time, bool) {
	for _, layout := range []string{
		time.RFC3339, "2006-01-02T15:04Z07:00", "2006-01-02T15:04:05", "2006-01-02T15:04", time.DateTime, "2006-01-02 15:04", time.DateOnly,
	} {
		if at, err := time.Parse(layout, strings.ToUpper(text)); err == nil {
			return at.UTC(), true
		}
	}
	return time.Time{}, false
}
