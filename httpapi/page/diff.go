package page

import (
	"slices"
	"time"

	"ribglass/httpapi/ask"
	"ribglass/httpapi/v1"
	"ribglass/httpapi/web"
	"ribglass/ribstore/compare"
	"ribglass/ribstore/query"
	"ribglass/ui"
	"ribglass/ui/catalogue"
)

// pageDifferences is how many differences a page shows when it is not told.
const pageDifferences = 50

// diffRequest is a question for the page of a comparison.
type diffRequest struct {
	ask.Comparison

	form bool // nothing is compared yet: the page is the form alone
}

// diffRow is /diff. Without moments and peers it is a form to choose them.
func diffRow() row[diffRequest, *compare.Result] {
	return row[diffRequest, *compare.Result]{
		path: "/diff", params: v1.DiffParams(), read: readDiff,
		ask: func(v *visit, r diffRequest) (*compare.Result, error) {
			if r.form {
				return nil, nil //nolint:nilnil // there is nothing to ask yet
			}
			return r.Page(v.Context())
		},
		json: func(v *visit, r diffRequest, d *compare.Result) error {
			v1.SendDiff(v.Exchange, d, &r.Comparison)
			return nil
		},
		show: func(v *visit, r diffRequest, d *compare.Result) ui.Page {
			title := catalogue.Say("diff.title")
			if r.form {
				page := &ui.Diff{Form: ui.DiffForm{A: "-1h", B: "now", Query: r.Query.String(), Fields: collectionField(r.Scene)}}
				page.Frame = v.timelessFrame(title, "/diff", r.Scene, nil)
				page.Text, page.JSON = "", ""
				return page
			}
			page := diffOf(&r.Comparison, d)
			page.Frame = v.timelessFrame(title, "/diff", r.Scene, d.Notices)
			return page
		},
	}
}

func readDiff(v *visit) (r diffRequest, err error) {
	list, json := v.list.Filled(), v.form() == web.TypeJSON
	if !json && !slices.ContainsFunc(list, func(p web.Param) bool { return p.Name != "collection" && p.Name != "q" }) {
		r.form = true
		r.Request, err = v.reader.Request(list, query.Query{})
		return r, err
	}
	r.Comparison, err = v.reader.Comparison(list)
	if !r.Limited && !json {
		r.Request.Page.Limit = pageDifferences
	}
	return r, err
}

func diffOf(req *ask.Comparison, d *compare.Result) *ui.Diff {
	c := &req.Contrast
	there := ask.Scene{Collection: req.SideB()}
	page := &ui.Diff{
		Compared: true,
		Form: ui.DiffForm{
			A: c.From.String(), B: c.To.String(), PeerA: c.FromPeer, PeerB: c.ToPeer, Query: req.Query.String(),
			Fields: collectionField(req.Scene),
		},
		A: diffSideOf(req.Scene, c.From, d.From, c.FromPeer), B: diffSideOf(there, c.To, d.To, c.ToPeer),
		Counts: diffCountsOf(req, d),
	}
	if req.Across() {
		page.Form.Fields = append(page.Form.Fields, ui.Field{Name: "collection_b", Value: req.OtherCollection})
	}
	for i := range d.Differences {
		one := &d.Differences[i]
		page.Differences = append(page.Differences, ui.Difference{
			Prefix: one.Prefix, URL: sideURL(there, c.To, d.To, "/"+one.Prefix.String()), Kind: string(one.Kind), Cause: string(one.Cause),
			Attributes: one.Attributes, Old: one.Old, New: one.New,
		})
	}
	if req.Request.Page.Cursor != "" {
		page.First = req.URL(c.From, c.To, "")
	}
	if d.NextCursor != "" { // the sides stay where they are while the clock goes on
		page.Next = req.URL(fixedMoment(c.From, d.From), fixedMoment(c.To, d.To), d.NextCursor)
	}
	return page
}

func diffSideOf(v ask.Scene, asked query.Moment, at time.Time, peer string) ui.DiffSide {
	return ui.DiffSide{At: at, Peer: peer, Collection: v.Collection, URL: sideURL(v, asked, at, "/peers")}
}

// sideURL returns the URL of a page at one side of a comparison.
func sideURL(v ask.Scene, asked query.Moment, at time.Time, path string) string {
	v.At = fixedMoment(asked, at)
	return v.Link(path)
}

// fixedMoment returns the time for a moment of the past, and now for now.
func fixedMoment(asked query.Moment, at time.Time) query.Moment {
	if asked.IsZero() {
		return asked
	}
	return query.Moment{Time: at.UTC()}
}

// peerDiffURL returns the URL of the same comparison of the routes of one peer.
func peerDiffURL(r *ask.Comparison, d *compare.Result, peer string) string {
	one := *r
	one.Query = r.Query.With(query.AnyPeer(peer))
	if r.Contrast.FromPeer != "" || one.Query.String() == r.Query.String() {
		return ""
	}
	return one.URL(fixedMoment(r.Contrast.From, d.From), fixedMoment(r.Contrast.To, d.To), "")
}

func diffCountsOf(r *ask.Comparison, d *compare.Result) *ui.DiffCounts {
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
			Peer: one.Peer, URL: peerDiffURL(r, d, one.Peer), Same: one.Same, Added: one.Added, Withdrawn: one.Withdrawn, Changed: one.Changed,
		})
	}
	for _, one := range c.Attributes {
		counts.Attributes = append(counts.Attributes, ui.Facet{Text: one.Value, Count: one.Count})
	}
	return counts
}
