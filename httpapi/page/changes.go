package page

import (
	"slices"

	"ribglass/httpapi/ask"
	"ribglass/httpapi/v1"
	"ribglass/httpapi/web"
	"ribglass/ribstore/changes"
	"ribglass/ribstore/compare"
	"ribglass/ribstore/query"
	"ribglass/ribstore/route"
	"ribglass/ui"
	"ribglass/ui/catalogue"
)

// relatedPast links what became of the prefix of a page, where the past is kept.
func relatedPast(req *ask.Request, res *query.Result) []ui.Link {
	if !req.HasPast() {
		return nil
	}
	q := ask.Present(res.Query)
	list := []ui.Link{{Text: "changes", URL: req.PastOf("/changes", q.String())}}
	if match, p := q.Prefix(); match == query.Exact || match == query.Longest {
		if match == query.Longest && len(res.Routes) > 0 {
			p = res.Routes[0].Prefix
		}
		line := query.Query{Expr: query.In{Match: query.Exact, Prefix: p}, Scope: q.Scope}
		list = append(list, ui.Link{Text: "timeline", URL: req.PastOf("/timeline", line.String())})
	}
	if !req.Scene.At.IsZero() {
		list = append(list, ui.Link{Text: "compare with now", URL: req.Scene.Diff(req.Scene.At, query.Moment{}, q)})
	}
	return list
}

// changesRow is /changes.
func changesRow() row[ask.ChangesRequest, *changes.List] {
	return row[ask.ChangesRequest, *changes.List]{
		path: "/changes", params: v1.ChangesParams(),
		read: func(v *visit) (ask.ChangesRequest, error) { return v.reader.ChangesRequest(v.list.Filled()) },
		ask: func(v *visit, r ask.ChangesRequest) (*changes.List, error) {
			return r.Changes(v.Context(), r.ChangePage())
		},
		json: func(v *visit, _ ask.ChangesRequest, a *changes.List) error {
			v1.SendChanges(v.Exchange, a)
			return nil
		},
		show: func(v *visit, r ask.ChangesRequest, a *changes.List) ui.Page {
			page := listChanges(&r, a)
			page.Frame = v.timelessFrame(catalogue.Say("changes.title"), "/changes", r.Scene, a.Notices)
			return page
		},
	}
}

func listChanges(req *ask.ChangesRequest, found *changes.List) *ui.Changes {
	page := &ui.Changes{
		Query: ask.WithoutSpan(req.Query).String(), Between: ask.SpanText(req.Query.Between), From: found.From, To: found.To,
		Total: found.Total, Exact: found.Exact, Fields: collectionField(req.Scene),
	}
	kinds := found.Kinds
	for _, k := range req.Kinds { // so that it can be left, also where none was met
		if !slices.ContainsFunc(kinds, func(f query.Facet) bool { return f.Value == string(k) }) {
			kinds = append(kinds, query.Facet{Value: string(k)})
		}
	}
	for _, k := range kinds {
		kind := changes.Kind(k.Value)
		one := ui.Kind{Text: k.Value, Count: k.Count, Chosen: slices.Contains(req.Kinds, kind)}
		other := *req
		if other.Kinds = []changes.Kind{kind}; one.Chosen {
			other.Kinds = nil
		}
		one.URL = other.URL("")
		page.Kinds = append(page.Kinds, one)
	}
	for i := range found.Changes {
		page.List = append(page.List, changeOf(&found.Changes[i], req.Scene))
	}
	other := *req
	if other.Oldest = !req.Oldest; req.Oldest {
		page.Order = ui.Link{Text: "newest first", URL: other.URL("")}
	} else {
		page.Order = ui.Link{Text: "oldest first", URL: other.URL("")}
	}
	if req.Page.Cursor != "" {
		page.First = req.URL("")
	}
	if found.NextCursor != "" { // the span stays where it is while the clock goes on
		fixed := *req
		fixed.Query.Between = query.Span{From: query.Moment{Time: found.From}, To: query.Moment{Time: found.To}}
		page.Next = fixed.URL(found.NextCursor)
	}
	return page
}

// changeOf puts a change into the form of a page. Its prefix links to how things
// were right after it.
func changeOf(c *changes.Change, v ask.Scene) ui.Change {
	v.At = query.Moment{Time: c.Moment.UTC()}
	one := ui.Change{
		At: c.At, Kind: string(c.Kind), Prefix: c.Prefix, Family: c.Family, OfFamily: v1.OfFamily(c.Kind), Peer: c.Peer.Name,
		PeerURL: v.Peer(c.Peer.Name), PathID: c.PathID, Cause: string(c.Cause), Attributes: c.Attributes, Old: c.Old, New: c.New,
		Reason: c.Reason,
	}
	if c.Prefix.IsValid() {
		one.AddPath = c.Peer.AddPath[c.Family]
		one.URL = v.Link("/" + c.Prefix.String())
	}
	return one
}

// timelineRow is /timeline?q=.
func timelineRow() row[ask.Request, *changes.Timeline] {
	return row[ask.Request, *changes.Timeline]{
		path: "/timeline", params: v1.TimelineParams(),
		read: func(v *visit) (ask.Request, error) {
			req, err := v1.ReadTimeline(v.reader, v.list.Filled())
			if !req.Limited && v.form() != web.TypeJSON {
				req.Page.Limit = pageStates
			}
			return req, err
		},
		ask:  func(v *visit, r ask.Request) (*changes.Timeline, error) { return r.Timeline(v.Context(), r.Page.Limit) },
		json: func(v *visit, _ ask.Request, t *changes.Timeline) error { v1.SendTimeline(v.Exchange, t); return nil },
		show: func(v *visit, r ask.Request, t *changes.Timeline) ui.Page {
			page := timelineOf(&r, t)
			page.Frame = v.timelessFrame(catalogue.Say("timeline.title", t.Prefix), "/timeline", r.Scene, t.Notices)
			return page
		},
	}
}

// Bounds of the page of a timeline.
const (
	pageStates        = 200
	pageOriginChanges = 50
)

func timelineOf(req *ask.Request, t *changes.Timeline) *ui.Timeline {
	span := query.Span{From: query.Moment{Time: t.From}, To: query.Moment{Time: t.To}}
	const usual = "-30d/now" // what the store looks at when nothing is said
	v := ask.Scene{Collection: req.Scene.Collection}
	page := &ui.Timeline{
		Query: ask.WithoutSpan(req.Query).String(), Between: usual, Prefix: t.Prefix, URL: v.Link("/" + t.Prefix.String()),
		From: t.From, To: t.To, FirstSeen: t.FirstSeen, LastSeen: t.LastSeen, States: t.States, Flaps: t.Flaps,
		Announcements: t.Announcements, Withdrawals: t.Withdrawals, OriginChangeCount: t.OriginChangeCount, Fields: collectionField(v),
	}
	if !req.Query.Between.IsZero() {
		page.Between = ask.SpanText(req.Query.Between)
	}
	exact := query.Lookup{Match: query.Exact, Prefix: t.Prefix}.Query()
	exact.Between = span
	during := ask.ChangesRequest{Request: ask.Request{Query: exact, Scene: v}}
	page.Changes = ui.Link{URL: during.URL("")}
	for _, o := range slices.Backward(t.OriginChanges) {
		if len(page.OriginChanges) == pageOriginChanges {
			break
		}
		page.OriginChanges = append(page.OriginChanges, ui.OriginChange{At: o.At, From: o.From, To: o.To})
	}
	for i := range t.Rows {
		page.Rows = append(page.Rows, timelineRowOf(t, &t.Rows[i], v))
	}
	return page
}

func timelineRowOf(t *changes.Timeline, r *changes.TimelineRow, v ask.Scene) ui.TimelineRow {
	row := ui.TimelineRow{
		Peer: r.Peer.Name, PeerURL: v.Peer(r.Peer.Name), PathID: r.PathID, AddPath: r.Peer.AddPath[t.Family], Flaps: r.Flaps, Total: r.Total,
	}
	for i := range r.States {
		from := &r.States[i]
		v.At = query.Moment{Time: from.From.UTC()}
		state := ui.TimelineState{From: from.From, To: from.To, Open: from.To.Equal(t.To), URL: v.Link("/" + t.Prefix.String())}
		if from.Route != nil {
			state.Attrs, state.Stale = from.Route.Attrs, from.Stale
			if i > 0 && r.States[i-1].Route != nil {
				state.Changed = changedBut(r.States[i-1].Route.Attrs, state.Attrs)
			}
		}
		if from.Refused != (route.Fault{}) {
			state.Refused = from.Refused.String()
		}
		row.States = append(row.States, state)
	}
	slices.Reverse(row.States)
	return row
}

// changedBut lists what changed but for the path, which each state shows.
func changedBut(before, after route.Attrs) []ui.Attr {
	names := slices.DeleteFunc(compare.ChangedAttributes(before, after), func(name string) bool { return name == "path" })
	return ui.Changed(names, before, after)
}
