package v1

import (
	"maps"
	"slices"
	"strings"

	"ribglass/httpapi/answer"
	"ribglass/httpapi/ask"
	"ribglass/httpapi/web"
	"ribglass/ribstore/route"
	"ribglass/ui/names"
)

// maxMeanings is how many meanings one community is given on the routes of an
// answer.
const maxMeanings = 3

// meanings are what the AS numbers and communities of an answer mean.
type meanings struct {
	ases        map[route.ASN]string
	communities map[string][]string
}

// meaningsOf says what stands in routes. A community may mean one thing on one
// route and another on the next.
func meaningsOf(n ask.Names, routes []route.Route) meanings {
	m := meanings{ases: make(map[route.ASN]string), communities: make(map[string][]string)}
	for i := range routes {
		r := &routes[i]
		m.name(n, r.Peer.ASN)
		for asn := range r.Attrs.ASPath().All() {
			m.name(n, asn)
		}
		heard := names.Heard(r)
		for c := range r.Attrs.Communities().All() {
			m.explain(c.String(), n.Explain(names.Standard(c), heard))
		}
		for c := range r.Attrs.LargeCommunities().All() {
			m.explain(c.String(), n.Explain(names.Large(c), heard))
		}
		for c := range r.Attrs.ExtCommunities() {
			if e, ok := names.Extended(c); ok {
				m.explain(c.String(), n.Explain(e, heard))
			}
		}
	}
	return m
}

func (m meanings) name(n ask.Names, asn route.ASN) {
	if _, there := m.ases[asn]; there {
		return
	}
	m.ases[asn] = n.AS(asn)
}

func (m meanings) explain(community, text string) {
	list := m.communities[community]
	if text != "" && len(list) < maxMeanings && !slices.Contains(list, text) {
		m.communities[community] = append(list, text)
	}
}

// appendMeanings appends what the numbers in routes mean, where that is known.
func appendMeanings(b []byte, n ask.Names, routes []route.Route) []byte {
	m := meaningsOf(n, routes)
	b = append(web.AppendKey(b, "names"), '{')
	b = append(web.AppendKey(b, "as"), '{')
	for _, asn := range slices.Sorted(maps.Keys(m.ases)) {
		if name := m.ases[asn]; name != "" {
			b = web.AppendString(web.AppendKey(b, asn.String()), name)
		}
	}
	b = append(b, '}')
	b = append(web.AppendKey(b, "communities"), '{')
	for _, c := range slices.Sorted(maps.Keys(m.communities)) {
		b = web.AppendString(web.AppendKey(b, c), strings.Join(m.communities[c], "; or "))
	}
	return append(b, '}', '}')
}

const defaultMatches = 10

// matchNames answers with the ASes that were meant by what was typed.
func matchNames(q *asked) (any, error) {
	typed, _ := q.list.Get("q")
	limit := defaultMatches
	if text, ok := q.list.Get("limit"); ok {
		var err error
		if limit, err = ask.ParseLimit(text); err != nil {
			return nil, err
		}
	}
	if limit > names.MaxMatches {
		return nil, web.Problemf(web.CodeInvalidParameter, "limit %d is more than %d.", limit, names.MaxMatches)
	}
	matches := answer.NameMatches{Query: typed, ASes: []answer.NamedAS{}}
	for _, m := range q.reader.Names().Complete(typed, limit) {
		matches.ASes = append(matches.ASes, answer.NamedAS{ASN: m.ASN, Name: m.Name})
	}
	return matches, nil
}
