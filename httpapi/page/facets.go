package page

import (
	"ribglass/httpapi/ask"
	"ribglass/ribstore/query"
	"ribglass/ribstore/route"
	"ribglass/ui"
	"ribglass/ui/names"
)

// pageFacets is how many values of each kind a page lists.
const pageFacets = 8

// facetsOf counts the answer to a search for its page. A page does without when
// the budget does not allow it.
func (v *visit) facetsOf(r *lookup, res *query.Result) ([]ui.Facets, error) {
	if m := res.Plan.Method; r.Page.Cursor != "" || res.Total == 0 || m != query.Walk && m != query.Scan {
		return nil, nil
	}
	f, err := r.Facets(v.Context(), res.Query, pageFacets)
	if err != nil {
		if ask.Declined(err) {
			return nil, nil
		}
		return nil, err
	}
	list := facetLinks(res.Query, f, r.Scene)
	for i := range list {
		for j := range list[i].Values {
			one := &list[i].Values[j]
			one.URL = ask.More(one.URL, r.display.values())
		}
	}
	nameFacets(v.reader.Names(), list)
	return list, nil
}

// facetLinks makes of each value a link to the query confined to it.
func facetLinks(q query.Query, f *query.Facets, s ask.Scene) []ui.Facets {
	var list []ui.Facets
	for _, kind := range []struct {
		name   string
		values []query.Facet
		count  int
	}{
		{"origin", f.Origins, f.OriginCount},
		{"neighbor-as", f.NeighborASs, f.NeighborASCount},
		{"peer", f.Peers, f.PeerCount},
		{"community", f.Communities, f.CommunityCount},
		{"length", f.Lengths, f.LengthCount},
		{"nexthop", f.NextHops, f.NextHopCount},
	} {
		if len(kind.values) == 0 {
			continue
		}
		facets := ui.Facets{Kind: kind.name, More: kind.count - len(kind.values)}
		for _, one := range kind.values {
			facets.Values = append(facets.Values, ui.Facet{Text: one.Value, Count: one.Count, URL: s.Refined(q, one.Expr)})
		}
		list = append(list, facets)
	}
	return list
}

// nameFacets names the ASes and explains the communities among the values of an
// answer.
func nameFacets(n ask.Names, list []ui.Facets) {
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
func meaningOf(n ask.Names, text string) string {
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
