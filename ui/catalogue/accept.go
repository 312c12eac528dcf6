package catalogue

import (
	"strconv"
	"strings"
)

// Choose returns the language that an Accept-Language header prefers (RFC 9110
// section 12.5.4), the first that is offered when it names none. A language is
// found by less of its tag too (RFC 4647 section 3.4): "de-AT" is served by "de".
func (s *Set) Choose(header string) *Language {
	best, most := s.languages[0], 0.0
	for one := range strings.SplitSeq(header, ",") {
		tag, parameters, _ := strings.Cut(one, ";")
		q := weight(parameters)
		if q <= most {
			continue
		}
		tag = strings.TrimSpace(tag)
		if tag == "*" {
			best, most = s.languages[0], q
			continue
		}
		for tag != "" {
			if l, ok := s.Get(tag); ok {
				best, most = l, q
				break
			}
			tag = tag[:max(strings.LastIndexByte(tag, '-'), 0)]
		}
	}
	return best
}

// weight reads the q of a language, 1 when there is none and 0 when it cannot be
// read.
func weight(parameters string) float64 {
	name, value, found := strings.Cut(parameters, "=")
	if !found || !strings.EqualFold(strings.TrimSpace(name), "q") {
		return 1
	}
	q, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
	if err != nil || !(q >= 0 && q <= 1) {
		return 0
	}
	return q
}
