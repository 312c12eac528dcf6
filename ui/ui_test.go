package ui

import (
	"bytes"
	"compress/gzip"
	"io"
	"path"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"ribglass/ribstore/route"
	"ribglass/ui/catalogue"
	"ribglass/ui/site"
)

func TestAssetsAreSmallAndNameTheirContent(t *testing.T) {
	r, err := New(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	sizes := map[string]int{}
	for name, asset := range r.assets.byName {
		if found, ok := r.Asset(asset.Path); !ok || !bytes.Equal(found.Body, asset.Body) {
			t.Errorf("%s is not served at %s", name, asset.Path)
		}
		sizes[path.Ext(name)] += len(asset.Gzip)
		z, err := gzip.NewReader(bytes.NewReader(asset.Gzip))
		if err != nil {
			t.Fatal(err)
		}
		if body, err := io.ReadAll(z); err != nil || !bytes.Equal(body, asset.Body) {
			t.Errorf("%s packed is another one: %v", name, err)
		}
		for _, m := range regexp.MustCompile(`(?:from|import) '([^']*)'`).FindAllSubmatch(asset.Body, -1) {
			if _, ok := r.Asset(string(m[1])); !ok {
				t.Errorf("%s imports %s, which is not served", name, m[1])
			}
		}
	}
	texts := 0 // a reader loads those of one language
	for at, asset := range r.assets.byPath {
		if strings.HasPrefix(at, "/assets/texts-") {
			texts = max(texts, len(asset.Gzip))
		}
	}
	sizes[".js"] += texts
	t.Logf("packed: %v, texts %d", sizes, texts)
	for extension, most := range map[string]int{".css": 10 << 10, ".js": 25 << 10} {
		if n := sizes[extension]; n == 0 || n > most {
			t.Errorf("%s: %d bytes packed, want at most %d", extension, n, most)
		}
	}
}

func TestScriptsMakeNoCodeOutOfText(t *testing.T) {
	r, err := New(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	danger := regexp.MustCompile(`innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|setTimeout\('|https?://`)
	for name, asset := range r.assets.byName {
		body := strings.ReplaceAll(string(asset.Body), "http://www.w3.org/2000/svg", "") // a name, not a place
		if m := danger.FindString(body); path.Ext(name) == ".js" && m != "" {
			t.Errorf("%s has %s", name, m)
		}
	}
}

// TestPagesGoFromRightToLeftToo wants rules that follow the direction of the
// language: what is at the left in English is at the start.
func TestPagesGoFromRightToLeftToo(t *testing.T) {
	styleSheet, err := assets.ReadFile("assets/style.css")
	if err != nil {
		t.Fatal(err)
	}
	physical := regexp.MustCompile(`(margin|padding|border)-(left|right)\b|[{; ](left|right|float|clear): *(left|right)?[^;]*|text-align: (left|right)`)
	for _, m := range physical.FindAllString(string(styleSheet), -1) {
		if !strings.Contains(m, "left: 50%") && !strings.Contains(m, "float: inline-start") {
			t.Errorf("%q does not follow the direction of the language", strings.TrimSpace(m))
		}
	}
}

func TestRulesUseIntentsOnly(t *testing.T) {
	styleSheet, err := assets.ReadFile("assets/style.css")
	if err != nil {
		t.Fatal(err)
	}
	_, rules, found := strings.Cut(string(styleSheet), "/* Intents")
	if !found {
		t.Fatal("the style sheet has no intents")
	}
	_, rules, _ = strings.Cut(rules, "}")
	if m := regexp.MustCompile(`#[0-9a-fA-F]{3,8}\b|rgba?\(|hsla?\(|--(paper|ink|hair|teal|amber|red)`).FindString(rules); m != "" {
		t.Errorf("a rule uses %q, which is no intent", m)
	}
	if strings.Contains(rules, "url(") || strings.Contains(rules, "@import") {
		t.Error("the style sheet asks for another file")
	}
}

func TestTheAccentThatASiteLeavesIsThatOfTheStyleSheet(t *testing.T) {
	styleSheet, err := assets.ReadFile("assets/style.css")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []site.Site{{Colour: accentLight}, {DarkColour: accentDark}} {
		rule := strings.TrimSuffix(strings.TrimPrefix(palette(&s), ":root { "), " }\n")
		if !strings.Contains(string(styleSheet), rule) {
			t.Errorf("the style sheet has no %q", rule)
		}
	}
}

func TestAge(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for ago, want := range map[time.Duration]string{
		0: "0s", 59 * time.Second: "59s", time.Minute: "1m00s", 61 * time.Minute: "1h01m", 26 * time.Hour: "1d02h",
		20 * 24 * time.Hour: "2w6d", 800 * 24 * time.Hour: "2y10w", -time.Hour: "0s",
	} {
		if got := age(now, now.Add(-ago)); got != want {
			t.Errorf("age of %v = %q, want %q", ago, got, want)
		}
	}
	if got := age(now, time.Time{}); got != "never" {
		t.Errorf("age of the zero time = %q, want never", got)
	}
}

func TestCount(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1000: "-1,000"} {
		if got := count(n); got != want {
			t.Errorf("count(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestHopsTakePrependsTogether(t *testing.T) {
	prepended := route.ASPath(nil).AppendSegment(route.ASConfedSequence, 65001).
		AppendSegment(route.ASSequence, 1, 2, 2, 2, 3).AppendSegment(route.ASSequence, 3, 1).AppendSegment(route.ASSet, 7, 8)
	want := []Hop{
		{Text: "(65001)", Times: 1, Set: true},
		{Text: "1", Times: 1},
		{Text: "2", Times: 3},
		{Text: "3", Times: 2},
		{Text: "1", Times: 1},
		{Text: "{7,8}", Times: 1, Set: true},
	}
	if diff := cmp.Diff(want, hops(prepended)); diff != "" {
		t.Errorf("hops(%v) (-want +got):\n%s", prepended, diff)
	}
}

func TestCleanLeavesNothingThatMovesACursor(t *testing.T) {
	for in, want := range map[string]string{
		"Zürich 東京": "Zürich 東京", "a\x1b[2Jb": "a\uFFFD[2Jb", "a\r\nb": "a\uFFFD\uFFFDb", "\u202egnp": "\uFFFDgnp", "\xff": "\uFFFD",
		"a\u2028b": "a\uFFFDb", "\u200b": "\uFFFD", "\x9b": "\uFFFD", "\u009b": "\uFFFD",
	} {
		if got := clean(in); got != want {
			t.Errorf("clean(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestTextOfARouteNeverPanicsAndHasNoControls(t *testing.T) {
	r, err := New(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		page := &Lookup{Frame: Frame{Title: catalogue.Plain("x")}, Total: 1, Shown: 1, Groups: []Group{{Routes: []Route{{Route: route.Route{
			Peer:     &route.Peer{Name: rapid.String().Draw(t, "name")},
			Attrs:    rapid.SliceOf(rapid.Byte()).Draw(t, "attributes"),
			Decision: rapid.String().Draw(t, "decision"),
		}}}}}}
		var text, html bytes.Buffer
		if err := r.Text(&text, page); err != nil {
			t.Fatal(err)
		}
		if err := r.HTML(&html, page); err != nil {
			t.Fatal(err)
		}
		if i := strings.IndexFunc(text.String(), func(r rune) bool { return r < ' ' && r != '\n' || r == 0x7f }); i >= 0 {
			t.Errorf("text has %q", text.String()[i])
		}
	})
}

func TestScriptsAreServedWithoutComments(t *testing.T) {
	for name, row := range map[string]struct{ in, want string }{
		"a line of its own":                        {"a\n  // b\nc", "a\n\nc"},
		"several lines":                            {"/**\n * a\n ** b */\nc", "\n\n\nc"},
		"one behind code stays":                    {"a // b\n", "a // b\n"},
		"a type in front of an expression stays":   {"/** @type {A} */ (a).b()\n/** c */\nd", "/** @type {A} */ (a).b()\n\nd"},
		"what only looks like one in a text stays": {"a = 'x' + '//'\nb = `*/`", "a = 'x' + '//'\nb = `*/`"},
		"the end of a script":                      {"a\n// b", "a\n"},
	} {
		if got := string(uncommented([]byte(row.in))); got != row.want {
			t.Errorf("%s: %q becomes %q, want %q", name, row.in, got, row.want)
		}
	}
}
