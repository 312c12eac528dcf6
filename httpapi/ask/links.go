package ask

import (
	"maps"
	"net/url"
	"strconv"
	"strings"
	"time"

	"ribglass/ribstore/query"
	"ribglass/ribstore/route"
)

// Where the pages and the calls that they link are.
const (
	EventsURL = "/api/v1/events"
	TermsURL  = "/terms"
	PagesURL  = "/pages/"
)

// WithValues puts parameters behind a path.
func WithValues(path string, values url.Values) string {
	if len(values) == 0 {
		return path
	}
	return path + "?" + values.Encode()
}

// WithSuffix puts .txt or .json behind the path of a URL.
func WithSuffix(u, suffix string) string {
	path, rest, found := strings.Cut(u, "?")
	if !found {
		return path + suffix
	}
	return path + suffix + "?" + rest
}

// More returns a URL that was made here with more parameters, which take the
// place of those of the same name.
func More(u string, more url.Values) string {
	if u == "" {
		return ""
	}
	path, rest, _ := strings.Cut(u, "?")
	values, err := url.ParseQuery(rest)
	if err != nil { // it was encoded just now
		return u
	}
	maps.Copy(values, more)
	return WithValues(path, values)
}

// Link returns a path with the scene behind it.
func (s Scene) Link(path string) string { return WithValues(path, s.Values()) }

// Peer returns the URL of a peer's page.
func (s Scene) Peer(name string) string { return s.Link("/peers/" + url.PathEscape(name)) }

// PeerCounts returns the URL of a peer's page with the part that takes longer.
func (s Scene) PeerCounts(name string) string {
	values := s.Values()
	values.Set("part", "counts")
	return WithValues(Scene{}.Peer(name), values)
}

// AS returns the URL of the page of an AS.
func (s Scene) AS(asn route.ASN) string { return s.Link("/as/" + asn.String()) }

// Lookup returns the URL of the page that answers a query: a path for one about
// a prefix, a search for others.
func (s Scene) Lookup(all query.Query) string {
	values := s.Values()
	all = Present(all)
	if !HasOwnPage(all) {
		values.Set("q", all.String())
		return WithValues("/search", values)
	}
	q, _ := all.Lookup()
	var path string
	switch q.Match {
	case query.Any:
	case query.Longest:
		path = "/" + q.Prefix.Addr().String()
	case query.Exact:
		path = "/" + q.Prefix.String()
	case query.OrLonger:
		path = "/" + q.Prefix.String() + "/or-longer"
	case query.OrShorter:
		path = "/" + q.Prefix.String() + "/or-shorter"
	}
	for _, p := range q.Peers {
		values.Add("peer", p)
	}
	for _, f := range q.Families {
		values.Add("family", f.String())
	}
	return WithValues(path, values)
}

// Refined returns the URL of the query with one more condition, "" when there is
// no condition or the query has it already.
func (s Scene) Refined(q query.Query, condition query.Expr) string {
	if condition == nil {
		return ""
	}
	with := q.With(condition)
	if with.String() == q.String() {
		return ""
	}
	return s.Lookup(with)
}

// AllRoutes returns the URL of a search for all routes of families, "" for none.
func (s Scene) AllRoutes(families []route.Family) string {
	if len(families) == 0 {
		return ""
	}
	return s.Lookup(query.Lookup{Families: families}.Query())
}

// Counted returns the URLs of searches for routes and for the stale ones among
// them, "" for what there is none of.
func (s Scene) Counted(l query.Lookup, routes, stale int) (all, old string) {
	if routes > 0 {
		all = s.Lookup(l.Query())
	}
	if stale > 0 {
		old = s.Refined(l.Query(), query.Stale)
	}
	return all, old
}

// Graph returns the URL of a form of the picture of an answer: path is /graph,
// /graph.svg or /graph.png.
func (s Scene) Graph(path string, q query.Query) string {
	values := s.Values()
	values.Set("q", Present(q).String())
	return WithValues(path, values)
}

// Changes returns the URL of the page of what happened in the span of a query.
func (s Scene) Changes(q query.Query) string {
	s.At = query.Moment{}
	values := s.Values()
	values.Set("q", Present(q).String())
	return WithValues("/changes", values)
}

// ChangesSince returns the URL of the changes from a moment until now, "" where
// they are not kept.
func (r *Reader) ChangesSince(from time.Time, q query.Query) string {
	if !r.KeepsHistory() {
		return ""
	}
	values := url.Values{"between": {query.Moment{Time: from.UTC().Truncate(time.Second)}.String() + "/now"}}
	if text := q.String(); text != "" {
		values.Set("q", text)
	}
	return WithValues("/changes", values)
}

// around is how far before and after a moment of the past the changes are that a
// page of it leads to.
const around = 12 * time.Hour

// PastOf is what pages of the past may be asked of the scene of a request: the
// changes or the timeline of a query, around the moment of the request.
func (r *Request) PastOf(path, q string) string {
	values := url.Values{"q": {q}}
	if r.Scene.Collection != "" {
		values.Set("collection", r.Scene.Collection)
	}
	if at := r.Scene.At.Time; !at.IsZero() {
		to, now := at.Add(around), r.reader.Now().UTC().Truncate(time.Second)
		if now.Before(to) {
			to = now
		}
		values.Set("between", SpanText(query.Span{From: query.Moment{Time: at.Add(-around)}, To: query.Moment{Time: to}}))
	}
	return WithValues(path, values)
}

// HasPast reports whether the past can be asked where the request is asked.
func (r *Request) HasPast() bool { return r.reader.KeepsHistory() || r.Scene.Collection != "" }

// Diff returns the URL of a comparison of two moments.
func (s Scene) Diff(a, b query.Moment, q query.Query) string {
	values := url.Values{"a": {a.String()}, "b": {b.String()}}
	if text := q.String(); text != "" {
		values.Set("q", text)
	}
	if s.Collection != "" {
		values.Set("collection", s.Collection)
	}
	return WithValues("/diff", values)
}

// DiffWith returns the URL of the form of a comparison with a collection.
func DiffWith(collection string) string {
	return WithValues("/diff", url.Values{"collection_b": {collection}})
}

// URL returns the URL of a page of the same comparison.
func (c *Comparison) URL(a, b query.Moment, cursor string) string {
	values := url.Values{"a": {a.String()}, "b": {b.String()}}
	for name, value := range map[string]string{
		"peer_a": c.Contrast.FromPeer, "peer_b": c.Contrast.ToPeer, "q": c.Query.String(), "collection": c.Scene.Collection, "cursor": cursor,
		"collection_b": c.OtherCollection,
	} {
		if value != "" {
			values.Set(name, value)
		}
	}
	if c.Contrast.Stale {
		values.Set("stale", "true")
	}
	if c.Limited {
		values.Set("limit", strconv.Itoa(c.Request.Page.Limit))
	}
	return WithValues("/diff", values)
}

// PageURL returns the URL of another page of the answer, shown in the same
// manner.
func (r *Request) PageURL(shown url.Values, cursor string) string {
	more := maps.Clone(shown)
	if r.Limited {
		more.Set("limit", strconv.Itoa(r.Page.Limit))
	}
	if cursor != "" {
		more.Set("cursor", cursor)
	}
	return More(r.Scene.Lookup(r.Query), more)
}

// ExportURL returns the URL of the whole answer as a file.
func (r *Request) ExportURL(format string) string {
	values := r.Scene.Values()
	values.Set("q", Present(r.Query).String())
	values.Set("format", format)
	return WithValues("/api/v1/export", values)
}

// ActivityURL returns where the strip of a page of routes asks, "" where the past
// is not kept.
func (r *Request) ActivityURL(q query.Query) string {
	if !r.HasPast() || !HasOwnPage(q) {
		return ""
	}
	values := url.Values{"q": {Present(q).String()}}
	if r.Scene.Collection != "" {
		values.Set("collection", r.Scene.Collection)
	}
	return WithValues("/api/v1/activity", values)
}

// EventsOf returns where a page of a lookup hears that its answer changed.
func EventsOf(q query.Query) string { return WithValues(EventsURL, url.Values{"q": {q.String()}}) }

// URL returns the URL of a page of the same changes.
func (r *ChangesRequest) URL(cursor string) string {
	values := url.Values{"between": {SpanText(r.Query.Between)}}
	if text := WithoutSpan(r.Query).String(); text != "" {
		values.Set("q", text)
	}
	if r.Scene.Collection != "" {
		values.Set("collection", r.Scene.Collection)
	}
	for _, k := range r.Kinds {
		values.Add("kind", string(k))
	}
	if r.Oldest {
		values.Set("order", "oldest")
	}
	if r.Limited {
		values.Set("limit", strconv.Itoa(r.Page.Limit))
	}
	if cursor != "" {
		values.Set("cursor", cursor)
	}
	return WithValues("/changes", values)
}
