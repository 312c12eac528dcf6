package v1

import (
	"time"

	"ribglass/httpapi/ask"
	"ribglass/httpapi/web"
	"ribglass/ribstore/query"
	"ribglass/ribstore/route"
)

// appendQuery appends how a query was understood and is answered.
func appendQuery(b []byte, q query.Query, plan query.Plan) []byte {
	b = append(web.AppendKey(b, "query"), '{')
	b = web.AppendString(web.AppendKey(b, "canonical"), q.String())
	b = append(web.AppendKey(b, "plan"), '{')
	b = web.AppendString(web.AppendKey(b, "method"), string(plan.Method))
	if plan.Sets != "" {
		b = web.AppendString(web.AppendKey(b, "by_attribute_set"), plan.Sets)
	}
	if plan.Routes != "" {
		b = web.AppendString(web.AppendKey(b, "by_route"), plan.Routes)
	}
	b = append(web.AppendInt(web.AppendKey(b, "cost"), int64(plan.Cost)), '}')
	if len(q.Notes) > 0 {
		b = append(web.AppendKey(b, "notes"), '[')
		for _, n := range q.Notes {
			b = appendNote(web.AppendComma(b), n)
		}
		b = append(b, ']')
	}
	return append(b, '}')
}

func appendNote(b []byte, n query.Note) []byte {
	b = append(b, '{')
	b = web.AppendInt(web.AppendKey(b, "column"), int64(n.Column))
	b = web.AppendString(web.AppendKey(b, "understood"), n.Understood)
	if n.Other != "" {
		b = web.AppendString(web.AppendKey(b, "other"), n.Other)
	}
	return append(b, '}')
}

// appendFacets appends the counts of an answer.
func appendFacets(b []byte, f *query.Facets) []byte {
	b = append(web.AppendKey(b, "facets"), '{')
	for _, kind := range []struct {
		name string
		list []query.Facet
	}{
		{"origins", f.Origins},
		{"neighbor_ases", f.NeighborASs},
		{"peers", f.Peers},
		{"communities", f.Communities},
		{"lengths", f.Lengths},
		{"next_hops", f.NextHops},
	} {
		b = appendCounts(b, kind.name, kind.list)
	}
	b = web.AppendInt(web.AppendKey(b, "origin_count"), int64(f.OriginCount))
	b = web.AppendInt(web.AppendKey(b, "neighbor_as_count"), int64(f.NeighborASCount))
	b = web.AppendInt(web.AppendKey(b, "peer_count"), int64(f.PeerCount))
	b = web.AppendInt(web.AppendKey(b, "community_count"), int64(f.CommunityCount))
	b = web.AppendInt(web.AppendKey(b, "length_count"), int64(f.LengthCount))
	b = web.AppendInt(web.AppendKey(b, "next_hop_count"), int64(f.NextHopCount))
	return append(b, '}')
}

// resultForm says what a page of an answer has beside the answer.
type resultForm struct {
	want   fields        // members of routes
	facets *query.Facets // nil: not wanted
	names  ask.Names     // nil: not wanted
}

// appendResult appends a page of an answer.
func appendResult(b []byte, res *query.Result, form resultForm) []byte {
	b = appendQuery(append(b, '{'), res.Query, res.Plan)
	b = appendMoment(b, res.At, res.Requested, res.Notices)
	b = append(web.AppendKey(b, "freshness"), '[')
	for i := range res.Freshness {
		b = appendFreshness(web.AppendComma(b), &res.Freshness[i])
	}
	b = append(b, ']')
	b = web.AppendInt(web.AppendKey(b, "total"), int64(res.Total))
	b = append(web.AppendKey(b, "routes"), '[')
	for i := range res.Routes {
		b = appendFields(web.AppendComma(b), &res.Routes[i], form.want)
	}
	b = appendRefused(append(b, ']'), res.Refused)
	if form.facets != nil {
		b = appendFacets(b, form.facets)
	}
	if form.names != nil {
		b = appendMeanings(b, form.names, res.Routes)
	}
	if res.NextCursor != "" {
		b = web.AppendString(web.AppendKey(b, "next_cursor"), res.NextCursor)
	}
	return append(b, '}', '\n')
}

// appendMoment appends the moment that an answer is true for, the one asked for
// when that is another, and what is to be said about it.
func appendMoment(b []byte, at, requested time.Time, notices []string) []byte {
	b = web.AppendTime(web.AppendKey(b, "at"), at)
	if !requested.IsZero() && !requested.Equal(at) {
		b = web.AppendTime(web.AppendKey(b, "requested_at"), requested)
	}
	return appendNotices(b, notices)
}

func appendNotices(b []byte, notices []string) []byte {
	if len(notices) == 0 {
		return b
	}
	b = append(web.AppendKey(b, "notices"), '[')
	for _, n := range notices {
		b = web.AppendString(web.AppendComma(b), n)
	}
	return append(b, ']')
}

// appendRefused appends the routes whose announcement was malformed, if there are
// any.
func appendRefused(b []byte, list []route.Refused) []byte {
	if len(list) == 0 {
		return b
	}
	b = append(web.AppendKey(b, "refused"), '[')
	for i := range list {
		r := &list[i]
		b = web.AppendPrefix(web.AppendKey(append(web.AppendComma(b), '{'), "prefix"), r.Prefix)
		b = web.AppendString(web.AppendKey(b, "family"), r.Family.String())
		b = web.AppendString(web.AppendKey(b, "peer"), r.Peer.Name)
		if r.Peer.AddPath[r.Family] {
			b = web.AppendUint(web.AppendKey(b, "path_id"), uint64(r.PathID))
		}
		b = web.AppendTime(web.AppendKey(b, "at"), r.At)
		b = append(web.AppendString(web.AppendKey(b, "reason"), r.Fault.String()), '}')
	}
	return append(b, ']')
}

func appendFreshness(b []byte, f *query.Freshness) []byte {
	b = append(b, '{')
	b = web.AppendString(web.AppendKey(b, "peer"), f.Peer)
	b = web.AppendBool(web.AppendKey(b, "up"), f.Up)
	if !f.LastUpdate.IsZero() {
		b = web.AppendTime(web.AppendKey(b, "last_update"), f.LastUpdate)
	}
	if !f.StaleSince.IsZero() {
		b = web.AppendTime(web.AppendKey(b, "stale_since"), f.StaleSince)
	}
	b = append(web.AppendKey(b, "end_of_rib"), '{')
	for _, family := range route.Families() {
		if at := f.EndOfRIB[family]; !at.IsZero() {
			b = web.AppendTime(web.AppendKey(b, member(family)), at)
		}
	}
	return append(b, '}', '}')
}
