package catalogue

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
)

// Language is the texts of one language.
type Language struct {
	tag, name      string
	rightToLeft    bool
	group, decimal string
	rule           rule
	texts          map[string]message
	under          *Language // asked for what is not here; nil for English
}

// Text is a text of a page that is not written yet: its key and what it is given.
// Without a key it is its only argument, which is in no language. The zero value
// is empty.
type Text struct {
	Key  string
	Args []any
}

// Say returns the text of a key.
func Say(key string, args ...any) Text { return Text{key, args} }

// Plain returns a text that is the same in all languages: a name, a query.
func Plain(text string) Text { return Text{Args: []any{text}} }

// Tag returns the language as BCP 47 names it, such as "de".
func (l *Language) Tag() string { return l.tag }

// Name returns what the language calls itself.
func (l *Language) Name() string { return l.name }

// Dir returns the direction it is written in, as the attribute dir has it.
func (l *Language) Dir() string {
	if l.rightToLeft {
		return "rtl"
	}
	return "ltr"
}

// standOn has a language fall back to other texts in it.
func (l *Language) standOn(base *Language) {
	l.under, l.rightToLeft = base, l.rightToLeft || base.rightToLeft
	l.group, l.decimal = cmp.Or(l.group, base.group), cmp.Or(l.decimal, base.decimal)
}

// Has reports whether there is a text of the key, here or in English.
func (l *Language) Has(key string) bool {
	_, ok := l.find(key)
	return ok
}

func (l *Language) find(key string) (message, bool) {
	for ; l != nil; l = l.under {
		if m, ok := l.texts[key]; ok {
			return m, true
		}
	}
	return message{}, false
}

// Say writes a text. One that is not there is its key.
func (l *Language) Say(t Text) string {
	var b strings.Builder
	l.Each(t, func(s string) { b.WriteString(s) }, func(arg any) { b.WriteString(l.argument(arg)) })
	return b.String()
}

// T writes the text of a key.
func (l *Language) T(key string, args ...any) string { return l.Say(Text{key, args}) }

// Each calls word with what stands in the text and argument with what is put
// into it, in the order of the language.
func (l *Language) Each(t Text, word func(string), argument func(any)) {
	if t.Key == "" {
		for _, a := range t.Args {
			argument(a)
		}
		return
	}
	m, ok := l.find(t.Key)
	if !ok {
		word(t.Key)
		return
	}
	for _, p := range m.choose(l, t.Args) {
		switch {
		case p.word != "":
			word(p.word)
		case p.argument < len(t.Args):
			argument(t.Args[p.argument])
		}
	}
}

// Isolated returns text that came from elsewhere so that it does not reorder what
// stands around it. It matters where that goes from right to left.
func (l *Language) Isolated(text string) string {
	if !l.rightToLeft || text == "" {
		return text
	}
	return "\u2068" + text + "\u2069"
}

func (l *Language) argument(arg any) string {
	switch v := arg.(type) {
	case int:
		return l.Number(int64(v))
	case uint64:
		return l.Number(int64(min(v, 1<<63-1)))
	case Text:
		return l.Say(v)
	case string:
		return l.Isolated(v)
	}
	return l.Isolated(fmt.Sprint(arg))
}

// Number writes n with its digits in groups.
func (l *Language) Number(n int64) string {
	digits := strconv.FormatInt(n, 10)
	var b strings.Builder
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 && digits[i-1] != '-' {
			b.WriteString(l.group)
		}
		b.WriteRune(d)
	}
	return b.String()
}

// Decimal writes f with so many digits behind the point.
func (l *Language) Decimal(f float64, digits int) string {
	return strings.Replace(strconv.FormatFloat(f, 'f', digits, 64), ".", cmp.Or(l.decimal, "."), 1)
}

// Family returns the texts whose keys begin with a word and a dot, for a script: a
// text is a string, or an object of its forms, and what is in braces is the
// number of the argument.
func (l *Language) Family(name string) map[string]any {
	list := map[string]any{}
	for at := l; at != nil; at = at.under {
		for key, m := range at.texts {
			if _, have := list[key]; have || !strings.HasPrefix(key, name+".") {
				continue
			}
			list[key] = m.numbered()
		}
	}
	return list
}

func (m *message) numbered() any {
	forms := map[string]string{}
	for c, parts := range m.forms {
		if parts == nil {
			continue
		}
		var b strings.Builder
		for _, p := range parts {
			if p.word == "" {
				b.WriteString("{" + strconv.Itoa(p.argument) + "}")
			}
			b.WriteString(p.word)
		}
		forms[categoryNames()[c]] = b.String()
	}
	if !m.many {
		return forms["other"]
	}
	return forms
}
