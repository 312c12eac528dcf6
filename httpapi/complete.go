package httpapi

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/gin-gonic/gin"

	"ribglass/ribstore/query"
	"ribglass/ribstore/route"
)

// maxCompletions is how many completions are offered at a time.
const maxCompletions = 12

// completeAnswer says how a query that is being written could go on, and how
// what is there is understood.
type completeAnswer struct {
	From    int          `json:"from"` // the characters from here to To are what a completion stands for
	To      int          `json:"to"`
	Items   []completion `json:"items"`
	Query   *understood  `json:"query,omitempty"`
	Problem *misread     `json:"problem,omitempty"`
}

// completion is a text that the query could go on with.
type completion struct {
	Text  string `json:"text"`
	Kind  string `json:"kind"`
	Means string `json:"means,omitempty"`
}

// understood is how a query is read.
type understood struct {
	Canonical string   `json:"canonical"`
	Notes     []string `json:"notes,omitempty"`
}

// misread says where a query cannot be read.
type misread struct {
	Detail string `json:"detail"`
	Column int    `json:"column"`
}

// complete answers GET /api/v1/complete. It reads no routes, so that it can be
// asked at every key.
func (s *Server) complete(c *gin.Context) error {
	if err := acceptsJSON(c); err != nil {
		return err
	}
	list, err := readParams(c.Request.URL.RawQuery, []known{{"q", false}, {"at", false}})
	if err != nil {
		return err
	}
	text, _ := get(list, "q")
	chars := []rune(text)
	at := len(chars)
	if given, ok := get(list, "at"); ok {
		if at, err = strconv.Atoi(given); err != nil || at < 0 || at > len(chars) {
			return problemf(codeInvalidParameter, "at %q is not a place in the query, from 0 to %d characters.", clip(given), len(chars))
		}
	}
	answer := completeAnswer{From: at, To: at}
	for answer.From > 0 && !separates(chars[answer.From-1]) {
		answer.From--
	}
	for answer.To < len(chars) && !separates(chars[answer.To]) {
		answer.To++
	}
	answer.Items = s.completions(before(chars[:answer.From]), string(chars[answer.From:at]))
	answer.read(text)
	return s.sendJSON(c, answer)
}

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
func (a *completeAnswer) read(text string) {
	if strings.TrimSpace(text) == "" {
		return
	}
	q, err := query.Parse(text)
	if err != nil {
		p := problemOf(err)
		a.Problem = &misread{p.detail, p.column}
		return
	}
	a.Query = &understood{Canonical: q.String()}
	for _, n := range q.Notes {
		a.Query.Notes = append(a.Query.Notes, n.Understood)
	}
}

// completions lists what may follow the word last and begins as typed.
func (s *Server) completions(last, typed string) []completion {
	switch last {
	case "peer", "router", "group":
		return matching(s.labels(last), typed)
	case "family":
		var list []completion
		for _, f := range route.Families() {
			list = append(list, completion{Text: f.String(), Kind: "family"})
		}
		return matching(list, typed)
	case "community":
		return matching(wellKnownCommunities(), typed)
	case "origin", "via", "neighbor-as":
		return s.namedASes("", typed)
	case "origin-code":
		return matching([]completion{{Text: "igp", Kind: "value"}, {Text: "egp", Kind: "value"}, {Text: "incomplete", Kind: "value"}}, typed)
	}
	if typed == "" {
		return []completion{}
	}
	var list []completion
	for _, w := range query.Words() {
		list = append(list, completion{w.Text, "word", w.Means + ": " + w.Example})
	}
	for _, w := range query.Joints() {
		list = append(list, completion{Text: w, Kind: "word"})
	}
	list = matching(list, typed)
	for _, label := range []string{"peer", "group", "router"} {
		for _, one := range matching(s.labels(label), typed) {
			one.Text = label + " " + one.Text
			list = append(list, one)
		}
	}
	if len(typed) > 1 {
		list = append(list, s.namedASes("AS", typed)...)
	}
	return list[:min(len(list), maxCompletions)]
}

// namedASes lists the ASes whose number begins as typed or whose name has it.
func (s *Server) namedASes(before, typed string) []completion {
	list := []completion{}
	for _, m := range s.deps.named().Complete(typed, maxCompletions) {
		list = append(list, completion{before + m.ASN.String(), "as", m.Name})
	}
	return list
}

// labels lists the names of peers, or what they are labelled with.
func (s *Server) labels(kind string) []completion {
	var list []completion
	for _, session := range s.deps.Sessions.Sessions() {
		p := session.Peer
		one := completion{Text: p.Name, Kind: kind, Means: "AS" + p.ASN.String()}
		if p.Description != "" {
			one.Means += " " + printable(p.Description)
		}
		switch kind {
		case "router":
			one = completion{Text: p.Router, Kind: kind}
		case "group":
			one = completion{Text: p.Group, Kind: kind}
		}
		if one.Text != "" {
			list = append(list, one)
		}
	}
	slices.SortStableFunc(list, func(a, b completion) int { return cmp.Compare(a.Text, b.Text) })
	return slices.CompactFunc(list, func(a, b completion) bool { return a.Text == b.Text })
}

func wellKnownCommunities() []completion {
	var list []completion
	for _, high := range []uint32{0xffff0000, 0xffff0200, 0xffffff00} {
		for low := range uint32(256) {
			if c := route.Community(high | low); c.Name() != "" {
				list = append(list, completion{c.Name(), "community", c.String()})
			}
		}
	}
	return list
}

// matching returns what begins as typed, then what has it elsewhere.
func matching(list []completion, typed string) []completion {
	typed = strings.ToLower(typed)
	found, others := []completion{}, []completion{}
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

// whoami answers GET /api/v1/whoami: the address of the client, as a trusted
// proxy tells it or else as the connection has it.
func (s *Server) whoami(c *gin.Context) error {
	if err := acceptsJSON(c); err != nil {
		return err
	}
	if _, err := readParams(c.Request.URL.RawQuery, nil); err != nil {
		return err
	}
	c.Writer.Header().Set("Cache-Control", "no-store")
	return s.sendJSON(c, struct {
		Address string `json:"address"`
	}{c.ClientIP()})
}
