package pathexpr

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ribglass/ribstore/route"
)

// parsePath reads the text of route.ASPath.String.
func parsePath(t testing.TB, text string) route.ASPath {
	t.Helper()
	var p route.ASPath
	for rest := text; rest != ""; rest = strings.TrimPrefix(rest, " ") {
		kind, length, inner := segmentOf(rest)
		p = p.AppendSegment(kind, parseASNs(t, inner)...)
		rest = rest[length:]
		if rest == "" {
			break
		}
	}
	if p.String() != text {
		t.Fatalf("path %q was read as %q", text, p)
	}
	return p
}

func segmentOf(text string) (kind route.SegmentType, length int, inner string) {
	for opening, s := range map[byte]struct {
		closing string
		kind    route.SegmentType
	}{'{': {"}", route.ASSet}, '(': {")", route.ASConfedSequence}, '[': {"]", route.ASConfedSet}} {
		if text[0] == opening {
			end := strings.Index(text, s.closing)
			return s.kind, end + 1, text[1:end]
		}
	}
	end := strings.IndexAny(text, "{([")
	if end < 0 {
		end = len(text) + 1
	}
	return route.ASSequence, end - 1, text[:end-1]
}

func parseASNs(t testing.TB, text string) []route.ASN {
	t.Helper()
	var asns []route.ASN
	for _, field := range strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == ',' }) {
		n, err := route.ParseASN(field)
		if err != nil {
			t.Fatal(err)
		}
		asns = append(asns, n)
	}
	return asns
}

func mustCompile(t testing.TB, text string, d Dialect) *Pattern {
	t.Helper()
	p, err := Compile(text, d)
	if err != nil {
		t.Fatalf("Compile(%q, %v): %v", text, d, err)
	}
	return p
}

type matchRow struct {
	name, expression string
	path             string
	want             bool
}

func testMatches(t *testing.T, d Dialect, rows []matchRow) {
	t.Helper()
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			p := mustCompile(t, row.expression, d)
			m := p.Matcher()
			if got := m.Match(parsePath(t, row.path)); got != row.want {
				t.Errorf("Match(%q, %q) = %v, want %v (in our form %s)", row.expression, row.path, got, row.want, p)
			}
		})
	}
}

func TestCisco(t *testing.T) {
	testMatches(t, Cisco, []matchRow{
		{"digits match inside of a number as on routers", "645", "3257 64500", true},
		{"delimiters make a number whole", "_645_", "3257 64500", false},
		{"a whole number matches at the start", "_64500_", "64500 3257", true},
		{"a whole number matches at the end", "_64500_", "3257 64500", true},
		{"a whole number matches alone", "_64500_", "64500", true},
		{"a whole number matches in a set", "_64503_", "3257 {64502,64503}", true},
		{"a whole number matches in a confederation sequence", "_65001_", "(65001 65002) 3257", true},
		{"a whole number matches in a confederation set", "_65001_", "[65001,65002] 3257", true},
		{"the empty path has its expression", "^$", "", true},
		{"a path is not the empty path", "^$", "64500", false},
		{"any text matches the empty path", ".*", "", true},
		{"one character is more than the empty path", ".", "", false},
		{"a delimiter matches the empty path", "_", "", true},
		{"two delimiters match the empty path", "^__$", "", true},
		{"end before start matches the empty path", "$^", "", true},
		{"end before start matches nothing else", "$^", "64500", false},
		{"an origin is at the end", "_13335$", "3257 13335", true},
		{"an origin is not in the middle", "_3257_13335$", "3257 13335 64500", false},
		{"neighbours are adjacent", "_3257_13335_", "3257 1299 13335", false},
		{"prepends are a repetition", "^64500(_64500)*$", "64500 64500 64500", true},
		{"another number ends a repetition", "^64500(_64500)*$", "64500 64500 64501", false},
		{"a repetition may be empty", "(_64500)*", "3257", true},
		{"two delimiters do not match direct adjacency", "^64500_.*_64510$", "64500 64510", false},
		{"two delimiters match around a number", "^64500_.*_64510$", "64500 3257 64510", true},
		{"a set after a number has two delimiters", "^64500__64510", "64500 {64510}", true},
		{"a delimiter after the start has no width", "^_64500", "64500", true},
		{"a delimiter before the end has no width", "64500_$", "64500", true},
		{"a space is a space", "3257 13335", "3257 13335", true},
		{"a class is one character", "^6450[0-4]$", "64504", true},
		{"a class excludes", "^6450[^0-4]$", "64504", false},
		{"a class looks like a range of numbers and is none", "^[64512-65534]$", "64513", false},
		{"a bound counts", "^([0-9]+_){2,3}64510$", "1 2 3 64510", true},
		{"a bound ends", "^([0-9]+_){2,3}64510$", "1 2 3 4 64510", false},
		{"an escaped brace is a set's", `\{64502,64503\}`, "3257 {64502,64503}", true},
		{"an escaped parenthesis is a confederation's", `^\(65001_`, "(65001 65002) 3257", true},
		{"alternatives", "_(174|3356)_64500$", "3257 3356 64500", true},
		{"the largest number", "^4294967295$", "4294967295", true},
		{"number zero", "^0$", "0", true},
	})
}

func TestJunos(t *testing.T) {
	testMatches(t, Junos, []matchRow{
		{"a number is the whole path", "64500", "64500", true},
		{"a number is not part of a longer path", "64500", "64500 64501", false},
		{"numbers stand in order", "64500 64501", "64500 64501", true},
		{"any sequence is empty", ".* 64500", "64500", true},
		{"any sequence precedes", ".* 64500", "3257 1299 64500", true},
		{"any sequence keeps numbers whole", ".* 64500", "3257 164500", false},
		{"any sequence follows", "64500 .*", "64500 3257", true},
		{"any sequence follows and keeps numbers whole", "64500 .*", "645001 3257", false},
		{"any sequence in the middle is empty", "64500 .* 64510", "64500 64510", true},
		{"any sequence in the middle", "64500 .* 64510", "64500 1 2 64510", true},
		{"any sequence in the middle keeps numbers whole", "64500 .* 64510", "64500 164510", false},
		{"any sequence alone", ".*", "", true},
		{"any sequence covers a set", ".* 64500 .*", "64500 {1,2}", true},
		{"a number is no member of a set", ".* 64500 .*", "1 {64499,64500,64501}", false},
		{"a number is not the only member of a set", "1 64500", "1 {64500}", false},
		{"a dot is no set", "1 .", "1 {2}", false},
		{"some sequence may be a set", "1 .+", "1 {2,3}", true},
		{"a set is one element", "1 .* 4", "1 {2,3} 4", true},
		{"a number of a confederation is one of the path", "65001 . 3257", "(65001 65002) 3257", true},
		{"a number in the middle of a confederation", ".* 65002 .*", "(65001 65002 65003) 3257", true},
		{"a set of a confederation is a set", ". 3257", "[65001,65002] 3257", false},
		{"some sequence is not empty", "64500 .+", "64500", false},
		{"some sequence covers", "64500 .+ 64510", "64500 1 2 64510", true},
		{"some sequence does not leap", "64500 .+ 64510", "64500 64510", false},
		{"a dot is one number", "64500 . 64510", "64500 1 64510", true},
		{"a dot is not two numbers", "64500 . 64510", "64500 1 2 64510", false},
		{"up to three numbers", ".* 64500 .{0,3}", "1 64500 2 3 4", true},
		{"not four numbers", ".* 64500 .{0,3}", "1 64500 2 3 4 5", false},
		{"prepends", "64500+", "64500 64500", true},
		{"a repetition is of the number, not its last digit", "64500+", "6450000", false},
		{"an exact count", "64500{2}", "64500 64500 64500", false},
		{"a least count", "64500{2,}", "64500 64500 64500", true},
		{"an optional number at the front", "64500? 64501", "64501", true},
		{"a range holds its ends", "64512-65534", "65534", true},
		{"a range ends", "64512-65534", "65535", false},
		{"a range is a term", ".* 64512-65534+", "3257 64513 64999", true},
		{"a range over lengths", "9-1001", "100", true},
		{"asdot", "1.10", "65546", true},
		{"asdot range", "1.0-1.65535", "131071", true},
		{"alternatives", "64500 (64501|64502)", "64500 64502", true},
		{"alternatives of sequences", "(64500 64501|64502 64503)", "64502 64503", true},
		{"alternatives do not mix", "(64500 64501|64502 64503)", "64500 64503", false},
		{"the empty path", "()", "", true},
		{"the empty path is no path", "()", "64500", false},
		{"anchors mean nothing", "^64500 .*$", "64500 1", true},
		{"a repeated group", "(64500 64501)+", "64500 64501 64500 64501", true},
	})
}

func TestBIRD(t *testing.T) {
	testMatches(t, BIRD, []matchRow{
		{"a number is the whole path", "[= 64500 =]", "64500", true},
		{"a number is not part of a path", "[= 64500 =]", "64500 1", false},
		{"a star is any sequence", "[= * 4 3 * =]", "4 3 2 1", true},
		{"neighbours are adjacent", "[= * 4 5 * =]", "4 3 5 1", false},
		{"a question mark is one number", "[= * 64500 ? =]", "1 64500 2", true},
		{"a question mark is not nothing", "[= * 64500 ? =]", "1 64500", false},
		{"plus repeats", "[= 1 2+ 3 =]", "1 2 2 2 3", true},
		{"plus is once at least", "[= 1 2+ 3 =]", "1 3", false},
		{"plus repeats nothing else", "[= 1 2+ 3 =]", "1 2 4 3", false},
		{"a set is one of its members", "[= 1 2 [3, 5, 7] * =]", "1 2 5 9", true},
		{"a set is no other number", "[= 1 2 [3, 5, 7] * =]", "1 2 6", false},
		{"a range in a set", "[= [1, 3..5] =]", "4", true},
		{"a range is a term", "[= * 3..5 2 100..200 * =]", "9 4 2 150", true},
		{"no term is the empty path", "[= =]", "", true},
		{"spaces are free", "[=*64500?=]", "64500 1", true},
		{"a star covers a set", "[= 64500 * =]", "64500 {1,2}", true},
		{"asdot", "[= 1.10 =]", "65546", true},
		{"a repeated set mixes its members", "[= [1, 3..5]+ =]", "4 1 3", true},
		{"a repeated question mark is one at least", "[= ?+ 3 =]", "3", false},
		{"a repeated star is a star", "[= *+ 3 =]", "3", true},
	})
}

// TestBIRDOnSets holds masks to what BIRD 2.0.12 answers: each path was announced to it,
// and each mask was asked by its import filter.
func TestBIRDOnSets(t *testing.T) {
	paths := []string{
		"100 {200,300}",
		"100 {200,300} 400",
		"100 200 300",
		"100",
		"{200,300}",
		"100 {200}",
		"100 {200,300} {400,500}",
		"100 300 {200,300}",
		"",
	}
	for mask, matches := range map[string]string{ // a digit for each path
		"[= * =]":                "111111111",
		"[= 100 ? =]":            "100001100",
		"[= 100 200 =]":          "100001100",
		"[= 100 300 =]":          "100000100",
		"[= 100 200 300 =]":      "101000100",
		"[= 100 200 400 =]":      "010000100",
		"[= 100 ? 400 =]":        "010000100",
		"[= * 400 =]":            "010000100",
		"[= 200 =]":              "000010000",
		"[= ? =]":                "000110000",
		"[= 100 [200, 999] =]":   "100001100",
		"[= 100 [150..250] =]":   "100001100",
		"[= 100 150..250 =]":     "100001100",
		"[= 100 [998, 999] =]":   "000000000",
		"[= 65001 65002 100 =]":  "000000000",
		"[= 65001 100 =]":        "000000000",
		"[= ? ? 100 =]":          "000000000",
		"[= ? 100 =]":            "000000000",
		"[= * 100 =]":            "000100000",
		"[= 100 300+ =]":         "100000110",
		"[= 100 300 200 =]":      "100000110",
		"[= 100 ? ? =]":          "111001110",
		"[= 100 200 500 =]":      "000000100",
		"[= =]":                  "000000001",
		"[= * 300 * =]":          "111010110",
		"[= 100 300 300 =]":      "100000110",
		"[= 65002 100 =]":        "000000000",
		"[= ? ? ? =]":            "111011110",
		"[= 100 200+ 400+ =]":    "010000100",
		"[= * 65001 * =]":        "000000000",
		"[= 100 ?+ =]":           "111001110",
		"[= [100, 200] [300] =]": "100010100",
	} {
		m := mustCompile(t, mask, BIRD).Matcher()
		for i, text := range paths {
			if got, want := m.Match(parsePath(t, text)), matches[i] == '1'; got != want {
				t.Errorf("Match(%s, %s) = %v, BIRD says %v", mask, text, got, want)
			}
		}
	}
}

func TestAnAnchorThatNothingPassesIsRefused(t *testing.T) {
	for text, column := range map[string]int{"$15169_": 1, "15169^": 6, "^1$2": 3, "1(_^2)": 4} {
		_, err := Compile(text, Cisco)
		var e *Error
		if !errors.As(err, &e) || e.Column != column || !strings.Contains(e.Message, "no AS path can match") {
			t.Errorf("Compile(%q) = %v, want column %d", text, err, column)
		}
	}
	for _, text := range []string{"^$", "_^1", "1$_", "$^", "(^|2)1", "^^1$$"} {
		mustCompile(t, text, Cisco)
	}
}

func TestOurForm(t *testing.T) {
	for _, row := range []struct {
		text, want string
		dialect    Dialect // as recognised
	}{
		{"_64500_", "_64500_", Cisco},
		{"(645)0(0)", "64500", Cisco},
		{"((1*)*)", "(1*)*", Cisco},
		{"1{0,}2{1,}3{0,1}4{2,2}5{1}", "1*2+3?4{2}5", Cisco},
		{"[0123456789]", "[0-9]", Cisco},
		{"[^ ]", "[^ ]", Cisco},
		{"[]{]", "[]{]", Cisco},
		{`[{]`, `\{`, Cisco},
		{"3257 13335", "3257 13335", Cisco},
		{".*", ".*", Cisco},
		{"64500", "64500", Cisco},
		{"^64500 .*$", "^64500 .*$", Cisco},
		{"(174|3356)", "174|3356", Cisco},
		{".* 64500", "_64500$", Junos},
		{"64500 .*", "^64500_", Junos},
		{".* 64500 .*", "_64500_", Junos},
		{".* 64500 .{0,3}", "_64500(_[0-9]+){0,3}$", Junos},
		{"64500+", "^64500(_64500)*$", Junos},
		{"64500 .* 64510", "^64500(_.*)?_64510$", Junos},
		{"64512-65534", "^(6451[2-9]|645[2-9][0-9]|64[6-9][0-9]{2}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-4])$", Junos},
		{"64500 (64501|64502)", "^64500_(64501|64502)$", Junos},
		{"()", "^$", Junos},
		{"[= * 64500 ? =]", "_64500_[0-9]+$", BIRD},
		{"[= [1, 4..6] 2+ =]", "^(1|[4-6])(_2)+$", BIRD},
	} {
		p := mustCompile(t, row.text, Auto)
		if got := p.OurForm(); got != row.want {
			t.Errorf("Compile(%q).OurForm() = %q, want %q", row.text, got, row.want)
		}
		if p.Dialect() != row.dialect {
			t.Errorf("Compile(%q).Dialect() = %v, want %v", row.text, p.Dialect(), row.dialect)
		}
		if again := mustCompile(t, p.String(), p.Dialect()); again.String() != p.String() || p.Dialect() != Cisco && p.String() != row.text {
			t.Errorf("%q again is %q", p, again)
		}
	}
}

func TestRequired(t *testing.T) {
	for _, row := range []struct {
		text string
		want []route.ASN
	}{
		{"_64500_", []route.ASN{64500}},
		{"64500", nil},
		{"_64500", nil},
		{"^64500$", []route.ASN{64500}},
		{"_3257_13335$", []route.ASN{3257, 13335}},
		{"_3257 13335$", []route.ASN{3257, 13335}},
		{"_(174|3356)_64500$", []route.ASN{64500}},
		{"(_64500)*", nil},
		{"^64500(_64501)*$", []route.ASN{64500}},
		{"(_64500)+$", []route.ASN{64500}},
		{"_(64500|64500_1)_", []route.ASN{64500}},
		{".*", nil},
		{"_064500_", nil},
		{`\{64502,64503\}`, []route.ASN{64502, 64503}},
		{".* 64500 .{0,3}", []route.ASN{64500}},
		{"[= * 64500 ? 1 =]", []route.ASN{1, 64500}},
	} {
		if diff := cmp.Diff(row.want, mustCompile(t, row.text, Auto).Required()); diff != "" {
			t.Errorf("Required(%q) (-want +got):\n%s", row.text, diff)
		}
	}
}

func TestErrors(t *testing.T) {
	for _, row := range []struct {
		name, text string
		dialect    Dialect
		column     int
		message    string // part of it
	}{
		{"a letter", "(a+)+$", Auto, 2, `"a" never occurs`},
		{"a command", "$(id)", Auto, 3, `"i" never occurs`},
		{"a pipe to a router command", `.*" \| no-more`, Auto, 3, `"\"" never occurs`},
		{"ten kilobytes", strings.Repeat("1", 10000), Auto, 1025, "10000 bytes"},
		{"repetitions multiply", "(1|2){64}{64}", Auto, 1, "too complex"},
		{"repetitions of nothing multiply", "(){64}{64}{64}{64}{64}{64}{64}{64}", Auto, 1, "too complex"},
		{"states double", "1(0|1){20}$", Auto, 1, "too complex"},
		{"an open group", "((1)", Cisco, 1, `"(" without ")"`},
		{"a closed group", "1)", Cisco, 2, `")" without "("`},
		{"an open class", "[0-9", Cisco, 1, `"[" without "]"`},
		{"a reversed class", "[9-0]", Cisco, 2, "lower one first"},
		{"a class without members", "[^0-9{},()[ ]", Cisco, 0, ""},
		{"nothing to repeat", "*1", Cisco, 1, "nothing before it"},
		{"a lone brace", "64500 {1", Cisco, 7, "brace of an AS_SET"},
		{"a set taken for a repetition", "_{64502,64503}", Cisco, 2, `\{`},
		{"reversed bounds", "1{3,2}", Cisco, 2, "wrong way round"},
		{"asdot", `_1\.10_`, Cisco, 3, "asplain"},
		{"a trailing backslash", `1\`, Cisco, 2, "the end"},
		{"nothing", "", Cisco, 1, "empty"},
		{"nothing in Junos", " ", Junos, 2, "empty"},
		{"a reversed range", "64500-1", Junos, 1, "wrong way round"},
		{"too large a number", "4294967296 .*", Junos, 1, "AS number"},
		{"half a range", "1-", Junos, 3, "AS number"},
		{"a loose repetition", "64500 +", Junos, 7, "directly after"},
		{"an open Junos group", "(64500", Junos, 1, `"("`},
		{"an open mask", "[= 1", BIRD, 5, "without"},
		{"more after a mask", "[= 1 =] 2", BIRD, 9, "where the mask ends"},
		{"an open set", "[= [1", BIRD, 6, `want ","`},
		{"a variable", "[= x =]", BIRD, 4, "not expected"},
		{"a repetition of nothing", "[= + =]", BIRD, 4, "nothing before it"},
		{"no dialect", "1", Dialect(9), 1, "not a dialect"},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, err := Compile(row.text, row.dialect)
			if row.message == "" && err == nil {
				return
			}
			var typed *Error
			if !errors.As(err, &typed) {
				t.Fatalf("Compile(%.40q) = %v, want an *Error", row.text, err)
			}
			if typed.Column != row.column || !strings.Contains(typed.Message, row.message) {
				t.Errorf("Compile(%.40q) = %v, want column %d and %q", row.text, err, row.column, row.message)
			}
		})
	}
}

// The time limit is far above what is promised, so that a busy machine does
// not fail it; BenchmarkCompileHostile has the figure.
func TestHostileExpressionsAreCheap(t *testing.T) {
	path := parsePath(t, strings.TrimSpace(strings.Repeat("11111 ", 250)))
	for _, text := range hostile {
		start := time.Now()
		p, err := Compile(text, Auto)
		if err == nil {
			p.Matcher().Match(path)
		}
		if took := time.Since(start); took > time.Second {
			t.Errorf("%.40q took %v", text, took)
		}
		var typed *Error
		if err != nil && !errors.As(err, &typed) {
			t.Errorf("%.40q: %v is not an *Error", text, err)
		}
	}
}

var hostile = []string{
	"(1+)+$", "(a+)+$", ".*", ".", ".[0-9,0-9]+", "((((((((((1*)*)*)*)*)*)*)*)*)*)*", "(1|2){64}{64}", "(.*){64}1",
	"(1?){64}1{64}", "(.?){64}{60}", "1.{12}$", "1(0|1){20}$", "(1|11|111){30}_(2.{20})$", "(.*1.*){60}", "([0-9]+_?){64}$",
	"(_*)*_*(_*)*", "$(id)", strings.Repeat("(", 1024), strings.Repeat("(", 500) + "1" + strings.Repeat(")", 500),
	strings.Repeat("(1*", 256) + strings.Repeat(")", 256), strings.Repeat("1|", 512), strings.Repeat("_", 1024),
	strings.Repeat("1*", 512), strings.Repeat("(.|_)*", 170), strings.Repeat(".?", 500), ".* 64500" + strings.Repeat(" .{0,64}", 60),
	"[= * 1 " + strings.Repeat("? ", 400) + "=]", "[= " + strings.Repeat("[1..4294967294] ", 60) + "=]", "[= " + strings.Repeat("* 1 ", 250) + "=]",
	"1" + strings.Repeat("+", 1023), "(_.*)?" + strings.Repeat("(_.*)?", 100) + "$",
}

func TestDialectNames(t *testing.T) {
	for _, d := range []Dialect{Auto, Cisco, Junos, BIRD} {
		if got, err := ParseDialect(strings.ToUpper(d.String())); err != nil || got != d {
			t.Errorf("ParseDialect(%q) = %v, %v", d, got, err)
		}
	}
	if _, err := ParseDialect("nokia"); err == nil {
		t.Error(`ParseDialect("nokia") succeeded`)
	}
}
