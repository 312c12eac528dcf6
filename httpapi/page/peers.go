package page

import (
	"context"
	"time"

	"ribglass/httpapi/ask"
	"ribglass/httpapi/v1"
	"ribglass/httpapi/web"
	"ribglass/ribstore/query"
	"ribglass/ribstore/route"
	"ribglass/ui"
	"ribglass/ui/catalogue"
)

// peersRequest is a question for a page of peers.
type peersRequest struct {
	ask.Request

	list peerList
}

// peersRow is /peers.
func peersRow() row[peersRequest, *ask.Peers] {
	return row[peersRequest, *ask.Peers]{
		path: "/peers", params: ask.SceneParams(web.One("find", "group", "state", "sort", "page")...),
		read: func(v *visit) (r peersRequest, err error) {
			if r.list, err = readPeerList(v.list); err == nil {
				r.Request, err = v.reader.PageRequest(v.list, query.Query{})
			}
			return r, err
		},
		ask:  func(v *visit, r peersRequest) (*ask.Peers, error) { return r.Peers(v.Context()) },
		json: func(v *visit, _ peersRequest, a *ask.Peers) error { return v.SendJSON(v1.PeersOf(v.reader, a)) },
		show: showPeers,
	}
}

func showPeers(v *visit, r peersRequest, a *ask.Peers) ui.Page {
	page := &ui.Peers{Frame: v.frameOf(catalogue.Say("peers.title"), "/peers", liveNow(a, v.Now()))}
	all := neighbours(a, r.Scene)
	if a.Live {
		page.Events = ask.EventsURL
		page.Attention, page.MoreAttention = v.attention()
		page.RefusedURL = refusedPath
		if r.list.sort == byChanges {
			v.detail(all, r.Scene)
		}
	}
	r.list.show(page, all, r.Scene)
	v.detail(page.Neighbours, r.Scene)
	v.showMoment(&page.Frame, r.Scene, a.Moment)
	return page
}

// mostAttention is how much a page lists of what needs attention.
const mostAttention = 10

// attention returns what an operator should know, and how much is left out.
func (v *visit) attention() (list []ui.Attention, more int) {
	for _, one := range v.reader.Attention() {
		if len(list) == mostAttention {
			more++
			continue
		}
		a := ui.Attention{Peer: one.Peer, Notice: one.Notice}
		if a.Peer != "" {
			a.URL = ask.Scene{}.Peer(a.Peer)
		}
		list = append(list, a)
	}
	return list, more
}

// neighbours puts peers into the form of a page.
func neighbours(peers *ask.Peers, s ask.Scene) []ui.Neighbour {
	list := make([]ui.Neighbour, len(peers.List))
	for i := range peers.List {
		list[i] = neighbour(&peers.List[i], peers.Live, s)
	}
	return list
}

func neighbour(p *ask.Peer, live bool, s ask.Scene) ui.Neighbour {
	return ui.Neighbour{
		Session: p.Session, Routes: p.Stats.Routes, Stale: p.Stats.Stale, StaleSince: p.Stats.Freshness.StaleSince,
		URL: s.Peer(p.Session.Peer.Name), Then: !live,
	}
}

// detail adds to neighbours what a page shows of those that are on it.
func (v *visit) detail(list []ui.Neighbour, s ask.Scene) {
	for i := range list {
		v.detailOne(&list[i], s)
	}
}

func (v *visit) detailOne(n *ui.Neighbour, s ask.Scene) {
	peers := []string{n.Peer.Name}
	for _, f := range route.Families() {
		l := query.Lookup{Peers: peers, Families: []route.Family{f}}
		n.RoutesURLs[f], n.StaleURLs[f] = s.Counted(l, n.Routes[f], n.Stale[f])
	}
	if !n.Then {
		n.Rate = v.rateOf(v.reader.Rate(n.Peer.Name), query.Lookup{Peers: peers}.Query())
	}
}

// rateOf puts a rate into the form of a page: its total leads to the changes that
// were counted, where they are kept.
func (v *visit) rateOf(r ask.Rate, q query.Query) ui.Rate {
	return ui.Rate{From: r.From, Changes: r.Changes, Last: r.Last(), Peak: r.Peak(), Total: r.Total(), URL: v.reader.ChangesSince(r.From, q)}
}

// peerRequest is a question for the page of a peer.
type peerRequest struct {
	ask.Request

	peers  *ask.Peers
	peer   *ask.Peer
	counts bool // the part that takes longer is asked for
}

// peerRow is /peers/NAME.
func peerRow() row[peerRequest, *ui.Peer] {
	return row[peerRequest, *ui.Peer]{
		path: "/peers/:name", params: ask.SceneParams(web.One("part")...),
		read: readPeer,
		ask: func(v *visit, r peerRequest) (*ui.Peer, error) {
			if v.form() == web.TypeJSON {
				return nil, nil //nolint:nilnil // JSON needs no page
			}
			page := &ui.Peer{Neighbour: neighbour(r.peer, r.peers.Live, r.Scene)}
			v.detailOne(&page.Neighbour, r.Scene)
			if r.peers.Live {
				var err error
				if page.Malformed, err = v.reader.Malformed(page.Peer.Name); err != nil {
					return nil, err
				}
			}
			return page, v.countPeer(page, &r)
		},
		json: func(v *visit, r peerRequest, _ *ui.Peer) error {
			return v.SendJSON(v1.PeerOf(v.reader, r.peers, r.peer))
		},
		show: showPeer,
	}
}

// readPeer reads the parameters of the page of a peer and finds the peer. A peer
// whose name ends in .txt is found before the suffix is.
func readPeer(v *visit) (r peerRequest, err error) {
	if part, ok := v.list.Get("part"); ok {
		if r.counts = part == "counts"; !r.counts {
			return r, web.Problemf(web.CodeInvalidParameter, "part %q is not counts.", web.Clip(part))
		}
	}
	if r.Request, err = v.reader.PageRequest(v.list, query.Query{}); err != nil {
		return r, err
	}
	if r.peers, err = r.Peers(v.Context()); err != nil {
		return r, err
	}
	name := v.Value("name")
	if r.peer, err = r.peers.Find(name); err == nil {
		v.suffix = ""
		return r, nil
	}
	if name, v.suffix = cutSuffix(name); v.suffix != "" {
		r.peer, err = r.peers.Find(name)
	}
	return r, err
}

func showPeer(v *visit, r peerRequest, page *ui.Peer) ui.Page {
	name := r.peer.Session.Peer.Name
	page.AttributeBytes = int64(r.peer.Stats.AttributeBytes)
	live := ui.Live{At: v.Now(), Configured: 1}
	addLive(&live, r.peer)
	page.Frame = v.frameOf(catalogue.Plain(name), ask.Scene{}.Peer(name), live)
	q := query.Lookup{Peers: []string{name}}.Query()
	page.RoutesURL = r.Scene.Lookup(q)
	if r.peers.Live && v.reader.KeepsHistory() {
		page.ChangesURL = ask.Scene{}.Changes(q)
	}
	v.showMoment(&page.Frame, r.Scene, r.peers.Moment)
	return page
}

// What a peer announces is counted on its page without being asked for when that
// takes a few milliseconds and there is a place for it at once; else on demand, in
// the budget of searches. It takes time by the size of the table, not of the peer.
const (
	countsUnasked = 200_000 // routes in the table
	countsWait    = 200 * time.Millisecond
	countsMost    = 10 // origins, and communities
)

// countPeer puts on the page of a peer which origins it announces and which
// communities it uses, or where to ask for that. A page does without when the
// budget does not allow it.
func (v *visit) countPeer(page *ui.Peer, r *peerRequest) error {
	if page.Total() == 0 {
		return nil
	}
	page.CountsURL = r.Scene.PeerCounts(page.Peer.Name)
	if !r.counts && (!r.Scene.Live() || sum(v.reader.Totals().Routes) > countsUnasked) {
		return nil
	}
	ctx := v.Context()
	counting, cancel := context.WithCancel(ctx)
	if !r.counts {
		counting, cancel = context.WithTimeout(ctx, countsWait)
	}
	defer cancel()
	q := query.Lookup{Peers: []string{page.Peer.Name}}.Query()
	q.At = r.Scene.At
	f, err := r.Facets(counting, q, countsMost)
	switch {
	case err == nil:
		page.Counts = v.peerCountsOf(q, f, r.Scene)
	case ask.Declined(err) || counting.Err() != nil && ctx.Err() == nil:
		page.Refused = r.counts
	default:
		return err
	}
	return nil
}

func (v *visit) peerCountsOf(q query.Query, f *query.Facets, s ask.Scene) *ui.PeerCounts {
	counts := &ui.PeerCounts{Origins: f.OriginCount, Neighbors: f.NeighborASCount, Communities: f.CommunityCount}
	list := facetLinks(q, f, s)
	nameFacets(v.reader.Names(), list)
	for _, one := range list {
		switch one.Kind {
		case "origin":
			counts.TopOrigins = one.Values
		case "community":
			counts.TopCommunities = one.Values
		}
	}
	return counts
}
