package config

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// secretKey finds keys that people give a secret in: none of them is a key of the
// configuration, which only names the places of secrets (password_file).
var secretKey = regexp.MustCompile(`(?i)(?:^|[\s{,\[-])["']?[a-z0-9_-]*(?:password|passwd|passphrase|secret|md5|key)["']?\s*:\s*`)

// isSecretKey reports whether a key is one of those.
func isSecretKey(key string) bool { return secretKey.MatchString(key + ": ") }

const concealed = "***"

// conceal takes the values of such keys out of a line that is shown, and returns the
// column that a column is now, both from 1.
func conceal(line string, column int) (string, int) {
	var b strings.Builder
	rest, moved := line, column
	for {
		at := secretKey.FindStringIndex(rest)
		if at == nil {
			break
		}
		value := valueLength(rest[at[1]:], strings.ContainsAny(line[:len(line)-len(rest)+at[1]], "{["))
		b.WriteString(rest[:at[1]])
		if value > 0 {
			begins := utf8.RuneCountInString(line[:len(line)-len(rest)+at[1]]) + 1
			gone := utf8.RuneCountInString(rest[at[1]:at[1]+value]) - len(concealed)
			b.WriteString(concealed)
			if column > begins {
				moved = max(moved-gone, 1)
			}
		}
		rest = rest[at[1]+value:]
	}
	b.WriteString(rest)
	return b.String(), moved
}

// valueLength returns how many octets of a line are concealed, which begins with a
// value in braces or not: more rather than less. A quoted value ends with the last such
// quote of the line, any other in braces before the next one, and outside of them with
// the line.
func valueLength(s string, braces bool) int {
	if s == "" {
		return 0
	}
	if last := strings.LastIndexByte(s, s[0]); last > 0 && (s[0] == '"' || s[0] == '\'') {
		return last + 1
	}
	end := len(s)
	if braces {
		for _, stop := range []string{", ", "}", "]"} {
			if i := strings.Index(s, stop); i >= 0 {
				end = min(end, i)
			}
		}
	}
	return len(strings.TrimRight(s[:end], " "))
}
