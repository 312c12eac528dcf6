package terminal

import (
	"cmp"
	"os"
	"strings"
)

// Signs returns text that this program wrote as the locale can show it: without
// arrows and the like where the environment asks for a locale that is not UTF-8, such
// as LC_ALL=C. Text of others stays as it is, see [Clean].
func Signs(s string) string {
	if inUTF8() {
		return s
	}
	return strings.NewReplacer("→", "->", "×", "x", "…", "...").Replace(s)
}

// inUTF8 reports whether the locale is of UTF-8 (setlocale(3)). Without any locale it
// is: containers seldom have one, and the terminals that they are seen on do.
func inUTF8() bool {
	locale := cmp.Or(os.Getenv("LC_ALL"), os.Getenv("LC_CTYPE"), os.Getenv("LANG"))
	_, charset, _ := strings.Cut(strings.ToLower(locale), ".")
	return locale == "" || strings.HasPrefix(strings.ReplaceAll(charset, "-", ""), "utf8")
}
