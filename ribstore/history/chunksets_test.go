package history

import (
	"math/rand/v2"
	"testing"
)

// TestChunkSetsEqualAMap compares with a map, over several chunks.
func TestChunkSetsEqualAMap(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 3))
	x := new(chunkSets)
	for n := range 20 {
		x.clear()
		want := make(map[uint32]uint32)
		for range 1 << (n % 14) {
			id := r.Uint32N(1 << (1 + n%22))
			if n%5 == 0 {
				id = ^id - 1 // the highest ids
			}
			got := x.number(id)
			if *got != want[id] {
				t.Fatalf("chunk %d: set %d has the number %d, want %d", n, id, *got, want[id])
			}
			if *got == 0 {
				want[id] = uint32(len(want) + 1)
				*got = want[id]
			}
		}
		for id, number := range want {
			if got := *x.number(id); got != number {
				t.Fatalf("chunk %d: set %d has the number %d at the end, want %d", n, id, got, number)
			}
		}
	}
}
