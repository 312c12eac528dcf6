package catalogue

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
)

// reader reads a file of texts. It keeps to one token after the other, because
// package json neither reports a key that stands there twice nor where.
type reader struct {
	d    *json.Decoder
	body []byte
	base *Language // English; nil while it is read itself
	l    *Language
}

// read reads a file of texts. base is English, or nil for English itself.
func read(base *Language, name string, body []byte) (*Language, error) {
	r := reader{json.NewDecoder(bytes.NewReader(body)), body, base, &Language{texts: map[string]message{}, under: base}}
	if err := r.file(); err != nil {
		return nil, fmt.Errorf("%s:%d: %w", name, r.line(), err)
	}
	return r.l, nil
}

// line returns the line that was read last.
func (r *reader) line() int { return 1 + bytes.Count(r.body[:r.d.InputOffset()], []byte("\n")) }

func (r *reader) file() error {
	seen := map[string]string{}
	err := r.object(func(key string) error {
		if key == "texts" {
			if seen["language"] == "" {
				return errors.New(`"language" comes before "texts"`)
			}
			return r.object(r.text)
		}
		value, err := r.word()
		seen[key] = value
		if err != nil {
			return err
		}
		return r.setting(key, value)
	})
	if err != nil {
		return err
	}
	if _, err := r.d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("there is more behind the end")
	}
	for _, key := range []string{"language", "name"} {
		if seen[key] == "" {
			return fmt.Errorf("%q is missing", key)
		}
	}
	return nil
}

// setting takes what a file says of its language.
func (r *reader) setting(key, value string) error {
	l := r.l
	switch key {
	case "language":
		if !regexp.MustCompile(`^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$`).MatchString(value) {
			return fmt.Errorf("language %q is no tag such as \"de\" or \"pt-BR\"", value)
		}
		l.tag, l.rule = strings.ToLower(value), ruleOf(value)
	case "name":
		if err := fit(value); err != nil || len(value) > 60 {
			return fmt.Errorf("name %.60q is no name of a language", value)
		}
		l.name = value
	case "dir":
		if value != "ltr" && value != "rtl" {
			return fmt.Errorf(`dir %q is neither "ltr" nor "rtl"`, value)
		}
		l.rightToLeft = value == "rtl"
	case "group", "decimal":
		if !slices.Contains([]string{"", " ", ".", ",", "'", "’", "\u00a0", "\u202f", "٬", "٫"}, value) {
			return fmt.Errorf("%s %q separates no digits", key, value)
		}
		if key == "group" {
			l.group = value
		} else {
			l.decimal = value
		}
	default:
		return fmt.Errorf("%q is not known; there are language, name, dir, group, decimal and texts", key)
	}
	return nil
}

// object reads an object; member reads the value of a key.
func (r *reader) object(member func(key string) error) error {
	if t, err := r.d.Token(); err != nil || t != json.Delim('{') {
		return r.wrong(err, "an object in { } is wanted here")
	}
	seen := map[string]bool{}
	for r.d.More() {
		key, err := r.word()
		if err != nil {
			return err
		}
		if seen[key] {
			return fmt.Errorf("%q stands here twice", key)
		}
		seen[key] = true
		if err := member(key); err != nil {
			return err
		}
	}
	_, err := r.d.Token()
	return r.wrong(err, "")
}

// word reads a string.
func (r *reader) word() (string, error) {
	t, err := r.d.Token()
	s, ok := t.(string)
	if err != nil || !ok {
		return "", r.wrong(err, "a text in quotes is wanted here")
	}
	return s, nil
}

// wrong returns what the JSON is wrong in, or else what is not as wanted.
func (r *reader) wrong(err error, wanted string) error {
	switch {
	case errors.Is(err, io.EOF):
		return errors.New("the file ends in the middle")
	case err != nil:
		return fmt.Errorf("not JSON: %w", err)
	case wanted == "":
		return nil
	}
	return errors.New(wanted)
}

// text reads the text of a key, or its forms.
func (r *reader) text(key string) error {
	var english message
	if r.base != nil {
		var known bool
		if english, known = r.base.texts[key]; !known {
			return fmt.Errorf("there is no text %q%s", key, r.nearest(key))
		}
	}
	forms, counted, err := r.forms()
	if err == nil {
		err = r.checkForms(forms, counted, english)
	}
	m := message{many: counted, by: english.by, names: english.names}
	if err == nil {
		err = r.fill(&m, forms)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	r.l.texts[key] = m
	return nil
}

// fill takes the forms of a text apart. Those of English decide what the arguments
// are, by the last of them, "other".
func (r *reader) fill(m *message, forms map[string]string) error {
	for _, c := range []category{other, zero, one, two, few, many} {
		text, ok := forms[categoryNames()[c]]
		if !ok {
			continue
		}
		parts, names, err := parse(text, m.known(r.base != nil || c != other))
		if err != nil {
			return err
		}
		if r.base == nil && c == other {
			m.names = unique(names)
		}
		if c == other && len(unique(names)) != len(m.names) {
			return fmt.Errorf("the English text has %s", braced(m.names))
		}
		m.forms[c] = parts
	}
	if by, said := forms["by"]; said {
		if m.by = slices.Index(m.names, by); m.by < 0 {
			return fmt.Errorf("it has no {%s} to be counted by", by)
		}
	}
	return nil
}

// known returns the names that a form may have, nil when it decides them.
func (m *message) known(decided bool) []string {
	if !decided {
		return nil
	}
	return append([]string{}, m.names...)
}

func unique(names []string) []string {
	var list []string
	for _, n := range names {
		if !slices.Contains(list, n) {
			list = append(list, n)
		}
	}
	return list
}

// forms reads a text, which is its form "other", or an object of forms.
func (r *reader) forms() (forms map[string]string, counted bool, err error) {
	forms = map[string]string{}
	t, err := r.d.Token()
	switch v := t.(type) {
	case string:
		forms["other"] = v
		return forms, false, nil
	case json.Delim:
		if v != '{' {
			break
		}
		for r.d.More() {
			name, err := r.word()
			if err != nil {
				return nil, true, err
			}
			if _, twice := forms[name]; twice {
				return nil, true, fmt.Errorf("%q stands here twice", name)
			}
			if forms[name], err = r.word(); err != nil {
				return nil, true, err
			}
		}
		_, err = r.d.Token()
		return forms, true, r.wrong(err, "")
	}
	return nil, false, r.wrong(err, "a text in quotes, or its forms in { }, are wanted here")
}

// checkForms reports forms that a text must have and has not, and others.
func (r *reader) checkForms(forms map[string]string, counted bool, english message) error {
	_, said := forms["by"]
	switch {
	case r.base != nil && said:
		return errors.New("the English text alone says by what it is counted")
	case r.base != nil && counted && !english.many:
		return errors.New("the English text has one form, and so has this")
	case r.base != nil && !counted && english.many && len(r.l.rule.has) > 0:
		return fmt.Errorf("it is counted: write the forms %s", strings.Join(r.l.rule.wants(), ", "))
	case !counted:
		return nil
	}
	return r.l.rule.check(forms)
}

// nearest returns a key that may be meant.
func (r *reader) nearest(key string) string {
	family, name, _ := strings.Cut(key, ".")
	best := ""
	for known := range r.base.texts {
		f, n, _ := strings.Cut(known, ".")
		if f == family && (strings.HasPrefix(n, name) || strings.HasPrefix(name, n)) || n == name {
			if best == "" || known < best {
				best = known
			}
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("; is %q meant?", best)
}
