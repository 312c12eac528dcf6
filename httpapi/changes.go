package httpapi

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"ribglass/ribstore/query"
)

// changesSpan is how far back changes are looked for when the query has no
// span.
const changesSpan = 24 * time.Hour

// changesChunk is how many changes a stream holds at a time.
const changesChunk = 10_000

// changesRequest is a question for changes.
type changesRequest struct {
	request
	oldest bool
	kinds  []query.ChangeKind
}

func (r *changesRequest) changePage() query.ChangePage {
	return query.ChangePage{Page: r.page, Oldest: r.oldest, Kinds: r.kinds}
}

// changesParams are the parameters of a question for changes.
func changesParams() []known {
	return sceneParams(
		known{"q", false},
		known{"between", false},
		known{"kind", true},
		known{"order", false},
		known{"limit", false},
		known{"cursor", false},
		known{"peer", true},
		known{"family", true},
	)
}

// readChanges reads the parameters of a question for changes.
func (s *Server) readChanges(list []param) (r changesRequest, err error) {
	if r.request, err = s.readSearch(list, query.Query{}); err != nil {
		return r, err
	}
	if !r.query.At.IsZero() {
		return r, problemf(codeInvalidParameter, "Changes are of a span, such as between -2h and now, not of a moment.")
	}
	if r.query.Between.IsZero() {
		r.query.Between.From.Ago = changesSpan
	}
	for _, p := range list {
		switch p.name {
		case "order":
			r.oldest, err = parseOrder(p.value)
		case "kind":
			err = r.addKind(p.value)
		}
		if err != nil {
			return r, err
		}
	}
	return r, nil
}

func parseOrder(text string) (oldest bool, err error) {
	switch text {
	case "newest", "oldest":
		return text == "oldest", nil
	}
	return false, problemf(codeInvalidParameter, "order %q is not newest or oldest.", clip(text))
}

func (r *changesRequest) addKind(name string) error {
	var names []string
	for _, k := range changeKinds() {
		if string(k) == name {
			r.kinds = append(r.kinds, k)
			return nil
		}
		names = append(names, string(k))
	}
	return problemf(codeInvalidParameter, "There are no changes of the kind %q; there are %s.", clip(name), strings.Join(names, ", "))
}

// changeKinds lists the kinds of changes.
func changeKinds() []query.ChangeKind {
	return []query.ChangeKind{
		query.Announced, query.Replaced, query.WithdrawnBy, query.WentStale, query.WentLong, query.Confirmed, query.Swept,
		query.ExpiredStale, query.Dropped, query.SessionUp, query.SessionDown, query.SessionRemoved, query.SessionEnd,
		query.RefreshBegun, query.RefreshEnded,
	}
}

// changes answers GET /api/v1/changes.
func (s *Server) changes(c *gin.Context) error {
	mediaType := negotiate(accept(c), []string{typeJSON, typeNDJSON, typeCSV})
	if mediaType == "" {
		return problemf(codeNotAcceptable, "The answer is %s, %s or %s.", typeJSON, typeNDJSON, typeCSV)
	}
	list, err := readParams(c.Request.URL.RawQuery, changesParams())
	if err != nil {
		return err
	}
	req, err := s.readChanges(list)
	if err != nil {
		return err
	}
	c.Writer.Header().Set("Vary", "Accept")
	if mediaType == typeJSON {
		return s.answerChanges(c, req)
	}
	return s.streamChanges(c, req, mediaType)
}

func (s *Server) answerChanges(c *gin.Context, req changesRequest) error {
	found, err := s.findChanges(c.Request.Context(), req, req.changePage())
	if err != nil {
		return err
	}
	b := s.buffer()
	defer s.release(b)
	*b = appendChangeList(*b, found)
	s.send(c, http.StatusOK, typeJSON, *b)
	return nil
}

// findChanges asks for a page of changes within the time a search may take.
func (s *Server) findChanges(ctx context.Context, req changesRequest, page query.ChangePage) (*query.ChangeList, error) {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.QueryTimeout)
	defer cancel()
	found, err := req.from.Changes(ctx, req.query, page)
	if err != nil {
		return nil, s.refused("list changes", req.query, err)
	}
	return found, nil
}

// streamChanges writes all changes, or with a limit one page of them.
func (s *Server) streamChanges(c *gin.Context, req changesRequest, mediaType string) error {
	if req.page.Cursor != "" && !req.limited {
		return errNoLimit()
	}
	leave, err := s.enterStreams(true)
	if err != nil {
		return err
	}
	defer leave()
	w := newChangeWriter(s, c, mediaType)
	if req.limited {
		found, err := s.findChanges(c.Request.Context(), req, req.changePage())
		if err != nil {
			return err
		}
		if found.NextCursor != "" {
			w.next("/api/v1/changes", req.request, found.NextCursor)
		}
		return w.last(w.write(found.Changes))
	}
	return w.pour(func(ctx context.Context) error {
		page := req.changePage()
		if page.Oldest {
			return s.pourChanges(ctx, req, page.Kinds, w)
		}
		// The newest first are known at the end only: page by page.
		page.Limit = changesChunk
		for {
			found, err := s.findChanges(ctx, req, page)
			if err != nil {
				return err
			}
			// The span stays where it is while the clock goes on.
			req.query.Between = query.Span{From: query.Moment{Time: found.From}, To: query.Moment{Time: found.To}}
			if err := w.write(found.Changes); err != nil || found.NextCursor == "" {
				return err
			}
			page.Cursor = found.NextCursor
		}
	})
}

// pourChanges writes changes as they are found.
func (s *Server) pourChanges(ctx context.Context, req changesRequest, kinds []query.ChangeKind, w *changeWriter) error {
	err := req.from.StreamChanges(ctx, req.query, kinds, w.write)
	if err != nil && !errors.Is(err, errGone) {
		return s.refused("list changes", req.query, err)
	}
	return err
}

// changeWriter writes a stream of changes.
type changeWriter struct {
	*streamWriter
	columns []changeColumn // of CSV
}

func newChangeWriter(s *Server, c *gin.Context, mediaType string) *changeWriter {
	w := &changeWriter{streamWriter: newStreamWriter(s, c, mediaType)}
	if mediaType == typeCSV {
		w.columns = changeColumns()
		w.header = csvHeader(w.columns)
		w.file = "changes.csv"
	}
	return w
}

// write writes changes. Its error is errGone.
func (w *changeWriter) write(changes []query.Change) error {
	return w.rows(len(changes), func(b []byte, i int) []byte {
		if w.columns != nil {
			return appendCSVLine(b, &changes[i], w.columns)
		}
		return append(appendChange(b, &changes[i]), '\n')
	})
}
