package httpapi

import (
	"strconv"
	"strings"
)

// The media types of answers.
const (
	typeJSON    = "application/json"
	typeNDJSON  = "application/x-ndjson"
	typeCSV     = "text/csv"
	typeHTML    = "text/html"
	typeText    = "text/plain"
	typeEvents  = "text/event-stream"
	typeProblem = "application/problem+json"
)

// negotiate returns the offer that the Accept header prefers (RFC 9110 section
// 12.5.1), the earlier of equals, and "" when none is accepted. An empty header
// accepts the first.
func negotiate(accept string, offers []string) string {
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

// fromTerminal reports whether the user agent is a program whose user reads
// text in a terminal.
func fromTerminal(userAgent string) bool {
	name, _, _ := strings.Cut(userAgent, "/")
	switch strings.ToLower(name) {
	case "curl", "wget", "httpie", "xh":
		return true
	}
	return false
}

// pageForm says in which form a page is wanted: as its suffix says, else as
// Accept prefers, and without a preference as text for a terminal and HTML for
// everyone else.
func pageForm(suffix, accept, userAgent string) string {
	switch suffix {
	case ".txt":
		return typeText
	case ".json":
		return typeJSON
	}
	if fromTerminal(userAgent) {
		return negotiate(accept, []string{typeText, typeJSON, typeHTML})
	}
	return negotiate(accept, []string{typeHTML, typeText, typeJSON})
}

// cutSuffix splits the suffix that chooses a form off a path.
func cutSuffix(path string) (rest, suffix string) {
	for _, s := range []string{".txt", ".json"} {
		if r, ok := strings.CutSuffix(path, s); ok {
			return r, s
		}
	}
	return path, ""
}
