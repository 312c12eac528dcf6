package web

import (
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"ribglass/ribstore/query"
)

const (
	maxParams = 64
)

// Param is one parameter of a URL, decoded.
type Param struct{ Name, Value string }

// Params are the parameters of a URL in the order they are given in.
type Params []Param

// Known is a parameter that a call understands.
type Known struct {
	Name string
	Many bool // may be given more than once
}

// One returns parameters that may be given once.
func One(names ...string) []Known {
	list := make([]Known, len(names))
	for i, name := range names {
		list[i].Name = name
	}
	return list
}

// ReadParams reads the query of a URL and holds it against what the call
// understands: nothing is passed over in silence.
func ReadParams(raw string, understood []Known) (Params, error) {
	var list Params
	for raw != "" {
		var one string
		one, raw, _ = strings.Cut(raw, "&")
		if one == "" {
			continue
		}
		p, err := decodeParam(one)
		if err != nil {
			return nil, err
		}
		if err := admit(list, p, understood); err != nil {
			return nil, err
		}
		list = append(list, p)
	}
	return list, nil
}

func decodeParam(text string) (Param, error) {
	name, value, _ := strings.Cut(text, "=")
	n, errName := url.QueryUnescape(name)
	v, errValue := url.QueryUnescape(value)
	if errName != nil || errValue != nil {
		return Param{}, Problemf(CodeBadRequest, "The query of the URL has a broken %%-escape.")
	}
	return Param{n, v}, nil
}

func admit(list Params, p Param, understood []Known) error {
	i := slices.IndexFunc(understood, func(k Known) bool { return k.Name == p.Name })
	if i < 0 {
		return unknownParam(p.Name, understood)
	}
	if !understood[i].Many && slices.ContainsFunc(list, func(have Param) bool { return have.Name == p.Name }) {
		return Problemf(CodeRepeated, "%q may be given only once.", p.Name)
	}
	if len(list) == maxParams {
		return Problemf(CodeBadRequest, "There are more than %d parameters.", maxParams)
	}
	at := strings.IndexFunc(p.Value, func(r rune) bool {
		return Forbidden(r) && (p.Name != "q" || !strings.ContainsRune("\t\r\n", r)) // white space of what was pasted
	})
	switch {
	case at < 0:
		return nil
	case p.Name == "q":
		return &Problem{
			Code: CodeInvalidQuery, Detail: "A control character cannot be part of a query.",
			Query: p.Value, Column: at + 1,
		}
	}
	return Problemf(CodeInvalidParameter, "The value of %q has a control character in it.", p.Name)
}

// Forbidden reports whether r has no place in a parameter: controls, the line
// separators of Unicode, and what is not UTF-8.
func Forbidden(r rune) bool {
	return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' || r == utf8.RuneError
}

func unknownParam(name string, understood []Known) error {
	names := make([]string, len(understood))
	for i, k := range understood {
		names[i] = k.Name
	}
	if len(names) == 0 {
		return Problemf(CodeUnknownParameter, "%q is not known; this call takes no parameters.", Clip(name))
	}
	if near := Nearest(name, names); near != "" {
		return Problemf(CodeUnknownParameter, "%q is not known; did you mean %q?", Clip(name), near)
	}
	return Problemf(CodeUnknownParameter, "%q is not known; there are %s.", Clip(name), strings.Join(names, ", "))
}

// Clip shortens what the client wrote for a message.
func Clip(s string) string {
	const most = 40
	if len(s) > most {
		s = s[:most] + "…"
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

// Nearest returns the name of a parameter that was likely meant, "" when none is
// near.
func Nearest(s string, names []string) string {
	return query.Nearest(strings.ToLower(strings.TrimRight(Clip(s), "[]0123456789")), names)
}

// Get returns the value of a parameter that may be given once.
func (list Params) Get(name string) (string, bool) {
	for _, p := range list {
		if p.Name == name {
			return p.Value, true
		}
	}
	return "", false
}

// Filled leaves out what was left empty in a form.
func (list Params) Filled() Params {
	return slices.DeleteFunc(list, func(p Param) bool { return p.Value == "" })
}

// Bool reads a parameter that is true or false.
func (p Param) Bool() (bool, error) {
	switch p.Value {
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	return false, Problemf(CodeInvalidParameter, "%s %q is not true or false.", p.Name, Clip(p.Value))
}

// OneOf returns the value of a parameter when it is one of those it may have.
func (p Param) OneOf(values ...string) (string, error) {
	if !slices.Contains(values, p.Value) {
		return "", Problemf(CodeInvalidParameter, "%s %q is not one of %s.", p.Name, Clip(p.Value), strings.Join(values[1:], ", "))
	}
	return p.Value, nil
}
