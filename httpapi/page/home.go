package page

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"ribglass/httpapi/ask"
	"ribglass/httpapi/v1"
	"ribglass/ribstore/query"
	"ribglass/ribstore/route"
	"ribglass/ui"
	"ribglass/ui/catalogue"
)

// How many sessions the first page lists, and how many of the busiest.
const (
	homeNeighbours = 30
	homePrefixes   = 10
	homePeers      = 5
)

// homeRow is the first page.
func homeRow() row[ask.Request, *ask.Peers] {
	return row[ask.Request, *ask.Peers]{
		path: "/", params: ask.SceneParams(),
		read: func(v *visit) (ask.Request, error) { return v.reader.PageRequest(v.list, query.Query{}) },
		ask:  func(v *visit, r ask.Request) (*ask.Peers, error) { return r.Peers(v.Context()) },
		json: func(v *visit, _ ask.Request, a *ask.Peers) error {
			if a.Live {
				return v.SendJSON(v1.StatusOf(v.reader))
			}
			return v.SendJSON(v1.PeersOf(v.reader, a))
		},
		show: showHome,
	}
}

func showHome(v *visit, r ask.Request, a *ask.Peers) ui.Page {
	info := v.reader.Info()
	page := &ui.Home{
		Frame: v.frameOf(catalogue.Plain("AS"+info.ASN.String()), "/index", liveNow(a, v.Now())), ASN: info.ASN,
		Neighbours: neighbours(a, r.Scene), Families: familiesOf(v, a, r.Scene),
	}
	if page.Moment.Action != "" {
		page.Moment.Action = "/" // its forms have a path of their own
	}
	if extra := len(page.Neighbours) - homeNeighbours; extra > 0 {
		page.Neighbours, page.More = page.Neighbours[:homeNeighbours], extra
	}
	v.detail(page.Neighbours, r.Scene)
	if r.Scene.At.IsZero() { // they have no part in another moment
		page.Collections = v.collections()
	}
	if r.Scene.Collection != "" {
		page.Title = catalogue.Say("home.collection", r.Scene.Collection)
		page.Examples = v.examples(&r)
	}
	if a.Live {
		page.RouterID, page.StartedAt, page.AttributeSets = info.RouterID, info.StartedAt, v.reader.Totals().AttributeSets
		page.Events, page.Examples = ask.EventsURL, v.examples(&r)
		page.Attention, page.MoreAttention = v.attention()
		v.showGrowth(page)
		v.showActivity(page)
	}
	v.showMoment(&page.Frame, r.Scene, a.Moment)
	return page
}

// familiesOf counts the families: now, the unicast families stand there also
// when they have no routes.
func familiesOf(v *visit, peers *ask.Peers, s ask.Scene) []ui.FamilyTotal {
	routes, stale := peers.Routes()
	var prefixes [route.NumFamilies]int
	if peers.Live {
		totals := v.reader.Totals()
		routes, stale, prefixes = totals.Routes, totals.Stale, totals.Prefixes
	}
	var list []ui.FamilyTotal
	for _, f := range route.Families() {
		unicast := f == route.IPv4Unicast || f == route.IPv6Unicast
		if routes[f] == 0 && (!peers.Live || !unicast) {
			continue
		}
		one := ui.FamilyTotal{Family: f, Routes: routes[f], Stale: stale[f], Prefixes: prefixes[f]}
		one.RoutesURL, one.StaleURL = s.Counted(query.Lookup{Families: []route.Family{f}}, routes[f], stale[f])
		list = append(list, one)
	}
	return list
}

// examples returns questions of every kind that have an answer now: what is in
// them is of one route.
func (v *visit) examples(req *ask.Request) []ui.Example {
	r, ok := v.exampleRoute(req)
	if !ok {
		return nil
	}
	var list []ui.Example
	add := func(about, format string, values ...any) {
		text := fmt.Sprintf(format, values...)
		q, err := query.Parse(text)
		if err != nil {
			return
		}
		at := q.At
		q.At = query.Moment{}
		u := ask.Scene{At: at, Collection: req.Scene.Collection}.Lookup(q)
		if !q.Between.IsZero() {
			u = ask.Scene{}.Changes(q)
		}
		list = append(list, ui.Example{Query: text, URL: u, About: about})
	}
	address := r.Prefix.Addr()
	if next := address.Next(); r.Prefix.Contains(next) {
		address = next // the first of a network has its name
	}
	add("the longest match", "%s", address)
	add("the prefix itself", "%s", r.Prefix)
	add("the prefix and its more specifics", "%s or-longer", r.Prefix)
	path := slices.Compact(slices.Collect(r.Attrs.ASPath().All()))
	if n := len(path); n > 0 {
		add("what an AS announces", "origin %s", path[n-1])
		if n > 2 {
			add("paths that end so", "path _%s_%s$", path[n-2], path[n-1])
		}
		add("what an AS passes on", "via %s", path[max(0, n-2)])
	}
	if c := r.Attrs.Communities(); c.Len() > 0 {
		add("what carries a community", "community %s", c.At(c.Len()-1))
	}
	ofPeer := query.Lookup{Peers: []string{r.Peer.Name}}.Query()
	add("all routes of a peer", "%s", ofPeer)
	if req.Scene.Live() && v.remembers(time.Hour) {
		add("how it was an hour ago", "%s at 1h", r.Prefix)
		add("what happened in the last hour", "%s between 1h and now", ofPeer)
	}
	return list
}

// remembers reports whether the past is kept since so long ago.
func (v *visit) remembers(ago time.Duration) bool {
	kept, err := v.reader.History()
	return err == nil && !kept.Begins.IsZero() && v.Now().Sub(kept.Begins) >= ago
}

// exampleRoute returns a route whose attributes show what can be asked: of an
// address that most tables have, or one of the first of the table.
func (v *visit) exampleRoute(there *ask.Request) (best route.Route, ok bool) {
	find := func(l query.Lookup, limit int) []route.Route {
		res, err := there.Find(v.Context(), l.Query(), query.Page{Limit: limit})
		if err != nil {
			return nil // it is said to who asks for it
		}
		return res.Routes
	}
	for _, address := range []string{"193.0.0.1", "1.1.1.1", "2001:67c:2e8::1", "8.8.8.8"} {
		a := netip.MustParseAddr(address)
		if routes := find(query.Lookup{Match: query.Longest, Prefix: netip.PrefixFrom(a, a.BitLen())}, 1); len(routes) > 0 {
			return routes[0], true
		}
	}
	shows := func(r route.Route) int {
		return min(r.Attrs.ASPath().Len(), 3) + min(r.Attrs.Communities().Len(), 2)
	}
	for _, r := range find(query.Lookup{}, 20) {
		if !ok || shows(r) > shows(best) {
			best, ok = r, true
		}
	}
	return best, ok
}

// growthLeast is from what time on there is growth to show.
const growthLeast = time.Minute

// showGrowth puts the growth of the table on the first page: snapshots know no
// families.
func (v *visit) showGrowth(page *ui.Home) {
	samples := v.reader.Growth()
	g := &ui.Growth{}
	for _, one := range v.reader.SnapshotsBefore(samples) {
		g.Points = append(g.Points, ui.GrowthPoint{At: one.At.UTC(), Routes: one.Routes})
	}
	for i := range samples {
		g.Points = append(g.Points, ui.GrowthPoint{At: samples[i].At, Routes: sum(samples[i].Routes)})
	}
	if len(g.Points) == 0 || g.Last().At.Sub(g.First().At) < growthLeast {
		return
	}
	page.Growth = g
	now, then := &samples[len(samples)-1], reference(samples)
	if now.At.Sub(then.At) < growthLeast {
		return
	}
	page.GrowthSince = then.At
	for i := range page.Families {
		f := &page.Families[i]
		f.MoreRoutes, f.MorePrefixes = now.Routes[f.Family]-then.Routes[f.Family], now.Prefixes[f.Family]-then.Prefixes[f.Family]
	}
}

// reference returns the sample that growth is told from: of a day ago, or the
// oldest.
func reference(samples []ask.Sample) *ask.Sample {
	yesterday := samples[len(samples)-1].At.Add(-24 * time.Hour)
	then := &samples[0]
	for i := range samples {
		if samples[i].At.After(yesterday) {
			break
		}
		then = &samples[i]
	}
	return then
}

// showActivity puts what happened in the last hour on the first page.
func (v *visit) showActivity(page *ui.Home) {
	page.Rate = v.rateOf(v.reader.RateOfAll(), query.Query{})
	for _, p := range v.reader.BusiestPeers(homePeers) {
		q := query.Lookup{Peers: []string{p.Name}}.Query()
		page.BusyPeers = append(page.BusyPeers, ui.Busy{Text: p.Name, URL: ask.Scene{}.Peer(p.Name), Rate: v.rateOf(p.Rate, q)})
	}
	busiest := v.reader.BusiestPrefixes()
	for _, p := range busiest.Prefixes[:min(homePrefixes, len(busiest.Prefixes))] {
		q := query.Lookup{Match: query.Exact, Prefix: p.Prefix, Families: notUnicast(p.Family)}.Query()
		page.BusyPrefixes = append(page.BusyPrefixes, ui.Busy{
			Text: p.Prefix.String(), URL: ask.Scene{}.Lookup(q), Rate: ui.Rate{From: busiest.From, Total: p.Changes, URL: v.reader.ChangesSince(busiest.From, q)},
		})
	}
	page.BusyMissed = busiest.Missed
}

// notUnicast returns the family when a prefix alone does not say it.
func notUnicast(f route.Family) []route.Family {
	if f == route.IPv4Unicast || f == route.IPv6Unicast {
		return nil
	}
	return []route.Family{f}
}
