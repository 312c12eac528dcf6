package httpapi

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"ribglass/ribstore/query"
	"ribglass/ui"
	"ribglass/ui/catalogue"
)

// pageDifferences is how many differences a page shows when it is not told.
const pageDifferences = 50

// diffPage answers for /diff. Without moments and peers it is a form to choose
// them.
func (s *Server) diffPage(c *gin.Context) error {
	_, suffix := cutSuffix(c.Request.URL.Path)
	form, err := s.form(c, suffix)
	if err != nil {
		return err
	}
	list, err := readParams(c.Request.URL.RawQuery, diffParams())
	if err != nil {
		return err
	}
	list = filled(list)
	if form != typeJSON && !slices.ContainsFunc(list, func(p param) bool { return p.name != "collection" && p.name != "q" }) {
		return s.diffForm(c, form, list)
	}
	req, err := s.readDiff(list)
	if err != nil {
		return err
	}
	if form == typeJSON {
		return s.answerDiff(c, req)
	}
	if !req.limited {
		req.page.Limit = pageDifferences
	}
	d, err := s.findDiff(c.Request.Context(), req)
	if err != nil {
		return err
	}
	page := diffOf(&req, d)
	page.Frame = s.pastFrame(c, catalogue.Say("diff.title"), "/diff", req.request, d.Notices)
	return s.render(c, http.StatusOK, form, page)
}

// diffForm answers with the form of a comparison alone.
func (s *Server) diffForm(c *gin.Context, form string, list []param) error {
	req, err := s.readSearch(list, query.Query{})
	if err != nil {
		return err
	}
	page := &ui.Diff{Form: ui.DiffForm{A: "-1h", B: "now", Query: req.query.String(), Fields: collectionField(req.scene)}}
	page.Frame = s.pastFrame(c, catalogue.Say("diff.title"), "/diff", req, nil)
	page.Text, page.JSON = "", ""
	return s.render(c, http.StatusOK, form, page)
}

func diffOf(req *diffRequest, d *query.Diff) *ui.Diff {
	c := &req.contrast
	there := scene{collection: req.otherCollection()}
	page := &ui.Diff{
		Compared: true,
		Form: ui.DiffForm{
			A: c.From.String(), B: c.To.String(), PeerA: c.FromPeer, PeerB: c.ToPeer, Query: req.query.String(),
			Fields: collectionField(req.scene),
		},
		A: diffSideOf(req.scene, c.From, d.From, c.FromPeer), B: diffSideOf(there, c.To, d.To, c.ToPeer),
		Counts: req.countsOf(d),
	}
	if req.to != nil {
		page.Form.Fields = append(page.Form.Fields, ui.Field{Name: "collection_b", Value: req.other})
	}
	for i := range d.Differences {
		one := &d.Differences[i]
		page.Differences = append(page.Differences, ui.Difference{
			Prefix: one.Prefix, URL: sideURL(there, c.To, d.To, "/"+one.Prefix.String()), Kind: string(one.Kind), Cause: string(one.Cause),
			Attributes: one.Attributes, Old: one.Old, New: one.New,
		})
	}
	if req.page.Cursor != "" {
		page.First = req.url(c.From, c.To, "")
	}
	if d.NextCursor != "" { // the sides stay where they are while the clock goes on
		page.Next = req.url(fixedMoment(c.From, d.From), fixedMoment(c.To, d.To), d.NextCursor)
	}
	return page
}

func diffSideOf(v scene, asked query.Moment, at time.Time, peer string) ui.DiffSide {
	return ui.DiffSide{At: at, Peer: peer, Collection: v.collection, URL: sideURL(v, asked, at, "/peers")}
}

// sideURL returns the URL of a page at one side of a comparison.
func sideURL(v scene, asked query.Moment, at time.Time, path string) string {
	v.at = fixedMoment(asked, at)
	return v.link(path)
}

// fixedMoment returns the time for a moment of the past, and now for now.
func fixedMoment(asked query.Moment, at time.Time) query.Moment {
	if asked.IsZero() {
		return asked
	}
	return query.Moment{Time: at.UTC()}
}

// url returns the URL of a page of the same comparison.
func (r *diffRequest) url(a, b query.Moment, cursor string) string {
	values := url.Values{"a": {a.String()}, "b": {b.String()}}
	for name, value := range map[string]string{
		"peer_a": r.contrast.FromPeer, "peer_b": r.contrast.ToPeer, "q": r.query.String(), "collection": r.scene.collection, "cursor": cursor,
		"collection_b": r.other,
	} {
		if value != "" {
			values.Set(name, value)
		}
	}
	if r.contrast.Stale {
		values.Set("stale", "true")
	}
	if r.limited {
		values.Set("limit", strconv.Itoa(r.page.Limit))
	}
	return withValues("/diff", values)
}

// peerURL returns the URL of the same comparison of the routes of one peer.
func (r *diffRequest) peerURL(d *query.Diff, peer string) string {
	one := *r
	one.query = r.query.With(query.AnyPeer(peer))
	if r.contrast.FromPeer != "" || one.query.String() == r.query.String() {
		return ""
	}
	return one.url(fixedMoment(r.contrast.From, d.From), fixedMoment(r.contrast.To, d.To), "")
}

func (r *diffRequest) countsOf(d *query.Diff) *ui.DiffCounts {
	c := d.Counts
	if c == nil {
		return nil
	}
	counts := &ui.DiffCounts{Same: c.Same, Added: c.Added, Withdrawn: c.Withdrawn, Changed: c.Changed}
	for _, one := range c.Causes {
		counts.Causes = append(counts.Causes, ui.CauseCount{Kind: string(one.Kind), Cause: string(one.Cause), Count: one.Count})
	}
	for _, one := range c.Peers {
		counts.Peers = append(counts.Peers, ui.PeerDiff{
			Peer: one.Peer, URL: r.peerURL(d, one.Peer), Same: one.Same, Added: one.Added, Withdrawn: one.Withdrawn, Changed: one.Changed,
		})
	}
	for _, one := range c.Attributes {
		counts.Attributes = append(counts.Attributes, ui.Facet{Text: one.Value, Count: one.Count})
	}
	return counts
}
