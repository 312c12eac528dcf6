package table

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"ribglass/ribstore/route"
)

// world makes random events, in the order that sessions have them, and applies
// them to a table; it keeps a journal of those that changed something.
type world struct {
	random  *rand.Rand
	table   *Table
	now     time.Time
	pool    [2][]netip.Prefix
	peers   map[string]*worldPeer
	pace    int  // milliseconds that a step takes at most
	flaps   int  // how often sessions change, 0 to 10
	odd     bool // some events are out of order
	endless bool // sessions come and go and never complete, so that generations run out
	journal []entry
}

type worldPeer struct {
	up   bool
	info *route.Peer
}

// entry is a batch, or the time of an Expire or a Postpone.
type entry struct {
	batch            *route.Batch
	expire, postpone time.Time
}

func newWorld(seed uint64) *world {
	w := &world{
		random: rand.New(rand.NewPCG(seed, 7)),
		table:  New(),
		now:    time.Unix(1_000_000, 0),
		peers:  map[string]*worldPeer{},
	}
	w.table.columnMin = []int{1, 3, columnMinRoutes}[w.random.IntN(3)]
	w.pace = []int{500, 5000, 20_000}[w.random.IntN(3)]
	w.flaps = w.random.IntN(11)
	w.odd = w.random.IntN(4) == 0
	w.endless = w.random.IntN(2) == 0
	for len(w.pool[0]) < 1+w.random.IntN(12) {
		bits := []int{0, 8, 12, 13, 16, 18, 19, 24, 32}[w.random.IntN(9)]
		a := [4]byte{10, byte(w.random.IntN(3)), byte(w.random.IntN(3) << 6), byte(w.random.IntN(2))}
		w.pool[0] = append(w.pool[0], netip.PrefixFrom(netip.AddrFrom4(a), bits).Masked())
	}
	for len(w.pool[1]) < 1+w.random.IntN(4) {
		a := [16]byte{0x20, 1, byte(w.random.IntN(3)), 15: byte(w.random.IntN(3))}
		w.pool[1] = append(w.pool[1], netip.PrefixFrom(netip.AddrFrom16(a), []int{16, 32, 48, 64, 128}[w.random.IntN(5)]).Masked())
	}
	return w
}

// step lets some time pass and something happen.
func (w *world) step() {
	w.now = w.now.Add(time.Duration(w.random.IntN(w.pace)) * time.Millisecond)
	if w.random.IntN(30) == 0 {
		until := w.now.Add(time.Duration(w.random.IntN(40)) * time.Second)
		w.table.Postpone(until)
		w.journal = append(w.journal, entry{postpone: until})
	}
	switch w.random.IntN(6) {
	case 0:
		if w.table.Expire(w.now) {
			w.journal = append(w.journal, entry{expire: w.now})
		}
	case 1:
		w.table.Work()
	default:
		b := w.batch()
		w.table.Apply(b)
		w.journal = append(w.journal, entry{batch: b})
	}
}

func (w *world) batch() *route.Batch {
	name := string(rune('a' + w.random.IntN(3)))
	if w.endless && w.random.IntN(8) > 0 {
		name = "a"
	}
	p := w.peers[name]
	if p == nil {
		p = &worldPeer{info: &route.Peer{Name: name, Address: netip.AddrFrom4([4]byte{192, 0, 2, name[0]})}}
		w.peers[name] = p
	}
	b := &route.Batch{At: w.now, Event: w.event(p)}
	b.Family = route.Family(w.random.IntN(2))
	for f := range b.Retention {
		b.Retention[f] = route.Retention{
			Stale:     time.Duration([]int{0, 9, 30, 30, 90}[w.random.IntN(5)]) * time.Second,
			LongLived: time.Duration([]int{0, 0, 30}[w.random.IntN(3)]) * time.Second,
			Graceful:  w.random.IntN(4) == 0,
			AsFresh:   w.random.IntN(4) == 0,
		}
		if w.endless && w.random.IntN(40) > 0 {
			b.Retention[f].Stale = time.Hour
		}
	}
	switch b.Event {
	case route.PeerUp:
		info := *p.info
		info.RouterID = netip.AddrFrom4([4]byte{byte(w.random.IntN(9))})
		info.AddPath[0] = w.random.IntN(8) == 0
		p.up, p.info = true, &info
	case route.PeerDown:
		p.up = false
	case route.PeerRemoved:
		delete(w.peers, name)
	case route.Routes:
		for range 1 + w.random.IntN(3) {
			b.Updates = append(b.Updates, w.update(p.info))
		}
	case route.EndOfRIB, route.RefreshBegin, route.RefreshEnd, route.PeerChanged:
	}
	b.Peer = p.info
	return b
}

func (w *world) event(p *worldPeer) route.Event {
	n := w.random.IntN(30)
	switch {
	case w.odd && n == 0:
		return route.Event(w.random.IntN(int(route.PeerChanged) + 1))
	case w.endless && p.up:
		return w.endlessEvent()
	case !p.up:
		if n == 1 && !w.endless {
			return route.PeerRemoved
		}
		return route.PeerUp
	case n > 2*w.flaps:
		return route.Routes
	case n == 0:
		return route.PeerRemoved
	case n%7 == 0:
		return route.EndOfRIB
	case n%5 == 0:
		return route.RefreshEnd
	case n%3 == 0:
		return route.RefreshBegin
	}
	return route.PeerDown
}

func (w *world) endlessEvent() route.Event {
	switch n := w.random.IntN(300); {
	case n < 2:
		return route.EndOfRIB
	case n < 3:
		return route.PeerRemoved
	case n < 5:
		return route.RefreshEnd
	case n < 100:
		return route.Routes
	case n < 150:
		return route.RefreshBegin
	}
	return route.PeerDown
}

func (w *world) update(info *route.Peer) route.Update {
	u := route.Update{Family: route.Family(w.random.IntN(2))}
	if w.random.IntN(4) > 0 {
		n := w.random.IntN(3)
		u.Attrs = attrsOf(n)
		if n == 1 && w.random.IntN(2) == 0 {
			u.Attrs = route.Attrs(nil).AppendAttr(route.AttrOrigin, []byte{0}).
				AppendAttr(route.AttrCommunities, []byte{0xff, 0xff, 0, 7})
		}
	}
	most := 4
	if w.endless {
		most = 1
	}
	for range 1 + w.random.IntN(most) {
		n := route.NLRI{Prefix: w.pool[u.Family][w.random.IntN(len(w.pool[u.Family]))]}
		if info.AddPath[u.Family] {
			n.PathID = w.random.Uint32N(3)
		}
		u.NLRI = append(u.NLRI, n)
	}
	return u
}

// replay applies the journal from an entry on.
func (w *world) replay(t *Table, from int) {
	for _, e := range w.journal[from:] {
		switch {
		case e.batch != nil:
			t.Apply(e.batch)
		case !e.postpone.IsZero():
			t.Postpone(e.postpone)
		default:
			t.Expire(e.expire)
		}
		if w.random.IntN(3) == 0 {
			t.Work()
		}
	}
}

// kept is a route as a snapshot has it.
type kept struct {
	peer     int
	family   route.Family
	prefix   netip.Prefix
	pathID   uint32
	attrs    string
	received int64
	class    uint8
}

// walk collects the routes of a table, with something happening between two of
// them: within one view or between two.
func (w *world) walk(states []PeerState, between func()) []kept {
	var all []kept
	for _, f := range route.Families() {
		var after netip.Prefix
		for more := true; more; {
			more = false
			left := 1 + w.random.IntN(6)
			_ = w.table.View(func(v *View) error {
				for d := range v.Within(f, netip.Prefix{}, after) {
					if left--; left < 0 {
						more = true
						return nil
					}
					after = d.Prefix
					all = append(all, collect(v, d, states)...)
					if w.random.IntN(3) == 0 {
						between()
					}
				}
				return nil
			})
			between()
		}
	}
	return all
}

func collect(v *View, d Dest, states []PeerState) []kept {
	var all []kept
	v.Each(d, nil, func(f Found) {
		i := slices.IndexFunc(states, func(s PeerState) bool { return s.Index() == f.Index() })
		if i < 0 {
			return
		}
		if class, ok := states[i].Class(f); ok {
			all = append(all, kept{i, f.Family, d.Prefix, f.PathID, string(v.Set(f.Set)), f.Received(), class})
		}
	})
	return all
}

// exported returns the states as they come back from a disk.
func exported(states []PeerState) []PeerState {
	var all []PeerState
	for _, s := range states {
		s.peer, s.advances = nil, [route.NumFamilies]uint64{}
		all = append(all, s)
	}
	return all
}

func load(t *testing.T, w *world, states []PeerState, routes []kept) *Table {
	t.Helper()
	l := Restore(exported(states))
	l.table.columnMin = w.table.columnMin
	for _, r := range routes {
		slot, okPrefix := l.Prefix(r.family, r.prefix)
		set, okSet := l.Set(route.Attrs(r.attrs))
		if !okPrefix || !okSet || !l.Route(r.peer, r.family, slot, r.pathID, set, r.received, r.class) {
			t.Fatalf("%+v of peer %+v is not taken: prefix %v, set %v", r, states[r.peer], okPrefix, okSet)
		}
	}
	return l.Finish()
}

// picture is all that can be seen of a table.
type picture struct {
	Peers  []PeerInfo
	Routes []route.Route
	Counts Counts
	States []PeerState
}

func paint(t *Table) picture {
	settle(t)
	p := picture{Peers: t.Peers(), Counts: t.Counts(), States: t.State()}
	p.Counts.Bytes = 0
	slices.SortFunc(p.Peers, func(a, b PeerInfo) int { return cmp.Compare(a.Peer.Name, b.Peer.Name) })
	_ = t.View(func(v *View) error {
		for _, f := range route.Families() {
			for d := range v.Within(f, netip.Prefix{}, netip.Prefix{}) {
				n := len(p.Routes)
				p.Routes = v.Routes(p.Routes, d, nil)
				slices.SortFunc(p.Routes[n:], func(a, b route.Route) int { // losers of one step are in no order
					return cmp.Or(cmp.Compare(a.Peer.Name, b.Peer.Name), cmp.Compare(a.PathID, b.PathID))
				})
			}
		}
		return nil
	})
	return p
}

func same(t *testing.T, what string, live, restored *Table) {
	t.Helper()
	diff := gocmp.Diff(paint(live), paint(restored), cmpopts.IgnoreUnexported(PeerState{}),
		cmpopts.EquateComparable(netip.Addr{}, netip.Prefix{}), cmpopts.EquateEmpty())
	if diff != "" {
		t.Fatalf("%s (-live +restored):\n%s", what, diff)
	}
}

// TestRestoredTableGoesOnAsTheTableDoes: a table made of the state and the
// routes of another is equal to it, and stays so whatever happens to both.
func TestRestoredTableGoesOnAsTheTableDoes(t *testing.T) {
	for seed := range uint64(runs(100)) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			w := newWorld(seed)
			for range w.random.IntN(150) {
				w.step()
			}
			states := w.table.State()
			routes := w.walk(states, func() {})
			restored := load(t, w, states, routes)
			same(t, "as restored", w.table, restored)
			for range 3 {
				from := len(w.journal)
				for range w.random.IntN(60) {
					w.step()
				}
				w.replay(restored, from)
				same(t, "after more events", w.table, restored)
			}
		})
	}
}

// TestFuzzySnapshotAndReplayEqualTheTable: the routes may be collected while the
// table changes, when all that happened since the state is replayed.
func TestFuzzySnapshotAndReplayEqualTheTable(t *testing.T) {
	for seed := range uint64(runs(300)) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			w := newWorld(seed)
			for range w.random.IntN(150) {
				w.step()
			}
			from, most := len(w.journal), w.random.IntN(20)
			states := w.table.State()
			routes := w.walk(states, func() {
				for range w.random.IntN(most + 1) {
					w.step()
				}
			})
			w.random.Shuffle(len(routes), func(i, j int) { routes[i], routes[j] = routes[j], routes[i] })
			restored := load(t, w, states, routes)
			w.replay(restored, from)
			same(t, "after the replay", w.table, restored)
			from = len(w.journal)
			for range w.random.IntN(60) {
				w.step()
			}
			w.replay(restored, from)
			same(t, "after more events", w.table, restored)
		})
	}
}

// runs is how many random runs a law is put to.
func runs(n int) int {
	if testing.Short() {
		return n / 10
	}
	return n
}
