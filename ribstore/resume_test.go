package ribstore

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"ribglass/ribstore/changes"
	"ribglass/ribstore/compare"
	"ribglass/ribstore/history"
	"ribglass/ribstore/query"
	"ribglass/ribstore/route"
)

// edge2 is the peer that does not come back in tests.
var edge2 = &route.Peer{Name: "edge2", ASN: 64502, LocalASN: 64500}

func eor(p *route.Peer) route.Batch { return route.Batch{Peer: p, Event: route.EndOfRIB} }

func TestAfterARestartRoutesAreStaleUntilTheirPeersAreBack(t *testing.T) {
	for _, row := range []struct {
		name string
		end  func(*recorded)
	}{
		{"a clean stop", (*recorded).stop},
		{"a crash", (*recorded).crash},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := record(t)
				for _, p := range []*route.Peer{edge1, edge2} {
					r.up(p, 0)
					r.send(announce(p, "192.0.2.0/24", "198.51.100.0/24"))
					r.send(eor(p))
				}
				r.wait(2 * time.Second)
				ended := time.Now().UTC() // and not when something was recorded last
				row.end(r)
				time.Sleep(time.Hour)
				r.start()

				got := search(t, r.Store, "192.0.2.0/24")
				if got.Total != 2 || len(got.Notices) > 0 {
					t.Fatalf("after the start: %+v", got)
				}
				for _, one := range got.Routes {
					if one.StaleSince.Sub(ended).Abs() > time.Second {
						t.Errorf("%s is stale since %v, want %v", one.Peer.Name, one.StaleSince, ended)
					}
				}
				for _, f := range got.Freshness {
					if f.Up || f.StaleSince.Sub(ended).Abs() > time.Second {
						t.Errorf("%+v, want down since %v", f, ended)
					}
				}

				r.up(edge1, time.Minute)
				r.send(announce(edge1, "192.0.2.0/24"))
				if got := search(t, r.Store, "198.51.100.0/24"); got.Total != 2 {
					t.Errorf("before End-of-RIB: %+v", got)
				}
				r.send(eor(edge1))
				if got := search(t, r.Store, "198.51.100.0/24"); got.Total != 1 || got.Routes[0].Peer.Name != "edge2" {
					t.Errorf("after End-of-RIB: %+v", got)
				}
				r.wait(r.restart - 10*time.Second)
				if got := search(t, r.Store, "peer edge2"); got.Total != 2 {
					t.Errorf("before the time to restart is over: %+v", got)
				}
				r.wait(20 * time.Second)
				if got := search(t, r.Store, "peer edge2"); got.Total != 0 {
					t.Errorf("after the time to restart is over: %+v", got)
				}
				if got := search(t, r.Store, "192.0.2.0/24"); got.Total != 1 || !got.Routes[0].StaleSince.IsZero() {
					t.Errorf("of the peer that is back: %+v", got)
				}
			})
		})
	}
}

// While a server was down is asked about too: the answer is the state of before,
// and says so.
func TestAMomentAtWhichNothingRanIsAnsweredAndSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := record(t)
		r.up(edge1, 0)
		r.send(announce(edge1, "192.0.2.0/24"))
		r.wait(2 * time.Second)
		r.stop()
		time.Sleep(10 * time.Minute)
		between := time.Now().UTC()
		time.Sleep(10 * time.Minute)
		r.start()
		for _, text := range []string{"192.0.2.1", "peer edge1"} {
			q := parse(t, text)
			q.At = at(between)
			got, err := r.Search(t.Context(), q, query.Page{})
			if err != nil {
				t.Fatal(err)
			}
			if got.Total != 1 || got.Routes[0].StaleSince.IsZero() || !strings.Contains(strings.Join(got.Notices, "\n"), "nothing was recorded") {
				t.Errorf("%q: %+v", text, got)
			}
		}
		_, _, notices, err := r.PeersAt(t.Context(), at(between))
		if err != nil || len(notices) != 1 {
			t.Errorf("PeersAt: notices %q, error %v", notices, err)
		}
	})
}

// That nothing happened is known too: a crash makes nothing of the quiet before
// it unknown.
func TestAQuietTimeBeforeACrashIsKnown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := record(t)
		r.up(edge1, 0)
		r.send(announce(edge1, "192.0.2.0/24"))
		r.wait(10 * time.Minute)
		before := at(time.Now().Add(-3 * time.Minute))
		r.wait(2 * time.Minute)
		ended := time.Now()
		r.crash()
		time.Sleep(time.Hour)
		r.start()
		if got := search(t, r.Store, "192.0.2.1"); got.Total != 1 || ended.Sub(got.Routes[0].StaleSince) > quiet+2*time.Second {
			t.Errorf("after a crash at %v: %+v", ended, got)
		}
		for _, text := range []string{"192.0.2.1", "peer edge1"} {
			q := parse(t, text)
			q.At = before
			got, err := r.Search(t.Context(), q, query.Page{})
			if err != nil || got.Total != 1 || !got.Routes[0].StaleSince.IsZero() || !got.Freshness[0].Up || len(got.Notices) > 0 {
				t.Errorf("%s before the crash: %+v, %v", text, got, err)
			}
		}
		list, err := r.Changes(t.Context(), parse(t, "between -1d and now"), changes.Page{})
		if err != nil || list.Total != 4 { // up, announced, down, stale
			t.Errorf("Changes: %+v, %v", list, err)
		}
	})
}

// What was lost with the last group is not made up.
func TestACrashLosesTheLastGroupOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := record(t)
		r.up(edge1, 0)
		r.send(announce(edge1, "192.0.2.0/24"))
		r.wait(1500 * time.Millisecond)
		r.send(announce(edge1, "198.51.100.0/24"))
		asked := time.Now().UTC()
		r.crash() // within a second, so the last is not in the file
		time.Sleep(time.Minute)
		r.start()
		if got := search(t, r.Store, ""); got.Total != 1 || got.Routes[0].StaleSince.IsZero() {
			t.Errorf("after the crash: %+v", got)
		}
		q := query.Query{At: at(asked)}
		got, err := r.Search(t.Context(), q, query.Page{})
		if err != nil {
			t.Fatal(err)
		}
		if got.Total != 1 || len(got.Notices) == 0 {
			t.Errorf("about a moment that is lost: %+v", got)
		}
	})
}

// More may happen in a moment that is asked about while it lasts.
func TestAMomentThatIsNotOverIsNotKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := record(t)
		r.up(edge1, 0)
		r.wait(time.Second)
		q := query.Query{At: at(time.Now())}
		for n := range 3 {
			got, err := r.Search(t.Context(), q, query.Page{})
			if err != nil || got.Total != n {
				t.Fatalf("after %d routes: %+v, %v", n, got, err)
			}
			r.send(announce(edge1, []string{"192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24"}[n]))
		}
		r.wait(2 * time.Second)
		for range 2 {
			if got, err := r.Search(t.Context(), q, query.Page{}); err != nil || got.Total != 3 {
				t.Errorf("afterwards: %+v, %v", got, err)
			}
		}
	})
}

func TestACleanStopLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := record(t)
		r.up(edge1, 0)
		r.send(announce(edge1, "192.0.2.0/24"))
		r.stop() // at once
		r.start()
		if got := search(t, r.Store, "192.0.2.1"); got.Total != 1 {
			t.Errorf("after the start: %+v", got)
		}
	})
}

func TestQuestionsAboutThePastThatHaveNoAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Hour)
		r := record(t)
		r.up(edge1, 0)
		r.send(announce(edge1, "192.0.2.0/24"))
		r.wait(2 * time.Second)
		none, _ := running(t)
		ctx := t.Context()
		early, late := at(time.Now().Add(-30*time.Minute)), at(time.Now().Add(time.Second))

		ask := func(s *Store, text string, m query.Moment) []error {
			q := parse(t, text)
			q.At = m
			_, search := s.Search(ctx, q, query.Page{})
			_, facets := s.Facets(ctx, q, 3)
			_, around := s.ASNeighbors(ctx, 64501, m, 3)
			_, _, _, peers := s.PeersAt(ctx, m)
			_, explain := s.Explain(ctx, q)
			_, _, compare := s.Compare(ctx, compare.Request{From: m, Query: parse(t, text)})
			stream := s.Stream(ctx, q, func([]route.Route) error { return nil })
			return []error{search, facets, around, peers, explain, compare, stream}
		}
		for _, text := range []string{"192.0.2.1", "peer edge1"} {
			for i, err := range ask(r.Store, text, late) {
				if !errors.Is(err, ErrFuture) {
					t.Errorf("%q, question %d about the future: %v", text, i, err)
				}
			}
			for i, err := range ask(r.Store, text, early) {
				var before *history.RangeError
				if !errors.As(err, &before) || !strings.Contains(before.Error(), "2000-01-01T01:00:00Z") {
					t.Errorf("%q, question %d about before the begin: %v", text, i, err)
				}
			}
			for i, err := range ask(none, text, early) {
				if !errors.Is(err, ErrNoHistory) {
					t.Errorf("%q, question %d without a history: %v", text, i, err)
				}
			}
		}
		span := parse(t, "192.0.2.0/24 between -1m and now")
		if _, err := none.Changes(ctx, span, changes.Page{}); !errors.Is(err, ErrNoHistory) {
			t.Errorf("Changes without a history: %v", err)
		}
		if _, err := none.Timeline(ctx, span, 0); !errors.Is(err, ErrNoHistory) {
			t.Errorf("Timeline without a history: %v", err)
		}
		if _, err := none.Snapshot(ctx); !errors.Is(err, ErrNoHistory) {
			t.Errorf("Snapshot without a history: %v", err)
		}
		for _, text := range []string{"", "peer edge1", "192.0.2.0/24 or-longer", "192.0.2.0/24 or 198.51.100.0/24", "192.0.2.0/24 origin 64500"} {
			if _, err := r.Timeline(ctx, parse(t, text), 0); !errors.Is(err, ErrNoPrefix) {
				t.Errorf("Timeline(%q): %v", text, err)
			}
		}
		// A span is cut to what is recorded.
		wide := query.Query{Between: query.Span{From: early, To: at(time.Now().Add(time.Hour))}}
		list, err := r.Changes(ctx, wide, changes.Page{})
		if err != nil || list.Total != 2 || list.To.After(time.Now()) || !list.From.Equal(r.past.Stats().Begins) {
			t.Errorf("Changes of a wide span: %+v, %v", list, err)
		}
		backwards := query.Query{Between: query.Span{From: query.Moment{Ago: time.Second}, To: early}}
		if list, err := r.Changes(ctx, backwards, changes.Page{}); err != nil || list.Total != 0 {
			t.Errorf("Changes of a span backwards: %+v, %v", list, err)
		}
	})
}

func TestPlacesForThePastAreFew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := record(t)
		r.up(edge1, 0)
		r.send(announce(edge1, "192.0.2.0/24"))
		r.wait(2 * time.Second)
		for _, kind := range []Kind{Searches, NarrowPast} {
			for range DefaultConfig().Limits()[kind].Places {
				if _, err := r.Budget().Enter(t.Context(), kind); err != nil {
					t.Fatal(err)
				}
			}
		}
		asked := query.Moment{Ago: time.Second}
		for _, text := range []string{"192.0.2.1 at -1s", "peer edge1 at -1s"} {
			if _, err := r.Search(t.Context(), parse(t, text), query.Page{}); !errors.Is(err, ErrBusy) {
				t.Errorf("Search(%q): %v", text, err)
			}
		}
		for _, text := range []string{"192.0.2.1 between -1s and now", "between -1s and now"} {
			if _, err := r.Changes(t.Context(), parse(t, text), changes.Page{}); !errors.Is(err, ErrBusy) {
				t.Errorf("Changes(%q): %v", text, err)
			}
		}
		if _, err := r.Timeline(t.Context(), parse(t, "192.0.2.1"), 0); !errors.Is(err, ErrBusy) {
			t.Errorf("Timeline: %v", err)
		}
		if _, _, _, err := r.PeersAt(t.Context(), asked); !errors.Is(err, ErrBusy) {
			t.Errorf("PeersAt: %v", err)
		}
		if _, _, err := r.Compare(t.Context(), compare.Request{From: asked}); !errors.Is(err, ErrBusy) {
			t.Errorf("Compare: %v", err)
		}
		if got := search(t, r.Store, "192.0.2.1"); got.Total != 1 {
			t.Errorf("a lookup of now: %+v", got)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := r.Changes(ctx, parse(t, "between -1s and now"), changes.Page{}); !errors.Is(err, context.Canceled) {
			t.Errorf("Changes of a context that ended: %v", err)
		}
	})
}

// A comparison of two peers at a moment, and one of a peer that changed.
func TestTwoPeersAreComparedAtAMoment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := record(t)
		for _, p := range []*route.Peer{edge1, edge2} {
			r.up(p, 0)
		}
		r.send(announce(edge1, "192.0.2.0/24", "198.51.100.0/24"))
		r.send(announce(edge2, "192.0.2.0/24"))
		r.wait(time.Second)
		then := at(time.Now())
		r.wait(time.Second)
		r.send(announce(edge2, "203.0.113.0/24"))
		r.wait(2 * time.Second)
		for _, row := range []struct {
			name     string
			contrast compare.Request
			want     []compare.Kind
		}{
			{"two peers then", compare.Request{From: then, To: then, FromPeer: "edge1", ToPeer: "edge2"}, []compare.Kind{compare.Withdrawn}},
			{"two peers now", compare.Request{FromPeer: "edge1", ToPeer: "edge2"}, []compare.Kind{compare.Withdrawn, compare.Added}},
			{"one peer then and now", compare.Request{From: then, FromPeer: "edge2", ToPeer: "edge2"}, []compare.Kind{compare.Added}},
			{"all then and now", compare.Request{From: then}, []compare.Kind{compare.Added}},
			{"of one prefix", compare.Request{From: then, Query: parse(t, "192.0.2.0/24")}, nil},
		} {
			c, _, err := r.Compare(t.Context(), row.contrast)
			if err != nil {
				t.Fatalf("%s: %v", row.name, err)
			}
			diff, err := c.Page(t.Context(), query.Page{})
			if err != nil {
				t.Fatalf("%s: %v", row.name, err)
			}
			var got []compare.Kind
			for _, d := range diff.Differences {
				got = append(got, d.Kind)
			}
			if !slices.Equal(got, row.want) || diff.Counts.Differ() != (len(row.want) > 0) {
				t.Errorf("%s: %q, want %q; counts %+v", row.name, got, row.want, diff.Counts)
			}
		}
	})
}

// A router tells the same routes before and after its import policy. What is not
// asked for counts once, and each view is asked by its name.
func TestViewsOfARouterAreAskedOneByOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := record(t)
		pre := &route.Peer{Name: "edge3-pre", Router: "edge3", View: route.PrePolicy}
		post := &route.Peer{Name: "edge3-post", Router: "edge3", View: route.PostPolicy}
		begin := at(time.Now())
		for _, p := range []*route.Peer{post, pre} { // the other way round pre would be asked for a moment
			r.up(p, 0)
		}
		r.send(announce(pre, "192.0.2.0/24", "203.0.113.0/24"))
		r.send(announce(post, "192.0.2.0/24"))
		r.wait(2 * time.Second)
		if peers, _, _, err := r.PeersAt(t.Context(), at(time.Now())); err != nil || peers[0].Peer.View != post.View {
			t.Fatalf("PeersAt() = %+v, %v, want the view of the peer kept", peers, err)
		}
		for _, row := range []struct {
			text                     string
			total, changes, sessions int
		}{
			{"", 1, 1, 1},
			{"view any", 3, 3, 2},
			{"view pre-policy", 2, 2, 1},
			{"view loc-rib", 0, 0, 0},
			{"best view any", 3, 3, 2},
			{"peer edge3-pre", 2, 2, 1},
			{"203.0.113.0/24", 0, 0, 0},
			{"203.0.113.0/24 view any", 1, 1, 0}, // the sessions came up before their peers had the prefix
		} {
			if got := search(t, r.Store, row.text); got.Total != row.total {
				t.Errorf("%q: %d routes, want %d", row.text, got.Total, row.total)
			}
			q := parse(t, row.text)
			q.Between = query.Span{From: begin, To: at(time.Now())}
			list, err := r.Changes(t.Context(), q, changes.Page{})
			if err != nil {
				t.Fatal(err)
			}
			sessions := 0
			for _, c := range list.Changes {
				if c.Kind.Session() {
					sessions++
				}
			}
			if list.Total-sessions != row.changes || sessions != row.sessions {
				t.Errorf("%q: %d changes of routes, %d of sessions, want %d, %d", row.text, list.Total-sessions, sessions, row.changes, row.sessions)
			}
			c, _, err := r.Compare(t.Context(), compare.Request{From: begin, Query: parse(t, row.text)})
			if err != nil {
				t.Fatal(err)
			}
			if counts, err := c.Count(t.Context()); err != nil || counts.Added != row.total {
				t.Errorf("%q: %+v, %v, want %d added", row.text, counts, err, row.total)
			}
		}
		line, err := r.Timeline(t.Context(), parse(t, "192.0.2.0/24 view pre-policy"), 0)
		if err != nil || len(line.Rows) != 1 || line.Rows[0].Peer.Name != pre.Name {
			t.Errorf("timeline: %+v, %v", line, err)
		}
	})
}

// With a file that can only be read a store answers about what is in it, and
// goes on without recording.
func TestAStoreWithAHistoryThatIsReadOnlyGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := record(t)
		r.up(edge1, 0)
		r.send(announce(edge1, "192.0.2.0/24"))
		r.wait(2 * time.Second)
		then := at(time.Now())
		r.stop()
		before, err := os.ReadFile(r.path)
		if err != nil {
			t.Fatal(err)
		}
		log := slog.New(slog.DiscardHandler)
		h, err := history.OpenReadOnly(r.path, history.Deps{Logger: log, Now: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		s, err := New(DefaultConfig(), Deps{Logger: log, Registerer: prometheus.NewRegistry(), Now: time.Now, History: h})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Resume(t.Context()); err != nil {
			t.Fatal(err)
		}
		in, done := make(chan route.Batch), make(chan error)
		go func() { done <- s.Run(t.Context(), in) }()
		in <- route.Batch{Peer: edge1, Event: route.PeerUp}
		in <- announce(edge1, "198.51.100.0/24")
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if got := search(t, s, "198.51.100.1"); got.Total != 1 {
			t.Errorf("what was announced after the start: %+v", got)
		}
		q := query.Query{At: then}
		if got, err := s.Search(t.Context(), q, query.Page{}); err != nil || got.Total != 1 {
			t.Errorf("the past: %+v, %v", got, err)
		}
		close(in)
		if err := errors.Join(<-done, h.Close()); err != nil {
			t.Error(err)
		}
		after, err := os.ReadFile(r.path)
		if err != nil || !slices.Equal(before, after) {
			t.Errorf("the file was changed, error %v", err)
		}
	})
}
