package httpapi

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"ribglass/ribstore"
	"ribglass/ribstore/query"
)

// scene is where a question looks: at a moment, and in a collection. Links on a
// page lead to pages of the same scene. The zero value is the store, now.
type scene struct {
	at         query.Moment
	collection string
}

// live reports whether the scene is what is now.
func (v scene) live() bool { return v == scene{} }

// values returns the scene as parameters.
func (v scene) values() url.Values {
	values := url.Values{}
	if !v.at.IsZero() {
		values.Set("at", v.at.String())
	}
	if v.collection != "" {
		values.Set("collection", v.collection)
	}
	return values
}

// link returns a path with the scene behind it.
func (v scene) link(path string) string { return withValues(path, v.values()) }

func withValues(path string, values url.Values) string {
	if len(values) == 0 {
		return path
	}
	return path + "?" + values.Encode()
}

// fixed returns the scene with a moment that does not move with the clock, to
// the second, as a person would write it.
func (v scene) fixed(now time.Time) scene {
	if v.at.Ago != 0 {
		v.at = query.Moment{Time: v.at.In(now).UTC().Truncate(time.Second)}
	}
	return v
}

// sceneParams are the parameters of a scene.
func sceneParams(more ...known) []known {
	return append(more, known{"at", false}, known{"collection", false})
}

// readMoments reads the parameters that say the same as words of the query.
func (r *request) readMoments(list []param) error {
	if text, ok := get(list, "at"); ok {
		if err := r.setAt(text); err != nil {
			return err
		}
	}
	if text, ok := get(list, "between"); ok {
		if err := r.setBetween(text); err != nil {
			return err
		}
	}
	if !r.query.At.IsZero() && !r.query.Between.IsZero() {
		return problemf(codeInvalidParameter, "A question is about a moment (at) or about a span (between), not about both.")
	}
	r.scene.at = r.query.At
	return nil
}

func (r *request) setAt(text string) error {
	at, err := parseMoment("at", text)
	if err != nil {
		return err
	}
	if have := r.query.At; !have.IsZero() && have != at {
		return problemf(codeInvalidParameter, "The query is about %s, the parameter at about %s: give one of them.", have, at)
	}
	r.query.At = at
	return nil
}

func (r *request) setBetween(text string) error {
	span, err := parseSpan(text)
	if err != nil {
		return err
	}
	if have := r.query.Between; !have.IsZero() && have != span {
		return problemf(codeInvalidParameter, "The query is about the time between %s, the parameter about that between %s: give one of them.", have, span)
	}
	r.query.Between = span
	return nil
}

// parseMoment reads a parameter that is a moment.
func parseMoment(name, text string) (query.Moment, error) {
	at, err := query.ParseMoment(text)
	if err != nil {
		return at, problemf(codeInvalidParameter, "%s: %s.", name, err)
	}
	return at, nil
}

// parseSpan reads the parameter between: two moments with a slash between them.
func parseSpan(text string) (query.Span, error) {
	from, to, ok := strings.Cut(text, "/")
	if !ok {
		return query.Span{}, problemf(codeInvalidParameter, "between %q is not two moments with a slash between them, such as -2h/now.", clip(text))
	}
	var span query.Span
	var err error
	if span.From, err = parseMoment("between", from); err != nil {
		return span, err
	}
	if span.To, err = parseMoment("between", to); err != nil {
		return span, err
	}
	// The language says what is wrong with a span; it knows no slash.
	if _, err = query.Parse("between " + span.String()); err != nil {
		return span, problemf(codeInvalidParameter, "between: %s.", problemOf(err).detail)
	}
	return span, nil
}

// readSearch reads the parameters of a question and finds who answers it.
func (s *Server) readSearch(list []param, base query.Query) (request, error) {
	r, err := readRequest(list, base)
	if err != nil {
		return r, err
	}
	r.from, r.scene.collection, err = s.source(list)
	return r, err
}

// readPage is readSearch for a page, whose links lead to the moment it shows: that
// does not move with the clock.
func (s *Server) readPage(list []param, base query.Query) (request, error) {
	r, err := s.readSearch(list, base)
	if err == nil {
		r.scene = r.scene.fixed(s.now())
		r.query.At = r.scene.at
		r.display, err = readDisplay(list)
	}
	return r, err
}

// readScene reads the parameters of what has no others than those of a scene.
func (s *Server) readScene(c *gin.Context) (request, error) {
	list, err := readParams(c.Request.URL.RawQuery, sceneParams())
	if err != nil {
		return request{}, err
	}
	return s.readPage(list, query.Query{})
}

// stay has a question without a moment be asked about that of the page that it
// came from, and reports whether it did.
func (r *request) stay(list []param, now time.Time) (stayed bool, err error) {
	text, ok := get(list, "stay")
	if !ok || !r.query.At.IsZero() || !r.query.Between.IsZero() {
		return ok, nil
	}
	at, err := parseMoment("stay", text)
	if err != nil {
		return true, err
	}
	r.scene.at = at
	r.scene = r.scene.fixed(now)
	r.query.At = r.scene.at
	return true, nil
}

// source returns who answers: a collection when one is named, else the store.
func (s *Server) source(list []param) (from Searcher, collection string, err error) {
	name, ok := get(list, "collection")
	if !ok {
		return s.deps.Store, "", nil
	}
	from, err = s.collection(name)
	return from, name, err
}

// collection returns a collection by its name.
func (s *Server) collection(name string) (Searcher, error) {
	if s.deps.Collections == nil || !ribstore.CollectionName.MatchString(name) {
		return nil, ribstore.ErrNoCollection
	}
	archive, err := s.deps.Collections.Get(name)
	if err != nil {
		return nil, fmt.Errorf("open collection %s: %w", name, err)
	}
	return archive, nil
}

// refuseSpan refuses a question for changes where routes are the answer.
func (r *request) refuseSpan() error {
	if r.query.Between.IsZero() {
		return nil
	}
	return problemf(codeInvalidQuery, "The query is about what happened between two moments: ask /api/v1/changes, or write at MOMENT for the routes of a moment.")
}
