package table

import "testing"

// TestTurnsAreOfTheirOwner: a turn ends when the owner of the table says so, and without
// an owner when the work is done.
func TestTurnsAreOfTheirOwner(t *testing.T) {
	for name, row := range map[string]struct {
		turns func(func() bool) bool
		done  int
		more  bool
	}{
		"no owner":             {nil, 5, false},
		"an owner with a turn": {func(work func() bool) bool { work(); return work() }, 2, true},
	} {
		t.Run(name, func(t *testing.T) {
			table, done := New(), 0
			table.SetTurns(row.turns)
			_ = table.View(func(v *View) error {
				more := v.Turn(func() bool { done++; return done < 5 })
				if done != row.done || more != row.more {
					t.Errorf("Turn did %d pieces of work, more %v; want %d, %v", done, more, row.done, row.more)
				}
				return nil
			})
		})
	}
}
