package ribstore

import (
	"context"
	"sync"
	"time"
)

// Spending is what the questions of one request have cost so far. [Config.SearchTime] and
// [Config.SearchRows] bound what they cost together: a request that asks again and again
// comes no further than one that asks once. The zero value has spent nothing; it must not
// be copied. Anyone may use it at any time.
type Spending struct {
	mu   sync.Mutex
	time time.Duration // of searches, without their wait for a place
	rows int           // attribute sets and routes, by the plans' estimates
	last string        // the question that was charged last
}

// spendingKey is where a context keeps the spending of its request.
type spendingKey struct{}

// With returns a context whose questions are charged to the spending. Without one, every
// question is a request of its own.
func (s *Spending) With(ctx context.Context) context.Context {
	return context.WithValue(ctx, spendingKey{}, s)
}

// spendingOf returns what the questions of a context are charged to.
func spendingOf(ctx context.Context) *Spending {
	if s, ok := ctx.Value(spendingKey{}).(*Spending); ok {
		return s
	}
	return new(Spending)
}

// left returns what is left of the time that a request may search.
func (s *Spending) left(most time.Duration) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return most - s.time
}

// searched charges the time of a search.
func (s *Spending) searched(took time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.time += took
}

// touch charges the rows of a question unless the request then had touched more than it
// may. It returns how many that would be. A question whose answer is also counted is
// charged once.
func (s *Spending) touch(question string, rows, most int) (all int, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if question == s.last {
		rows = 0
	}
	all = s.rows + rows
	if all > most {
		return all, false
	}
	s.rows, s.last = all, question
	return all, true
}
