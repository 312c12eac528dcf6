package ask

import (
	"errors"
	"fmt"
	"time"

	"ribglass/httpapi/web"
	"ribglass/ribstore"
	"ribglass/ribstore/history"
	"ribglass/ribstore/query"
)

// refused says why the store did not answer: what the client is told where it is
// known, else what was done when it failed.
func (r *Reader) refused(what string, q query.Query, err error) error {
	refused := r.desk.metrics.refused
	var cost *ribstore.CostError
	switch {
	case errors.Is(err, ribstore.ErrBusy):
		refused.WithLabelValues("busy").Inc()
		return busyProblem(err)
	case errors.Is(err, ribstore.ErrTooLong):
		refused.WithLabelValues("too_long").Inc()
		return web.Problemf(web.CodeSearchTooLong, "Ask for less at once: %s.", cheaper(q))
	case errors.As(err, &cost):
		refused.WithLabelValues("too_costly").Inc()
		return web.Problemf(web.CodeSearchTooCostly,
			"Estimated are %d attribute sets and routes, %d are allowed: confine the search by a prefix or by a peer.", cost.Rows, cost.Limit)
	case errors.Is(err, query.ErrCursor):
		return foreignCursor()
	}
	if p := pastProblemOf(err); p != nil {
		return p
	}
	return fmt.Errorf("%s %q: %w", what, q.String(), err)
}

// Declined reports whether a question was refused for what it costs, now or ever.
func Declined(err error) bool {
	var p *web.Problem
	return errors.As(err, &p) && (p.Code == web.CodeBusy || p.Code == web.CodeSearchTooLong || p.Code == web.CodeSearchTooCostly)
}

// cheaper suggests a question that costs less than q.
func cheaper(q query.Query) string {
	text := web.Clip(q.String())
	if text != "" {
		text = " " + text
	}
	if m, _ := q.Prefix(); m == query.Any {
		return "confine it by a prefix, as in \"192.0.2.0/24 or-longer" + text + "\", or by a peer, as in \"peer NAME" + text + "\""
	}
	if len(q.Peers()) == 0 {
		return "confine it by a longer prefix, or by a peer, as in \"peer NAME" + text + "\""
	}
	return "confine it by a longer prefix"
}

func foreignCursor() *web.Problem {
	return web.Problemf(web.CodeInvalidCursor, "Ask for the first page again, without a cursor.")
}

func noHistory() *web.Problem {
	return web.Problemf(web.CodeNoHistory,
		"This server keeps no history: data_dir is missing in its configuration. A line such as \"data_dir: /var/lib/ribglass\" has it record. Ask without a moment for what is now.")
}

func noPlaceForCollections() *web.Problem {
	return web.Problemf(web.CodeNoCollection,
		"This server has no place for collections: data_dir is missing in its configuration. A line such as \"data_dir: /var/lib/ribglass\" gives it one.")
}

func noCollection() *web.Problem {
	return web.Problemf(web.CodeNoCollection, "/api/v1/collections lists those that there are.")
}

// otherFormat says what to do with a collection that another version wrote.
func otherFormat(e *history.OtherFormatError) string {
	return fmt.Sprintf("The collection has the format %q, which this version does not read: import its files anew, or export it with the version that wrote it.", e.Format)
}

// pastProblemOf is problemOf for what can be wrong with a question about the
// past, nil for everything else.
func pastProblemOf(err error) *web.Problem {
	var before *history.RangeError
	var behind *ribstore.EndError
	var other *history.OtherFormatError
	switch {
	case errors.Is(err, ribstore.ErrNoHistory):
		return noHistory()
	case errors.As(err, &behind):
		return web.Problemf(web.CodeFuture, "The collection ends at %s.", behind.Ends.UTC().Format(time.RFC3339Nano))
	case errors.Is(err, ribstore.ErrFuture):
		return web.Problemf(web.CodeFuture, "Ask for a moment that has been.")
	case errors.As(err, &before) && before.Begins.IsZero():
		return web.Problemf(web.CodeBeforeHistory, "Nothing is recorded yet.")
	case errors.As(err, &before):
		return web.Problemf(web.CodeBeforeHistory, "What is recorded begins at %s.", before.Begins.UTC().Format(time.RFC3339Nano))
	case errors.As(err, &other):
		return web.Problemf(web.CodeNoCollection, "%s", otherFormat(other))
	case errors.Is(err, ribstore.ErrNoCollection):
		return noCollection()
	case errors.Is(err, ribstore.ErrNoPrefix):
		return web.Problemf(web.CodeNoPrefix, "Ask for one prefix or address, such as q=192.0.2.0/24, and peers by name if you like: 192.0.2.0/24 peer edge1.")
	}
	return nil
}

// misread says what is wrong with the text of a query.
func misread(text string, err error) error {
	if parse, ok := errors.AsType[*query.Error](err); ok {
		return &web.Problem{Code: web.CodeInvalidQuery, Detail: parse.Message, Column: parse.Column, Query: text}
	}
	return err
}

// IsNoHistory reports whether an error says that the past is not kept.
func IsNoHistory(err error) bool { return errors.Is(err, ribstore.ErrNoHistory) }
