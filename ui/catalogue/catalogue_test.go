package catalogue

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func load(t *testing.T, dir string, order ...string) *Set {
	t.Helper()
	set, err := Load(dir, order)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// families finds the families whose keys are made of a word and a value: by "key"
// and "word" in templates, by a sum in Go.
func families(t *testing.T) []string {
	t.Helper()
	list := []string{"problem", "item"}
	for glob, pattern := range map[string]*regexp.Regexp{
		"../templates/*.html": regexp.MustCompile(`[({](?:key|word) "([a-z]+)"`),
		"../*.go":             regexp.MustCompile(`\.named\("([a-z]+)"`),
	} {
		files, err := filepath.Glob(glob)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range files {
			body, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range pattern.FindAllSubmatch(body, -1) {
				list = append(list, string(m[1]))
			}
		}
	}
	return list
}

// usedKeys finds the keys that the sources name.
func usedKeys(t *testing.T) map[string]string {
	t.Helper()
	patterns := map[string]*regexp.Regexp{
		"../templates/*.html":     regexp.MustCompile(`\bth? "([a-z_.-]+)"`),
		"../*.go":                 regexp.MustCompile(`(?:(?:\.T|\.said|\.markup|catalogue\.Say|\bpair)\(|\bkey :?= )"([a-z_.-]+)"[,)\n]`),
		"../../httpapi/page/*.go": regexp.MustCompile(`catalogue\.Say\("([a-z_.-]+)"[,)]`),
		"../assets/*.js":          regexp.MustCompile(`\bt\('([a-z_.-]+)'`),
	}
	used := map[string]string{}
	for glob, pattern := range patterns {
		files, err := filepath.Glob(glob)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %d files, %v", glob, len(files), err)
		}
		for _, name := range files {
			body, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range pattern.FindAllSubmatch(body, -1) {
				used[string(m[1])] = name
			}
		}
	}
	return used
}

func TestEnglishHasTheTextsThatAreUsedAndNoOthers(t *testing.T) {
	english, used, made := load(t, "").English(), usedKeys(t), families(t)
	for key, file := range used {
		if !english.Has(key) {
			t.Errorf("%s uses %q, which has no text", file, key)
		}
	}
	for key := range english.texts {
		family, _, _ := strings.Cut(key, ".")
		if used[key] == "" && !slices.Contains(made, family) {
			t.Errorf("nothing uses %q", key)
		}
	}
}

func TestTranslationsThatAreBuiltInAreComplete(t *testing.T) {
	set := load(t, "")
	for _, l := range set.All()[1:] {
		for key, m := range set.english.texts {
			if _, ok := l.texts[key]; !ok {
				t.Errorf("%s: %q is missing", l.Tag(), key)
			}
			if strings.HasPrefix(key, "script.") && m.by != 0 {
				t.Errorf("%q: scripts count by the first argument", key)
			}
		}
	}
}

const someEnglish = `{"language": "en", "name": "English", "texts": {
"a.plain": "Plain", "a.two": "{first} of {second}",
"a.count": {"by": "routes", "one": "{peer} has {routes} route", "other": "{peer} has {routes} routes"}}}`

func someTexts(t *testing.T) *Language {
	t.Helper()
	l, err := read(nil, "en.json", []byte(someEnglish))
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestFilesAreReadStrictly(t *testing.T) {
	const head, tail = `{"language": "de", "name": "Deutsch", "texts": {` + "\n", "}}"
	tests := []struct{ name, body, want string }{
		{"a complete file", head + `"a.plain": "Schlicht", "a.two": "{second}: {first}"` + tail, ""},
		{"a text named twice counts as one argument", head + `"a.two": "{first} {first} {second}"` + tail, ""},
		{"an unknown key", head + `"a.plan": "x"` + tail, `de.json:2: there is no text "a.plan"`},
		{"a key that stands there twice", head + `"a.plain": "x", "a.plain": "y"` + tail, `"a.plain" stands here twice`},
		{"a placeholder that English has not", head + `"a.two": "{first} {third}"` + tail, "a.two: {third} is not in the English text, which has {first}, {second}"},
		{"a placeholder that is missing", head + `"a.two": "{first}"` + tail, "a.two: the English text has {first}, {second}"},
		{"a brace that is not closed", head + `"a.plain": "{first"` + tail, "braces hold a name"},
		{"a brace that is not opened", head + `"a.plain": "a}b"` + tail, "a } without a {"},
		{"an empty text", head + `"a.plain": " "` + tail, "it is empty"},
		{"a text with an override of direction", head + `"a.plain": "a\u202eb"` + tail, "U+202E"},
		{"a text with a line break", head + `"a.plain": "a\nb"` + tail, "U+000A"},
		{"a text that is too long", head + `"a.plain": "` + strings.Repeat("x", maxText+1) + `"` + tail, "at most 2000"},
		{"one form where there are more", head + `"a.count": "x {peer} {routes}"` + tail, "write the forms one, other"},
		{"forms where there is one", head + `"a.plain": {"one": "x", "other": "y"}` + tail, "has one form"},
		{"a form that is missing", head + `"a.count": {"other": "{peer} {routes}"}` + tail, `the form "one" is missing`},
		{"a form that the language has not", head + `"a.count": {"one": "a", "few": "b", "other": "{peer} {routes}"}` + tail, `there is no form "few"`},
		{"another count than in English", head + `"a.count": {"by": "peer", "one": "a", "other": "{peer} {routes}"}` + tail, "the English text alone"},
		{"a number for a text", head + `"a.plain": 1` + tail, "a text in quotes"},
		{"no JSON", "nonsense", "not JSON"},
		{"half a file", head + `"a.plain": "x"`, "the file ends in the middle"},
		{"more behind the end", head + `"a.plain": "x"` + tail + "{}", "more behind the end"},
		{"no language", `{"texts": {}}`, `"language" comes before`},
		{"no name", `{"language": "de", "texts": {}}`, `"name" is missing`},
		{"a tag that is none", `{"language": "../de", "name": "x", "texts": {}}`, "is no tag"},
		{"an unknown setting", `{"language": "de", "nome": "x"}`, `"nome" is not known`},
		{"a direction that is none", `{"language": "de", "dir": "up"}`, "neither"},
		{"markup between digits", `{"language": "de", "group": "<b>"}`, "separates no digits"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := read(someTexts(t), "de.json", []byte(tt.body))
			if got := fmt.Sprint(err); tt.want == "" && err != nil || !strings.Contains(got, tt.want) {
				t.Errorf("read(%s) = %v, want %q", tt.body, err, tt.want)
			}
		})
	}
}

func TestTextsAreWrittenInTheOrderOfTheLanguage(t *testing.T) {
	german, err := read(someTexts(t), "de.json", []byte(`{"language": "de", "name": "Deutsch", "group": ".", "decimal": ",", "texts": {
"a.two": "{second}: {first}", "a.count": {"one": "eine Route von {peer}", "other": "{routes} Routen von {peer}"}}}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		got, want string
	}{
		{german.T("a.two", "x", 1234567), "1.234.567: x"},
		{german.T("a.count", "edge1", 1), "eine Route von edge1"},
		{german.T("a.count", "edge1", 0), "0 Routen von edge1"},
		{german.T("a.plain"), "Plain"},
		{german.T("a.unknown"), "a.unknown"},
		{german.T("a.two", "too few"), ": too few"},
		{german.Say(Plain("<b>")), "<b>"},
		{german.Say(Say("a.two", Say("a.plain"), "y")), "y: Plain"},
		{german.Decimal(1.25, 1), "1,2"},
		{german.Number(-1000), "-1.000"},
		{(&Language{rightToLeft: true, under: german}).T("a.two", "x", 1), "1: \u2068x\u2069"},
	} {
		if tt.got != tt.want {
			t.Errorf("got %q, want %q", tt.got, tt.want)
		}
	}
}

func TestLanguageIsTheOneThatTheReaderPrefers(t *testing.T) {
	set := load(t, "")
	for _, tt := range []struct{ name, header, want string }{
		{"nothing is asked for", "", "en"},
		{"German", "de", "de"},
		{"German of Austria, then English", "de-AT,de;q=0.9,en;q=0.8", "de"},
		{"English before German", "en-US, de;q=0.7", "en"},
		{"the order does not count, the weight does", "en;q=0.1, de;q=0.2", "de"},
		{"a language that is not there", "fr, de;q=0.5", "de"},
		{"any", "*", "en"},
		{"none of them", "tlh", "en"},
		{"German is refused", "de;q=0", "en"},
		{"nonsense", ";;;q=,,-,de;q=NaN,=", "en"},
	} {
		if got := set.Choose(tt.header).Tag(); got != tt.want {
			t.Errorf("%s: Choose(%q) = %s, want %s", tt.name, tt.header, got, tt.want)
		}
	}
	if got := load(t, "", "de", "en").Choose("fr").Tag(); got != "de" {
		t.Errorf("the first language is %s", got)
	}
	if got := load(t, "", "de").Choose("en").Tag(); got != "de" {
		t.Errorf("the only language is %s", got)
	}
}

func TestNumbersAreCountedAsTheLanguageDoes(t *testing.T) {
	for _, tt := range []struct {
		tag  string
		want string // of 0, 1, 2, 3, 5, 11, 12, 21, 22, 100, 101, 111
	}{
		{"en", "other one other other other other other other other other other other"},
		{"fr", "one one other other other other other other other other other other"},
		{"ja", "other other other other other other other other other other other other"},
		{"ru", "many one few few many many many one few many one many"},
		{"pl", "many one few few many many many many few many many many"},
		{"cs", "other one few few other other other other other other other other"},
		{"ar", "zero one two few few many many many many other other many"},
		{"lt", "other one few few few other other one few other one other"},
		{"lv", "zero one other other other zero zero one other zero one zero"},
		{"sl", "other one two few other other other other other other one other"},
		{"ro", "few one few few few few few other other other few few"},
		{"he", "other one two other other other other other other other other other"},
	} {
		var got []string
		r := ruleOf(tt.tag)
		for _, n := range []uint64{0, 1, 2, 3, 5, 11, 12, 21, 22, 100, 101, 111} {
			c := r.of(n)
			got = append(got, categoryNames()[c])
			if c != other && !slices.Contains(r.has, c) {
				t.Errorf("%s: %d is %s, which the language has not", tt.tag, n, categoryNames()[c])
			}
		}
		if diff := cmp.Diff(tt.want, strings.Join(got, " ")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.tag, diff)
		}
	}
}

func TestOwnFilesAddLanguagesAndChangeTexts(t *testing.T) {
	dir := t.TempDir()
	for name, body := range map[string]string{
		"fr.json":  `{"language": "fr", "name": "Français", "texts": {"frame.skip": "Aller au contenu"}}`,
		"de.json":  `{"language": "de", "name": "Deutsch", "texts": {"frame.skip": "Zum Wesentlichen"}}`,
		"note.txt": "not read",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	set := load(t, dir)
	var got []string
	for _, l := range set.All() {
		got = append(got, l.Tag()+" "+l.T("frame.skip")+" "+l.T("history.title")+" "+l.Number(1000))
	}
	want := []string{
		"en Skip to the content History 1,000", "de Zum Wesentlichen Verlauf 1.000", "fr Aller au contenu History 1,000",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("languages (-want +got):\n%s", diff)
	}
	for _, order := range [][]string{{"it"}, {"de", "DE"}, {}} {
		if _, err := Load(dir, order); err == nil {
			t.Errorf("Load of %q succeeds", order)
		}
	}
	if _, err := Load(filepath.Join(dir, "none"), nil); err == nil {
		t.Error("a directory that is not there is read")
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(someEnglish))
	f.Add([]byte(`{"language":"ar","name":"x","dir":"rtl","texts":{"a.two":"{second}{first}"}}`))
	english, err := read(nil, "en.json", []byte(someEnglish))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		l, err := read(english, "x.json", body)
		if err != nil {
			return
		}
		for key := range l.texts {
			l.T(key, "a", 2, "c")
			if _, err := json.Marshal(l.Family("a")); err != nil {
				t.Error(err)
			}
		}
	})
}
