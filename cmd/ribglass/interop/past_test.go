package interop

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"
)

// shownChange is a change of GET /api/v1/changes.
type shownChange struct {
	At                 time.Time
	Kind, Prefix, Peer string
	Cause              string
	Attributes         []string
}

type changeList struct {
	From, To time.Time
	Total    int
	Notices  []string
	Changes  []shownChange
}

// shownTimeline is what a test looks at of GET /api/v1/timeline.
type shownTimeline struct {
	Prefix string
	Flaps  int
	Rows   []struct {
		Peer   string
		States []struct {
			From, To time.Time
			Route    *shownRoute
		}
	}
}

// shownDiff is what a test looks at of GET /api/v1/diff.
type shownDiff struct {
	Counts      struct{ Same, Added, Withdrawn, Changed int }
	Differences []struct{ Prefix, Kind, Cause string }
}

// A router withdraws routes, changes some and has others anew, by a new
// configuration. Before and after can be asked, and what happened in between.
func TestWhatARouterTookBackIsThereInThePast(t *testing.T) {
	t.Parallel()
	g := newGlass(t, neighbor("daemon", "127.0.1.119", 65219))
	b := newBird(t, newEndpoints(t, 119, g.bgp))
	statics := func(med int, prefixes ...string) {
		b.more = birdStatic("some", "ipv4", fmt.Sprintf("bgp_next_hop = 192.0.2.26; bgp_community.add((64500,%d));", med), prefixes...) +
			birdStatic("six", "ipv6", "bgp_next_hop = 2001:db8::26;", "2001:db8:5::/48")
	}
	configure := func() {
		b.write(t, b.config())
		if out, err := b.do("configure"); err != nil || !strings.Contains(string(out), "Reconfigured") {
			t.Fatalf("birdc configure: %v\n%s", err, out)
		}
	}
	statics(1, "20.0.1.0/24", "20.0.2.0/24", "20.0.3.0/24")
	b.start(t)
	g.waitRoutes("daemon", 4)
	before := thisMoment()

	statics(1, "20.0.1.0/24", "20.0.2.0/24") // 20.0.3.0/24 is taken back
	configure()
	g.waitRoutes("daemon", 3)
	between := thisMoment()

	statics(2, "20.0.1.0/24", "20.0.2.0/24", "20.0.3.0/24", "20.0.4.0/24")
	configure()
	g.waitRoutes("daemon", 5)
	waitFor(t, 10*time.Second, "the other community", func() error {
		if n := g.ask("community 64500:2").Total; n != 4 {
			return fmt.Errorf("%d routes have it", n)
		}
		return nil
	})
	after := thisMoment()

	for _, row := range []struct {
		query string
		when  time.Time
		want  int
	}{
		{"20.0.3.77", before, 1},
		{"20.0.3.77", between, 0},
		{"20.0.3.77", after, 1},
		{"20.0.4.1", before, 0},
		{"peer daemon", before, 4},
		{"peer daemon", between, 3},
		{"peer daemon", after, 5},
		{"community 64500:1", between, 2},
		{"community 64500:2", between, 0},
		{"2001:db8:5::/48 or-longer", between, 1},
	} {
		query := row.query + " at " + moment(row.when)
		if got := g.ask(query); got.Total != row.want || len(got.Notices) > 0 || !got.At.Equal(row.when) {
			t.Errorf("%s: %d routes of %v, want %d; notices %q", query, got.Total, got.At, row.want, got.Notices)
		}
		var list answer
		if err := g.getJSON("/api/v1/routes?limit=1000&at="+moment(row.when)+"&q="+url.QueryEscape(row.query), &list); err != nil || list.Total != row.want {
			t.Errorf("%s with at=: %d routes, %v", query, list.Total, err)
		}
	}
	g.wantChanges(before, between, after)
	g.wantTimeline(before, after)
	g.wantDiff(before, between, after)
	g.unharmed()
}

func (g *glass) wantChanges(before, between, after time.Time) {
	g.t.Helper()
	for _, row := range []struct {
		query    string
		from, to time.Time
		want     string
	}{
		{"20.0.3.0/24", before, between, "withdraw 20.0.3.0/24 "},
		{"20.0.3.0/24", between, after, "announce 20.0.3.0/24 "},
		{"20.0.3.0/24", before, after, "withdraw 20.0.3.0/24 , announce 20.0.3.0/24 "},
		{"20.0.1.0/24", before, after, "replace 20.0.1.0/24 community"},
		{"20.0.1.0/24", before, between, ""},
	} {
		span := "between " + moment(row.from) + " and " + moment(row.to)
		var list changeList
		if err := g.getJSON("/api/v1/changes?order=oldest&q="+url.QueryEscape(row.query+" "+span), &list); err != nil {
			g.t.Fatal(err)
		}
		var got []string
		for _, c := range list.Changes {
			got = append(got, fmt.Sprint(c.Kind, " ", c.Prefix, " ", c.Cause))
			if c.Peer != "daemon" || c.At.Before(row.from) || c.At.After(row.to) {
				g.t.Errorf("%s %s: %+v", row.query, span, c)
			}
		}
		if strings.Join(got, ", ") != row.want {
			g.t.Errorf("%s %s: %q, want %q", row.query, span, got, row.want)
		}
	}
}

func (g *glass) wantTimeline(before, after time.Time) {
	g.t.Helper()
	var line shownTimeline
	span := "between " + moment(before) + " and " + moment(after)
	if err := g.getJSON("/api/v1/timeline?q="+url.QueryEscape("20.0.3.77 "+span), &line); err != nil {
		g.t.Fatal(err)
	}
	if line.Prefix != "20.0.3.0/24" || line.Flaps != 1 || len(line.Rows) != 1 || len(line.Rows[0].States) != 3 {
		g.t.Fatalf("the timeline of 20.0.3.77: %+v", line)
	}
	for i, there := range []bool{true, false, true} {
		if s := line.Rows[0].States[i]; (s.Route != nil) != there {
			g.t.Errorf("state %d of the timeline: %+v", i, s)
		}
	}
}

func (g *glass) wantDiff(before, between, after time.Time) {
	g.t.Helper()
	for _, row := range []struct {
		a, b time.Time
		want string
	}{
		{before, between, "same 3, added 0, withdrawn 1, changed 0"},
		{between, before, "same 3, added 1, withdrawn 0, changed 0"},
		{before, after, "same 1, added 1, withdrawn 0, changed 3"},
	} {
		var diff shownDiff
		if err := g.getJSON(fmt.Sprintf("/api/v1/diff?a=%s&b=%s", moment(row.a), moment(row.b)), &diff); err != nil {
			g.t.Fatal(err)
		}
		c := diff.Counts
		if got := fmt.Sprintf("same %d, added %d, withdrawn %d, changed %d", c.Same, c.Added, c.Withdrawn, c.Changed); got != row.want {
			g.t.Errorf("diff from %v to %v: %s, want %s", row.a, row.b, got, row.want)
		}
	}
}
