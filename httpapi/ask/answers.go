package ask

import (
	"context"
	"io"
	"net/netip"
	"slices"

	"ribglass/httpapi/web"
	"ribglass/ribstore"
	"ribglass/ribstore/changes"
	"ribglass/ribstore/compare"
	"ribglass/ribstore/query"
	"ribglass/ribstore/route"
)

// Search returns the page of the answer that the request wants.
func (r *Request) Search(ctx context.Context) (*query.Result, error) {
	res, err := r.Find(ctx, r.Query, r.Page)
	if err != nil || r.Scene.Live() {
		return res, err
	}
	// Peers may be of the past: a name that no peer had then nor has now is a
	// slip of the pen.
	for _, name := range r.Query.Peers() {
		if !slices.ContainsFunc(res.Freshness, func(f query.Freshness) bool { return f.Peer == name }) {
			return nil, web.Problemf(web.CodeUnknownPeer, "No peer was named %q at that moment.", web.Clip(name))
		}
	}
	return res, nil
}

// Find asks another query than the request's own where the request is asked.
func (r *Request) Find(ctx context.Context, q query.Query, page query.Page) (*query.Result, error) {
	ctx, cancel := r.reader.bounded(ctx)
	defer cancel()
	start := r.reader.Now()
	res, err := r.from.Search(ctx, q, page)
	if err != nil {
		return nil, r.reader.refused("search", q, err)
	}
	r.reader.desk.metrics.searched(res.Plan.Method, r.reader.Now().Sub(start))
	return res, nil
}

// Facets counts the whole answer to a query, with the most values most of each
// kind.
func (r *Request) Facets(ctx context.Context, q query.Query, most int) (*query.Facets, error) {
	ctx, cancel := r.reader.bounded(ctx)
	defer cancel()
	f, err := r.from.Facets(ctx, q, most)
	if err != nil {
		return nil, r.reader.refused("count", q, err)
	}
	return f, nil
}

// ASNeighbors tells where an AS stands in the paths at the moment of the request,
// with the most values most of each kind.
func (r *Request) ASNeighbors(ctx context.Context, asn route.ASN, most int) (*query.Neighbors, error) {
	ctx, cancel := r.reader.bounded(ctx)
	defer cancel()
	t, err := r.from.ASNeighbors(ctx, asn, r.Query.At, most)
	if err != nil {
		return nil, r.reader.refused("find the neighbors of an AS", query.Query{Expr: query.ViaAS(asn), At: r.Query.At}, err)
	}
	return t, nil
}

// Explain tells how the query would be answered.
func (r *Request) Explain(ctx context.Context) (query.Plan, error) {
	plan, err := r.from.Explain(ctx, r.Query)
	if err != nil {
		return plan, r.reader.refused("explain", r.Query, err)
	}
	return plan, nil
}

// Stream calls yield with the routes of the whole answer, a slice at a time that
// is valid during the call.
func (r *Request) Stream(ctx context.Context, yield func([]route.Route) error) error {
	if err := r.from.Stream(ctx, r.Query, yield); err != nil {
		return r.reader.refused("stream", r.Query, err)
	}
	return nil
}

// PeersExist refuses the name of a peer, a router or a group, and the AS number or the
// address of a peer, that neither the collector nor the table knows: an empty answer would
// hide a slip of the pen. Which peers there were in the past is not known before the past
// is read.
func (r *Request) PeersExist() error {
	if !r.Scene.Live() {
		return nil
	}
	labels := r.Query.Labels()
	if len(labels) == 0 {
		return nil
	}
	for _, session := range r.reader.Sessions() {
		labels = slices.DeleteFunc(labels, func(n query.Named) bool { return n.Of(session.Peer) })
	}
	labels = slices.DeleteFunc(labels, func(n query.Named) bool {
		_, ok := r.reader.PeerStats(n.Name)
		return n.Label == query.Peer && ok
	})
	known, _, _, err := r.from.PeersAt(context.Background(), query.Moment{}) // what is in memory; a peer without a session has routes yet
	if err != nil {
		known = nil
	}
	for _, stats := range known {
		labels = slices.DeleteFunc(labels, func(n query.Named) bool { return n.Of(stats.Peer) })
	}
	if len(labels) == 0 {
		return nil
	}
	switch n := labels[0]; n.Label {
	case query.PeerAS:
		return web.Problemf(web.CodeUnknownPeer, "No peer has the AS number %s.", n.Name)
	case query.PeerAddress:
		return web.Problemf(web.CodeUnknownPeer, "No peer has the address %s.", n.Name)
	default:
		return web.Problemf(web.CodeUnknownPeer, "No %s is named %q.", n.Label, web.Clip(n.Name))
	}
}

// MomentExists asks a question whose answer nobody wants, so that a moment that
// cannot be asked about is refused before a stream begins.
func (r *Request) MomentExists(ctx context.Context) error {
	if r.Scene.Live() {
		return nil
	}
	q := query.Lookup{Match: query.Longest, Prefix: netip.PrefixFrom(netip.IPv4Unspecified(), 32)}.Query()
	q.At = r.Scene.At
	_, err := r.Find(ctx, q, query.Page{Limit: 1})
	return err
}

// Peer is a peer at the moment of a scene: its session and what the table holds
// of it. Of the past, a session tells whether it was up and what it had sent, not
// how it came to be.
type Peer struct {
	Session route.Session
	Stats   PeerStats
}

// Peers are the peers at the moment of a scene, by name.
type Peers struct {
	Moment
	Live bool
	List []Peer
}

// Find returns one of the peers. An unknown one is a problem.
func (p *Peers) Find(name string) (*Peer, error) {
	for i := range p.List {
		if p.List[i].Session.Peer.Name == name {
			return &p.List[i], nil
		}
	}
	if p.Live {
		return nil, web.Problemf(web.CodeUnknownPeer, "No peer is named %q.", web.Clip(name))
	}
	return nil, web.Problemf(web.CodeUnknownPeer, "No peer was named %q at that moment.", web.Clip(name))
}

// Routes returns how many routes the peers have, and how many of them are stale.
func (p *Peers) Routes() (routes, stale [route.NumFamilies]int) {
	for i := range p.List {
		for f := range routes {
			routes[f] += p.List[i].Stats.Routes[f]
			stale[f] += p.List[i].Stats.Stale[f]
		}
	}
	return routes, stale
}

// Peers returns the peers at the moment of the request.
func (r *Request) Peers(ctx context.Context) (*Peers, error) {
	if r.Scene.Live() {
		return r.reader.Peers(), nil
	}
	ctx, cancel := r.reader.bounded(ctx)
	defer cancel()
	list, when, notices, err := r.from.PeersAt(ctx, r.Scene.At)
	if err != nil {
		return nil, r.reader.refused("list peers", query.Query{At: r.Scene.At}, err)
	}
	p := &Peers{Moment: Moment{At: when.UTC(), Notices: notices}}
	if at := r.Scene.At; !at.IsZero() && !at.Time.Equal(when) {
		p.Requested = at.Time.UTC()
	}
	for i := range list {
		p.List = append(p.List, Peer{Session: sessionThen(&list[i]), Stats: list[i]})
	}
	return p, nil
}

// Peers returns the peers as they are now.
func (r *Reader) Peers() *Peers {
	p := &Peers{Moment: Moment{At: r.Now().UTC()}, Live: true}
	for _, session := range r.Sessions() {
		stats, _ := r.PeerStats(session.Peer.Name) // zero when it never said anything
		p.List = append(p.List, Peer{session, stats})
	}
	return p
}

// sessionThen puts what the history knows of a peer into the form of a session.
func sessionThen(p *PeerStats) route.Session {
	state := route.StateIdle
	if p.Freshness.Up {
		state = route.StateEstablished
	}
	return route.Session{Peer: p.Peer, State: state, LastUpdate: p.Freshness.LastUpdate, EndOfRIB: p.Freshness.EndOfRIB}
}

// Timeline tells what became of the prefix of the request, with at most so many
// states.
func (r *Request) Timeline(ctx context.Context, states int) (*changes.Timeline, error) {
	ctx, cancel := r.reader.bounded(ctx)
	defer cancel()
	t, err := r.from.Timeline(ctx, r.Query, states)
	if err != nil {
		return nil, r.reader.refused("make the timeline of", r.Query, err)
	}
	return t, nil
}

// Changes lists what happened in the span of the request.
func (r *Request) Changes(ctx context.Context, page changes.Page) (*changes.List, error) {
	ctx, cancel := r.reader.bounded(ctx)
	defer cancel()
	found, err := r.from.Changes(ctx, r.Query, page)
	if err != nil {
		return nil, r.reader.refused("list changes", r.Query, err)
	}
	return found, nil
}

// StreamChanges calls yield with all changes of the kinds, the oldest first, a
// slice at a time that is valid during the call.
func (r *Request) StreamChanges(ctx context.Context, kinds []changes.Kind, yield func([]changes.Change) error) error {
	if err := r.from.StreamChanges(ctx, r.Query, kinds, yield); err != nil {
		return r.reader.refused("list changes", r.Query, err)
	}
	return nil
}

// StreamNewestChanges is like StreamChanges, the newest first.
func (r *Request) StreamNewestChanges(ctx context.Context, kinds []changes.Kind, yield func([]changes.Change) error) error {
	if err := r.from.StreamNewestChanges(ctx, r.Query, kinds, yield); err != nil {
		return r.reader.refused("list changes", r.Query, err)
	}
	return nil
}

// ExportsMRT reports whether answers can be written as MRT.
func (r *Reader) ExportsMRT() bool { return r.desk.sources.Export != nil }

// Export writes the answer as MRT: routes, or changes when the query has a span.
func (r *Request) Export(ctx context.Context, w io.Writer) error {
	if err := r.reader.desk.sources.Export(ctx, w, r.from, r.Query); err != nil {
		return r.reader.refused("export", r.Query, err)
	}
	return nil
}

// Comparison is a question for what differs between two moments, peers or
// collections.
type Comparison struct {
	Request

	Contrast        compare.Request
	OtherCollection string   // of side b, when it is another one
	to              Searcher // who is asked about b; nil: who is asked about a
}

// SideB returns the collection of side b.
func (c *Comparison) SideB() string {
	if c.to != nil {
		return c.OtherCollection
	}
	return c.Scene.Collection
}

// Across reports whether side b is asked of another collection than side a.
func (c *Comparison) Across() bool { return c.to != nil }

// Comparison reads the parameters of a question for what differs: a, b, peer_a,
// peer_b, stale, collection_b, and those of a request. A span stands for both
// moments.
func (r *Reader) Comparison(list web.Params) (c Comparison, err error) {
	if c.Request, err = r.Request(list, query.Query{}); err != nil {
		return c, err
	}
	if !c.Query.At.IsZero() {
		return c, web.Problemf(web.CodeInvalidParameter, "The moments of a comparison are a and b, not a word of the query.")
	}
	c.Contrast.From, c.Contrast.To = c.Query.Between.From, c.Query.Between.To
	spanned := !c.Query.Between.IsZero()
	for _, p := range list {
		if spanned && (p.Name == "a" || p.Name == "b") {
			return c, web.Problemf(web.CodeInvalidParameter, "Give the moments as a and b, or as a span, not as both.")
		}
		if err := c.readSide(p); err != nil {
			return c, err
		}
	}
	c.Query.Between = query.Span{}
	c.Contrast.Query = c.Query
	return c, c.differs()
}

func (c *Comparison) readSide(p web.Param) (err error) {
	switch p.Name {
	case "a":
		c.Contrast.From, err = ParseMoment(p.Name, p.Value)
	case "b":
		c.Contrast.To, err = ParseMoment(p.Name, p.Value)
	case "peer_a":
		c.Contrast.FromPeer, err = ParsePeer(p.Value)
	case "peer_b":
		c.Contrast.ToPeer, err = ParsePeer(p.Value)
	case "stale":
		c.Contrast.Stale, err = p.Bool()
	case "collection_b":
		c.OtherCollection = p.Value
		c.to, err = c.reader.collection(p.Value)
	}
	return err
}

// differs refuses a question to which the answer is nothing whatever the table.
func (c *Comparison) differs() error {
	of := c.Contrast
	switch {
	case c.to != nil && c.OtherCollection != c.Scene.Collection:
		return nil
	case (of.FromPeer == "") != (of.ToPeer == ""):
		return web.Problemf(web.CodeInvalidParameter, "Give both peer_a and peer_b, or none of them.")
	case of.From == of.To && of.FromPeer == of.ToPeer:
		return web.Problemf(web.CodeInvalidParameter, "Give two moments, such as a=-1h&b=now, or two peers, peer_a and peer_b.")
	}
	return nil
}

// Page makes one page of the comparison.
func (c *Comparison) Page(ctx context.Context) (*compare.Result, error) {
	ctx, cancel := c.reader.bounded(ctx)
	defer cancel()
	leave, err := c.reader.enter(ctx, ribstore.Comparisons)
	if err != nil {
		return nil, err
	}
	defer leave()
	comparison, notices, err := c.compare(ctx)
	if err != nil {
		return nil, c.reader.refused("compare", c.Query, err)
	}
	d, err := comparison.Page(ctx, c.Request.Page)
	if err != nil {
		return nil, c.reader.refused("compare", c.Query, err)
	}
	d.Notices = notices
	return d, nil
}

// StreamDifferences calls yield with all that differs, a slice at a time that is
// valid during the call.
func (c *Comparison) StreamDifferences(ctx context.Context, yield func([]compare.Difference) error) error {
	comparison, err := c.ready(ctx)
	if err != nil {
		return err
	}
	return comparison.Stream(ctx, yield)
}

// ready makes the comparison ready within the time that a question may take.
func (c *Comparison) ready(ctx context.Context) (*compare.Comparison, error) {
	ctx, cancel := c.reader.bounded(ctx)
	defer cancel()
	comparison, _, err := c.compare(ctx)
	if err != nil {
		return nil, c.reader.refused("compare", c.Query, err)
	}
	return comparison, nil
}

// compare makes the comparison ready. A comparison of a collection with another
// one, or with what is live, takes a side of each.
func (c *Comparison) compare(ctx context.Context) (*compare.Comparison, []string, error) {
	if c.to == nil {
		return c.from.Compare(ctx, c.Contrast)
	}
	both := c.Contrast
	both.To = c.Contrast.From
	comparison, notices, err := c.from.Compare(ctx, both)
	if err != nil {
		return nil, nil, err
	}
	both.From, both.To = c.Contrast.To, c.Contrast.To
	other, more, err := c.to.Compare(ctx, both)
	if err != nil {
		return nil, nil, err
	}
	notices = slices.Concat(notices, more)
	slices.Sort(notices)
	return comparison.Against(other), slices.Compact(notices), nil
}
