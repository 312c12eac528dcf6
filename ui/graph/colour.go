package graph

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// rgb is an opaque colour.
type rgb struct{ r, g, b uint8 }

// scheme is what palette.css has for one theme.
type scheme struct{ page, field, text, subtle, accent, stale rgb }

// colours reads the palette, which is the one place where colours stand.
func colours(dark bool) (scheme, error) {
	light, night, _ := strings.Cut(palette, "@media (prefers-color-scheme: dark)")
	rules := light
	if dark {
		rules = night
	}
	found := map[string]rgb{}
	for _, m := range regexp.MustCompile(`--([a-z]+): #([0-9a-f]{6});`).FindAllStringSubmatch(rules, -1) {
		n, err := strconv.ParseUint(m[2], 16, 32)
		if err != nil {
			return scheme{}, fmt.Errorf("palette: --%s: %w", m[1], err)
		}
		found[m[1]] = rgb{uint8(n >> 16), uint8(n >> 8), uint8(n)}
	}
	var s scheme
	for name, to := range map[string]*rgb{
		"page": &s.page, "field": &s.field, "text": &s.text, "subtle": &s.subtle, "accent": &s.accent, "stale": &s.stale,
	} {
		c, ok := found[name]
		if !ok {
			return scheme{}, fmt.Errorf("palette: --%s is missing", name)
		}
		*to = c
	}
	return s, nil
}
