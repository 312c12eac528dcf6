package httpapi

import (
	"context"
	"errors"
	"time"

	"github.com/gin-gonic/gin"

	"ribglass/ribstore"
	"ribglass/ribstore/query"
	"ribglass/ui"
)

// What a peer announces is counted on its page without being asked for when that
// takes a few milliseconds and there is a place for it at once; else on demand, in
// the budget of searches. It takes time by the size of the table, not of the peer.
const (
	countsUnasked = 200_000 // routes in the table
	countsWait    = 200 * time.Millisecond
	countsMost    = 10 // origins, and communities
)

// readPeer reads the parameters of the page of a peer: of a scene, and whether
// the part that takes longer is asked for.
func (s *Server) readPeer(c *gin.Context) (req request, counts bool, err error) {
	list, err := readParams(c.Request.URL.RawQuery, sceneParams(known{"part", false}))
	if err != nil {
		return req, false, err
	}
	if part, ok := get(list, "part"); ok {
		if counts = part == "counts"; !counts {
			return req, false, problemf(codeInvalidParameter, "part %q is not counts.", clip(part))
		}
	}
	req, err = s.readPage(list, query.Query{})
	return req, counts, err
}

// countPeer puts on the page of a peer which origins it announces and which
// communities it uses, or where to ask for that. A page does without when the
// budget does not allow it.
func (s *Server) countPeer(ctx context.Context, page *ui.Peer, req request, asked bool) error {
	if page.Total() == 0 {
		return nil
	}
	values := req.scene.values()
	values.Set("part", "counts")
	page.CountsURL = withValues(scene{}.peer(page.Peer.Name), values)
	if !asked && (!req.scene.live() || sum(s.deps.Store.Stats().Routes) > countsUnasked) {
		return nil
	}
	wait := s.cfg.QueryTimeout
	if !asked {
		wait = countsWait
	}
	counting, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	q := query.Lookup{Peers: []string{page.Peer.Name}}.Query()
	q.At = req.scene.at
	f, err := s.facets(counting, req.from, q, countsMost)
	switch {
	case err == nil:
		page.Counts = s.peerCountsOf(q, f, req.scene)
	case declined(err) || counting.Err() != nil && ctx.Err() == nil:
		page.Refused = asked
	default:
		return err
	}
	return nil
}

// declined reports whether a search was refused for what it costs, now or ever.
func declined(err error) bool {
	var p *problem
	return errors.Is(err, ribstore.ErrBusy) || errors.As(err, new(*ribstore.CostError)) || errors.As(err, &p) && p.code == codeSearchTooLong
}

func (s *Server) peerCountsOf(q query.Query, f *query.Facets, v scene) *ui.PeerCounts {
	counts := &ui.PeerCounts{Origins: f.OriginCount, Neighbors: f.NeighborASCount, Communities: f.CommunityCount}
	list := facetLinks(q, f, v)
	s.nameFacets(list)
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
