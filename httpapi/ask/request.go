package ask

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"ribglass/httpapi/web"
	"ribglass/ribstore"
	"ribglass/ribstore/query"
	"ribglass/ribstore/route"
)

// Request is one question: what is asked, of which scene, and which part of the
// answer is wanted. Make it with [Reader.Request] or [Reader.Live].
type Request struct {
	Query   query.Query
	Scene   Scene
	Page    query.Page
	Limited bool // the client asked for a limit
	SaysAt  bool // the moment is a word of the query
	reader  *Reader
	from    Searcher // the store, or the collection of the scene
}

// Reader returns the reader that the request asks.
func (r *Request) Reader() *Reader { return r.reader }

// Live returns a question about what is now.
func (r *Reader) Live(q query.Query) Request {
	return Request{Query: q, Page: query.Page{Limit: query.DefaultLimit}, reader: r, from: r.store}
}

// Request reads the parameters of a question: q, peer, family, view, limit,
// cursor, at, between and collection; other parameters are their caller's. base is what the
// path asks already; a parameter q takes its place.
func (r *Reader) Request(list web.Params, base query.Query) (Request, error) {
	req := r.Live(base)
	if text, ok := list.Get("q"); ok {
		q, err := r.ParseQuery(text)
		if err != nil {
			return req, err
		}
		req.Query, req.SaysAt = q, !q.At.IsZero()
	}
	var peers []string
	var families []route.Family
	for _, p := range list {
		var err error
		switch p.Name {
		case "peer":
			peers, err = addPeer(peers, p.Value)
		case "family":
			families, err = addFamily(families, p.Value)
		case "limit":
			req.Limited = true
			req.Page.Limit, err = ParseLimit(p.Value)
		case "cursor":
			req.Page.Cursor, err = parseCursor(p.Value)
		case "view":
			err = req.setView(p.Value)
		}
		if err != nil {
			return req, err
		}
	}
	for _, e := range []query.Expr{query.AnyPeer(peers...), query.AnyFamily(families...)} {
		if e != nil {
			req.Query = req.Query.With(e)
		}
	}
	if err := req.readMoments(list); err != nil {
		return req, err
	}
	return req, req.readCollection(list)
}

// PageRequest is Request for a page: its links lead to the moment that it shows,
// which does not move with the clock.
func (r *Reader) PageRequest(list web.Params, base query.Query) (Request, error) {
	req, err := r.Request(list, base)
	if err == nil {
		req.Scene = req.Scene.Fixed(r.Now())
		req.Query.At = req.Scene.At
	}
	return req, err
}

// readMoments reads the parameters that say the same as words of the query.
func (r *Request) readMoments(list web.Params) error {
	if text, ok := list.Get("at"); ok {
		if err := r.setAt(text); err != nil {
			return err
		}
	}
	if text, ok := list.Get("between"); ok {
		if err := r.setBetween(text); err != nil {
			return err
		}
	}
	if !r.Query.At.IsZero() && !r.Query.Between.IsZero() {
		return web.Problemf(web.CodeInvalidParameter, "A question is about a moment (at) or about a span (between), not about both.")
	}
	r.Scene.At = r.Query.At
	return nil
}

func (r *Request) setAt(text string) error {
	at, err := ParseMoment("at", text)
	if err != nil {
		return err
	}
	if have := r.Query.At; !have.IsZero() && have != at {
		return web.Problemf(web.CodeInvalidParameter, "The query is about %s, the parameter at about %s: give one of them.", have, at)
	}
	r.Query.At = at
	return nil
}

func (r *Request) setBetween(text string) error {
	span, err := ParseSpan(text)
	if err != nil {
		return err
	}
	if have := r.Query.Between; !have.IsZero() && have != span {
		return web.Problemf(web.CodeInvalidParameter, "The query is about the time between %s, the parameter about that between %s: give one of them.", have, span)
	}
	r.Query.Between = span
	return nil
}

// setView reads the parameter that says the same as the word view.
func (r *Request) setView(text string) error {
	scope, ok := query.ParseScope(text)
	if !ok {
		return web.Problemf(web.CodeInvalidParameter, "view %q is not known; there are %s.", web.Clip(text), strings.Join(query.ScopeNames(), ", "))
	}
	if have := r.Query.Scope; have != query.FirstView && have != scope {
		return web.Problemf(web.CodeInvalidParameter, "The query asks view %s, the parameter view %s: give one of them.", have, scope)
	}
	r.Query.Scope = scope
	return nil
}

// Stay has a question without a moment be asked about the moment of the page that
// it came from (parameter stay), and reports whether it did.
func (r *Request) Stay(list web.Params) (stayed bool, err error) {
	text, ok := list.Get("stay")
	if !ok || !r.Query.At.IsZero() || !r.Query.Between.IsZero() {
		return ok, nil
	}
	at, err := ParseMoment("stay", text)
	if err != nil {
		return true, err
	}
	r.Scene.At = at
	r.Scene = r.Scene.Fixed(r.reader.Now())
	r.Query.At = r.Scene.At
	return true, nil
}

// readCollection finds who answers: a collection when one is named, else the
// store.
func (r *Request) readCollection(list web.Params) error {
	name, ok := list.Get("collection")
	if !ok {
		name = r.reader.Opened()
	}
	if name == "" && !ok {
		return nil
	}
	from, err := r.reader.collection(name)
	r.from, r.Scene.Collection = from, name
	return err
}

// collection returns a collection by its name.
func (r *Reader) collection(name string) (Searcher, error) {
	from := r.desk.sources.Collections
	switch {
	case from == nil:
		return nil, noPlaceForCollections()
	case !ribstore.CollectionName.MatchString(name):
		return nil, noCollection()
	}
	c, err := from.Get(name, r.Audience)
	if p := pastProblemOf(err); p != nil {
		return nil, p
	}
	if err != nil {
		return nil, fmt.Errorf("open collection %s: %w", name, err)
	}
	return c, nil
}

// RefuseSpan refuses a question for changes where routes are the answer.
func (r *Request) RefuseSpan() error {
	if r.Query.Between.IsZero() {
		return nil
	}
	return web.Problemf(web.CodeInvalidQuery, "The query is about what happened between two moments: ask /api/v1/changes, or write at MOMENT for the routes of a moment.")
}

// ParseQuery parses the text of a query. All texts of a request share one allowance of
// expressions over AS paths. The error is a problem that shows the text.
func (r *Reader) ParseQuery(text string) (query.Query, error) {
	q, err := r.texts.Parse(text)
	if err != nil {
		return q, misread(text, err)
	}
	return q, nil
}

// Present returns a query without its moment.
func Present(q query.Query) query.Query {
	q.At = query.Moment{}
	return q
}

// WithoutSpan returns a query without its span.
func WithoutSpan(q query.Query) query.Query {
	q.Between = query.Span{}
	return q
}

// HasOwnPage reports whether a query is about one prefix and no more than a path
// and its filters can say.
func HasOwnPage(q query.Query) bool {
	l, plain := Present(q).Lookup()
	return plain && l.Match != query.Any
}

// Watchable reports whether a query is about one address or prefix as it is now,
// in whatever views of routers, which one descent of the trie answers.
func Watchable(q query.Query) bool {
	q.Scope = query.FirstView
	lookup, plain := q.Lookup()
	return plain && lookup.Match != query.Any && lookup.Match != query.OrLonger
}

// ParsePeer reads a parameter that names a peer.
func ParsePeer(name string) (string, error) {
	if !query.IsName(name) {
		return "", web.Problemf(web.CodeInvalidParameter,
			"peer %q is not the name of a peer: a name has letters, digits, '.', '_', ':' and '-' only.", web.Clip(name))
	}
	return name, nil
}

func addPeer(names []string, name string) ([]string, error) {
	if _, err := ParsePeer(name); err != nil {
		return nil, err
	}
	if !slices.Contains(names, name) {
		names = append(names, name)
	}
	return names, nil
}

func addFamily(families []route.Family, name string) ([]route.Family, error) {
	f, err := route.ParseFamily(name)
	if err != nil {
		return nil, web.Problemf(web.CodeInvalidParameter, "family %q is not known; there are %v.", web.Clip(name), familyNames())
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

// ParseLimit reads how many routes a page has at most.
func ParseLimit(text string) (int, error) {
	n, err := strconv.ParseUint(text, 10, 31)
	if err != nil || n < 1 || n > query.MaxLimit {
		return 0, web.Problemf(web.CodeInvalidParameter, "limit %q is not a number from 1 to %d.", web.Clip(text), query.MaxLimit)
	}
	return int(n), nil
}

// maxCursor bounds the text of a cursor, in bytes.
const maxCursor = 1024

// parseCursor reads where a page begins; an empty text is the first page.
func parseCursor(text string) (string, error) {
	if len(text) > maxCursor {
		return "", foreignCursor()
	}
	return text, nil
}

// RFC3339 formats a time for people and URLs.
func RFC3339(t time.Time) string { return t.UTC().Format(time.RFC3339) }
