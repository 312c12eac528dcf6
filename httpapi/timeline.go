package httpapi

import (
	"context"
	"net/http"

	"github.com/gin-gonic/gin"

	"ribglass/ribstore/query"
	"ribglass/ribstore/route"
)

// timelineParams are the parameters of a question for a timeline.
func timelineParams() []known {
	return sceneParams(known{"q", false}, known{"between", false}, known{"limit", false})
}

// timeline answers GET /api/v1/timeline.
func (s *Server) timeline(c *gin.Context) error {
	if err := acceptsJSON(c); err != nil {
		return err
	}
	list, err := readParams(c.Request.URL.RawQuery, timelineParams())
	if err != nil {
		return err
	}
	req, err := s.readTimeline(list)
	if err != nil {
		return err
	}
	return s.answerTimeline(c, req)
}

// readTimeline reads the parameters of a question for a timeline. Its limit
// counts states.
func (s *Server) readTimeline(list []param) (request, error) {
	req, err := s.readSearch(list, query.Query{})
	switch {
	case err != nil:
		return req, err
	case !req.query.At.IsZero():
		return req, problemf(codeInvalidParameter, "A timeline is of a span, such as between -7d and now, not of a moment.")
	}
	if !req.limited {
		req.page.Limit = query.MaxLimit
	}
	return req, nil
}

func (s *Server) answerTimeline(c *gin.Context, req request) error {
	t, err := s.findTimeline(c.Request.Context(), req)
	if err != nil {
		return err
	}
	b := s.buffer()
	defer s.release(b)
	*b = appendTimeline(*b, t)
	s.send(c, http.StatusOK, typeJSON, *b)
	return nil
}

// findTimeline asks for a timeline within the time a search may take.
func (s *Server) findTimeline(ctx context.Context, req request) (*query.Timeline, error) {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.QueryTimeout)
	defer cancel()
	t, err := req.from.Timeline(ctx, req.query, req.page.Limit)
	if err != nil {
		return nil, s.refused("make the timeline of", req.query, err)
	}
	return t, nil
}

func appendTimeline(b []byte, t *query.Timeline) []byte {
	b = appendPrefix(appendKey(append(b, '{'), "prefix"), t.Prefix)
	b = appendString(appendKey(b, "family"), t.Family.String())
	b = appendTime(appendKey(b, "from"), t.From)
	b = appendTime(appendKey(b, "to"), t.To)
	b = appendNotices(b, t.Notices)
	if !t.FirstSeen.IsZero() {
		b = appendTime(appendKey(b, "first_seen"), t.FirstSeen)
		b = appendTime(appendKey(b, "last_seen"), t.LastSeen)
	}
	b = appendInt(appendKey(b, "states"), int64(t.States))
	b = appendInt(appendKey(b, "flaps"), int64(t.Flaps))
	b = appendInt(appendKey(b, "announcements"), int64(t.Announcements))
	b = appendInt(appendKey(b, "withdrawals"), int64(t.Withdrawals))
	b = appendInt(appendKey(b, "origin_change_count"), int64(t.OriginChangeCount))
	b = append(appendKey(b, "origin_changes"), '[')
	for _, o := range t.OriginChanges {
		b = appendTime(appendKey(append(appendComma(b), '{'), "at"), o.At)
		b = appendOriginASes(b, "from", o.From)
		b = append(appendOriginASes(b, "to", o.To), '}')
	}
	b = append(append(b, ']'), `,"rows":[`...)
	for i := range t.Rows {
		b = appendTimelineRow(appendComma(b), &t.Rows[i], t.Family)
	}
	return append(b, "]}\n"...)
}

func appendOriginASes(b []byte, name string, list []route.ASN) []byte {
	b = append(appendKey(b, name), '[')
	for _, n := range list {
		b = appendUint(appendComma(b), uint64(n))
	}
	return append(b, ']')
}

func appendTimelineRow(b []byte, r *query.TimelineRow, f route.Family) []byte {
	b = appendString(appendKey(append(b, '{'), "peer"), r.Peer.Name)
	if r.Peer.AddPath[f] {
		b = appendUint(appendKey(b, "path_id"), uint64(r.PathID))
	}
	b = appendInt(appendKey(b, "total"), int64(r.Total))
	b = appendInt(appendKey(b, "flaps"), int64(r.Flaps))
	b = appendInt(appendKey(b, "announcements"), int64(r.Announcements))
	b = appendInt(appendKey(b, "withdrawals"), int64(r.Withdrawals))
	b = append(appendKey(b, "states"), '[')
	for i := range r.States {
		b = appendTimelineState(appendComma(b), &r.States[i])
	}
	return append(b, ']', '}')
}

// appendTimelineState appends a state; one without a route is an absence.
func appendTimelineState(b []byte, s *query.TimelineState) []byte {
	b = appendTime(appendKey(append(b, '{'), "from"), s.From)
	b = appendTime(appendKey(b, "to"), s.To)
	if s.Route != nil {
		b = appendBool(appendKey(b, "stale"), s.Stale)
		b = appendSide(b, "route", s.Route.Attrs)
	}
	return append(b, '}')
}
