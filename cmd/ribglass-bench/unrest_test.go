package main

import (
	"math"
	"net/netip"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ribglass/ribstore/route"
)

// stretch is what some time of churn looks like.
type stretch struct {
	changes, updates, withdrawn, repeated int
	count                                 map[netip.Prefix]int
	last                                  map[netip.Prefix]route.Attrs
}

func play(u *unrest, seconds int) *stretch {
	s := &stretch{count: make(map[netip.Prefix]int), last: make(map[netip.Prefix]route.Attrs)}
	for range seconds {
		for _, m := range u.next() {
			s.add(m)
		}
	}
	return s
}

func (s *stretch) add(m move) {
	s.updates++
	for _, n := range m.update.NLRI {
		s.changes++
		s.count[n.Prefix]++
		switch {
		case m.update.Withdraw():
			s.withdrawn++
		case string(s.last[n.Prefix]) == string(m.update.Attrs):
			s.repeated++
		}
		s.last[n.Prefix] = m.update.Attrs
	}
}

// share is the part of the changes that the most active prefixes make.
func (s *stretch) share(of int) float64 {
	var counts []int
	for _, n := range s.count {
		counts = append(counts, n)
	}
	slices.Sort(counts)
	sum := 0
	for _, n := range counts[max(0, len(counts)-of):] {
		sum += n
	}
	return float64(sum) / float64(s.changes)
}

func testAnnounced(t *testing.T) *announced {
	t.Helper()
	k, err := newAnnounced(testTable(), 0)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestTheSameSeedGivesTheSameChurn(t *testing.T) {
	k := testAnnounced(t)
	a, b := newUnrest(k, 1, 0, 60), newUnrest(k, 1, 0, 60)
	other := newUnrest(k, 1, 1, 60)
	differs := false
	for second := range 120 {
		x, y := a.next(), b.next()
		if d := cmp.Diff(x, y, cmp.AllowUnexported(move{}), cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })); d != "" {
			t.Fatalf("second %d (-one +other):\n%s", second, d)
		}
		z := other.next()
		differs = differs || len(x) != len(z)
	}
	if !differs {
		t.Error("two feeds have the same churn")
	}
}

func TestChurnHasTheShapeOfRecordings(t *testing.T) {
	const rate, seconds = 60, 4000
	u := newUnrest(testAnnounced(t), 1, 0, rate)
	s := play(u, seconds)
	within := func(what string, got, least, most float64) {
		t.Helper()
		if got < least || got > most {
			t.Errorf("%s: %.3f, want %v to %v", what, got, least, most)
		}
	}
	all := float64(s.changes)
	within("changes a second", all/seconds, rate*0.93, rate*1.07)
	within("share of withdrawals", float64(s.withdrawn)/all, 0.02, 0.08)
	within("share of repetitions", float64(s.repeated)/all, 0.01, 0.10)
	within("changes together", all/float64(s.updates), 1.3, 3)
	within("share of the most active tenth", s.share(len(s.count)/10), 0.4, 0.9)
	within("prefixes that change, of all", float64(len(s.count))/float64(u.known.prefixes()), 0.02, 0.3)
}

func TestWhatChurnSaysIsInOrderAndOfTheTable(t *testing.T) {
	k := testAnnounced(t)
	known := make(map[netip.Prefix]route.Family)
	for _, run := range k.runs {
		for _, n := range run.NLRI {
			known[n.Prefix] = run.Family
		}
	}
	u := newUnrest(k, 1, 0, 60)
	for range 500 {
		at := 0
		for _, m := range u.next() {
			if m.at < at || m.at >= 1000 {
				t.Fatalf("an update at %d ms behind one at %d ms", m.at, at)
			}
			at = m.at
			for _, n := range m.update.NLRI {
				if f, ok := known[n.Prefix]; !ok || f != m.update.Family {
					t.Fatalf("%v of %v is not in the table", n.Prefix, m.update.Family)
				}
			}
		}
	}
}

func TestAfterARestartNothingIsGone(t *testing.T) {
	u := newUnrest(testAnnounced(t), 1, 0, 60)
	play(u, 300)
	u.restart()
	for i, n := range u.units {
		if n.now != 0 {
			t.Fatalf("unit %d is in state %d", i, n.now)
		}
	}
	for _, steps := range u.later {
		if len(steps) > 0 {
			t.Fatal("something of before the restart is still to come")
		}
	}
}

func TestWithAttrKeepsTheOrder(t *testing.T) {
	all := []route.AttrCode{route.AttrOrigin, route.AttrASPath, route.AttrMED, route.AttrLargeCommunities}
	for _, code := range append(all, route.AttrCommunities, 200) {
		var a, want route.Attrs
		for _, c := range all {
			a = a.AppendAttr(c, []byte{byte(c)})
		}
		merged := slices.Compact(slices.Sorted(slices.Values(append(slices.Clone(all), code))))
		for _, c := range merged {
			value := []byte{byte(c)}
			if c == code {
				value = []byte("new")
			}
			want = want.AppendAttr(c, value)
		}
		if got := withAttr(a, code, []byte("new")); string(got) != string(want) {
			t.Errorf("withAttr(%d) = %x, want %x", code, got, want)
		}
	}
}

func TestAlternativesLeadToTheSameOrigin(t *testing.T) {
	k := testAnnounced(t)
	random := newRandom(5)
	changed := 0
	for range 2000 {
		run, _ := k.draw(random)
		a := k.runs[run].Attrs
		b := k.alternative(random, a)
		was, _ := a.ASPath().Origin()
		is, _ := b.ASPath().Origin()
		if was != is {
			t.Fatalf("path %v became %v", a.ASPath(), b.ASPath())
		}
		if string(a) != string(b) {
			changed++
		}
	}
	if changed < 1900 {
		t.Errorf("%d of 2000 alternatives differ", changed)
	}
}

func TestAnOutageHasThePrefixesAskedForAndEnds(t *testing.T) {
	k := testAnnounced(t)
	away, back := k.outage(newRandom(1), 10_000)
	n := 0
	for i := range back {
		n += len(back[i].NLRI)
		if !slices.Equal(away[i].NLRI, back[i].NLRI) {
			t.Fatalf("run %d goes away with %v and comes back with %v", i, away[i].NLRI, back[i].NLRI)
		}
	}
	if n != 10_000 {
		t.Errorf("the outage has %d prefixes, want 10000", n)
	}
	if lost := k.upstream(); !back[0].Attrs.ASPath().Has(lost) {
		t.Errorf("path %v goes not through %v", back[0].Attrs.ASPath(), lost)
	}
}

func TestDrawsAreEven(t *testing.T) {
	k := testAnnounced(t)
	random := newRandom(9)
	const draws = 200_000
	ipv6 := 0
	for range draws {
		run, place := k.draw(random)
		if place < 0 || place >= len(k.runs[run].NLRI) {
			t.Fatalf("place %d of %d", place, len(k.runs[run].NLRI))
		}
		if k.runs[run].Family.IsIPv6() {
			ipv6++
		}
	}
	if share := float64(ipv6) / draws; math.Abs(share-0.2) > 0.01 {
		t.Errorf("%.3f of the draws are IPv6, want 0.2", share)
	}
}
