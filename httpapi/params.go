package httpapi

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"ribglass/ribstore/query"
	"ribglass/ribstore/route"
)

const (
	maxParams = 64
	maxCursor = 1024
)

// param is one parameter of a URL, decoded.
type param struct{ name, value string }

// known is a parameter that a call understands.
type known struct {
	name string
	many bool // may be given more than once
}

// readParams reads the query of a URL and holds it against what the call
// understands: nothing is passed over in silence.
func readParams(raw string, understood []known) ([]param, error) {
	var list []param
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

func decodeParam(text string) (param, error) {
	name, value, _ := strings.Cut(text, "=")
	n, errName := url.QueryUnescape(name)
	v, errValue := url.QueryUnescape(value)
	if errName != nil || errValue != nil {
		return param{}, problemf(codeBadRequest, "The query of the URL has a broken %%-escape.")
	}
	return param{n, v}, nil
}

func admit(list []param, p param, understood []known) error {
	i := slices.IndexFunc(understood, func(k known) bool { return k.name == p.name })
	if i < 0 {
		return unknownParam(p.name, understood)
	}
	if !understood[i].many && slices.ContainsFunc(list, func(have param) bool { return have.name == p.name }) {
		return problemf(codeRepeated, "%q may be given only once.", p.name)
	}
	if len(list) == maxParams {
		return problemf(codeBadRequest, "There are more than %d parameters.", maxParams)
	}
	at := strings.IndexFunc(p.value, forbidden)
	switch {
	case at < 0:
		return nil
	case p.name == "q":
		return &problem{
			code: codeInvalidQuery, detail: "A control character cannot be part of a query.",
			query: p.value, column: at + 1,
		}
	}
	return problemf(codeInvalidParameter, "The value of %q has a control character in it.", p.name)
}

// forbidden reports whether r has no place in a parameter: controls, the line
// separators of Unicode, and what is not UTF-8.
func forbidden(r rune) bool {
	return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' || r == utf8.RuneError
}

func unknownParam(name string, understood []known) error {
	names := make([]string, len(understood))
	for i, k := range understood {
		names[i] = k.name
	}
	if len(names) == 0 {
		return problemf(codeUnknownParameter, "%q is not known; this call takes no parameters.", clip(name))
	}
	if near := nearest(name, names); near != "" {
		return problemf(codeUnknownParameter, "%q is not known; did you mean %q?", clip(name), near)
	}
	return problemf(codeUnknownParameter, "%q is not known; there are %s.", clip(name), strings.Join(names, ", "))
}

// clip shortens what the client wrote for a message.
func clip(s string) string {
	const most = 40
	if len(s) > most {
		s = s[:most] + "…"
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

// nearest returns the name of a parameter that was likely meant, "" when none is
// near.
func nearest(s string, names []string) string {
	return query.Nearest(strings.ToLower(strings.TrimRight(clip(s), "[]0123456789")), names)
}

// get returns the value of a parameter that may be given once.
func get(list []param, name string) (string, bool) {
	for _, p := range list {
		if p.name == name {
			return p.value, true
		}
	}
	return "", false
}

// request is a question for routes: what to search, which part of the answer.
type request struct {
	query   query.Query
	from    Searcher // who is asked
	scene   scene
	page    query.Page
	limited bool // the client asked for a limit
	explain bool // how it would be answered, instead of the answer
	facets  int  // values of each kind; 0: no facets are wanted
	fields  fields
	names   bool // what the numbers of the answer mean is wanted too
	best    bool // of a bulk lookup: only best routes
	display display
}

// readRequest reads the parameters of a question. base is the question that
// the path asks already; its text stands for a missing q.
func readRequest(list []param, base query.Query) (request, error) {
	r := request{query: base, page: query.Page{Limit: query.DefaultLimit}, fields: allFields}
	if text, ok := get(list, "q"); ok {
		q, err := parseQuery(text)
		if err != nil {
			return r, err
		}
		r.query = q
	}
	var peers []string
	var families []route.Family
	for _, p := range list {
		var err error
		switch p.name {
		case "peer":
			peers, err = addPeer(peers, p.value)
		case "family":
			families, err = addFamily(families, p.value)
		case "limit":
			r.limited = true
			r.page.Limit, err = parseLimit(p.value)
		case "cursor":
			r.page.Cursor, err = parseCursor(p.value)
		case "best", "names", "explain":
			err = r.readSwitch(p)
		case "facets":
			r.facets, err = parseFacets(p)
		case "fields":
			r.fields, err = parseFields(p.value)
		}
		if err != nil {
			return r, err
		}
	}
	for _, e := range []query.Expr{query.AnyPeer(peers...), query.AnyFamily(families...)} {
		if e != nil {
			r.query = r.query.With(e)
		}
	}
	err := r.readMoments(list)
	return r, err
}

// readSwitch reads a parameter that is true or false.
func (r *request) readSwitch(p param) (err error) {
	switch p.name {
	case "best":
		r.best, err = parseBool(p)
	case "names":
		r.names, err = parseBool(p)
	case "explain":
		r.explain, err = parseBool(p)
	}
	return err
}

// parseQuery parses the text of a query; its error shows the text.
func parseQuery(text string) (query.Query, error) {
	q, err := query.Parse(text)
	if err != nil {
		p := problemOf(err)
		p.query = text
		return q, p
	}
	return q, nil
}

func addPeer(names []string, name string) ([]string, error) {
	one, err := query.Parse("peer " + name)
	if peers := one.Peers(); err != nil || len(peers) != 1 || peers[0] != name {
		return nil, problemf(codeInvalidParameter,
			"peer %q is not the name of a peer: a name has letters, digits, '.', '_', ':' and '-' only.", clip(name))
	}
	if !slices.Contains(names, name) {
		names = append(names, name)
	}
	return names, nil
}

func addFamily(families []route.Family, name string) ([]route.Family, error) {
	f, err := route.ParseFamily(name)
	if err != nil {
		return nil, problemf(codeInvalidParameter, "family %q is not known; there are %v.", clip(name), familyNames())
	}
	if !slices.Contains(families, f) {
		families = append(families, f)
	}
	return families, nil
}

func familyNames() string {
	all := route.Families()
	names := make([]string, len(all))
	for i, f := range all {
		names[i] = f.String()
	}
	return strings.Join(names, ", ")
}

func parseLimit(text string) (int, error) {
	n, err := strconv.ParseUint(text, 10, 31)
	if err != nil || n < 1 || n > query.MaxLimit {
		return 0, problemf(codeInvalidParameter, "limit %q is not a number from 1 to %d.", clip(text), query.MaxLimit)
	}
	return int(n), nil
}

func parseBool(p param) (bool, error) {
	switch p.value {
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	return false, problemf(codeInvalidParameter, "%s %q is not true or false.", p.name, clip(p.value))
}

// Facets of each kind in an answer.
const (
	defaultFacets = 10
	maxFacets     = 100
)

// parseFacets reads how many facets of each kind are wanted: true, false or a
// number.
func parseFacets(p param) (int, error) {
	if n, err := strconv.ParseUint(p.value, 10, 31); err == nil && n >= 1 && n <= maxFacets {
		return int(n), nil
	}
	if wanted, err := parseBool(p); err == nil {
		if wanted {
			return defaultFacets, nil
		}
		return 0, nil
	}
	return 0, problemf(codeInvalidParameter, "facets %q is not true, false or a number from 1 to %d.", clip(p.value), maxFacets)
}

func parseCursor(text string) (string, error) {
	if text == "" || len(text) > maxCursor {
		return "", fmt.Errorf("read cursor of %d bytes: %w", len(text), query.ErrCursor)
	}
	return text, nil
}
