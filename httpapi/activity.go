package httpapi

import (
	"net/url"
	"slices"
	"time"

	"github.com/gin-gonic/gin"

	"ribglass/ribstore/query"
)

// Bounds of an answer about activity.
const (
	activityBins    = 120
	activityMoments = 400
)

// activityAnswer tells how much happened when, as the strip of a page draws it.
type activityAnswer struct {
	From    time.Time   `json:"from"`
	To      time.Time   `json:"to"`
	Total   int         `json:"total"`
	Counted int         `json:"counted"` // the newest, which bins and moments are of
	Bins    []int       `json:"bins"`    // changes in parts of the span of equal length
	Moments []time.Time `json:"moments"` // when something changed, the oldest first
	Notices []string    `json:"notices,omitempty"`
}

// activity answers GET /api/v1/activity: the changes of a query counted.
func (s *Server) activity(c *gin.Context) error {
	if err := acceptsJSON(c); err != nil {
		return err
	}
	list, err := readParams(c.Request.URL.RawQuery,
		sceneParams(known{"q", false}, known{"between", false}, known{"peer", true}, known{"family", true}))
	if err != nil {
		return err
	}
	req, err := s.readChanges(list)
	if err != nil {
		return err
	}
	page := req.changePage()
	page.Limit = changesChunk
	found, err := s.findChanges(c.Request.Context(), req, page)
	if err != nil {
		return err
	}
	return s.sendJSON(c, activityOf(found))
}

// activityOf counts changes, the newest first.
func activityOf(found *query.ChangeList) activityAnswer {
	a := activityAnswer{
		From: found.From.UTC(), To: found.To.UTC(), Total: found.Total, Counted: len(found.Changes), Bins: make([]int, activityBins),
		Moments: []time.Time{}, Notices: found.Notices,
	}
	span := a.To.Sub(a.From)
	for i := range found.Changes {
		at := found.Changes[i].At.UTC()
		if span > 0 {
			a.Bins[min(max(int(at.Sub(a.From)*activityBins/span), 0), activityBins-1)]++
		}
		if n := len(a.Moments); n < activityMoments && (n == 0 || !a.Moments[n-1].Equal(at)) {
			a.Moments = append(a.Moments, at)
		}
	}
	slices.Reverse(a.Moments)
	return a
}

// activityURL returns where the strip of a page of routes asks, "" where the
// past is not kept.
func (s *Server) activityURL(req request, q query.Query) string {
	if s.deps.History == nil && req.scene.collection == "" || !hasOwnPage(q) {
		return ""
	}
	values := url.Values{"q": {present(q).String()}}
	if req.scene.collection != "" {
		values.Set("collection", req.scene.collection)
	}
	return withValues("/api/v1/activity", values)
}
