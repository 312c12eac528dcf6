package ui

import (
	"fmt"
	"maps"
	"slices"

	"ribglass/ui/site"
)

// Look is what of its site stands on every page, and the assets for it. It is
// not changed after it was made.
type Look struct {
	*site.Site

	Style string // path of the style sheet
	Image string // path of the logo; "" when there is none

	own    map[string]Asset // by path
	before map[string]Asset // of the look before this one: pages that have it may ask yet
}

// SetSite has pages be of a site from now on. Pages that were written before find
// what they refer to until the next change. One goroutine at a time may change it,
// while others write pages.
func (r *Renderer) SetSite(s *site.Site) error {
	look := &Look{Site: s, Style: r.assets.path("style.css"), own: map[string]Asset{}}
	if rule := palette(s); rule != "" {
		plain := r.assets.byName["style.css"]
		a, err := newAsset("style.css", append(slices.Clip(plain.Body), rule...))
		if err != nil {
			return err
		}
		look.Style, look.own[a.Path] = a.Path, a
	}
	if s.Logo != nil {
		a, err := newAsset("logo"+s.Logo.Extension, s.Logo.Content)
		if err != nil {
			return err
		}
		look.Image, look.own[a.Path] = a.Path, a
	}
	if old := r.look.Load(); old != nil {
		look.before = maps.Clone(old.own)
	}
	r.look.Store(look)
	return nil
}

// palette returns the rule that puts the colours of a site in the place of the
// style sheet's, "" when it has none.
func palette(s *site.Site) string {
	light, dark := s.Colour, s.DarkColour
	if light == "" && dark == "" {
		return ""
	}
	if light == "" {
		light = accentLight
	}
	if dark == "" {
		dark = accentDark
	}
	return fmt.Sprintf(":root { --teal: light-dark(%s, %s); }\n", light, dark)
}

// The accent of the style sheet.
const (
	accentLight site.Colour = "#0b6e75"
	accentDark  site.Colour = "#5cc4ca"
)

// Accent returns the digits of the accent on light ground, for the icon.
func (l *Look) Accent() string {
	if l.Colour != "" {
		return string(l.Colour[1:])
	}
	return string(accentLight[1:])
}

// icon is the icon of the pages (frame.html), for the accent's digits.
const icon = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><circle cx="7" cy="7" r="5" fill="none" stroke="#%[1]s" stroke-width="2"/><path d="m11 11 4 4" stroke="#%[1]s" stroke-width="2"/></svg>` + "\n"

// Icon returns the icon of the pages, as SVG.
func (r *Renderer) Icon() string { return fmt.Sprintf(icon, r.look.Load().Accent()) }

// Site returns the site that pages are of.
func (r *Renderer) Site() *site.Site { return r.look.Load().Site }
