package table

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"ribglass/ribstore/route"
)

// twin is the stupid twin of a table: a map of routes, each with the session
// that confirmed it.
type twin struct {
	routes map[twinKey]twinRoute
	peers  map[string]*twinPeer
}

type twinKey struct {
	family route.Family
	prefix netip.Prefix
	peer   string
	pathID uint32
}

type twinRoute struct {
	attrs      string
	receivedAt int64
	session    int // of the peer when it was last sent; refreshes count too
	staleSince int64
	asFresh    bool
}

type twinPeer struct {
	up       bool
	addPath  [route.NumFamilies]bool
	session  [route.NumFamilies]int
	deadline [route.NumFamilies]int64
	downAt   int64
	asFresh  [route.NumFamilies]bool
}

func newTwin() *twin { return &twin{map[twinKey]twinRoute{}, map[string]*twinPeer{}} }

func (w *twin) apply(b *route.Batch) {
	p := w.peers[b.Peer.Name]
	if p == nil {
		p = &twinPeer{addPath: b.Peer.AddPath}
		w.peers[b.Peer.Name] = p
	}
	switch b.Event {
	case route.Routes:
		for _, u := range b.Updates {
			w.update(b, p, u)
		}
	case route.PeerUp:
		w.up(b, p)
	case route.PeerDown:
		w.down(b, p)
	case route.PeerRemoved:
		w.drop(b.Peer.Name, func(twinKey, twinRoute) bool { return true })
		delete(w.peers, b.Peer.Name)
	case route.RefreshBegin:
		p.session[b.Family]++
	case route.EndOfRIB:
		p.deadline[b.Family] = 0
		w.dropStale(b.Peer.Name, b.Family)
	case route.RefreshEnd:
		w.drop(b.Peer.Name, func(k twinKey, r twinRoute) bool {
			return k.family == b.Family && r.session != p.session[b.Family]
		})
	}
}

func (w *twin) update(b *route.Batch, p *twinPeer, u route.Update) {
	for _, n := range u.NLRI {
		k := twinKey{u.Family, n.Prefix, b.Peer.Name, n.PathID}
		if u.Withdraw() {
			delete(w.routes, k)
			continue
		}
		r := twinRoute{attrs: string(u.Attrs), receivedAt: b.At.Unix(), session: p.session[u.Family]}
		if old, ok := w.routes[k]; ok && old.attrs == r.attrs {
			r.receivedAt = old.receivedAt
		}
		w.routes[k] = r
	}
}

func (w *twin) up(b *route.Batch, p *twinPeer) {
	p.up = true
	for _, f := range route.Families() {
		if p.addPath[f] != b.Peer.AddPath[f] {
			w.drop(b.Peer.Name, func(k twinKey, _ twinRoute) bool { return k.family == f })
		}
		w.markStale(b.Peer.Name, f, b.At.Unix())
		p.session[f]++
		p.deadline[f] = 0
		if keep := b.Retention[f].Stale; keep <= 0 {
			w.dropStale(b.Peer.Name, f)
		} else {
			p.deadline[f] = b.At.Add(keep).Unix()
		}
	}
	p.addPath = b.Peer.AddPath
}

func (w *twin) down(b *route.Batch, p *twinPeer) {
	p.up, p.downAt = false, b.At.Unix()
	for _, f := range route.Families() {
		if b.Retention[f].Graceful {
			w.dropStale(b.Peer.Name, f)
		}
		w.markStale(b.Peer.Name, f, b.At.Unix())
		p.asFresh[f] = b.Retention[f].AsFresh
		p.deadline[f] = 0
		if keep := b.Retention[f].Stale; keep > 0 {
			p.deadline[f] = b.At.Add(keep).Unix()
		} else {
			w.drop(b.Peer.Name, func(k twinKey, _ twinRoute) bool { return k.family == f })
		}
	}
	w.expirePeer(b.Peer.Name, b.At.Unix())
}

func (w *twin) expire(now int64) {
	for name := range w.peers {
		w.expirePeer(name, now)
	}
}

// expirePeer drops what is due: of a peer that is down each route as long after it
// became stale as those are that became stale last.
func (w *twin) expirePeer(name string, now int64) {
	p := w.peers[name]
	for _, f := range route.Families() {
		due := func(r twinRoute) bool {
			if p.up {
				return now >= p.deadline[f]
			}
			return now-r.staleSince >= p.deadline[f]-p.downAt
		}
		if p.deadline[f] == 0 {
			continue
		}
		w.drop(name, func(k twinKey, r twinRoute) bool { return k.family == f && r.staleSince != 0 && due(r) })
		if now >= p.deadline[f] {
			p.deadline[f] = 0
		}
	}
}

func (w *twin) markStale(peer string, f route.Family, at int64) {
	for k, r := range w.routes {
		if k.peer == peer && k.family == f && r.staleSince == 0 {
			r.staleSince = at
			w.routes[k] = r
		}
	}
}

func (w *twin) dropStale(peer string, f route.Family) {
	w.drop(peer, func(k twinKey, r twinRoute) bool { return k.family == f && r.staleSince != 0 })
}

func (w *twin) drop(peer string, match func(twinKey, twinRoute) bool) {
	maps.DeleteFunc(w.routes, func(k twinKey, r twinRoute) bool { return k.peer == peer && match(k, r) })
}

// attrsOf makes an attribute set that differs by n.
func attrsOf(n int) route.Attrs {
	path := route.ASPath(nil).AppendSegment(route.ASSequence, route.ASN(64500+n), route.ASN(n))
	a := route.Attrs(nil).AppendAttr(route.AttrOrigin, []byte{0}).AppendAttr(route.AttrASPath, path)
	if n%5 == 0 { // some are long enough for a long length
		a = a.AppendAttr(route.AttrCommunities, binary.BigEndian.AppendUint32(make([]byte, 400), uint32(n)))
	}
	return a
}

// snapshot reads everything out of a table in the twin's form.
func snapshot(t *Table) (map[twinKey]twinRoute, error) {
	found := map[twinKey]twinRoute{}
	err := t.View(func(v *View) error {
		for _, f := range route.Families() {
			for d := range v.Within(f, netip.Prefix{}, netip.Prefix{}) {
				routes := v.Routes(nil, d, nil)
				if len(routes) == 0 || !routes[0].Best {
					return fmt.Errorf("%v has %d routes, best first %v", d.Prefix, len(routes), len(routes) > 0)
				}
				for _, r := range routes {
					since := int64(0)
					if !r.StaleSince.IsZero() {
						since = r.StaleSince.Unix()
					}
					k := twinKey{f, d.Prefix, r.Peer.Name, r.PathID}
					if _, twice := found[k]; twice {
						return fmt.Errorf("%v is there twice", k)
					}
					found[k] = twinRoute{attrs: string(r.Attrs), receivedAt: r.ReceivedAt.Unix(), staleSince: since, asFresh: r.AsFresh}
				}
			}
		}
		return nil
	})
	return found, err
}

// settle lets all background work finish.
func settle(t *Table) {
	for t.Work() || t.Pending() {
	}
}

func compare(tb interface {
	Helper()
	Fatal(...any)
	Fatalf(string, ...any)
}, t *Table, w *twin,
) {
	tb.Helper()
	got, err := snapshot(t)
	if err != nil {
		tb.Fatal(err)
	}
	want := map[twinKey]twinRoute{}
	for k, r := range w.routes {
		p := w.peers[k.peer] // nil: the table was loaded
		r.session, r.asFresh = 0, r.staleSince != 0 && p != nil && p.asFresh[k.family]
		want[k] = r
	}
	if diff := gocmp.Diff(want, got, gocmp.AllowUnexported(twinKey{}, twinRoute{}), gocmp.Comparer(func(a, b netip.Prefix) bool { return a == b })); diff != "" {
		tb.Fatalf("table differs from its twin (-twin +table):\n%s", diff)
	}
	sets, prefixes := map[string]bool{}, map[twinKey]bool{}
	var routes [route.NumFamilies]int
	for k, r := range w.routes {
		sets[r.attrs] = true
		routes[k.family]++
		prefixes[twinKey{family: k.family, prefix: k.prefix}] = true
	}
	c := t.Counts()
	if c.AttributeSets != len(sets) || c.Routes != routes || c.Prefixes[0]+c.Prefixes[1]+c.Prefixes[2]+c.Prefixes[3] != len(prefixes) {
		tb.Fatalf("counts %+v, want %d sets, %v routes, %d prefixes", c, len(sets), routes, len(prefixes))
	}
	comparePrefixes(tb, t, w)
}

// comparePrefixes makes sure that the paths of one prefix count as one of the peer.
func comparePrefixes(tb interface {
	Helper()
	Fatalf(string, ...any)
}, t *Table, w *twin,
) {
	tb.Helper()
	type place struct {
		peer   string
		family route.Family
		prefix netip.Prefix
	}
	seen, want := map[place]bool{}, map[string][route.NumFamilies]int{}
	for k := range w.routes {
		if at := (place{k.peer, k.family, k.prefix}); !seen[at] {
			seen[at] = true
			counts := want[k.peer]
			counts[k.family]++
			want[k.peer] = counts
		}
	}
	for _, p := range t.Peers() {
		if p.Prefixes != want[p.Peer.Name] {
			tb.Fatalf("%s has %v prefixes, want %v", p.Peer.Name, p.Prefixes, want[p.Peer.Name])
		}
	}
}

// compareCharges makes sure that every attribute set is charged to one peer, which
// holds it, once the peers were counted again, and that nothing is charged to
// nobody's account before that.
func compareCharges(tb interface {
	Helper()
	Fatalf(string, ...any)
}, t *Table, w *twin,
) {
	tb.Helper()
	all, held, alone := map[string]uint64{}, map[string]map[string]bool{}, map[string]uint64{}
	for k, r := range w.routes {
		all[r.attrs] = uint64(framed(len(r.attrs)))
		if held[k.peer] == nil {
			held[k.peer] = map[string]bool{}
		}
		held[k.peer][r.attrs] = true
	}
	for set, size := range all {
		var holders []string
		for peer, sets := range held {
			if sets[set] {
				holders = append(holders, peer)
			}
		}
		if len(holders) == 1 {
			alone[holders[0]] += size
		}
	}
	charged := func() (sum uint64) {
		t.Measure()
		for peer := range w.peers {
			sum += t.AttributeBytes(peer)
		}
		return sum
	}
	octets := func(sets map[string]bool) (sum uint64) {
		for set := range sets {
			sum += all[set]
		}
		return sum
	}
	total := uint64(0)
	for _, size := range all {
		total += size
	}
	if sum := charged(); sum > total {
		tb.Fatalf("%d octets are charged for %d", sum, total)
	}
	for peer := range w.peers {
		t.Recount(peer)
	}
	for peer := range w.peers { // what one peer was relieved of another takes
		t.Recount(peer)
		if got := t.AttributeBytes(peer); got > octets(held[peer]) || got < alone[peer] {
			tb.Fatalf("%s is charged for %d octets, holds %d, %d of them alone", peer, got, octets(held[peer]), alone[peer])
		}
	}
	if sum := charged(); sum != total {
		tb.Fatalf("%d octets of %d are charged after all were counted", sum, total)
	}
}

func TestTableEqualsMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		table, w := New(), newTwin()
		table.columnMin = rapid.SampledFrom([]int{1, 4, columnMinRoutes}).Draw(t, "columnMin")
		pool4 := rapid.SliceOfN(genPrefix(false), 1, 20).Draw(t, "ipv4")
		pool6 := rapid.SliceOfN(genPrefix(true), 1, 10).Draw(t, "ipv6")
		now := time.Unix(1_000_000, 0)
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 20).Draw(t, "pass")) * time.Second)
			table.Expire(now)
			w.expire(now.Unix())
			if rapid.Bool().Draw(t, "work") {
				settle(table)
			}
			b := genBatch(t, w, now, pool4, pool6)
			table.Apply(b)
			w.apply(b)
			if rapid.IntRange(0, 3).Draw(t, "compare") == 0 {
				settle(table)
				compare(t, table, w)
				compareCharges(t, table, w)
			}
		}
		settle(table)
		compare(t, table, w)
		compareCharges(t, table, w)
	})
}

func genBatch(t *rapid.T, w *twin, now time.Time, pool4, pool6 []netip.Prefix) *route.Batch {
	name := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "peer")
	info := &route.Peer{Name: name, ASN: 64500, Address: netip.AddrFrom4([4]byte{192, 0, 2, name[0]})}
	known := w.peers[name]
	if known != nil {
		info.AddPath = known.addPath
	}
	b := &route.Batch{Peer: info, At: now, Family: rapid.SampledFrom([]route.Family{0, 0, 1, 2}).Draw(t, "family")}
	kinds := []route.Event{route.Routes, route.Routes, route.Routes, route.Routes, route.EndOfRIB, route.RefreshBegin, route.RefreshEnd, route.PeerDown, route.PeerRemoved}
	if known == nil || !known.up {
		kinds = []route.Event{route.PeerUp}
		info.AddPath[0] = rapid.IntRange(0, 3).Draw(t, "add-path") == 0
	}
	b.Event = rapid.SampledFrom(kinds).Draw(t, "event")
	for f := range b.Retention {
		b.Retention[f].Stale = time.Duration(rapid.SampledFrom([]int{0, 10, 30}).Draw(t, "stale")) * time.Second
		b.Retention[f].Graceful = rapid.Bool().Draw(t, "graceful")
		b.Retention[f].AsFresh = rapid.Bool().Draw(t, "as fresh")
	}
	if b.Event == route.Routes {
		for range rapid.IntRange(1, 6).Draw(t, "updates") {
			b.Updates = append(b.Updates, genUpdate(t, info, pool4, pool6))
		}
	}
	return b
}

func genUpdate(t *rapid.T, info *route.Peer, pool4, pool6 []netip.Prefix) route.Update {
	u := route.Update{Family: rapid.SampledFrom([]route.Family{0, 0, 1, 2}).Draw(t, "family")}
	pool := pool4
	if u.Family.IsIPv6() {
		pool = pool6
	}
	if rapid.IntRange(0, 3).Draw(t, "withdraw") > 0 {
		u.Attrs = attrsOf(rapid.IntRange(0, 12).Draw(t, "attrs"))
	}
	for range rapid.IntRange(1, 8).Draw(t, "prefixes") {
		n := route.NLRI{Prefix: rapid.SampledFrom(pool).Draw(t, "prefix")}
		if info.AddPath[u.Family] {
			n.PathID = uint32(rapid.IntRange(0, 2).Draw(t, "path"))
		}
		u.NLRI = append(u.NLRI, n)
	}
	return u
}

// TestRoutesOutliveManySessions has a peer come back more often than there are
// generations, without completing: nothing it once said is lost.
func TestRoutesOutliveManySessions(t *testing.T) {
	for _, columnMin := range []int{1, columnMinRoutes} {
		table, w := New(), newTwin()
		table.columnMin = columnMin
		peer := &route.Peer{Name: "a"}
		at := time.Unix(1000, 0)
		apply := func(b *route.Batch) {
			b.Peer, b.At = peer, at
			for f := range b.Retention {
				b.Retention[f].Stale = time.Hour
			}
			table.Apply(b)
			w.apply(b)
		}
		for i := range 3 * generations {
			apply(&route.Batch{Event: route.PeerUp})
			p := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i), 0, 0}), 16)
			apply(&route.Batch{Updates: []route.Update{{Attrs: attrsOf(i), NLRI: []route.NLRI{{Prefix: p}}}}})
			apply(&route.Batch{Event: route.PeerDown})
		}
		settle(table)
		compare(t, table, w)
		apply(&route.Batch{Event: route.PeerUp})
		apply(&route.Batch{Event: route.EndOfRIB})
		settle(table)
		compare(t, table, w)
	}
}

// TestReadersSeeWholeRoutes lets readers check an invariant while a writer
// changes everything: the attributes of a route always name its prefix.
func TestReadersSeeWholeRoutes(t *testing.T) {
	table := New()
	table.columnMin = 64
	const prefixes = 700
	prefixOf := func(i int) netip.Prefix {
		return netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i >> 8), byte(i), 0}), 24)
	}
	attrs := func(i, version int) route.Attrs {
		value := binary.BigEndian.AppendUint32(nil, uint32(i))
		value = binary.BigEndian.AppendUint32(value, uint32(version))
		return route.Attrs(nil).AppendAttr(route.AttrCommunities, value)
	}
	done := make(chan struct{})
	var readers sync.WaitGroup
	for range 3 {
		readers.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				if err := checkNames(table); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	peers := []*route.Peer{{Name: "a"}, {Name: "b"}, {Name: "c", AddPath: [route.NumFamilies]bool{true}}}
	at := time.Unix(1, 0)
	for round := range 60 {
		for _, p := range peers {
			table.Apply(&route.Batch{Peer: p, At: at, Event: route.PeerUp, Retention: [route.NumFamilies]route.Retention{{Stale: time.Hour}}})
			for i := range prefixes {
				u := route.Update{NLRI: []route.NLRI{{Prefix: prefixOf(i), PathID: 0}}}
				if (i+round)%7 != 0 {
					u.Attrs = attrs(i, round%3)
				}
				table.Apply(&route.Batch{Peer: p, At: at, Updates: []route.Update{u}})
				if i%50 == 0 {
					table.Work()
				}
			}
			table.Apply(&route.Batch{Peer: p, At: at, Event: route.EndOfRIB})
			table.Work()
			if round%5 == 4 {
				table.Apply(&route.Batch{Peer: p, At: at, Event: route.PeerDown})
			}
		}
	}
	close(done)
	readers.Wait()
}

func checkNames(table *Table) error {
	return table.View(func(v *View) error {
		for d := range v.Within(route.IPv4Unicast, netip.Prefix{}, netip.Prefix{}) {
			for _, r := range v.Routes(nil, d, nil) {
				addr := d.Prefix.Addr().As4()
				want := uint32(addr[1])<<8 | uint32(addr[2])
				if c := r.Attrs.Communities(); c.Len() != 2 || uint32(c.At(0)) != want {
					return fmt.Errorf("%v has the attributes of %v", d.Prefix, c.At(0))
				}
			}
		}
		return nil
	})
}

func TestMemoryComesBack(t *testing.T) {
	table := New()
	table.columnMin = 1000
	for round := range 3 {
		for _, name := range []string{"a", "b"} {
			peer := &route.Peer{Name: name}
			table.Apply(&route.Batch{Peer: peer, Event: route.PeerUp, At: time.Unix(1, 0)})
			for i := range 20_000 {
				p := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i >> 8), byte(i), 0}), 24)
				table.Apply(&route.Batch{Peer: peer, At: time.Unix(2, 0), Updates: []route.Update{
					{Attrs: attrsOf(i + round), NLRI: []route.NLRI{{Prefix: p}}},
				}})
			}
			table.Work()
		}
		for _, name := range []string{"a", "b"} {
			table.Apply(&route.Batch{Peer: &route.Peer{Name: name}, Event: route.PeerRemoved})
		}
		settle(table)
		table.Measure()
		c := table.Counts()
		if c.Peers != 0 || c.AttributeSets != 0 || c.Prefixes[0] != 0 {
			t.Errorf("round %d: %+v is left of an empty table", round, c)
		}
		if c.Bytes > 6<<20 {
			t.Errorf("round %d: an empty table holds %d bytes", round, c.Bytes)
		}
	}
}

func TestDecide(t *testing.T) {
	rows := []struct {
		name, winner, step string
		a, b               func(*candidateAttrs)
	}{
		{"the higher LOCAL_PREF wins", "b", "local-pref", nil, func(c *candidateAttrs) { c.localPref = 200 }},
		{"no LOCAL_PREF counts as 100", "b", "local-pref", func(c *candidateAttrs) { c.localPref = 99 }, nil},
		{"the shorter AS_PATH wins", "a", "as-path-length", nil, func(c *candidateAttrs) { c.path = []route.ASN{1, 2, 3} }},
		{"the lower origin wins", "b", "origin", func(c *candidateAttrs) { c.origin = 2 }, nil},
		{"the lower MED of the same neighbour AS wins", "b", "med", func(c *candidateAttrs) { c.med = 5 }, nil},
		{
			"MEDs of different neighbour ASes are not compared", "a", "router-id",
			func(c *candidateAttrs) { c.med = 5 }, func(c *candidateAttrs) { c.path = []route.ASN{9, 2}; c.routerID = 9 },
		},
		{"eBGP wins over iBGP", "b", "ebgp-over-ibgp", func(c *candidateAttrs) { c.ibgp = true }, nil},
		{"eBGP wins over another member AS", "b", "ebgp-over-ibgp", func(c *candidateAttrs) { c.confederation = true }, nil},
		{"the lower router id wins", "b", "router-id", func(c *candidateAttrs) { c.routerID = 7 }, nil},
		{"the lower peer address is last resort", "a", "peer-address", nil, nil},
		{
			"long-lived stale loses to everything", "b", "long-lived-stale",
			func(c *candidateAttrs) { c.localPref = 500; c.longLived = true }, nil,
		},
		{"LLGR_STALE loses to everything", "b", "long-lived-stale", func(c *candidateAttrs) { c.localPref = 500; c.llgrStale = true }, nil},
		{"a stale route loses to a fresh one", "b", "stale", func(c *candidateAttrs) { c.localPref = 500; c.stale = true }, nil},
		{"but not while its peer restarts gracefully", "a", "local-pref", func(c *candidateAttrs) { c.localPref, c.stale, c.asFresh = 500, true, true }, nil},
		{
			"of two stale routes the better one wins", "a", "local-pref",
			func(c *candidateAttrs) { c.localPref, c.stale = 500, true }, func(c *candidateAttrs) { c.stale = true },
		},
		{
			"stale is better than long-lived stale", "a", "long-lived-stale",
			func(c *candidateAttrs) { c.stale = true }, func(c *candidateAttrs) { c.stale, c.longLived = true, true },
		},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			routes := []route.Route{makeCandidate("a", 1, row.a), makeCandidate("b", 2, row.b)}
			slices.SortFunc(routes, func(x, y route.Route) int { return -cmp.Compare(x.Peer.Name, y.Peer.Name) })
			Decide(routes)
			if routes[0].Peer.Name != row.winner || !routes[0].Best || routes[1].Best {
				t.Fatalf("best is %s (%v, %v), want %s", routes[0].Peer.Name, routes[0].Best, routes[1].Best, row.winner)
			}
			if routes[0].Decision != row.step || routes[1].Decision != row.step {
				t.Errorf("decided by %q and %q, want %q", routes[0].Decision, routes[1].Decision, row.step)
			}
		})
	}
}

type candidateAttrs struct {
	localPref, med uint32
	path           []route.ASN
	origin         byte
	ibgp           bool
	confederation  bool
	routerID       byte
	longLived      bool
	llgrStale      bool
	stale, asFresh bool
}

func makeCandidate(name string, address byte, change func(*candidateAttrs)) route.Route {
	c := candidateAttrs{path: []route.ASN{1, 2}, routerID: 1}
	if change != nil {
		change(&c)
	}
	attrs := route.Attrs(nil).AppendAttr(route.AttrOrigin, []byte{c.origin}).
		AppendAttr(route.AttrASPath, route.ASPath(nil).AppendSegment(route.ASSequence, c.path...))
	if c.med > 0 {
		attrs = attrs.AppendAttr(route.AttrMED, binary.BigEndian.AppendUint32(nil, c.med))
	}
	if c.localPref > 0 {
		attrs = attrs.AppendAttr(route.AttrLocalPref, binary.BigEndian.AppendUint32(nil, c.localPref))
	}
	if c.llgrStale {
		attrs = attrs.AppendAttr(route.AttrCommunities, binary.BigEndian.AppendUint32(nil, uint32(route.LLGRStale)))
	}
	peer := &route.Peer{
		Name: name, Address: netip.AddrFrom4([4]byte{192, 0, 2, address}),
		RouterID: netip.AddrFrom4([4]byte{0, 0, 0, c.routerID}), ASN: 1, LocalASN: 2,
	}
	peer.Confederation = c.confederation
	if c.ibgp {
		peer.LocalASN = 1
	}
	r := route.Route{Peer: peer, Attrs: attrs, LongLived: c.longLived, AsFresh: c.asFresh}
	if c.stale {
		r.StaleSince = time.Unix(1000, 0)
	}
	return r
}

// TestSessionThatReplacesOneConfirmsNothing: a session may come up while the one
// before it is not known to have ended, in the middle of a route refresh.
func TestSessionThatReplacesOneConfirmsNothing(t *testing.T) {
	table, w := New(), newTwin()
	peer := &route.Peer{Name: "a"}
	routes := func(i byte) []route.Update {
		p := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, i}), 16)
		return []route.Update{{Attrs: attrsOf(1), NLRI: []route.NLRI{{Prefix: p}}}}
	}
	for i, b := range []*route.Batch{
		{Event: route.PeerUp},
		{Updates: routes(1)},
		{Updates: routes(2)},
		{Event: route.RefreshBegin},
		{Updates: routes(2)},
		{Event: route.PeerUp},
		{Updates: routes(3)},
		{Event: route.EndOfRIB},
	} {
		b.Peer, b.At = peer, time.Unix(1000+int64(i), 0)
		for f := range b.Retention {
			b.Retention[f].Stale = time.Hour
		}
		table.Apply(b)
		w.apply(b)
		settle(table)
		compare(t, table, w)
	}
}
