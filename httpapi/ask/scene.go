package ask

import (
	"net/url"
	"strings"
	"time"

	"ribglass/httpapi/answer"
	"ribglass/httpapi/web"
	"ribglass/ribstore/query"
)

// Scene is where a question looks: at a moment, and in a collection. Links on a
// page lead to pages of the same scene. The zero value is the store, now.
type Scene struct {
	At         query.Moment
	Collection string
}

// Live reports whether the scene is what is now.
func (s Scene) Live() bool { return s == Scene{} }

// Values returns the scene as parameters.
func (s Scene) Values() url.Values {
	values := url.Values{}
	if !s.At.IsZero() {
		values.Set("at", s.At.String())
	}
	if s.Collection != "" {
		values.Set("collection", s.Collection)
	}
	return values
}

// Fixed returns the scene with a moment that does not move with the clock, to
// the second, as a person would write it.
func (s Scene) Fixed(now time.Time) Scene {
	if s.At.Ago != 0 {
		s.At = query.Moment{Time: s.At.In(now).UTC().Truncate(time.Second)}
	}
	return s
}

// SceneParams returns the parameters of a scene with more of a call's own.
func SceneParams(more ...web.Known) []web.Known { return append(more, web.One("at", "collection")...) }

// QuestionParams returns the parameters of a question for routes, with those of a
// scene and more of a call's own.
func QuestionParams(more ...web.Known) []web.Known {
	list := append([]web.Known{{Name: "q"}}, more...)
	return SceneParams(append(list, web.Known{Name: "peer", Many: true}, web.Known{Name: "family", Many: true}, web.Known{Name: "view"})...)
}

// Moment says what moment an answer is true for.
type Moment = answer.Moment

// MomentOf returns the moment of an answer.
func MomentOf(res *query.Result) Moment {
	m := Moment{At: res.At, Notices: res.Notices}
	if !res.Requested.Equal(res.At) {
		m.Requested = res.Requested
	}
	return m
}

// ParseMoment reads a parameter that is a moment.
func ParseMoment(name, text string) (query.Moment, error) {
	at, err := query.ParseMoment(text)
	if err != nil {
		return at, web.Problemf(web.CodeInvalidParameter, "%s: %s.", name, err)
	}
	return at, nil
}

// ParseSpan reads the parameter between: two moments with a slash between them.
func ParseSpan(text string) (query.Span, error) {
	from, to, ok := strings.Cut(text, "/")
	if !ok {
		return query.Span{}, web.Problemf(web.CodeInvalidParameter,
			"between %q is not two moments with a slash between them, such as -2h/now.", web.Clip(text))
	}
	var span query.Span
	var err error
	if span.From, err = ParseMoment("between", from); err != nil {
		return span, err
	}
	if span.To, err = ParseMoment("between", to); err != nil {
		return span, err
	}
	if err := span.Validate(); err != nil {
		return span, web.Problemf(web.CodeInvalidParameter, "between: %s.", err)
	}
	return span, nil
}

// SpanText returns a span as the parameter between.
func SpanText(s query.Span) string { return s.From.String() + "/" + s.To.String() }
