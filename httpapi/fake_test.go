package httpapi_test

import (
	"context"
	"encoding/binary"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"ribglass/httpapi"
	"ribglass/ribstore"
	"ribglass/ribstore/activity"
	"ribglass/ribstore/changes"
	"ribglass/ribstore/compare"
	"ribglass/ribstore/query"
	"ribglass/ribstore/route"
	"ribglass/ribstore/table"
)

// fakeStore answers from a list of routes in prefix order, by looking at every
// one of them.
type fakeStore struct {
	forgetful

	routes []route.Route
	peers  map[string]ribstore.PeerStats
	at     time.Time
	err    error  // what Search fails with
	hook   func() // runs in every Search
	pages  int    // counts Search calls

	meter   *activity.Meter // nil: nothing ever happened
	samples []activity.Sample
}

func (s *fakeStore) happened() *activity.Meter {
	if s.meter == nil {
		s.meter = activity.New(s.at)
	}
	return s.meter
}

func (s *fakeStore) Rate(peer string) activity.Rate { return s.happened().Rate(peer, s.at) }
func (s *fakeStore) RateOfAll() activity.Rate       { return s.happened().RateOfAll(s.at) }
func (s *fakeStore) Busiest() activity.Busiest      { return s.happened().Busiest() }

func (s *fakeStore) Growth() []activity.Sample {
	stats := s.Stats()
	return append(slices.Clone(s.samples), activity.Sample{At: s.at, Routes: stats.Routes, Prefixes: stats.Prefixes})
}

func (s *fakeStore) Search(ctx context.Context, q query.Query, p query.Page) (*query.Result, error) {
	s.pages++
	if s.hook != nil {
		s.hook()
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if s.err != nil {
		return nil, s.err
	}
	all := s.match(ctx, q)
	res := &query.Result{Query: q, Plan: planOf(q), At: s.at, Total: len(all)}
	start := 0
	if p.Cursor != "" {
		n, err := strconv.Atoi(p.Cursor)
		if err != nil || n <= 0 || n >= len(all) {
			return nil, query.ErrCursor
		}
		start = n
	}
	end := min(start+p.Limit, len(all))
	for end < len(all) && end > 0 && all[end].Prefix == all[end-1].Prefix {
		end++
	}
	if end < len(all) {
		res.NextCursor = strconv.Itoa(end)
	}
	res.Routes = all[start:end]
	res.Freshness = s.freshness(res.Routes)
	return res, nil
}

// planOf is the plan of a lookup.
func planOf(q query.Query) query.Plan {
	l, _ := q.Lookup()
	method := map[query.Match]query.Method{
		query.Any: query.Walk, query.OrLonger: query.Walk, query.Longest: query.LongestMatch, query.Exact: query.ExactMatch,
		query.OrShorter: query.Covering,
	}[l.Match]
	return query.Plan{Method: method, Sets: "origin 64500", Routes: "peer edge1", Cost: 1}
}

func (s *fakeStore) Explain(_ context.Context, q query.Query) (query.Plan, error) {
	return planOf(q), s.err
}

func (s *fakeStore) Facets(ctx context.Context, q query.Query, most int) (f *query.Facets, err error) {
	f, err = query.Count(ctx, s.known(), q, most)
	return f, errors.Join(err, s.err)
}

func (s *fakeStore) ASNeighbors(ctx context.Context, asn route.ASN, _ query.Moment, most int) (f *query.Neighbors, err error) {
	f, err = query.ASNeighbors(ctx, s.known(), asn, most)
	return f, errors.Join(err, s.err)
}

// forgetful answers questions about the past as one who keeps none of it.
type forgetful struct{}

func (forgetful) PeersAt(context.Context, query.Moment) ([]ribstore.PeerStats, time.Time, []string, error) {
	return nil, time.Time{}, nil, ribstore.ErrNoHistory
}

func (forgetful) StreamChanges(context.Context, query.Query, []changes.Kind, func([]changes.Change) error) error {
	return ribstore.ErrNoHistory
}

func (forgetful) StreamNewestChanges(context.Context, query.Query, []changes.Kind, func([]changes.Change) error) error {
	return ribstore.ErrNoHistory
}

func (forgetful) Changes(context.Context, query.Query, changes.Page) (*changes.List, error) {
	return nil, ribstore.ErrNoHistory
}

func (forgetful) Timeline(context.Context, query.Query, int) (*changes.Timeline, error) {
	return nil, ribstore.ErrNoHistory
}

func (forgetful) Compare(context.Context, compare.Request) (*compare.Comparison, []string, error) {
	return nil, nil, ribstore.ErrNoHistory
}

// known returns the routes in a real table.
func (s *fakeStore) known() query.Known {
	t := table.New()
	up := map[string]bool{}
	for i := range s.routes {
		r := &s.routes[i]
		if !up[r.Peer.Name] {
			up[r.Peer.Name] = true
			t.Apply(&route.Batch{Peer: r.Peer, At: r.ReceivedAt, Event: route.PeerUp})
		}
		t.Apply(&route.Batch{Peer: r.Peer, At: r.ReceivedAt, Updates: []route.Update{
			{Family: r.Family, Attrs: r.Attrs, NLRI: []route.NLRI{{Prefix: r.Prefix, PathID: r.PathID}}},
		}})
	}
	return query.Known{Table: t, At: s.at}
}

// matchInTable answers what is more than a lookup.
func (s *fakeStore) matchInTable(ctx context.Context, q query.Query) (list []route.Route) {
	id := func(r *route.Route) string { return r.Peer.Name + r.Prefix.String() }
	found := map[string]bool{}
	res, err := query.Run(ctx, s.known(), q, query.Page{Limit: 1 << 30})
	if err != nil {
		panic(err)
	}
	for i := range res.Routes {
		found[id(&res.Routes[i])] = true
	}
	for i := range s.routes {
		if found[id(&s.routes[i])] {
			list = append(list, s.routes[i])
		}
	}
	return list
}

// streamSlice is how many routes the fake gives at a time.
const streamSlice = 1000

func (s *fakeStore) Stream(ctx context.Context, q query.Query, yield func([]route.Route) error) error {
	for slice := range slices.Chunk(s.match(ctx, q), streamSlice) {
		s.pages++
		if s.hook != nil {
			s.hook()
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if s.err != nil {
			return s.err
		}
		if err := yield(slice); err != nil {
			return err
		}
	}
	return nil
}

func (s *fakeStore) freshness(routes []route.Route) []query.Freshness {
	var list []query.Freshness
	for _, r := range routes {
		if !slices.ContainsFunc(list, func(f query.Freshness) bool { return f.Peer == r.Peer.Name }) {
			list = append(list, s.peers[r.Peer.Name].Freshness)
		}
	}
	return list
}

func (s *fakeStore) match(ctx context.Context, all query.Query) []route.Route {
	q, plain := all.Lookup()
	if !plain {
		return s.matchInTable(ctx, all)
	}
	longest := -1
	for _, r := range s.routes {
		if q.Match == query.Longest && r.Prefix.Contains(q.Prefix.Addr()) {
			longest = max(longest, r.Prefix.Bits())
		}
	}
	var list []route.Route
	for _, r := range s.routes {
		if len(q.Peers) > 0 && !slices.Contains(q.Peers, r.Peer.Name) ||
			len(q.Families) > 0 && !slices.Contains(q.Families, r.Family) {
			continue
		}
		inside := q.Prefix.Bits() <= r.Prefix.Bits() && q.Prefix.Contains(r.Prefix.Addr())
		around := r.Prefix.Bits() <= q.Prefix.Bits() && r.Prefix.Contains(q.Prefix.Addr())
		switch q.Match {
		case query.Any:
		case query.Longest:
			if !around || r.Prefix.Bits() != longest {
				continue
			}
		case query.Exact:
			if r.Prefix != q.Prefix {
				continue
			}
		case query.OrLonger:
			if !inside {
				continue
			}
		case query.OrShorter:
			if !around {
				continue
			}
		}
		list = append(list, r)
	}
	return list
}

func (s *fakeStore) Stats() ribstore.Stats {
	stats := ribstore.Stats{AttributeSets: len(s.routes), Peers: len(s.peers), TableBytes: 4096}
	seen := map[netip.Prefix]bool{}
	for _, r := range s.routes {
		stats.Routes[r.Family]++
		if !r.StaleSince.IsZero() {
			stats.Stale[r.Family]++
		}
		if !seen[r.Prefix] {
			seen[r.Prefix] = true
			stats.Prefixes[r.Family]++
		}
	}
	return stats
}

func (s *fakeStore) Peer(name string) (ribstore.PeerStats, bool) {
	p, ok := s.peers[name]
	return p, ok
}

// fakeSessions is a fixed list.
type fakeSessions []route.Session

func (s fakeSessions) Sessions() []route.Session { return slices.Clone(s) }

func (s fakeSessions) Session(name string) (route.Session, bool) {
	for _, one := range s {
		if one.Peer.Name == name {
			return one, true
		}
	}
	return route.Session{}, false
}

// Malformed returns a message of edge1.
func (s fakeSessions) Malformed(name string) []route.Malformed {
	if name != "edge1" {
		return nil
	}
	return []route.Malformed{{
		At: now.Add(-time.Hour), Kind: route.TreatedAsWithdraw, Error: "attribute 2 (AS_PATH): AS 0",
		More: []string{"attribute 5 (LOCAL_PREF): from an external peer"}, RFC: "RFC 7606 section 7.2",
		Prefixes: []route.NLRI{{Prefix: netip.MustParsePrefix("198.51.100.0/24")}}, Total: 70,
		Message: []byte{0xff, 0xff, 2}, Length: 3000,
	}}
}

// now is the moment at which the tests take place.
var now = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// attrs builds path attributes for the tests.
type attrs struct {
	path        []route.ASN
	set         []route.ASN
	nextHop     string
	med, pref   int // -1: none
	communities []route.Community
	large       []route.LargeCommunity
	everything  bool // one of each other attribute
}

func (a attrs) build() route.Attrs {
	u32 := func(n uint32) []byte { return binary.BigEndian.AppendUint32(nil, n) }
	var path route.ASPath
	if len(a.path) > 0 {
		path = path.AppendSegment(route.ASSequence, a.path...)
	}
	if len(a.set) > 0 {
		path = path.AppendSegment(route.ASSet, a.set...)
	}
	var b route.Attrs
	b = b.AppendAttr(route.AttrOrigin, []byte{0})
	b = b.AppendAttr(route.AttrASPath, path)
	b = b.AppendAttr(route.AttrNextHop, netip.MustParseAddr(a.nextHop).AsSlice())
	if a.med >= 0 {
		b = b.AppendAttr(route.AttrMED, u32(uint32(a.med)))
	}
	if a.pref >= 0 {
		b = b.AppendAttr(route.AttrLocalPref, u32(uint32(a.pref)))
	}
	if a.everything {
		b = b.AppendAttr(route.AttrAtomicAggregate, nil)
		b = b.AppendAttr(route.AttrAggregator, append(u32(64511), 192, 0, 2, 9))
	}
	var list []byte
	for _, c := range a.communities {
		list = append(list, u32(uint32(c))...)
	}
	if list != nil {
		b = b.AppendAttr(route.AttrCommunities, list)
	}
	if a.everything {
		b = b.AppendAttr(route.AttrOriginatorID, []byte{192, 0, 2, 77})
		b = b.AppendAttr(route.AttrClusterList, []byte{192, 0, 2, 1, 192, 0, 2, 2})
		b = b.AppendAttr(route.AttrTooLong, route.AppendTooLong(nil, route.AttrCommunities, 0xc0, make([]byte, 20_000)))
		b = b.AppendAttr(route.AttrExtCommunities, []byte{0, 2, 0xfb, 0xf4, 0, 0, 0, 1, 0x43, 0, 0, 0, 0, 0, 0, 2})
		b = b.AppendAttr(route.AttrIPv6ExtCommunity, append([]byte{0, 2}, append(netip.MustParseAddr("2001:db8::1").AsSlice(), 0, 7)...))
		b = b.AppendAttr(route.AttrAIGP, append([]byte{1, 0, 11}, 0, 0, 0, 1, 0, 0, 0, 5))
	}
	list = nil
	for _, c := range a.large {
		list = append(append(append(list, u32(c.Global)...), u32(c.Local1)...), u32(c.Local2)...)
	}
	if list != nil {
		b = b.AppendAttr(route.AttrLargeCommunities, list)
	}
	if a.everything {
		b = b.AppendAttr(route.AttrOTC, u32(64500))
		b = b.AppendAttr(99, []byte{0xc0, 0xde, 0xad, 0xbe, 0xef})
		b = b.AppendAttr(route.AttrAttrSet, append([]byte{0xc0, 0, 0, 0xfb, 0xf4, 0x40, 5, 4}, u32(100)...))
	}
	return b
}

// world is a small exchange: two routers and a route server whose session is
// down.
func world() (*fakeStore, fakeSessions) {
	edge1 := &route.Peer{
		Name: "edge1", Router: "ams1", Description: "Edge router, Amsterdam", Address: netip.MustParseAddr("192.0.2.1"),
		ASN: 64500, LocalASN: 64500, RouterID: netip.MustParseAddr("192.0.2.1"),
	}
	edge2 := &route.Peer{
		Name: "edge2", Description: "Transit, Frankfurt", Address: netip.MustParseAddr("2001:db8:ffff::2"),
		ASN: 64510, LocalASN: 64500, RouterID: netip.MustParseAddr("192.0.2.2"),
	}
	rs := &route.Peer{
		Name: "rs1.ixp", Group: "ixp", Description: "Route server", Address: netip.MustParseAddr("198.51.100.1"),
		ASN: 4200000001, LocalASN: 64500, RouterID: netip.MustParseAddr("198.51.100.1"), AddPath: [4]bool{true, true},
	}
	down := now.Add(-25 * time.Minute)
	peerStats := func(p *route.Peer, v4, v6 int, stale bool) ribstore.PeerStats {
		s := ribstore.PeerStats{Freshness: query.Freshness{Peer: p.Name, Up: !stale, LastUpdate: now.Add(-4 * time.Second)}}
		s.Routes[route.IPv4Unicast], s.Routes[route.IPv6Unicast] = v4, v6
		s.Freshness.EndOfRIB[route.IPv4Unicast] = now.Add(-50 * time.Hour)
		if stale {
			s.Stale = s.Routes
			s.Freshness.StaleSince = down
		}
		return s
	}
	store := &fakeStore{at: now, peers: map[string]ribstore.PeerStats{
		"edge1": peerStats(edge1, 1038211, 231004, false), "edge2": peerStats(edge2, 1036009, 0, false),
		"rs1.ixp": peerStats(rs, 3, 1, true),
	}}
	store.routes = worldRoutes(edge1, edge2, rs, down)
	store.meter, store.samples = lastHour(edge1, edge2), lastDays()
	session := func(p *route.Peer, state route.State, since time.Duration) route.Session {
		s := route.Session{
			Peer: p, State: state, Since: now.Add(-since), LastUpdate: now.Add(-4 * time.Second), HoldTime: 90 * time.Second,
			Families: []route.Family{route.IPv4Unicast, route.IPv6Unicast},
			Capabilities: []route.Capability{
				{Code: 1, Name: "multiprotocol", Value: "ipv4-unicast, ipv6-unicast", Ours: true},
				{Code: 2, Name: "route-refresh", Ours: true},
				{Code: 64, Name: "graceful-restart", Value: "restart time 120 s, ipv4-unicast (forwarding preserved)", Ours: true},
				{Code: 73, Name: "fqdn", Value: p.Name + ".example.net"},
			},
			Counters: route.SessionCounters{
				MessagesIn: 205311, MessagesOut: 811, BytesIn: 88123456, BytesOut: 16001, UpdatesIn: 204500,
				PrefixesAnnounced: 1269215, PrefixesWithdrawn: 5120, SessionsEstablished: 2,
			},
			History: []route.Transition{
				{At: now.Add(-since), From: route.StateOpenConfirm, To: state, Reason: "KEEPALIVE received"},
				{At: now.Add(-since - 9*time.Second), From: route.StateEstablished, To: route.StateIdle, Reason: "NOTIFICATION received: hold timer expired"},
			},
		}
		s.EndOfRIB[route.IPv4Unicast] = now.Add(-since + 20*time.Second)
		return s
	}
	lost := session(rs, route.StateActive, 25*time.Minute)
	lost.LastError = `NOTIFICATION received: Cease / Administrative Shutdown: "moving to the new rack, back at 13:00"`
	lost.Capabilities = nil
	lost.MaxPrefixes, lost.MaxAttributeBytes, lost.Role = 200000, 128<<20, "rs-client"
	lost.Notices = []route.Notice{{
		Kind: "max_prefixes", Since: now.Add(-25 * time.Minute), Last: now.Add(-24 * time.Minute), Count: 3,
		Text: "The session was ended: 200001 <ipv4-unicast> prefixes, max_prefixes 200000.",
	}}
	return store, fakeSessions{session(edge2, route.StateEstablished, 3*time.Hour), session(edge1, route.StateEstablished, 51*time.Hour), lost}
}

// lastHour is an hour in which edge1 changes a prefix twice a minute for half of
// it, and edge2 another one once.
func lastHour(edge1, edge2 *route.Peer) *activity.Meter {
	m := activity.New(now.Add(-61 * time.Minute))
	change := func(p *route.Peer, ago time.Duration, prefixes ...string) {
		u := route.Update{Attrs: attrs{path: []route.ASN{64510}, nextHop: "192.0.2.1", med: -1, pref: -1}.build()}
		for _, one := range prefixes {
			u.NLRI = append(u.NLRI, route.NLRI{Prefix: netip.MustParsePrefix(one)})
		}
		m.Observe(&route.Batch{Peer: p, At: now.Add(-ago), Updates: []route.Update{u}})
	}
	for i := range 30 {
		change(edge1, time.Duration(59-i)*time.Minute, "1.1.1.0/24", "1.1.1.0/24")
	}
	change(edge2, time.Minute, "1.1.0.0/16")
	m.Tick(now.Add(-time.Second), func() activity.Sample { return activity.Sample{} })
	return m
}

// lastDays is a table that had one route yesterday, and two three hours ago.
func lastDays() []activity.Sample {
	sample := func(ago time.Duration, n int) activity.Sample {
		s := activity.Sample{At: now.Add(-ago)}
		s.Routes[route.IPv4Unicast], s.Prefixes[route.IPv4Unicast] = n, 1
		return s
	}
	return []activity.Sample{sample(24*time.Hour, 1), sample(3*time.Hour, 2)}
}

func worldRoutes(edge1, edge2, rs *route.Peer, down time.Time) []route.Route {
	at := func(p *route.Peer, prefix string, a attrs, best bool, decision string) route.Route {
		r := route.Route{
			Prefix: netip.MustParsePrefix(prefix), Peer: p, Attrs: a.build(), ReceivedAt: now.Add(-26 * time.Hour),
			Best: best, Decision: decision,
		}
		if r.Prefix.Addr().Is6() {
			r.Family = route.IPv6Unicast
		}
		if p == rs {
			r.StaleSince, r.PathID = down, 7
		}
		return r
	}
	via := func(n ...route.ASN) []route.ASN { return n }
	return []route.Route{
		at(edge1, "1.1.0.0/16", attrs{path: via(3356), nextHop: "192.0.2.1", med: 0, pref: 100}, true, "only-route"),
		at(edge2, "1.1.1.0/24", attrs{
			path: via(64510, 64510, 64510, 13335), nextHop: "2001:db8:ffff::2", med: -1, pref: -1,
			communities: []route.Community{64510<<16 | 100, 0xffffff01},
		}, false, "as-path-length"),
		at(edge1, "1.1.1.0/24", attrs{
			path: via(3356, 13335), nextHop: "192.0.2.1", med: 10, pref: 200,
			communities: []route.Community{3356<<16 | 3, 3356<<16 | 86, 64500<<16 | 1}, large: []route.LargeCommunity{{Global: 64500, Local1: 1, Local2: 2}},
		}, true, "local-pref"),
		at(rs, "1.1.1.0/24", attrs{
			path: via(4200000001, 13335), set: via(64601, 64602), nextHop: "198.51.100.77", med: -1, pref: -1,
			everything: true,
		}, false, "stale"),
		at(rs, "198.51.100.0/24", attrs{path: via(4200000001), nextHop: "198.51.100.77", med: -1, pref: -1}, true, ""),
		at(edge1, "2001:db8:1::/48", attrs{path: via(3356, 1299, 1299, 64496), nextHop: "2001:db8::1", med: -1, pref: 100}, true, "only-route"),
	}
}

func newServer(t testing.TB, cfg httpapi.Config, store httpapi.Store, sessions httpapi.Sessions) *httpapi.Server {
	t.Helper()
	limits := ribstore.DefaultConfig().Limits()
	limits[ribstore.Streams].Places = cfg.MaxStreams
	budget, err := ribstore.NewBudget(limits, nil)
	if err != nil {
		t.Fatal(err)
	}
	budget.Memory().SetLimit(4 << 30)
	s, err := httpapi.New(cfg, httpapi.Deps{
		Store: store, Sessions: sessions, Logger: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry(),
		// The AS number and the router id may have changed since the start.
		Info:     httpapi.Info{Version: "0.1.0", ASN: 64999, RouterID: netip.MustParseAddr("192.0.2.99"), StartedAt: now.Add(-60 * time.Hour)},
		Identity: func() (route.ASN, netip.Addr) { return 64500, netip.MustParseAddr("192.0.2.10") },
		Now:      func() time.Time { return now }, Budget: budget,
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// worldHandler is the handler of a server that shows the world.
func worldHandler(t testing.TB) http.Handler {
	t.Helper()
	store, sessions := world()
	return newServer(t, httpapi.DefaultConfig(), store, sessions).Handler()
}

// ask sends a GET with headers in pairs of name and value.
func ask(t testing.TB, h http.Handler, target string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	if err := setTarget(r, target); err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// oneAnswer gives the same routes to every query, without looking.
type oneAnswer struct {
	*fakeStore
	routes []route.Route
}

func (s *oneAnswer) Search(_ context.Context, q query.Query, _ query.Page) (*query.Result, error) {
	return &query.Result{
		Query: q, At: s.at, Total: len(s.routes), Routes: s.routes,
		Freshness: []query.Freshness{s.peers["edge1"].Freshness, s.peers["edge2"].Freshness},
	}, nil
}

// discard is a ResponseWriter that keeps only the status.
type discard struct {
	header http.Header
	status int
}

func (w *discard) Header() http.Header         { return w.header }
func (w *discard) Write(b []byte) (int, error) { return len(b), nil }
func (w *discard) WriteHeader(status int)      { w.status = status }
