package httpapi

import (
	"strings"

	"github.com/gin-gonic/gin"

	"ribglass/ui/catalogue"
)

// chosenLanguage is where gin keeps the language that a link asks for.
const chosenLanguage = "language"

// language returns the language of a page: the one that its link asks for, which
// is chosen too, else the one that the reader's browser prefers.
func (s *Server) language(c *gin.Context) (l, chosen *catalogue.Language) {
	if chosen = languageOf(c); chosen != nil {
		return chosen, chosen
	}
	return s.texts.Choose(strings.Join(c.Request.Header["Accept-Language"], ",")), nil
}

func languageOf(c *gin.Context) *catalogue.Language {
	v, _ := c.Get(chosenLanguage)
	l, _ := v.(*catalogue.Language)
	return l
}

// readLanguage takes the parameter lang out of a page's URL: it changes no answer,
// so no handler knows it.
func (s *Server) readLanguage(c *gin.Context) error {
	var rest, tags []string
	for one := range strings.SplitSeq(c.Request.URL.RawQuery, "&") {
		if tag, ok := strings.CutPrefix(one, "lang="); ok {
			tags = append(tags, tag)
		} else {
			rest = append(rest, one)
		}
	}
	c.Request.URL.RawQuery = strings.Join(rest, "&")
	switch {
	case len(tags) == 0:
		return nil
	case len(tags) > 1:
		return problemf(codeRepeated, "%q may be given only once.", "lang")
	}
	l, ok := s.texts.Get(tags[0])
	if !ok {
		var have []string
		for _, l := range s.texts.All() {
			have = append(have, l.Tag())
		}
		return problemf(codeInvalidParameter, "lang %q is not one of %s.", clip(tags[0]), strings.Join(have, ", "))
	}
	c.Set(chosenLanguage, l)
	return nil
}

// keepLanguage puts the language that a link asked for behind a URL that was made
// here.
func keepLanguage(c *gin.Context, to string) string {
	l := languageOf(c)
	switch {
	case l == nil:
		return to
	case strings.Contains(to, "?"):
		return to + "&lang=" + l.Tag()
	}
	return to + "?lang=" + l.Tag()
}
