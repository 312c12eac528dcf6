package table

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"ribglass/ribstore/route"
)

// genDecided draws an attribute set of few values of all that the decision process
// compares.
func genDecided(t *rapid.T) route.Attrs {
	number := func(name string, most int) uint32 { return uint32(rapid.IntRange(0, most).Draw(t, name)) }
	path := route.ASPath(nil)
	for range rapid.IntRange(0, 2).Draw(t, "segments") {
		asns := make([]route.ASN, rapid.IntRange(1, 2).Draw(t, "length"))
		for i := range asns {
			asns[i] = route.ASN(1 + number("asn", 1))
		}
		kind := rapid.SampledFrom([]route.SegmentType{route.ASSequence, route.ASSequence, route.ASSet, route.ASConfedSequence, route.ASConfedSet})
		path = path.AppendSegment(kind.Draw(t, "kind"), asns...)
	}
	a := route.Attrs(nil).AppendAttr(route.AttrOrigin, []byte{byte(number("origin", 2))}).AppendAttr(route.AttrASPath, path)
	if med := number("med", 2); med > 0 {
		a = a.AppendAttr(route.AttrMED, binary.BigEndian.AppendUint32(nil, med-1))
	}
	if pref := rapid.SampledFrom([]uint32{1, 0, 99, 100, 101, 1<<32 - 1}).Draw(t, "local-pref"); pref != 1 {
		a = a.AppendAttr(route.AttrLocalPref, binary.BigEndian.AppendUint32(nil, pref))
	}
	if number("communities", 5) == 0 {
		a = a.AppendAttr(route.AttrCommunities, binary.BigEndian.AppendUint32(nil, uint32(route.LLGRStale)))
	}
	if id := number("originator", 3); id > 1 {
		a = a.AppendAttr(route.AttrOriginatorID, []byte{0, 0, 0, byte(id)})
		a = a.AppendAttr(route.AttrClusterList, make([]byte, 4*number("clusters", 2)))
	}
	return a
}

// genRival draws a peer of a collector, or of one of two routers in another view.
func genRival(t *rapid.T, n int, views bool) *route.Peer {
	p := &route.Peer{
		Name: fmt.Sprint("p", n), ASN: route.ASN(64500 + n%2), LocalASN: 64500, Confederation: n%5 == 4,
		Address: netip.AddrFrom4([4]byte{192, 0, 2, byte(n % 4)}), RouterID: netip.AddrFrom4([4]byte{0, 0, 0, byte(n % 3)}),
	}
	p.AddPath[route.IPv4Unicast] = n%3 == 2
	if views {
		p.Router = rapid.SampledFrom([]string{"r1", "r2"}).Draw(t, "router")
		p.View = rapid.SampledFrom(append(route.Views(), route.AdjRIBIn)).Draw(t, "view")
	}
	return p
}

// TestContestHasTheBestOfDecide draws rivals for a few prefixes, some of them stale, and
// asks for the best of each prefix both ways.
func TestContestHasTheBestOfDecide(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		table := New()
		table.columnMin = rapid.SampledFrom([]int{1, columnMinRoutes}).Draw(t, "columnMin")
		views := rapid.Bool().Draw(t, "views")
		sets := rapid.SliceOfN(rapid.Custom(genDecided), 1, 6).Draw(t, "sets")
		at := time.Unix(1000, 0)
		for n := range rapid.IntRange(1, 9).Draw(t, "peers") {
			p := genRival(t, n, views)
			table.Apply(&route.Batch{Peer: p, At: at, Event: route.PeerUp})
			for id := range rapid.IntRange(1, 3).Draw(t, "paths") {
				nlri := []route.NLRI{{Prefix: netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(id % 2)}), 16)}}
				if p.AddPath[route.IPv4Unicast] {
					nlri[0].PathID = uint32(id)
				}
				set := rapid.SampledFrom(sets).Draw(t, "set")
				table.Apply(&route.Batch{Peer: p, At: at, Updates: []route.Update{{Attrs: set, NLRI: nlri}}})
			}
			down := &route.Batch{Peer: p, At: at, Event: route.PeerDown}
			down.Retention[route.IPv4Unicast] = rapid.SampledFrom([]route.Retention{
				{}, {Stale: time.Minute}, {Stale: time.Minute, Graceful: true, AsFresh: true}, {LongLived: time.Hour, Stale: time.Second},
			}).Draw(t, "keep")
			if down.Retention[route.IPv4Unicast] != (route.Retention{}) {
				table.Apply(down)
			}
		}
		table.Expire(at.Add(2 * time.Second)) // the long-lived phase begins
		_ = table.View(func(v *View) error {
			if rapid.Bool().Draw(t, "confined") {
				v.Confine(v.Select(func(p *route.Peer) bool { return p.Name != "p0" }))
			}
			compareContest(t, v)
			return nil
		})
	})
}

// compareContest compares the best routes of contests with those that Decide marks, with
// ranks and without.
func compareContest(t *rapid.T, v *View) {
	ranks := make([]Rank, v.Sets())
	for id := range ranks {
		ranks[id] = RankOf(v.Set(uint32(id)))
	}
	for _, contest := range []*Contest{v.NewContest(nil), v.NewContest(ranks)} {
		for d := range v.Within(route.IPv4Unicast, netip.Prefix{}, netip.Prefix{}) {
			var want, got []string
			for _, r := range v.Routes(nil, d, nil) {
				if r.Best {
					want = append(want, fmt.Sprint(r.Peer.Name, " ", r.PathID))
				}
			}
			met := v.Meet(nil, d.Family, d.Slot())
			contest.Decide(met)
			for _, f := range met {
				if f.Best {
					got = append(got, fmt.Sprint(f.Peer().Name, " ", f.PathID))
				}
			}
			slices.Sort(want)
			slices.Sort(got)
			if diff := gocmp.Diff(want, got); diff != "" {
				t.Fatalf("best of %v (-Decide +Contest): %s", d.Prefix, diff)
			}
		}
	}
}

// TestScanByWordEqualsAWalk confines a scan by times of receipt and by staleness, and
// compares it with a look at each route.
func TestScanByWordEqualsAWalk(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		table := New()
		table.columnMin = rapid.SampledFrom([]int{1, columnMinRoutes}).Draw(t, "columnMin")
		times := rapid.SampledFrom([]int64{0, 1, 1000, 1001, 1002, 1<<32 - 1})
		for n := range rapid.IntRange(1, 5).Draw(t, "peers") {
			p := &route.Peer{Name: fmt.Sprint("p", n)}
			for i := range rapid.IntRange(1, 4).Draw(t, "routes") {
				nlri := []route.NLRI{{Prefix: netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i)}), 16)}}
				table.Apply(&route.Batch{Peer: p, At: time.Unix(times.Draw(t, "at"), 0), Updates: []route.Update{{Attrs: attrsOf(i), NLRI: nlri}}})
			}
			if rapid.Bool().Draw(t, "down") {
				down := &route.Batch{Peer: p, At: time.Unix(1000, 0), Event: route.PeerDown}
				down.Retention[route.IPv4Unicast].Stale = time.Hour
				table.Apply(down)
			}
		}
		wanted := Wanted{
			From: uint32(times.Draw(t, "from")), Before: uint32(times.Draw(t, "before")),
			Stale: rapid.Bool().Draw(t, "stale"), Fresh: rapid.Bool().Draw(t, "fresh"),
		}
		_ = table.View(func(v *View) error {
			if wanted.Stale && rapid.Bool().Draw(t, "chosen") {
				wanted.Peers = v.WithStale()
			}
			var want, got []string
			say := func(f Found) string { return fmt.Sprint(f.Peer().Name, " ", f.Slot) }
			for d := range v.Within(route.IPv4Unicast, netip.Prefix{}, netip.Prefix{}) {
				v.Each(d, nil, func(f Found) {
					early, late := f.Received() < int64(wanted.From), wanted.Before != 0 && f.Received() >= int64(wanted.Before)
					if !early && !late && (!wanted.Stale || f.Stale()) && (!wanted.Fresh || !f.Stale()) {
						want = append(want, say(f))
					}
				})
			}
			v.Scan(route.IPv4Unicast, 0, uint32(v.Slots(route.IPv4Unicast)), &wanted, func(f Found) { got = append(got, say(f)) })
			slices.Sort(want)
			slices.Sort(got)
			if diff := gocmp.Diff(want, got); diff != "" {
				t.Fatalf("%+v (-walk +scan): %s", wanted, diff)
			}
			return nil
		})
	})
}
