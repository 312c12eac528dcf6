package ribstore

import (
	"context"
	"errors"
	"net/netip"
	"testing"
	"time"

	"ribglass/ribstore/query"
	"ribglass/ribstore/route"
	"ribglass/ribstore/table"
)

// oneRoute returns an asker of a table of one route, with the limits of a configuration.
func oneRoute(t *testing.T, cfg Config) asker {
	t.Helper()
	budget, err := NewBudget(cfg.Limits(), nil)
	if err != nil {
		t.Fatal(err)
	}
	tab := table.New()
	tab.Apply(&route.Batch{Peer: &route.Peer{Name: "a"}, At: time.Unix(1, 0), Updates: []route.Update{
		{Attrs: route.Attrs{1, 1, 0}, NLRI: []route.NLRI{{Prefix: netip.MustParsePrefix("10.0.0.0/8")}}},
	}})
	return newAsker(cfg, Deps{Now: time.Now, Budget: budget}, func() (*table.Table, time.Time) { return tab, time.Unix(2, 0) })
}

// TestQuestionsOfARequestShareItsBudget asks several questions in one request, and in
// requests of their own.
func TestQuestionsOfARequestShareItsBudget(t *testing.T) {
	cfg := DefaultConfig()
	cfg.SearchRows = 2
	a := oneRoute(t, cfg)
	ask := func(ctx context.Context, text string) error {
		q, err := query.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		_, err = a.Search(ctx, q, query.Page{})
		return err
	}
	request := new(Spending).With(t.Context())
	for _, text := range []string{"via 1", "via 2"} {
		if err := ask(request, text); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
	}
	var cost *CostError
	if err := ask(request, "via 3"); !errors.As(err, &cost) || cost.Rows != 3 {
		t.Errorf("a third question of a request: %v, want 3 rows of 2", err)
	}
	if _, err := a.Facets(request, query.Query{Expr: query.ViaAS(2)}, 1); err != nil {
		t.Errorf("counts of a question that was asked: %v", err)
	}
	if err := ask(t.Context(), "via 3"); err != nil {
		t.Errorf("a question of another request: %v", err)
	}
}

// TestTimeOfARequestIsThatOfAllItsSearches lets a request have searched for as long as it
// may.
func TestTimeOfARequestIsThatOfAllItsSearches(t *testing.T) {
	a := oneRoute(t, DefaultConfig())
	s := new(Spending)
	s.searched(DefaultConfig().SearchTime)
	request := s.With(t.Context())
	if _, err := a.Search(request, query.Query{Expr: query.ViaAS(1)}, query.Page{}); !errors.Is(err, ErrTooLong) {
		t.Errorf("a search beyond the time: %v, want ErrTooLong", err)
	}
	lookup := query.Lookup{Match: query.Longest, Prefix: netip.MustParsePrefix("10.0.0.1/32")}.Query()
	if res, err := a.Search(request, lookup, query.Page{}); err != nil || res.Total != 1 {
		t.Errorf("a lookup beyond the time: %v, %v, want its route", res, err)
	}
}

// TestLookupsThatAreNotCheapTakeAPlace fills the places and asks about one address with
// few conditions and with many.
func TestLookupsThatAreNotCheapTakeAPlace(t *testing.T) {
	cfg := DefaultConfig()
	cfg.SearchWait = 0
	a := oneRoute(t, cfg)
	leave, err := a.budget.Enter(t.Context(), Searches)
	if err != nil {
		t.Fatal(err)
	}
	defer leave()
	many := "10.0.0.1"
	for range 170 {
		many += " path _3257_.*_1"
	}
	for text, busy := range map[string]bool{
		"10.0.0.1":                    false,
		"10.0.0.0/8 path _3257_13335": false,
		"10.0.0.1 or-shorter via 3257 community 3257:1* not stale": false,
		many:    true,
		"via 1": true,
	} {
		q, err := query.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := a.Search(t.Context(), q, query.Page{}); errors.Is(err, ErrBusy) != busy {
			t.Errorf("%.60q while searches run: %v, want busy: %v", text, err, busy)
		}
	}
}
