package page

import (
	"strings"

	"ribglass/httpapi/web"
)

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
		return web.TypeText
	case ".json":
		return web.TypeJSON
	}
	if fromTerminal(userAgent) {
		return web.Negotiate(accept, []string{web.TypeText, web.TypeJSON, web.TypeHTML})
	}
	return web.Negotiate(accept, []string{web.TypeHTML, web.TypeText, web.TypeJSON})
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
