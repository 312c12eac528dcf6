package format

import (
	"cmp"
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"
)

// numberStupidly numbers words as wordWriter does, by comparing them.
func numberStupidly(words, used []uint32) (numbers []uint32, list []byte) {
	order := make([]int, len(words))
	for i := range order {
		order[i] = i
	}
	byWord := func(x, y int) int { return cmp.Compare(words[x], words[y]) }
	slices.SortFunc(order, func(x, y int) int { return cmp.Or(cmp.Compare(used[y], used[x]), byWord(x, y)) })
	numbers = make([]uint32, len(words))
	for start, end := 0, 1<<7; start < len(order); start, end = end, end<<7 {
		part := order[start:min(end, len(order))]
		slices.SortFunc(part, byWord)
		before := uint32(0)
		for i, at := range part {
			list = binary.AppendUvarint(list, uint64(words[at]-before))
			before = words[at]
			numbers[at] = uint32(start + i)
		}
	}
	return numbers, list
}

// TestWordsAreNumberedByUse compares with a numbering that compares words.
func TestWordsAreNumberedByUse(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 7))
	w := new(wordWriter)
	for n, test := range []struct{ words, uses, distinct int }{
		{1, 5, 1}, {127, 3, 127}, {128, 3, 128}, {129, 4, 129}, {600, 3000, 400}, {1000, 9000, 2}, {16384 + 128, 4, 0}, {16384 + 129, 2, 3}, {60_000, 20, 50_000},
	} {
		var words []uint32
		for len(words) < test.words {
			word := r.Uint32()
			if len(words)%3 == 0 {
				word >>= 16
			}
			if !slices.Contains(words[max(0, len(words)-2000):], word) {
				words = append(words, word)
			}
		}
		slices.Sort(words)
		words = slices.Compact(words)
		r.Shuffle(len(words), func(i, k int) { words[i], words[k] = words[k], words[i] })
		w.words, w.used = words, make([]uint32, len(words))
		for i := range words {
			w.used[i] = 1 + uint32(r.IntN(test.uses))
			if i < test.distinct && i%2 == 0 {
				w.used[i] = uint32(test.uses) // many that are used as often
			}
			if i%97 == 0 {
				w.used[i] += 1 << 13
			}
		}
		numbers, list := numberStupidly(words, w.used)
		want := appendPart(binary.AppendUvarint(nil, uint64(len(words))), list)
		if got := w.number(nil); !slices.Equal(got, want) {
			t.Errorf("case %d: the list differs", n)
		}
		if !slices.Equal(w.numbers, numbers) {
			t.Errorf("case %d: the numbers differ", n)
		}
	}
}
