package site

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Colour is a colour of the form #0b6e75; "" is none.
type Colour string

// UnmarshalText reads six or three hexadecimal digits, with or without the #,
// which begins a comment in YAML when it is not quoted.
func (c *Colour) UnmarshalText(text []byte) error {
	digits := strings.ToLower(strings.TrimPrefix(string(text), "#"))
	if len(digits) == 3 {
		digits = strings.Repeat(digits[:1], 2) + strings.Repeat(digits[1:2], 2) + strings.Repeat(digits[2:], 2)
	}
	if _, err := strconv.ParseUint(digits, 16, 24); err != nil || len(digits) != 6 {
		return fmt.Errorf(`%q is not a colour such as "#0b6e75"`, text)
	}
	*c = Colour("#" + digits)
	return nil
}

// minContrast is what WCAG 2.2 wants between text and what is behind it (1.4.3).
const minContrast = 4.5

// lightSurfaces and darkSurfaces are what is behind links: the page, a field and
// a row that is stale, as in the palette of the style sheet.
func lightSurfaces() []Colour { return []Colour{"#fdfdfc", "#f4f4f1", "#fff6e0"} }
func darkSurfaces() []Colour  { return []Colour{"#14181a", "#1b2124", "#2a2213"} }

// check says where text of the colour cannot be read. Of no colour there is
// nothing to say.
func (c Colour) check(surfaces []Colour) error {
	if c == "" {
		return nil
	}
	for _, s := range surfaces {
		if ratio := contrast(c, s); ratio < minContrast {
			// Rounded down, so that what is refused never reads as 4.5.
			return fmt.Errorf("%s has a contrast of %.2f:1 with %s, which is behind links; text needs %.1f:1 to be read", c, math.Floor(ratio*100)/100, s, minContrast)
		}
	}
	return nil
}

// contrast returns the contrast ratio of two colours, from 1 to 21, as WCAG 2.2
// defines it.
func contrast(a, b Colour) float64 {
	la, lb := a.luminance(), b.luminance()
	return (max(la, lb) + 0.05) / (min(la, lb) + 0.05)
}

// luminance returns the relative luminance, from 0 to 1.
func (c Colour) luminance() float64 {
	n, err := strconv.ParseUint(strings.TrimPrefix(string(c), "#"), 16, 24)
	if err != nil {
		return 0 // UnmarshalText lets no such colour be
	}
	linear := func(channel uint64) float64 {
		v := float64(channel&0xff) / 0xff
		if v <= 0.04045 {
			return v / 12.92
		}
		return math.Pow((v+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(n>>16) + 0.7152*linear(n>>8) + 0.0722*linear(n)
}
