package catalogue

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// message is a text: its only form, or one for each category of numbers.
type message struct {
	forms [categories][]part
	many  bool
	by    int      // the argument that chooses a form
	names []string // what stands in braces, in order
}

// part is words, or without them the place of an argument.
type part struct {
	word     string
	argument int
}

// maxText bounds a text, in bytes.
const maxText = 2000

// choose returns the form for the argument that is counted.
func (m *message) choose(l *Language, args []any) []part {
	if !m.many {
		return m.forms[other]
	}
	if m.by < len(args) {
		switch n := args[m.by].(type) {
		case int:
			return m.form(l.rule.of(uint64(max(n, -n))))
		case uint64:
			return m.form(l.rule.of(n))
		}
	}
	return m.forms[other]
}

func (m *message) form(c category) []part {
	if parts := m.forms[c]; parts != nil {
		return parts
	}
	return m.forms[other]
}

// parse takes a form of a text apart. known are the names in the order of the
// arguments; nil takes them in the order in which they stand here.
func parse(text string, known []string) (parts []part, names []string, err error) {
	if err := fit(text); err != nil {
		return nil, nil, err
	}
	all := known
	for rest := text; rest != ""; {
		word, behind, found := strings.Cut(rest, "{")
		if strings.Contains(word, "}") {
			return nil, nil, errors.New("a } without a {")
		}
		if word != "" {
			parts = append(parts, part{word: word})
		}
		if !found {
			break
		}
		name, after, closed := strings.Cut(behind, "}")
		if !closed || !isName(name) {
			return nil, nil, errors.New("braces hold a name of small letters, such as {routes}")
		}
		if known == nil && !slices.Contains(all, name) {
			all = append(all, name)
		}
		i := slices.Index(all, name)
		if i < 0 {
			return nil, nil, fmt.Errorf("{%s} is not in the English text, which has %s", name, braced(known))
		}
		parts = append(parts, part{argument: i})
		names, rest = append(names, name), after
	}
	return parts, names, nil
}

func isName(s string) bool {
	return s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz_") == ""
}

// braced lists names for an error.
func braced(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return "{" + strings.Join(names, "}, {") + "}"
}

// fit says what a text has that none may have.
func fit(text string) error {
	switch {
	case strings.TrimSpace(text) == "":
		return errors.New("it is empty; leave the key out for English")
	case len(text) > maxText:
		return fmt.Errorf("it has %d bytes, at most %d", len(text), maxText)
	case !utf8.ValidString(text):
		return errors.New("it is not UTF-8")
	}
	for _, r := range text {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' || unicode.Is(unicode.Cf, r) && !slices.Contains(joiners(), r) {
			return fmt.Errorf("it has the character %U, which is not seen or reorders others", r)
		}
	}
	return nil
}

// joiners are the invisible characters that writing needs: soft hyphen, joiners,
// and the two marks of direction, which reach no further than their neighbours.
func joiners() []rune { return []rune{'\u00ad', '\u200c', '\u200d', '\u200e', '\u200f'} }
