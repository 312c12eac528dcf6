package format

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

// drawWords draws a list of words of which some recur.
func drawWords(t *rapid.T, most int) []byte {
	var b []byte
	for range rapid.IntRange(0, most).Draw(t, "words") {
		word := rapid.Uint32Range(0, 3).Draw(t, "common")
		if rapid.IntRange(0, 5).Draw(t, "rare") == 0 {
			word = rapid.Uint32().Draw(t, "word")
		}
		b = binary.BigEndian.AppendUint32(b, word)
	}
	return b
}

func drawPath(t *rapid.T) []byte {
	var b []byte
	for range rapid.SampledFrom([]int{1, 1, 1, 0, 2, 3}).Draw(t, "segments") {
		words := drawWords(t, rapid.SampledFrom([]int{4, 4, 255}).Draw(t, "most"))
		b = append(append(b, rapid.SampledFrom([]byte{2, 2, 1, 3, 0}).Draw(t, "type"), byte(len(words)/wordSize)), words...)
	}
	return b
}

// valuesOf draws values by form.
func valuesOf() map[byte]func(*rapid.T) []byte {
	return map[byte]func(*rapid.T) []byte{
		formOctets: func(t *rapid.T) []byte { return rapid.SliceOfN(rapid.Byte(), 0, 9).Draw(t, "octets") },
		formWords:  func(t *rapid.T) []byte { return drawWords(t, 40) },
		formPaths:  drawPath,
	}
}

// drawValues draws values of one form, and at times one of another among them.
func drawValues(t *rapid.T, form byte) [][]byte {
	var list [][]byte
	for range rapid.IntRange(1, 60).Draw(t, "values") {
		of := form
		if rapid.IntRange(0, 100).Draw(t, "other") == 0 {
			of = rapid.SampledFrom([]byte{formOctets, formWords, formPaths}).Draw(t, "another")
		}
		list = append(list, valuesOf()[of](t))
	}
	return list
}

func TestValuesComeBackAsTheyWere(t *testing.T) {
	for form := range valuesOf() {
		t.Run(fmt.Sprintf("form %d", form), func(t *testing.T) { testValues(t, form) })
	}
}

func testValues(t *testing.T, form byte) {
	t.Helper()
	w := newSetWriter()
	var c valueReader
	had := false
	rapid.Check(t, func(t *rapid.T) {
		values := drawValues(t, form)
		b := w.words.appendValues(nil, values)
		had = had || b[0] == form
		if !bytes.Equal(b, newSetWriter().words.appendValues(nil, values)) {
			t.Fatal("the same values have other octets")
		}
		r := reader{b: b}
		c.read(&r, len(values))
		if diff := cmp.Diff(values, c.values, cmpopts.EquateEmpty()); diff != "" || r.end() != nil {
			t.Fatal(r.err, diff)
		}
	})
	if !had {
		t.Error("no values had the form")
	}
}

// FuzzValues makes sure that hostile values end in an error, and that no few octets
// make many.
func FuzzValues(f *testing.F) {
	w := newSetWriter()
	for _, list := range [][]string{
		{"\x02\x02\x00\x00\xfd\xe8\x00\x00\xfd\xe9", "\x02\x01\x00\x00\xfd\xe8", "\x01\x02\x00\x00\xfd\xe8\x00\x00\xfd\xe9", ""},
		{"\x00\x01\x00\x02", "\x00\x01\x00\x02\x00\x01\x00\x03", "\x00\x01\x00\x03\x00\x01\x00\x02"},
		{"a", "bc", ""},
	} {
		var values [][]byte
		for _, v := range list {
			values = append(values, []byte(v))
		}
		f.Add(len(values), w.words.appendValues(nil, values))
	}
	f.Fuzz(func(t *testing.T, n int, b []byte) {
		if n < 0 {
			return
		}
		var c valueReader
		r := reader{b: slices.Clone(b)}
		c.read(&r, n)
		if refused(t, r.err) {
			return
		}
		if len(c.values) != n || n > len(b) {
			t.Fatalf("%d values of %d octets, %d wanted", len(c.values), len(b), n)
		}
		total := 0
		for _, v := range c.values {
			total += len(v)
		}
		if total > 8*len(b) {
			t.Fatalf("%d octets made %d", len(b), total)
		}
	})
}
