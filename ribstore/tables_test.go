package ribstore

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ribglass/ribstore/history"
)

// loads counts how often a table is made, which takes a second.
type loads struct {
	mu    sync.Mutex
	made  map[time.Time]int
	fails error // of the next
}

func (l *loads) load(at time.Time) func(context.Context) (*history.Past, error) {
	return func(ctx context.Context) (*history.Past, error) {
		l.mu.Lock()
		l.made[at]++
		fails := l.fails
		l.fails = nil
		l.mu.Unlock()
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if fails != nil {
			return nil, fails
		}
		return &history.Past{At: at}, nil
	}
}

func moments(n int) (list []time.Time) {
	for i := range n {
		list = append(list, time.Date(2026, 11, 22, 3, i, 0, 0, time.UTC))
	}
	return list
}

func TestAWholeTableIsMadeOnceForManyAskers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, l := tables{most: 2, memory: new(Memory)}, loads{made: map[time.Time]int{}}
		when := moments(1)[0]
		got := make([]*history.Past, 8)
		var group sync.WaitGroup
		for i := range got {
			group.Go(func() {
				var err error
				if got[i], err = c.get(t.Context(), when, l.load(when)); err != nil {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		if c.peek(when) != nil {
			t.Error("a table is shown before it is there")
		}
		group.Wait()
		for _, p := range got {
			if p == nil || p != got[0] {
				t.Fatalf("different tables: %p and %p", p, got[0])
			}
		}
		if l.made[when] != 1 || c.peek(when) != got[0] {
			t.Errorf("made %d times, kept %v", l.made[when], c.peek(when) == got[0])
		}
	})
}

// Who gives up does not spoil it for those who wait, and what failed is not kept.
func TestOneWhoGivesUpDoesNotSpoilOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, l := tables{most: 2, memory: new(Memory)}, loads{made: map[time.Time]int{}}
		when := moments(1)[0]
		hurried, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		var group sync.WaitGroup
		group.Go(func() {
			if _, err := c.get(hurried, when, l.load(when)); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("the one in a hurry: %v", err)
			}
		})
		synctest.Wait()
		for range 4 {
			group.Go(func() {
				if p, err := c.get(t.Context(), when, l.load(when)); err != nil || !p.At.Equal(when) {
					t.Errorf("one who waits: %v, %v", p, err)
				}
			})
		}
		waiter, stop := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer stop()
		if _, err := c.get(waiter, when, l.load(when)); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("one who does not wait long: %v", err)
		}
		group.Wait()
		if l.made[when] != 2 {
			t.Errorf("made %d times, want 2", l.made[when])
		}

		other := moments(2)[1]
		l.fails = errors.New("an error")
		if _, err := c.get(t.Context(), other, l.load(other)); err == nil {
			t.Error("the error of loading is lost")
		}
		if p, err := c.get(t.Context(), other, l.load(other)); err != nil || p == nil {
			t.Errorf("after an error: %v, %v", p, err)
		}
	})
}

func TestTheTablesUsedLastAreKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, l := tables{most: 2, memory: new(Memory)}, loads{made: map[time.Time]int{}}
		m := moments(3)
		for step, want := range []struct {
			ask  int
			made string
		}{
			{0, "1 0 0"}, {1, "1 1 0"}, {0, "1 1 0"}, {2, "1 1 1"}, // 1 is forgotten
			{0, "1 1 1"}, {2, "1 1 1"}, {1, "1 2 1"}, {0, "2 2 1"},
		} {
			if _, err := c.get(t.Context(), m[want.ask], l.load(m[want.ask])); err != nil {
				t.Fatal(err)
			}
			if made := fmt.Sprint(l.made[m[0]], " ", l.made[m[1]], " ", l.made[m[2]]); made != want.made {
				t.Errorf("step %d: made %s, want %s", step, made, want.made)
			}
			if len(c.kept) > c.most {
				t.Errorf("step %d: %d tables kept", step, len(c.kept))
			}
		}
	})
}
