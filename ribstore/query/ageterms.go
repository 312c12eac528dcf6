package query

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

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
