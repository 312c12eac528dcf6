package v1

import (
	"context"
	"net/http"

	"ribglass/httpapi/ask"
	"ribglass/httpapi/web"
	"ribglass/ribstore/changes"
)

// ChangesParams are the parameters of a question for changes.
func ChangesParams() []web.Known {
	return ask.QuestionParams(web.Known{Name: "between"}, web.Known{Name: "kind", Many: true}, web.Known{Name: "order"}, web.Known{Name: "limit"}, web.Known{Name: "cursor"})
}

func readChanges(q *asked) (ask.ChangesRequest, error) { return q.reader.ChangesRequest(q.list) }

func answerChanges(q *asked, r ask.ChangesRequest) error {
	if q.form != web.TypeJSON {
		return streamChanges(q, &r)
	}
	found, err := r.Changes(q.Context(), r.ChangePage())
	if err != nil {
		return err
	}
	SendChanges(q.Exchange, found)
	return nil
}

// SendChanges writes a page of changes as JSON.
func SendChanges(x *web.Exchange, found *changes.List) {
	x.Append(http.StatusOK, web.TypeJSON, func(b []byte) []byte { return appendChangeList(b, found) })
}

// streamChanges writes all changes, or with a limit one page of them.
func streamChanges(q *asked, r *ask.ChangesRequest) error {
	if r.Page.Cursor != "" && !r.Limited {
		return errNoLimit()
	}
	leave, err := q.reader.EnterStream(q.Context(), true)
	if err != nil {
		return err
	}
	defer leave()
	w := newChangeWriter(q)
	if r.Limited {
		found, err := r.Changes(q.Context(), r.ChangePage())
		if err != nil {
			return err
		}
		if found.NextCursor != "" {
			linkNext(q, "/api/v1/changes", &r.Request, found.NextCursor)
		}
		return w.Last(w.write(found.Changes))
	}
	return w.Pour(func(ctx context.Context) error {
		if r.Oldest {
			return r.StreamChanges(ctx, r.Kinds, w.write)
		}
		return r.StreamNewestChanges(ctx, r.Kinds, w.write)
	})
}

// changeWriter writes a stream of changes.
type changeWriter struct {
	*web.Stream

	columns []changeColumn // of CSV
}

func newChangeWriter(q *asked) *changeWriter {
	w := &changeWriter{Stream: q.Stream(q.form)}
	if q.form == web.TypeCSV {
		w.columns = changeColumns()
		w.Header = web.CSVHeader(w.columns)
		w.File = "changes.csv"
	}
	return w
}

// write writes changes. Its error is web.ErrGone.
func (w *changeWriter) write(list []changes.Change) error {
	return w.Rows(len(list), func(b []byte, i int) []byte {
		if w.columns != nil {
			return web.AppendCSVLine(b, &list[i], w.columns)
		}
		return append(appendChange(b, &list[i]), '\n')
	})
}
