package httpapi

import (
	"ribglass/ribstore/query"
	"ribglass/ribstore/route"
	"ribglass/ui"
)

// allRoutes returns the URL of a search for all routes of families, "" for none.
func (v scene) allRoutes(families []route.Family) string {
	if len(families) == 0 {
		return ""
	}
	return v.lookup(query.Lookup{Families: families}.Query())
}

// familyTotal counts a family, with searches for what is counted.
func familyTotal(f route.Family, routes, stale int, v scene) ui.FamilyTotal {
	one := ui.FamilyTotal{Family: f, Routes: routes, Stale: stale}
	one.RoutesURL, one.StaleURL = v.counted(query.Lookup{Families: []route.Family{f}}, routes, stale)
	return one
}

// counted returns the URLs of searches for routes and for the stale ones among
// them, "" for what there is none of.
func (v scene) counted(l query.Lookup, routes, stale int) (all, old string) {
	if routes > 0 {
		all = v.lookup(l.Query())
	}
	if stale > 0 {
		old = v.refined(l.Query(), string(query.Stale))
	}
	return all, old
}

// detail adds to neighbours what a page shows of those that are on it.
func (s *Server) detail(list []ui.Neighbour, v scene) {
	for i := range list {
		s.detailOne(&list[i], v)
	}
}

func (s *Server) detailOne(n *ui.Neighbour, v scene) {
	peers := []string{n.Peer.Name}
	for _, f := range route.Families() {
		l := query.Lookup{Peers: peers, Families: []route.Family{f}}
		n.RoutesURLs[f], n.StaleURLs[f] = v.counted(l, n.Routes[f], n.Stale[f])
	}
	if !n.Then {
		n.Rate = s.rateOf(s.deps.Store.Rate(n.Peer.Name), query.Lookup{Peers: peers}.Query())
	}
}
