package ribstore

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"ribglass/ribstore/query"
	"ribglass/ribstore/route"
)

// running runs a store for the length of a test. Its channel has no room, so
// that what was sent was taken.
func running(t *testing.T) (*Store, chan<- route.Batch) {
	t.Helper()
	s, err := New(DefaultConfig(), Deps{
		Logger: slog.New(slog.DiscardHandler), Registerer: prometheus.NewPedanticRegistry(), Now: time.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	in := make(chan route.Batch)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- s.Run(ctx, in) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return s, in
}

func announce(peer *route.Peer, prefixes ...string) route.Batch {
	attrs := route.Attrs(nil).AppendAttr(route.AttrOrigin, []byte{0})
	u := route.Update{Attrs: attrs}
	for _, p := range prefixes {
		u.NLRI = append(u.NLRI, route.NLRI{Prefix: netip.MustParsePrefix(p)})
	}
	return route.Batch{Peer: peer, At: time.Now(), Updates: []route.Update{u}}
}

func search(t *testing.T, s *Store, text string) *query.Result {
	t.Helper()
	q, err := query.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	r, err := s.Search(t.Context(), q, query.Page{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

var edge1 = &route.Peer{Name: "edge1", ASN: 64501, LocalASN: 64500}

func TestRoutesGoStaleAndAreSweptWhenTimeIsUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, in := running(t)
		start := time.Now()
		in <- route.Batch{Peer: edge1, At: start, Event: route.PeerUp}
		in <- announce(edge1, "192.0.2.0/24")
		synctest.Wait()
		if got := search(t, s, "192.0.2.1"); got.Total != 1 || !got.Routes[0].StaleSince.IsZero() {
			t.Fatalf("after the announcement: %+v", got)
		}
		down := route.Batch{Peer: edge1, At: start, Event: route.PeerDown, Reason: "hold timer expired"}
		down.Retention[route.IPv4Unicast] = route.Retention{Stale: time.Minute}
		in <- down
		time.Sleep(50 * time.Second)
		synctest.Wait()
		got := search(t, s, "192.0.2.1")
		if got.Total != 1 || !got.Routes[0].StaleSince.Equal(start.Truncate(time.Second)) || got.Freshness[0].Up {
			t.Fatalf("while stale: %+v", got)
		}
		if stats, ok := s.Peer("edge1"); !ok || stats.Stale[route.IPv4Unicast] != 1 {
			t.Fatalf("Peer(edge1) = %+v, %v", stats, ok)
		}
		time.Sleep(15 * time.Second)
		synctest.Wait()
		if got := search(t, s, "192.0.2.1"); got.Total != 0 || s.Stats().Prefixes[route.IPv4Unicast] != 0 {
			t.Fatalf("after the stale time: %+v, %+v", got, s.Stats())
		}
	})
}

func TestEveryBatchIsReleased(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, in := running(t)
		released := 0
		for range 5 {
			b := announce(edge1, "192.0.2.0/24", "198.51.100.0/24")
			b.Recycle = func() { released++ }
			in <- b
		}
		synctest.Wait()
		if released != 5 {
			t.Errorf("%d batches released, want 5", released)
		}
	})
}

func TestFreshnessNamesThePeersBehindAnAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, in := running(t)
		edge2 := &route.Peer{Name: "edge2"}
		for _, p := range []*route.Peer{edge1, edge2} {
			in <- route.Batch{Peer: p, At: time.Now(), Event: route.PeerUp}
		}
		in <- announce(edge1, "192.0.2.0/24")
		in <- route.Batch{Peer: edge1, At: time.Now(), Event: route.EndOfRIB}
		synctest.Wait()
		at := time.Now().UTC()
		want := []query.Freshness{{Peer: "edge1", Up: true, LastUpdate: at, EndOfRIB: [route.NumFamilies]time.Time{at}}}
		if diff := cmp.Diff(want, search(t, s, "192.0.2.1").Freshness); diff != "" {
			t.Error(diff)
		}
		if got := search(t, s, "192.0.2.1 peer edge2"); got.Total != 0 || len(got.Freshness) != 1 || got.Freshness[0].Peer != "edge2" {
			t.Errorf("a named peer without routes: %+v", got)
		}
	})
}

func TestSearchEndsWithItsContext(t *testing.T) {
	s, err := New(DefaultConfig(), Deps{Registerer: prometheus.NewRegistry(), Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Search(ctx, query.Query{}, query.Page{}); !errors.Is(err, context.Canceled) {
		t.Errorf("Search = %v, want context.Canceled", err)
	}
}

func TestSearchBeyondTheBudgetOfRowsIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, in := running(t)
		s.config.SearchRows = 1
		in <- announce(edge1, "192.0.2.0/24", "198.51.100.0/24")
		synctest.Wait()
		q, err := query.Parse("origin-code igp")
		if err != nil {
			t.Fatal(err)
		}
		var cost *CostError
		if _, err := s.Search(t.Context(), q, query.Page{}); !errors.As(err, &cost) || cost.Rows < 2 || cost.Limit != 1 {
			t.Errorf("Search = %v, want a *CostError", err)
		}
		if err := s.Stream(t.Context(), q, func([]route.Route) error { return nil }); !errors.As(err, &cost) {
			t.Errorf("Stream = %v, want a *CostError", err)
		}
		if got := search(t, s, "192.0.2.1"); got.Total != 1 {
			t.Errorf("a lookup is no search: %+v", got)
		}
	})
}

func TestMetricsAreSound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, in := running(t)
		in <- announce(edge1, "192.0.2.0/24")
		synctest.Wait()
		problems, err := testutil.CollectAndLint(sizes{s})
		if err != nil || len(problems) > 0 {
			t.Errorf("%v %v", problems, err)
		}
		if n := testutil.CollectAndCount(sizes{s}, "ribglass_ribstore_routes"); n != route.NumFamilies {
			t.Errorf("%d families of routes, want %d", n, route.NumFamilies)
		}
	})
}

func TestWhatHappensIsCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, in := running(t)
		in <- route.Batch{Peer: edge1, At: time.Now(), Event: route.PeerUp}
		in <- announce(edge1, "192.0.2.0/24", "198.51.100.0/24")
		for _, f := range route.Families() {
			in <- route.Batch{Peer: edge1, At: time.Now(), Event: route.EndOfRIB, Family: f}
		}
		time.Sleep(2 * time.Minute)
		for range 3 {
			in <- announce(edge1, "198.51.100.0/24")
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := s.Rate("edge1"); got.Total() != 3 || got.Last() != 3 || s.RateOfAll().Total() != 3 || s.Rate("edge2").Total() != 0 {
			t.Errorf("changes of edge1: %+v; of all: %+v", got, s.RateOfAll())
		}
		if got := s.Busiest().Prefixes; len(got) != 1 || got[0].Prefix != netip.MustParsePrefix("198.51.100.0/24") || got[0].Changes != 3 {
			t.Errorf("busiest: %+v", got)
		}
		in <- announce(edge1, "203.0.113.0/24")
		synctest.Wait()
		growth := s.Growth()
		if first, last := growth[0], growth[len(growth)-1]; len(growth) != 2 || first.Routes[0] != 2 || last.Prefixes[0] != 3 || !last.At.After(first.At) {
			t.Errorf("growth: %+v", growth)
		}
	})
}
