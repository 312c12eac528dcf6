package httpapi

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"ribglass/ribstore/history"
	"ribglass/ribstore/query"
	"ribglass/ribstore/route"
	"ribglass/ui"
	"ribglass/ui/catalogue"
)

// around is how far before and after a moment of the past the changes are that a
// page of it leads to.
const around = 12 * time.Hour

// relatedPast links what became of the prefix of a page, where the past is kept.
func (s *Server) relatedPast(req request, res *query.Result) []ui.Link {
	if s.deps.History == nil && req.scene.collection == "" {
		return nil
	}
	q := present(res.Query)
	where := url.Values{}
	if req.scene.collection != "" {
		where.Set("collection", req.scene.collection)
	}
	if at := req.scene.at.Time; !at.IsZero() {
		where.Set("between", betweenText(query.Span{
			From: query.Moment{Time: at.Add(-around)}, To: query.Moment{Time: earlier(at.Add(around), s.now().UTC().Truncate(time.Second))},
		}))
	}
	link := func(text, path, q string) ui.Link {
		where.Set("q", q)
		return ui.Link{Text: text, URL: withValues(path, where)}
	}
	list := []ui.Link{link("changes", "/changes", q.String())}
	if match, p := q.Prefix(); match == query.Exact || match == query.Longest {
		if match == query.Longest && len(res.Routes) > 0 {
			p = res.Routes[0].Prefix
		}
		list = append(list, link("timeline", "/timeline", p.String()))
	}
	if !req.scene.at.IsZero() {
		list = append(list, ui.Link{Text: "compare with now", URL: diffURL(req.scene.collection, req.scene.at, query.Moment{}, q)})
	}
	return list
}

func diffURL(collection string, a, b query.Moment, q query.Query) string {
	values := url.Values{"a": {a.String()}, "b": {b.String()}}
	if text := q.String(); text != "" {
		values.Set("q", text)
	}
	if collection != "" {
		values.Set("collection", collection)
	}
	return withValues("/diff", values)
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// betweenText returns a span as the parameter between.
func betweenText(s query.Span) string { return s.From.String() + "/" + s.To.String() }

// pastFrame is the frame of a page that has a span or two moments of its own.
func (s *Server) pastFrame(c *gin.Context, title catalogue.Text, path string, req request, notices []string) ui.Frame {
	f := s.frame(c, title, path)
	f.Live = s.liveNow(s.neighbours())
	f.Moment.Action, f.Moment.Collection, f.Moment.Notices = "", req.scene.collection, notices
	return f
}

// changesPage answers for /changes.
func (s *Server) changesPage(c *gin.Context) error {
	_, suffix := cutSuffix(c.Request.URL.Path)
	form, err := s.form(c, suffix)
	if err != nil {
		return err
	}
	list, err := readParams(c.Request.URL.RawQuery, changesParams())
	if err != nil {
		return err
	}
	req, err := s.readChanges(filled(list))
	if err != nil {
		return err
	}
	if form == typeJSON {
		return s.answerChanges(c, req)
	}
	found, err := s.findChanges(c.Request.Context(), req, req.changePage())
	if err != nil {
		return err
	}
	page := s.listChanges(&req, found)
	page.Frame = s.pastFrame(c, catalogue.Say("changes.title"), "/changes", req.request, found.Notices)
	return s.render(c, http.StatusOK, form, page)
}

func (s *Server) listChanges(req *changesRequest, found *query.ChangeList) *ui.Changes {
	page := &ui.Changes{
		Query: withoutSpan(req.query).String(), Between: betweenText(req.query.Between), From: found.From, To: found.To,
		Total: found.Total, Fields: collectionField(req.scene),
	}
	for _, k := range found.Kinds {
		kind := query.ChangeKind(k.Value)
		one := ui.Kind{Text: k.Value, Count: k.Count, Chosen: slices.Contains(req.kinds, kind)}
		other := *req
		if other.kinds = []query.ChangeKind{kind}; one.Chosen {
			other.kinds = nil
		}
		one.URL = other.url("")
		page.Kinds = append(page.Kinds, one)
	}
	for i := range found.Changes {
		page.List = append(page.List, changeOf(&found.Changes[i], req.scene))
	}
	other := *req
	if other.oldest = !req.oldest; req.oldest {
		page.Order = ui.Link{Text: "newest first", URL: other.url("")}
	} else {
		page.Order = ui.Link{Text: "oldest first", URL: other.url("")}
	}
	if req.page.Cursor != "" {
		page.First = req.url("")
	}
	if found.NextCursor != "" { // the span stays where it is while the clock goes on
		fixed := *req
		fixed.query.Between = query.Span{From: query.Moment{Time: found.From}, To: query.Moment{Time: found.To}}
		page.Next = fixed.url(found.NextCursor)
	}
	return page
}

// url returns the URL of a page of the same changes.
func (r *changesRequest) url(cursor string) string {
	values := url.Values{"between": {betweenText(r.query.Between)}}
	if text := withoutSpan(r.query).String(); text != "" {
		values.Set("q", text)
	}
	if r.scene.collection != "" {
		values.Set("collection", r.scene.collection)
	}
	for _, k := range r.kinds {
		values.Add("kind", string(k))
	}
	if r.oldest {
		values.Set("order", "oldest")
	}
	if r.limited {
		values.Set("limit", strconv.Itoa(r.page.Limit))
	}
	if cursor != "" {
		values.Set("cursor", cursor)
	}
	return withValues("/changes", values)
}

func withoutSpan(q query.Query) query.Query {
	q.Between = query.Span{}
	return q
}

func collectionField(v scene) []ui.Field {
	if v.collection == "" {
		return nil
	}
	return []ui.Field{{Name: "collection", Value: v.collection}}
}

// changeOf puts a change into the form of a page. Its prefix links to how things
// were right after it.
func changeOf(c *query.Change, v scene) ui.Change {
	v.at = query.Moment{Time: c.At.UTC()}
	one := ui.Change{
		At: c.At, Kind: string(c.Kind), Prefix: c.Prefix, Family: c.Family, OfFamily: ofFamily(c.Kind), Peer: c.Peer.Name,
		PeerURL: v.peer(c.Peer.Name), PathID: c.PathID, Cause: string(c.Cause), Attributes: c.Attributes, Old: c.Old, New: c.New,
		Reason: c.Reason,
	}
	if c.Prefix.IsValid() {
		one.AddPath = c.Peer.AddPath[c.Family]
		one.URL = v.link("/" + c.Prefix.String())
	}
	return one
}

// timelinePage answers for /timeline?q=.
func (s *Server) timelinePage(c *gin.Context) error {
	_, suffix := cutSuffix(c.Request.URL.Path)
	form, err := s.form(c, suffix)
	if err != nil {
		return err
	}
	list, err := readParams(c.Request.URL.RawQuery, timelineParams())
	if err != nil {
		return err
	}
	req, err := s.readTimeline(filled(list))
	if err != nil {
		return err
	}
	if form == typeJSON {
		return s.answerTimeline(c, req)
	}
	if !req.limited {
		req.page.Limit = pageStates
	}
	t, err := s.findTimeline(c.Request.Context(), req)
	if err != nil {
		return err
	}
	page := timelineOf(&req, t)
	page.Frame = s.pastFrame(c, catalogue.Say("timeline.title", t.Prefix), "/timeline", req, t.Notices)
	return s.render(c, http.StatusOK, form, page)
}

// Bounds of the page of a timeline.
const (
	pageStates        = 200
	pageOriginChanges = 50
)

func timelineOf(req *request, t *query.Timeline) *ui.Timeline {
	span := query.Span{From: query.Moment{Time: t.From}, To: query.Moment{Time: t.To}}
	const usual = "-30d/now" // what the store looks at when nothing is said
	v := scene{collection: req.scene.collection}
	page := &ui.Timeline{
		Query: withoutSpan(req.query).String(), Between: usual, Prefix: t.Prefix, URL: v.link("/" + t.Prefix.String()),
		From: t.From, To: t.To, FirstSeen: t.FirstSeen, LastSeen: t.LastSeen, States: t.States, Flaps: t.Flaps,
		Announcements: t.Announcements, Withdrawals: t.Withdrawals, OriginChangeCount: t.OriginChangeCount, Fields: collectionField(v),
	}
	if !req.query.Between.IsZero() {
		page.Between = betweenText(req.query.Between)
	}
	exact := query.Lookup{Match: query.Exact, Prefix: t.Prefix}.Query()
	exact.Between = span
	changes := changesRequest{request: request{query: exact, scene: v}}
	page.Changes = ui.Link{URL: changes.url("")}
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

func timelineRowOf(t *query.Timeline, r *query.TimelineRow, v scene) ui.TimelineRow {
	row := ui.TimelineRow{
		Peer: r.Peer.Name, PeerURL: v.peer(r.Peer.Name), PathID: r.PathID, AddPath: r.Peer.AddPath[t.Family], Flaps: r.Flaps, Total: r.Total,
	}
	for i := range r.States {
		from := &r.States[i]
		v.at = query.Moment{Time: from.From.UTC()}
		state := ui.TimelineState{From: from.From, To: from.To, Open: from.To.Equal(t.To), URL: v.link("/" + t.Prefix.String())}
		if from.Route != nil {
			state.Attrs, state.Stale = from.Route.Attrs, from.Stale
			if i > 0 && r.States[i-1].Route != nil {
				state.Changed = changedBut(r.States[i-1].Route.Attrs, state.Attrs)
			}
		}
		row.States = append(row.States, state)
	}
	slices.Reverse(row.States)
	return row
}

// changedBut lists what changed but for the path, which each state shows.
func changedBut(before, after route.Attrs) []ui.Attr {
	names := slices.DeleteFunc(query.ChangedAttributes(before, after), func(name string) bool { return name == "path" })
	return ui.Changed(names, before, after)
}

// filled leaves out what was left empty in a form.
func filled(list []param) []param {
	return slices.DeleteFunc(list, func(p param) bool { return p.value == "" })
}

// pageSnapshots is how many snapshots a page lists.
const pageSnapshots = 100

// historyPage answers for /history.
func (s *Server) historyPage(c *gin.Context) error {
	_, suffix := cutSuffix(c.Request.URL.Path)
	form, err := s.form(c, suffix)
	if err != nil {
		return err
	}
	if form == typeJSON {
		return s.history(c)
	}
	if _, err := readParams(c.Request.URL.RawQuery, nil); err != nil {
		return err
	}
	collections, err := s.listCollections(c)
	if err != nil {
		return err
	}
	page := &ui.History{Frame: s.pastFrame(c, catalogue.Say("history.title"), "/history", request{}, nil), Absent: s.deps.History == nil}
	if !page.Absent {
		s.describeHistory(page)
	} else {
		page.JSON = "/api/v1/collections"
	}
	for _, one := range collections {
		page.Collections = append(page.Collections, ui.Collection{
			Name: one.Name, Begins: one.Begins, Ends: one.Ends, Bytes: one.FileBytes, Broken: one.Broken,
			URL: scene{collection: one.Name}.link("/"), DiffURL: withValues("/diff", url.Values{"collection_b": {one.Name}}),
		})
	}
	return s.render(c, http.StatusOK, form, page)
}

func (s *Server) describeHistory(page *ui.History) {
	st := historyAnswerOf(s.deps.History.Stats())
	page.Begins, page.Ends, page.LastSnapshot, page.Recording = st.Begins, st.Ends, st.LastSnapshot, st.Recording
	page.SnapshotCount, page.FileBytes, page.FreeBytes = st.SnapshotCount, st.FileBytes, st.FreeBytes
	page.MaxBytes, page.PendingBytes = st.MaxBytes, st.PendingBytes
	list := s.snapshots()
	list = slices.Clone(list[max(0, len(list)-pageSnapshots):])
	slices.Reverse(list)
	for _, one := range list {
		page.Snapshots = append(page.Snapshots, snapshotOf(one))
	}
}

func snapshotOf(i history.SnapshotInfo) ui.Snapshot {
	v, families := scene{at: query.Moment{Time: i.At.UTC()}}, route.Families()
	return ui.Snapshot{At: i.At, Routes: i.Routes, URL: v.link("/"), RoutesURL: v.allRoutes(families[:])}
}
