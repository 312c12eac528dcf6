package page

import (
	"strings"

	"ribglass/httpapi/web"
	"ribglass/ui/catalogue"
)

// language returns the language of a page: the one that its link asks for, which
// is chosen too, else the one that the reader's browser prefers.
func (v *visit) language() (l, chosen *catalogue.Language) {
	if chosen = languageOf(v.Exchange); chosen != nil {
		return chosen, chosen
	}
	return v.pages.texts.Choose(strings.Join(v.Request.Header["Accept-Language"], ",")), nil
}

// languageOf returns the language that a link asked for, nil when none did.
func languageOf(x *web.Exchange) *catalogue.Language {
	l, _ := x.Kept().(*catalogue.Language)
	return l
}

// readLanguage takes the parameter lang out of a page's URL: it changes no answer,
// so no handler knows it.
func (p *Pages) readLanguage(x *web.Exchange) error {
	if !strings.Contains(x.Request.URL.RawQuery, "lang=") {
		return nil
	}
	var rest, tags []string
	for one := range strings.SplitSeq(x.Request.URL.RawQuery, "&") {
		if tag, ok := strings.CutPrefix(one, "lang="); ok {
			tags = append(tags, tag)
		} else {
			rest = append(rest, one)
		}
	}
	x.Request.URL.RawQuery = strings.Join(rest, "&")
	switch {
	case len(tags) == 0:
		return nil
	case len(tags) > 1:
		return web.Problemf(web.CodeRepeated, "%q may be given only once.", "lang")
	}
	l, ok := p.texts.Get(tags[0])
	if !ok {
		var have []string
		for _, l := range p.texts.All() {
			have = append(have, l.Tag())
		}
		return web.Problemf(web.CodeInvalidParameter, "lang %q is not one of %s.", web.Clip(tags[0]), strings.Join(have, ", "))
	}
	x.Keep(l)
	return nil
}

// keepLanguage puts the language that a link asked for behind a URL that was made
// here.
func (v *visit) keepLanguage(to string) string {
	l := languageOf(v.Exchange)
	switch {
	case l == nil:
		return to
	case strings.Contains(to, "?"):
		return to + "&lang=" + l.Tag()
	}
	return to + "?lang=" + l.Tag()
}
