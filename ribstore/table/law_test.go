package table

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"ribglass/ribstore/route"
)

// TestTableEqualsMap lets sessions come and go, in half of the draws without end, so
// that more rounds than the table tells apart are under way.
func TestTableEqualsMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		table, w := New(), newTwin()
		table.columnMin = rapid.SampledFrom([]int{1, 4, columnMinRoutes}).Draw(t, "columnMin")
		d := draws{T: t, twin: w, now: time.Unix(1_000_000, 0), endless: rapid.Bool().Draw(t, "endless")}
		d.pool4 = rapid.SliceOfN(genPrefix(false), 1, 20).Draw(t, "ipv4")
		d.pool6 = rapid.SliceOfN(genPrefix(true), 1, 10).Draw(t, "ipv6")
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			d.pass(table)
			if rapid.Bool().Draw(t, "work") {
				settle(table)
			}
			b := d.batch()
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

// TestLifecycleEqualsTwin has worlds in which little but sessions changes: routes that
// wait, age out, become long-lived stale, are confirmed, and outlive more rounds than
// the table tells apart.
func TestLifecycleEqualsTwin(t *testing.T) {
	for seed := range uint64(600) { // two seconds, so all of them in short runs too
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			world, w := newWorld(seed), newTwin()
			world.odd = false // nothing is said by a session that is down
			for range 10 {
				from := len(world.journal)
				for range world.random.IntN(20) {
					world.step()
				}
				for _, e := range world.journal[from:] {
					switch {
					case e.batch != nil:
						w.apply(e.batch)
					case !e.postpone.IsZero():
						w.postpone(e.postpone)
					default:
						w.expire(e.expire)
					}
				}
				settle(world.table)
				compare(t, world.table, w)
			}
		})
	}
}

// draws is what the steps of a law share.
type draws struct {
	*rapid.T
	twin         *twin
	now          time.Time
	endless      bool // sessions come and go and hardly ever complete
	pool4, pool6 []netip.Prefix
}

// pass lets time pass, in tables and in the twin.
func (d *draws) pass(tables ...*Table) {
	most := 20_000
	if d.endless {
		most = 1_000
	}
	d.now = d.now.Add(time.Duration(rapid.IntRange(0, most).Draw(d.T, "pass")) * time.Millisecond)
	if rapid.IntRange(0, 2).Draw(d.T, "expire") > 0 {
		for _, t := range tables {
			t.Expire(d.now)
		}
		d.twin.expire(d.now)
	}
	if rapid.IntRange(0, 9).Draw(d.T, "postpone") == 0 {
		until := d.now.Add(time.Duration(rapid.IntRange(0, 40).Draw(d.T, "until")) * time.Second)
		for _, t := range tables {
			t.Postpone(until)
		}
		d.twin.postpone(until)
	}
}

// batch draws what happens next: only a session that is up says something.
func (d *draws) batch() *route.Batch {
	names := []string{"a", "b", "c"}
	if d.endless {
		names = []string{"a", "a", "a", "b"}
	}
	name := rapid.SampledFrom(names).Draw(d.T, "peer")
	info := &route.Peer{Name: name, ASN: 64500, Address: netip.AddrFrom4([4]byte{192, 0, 2, name[0]})}
	known := d.twin.peers[name]
	if known != nil {
		info.AddPath = known.addPath
	}
	b := &route.Batch{Peer: info, At: d.now, Family: rapid.SampledFrom([]route.Family{0, 0, 1, 2}).Draw(d.T, "family")}
	kinds := []route.Event{route.Routes, route.Routes, route.Routes, route.Routes, route.EndOfRIB, route.RefreshBegin, route.RefreshEnd, route.PeerDown, route.PeerRemoved}
	if d.endless {
		kinds = []route.Event{route.Routes, route.RefreshBegin, route.PeerDown, route.PeerDown}
	}
	if known == nil || !known.up {
		kinds = []route.Event{route.PeerUp}
		info.AddPath[0] = rapid.IntRange(0, 3).Draw(d.T, "add-path") == 0 && !d.endless
	}
	b.Event = rapid.SampledFrom(kinds).Draw(d.T, "event")
	for f := range b.Retention {
		b.Retention[f] = d.retention()
	}
	if b.Event == route.Routes {
		for range rapid.IntRange(1, 6).Draw(d.T, "updates") {
			b.Updates = append(b.Updates, d.update(info))
		}
	}
	return b
}

// retention draws how long routes are kept. As with the collector, what has a long-lived
// phase waits a second before it.
func (d *draws) retention() route.Retention {
	keep := route.Retention{
		Stale:    time.Duration(rapid.SampledFrom([]int{0, 10, 30}).Draw(d.T, "stale")) * time.Second,
		Graceful: rapid.Bool().Draw(d.T, "graceful"),
		AsFresh:  rapid.Bool().Draw(d.T, "as fresh"),
	}
	if d.endless {
		keep.Stale, keep.Graceful = time.Duration(rapid.SampledFrom([]int{12, 60, 600}).Draw(d.T, "stale longer"))*time.Second, false
	}
	if rapid.IntRange(0, 2).Draw(d.T, "long-lived") == 0 {
		keep.Stale, keep.LongLived = max(keep.Stale, time.Second), 20*time.Second
	}
	return keep
}

func (d *draws) update(info *route.Peer) route.Update {
	u := route.Update{Family: rapid.SampledFrom([]route.Family{0, 0, 1, 2}).Draw(d.T, "family")}
	pool := d.pool4
	if u.Family.IsIPv6() {
		pool = d.pool6
	}
	if rapid.IntRange(0, 3).Draw(d.T, "withdraw") > 0 {
		n := rapid.IntRange(0, 12).Draw(d.T, "attrs")
		if u.Attrs = attrsOf(n); n%4 == 3 {
			u.Attrs = u.Attrs.AppendAttr(route.AttrCommunities, binary.BigEndian.AppendUint32(nil, uint32(route.NoLLGR)))
		}
	}
	for range rapid.IntRange(1, 8).Draw(d.T, "prefixes") {
		n := route.NLRI{Prefix: rapid.SampledFrom(pool).Draw(d.T, "prefix")}
		if info.AddPath[u.Family] {
			n.PathID = uint32(rapid.IntRange(0, 2).Draw(d.T, "path"))
		}
		u.NLRI = append(u.NLRI, n)
	}
	return u
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
					found[k] = twinRoute{attrs: string(r.Attrs), receivedAt: r.ReceivedAt.Unix(), staleSince: since, longLived: r.LongLived, asFresh: r.AsFresh}
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
	for k := range w.routes {
		want[k] = w.seen(k)
	}
	if diff := gocmp.Diff(want, got, gocmp.AllowUnexported(twinKey{}, twinRoute{}), gocmp.Comparer(func(a, b netip.Prefix) bool { return a == b })); diff != "" {
		tb.Fatalf("table differs from its twin (-twin +table):\n%s", diff)
	}
	sets, prefixes := map[string]bool{}, map[twinKey]bool{}
	var routes, stale [route.NumFamilies]int
	for k, r := range want {
		sets[r.attrs] = true
		routes[k.family]++
		if r.staleSince != 0 {
			stale[k.family]++
		}
		prefixes[twinKey{family: k.family, prefix: k.prefix}] = true
	}
	c := t.Counts()
	if c.AttributeSets != len(sets) || c.Routes != routes || c.Stale != stale || c.Prefixes[0]+c.Prefixes[1]+c.Prefixes[2]+c.Prefixes[3] != len(prefixes) {
		tb.Fatalf("counts %+v, want %d sets, %v routes, %v stale, %d prefixes", c, len(sets), routes, stale, len(prefixes))
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
