package v1

import (
	"slices"
	"time"

	"ribglass/httpapi/answer"
	"ribglass/httpapi/ask"
	"ribglass/httpapi/web"
	"ribglass/ribstore/changes"
)

// Bounds of an answer about activity.
const (
	activityBins    = 120
	activityMoments = 400
)

func activityParams() []web.Known {
	return ask.QuestionParams(web.One("between")...)
}

// answerActivity answers with the changes of a query, counted.
func answerActivity(q *asked, r ask.ChangesRequest) error {
	page := r.ChangePage()
	page.Limit = changesChunk
	found, err := r.Changes(q.Context(), page)
	if err != nil {
		return err
	}
	return q.SendJSON(activityOf(found))
}

// activityOf counts changes, the newest first.
func activityOf(found *changes.List) answer.Activity {
	a := answer.Activity{
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
