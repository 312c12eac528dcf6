package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"ribglass/ribstore"
	"ribglass/ribstore/query"
	"ribglass/ribstore/route"
	"ribglass/ui"
	"ribglass/ui/catalogue"
)

// pastPeersAnswer is the answer of GET /api/v1/peers for a moment.
type pastPeersAnswer struct {
	pastMoment

	Peers []pastPeerAnswer `json:"peers"`
}

// onePastPeer is the answer of GET /api/v1/peers/{name} for a moment.
type onePastPeer struct {
	pastMoment

	Peer pastPeerAnswer `json:"peer"`
}

// pastMoment says what moment an answer is true for.
type pastMoment struct {
	At        time.Time `json:"at"`
	Requested time.Time `json:"requested_at,omitzero"`
	Notices   []string  `json:"notices,omitempty"`
}

// pastPeerAnswer is what the history knows of a peer: its routes and whether its
// session was up, not how the session came to be.
type pastPeerAnswer struct {
	Name        string            `json:"name"`
	Address     string            `json:"address,omitempty"`
	ASN         route.ASN         `json:"asn"`
	LocalASN    route.ASN         `json:"local_asn"`
	RouterID    string            `json:"router_id,omitempty"`
	Router      string            `json:"router,omitempty"`
	Group       string            `json:"group,omitempty"`
	Description string            `json:"description,omitempty"`
	AddPath     []string          `json:"add_path,omitempty"`
	Up          bool              `json:"up"`
	Routes      peerRoutes        `json:"routes"`
	LastUpdate  time.Time         `json:"last_update,omitzero"`
	StaleSince  time.Time         `json:"stale_since,omitzero"`
	EndOfRIB    map[string]string `json:"end_of_rib"`
}

func pastPeerOf(p *ribstore.PeerStats) pastPeerAnswer {
	f := &p.Freshness
	answer := pastPeerAnswer{
		Name: p.Peer.Name, ASN: p.Peer.ASN, LocalASN: p.Peer.LocalASN, Router: p.Peer.Router, Group: p.Peer.Group,
		Description: p.Peer.Description, Up: f.Up, Routes: peerRoutesOf(p.Routes, p.Stale),
		LastUpdate: f.LastUpdate.UTC(), StaleSince: f.StaleSince.UTC(), EndOfRIB: map[string]string{},
	}
	if p.Peer.Address.IsValid() {
		answer.Address = p.Peer.Address.String()
	}
	if p.Peer.RouterID.IsValid() {
		answer.RouterID = p.Peer.RouterID.String()
	}
	for _, family := range route.Families() {
		if p.Peer.AddPath[family] {
			answer.AddPath = append(answer.AddPath, family.String())
		}
		if at := f.EndOfRIB[family]; !at.IsZero() {
			answer.EndOfRIB[member(family)] = rfc3339(at)
		}
	}
	return answer
}

// peersThen are the peers of a scene of the past.
type peersThen struct {
	pastMoment

	list []ribstore.PeerStats
}

// peersAt asks for the peers of a scene within the time a search may take.
func (s *Server) peersAt(ctx context.Context, req request) (*peersThen, error) {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.QueryTimeout)
	defer cancel()
	list, when, notices, err := req.from.PeersAt(ctx, req.scene.at)
	if err != nil {
		return nil, s.refused("list peers", query.Query{At: req.scene.at}, err)
	}
	p := &peersThen{pastMoment{At: when.UTC(), Notices: notices}, list}
	if at := req.scene.at; !at.IsZero() && !at.Time.Equal(when) {
		p.Requested = at.Time.UTC()
	}
	return p, nil
}

// peer returns one of the peers.
func (p *peersThen) peer(name string) (*ribstore.PeerStats, error) {
	for i := range p.list {
		if p.list[i].Peer.Name == name {
			return &p.list[i], nil
		}
	}
	return nil, problemf(codeUnknownPeer, "No peer was named %q at that moment.", clip(name))
}

func (p *peersThen) answer() pastPeersAnswer {
	answer := pastPeersAnswer{p.pastMoment, make([]pastPeerAnswer, len(p.list))}
	for i := range p.list {
		answer.Peers[i] = pastPeerOf(&p.list[i])
	}
	return answer
}

// neighbourThen puts what the history knows of a peer into the form of a page.
func neighbourThen(p *ribstore.PeerStats, v scene) ui.Neighbour {
	state := route.StateIdle
	if p.Freshness.Up {
		state = route.StateEstablished
	}
	return ui.Neighbour{
		Session: route.Session{
			Peer: p.Peer, State: state, LastUpdate: p.Freshness.LastUpdate, EndOfRIB: p.Freshness.EndOfRIB,
		},
		Routes: p.Routes, Stale: p.Stale, StaleSince: p.Freshness.StaleSince, URL: v.peer(p.Peer.Name), Then: true,
	}
}

func (p *peersThen) neighbours(v scene) []ui.Neighbour {
	list := make([]ui.Neighbour, len(p.list))
	for i := range p.list {
		list[i] = neighbourThen(&p.list[i], v)
	}
	return list
}

// peersPageThen answers for /peers at a moment.
func (s *Server) peersPageThen(c *gin.Context, list peerList, req request, form string) error {
	then, err := s.peersAt(c.Request.Context(), req)
	if err != nil {
		return err
	}
	if form == typeJSON {
		return s.sendJSON(c, then.answer())
	}
	page := &ui.Peers{Frame: s.frame(c, catalogue.Say("peers.title"), "/peers")}
	list.show(page, then.neighbours(req.scene), req.scene)
	s.detail(page.Neighbours, req.scene)
	s.turnBack(c, &page.Frame, req.scene, then.pastMoment)
	return s.render(c, http.StatusOK, form, page)
}

// peerPageThen answers for /peers/NAME at a moment.
func (s *Server) peerPageThen(c *gin.Context, req request, counts bool) error {
	then, err := s.peersAt(c.Request.Context(), req)
	if err != nil {
		return err
	}
	name, suffix := c.Param("name"), ""
	p, err := then.peer(name)
	if err != nil {
		if name, suffix = cutSuffix(name); suffix != "" {
			p, err = then.peer(name)
		}
	}
	if err != nil {
		return err
	}
	form, err := s.form(c, suffix)
	if err != nil {
		return err
	}
	if form == typeJSON {
		return s.sendJSON(c, onePastPeer{then.pastMoment, pastPeerOf(p)})
	}
	page := &ui.Peer{
		Frame: s.frame(c, catalogue.Plain(name), scene{}.peer(name)), Neighbour: neighbourThen(p, req.scene),
		RoutesURL: req.scene.lookup(query.Lookup{Peers: []string{name}}.Query()),
	}
	s.detailOne(&page.Neighbour, req.scene)
	if err = s.countPeer(c.Request.Context(), page, req, counts); err != nil {
		return err
	}
	s.turnBack(c, &page.Frame, req.scene, then.pastMoment)
	return s.render(c, http.StatusOK, form, page)
}
