package httpapi

import (
	"cmp"
	"slices"
	"time"

	"github.com/gin-gonic/gin"

	"ribglass/ribstore/route"
)

// peersAnswer is the answer of GET /api/v1/peers.
type peersAnswer struct {
	At    time.Time    `json:"at"`
	Peers []peerAnswer `json:"peers"`
}

// peerAnswer is one peer: its session, and what the store holds of it. Only
// GET /api/v1/peers/{name} gives the history.
type peerAnswer struct {
	Name         string             `json:"name"`
	Address      string             `json:"address,omitempty"`
	ASN          route.ASN          `json:"asn"`
	LocalASN     route.ASN          `json:"local_asn"`
	RouterID     string             `json:"router_id,omitempty"`
	Router       string             `json:"router,omitempty"`
	Group        string             `json:"group,omitempty"`
	Description  string             `json:"description,omitempty"`
	Dynamic      bool               `json:"dynamic"`
	AdminDown    bool               `json:"admin_down"`
	State        route.State        `json:"state"`
	Since        time.Time          `json:"since,omitzero"`
	Families     []string           `json:"families"`
	AddPath      []string           `json:"add_path,omitempty"`
	HoldTime     float64            `json:"hold_time_seconds,omitempty"`
	MaxPrefixes  int                `json:"max_prefixes,omitempty"`
	Routes       peerRoutes         `json:"routes"`
	Rate         rateAnswer         `json:"rate"`
	LastUpdate   time.Time          `json:"last_update,omitzero"`
	StaleSince   time.Time          `json:"stale_since,omitzero"`
	EndOfRIB     map[string]string  `json:"end_of_rib"`
	Capabilities []capabilityAnswer `json:"capabilities"`
	LastError    string             `json:"last_error,omitempty"`
	Counters     countersAnswer     `json:"counters"`
	History      []transitionAnswer `json:"history,omitempty"`
}

// peerRoutes count what came from a peer. Every route received is accepted as
// long as nothing filters.
type peerRoutes struct {
	Received int                  `json:"received"`
	Accepted int                  `json:"accepted"`
	Filtered int                  `json:"filtered"`
	Stale    int                  `json:"stale"`
	Families map[string]routeSums `json:"families"`
}

type routeSums struct {
	Accepted int `json:"accepted"`
	Stale    int `json:"stale"`
}

type capabilityAnswer struct {
	Code  uint8  `json:"code"`
	Name  string `json:"name"`
	Value string `json:"value,omitempty"`
	Ours  bool   `json:"ours"`
}

type countersAnswer struct {
	MessagesIn          uint64 `json:"messages_in"`
	MessagesOut         uint64 `json:"messages_out"`
	BytesIn             uint64 `json:"bytes_in"`
	BytesOut            uint64 `json:"bytes_out"`
	UpdatesIn           uint64 `json:"updates_in"`
	PrefixesAnnounced   uint64 `json:"prefixes_announced"`
	PrefixesWithdrawn   uint64 `json:"prefixes_withdrawn"`
	AttributesDiscarded uint64 `json:"attributes_discarded"`
	TreatedAsWithdraw   uint64 `json:"treated_as_withdraw"`
	NotificationsIn     uint64 `json:"notifications_in"`
	NotificationsOut    uint64 `json:"notifications_out"`
	RefusedConnections  uint64 `json:"refused_connections"`
	SessionsEstablished uint64 `json:"sessions_established"`
}

type transitionAnswer struct {
	At     time.Time   `json:"at"`
	From   route.State `json:"from"`
	To     route.State `json:"to"`
	Reason string      `json:"reason,omitempty"`
}

// peers answers GET /api/v1/peers.
func (s *Server) peers(c *gin.Context) error {
	if err := acceptsJSON(c); err != nil {
		return err
	}
	req, err := s.readScene(c)
	if err != nil {
		return err
	}
	if req.scene.live() {
		return s.sendJSON(c, s.allPeers())
	}
	then, err := s.peersAt(c.Request.Context(), req)
	if err != nil {
		return err
	}
	return s.sendJSON(c, then.answer())
}

// peer answers GET /api/v1/peers/{name}.
func (s *Server) peer(c *gin.Context) error {
	if err := acceptsJSON(c); err != nil {
		return err
	}
	req, err := s.readScene(c)
	if err != nil {
		return err
	}
	if !req.scene.live() {
		return s.sendPastPeer(c, req, c.Param("name"))
	}
	session, err := s.session(c.Param("name"))
	if err != nil {
		return err
	}
	return s.sendJSON(c, s.onePeer(session))
}

func (s *Server) sendPastPeer(c *gin.Context, req request, name string) error {
	then, err := s.peersAt(c.Request.Context(), req)
	if err != nil {
		return err
	}
	p, err := then.peer(name)
	if err != nil {
		return err
	}
	return s.sendJSON(c, onePastPeer{then.pastMoment, pastPeerOf(p)})
}

func (s *Server) session(name string) (route.Session, error) {
	session, ok := s.deps.Sessions.Session(name)
	if !ok {
		return route.Session{}, problemf(codeUnknownPeer, "No peer is named %q.", clip(name))
	}
	return session, nil
}

// sessions returns every session, sorted by name.
func (s *Server) sessions() []route.Session {
	all := s.deps.Sessions.Sessions()
	slices.SortFunc(all, func(a, b route.Session) int { return cmp.Compare(a.Peer.Name, b.Peer.Name) })
	return all
}

func (s *Server) allPeers() peersAnswer {
	all := s.sessions()
	answer := peersAnswer{At: s.now().UTC(), Peers: make([]peerAnswer, len(all))}
	for i := range all {
		answer.Peers[i] = s.describePeer(&all[i])
	}
	return answer
}

func (s *Server) onePeer(session route.Session) peerAnswer {
	answer := s.describePeer(&session)
	for _, t := range session.History {
		answer.History = append(answer.History, transitionAnswer{t.At.UTC(), t.From, t.To, t.Reason})
	}
	return answer
}

func (s *Server) describePeer(session *route.Session) peerAnswer {
	p := session.Peer
	stats, _ := s.deps.Store.Peer(p.Name) // the zero value when it never said anything
	answer := peerAnswer{
		Name: p.Name, ASN: p.ASN, LocalASN: p.LocalASN, Router: p.Router, Group: p.Group, Description: p.Description,
		Dynamic: session.Dynamic, AdminDown: session.AdminDown,
		State: session.State, Since: session.Since.UTC(),
		Families: []string{}, HoldTime: session.HoldTime.Seconds(), MaxPrefixes: session.MaxPrefixes,
		LastUpdate: session.LastUpdate.UTC(), StaleSince: stats.Freshness.StaleSince.UTC(),
		EndOfRIB: map[string]string{}, Capabilities: []capabilityAnswer{},
		LastError: session.LastError, Counters: countersAnswer(session.Counters),
	}
	if p.Address.IsValid() {
		answer.Address = p.Address.String()
	}
	if p.RouterID.IsValid() {
		answer.RouterID = p.RouterID.String()
	}
	for _, c := range session.Capabilities {
		answer.Capabilities = append(answer.Capabilities, capabilityAnswer(c))
	}
	answer.describeFamilies(session)
	answer.Routes = peerRoutesOf(stats.Routes, stats.Stale)
	answer.Rate = rateAnswerOf(s.deps.Store.Rate(p.Name))
	return answer
}

func (a *peerAnswer) describeFamilies(session *route.Session) {
	for _, f := range session.Families {
		a.Families = append(a.Families, f.String())
	}
	for _, f := range route.Families() {
		if session.Peer.AddPath[f] {
			a.AddPath = append(a.AddPath, f.String())
		}
		if at := session.EndOfRIB[f]; !at.IsZero() {
			a.EndOfRIB[member(f)] = rfc3339(at)
		}
	}
}

func peerRoutesOf(routes, stale [route.NumFamilies]int) peerRoutes {
	sums := peerRoutes{Families: map[string]routeSums{}}
	for _, f := range route.Families() {
		sums.Received += routes[f]
		sums.Accepted += routes[f]
		sums.Stale += stale[f]
		if routes[f] > 0 {
			sums.Families[member(f)] = routeSums{routes[f], stale[f]}
		}
	}
	return sums
}
