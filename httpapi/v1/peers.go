package v1

import (
	"time"

	"ribglass/httpapi/answer"
	"ribglass/httpapi/ask"
	"ribglass/ribstore/route"
)

func answerPeers(q *asked, req ask.Request) error {
	peers, err := req.Peers(q.Context())
	if err != nil {
		return err
	}
	return q.SendJSON(PeersOf(q.reader, peers))
}

func answerPeer(q *asked, req ask.Request) error {
	peers, err := req.Peers(q.Context())
	if err != nil {
		return err
	}
	peer, err := peers.Find(q.Value("name"))
	if err != nil {
		return err
	}
	return q.SendJSON(PeerOf(q.reader, peers, peer))
}

// PeersOf describes peers: an [answer.Peers], or of the past an
// [answer.PastPeers].
func PeersOf(r *ask.Reader, peers *ask.Peers) any {
	if !peers.Live {
		past := answer.PastPeers{Moment: peers.Moment, Peers: make([]answer.PastPeer, len(peers.List))}
		for i := range peers.List {
			past.Peers[i] = pastPeerOf(&peers.List[i].Stats)
		}
		return past
	}
	live := answer.Peers{At: peers.At, Peers: make([]answer.Peer, len(peers.List))}
	for i := range peers.List {
		live.Peers[i] = peerOf(r, &peers.List[i])
	}
	return live
}

// PeerOf describes one of the peers: an [answer.Peer] with its history, or of the
// past an [answer.OnePastPeer].
func PeerOf(r *ask.Reader, peers *ask.Peers, peer *ask.Peer) any {
	if !peers.Live {
		return answer.OnePastPeer{Moment: peers.Moment, Peer: pastPeerOf(&peer.Stats)}
	}
	one := peerOf(r, peer)
	for _, t := range peer.Session.History {
		one.History = append(one.History, answer.Transition{At: t.At.UTC(), From: t.From, To: t.To, Reason: t.Reason})
	}
	return one
}

func peerOf(r *ask.Reader, peer *ask.Peer) answer.Peer {
	session, p := &peer.Session, peer.Session.Peer
	one := answer.Peer{
		Name: p.Name, ASN: p.ASN, LocalASN: p.LocalASN, Router: p.Router, View: viewOf(p), Group: p.Group, Description: p.Description,
		Dynamic: session.Dynamic, AdminDown: session.AdminDown, Role: session.Role, ConnectTo: session.ConnectTo,
		State: session.State, Since: session.Since.UTC(),
		Families: []string{}, AddPath: addPathOf(p), HoldTime: session.HoldTime.Seconds(), MaxPrefixes: session.MaxPrefixes,
		LastUpdate: session.LastUpdate.UTC(), StaleSince: peer.Stats.Freshness.StaleSince.UTC(),
		EndOfRIB: endOfRIB(session.EndOfRIB), Capabilities: []answer.Capability{},
		LastError: session.LastError, Notices: noticesOf(session.Notices),
		Attributes: answer.PeerAttributes{Bytes: peer.Stats.AttributeBytes, MaxBytes: session.MaxAttributeBytes},
		Counters:   answer.Counters(session.Counters),
		Routes:     peerRoutesOf(&peer.Stats), Rate: rateOf(r.Rate(p.Name)),
	}
	if p.Address.IsValid() {
		one.Address = p.Address.String()
	}
	if p.RouterID.IsValid() {
		one.RouterID = p.RouterID.String()
	}
	for _, c := range session.Capabilities {
		one.Capabilities = append(one.Capabilities, answer.Capability(c))
	}
	for _, f := range session.Families {
		one.Families = append(one.Families, f.String())
	}
	return one
}

func noticesOf(list []route.Notice) []answer.Notice {
	var notices []answer.Notice
	for _, one := range list {
		notices = append(notices, noticeOf(one))
	}
	return notices
}

func noticeOf(n route.Notice) answer.Notice {
	return answer.Notice{Kind: string(n.Kind), Since: n.Since.UTC(), Last: n.Last.UTC(), Count: n.Count, Text: n.Text}
}

func pastPeerOf(stats *ask.PeerStats) answer.PastPeer {
	p, f := stats.Peer, &stats.Freshness
	one := answer.PastPeer{
		Name: p.Name, ASN: p.ASN, LocalASN: p.LocalASN, Router: p.Router, View: viewOf(p), Group: p.Group, Description: p.Description,
		AddPath: addPathOf(p), Up: f.Up, Routes: peerRoutesOf(stats),
		LastUpdate: f.LastUpdate.UTC(), StaleSince: f.StaleSince.UTC(), EndOfRIB: endOfRIB(f.EndOfRIB),
	}
	if p.Address.IsValid() {
		one.Address = p.Address.String()
	}
	if p.RouterID.IsValid() {
		one.RouterID = p.RouterID.String()
	}
	return one
}

// viewOf names the view of a peer, "" for a session of the collector.
func viewOf(p *route.Peer) string {
	if p.View == route.AdjRIBIn {
		return ""
	}
	return p.View.String()
}

// addPathOf lists the families whose routes have a path identifier.
func addPathOf(p *route.Peer) []string {
	var list []string
	for _, f := range route.Families() {
		if p.AddPath[f] {
			list = append(list, f.String())
		}
	}
	return list
}

// endOfRIB returns when the first table of each family was complete, for the
// families whose table is.
func endOfRIB(seen [route.NumFamilies]time.Time) map[string]string {
	at := map[string]string{}
	for _, f := range route.Families() {
		if !seen[f].IsZero() {
			at[member(f)] = ask.RFC3339(seen[f])
		}
	}
	return at
}

func peerRoutesOf(stats *ask.PeerStats) answer.PeerRoutes {
	sums := answer.PeerRoutes{Families: map[string]answer.RouteSums{}}
	for _, f := range route.Families() {
		routes, stale := stats.Routes[f], stats.Stale[f]
		sums.Received += routes // every route received is accepted as long as nothing filters
		sums.Accepted += routes
		sums.Stale += stale
		if routes > 0 {
			sums.Families[member(f)] = answer.RouteSums{Accepted: routes, Stale: stale}
		}
	}
	return sums
}
