package query

import (
	"testing"

	"ribglass/ribstore/query/querytest"
)

// TestPlansDoNotLookAtEveryRoute asks a full table, in which no route is stale and none
// lies in a range of bogons, what a question would touch.
func TestPlansDoNotLookAtEveryRoute(t *testing.T) {
	if testing.Short() {
		t.Skip("makes a full table")
	}
	k := Known{Table: querytest.Full(), At: now}
	routes := 3 * querytest.FullRoutes
	for _, row := range []struct {
		text   string
		method Method
		most   int
	}{
		{"bogon", Walk, 0},
		{"bogon peer a", Walk, 0},
		{"stale", Scan, 0},
		{"stale length = 24", Scan, 0},
		{"not bogon", Scan, routes},
		{"not stale", Scan, routes},
		{"best", Scan, routes},
	} {
		q, err := Parse(row.text)
		if err != nil {
			t.Fatal(err)
		}
		if p := Explain(k, q); p.Method != row.method || p.Cost > row.most {
			t.Errorf("plan of %q is %v of cost %d, want %v of at most %d", row.text, p.Method, p.Cost, row.method, row.most)
		}
	}
}
