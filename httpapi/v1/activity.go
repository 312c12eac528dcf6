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
	activityChanges = 10_000 // the newest, that are counted
)

func activityParams() []web.Known {
	return ask.QuestionParams(web.One("between")...)
}

// answerActivity answers with the changes of a query, counted.
func answerActivity(q *asked, r ask.ChangesRequest) error {
	page := r.ChangePage()
	page.Limit = activityChanges
	found, err := r.Changes(q.Context(), page)
	if err != nil {
		return err
	}
	return q.SendJSON(activityOf(found))
}

// activityOf counts changes, the newest first. Where they were not counted up to its
// begin, a part of the span is no zero.
func activityOf(found *changes.List) answer.Activity {
	a := answer.Activity{
		From: found.From.UTC(), To: found.To.UTC(), Total: found.Total, Exact: found.Exact, Counted: len(found.Changes),
		Bins: make([]*int, activityBins), Moments: []time.Time{}, Notices: found.Notices,
	}
	first := 0
	if n := len(found.Changes); n > 0 && found.NextCursor != "" {
		first = binOf(&a, found.Changes[n-1].At) + 1
	}
	for i := first; i < activityBins; i++ {
		a.Bins[i] = new(int)
	}
	for i := range found.Changes {
		at := found.Changes[i].At.UTC()
		if n := a.Bins[binOf(&a, at)]; n != nil {
			*n++
		}
		if n := len(a.Moments); n < activityMoments && (n == 0 || !a.Moments[n-1].Equal(at)) {
			a.Moments = append(a.Moments, at)
		}
	}
	slices.Reverse(a.Moments)
	return a
}

// binOf returns in which part of the span a moment lies.
func binOf(a *answer.Activity, at time.Time) int {
	span := a.To.Sub(a.From)
	if span <= 0 {
		return 0
	}
	return min(max(int(float64(at.Sub(a.From))*activityBins/float64(span)), 0), activityBins-1)
}
