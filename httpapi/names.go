package httpapi

import (
	"maps"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"

	"ribglass/ribstore/query"
	"ribglass/ribstore/route"
	"ribglass/ui"
	"ribglass/ui/names"
)

// Names says in words what AS numbers and communities mean, and finds ASes by
// their names.
type Names interface {
	ui.Names
	// Complete finds at most limit ASes by what was typed of a name or number.
	Complete(typed string, limit int) []names.Match
}

const (
	defaultMatches = 10
	maxMeanings    = 3 // that one community has on the routes of an answer
)

// named returns what gives names: something that has none when there is nothing.
func (d *Deps) named() Names {
	if d.Names == nil {
		return new(names.Keeper)
	}
	return d.Names
}

// nameMatches is the answer of GET /api/v1/names.
type nameMatches struct {
	Query string        `json:"query"`
	ASes  []names.Match `json:"ases"`
}

// names answers GET /api/v1/names: the ASes that were meant by what was typed.
func (s *Server) names(c *gin.Context) error {
	if err := acceptsJSON(c); err != nil {
		return err
	}
	list, err := readParams(c.Request.URL.RawQuery, []known{{"q", false}, {"limit", false}})
	if err != nil {
		return err
	}
	typed, _ := get(list, "q")
	limit := defaultMatches
	if text, ok := get(list, "limit"); ok {
		if limit, err = parseLimit(text); err != nil {
			return err
		}
	}
	if limit > names.MaxMatches {
		return problemf(codeInvalidParameter, "limit %d is more than %d.", limit, names.MaxMatches)
	}
	found := s.deps.named().Complete(typed, limit)
	if found == nil {
		found = []names.Match{}
	}
	return s.sendJSON(c, nameMatches{typed, found})
}

// meanings are what the AS numbers and communities of an answer mean.
type meanings struct {
	ases        map[route.ASN]string
	communities map[string][]string
}

// meaningsOf says what stands in routes. A community may mean one thing on one
// route and another on the next.
func meaningsOf(n Names, routes []route.Route) meanings {
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

func (m meanings) name(n Names, asn route.ASN) {
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
func appendMeanings(b []byte, n Names, routes []route.Route) []byte {
	m := meaningsOf(n, routes)
	b = append(appendKey(b, "names"), '{')
	b = append(appendKey(b, "as"), '{')
	for _, asn := range slices.Sorted(maps.Keys(m.ases)) {
		if name := m.ases[asn]; name != "" {
			b = appendString(appendKey(b, asn.String()), name)
		}
	}
	b = append(b, '}')
	b = append(appendKey(b, "communities"), '{')
	for _, c := range slices.Sorted(maps.Keys(m.communities)) {
		b = appendString(appendKey(b, c), strings.Join(m.communities[c], "; or "))
	}
	return append(b, '}', '}')
}

// nameFacets names the ASes and explains the communities among the values of an
// answer.
func (s *Server) nameFacets(list []ui.Facets) {
	n := s.deps.named()
	for _, f := range list {
		for i := range f.Values {
			v := &f.Values[i]
			switch f.Kind {
			case "origin", "neighbor-as", "upstream", "downstream":
				if asn, err := route.ParseASN(v.Text); err == nil {
					v.Name = n.AS(asn)
				}
			case "community":
				v.About = meaningOf(n, v.Text)
			}
		}
	}
}

// meaningOf explains the community that a text is of, "" when it is of none or
// of several.
func meaningOf(n Names, text string) string {
	q, err := query.Parse(text)
	if err != nil {
		return ""
	}
	c, ok := communityOf(q.Expr)
	if !ok {
		return ""
	}
	return n.Explain(c, nil)
}

// communityOf returns the community that a condition asks for, when it is one.
func communityOf(e query.Expr) (c names.Community, ok bool) {
	one := func(p query.Part) bool { return p.Glob == "" && p.First == p.Last }
	number := func(p query.Part) uint32 { return uint32(p.First) }
	switch e := e.(type) {
	case query.Community:
		return names.Standard(route.Community(number(e.High)<<16 | number(e.Low))), one(e.High) && one(e.Low)
	case query.LargeCommunity:
		large := route.LargeCommunity{Global: number(e.Global), Local1: number(e.Local1), Local2: number(e.Local2)}
		return names.Large(large), one(e.Global) && one(e.Local1) && one(e.Local2)
	}
	return names.Community{}, false
}
