package table

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"ribglass/ribstore/route"
)

// TestConfinedViewEqualsATableWithoutTheOthers fills two tables: one hears all
// peers, the other only those that a view of the first is confined to. Whatever
// the two are asked, they give the same answer.
func TestConfinedViewEqualsATableWithoutTheOthers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		whole, part, w := New(), New(), newTwin()
		whole.columnMin = rapid.SampledFrom([]int{1, 4, columnMinRoutes}).Draw(t, "columnMin")
		part.columnMin = rapid.SampledFrom([]int{1, 4, columnMinRoutes}).Draw(t, "columnMin")
		seen := rapid.SampledFrom([]string{"", "a", "b", "ab", "bc", "abc"}).Draw(t, "visible")
		sees := func(p *route.Peer) bool { return slices.Contains([]byte(seen), p.Name[0]) }
		d := draws{T: t, twin: w, now: time.Unix(1_000_000, 0)}
		d.pool4 = rapid.SliceOfN(genPrefix(false), 1, 20).Draw(t, "ipv4")
		d.pool6 = rapid.SliceOfN(genPrefix(true), 1, 10).Draw(t, "ipv6")
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			d.pass(whole, part)
			b := d.batch()
			whole.Apply(b)
			w.apply(b)
			if sees(b.Peer) {
				part.Apply(b)
			}
		}
		if rapid.Bool().Draw(t, "settled") {
			settle(whole)
		}
		settle(part)
		var want, got []string
		_ = part.View(func(v *View) error { want = askAll(v, append(d.pool4, d.pool6...)); return nil })
		_ = whole.View(func(v *View) error {
			v.Confine(v.Select(func(p *route.Peer) bool { return p.Name != "x" }))
			v.Confine(v.Select(sees))
			got = askAll(v, append(d.pool4, d.pool6...))
			return nil
		})
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Fatalf("visible %q (-table without the others +confined view): %s", seen, diff)
		}
	})
}

// askAll writes down all that a view tells.
func askAll(v *View, prefixes []netip.Prefix) (says []string) {
	say := func(format string, args ...any) { says = append(says, fmt.Sprintf(format, args...)) }
	for _, f := range route.Families() {
		slots := NewBits(v.Slots(f) + 1)
		for i := range v.Slots(f) { // also slots that nothing visible has a route of
			if v.Confined() {
				slots.Add(uint32(i))
			}
		}
		for d := range v.Within(f, netip.Prefix{}, netip.Prefix{}) {
			slots.Add(d.Slot())
			say("%v %v: %d routes", f, d.Prefix, v.Count(d, nil))
			for _, r := range v.Routes(nil, d, nil) {
				say("%s", routeText(&r))
			}
			says = append(says, sorted(func(add func(Found)) { v.Each(d, nil, add) })...)
		}
		say("%v: total %d", f, v.Total(f, nil))
		says = append(says, sorted(func(add func(Found)) { v.Scan(f, 0, uint32(v.Slots(f)), new(Wanted), add) })...)
		for d := range v.Ordered(f, netip.Prefix{}, netip.Prefix{}, slots) {
			say("ordered %v", d.Prefix)
		}
		for _, p := range prefixes {
			if !fits(f, p) {
				continue
			}
			d, ok := v.Longest(f, p.Addr())
			say("longest %v: %v %v", p.Addr(), d.Prefix, ok)
			d, ok = v.Exact(f, p)
			say("exact %v: %v %v", p, d.Prefix, ok)
			for _, d := range v.Covering(f, p) {
				say("%v covers %v", d.Prefix, p)
			}
			for d := range v.Within(f, p, netip.Prefix{}) {
				say("%v is within %v", d.Prefix, p)
			}
		}
	}
	peers := v.Peers()
	slices.SortFunc(peers, func(a, b PeerInfo) int { return cmp.Compare(a.Peer.Name, b.Peer.Name) })
	for _, p := range peers {
		say("peer %s up %v, routes %v, stale %v", p.Peer.Name, p.Up, p.Routes, p.Stale)
	}
	for _, name := range []string{"a", "b", "c", "d"} {
		p, ok := v.Peer(name)
		say("peer %s: %v %v", name, ok, p.Routes)
	}
	c := v.Counts()
	say("%v %v %v, %d sets, %d peers", c.Routes, c.Stale, c.Prefixes, c.AttributeSets, c.Peers)
	return says
}

func routeText(r *route.Route) string {
	return fmt.Sprint(r.Peer.Name, " ", r.PathID, " ", r.ReceivedAt.Unix(), " ", r.StaleSince.Unix(), " ", r.Best, " ", r.Decision, " ", r.Attrs.ASPath())
}

// sorted writes down the routes that a walk finds, in an order of their own.
func sorted(walk func(add func(Found))) (says []string) {
	walk(func(f Found) {
		says = append(says, fmt.Sprint("found ", f.Peer().Name, " ", f.PathID, " ", f.Received()))
	})
	slices.Sort(says)
	return says
}
