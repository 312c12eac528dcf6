package web

import (
	"strconv"
	"strings"
)

// The media types of answers.
const (
	TypeJSON    = "application/json"
	TypeNDJSON  = "application/x-ndjson"
	TypeCSV     = "text/csv"
	TypeHTML    = "text/html"
	TypeText    = "text/plain"
	TypeEvents  = "text/event-stream"
	TypeProblem = "application/problem+json"
	TypeSVG     = "image/svg+xml"
	TypePNG     = "image/png"
	TypeMRT     = "application/octet-stream" // of MRT (RFC 6396), which has none of its own
)

// Negotiate returns the offer that the Accept header prefers (RFC 9110 section
// 12.5.1), the earlier of equals, and "" when none is accepted. An empty header
// accepts the first.
func Negotiate(accept string, offers []string) string {
	if accept == "" || accept == "*/*" {
		return offers[0]
	}
	best, bestQuality := "", 0.0
	for _, offer := range offers {
		if q := quality(accept, offer); q > bestQuality {
			best, bestQuality = offer, q
		}
	}
	return best
}

// quality returns how much an Accept header wants the media type: the q of the
// most specific range that covers it.
func quality(accept, mediaType string) float64 {
	main, _, _ := strings.Cut(mediaType, "/")
	found, result := 0, 0.0
	for one := range strings.SplitSeq(accept, ",") {
		name, rest, _ := strings.Cut(one, ";")
		specific := 0
		switch name = strings.ToLower(strings.TrimSpace(name)); name {
		case mediaType:
			specific = 3
		case main + "/*":
			specific = 2
		case "*/*":
			specific = 1
		}
		if specific > found {
			found, result = specific, weight(rest)
		}
	}
	return result
}

// weight reads the q of an Accept range's parameters; what cannot be read
// counts as 1, as if it were not there.
func weight(parameters string) float64 {
	for one := range strings.SplitSeq(parameters, ";") {
		name, value, _ := strings.Cut(one, "=")
		if !strings.EqualFold(strings.TrimSpace(name), "q") {
			continue
		}
		if q, err := strconv.ParseFloat(strings.TrimSpace(value), 64); err == nil && q >= 0 && q <= 1 {
			return q
		}
	}
	return 1
}
