package changes

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"ribglass/ribstore/query/querytest"
	"ribglass/ribstore/route"
)

// observation is what a timeline is told at one time.
type observation struct {
	at     time.Time
	routes []route.Route
}

var timelinePrefix = netip.MustParsePrefix("192.0.2.0/24")

// genObservations draws moments of a prefix that few peers announce; many are
// the same as the one before.
func genObservations(t *rapid.T) (list []observation) {
	sets := []route.Attrs{querytest.Attrs(t), querytest.Attrs(t), querytest.Attrs(t)}
	peers := []*route.Peer{{Name: "a"}, {Name: "b"}, {Name: "c"}}
	at := querytest.Now()
	current := map[rowKey]route.Route{}
	for range rapid.IntRange(0, 40).Draw(t, "moments") {
		for range rapid.IntRange(0, 2).Draw(t, "events") {
			r := route.Route{
				Prefix: timelinePrefix, Peer: rapid.SampledFrom(peers).Draw(t, "peer"), PathID: uint32(rapid.IntRange(0, 1).Draw(t, "path")),
				Attrs: rapid.SampledFrom(sets).Draw(t, "attrs"), ReceivedAt: at,
			}
			key := rowKey{r.Peer.Name, r.PathID}
			old, there := current[key]
			switch rapid.IntRange(0, 3).Draw(t, "event") {
			case 0:
				delete(current, key)
			case 1:
				if old.StaleSince = at; there {
					current[key] = old
				}
			default:
				current[key] = r
			}
		}
		o := observation{at: at}
		for _, r := range current {
			o.routes = append(o.routes, r)
		}
		slices.SortFunc(o.routes, func(a, b route.Route) int { return strings.Compare(keyOfRoute(&a), keyOfRoute(&b)) })
		list = append(list, o)
		at = at.Add(time.Duration(rapid.IntRange(0, 3).Draw(t, "pause")) * time.Second)
	}
	return list
}

// describeState writes a state as the twin does.
func describeState(s TimelineState) string {
	if s.Route == nil {
		return fmt.Sprint(s.From.Unix(), "-", s.To.Unix(), " absent")
	}
	return fmt.Sprintf("%d-%d %x %v", s.From.Unix(), s.To.Unix(), []byte(s.Route.Attrs), s.Stale)
}

// rowTwin folds the observations of one row the slow and obvious way.
func rowTwin(list []observation, key rowKey, to time.Time) (states []string, flaps, announcements, withdrawals int) {
	find := func(o observation) *route.Route {
		for i := range o.routes {
			if r := &o.routes[i]; r.Peer.Name == key.peer && r.PathID == key.pathID {
				return r
			}
		}
		return nil
	}
	text := func(r *route.Route) string {
		if r == nil {
			return "absent"
		}
		return fmt.Sprintf("%x %v", []byte(r.Attrs), !r.StaleSince.IsZero())
	}
	from := querytest.Now()
	before := find(list[0])
	present := before != nil
	for _, o := range list[1:] {
		r := find(o)
		switch {
		case before == nil && r != nil:
			announcements++
			if present {
				flaps++
			}
			present = true
		case before != nil && r == nil:
			withdrawals++
		case before != nil && (!r.ReceivedAt.Equal(before.ReceivedAt) || string(r.Attrs) != string(before.Attrs) || !before.StaleSince.IsZero() && r.StaleSince.IsZero()):
			announcements++
		}
		// A row that is first seen where the span begins has no absence in front.
		if text(r) != text(before) && (present && (len(states) > 0 || before != nil || o.at.After(querytest.Now()))) {
			states = append(states, fmt.Sprint(from.Unix(), "-", o.at.Unix(), " ", text(before)))
		}
		if text(r) != text(before) {
			from = o.at
		}
		before = r
	}
	if !present {
		return nil, 0, 0, 0
	}
	return append(states, fmt.Sprint(from.Unix(), "-", to.Unix(), " ", text(before))), flaps, announcements, withdrawals
}

// TestTimelineEqualsFold compares timelines of random observations with a fold.
func TestTimelineEqualsFold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		list := genObservations(t)
		if len(list) == 0 {
			return
		}
		to := list[len(list)-1].at.Add(time.Second)
		most := rapid.SampledFrom([]int{0, 5, 20}).Draw(t, "states kept")
		b := NewTimelineBuilder(route.IPv4Unicast, timelinePrefix, querytest.Now(), most)
		for _, o := range list {
			b.Observe(o.at, o.routes)
		}
		got := b.Timeline(to)
		rows := map[rowKey]TimelineRow{}
		kept := 0
		for _, r := range got.Rows {
			rows[rowKey{r.Peer.Name, r.PathID}] = r
			kept += len(r.States)
		}
		if most > 0 && kept > most+len(got.Rows) {
			t.Fatalf("%d states of %d rows are kept, want %d", kept, len(got.Rows), most)
		}
		sum := Timeline{}
		for _, peer := range []string{"a", "b", "c"} {
			for id := range uint32(2) {
				key := rowKey{peer, id}
				states, flaps, announcements, withdrawals := rowTwin(list, key, to)
				row := rows[key]
				sum.States, sum.Flaps, sum.Announcements, sum.Withdrawals = sum.States+len(states), sum.Flaps+flaps, sum.Announcements+announcements, sum.Withdrawals+withdrawals
				if slices.ContainsFunc(got.Notices, func(n string) bool { return strings.Contains(n, "may count as another") }) {
					continue
				}
				checkRow(t, row, states, most == 0, []int{len(states), flaps, announcements, withdrawals})
			}
		}
		if len(got.Notices) == 0 || most == 0 {
			if diff := cmp.Diff([]int{sum.States, sum.Flaps, sum.Announcements, sum.Withdrawals}, []int{got.States, got.Flaps, got.Announcements, got.Withdrawals}); diff != "" {
				t.Fatalf("counts (-fold +timeline): %s", diff)
			}
		}
		checkSeen(t, got, list, to)
	})
}

func checkRow(t *rapid.T, row TimelineRow, states []string, whole bool, counts []int) {
	var got []string
	for _, s := range row.States {
		got = append(got, describeState(s))
	}
	if !whole && len(got) <= len(states) {
		states = states[len(states)-len(got):]
	}
	if diff := cmp.Diff(states, got); diff != "" {
		t.Fatalf("states (-fold +timeline): %s", diff)
	}
	if diff := cmp.Diff(counts, []int{row.Total, row.Flaps, row.Announcements, row.Withdrawals}); diff != "" {
		t.Fatalf("states, flaps, announcements, withdrawals (-fold +timeline): %s", diff)
	}
}

func checkSeen(t *rapid.T, got *Timeline, list []observation, to time.Time) {
	var first, last time.Time
	for i, o := range list {
		if len(o.routes) == 0 {
			continue
		}
		if first.IsZero() {
			first = o.at
		}
		last = to
		if i+1 < len(list) {
			last = list[i+1].at
		}
	}
	if !got.FirstSeen.Equal(first) || !got.LastSeen.Equal(last) {
		t.Fatalf("seen from %v to %v, want %v to %v", got.FirstSeen, got.LastSeen, first, last)
	}
}

// TestAConfirmedRouteWasAnnounced: going stale says nothing, and a stale route that is
// fresh again was sent again, though its time of receipt stays.
func TestAConfirmedRouteWasAnnounced(t *testing.T) {
	from := querytest.Now()
	fresh := route.Route{Peer: &route.Peer{Name: "a"}, Prefix: timelinePrefix, ReceivedAt: from.Add(-time.Hour)}
	stale := fresh
	stale.StaleSince = from.Add(time.Second)
	b := NewTimelineBuilder(route.IPv4Unicast, timelinePrefix, from, 0)
	for i, r := range []route.Route{fresh, stale, fresh, stale} {
		b.Observe(from.Add(time.Duration(i)*time.Second), []route.Route{r})
	}
	got := b.Timeline(from.Add(time.Minute))
	if got.States != 4 || got.Announcements != 1 || got.Withdrawals != 0 || got.Flaps != 0 {
		t.Errorf("%d states, %d announcements, %d withdrawals, %d flaps; want 4, 1, 0, 0", got.States, got.Announcements, got.Withdrawals, got.Flaps)
	}
}

func TestTimelineOfOrigins(t *testing.T) {
	a, b := &route.Peer{Name: "a"}, &route.Peer{Name: "b"}
	second := func(n int) time.Time { return querytest.Now().Add(time.Duration(n) * time.Second) }
	builder := NewTimelineBuilder(route.IPv4Unicast, timelinePrefix, querytest.Now(), 0)
	old := querytest.Now().Add(-24 * time.Hour)
	builder.Observe(querytest.Now(), []route.Route{{Peer: a, Attrs: querytest.Path(1, 64500), ReceivedAt: old}})
	builder.Observe(second(1), []route.Route{{Peer: a, Attrs: querytest.Path(1, 64500), ReceivedAt: old}, {Peer: b, Attrs: querytest.Path(2, 64501)}})
	builder.Observe(second(2), nil)
	builder.Observe(second(3), []route.Route{{Peer: b, Attrs: querytest.Path(3, 64501)}})
	builder.Observe(second(4), nil)
	got := builder.Timeline(second(9))
	want := []OriginChange{
		{second(1), []route.ASN{64500}, []route.ASN{64500, 64501}},
		{second(3), []route.ASN{64500, 64501}, []route.ASN{64501}},
	}
	if diff := cmp.Diff(want, got.OriginChanges); diff != "" {
		t.Errorf("origin changes: %s", diff)
	}
	if !got.FirstSeen.Equal(old) || !got.LastSeen.Equal(second(4)) || got.Flaps != 1 {
		t.Errorf("seen from %v to %v with %d flaps, want from %v to %v with 1", got.FirstSeen, got.LastSeen, got.Flaps, old, second(4))
	}
}

// TestTimelineOfOriginsInSets has paths that end in sets, in a confederation and in
// nothing: each member of a set is an origin, and a path without an AS has none.
func TestTimelineOfOriginsInSets(t *testing.T) {
	a, b := &route.Peer{Name: "a"}, &route.Peer{Name: "b"}
	attrs := func(p route.ASPath) route.Attrs { return route.Attrs(nil).AppendAttr(route.AttrASPath, p) }
	one := slices.Clip(route.ASPath(nil).AppendSegment(route.ASSequence, 1))
	paths := []route.ASPath{
		one.AppendSegment(route.ASSet, 3, 2),
		one.AppendSegment(route.ASSet, 2, 3, 2),                    // the same members
		one.AppendSegment(route.ASSequence, 2),                     // one of them
		one.AppendSegment(route.ASSet, 2),                          // the same origin
		route.ASPath(nil).AppendSegment(route.ASConfedSequence, 9), // none: the own confederation
		nil, // none: the own AS
		route.ASPath(nil).AppendSegment(route.ASConfedSequence, 9).AppendSegment(route.ASSequence, 1, 4),
	}
	second := func(n int) time.Time { return querytest.Now().Add(time.Duration(n) * time.Second) }
	builder := NewTimelineBuilder(route.IPv4Unicast, timelinePrefix, querytest.Now(), 0)
	for i, p := range paths {
		builder.Observe(second(i), []route.Route{{Peer: a, Attrs: attrs(p), ReceivedAt: second(i)}})
	}
	builder.Observe(second(len(paths)), []route.Route{{Peer: a, Attrs: attrs(paths[6]), ReceivedAt: second(6)}, {Peer: b, Attrs: attrs(nil)}})
	want := []OriginChange{
		{second(2), []route.ASN{2, 3}, []route.ASN{2}},
		{second(4), []route.ASN{2}, []route.ASN{}},
		{second(6), []route.ASN{}, []route.ASN{4}},
	}
	if diff := cmp.Diff(want, builder.Timeline(second(9)).OriginChanges); diff != "" {
		t.Errorf("origin changes (-want +got): %s", diff)
	}
}

// TestTimelineIsBounded has sessions with ever new path identifiers.
func TestTimelineIsBounded(t *testing.T) {
	peer := &route.Peer{Name: "a"}
	builder := NewTimelineBuilder(route.IPv4Unicast, timelinePrefix, querytest.Now(), 100)
	const moments = 5000
	for i := range moments {
		builder.Observe(querytest.Now().Add(time.Duration(i)*time.Second), []route.Route{{Peer: peer, PathID: uint32(i), Attrs: querytest.Path(route.ASN(i + 1))}})
		if len(builder.rows) > 500 {
			t.Fatalf("%d rows after %d moments", len(builder.rows), i)
		}
	}
	got := builder.Timeline(querytest.Now().Add(moments * time.Second))
	kept := 0
	for _, row := range got.Rows {
		kept += len(row.States)
	}
	if got.Announcements != moments-1 || got.Withdrawals != moments-1 || got.OriginChangeCount != moments-1 || len(got.OriginChanges) != 100 || kept > 200 || len(got.Notices) != 3 {
		t.Errorf("%d announcements, %d withdrawals, %d origin changes (%d kept), %d states kept, notices %q",
			got.Announcements, got.Withdrawals, got.OriginChangeCount, len(got.OriginChanges), kept, got.Notices)
	}
}
