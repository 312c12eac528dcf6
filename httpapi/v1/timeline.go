package v1

import (
	"net/http"

	"ribglass/httpapi/ask"
	"ribglass/httpapi/web"
	"ribglass/ribstore/changes"
	"ribglass/ribstore/compare"
	"ribglass/ribstore/query"
	"ribglass/ribstore/route"
)

// TimelineParams are the parameters of a question for a timeline.
func TimelineParams() []web.Known {
	return ask.SceneParams(web.One("q", "view", "between", "limit")...)
}

func readTimeline(q *asked) (ask.Request, error) { return ReadTimeline(q.reader, q.list) }

// ReadTimeline reads the parameters of a question for a timeline. Its limit
// counts states.
func ReadTimeline(reader *ask.Reader, list web.Params) (ask.Request, error) {
	req, err := reader.Request(list, noQuery)
	switch {
	case err != nil:
		return req, err
	case !req.Query.At.IsZero():
		return req, web.Problemf(web.CodeInvalidParameter, "A timeline is of a span, such as between -7d and now, not of a moment.")
	}
	if !req.Limited {
		req.Page.Limit = query.MaxLimit
	}
	return req, nil
}

func answerTimeline(q *asked, req ask.Request) error {
	t, err := req.Timeline(q.Context(), req.Page.Limit)
	if err != nil {
		return err
	}
	SendTimeline(q.Exchange, t)
	return nil
}

// SendTimeline writes a timeline as JSON.
func SendTimeline(x *web.Exchange, t *changes.Timeline) {
	x.Append(http.StatusOK, web.TypeJSON, func(b []byte) []byte { return appendTimeline(b, t) })
}

func appendTimeline(b []byte, t *changes.Timeline) []byte {
	b = web.AppendPrefix(web.AppendKey(append(b, '{'), "prefix"), t.Prefix)
	b = web.AppendString(web.AppendKey(b, "family"), t.Family.String())
	b = web.AppendTime(web.AppendKey(b, "from"), t.From)
	b = web.AppendTime(web.AppendKey(b, "to"), t.To)
	b = appendNotices(b, t.Notices)
	if !t.FirstSeen.IsZero() {
		b = web.AppendTime(web.AppendKey(b, "first_seen"), t.FirstSeen)
		b = web.AppendTime(web.AppendKey(b, "last_seen"), t.LastSeen)
	}
	b = web.AppendInt(web.AppendKey(b, "states"), int64(t.States))
	b = web.AppendInt(web.AppendKey(b, "flaps"), int64(t.Flaps))
	b = web.AppendInt(web.AppendKey(b, "announcements"), int64(t.Announcements))
	b = web.AppendInt(web.AppendKey(b, "withdrawals"), int64(t.Withdrawals))
	b = web.AppendInt(web.AppendKey(b, "origin_change_count"), int64(t.OriginChangeCount))
	b = append(web.AppendKey(b, "origin_changes"), '[')
	for _, o := range t.OriginChanges {
		b = web.AppendTime(web.AppendKey(append(web.AppendComma(b), '{'), "at"), o.At)
		b = appendOriginASes(b, "from", o.From)
		b = append(appendOriginASes(b, "to", o.To), '}')
	}
	b = append(append(b, ']'), `,"rows":[`...)
	for i := range t.Rows {
		b = appendTimelineRow(web.AppendComma(b), &t.Rows[i], t.Family)
	}
	return append(b, "]}\n"...)
}

func appendOriginASes(b []byte, name string, list []route.ASN) []byte {
	b = append(web.AppendKey(b, name), '[')
	for _, n := range list {
		b = web.AppendUint(web.AppendComma(b), uint64(n))
	}
	return append(b, ']')
}

func appendTimelineRow(b []byte, r *changes.TimelineRow, f route.Family) []byte {
	b = web.AppendString(web.AppendKey(append(b, '{'), "peer"), r.Peer.Name)
	if r.Peer.AddPath[f] {
		b = web.AppendUint(web.AppendKey(b, "path_id"), uint64(r.PathID))
	}
	b = web.AppendInt(web.AppendKey(b, "total"), int64(r.Total))
	b = web.AppendInt(web.AppendKey(b, "flaps"), int64(r.Flaps))
	b = web.AppendInt(web.AppendKey(b, "announcements"), int64(r.Announcements))
	b = web.AppendInt(web.AppendKey(b, "withdrawals"), int64(r.Withdrawals))
	b = append(web.AppendKey(b, "states"), '[')
	for i := range r.States {
		var before *changes.TimelineState
		if i > 0 {
			before = &r.States[i-1]
		}
		b = appendTimelineState(web.AppendComma(b), before, &r.States[i])
	}
	return append(b, ']', '}')
}

// appendTimelineState appends a state; one without a route is an absence. The state
// before, nil for none, tells what changed.
func appendTimelineState(b []byte, before, s *changes.TimelineState) []byte {
	b = web.AppendTime(web.AppendKey(append(b, '{'), "from"), s.From)
	b = web.AppendTime(web.AppendKey(b, "to"), s.To)
	if s.Route != nil {
		b = web.AppendBool(web.AppendKey(b, "stale"), s.Stale)
		b = appendSide(b, "route", s.Route.Attrs)
		if before != nil && before.Route != nil {
			b = appendNames(b, "attributes", compare.ChangedAttributes(before.Route.Attrs, s.Route.Attrs))
		}
	}
	if s.Refused != (route.Fault{}) {
		b = web.AppendString(web.AppendKey(b, "reason"), s.Refused.String())
	}
	return append(b, '}')
}
