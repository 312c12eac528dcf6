package names

import (
	"bytes"
	"compress/gzip"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"ribglass/ribstore/route"
)

// asMap is the stupid twin of ASNames.
func asMap(n *ASNames) map[route.ASN]string {
	m := make(map[route.ASN]string)
	for i, asn := range n.asns {
		m[asn] = n.at(i)
	}
	return m
}

func gzipped(text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write([]byte(text))
	_ = w.Close()
	return b.String()
}

func TestFilesOfNames(t *testing.T) {
	want := map[route.ASN]string{64500: "Example, Inc", 1: "One", 4200000000: "Größe"}
	for name, text := range map[string]string{
		"tabs in any order":           "64500\tExample, Inc\n1\tOne\n4200000000\tGröße\n",
		"spaces, AS before, comments": "# names\n\nAS1 One\n  as64500   Example, Inc  \nAS64086.59904 Größe",
		"CSV with a third column":     "\"asn\",\"name\",\"source\"\n1,One,a\n64500,\"Example, Inc\",b\n4200000000,Größe,c\n",
		"CSV in another order":        "name,asn\r\nOne,1\r\n\"Example, Inc\",64500\r\nGröße,4200000000\r\n",
		"a byte order mark":           "\uFEFF1 One\n64500 Example, Inc\n4200000000 Größe\n",
		"packed by gzip":              gzipped("1 One\n64500 Example, Inc\n4200000000 Größe\n"),
		"controls and what hides":     "1\tO\x00n\x1b\u202ee\n64500\tExample,\u00a0\t Inc\u200b\n4200000000\tGröße\x7f\n",
	} {
		t.Run(name, func(t *testing.T) {
			n, err := ReadASNames(strings.NewReader(text))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, asMap(n)); diff != "" {
				t.Errorf("names (-want +got):\n%s", diff)
			}
		})
	}
}

func TestMistakesInFilesOfNames(t *testing.T) {
	for name, row := range map[string]struct{ text, want string }{
		"no number":            {"1 One\nfrob Two\n", `line 2: AS number "frob"`},
		"no name":              {"1 One\n2\n", `line 2: "2" is not an AS number, a tab and a name`},
		"a name of nothing":    {"1\t\u200b\n", "line 1: name of AS1: empty"},
		"an AS twice":          {"7 a\n1 b\n7 c\n", "line 3: AS7 has a name on line 1 already"},
		"a number too large":   {"4294967296 x\n", "line 1: AS number"},
		"a long name":          {"1 " + strings.Repeat("x", 513), "line 1: name of AS1: 513 bytes, at most 512"},
		"a long line":          {"1 x\n2 " + strings.Repeat("x", 3000), "line 2: longer than 2048 bytes"},
		"octets of no letter":  {"1 \xff\xfe\n", "line 1: name of AS1: not UTF-8"},
		"CSV, a field missing": {"asn,name\n1,One\n2\n", "line 3: wrong number of fields"},
		"CSV, no number":       {"asn,name\n1,One\nx,Two\n", "line 3: AS number"},
		"gzip cut off":         {gzipped("1 One\n")[:20], "unexpected EOF"},
		"zstd of nothing":      {"\x28\xb5\x2f\xfd\x00\x00\x00", "EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			n, err := ReadASNames(strings.NewReader(row.text))
			if err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("ReadASNames(%.40q) = %d names, %v, want %s", row.text, n.Len(), err, row.want)
			}
		})
	}
}

func TestLongUnpackedFileIsRefused(t *testing.T) {
	bomb := gzipped(strings.Repeat("#"+strings.Repeat(" ", 1022)+"\n", 66<<10))
	if _, err := ReadASNames(strings.NewReader(bomb)); !errors.Is(err, errTooLarge) {
		t.Errorf("a file of %d bytes that unpacks to 66 MiB: %v", len(bomb), err)
	}
}

func TestNamesAreFoundAsInAMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		asns := rapid.OneOf(
			rapid.Uint32Range(0, 200), rapid.Uint32Range(0, 1<<22), rapid.Uint32(),
			rapid.SampledFrom([]uint32{1<<21 - 1, 1 << 21, 1<<21 + 1, 1<<32 - 1}),
		)
		want := rapid.MapOf(asns, rapid.StringMatching(`[a-z]{1,8}`)).Draw(t, "names")
		var entries []entry
		for asn, name := range want {
			entries = append(entries, entry{route.ASN(asn), 1, name})
		}
		n, err := newASNames(entries)
		if err != nil {
			t.Fatal(err)
		}
		for asn, name := range want {
			for _, ask := range []uint32{asn, asn + 1, asn - 1, asn ^ 64} {
				if got := n.Name(route.ASN(ask)); got != want[ask] {
					t.Fatalf("Name(%d) = %q, want %q", ask, got, want[ask])
				}
			}
			_ = name
		}
	})
}

func TestNilHasNoNames(t *testing.T) {
	var n *ASNames
	if n.Len() != 0 || n.Name(1) != "" || n.Complete("x", 5) != nil {
		t.Error("nil has names")
	}
	if (&ASNames{}).Name(1) != "" || (&ASNames{}).Complete("x", 5) != nil {
		t.Error("the zero value has names")
	}
}

// completeStupidly is Complete by the words of its comment.
func completeStupidly(n *ASNames, typed string, limit int) []Match {
	typed = strings.TrimSpace(typed)
	number := typed
	if len(typed) > 2 && strings.EqualFold(typed[:2], "as") {
		number = typed[2:]
	}
	isNumber := number != "" && number[0] != '0' && strings.Trim(number, "0123456789") == "" && len(number) < 10
	var ranks [4][]Match
	for i, asn := range n.asns {
		m := Match{asn, n.at(i)}
		name, needle := foldASCII(m.Name), foldASCII(typed)
		if isNumber && strings.HasPrefix(asn.String(), number) {
			ranks[0] = append(ranks[0], m)
		}
		wordBegin := false
		for at := range name {
			before := strings.TrimRight(name[:at], "abcdefghijklmnopqrstuvwxyz0123456789ö") == name[:at]
			wordBegin = wordBegin || before && strings.HasPrefix(name[at:], needle)
		}
		switch {
		case strings.HasPrefix(name, needle):
			ranks[1] = append(ranks[1], m)
		case wordBegin:
			ranks[2] = append(ranks[2], m)
		case strings.Contains(name, needle):
			ranks[3] = append(ranks[3], m)
		}
	}
	// Numbers of fewer digits come first.
	slices.SortStableFunc(ranks[0], func(a, b Match) int { return len(a.ASN.String()) - len(b.ASN.String()) })
	all := slices.Concat(ranks[:]...)
	return all[:min(limit, len(all))]
}

func TestCompletionIsTheStupidOne(t *testing.T) {
	letters := rapid.StringOfN(rapid.SampledFrom([]rune("aAbBzZ19 -ö")), 1, 12, -1).
		Filter(func(s string) bool { return strings.TrimSpace(s) != "" })
	rapid.Check(t, func(t *rapid.T) {
		var entries []entry
		for i, name := range rapid.SliceOfN(letters, 0, 30).Draw(t, "names") {
			entries = append(entries, entry{route.ASN(i * 7), i, name})
		}
		n, err := newASNames(entries)
		if err != nil {
			t.Fatal(err)
		}
		typed := rapid.OneOf(letters, rapid.StringMatching(`(as|AS)?[0-9]{1,3}|[abz]`)).Draw(t, "typed")
		limit := rapid.IntRange(1, 10).Draw(t, "limit")
		if diff := cmp.Diff(completeStupidly(n, typed, limit), n.Complete(typed, limit), cmpEmpty()); diff != "" {
			t.Fatalf("Complete(%q, %d) (-want +got):\n%s", typed, limit, diff)
		}
	})
}

// TestTheFirstNameIsFound: nothing stands before it that a search could begin behind.
func TestTheFirstNameIsFound(t *testing.T) {
	n, err := newASNames([]entry{{64500, 1, "First"}, {64501, 2, "second first"}})
	if err != nil {
		t.Fatal(err)
	}
	want := []Match{{64500, "First"}, {64501, "second first"}}
	if diff := cmp.Diff(want, n.Complete("first", 9)); diff != "" {
		t.Errorf("Complete (-want +got): %s", diff)
	}
}

// cmpEmpty has cmp take a nil slice for an empty one.
func cmpEmpty() cmp.Option {
	return cmp.FilterValues(func(a, b []Match) bool { return len(a) == 0 && len(b) == 0 }, cmp.Ignore())
}

func TestCompletionIsBounded(t *testing.T) {
	n, err := readBuiltinNames()
	if err != nil {
		t.Fatal(err)
	}
	if got := len(n.Complete("e", 1000)); got != MaxMatches {
		t.Errorf("%d matches, want %d", got, MaxMatches)
	}
	if got := n.Complete(strings.Repeat("e", 65), 10); got != nil {
		t.Errorf("%d matches for a needle that is too long", len(got))
	}
	if got := n.Complete("CLOUDFLARE", 1); len(got) != 1 || got[0].ASN != 13335 {
		t.Errorf("Complete(CLOUDFLARE) = %v, want AS13335 first", got)
	}
}

func TestWhatIsWrittenIsReadAgain(t *testing.T) {
	n, err := ReadASNames(strings.NewReader("AS7 # seven\n1 One, \"two\"\n"))
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := n.Write(&b); err != nil {
		t.Fatal(err)
	}
	if want := "1\tOne, \"two\"\n7\t# seven\n"; b.String() != want {
		t.Errorf("wrote %q, want %q", b.String(), want)
	}
}

func FuzzReadASNames(f *testing.F) {
	for _, seed := range []string{"1 One\n", "asn,name\n1,\"O\"\"ne\"\n", "AS1.1\tx\n", gzipped("1 One\n"), "\x28\xb5\x2f\xfd", "\uFEFFasn,name\n", "1 x\v\x01\vy\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		n, err := ReadASNames(bytes.NewReader(data))
		if err != nil {
			return
		}
		var b bytes.Buffer
		if err := n.Write(&b); err != nil {
			t.Fatal(err)
		}
		again, err := ReadASNames(&b)
		if err != nil {
			t.Fatalf("cannot read what was written of %q: %v", data, err)
		}
		if diff := cmp.Diff(asMap(n), asMap(again)); diff != "" {
			t.Fatalf("written and read again (-want +got):\n%s", diff)
		}
	})
}
