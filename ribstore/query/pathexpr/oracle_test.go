package pathexpr

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"ribglass/ribstore/route"
)

// An expression and what it means to the stupid twin, Go's regexp.
type twin struct{ text, goText string }

// drawCisco draws an expression of our form; the twin reads printed paths.
func drawCisco(t *rapid.T, depth int) twin {
	atoms := []twin{
		{"1", "1"},
		{"2", "2"},
		{"12", "12"},
		{" ", " "},
		{",", ","},
		{`\{`, `\{`},
		{`\)`, `\)`},
		{`\[`, `\[`},
		{".", "."},
		{"^", "^"},
		{"$", "$"},
		{"_", `(?:^|$|[ {},()\[\]])`},
		{"_", `(?:^|$|[ {},()\[\]])`},
		{"[0-9]", "[0-9]"},
		{"[^1 ]", "[^1 ]"},
		{"[]2-3{]", `[\]2-3{]`},
		{"()", "(?:)"},
	}
	return drawTwin(t, depth, atoms, "")
}

// drawJunos draws a Junos expression; its twin reads sequences with a space
// after every AS number.
func drawJunos(t *rapid.T, depth int) twin {
	atoms := []twin{
		{"1", "(?:1 )"},
		{"2", "(?:2 )"},
		{"12", "(?:12 )"},
		{"0.21", "(?:21 )"},
		{"2-12", "(?:[2-9] |1[0-2] )"},
		{".", "(?:[0-9]+ )"},
		{".*", "(?:(?:[0-9]+ )*)"},
		{".+", "(?:(?:[0-9]+ )+)"},
		{"()", "(?:)"},
	}
	return drawTwin(t, depth, atoms, " ")
}

func drawTwin(t *rapid.T, depth int, atoms []twin, glue string) twin {
	kind := rapid.IntRange(0, 5).Draw(t, "kind")
	if depth == 0 || kind == 0 {
		return rapid.SampledFrom(atoms).Draw(t, "atom")
	}
	a := drawTwin(t, depth-1, atoms, glue)
	switch kind {
	case 1:
		q := rapid.SampledFrom([]string{"*", "+", "?", "{2}", "{0,2}", "{1,3}", "{2,}"}).Draw(t, "quantifier")
		return twin{"(" + a.text + ")" + q, "(?:" + a.goText + ")" + q}
	case 2:
		b := drawTwin(t, depth-1, atoms, glue)
		return twin{"(" + a.text + "|" + b.text + ")", "(?:" + a.goText + "|" + b.goText + ")"}
	}
	b := drawTwin(t, depth-1, atoms, glue)
	return twin{a.text + glue + b.text, "(?:" + a.goText + b.goText + ")"}
}

// drawBIRD draws a mask; its twin is that of Junos.
func drawBIRD(t *rapid.T) twin {
	items := rapid.SliceOfN(rapid.SampledFrom([]twin{
		{"1", "(?:1 )"},
		{"12", "(?:12 )"},
		{"2..12", "(?:[2-9] |1[0-2] )"},
		{"[1, 20..21]", "(?:1 |2[01] )"},
		{"*", "(?:(?:[0-9]+ )*)"},
		{"?", "(?:[0-9]+ )"},
		{"2+", "(?:2 )+"},
	}), 0, 5).Draw(t, "items")
	var all twin
	for _, item := range items {
		all.text += " " + item.text
		all.goText += item.goText
	}
	return twin{"[=" + all.text + " =]", all.goText}
}

var smallASN = rapid.SampledFrom([]route.ASN{0, 1, 2, 11, 12, 21, 121, 4294967295})

func drawPath(t *rapid.T, kinds ...route.SegmentType) route.ASPath {
	var p route.ASPath
	for range rapid.IntRange(0, 3).Draw(t, "segments") {
		kind := rapid.SampledFrom(kinds).Draw(t, "segment")
		p = p.AppendSegment(kind, rapid.SliceOfN(smallASN, 0, 4).Draw(t, "asns")...)
	}
	return p
}

// compiler compiles what a law draws, and counts what is refused.
type compiler struct{ drawn, refused int }

// compile skips what is refused as too complex or as matching nothing, and nothing else.
func (c *compiler) compile(t *rapid.T, text string, d Dialect) *Pattern {
	c.drawn++
	p, err := Compile(text, d)
	if err != nil && (strings.Contains(err.Error(), "too complex") || strings.Contains(err.Error(), "no AS path can match")) {
		c.refused++
		t.Skip(err)
	}
	if err != nil {
		t.Fatalf("Compile(%q): %v", text, err)
	}
	return p
}

// check puts a law to the test, which fails when a tenth of what it draws is refused.
func (c *compiler) check(t *testing.T, law func(*rapid.T)) {
	t.Helper()
	rapid.Check(t, law)
	if c.refused > 2+c.drawn/10 {
		t.Errorf("%d of %d expressions were refused: the law says little", c.refused, c.drawn)
	}
}

func TestOurFormMatchesAsGoDoes(t *testing.T) {
	var c compiler
	c.check(t, func(t *rapid.T) {
		e := drawCisco(t, 4)
		want := regexp.MustCompile(e.goText)
		p := c.compile(t, e.text, Cisco)
		m, again := p.Matcher(), c.compile(t, p.String(), Cisco)
		if again.String() != p.String() {
			t.Fatalf("%q is %q, and that is %q", e.text, p, again)
		}
		n := again.Matcher()
		for range 20 {
			path := drawPath(t, route.ASSequence, route.ASSequence, route.ASSet, route.ASConfedSequence, route.ASConfedSet)
			matches := want.MatchString(path.String())
			if m.Match(path) != matches || n.Match(path) != matches || m.Match(path) != matches {
				t.Fatalf("Match(%q, %q) = %v, want %v", e.text, path, !matches, matches)
			}
			checkRequired(t, p, path, matches)
		}
	})
}

func checkRequired(t *rapid.T, p *Pattern, path route.ASPath, matches bool) {
	for _, n := range p.Required() {
		if matches && !slices.Contains(slices.Collect(path.All()), n) {
			t.Fatalf("%q matches %q without %d", p, path, n)
		}
	}
}

func TestTermsMatchAsGoDoes(t *testing.T) {
	var c compiler
	c.check(t, func(t *rapid.T) {
		e, d := drawJunos(t, 3), Junos
		if rapid.Bool().Draw(t, "bird") {
			e, d = drawBIRD(t), BIRD
		}
		want := regexp.MustCompile("^(?:" + e.goText + ")$")
		p := c.compile(t, e.text, d)
		m, n := p.Matcher(), c.compile(t, p.OurForm(), Cisco).Matcher()
		for range 20 {
			path := route.ASPath{}.AppendSegment(route.ASSequence, rapid.SliceOfN(smallASN, 0, 6).Draw(t, "asns")...)
			text := path.String()
			if text != "" {
				text += " "
			}
			matches := want.MatchString(text)
			if m.Match(path) != matches || n.Match(path) != matches {
				t.Fatalf("Match(%q = %s, %q) = %v, want %v", e.text, p, path, !matches, matches)
			}
			checkRequired(t, p, path, matches)
		}
	})
}

func TestRangesHoldWhatTheySay(t *testing.T) {
	var c compiler
	c.check(t, func(t *rapid.T) {
		bits := rapid.IntRange(1, 32).Draw(t, "bits")
		draw := func(name string) route.ASN {
			return route.ASN(rapid.Uint32().Draw(t, name) >> (32 - bits))
		}
		lo, hi := draw("lo"), draw("hi")
		lo, hi = min(lo, hi), max(lo, hi)
		m := c.compile(t, fmt.Sprintf("%d-%d", lo, hi), Junos).Matcher()
		for _, n := range []route.ASN{lo, hi, lo - 1, hi + 1, draw("asn"), draw("asn"), 0, 1<<32 - 1} {
			want := lo <= n && n <= hi
			if got := m.Match(route.ASPath{}.AppendSegment(route.ASSequence, n)); got != want {
				t.Fatalf("%d-%d matches %d: %v, want %v", lo, hi, n, got, want)
			}
		}
	})
}

// FuzzCompile: no text panics, takes long, or gives a pattern that does not
// print itself.
func FuzzCompile(f *testing.F) {
	for _, text := range hostile {
		f.Add(text, uint8(Auto))
	}
	for i, text := range []string{"_64500_", ".* 64500 .{0,3}", "[= * 64500 [1, 2..5]+ ? =]", "64512-65534", `\{1,2\}`} {
		f.Add(text, uint8(i%4))
	}
	paths := []route.ASPath{nil, {}, {2}, {2, 1}, {2, 0}, {9, 1, 0, 0, 0, 1}}
	for _, text := range []string{"64500", "3257 13335 {64502,64503}", "(65001 65002) 1", "[65001,65002]"} {
		paths = append(paths, parsePath(f, text))
	}
	f.Fuzz(func(t *testing.T, text string, d uint8) {
		start := time.Now()
		p, err := Compile(text, Dialect(d%4))
		if took := time.Since(start); took > time.Second {
			t.Fatalf("Compile took %v", took)
		}
		if err != nil {
			var typed *Error
			if !errors.As(err, &typed) || typed.Column < 1 || typed.Column > len(text)+1 {
				t.Fatalf("error %v of %d bytes", err, len(text))
			}
			return
		}
		again, err := Compile(p.String(), p.Dialect())
		if err != nil || again.String() != p.String() {
			t.Fatalf("%q is %q, which is %v, %v", text, p, again, err)
		}
		m, n := p.Matcher(), again.Matcher()
		for _, path := range paths {
			if m.Match(path) != n.Match(path) {
				t.Fatalf("%q and %q differ on %s", text, p, path)
			}
		}
	})
}

func TestMatchDoesNotAllocate(t *testing.T) {
	m := mustCompile(t, "_3257_13335$", Cisco).Matcher()
	m.hasten()
	path := parsePath(t, "3257 13335 {64502,64503} (1 2)")
	if n := testing.AllocsPerRun(100, func() { m.Match(path) }); n != 0 {
		t.Errorf("Match allocates %v times", n)
	}
}

// Numbers of every length go the same way by thousands, by digits, and in the
// twin.
func TestThousandsGoWhereDigitsGo(t *testing.T) {
	p := mustCompile(t, "_1(0|1){8}_.*2$", Cisco)
	byThousands, byDigits := p.Matcher(), p.Matcher()
	byThousands.hasten()
	byDigits.matches = manyMatches
	if byThousands.lead == nil {
		t.Fatalf("%d states are too many for this test", p.dfa.states())
	}
	want := regexp.MustCompile(`(?:^| )1(?:0|1){8}(?: |$).*2$`)
	for i := range uint32(100_000) {
		n := route.ASN(i * 2654435761 >> (i % 32))
		if i%3 == 0 {
			bits, _ := strconv.Atoi("1" + fmt.Sprintf("%08b", i%256))
			n = route.ASN(bits)
		}
		path := route.ASPath{}.AppendSegment(route.ASSequence, n, route.ASN(i), route.ASN(i%7))
		matches := want.MatchString(path.String())
		if byThousands.Match(path) != matches || byDigits.Match(path) != matches {
			t.Fatalf("Match(%q) is %v by thousands and %v by digits, want %v",
				path, byThousands.Match(path), byDigits.Match(path), matches)
		}
	}
}

func TestLargeAutomataMatch(t *testing.T) {
	p := mustCompile(t, "_64500(_[0-9]+){7}$", Cisco)
	m := p.Matcher()
	if m.hasten(); m.lead != nil {
		t.Fatalf("%d states are too few for this test", p.dfa.states())
	}
	for text, want := range map[string]bool{
		"1 64500 2 3 4 5 6 7 8":           true,
		"64500 1 64500 2 64500 4 5 6 7 8": true,
		"64500 1 2 3 4 5 6":               false,
	} {
		if got := m.Match(parsePath(t, text)); got != want {
			t.Errorf("Match(%q, %q) = %v, want %v", p, text, got, want)
		}
	}
}
