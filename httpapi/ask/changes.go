package ask

import (
	"strings"
	"time"

	"ribglass/httpapi/web"
	"ribglass/ribstore/changes"
	"ribglass/ribstore/query"
)

// changesSpan is how far back changes are looked for when the query has no
// span.
const changesSpan = 24 * time.Hour

// ChangesRequest is a question for changes.
type ChangesRequest struct {
	Request

	Oldest bool // the oldest first
	Kinds  []changes.Kind
}

// ChangePage returns the page of the answer that the request wants.
func (r *ChangesRequest) ChangePage() changes.Page {
	return changes.Page{Page: r.Page, Oldest: r.Oldest, Kinds: r.Kinds}
}

// ChangesRequest reads the parameters of a question for changes: kind, order, and
// those of a request.
func (r *Reader) ChangesRequest(list web.Params) (c ChangesRequest, err error) {
	if c.Request, err = r.Request(list, query.Query{}); err != nil {
		return c, err
	}
	if !c.Query.At.IsZero() {
		return c, web.Problemf(web.CodeInvalidParameter, "Changes are of a span, such as between -2h and now, not of a moment.")
	}
	if c.Query.Between.IsZero() {
		c.Query.Between.From.Ago = changesSpan
	}
	for _, p := range list {
		switch p.Name {
		case "order":
			c.Oldest, err = parseOrder(p.Value)
		case "kind":
			err = c.addKind(p.Value)
		}
		if err != nil {
			return c, err
		}
	}
	return c, nil
}

func parseOrder(text string) (oldest bool, err error) {
	switch text {
	case "newest", "oldest":
		return text == "oldest", nil
	}
	return false, web.Problemf(web.CodeInvalidParameter, "order %q is not newest or oldest.", web.Clip(text))
}

func (r *ChangesRequest) addKind(name string) error {
	var names []string
	for _, k := range changeKinds() {
		if string(k) == name {
			r.Kinds = append(r.Kinds, k)
			return nil
		}
		names = append(names, string(k))
	}
	return web.Problemf(web.CodeInvalidParameter, "There are no changes of the kind %q; there are %s.", web.Clip(name), strings.Join(names, ", "))
}

// changeKinds lists the kinds of changes.
func changeKinds() []changes.Kind {
	return []changes.Kind{
		changes.Announced, changes.Replaced, changes.Withdrawn, changes.Refused, changes.WentStale, changes.WentLongLived, changes.Confirmed,
		changes.Swept, changes.Expired, changes.Dropped, changes.SessionUp, changes.SessionDown, changes.PeerRemoved, changes.EndOfRIB,
		changes.RefreshBegun, changes.RefreshEnded,
	}
}
