package changes

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"ribglass/ribstore/query"
	"ribglass/ribstore/query/querytest"
	"ribglass/ribstore/route"
	"ribglass/ribstore/table"
)

var changePrefixes = []netip.Prefix{
	netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("192.0.2.0/24"),
}

// lived is a table that lives through random events, and what a filter is told
// of them.
type lived struct {
	table       *table.Table
	occurrences []Occurrence
	at          time.Time
}

func (l *lived) routes() map[netip.Prefix][]route.Route {
	all := map[netip.Prefix][]route.Route{}
	_ = l.table.View(func(v *table.View) error {
		for _, p := range changePrefixes {
			if d, ok := v.Exact(route.IPv4Unicast, p); ok {
				all[p] = v.Routes(nil, d, nil)
			}
		}
		return nil
	})
	return all
}

// happen lets something happen to the table and notes what became of prefixes.
func (l *lived) happen(o Occurrence, what func()) {
	before := l.routes()
	what()
	for range 100 {
		if !l.table.Work() {
			break
		}
	}
	after := l.routes()
	o.At = l.at
	l.occurrences = append(l.occurrences, o)
	for _, p := range changePrefixes {
		if len(before[p])+len(after[p]) > 0 {
			o.Before, o.After = before[p], after[p]
			l.occurrences = append(l.occurrences, o)
		}
	}
}

func (l *lived) apply(b route.Batch) {
	b.At = l.at
	l.happen(Occurrence{Event: b.Event, Peer: b.Peer, Family: b.Family, Reason: b.Reason}, func() { l.table.Apply(&b) })
}

func genLife(t *rapid.T) *lived {
	l := &lived{table: table.New(), at: querytest.Now()}
	peers := []*route.Peer{{Name: "a", Group: "g1"}, {Name: "b", Group: "g0"}, {Name: "c"}}
	peers[2].AddPath[route.IPv4Unicast] = true
	sets := []route.Attrs{querytest.Attrs(t), querytest.Attrs(t), querytest.Attrs(t)}
	up := map[*route.Peer]bool{}
	for range rapid.IntRange(1, 40).Draw(t, "events") {
		l.at = l.at.Add(time.Duration(rapid.IntRange(0, 5).Draw(t, "pause")) * time.Second)
		b := route.Batch{Peer: rapid.SampledFrom(peers).Draw(t, "peer")}
		for f := range b.Retention {
			b.Retention[f] = route.Retention{Stale: 10 * time.Second, LongLived: 10 * time.Second}
		}
		event := rapid.IntRange(0, 9).Draw(t, "event")
		if !up[b.Peer] && event != 4 {
			event = 0
		}
		switch event {
		case 0:
			b.Event = route.PeerUp
		case 1:
			b.Event, b.Reason = route.PeerDown, "hold timer"
		case 2:
			b.Event = route.EndOfRIB
		case 3:
			b.Event = rapid.SampledFrom([]route.Event{route.RefreshBegin, route.RefreshEnd, route.PeerRemoved}).Draw(t, "rare")
		case 4:
			l.happen(Occurrence{Expired: true}, func() { l.table.Expire(l.at) })
			continue
		default:
			u := route.Update{NLRI: []route.NLRI{{Prefix: rapid.SampledFrom(changePrefixes).Draw(t, "prefix")}}}
			if b.Peer.Name == "c" {
				u.NLRI[0].PathID = uint32(rapid.IntRange(1, 2).Draw(t, "path"))
			}
			if rapid.IntRange(0, 3).Draw(t, "withdraw") > 0 {
				u.Attrs = rapid.SampledFrom(sets).Draw(t, "attrs")
			}
			b.Updates = []route.Update{u}
		}
		up[b.Peer] = b.Event != route.PeerDown && b.Event != route.PeerRemoved
		l.apply(b)
	}
	return l
}

func keyOfRoute(r *route.Route) string {
	return fmt.Sprint(r.Family, r.Prefix, " ", r.Peer.Name, " ", r.PathID)
}

func describeChange(c *Change) string {
	return fmt.Sprint(c.At.Unix(), " ", c.Number, " ", c.Kind, " ", c.Family, " ", c.Prefix, " ", c.Peer.Name, " ", c.PathID, " ", c.Cause, c.Attributes, " ", c.Reason)
}

// TestChangesLeadFromOneStateToAnother folds all changes of a random life and
// compares with the table at its end.
func TestChangesLeadFromOneStateToAnother(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := genLife(t)
		state := map[string]string{}
		filter := Filter{Known: query.Known{At: querytest.Now()}}
		for _, o := range l.occurrences {
			for _, c := range filter.Changes(o) {
				key := keyOfRoute(&route.Route{Family: c.Family, Prefix: c.Prefix, Peer: c.Peer, PathID: c.PathID})
				old := strings.TrimSuffix(state[key], " stale")
				if old != fmt.Sprintf("%x", []byte(c.Old)) {
					t.Fatalf("%s: of %q, it was %q", describeChange(&c), fmt.Sprintf("%x", []byte(c.Old)), old)
				}
				switch c.Kind {
				case Announced, Replaced, Confirmed:
					state[key] = fmt.Sprintf("%x", []byte(c.New))
				case WentStale, WentLongLived:
					state[key] = fmt.Sprintf("%x stale", []byte(c.New))
				default:
					delete(state, key)
				}
			}
		}
		want := map[string]string{}
		for _, routes := range l.routes() {
			for _, r := range routes {
				want[keyOfRoute(&r)] = fmt.Sprintf("%x", []byte(r.Attrs))
				if !r.StaleSince.IsZero() {
					want[keyOfRoute(&r)] += " stale"
				}
			}
		}
		if diff := cmp.Diff(want, state); diff != "" {
			t.Fatalf("(-table +changes) %s", diff)
		}
	})
}

// TestPagesOfChanges pages through the changes of a random life that meet a
// random query, in both directions, and compares with all of them.
func TestPagesOfChanges(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := genLife(t)
		filter := Filter{Known: query.Known{At: querytest.Now()}, Sessions: rapid.Bool().Draw(t, "sessions")}
		q, err := query.Parse(querytest.Conditions(t))
		if err != nil {
			t.Fatal(err)
		}
		filter.Query = q
		page := Page{
			Page: query.Page{Limit: rapid.IntRange(1, 6).Draw(t, "limit")}, Oldest: rapid.Bool().Draw(t, "oldest"),
			Kinds: rapid.SampledFrom([][]Kind{nil, {Replaced}, {Announced, Withdrawn, SessionDown}}).Draw(t, "kinds"),
		}
		var want []string
		all := filter
		for _, o := range l.occurrences {
			for _, c := range all.Changes(o) {
				if page.Kinds == nil || slices.Contains(page.Kinds, c.Kind) {
					want = append(want, describeChange(&c))
				}
			}
		}
		if !page.Oldest {
			slices.Reverse(want)
		}
		var got []string
		for n := 0; n == 0 || page.Cursor != ""; n++ {
			list := pageOfChanges(t, l, filter, page, rapid.Bool().Draw(t, "narrow"))
			if n == 0 && list.Total != len(want) {
				t.Fatalf("total %d, want %d", list.Total, len(want))
			}
			for i := range list.Changes {
				got = append(got, describeChange(&list.Changes[i]))
			}
			if len(list.Changes) > page.Limit || n > len(want) {
				t.Fatalf("page %d has %d changes, want %d", n, len(list.Changes), page.Limit)
			}
			page.Cursor = list.NextCursor
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("(-all +pages) %s", diff)
		}
	})
}

// pageOfChanges tells a pager what happened: all of it, or no more than it needs.
func pageOfChanges(t *rapid.T, l *lived, filter Filter, page Page, narrow bool) *List {
	p, err := NewPager(filter, page)
	if err != nil {
		t.Fatal(err)
	}
	narrow = narrow && page.Cursor != ""
	from, to := p.Narrow(querytest.Now(), l.at)
	for _, o := range l.occurrences {
		if narrow && (o.At.Before(from) || o.At.After(to)) {
			continue
		}
		if !p.Observe(o) && narrow {
			break
		}
	}
	return p.List()
}

func TestKindsOfChanges(t *testing.T) {
	peer := &route.Peer{Name: "a"}
	at := querytest.Now()
	r := func(edit func(*route.Route)) []route.Route {
		x := route.Route{Prefix: changePrefixes[0], Peer: peer, Attrs: querytest.Path(1, 2), ReceivedAt: at}
		if edit != nil {
			edit(&x)
		}
		return []route.Route{x}
	}
	stale := r(func(x *route.Route) { x.StaleSince = at })
	long := r(func(x *route.Route) { x.StaleSince, x.LongLived = at, true })
	rows := []struct {
		name string
		o    Occurrence
		want string
	}{
		{"a new route", Occurrence{After: r(nil)}, "announce []"},
		{"a route of another origin", Occurrence{Before: r(nil), After: r(func(x *route.Route) { x.Attrs = querytest.Path(1, 3) })}, "replace origin[path]"},
		{"a stale route that is replaced", Occurrence{Before: stale, After: r(func(x *route.Route) { x.Attrs = querytest.Path(3, 2) })}, "replace path[path]"},
		{"a withdrawn route", Occurrence{Before: r(nil)}, "withdraw []"},
		{"a session that ended", Occurrence{Event: route.PeerDown, Before: r(nil), After: stale}, "stale []"},
		{"the long-lived phase", Occurrence{Expired: true, Before: stale, After: long}, "long-lived []"},
		{"a stale route that came again", Occurrence{Before: long, After: r(nil)}, "confirm []"},
		{"a route that was not sent again", Occurrence{Event: route.EndOfRIB, Before: stale}, "sweep []"},
		{"a route stale for too long", Occurrence{Expired: true, Before: long}, "expire []"},
		{"a route that nobody keeps", Occurrence{Event: route.PeerDown, Before: r(nil)}, "drop []"},
		{"a peer that was removed", Occurrence{Event: route.PeerRemoved, Before: r(nil)}, "drop []"},
		{"the same again", Occurrence{Before: r(nil), After: r(nil)}, ""},
		{"a session event", Occurrence{Event: route.PeerDown}, "peer-down []"},
		{"no session event", Occurrence{}, ""},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			row.o.At, row.o.Peer = at, peer
			filter := Filter{Known: query.Known{At: querytest.Now()}, Sessions: true}
			var got string
			for _, c := range filter.Changes(row.o) {
				got += fmt.Sprint(c.Kind, " ", c.Cause, c.Attributes)
			}
			if got != row.want {
				t.Errorf("%q, want %q", got, row.want)
			}
		})
	}
}

func TestSessionsThatConcernAQuery(t *testing.T) {
	events := map[string]Occurrence{
		"a up":  {Event: route.PeerUp, Peer: &route.Peer{Name: "a", Group: "g"}},
		"b up":  {Event: route.PeerUp, Peer: &route.Peer{Name: "b"}},
		"a end": {Event: route.EndOfRIB, Family: route.IPv6Unicast, Peer: &route.Peer{Name: "a", Group: "g"}},
	}
	for text, want := range map[string]string{
		"":                        "a end, a up, b up",
		"origin 64500":            "a end, a up, b up",
		"peer b":                  "b up",
		"group g best":            "a end, a up",
		"10.0.0.0/8":              "a up, b up",
		"family ipv6 peer a":      "a end, a up",
		"2001:db8::/32 or-longer": "a end, a up, b up",
	} {
		q, err := query.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		filter := Filter{Query: q, Known: query.Known{At: querytest.Now()}, Sessions: true}
		var got []string
		for _, name := range slices.Sorted(maps.Keys(events)) {
			if len(filter.Changes(events[name])) > 0 {
				got = append(got, name)
			}
		}
		if strings.Join(got, ", ") != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestForeignCursorOfChangesIsRefused(t *testing.T) {
	for _, text := range []string{"x", "!!", "AAAA", query.Cursor{Family: route.IPv4Unicast, Prefix: changePrefixes[0]}.String(), strings.Repeat("A", 500)} {
		if _, err := NewPager(Filter{}, Page{Page: query.Page{Cursor: text}}); !errors.Is(err, query.ErrCursor) {
			t.Errorf("cursor %.20q: %v, want ErrCursor", text, err)
		}
	}
}
