package format

import (
	"math/rand/v2"
	"testing"
)

// TestNumbersEqualAMap compares with a map.
func TestNumbersEqualAMap(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 3))
	x := new(Numbers)
	for n := range 20 {
		x.Reset()
		want := make(map[uint32]uint32)
		for range 1 << (n % 14) {
			id := r.Uint32N(1 << (1 + n%22))
			if n%5 == 0 {
				id = ^id // the highest ids
			}
			if found := x.Find(id); found != want[id] {
				t.Fatalf("round %d: Find(%d) = %d, want %d", n, id, found, want[id])
			}
			got := x.Of(id)
			if *got != want[id] {
				t.Fatalf("round %d: id %d has the number %d, want %d", n, id, *got, want[id])
			}
			if *got == 0 {
				want[id] = uint32(len(want) + 1)
				*got = want[id]
			}
		}
		for id, number := range want {
			if got := *x.Of(id); got != number {
				t.Fatalf("round %d: id %d has the number %d at the end, want %d", n, id, got, number)
			}
		}
	}
}
