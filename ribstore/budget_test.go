package ribstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

// budgetOf returns a budget of so many places of each kind with a wait.
func budgetOf(t *testing.T, places int, wait time.Duration) (*Budget, *prometheus.Registry) {
	t.Helper()
	var limits Limits
	for kind := range limits {
		limits[kind] = Limit{Places: places, Wait: wait}
	}
	r := prometheus.NewRegistry()
	b, err := NewBudget(limits, r)
	if err != nil {
		t.Fatal(err)
	}
	return b, r
}

func TestOneMoreThanTheLimitIsRefused(t *testing.T) {
	const places = 3
	for _, wait := range []time.Duration{0, 5 * time.Second} {
		for kind := range Kind(NumKinds) {
			t.Run(fmt.Sprintf("%v waits %v", kind, wait), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					b, _ := budgetOf(t, places, wait)
					began := time.Now()
					var errs []error
					var mu sync.Mutex
					var entrants sync.WaitGroup
					for range places + 1 {
						entrants.Go(func() {
							_, err := b.Enter(t.Context(), kind)
							mu.Lock()
							defer mu.Unlock()
							if err != nil {
								errs = append(errs, err)
							}
						})
					}
					entrants.Wait()
					busy, ok := errors.AsType[*BusyError](errors.Join(errs...))
					if len(errs) != 1 || !ok || *busy != (BusyError{kind, places}) || !errors.Is(errs[0], ErrBusy) {
						t.Errorf("errors are %v, want one *BusyError of %v", errs, kind)
					}
					if waited := time.Since(began); waited != wait {
						t.Errorf("it took %v, want %v", waited, wait)
					}
				})
			})
		}
	}
}

func TestKindsDoNotTakePlacesFromEachOther(t *testing.T) {
	b, _ := budgetOf(t, 1, 0)
	for kind := range Kind(NumKinds) {
		if _, err := b.Enter(t.Context(), kind); err != nil {
			t.Errorf("Enter(%v): %v", kind, err)
		}
	}
}

func TestEveryPlaceIsGivenBack(t *testing.T) {
	cause := errors.New("the reason")
	ways := []struct {
		name string
		use  func(t *testing.T, b *Budget)
	}{
		{"it leaves", func(t *testing.T, b *Budget) {
			t.Helper()
			leave, _ := b.Enter(t.Context(), Searches)
			leave()
		}},
		{"it leaves twice", func(t *testing.T, b *Budget) {
			t.Helper()
			leave, _ := b.Enter(t.Context(), Searches)
			leave()
			leave()
		}},
		{"it panics", func(t *testing.T, b *Budget) {
			t.Helper()
			defer func() { _ = recover() }()
			leave, _ := b.Enter(t.Context(), Searches)
			defer leave()
			panic("a mistake")
		}},
		{"a turn panics", func(_ *testing.T, b *Budget) {
			defer func() { _ = recover() }()
			b.Turn(func() bool { panic("a mistake") })
		}},
		{"the context had ended", func(t *testing.T, b *Budget) {
			t.Helper()
			ctx, cancel := context.WithCancelCause(t.Context())
			cancel(cause)
			if _, err := b.Enter(ctx, Searches); !errors.Is(err, cause) {
				t.Errorf("Enter: %v, want %v", err, cause)
			}
		}},
		{"the context ends while it waits", func(t *testing.T, b *Budget) {
			t.Helper()
			leave, _ := b.Enter(t.Context(), Searches)
			defer leave()
			ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, cause)
			defer cancel()
			if _, err := b.Enter(ctx, Searches); !errors.Is(err, cause) || errors.Is(err, ErrBusy) {
				t.Errorf("Enter: %v, want %v", err, cause)
			}
		}},
		{"the deadline comes while it waits", func(t *testing.T, b *Budget) {
			t.Helper()
			leave, _ := b.Enter(t.Context(), Searches)
			defer leave()
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			if _, err := b.Enter(ctx, Searches); !errors.Is(err, ErrBusy) {
				t.Errorf("Enter: %v, want ErrBusy", err)
			}
		}},
	}
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b, _ := budgetOf(t, 1, time.Minute)
				way.use(t, b)
				for _, kind := range []Kind{Searches, Turns} {
					p := &b.kinds[kind]
					if !p.free.TryAcquire(1) || p.underWay.Load() != 0 || p.waiting.Load() != 0 {
						t.Errorf("%v: %d are under way and %d wait, want none", kind, p.underWay.Load(), p.waiting.Load())
					}
				}
			})
		})
	}
}

func TestPlacesAreGivenInTheOrderOfComing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, _ := budgetOf(t, 1, time.Minute)
		leave, err := b.Enter(t.Context(), Comparisons)
		if err != nil {
			t.Fatal(err)
		}
		var order []int
		var entrants sync.WaitGroup
		for i := range 20 {
			entrants.Go(func() {
				leaveNext, err := b.Enter(t.Context(), Comparisons)
				if err != nil {
					t.Error(err)
					return
				}
				defer leaveNext()
				order = append(order, i)
			})
			synctest.Wait()
		}
		leave()
		entrants.Wait()
		if !slices.IsSorted(order) || len(order) != 20 {
			t.Errorf("places were given in the order %v", order)
		}
	})
}

func TestTurnsRestWhileOthersWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, _ := budgetOf(t, 2, 0)
		const searchers, pieces = 5, 40
		most, now, done := 0, 0, 0
		var mu sync.Mutex
		var group sync.WaitGroup
		for range searchers {
			group.Go(func() {
				left := pieces
				piece := func() bool {
					mu.Lock()
					now++
					most = max(most, now)
					mu.Unlock()
					time.Sleep(turn / 4)
					mu.Lock()
					now--
					done++
					mu.Unlock()
					left--
					return left > 0
				}
				for b.Turn(piece) {
				}
			})
		}
		group.Wait()
		if most != 2 || done != searchers*pieces {
			t.Errorf("%d turns were under way at a time and %d pieces were done, want 2 and %d", most, done, searchers*pieces)
		}
	})
}

func TestBudgetMetrics(t *testing.T) {
	b, r := budgetOf(t, 2, 0)
	for range 3 {
		_, _ = b.Enter(t.Context(), Drawings)
	}
	want := `
# HELP ribglass_ribstore_work_begun_total Work of a kind that was begun.
# TYPE ribglass_ribstore_work_begun_total counter
ribglass_ribstore_work_begun_total{kind="comparisons"} 0
ribglass_ribstore_work_begun_total{kind="drawings"} 2
ribglass_ribstore_work_begun_total{kind="event-streams"} 0
ribglass_ribstore_work_begun_total{kind="narrow-past"} 0
ribglass_ribstore_work_begun_total{kind="past-streams"} 0
ribglass_ribstore_work_begun_total{kind="searches"} 0
ribglass_ribstore_work_begun_total{kind="streams"} 0
ribglass_ribstore_work_begun_total{kind="turns"} 0
# HELP ribglass_ribstore_work_refused_total Work of a kind that was refused because there was too much of it at a time.
# TYPE ribglass_ribstore_work_refused_total counter
ribglass_ribstore_work_refused_total{kind="comparisons"} 0
ribglass_ribstore_work_refused_total{kind="drawings"} 1
ribglass_ribstore_work_refused_total{kind="event-streams"} 0
ribglass_ribstore_work_refused_total{kind="narrow-past"} 0
ribglass_ribstore_work_refused_total{kind="past-streams"} 0
ribglass_ribstore_work_refused_total{kind="searches"} 0
ribglass_ribstore_work_refused_total{kind="streams"} 0
ribglass_ribstore_work_refused_total{kind="turns"} 0
`
	if err := testutil.GatherAndCompare(r, strings.NewReader(want), "ribglass_ribstore_work_begun_total", "ribglass_ribstore_work_refused_total"); err != nil {
		t.Error(err)
	}
}

func TestBudgetRefusesLimitsWithoutPlaces(t *testing.T) {
	limits := DefaultConfig().Limits()
	limits[Streams].Places = 0
	if _, err := NewBudget(limits, nil); err == nil || !strings.Contains(err.Error(), "budget of streams") {
		t.Errorf("NewBudget: %v, want an error of streams", err)
	}
}
