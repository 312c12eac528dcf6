package v1

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"ribglass/httpapi/answer"
	"ribglass/httpapi/ask"
	"ribglass/httpapi/web"
	"ribglass/ribstore/query"
	"ribglass/ribstore/route"
)

// maxCompletions is how many completions are offered at a time.
const maxCompletions = 12

// complete answers how a query that is being written could go on. It reads no
// routes, so that it can be asked at every key.
func complete(q *asked) (any, error) {
	text, _ := q.list.Get("q")
	chars := []rune(text)
	at := len(chars)
	if given, ok := q.list.Get("at"); ok {
		n, err := strconv.Atoi(given)
		if err != nil || n < 0 || n > len(chars) {
			return nil, web.Problemf(web.CodeInvalidParameter, "at %q is not a place in the query, from 0 to %d characters.", web.Clip(given), len(chars))
		}
		at = n
	}
	a := answer.Completions{From: at, To: at}
	for a.From > 0 && !separates(chars[a.From-1]) {
		a.From--
	}
	for a.To < len(chars) && !separates(chars[a.To]) {
		a.To++
	}
	c := completer{q.reader}
	a.Items = c.completions(before(chars[:a.From]), string(chars[a.From:at]))
	c.read(&a, text)
	return a, nil
}

// completer completes with what an audience may see.
type completer struct{ reader *ask.Reader }

func separates(r rune) bool { return unicode.IsSpace(r) || r == '(' || r == ')' }

// before returns the last word of what stands before a place, in lower case.
func before(chars []rune) string {
	words := strings.FieldsFunc(string(chars), separates)
	if len(words) == 0 {
		return ""
	}
	return strings.ToLower(words[len(words)-1])
}

// read says how a query is understood, nothing of an empty one.
func (c *completer) read(a *answer.Completions, text string) {
	if strings.TrimSpace(text) == "" {
		return
	}
	q, err := c.reader.ParseQuery(text)
	if err != nil {
		p := web.ProblemOf(err)
		a.Problem = &answer.Misread{Detail: p.Detail, Column: p.Column}
		return
	}
	a.Query = &answer.Understood{Canonical: q.String()}
	for _, n := range q.Notes {
		a.Query.Notes = append(a.Query.Notes, n.Understood)
	}
}

// completions lists what may follow the word last and begins as typed.
func (c *completer) completions(last, typed string) []answer.Completion {
	switch last {
	case "peer", "router", "group":
		return matching(c.labels(last), typed)
	case "family":
		var list []answer.Completion
		for _, f := range route.Families() {
			list = append(list, answer.Completion{Text: f.String(), Kind: "family"})
		}
		return matching(list, typed)
	case "view":
		var list []answer.Completion
		for _, name := range query.ScopeNames() {
			list = append(list, answer.Completion{Text: name, Kind: "value"})
		}
		return matching(list, typed)
	case "community":
		return matching(wellKnownCommunities(), typed)
	case "origin", "via", "neighbor-as":
		return c.namedASes("", typed)
	case "origin-code":
		return matching([]answer.Completion{{Text: "igp", Kind: "value"}, {Text: "egp", Kind: "value"}, {Text: "incomplete", Kind: "value"}}, typed)
	}
	if typed == "" {
		return []answer.Completion{}
	}
	var list []answer.Completion
	for _, w := range query.Words() {
		list = append(list, answer.Completion{Text: w.Text, Kind: "word", Means: w.Means + ": " + w.Example})
	}
	for _, w := range query.Connectives() {
		list = append(list, answer.Completion{Text: w, Kind: "word"})
	}
	list = matching(list, typed)
	for _, label := range []string{"peer", "group", "router"} {
		for _, one := range matching(c.labels(label), typed) {
			one.Text = label + " " + one.Text
			list = append(list, one)
		}
	}
	if len(typed) > 1 {
		list = append(list, c.namedASes("AS", typed)...)
	}
	return list[:min(len(list), maxCompletions)]
}

// namedASes lists the ASes whose number begins as typed or whose name has it.
func (c *completer) namedASes(before, typed string) []answer.Completion {
	list := []answer.Completion{}
	for _, m := range c.reader.Names().Complete(typed, maxCompletions) {
		list = append(list, answer.Completion{Text: before + m.ASN.String(), Kind: "as", Means: m.Name})
	}
	return list
}

// labels lists the names of peers, or what they are labelled with.
func (c *completer) labels(kind string) []answer.Completion {
	var list []answer.Completion
	for _, session := range c.reader.Sessions() {
		p := session.Peer
		one := answer.Completion{Text: p.Name, Kind: kind, Means: "AS" + p.ASN.String()}
		if p.Description != "" {
			one.Means += " " + web.Printable(p.Description)
		}
		switch kind {
		case "router":
			one = answer.Completion{Text: p.Router, Kind: kind}
		case "group":
			one = answer.Completion{Text: p.Group, Kind: kind}
		}
		if one.Text != "" {
			list = append(list, one)
		}
	}
	slices.SortStableFunc(list, func(a, b answer.Completion) int { return cmp.Compare(a.Text, b.Text) })
	return slices.CompactFunc(list, func(a, b answer.Completion) bool { return a.Text == b.Text })
}

func wellKnownCommunities() []answer.Completion {
	var list []answer.Completion
	for _, high := range []uint32{0xffff0000, 0xffff0200, 0xffffff00} {
		for low := range uint32(256) {
			if c := route.Community(high | low); c.Name() != "" {
				list = append(list, answer.Completion{Text: c.Name(), Kind: "community", Means: c.String()})
			}
		}
	}
	return list
}

// matching returns what begins as typed, then what has it elsewhere.
func matching(list []answer.Completion, typed string) []answer.Completion {
	typed = strings.ToLower(typed)
	found, others := []answer.Completion{}, []answer.Completion{}
	for _, one := range list {
		switch i := strings.Index(strings.ToLower(one.Text), typed); {
		case i == 0:
			found = append(found, one)
		case i > 0:
			others = append(others, one)
		}
	}
	found = append(found, others...)
	return found[:min(len(found), maxCompletions)]
}
