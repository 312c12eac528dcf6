package ui

import (
	"encoding/json"
	"fmt"
	"html/template"
	"maps"
	"strconv"
	"strings"
	"time"

	"ribglass/ui/catalogue"
)

// tongue writes what a page says in a language.
type tongue struct {
	*catalogue.Language
}

// funcs are the functions of templates that depend on the language.
//
// "t" is a text of the catalogue for any place, "th" one for the content of an
// element, where parts of markup may be put into it: those that the functions
// below make. Whatever else is put in is escaped, and so is the text itself.
func (l tongue) funcs() template.FuncMap {
	return template.FuncMap{
		"t": l.T, "th": l.markup, "say": l.Say, "language": func() tongue { return l },
		"count": l.count, "count64": func(n uint64) string { return l.count(int(n)) }, "bytes": l.bytes, "bytes64": func(n uint64) string { return l.bytes(int64(n)) },
		"age": l.age, "span": func(from, to time.Time) string { return l.age(to, from) },
		"link": link, "monolink": monoLink, "mono": mono, "code": code, "kbd": kbd, "bdi": bdi, "strong": strong, "ago": l.ago, "moment": momentOf,
		"key":  func(family string, name any) string { return family + "." + fmt.Sprint(name) },
		"word": l.word, "signed": l.signed, "rateWords": l.words, "since": l.since,
	}
}

// markup writes a text of the catalogue as the content of an element.
func (l tongue) markup(key string, args ...any) template.HTML {
	var b strings.Builder
	l.Each(catalogue.Say(key, args...), func(word string) { b.WriteString(template.HTMLEscapeString(word)) }, func(arg any) {
		if part, ok := arg.(template.HTML); ok {
			b.WriteString(string(part))
			return
		}
		b.WriteString(template.HTMLEscapeString(l.Say(catalogue.Text{Args: []any{arg}})))
	})
	return safe(b.String())
}

// word returns the text of a value that has one in the family, such as a kind of
// change, and else what is given instead, or the value itself.
func (l tongue) word(family string, value any, instead ...string) string {
	text := fmt.Sprint(value)
	if key := family + "." + text; l.Has(key) {
		return l.T(key)
	}
	return strings.Join(append(instead, text)[:1], "")
}

// count writes a number with its digits in groups.
func (l tongue) count(n int) string { return l.Number(int64(n)) }

// bytes writes a size in its largest unit.
func (l tongue) bytes(n int64) string {
	if size, unit := sized(n); unit != "B" {
		return l.Decimal(size, 1) + " " + unit
	}
	return byteSize(n)
}

// age writes how long before now t was, in its two largest units.
func (l tongue) age(now, t time.Time) string {
	if t.IsZero() {
		return l.T("age.never")
	}
	d := max(now.Sub(t), 0)
	seconds, minutes, hours := int(d.Seconds()), int(d.Minutes()), int(d.Hours())
	days := hours / 24
	pair := func(key string, large, small int) string {
		return l.T(key, strconv.Itoa(large), fmt.Sprintf("%02d", small))
	}
	switch {
	case d < time.Minute:
		return l.T("age.seconds", strconv.Itoa(seconds))
	case d < time.Hour:
		return pair("age.minutes", minutes, seconds%60)
	case days == 0:
		return pair("age.hours", hours, minutes%60)
	case days < 14:
		return pair("age.days", days, hours%24)
	case days < 730:
		return l.T("age.weeks", strconv.Itoa(days/7), strconv.Itoa(days%7))
	}
	return l.T("age.years", strconv.Itoa(days/365), strconv.Itoa(days%365/7))
}

// ago writes an age as an element that tells the moment.
func (l tongue) ago(now, t time.Time) template.HTML {
	return safe(`<time datetime="` + machine(t) + `" title="` + utc(t) + `">` + template.HTMLEscapeString(l.age(now, t)) + "</time>")
}

// momentOf writes a moment as an element.
func momentOf(t time.Time) template.HTML {
	return safe(`<time datetime="` + machine(t) + `">` + utc(t) + "</time>")
}

// safe marks markup that was made in this file out of constants and escaped text.
func safe(markup string) template.HTML {
	return template.HTML(markup) //nolint:gosec // see above
}

// link makes a link to a page of this site.
func link(to string, text any) template.HTML {
	content, ok := text.(template.HTML)
	if !ok {
		content = safe(template.HTMLEscapeString(fmt.Sprint(text)))
	}
	if !strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//") {
		return content
	}
	return safe(`<a href="` + template.HTMLEscapeString(to) + `">` + string(content) + "</a>")
}

// monoLink is a link whose text is routing data or a query.
func monoLink(to, text string) template.HTML { return link(to, mono(clean(text))) }

func element(name, class, text string) template.HTML {
	if class != "" {
		class = ` class="` + class + `"`
	}
	return safe("<" + name + class + ">" + template.HTMLEscapeString(text) + "</" + name + ">")
}

func mono(text any) template.HTML { return element("span", "mono", clean(fmt.Sprint(text))) }

func code(text any) template.HTML { return element("code", "", clean(fmt.Sprint(text))) }

func kbd(text string) template.HTML { return element("kbd", "", text) }

func strong(text string) template.HTML { return element("strong", "", text) }

// bdi shows text from elsewhere so that it reorders nothing around it.
func bdi(text any) template.HTML { return element("bdi", "", clean(fmt.Sprint(text))) }

// scriptTexts returns the texts of the modules as JSON: those of the families
// "script", "word" and "item", with the numbers of their arguments in braces.
func scriptTexts(l *catalogue.Language) ([]byte, error) {
	texts := l.Family("script")
	maps.Copy(texts, l.Family("word"))
	maps.Copy(texts, l.Family("item"))
	body, err := json.Marshal(texts)
	if err != nil {
		return nil, fmt.Errorf("texts of scripts: %w", err)
	}
	return body, nil
}

// keepLanguage puts the parameter lang to the links and forms of a page that lead
// to other pages of the site. It is done when the page is whole, so that no link
// is forgotten. Attributes of a page are in double quotes, and those in texts
// are escaped.
func keepLanguage(page []byte, tag string) []byte {
	kept := make([]byte, 0, len(page)+len(page)/8)
	for rest := string(page); ; {
		i := strings.Index(rest, `="/`)
		if i < 0 {
			return append(kept, rest...)
		}
		name, value := rest[:i], rest[i+2:]
		end := strings.IndexByte(value, '"')
		if end < 0 {
			return append(kept, rest...)
		}
		value, rest = value[:end], value[end:]
		kept = append(append(kept, name...), `="`...)
		switch {
		case strings.HasSuffix(name, " href") && isPage(value):
			kept = append(kept, withLanguage(value, tag)...)
		case strings.HasSuffix(name, " action"):
			inside := strings.IndexByte(rest, '>') + 1
			if strings.Contains(name[strings.LastIndexByte(name, '<'):]+rest[:inside], ` method="post"`) {
				kept = append(kept, value...)
				break
			}
			kept = append(append(append(kept, value...), rest[:inside]...), `<input type="hidden" name="lang" value="`+tag+`">`...)
			rest = rest[inside:]
		default:
			kept = append(kept, value...)
		}
	}
}

// isPage reports whether a path of this site is one of its pages.
func isPage(path string) bool {
	return !strings.HasPrefix(path, "//") && !strings.HasPrefix(path, "/assets/") && !strings.HasPrefix(path, "/api/") &&
		!strings.Contains(path, "?lang=") && !strings.Contains(path, ";lang=")
}

func withLanguage(u, tag string) string {
	path, fragment, found := strings.Cut(u, "#")
	if strings.Contains(path, "?") {
		path += "&amp;lang=" + tag
	} else {
		path += "?lang=" + tag
	}
	if found {
		path += "#" + fragment
	}
	return path
}
