package format

import (
	"testing"

	"pgregory.net/rapid"
)

func TestNumbersAreThoseOfAMap(t *testing.T) {
	var n numbering
	rapid.Check(t, func(t *rapid.T) {
		n.reset()
		want := map[string]uint32{}
		for _, v := range rapid.SliceOfN(rapid.SliceOfN(rapid.ByteRange(0, 3), 0, 4), 0, 300).Draw(t, "values") {
			known, ok := want[string(v)]
			if !ok {
				known = uint32(len(want))
				want[string(v)] = known
			}
			if id, fresh := n.number(v); id != known || fresh == ok || string(n.values[id]) != string(v) {
				t.Fatalf("number(%x) = %d, %v, want %d, %v", v, id, fresh, known, !ok)
			}
		}
	})
}
