package ribstore

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"ribglass/ribstore/changes"
	"ribglass/ribstore/compare"
	"ribglass/ribstore/query"
	"ribglass/ribstore/route"
)

// change is what is compared of a changes.Change.
type change struct {
	At       time.Time // zero where nothing ran
	Kind     changes.Kind
	Route    string // family, prefix, peer, path identifier; of a session the peer
	Old, New string
}

// didNotRun is the reason of what is recorded about a time in which nothing was.
const didNotRun = "Ribglass did not run"

func compareChanges(a, b change) int {
	return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Route, b.Route), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Old, b.Old), cmp.Compare(a.New, b.New))
}

// naive lists what changed from state to state, in two loops over everything.
func (l *life) naive(from, to time.Time, wanted func(route.Route) bool, sessions bool) (list []change) {
	for i := 1; i < len(l.states); i++ {
		was, is := l.states[i-1].routes, l.states[i]
		if is.at.Before(from) || is.at.After(to) {
			continue
		}
		c := change{At: is.at}
		if is.gap {
			c.At = time.Time{}
		}
		for name, old := range was {
			now, there := is.routes[name]
			if c.Kind = is.became(old, now, there); c.Kind != "" && wanted(old) {
				c.Route, c.Old, c.New = name, fmt.Sprintf("%x", old.Attrs), fmt.Sprintf("%x", now.Attrs)
				list = append(list, c)
			}
		}
		for name, now := range is.routes {
			if _, there := was[name]; !there && wanted(now) {
				list = append(list, change{c.At, changes.Announced, name, "", fmt.Sprintf("%x", now.Attrs)})
			}
		}
		for _, r := range is.refused() {
			name := fmt.Sprint(r.Family, " ", r.Prefix, " ", r.Peer.Name, " ", r.PathID)
			if _, there := was[name]; !there && wanted(r) {
				list = append(list, change{At: c.At, Kind: changes.Refused, Route: name})
			}
		}
		if kind := is.session(); kind != "" && sessions {
			list = append(list, change{At: is.at, Kind: kind, Route: is.batch.Peer.Name})
		}
	}
	slices.SortStableFunc(list, compareChanges)
	return list
}

// became says what happened to a route that there was.
func (s *state) became(was, is route.Route, there bool) changes.Kind {
	stale, now := !was.StaleSince.IsZero(), !is.StaleSince.IsZero()
	switch {
	case !there && s.batch == nil:
		return changes.Expired
	case !there && s.batch.Event == route.Routes && len(s.refused()) > 0:
		return changes.Refused
	case !there && s.batch.Event == route.Routes:
		return changes.Withdrawn
	case !there && (s.batch.Event == route.EndOfRIB || s.batch.Event == route.RefreshEnd || s.batch.Event == route.RefreshBegin):
		return changes.Swept
	case !there:
		return changes.Dropped
	case !bytes.Equal(was.Attrs, is.Attrs):
		return changes.Replaced
	case now && !stale:
		return changes.WentStale
	case stale && !now:
		return changes.Confirmed
	case is.LongLived && !was.LongLived:
		return changes.WentLongLived
	}
	return ""
}

// refused returns what the batch announced in a malformed UPDATE.
func (s *state) refused() (list []route.Route) {
	if s.batch == nil || len(s.batch.Updates) == 0 || !s.batch.Updates[0].Attrs.IsFault() {
		return nil
	}
	u := s.batch.Updates[0]
	for _, n := range u.NLRI {
		list = append(list, route.Route{Family: u.Family, Prefix: n.Prefix, PathID: n.PathID, Peer: s.batch.Peer})
	}
	return list
}

func (s *state) session() changes.Kind {
	if s.batch == nil {
		return ""
	}
	return map[route.Event]changes.Kind{
		route.PeerUp: changes.SessionUp, route.PeerDown: changes.SessionDown, route.PeerRemoved: changes.PeerRemoved,
		route.EndOfRIB: changes.EndOfRIB, route.RefreshBegin: changes.RefreshBegun, route.RefreshEnd: changes.RefreshEnded,
	}[s.batch.Event]
}

// listed returns all pages of changes in order of time.
func (l *life) listed(q query.Query, oldest, sessions bool) (list []change) {
	page := changes.Page{Page: query.Page{Limit: 200}, Oldest: oldest}
	total := 0
	var last time.Time
	for {
		got, err := l.Changes(l.t.Context(), q, page)
		if err != nil {
			l.t.Fatal(err)
		}
		for _, c := range got.Changes {
			total++
			if !last.IsZero() && (oldest && c.At.Before(last) || !oldest && c.At.After(last)) {
				l.t.Errorf("a change at %v follows one at %v, oldest first: %v", c.At, last, oldest)
			}
			last = c.At
			one := change{At: c.At, Kind: c.Kind, Route: c.Peer.Name}
			if !c.Kind.Session() {
				one.Route = fmt.Sprint(c.Family, " ", c.Prefix, " ", c.Peer.Name, " ", c.PathID)
				one.Old, one.New = fmt.Sprintf("%x", c.Old), fmt.Sprintf("%x", c.New)
				if (c.Kind == changes.Refused) != (c.Reason == "attribute 2 (AS_PATH): AS 0") {
					l.t.Errorf("%s: the reason is %q", c.Kind, c.Reason)
				}
			}
			if c.Reason == didNotRun {
				one.At = time.Time{}
			}
			if !c.Kind.Session() || sessions && c.Reason != didNotRun {
				list = append(list, one)
			}
		}
		if page.Cursor = got.NextCursor; page.Cursor == "" {
			if got.Exact && total != got.Total {
				l.t.Errorf("%d changes, and a total of %d", total, got.Total)
			}
			slices.SortStableFunc(list, compareChanges)
			return list
		}
	}
}

// changesAreThoseOfTheStates compares lists of changes with what changed from
// state to state.
func (l *life) changesAreThoseOfTheStates() {
	l.pass(2 * time.Second) // so that the last is over
	first, last := l.states[0].at, time.Now().UTC()
	someState := func() time.Time { return l.states[l.rand.IntN(len(l.states))].at }
	from, to := someState(), someState()
	if to.Before(from) {
		from, to = to, from
	}
	for _, row := range []struct {
		text     string
		from, to time.Time
		wanted   func(route.Route) bool
		sessions bool
	}{
		{"", first, last, func(route.Route) bool { return true }, true},
		{"", from, to, func(route.Route) bool { return true }, false},
		{"peer edge1", first, last, func(r route.Route) bool { return r.Peer.Name == "edge1" }, false},
		{"10.1.0.0/24", first, last, func(r route.Route) bool { return r.Prefix == netip.MustParsePrefix("10.1.0.0/24") }, false},
		{"10.1.0.0/16 or-longer", from, to, func(r route.Route) bool {
			return r.Prefix.Bits() >= 16 && netip.MustParsePrefix("10.1.0.0/16").Contains(r.Prefix.Addr())
		}, false},
	} {
		q := parse(l.t, row.text)
		q.Between = query.Span{From: at(row.from), To: at(row.to)}
		want := l.naive(row.from, row.to, row.wanted, row.sessions)
		for _, oldest := range []bool{true, false} {
			got := l.listed(q, oldest, row.sessions)
			if !row.from.Equal(first) { // what is of a time without recording may lie before or behind the edge
				got, want = withoutGaps(got), withoutGaps(want)
			}
			if diff := gocmp.Diff(want, got); diff != "" {
				l.t.Fatalf("%q from %v to %v, oldest first %v (-states +Changes):\n%s", row.text, row.from, row.to, oldest, diff)
			}
		}
	}
}

func withoutGaps(list []change) []change {
	return slices.DeleteFunc(slices.Clone(list), func(c change) bool { return c.At.IsZero() })
}

// comparisonsAreThoseOfTheStates compares two moments, and counts by hand.
func (l *life) comparisonsAreThoseOfTheStates() {
	for range 5 {
		a, b := l.states[l.rand.IntN(len(l.states))], l.states[l.rand.IntN(len(l.states))]
		var want compare.Counts
		for name, was := range a.routes {
			is, there := b.routes[name]
			switch {
			case !there:
				want.Withdrawn++
			case !bytes.Equal(was.Attrs, is.Attrs):
				want.Changed++
			default:
				want.Same++
			}
		}
		for name := range b.routes {
			if _, there := a.routes[name]; !there {
				want.Added++
			}
		}
		c, _, err := l.Compare(l.t.Context(), compare.Request{From: at(a.at), To: at(b.at)})
		if err != nil {
			l.t.Fatal(err)
		}
		got, err := c.Count(l.t.Context())
		if err != nil {
			l.t.Fatal(err)
		}
		if want.Same != got.Same || want.Added != got.Added || want.Withdrawn != got.Withdrawn || want.Changed != got.Changed {
			l.t.Errorf("from %v to %v: %+v, by hand %+v", a.at, b.at, got, want)
		}
	}
}

// timelinesAreThoseOfTheStates looks up every state of a prefix in its timeline,
// and the other way round.
func (l *life) timelinesAreThoseOfTheStates() {
	for _, p := range lifePrefixes {
		q := parse(l.t, p.String())
		q.Between = query.Span{From: at(l.states[0].at), To: query.Moment{Ago: time.Second}}
		line, err := l.Timeline(l.t.Context(), q, 0)
		if err != nil {
			l.t.Fatal(err)
		}
		for _, s := range l.states {
			if got, want := lineAt(line, s.at), routesOf(s, p); !maps.Equal(got, want) && !s.at.After(line.To) {
				l.t.Fatalf("the timeline of %s at %v: %q, want %q", p, s.at, got, want)
			}
		}
	}
}

// lineAt returns the routes that a timeline has at a moment.
func lineAt(line *changes.Timeline, t time.Time) map[string]string {
	found := map[string]string{}
	for _, row := range line.Rows {
		for _, s := range row.States {
			if s.Route != nil && !t.Before(s.From) && (t.Before(s.To) || t.Equal(line.To)) {
				found[fmt.Sprint(row.Peer.Name, " ", row.PathID)] = fmt.Sprintf("%x stale %v", s.Route.Attrs, s.Stale)
			}
		}
	}
	return found
}

func routesOf(s state, p netip.Prefix) map[string]string {
	found := map[string]string{}
	for _, r := range s.routes {
		if r.Prefix == p {
			found[fmt.Sprint(r.Peer.Name, " ", r.PathID)] = fmt.Sprintf("%x stale %v", r.Attrs, !r.StaleSince.IsZero())
		}
	}
	return found
}
