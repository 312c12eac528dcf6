package query

import (
	"errors"
	"strings"
	"testing"
)

// TestExpressionsAreReadInTurns counts the turns, of which some are over before they began.
func TestExpressionsAreReadInTurns(t *testing.T) {
	turns := 0
	a := &Allowance{Turn: func(work func() bool) bool {
		if turns++; turns%3 != 0 {
			return true
		}
		return work()
	}}
	q, err := a.Parse("path _1_ or path 2$")
	if err != nil || turns != 6 || q.String() != "path _1_ or path 2$" {
		t.Errorf("%q, %v after %d turns, want both expressions after 6", q, err, turns)
	}
}

// TestTextsShareAnAllowance reads texts until nothing is left of it.
func TestTextsShareAnAllowance(t *testing.T) {
	var a Allowance
	for range 4 {
		if _, err := a.Parse("path 1.{20}"); err == nil || strings.Contains(err.Error(), "together") {
			t.Fatalf("an expression that is too complex: %v", err)
		}
	}
	var e *Error
	if _, err := a.Parse("stale path _1_"); !errors.As(err, &e) || e.Column != 12 || !strings.Contains(e.Message, "use fewer or simpler ones") {
		t.Errorf("a fifth text: %v, want its place and the way out", err)
	}
	if _, err := a.Parse("stale via 1"); err != nil {
		t.Errorf("a text without an expression: %v", err)
	}
	if _, err := Parse("path _1_"); err != nil {
		t.Errorf("a text of its own: %v", err)
	}
}
