package history

import (
	"testing"

	"ribglass/ribstore/history/format"
)

// TestWhereAChainOfRunsBegins: a run that continues another belongs to the chain of it.
func TestWhereAChainOfRunsBegins(t *testing.T) {
	var x index
	for i, origin := range []format.Origin{format.OriginEmpty, format.OriginContinued, format.OriginContinued, format.OriginEmpty, format.OriginContinued} {
		x.Runs = append(x.Runs, format.Run{ID: uint32(2 * (i + 1)), Origin: origin})
	}
	for id, want := range map[uint32]int{1: -1, 2: 0, 4: 0, 5: 0, 6: 0, 7: 0, 8: 3, 10: 3, 99: 3} {
		if got := x.broken(id); got != want {
			t.Errorf("broken(%d) = %d, want %d", id, got, want)
		}
	}
}
