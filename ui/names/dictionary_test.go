package names

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"pgregory.net/rapid"

	"ribglass/ribstore/route"
)

func readText(t testing.TB, files map[string]string) *Dictionary {
	t.Helper()
	dir := make(fstest.MapFS)
	for name, text := range files {
		dir[name] = &fstest.MapFile{Data: []byte(text)}
	}
	d, err := ReadCommunities(dir)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// parsed reads a community as pages print it.
func parsed(t testing.TB, text string) Community {
	t.Helper()
	word, rest, found := strings.Cut(text, " ")
	c := Community{}
	if !found {
		rest = text
	} else if c.kind = routeTarget; word == "ro" {
		c.kind = routeOrigin
	}
	parts := strings.Split(rest, ":")
	if len(parts) == 3 {
		c.kind = large
	}
	for i, p := range parts {
		n, err := strconv.ParseUint(p, 10, 32)
		if err != nil {
			t.Fatal(err)
		}
		c.parts[i] = uint32(n)
	}
	return c
}

func TestExplanations(t *testing.T) {
	d := readText(t, map[string]string{
		"as64500.txt": `# communities of AS64500
64500:100,Learned in Amsterdam, the Netherlands
64500:100,said again
64500:1xx,A hundred and $0$1
64500:nnn,Some number $0
64500:20x,Prepend $0x
64500:1000-1999,Customer $0
64500:7nnn,Seven and $0
64500:0300,Zeros before it
64500:xx:nnn,Do not announce from $0$1 to AS$2
<ASN>:1:2,Of AS<ASN>
rt 64500:1,Target
soo 64500:x,Origin $0
65001:nnn,Prepend to AS$0
65000-65003:64500,Between
`,
		"AS64501.TXT":   "65001:nnn,Another thing\n64501:0,x\n",
		"as65010.txt":   "link.txt\n",
		"link.txt":      "<ASN>:1,Linked",
		"README.md":     "not, a : dictionary",
		"as64500.txt~":  "broken",
		"notes.txt":     "broken",
		"xas64502.txt":  "broken",
		"as64502.json":  "broken",
		"as64503.txt.d": "broken",
	})
	near, other := []route.ASN{64999, 64500, 64501}, []route.ASN{64501}
	for name, row := range map[string]struct {
		community string
		heard     []route.ASN
		want      string
	}{
		"one of its own; the first counts":         {"64500:100", nil, "Learned in Amsterdam, the Netherlands"},
		"narrower than any number":                 {"64500:123", nil, "A hundred and 23"},
		"a digit":                                  {"64500:207", nil, "Prepend 7x"},
		"a range, its begin":                       {"64500:1000", nil, "Customer 1000"},
		"a range, its end":                         {"64500:1999", nil, "Customer 1999"},
		"behind a range":                           {"64500:2000", nil, "Some number 2000"},
		"digits and the rest":                      {"64500:7250", nil, "Seven and 250"},
		"digits and no rest":                       {"64500:7", nil, "Some number 7"},
		"zeros do not count":                       {"64500:300", nil, "Zeros before it"},
		"any number":                               {"64500:65535", nil, "Some number 65535"},
		"large":                                    {"64500:31:64999", nil, "Do not announce from 31 to AS64999"},
		"large, no pattern":                        {"64500:311:64999", nil, ""},
		"the AS of the file":                       {"64500:1:2", nil, "Of AS<ASN>"},
		"a route target":                           {"rt 64500:1", nil, "Target"},
		"a route origin":                           {"ro 64500:4", nil, "Origin 4"},
		"another kind":                             {"ro 64500:10", nil, ""},
		"of nobody, heard from nobody":             {"65001:64999", nil, ""},
		"of nobody, heard by way of one":           {"65001:64999", near, "Prepend to AS64999 (AS64500)"},
		"of nobody, heard by way of another":       {"65001:64999", other, "Another thing (AS64501)"},
		"a wide first part, narrower than nnn":     {"65001:64500", near, "Between (AS64500)"},
		"a wide first part alone":                  {"65003:64500", near, "Between (AS64500)"},
		"of a file that is a link":                 {"65010:1", nil, "Linked"},
		"no export":                                {"65535:65281", near, "No export: do not announce to other ASes (RFC 1997)"},
		"blackhole":                                {"65535:666", nil, "Blackhole: discard traffic to this prefix (RFC 7999)"},
		"graceful shutdown":                        {"65535:0", nil, "Graceful shutdown: prefer other routes, this one goes soon (RFC 8326)"},
		"what is large is not well-known":          {"65535:666:0", nil, ""},
		"of an AS that has no file":                {"64999:1", near, ""},
		"of an AS whose file says nothing of it":   {"64501:1", near, ""},
		"an AS number of 32 bits, heard by nobody": {"4200000000:1:1", near, ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := d.Explain(parsed(t, row.community), row.heard); got != row.want {
				t.Errorf("Explain(%s, %v) = %q, want %q", row.community, row.heard, got, row.want)
			}
		})
	}
	var none *Dictionary
	if none.Explain(parsed(t, "65535:7"), nil) == "" || none.Explain(parsed(t, "64500:1"), near) != "" {
		t.Error("nil does not know the well-known communities, or knows others")
	}
}

func TestMistakesInFilesOfCommunities(t *testing.T) {
	for name, row := range map[string]struct{ text, want string }{
		"no comma":                    {"64500:1 x", `as64500.txt: line 1: "64500:1 x" is not a pattern, a comma and a description`},
		"no description":              {"64500:1, ", "line 1: description: empty"},
		"one part":                    {"#\n64500,x", `line 2: "64500" is not a community: it has 1 parts`},
		"four parts":                  {"1:2:3:4,x", "it has 4 parts"},
		"too large for a standard":    {"64500:65536,x", `"65536" is not a number from 0 to 65535`},
		"a range the wrong way":       {"64500:9-1,x", "9-1: the range ends before it begins"},
		"letters":                     {"64500:foo,x", `"foo" is not a number`},
		"letters beside x":            {"64500:1xy,x", "is not made of digits, x and nnn"},
		"a kind that is not":          {"vpn 64500:1,x", `"vpn" is no kind of community`},
		"a route target of three":     {"rt 1:2:3,x", "it has 3 parts"},
		"a reference to nothing":      {"64500:1x,Prepend $1", "description has $1, and the pattern 1 variable parts"},
		"a long description":          {"64500:1," + strings.Repeat("x", 600), "600 bytes, at most 512"},
		"a link to what is not":       {"gone.txt", "gone.txt"},
		"a link out of the folder":    {"../gone.txt", "is not a pattern"},
		"a number of too many digits": {"64500:xxxxxxxxxxx,x", "is not made of digits"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := fstest.MapFS{"as64500.txt": &fstest.MapFile{Data: []byte(row.text)}}
			if _, err := ReadCommunities(dir); err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("ReadCommunities of %.30q: %v, want %s", row.text, err, row.want)
			}
		})
	}
	twice := fstest.MapFS{"as1.txt": &fstest.MapFile{}, "AS01.txt": &fstest.MapFile{}}
	if _, err := ReadCommunities(twice); err == nil {
		t.Error("two files of one AS are taken")
	}
}

// explainStupidly matches a community by regular expressions, one a line.
func explainStupidly(t *rapid.T, lines []string, community string) string {
	best, text := -1.0, ""
	for i, line := range lines {
		pattern, description, _ := strings.Cut(line, ",")
		size, expression := 1.0, pattern
		for _, m := range regexp.MustCompile(`[0-9]*nnn|x|[0-9]+-[0-9]+`).FindAllString(pattern, -1) {
			switch {
			case m == "nnn":
				size *= 65536
			case m == "x":
				size *= 10
			case strings.HasSuffix(m, "nnn"):
				for range 8 - len(m) {
					size *= 10
				}
			default:
				var lo, hi int
				_, _ = fmt.Sscanf(m, "%d-%d", &lo, &hi)
				size *= float64(hi - lo + 1)
			}
		}
		expression = regexp.MustCompile(`[0-9]+-[0-9]+|nnn`).ReplaceAllString(expression, `([0-9]+)`)
		expression = strings.ReplaceAll(expression, "x", "([0-9])")
		m := regexp.MustCompile("^" + expression + "$").FindStringSubmatch(community)
		if m == nil || !inRanges(pattern, community) || best >= 0 && best <= size {
			continue
		}
		best, text = size, description
		for g := 1; g < len(m); g++ {
			text = strings.ReplaceAll(text, fmt.Sprintf("$%d", g-1), m[g])
		}
		_ = i
	}
	_ = t
	return text
}

// inRanges reports whether the parts of a community are in the ranges of a pattern.
func inRanges(pattern, community string) bool {
	numbers := strings.Split(community, ":")
	for i, part := range strings.Split(pattern, ":") {
		var lo, hi, n int
		if _, err := fmt.Sscanf(part, "%d-%d", &lo, &hi); err != nil {
			continue
		}
		if _, err := fmt.Sscan(numbers[i], &n); err != nil || n < lo || n > hi {
			return false
		}
	}
	return true
}

func TestExplanationIsTheStupidOne(t *testing.T) {
	part := rapid.OneOf(
		rapid.StringMatching(`[1-3]`), rapid.StringMatching(`[1-3][12x]`), rapid.StringMatching(`[12x][12x]x`),
		rapid.Just("nnn"), rapid.StringMatching(`[12]nnn`), rapid.SampledFrom([]string{"1-3", "10-29", "2-200"}),
	)
	rapid.Check(t, func(t *rapid.T) {
		var lines []string
		for i := range rapid.IntRange(0, 12).Draw(t, "lines") {
			pattern := part.Draw(t, "first") + ":" + part.Draw(t, "second")
			p, err := parsePattern(pattern, "1")
			if err != nil {
				t.Fatal(err)
			}
			text := fmt.Sprintf("line %d", i)
			for g := range p.groups() {
				text += fmt.Sprintf(" $%d", g)
			}
			lines = append(lines, pattern+","+text)
		}
		list, err := readPatterns(strings.NewReader(strings.Join(lines, "\n")), 1)
		if err != nil {
			t.Fatal(err)
		}
		defs := newDefinitions(list)
		a, b := rapid.Uint32Range(1, 333).Draw(t, "a"), rapid.Uint32Range(1, 333).Draw(t, "b")
		want := explainStupidly(t, lines, fmt.Sprintf("%d:%d", a, b))
		if got := defs.explain(Community{standard, [3]uint32{a, b}}); got != want {
			t.Fatalf("explain(%d:%d) = %q, want %q of\n%s", a, b, got, want, strings.Join(lines, "\n"))
		}
	})
}

func FuzzReadCommunities(f *testing.F) {
	for _, seed := range []string{"64500:1,x", "64500:1xx:nnn,a $0 $2", "rt 0-9:nnn,$1", "<ASN>:7nnn,$0", "link.txt", "1:$0,"} {
		f.Add(seed, uint32(64500), uint32(1), uint32(2))
	}
	f.Fuzz(func(t *testing.T, text string, a, b, c uint32) {
		dir := fstest.MapFS{"as64500.txt": &fstest.MapFile{Data: []byte(text)}}
		d, err := ReadCommunities(dir)
		if err != nil {
			return
		}
		for k := standard; k <= routeOrigin; k++ {
			said := d.Explain(Community{k, [3]uint32{a, b, c}}, []route.ASN{64500})
			if len(said) > 6*maxText || strings.ContainsAny(said, "\n\x00\x1b") {
				t.Errorf("Explain = %d bytes: %q", len(said), said)
			}
		}
	})
}
